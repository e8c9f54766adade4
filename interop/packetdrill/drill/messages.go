package drill

import (
	"net/netip"
	"syscall"
	"unsafe"

	"hubbub/socket"
)

// recvmsg is recvmsg(2).
func (m *Machine) recvmsg(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	header := at[syscall.Msghdr](a, 0)
	buffers, errno := buffersOf(header)
	if errno != 0 {
		return -1, errno
	}
	msg := socket.Message{Buffers: buffers, Control: bytesAt(unsafe.Pointer(header.Control), int64(header.Controllen))}
	n, errno := m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.RecvMsg(&msg, int(a.N[1]))) })
	if errno != 0 {
		return n, errno
	}
	header.Flags = int32(msg.Flags)
	header.Controllen = uint64(len(msg.Control))
	if msg.Addr.IsValid() {
		writeAddress(unsafe.Pointer(header.Name), &header.Namelen, msg.Addr, f.six)
	} else {
		header.Namelen = 0
	}
	return n, 0
}

// sendmsg is sendmsg(2).
func (m *Machine) sendmsg(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	header := at[syscall.Msghdr](a, 0)
	buffers, errno := buffersOf(header)
	if errno != 0 {
		return -1, errno
	}
	msg := socket.Message{Buffers: buffers, Control: bytesAt(unsafe.Pointer(header.Control), int64(header.Controllen))}
	if header.Name != nil {
		if msg.Addr, errno = readAddress(unsafe.Pointer(header.Name), int64(header.Namelen)); errno != 0 {
			return -1, errno
		}
	}
	return m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.SendMsg(&msg, int(a.N[1]))) })
}

// readv and writev are messages without anything beside the data.
func (m *Machine) readv(a *Args) (int64, syscall.Errno) {
	return m.vectors(a, func(f *file, msg *socket.Message) (int, error) { return f.socket.RecvMsg(msg, 0) }, syscall.Read)
}

func (m *Machine) writev(a *Args) (int64, syscall.Errno) {
	return m.vectors(a, func(f *file, msg *socket.Message) (int, error) { return f.socket.SendMsg(msg, 0) }, syscall.Write)
}

// vectors moves data in several pieces: of a socket by a message, of anything
// else one after the other.
func (m *Machine) vectors(
	a *Args, move func(*file, *socket.Message) (int, error), plain func(int, []byte) (int, error),
) (int64, syscall.Errno) {
	buffers, errno := piecesOf(iovecs(a.P[0], a.N[1]))
	if errno != 0 {
		return -1, errno
	}
	f := m.files.open[int(a.N[0])]
	if f != nil && f.socket != nil {
		msg := socket.Message{Buffers: buffers}
		return m.run(a, func() (int64, syscall.Errno) { return answer(move(f, &msg)) })
	}
	var moved int
	for _, b := range buffers {
		n, err := plain(int(a.N[0]), b)
		moved += max(n, 0)
		if err != nil && moved == 0 {
			return -1, errnoOf(err)
		}
		if n < len(b) {
			break
		}
	}
	return int64(moved), 0
}

// buffersOf returns a message's pieces. EFAULT says that there is no message.
func buffersOf(h *syscall.Msghdr) ([][]byte, syscall.Errno) {
	if h == nil {
		return nil, syscall.EFAULT
	}
	return piecesOf(iovecs(unsafe.Pointer(h.Iov), int64(h.Iovlen)))
}

// piecesOf returns the pieces as Go has them. EFAULT says that one has a length
// and no address.
func piecesOf(pieces []syscall.Iovec) (buffers [][]byte, errno syscall.Errno) {
	for i := range pieces {
		v := &pieces[i]
		if v.Base == nil && v.Len > 0 {
			return nil, syscall.EFAULT
		}
		buffers = append(buffers, bytesAt(unsafe.Pointer(v.Base), int64(v.Len)))
	}
	return buffers, 0
}

// recvfrom is recvfrom(2).
func (m *Machine) recvfrom(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	msg := socket.Message{Buffers: [][]byte{bytesAt(a.P[0], a.N[1])}}
	if a.P[0] == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	n, errno := m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.RecvMsg(&msg, int(a.N[2]))) })
	if errno == 0 && msg.Addr.IsValid() {
		writeAddress(a.P[1], at[uint32](a, 2), msg.Addr, f.six)
	}
	return n, errno
}

// sendto is sendto(2).
func (m *Machine) sendto(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	b := bytesAt(a.P[0], a.N[1])
	if b == nil && a.N[1] > 0 {
		return -1, syscall.EFAULT
	}
	var to netip.AddrPort
	if a.N[2]&socket.MSG_FASTOPEN != 0 && familyAt(a.P[1], a.N[3]) == syscall.AF_UNSPEC {
		return -1, syscall.EOPNOTSUPP
	}
	if a.P[1] != nil && a.N[3] > 0 {
		if to, errno = readAddress(a.P[1], a.N[3]); errno != 0 {
			return -1, errno
		}
	}
	msg := socket.Message{Buffers: [][]byte{b}, Addr: to}
	return m.run(a, func() (int64, syscall.Errno) { return answer(f.socket.SendMsg(&msg, int(a.N[2]))) })
}
