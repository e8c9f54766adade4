package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/sim"
	"hubbub/stack"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// A Socket is a program's end of a conversation. Its methods may be called
// from several goroutines at once.
//
// A program can have a million: what only some need is in more.
type Socket struct {
	host  *Host
	tcp   *stack.TCP // nil if it is something else
	other *other     // never nil
	rare  *more

	readable, writable          sim.WaitList
	readDeadline, writeDeadline clock.Time
	older, newer                *Socket // of the host's open sockets

	stream Conn  // for those who want a net.Conn
	fd     int32 // 0 for none yet
	loans  loans
	family Family
	kind   Type

	nonblocking bool
	closed      bool
	writing     bool // somebody is in the middle of a write
	readShut    bool
	writeShut   bool // of a datagram socket
	opening     bool // Connect was called, and hasn't said yet how it went
	reported    bool // the error that ended the connection was told
	crowded     bool // somebody has found no room to write
	awaits      bool // a program waits for datagrams, and may fall behind
	answers     bool // something was read since the last write
}

// other is what a socket stands on if it isn't TCP: one of them, which the type
// and family decide.
type other struct {
	udp  *stack.UDP
	raw  *stack.Raw
	unix *unixEnd
}

// onlyTCP is what sockets of TCP have. It is never written to.
var onlyTCP other

// newSocket returns a socket that stands on nothing yet.
func (h *Host) newSocket(family Family, kind Type) *Socket {
	s := &Socket{host: h, family: family, kind: kind, other: &onlyTCP}
	s.stream.sock = s
	return s
}

// Socket creates a socket (socket(2)). The errors are EAFNOSUPPORT for a
// family that isn't there, ESOCKTNOSUPPORT for a type, EACCES for a raw socket
// without privilege.
func (h *Host) Socket(family Family, kind Type) (*Socket, error) {
	return h.SocketOf(family, kind, 0)
}

// SocketOf creates a socket of a certain protocol: for type SOCK_RAW
// IPPROTO_ICMP (of family AF_INET6 IPPROTO_ICMPV6), or IPPROTO_RAW to send packets whose IPv4 header the program
// writes, with any source address (raw(7)); else 0 for the type's own.
func (h *Host) SocketOf(family Family, kind Type, protocol int) (*Socket, error) {
	return h.create(family, kind, protocol, false)
}

// create is SocketOf, or what [Host.goSocket] says.
func (h *Host) create(family Family, kind Type, protocol int, asGo bool) (*Socket, error) {
	h.world.Enter()
	defer h.world.Unlock()
	s := h.newSocket(family, kind)
	if errno := s.open(protocol, asGo); errno != 0 {
		return nil, failed("socket", errno)
	}
	h.add(s)
	s.descriptor()
	if h.world.Stream.On() {
		s.tell("socket", 0, "%s, %s", nil, family, kind)
	}
	return s, nil
}

// PingSocket creates a raw socket of the family's ICMP, and returns the identifier that its
// echo requests are to have. It takes no privilege, as ping(8) doesn't. The
// error is why the network has stopped.
func (h *Host) PingSocket(family Family) (s *Socket, id uint16, err error) {
	h.world.Enter()
	defer h.world.Unlock()
	if err := h.world.Err(); err != nil {
		return nil, 0, err
	}
	s = h.newSocket(family, SOCK_RAW)
	s.openICMP()
	h.add(s)
	h.pings++
	return s, h.pings, nil
}

func (s *Socket) open(protocol int, asGo bool) syscall.Errno {
	h := s.host
	switch {
	case s.family == AF_UNIX && (s.kind == SOCK_STREAM || s.kind == SOCK_DGRAM):
		s.other = &other{unix: newUnixEnd(s)}
	case s.family == AF_UNIX:
		return syscall.ESOCKTNOSUPPORT
	case s.family != AF_INET && s.family != AF_INET6:
		return syscall.EAFNOSUPPORT
	case s.kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP):
		s.stand(h.stack.NewTCP())
		set := s.tcp.Settings()
		set.Params.NoDelay = asGo
		set.Options.Privileged = !h.ordinary
		set.Options.IPv6 = s.family == AF_INET6
		set.Options.V6Only = set.Options.IPv6 && h.stack.Config().BindV6Only
		s.tcp.SetAll(set)
	case s.kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP):
		s.other = &other{udp: h.stack.NewUDP()}
		s.other.udp.SetOwner(s)
		s.other.udp.Options.Privileged = !h.ordinary
		s.other.udp.Options.IPv6 = s.family == AF_INET6
		s.other.udp.Options.V6Only = s.other.udp.Options.IPv6 && h.stack.Config().BindV6Only
	case s.kind == SOCK_RAW && (protocol == s.icmp() || protocol == IPPROTO_RAW) && h.ordinary:
		return syscall.EACCES
	case s.kind == SOCK_RAW && protocol == IPPROTO_RAW && s.family == AF_INET:
		s.other = &other{raw: h.stack.NewRaw(wire.Protocol(IPPROTO_RAW))}
		s.other.raw.Options.HeaderIncluded = true
		s.other.raw.SetOwner(s)
	case s.kind == SOCK_RAW && protocol == s.icmp():
		s.openICMP()
	case s.kind == SOCK_STREAM || s.kind == SOCK_DGRAM || s.kind == SOCK_RAW:
		return syscall.EPROTONOSUPPORT
	default:
		return syscall.ESOCKTNOSUPPORT
	}
	return 0
}

