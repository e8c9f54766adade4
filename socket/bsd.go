package socket

import (
	"context"
	"io"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
)

// The functions of this file are the course's, under the course's names. An
// address is "host:port" for AF_INET and AF_INET6, where the host may be a name or
// empty, and a path for AF_UNIX. That of IPv6 stands in brackets, and if it is a
// link-local one it has its interface: "[fe80::1%eth0]:8080".

// Bind gives the socket a local address. Port 0 is any that is free. The
// errors are EADDRINUSE, EADDRNOTAVAIL for an address that the machine hasn't,
// and EACCES for a port below 1024 without privilege.
func (s *Socket) Bind(address string) error {
	if s.other.unix != nil {
		return s.local1("bind", address, s.other.unix.bind)
	}
	local, err := s.resolve("tcp", address)
	if err != nil {
		return err
	}
	return failed("bind", s.bind(local))
}

// local1 makes a call on a socket of family AF_UNIX.
func (s *Socket) local1(call, path string, f func(string) error) error {
	if _, err := s.enter(); err != nil {
		return failed(call, err)
	}
	defer s.leave()
	err := f(path)
	s.tell(call, 0, "%s", err, path)
	return failed(call, err)
}

// Listen makes the socket wait for connections; backlog of them may wait to
// be accepted, and as on Linux one more.
func (s *Socket) Listen(backlog int) error { return failed("listen", s.listen(backlog)) }

// Accept returns a socket for the connection that has waited longest, and the
// peer's address. It waits for one.
func (s *Socket) Accept() (*Socket, string, error) {
	conn, err := s.accept()
	if err != nil {
		return nil, "", failed("accept", err)
	}
	return conn, conn.peerName(), nil
}

// Connect opens a connection and waits until it is open. On a datagram socket
// it fixes the peer. The errors are ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,
// ENETUNREACH, EISCONN, EADDRNOTAVAIL if all ports are taken, and, of a
// socket that doesn't wait, EINPROGRESS.
func (s *Socket) Connect(address string) error {
	if s.other.unix != nil {
		return failed("connect", s.connectPath(address))
	}
	remote, err := s.resolve("tcp", address)
	if err != nil {
		return err
	}
	return failed("connect", s.connect(context.Background(), remote))
}

// ConnectEx is Connect with an error number instead of an error: 0 if the
// connection is open.
func (s *Socket) ConnectEx(address string) syscall.Errno {
	err := s.Connect(address)
	if errno := errnoOf(err); err == nil || errno != 0 {
		return errno
	}
	return syscall.EHOSTUNREACH
}

// Recv returns at most n bytes that have arrived, and waits for the first of
// them. No bytes and no error are the end of the stream: the peer has closed
// its side. flags are MSG_PEEK, MSG_OOB, MSG_WAITALL and MSG_DONTWAIT.
func (s *Socket) Recv(n, flags int) ([]byte, error) {
	b := make([]byte, n)
	got, err := s.recv(b, flags)
	if err == io.EOF {
		err = nil
	}
	return b[:got], failed("recv", err)
}

// AtMark reports whether the next byte to be read is the first after urgent
// data: sockatmark(3).
func (s *Socket) AtMark() (bool, error) {
	if _, err := s.enter(); err != nil {
		return false, failed("ioctl", err)
	}
	defer s.host.world.Unlock()
	if s.tcp == nil || s.tcp.Conn() == nil {
		return false, failed("ioctl", syscall.ENOTCONN)
	}
	return s.tcp.Conn().AtMark(), nil
}

// Send writes b and returns how many of its bytes were taken: all of them, if
// the socket waits. Nothing is lost: what was not taken is still the
// caller's. flags are MSG_OOB, for urgent data, and MSG_DONTWAIT. The error is
// EPIPE if the connection was closed, ECONNRESET if the peer reset it.
func (s *Socket) Send(b []byte, flags int) (int, error) {
	n, err := s.send(b, flags)
	return n, failed("send", err)
}

