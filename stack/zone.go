package stack

import (
	"net/netip"
)

// The zones of addresses. A link-local address says which machine is meant
// only together with its link (RFC 4007, 6): above the network layer it has
// the interface's name as its zone, as in fe80::1%eth0. On the wire, in the
// routing table and in the neighbour caches, which belong to a link anyway, it
// has none.

// isLocal reports whether addr takes a zone.
func isLocal(addr netip.Addr) bool { return addr.Is6() && addr.IsLinkLocalUnicast() }

// bare returns addr without its zone.
func bare(addr netip.Addr) netip.Addr { return addr.WithZone("") }

// zoned returns an address of the interface's link as the layers above know
// it. What arrives through loopback comes from this machine: its link-local
// addresses are those of any of its links.
func (s *Stack) zoned(i *Interface, addr netip.Addr) netip.Addr {
	if !isLocal(addr) {
		return addr
	}
	if !i.Loopback {
		return addr.WithZone(i.Name)
	}
	for _, other := range s.interfaces {
		if a := addr.WithZone(other.Name); s.own.by(a) != nil {
			return a
		}
	}
	return addr
}

// interfaceNamed returns the interface of that name, nil if there is none.
func (s *Stack) interfaceNamed(name string) *Interface {
	for _, i := range s.interfaces {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// scopeOf returns a number for the zone of an address: that of the interface
// and one, 0 if it has none.
func (s *Stack) scopeOf(addr netip.Addr) uint16 {
	zone := addr.Zone()
	if zone == "" {
		return 0
	}
	for n, i := range s.interfaces {
		if i.Name == zone {
			return uint16(n + 1)
		}
	}
	return ^uint16(0) // no interface has such an address
}

// withScope gives an address the zone that belongs to the number.
func (s *Stack) withScope(addr netip.Addr, scope uint16) netip.Addr {
	if scope == 0 || int(scope) > len(s.interfaces) || !isLocal(addr) {
		return addr
	}
	return addr.WithZone(s.interfaces[scope-1].Name)
}

// zoneOf returns the zone of link-local addresses that are named without one:
// that of the source, else that of the only link with IPv6; empty if there are
// several.
func (s *Stack) zoneOf(source netip.Addr) string {
	if zone := source.Zone(); zone != "" {
		return zone
	}
	zone := ""
	for _, i := range s.interfaces {
		switch {
		case i.six == nil, i.Loopback:
		case zone != "":
			return ""
		default:
			zone = i.Name
		}
	}
	return zone
}
