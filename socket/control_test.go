package socket_test

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hubbub/socket"
)

// controlMessage is a struct cmsghdr and its data.
func controlMessage(level, kind int, data []byte) []byte {
	le := binary.NativeEndian
	b := le.AppendUint64(nil, uint64(16+len(data)))
	b = le.AppendUint32(le.AppendUint32(b, uint32(level)), uint32(kind))
	b = append(b, data...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

func native(n int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }

// packetInfo is C's struct in_pktinfo or in6_pktinfo, with the control message's
// level and kind.
func (r *room) packetInfo(addr string, index int) (level, kind int, b []byte) {
	a := netip.MustParseAddr(r.at(addr))
	if r.way == overIPv4 {
		return ip, socket.IP_PKTINFO, append(append(native(index), a.AsSlice()...), 0, 0, 0, 0)
	}
	b16 := a.As16()
	return v6, socket.IPV6_PKTINFO, append(b16[:], native(index)...)
}

func (r *room) info(addr string, index int) []byte {
	return controlMessage(r.packetInfo(addr, index))
}

// hops and class are the control messages for the TTL and the type of service.
func (r *room) hops(n int) []byte {
	if r.way == overIPv4 {
		return controlMessage(ip, socket.IP_TTL, native(n))
	}
	return controlMessage(v6, socket.IPV6_HOPLIMIT, native(n))
}

func (r *room) class(n int) []byte {
	if r.way == overIPv4 {
		return controlMessage(ip, socket.IP_TOS, native(n))
	}
	return controlMessage(v6, socket.IPV6_TCLASS, native(n))
}

// RFC 3542, 6 and ip(7): a datagram may say from which address it comes, by which
// interface it leaves, with which hop limit and traffic class.
func TestWhatASenderSaysOfADatagram(t *testing.T) {
	inRoom(t, func(r *room) {
		s, u := r.udp(r.feige), r.udp(r.nick)
		r.ok("bind", s.Bind(":9"))
		hopsKind, classKind, level := socket.IPV6_HOPLIMIT, socket.IPV6_TCLASS, v6
		if r.way != overIPv6 {
			r.set(s, ip, socket.IP_RECVTTL, 1)
			r.set(s, ip, socket.IP_RECVTOS, 1)
		}
		if r.way != overIPv4 {
			r.set(s, v6, socket.IPV6_RECVHOPLIMIT, 1)
			r.set(s, v6, socket.IPV6_RECVTCLASS, 1)
		} else {
			hopsKind, classKind, level = socket.IP_TTL, socket.IP_TOS, ip
		}
		to := netip.MustParseAddrPort(r.at("172.16.10.2:9"))
		send := func(control ...[]byte) error {
			m := socket.Message{Buffers: [][]byte{[]byte("x")}, Addr: to}
			for _, c := range control {
				m.Control = append(m.Control, c...)
			}
			_, err := u.SendMsg(&m, 0)
			return err
		}
		heard := func(what, from string, hops, class byte) {
			r.Helper()
			m := socket.Message{Buffers: buffers(10), Control: make([]byte, 200)}
			_, err := s.RecvMsg(&m, 0)
			r.ok("recvmsg", err)
			r.equal(what+": from", m.Addr.Addr(), r.at(from))
			want := append(controlMessage(level, hopsKind, native(int(hops))), controlMessage(level, classKind, native(int(class)))...)
			if level == ip {
				want = append(want[:24], controlMessage(ip, socket.IP_TOS, []byte{class})...)
			}
			if got := hex.EncodeToString(m.Control); len(got) < 2*len(want) || got[:2*len(want)] != hex.EncodeToString(want) {
				r.Errorf("%s: % x, want % x", what, m.Control, want)
			}
		}
		r.ok("nothing", send())
		heard("nothing", "172.16.10.3", 64, 0)
		r.ok("hop limit and class", send(r.hops(7), r.class(0x28)))
		heard("hop limit and class", "172.16.10.3", 7, 0x28)
		r.ok("its address and interface", send(r.info("172.16.10.3", 1), r.hops(9)))
		heard("its address and interface", "172.16.10.3", 9, 0)
		r.ok("any address", send(r.info("0.0.0.0", 1)))
		heard("any address", "172.16.10.3", 64, 0)
		r.ok("of another level", send(controlMessage(socket.SOL_SOCKET, 1, native(1))))
		heard("of another level", "172.16.10.3", 64, 0)
		for what, x := range map[string]struct {
			control []byte
			want    syscall.Errno
		}{
			"somebody else's address": {r.info("172.16.10.2", 0), syscall.EINVAL},
			"no such interface":       {r.info("0.0.0.0", 7), syscall.ENODEV},
			"a hop limit of 256":      {r.hops(256), syscall.EINVAL},
			"a class of 256":          {r.class(256), syscall.EINVAL},
			"an unknown one":          {controlMessage(level, 999, native(1)), syscall.EINVAL},
			"one that is too short":   {controlMessage(level, hopsKind, []byte{1}), syscall.EINVAL},
		} {
			r.fails(what, send(x.control), x.want)
		}
	})
}

// RFC 3542, 6.7: "otherwise, if an interface is specified in an IPV6_PKTINFO sticky
// option, the interface is used."
func TestWhatASenderSaysOfAllDatagrams(t *testing.T) {
	inRoomOver(t, overIPv6, func(r *room) {
		s, u := r.udp(r.feige), r.udp(r.nick)
		r.ok("bind", s.Bind(":9"))
		link := netip.MustParseAddr("fe80::ff:fe00:2").As16()
		r.ok("set", u.SetSockOptBytes(v6, socket.IPV6_PKTINFO, append(link[:], native(1)...)))
		from := func() string {
			_, err := u.SendTo([]byte("x"), "[fe80::ff:fe00:1%eth0]:9")
			r.ok("sendto", err)
			_, from, err := s.RecvFrom(10)
			r.ok("recvfrom", err)
			return hostOf(from)
		}
		r.equal("from", from(), "fe80::ff:fe00:2%eth0")
		_, err := u.SendTo([]byte("x"), "feige:9")
		r.ok("sendto", err)
		_, origin, _ := s.RecvFrom(10)
		r.equal("to a global address", hostOf(origin), "fe80::ff:fe00:2%eth0")
		r.ok("take it back", u.SetSockOptBytes(v6, socket.IPV6_PKTINFO, make([]byte, 20)))
		_, err = u.SendTo([]byte("x"), "feige:9")
		r.ok("sendto", err)
		_, origin, _ = s.RecvFrom(10)
		r.equal("as ever", hostOf(origin), r.at("172.16.10.3"))
		r.fails("too short", u.SetSockOptBytes(v6, socket.IPV6_PKTINFO, make([]byte, 19)), syscall.EINVAL)
		r.fails("a stream", r.tcp(r.nick).SetSockOptBytes(v6, socket.IPV6_PKTINFO, make([]byte, 20)), syscall.ENOPROTOOPT)
	})
}

// storage is C's struct sockaddr_storage.
func storage(addr netip.Addr) []byte {
	b := make([]byte, 128)
	if addr.Is4() {
		binary.NativeEndian.PutUint16(b, uint16(socket.AF_INET))
		copy(b[4:], addr.AsSlice())
	} else {
		binary.NativeEndian.PutUint16(b, uint16(socket.AF_INET6))
		copy(b[8:], addr.AsSlice())
	}
	return b
}

// groupRequest is struct group_req, or with a source group_source_req.
func (g *groupCase) anyRequest(index int, sources ...netip.Addr) []byte {
	b := append(native(index), 0, 0, 0, 0)
	b = append(b, storage(g.group)...)
	for _, s := range sources {
		b = append(b, storage(s)...)
	}
	return b
}

// RFC 3678, 5.1: groups are joined, and their sources chosen, by the same options
// over both families.
func TestGroupsOfAnyFamily(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		r := g.r
		member, nick, tom := g.listener(r.feige), r.udp(r.nick), r.udp(r.tom)
		option := func(name int, request []byte) error { return member.SetSockOptBytes(g.level, name, request) }
		r.ok("join", option(socket.MCAST_JOIN_GROUP, g.anyRequest(1)))
		g.sends(nick, "one")
		r.hears(member, 0, "one")
		r.ok("block", option(socket.MCAST_BLOCK_SOURCE, g.anyRequest(1, r.nick.Addr())))
		g.sends(nick, "two")
		g.sends(tom, "three")
		r.hears(member, 0, "three")
		r.ok("unblock", option(socket.MCAST_UNBLOCK_SOURCE, g.anyRequest(0, r.nick.Addr())))
		g.sends(nick, "four")
		r.hears(member, 0, "four")
		r.ok("leave", option(socket.MCAST_LEAVE_GROUP, g.anyRequest(0)))
		g.sends(nick, "five")
		g.hearsNothing(member)
		r.ok("join for tom", option(socket.MCAST_JOIN_SOURCE_GROUP, g.anyRequest(1, r.tom.Addr())))
		g.sends(nick, "six")
		g.sends(tom, "seven")
		r.hears(member, 0, "seven")
		r.ok("leave", option(socket.MCAST_LEAVE_SOURCE_GROUP, g.anyRequest(1, r.tom.Addr())))
		g.sends(tom, "eight")
		g.hearsNothing(member)
		r.fails("too short", option(socket.MCAST_JOIN_GROUP, g.anyRequest(1)[:135]), syscall.EINVAL)
		r.fails("without a source", option(socket.MCAST_JOIN_SOURCE_GROUP, g.anyRequest(1)), syscall.EINVAL)
		r.fails("no such interface", option(socket.MCAST_JOIN_GROUP, g.anyRequest(9)), syscall.ENODEV)
		g.group = netip.MustParseAddr("ff0e::77")
		if g.level == v6 {
			g.group = netip.MustParseAddr("239.1.1.1")
		}
		r.fails("of the other family", option(socket.MCAST_JOIN_GROUP, g.anyRequest(1)), syscall.EINVAL)
	})
}

