package stack

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// forward sends a packet that is for somebody else on its way (RFC 1812, 5.3).
func (s *Stack) forward(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	if at.broadcast || h.Dst.IsMulticast() || h.Src.IsUnspecified() || h.Dst.As4()[0] == 0 {
		// RFC 1812, 5.3.4: a router MUST NOT forward any packet that it
		// received as a link layer broadcast.
		s.discard(now, at.iface, p, discardOtherAddress)
		return
	}
	if h.TTL <= 1 {
		// RFC 1812, 5.3.1: if the TTL is reduced to zero, the packet MUST be
		// discarded, and the router MUST send an ICMP Time Exceeded.
		s.icmpError(now, at, h, p, wire.ICMPv4{Type: wire.TimeExceeded, Code: wire.CodeTTLExceeded})
		s.discard(now, at.iface, p, discardTTL)
		return
	}
	v, err := s.pathTo(h.Dst, h.Src)
	if err != nil {
		s.icmpError(now, at, h, p, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeNetUnreachable})
		s.discard(now, at.iface, p, discardNoRoute)
		return
	}
	s.forwardAlong(now, at, h, p, &v)
}

func (s *Stack) forwardAlong(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, v *path) {
	if v.iface.isBroadcast(h.Dst) {
		// RFC 2644, 2: a router MUST NOT forward directed broadcasts unless
		// it was configured to.
		s.discard(now, at.iface, p, discardOtherAddress)
		return
	}
	if h.TotalLen > v.iface.MTU && h.DF {
		m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded}
		m.SetMTU(uint16(min(v.iface.MTU, 0xffff)))
		s.icmpError(now, at, h, p, m)
		s.discard(now, at.iface, p, discardTooBig)
		return
	}
	s.tellRoute(now, h.Dst, v)
	p.Cause = uint64(s.stream.Cause())
	p.Reason, p.RFC = "forwarded: the time to live is one less, the MAC addresses are this link's", "RFC 1812, 5.3.1"
	p.Cut(h.TotalLen)
	wire.DecrementTTL(p.Head())
	if h.TotalLen > v.iface.MTU {
		s.cutOnTheWay(now, h, p, v)
		return
	}
	s.output(now, v.iface, v.nextHop, p)
}

// cutOnTheWay cuts a packet that is being forwarded for a smaller MTU.
func (s *Stack) cutOnTheWay(now clock.Time, h *wire.IPv4, p *pkt.Packet, v *path) {
	piece := *h
	piece.TTL--
	// The options lie in the header that is stripped: keep them.
	var options [40]byte
	piece.Options = options[:copy(options[:], h.Options)]
	p.Strip(h.HeaderLen())
	s.sendFragments(now, p, v, &piece)
}

// unresolved gives up a packet whose next hop has no MAC address.
func (s *Stack) unresolved(now clock.Time, i *Interface, p *pkt.Packet) {
	h, _, err := wire.ParseIPv4Header(p.Head())
	if err == nil {
		m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeHostUnreachable}
		if s.local[h.Src] != nil {
			s.concerns(now, &h, transportHead(&h, p), &m)
		} else {
			s.icmpError(now, arrival{iface: i}, &h, p, m)
		}
	}
	s.discard(now, i, p, discardUnresolved)
}
