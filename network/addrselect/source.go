package addrselect

import (
	"net/netip"
	"slices"
)

// A Source is an address of the machine.
type Source struct {
	Prefix     netip.Prefix // the address, and how long the prefix is that it shares with its neighbours
	Interface  int          // that has the address
	Deprecated bool         // it should begin nothing new (RFC 4862, 5.5.4); of no meaning for IPv4
	Temporary  bool         // RFC 8981
	Home       bool         // a home address of mobile IPv6
	CareOf     bool         // a care-of address of mobile IPv6
	Routers    []netip.Addr // that advertised its prefix; none if that isn't known
}

// A Target is where a packet is to go.
type Target struct {
	Addr      netip.Addr
	Interface int        // that the packet leaves from
	NextHop   netip.Addr // the router that it goes to; invalid if it stays on the link

	// What a program may ask for (RFC 6724, 5, rules 7 and 4; RFC 5014).
	PreferPublic bool // to temporary addresses
	PreferCareOf bool // to home addresses
}

// Source chooses the address that a packet to a target is sent from. It returns
// its index, and the rule that set it apart from the last of the others, or -1
// if none of the candidates will do: those of the other family, unspecified and
// multicast addresses never do, and "For all multicast and link-local
// destination addresses, the set of candidate source addresses MUST only
// include addresses assigned to interfaces belonging to the same link as the
// outgoing interface." (RFC 6724, 4)
//
// Where all rules leave several, the first of them is chosen. IPv4, for which
// RFC 6724 has no rules, is chosen by the same ones.
func (t *Table) Source(to *Target, candidates []Source) (best int, why Rule) {
	best = -1
	for i := range candidates {
		c := &candidates[i]
		if !to.admits(c) {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		order, rule := t.betterSource(to, c, &candidates[best])
		if order > 0 {
			best = i
		}
		why = max(why, rule)
	}
	return best, why
}

// admits reports whether an address is a candidate for the target.
func (to *Target) admits(c *Source) bool {
	addr, dst := c.Prefix.Addr().Unmap(), to.Addr.Unmap()
	switch {
	case !addr.IsValid(), !dst.IsValid(), addr.Is4() != dst.Is4(), addr.IsUnspecified(), addr.IsMulticast():
		return false
	case dst.IsMulticast(), dst.IsLinkLocalUnicast():
		return c.Interface == to.Interface
	}
	return true
}

// sourceRules are RFC 6724's in the order in which they are applied.
var sourceRules = [...]Rule{
	SameAddress, Scope, Deprecated, HomeAddress, OutgoingAddress, NextHopPrefix, MatchingLabel, TemporaryAddress, LongestPrefix,
}

// betterSource compares two candidates: more than zero if a is better, less if
// b is, by the first rule that tells them apart.
func (t *Table) betterSource(to *Target, a, b *Source) (int, Rule) {
	for _, rule := range sourceRules {
		if order := t.compareSources(rule, to, a, b); order != 0 {
			return order, rule
		}
	}
	return 0, ListedFirst
}

func (t *Table) compareSources(rule Rule, to *Target, a, b *Source) int {
	switch rule {
	case SameAddress:
		return yes(a.is(to.Addr), b.is(to.Addr))
	case Scope:
		return sourceScope(scopeOf(a.Prefix.Addr()), scopeOf(b.Prefix.Addr()), scopeOf(to.Addr))
	case Deprecated:
		return yes(!a.deprecated(), !b.deprecated())
	case HomeAddress:
		return to.home(a, b)
	case OutgoingAddress:
		return yes(a.Interface == to.Interface, b.Interface == to.Interface)
	case NextHopPrefix:
		return to.nextHop(a, b)
	case MatchingLabel:
		label := t.Label(to.Addr)
		return yes(t.Label(a.Prefix.Addr()) == label, t.Label(b.Prefix.Addr()) == label)
	case TemporaryAddress:
		return yes(a.Temporary != to.PreferPublic, b.Temporary != to.PreferPublic)
	}
	return commonPrefix(a.Prefix, to.Addr) - commonPrefix(b.Prefix, to.Addr)
}

// yes compares what holds of a and of b.
func yes(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// is reports whether a source is an address itself, whatever its zone.
func (s *Source) is(addr netip.Addr) bool {
	return s.Prefix.Addr().Unmap() == addr.Unmap().WithZone("")
}

// deprecated: "IPv4 addresses MUST be treated as having "preferred" (in the RFC
// 4862 sense) configuration status." (RFC 6724, 3.2)
func (s *Source) deprecated() bool { return s.Deprecated && s.Prefix.Addr().Unmap().Is6() }

// sourceScope is rule 2: "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D),
// then prefer SB and otherwise prefer SA. Similarly, if Scope(SB) < Scope(SA):
// If Scope(SB) < Scope(D), then prefer SA and otherwise prefer SB."
// (RFC 6724, 5)
func sourceScope(a, b, dst scope) int {
	switch {
	case a == b:
		return 0
	case a < b:
		return yes(a >= dst, a < dst)
	}
	return yes(b < dst, b >= dst)
}

// home is rule 4. "Implementations supporting home addresses MUST provide a
// mechanism allowing an application to reverse the sense of this preference"
// (RFC 6724, 5).
func (to *Target) home(a, b *Source) int {
	if both := yes(a.Home && a.CareOf, b.Home && b.CareOf); both != 0 {
		return both
	}
	order := 0
	switch {
	case a.Home && !b.Home && b.CareOf:
		order = 1
	case b.Home && !a.Home && a.CareOf:
		order = -1
	}
	if to.PreferCareOf {
		return -order
	}
	return order
}

// nextHop is rule 5.5: "If SA or SA's prefix is assigned by the selected
// next-hop that will be used to send to D and SB or SB's prefix is assigned by
// a different next-hop, then prefer SA." (RFC 6724, 5)
func (to *Target) nextHop(a, b *Source) int {
	if !to.NextHop.IsValid() || len(a.Routers) == 0 || len(b.Routers) == 0 {
		return 0
	}
	return yes(slices.Contains(a.Routers, to.NextHop), slices.Contains(b.Routers, to.NextHop))
}
