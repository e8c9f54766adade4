package socket

import (
	"math"
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
)

// ipOptions are those of level IPPROTO_IP (ip(7)).
var ipOptions = map[int]option{
	IP_TOS: {name: "IP_TOS", get: (*Socket).tos, set: (*Socket).setTOS},
	IP_TTL: {name: "IP_TTL", get: (*Socket).ttl, set: (*Socket).setTTL},
	IP_MTU: {name: "IP_MTU", get: (*Socket).pathMTU, set: nil},
	IP_MTU_DISCOVER: {
		name: "IP_MTU_DISCOVER", get: (*Socket).mtuDiscovery, set: (*Socket).setMTUDiscovery,
	},
	IP_RECVTOS: told("IP_RECVTOS", func(m *more) *bool { return &m.tellTOS }),
	IP_RECVTTL: told("IP_RECVTTL", func(m *more) *bool { return &m.tellTTL }),
	IP_PKTINFO: told("IP_PKTINFO", func(m *more) *bool { return &m.tellTo }),
	// There are no options of IP in what a socket sends.
	IP_OPTIONS: {
		name: "IP_OPTIONS", kind: blob,
		read:  func(*Socket, clock.Time) ([]byte, error) { return nil, nil },
		write: func(_ *Socket, _ clock.Time, v []byte) error { return refuseIf(len(v) > 0) },
	},
	IP_RECVERR:               remembered("IP_RECVERR", flag, place{IPPROTO_IP, IP_RECVERR}, 0, 0, 1),
	IP_FREEBIND:              remembered("IP_FREEBIND", flag, place{IPPROTO_IP, IP_FREEBIND}, 0, 0, 1),
	IP_MINTTL:                remembered("IP_MINTTL", number, place{IPPROTO_IP, IP_MINTTL}, 0, 0, 0),
	IP_BIND_ADDRESS_NO_PORT:  remembered("IP_BIND_ADDRESS_NO_PORT", flag, place{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}, 0, 0, 1),
	IP_MULTICAST_TTL:         applied(remembered("IP_MULTICAST_TTL", number, place{IPPROTO_IP, IP_MULTICAST_TTL}, 1, 0, math.MaxUint8), setGroupTTL),
	IP_MULTICAST_LOOP:        applied(remembered("IP_MULTICAST_LOOP", flag, place{IPPROTO_IP, IP_MULTICAST_LOOP}, 1, 0, 1), setGroupLoop),
	IP_MULTICAST_ALL:         applied(remembered("IP_MULTICAST_ALL", flag, place{IPPROTO_IP, IP_MULTICAST_ALL}, 1, 0, 1), setGroupAll),
	IP_MULTICAST_IF:          {name: "IP_MULTICAST_IF", kind: blob, write: (*Socket).setGroupInterface},
	IP_ADD_MEMBERSHIP:        membership("IP_ADD_MEMBERSHIP", true),
	IP_DROP_MEMBERSHIP:       membership("IP_DROP_MEMBERSHIP", false),
	IP_ADD_SOURCE:            sourceFilter("IP_ADD_SOURCE_MEMBERSHIP", stack.AddSource),
	IP_DROP_SOURCE:           sourceFilter("IP_DROP_SOURCE_MEMBERSHIP", stack.DropSource),
	IP_BLOCK_SOURCE:          sourceFilter("IP_BLOCK_SOURCE", stack.Block),
	IP_UNBLOCK_SOURCE:        sourceFilter("IP_UNBLOCK_SOURCE", stack.Unblock),
	MCAST_JOIN_GROUP:         anyMembership("MCAST_JOIN_GROUP", true),
	MCAST_LEAVE_GROUP:        anyMembership("MCAST_LEAVE_GROUP", false),
	MCAST_JOIN_SOURCE_GROUP:  anySource("MCAST_JOIN_SOURCE_GROUP", stack.AddSource),
	MCAST_LEAVE_SOURCE_GROUP: anySource("MCAST_LEAVE_SOURCE_GROUP", stack.DropSource),
	MCAST_BLOCK_SOURCE:       anySource("MCAST_BLOCK_SOURCE", stack.Block),
	MCAST_UNBLOCK_SOURCE:     anySource("MCAST_UNBLOCK_SOURCE", stack.Unblock),
}

