// Package addrselect decides which of a machine's addresses a packet is sent
// from, and which of several addresses of a peer is tried first (RFC 6724).
//
// [Table.Source] chooses among the addresses that a machine has for one
// destination, [Table.Sort] orders destinations of both families, each of which
// comes with the source that was chosen for it. Both compare in pairs, rule by
// rule, and tell the [Rule] that decided. A [Table] is the policy: a precedence
// and a label for each prefix. IPv4 addresses are looked up there as mapped
// ones, so that one table orders both families.
//
// Nothing here is remembered from call to call, and nothing allocates.
//
// To add a rule: its constant in the order in which rules are applied, its text,
// its place in sourceRules or
// destinationRules, and its case in the function below those.
package addrselect
