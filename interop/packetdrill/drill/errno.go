package drill

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// errnoOf returns the number of what went wrong, as the kernel has it.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return 0
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, net.ErrClosed):
		return syscall.EBADF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return syscall.EAGAIN // SO_RCVTIMEO and SO_SNDTIMEO (socket(7))
	}
	return syscall.EIO
}

// answer makes a call's result of what a method of package socket returned.
func answer(n int, err error) (int64, syscall.Errno) {
	if errno := errnoOf(err); errno != 0 {
		return -1, errno
	}
	return int64(n), 0
}
