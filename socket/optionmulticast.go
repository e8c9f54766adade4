package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
)

// membership returns the option by which a datagram or raw socket joins or leaves an
// IPv4 group (ip(7)). Its value is C's struct ip_mreq, the addresses of the group
// and of an interface, or ip_mreqn, which has the interface's number besides.
func membership(name string, join bool) option {
	return option{name: name, kind: blob, write: func(s *Socket, now clock.Time, v []byte) error {
		if len(v) < 8 {
			return syscall.EINVAL
		}
		group := netip.AddrFrom4([4]byte(v))
		return s.changeGroup(now, group, interfaceOf(v[4:]), join)
	}}
}

// membership6 is the same for IPv6: struct ipv6_mreq, the address of the group
// and the interface's number (RFC 3493, 5.2).
func membership6(name string, join bool) option {
	return option{name: name, kind: blob, write: func(s *Socket, now clock.Time, v []byte) error {
		if len(v) < 20 {
			return syscall.EINVAL
		}
		group := netip.AddrFrom16([16]byte(v))
		return s.changeGroup(now, group, wanted{index: int(binary.NativeEndian.Uint32(v[16:]))}, join)
	}}
}

// sourceFilter returns the option that changes from which sources a group is
// heard: struct ip_mreq_source, the addresses of the group, an interface and the
// source (RFC 3678, 4.1.1).
func sourceFilter(name string, op stack.SourceOp) option {
	return option{name: name, kind: blob, write: func(s *Socket, now clock.Time, v []byte) error {
		if len(v) < 12 {
			return syscall.EINVAL
		}
		group, source := netip.AddrFrom4([4]byte(v)), netip.AddrFrom4([4]byte(v[8:]))
		return s.withGroup(group, interfaceOf(v[4:8]), func(i *stack.Interface) error {
			return s.groups().ChangeSource(now, i, group, op, source)
		})
	}}
}

// wanted is the interface that a program names, by its number or an address.
type wanted struct {
	index int
	addr  netip.Addr
}

// interfaceOf reads the end of a struct ip_mreq or ip_mreqn.
func interfaceOf(v []byte) wanted {
	w := wanted{addr: netip.AddrFrom4([4]byte(v))}
	if len(v) >= 8 {
		w.index = int(int32(binary.NativeEndian.Uint32(v[4:])))
	}
	return w
}

func (s *Socket) changeGroup(now clock.Time, group netip.Addr, w wanted, join bool) error {
	return s.withGroup(group, w, func(i *stack.Interface) error {
		if join {
			return s.groups().JoinGroup(now, i, group)
		}
		return s.groups().LeaveGroup(now, i, group)
	})
}

// withGroup finds the interface for a group, and does something with it.
func (s *Socket) withGroup(group netip.Addr, w wanted, do func(*stack.Interface) error) error {
	if s.groups() == nil {
		return syscall.ENOPROTOOPT
	}
	if !group.IsMulticast() {
		return syscall.EINVAL
	}
	i, err := s.groupInterface(group, w)
	if err != nil {
		return err
	}
	return do(i)
}

// groupInterface: ENODEV says that there is no such interface, as on Linux.
func (s *Socket) groupInterface(group netip.Addr, w wanted) (*stack.Interface, error) {
	all := s.host.stack.Interfaces()
	switch {
	case w.index < 0 || w.index >= len(all):
		return nil, syscall.ENODEV
	case w.index > 0:
		return all[w.index], nil
	}
	i, err := s.host.stack.GroupInterface(group, w.addr)
	if err != nil {
		return nil, syscall.ENODEV
	}
	return i, nil
}

// groups returns the side of a datagram or raw socket that has to do with groups,
// nil of all others.
func (s *Socket) groups() *stack.GroupEnd {
	switch {
	case s.other.udp != nil:
		return &s.other.udp.GroupEnd
	case s.other.raw != nil:
		return &s.other.raw.GroupEnd
	}
	return nil
}

// applied returns an option that a datagram or raw socket heeds besides keeping it.
func applied(o option, apply func(*stack.GroupEnd, int)) option {
	keep := o.set
	o.set = func(s *Socket, now clock.Time, v int) error {
		if err := keep(s, now, v); err != nil {
			return err
		}
		if g := s.groups(); g != nil {
			apply(g, v)
		}
		return nil
	}
	return o
}

