package addrsel

import (
	"cmp"
	"net/netip"
)

// A Candidate is an address of the interface by which a packet leaves.
type Candidate struct {
	Prefix     netip.Prefix // the address, and how long its prefix is
	Deprecated bool
	Temporary  bool
	// FromRouter: the next hop advertised its prefix.
	FromRouter bool
}

// Source returns the index of the candidate that packets to dst come from, -1
// if there are none (RFC 6724, 5). The order of the candidates decides where
// no rule does.
func Source(candidates []Candidate, dst netip.Addr) int {
	best := -1
	for i := range candidates {
		if best < 0 || better(&candidates[i], &candidates[best], dst) {
			best = i
		}
	}
	return best
}

// better reports whether a is a better source for dst than b.
func better(a, b *Candidate, dst netip.Addr) bool {
	x, y := a.Prefix.Addr(), b.Prefix.Addr()
	// "Rule 1: Prefer same address. If SA = D, then prefer SA."
	if x == dst || y == dst {
		return x == dst
	}
	// "Rule 2: Prefer appropriate scope. If Scope(SA) < Scope(SB): If Scope(SA)
	// < Scope(D), then prefer SB and otherwise prefer SA."
	if s, t, d := scopeOf(x), scopeOf(y), scopeOf(dst); s != t {
		if s < t {
			return s >= d
		}
		return t < d
	}
	// "Rule 3: Avoid deprecated addresses." "Rule 5.5: Prefer addresses in a
	// prefix advertised by the next-hop." "Rule 6: Prefer matching label." "Rule
	// 7: Prefer temporary addresses."
	label := policyOf(dst).label
	order := cmp.Or(
		prefer(!a.Deprecated, !b.Deprecated),
		prefer(a.FromRouter, b.FromRouter),
		prefer(policyOf(x).label == label, policyOf(y).label == label),
		prefer(a.Temporary, b.Temporary),
		// "Rule 8: Use longest matching prefix."
		cmp.Compare(match(a.Prefix, dst), match(b.Prefix, dst)),
	)
	return order > 0
}

// prefer compares so that true is greater.
func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// match is CommonPrefixLen(S, D): "the length of the longest prefix [...] that
// the two addresses have in common, up to the length of S's prefix"
// (RFC 6724, 2.2).
func match(source netip.Prefix, dst netip.Addr) int {
	length := source.Bits()
	if source.Addr().Is4() {
		length += 96
	}
	return min(common(source.Addr(), dst), length)
}