func (s *Socket) send(b []byte, flags int) (int, error) {
	switch {
	case flags&MSG_OOB != 0:
		return s.sendUrgent(b)
	case s.kind != SOCK_STREAM && s.other.unix != nil:
		return s.sendMessage(b, "")
	case s.kind != SOCK_STREAM:
		return s.sendTo(b, netip.AddrPort{})
	case flags&MSG_DONTWAIT != 0 && !s.isNonblocking():
		return s.sendNow(b, flags)
	}
	return s.writeStream(b, flags)
}

// sendNow writes what there is room for.
func (s *Socket) sendNow(b []byte, flags int) (int, error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	if s.deferred() {
		s.host.world.Unlock()
		return s.sendEarly(b, netip.AddrPort{}, flags|MSG_DONTWAIT)
	}
	defer s.leave()
	n := 0
	if s.tooMany(flags) {
		return 0, syscall.ENOBUFS
	}
	if !s.writing {
		s.sayMore(flags&MSG_MORE != 0)
		var none pkt.View
		n, err = s.put(now, b, &none)
	}
	if n == 0 && err == nil && len(b) > 0 {
		err = syscall.EAGAIN
	}
	if flags&MSG_EOR != 0 {
		s.endRecord(err == nil && n == len(b))
	}
	s.crowded = s.crowded || n < len(b)
	s.tell("send", n, "%d bytes", err, len(b))
	s.update(now)
	s.numbered(now, flags, n)
	return n, err
}

func (s *Socket) sendUrgent(b []byte) (int, error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	if s.tcp == nil {
		return 0, syscall.EOPNOTSUPP
	}
	if err := s.writeEnd(s.tcp.Conn()); err != nil {
		return 0, err
	}
	n, err := s.tcp.Conn().WriteUrgent(now, b)
	s.tcp.Update(now)
	return n, err
}

