package socket_test

import (
	"net/netip"
	"syscall"
	"testing"
	"unsafe"
)

// kernel is the machine beneath, on its loopback interface.
type kernel struct {
	t       *testing.T
	way     *way
	sockets map[string]int
	names   map[int]string
	sets    map[string]int
}

func newKernel(t *testing.T, w *way) *kernel {
	k := &kernel{t, w, map[string]int{}, map[int]string{}, map[string]int{}}
	fd, err := syscall.Socket(int(w.family), syscall.SOCK_STREAM, 0)
	if err == nil {
		defer syscall.Close(fd)
		err = syscall.Bind(fd, k.loopback())
	}
	if err != nil {
		t.Skipf("the kernel's own sockets can't be had here: %v", err)
	}
	return k
}

// loopback is this machine, and a port that is free.
func (k *kernel) loopback() syscall.Sockaddr {
	switch k.way {
	case overIPv6:
		return &syscall.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}
	case overMapped:
		return &syscall.SockaddrInet6{Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
	}
	return &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
}

func (k *kernel) end() {
	for _, fd := range k.sockets {
		syscall.Close(fd)
	}
	for _, fd := range k.sets {
		syscall.Close(fd)
	}
}

func (k *kernel) keep(name string, fd int) { k.sockets[name], k.names[fd] = fd, name }

func (k *kernel) open(name string, udp bool) error {
	kind := syscall.SOCK_STREAM
	if udp {
		kind = syscall.SOCK_DGRAM
	}
	fd, err := syscall.Socket(int(k.way.family), kind|syscall.SOCK_NONBLOCK, 0)
	if err == nil {
		k.keep(name, fd)
	}
	return err
}

func (k *kernel) bind(name, at string) error {
	if at == "" {
		return syscall.Bind(k.sockets[name], k.loopback())
	}
	return syscall.Bind(k.sockets[name], k.address(at))
}

func (k *kernel) address(name string) syscall.Sockaddr {
	a, err := syscall.Getsockname(k.sockets[name])
	if err != nil {
		k.t.Fatal(err)
	}
	return a
}
func (k *kernel) listen(name string, n int) error { return syscall.Listen(k.sockets[name], n) }
func (k *kernel) connect(name, to string) error {
	return syscall.Connect(k.sockets[name], k.address(to))
}

func (k *kernel) shutdown(name string, how int) error { return syscall.Shutdown(k.sockets[name], how) }

func (k *kernel) close(name string) error {
	err := syscall.Close(k.sockets[name])
	k.sockets[name] = -1
	return err
}

func (k *kernel) accept(name, from string) error {
	fd, _, err := syscall.Accept4(k.sockets[from], syscall.SOCK_NONBLOCK)
	if err == nil {
		k.keep(name, fd)
	}
	return err
}

func (k *kernel) send(name, text string, flags int) (int, error) {
	return syscall.SendmsgN(k.sockets[name], []byte(text), nil, nil, flags|syscall.MSG_NOSIGNAL)
}

func (k *kernel) sendto(name, text, to string) (int, error) {
	return syscall.SendmsgN(k.sockets[name], []byte(text), nil, k.address(to), syscall.MSG_NOSIGNAL)
}

func (k *kernel) recv(name string, n, flags int) (string, error) {
	b := make([]byte, n)
	got, _, result, _, err := syscall.Recvmsg(k.sockets[name], b, nil, flags)
	if err != nil {
		got, result = 0, 0
	}
	return told(b, got, result), err
}

func (k *kernel) poll(name string) int {
	fd := struct {
		fd              int32
		events, revents int16
	}{fd: int32(k.sockets[name]), events: 0x7fff}
	syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&fd)), 1, 0)
	return int(uint16(fd.revents))
}

func (k *kernel) set(name string, level, option int, value []byte) error {
	var p unsafe.Pointer
	if len(value) > 0 {
		p = unsafe.Pointer(&value[0])
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_SETSOCKOPT, uintptr(k.sockets[name]), uintptr(level), uintptr(option), uintptr(p), uintptr(len(value)), 0)
	return orNil(errno)
}

func (k *kernel) get(name string, level, option, size int) ([]byte, error) {
	b := make([]byte, 1024)
	n := uint32(size)
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(k.sockets[name]), uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return nil, errno
	}
	return b[:n], nil
}

func orNil(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func (k *kernel) ioctl(name string, request int) (int, error) {
	var n int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(k.sockets[name]), uintptr(request), uintptr(unsafe.Pointer(&n)))
	return int(n), orNil(errno)
}

func (k *kernel) epoll(name string) {
	fd, err := syscall.EpollCreate1(0)
	if err != nil {
		k.t.Fatal(err)
	}
	k.sets[name] = fd
}

func (k *kernel) control(op int, epoll, name string, events uint32) error {
	e := syscall.EpollEvent{Events: events, Fd: int32(k.sockets[name])}
	return syscall.EpollCtl(k.sets[epoll], op, k.sockets[name], &e)
}

// settle waits: the kernel's time is the one outside.
func (k *kernel) settle() {
	wait := syscall.NsecToTimeval(100e6)
	syscall.Select(0, nil, nil, nil, &wait)
}

func (k *kernel) wait(name string) (string, error) {
	events := make([]syscall.EpollEvent, 10)
	n, err := syscall.EpollWait(k.sets[name], events, 0)
	text := ""
	for _, e := range events[:max(0, n)] {
		text += " " + k.names[int(e.Fd)] + ":" + conditions(int(e.Events))
	}
	return text, err
}
