// Package dns answers questions for the addresses of names: an authoritative
// server for one zone, which knows records A and AAAA (RFC 1034, RFC 1035,
// RFC 3596).
//
// A [Server] takes its names from a function, and packets and connections from
// the interfaces of package net: any network's will do.
//
// To add a kind of record: a case in Server.records.
package dns
