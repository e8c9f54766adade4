package socket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"

	"hubbub/event"
	"hubbub/sim"
)

// publish tells of a call. What its program did or heard last has caused it,
// and it causes what follows.
func (s *Socket) publish(call event.SocketCall) {
	w := s.host.world
	if p := w.Running(); p != nil {
		call.Program = p.Name()
	}
	id := w.Stream.Publish(w.Now(), s.host.stack.Name(), call)
	w.Stream.Because(id)
	if p := w.Running(); p != nil {
		p.Last = id
	}
}

func formatArgs(format string, args []any) string {
	if format == "" {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func resultText(result int, err error) string {
	if err != nil && err != io.EOF { // the end of a stream is no error: recv returns 0
		return "-1"
	}
	return strconv.Itoa(result)
}

// errorText names an error as a program in C would: by its errno.
func errorText(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, io.EOF):
		return ""
	case errors.Is(err, sim.ErrDeadline), errors.Is(err, os.ErrDeadlineExceeded):
		return "timed out"
	case errors.Is(err, net.ErrClosed):
		return "EBADF"
	}
	if errno := errnoOf(err); errno != 0 {
		return errnoName(errno)
	}
	return err.Error()
}

var errnoNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	syscall.EAFNOSUPPORT: "EAFNOSUPPORT", syscall.EAGAIN: "EAGAIN", syscall.EALREADY: "EALREADY",
	syscall.ECONNABORTED: "ECONNABORTED", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET",
	syscall.EDESTADDRREQ: "EDESTADDRREQ", syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EINPROGRESS: "EINPROGRESS",
	syscall.EINVAL: "EINVAL", syscall.EISCONN: "EISCONN", syscall.EMSGSIZE: "EMSGSIZE", syscall.ENETDOWN: "ENETDOWN",
	syscall.ENETUNREACH: "ENETUNREACH", syscall.ENOBUFS: "ENOBUFS", syscall.ENOENT: "ENOENT",
	syscall.ENOPROTOOPT: "ENOPROTOOPT", syscall.ENOTCONN: "ENOTCONN", syscall.EOPNOTSUPP: "EOPNOTSUPP",
	syscall.EPIPE: "EPIPE", syscall.EPROTONOSUPPORT: "EPROTONOSUPPORT", syscall.EPROTOTYPE: "EPROTOTYPE",
	syscall.ESOCKTNOSUPPORT: "ESOCKTNOSUPPORT", syscall.ETIMEDOUT: "ETIMEDOUT",
}

func errnoName(errno syscall.Errno) string {
	if name, ok := errnoNames[errno]; ok {
		return name
	}
	return errno.Error()
}

func (f Family) String() string {
	switch f {
	case AF_UNIX:
		return "AF_UNIX"
	case AF_INET:
		return "AF_INET"
	case AF_INET6:
		return "AF_INET6"
	}
	return "family " + strconv.Itoa(int(f))
}

func (t Type) String() string {
	switch t {
	case SOCK_STREAM:
		return "SOCK_STREAM"
	case SOCK_DGRAM:
		return "SOCK_DGRAM"
	case SOCK_RAW:
		return "SOCK_RAW"
	}
	return "type " + strconv.Itoa(int(t))
}

func (h How) String() string {
	switch h {
	case SHUT_RD:
		return "SHUT_RD"
	case SHUT_WR:
		return "SHUT_WR"
	case SHUT_RDWR:
		return "SHUT_RDWR"
	}
	return strconv.Itoa(int(h))
}

// tellBlocked publishes that a call has begun to wait.
func (s *Socket) tellBlocked(call string) {
	if s.host.world.Stream.On() {
		s.publish(event.SocketCall{FD: s.descriptor(), Call: call, Blocked: true})
	}
}

// announce publishes that a call begins, where what follows comes before its
// result.
func (s *Socket) announce(call string, args any) {
	if s.host.world.Stream.On() {
		s.publish(event.SocketCall{FD: s.descriptor(), Call: call, Args: fmt.Sprint(args), Blocked: true})
	}
}
