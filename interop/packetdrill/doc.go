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
package packetdrill
