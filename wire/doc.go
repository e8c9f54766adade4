// Package wire knows how each protocol's header is laid out in octets, and
// nothing else: no state, no policy.
//
// Every protocol has a file with a plain struct, above it the RFC's diagram.
// A packet in flight has its headers in one piece and its payload in another,
// so there are two parsers: ParseXHeader asks for the header alone, and what
// it tells of may be longer than the input; ParseX, for a packet in one piece,
// checks also the length or the checksum of the whole, and cuts the payload to
// it. Both return the value and what follows the header. AppendTo writes the
// header; PutTCPChecksum and PutUDPChecksum fill in the checksums that cover
// the payload too.
//
// Bytes from a network are hostile. Parsing never panics, whatever they are,
// and allocates nothing, whatever is wrong with them: errors are made once, and
// [errors.Is] tells their kind (ErrShort, ErrLength, ErrVersion, ErrChecksum).
// What is returned beside an error is zero. Options and payloads alias the
// input. AppendTo allocates only where the slice has no room.
//
// To add a protocol: write a file with its struct, the RFC's diagram above it,
// ParseX and AppendTo, and its errors as faults; a table test with octets made
// by hand; a fuzz target for the round trip; its cases in alloc_test.go; and a
// comparison with another decoder, both ways, in the oracle tests.
package wire
