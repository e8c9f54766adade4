// Package neigh is an interface's neighbour cache: which link address belongs
// to which network address, how that is found out, and which addresses are
// our own. It speaks ARP for IPv4 and NDP for IPv6, a Cache for each; the
// states are those of RFC 4861, 7.3.2, which Linux uses for both families.
//
// A [Cache] is a pure machine. An entry goes
//
//	none -> incomplete -> reachable -> stale -> delay -> probe -> failed
//
// and back to reachable whenever the neighbour answers, or whenever a layer
// above has proof that its packets arrive ([Cache.Confirm]).
//
// Our own addresses are claimed as in RFC 5227: probed, announced, defended.
//
// Our own IPv6 addresses are claimed as in RFC 4862, 5.4.
//
// To add a protocol: handlers like those in arp.go and ndp.go that bring
// entries up to date, a case in Cache.ask that makes its request and one in
// Cache.advance that claims an address, and a poll method for what it sends.
package neigh