func refuseIf(bad bool) error {
	if bad {
		return syscall.EINVAL
	}
	return nil
}

// told returns a switch for something that RecvMsg tells.
func told(name string, which func(*more) *bool) option {
	return option{
		name: name, kind: flag,
		get: func(s *Socket, _ clock.Time) (int, error) { return toInt(*which(s.more())), nil },
		set: func(s *Socket, _ clock.Time, v int) error {
			*which(s.change()) = v != 0
			return nil
		},
	}
}

// header returns the TTL and the type of service of what the endpoint sends.
func (s *Socket) header() (ttl, tos uint8) {
	switch {
	case s.tcp != nil:
		o := s.tcp.Settings().Options
		return o.TTL, o.TOS
	case s.other.udp != nil:
		return s.other.udp.Options.TTL, s.other.udp.Options.TOS
	}
	return s.other.raw.Options.TTL, s.other.raw.Options.TOS
}

func (s *Socket) setHeader(ttl, tos uint8) {
	switch {
	case s.tcp != nil:
		s.tcp.Set(func(set *stack.Settings) { set.Options.TTL, set.Options.TOS = ttl, tos })
	case s.other.udp != nil:
		s.other.udp.Options.TTL, s.other.udp.Options.TOS = ttl, tos
	default:
		s.other.raw.Options.TTL, s.other.raw.Options.TOS = ttl, tos
	}
}

func (s *Socket) ttl(clock.Time) (int, error) {
	ttl, _ := s.header()
	return int(orDefault(ttl, s.host.stack.Config().TTL)), nil
}

func (s *Socket) setTTL(_ clock.Time, v int) error {
	if v == -1 {
		v = 0 // the machine's default
	} else if v < 1 || v > 255 {
		return syscall.EINVAL
	}
	_, tos := s.header()
	s.setHeader(uint8(v), tos)
	return nil
}

func (s *Socket) tos(clock.Time) (int, error) {
	_, tos := s.header()
	return int(tos), nil
}

// setTOS sets the type of service. Its two bits of congestion notification
// are TCP's own.
func (s *Socket) setTOS(_ clock.Time, v int) error {
	const ecn = 3
	if s.tcp != nil {
		v &^= ecn
	}
	ttl, _ := s.header()
	s.setHeader(ttl, uint8(v))
	return nil
}

// mtuDiscovery says what becomes of packets that are longer than the path
// takes. TCP finds the path MTU unless told not to.
func (s *Socket) mtuDiscovery(clock.Time) (int, error) {
	switch {
	case s.tcp != nil && s.tcp.Settings().Options.MayFragment:
		return IP_PMTUDISC_DONT, nil
	case s.tcp != nil:
		return s.more().discovery(IP_PMTUDISC_WANT), nil
	case s.other.udp != nil && s.other.udp.Options.DontFragment:
		return s.more().discovery(IP_PMTUDISC_DO), nil
	}
	return s.more().discovery(IP_PMTUDISC_DONT), nil
}

// discovery returns what IP_MTU_DISCOVER was set to.
func (m *more) discovery(otherwise int) int {
	if v, ok := m.kept[place{IPPROTO_IP, IP_MTU_DISCOVER}]; ok {
		return v
	}
	return otherwise
}

func (s *Socket) setMTUDiscovery(_ clock.Time, v int) error {
	if v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT {
		return syscall.EINVAL
	}
	switch {
	case s.tcp != nil:
		s.tcp.Set(func(set *stack.Settings) {
			set.Options.MayFragment = v == IP_PMTUDISC_DONT || v >= IP_PMTUDISC_INTERFACE
		})
	case s.other.udp != nil:
		s.other.udp.Options.DontFragment = v == IP_PMTUDISC_DO || v == IP_PMTUDISC_PROBE
	}
	return s.keep(place{IPPROTO_IP, IP_MTU_DISCOVER}, v)
}

// pathMTU returns the path MTU to the peer of a connected socket.
func (s *Socket) pathMTU(now clock.Time) (int, error) {
	remote := s.remote().Addr().Unmap()
	if !remote.IsValid() {
		return 0, syscall.ENOTCONN
	}
	const longest = 65535 // of IPv4
	mtu, err := s.host.stack.PathMTU(now, remote)
	if remote.Is4() {
		mtu = min(mtu, longest)
	}
	return mtu, err
}