func setGroupTTL(e *stack.GroupEnd, v int) {
	if v < 0 {
		v = 1 // the default
	}
	e.SetGroupTTL(uint8(v))
}

func setGroupLoop(e *stack.GroupEnd, v int) { e.SetGroupLoop(v != 0) }

func setGroupAll(e *stack.GroupEnd, v int) { e.SetGroupAll(v != 0) }

// setGroupInterface is IP_MULTICAST_IF: the address of an interface, or struct
// ip_mreqn.
func (s *Socket) setGroupInterface(_ clock.Time, v []byte) error {
	w := wanted{}
	switch {
	case s.groups() == nil:
		return syscall.ENOPROTOOPT
	case len(v) >= 8:
		w = interfaceOf(v[4:])
	case len(v) >= 4:
		w = interfaceOf(v)
	default:
		return syscall.EINVAL
	}
	if w.index == 0 && w.addr.IsUnspecified() {
		s.groups().SetGroupInterface(nil)
		return nil
	}
	i, err := s.groupInterface(netip.AddrFrom4([4]byte{224, 0, 0, 1}), w)
	if err != nil {
		return syscall.EADDRNOTAVAIL
	}
	s.groups().SetGroupInterface(i)
	return nil
}

// setGroupInterface6 is IPV6_MULTICAST_IF: the number of an interface, 0 for
// whatever the route says.
func (s *Socket) setGroupInterface6(_ clock.Time, v int) error {
	all := s.host.stack.Interfaces()
	switch {
	case s.groups() == nil:
		return syscall.ENOPROTOOPT
	case v < 0 || v >= len(all):
		return syscall.ENODEV
	case v == 0:
		s.groups().SetGroupInterface(nil)
	default:
		s.groups().SetGroupInterface(all[v])
	}
	return s.keep(place{IPPROTO_IPV6, IPV6_MULTICAST_IF}, v)
}

// Both families' options have the group, and the source, as struct
// sockaddr_storage, with room for any address (RFC 3678, 5.1).
const (
	storage      = 128
	groupRequest = 8 + storage // struct group_req: the interface's number, and the group
)

// anyMembership is MCAST_JOIN_GROUP or MCAST_LEAVE_GROUP (RFC 3678, 5.1.1).
func anyMembership(name string, join bool) option {
	return option{name: name, kind: blob, write: func(s *Socket, now clock.Time, v []byte) error {
		if len(v) < groupRequest {
			return syscall.EINVAL
		}
		group, err := s.stored(v[8:])
		if err != nil {
			return err
		}
		return s.changeGroup(now, group, wanted{index: int(int32(binary.NativeEndian.Uint32(v)))}, join)
	}}
}

// anySource is MCAST_JOIN_SOURCE_GROUP and its like: struct group_source_req,
// which goes on with the source (RFC 3678, 5.1.1).
func anySource(name string, op stack.SourceOp) option {
	return option{name: name, kind: blob, write: func(s *Socket, now clock.Time, v []byte) error {
		if len(v) < groupRequest+storage {
			return syscall.EINVAL
		}
		group, err := s.stored(v[8:])
		if err != nil {
			return err
		}
		source, err := s.stored(v[groupRequest:])
		if err != nil || source.Is4() != group.Is4() {
			return syscall.EINVAL
		}
		return s.withGroup(group, wanted{index: int(int32(binary.NativeEndian.Uint32(v)))}, func(i *stack.Interface) error {
			return s.groups().ChangeSource(now, i, group, op, source)
		})
	}}
}

// stored reads the address of a struct sockaddr_storage, which must be of the
// socket's family.
func (s *Socket) stored(v []byte) (netip.Addr, error) {
	switch Family(binary.NativeEndian.Uint16(v)) {
	case AF_INET:
		if s.family == AF_INET {
			return netip.AddrFrom4([4]byte(v[4:])), nil
		}
	case AF_INET6:
		if s.family == AF_INET6 {
			return netip.AddrFrom16([16]byte(v[8:])), nil
		}
	}
	return netip.Addr{}, syscall.EINVAL
}
