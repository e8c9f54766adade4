package addrsel

import (
	"cmp"
	"net/netip"
	"slices"
)

// A Destination is an address of a name, and the source that packets to it
// would have.
type Destination struct {
	Addr   netip.Addr
	Source Candidate // its Prefix is zero if there is no way there
}

// Sort orders the addresses of a name so that the best is tried first
// (RFC 6724, 6). Where no rule decides, their order stays (rule 10).
func Sort(all []Destination) {
	slices.SortStableFunc(all, func(a, b Destination) int { return -compare(&a, &b) })
}

// compare returns a positive number if a is better than b.
func compare(a, b *Destination) int {
	// "Rule 1: Avoid unusable destinations."
	if order := prefer(a.usable(), b.usable()); order != 0 || !a.usable() {
		return order
	}
	x, y := policyOf(a.Addr), policyOf(b.Addr)
	return cmp.Or(
		// "Rule 2: Prefer matching scope."
		prefer(a.matchesScope(), b.matchesScope()),
		// "Rule 3: Avoid deprecated addresses."
		prefer(!a.Source.Deprecated, !b.Source.Deprecated),
		// "Rule 5: Prefer matching label."
		prefer(a.matchesLabel(), b.matchesLabel()),
		// "Rule 6: Prefer higher precedence."
		cmp.Compare(x.precedence, y.precedence),
		// "Rule 8: Prefer smaller scope."
		-cmp.Compare(scopeOf(a.Addr), scopeOf(b.Addr)),
		// "Rule 9: Use longest matching prefix. When DA and DB belong to the
		// same address family".
		longest(a, b),
	)
}

func (d *Destination) usable() bool { return d.Source.Prefix.IsValid() }

func (d *Destination) matchesScope() bool {
	return scopeOf(d.Addr) == scopeOf(d.Source.Prefix.Addr())
}

func (d *Destination) matchesLabel() bool {
	return policyOf(d.Addr).label == policyOf(d.Source.Prefix.Addr()).label
}

func longest(a, b *Destination) int {
	if a.Addr.Unmap().Is4() != b.Addr.Unmap().Is4() {
		return 0
	}
	return cmp.Compare(match(a.Source.Prefix, a.Addr), match(b.Source.Prefix, b.Addr))
}
