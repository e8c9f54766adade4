package hubbub_test

import (
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"hubbub"
	"hubbub/stack"
)

// connected returns both ends of a connection in a network whose time is the
// time outside.
func connected(b testing.TB, options ...hubbub.Option) (client, server net.Conn) {
	b.Helper()
	return connectedOn(b, "172.16.10.0/24", options...)
}

// overIPv6 is the subnet of the benchmarks over IPv6, which are to take at most
// a tenth longer than those over IPv4.
const overIPv6 = "2001:db8:10::/64"

func connectedOn(b testing.TB, subnet string, options ...hubbub.Option) (client, server net.Conn) {
	b.Helper()
	n, feige, nick := classroomOn(subnet, options...)
	b.Cleanup(func() { n.Close() })
	ln, err := feige.Listen("tcp", ":8080")
	if err != nil {
		b.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := ln.Accept()
		accepted <- c
	}()
	client, err = nick.Dial("tcp", "feige:8080")
	if err != nil {
		b.Fatal(err)
	}
	return client, <-accepted
}

// BenchmarkBulk moves data over one connection, as a network comes: at the MTU
// of Ethernet, with segments that stand for several.
func BenchmarkBulk(b *testing.B) { bulk(b, "172.16.10.0/24") }

// BenchmarkBulkIPv6 is BenchmarkBulk over IPv6.
func BenchmarkBulkIPv6(b *testing.B) { bulk(b, overIPv6) }

// BenchmarkBulkFrames is BenchmarkBulk where each frame crosses the network by
// itself.
func BenchmarkBulkFrames(b *testing.B) {
	bulk(b, "172.16.10.0/24", hubbub.Config(func(c *stack.Config) { c.GSO = true }))
}

// BenchmarkBulkFramesIPv6 is BenchmarkBulkFrames over IPv6.
func BenchmarkBulkFramesIPv6(b *testing.B) {
	bulk(b, overIPv6, hubbub.Config(func(c *stack.Config) { c.GSO = true }))
}

// BenchmarkBulkBusy is BenchmarkBulk beside goroutines that compute, one for each
// processor: a connection must not starve beside them.
func BenchmarkBulkBusy(b *testing.B) {
	var stop atomic.Bool
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	defer stop.Store(true)
	bulk(b, "172.16.10.0/24")
}

// BenchmarkBulkSegments is BenchmarkBulk where TCP makes each frame by itself.
func BenchmarkBulkSegments(b *testing.B) {
	bulk(b, "172.16.10.0/24", hubbub.Config(func(c *stack.Config) { c.TCP.Offload = 0 }))
}

// BenchmarkBulkSegmentsIPv6 is BenchmarkBulkSegments over IPv6.
func BenchmarkBulkSegmentsIPv6(b *testing.B) {
	bulk(b, overIPv6, hubbub.Config(func(c *stack.Config) { c.TCP.Offload = 0 }))
}

func bulk(b *testing.B, subnet string, options ...hubbub.Option) {
	client, server := connectedOn(b, subnet, options...)
	buf := make([]byte, 64<<10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		to := make([]byte, len(buf))
		for err := error(nil); err == nil; {
			_, err = server.Read(to)
		}
	}()
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	client.Close()
	<-done
}

// BenchmarkRoundTrip sends one byte there and back.
func BenchmarkRoundTrip(b *testing.B) {
	client, server := connected(b)
	go func() {
		var buf [1]byte
		for {
			if _, err := server.Read(buf[:]); err != nil {
				return
			}
			server.Write(buf[:])
		}
	}()
	var buf [1]byte
	b.ReportAllocs()
	for b.Loop() {
		client.Write(buf[:])
		if _, err := client.Read(buf[:]); err != nil {
			b.Fatal(err)
		}
	}
	client.Close()
}

// BenchmarkPingPong is BenchmarkRoundTrip in one goroutine: what the network
// costs without the scheduler.
func BenchmarkPingPong(b *testing.B) { pingPong(b, "172.16.10.0/24") }

