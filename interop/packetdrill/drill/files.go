package drill

import (
	"syscall"

	"hubbub/socket"
)

// files are the descriptors that calls have given out. Each is a real one of
// the process's, of /dev/null: what isn't routed through the shared object
// doesn't fail on it, and no number is given out twice.
type files struct {
	open map[int]*file
}

// A file is what a descriptor stands for.
type file struct {
	socket *socket.Socket
	epoll  *socket.Epoll

	six         bool // an AF_INET6 socket: IPv4's addresses are mapped
	nonblocking bool
}

func (f *files) init() { f.open = make(map[int]*file) }

// add gives f a descriptor.
func (f *files) add(it *file) (int64, syscall.Errno) {
	fd, err := syscall.Open("/dev/null", syscall.O_RDWR, 0)
	if err != nil {
		return -1, errnoOf(err)
	}
	f.open[fd] = it
	return int64(fd), 0
}

// socketOf returns the socket that the first number names.
func (m *Machine) socketOf(a *Args) (*file, syscall.Errno) {
	f := m.files.open[int(a.N[0])]
	switch {
	case f == nil:
		return nil, syscall.EBADF
	case f.socket == nil:
		return nil, syscall.ENOTSOCK
	}
	return f, 0
}

// owns reports whether a descriptor is one of the machine's sockets.
func (m *Machine) owns(a *Args) (int64, syscall.Errno) {
	if f := m.files.open[int(a.N[0])]; f != nil && f.socket != nil {
		return 1, 0
	}
	return 0, 0
}

// close is close(2): of the machine's own, and of any other descriptor.
func (m *Machine) close(a *Args) (int64, syscall.Errno) {
	fd := int(a.N[0])
	f := m.files.open[fd]
	delete(m.files.open, fd)
	if err := syscall.Close(fd); err != nil {
		return -1, errnoOf(err)
	}
	switch {
	case f == nil:
		return 0, 0
	case f.epoll != nil:
		return answer(0, f.epoll.Close())
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(0, f.socket.Close()) })
}
