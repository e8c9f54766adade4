package socket

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
)

// ancillary reads the control messages that go with a datagram: IP_PKTINFO, IP_TTL
// and IP_TOS, and IPV6_PKTINFO, IPV6_HOPLIMIT and IPV6_TCLASS for sockets of
// AF_INET6 (ip(7); RFC 3542, 6). nil says that there is nothing to heed. As on
// Linux, those of other levels are not looked at, and EINVAL says that one can't
// be.
func (s *Socket) ancillary(control []byte) (*stack.Ancillary, error) {
	if len(control) == 0 && s.more().sticky == nil {
		return nil, nil
	}
	a := stack.Ancillary{TTL: -1, TOS: -1}
	if s.rare != nil && s.rare.sticky != nil {
		a = *s.rare.sticky
	}
	heeded := a != stack.Ancillary{TTL: -1, TOS: -1}
	for len(control) >= controlHead {
		n := int(binary.NativeEndian.Uint64(control))
		level, kind := int(int32(binary.NativeEndian.Uint32(control[8:]))), int(int32(binary.NativeEndian.Uint32(control[12:])))
		ok := true
		switch {
		case level == IPPROTO_IPV6 && s.family == AF_INET6:
			ok, heeded = about6(&a, kind, control[controlHead:n]), true
		case level == IPPROTO_IP && s.family == AF_INET:
			ok, heeded = about4(&a, kind, control[controlHead:n]), true
		}
		if !ok {
			return nil, syscall.EINVAL
		}
		control = control[min(len(control), (n+controlAlign-1)&^(controlAlign-1)):]
	}
	if !heeded {
		return nil, nil
	}
	return &a, nil
}

// about4 notes what a control message of IPv4 asks for. Of struct in_pktinfo the
// interface's number counts, and the first of the two addresses.
func about4(a *stack.Ancillary, kind int, b []byte) bool {
	switch {
	case kind == IP_PKTINFO && len(b) == 12:
		from(a, netip.AddrFrom4([4]byte(b[4:])), b)
		return true
	case kind == IP_TTL && len(b) == 4:
		a.TTL = int(int32(binary.NativeEndian.Uint32(b)))
		return a.TTL >= 1 && a.TTL <= 255
	case kind == IP_TOS && len(b) == 4:
		a.TOS = int(int32(binary.NativeEndian.Uint32(b)))
		return a.TOS >= 0 && a.TOS <= 255
	case kind == IP_TOS && len(b) == 1:
		a.TOS = int(b[0])
		return true
	}
	return false
}

// about6 notes what a control message of IPv6 asks for: "An integer value less
// than -1 or greater than 255 is an error", and -1 means as ever (RFC 3542, 6.3
// and 6.5).
func about6(a *stack.Ancillary, kind int, b []byte) bool {
	switch {
	case kind == IPV6_PKTINFO && len(b) == 20:
		from(a, netip.AddrFrom16([16]byte(b)).Unmap(), b[16:])
		return true
	case kind == IPV6_HOPLIMIT && len(b) == 4:
		a.TTL = int(int32(binary.NativeEndian.Uint32(b)))
		return a.TTL == -1 || a.TTL >= 1 && a.TTL <= 255
	case kind == IPV6_TCLASS && len(b) == 4:
		a.TOS = int(int32(binary.NativeEndian.Uint32(b)))
		return a.TOS >= -1 && a.TOS <= 255
	}
	return false
}

// from notes the address and the interface that a datagram is to leave by.
func from(a *stack.Ancillary, addr netip.Addr, index []byte) {
	if !addr.IsUnspecified() {
		a.Source = addr
	}
	if n := int(int32(binary.NativeEndian.Uint32(index))); n != 0 {
		a.Interface = n
	}
}

// setPacketInfo is the option IPV6_PKTINFO, which counts for all datagrams that
// say nothing themselves: struct in6_pktinfo, the unspecified address and
// interface 0 to take it back (RFC 3542, 6.7).
func (s *Socket) setPacketInfo(_ clock.Time, b []byte) error {
	a := stack.Ancillary{TTL: -1, TOS: -1}
	switch {
	case s.tcp != nil:
		return syscall.ENOPROTOOPT
	case !about6(&a, IPV6_PKTINFO, b):
		return syscall.EINVAL
	}
	s.change().sticky = &a
	return nil
}
