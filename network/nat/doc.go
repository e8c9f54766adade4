// Package nat remembers who hides behind a router's address: Traditional NAT
// with ports, NAPT (RFC 3022, 4).
//
// A [Table] is a pure machine. It gives each address and port inside one port of
// the router's, the same for all whom it talks to (RFC 4787, 4.1), lets anybody
// outside answer there, and forgets it after a time of silence that depends on the
// protocol. It knows ports alone: whoever has packets rewrites them.
//
// To add a protocol: what stands for its port goes into [Inside], and how long it
// may be silent into Config and [Table.Out].
package nat
