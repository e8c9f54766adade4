package socket_test

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"testing"

	"hubbub"
	"hubbub/socket"
)

const v6 = socket.IPPROTO_IPV6

// inBoth runs the body in a room with both families.
func inBoth(t *testing.T, body func(r *room)) {
	t.Helper()
	run(t, &way{"both", "172.16.10.0/24, 2001:db8:10::/64", socket.AF_INET6}, body, hubbub.Virtual())
}

func (r *room) tcp4(h *hubbub.Host) *socket.Socket {
	return r.socket(h, socket.AF_INET, socket.SOCK_STREAM)
}

// RFC 3493, 5.3: "By default this option is turned off." A socket that is bound
// to all addresses hears both families, and shows IPv4's as mapped ones (3.7).
func TestOneSocketHearsBothFamilies(t *testing.T) {
	inBoth(t, func(r *room) {
		l := r.listens(r.feige, ":8080", 5)
		for _, c := range []struct {
			from     *socket.Socket
			to, seen string
		}{
			{r.tcp4(r.nick), "172.16.10.2:8080", "::ffff:172.16.10.3"},
			{r.tcp(r.nick), "[::ffff:172.16.10.2]:8080", "::ffff:172.16.10.3"},
			{r.tcp(r.nick), "[2001:db8:10::2]:8080", "2001:db8:10::3"},
			{r.tcp(r.nick), "feige:8080", "2001:db8:10::3"},
		} {
			r.ok("connect", c.from.Connect(c.to))
			conn, from, err := l.Accept()
			r.ok("accept", err)
			r.equal("the client's host", hostOf(from), c.seen)
			r.has("SO_DOMAIN of a connection", conn, sol, socket.SO_DOMAIN, int(socket.AF_INET6))
			r.sends(conn, "hello")
			r.hears(c.from, 0, "hello")
		}
		// Nobody else can have the port, of either family.
		r.fails("IPv4 too", r.tcp4(r.feige).Bind(":8080"), syscall.EADDRINUSE)
		r.fails("IPv6 too", r.tcp(r.feige).Bind(":8080"), syscall.EADDRINUSE)
	})
}

// RFC 3493, 5.3: "This option restricts AF_INET6 sockets to IPv6 communications
// only."
func TestASocketForIPv6Only(t *testing.T) {
	inBoth(t, func(r *room) {
		l := r.tcp(r.feige)
		r.set(l, v6, socket.IPV6_V6ONLY, 1)
		r.has("IPV6_V6ONLY", l, v6, socket.IPV6_V6ONLY, 1)
		r.ok("bind", l.Bind(":8080"))
		r.ok("listen", l.Listen(5))
		r.fails("set when it is bound", l.SetSockOpt(v6, socket.IPV6_V6ONLY, 0), syscall.EINVAL)
		r.fails("IPv4", r.tcp4(r.nick).Connect("172.16.10.2:8080"), syscall.ECONNREFUSED)
		r.ok("IPv6", r.tcp(r.nick).Connect("[2001:db8:10::2]:8080"))
		four := r.tcp4(r.feige) // the other family's port is free
		r.ok("bind", four.Bind(":8080"))

		only := r.tcp(r.nick)
		r.set(only, v6, socket.IPV6_V6ONLY, 1)
		r.fails("connect to IPv4", only.Connect("[::ffff:172.16.10.2]:8080"), syscall.ENETUNREACH)
		r.fails("bind to IPv4", only.Bind("[::ffff:172.16.10.3]:0"), syscall.EINVAL)
		r.fails("AF_INET has no such option", r.tcp4(r.nick).SetSockOpt(v6, socket.IPV6_V6ONLY, 1), syscall.ENOPROTOOPT)
		u := r.udp(r.nick)
		r.set(u, v6, socket.IPV6_V6ONLY, 1)
		_, err := u.SendTo([]byte("x"), "[::ffff:172.16.10.2]:9")
		r.fails("sendto IPv4", err, syscall.ENETUNREACH)
	})
}

func TestAnAddressOfTheOtherFamily(t *testing.T) {
	inBoth(t, func(r *room) {
		r.fails("from AF_INET to IPv6", r.tcp4(r.nick).Connect("[2001:db8:10::2]:8080"), syscall.EAFNOSUPPORT)
		r.ok("a mapped one is IPv4's", r.udp(r.nick).Connect("[::ffff:172.16.10.2]:8080"))
		bound := r.tcp(r.nick)
		r.ok("bind", bound.Bind("[2001:db8:10::3]:0"))
		r.fails("from IPv6 to IPv4", bound.Connect("[::ffff:172.16.10.2]:8080"), syscall.ENETUNREACH)
	})
}

