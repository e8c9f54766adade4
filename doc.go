// Package hubbub is a complete TCP/IP network in one Go program: cables, hubs,
// switches, routers and hosts, and on every host a full stack from Ethernet
// frames to BSD sockets.
//
// A test may hold a whole network, with the real behaviour of TCP:
//
//	func TestServerSurvivesPeerDeath(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			n := hubbub.New(hubbub.Seed(1))
//			defer n.Close()
//			room := n.LAN("classroom", "172.16.10.0/24")
//			server, client := room.Host("feige"), room.Host("nick")
//			ln, _ := server.Listen("tcp", ":8080")
//			go serve(ln)
//			c, _ := client.Dial("tcp", "feige:8080")
//			client.PowerOff() // no FIN, no RST: it is just gone
//			time.Sleep(2*time.Hour + 11*time.Minute)
//			// the server's connection has now failed with ETIMEDOUT
//		})
//	}
//
// # Time
//
// By default a network's time is the time outside: right for programs, and
// right in a testing/synctest bubble, where two hours pass in a millisecond. A
// network made with [Virtual] has a clock of its own, which jumps to the next
// timer when none of its programs can run; they are started with
// [Network.Go], and the same seed gives the same packets, to the bit.
//
// # What happens, and why
//
// [Network.Watch] hears of every frame, state change, timer and call, each
// with the event that caused it. Package capture makes pcapng files, ladder
// diagrams and stories of that stream.
//
// The layers below are packages of their own: wire, link, network/...,
// transport/tcp, stack, socket. A newcomer may begin at the layer that he
// knows.
package hubbub
