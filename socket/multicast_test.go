package socket_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

// A groupCase is what the tests of groups need of a family.
type groupCase struct {
	r           *room
	group       netip.Addr
	level       int
	join, leave int
}

// inGroupRoom runs a test over IPv4 and IPv6. Mapped addresses have no groups.
func inGroupRoom(t *testing.T, body func(g *groupCase)) {
	t.Helper()
	inRoomOver(t, overIPv4, func(r *room) {
		body(&groupCase{r, netip.MustParseAddr("239.1.2.3"), socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP})
	})
	inRoomOver(t, overIPv6, func(r *room) {
		body(&groupCase{r, netip.MustParseAddr("ff0e::1234"), socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP})
	})
}

// request is C's struct ip_mreqn, or ipv6_mreq.
func (g *groupCase) request(index uint32) []byte {
	b := g.group.AsSlice()
	if g.group.Is4() {
		b = append(b, 0, 0, 0, 0)
	}
	return binary.NativeEndian.AppendUint32(b, index)
}

// listener is a socket of a host that waits at port 5000, without having joined
// anything.
func (g *groupCase) listener(h *hubbub.Host) *socket.Socket {
	s := g.r.udp(h)
	g.r.set(s, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	g.r.ok("bind", s.Bind(":5000"))
	s.SetBlocking(false)
	return s
}

func (g *groupCase) joins(s *socket.Socket) {
	g.r.Helper()
	g.r.ok("join", s.SetSockOptBytes(g.level, g.join, g.request(0)))
}

func (g *groupCase) sends(s *socket.Socket, text string) {
	g.r.Helper()
	_, err := s.SendTo([]byte(text), netip.AddrPortFrom(g.group, 5000).String())
	g.r.ok("sendto", err)
	g.r.sleep(time.Second)
}

func (g *groupCase) hearsNothing(s *socket.Socket) {
	g.r.Helper()
	if got, err := s.Recv(100, 0); !errors.Is(err, syscall.EAGAIN) {
		g.r.Errorf("recv: %q, %v; want nothing", got, err)
	}
}

// RFC 1112, 7.1: JoinHostGroup and LeaveHostGroup; RFC 3493, 5.2:
// IPV6_JOIN_GROUP and IPV6_LEAVE_GROUP. A host hears a group's datagrams while
// it is in the group.
func TestAGroupIsJoinedAndLeft(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		member, other, sender := g.listener(g.r.feige), g.listener(g.r.tom), g.r.udp(g.r.nick)
		g.sends(sender, "nobody")
		g.joins(member)
		g.sends(sender, "hello")
		g.r.hears(member, 0, "hello")
		g.hearsNothing(member)
		g.hearsNothing(other)
		g.r.fails("join again", member.SetSockOptBytes(g.level, g.join, g.request(1)), syscall.EADDRINUSE)
		g.r.ok("leave", member.SetSockOptBytes(g.level, g.leave, g.request(1)))
		g.r.fails("leave again", member.SetSockOptBytes(g.level, g.leave, g.request(0)), syscall.EADDRNOTAVAIL)
		g.sends(sender, "anybody?")
		g.hearsNothing(member)
		g.r.fails("no such interface", member.SetSockOptBytes(g.level, g.join, g.request(99)), syscall.ENODEV)
		g.r.fails("too short", member.SetSockOptBytes(g.level, g.join, g.group.AsSlice()), syscall.EINVAL)
		g.r.fails("a stream", g.r.tcp(g.r.nick).SetSockOptBytes(g.level, g.join, g.request(0)), syscall.ENOPROTOOPT)
		g.group = netip.MustParseAddr(g.r.at("172.16.10.2"))
		g.r.fails("no group", member.SetSockOptBytes(g.level, g.join, g.request(0)), syscall.EINVAL)
	})
}

// A socket that has joined nothing hears what others on its host have joined,
// unless it asks not to (ip(7), IP_MULTICAST_ALL). What was joined ends with the
// socket.
func TestTheGroupsOfOthersAreHeard(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		member, beside, sender := g.listener(g.r.feige), g.listener(g.r.feige), g.r.udp(g.r.nick)
		g.joins(member)
		g.sends(sender, "one")
		g.r.hears(member, 0, "one")
		g.r.hears(beside, 0, "one")
		all := socket.IP_MULTICAST_ALL
		if g.level == socket.IPPROTO_IPV6 {
			all = socket.IPV6_MULTICAST_ALL
		}
		g.r.set(beside, g.level, all, 0)
		g.sends(sender, "two")
		g.r.hears(member, 0, "two")
		g.hearsNothing(beside)
		g.r.set(beside, g.level, all, 1)
		g.r.ok("close", member.Close())
		g.sends(sender, "three")
		g.hearsNothing(beside)
	})
}

