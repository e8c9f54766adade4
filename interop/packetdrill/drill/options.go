package drill

import (
	"syscall"
	"unsafe"
)

// setsockopt is setsockopt(2).
func (m *Machine) setsockopt(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	if a.P[0] == nil && a.N[3] > 0 {
		return -1, syscall.EFAULT
	}
	value := bytesAt(a.P[0], a.N[3])
	return m.run(a, func() (int64, syscall.Errno) {
		return answer(0, f.socket.SetSockOptBytes(int(a.N[1]), int(a.N[2]), value))
	})
}

// getsockopt is getsockopt(2).
func (m *Machine) getsockopt(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	length := at[uint32](a, 1)
	if length == nil {
		return -1, syscall.EFAULT
	}
	if int32(*length) < 0 {
		return -1, syscall.EINVAL
	}
	if a.P[0] == nil && *length > 0 {
		return -1, syscall.EFAULT
	}
	into := unsafe.Slice((*byte)(a.P[0]), *length)
	return m.run(a, func() (int64, syscall.Errno) {
		value, err := f.socket.GetSockOptBytes(int(a.N[1]), int(a.N[2]), len(into))
		if err != nil {
			return -1, errnoOf(err)
		}
		*length = uint32(copy(into, value))
		return 0, 0
	})
}

// ioctl is ioctl(2) with a pointer to an int.
func (m *Machine) ioctl(a *Args) (int64, syscall.Errno) {
	f, errno := m.socketOf(a)
	if errno != 0 {
		return -1, errno
	}
	value := 0
	result, errno := m.run(a, func() (int64, syscall.Errno) {
		n, err := f.socket.Ioctl(int(a.N[1]))
		value = n
		return answer(0, err)
	})
	if into := at[int32](a, 0); errno == 0 && into != nil {
		*into = int32(value)
	}
	return result, errno
}
