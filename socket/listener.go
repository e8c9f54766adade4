package socket

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A Listener is a listening socket as package net has it.
type Listener struct {
	sock *Socket
}

var _ net.Listener = (*Listener)(nil)

// defaultBacklog is the backlog of [Host.Listen]: Linux's somaxconn.
const defaultBacklog = 4096

// Listen listens at an address of network "tcp", "tcp4" or "tcp6", or at a path
// of network "unix". At all addresses of network "tcp" it listens for both
// families, if the machine uses both. The port is shared with connections in TIME-WAIT (SO_REUSEADDR), as
// in Go's net.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	l, err := h.listen(network, address)
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	return l, nil
}

func (h *Host) listen(network, address string) (net.Listener, error) {
	w, err := parseNetwork(network)
	if err != nil {
		return nil, err
	}
	if w.kind != SOCK_STREAM {
		return nil, net.UnknownNetworkError(network + " has no connections to listen for")
	}
	s, err := h.open(&w, address, true)
	if err != nil {
		return nil, err
	}
	if err := s.Listen(defaultBacklog); err != nil {
		_ = s.Close()
		return nil, err
	}
	return &Listener{s}, nil
}

// open returns a socket that is bound to an address, or to a path.
func (h *Host) open(w *wish, address string, reuse bool) (*Socket, error) {
	if !w.unix {
		return h.bound(w, address, reuse)
	}
	s, err := h.Socket(AF_UNIX, w.kind)
	if err != nil {
		return nil, err
	}
	if err := s.Bind(address); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Socket returns the socket inside.
func (l *Listener) Socket() *Socket { return l.sock }

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	s, err := l.sock.accept()
	if err != nil {
		return nil, opError("accept", l.sock.network(), nil, l.Addr(), failed("accept", err))
	}
	return s.conn(), nil
}

// Close stops listening; connections that nobody has accepted are reset.
func (l *Listener) Close() error {
	return opError("close", l.sock.network(), nil, l.Addr(), l.sock.Close())
}

// Addr returns the address that is listened at.
func (l *Listener) Addr() net.Addr { return l.sock.netAddr((*Socket).local) }

// SetDeadline sets until when Accept may wait.
func (l *Listener) SetDeadline(t time.Time) error {
	return opError("set", l.sock.network(), nil, l.Addr(), l.sock.setDeadline(t, true, false))
}

// A PacketConn is a datagram socket as package net has it. One that was
// dialled is a [net.Conn] too.
type PacketConn struct {
	sock   *Socket
	dialed bool
}

var (
	_ net.PacketConn = (*PacketConn)(nil)
	_ net.Conn       = (*PacketConn)(nil)
)

// ListenPacket binds a datagram socket to an address of network "udp", "udp4" or
// "udp6", or to
// a path of network "unixgram".
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	w, err := parseNetwork(network)
	if err == nil && w.kind != SOCK_DGRAM {
		err = net.UnknownNetworkError(network + " has no datagrams")
	}
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	s, err := h.open(&w, address, false)
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	return &PacketConn{sock: s}, nil
}

// Socket returns the socket inside.
func (c *PacketConn) Socket() *Socket { return c.sock }

// ReadFrom copies the next datagram into b, as much as fits, and returns its
// sender. It waits for one.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.sock.other.unix != nil {
		n, from, _, err := c.sock.receiveMessage(b, 0)
		return n, &net.UnixAddr{Name: from, Net: "unixgram"}, c.error("read", failed("recvfrom", err))
	}
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, udpAddr(from), nil
}

// udpAddr is net.UDPAddrFromAddrPort with one allocation less.
func udpAddr(from netip.AddrPort) *net.UDPAddr {
	a := &struct {
		net.UDPAddr
		store [16]byte
	}{}
	a.Port, a.Zone = int(from.Port()), from.Addr().Zone()
	if b := from.Addr().As16(); from.Addr().Is4() {
		a.IP = a.store[:copy(a.store[:], b[12:]):4]
	} else if from.IsValid() {
		a.store = b
		a.IP = a.store[:]
	}
	return &a.UDPAddr
}

// ReadFromAddrPort is ReadFrom without an allocation.
func (c *PacketConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.sock.receiveFrom(b, 0)
	return n, from.from, c.error("read", failed("recvfrom", err))
}

// errMissingAddress is what WriteTo says to no address.
var errMissingAddress = errors.New("missing address")

// WriteTo sends a datagram. addr is a *net.UDPAddr, or a *net.UnixAddr for
// network "unixgram". As in package net, what was dialled is written to with
// Write: the error is net.ErrWriteToConnected.
func (c *PacketConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	switch to := addr.(type) {
	case *net.UnixAddr:
		if to != nil && c.sock.other.unix != nil {
			n, err := c.sock.sendMessage(b, to.Name)
			return n, c.errorTo("write", to, failed("sendto", err))
		}
	case *net.UDPAddr:
		if to != nil && c.sock.other.unix == nil {
			ap := to.AddrPort()
			return c.WriteToAddrPort(b, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
		}
	case nil:
	default:
		return 0, c.errorTo("write", addr, &net.AddrError{Err: "this socket sends to UDP and unix addresses", Addr: addr.String()})
	}
	return 0, c.error("write", errMissingAddress)
}

// WriteToAddrPort is WriteTo without an allocation.
func (c *PacketConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.sock.other.unix != nil {
		return 0, c.error("write", syscall.EAFNOSUPPORT)
	}
	if c.dialed {
		return 0, c.errorTo("write", net.UDPAddrFromAddrPort(to), net.ErrWriteToConnected)
	}
	n, err := c.sock.sendTo(b, to)
	if err != nil {
		return n, c.errorTo("write", net.UDPAddrFromAddrPort(to), failed("sendto", err))
	}
	return n, nil
}

// Read copies the next datagram into b.
func (c *PacketConn) Read(b []byte) (int, error) {
	n, err := c.sock.recv(b, 0)
	return n, c.error("read", failed("read", err))
}

// Write sends a datagram to where the socket was dialled.
func (c *PacketConn) Write(b []byte) (int, error) {
	n, err := c.sock.send(b, 0)
	return n, c.error("write", failed("write", err))
}

// Close gives up the socket and what waits in it.
func (c *PacketConn) Close() error { return c.error("close", c.sock.Close()) }

// LocalAddr and RemoteAddr return the socket's ends; the latter of a socket
// that was dialled.
func (c *PacketConn) LocalAddr() net.Addr { return c.sock.netAddr((*Socket).local) }

// RemoteAddr returns where the socket was dialled, nil if it wasn't.
func (c *PacketConn) RemoteAddr() net.Addr {
	w := c.sock.host.world
	w.Enter()
	connected := c.sock.connected()
	w.Unlock()
	if !connected {
		return nil
	}
	return c.sock.peerAddr()
}

// SetDeadline sets until when calls may wait, in the world's time.
func (c *PacketConn) SetDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, true, true))
}

// SetReadDeadline sets until when reads may wait.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, true, false))
}

// SetWriteDeadline sets until when writes may wait. A datagram doesn't wait to be
// sent, but who has sent it may wait for milliseconds until a reader has caught up.
func (c *PacketConn) SetWriteDeadline(t time.Time) error {
	return c.error("set", c.sock.setDeadline(t, false, true))
}

func (c *PacketConn) error(op string, err error) error {
	if err == nil {
		return nil
	}
	return c.errorTo(op, c.RemoteAddr(), err)
}

// errorTo makes a *net.OpError of what went wrong with another address.
func (c *PacketConn) errorTo(op string, to net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return opError(op, c.sock.network(), c.LocalAddr(), to, err)
}
