package socket

import (
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/sim"
	"hubbub/stack"
)

// A Conn is a connection as package net has it: [net.Conn], and what
// [net.TCPConn] offers beside.
type Conn struct {
	sock *Socket
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
)

// Socket returns the socket inside.
func (c *Conn) Socket() *Socket { return c.sock }

// Read reads at most len(b) bytes, and waits for the first. The error is
// io.EOF once the peer has closed its side and everything is read.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.sock.recv(b, 0)
	if err == nil {
		return n, nil
	}
	return n, c.error("read", failed("read", err))
}

// Write writes all of b, or returns an error and how much was written.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.sock.send(b, 0)
	if err == nil {
		return n, nil
	}
	return n, c.error("write", failed("write", err))
}

// Close closes the connection: see [Socket.Close].
func (c *Conn) Close() error { return c.error("close", c.sock.Close()) }

// CloseRead and CloseWrite close one direction: see [Socket.Shutdown].
func (c *Conn) CloseRead() error  { return c.error("close", c.sock.Shutdown(SHUT_RD)) }
func (c *Conn) CloseWrite() error { return c.error("close", c.sock.Shutdown(SHUT_WR)) }

// LocalAddr and RemoteAddr return the connection's two ends.
func (c *Conn) LocalAddr() net.Addr  { return c.sock.netAddr((*Socket).local) }
func (c *Conn) RemoteAddr() net.Addr { return c.sock.peerAddr() }

// SetDeadline, SetReadDeadline and SetWriteDeadline set until when calls may
// wait, in the world's time: see the package comment. They act on calls that
// are waiting already.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, true, true))
}

// SetReadDeadline sets until when Read may wait.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, true, false))
}

// SetWriteDeadline sets until when Write may wait.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, false, true))
}

// SetNoDelay says whether small segments are sent at once (true, as Go's net
// has it) or wait for company (Nagle's algorithm, RFC 9293, 3.7.4).
func (c *Conn) SetNoDelay(on bool) error {
	return c.error("set", c.sock.SetSockOpt(IPPROTO_TCP, TCP_NODELAY, toInt(on)))
}

// SetLinger sets what Close does with data that is not acknowledged yet: with
// a negative time it is sent in the background, with 0 the connection is
// reset, else Close waits for that many seconds.
func (c *Conn) SetLinger(seconds int) error {
	return c.error("set", c.sock.SetSockOpt(SOL_SOCKET, SO_LINGER, seconds))
}

// SetKeepAlive switches probes of an idle connection on or off.
func (c *Conn) SetKeepAlive(on bool) error {
	return c.error("set", c.sock.SetSockOpt(SOL_SOCKET, SO_KEEPALIVE, toInt(on)))
}

// SetKeepAlivePeriod sets the time before the first probe and that between
// two.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: d, Interval: d})
}

// SetKeepAliveConfig sets all about probes: idle time, interval, count. Fields
// that are zero or negative are left as they are. Unlike setsockopt it is not
// limited to whole seconds.
func (c *Conn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	return c.error("set", failed("setsockopt", c.sock.setKeepAliveConfig(config)))
}

func (s *Socket) setKeepAliveConfig(config net.KeepAliveConfig) error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	if s.tcp == nil {
		return syscall.EOPNOTSUPP
	}
	s.tcp.Set(func(set *stack.Settings) {
		k := &set.Params.KeepAlive
		k.On = config.Enable
		k.Idle = positive(config.Idle, k.Idle)
		k.Interval = positive(config.Interval, k.Interval)
		k.Probes = positive(config.Count, k.Probes)
	})
	s.applyKeepAlive(now)
	return nil
}

func positive[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// SetReadBuffer and SetWriteBuffer set the buffers' sizes in bytes.
func (c *Conn) SetReadBuffer(bytes int) error {
	return c.error("set", c.sock.SetSockOpt(SOL_SOCKET, SO_RCVBUF, bytes/2))
}

// SetWriteBuffer sets how many bytes may wait to be acknowledged.
func (c *Conn) SetWriteBuffer(bytes int) error {
	return c.error("set", c.sock.SetSockOpt(SOL_SOCKET, SO_SNDBUF, bytes/2))
}

// transferSize is how much ReadFrom and WriteTo move at a time.
const transferSize = 64 << 10

// ReadFrom writes what it reads from r, until its end.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(onlyWriter{c}, onlyReader{r}, make([]byte, transferSize))
}