// SendAll writes all of b: it loops where Send would return early.
func (s *Socket) SendAll(b []byte) error {
	for len(b) > 0 {
		n, err := s.Send(b, 0)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// RecvFrom returns the next datagram, cut to n bytes, and its sender.
func (s *Socket) RecvFrom(n int) ([]byte, string, error) {
	b := make([]byte, n)
	if s.other.unix != nil && s.kind == SOCK_DGRAM {
		got, from, _, err := s.receiveMessage(b, 0)
		return b[:got], from, failed("recvfrom", err)
	}
	if s.kind == SOCK_STREAM {
		got, err := s.Recv(n, 0)
		return got, s.peerName(), err
	}
	got, from, err := s.receiveFrom(b, 0)
	return b[:got], from.from.String(), failed("recvfrom", err)
}

// SendTo sends a datagram to an address. EMSGSIZE says that it is too long. On
// a connection the address means nothing, as on Linux.
func (s *Socket) SendTo(b []byte, address string) (int, error) {
	if s.kind == SOCK_STREAM {
		n, err := s.send(b, 0)
		return n, failed("sendto", err)
	}
	if s.other.unix != nil {
		n, err := s.sendMessage(b, address)
		return n, failed("sendto", err)
	}
	if s.other.raw != nil {
		addr, err := s.lookup(address)
		if err != nil {
			return 0, err
		}
		n, err := s.sendTo(b, netip.AddrPortFrom(addr, 0))
		return n, failed("sendto", err)
	}
	to, err := s.resolve("udp", address)
	if err != nil {
		return 0, err
	}
	n, err := s.sendTo(b, to)
	return n, failed("sendto", err)
}

// receiveMessage copies the next datagram of family AF_UNIX into b, and returns
// how long that was, whom it is from, and how much of it didn't fit.
func (s *Socket) receiveMessage(b []byte, flags int) (n int, from string, cut int, err error) {
	now, err := s.enter()
	if err != nil {
		return 0, "", 0, err
	}
	defer s.leave()
	until := s.untilRead(now)
	for {
		if d, ok := s.other.unix.receive(flags&MSG_PEEK != 0); ok {
			n, cut = copy(b, d.data.Bytes()), max(0, d.data.Len()-len(b))
			if flags&MSG_PEEK == 0 {
				d.data.Release()
			}
			return n, d.from, cut, nil
		}
		if flags&MSG_DONTWAIT != 0 {
			return 0, "", 0, syscall.EAGAIN
		}
		if err := s.wait(&s.readable, &s.readDeadline, until); err != nil {
			return 0, "", 0, err
		}
	}
}

// sendMessage sends a datagram to whoever is bound to path, and waits while
// there is no room for it.
func (s *Socket) sendMessage(b []byte, path string) (int, error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	until := s.untilWrite(now)
	for {
		full, err := s.other.unix.send(b, path)
		if err != nil {
			return 0, err
		}
		if full == nil {
			return len(b), nil
		}
		if err := s.waitFor(full, &s.writeDeadline, until); err != nil {
			return 0, err
		}
	}
}

// GetPeerName returns the peer's address. The error is ENOTCONN without one.
func (s *Socket) GetPeerName() (string, error) {
	if _, err := s.enter(); err != nil {
		return "", failed("getpeername", err)
	}
	defer s.host.world.Unlock()
	if !s.connected() {
		return "", failed("getpeername", syscall.ENOTCONN)
	}
	return s.peerName(), nil
}

func (s *Socket) connected() bool {
	switch {
	case s.other.unix != nil:
		return s.other.unix.peer != nil
	case s.tcp != nil:
		state := s.tcp.State()
		return s.tcp.Conn() != nil && state != tcp.StateClosed && state != tcp.StateSynSent
	}
	return s.remote().Addr().IsValid()
}

func (s *Socket) peerName() string {
	if s.other.unix == nil {
		return s.remote().String()
	}
	if s.other.unix.peer == nil {
		return ""
	}
	return s.other.unix.peer.path
}

// GetSockName returns the socket's own address, "0.0.0.0:0" or "[::]:0" for one
// that is not bound.
func (s *Socket) GetSockName() (string, error) {
	if _, err := s.enter(); err != nil {
		return "", failed("getsockname", err)
	}
	defer s.host.world.Unlock()
	switch local := s.local(); {
	case s.other.unix != nil:
		return s.other.unix.path, nil
	case local.IsValid():
		return local.String(), nil
	}
	return netip.AddrPortFrom(s.unspecified(), 0).String(), nil
}

// SetBlocking says whether calls wait: setblocking(False) makes them return
// EAGAIN instead, and connect EINPROGRESS.
func (s *Socket) SetBlocking(wait bool) {
	s.host.world.Enter()
	s.nonblocking = !wait
	s.setTimeout(0)
	s.host.world.Unlock()
}

func (s *Socket) isNonblocking() bool {
	s.host.world.Enter()
	defer s.host.world.Unlock()
	return s.nonblocking
}

// SetTimeout limits how long each call waits, in the world's time. A negative
// time-out is none; zero is SetBlocking(false).
func (s *Socket) SetTimeout(d clock.Duration) {
	s.host.world.Enter()
	s.nonblocking = d == 0
	s.setTimeout(max(0, d))
	s.host.world.Unlock()
}

// GetTimeout returns the time-out: negative for none, zero for a socket that
// doesn't wait.
func (s *Socket) GetTimeout() clock.Duration {
	s.host.world.Enter()
	defer s.host.world.Unlock()
	switch {
	case s.nonblocking:
		return 0
	case s.more().timeout == 0:
		return -1
	}
	return s.more().timeout
}

// Fileno returns the socket's descriptor: a number that no other socket of
// the machine has.
func (s *Socket) Fileno() int {
	s.host.world.Enter()
	defer s.host.world.Unlock()
	return s.descriptor()
}

// MakeFile returns a file that reads and writes the connection. Closing it
// closes the socket.
func (s *Socket) MakeFile() *Conn { return &Conn{s} }
