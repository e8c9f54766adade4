// Package membership is the listener's side of multicast group membership: it
// tells the routers and switches of a link which groups a machine listens to,
// as MLDv2 has it for IPv6 (RFC 3810, 6) and IGMPv3 for IPv4 (RFC 3376, 5).
// Sources aren't filtered: a group is joined for all of them, or left.
//
// A [Listener] is a pure machine for one interface and one family. It knows no
// packets: its owner hands in what queries say, and sends what it polls.
//
// To add source filters: a filter in group, and the records of RFC 3810, 6.1.
package membership
