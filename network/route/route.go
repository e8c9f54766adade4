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
	rows []row // in the order in which they are tried
}

// A row is a route, prepared for comparison.
type row struct {
	Route
	addr, mask key
	is4        bool
	dead       bool // its gateway is
}

// A key is an address as two numbers, an IPv4 address in the first half of hi.
type key struct{ hi, lo uint64 }

func keyOf(addr netip.Addr) key {
	if addr.Is4() {
		b := addr.As4()
		return key{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}
	}
	b := addr.As16()
	return key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func maskOf(bits int) key {
	return key{^uint64(0) << (64 - min(bits, 64)), ^uint64(0) << (128 - max(bits, 64))}
}

// holds reports whether an address lies in the row's prefix.
func (r *row) holds(k key, is4 bool) bool {
	return r.is4 == is4 && (k.hi^r.addr.hi)&r.mask.hi == 0 && (k.lo^r.addr.lo)&r.mask.lo == 0
}

// Lookup returns the best route to dst: of those whose prefix holds it the
// longest, and of these the first whose gateway is not dead.
//
// RFC 1812, 5.2.4.3: "After performing Basic Match pruning, the algorithm
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
	dst = dst.Unmap()
	k, is4 := keyOf(dst), dst.Is4()
	for i := range t.rows {
		if t.rows[i].holds(k, is4) {
			return t.alive(i)
		}
	}
	return -1
}

// alive returns the index of the first row for the same prefix as row i, from
// there on, whose gateway is alive; i if all are dead.
//
// RFC 1122, 3.3.1.2: "A host MUST support multiple default gateways."
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
	new := row{
		Route: r,
		addr:  keyOf(r.Prefix.Addr()), mask: maskOf(r.Prefix.Bits()), is4: r.Prefix.Addr().Is4(),
		dead: !t.Reachable(r.NextHop),
	}
	i, _ := slices.BinarySearchFunc(t.rows, new, func(a, b row) int {
		return cmp.Or(compare(a, b), -1) // behind its equals
	})
	t.rows = slices.Insert(t.rows, i, new)
	return nil
}

// compare orders rows: IPv4 first, then the longest prefix, then by address,
// then the lowest metric.
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
	before := len(t.rows)
	t.rows = slices.DeleteFunc(t.rows, func(x row) bool {
		return x.Prefix == r.Prefix.Masked() && x.NextHop == r.NextHop && x.Interface == r.Interface
	})
	return len(t.rows) < before
}

// RemoveInterface removes all routes through an interface.
func (t *Table) RemoveInterface(index int) {
	t.rows = slices.DeleteFunc(t.rows, func(x row) bool { return x.Interface == index })
}

// SetReachable marks a gateway as dead or alive again. As long as another
// route to the same prefix has a gateway that is alive, those through a dead
// one are passed over; when all are dead, the first is tried again.
//
// RFC 1122, 3.3.1.4: "The IP layer MUST be able to detect the failure of a
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
	t.rows = slices.DeleteFunc(t.rows, func(r row) bool { return r.dead && r.Origin == originRedirect })
}
