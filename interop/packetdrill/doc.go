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
// packetdrill's own for TCP (gtests/net/tcp) hubbub passes 126 of 162 over IPv4 and
// Linux 6.18 itself 137, with CUBIC as its default: of those for fast open 53 of 64 and
// Linux 54. Over mapped addresses they are 126 and Linux 130. Over IPv6 they are 111 and
// Linux 118: many of those for fast open, and for ICMP, name IPv4's addresses and codes.
// Of FreeBSD's, rewritten for the order of Linux's options, hubbub passes 225 of
// 347 and Linux 163; most of the rest ask for FreeBSD's own settings and errors.
//
// What Linux passes and hubbub doesn't asks for
//
//   - what is outside the shared object: a queueing discipline that drops or paces, the
//     kernel's counters, its table of sockets, its cache of cookies being emptied;
//   - Linux's zero-window probes, which have no octet (RFC 9293, 3.8.6.1 wants one);
//   - a request that an ICMP error ends (RFC 9293, 3.9.2.2 has it stay: MUST-56), and the
//     MSS that a path's MTU lowers in a SYN (RFC 9293, 3.7.1: it is what can be received);
//   - HyStart in place of HyStart++ (RFC 9406), and timers as coarse as Linux's;
//   - windows, partial writes and the pieces of a segment as Linux's memory has them;
//   - an ACK of the SYN-ACK in a simultaneous open, which RFC 9293's figure 8 hasn't; and
//     the times of TCP_INFO that count what limited the sender.
//
// The host takes segments without the timestamps that were agreed on, as scripts
// expect of Linux: that is tcp.Config's TakeUnstamped, which is off elsewhere.
package packetdrill