// Datagrams of both families arrive at one socket, which answers each.
func TestDatagramsOfBothFamilies(t *testing.T) {
	inBoth(t, func(r *room) {
		s := r.udp(r.feige)
		r.ok("bind", s.Bind(":9"))
		for _, c := range []struct{ to, from string }{
			{"[::ffff:172.16.10.2]:9", "::ffff:172.16.10.3"}, {"[2001:db8:10::2]:9", "2001:db8:10::3"},
		} {
			u := r.udp(r.nick)
			_, err := u.SendTo([]byte("ping"), c.to)
			r.ok("sendto", err)
			_, from, err := s.RecvFrom(100)
			r.ok("recvfrom", err)
			r.equal("from", hostOf(from), c.from)
			_, err = s.SendTo([]byte("pong"), from)
			r.ok("sendto", err)
			data, from, err := u.RecvFrom(100)
			r.ok("recvfrom", err)
			r.equal("the answer", string(data)+" from "+from, "pong from "+c.to)
		}
	})
}

// control finds a control message's data.
func control(b []byte, kind int) []byte {
	for len(b) >= 16 {
		n := int(binary.NativeEndian.Uint64(b))
		if int(binary.NativeEndian.Uint32(b[8:])) == v6 && int(binary.NativeEndian.Uint32(b[12:])) == kind {
			return b[16:n]
		}
		b = b[min(len(b), (n+7)&^7):]
	}
	return nil
}

// RFC 3542, 6: what is told of a datagram's header.
func TestWhatIsToldOfADatagram(t *testing.T) {
	inRoomOver(t, overIPv6, func(r *room) {
		s, u := r.udp(r.feige), r.udp(r.nick)
		r.ok("bind", s.Bind(":9"))
		for _, name := range []int{socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS} {
			r.set(s, v6, name, 1)
		}
		r.set(u, v6, socket.IPV6_UNICAST_HOPS, 7)
		r.set(u, v6, socket.IPV6_TCLASS, 0x28)
		_, err := u.SendTo([]byte("hello"), "feige:9")
		r.ok("sendto", err)
		m := socket.Message{Buffers: [][]byte{make([]byte, 10)}, Control: make([]byte, 200)}
		_, err = s.RecvMsg(&m, 0)
		r.ok("recvmsg", err)
		info := control(m.Control, socket.IPV6_PKTINFO)
		if len(info) != 20 || netip.AddrFrom16([16]byte(info)) != r.feige.Addr() || info[16] != 1 {
			r.Errorf("IPV6_PKTINFO: % x, want %v and the interface 1", info, r.feige.Addr())
		}
		r.equal("IPV6_HOPLIMIT", control(m.Control, socket.IPV6_HOPLIMIT), []byte{7, 0, 0, 0})
		r.equal("IPV6_TCLASS", control(m.Control, socket.IPV6_TCLASS), []byte{0x28, 0, 0, 0})
		for _, x := range []struct{ name, value int }{
			{socket.IPV6_UNICAST_HOPS, 256},
			{socket.IPV6_UNICAST_HOPS, 0},
			{socket.IPV6_UNICAST_HOPS, -2},
			{socket.IPV6_TCLASS, 256},
			{socket.IPV6_TCLASS, -2},
		} {
			r.fails("out of range", u.SetSockOpt(v6, x.name, x.value), syscall.EINVAL)
		}
		r.set(u, v6, socket.IPV6_UNICAST_HOPS, -1)
		r.has("the machine's own", u, v6, socket.IPV6_UNICAST_HOPS, 64)
		r.set(u, v6, socket.IPV6_DONTFRAG, 1)
		_, err = u.SendTo(make([]byte, 1453), "feige:9")
		r.fails("a datagram that is too long", err, syscall.EMSGSIZE)
	})
}

// A link-local address says by its zone which link it is on (RFC 4007, 11).
func TestLinkLocalAddressesHaveZones(t *testing.T) {
	inRoomOver(t, overIPv6, func(r *room) {
		l := r.listens(r.feige, "[::]:8080", 5)
		c := r.tcp(r.nick)
		r.ok("connect", c.Connect("[fe80::ff:fe00:1%eth0]:8080"))
		_, from, err := l.Accept()
		r.ok("accept", err)
		r.equal("from", hostOf(from), "fe80::ff:fe00:2%eth0")
		name, err := c.GetSockName()
		r.ok("getsockname", err)
		r.equal("getsockname", hostOf(name), "fe80::ff:fe00:2%eth0")
		r.fails("no such link", r.tcp(r.nick).Connect("[fe80::ff:fe00:1%eth7]:8080"), syscall.EINVAL)
		own := r.tcp(r.nick) // a machine reaches itself by its own one too
		r.listens(r.nick, "[fe80::ff:fe00:2%eth0]:7", 1)
		r.ok("connect", own.Connect("[fe80::ff:fe00:2%eth0]:7"))
	})
}

// bindv6only: sockets of AF_INET6 begin with IPV6_V6ONLY, unless they ask for the
// other.
func TestSocketsMayBeginWithIPv6Only(t *testing.T) {
	inRoomOver(t, overIPv6, func(r *room) {
		before := r.tcp(r.nick)
		r.ok("sysctl", r.nick.SetSysctl("net.ipv6.bindv6only", "1"))
		for what, s := range map[string]*socket.Socket{"TCP": r.tcp(r.nick), "UDP": r.udp(r.nick)} {
			r.has(what, s, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
			r.set(s, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
			r.has(what+" that asks", s, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		}
		r.has("a socket from before", before, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
	})
}
