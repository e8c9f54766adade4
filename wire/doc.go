// Package wire knows how each protocol's header is laid out in bytes, and
// nothing else: no state, no policy.
//
// Every protocol has a file with a plain struct. ParseX reads the struct from
// bytes and returns what follows the header; AppendTo writes it. Neither
// allocates, and parsing never panics, whatever the bytes are. A packet in
// flight has its headers in one piece and its payload in another, so
// ParseXHeader asks for the header alone; ParseX, for a packet in one piece,
// checks also the length that the header tells, and cuts the payload to it.
//
// To add a protocol: write a file with its struct, the RFC's diagram above it;
// ParseX and AppendTo; a fuzz target for the round trip; and a comparison with
// another decoder in oracle_test.go.
package wire
