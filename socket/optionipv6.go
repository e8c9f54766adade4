package socket

import (
	"math"
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
)

// ipv6Options are those of level IPPROTO_IPV6 (ipv6(7)), which sockets of
// AF_INET6 have. Hop limit and traffic class are IPv4's time to live and type of
// service by another name, and kept in the same place.
var ipv6Options = map[int]option{
	IPV6_UNICAST_HOPS: {name: "IPV6_UNICAST_HOPS", get: (*Socket).ttl, set: (*Socket).setHops},
	IPV6_TCLASS:       {name: "IPV6_TCLASS", get: (*Socket).tos, set: (*Socket).setClass},
	IPV6_MTU:          {name: "IPV6_MTU", get: (*Socket).pathMTU},
	IPV6_MTU_DISCOVER: {name: "IPV6_MTU_DISCOVER", get: (*Socket).mtuDiscovery, set: (*Socket).setMTUDiscovery},
	IPV6_DONTFRAG:     {name: "IPV6_DONTFRAG", kind: flag, get: (*Socket).staysWhole, set: (*Socket).setStaysWhole},
	IPV6_V6ONLY: {name: "IPV6_V6ONLY", kind: flag, get: func(s *Socket, _ clock.Time) (int, error) {
		return toInt(s.v6Only()), nil
	}, set: (*Socket).setV6Only},
	IPV6_PKTINFO:      {name: "IPV6_PKTINFO", kind: blob, write: (*Socket).setPacketInfo},
	IPV6_RECVPKTINFO:  told("IPV6_RECVPKTINFO", func(m *more) *bool { return &m.tellTo6 }),
	IPV6_RECVHOPLIMIT: told("IPV6_RECVHOPLIMIT", func(m *more) *bool { return &m.tellHops }),
	IPV6_RECVTCLASS:   told("IPV6_RECVTCLASS", func(m *more) *bool { return &m.tellClass }),

	IPV6_RECVERR:        remembered("IPV6_RECVERR", flag, place{IPPROTO_IPV6, IPV6_RECVERR}, 0, 0, 1),
	IPV6_AUTOFLOWLABEL:  remembered("IPV6_AUTOFLOWLABEL", flag, place{IPPROTO_IPV6, IPV6_AUTOFLOWLABEL}, 1, 0, 1),
	IPV6_FREEBIND:       remembered("IPV6_FREEBIND", flag, place{IPPROTO_IPV6, IPV6_FREEBIND}, 0, 0, 1),
	IPV6_MULTICAST_HOPS: applied(remembered("IPV6_MULTICAST_HOPS", number, place{IPPROTO_IPV6, IPV6_MULTICAST_HOPS}, 1, -1, math.MaxUint8), setGroupTTL),
	IPV6_MULTICAST_LOOP: applied(remembered("IPV6_MULTICAST_LOOP", flag, place{IPPROTO_IPV6, IPV6_MULTICAST_LOOP}, 1, 0, 1), setGroupLoop),
	IPV6_MULTICAST_ALL:  applied(remembered("IPV6_MULTICAST_ALL", flag, place{IPPROTO_IPV6, IPV6_MULTICAST_ALL}, 1, 0, 1), setGroupAll),
	IPV6_MULTICAST_IF: {name: "IPV6_MULTICAST_IF", get: func(s *Socket, _ clock.Time) (int, error) {
		return s.more().kept[place{IPPROTO_IPV6, IPV6_MULTICAST_IF}], nil
	}, set: (*Socket).setGroupInterface6},
	IPV6_JOIN_GROUP:          membership6("IPV6_JOIN_GROUP", true),
	IPV6_LEAVE_GROUP:         membership6("IPV6_LEAVE_GROUP", false),
	MCAST_JOIN_GROUP:         anyMembership("MCAST_JOIN_GROUP", true),
	MCAST_LEAVE_GROUP:        anyMembership("MCAST_LEAVE_GROUP", false),
	MCAST_JOIN_SOURCE_GROUP:  anySource("MCAST_JOIN_SOURCE_GROUP", stack.AddSource),
	MCAST_LEAVE_SOURCE_GROUP: anySource("MCAST_LEAVE_SOURCE_GROUP", stack.DropSource),
	MCAST_BLOCK_SOURCE:       anySource("MCAST_BLOCK_SOURCE", stack.Block),
	MCAST_UNBLOCK_SOURCE:     anySource("MCAST_UNBLOCK_SOURCE", stack.Unblock),
}

// setHops sets the hop limit of what is sent: 0 to 255, or -1 for the machine's
// own (RFC 3493, 5.1).
func (s *Socket) setHops(now clock.Time, v int) error {
	if v == 0 {
		return syscall.EINVAL // it would leave no machine
	}
	return s.setTTL(now, v)
}

// setClass sets the traffic class: 0 to 255, or -1 for 0 (RFC 3542, 6.5).
func (s *Socket) setClass(now clock.Time, v int) error {
	if v < -1 || v > math.MaxUint8 {
		return syscall.EINVAL
	}
	return s.setTOS(now, max(v, 0))
}

// setV6Only: "This option [...] MUST be set before the socket is bound": EINVAL
// afterwards, as on Linux (RFC 3493, 5.3).
func (s *Socket) setV6Only(_ clock.Time, v int) error {
	if s.local().IsValid() {
		return syscall.EINVAL
	}
	switch {
	case s.tcp != nil:
		s.tcp.Set(func(set *stack.Settings) { set.Options.V6Only = v != 0 })
	case s.other.udp != nil:
		s.other.udp.Options.V6Only = v != 0
	}
	return nil
}

func (s *Socket) staysWhole(clock.Time) (int, error) {
	return toInt(s.other.udp != nil && s.other.udp.Options.DontFragment), nil
}

// setStaysWhole keeps datagrams from being cut into fragments: those that are
// too long for the path are refused (RFC 3542, 11.2).
func (s *Socket) setStaysWhole(_ clock.Time, v int) error {
	if s.other.udp != nil {
		s.other.udp.Options.DontFragment = v != 0
	}
	return nil
}
