package socket_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"hubbub/socket"
)

// A connected datagram socket hears of ICMP errors (C20; RFC 1122, 4.1.3.3).
func TestDatagramErrors(t *testing.T) {
	inRoom(t, func(r *room) {
		u := r.udp(r.nick)
		r.fails("send to nobody", sendError(u, 0), syscall.EDESTADDRREQ)
		r.fails("listen", u.Listen(1), syscall.EOPNOTSUPP)
		r.fails("accept", acceptError(u), syscall.EOPNOTSUPP)
		_, err := u.GetPeerName()
		r.fails("getpeername", err, syscall.ENOTCONN)
		_, err = u.SendTo(make([]byte, 65508), "feige:9")
		r.fails("too long", err, syscall.EMSGSIZE)
		_, err = u.SendTo([]byte("x"), "feige:0")
		r.fails("port 0", err, syscall.EINVAL)
		_, err = u.SendTo([]byte("x"), r.at("10.9.9.9:9"))
		r.fails("no route", err, syscall.ENETUNREACH)

		r.ok("connect", u.Connect("feige:9"))
		r.sends(u, "x")
		r.fails("the next call", sendError(u, 0), syscall.ECONNREFUSED)
		r.sends(u, "y")
		r.fails("or recv", recvError(u, 0), syscall.ECONNREFUSED)
		r.sends(u, "z")
		r.has("or SO_ERROR", u, sol, socket.SO_ERROR, int(syscall.ECONNREFUSED))
		r.ok("connect elsewhere", u.Connect(r.at("172.16.10.99:9")))
		r.sends(u, "x")
		r.takes("recv", 3*time.Second, func() { r.fails("recv", recvError(u, 0), syscall.EHOSTUNREACH) })
		r.set(u, ip, socket.IP_MTU_DISCOVER, socket.IP_PMTUDISC_DO)
		_, err = u.SendTo(make([]byte, 1473), "feige:9")
		r.fails("longer than the MTU", err, syscall.EMSGSIZE)
	})
}

func TestDatagramShutdown(t *testing.T) {
	inRoom(t, func(r *room) {
		u := r.udp(r.nick)
		r.fails("without a peer", u.Shutdown(socket.SHUT_RD), syscall.ENOTCONN)
		u = r.udp(r.nick)
		r.ok("connect", u.Connect("feige:9"))
		r.start(func() { r.sleep(time.Second); r.ok("shutdown", u.Shutdown(socket.SHUT_RDWR)) })
		r.takes("recv", time.Second, func() { r.hears(u, 0, "") })
		r.fails("send", sendError(u, 0), syscall.EPIPE)
	})
}

// One shout, and the whole room hears (C07): every socket of every host.
func TestBroadcast(t *testing.T) {
	for _, w := range []*way{overIPv4, overMapped} {
		inRoomOver(t, w, broadcasts)
	}
}

func broadcasts(r *room) {
	var hearers []*socket.Socket
	for _, h := range []*socket.Socket{r.udp(r.feige), r.udp(r.feige), r.udp(r.tom), r.udp(r.nick)} {
		r.set(h, sol, socket.SO_REUSEADDR, 1)
		r.ok("bind", h.Bind(":9999"))
		hearers = append(hearers, h)
	}
	for _, to := range []string{r.at("255.255.255.255:9999"), r.at("172.16.10.255:9999")} {
		u := r.udp(r.nick)
		_, err := u.SendTo([]byte("fire!"), to)
		r.fails("without SO_BROADCAST", err, syscall.EACCES)
		r.fails("connect", u.Connect(to), syscall.EACCES)
		r.set(u, sol, socket.SO_BROADCAST, 1)
		_, err = u.SendTo([]byte("fire!"), to)
		r.ok("sendto", err)
		for _, h := range hearers {
			data, from, err := h.RecvFrom(100)
			r.ok("recvfrom", err)
			r.equal("heard", string(data), "fire!")
			r.equal("from", hostOf(from), r.at("172.16.10.3"))
		}
	}
}

// A long datagram crosses the link in pieces (C17).
func TestALongDatagram(t *testing.T) {
	inRoom(t, func(r *room) {
		u, v := r.udp(r.nick), r.udp(r.feige)
		r.ok("bind", v.Bind(":9"))
		long := strings.Repeat("0123456789", 6550)
		n, err := u.SendTo([]byte(long), "feige:9")
		r.ok("sendto", err)
		r.equal("sendto", n, len(long))
		data, _, err := v.RecvFrom(70000)
		r.ok("recvfrom", err)
		if string(data) != long {
			r.Errorf("%d bytes arrive, want the %d that were sent", len(data), len(long))
		}
	})
}

// A raw socket of ICMP: what ping is made of.
func TestRawSocket(t *testing.T) {
	inRoomOver(t, overIPv4, func(r *room) {
		s, err := r.nick.SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
		r.ok("socket", err)
		echo := []byte{8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1}
		_, err = s.SendTo(echo, "feige")
		r.ok("sendto", err)
		packet, from, err := s.RecvFrom(1500)
		r.ok("recvfrom", err)
		r.equal("from", from, r.at("172.16.10.2:0"))
		if len(packet) != 28 || packet[0] != 0x45 || packet[20] != 0 || packet[24] != 0x12 || packet[25] != 0x34 {
			r.Errorf("received % x, want the IPv4 header and the echo reply", packet)
		}
		_, err = s.SendTo(echo, "255.255.255.255")
		r.fails("broadcast", err, syscall.EACCES)
		r.ok("close", s.Close())
	})
}

// A raw socket of ICMPv6 hears messages without the header of IPv6, and leaves
// their checksums to the system (RFC 3542, 3 and 3.1).
func TestRawSocketOfIPv6(t *testing.T) {
	inRoomOver(t, overIPv6, func(r *room) {
		s, err := r.nick.SocketOf(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
		r.ok("socket", err)
		r.set(s, socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
		_, err = s.SendTo([]byte{128, 0, 0, 0, 0x12, 0x34, 0, 1}, "feige")
		r.ok("sendto", err)
		m := socket.Message{Buffers: [][]byte{make([]byte, 100)}, Control: make([]byte, 100)}
		n := 0
		for n == 0 || m.Buffers[0][0] != 129 { // after the neighbour's advertisement
			m.Control = make([]byte, 100)
			n, err = s.RecvMsg(&m, 0)
			r.ok("recvmsg", err)
		}
		r.equal("from", m.Addr, "[2001:db8:10::2]:0")
		if n != 8 || m.Buffers[0][4] != 0x12 || m.Buffers[0][5] != 0x34 {
			r.Errorf("received % x, want the echo reply", m.Buffers[0][:n])
		}
		r.equal("the hop limit", m.Control[16], 64)
		_, err = r.tom.SocketOf(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
		r.fails("without privilege", err, syscall.EACCES)
	})
}
