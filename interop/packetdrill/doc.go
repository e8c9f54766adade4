// Package packetdrill lets packetdrill judge hubbub. packetdrill runs scripts
// of packets and system calls with their times, the language in which Linux's
// own TCP tests are written; it can be told to drive a stack in a shared
// object instead of the kernel's.
//
//	make packetdrill       builds bin/libhubbub.so and bin/libpreload.so
//	make packetdrill-test  runs scripts/ through hubbub, and through the kernel
//	interop/packetdrill/run my.pkt
//	interop/packetdrill/run -V ipv6 my.pkt
//
// Package drill holds one host in virtual time, and has all the logic. Command
// so is the shared object around it, and preload a library for LD_PRELOAD that
// catches the two functions which packetdrill calls past the shared object.
// The script run gives each script a network namespace; its head says how.
//
// packetdrill itself isn't in Debian and isn't part of this project: it is
// used if it is in PATH, or where the variable PACKETDRILL says.
//
// # The scripts
//
// A directory for each topic. Every script passes on Linux too: that shows
// that it says what a TCP should do. To add one, write it, run it through
// both (run, and run -k), and say in its first line what it shows. They pass over
// IPv4, over IPv6, and over IPv4 through sockets of IPv6; one that has the line
// --ip_version=ipv4 is for that alone.
//
// # Other people's scripts
//
// They aren't part of this project; run takes them where they are. Of
// packetdrill's own for TCP (gtests/net/tcp), leaving aside those for Linux's error
// queue, hubbub passes 107 of 147 over IPv4 and Linux 6.18 itself 122, with CUBIC as
// its default: of those for fast open 49 of 64 and Linux 54. Over IPv6 they are
// 92, with fewer for fast open, and the same 107 over mapped addresses.
// What fails asks for a queueing discipline that drops or paces, for Linux's
// zero-window probes, which have no octet (RFC 9293, 3.8.6.1 wants one), for
// segments without timestamps to be taken where they were agreed on (RFC 7323 has
// them dropped), for HyStart in place of HyStart++, for windows computed from how
// Linux lays out memory, or for the times of TCP_INFO that count what limited the
// sender. Of FreeBSD's, rewritten for the order of Linux's options, hubbub passes 225 of
// 347 and Linux 163; most of the rest ask for FreeBSD's own settings and errors.
package packetdrill
