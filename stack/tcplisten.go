package stack

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// listening is what a listener has and a connection hasn't.
type listening struct {
	policy   *tcp.Listener
	accepted []*TCP // established, waiting for Accept
}

// Listen makes the endpoint wait for connections, of which backlog may wait
// to be accepted. Called again, it changes the backlog. It touches no connection
// (MUST-41), and fails only where somebody else listens: those with the same port
// that are being opened don't hinder it (MUST-42; RFC 9293, 3.9.1.1).
func (e *TCP) Listen(backlog int) error {
	s := e.stack
	if e.listening != nil {
		e.listening.policy.SetBacklog(backlog)
		return nil
	}
	if e.conn != nil {
		return ErrInvalid
	}
	if e.binding == 0 {
		if err := e.Bind(netip.AddrPortFrom(unspecified(e.settings.Options.IPv6), 0)); err != nil {
			return err
		}
	}
	// Two may have bound to the port with SO_REUSEADDR, but one may listen.
	before := s.tcpPorts.binding(e.binding)
	e.unhold()
	b := before
	b.listening = true
	if !s.tcpPorts.free(e.local.Port(), b) {
		e.hold(e.local, before)
		return ErrAddrInUse
	}
	e.hold(e.local, b)
	e.listening = &listening{policy: tcp.NewListener(s.env(), backlog)}
	e.listening.policy.SetDeferAccept(e.settings.Params.DeferAccept)
	e.listening.policy.SetFastOpen(e.settings.Options.FastOpen)
	s.listeners[e.local] = append(s.listeners[e.local], e)
	if b.dual {
		all := dualAt(e.local.Port())
		s.listeners[all] = append(s.listeners[all], e)
	}
	return nil
}

// Listener returns what decides about new connections, nil for an endpoint
// that doesn't listen.
func (e *TCP) Listener() *tcp.Listener {
	if e.listening == nil {
		return nil
	}
	return e.listening.policy
}

// Pending returns how many connections wait to be accepted.
func (e *TCP) Pending() int {
	if e.listening == nil {
		return 0
	}
	return len(e.listening.accepted)
}

// Backlog returns how many connections may wait to be accepted.
func (e *TCP) Backlog() int {
	if e.listening == nil {
		return 0
	}
	return e.listening.policy.Backlog()
}

// Accept takes the connection that has waited longest.
func (e *TCP) Accept() (*TCP, bool) {
	if e.Pending() == 0 {
		return nil, false
	}
	l := e.listening
	child := l.accepted[0]
	l.accepted = slices.Delete(l.accepted, 0, 1)
	l.policy.Pop()
	return child, true
}

// Unlisten makes a listener a socket that is just bound: shutdown(2) of its
// reading side.
func (e *TCP) Unlisten(now clock.Time) {
	if e.listening == nil {
		return
	}
	b := e.stack.tcpPorts.binding(e.binding)
	b.listening = false
	e.stopListening(now)
	e.hold(e.local, b)
}

// stopListening resets what waits and gives up the port.
func (e *TCP) stopListening(now clock.Time) {
	s, l := e.stack, e.listening
	e.listening = nil
	for _, at := range [...]netip.AddrPort{e.local, dualAt(e.local.Port())} {
		s.listeners[at] = slices.DeleteFunc(s.listeners[at], func(o *TCP) bool { return o == e })
		if len(s.listeners[at]) == 0 {
			delete(s.listeners, at)
		}
	}
	e.unhold()
	for _, child := range l.accepted {
		child.Abort(now)
	}
	for _, r := range s.requestsOf(e) {
		s.abortRequest(now, r)
	}
}

// listenerFor finds who listens at local for a connection from remote:
// exactly there, at that port of all addresses of the family, or of both. Of several that share the
// port by SO_REUSEPORT, the two ends choose one.
func (s *Stack) listenerFor(local, remote netip.AddrPort) *TCP {
	who := s.listeners[local]
	if len(who) == 0 {
		who = s.listeners[netip.AddrPortFrom(unspecified(local.Addr().Is6()), local.Port())]
	}
	if len(who) == 0 && local.Addr().Is4() {
		who = s.listeners[dualAt(local.Port())]
	}
	switch len(who) {
	case 0:
		return nil
	case 1:
		return who[0]
	}
	return who[s.secret.hash(local.Addr(), remote)%uint32(len(who))]
}