// WriteTo reads until the end of the stream and writes that to w.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(onlyWriter{w}, onlyReader{c}, make([]byte, transferSize))
}

// onlyReader and onlyWriter hide the methods that io.Copy would come back by.
type onlyReader struct{ io.Reader }

type onlyWriter struct{ io.Writer }

// error makes a *net.OpError of what went wrong.
func (c *Conn) error(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return opError(op, c.sock.network(), c.LocalAddr(), c.RemoteAddr(), err)
}

func (s *Socket) network() string {
	switch {
	case s.other.unix != nil && s.kind == SOCK_STREAM:
		return "unix"
	case s.other.unix != nil:
		return "unixgram"
	case s.kind == SOCK_STREAM:
		return "tcp"
	case s.kind == SOCK_DGRAM:
		return "udp"
	}
	return "ip"
}

// netAddr returns one of the socket's addresses as package net has it.
func (s *Socket) netAddr(which func(*Socket) netip.AddrPort) net.Addr {
	s.host.world.Enter()
	defer s.host.world.Unlock()
	return s.addrOf(which(s))
}

// peerAddr returns the peer's address as package net has it.
func (s *Socket) peerAddr() net.Addr {
	if s.other.unix == nil {
		return s.netAddr((*Socket).remote)
	}
	s.host.world.Enter()
	defer s.host.world.Unlock()
	return &net.UnixAddr{Name: s.peerName(), Net: s.network()}
}

func (s *Socket) addrOf(addr netip.AddrPort) net.Addr {
	switch {
	case s.other.unix != nil:
		return &net.UnixAddr{Name: s.other.unix.path, Net: s.network()}
	case s.kind == SOCK_STREAM:
		return net.TCPAddrFromAddrPort(addr)
	case s.kind == SOCK_DGRAM:
		return net.UDPAddrFromAddrPort(addr)
	}
	return &net.IPAddr{IP: addr.Addr().AsSlice()}
}

// setDeadline sets the deadlines, and wakes those who wait so that they heed
// them.
func (s *Socket) setDeadline(t time.Time, read, write bool) error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	at := s.host.instant(now, t)
	if read {
		s.readDeadline = at
		s.readable.WakeAll()
	}
	if write {
		s.writeDeadline = at
		s.writable.WakeAll()
	}
	return nil
}

// connectWithin is connect with the context's deadline as that of the attempt. Here the
// world's clock decides, not the one outside.
func (s *Socket) connectWithin(ctx context.Context, remote netip.AddrPort) error {
	t, limited := ctx.Deadline()
	if !limited {
		return s.connect(ctx, remote)
	}
	s.host.world.Enter()
	s.writeDeadline = s.host.outside(t)
	s.host.world.Unlock()
	err := s.connect(ctx, remote)
	s.host.world.Enter()
	s.writeDeadline = clock.Never
	s.host.world.Unlock()
	return err
}

// dialed makes a Conn of a socket that was connected without an error, and
// closes one that was not.
func (s *Socket) dialed(err error) (net.Conn, error) {
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s.conn(), nil
}

// conn returns the net.Conn that suits the socket. As in Go's net, Nagle's
// algorithm is off: see [Host.goSocket]. Keep-alive is off too until the program asks for it, where
// Go's net probes every 15 s: what is seen is what the RFC has by default
// (RFC 9293, 3.8.4, MUST-25), and probes are the standard's, two hours apart.
func (s *Socket) conn() net.Conn {
	if s.kind != SOCK_STREAM {
		return &PacketConn{s, true}
	}
	return &s.stream
}

// goSocket creates a socket with what Go's package net sets on every TCP connection. A
// listener's connections inherit it.
func (h *Host) goSocket(family Family, kind Type) (*Socket, error) {
	return h.create(family, kind, 0, true)
}

// outside returns the time of the world that a deadline of the clock outside
// means. It needs the lock.
func (h *Host) outside(t time.Time) clock.Time {
	return max(1, h.world.Now().Add(sim.Until(t).Round(time.Millisecond)))
}
