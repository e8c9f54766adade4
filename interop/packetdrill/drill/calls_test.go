package drill

import (
	"encoding/binary"
	"syscall"
	"testing"
	"unsafe"

	"hubbub/socket"
	"hubbub/wire"
)

// poll tells what holds, and waits in the world's time.
func TestPoll(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	fds := []pollFD{{fd: int32(fd), events: socket.POLLIN | socket.POLLOUT}, {fd: -1}, {fd: 9999}}
	poll := func(n int, timeout int64) int64 {
		t.Helper()
		return s.want(Poll, numbers(int64(n), timeout).with(unsafe.Pointer(&fds[0])))
	}
	if n := poll(3, 0); n != 2 || fds[0].revents != socket.POLLOUT || fds[2].revents != socket.POLLNVAL {
		t.Errorf("%d: %+v, want room to write, and no such file", n, fds)
	}
	fds[0].events = socket.POLLIN
	before := s.now()
	if n := poll(2, 500); n != 0 || s.now()-before < second/2 {
		t.Errorf("%d after %v, want a time-out", n, s.now()-before)
	}
	s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "hello")
	if n := poll(2, -1); n != 1 || fds[0].revents != socket.POLLIN {
		t.Errorf("%d: %+v, want something to read", n, fds)
	}
}

// epoll_wait tells what the set was told to know a socket by.
func TestEpoll(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	set := s.want(EpollCreate, numbers(1))
	var event syscall.EpollEvent
	event.Events = socket.POLLIN
	*dataOf(&event) = 0x1122334455667788
	s.want(EpollCtl, numbers(set, epollAdd, fd).with(unsafe.Pointer(&event)))
	s.fails(EpollCtl, numbers(set, epollAdd, fd).with(unsafe.Pointer(&event)), syscall.EEXIST)
	s.fails(EpollCtl, numbers(fd, epollAdd, fd).with(unsafe.Pointer(&event)), syscall.EINVAL)
	var told [2]syscall.EpollEvent
	if n := s.want(EpollWait, numbers(set, 2, 100).with(unsafe.Pointer(&told))); n != 0 {
		t.Errorf("%d events before anything has come", n)
	}
	s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "hello")
	n := s.want(EpollWait, numbers(set, 2, -1).with(unsafe.Pointer(&told)))
	if n != 1 || told[0].Events != socket.POLLIN || *dataOf(&told[0]) != 0x1122334455667788 {
		t.Errorf("%d events, the first %+v", n, told[0])
	}
	s.want(Close, numbers(set))
	s.fails(EpollWait, numbers(set, 2, 0).with(unsafe.Pointer(&told)), syscall.EBADF)
}

// Options are C's bytes.
func TestOptions(t *testing.T) {
	s := newScript(t)
	fd, _ := s.connection()
	on, length := int32(1), uint32(4)
	s.want(Setsockopt, numbers(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY, 4).with(unsafe.Pointer(&on)))
	on = 0
	s.want(Getsockopt, numbers(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY).with(unsafe.Pointer(&on), unsafe.Pointer(&length)))
	if on != 1 || length != 4 {
		t.Errorf("TCP_NODELAY is %d, of %d bytes", on, length)
	}
	s.fails(Setsockopt, numbers(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY, 4), syscall.EFAULT)
	const tcpInfo = 11
	var info [300]byte
	length = uint32(len(info))
	s.want(Getsockopt, numbers(fd, socket.IPPROTO_TCP, tcpInfo).with(unsafe.Pointer(&info), unsafe.Pointer(&length)))
	if info[0] != 1 || length < 232 {
		t.Errorf("TCP_INFO tells state %d in %d bytes", info[0], length)
	}
}

