package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"hubbub/sim"
	"hubbub/stack"
	"hubbub/transport/tcp"
)

// errnos gives each thing that can go wrong below its number.
var errnos = []struct {
	err   error
	errno syscall.Errno
}{
	{stack.ErrAddrInUse, syscall.EADDRINUSE},
	{stack.ErrAddrNotAvail, syscall.EADDRNOTAVAIL},
	{stack.ErrAccess, syscall.EACCES},
	{stack.ErrInvalid, syscall.EINVAL},
	{stack.ErrIsConnected, syscall.EISCONN},
	{stack.ErrNotConnected, syscall.ENOTCONN},
	{stack.ErrInProgress, syscall.EINPROGRESS},
	{stack.ErrNetUnreachable, syscall.ENETUNREACH},
	{stack.ErrHostUnreachable, syscall.EHOSTUNREACH},
	{stack.ErrProtoUnreach, syscall.ENOPROTOOPT},
	{stack.ErrRefused, syscall.ECONNREFUSED},
	{stack.ErrMessageSize, syscall.EMSGSIZE},
	{stack.ErrNoBuffers, syscall.ENOBUFS},
	{stack.ErrNetDown, syscall.ENETDOWN},
	{stack.ErrDestination, syscall.EDESTADDRREQ},
	{stack.ErrNoDevice, syscall.ENODEV},
	{tcp.ErrRefused, syscall.ECONNREFUSED},
	{tcp.ErrResetClosing, syscall.EPIPE}, // as on Linux
	{tcp.ErrReset, syscall.ECONNRESET},
	{tcp.ErrTimeout, syscall.ETIMEDOUT},
	{tcp.ErrAborted, syscall.ECONNABORTED},
	{tcp.ErrWriteClosed, syscall.EPIPE},
	{tcp.ErrNotConnected, syscall.ENOTCONN},
}

// errnoOf returns the number of an error from below, zero if it has none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	for _, e := range errnos {
		if errors.Is(err, e.err) {
			return e.errno
		}
	}
	return 0
}

// failed makes an error of a call from what went wrong: end of file, the
// deadline and the closed socket are what package net has for them, all else
// is an errno.
func failed(call string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, sim.ErrForeign):
		return err
	case errors.Is(err, sim.ErrDeadline), errors.Is(err, context.DeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	if errno := errnoOf(err); errno != 0 {
		return os.NewSyscallError(call, errno)
	}
	return err
}

// opError makes an error as package net has it.
func opError(op, network string, source, addr net.Addr, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: network, Source: source, Addr: addr, Err: err}
}
