package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// transmit sends a segment of a connection.
func (s *Stack) transmit(now clock.Time, e *TCP, seg *tcp.Segment) {
	if e.path.generation != s.generation {
		v, err := s.pathTo(e.remote.Addr(), e.local.Addr())
		if err != nil {
			seg.Payload.Release()
			e.conn.HandleUnreachable(now, err, false, seg.Seq)
			return
		}
		e.path = s.sharePath(&v)
	}
	p := s.packSegment(e.local, e.remote, s.pseudo(e), seg)
	if s.sendPredicted(now, e, p, seg.ECN) {
		return
	}
	o := &e.settings.Options
	s.send(now, p, e.path, &envelope{
		src: e.local.Addr(), dst: e.remote.Addr(), protocol: wire.ProtocolTCP,
		label: e.label,
		tos:   o.TOS | seg.ECN, ttl: o.TTL, whole: s.cfg.NoPathMTU == 0 && !o.MayFragment,
	})
}

// transmitFor sends a segment that belongs to no connection: a reset, or what
// a connection in TIME-WAIT answers.
func (s *Stack) transmitFor(now clock.Time, local, remote netip.AddrPort, seg *tcp.Segment) {
	v, err := s.pathTo(remote.Addr(), local.Addr())
	if err != nil {
		s.discards[discardNoRoute]++
		return
	}
	p := s.packSegment(local, remote, pseudoHeader(local, remote), seg)
	s.send(now, p, &v, &envelope{
		src: local.Addr(), dst: remote.Addr(), protocol: wire.ProtocolTCP,
		label: s.flowLabel(wire.ProtocolTCP, local, remote), whole: s.cfg.NoPathMTU == 0,
	})
}

// pseudo returns the sum of the pseudo header of e's segments without a length.
func (s *Stack) pseudo(e *TCP) wire.Sum {
	if f, ok := s.predictions.of(e); ok && f.headLen > 0 {
		return f.pseudo
	}
	return pseudoHeader(e.local, e.remote)
}

// pseudoHeader returns the sum of the pseudo header without a length.
func pseudoHeader(local, remote netip.AddrPort) wire.Sum {
	return wire.PseudoHeader(local.Addr(), remote.Addr(), wire.ProtocolTCP, 0)
}

// tcpChecksum is where in a TCP header the checksum is.
const tcpChecksum = 16

// packSegment puts the TCP header before a segment's payload, whose reference
// it takes over. pseudo is the pseudo header's sum without a length. The checksum
// is never optional: "The sender MUST generate it (MUST-2)" (RFC 9293, 3.1).
func (s *Stack) packSegment(local, remote netip.AddrPort, pseudo wire.Sum, seg *tcp.Segment) *pkt.Packet {
	h := wire.TCP{
		SrcPort: local.Port(), DstPort: remote.Port(), Seq: uint32(seg.Seq), Ack: uint32(seg.Ack),
		Flags: seg.Flags, Window: seg.Window, Urgent: seg.Urgent,
	}
	p := s.packets.New()
	b := p.Prepend(wire.TCPHeaderLen + seg.Options.Len())
	h.PutFixed(b)
	seg.Options.AppendTo(b[wire.TCPHeaderLen:wire.TCPHeaderLen])
	p.SetBody(seg.Payload)
	p.MakeLarge(seg.Size)
	p.DeferChecksum(tcpChecksum, pseudo.Plus(uint64(p.Len())))
	if s.stream.On() {
		p.Reason, p.RFC = seg.Reason.String(), seg.Reason.RFC()
	}
	return p
}
