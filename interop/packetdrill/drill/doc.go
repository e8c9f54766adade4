// Package drill is one hubbub host for packetdrill: what the shared object
// beside it (package so) puts behind the functions that packetdrill calls.
//
// A [Machine] is a world in virtual time with one host in it. The host's cable
// ends in packetdrill: what the host sends is kept, as whole IP packets without
// a link header, until [Machine.Call] is asked for it by NetdevReceive; what
// the script injects by NetdevSend arrives at the host. Everything else is a
// system call of the program under test.
//
// The addresses are IPv4's or IPv6's. Over IPv6 the card takes 1520 octets where
// nothing else is said, as packetdrill's scripts assume: their segments are as
// long as over IPv4. What the link needs, ARP and neighbour discovery, is
// answered at the far end of the cable, and a script never sees it.
//
// # Time
//
// The clock stands still while nobody asks it to move. Usleep moves it, and
// what is due on the way happens; gettimeofday moves it by a microsecond,
// because packetdrill spins on it for the last part of each wait;
// netdev_receive moves it until a packet comes.
//
// packetdrill has two threads: the main one, and one for the calls that the
// script expects to block. Each call runs as a program of the world. One that
// the second thread makes waits there, asleep, while the main thread moves the
// clock. When such a call is over its thread asks for the time once, to check
// when it ended: until then the clock stays where it is, whatever the main
// thread wants.
//
// # To add a call
//
// Give it a number in abi.go, decode its arguments in table.go, and write a
// method that has ordinary Go arguments and returns a result and an errno.
package drill
