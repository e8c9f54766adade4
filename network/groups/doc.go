// Package groups is the host's half of multicast: in which groups an interface
// is, from which sources its sockets want to hear them, and what routers and
// switches are told of that. It speaks IGMP, versions 1 to 3, for IPv4
// (RFC 3376, RFC 2236; RFC 9776) and MLD, versions 1 and 2, for IPv6 (RFC 3810,
// RFC 2710; RFC 9777), which are one protocol in two clothes: a [Member] for
// each interface and family. A [Querier] is what a router asks with.
//
// A socket listens to a group with a [Filter]. What all sockets want, merged,
// is the interface's filter of the group. When that changes, the change is
// reported, more than once, for a report may be lost; when a router asks, it is
// told after a random delay. A router that speaks an older version is answered
// in that version, for as long as it may still be there.
//
// A Member is a pure machine. Its messages go out with a TTL or hop limit of 1
// and the option router alert; those of IGMP with the type of service 0xc0
// (RFC 3376, 4).
//
// To add a version: its message in old.go or message.go, the timer that says how
// long its querier is present, and the case in Member.version.
package groups
