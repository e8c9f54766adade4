package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/timerq"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// unspecified returns the address that stands for all of a family.
func unspecified(six bool) netip.Addr {
	if six {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// dualAt is where those are listed who listen at a port of all addresses of
// both families.
func dualAt(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(netip.IPv4Unspecified().As16()), port)
}

// TCP is one end of a connection, or what waits for connections. There may be a
// million, at rest: what several have in common they share.
type TCP struct {
	endpoint
	settings      *Settings
	local, remote netip.AddrPort
	path          *path
	conn          *tcp.Conn
	listening     *listening // of a listener
	timer         timerq.Timer
	next          *TCP // of the same bucket of the table
	hash          uint32
	label         uint32    // of its packets (RFC 6437)
	binding       bindingID // 0 if no port is held
	state         tcp.State // as the stack's tables know it
	attached      bool      // the connection is in the tables
	orphan        bool      // no program has it open any more
	told          bool      // it is among the ready
}

// NewTCP returns an endpoint that is neither bound nor connected.
func (s *Stack) NewTCP() *TCP {
	return &TCP{endpoint: endpoint{stack: s}, settings: s.plain}
}

func (e *TCP) settled() { e.told = false }

// State.

// Local and Remote return the endpoint's addresses, zero if it has none.
func (e *TCP) Local() netip.AddrPort  { return e.local }
func (e *TCP) Remote() netip.AddrPort { return e.remote }

// Conn returns the connection, nil for an endpoint that has none. Whoever
// changes it calls Update afterwards.
func (e *TCP) Conn() *tcp.Conn { return e.conn }

// State returns the state of RFC 9293, 3.3.2 that the endpoint is in.
func (e *TCP) State() tcp.State {
	switch {
	case e.listening != nil:
		return tcp.StateListen
	case e.conn != nil:
		return e.conn.State()
	}
	return tcp.StateClosed
}

// PathMTU returns the longest packet that the connection's path takes, in
// octets; 0 without a connection.
func (e *TCP) PathMTU(now clock.Time) int {
	if e.conn == nil {
		return 0
	}
	return e.stack.mtuTo(now, e.remote.Addr(), e.path)
}

// Commands.

// Bind gives the endpoint a local address (MUST-43; RFC 9293, 3.9.1.1). Port 0
// asks for any that is free.
func (e *TCP) Bind(addr netip.AddrPort) error {
	s, o := e.stack, &e.settings.Options
	if e.binding != 0 {
		return ErrInvalid
	}
	if err := s.bindable(addr, o.Privileged); err != nil {
		return err
	}
	b := binding{
		addr: addr.Addr(), reuseAddr: o.ReuseAddr, reusePort: o.ReusePort,
		dual: addr.Addr() == netip.IPv6Unspecified() && !o.V6Only,
	}
	port := addr.Port()
	if port == 0 {
		port = s.tcpPorts.choose(s.rnd, b)
	}
	if port == 0 || !s.tcpPorts.free(port, b) {
		return ErrAddrInUse
	}
	e.hold(netip.AddrPortFrom(addr.Addr(), port), b)
	return nil
}

// hold takes the port.
func (e *TCP) hold(local netip.AddrPort, b binding) {
	e.local, e.binding = local, e.stack.tcpPorts.add(local.Port(), b)
}

// unhold gives the port back.
func (e *TCP) unhold() {
	if e.binding != 0 {
		e.stack.tcpPorts.remove(e.local.Port(), e.binding)
		e.binding = 0
	}
}

// Connect begins to open a connection to remote. The SYN is on its way when
// it returns; the connection's state tells how it goes. An address that was not
// given is chosen before the SYN (MUST-44), and stays (MUST-45; RFC 9293,
// 3.9.1.1).
func (e *TCP) Connect(now clock.Time, remote netip.AddrPort) error {
	p, err := e.prepare(now, remote)
	if err == nil {
		e.launch(now, p, nil)
	}
	return err
}

// prepare finds out how to connect to remote, and returns what the connection
// begins with. The MSS that is told leaves room for both headers, and is the
// link's (MUST-67, SHLD-6; RFC 9293, 3.7.1 and 3.7.3).
func (e *TCP) prepare(now clock.Time, remote netip.AddrPort) (p tcp.Params, err error) {
	s := e.stack
	if e.listening != nil || e.conn != nil {
		return p, ErrIsConnected
	}
	remote = s.meant(remote, e.local.Addr())
	to := remote.Addr()
	v, err := s.pathTo(to, e.sourceWanted())
	if err != nil {
		return p, err
	}
	if to.IsMulticast() || v.iface.isBroadcast(to) {
		// RFC 9293, 3.9.1.1, MUST-46: an OPEN to a broadcast or multicast
		// address is an error.
		return p, ErrNetUnreachable
	}
	if err := e.takePort(now, v.source, remote); err != nil {
		return p, err
	}
	e.remote, e.path = remote, s.sharePath(&v)
	e.hash = s.hashOf(e.local, remote)
	e.label = s.flowLabel(wire.ProtocolTCP, e.local, remote)
	p = e.settings.Params
	s.parameters(now, &p, e.local, remote, &v)
	if n := s.waitFor(e.hash, e.local, remote); n != 0 {
		tw := s.waits.record(n)
		if next := tw.NextISS(); p.ISS.Less(next) {
			p.ISS = next
		}
		if last, at, ok := tw.LastTimestamp(); ok {
			p.LastStamp, p.LastStampAt = last, at
		}
		s.forget(n)
	}
	s.tellRoute(now, to, &v)
	return p, nil
}

// launch begins the handshake, with text as far as it may go in the SYN, and
// returns how much that is.
func (e *TCP) launch(now clock.Time, p tcp.Params, text []byte) int {
	s := e.stack
	e.conn = tcp.Connect(s.env(), now, p)
	e.limitSegments()
	s.attach(e)
	n := min(len(text), e.conn.EarlyRoom())
	if n > 0 {
		n, _ = e.conn.WriteBytes(now, text[:n])
	}
	s.drainTCP(now, e)
	return n
}

// sourceWanted returns the address that the endpoint is bound to, if it is
// bound to one.
func (e *TCP) sourceWanted() netip.Addr {
	if e.binding != 0 && !e.local.Addr().IsUnspecified() {
		return e.local.Addr()
	}
	return netip.Addr{}
}

// takePort makes source the local address, with the port that the endpoint is
// bound to or an ephemeral one, so that no other connection has the same two
// ends.
func (e *TCP) takePort(now clock.Time, source netip.Addr, remote netip.AddrPort) error {
	s := e.stack
	if e.binding != 0 {
		local := netip.AddrPortFrom(source, e.local.Port())
		if s.tupleTaken(now, local, remote) {
			return ErrAddrInUse
		}
		e.local = local
		return nil
	}
	port := s.ephemeralPort(now, source, remote)
	if port == 0 {
		return ErrAddrNotAvail
	}
	e.hold(netip.AddrPortFrom(source, port), binding{addr: source, reuseAddr: e.settings.Options.ReuseAddr, ephemeral: true})
	return nil
}

// tupleTaken reports whether there is a connection between two ends, or the
// remains of one that must be waited for.
func (s *Stack) tupleTaken(now clock.Time, local, remote netip.AddrPort) bool {
	h := s.hashOf(local, remote)
	if s.conns.find(h, local, remote) != nil || s.requestFor(local, remote) != nil {
		return true
	}
	n := s.waitFor(h, local, remote)
	return n != 0 && !s.reusable(now, s.waits.record(n))
}

// ephemeralPort chooses a local port for a connection (RFC 6056, 3.3.3): a
// keyed hash of the destination says where to begin, so that ports to one
// destination follow each other and nobody outside can foresee them. A port
// may serve several connections if their other ends differ.
func (s *Stack) ephemeralPort(now clock.Time, source netip.Addr, remote netip.AddrPort) uint16 {
	low := s.cfg.EphemeralLow
	count := uint32(s.cfg.EphemeralHigh-low) + 1
	offset := s.secret.offset(source, remote)
	for range count {
		s.secret.next++
		port := uint16(low) + uint16((offset+s.secret.next)%count)
		if s.cfg.reserved(port) || s.tupleTaken(now, netip.AddrPortFrom(source, port), remote) || s.tcpPorts.explicit(port, source) {
			continue
		}
		return port
	}
	return 0
}

// parameters fills in what a connection from local to remote along v begins
// with.
func (s *Stack) parameters(now clock.Time, p *tcp.Params, local, remote netip.AddrPort, v *path) {
	hash := tcp.HashOf(s.secret.key, local, remote)
	p.ISS, p.TSOffset = hash.ISN(now), hash.TimestampOffset()
	if s.cfg.PlainTimestamps {
		p.TSOffset = tcp.TimestampsFrom(s.switchedOn)
	}
	p.MSS = v.iface.MTU - tcpOverhead(remote.Addr())
	if remote.Addr().Is6() {
		// RFC 9293, 3.7.1 (MUST-15): 1220 for IPv6.
		p.MSS, p.DefaultMSS = v.iface.mtu6()-tcpOverhead(remote.Addr()), wire.MinIPv6MTU-tcpOverhead(remote.Addr())
	}
	p.SendMSS = s.mtuTo(now, remote.Addr(), v) - tcpOverhead(remote.Addr())
}

// tcpOverhead is what the IP and TCP headers take of a packet to addr.
func tcpOverhead(addr netip.Addr) int { return overhead(addr) + wire.TCPHeaderLen }

// limitSegments heeds the owner's wish for shorter segments.
func (e *TCP) limitSegments() {
	if most := e.settings.Options.MaxSegment; most > 0 {
		e.conn.SetMaxSegment(most)
	}
}

// Owes reports whether the connection has an acknowledgment to send, which
// Update lets go.
func (e *TCP) Owes() bool { return e.conn != nil && e.conn.OwesACK() }

// Update takes what the connection has to send after its owner has changed
// it.
func (e *TCP) Update(now clock.Time) {
	if e.conn != nil {
		e.stack.drainTCP(now, e)
	}
}

// Close gives the endpoint up: what was written is still delivered, and the
// connection is ended in order, unless data has come that nobody will read.
func (e *TCP) Close(now clock.Time) {
	e.owner = nil
	switch {
	case e.listening != nil:
		e.stopListening(now)
	case e.conn != nil:
		e.conn.Close(now)
		e.Update(now)
		e.leave(now)
	}
	if !e.attached {
		e.unhold()
	}
}

// leave counts the connection among those that no program has open any more,
// and that go on to their end by themselves. Of too many this one is reset, as
// in Linux.
func (e *TCP) leave(now clock.Time) {
	s := e.stack
	switch {
	case !e.attached || e.orphan:
	case s.orphans < s.cfg.MaxOrphans:
		e.orphan = true
		s.orphans++
	default:
		s.stream.Publish(now, s.cfg.Name, event.Overflow{
			Local: e.local, What: "too many connections are left to themselves: this one is reset",
		})
		e.conn.Refuse(now, tcp.ReasonOrphans)
		e.Update(now)
	}
}

// Abort ends the connection at once, with a reset (RFC 9293, 3.10.5).
func (e *TCP) Abort(now clock.Time) {
	if e.conn != nil {
		e.conn.Abort(now)
		e.Update(now)
	}
	e.Close(now)
}

// env returns what the connections share, told the current cause.
func (s *Stack) env() *tcp.Env {
	s.tcpEnv.Cause = uint64(s.stream.Cause())
	s.tcpEnv.Watch = s.stream.On()
	return s.tcpEnv
}

// attach puts a connection where its segments find it.
func (s *Stack) attach(e *TCP) {
	e.attached = true
	s.conns.add(e)
}

// detach takes a connection out of the tables. What has arrived can still be
// read.
func (s *Stack) detach(e *TCP) {
	if !e.attached {
		return
	}
	e.attached = false
	if e.orphan {
		e.orphan = false
		s.orphans--
	}
	s.recent = nil
	s.predictions.forget(e)
	s.conns.remove(e)
	delete(s.doubts, s.tupleOf(e.local, e.remote))
	s.timers.Remove(&e.timer)
}

// expire lets the connection's timers go off.
func (e *TCP) expire(s *Stack, now clock.Time) {
	// The first that is told will be which timer it was: it is the cause of
	// the timers that are set meanwhile.
	s.env().Cause = uint64(s.stream.Upcoming())
	before := s.stream.Cause()
	e.conn.HandleTimer(now)
	if len(s.doubts) > 0 {
		s.settleDoubt(now, e)
	}
	s.drainTCP(now, e)
	s.stream.Because(before)
}

// Push is Update after a program has written or read: nobody waits for what its
// own connection can do less since, but for its end.
func (e *TCP) Push(now clock.Time) {
	if e.conn == nil {
		return
	}
	before := e.state
	e.stack.emit(now, e)
	if e.state != before {
		e.stack.tell(&e.endpoint, &e.told, e)
	}
}

// drainTCP takes all output of a connection and tells that it has changed.
func (s *Stack) drainTCP(now clock.Time, e *TCP) {
	s.emit(now, e)
	s.tell(&e.endpoint, &e.told, e)
}

// emit takes all output of a connection: facts, segments, its next timer.
func (s *Stack) emit(now clock.Time, e *TCP) {
	s.others.still = true
	watched := s.tcpEnv.Watch
	if watched {
		s.tellTCP(now, e.local, e.remote)
	}
	for e.conn.PollSegment(now, &s.reply) {
		s.transmit(now, e, &s.reply)
	}
	if watched {
		s.tellTCP(now, e.local, e.remote)
	}
	if state := e.conn.State(); state != e.state {
		s.changed(now, e, state)
	}
	if e.attached {
		s.timers.Set(&e.timer, e, e.conn.NextTimer())
	}
}

// changed moves a connection between the tables as its state demands.
func (s *Stack) changed(now clock.Time, e *TCP, to tcp.State) {
	if e.state == tcp.StateSynSent {
		s.openedEarly(now, e)
	}
	e.state = to
	switch to {
	case tcp.StateTimeWait:
		s.detach(e)
		s.rest(now, e)
	case tcp.StateClosed:
		s.detach(e)
		if e.owner == nil {
			e.unhold()
		}
	}
}
