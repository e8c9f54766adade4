// Package socket is the session between a program and its machine's stack:
// the BSD sockets, under the names that every course uses, and the interfaces
// of Go's package net on top of them.
//
// A [Host] is a machine in a world. [Host.Socket] returns a [Socket] with
// Bind, Listen, Accept, Connect, Recv, Send and the rest; [Host.Dial],
// [Host.Listen] and [Host.ListenPacket] return a [net.Conn], [net.Listener]
// and [net.PacketConn], each of which is a Socket inside.
//
// # Waiting
//
// A call that can't be answered at once waits, unless the socket was made
// non-blocking, until the world wakes it, the socket's time-out or deadline
// passes, or the socket or the network is closed. Times are the world's: a
// time-out of a second is a second of the world. A deadline is a time of the
// world's too, as Host.Now tells it; in a virtual world, whose clock has
// nothing to do with the one outside, a deadline that was computed from
// time.Now is taken as the time that was left until then, to the millisecond.
//
// # Names
//
// A name is looked for in what the network knows, as in /etc/hosts; where the
// machine is to ask servers ([Host.UseNameServersLocked]), or has heard of some,
// they are asked (resolve.go): by datagrams from ports that nobody can foresee, and
// by TCP for what is too long.
//
// # Errors
//
// The course's functions return a [syscall.Errno] wrapped in an
// [os.SyscallError]; net's return a [*net.OpError] around that. Both satisfy
// errors.Is(err, syscall.ECONNREFUSED) and the like.
//
// To add an option: name it in constants.go and handle it in options.go.
package socket
