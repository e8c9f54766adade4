package stack

import (
	"encoding/binary"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// handleTCP takes a TCP segment for this machine.
func (s *Stack) handleTCP(now clock.Time, at arrival, h *header, p *pkt.Packet) {
	own, ok := s.readSegment(p, h.len, h.payload())
	if !ok {
		s.discard(now, at.iface, p, discardBadTransportHeader)
		return
	}
	s.others.onlyTCP = true
	seg := &s.segment
	seg.ECN, seg.Payload = h.ecn(), p.Payload(h.len+own, h.payload()-own)
	switch {
	case h.group:
		// RFC 9293, 3.9.2.3, MUST-57: a TCP implementation MUST silently
		// discard an incoming SYN segment that is addressed to a broadcast or
		// multicast address.
		seg.Payload.Release()
		s.discard(now, at.iface, p, discardBroadcastTCP)
		return
	case !p.Vouched() && !h.checksumOK(h.transport(p)[:own], seg.Payload):
		// RFC 9293, 3.1, MUST-3: the receiver MUST check the checksum.
		seg.Payload.Release()
		s.discard(now, at.iface, p, discardBadChecksum)
		return
	}
	ports := h.transport(p)
	local := netip.AddrPortFrom(h.dst, binary.BigEndian.Uint16(ports[2:]))
	remote := netip.AddrPortFrom(h.src, binary.BigEndian.Uint16(ports))
	if e := s.connection(local, remote); e != nil {
		s.remember(e, at, h, p)
		p.Release()
		s.handleSegment(now, e, seg)
		return
	}
	if why, ok := s.demultiplex(now, local, remote, seg); !ok {
		seg.Payload.Release()
		s.discard(now, at.iface, p, why)
		return
	}
	p.Release()
}

// readSegment reads a segment, whose header begins at off in the head and which
// is n octets long, into s.segment, without its payload. It returns how long the header is, and
// false if it is damaged.
func (s *Stack) readSegment(p *pkt.Packet, off, n int) (own int, ok bool) {
	b := p.Head()[off:]
	b = b[:min(len(b), n)]
	own, err := wire.TCPDataOffset(b)
	if err != nil {
		return 0, false
	}
	seg, t := &s.segment, (*[wire.TCPHeaderLen]byte)(b)
	seg.Seq, seg.Ack = tcp.Seq(binary.BigEndian.Uint32(t[4:])), tcp.Seq(binary.BigEndian.Uint32(t[8:]))
	seg.Flags, seg.Window, seg.Urgent = wire.TCPFlagsOf(t[:]), binary.BigEndian.Uint16(t[14:]), binary.BigEndian.Uint16(t[18:])
	seg.Options.Parse(b[wire.TCPHeaderLen:own])
	seg.Size, seg.Reason, seg.Retransmission = p.SegmentSize(), 0, false
	return own, true
}

// connection returns the connection between two ends, nil if there is none.
func (s *Stack) connection(local, remote netip.AddrPort) *TCP {
	if e := s.recent; e != nil && e.remote == remote && e.local == local {
		return e
	}
	e := s.conns.find(s.hashOf(local, remote), local, remote)
	if e != nil {
		s.recent = e
	}
	return e
}

// demultiplex hands a segment that is for no connection to whoever it is for. It
// takes over the payload's reference unless it reports false.
func (s *Stack) demultiplex(now clock.Time, local, remote netip.AddrPort, seg *tcp.Segment) (Discard, bool) {
	if r := s.requestFor(local, remote); r != nil {
		return s.handleRequest(now, r, seg)
	}
	l := s.listenerFor(local, remote)
	var least tcp.Seq
	if n := s.waitFor(s.hashOf(local, remote), local, remote); n != 0 {
		next, open := s.handleTimeWait(now, n, local, remote, seg, l != nil)
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
func (s *Stack) handleSegment(now clock.Time, e *TCP, seg *tcp.Segment) {
	s.env()
	unacked := e.conn.Unacked()
	e.conn.HandleSegment(now, seg)
	if e.conn.Unacked() < unacked {
		s.confirm(now, e.path)
	}
	s.drainTCP(now, e)
}

// confirm notes that the next hop is alive: what was sent got through (RFC 4861, 7.3.1).
func (s *Stack) confirm(now clock.Time, v *path) {
	if v.neighbors != nil && !v.neighbors.StillThere(now, v.nextHop) {
		s.with(v.neighbors).Confirm(now, v.nextHop)
	}
}

// tcpError hands what ICMP says about a segment to its connection.
func (s *Stack) tcpError(now clock.Time, local, remote netip.AddrPort, quoted tcp.Seq, what *verdict) bool {
	if r := s.requestFor(local, remote); r != nil {
		return s.requestError(now, r, quoted, what)
	}
	e := s.conns.find(s.hashOf(local, remote), local, remote)
	if e == nil {
		return false
	}
	s.env()
	switch {
	case what.tooBig:
		s.pathShrunk(now, e, quoted)
	case what.err != nil:
		// RFC 1122, 4.2.3.9: an unreachable port or protocol ends a
		// connection that is being opened; one that is open bears it.
		e.conn.HandleUnreachable(now, what.err, what.hard, quoted)
	}
	s.drainTCP(now, e)
	return true
}
