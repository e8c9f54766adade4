package addrselect

import (
	"net/netip"
	"slices"
)

// A Destination is one of the addresses of a peer.
type Destination struct {
	Addr        netip.Addr
	Source      Source // that [Table.Source] chose for it; its Prefix is invalid if there is none
	Unreachable bool   // that is known: no route leads there, or no neighbour answers
	Tunnelled   bool   // it is reached through another protocol
}

// Sort puts the addresses that are best tried first in front. It keeps the
// order of those that no rule tells apart (RFC 6724, 6, rule 10).
func (t *Table) Sort(list []Destination) {
	slices.SortStableFunc(list, func(a, b Destination) int {
		order, _ := t.Compare(&a, &b)
		return -order
	})
}

// Compare returns more than zero if a is to be tried before b, less if b is
// before a, and the rule that says so; zero and ListedFirst if none does: "The
// pair-wise comparison of destination addresses consists of ten rules, which
// MUST be applied in order." (RFC 6724, 6)
func (t *Table) Compare(a, b *Destination) (int, Rule) {
	if order := yes(a.usable(), b.usable()); order != 0 {
		return order, Unusable
	}
	if !a.Source.Prefix.IsValid() || !b.Source.Prefix.IsValid() {
		return 0, ListedFirst // neither is usable: what is below asks for sources
	}
	for _, rule := range destinationRules {
		if order := t.compareDestinations(rule, a, b); order != 0 {
			return order, rule
		}
	}
	return 0, ListedFirst
}

// destinationRules are those of RFC 6724, 6 behind the first, in the order in
// which they are applied.
var destinationRules = [...]Rule{
	Scope, Deprecated, HomeAddress, MatchingLabel, HigherPrecedence, NativeTransport, SmallerScope, LongestPrefix,
}

func (t *Table) compareDestinations(rule Rule, a, b *Destination) int {
	switch rule {
	case Scope:
		return yes(a.scopesMatch(), b.scopesMatch())
	case Deprecated:
		return yes(!a.Source.deprecated(), !b.Source.deprecated())
	case HomeAddress:
		return new(Target).home(&a.Source, &b.Source)
	case MatchingLabel:
		return yes(t.labelsMatch(a), t.labelsMatch(b))
	case HigherPrecedence:
		return t.Precedence(a.Addr) - t.Precedence(b.Addr)
	case NativeTransport:
		return yes(!a.Tunnelled, !b.Tunnelled)
	case SmallerScope:
		return int(scopeOf(b.Addr)) - int(scopeOf(a.Addr))
	}
	return longestPrefix(a, b)
}

func (d *Destination) usable() bool { return !d.Unreachable && d.Source.Prefix.IsValid() }

func (d *Destination) scopesMatch() bool { return scopeOf(d.Addr) == scopeOf(d.Source.Prefix.Addr()) }

func (t *Table) labelsMatch(d *Destination) bool {
	return t.Label(d.Addr) == t.Label(d.Source.Prefix.Addr())
}

// longestPrefix is rule 9: "When DA and DB belong to the same address family
// (both are IPv6 or both are IPv4): If CommonPrefixLen(Source(DA), DA) >
// CommonPrefixLen(Source(DB), DB), then prefer DA." (RFC 6724, 6)
func longestPrefix(a, b *Destination) int {
	if a.Addr.Unmap().Is4() != b.Addr.Unmap().Is4() {
		return 0
	}
	return commonPrefix(a.Source.Prefix, a.Addr) - commonPrefix(b.Source.Prefix, b.Addr)
}
