// Package pmtu remembers the path MTU to each destination, as routers report
// it in "fragmentation needed" messages (RFC 1191).
//
// A [Cache] is a pure machine. It only ever lowers a path MTU on the word of
// the network, never below a floor, and forgets it after ten minutes, so that
// the greater one is tried again (RFC 1191, 6.3).
//
// To add another source of knowledge (such as RFC 4821's probes): a handler
// beside HandleTooBig that calls set.
package pmtu
