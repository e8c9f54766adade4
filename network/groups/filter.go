package groups

import (
	"net/netip"
	"slices"
)

// A Filter says from which sources a group is heard: from those listed, or from
// all but those listed. The zero Filter hears none: it is that of a group which
// nobody has joined (RFC 3376, 3.1; RFC 3810, 4.1).
type Filter struct {
	Exclude bool
	Sources []netip.Addr // in ascending order, each once
}

// Everyone is the filter of a join without sources: EXCLUDE {}.
var Everyone = Filter{Exclude: true}

// Passes reports whether packets of a source are heard.
func (f Filter) Passes(source netip.Addr) bool {
	_, listed := f.find(source)
	return listed != f.Exclude
}

// Nobody reports whether no source is heard.
func (f Filter) Nobody() bool { return !f.Exclude && len(f.Sources) == 0 }

func (f Filter) find(source netip.Addr) (at int, listed bool) {
	return slices.BinarySearchFunc(f.Sources, source, netip.Addr.Compare)
}

// with returns the filter with one more source in its list, without those that
// it shares with f.
func (f Filter) with(source netip.Addr) Filter {
	at, listed := f.find(source)
	if !listed {
		f.Sources = slices.Insert(slices.Clone(f.Sources), at, source)
	}
	return f
}

// without returns the filter with one source less in its list.
func (f Filter) without(source netip.Addr) Filter {
	if at, listed := f.find(source); listed {
		f.Sources = slices.Delete(slices.Clone(f.Sources), at, at+1)
	}
	return f
}

// sorted returns the filter with its list in order, each source once.
func (f Filter) sorted() Filter {
	f.Sources = slices.Clone(f.Sources)
	slices.SortFunc(f.Sources, netip.Addr.Compare)
	f.Sources = slices.Compact(f.Sources)
	return f
}

func (f Filter) equal(g Filter) bool {
	return f.Exclude == g.Exclude && slices.Equal(f.Sources, g.Sources)
}

// minus returns the sources of a that are not in b.
func minus(a, b []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(a), func(s netip.Addr) bool { return slices.Contains(b, s) })
}

// common returns the sources that are in both.
func common(a, b []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(a), func(s netip.Addr) bool { return !slices.Contains(b, s) })
}

// merge derives an interface's filter from those of the sockets. "if *any* such
// record has a filter mode of EXCLUDE, then the filter mode of the interface
// record is EXCLUDE, and the source list of the interface record is the
// intersection of the source lists of all socket records in EXCLUDE mode, minus
// those source addresses that appear in any socket record in INCLUDE mode. [...]
// if *all* such records have a filter mode of INCLUDE, then the filter mode of
// the interface record is INCLUDE, and the source list of the interface record
// is the union of the source lists of all the socket records." (RFC 3376, 3.2;
// RFC 3810, 4.2)
func merge(filters []Filter) Filter {
	var included, excluded []netip.Addr
	exclude := false
	for _, f := range filters {
		switch {
		case !f.Exclude:
			included = append(included, f.Sources...)
		case exclude:
			excluded = common(excluded, f.Sources)
		default:
			exclude, excluded = true, f.Sources
		}
	}
	if exclude {
		return Filter{Exclude: true, Sources: minus(excluded, included)}
	}
	return Filter{Sources: included}.sorted()
}
