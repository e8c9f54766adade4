// Package route is a table of routes: the longest prefix that holds a
// destination says where its packets go next (RFC 1812, 5.2.4.3).
//
// The table is small (a host has three routes, a router a few hundred) and
// sorted, so that a lookup is a walk to the first row that matches, with one
// comparison at each. Both families live in it.
//
// To add a criterion: a field of [Route], its place in the order of compare,
// and a sentence in [Table.Explain].
package route