// readv and writev move several pieces, sendmsg and recvmsg likewise.
func TestPieces(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	a, b := []byte("hel"), []byte("lo")
	pieces := []syscall.Iovec{{Base: &a[0], Len: 3}, {Base: &b[0], Len: 2}}
	if n := s.want(Writev, numbers(fd, 2).with(unsafe.Pointer(&pieces[0]))); n != 5 {
		t.Errorf("writev returns %d", n)
	}
	if _, data, _ := s.hears(); data != "hello" {
		t.Errorf("the host sends %q", data)
	}
	s.sends(wire.TCP{Seq: 101, Ack: iss + 6, Flags: wire.ACK | wire.PSH}, "HELLO")
	m := syscall.Msghdr{Iov: &pieces[0], Iovlen: 2}
	if n := s.want(Recvmsg, numbers(fd, 0).with(unsafe.Pointer(&m))); n != 5 || string(a)+string(b) != "HELLO" {
		t.Errorf("recvmsg returns %d: %q, %q", n, a, b)
	}
	pieces[1].Base = nil
	s.fails(Readv, numbers(fd, 2).with(unsafe.Pointer(&pieces[0])), syscall.EFAULT)
}

// What comes to a socket goes into a pipe of the kernel's, and back.
func TestSplice(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	var ends [2]int32
	s.want(Pipe, Args{}.with(unsafe.Pointer(&ends)))
	s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "round")
	if n := s.want(Splice, numbers(fd, int64(ends[1]), 100)); n != 5 {
		t.Errorf("splice into the pipe returns %d", n)
	}
	s.hears() // the ACK
	if n := s.want(Splice, numbers(int64(ends[0]), fd, 100)); n != 5 {
		t.Errorf("splice out of the pipe returns %d", n)
	}
	if _, data, _ := s.hears(); data != "round" {
		t.Errorf("the host sends %q", data)
	}
	s.want(Close, numbers(int64(ends[0])))
	s.want(Close, numbers(int64(ends[1])))
}

// ioctl tells how much there is to read; fcntl whether calls wait.
func TestIoctlAndFcntl(t *testing.T) {
	s := newScript(t)
	fd, iss := s.connection()
	s.sends(wire.TCP{Seq: 101, Ack: iss + 1, Flags: wire.ACK | wire.PSH}, "hello")
	var n int32
	const siocInq = 0x541b
	s.want(Ioctl, numbers(fd, siocInq).with(unsafe.Pointer(&n)))
	if n != 5 {
		t.Errorf("SIOCINQ tells %d", n)
	}
	if flags := s.want(Fcntl, numbers(fd, syscall.F_GETFL)); flags != syscall.O_RDWR {
		t.Errorf("the flags are %#x", flags)
	}
	s.want(Fcntl, numbers(fd, syscall.F_SETFL, syscall.O_RDWR|syscall.O_NONBLOCK))
	b := make([]byte, 10)
	s.want(Read, numbers(fd, 10).with(bufferOf(b)))
	s.fails(Read, numbers(fd, 10).with(bufferOf(b)), syscall.EAGAIN)
	s.fails(Read, numbers(fd, 10), syscall.EFAULT)
	s.fails(Listen, numbers(9999, 1), syscall.EBADF)
	if owns := s.want(Owns, numbers(fd)); owns != 1 {
		t.Error("the connection isn't the machine's")
	}
}

// An AF_INET6 socket speaks of IPv4 addresses as mapped.
func TestMappedAddresses(t *testing.T) {
	b := make([]byte, syscall.SizeofSockaddrInet6)
	length := uint32(len(b))
	writeAddress(bufferOf(b), &length, peerAddr, true)
	if family := binary.NativeEndian.Uint16(b); family != syscall.AF_INET6 || length != syscall.SizeofSockaddrInet6 {
		t.Errorf("family %d in %d bytes", family, length)
	}
	if got, errno := readAddress(bufferOf(b), int64(length)); errno != 0 || got != peerAddr {
		t.Errorf("read back: %v, %v", got, errno)
	}
	if _, errno := readAddress(bufferOf(b), 129); errno != syscall.EINVAL {
		t.Errorf("an address of 129 bytes: %v", errno)
	}
	if _, errno := readAddress(bufferOf(b), 4); errno != syscall.EINVAL {
		t.Errorf("an address of 4 bytes: %v", errno)
	}
}