// icmp returns the number of the family's protocol of control messages.
func (s *Socket) icmp() int {
	if s.family == AF_INET6 {
		return IPPROTO_ICMPV6
	}
	return IPPROTO_ICMP
}

func (s *Socket) openICMP() {
	s.other = &other{raw: s.host.stack.NewRaw(wire.Protocol(s.icmp()))}
	s.other.raw.Options.IPv6 = s.family == AF_INET6
	s.other.raw.SetOwner(s)
}

// stand makes e the connection that the socket is for.
func (s *Socket) stand(e *stack.TCP) {
	s.tcp = e
	e.SetOwner(s)
}

// descriptor returns the socket's number, and gives it one if it has none.
func (s *Socket) descriptor() int {
	if s.fd == 0 {
		// As in a program that has standard input, output and error open.
		s.fd = int32(3 + s.host.files)
		s.host.files++
	}
	return int(s.fd)
}

// enter locks the world and returns its time, or an error if the socket or
// the network is closed; then the world is unlocked again.
func (s *Socket) enter() (clock.Time, error) {
	w := s.host.world
	now := w.Enter()
	if err := s.usable(); err != nil {
		w.Unlock()
		return 0, err
	}
	return now, nil
}

// usable returns why the socket can't be used any more, nil if it can.
func (s *Socket) usable() error {
	if s.closed {
		return net.ErrClosed
	}
	return s.host.world.Err()
}

// leave lets happen what follows from the call and unlocks the world.
func (s *Socket) leave() { s.host.world.Leave(s.host.node) }

// wait waits until l is woken. Called with the world locked, it returns so.
// until is the limit that the call's time-out sets; the deadline, which may
// change meanwhile, is looked up.
func (s *Socket) wait(l *sim.WaitList, deadline *clock.Time, until clock.Time) error {
	if l == &s.readable {
		// Whoever waits to read has found nothing, and changed nothing.
		return s.waitAfter(nil, l, deadline, until)
	}
	return s.waitFor(l, deadline, until)
}

// waitToRead waits until there is something to read. It returns how much of that b has
// got already.
func (s *Socket) waitToRead(b []byte, until clock.Time) (int, error) {
	w := s.host.world
	if s.nonblocking || w.IsVirtual() || s.other.unix != nil {
		return 0, s.wait(&s.readable, &s.readDeadline, until)
	}
	asked := !s.answers // what it wrote last may be answered in a moment
	n, err := w.WaitToFill(&s.readable, clock.Earlier(s.readDeadline, until), b, asked)
	if n > 0 {
		s.answers = true
		return n, nil
	}
	return 0, s.waited(err, &s.readDeadline)
}

// waitFor is wait for what need not be the socket's own.
func (s *Socket) waitFor(l *sim.WaitList, deadline *clock.Time, until clock.Time) error {
	return s.waitAfter(s.host.node, l, deadline, until)
}

// waitAfter is waitFor after a change to a node, nil if there was none.
func (s *Socket) waitAfter(n *sim.Node, l *sim.WaitList, deadline *clock.Time, until clock.Time) error {
	if s.nonblocking {
		return syscall.EAGAIN
	}
	_, err := s.host.world.Wait(context.Background(), n, l, clock.Earlier(*deadline, until))
	return s.waited(err, deadline)
}

// waited returns what a wait that has ended with err ends in.
func (s *Socket) waited(err error, deadline *clock.Time) error {
	switch {
	case err == nil:
		return s.usable()
	case errors.Is(err, errDeadline) && s.more().timeout <= 0 && !deadline.Due(s.host.world.Now()):
		return syscall.EAGAIN // what SO_RCVTIMEO and SO_SNDTIMEO end in
	}
	return err
}

// untilRead and untilWrite return when a time-out ends a call that begins now:
// SetTimeout's, else SO_RCVTIMEO's or SO_SNDTIMEO's.
func (s *Socket) untilRead(now clock.Time) clock.Time { return s.until(now, s.more().receiveTimeout) }

func (s *Socket) untilWrite(now clock.Time) clock.Time { return s.until(now, s.more().sendTimeout) }

func (s *Socket) until(now clock.Time, otherwise clock.Duration) clock.Time {
	switch {
	case s.more().timeout > 0:
		return now.Add(s.more().timeout)
	case otherwise > 0:
		return now.Add(otherwise)
	}
	return clock.Never
}

