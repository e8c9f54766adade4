package drill

import (
	"net/netip"
	"syscall"
	"unsafe"

	"hubbub/socket"
)

// newSocket is socket(2). It is when the kernel's settings are read.
func (m *Machine) newSocket(a *Args) (int64, syscall.Errno) {
	m.readSysctls()
	family, kind := socket.Family(a.N[0]), a.N[1]
	f := &file{mapped: family == syscall.AF_INET6}
	if f.mapped {
		family = socket.AF_INET
	}
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
	m.readSysctls()
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
		writeAddress(a.P[0], at[uint32](a, 1), from, f.mapped)
	}
	return m.files.add(&file{socket: conn, mapped: f.mapped})
}

func (m *Machine) connect(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	m.readSysctls()
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
	if a.P[0] == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	return m.run(a, func() (int64, syscall.Errno) {
		got, err := f.socket.Recv(len(into), int(flags))
		return answer(copy(into, got), err)
	})
}

func (m *Machine) readv(a *Args) (int64, syscall.Errno) {
	pieces := iovecs(a.P[0], a.N[1])
	b := make([]byte, total(pieces))
	n, errno := m.receive(a, b, 0)
	if n > 0 {
		scatter(pieces, b[:n])
	}
	return n, errno
}

func (m *Machine) recvfrom(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	into := bytesAt(a.P[0], a.N[1])
	if a.P[0] == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	var from string
	n, errno := m.run(a, func() (int64, syscall.Errno) {
		if kind, _ := f.socket.GetSockOpt(socket.SOL_SOCKET, socket.SO_TYPE); kind == int(socket.SOCK_STREAM) {
			got, err := f.socket.Recv(len(into), int(a.N[2]))
			return answer(copy(into, got), err)
		}
		got, sender, err := f.socket.RecvFrom(len(into))
		from = sender
		return answer(copy(into, got), err)
	})
	if sender, err := netip.ParseAddrPort(from); err == nil {
		writeAddress(a.P[1], at[uint32](a, 2), sender, f.mapped)
	}
	return n, errno
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
	if a.P[0] == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.Send(b, int(flags))) })
}

func (m *Machine) sendto(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	b := bytesAt(a.P[0], a.N[1])
	if b == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	if a.P[1] == nil || a.N[3] == 0 {
		return m.send(a, b, a.N[2])
	}
	to, errno := readAddress(a.P[1], a.N[3])
	if errno != 0 {
		return -1, errno
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.SendTo(b, to.String())) })
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

// ioctl is ioctl(2) with a pointer to an int.
func (m *Machine) ioctl(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	n, errno := f.ioctl(uint64(a.N[1]))
	if errno != 0 {
		return -1, errno
	}
	if into := at[int32](a, 0); into != nil {
		*into = int32(n)
	}
	return 0, 0
}

// setsockopt is setsockopt(2).
func (m *Machine) setsockopt(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	if a.P[0] == nil {
		return -1, syscall.EFAULT
	}
	value := bytesAt(a.P[0], a.N[3])
	return m.run(a, func() (int64, syscall.Errno) { return f.setOption(int(a.N[1]), int(a.N[2]), value) })
}

// getsockopt is getsockopt(2).
func (m *Machine) getsockopt(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	length := at[uint32](a, 1)
	if length == nil || int32(*length) < 0 {
		return -1, syscall.EINVAL
	}
	into := unsafe.Slice((*byte)(a.P[0]), *length)
	return m.run(a, func() (int64, syscall.Errno) {
		value, errno := f.option(int(a.N[1]), int(a.N[2]), len(into))
		if errno != 0 {
			return -1, errno
		}
		*length = uint32(copy(into, value))
		return 0, 0
	})
}