// The sender hears itself if it has joined, unless it asks not to
// (IP_MULTICAST_LOOP); with a TTL of 0 nobody else does (IP_MULTICAST_TTL).
func TestTheSenderHearsItself(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		member, sender := g.listener(g.r.feige), g.listener(g.r.nick)
		loop, ttl := socket.IP_MULTICAST_LOOP, socket.IP_MULTICAST_TTL
		if g.level == socket.IPPROTO_IPV6 {
			loop, ttl = socket.IPV6_MULTICAST_LOOP, socket.IPV6_MULTICAST_HOPS
		}
		g.joins(member)
		g.joins(sender)
		g.sends(sender, "one")
		g.r.hears(member, 0, "one")
		g.r.hears(sender, 0, "one")
		g.r.set(sender, g.level, loop, 0)
		g.sends(sender, "two")
		g.r.hears(member, 0, "two")
		g.hearsNothing(sender)
		g.r.set(sender, g.level, loop, 1)
		g.r.set(sender, g.level, ttl, 0)
		g.sends(sender, "three")
		g.hearsNothing(member)
		g.r.hears(sender, 0, "three")
	})
}

// RFC 3678, 4.1.1: sources are added to what is heard, or taken from it.
func TestSourcesAreChosen(t *testing.T) {
	inRoomOver(t, overIPv4, func(r *room) {
		g := &groupCase{r, netip.MustParseAddr("239.1.2.3"), socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP}
		member, nick, tom := g.listener(r.feige), r.udp(r.nick), r.udp(r.tom)
		source := func(h *hubbub.Host) []byte {
			addr := h.Addr()
			return append([]byte{239, 1, 2, 3, 0, 0, 0, 0}, addr.AsSlice()...)
		}
		r.ok("add nick", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_ADD_SOURCE, source(r.nick)))
		g.sends(tom, "from tom")
		g.hearsNothing(member)
		g.sends(nick, "from nick")
		r.hears(member, 0, "from nick")
		r.fails("block", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_BLOCK_SOURCE, source(r.nick)), syscall.EINVAL)
		r.ok("drop nick", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_DROP_SOURCE, source(r.nick)))
		g.joins(member)
		r.ok("block nick", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_BLOCK_SOURCE, source(r.nick)))
		g.sends(nick, "from nick")
		g.sends(tom, "from tom")
		r.hears(member, 0, "from tom")
		r.ok("unblock nick", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_UNBLOCK_SOURCE, source(r.nick)))
		g.sends(nick, "from nick")
		r.hears(member, 0, "from nick")
		r.fails("too short", member.SetSockOptBytes(socket.IPPROTO_IP, socket.IP_ADD_SOURCE, make([]byte, 11)), syscall.EINVAL)
	})
}

// IP_MULTICAST_IF and IPV6_MULTICAST_IF name the interface that what is sent to
// groups leaves by.
func TestTheInterfaceForGroups(t *testing.T) {
	inGroupRoom(t, func(g *groupCase) {
		member, sender := g.listener(g.r.feige), g.r.udp(g.r.nick)
		g.joins(member)
		if g.level == socket.IPPROTO_IPV6 {
			g.r.set(sender, g.level, socket.IPV6_MULTICAST_IF, 1)
			g.r.has("the interface", sender, g.level, socket.IPV6_MULTICAST_IF, 1)
			g.r.fails("no such interface", sender.SetSockOpt(g.level, socket.IPV6_MULTICAST_IF, 9), syscall.ENODEV)
		} else {
			addr := g.r.nick.Addr()
			g.r.ok("by its address", sender.SetSockOptBytes(g.level, socket.IP_MULTICAST_IF, addr.AsSlice()))
			g.r.fails("nobody's address", sender.SetSockOptBytes(g.level, socket.IP_MULTICAST_IF, []byte{9, 9, 9, 9}), syscall.EADDRNOTAVAIL)
			g.r.fails("too short", sender.SetSockOptBytes(g.level, socket.IP_MULTICAST_IF, []byte{9}), syscall.EINVAL)
		}
		g.sends(sender, "hello")
		g.r.hears(member, 0, "hello")
		if g.level == socket.IPPROTO_IPV6 {
			g.r.set(sender, g.level, socket.IPV6_MULTICAST_IF, 0)
		} else {
			g.r.ok("any", sender.SetSockOptBytes(g.level, socket.IP_MULTICAST_IF, make([]byte, 12)))
		}
		g.sends(sender, "again")
		g.r.hears(member, 0, "again")
	})
}