// wake wakes those who can go on now.
func (s *Socket) wake() {
	if s.rare != nil {
		s.tellProgress(s.host.world.Now())
	}
	if !s.readable.Empty() && s.canRead() && !s.fillReader() {
		s.readable.WakeAll()
	}
	if !s.writable.Empty() && s.canWrite() {
		s.writable.WakeAll()
	}
	if s.awaits && s.other.udp != nil && s.other.udp.FallsBehind() {
		s.host.world.Lag()
	}
	s.notify()
}

// canRead reports whether a call that reads or accepts would not wait.
func (s *Socket) canRead() bool {
	switch {
	case s.closed, s.readShut:
		return true
	case s.tcp != nil && s.tcp.Listener() != nil:
		return s.tcp.Pending() > 0
	case s.tcp != nil:
		c := s.tcp.Conn()
		return c == nil || c.Ready()&tcp.ReadyRead != 0
	case s.other.udp != nil:
		return s.other.udp.Pending() > 0 || s.other.udp.HasError()
	case s.other.raw != nil:
		return s.other.raw.Pending() > 0
	}
	return s.other.unix.canRead()
}

// canWrite reports whether a call that writes or connects should go on: a
// third of the send buffer is free, as on Linux, so that a writer isn't woken
// for every acknowledgement.
func (s *Socket) canWrite() bool {
	if s.closed {
		return true
	}
	switch {
	case s.other.unix != nil:
		return s.other.unix.canWrite()
	case s.tcp == nil || s.tcp.Conn() == nil:
		return true
	}
	return s.tcp.Conn().Ready()&tcp.ReadyWrite != 0
}

// Close gives up the socket: close(2). Data that was sent is still delivered,
// and a TCP connection is ended in order; if data has arrived that nobody has
// read, it is reset (RFC 9293, 3.6.1). With SO_LINGER Close waits until what
// was sent is acknowledged, or so many seconds; with 0 seconds it resets.
func (s *Socket) Close() error {
	now, err := s.enter()
	if err != nil {
		return failed("close", err)
	}
	defer s.leave()
	s.tell("close", 0, "", nil)
	s.closed = true
	s.host.remove(s)
	switch {
	case s.tcp != nil:
		err = s.closeTCP(now)
	case s.other.udp != nil:
		s.other.udp.LeaveGroups(now)
		s.other.udp.Close()
	case s.other.raw != nil:
		s.other.raw.LeaveGroups(now)
		s.other.raw.Close()
	default:
		s.other.unix.close()
	}
	s.readable.WakeAll()
	s.writable.WakeAll()
	s.forsake()
	return failed("close", err)
}

func (s *Socket) closeTCP(now clock.Time) error {
	switch {
	case s.more().lingerSet && s.more().linger == 0:
		s.tcp.Abort(now)
		return nil
	case s.more().lingerSet && s.tcp.Conn() != nil:
		return s.lingerClose(now)
	}
	s.tcp.Close(now)
	return nil
}

// lingerClose waits until everything that was written, and the FIN, is
// acknowledged. What takes longer goes on in the background, as on Linux.
func (s *Socket) lingerClose(now clock.Time) error {
	c := s.tcp.Conn()
	if c.Readable() > 0 || c.CloseWrite(now) != nil {
		s.tcp.Close(now) // which resets, as nobody will read what has arrived
		return nil
	}
	s.tcp.Update(now)
	until := now.Add(s.more().linger)
	var err error
	for err == nil && c.State() != tcp.StateClosed && (c.Unacked()+c.Unsent() > 0 || c.State() == tcp.StateFinWait1) {
		_, err = s.host.world.Wait(context.Background(), s.host.node, &s.writable, until)
	}
	s.tcp.Close(s.host.world.Now())
	if errors.Is(err, errDeadline) {
		return nil
	}
	return err
}

// local and remote return the socket's addresses, zero if it has none.
func (s *Socket) local() netip.AddrPort {
	switch {
	case s.tcp != nil:
		return s.shown(s.tcp.Local())
	case s.other.udp != nil:
		return s.shown(s.other.udp.Local())
	case s.other.raw != nil:
		return netip.AddrPortFrom(s.other.raw.Local(), 0)
	}
	return netip.AddrPort{}
}

func (s *Socket) remote() netip.AddrPort {
	switch {
	case s.tcp != nil:
		return s.shown(s.tcp.Remote())
	case s.other.udp != nil:
		return s.shown(s.other.udp.Remote())
	case s.other.raw != nil:
		return netip.AddrPortFrom(s.other.raw.Remote(), 0)
	}
	return netip.AddrPort{}
}

// tell publishes a call that has come to its end.
func (s *Socket) tell(call string, result int, format string, err error, args ...any) {
	w := s.host.world
	if !w.Stream.On() {
		return
	}
	s.publish(event.SocketCall{
		FD: s.descriptor(), Call: call, Args: formatArgs(format, args), Result: resultText(result, err), Error: errorText(err),
	})
}
