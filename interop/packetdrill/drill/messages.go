package drill

import (
	"syscall"
	"unsafe"
)

// recvmsg is recvmsg(2).
func (m *Machine) recvmsg(a *Args) (int64, syscall.Errno) {
	msg := at[syscall.Msghdr](a, 0)
	pieces := iovecs(unsafe.Pointer(msg.Iov), int64(msg.Iovlen))
	b := make([]byte, total(pieces))
	n, errno := m.receive(a, b, a.N[1])
	if errno != 0 {
		return n, errno
	}
	scatter(pieces, b[:n])
	msg.Controllen, msg.Flags = 0, 0
	return n, 0
}

// sendmsg is sendmsg(2).
func (m *Machine) sendmsg(a *Args) (int64, syscall.Errno) {
	msg := at[syscall.Msghdr](a, 0)
	return m.send(a, gather(iovecs(unsafe.Pointer(msg.Iov), int64(msg.Iovlen))), a.N[1])
}
