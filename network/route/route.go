// Package route is a table of routes: the longest prefix that holds a
// destination says where its packets go next (RFC 1812, 5.2.4.3).
//
// The table is small (a host has three routes, a router a few hundred) and
// sorted, so that a lookup is a walk to the first row that matches. Both
// families live in it.
//
// To add a criterion: a field of [Route], its place in the order of
// compare, and a sentence in [Table.Explain].
package route

import (
	"net/netip"
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

// A Candidate is a route and what [Table.Explain] has to say about it.
type Candidate struct {
	Route   Route
	Matches bool   // the prefix holds the destination
	Chosen  bool   // this is the route that Lookup returns
	Why     string // such as "172.16.11.10 AND 255.255.255.0 = 172.16.11.0, not 172.16.10.0"
}

// A Table holds routes. The zero Table is empty.
type Table struct{}

// Lookup returns the best route to dst.
func (t *Table) Lookup(dst netip.Addr) (Route, bool) { return Route{}, false }

// Routes returns all routes in the order in which Lookup tries them.
func (t *Table) Routes() []Route { return nil }

// Explain returns all routes of dst's family in the order in which Lookup
// tries them, and why each is chosen or not.
func (t *Table) Explain(dst netip.Addr) []Candidate { return nil }

// Add adds a route. One with the same prefix, next hop and interface is
// replaced. Several with one prefix stand side by side: the lowest metric
// wins, and among equals the one added first. Bits of the prefix behind its
// length are cleared. It returns an error if the prefix is not valid or the
// next hop is of another family.
func (t *Table) Add(r Route) error { return nil }

// Remove removes the route with r's prefix, next hop and interface, and
// reports whether there was one.
func (t *Table) Remove(r Route) bool { return false }

// RemoveInterface removes all routes through an interface.
func (t *Table) RemoveInterface(index int) {}

// SetReachable marks a gateway as dead or alive again. As long as another
// route to the same prefix has a gateway that is alive, those through a dead
// one are passed over (RFC 1122, 3.3.1.4); when all are dead, the first is
// tried again.
func (t *Table) SetReachable(gateway netip.Addr, reachable bool) {}