// handleSYN lets a listener answer a SYN, if there is room for one more
// connection in SYN-RECEIVED; or with a cookie, which takes no room. An ACK may
// bring a cookie back.
//
// least is the least initial sequence number that will do, after a connection
// between the same ports; zero if there was none.
func (s *Stack) handleSYN(
	now clock.Time, l *TCP, local, remote netip.AddrPort, seg *tcp.Segment, least tcp.Seq,
) (Discard, bool) {
	policy := l.listening.policy
	if policy.MayHaveCookie(now, seg) {
		return s.handleCookie(now, l, local, remote, seg)
	}
	verdict := policy.HandleSYN(seg)
	switch verdict {
	case tcp.DropSynQueue:
		return discardSYNQueue, false
	case tcp.DropAcceptQueue:
		return discardAcceptQueue, false
	case tcp.DropNotSYN:
		return s.refuse(now, local, remote, seg)
	}
	r := &request{key: s.tupleOf(local, remote), listener: l}
	v, err := s.pathTo(remote.Addr(), local.Addr())
	if err != nil {
		r.Request = tcp.Request{}
		if verdict == tcp.Admit {
			policy.Forget(&r.Request)
		}
		return discardNoRoute, false
	}
	p := s.childParams(now, l, local, remote, &v)
	if verdict == tcp.SendCookie {
		k := tcp.CookieKey{Secret: s.secret.key, Local: local, Remote: remote}
		s.env()
		reply := policy.CookieReply(now, &k, p, seg)
		seg.Payload.Release()
		s.transmitHalf(now, l, local, remote, &v, &reply)
		return 0, true
	}
	if least != 0 && p.ISS.Less(least) {
		p.ISS = least
	}
	early, cookie := s.acceptsEarly(now, l, local, remote, seg)
	if !cookie.IsRequest() {
		p.FastOpen = &tcp.FastOpen{Cookie: cookie}
	}
	if early {
		s.env()
		s.give(now, l, local, remote, &v, policy.AcceptEarly(now, p, seg))
		return 0, true
	}
	s.begin(now, r, p, &v, seg)
	return 0, true
}

// refuse answers what isn't for a listener.
func (s *Stack) refuse(now clock.Time, local, remote netip.AddrPort, seg *tcp.Segment) (Discard, bool) {
	if reset, ok := tcp.ListenReply(seg); ok {
		s.transmitFor(now, local, remote, &reset)
	}
	return discardNotSYN, false
}

// childParams returns what a connection from a listener begins with.
func (s *Stack) childParams(now clock.Time, l *TCP, local, remote netip.AddrPort, v *path) tcp.Params {
	p := l.settings.Params
	s.parameters(now, &p, local, remote, v)
	if most := l.settings.Options.MaxSegment; most > 0 {
		p.MSS, p.SendMSS = min(p.MSS, most), min(p.SendMSS, most)
	}
	return p
}

// give makes a connection that a listener's peer has opened one that can be
// accepted.
func (s *Stack) give(now clock.Time, l *TCP, local, remote netip.AddrPort, v *path, c *tcp.Conn) {
	child := s.NewTCP()
	child.settings = l.settings
	child.remote, child.path, child.hash = remote, s.sharePath(v), s.hashOf(local, remote)
	b := s.tcpPorts.binding(l.binding)
	b.addr, b.listening, b.dual = local.Addr(), false, false
	child.label = s.flowLabel(wire.ProtocolTCP, local, remote)
	child.hold(local, b)
	child.conn, child.state = c, tcp.StateSynReceived
	s.attach(child)
	l.listening.policy.Push(c)
	l.listening.accepted = append(l.listening.accepted, child)
	s.drainTCP(now, child)
	s.tell(&l.endpoint, &l.told, l)
}
