package route

import (
	"fmt"
	"net/netip"
)

// A Candidate is a route and what [Table.Explain] has to say about it.
type Candidate struct {
	Route   Route
	Matches bool   // the prefix holds the destination
	Chosen  bool   // this is the route that Lookup returns
	Why     string // such as "172.16.11.10 AND 255.255.255.0 = 172.16.11.0, not 172.16.10.0"
}

// Explain returns all routes of dst's family in the order in which Lookup
// tries them, and why each is chosen or not.
func (t *Table) Explain(dst netip.Addr) []Candidate {
	dst = dst.Unmap()
	chosen := t.find(dst)
	var all []Candidate
	for i := range t.rows {
		r := &t.rows[i]
		if r.Prefix.Addr().Is4() != dst.Is4() {
			continue
		}
		c := Candidate{Route: r.Route, Matches: r.Prefix.Contains(dst), Chosen: i == chosen}
		c.Why = and(dst, r.Prefix)
		if c.Matches {
			c.Why += ": " + t.verdict(i, chosen)
		}
		all = append(all, c)
	}
	return all
}

// verdict says why row i, whose prefix holds the destination, is chosen or
// not.
func (t *Table) verdict(i, chosen int) string {
	r, best := &t.rows[i], &t.rows[chosen]
	switch {
	case i == chosen && r.dead:
		return "the longest prefix; its gateway is dead, but so is every other"
	case i == chosen:
		return "the longest prefix"
	case r.Prefix != best.Prefix:
		return fmt.Sprintf("but %v is longer", best.Prefix)
	case r.dead:
		return fmt.Sprintf("but the gateway %v is dead", r.NextHop)
	case r.Metric > best.Metric:
		return fmt.Sprintf("but the metric %d is higher than %d", r.Metric, best.Metric)
	}
	return "but another route to the same prefix was there before"
}

// and writes the comparison that decides: "A AND mask = network".
func and(dst netip.Addr, p netip.Prefix) string {
	network := netip.PrefixFrom(dst, p.Bits()).Masked().Addr()
	s := fmt.Sprintf("%v AND %v = %v", dst, Mask(p), network)
	if network != p.Addr() {
		s += fmt.Sprintf(", not %v", p.Addr())
	}
	return s
}

// Mask returns a prefix's length as an address whose first bits are ones, such
// as 255.255.255.0 for /24.
func Mask(p netip.Prefix) netip.Addr {
	ones := [16]byte{}
	for i := range p.Bits() {
		ones[i/8] |= 0x80 >> (i % 8)
	}
	if p.Addr().Is4() {
		return netip.AddrFrom4([4]byte(ones[:4]))
	}
	return netip.AddrFrom16(ones)
}
