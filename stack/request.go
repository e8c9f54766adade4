package stack

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/internal/timerq"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// fourTuple finds a half-open connection: the addresses as 16 bytes of either family,
// and the ports, from this machine's point of view.
type fourTuple struct {
	local, remote         [16]byte
	localPort, remotePort uint16
	scope                 uint16 // of a link-local address: which link
}

func (s *Stack) tupleOf(local, remote netip.AddrPort) fourTuple {
	return fourTuple{local.Addr().As16(), remote.Addr().As16(), local.Port(), remote.Port(), s.scopeOf(remote.Addr())}
}

// request is a connection that a listener's peer has asked for, and whose
// handshake is under way. It is small, for anybody can send SYNs; the endpoint
// is made when the connection is established.
type request struct {
	tcp.Request
	key      fourTuple
	listener *TCP
	timer    timerq.Timer
}

// requestFor returns the half-open connection between two ends, nil if there is
// none.
func (s *Stack) requestFor(local, remote netip.AddrPort) *request {
	if len(s.requests) == 0 {
		return nil
	}
	return s.requests[s.tupleOf(local, remote)]
}

// ends returns the two ends.
func (r *request) ends() (local, remote netip.AddrPort) {
	k, s := &r.key, r.listener.stack
	return netip.AddrPortFrom(s.withScope(netip.AddrFrom16(k.local).Unmap(), k.scope), k.localPort),
		netip.AddrPortFrom(s.withScope(netip.AddrFrom16(k.remote).Unmap(), k.scope), k.remotePort)
}

// begin answers the SYN that makes a request.
func (s *Stack) begin(now clock.Time, r *request, p tcp.Params, v *path, seg *tcp.Segment) {
	r.Request = tcp.NewRequest(now, &p, seg)
	s.requests[r.key] = r
	s.settleRequest(now, r, tcp.Accept(s.env(), now, p, seg), v)
}

// unfold returns the connection that a request stands for.
func (s *Stack) unfold(now clock.Time, r *request) (*tcp.Conn, path, error) {
	local, remote := r.ends()
	v, err := s.pathTo(remote.Addr(), local.Addr())
	if err != nil {
		return nil, v, err
	}
	return r.Unfold(s.env(), s.childParams(now, r.listener, local, remote, &v)), v, nil
}

// handleRequest hands a segment to a half-open connection.
func (s *Stack) handleRequest(now clock.Time, r *request, seg *tcp.Segment) (Discard, bool) {
	local, remote := r.ends()
	s.env()
	verdict := r.listener.listening.policy.HandleACK(&r.Request, seg)
	s.tellTCP(now, local, remote)
	switch verdict {
	case tcp.DropAcceptQueue:
		return discardAcceptQueue, false
	case tcp.DropDeferred:
		return discardDeferred, false
	}
	c, v, err := s.unfold(now, r)
	if err != nil {
		return discardNoRoute, false
	}
	if verdict == tcp.ResetOverflow {
		c.Refuse(now, tcp.ReasonOverflow)
		seg.Payload.Release()
	} else {
		c.HandleSegment(now, seg)
	}
	s.settleRequest(now, r, c, &v)
	return 0, true
}

// settleRequest sends what a half-open connection has to send, and does with it
// as its state demands.
func (s *Stack) settleRequest(now clock.Time, r *request, c *tcp.Conn, v *path) {
	local, remote := r.ends()
	if state := c.State(); state != tcp.StateSynReceived && state != tcp.StateClosed {
		s.forgetRequest(r)
		s.confirm(now, v) // our SYN-ACK got through
		s.give(now, r.listener, local, remote, v, c)
		return
	}
	s.tellTCP(now, local, remote)
	for c.PollSegment(now, &s.reply) {
		s.transmitHalf(now, r.listener, local, remote, v, &s.reply)
	}
	s.tellTCP(now, local, remote)
	c.Fold(&r.Request)
	if c.State() == tcp.StateClosed {
		s.forgetRequest(r)
		return
	}
	s.timers.Set(&r.timer, r, r.Due())
}