// BenchmarkPingPongIPv6 is BenchmarkPingPong over IPv6.
func BenchmarkPingPongIPv6(b *testing.B) { pingPong(b, overIPv6) }

func pingPong(b *testing.B, subnet string) {
	client, server := connectedOn(b, subnet)
	var buf [1]byte
	b.ReportAllocs()
	for b.Loop() {
		client.Write(buf[:])
		server.Read(buf[:])
		server.Write(buf[:])
		client.Read(buf[:])
	}
}

// BenchmarkConnect opens, accepts and closes connections, one after the other.
func BenchmarkConnect(b *testing.B) {
	n, feige, nick := classroom()
	defer n.Close()
	ln, err := feige.Listen("tcp", ":8080")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		c, err := nick.Dial("tcp", "feige:8080")
		if err != nil {
			b.Fatal(err)
		}
		c.(interface{ SetLinger(int) error }).SetLinger(0)
		c.Close()
	}
}

// BenchmarkIdle reports what an end of an idle connection takes of memory.
func BenchmarkIdle(b *testing.B) {
	const pairs = 10000
	var perEnd float64
	for b.Loop() {
		n, feige, nick := classroom()
		ln, _ := feige.Listen("tcp", ":8080")
		held := make([]net.Conn, 0, 2*pairs)
		before := heap()
		for range pairs {
			c, err := nick.Dial("tcp", "feige:8080")
			if err != nil {
				b.Fatal(err)
			}
			s, err := ln.Accept()
			if err != nil {
				b.Fatal(err)
			}
			held = append(held, c, s)
		}
		time.Sleep(100 * time.Millisecond) // the last ACK may be delayed
		perEnd = float64(heap()-before) / float64(len(held))
		runtime.KeepAlive(held)
		n.Close()
	}
	b.ReportMetric(perEnd, "B/end")
	b.ReportMetric(0, "ns/op")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkDatagrams sends datagrams of 64 bytes and reads them, in one
// goroutine, with so many that wait.
func BenchmarkDatagrams(b *testing.B) {
	for _, waiting := range []int{1, 500} {
		b.Run(strconv.Itoa(waiting), func(b *testing.B) {
			n, feige, nick := classroom()
			defer n.Close()
			server, err := feige.ListenPacket("udp", ":7000")
			if err != nil {
				b.Fatal(err)
			}
			client, err := nick.Dial("udp", "feige:7000")
			if err != nil {
				b.Fatal(err)
			}
			var buf [64]byte
			b.ReportAllocs()
			for range waiting - 1 {
				client.Write(buf[:])
			}
			from := server.(interface {
				ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
			})
			for b.Loop() {
				client.Write(buf[:])
				if _, _, err := from.ReadFromAddrPort(buf[:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkForward sends datagrams of 18 bytes, the shortest frames, by a router and
// reads them, in one goroutine.
func BenchmarkForward(b *testing.B) {
	forward := byRouter(b)
	b.ReportAllocs()
	for b.Loop() {
		forward()
	}
}

// byRouter returns what sends a datagram of 18 bytes by a router and reads it.
func byRouter(b testing.TB) (forward func()) {
	n := hubbub.New(hubbub.Seed(1))
	b.Cleanup(func() { n.Close() })
	room, corridor := n.LAN("room", "10.0.1.0/24"), n.LAN("corridor", "10.0.2.0/24")
	n.Router("gateway", room, corridor)
	feige, nick := room.Host("feige"), corridor.Host("nick")
	server, err := feige.ListenPacket("udp", ":7000")
	if err != nil {
		b.Fatal(err)
	}
	client, err := nick.Dial("udp", "feige:7000")
	if err != nil {
		b.Fatal(err)
	}
	from := server.(interface {
		ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
	})
	buf := make([]byte, 18)
	return func() {
		client.Write(buf)
		if _, _, err := from.ReadFromAddrPort(buf); err != nil {
			b.Fatal(err)
		}
	}
}
