// Command loss measures how much a TCP connection gets through a path that does
// harm, and keeps the table: docs/loss.md.
//
// A cell of the table is a path: a rate, a round-trip time, a harm. Hubbub's
// half runs in virtual time: two hosts, a switch, one cable that does the harm.
// It comes out the same, to the byte, in every run. Linux's half runs in real
// time: the same cable, but each end is a network namespace of the kernel's,
// with a TAP card into the world; it takes root, and is measured once in a
// while, not by the tests.
//
//	cell.go     the paths
//	virtual.go  hubbub's half
//	kernel*.go  Linux's half
//	ends.go     what the programs at both ends do
//	record.go   the results, and the files they are kept in
//	table.go    the results as Markdown, and what hubbub is held to
//	many.go     many cells at a time
//
// To add a harm: a value in harms, and its row appears everywhere. To add an
// algorithm: its name in algorithms.
package main
