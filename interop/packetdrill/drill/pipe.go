package drill

import (
	"syscall"

	"hubbub/socket"
)

// pipeRoom is how much a pipe of the kernel's holds.
const pipeRoom = 64 << 10

// pipe is pipe(2). The pipe is one of the kernel's.
func (m *Machine) pipe(a *Args) (int64, syscall.Errno) {
	if a.P[0] == nil {
		return -1, syscall.EFAULT
	}
	ends := make([]int, 2)
	if err := syscall.Pipe(ends); err != nil {
		return -1, errnoOf(err)
	}
	*at[[2]int32](a, 0) = [2]int32{int32(ends[0]), int32(ends[1])}
	return 0, 0
}

// splice is splice(2) between a socket and a pipe, either way. A pipe has no
// offsets, and a socket neither.
func (m *Machine) splice(a *Args) (int64, syscall.Errno) {
	from, to := int(a.N[0]), int(a.N[1])
	b := make([]byte, max(0, min(a.N[2], pipeRoom)))
	source, target := m.files.open[from], m.files.open[to]
	switch {
	case source != nil && source.socket != nil && target == nil:
		if ready := source.socket.Readiness(); ready&socket.POLLPRI != 0 && ready&socket.POLLIN == 0 {
			return 0, 0 // only the urgent octet is there, and splice goes around nothing
		}
		in := *a
		n, errno := m.receive(&in, b, 0)
		if errno != 0 || n == 0 {
			return n, errno
		}
		written, err := syscall.Write(to, b[:n])
		return answer(written, err)
	case source == nil && target != nil && target.socket != nil:
		n, err := syscall.Read(from, b)
		if err != nil || n == 0 {
			return answer(n, err)
		}
		out := *a
		out.N[0] = int64(to)
		return m.send(&out, b[:n], 0)
	}
	return -1, syscall.EINVAL
}

// sendfile is sendfile(2) from a file to a socket.
func (m *Machine) sendfile(a *Args) (int64, syscall.Errno) {
	b := make([]byte, max(0, min(a.N[2], 1<<30)))
	offset := at[int64](a, 0)
	var n int
	var err error
	if offset != nil {
		n, err = syscall.Pread(int(a.N[1]), b, *offset)
	} else {
		n, err = syscall.Read(int(a.N[1]), b)
	}
	if err != nil || n == 0 {
		return answer(n, err)
	}
	sent, errno := m.send(a, b[:n], 0)
	if sent > 0 && offset != nil {
		*offset += sent
	}
	return sent, errno
}
