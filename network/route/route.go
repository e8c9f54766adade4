package route

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// A Route says where packets for a prefix go.
type Route struct {
	Prefix    netip.Prefix
	NextHop   netip.Addr // the router to send to; the zero Addr if the destination is on the link
	Interface int        // the number of the interface to send from
	Source    netip.Addr // the address that our own packets have; the zero Addr if it doesn't matter
	Metric    int        // among routes to one prefix the lowest wins
	Origin    string     // for people: "connected", "static", "redirect"
}

// Gateway returns whom to send a packet for dst to: the next hop, or dst
// itself where it is on the link.
func (r Route) Gateway(dst netip.Addr) netip.Addr {
	if r.NextHop.IsValid() {
		return r.NextHop
	}
	return dst
}

// A Table holds routes of both families. The zero Table is empty.
//
// State: Lookup, Routes, Explain, Reachable. Commands: Add, Remove,
// RemoveInterface, SetReachable, Redirect.
type Table struct {
	rows []row // in the order in which they are tried: those of IPv4 first

	// The rows' prefixes once more, packed for the search.
	four []key4
	six  []key6
}

// A row is a route, and whether its gateway is dead.
type row struct {
	Route
	dead bool
}

// A key4 is an IPv4 prefix: the addresses it holds are equal to addr in the
// bits that are set in mask.
type key4 struct{ addr, mask uint32 }

// A key6 is an IPv6 prefix, each part in two halves.
type key6 struct{ addr, mask [2]uint64 }

func bits4(addr netip.Addr) uint32 {
	b := addr.As4()
	return binary.BigEndian.Uint32(b[:])
}

