package drill

import (
	"net/netip"
	"syscall"

	"hubbub/socket"
)

// newSocket is socket(2).
func (m *Machine) newSocket(a *Args) (int64, syscall.Errno) {
	family, kind := socket.Family(a.N[0]), a.N[1]
	f := &file{six: family == socket.AF_INET6}
	s, err := m.host.SocketOf(family, socket.Type(kind&0xf), int(a.N[2]))
	if err != nil {
		return -1, errnoOf(err)
	}
	f.socket = s
	if kind&syscall.SOCK_NONBLOCK != 0 {
		s.SetBlocking(false)
		f.nonblocking = true
	}
	return m.files.add(f)
}

func (m *Machine) bind(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	addr, errno := readAddress(a.P[0], a.N[1])
	if errno != 0 {
		return -1, errno
	}
	m.adopt(addr.Addr())
	return m.run(a, func() (int64, syscall.Errno) { return answer(0, f.socket.Bind(addr.String())) })
}

func (m *Machine) listen(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(0, f.socket.Listen(int(a.N[1]))) })
}

func (m *Machine) accept(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	var conn *socket.Socket
	var peer string
	result, errno := m.run(a, func() (int64, syscall.Errno) {
		var err error
		conn, peer, err = f.socket.Accept()
		return answer(0, err)
	})
	if errno != 0 {
		return result, errno
	}
	if from, err := netip.ParseAddrPort(peer); err == nil {
		writeAddress(a.P[0], at[uint32](a, 1), from, f.six)
	}
	return m.files.add(&file{socket: conn, six: f.six})
}

func (m *Machine) connect(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	addr, errno := readAddress(a.P[0], a.N[1])
	if errno != 0 {
		return -1, errno
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(0, f.socket.Connect(addr.String())) })
}

func (m *Machine) shutdown(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(0, f.socket.Shutdown(socket.How(a.N[1]))) })
}

// receive is read, recv and their like. What isn't a socket of the host's is
// the kernel's, such as the end of a pipe.
func (m *Machine) receive(a *Args, into []byte, flags int64) (int64, syscall.Errno) {
	f := m.files.open[int(a.N[0])]
	if f == nil {
		n, err := syscall.Read(int(a.N[0]), into)
		return answer(n, err)
	}
	if f.socket == nil {
		return -1, syscall.EINVAL
	}
	if into == nil && a.N[1] > 0 && flags&syscall.MSG_TRUNC == 0 {
		return -1, syscall.EFAULT
	}
	return m.run(a, func() (int64, syscall.Errno) {
		got, err := f.socket.Recv(len(into), int(flags))
		return answer(copy(into, got), err)
	})
}

// send is write, send and their like.
func (m *Machine) send(a *Args, b []byte, flags int64) (int64, syscall.Errno) {
	f := m.files.open[int(a.N[0])]
	if f == nil {
		n, err := syscall.Write(int(a.N[0]), b)
		return answer(n, err)
	}
	if f.socket == nil {
		return -1, syscall.EINVAL
	}
	if b == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.Send(b, int(flags))) })
}

// fcntl is fcntl(2): the flag that says whether calls wait is the socket's,
// all else is its descriptor's.
func (m *Machine) fcntl(a *Args) (int64, syscall.Errno) {
	f := m.files.open[int(a.N[0])]
	switch {
	case f != nil && f.socket != nil && a.N[1] == syscall.F_GETFL:
		if f.nonblocking {
			return syscall.O_RDWR | syscall.O_NONBLOCK, 0
		}
		return syscall.O_RDWR, 0
	case f != nil && f.socket != nil && a.N[1] == syscall.F_SETFL:
		if yes := a.N[2]&syscall.O_NONBLOCK != 0; yes != f.nonblocking {
			f.nonblocking = yes
			f.socket.SetBlocking(!yes)
		}
		return 0, 0
	}
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(a.N[0]), uintptr(a.N[1]), uintptr(a.N[2]))
	if errno != 0 {
		return -1, errno
	}
	return int64(n), 0
}
