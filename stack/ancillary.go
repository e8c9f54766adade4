package stack

import (
	"net/netip"
)

// Ancillary is what a program says of one datagram beside where it goes
// (RFC 3542, 6; ip(7)). Nothing but the address and the interface may be zero.
type Ancillary struct {
	Source    netip.Addr // one of the machine's; the zero Addr: as ever
	Interface int        // the number of that by which it leaves; 0: as the route says
	TTL       int        // or hop limit, 1 to 255; -1: as ever
	TOS       int        // or traffic class, 0 to 255; -1: as ever
}

// apply returns the TTL and type of service of a datagram.
func (a *Ancillary) apply(ttl, tos uint8) (newTTL, newTOS uint8) {
	if a == nil {
		return ttl, tos
	}
	if a.TTL > 0 {
		ttl = uint8(a.TTL)
	}
	if a.TOS >= 0 {
		tos = uint8(a.TOS)
	}
	return ttl, tos
}

// pathWith looks up where a datagram goes of which the program may have said more,
// and how the destination's address is then to be written.
//
// RFC 3542, 6.7: "if an interface is specified in an IPV6_PKTINFO ancillary data
// item, the interface is used." An address that isn't the machine's is refused,
// as on Linux.
func (s *Stack) pathWith(dst, source netip.Addr, a *Ancillary) (path, netip.Addr, error) {
	if a == nil {
		v, err := s.pathTo(dst, source)
		return v, dst, err
	}
	var i *Interface
	switch {
	case a.Interface < 0 || a.Interface >= len(s.interfaces):
		return path{}, dst, ErrNoDevice
	case a.Interface > 0:
		i = s.interfaces[a.Interface]
		if dst.Is6() && dst.Zone() == "" && (isLocal(dst) || dst.IsMulticast()) {
			dst = dst.WithZone(i.Name)
		}
	}
	if a.Source.IsValid() {
		if source = a.Source; isLocal(source) && i != nil {
			source = source.WithZone(i.Name)
		}
		if s.own.by(source) == nil {
			return path{}, dst, ErrInvalid
		}
	}
	if i == nil || dst.Zone() != "" || s.own.by(dst) != nil {
		v, err := s.pathTo(dst, source)
		if err == nil && i != nil && v.iface != i && !v.iface.Loopback {
			err = ErrInvalid // its zone is another link
		}
		return v, dst, err
	}
	v, err := s.pathBy(i, dst, source)
	return v, dst, err
}

// pathBy leads to dst by an interface, with the best of the routes there; a group
// or a broadcast needs none.
func (s *Stack) pathBy(i *Interface, dst, source netip.Addr) (path, error) {
	v := path{iface: i, nextHop: dst, source: source, neighbors: i.neighbors, generation: s.generation}
	if !dst.IsMulticast() && !i.isBroadcast(dst) {
		hop, ok := s.hopBy(i, dst)
		if !ok {
			return v, ErrNetUnreachable
		}
		v.nextHop = hop
	}
	switch {
	case dst.Is6():
		return s.by(v, dst, i)
	case i.neighbors == nil || !source.IsValid() && len(i.addresses) == 0:
		return v, ErrNetUnreachable
	case !source.IsValid():
		v.source = s.sourceFor(i, v.nextHop, netip.Addr{})
	}
	return v, nil
}

// hopBy returns the next hop of the best route to dst that leads by an interface.
func (s *Stack) hopBy(i *Interface, dst netip.Addr) (netip.Addr, bool) {
	for _, r := range s.routes.Routes() {
		switch {
		case r.Interface != i.Index || !r.Prefix.Contains(dst):
		case r.NextHop.IsValid():
			return r.NextHop, true
		default:
			return dst, true
		}
	}
	return netip.Addr{}, false
}
