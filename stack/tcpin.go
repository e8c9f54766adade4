package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// handleTCP takes a TCP segment for this machine.
func (s *Stack) handleTCP(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	head := transportHead(h, p)
	t, _, err := wire.ParseTCPHeader(head)
	if err != nil {
		s.discard(now, at.iface, p, discardBadTransportHeader)
		return
	}
	if at.broadcast || at.iface.isBroadcast(h.Dst) || h.Dst.IsMulticast() {
		// RFC 9293, 3.9.2.3, MUST-57: a TCP implementation MUST silently
		// discard an incoming SYN segment that is addressed to a broadcast or
		// multicast address.
		s.discard(now, at.iface, p, discardBroadcastTCP)
		return
	}
	header := t.HeaderLen()
	before := h.HeaderLen() + header
	payload := p.Payload(before, h.TotalLen-before)
	if !p.Vouched() && !checksumOK(h, head[:header], payload) {
		payload.Release()
		// RFC 9293, 3.1, MUST-3: the receiver MUST check the checksum.
		s.discard(now, at.iface, p, discardBadChecksum)
		return
	}
	s.segment = tcp.Segment{
		Seq: tcp.Seq(t.Seq), Ack: tcp.Seq(t.Ack), Flags: t.Flags, Window: t.Window,
		Urgent: t.Urgent, Options: t.Options, Payload: payload,
		ECN: h.ECN(),
	}
	local := netip.AddrPortFrom(h.Dst, t.DstPort)
	remote := netip.AddrPortFrom(h.Src, t.SrcPort)
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
	k := tupleOf(local, remote)
	if e := s.conns[k]; e != nil {
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
	if e.conn.Unacked() < unacked && e.path.iface.neighbors != nil {
		// Data got through: the next hop is alive (RFC 4861, 7.3.1).
		s.with(e.path.iface).Confirm(now, e.path.nextHop)
	}
	s.drainTCP(now, e)
	return 0, true
}

// tcpError hands what ICMP says about a segment to its connection.
func (s *Stack) tcpError(now clock.Time, local, remote netip.AddrPort, quoted tcp.Seq, m *wire.ICMPv4) bool {
	k := tupleOf(local, remote)
	if r := s.requests[k]; r != nil {
		return s.requestError(now, r, quoted, m)
	}
	e := s.conns[k]
	if e == nil {
		return false
	}
	s.env()
	switch err, hard := icmpMeaning(m); {
	case m.Type == wire.DestinationUnreachable && m.Code == wire.CodeFragmentationNeeded:
		if v, err := s.pathTo(remote.Addr(), local.Addr()); err == nil {
			e.path = v
			e.conn.HandlePathMTU(now, s.mtuTo(now, remote.Addr(), &v)-tcpOverhead, quoted)
		}
	case err != nil:
		// RFC 1122, 4.2.3.9: an unreachable port or protocol ends a
		// connection that is being opened; one that is open bears it.
		e.conn.HandleUnreachable(now, err, hard, quoted)
	}
	s.drainTCP(now, e)
	return true
}