func bits6(addr netip.Addr) [2]uint64 {
	b := addr.As16()
	return [2]uint64{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// index packs the prefixes anew, after the rows have changed.
func (t *Table) index() {
	t.four, t.six = t.four[:0], t.six[:0]
	for i := range t.rows {
		if p := t.rows[i].Prefix; p.Addr().Is4() {
			t.four = append(t.four, key4{bits4(p.Addr()), bits4(Mask(p))})
		} else {
			t.six = append(t.six, key6{bits6(p.Addr()), bits6(Mask(p))})
		}
	}
}

// first returns the index of the first row whose prefix holds dst, -1 if
// there is none.
func (t *Table) first(dst netip.Addr) int {
	if dst.Is4() {
		d := bits4(dst)
		for i, k := range t.four {
			if (d^k.addr)&k.mask == 0 {
				return i
			}
		}
		return -1
	}
	d := bits6(dst)
	for i, k := range t.six {
		if (d[0]^k.addr[0])&k.mask[0]|(d[1]^k.addr[1])&k.mask[1] == 0 {
			return len(t.four) + i
		}
	}
	return -1
}

// Lookup returns the best route to dst: of those whose prefix holds it the
// longest, and of these the first whose gateway is not dead. What is on a
// connected network by its mask goes straight there, all else to a gateway
// (R1122-11 and R1122-28; RFC 1122, 3.2.1.3 and 3.3.1.1).
//
// RFC 1812, 5.2.4.3 (R1812-4): "After performing Basic Match pruning, the algorithm
// examines the remaining routes to determine which among them have the largest
// route.length values. All except these are discarded."
func (t *Table) Lookup(dst netip.Addr) (Route, bool) {
	i := t.find(dst)
	if i < 0 {
		return Route{}, false
	}
	return t.rows[i].Route, true
}

// find returns the index of the row that Lookup returns, -1 if there is none.
func (t *Table) find(dst netip.Addr) int {
	if !dst.IsValid() {
		return -1
	}
	if i := t.first(dst.Unmap()); i >= 0 {
		return t.alive(i)
	}
	return -1
}

// alive returns the index of the first row for the same prefix as row i, from
// there on, whose gateway is alive; i if all are dead.
//
// RFC 1122, 3.3.1.2 (R1122-29): "A host MUST support multiple default gateways."
func (t *Table) alive(i int) int {
	for j := i; j < len(t.rows) && t.rows[j].Prefix == t.rows[i].Prefix; j++ {
		if !t.rows[j].dead {
			return j
		}
	}
	return i
}

// Routes returns all routes in the order in which Lookup tries them.
func (t *Table) Routes() []Route {
	all := make([]Route, 0, len(t.rows))
	for i := range t.rows {
		all = append(all, t.rows[i].Route)
	}
	return all
}

// Reachable reports whether a gateway is not marked as dead.
func (t *Table) Reachable(gateway netip.Addr) bool {
	return !slices.ContainsFunc(t.rows, func(r row) bool { return r.dead && r.NextHop == gateway })
}

// Add adds a route. One with the same prefix, next hop and interface is
// replaced. Several with one prefix stand side by side: the lowest metric
// wins, and among equals the one added first. Bits of the prefix behind its
// length are cleared. It returns an error if the prefix is not valid or the
// next hop is of another family.
func (t *Table) Add(r Route) error {
	if !r.Prefix.IsValid() {
		return fmt.Errorf("a route to %v: that is not a prefix", r.Prefix)
	}
	r.Prefix = r.Prefix.Masked()
	if r.NextHop.IsValid() && r.NextHop.Is4() != r.Prefix.Addr().Is4() {
		return fmt.Errorf("a route to %v by %v: both must be of one family", r.Prefix, r.NextHop)
	}
	t.Remove(r)
	new := row{Route: r, dead: !t.Reachable(r.NextHop)}
	i, _ := slices.BinarySearchFunc(t.rows, new, func(a, b row) int {
		return cmp.Or(compare(a, b), -1) // behind its equals
	})
	t.rows = slices.Insert(t.rows, i, new)
	t.index()
	return nil
}

// compare orders rows: IPv4 first, as index has it; then the longest prefix,
// then by address, then the lowest metric.
func compare(a, b row) int {
	return cmp.Or(
		cmp.Compare(a.Prefix.Addr().BitLen(), b.Prefix.Addr().BitLen()),
		-cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()),
		a.Prefix.Addr().Compare(b.Prefix.Addr()),
		cmp.Compare(a.Metric, b.Metric),
	)
}

// Remove removes the route with r's prefix, next hop and interface, and
// reports whether there was one.
func (t *Table) Remove(r Route) bool {
	return t.remove(func(x *row) bool {
		return x.Prefix == r.Prefix.Masked() && x.NextHop == r.NextHop && x.Interface == r.Interface
	})
}

// RemoveInterface removes all routes through an interface.
func (t *Table) RemoveInterface(index int) {
	t.remove(func(x *row) bool { return x.Interface == index })
}

// remove removes the rows that are chosen, and reports whether there were any.
func (t *Table) remove(chosen func(*row) bool) bool {
	before := len(t.rows)
	t.rows = slices.DeleteFunc(t.rows, func(x row) bool { return chosen(&x) })
	t.index()
	return len(t.rows) < before
}

// SetReachable marks a gateway as dead or alive again. As long as another
// route to the same prefix has a gateway that is alive, those through a dead
// one are passed over; when all are dead, the first is tried again.
//
// RFC 1122, 3.3.1.4 (R1122-30): "The IP layer MUST be able to detect the failure of a
// 'next-hop' gateway that is listed in its route cache and to choose an
// alternate gateway (see Section 3.3.1.5)."
//
// A route that a redirect brought is removed with its gateway's death: the
// gateway before it is used again.
func (t *Table) SetReachable(gateway netip.Addr, reachable bool) {
	if !gateway.IsValid() {
		return
	}
	for i := range t.rows {
		if t.rows[i].NextHop == gateway {
			t.rows[i].dead = !reachable
		}
	}
	t.remove(func(r *row) bool { return r.dead && r.Origin == OriginRedirect })
}