// A raw socket joins groups as one of datagrams does, and hears what is sent there.
func TestRawSocketsJoinGroups(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		r := g.r
		protocol := socket.IPPROTO_ICMP
		if g.level == v6 {
			protocol = socket.IPPROTO_ICMPV6
		}
		raw := func(h interface {
			SocketOf(socket.Family, socket.Type, int) (*socket.Socket, error)
		},
		) *socket.Socket {
			s, err := h.SocketOf(r.way.family, socket.SOCK_RAW, protocol)
			r.ok("socket", err)
			s.SetBlocking(false)
			return s
		}
		member, sender := raw(r.feige), raw(r.nick)
		echo := []byte{200, 0, 0, 0, 1, 2, 3, 4}
		sends := func() {
			_, err := sender.SendTo(echo, g.group.String())
			r.ok("sendto", err)
			r.sleep(time.Second)
		}
		heard := func() bool {
			for {
				b, err := member.Recv(100, 0)
				if err != nil {
					return false
				}
				if len(b) >= 8 && b[len(b)-8] == 200 {
					return true
				}
			}
		}
		sends()
		if heard() {
			r.Error("it hears a group that it hasn't joined")
		}
		g.joins(member)
		sends()
		if !heard() {
			r.Error("it doesn't hear the group that it has joined")
		}
		r.ok("close", member.Close())
		member = raw(r.feige)
		sends()
		if heard() {
			r.Error("the group is still joined after its socket was closed")
		}
	})
}
