package drill

import (
	"syscall"
	"time"
	"unsafe"

	"hubbub/socket"
)

// pollFD is struct pollfd.
type pollFD struct {
	fd      int32
	events  int16
	revents int16
}

// mostDescriptors is how many poll takes at once, and epoll_wait tells of.
const mostDescriptors = 1 << 20

// poll is poll(2) of sockets; descriptors of anything else are invalid.
func (m *Machine) poll(a *Args) (int64, syscall.Errno) {
	switch {
	case a.N[0] < 0 || a.N[0] > mostDescriptors:
		return -1, syscall.EINVAL
	case a.P[0] == nil && a.N[0] > 0:
		return -1, syscall.EFAULT
	}
	entries := unsafe.Slice((*pollFD)(a.P[0]), a.N[0])
	fds := make([]socket.PollFD, 0, len(entries))
	var at []*pollFD
	invalid := int64(0)
	for i := range entries {
		e := &entries[i]
		e.revents = 0
		f := m.files.open[int(e.fd)]
		switch {
		case f != nil && f.socket != nil:
			fds = append(fds, socket.PollFD{Socket: f.socket, Events: int(e.events)})
			at = append(at, e)
		case e.fd >= 0:
			e.revents = socket.POLLNVAL
			invalid++
		}
	}
	timeout := milliseconds(a.N[1])
	if invalid > 0 {
		timeout = 0
	}
	n, errno := m.run(a, func() (int64, syscall.Errno) { return answer(m.host.Poll(fds, timeout)) })
	if errno != 0 {
		return n, errno
	}
	for i := range fds {
		at[i].revents = int16(fds[i].Revents)
	}
	return n + invalid, 0
}

// milliseconds returns the time-out of poll and epoll_wait, which is none if
// it is negative.
func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// The operations of epoll_ctl.
const (
	epollAdd    = 1
	epollDelete = 2
	epollModify = 3
)

func (m *Machine) epollCreate(a *Args) (int64, syscall.Errno) {
	if a.N[0] <= 0 {
		return -1, syscall.EINVAL
	}
	return m.files.add(&file{epoll: m.host.NewEpoll()})
}

func (m *Machine) epollOf(fd int64) (*socket.Epoll, syscall.Errno) {
	f := m.files.open[int(fd)]
	switch {
	case f == nil:
		return nil, syscall.EBADF
	case f.epoll == nil:
		return nil, syscall.EINVAL
	}
	return f.epoll, 0
}

func (m *Machine) epollCtl(a *Args) (int64, syscall.Errno) {
	e, errno := m.epollOf(a.N[0])
	if errno != 0 {
		return -1, errno
	}
	f := m.files.open[int(a.N[2])]
	switch {
	case f == nil:
		return -1, syscall.EBADF
	case f.socket == nil:
		return -1, syscall.EPERM
	}
	var event struct {
		events uint32
		data   uint64
	}
	if p := at[syscall.EpollEvent](a, 0); p != nil {
		event.events, event.data = p.Events, *dataOf(p)
	}
	return m.run(a, func() (int64, syscall.Errno) {
		switch a.N[1] {
		case epollAdd:
			return answer(0, e.Add(f.socket, event.events, event.data))
		case epollModify:
			return answer(0, e.Modify(f.socket, event.events, event.data))
		case epollDelete:
			return answer(0, e.Delete(f.socket))
		}
		return -1, syscall.EINVAL
	})
}

func (m *Machine) epollWait(a *Args) (int64, syscall.Errno) {
	e, errno := m.epollOf(a.N[0])
	if errno != 0 {
		return -1, errno
	}
	switch {
	case a.N[1] <= 0 || a.N[1] > mostDescriptors:
		return -1, syscall.EINVAL
	case a.P[0] == nil:
		return -1, syscall.EFAULT
	}
	events := make([]socket.EpollEvent, a.N[1])
	n, errno := m.run(a, func() (int64, syscall.Errno) { return answer(e.Wait(events, milliseconds(a.N[2]))) })
	if errno != 0 {
		return n, errno
	}
	into := unsafe.Slice(at[syscall.EpollEvent](a, 0), a.N[1])
	for i, event := range events[:n] {
		into[i].Events, *dataOf(&into[i]) = event.Events, event.Data
	}
	return n, 0
}

// dataOf returns where an event has its program's data: struct epoll_event is
// packed, and Go's has two numbers of 32 bits there.
func dataOf(e *syscall.EpollEvent) *uint64 { return (*uint64)(unsafe.Pointer(&e.Fd)) }
