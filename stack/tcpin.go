package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// handleTCP takes a TCP segment for this machine.
func (s *Stack) handleTCP(now clock.Time, at arrival, h *header, p *pkt.Packet) {
	head := h.transport(p)
	var t wire.TCP
	if _, err := t.Parse(head); err != nil {
		s.discard(now, at.iface, p, discardBadTransportHeader)
		return
	}
	if h.group {
		// RFC 9293, 3.9.2.3, MUST-57: a TCP implementation MUST silently
		// discard an incoming SYN segment that is addressed to a broadcast or
		// multicast address.
		s.discard(now, at.iface, p, discardBroadcastTCP)
		return
	}
	own := t.HeaderLen()
	payload := p.Payload(h.len+own, h.payload()-own)
	if !p.Vouched() && !h.checksumOK(head[:own], payload) {
		payload.Release()
		// RFC 9293, 3.1, MUST-3: the receiver MUST check the checksum.
		s.discard(now, at.iface, p, discardBadChecksum)
		return
	}
	s.segment = tcp.Segment{
		Seq: tcp.Seq(t.Seq), Ack: tcp.Seq(t.Ack), Flags: t.Flags, Window: t.Window,
		Urgent: t.Urgent, Options: t.Options, Payload: payload, Size: p.SegmentSize(),
		ECN: h.ecn(),
	}
	local := netip.AddrPortFrom(h.dst, t.DstPort)
	remote := netip.AddrPortFrom(h.src, t.SrcPort)
	if why, ok := s.demultiplex(now, local, remote, &s.segment); !ok {
		s.segment.Payload.Release()
		s.discard(now, at.iface, p, why)
		return
	}
	p.Release()
}

// demultiplex hands a segment to whoever it is for. It takes over the
// payload's reference unless it reports false.
func (s *Stack) demultiplex(now clock.Time, local, remote netip.AddrPort, seg *tcp.Segment) (Discard, bool) {
	if e := s.recent; e != nil && e.remote == remote && e.local == local {
		return s.handleSegment(now, e, seg)
	}
	k := s.tupleOf(local, remote)
	if e := s.conns[k]; e != nil {
		s.recent = e
		return s.handleSegment(now, e, seg)
	}
	if r := s.requests[k]; r != nil {
		return s.handleRequest(now, r, seg)
	}
	l := s.listenerFor(local, remote)
	var least tcp.Seq
	if tw := s.timeWaits[k]; tw != nil {
		next, open := s.handleTimeWait(now, tw, seg, l != nil)
		if !open {
			return 0, true
		}
		least = next
	} else if l != nil && s.looksOld(now, remote.Addr(), seg) {
		return discardRecycled, false
	}
	if l != nil {
		return s.handleSYN(now, l, local, remote, seg, least)
	}
	if reset, ok := tcp.ResetFor(seg); ok {
		s.transmitFor(now, local, remote, &reset)
	}
	return discardNoPort, false
}

// handleSegment hands a segment to its connection.
func (s *Stack) handleSegment(now clock.Time, e *TCP, seg *tcp.Segment) (Discard, bool) {
	s.env()
	unacked := e.conn.Unacked()
	e.conn.HandleSegment(now, seg)
	if e.conn.Unacked() < unacked && e.path.neighbors != nil {
		// Data got through: the next hop is alive (RFC 4861, 7.3.1).
		s.with(e.path.neighbors).Confirm(now, e.path.nextHop)
	}
	s.drainTCP(now, e)
	return 0, true
}

// tcpError hands what ICMP says about a segment to its connection.
func (s *Stack) tcpError(now clock.Time, local, remote netip.AddrPort, quoted tcp.Seq, what *verdict) bool {
	k := s.tupleOf(local, remote)
	if r := s.requests[k]; r != nil {
		return s.requestError(now, r, quoted, what)
	}
	e := s.conns[k]
	if e == nil {
		return false
	}
	s.env()
	switch {
	case what.tooBig:
		if v, err := s.pathTo(remote.Addr(), local.Addr()); err == nil {
			e.path = v
			e.conn.HandlePathMTU(now, s.mtuTo(now, remote.Addr(), &v)-tcpOverhead(remote.Addr()), quoted)
		}
	case what.err != nil:
		// RFC 1122, 4.2.3.9: an unreachable port or protocol ends a
		// connection that is being opened; one that is open bears it.
		e.conn.HandleUnreachable(now, what.err, what.hard, quoted)
	}
	s.drainTCP(now, e)
	return true
}