// transmitHalf sends a segment of a connection that has no endpoint yet. Its
// other end may not exist: such must not fill the neighbour cache.
func (s *Stack) transmitHalf(now clock.Time, l *TCP, local, remote netip.AddrPort, v *path, seg *tcp.Segment) {
	if v.neighbors != nil && v.neighbors.Crowded(v.nextHop) {
		s.discards[discardCrowded]++
		seg.Payload.Release()
		return
	}
	p := s.packSegment(portsOf(local, remote), pseudoHeader(local, remote), seg)
	s.send(now, p, v, &envelope{
		src: local.Addr(), dst: remote.Addr(), protocol: wire.ProtocolTCP,
		label: s.flowLabel(wire.ProtocolTCP, local, remote),
		tos:   l.settings.Options.TOS | seg.ECN, ttl: l.settings.Options.TTL, whole: s.cfg.NoPathMTU == 0,
	})
}

// forgetRequest takes a request out of the table.
func (s *Stack) forgetRequest(r *request) {
	s.timers.Remove(&r.timer)
	delete(s.requests, r.key)
	if l := r.listener.listening; l != nil {
		l.policy.Forget(&r.Request)
	}
}

// expire repeats the SYN-ACK, or gives the request up.
func (r *request) expire(s *Stack, now clock.Time) {
	s.env().Cause = uint64(s.stream.Upcoming())
	before := s.stream.Cause()
	local, remote := r.ends()
	v, err := s.pathTo(remote.Addr(), local.Addr())
	if err != nil {
		s.forgetRequest(r)
		return
	}
	p := s.childParams(now, r.listener, local, remote, &v)
	c := r.listener.listening.policy.HandleTimer(now, &r.Request, p)
	s.settleRequest(now, r, c, &v)
	s.stream.Because(before)
}

// requestError lets a half-open connection hear what ICMP says about its
// SYN-ACK.
func (s *Stack) requestError(now clock.Time, r *request, quoted tcp.Seq, what *verdict) bool {
	c, v, err := s.unfold(now, r)
	if err != nil {
		return false
	}
	if what.err != nil {
		c.HandleUnreachable(now, what.err, what.hard, quoted)
	}
	s.settleRequest(now, r, c, &v)
	return true
}

// requestsOf returns the half-open connections of a listener, in an order that
// is the same in every run.
func (s *Stack) requestsOf(l *TCP) []*request {
	var of []*request
	for _, r := range s.requests {
		if r.listener == l {
			of = append(of, r)
		}
	}
	slices.SortFunc(of, func(a, b *request) int {
		_, x := a.ends()
		_, y := b.ends()
		return x.Compare(y)
	})
	return of
}

// abortRequest resets a half-open connection whose listener is gone.
func (s *Stack) abortRequest(now clock.Time, r *request) {
	if c, v, err := s.unfold(now, r); err == nil {
		c.Abort(now)
		s.settleRequest(now, r, c, &v)
		return
	}
	s.forgetRequest(r)
}

// handleCookie makes a connection of an ACK that brings back a SYN cookie
// (R4987-2; RFC 4987, 3.6). What brings none is not for a listener.
func (s *Stack) handleCookie(now clock.Time, l *TCP, local, remote netip.AddrPort, seg *tcp.Segment) (Discard, bool) {
	v, err := s.pathTo(remote.Addr(), local.Addr())
	if err != nil {
		return discardNoRoute, false
	}
	k := tcp.CookieKey{Secret: s.secret.key, Local: local, Remote: remote}
	full := l.listening.policy.Full()
	c, ok := tcp.FromCookie(s.env(), now, &k, s.childParams(now, l, local, remote, &v), seg)
	switch {
	case !ok:
		return s.refuse(now, local, remote, seg)
	case full:
		return discardAcceptQueue, false
	}
	c.HandleSegment(now, seg)
	if state := c.State(); state == tcp.StateSynReceived || state == tcp.StateClosed {
		s.tellTCP(now, local, remote)
		return discardNotSYN, false
	}
	s.give(now, l, local, remote, &v, c)
	return 0, true
}
