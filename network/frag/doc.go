// Package frag cuts packets that exceed an MTU and puts the pieces together
// again (RFC 791, 3.2; RFC 8200, 4.5).
//
// [Split] and [Split6] give the fragments one by one; nothing is copied. A [Reassembler]
// is a pure machine that holds what has arrived of incomplete packets. It
// trusts nothing: memory, packets and fragments are bounded, and a packet
// whose fragments overlap is refused as a whole.
//
// To add a reason for refusing: a Reason with its text, and the check in
// Reassembler.check (what one fragment shows) or datagram.fits (what it shows
// together with the others).
package frag
