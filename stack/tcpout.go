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
	if s.sendPredicted(now, e, seg) {
		return
	}
	p := s.packSegment(portsOf(e.local, e.remote), pseudoHeader(e.local, e.remote), seg)
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
	p := s.packSegment(portsOf(local, remote), pseudoHeader(local, remote), seg)
	s.send(now, p, &v, &envelope{
		src: local.Addr(), dst: remote.Addr(), protocol: wire.ProtocolTCP,
		label: s.flowLabel(wire.ProtocolTCP, local, remote), whole: s.cfg.NoPathMTU == 0,
	})
}

// pseudoHeader returns the sum of the pseudo header without a length.
func pseudoHeader(local, remote netip.AddrPort) wire.Sum {
	return wire.PseudoHeader(local.Addr(), remote.Addr(), wire.ProtocolTCP, 0)
}

// portsOf returns the ports as a segment begins with them.
func portsOf(local, remote netip.AddrPort) uint32 {
	return uint32(local.Port())<<16 | uint32(remote.Port())
}

// tcpChecksum is where in a TCP header the checksum is.
const tcpChecksum = 16

// packSegment puts the TCP header before a segment's payload, whose reference
// it takes over. pseudo is the pseudo header's sum without a length. The checksum
// is never optional: "The sender MUST generate it (MUST-2)" (RFC 9293, 3.1).
func (s *Stack) packSegment(ports uint32, pseudo wire.Sum, seg *tcp.Segment) *pkt.Packet {
	p := s.packets.New()
	b := p.Prepend(wire.TCPHeaderLen + seg.Options.Len())
	wire.PutTCP(b, ports, uint32(seg.Seq), uint32(seg.Ack), seg.Flags, seg.Window, seg.Urgent)
	seg.Options.AppendTo(b[wire.TCPHeaderLen:wire.TCPHeaderLen])
	p.SetBody(seg.Payload)
	p.MakeLarge(seg.Size)
	p.DeferChecksum(0, tcpChecksum, pseudo.Plus(uint64(p.Len())))
	if s.stream.On() {
		p.Reason, p.RFC = seg.Reason.String(), seg.Reason.RFC()
	}
	return p
}
