package addrselect

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// A Row of the policy table is what holds of the addresses in a prefix, unless
// a longer prefix has a row of its own.
type Row struct {
	Prefix     netip.Prefix // of IPv6; IPv4 prefixes are kept as mapped ones
	Precedence int          // destinations of greater precedence are tried first
	Label      int          // sources go best with destinations of the same label
}

// defaults: "If an implementation is not configurable or has not been
// configured, then it SHOULD operate according to the algorithms specified here
// in conjunction with the following default policy table" (RFC 6724, 2.1).
var defaults = [...]Row{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::/0"), 40, 1},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4}, // IPv4
	{netip.MustParsePrefix("2002::/16"), 30, 2},     // 6to4
	{netip.MustParsePrefix("2001::/32"), 5, 5},      // Teredo
	{netip.MustParsePrefix("fc00::/7"), 3, 13},      // unique local addresses
	{netip.MustParsePrefix("::/96"), 1, 3},          // IPv4-compatible, deprecated
	{netip.MustParsePrefix("fec0::/10"), 1, 11},     // site-local, deprecated
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},     // 6bone, gone
}

// A Table is the policy table: "a longest-matching-prefix lookup table, much
// like a routing table" (RFC 6724, 2.1).
//
// State: Rows, Precedence, Label. Commands: Set, Remove. Decisions: Source,
// Sort, Compare.
type Table struct {
	rows []Row // the longest prefix first
}

// New returns a table with the default policy.
func New() *Table {
	t := new(Table)
	for _, r := range defaults {
		t.insert(r)
	}
	return t
}

// Rows returns the table, the longest prefix first.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// Set gives a prefix its precedence and label, whether or not it had some
// before: "implementations SHOULD support configurable address selection via a
// mechanism at least as powerful as the policy tables defined here" (RFC 6724,
// 2.1). It returns an error if the prefix is not valid.
func (t *Table) Set(r Row) error {
	if !r.Prefix.IsValid() {
		return fmt.Errorf("a policy for %v: that is not a prefix", r.Prefix)
	}
	r.Prefix = mapped(r.Prefix)
	t.Remove(r.Prefix)
	t.insert(r)
	return nil
}

// Remove takes a prefix's row away, and reports whether there was one.
func (t *Table) Remove(p netip.Prefix) bool {
	before := len(t.rows)
	p = mapped(p)
	t.rows = slices.DeleteFunc(t.rows, func(r Row) bool { return r.Prefix == p })
	return len(t.rows) < before
}

func (t *Table) insert(r Row) {
	i, _ := slices.BinarySearchFunc(t.rows, r, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Prefix.Bits(), a.Prefix.Bits()), a.Prefix.Addr().Compare(b.Prefix.Addr()))
	})
	t.rows = slices.Insert(t.rows, i, r)
}

// mapped returns a prefix without bits behind its length, and one of IPv4 as
// that of the mapped addresses: "IPv4 addresses MUST be represented as
// IPv4-mapped addresses" (RFC 6724, 3.2).
func mapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4() {
		p = netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), p.Bits()+96)
	}
	return p.Masked()
}

// Precedence returns an address's precedence, -1 if no row holds it.
func (t *Table) Precedence(addr netip.Addr) int {
	p, _ := t.lookup(addr)
	return p
}

// Label returns an address's label, -1 if no row holds it.
func (t *Table) Label(addr netip.Addr) int {
	_, l := t.lookup(addr)
	return l
}

func (t *Table) lookup(addr netip.Addr) (precedence, label int) {
	if addr.IsValid() {
		addr = netip.AddrFrom16(addr.As16()) // mapped, and without a zone
		for i := range t.rows {
			if t.rows[i].Prefix.Contains(addr) {
				return t.rows[i].Precedence, t.rows[i].Label
			}
		}
	}
	return -1, -1
}
