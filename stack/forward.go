package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// forward sends a packet that is for somebody else on its way (RFC 1812, 5.3).
// Only what [Stack.handleIPv4] has found in order comes here (R1812-1), and not
// what has an address that nobody can have (R1812-8; RFC 1812, 5.3.7).
func (s *Stack) forward(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	if at.broadcast || h.Src.IsUnspecified() || h.Dst.As4()[0] == 0 {
		// RFC 1812, 5.3.4 (R1812-7): a router MUST NOT forward any packet that
		// it received as a link layer broadcast.
		s.discard(now, at.iface, p, discardOtherAddress)
		return
	}
	if s.outlived(now, at, h, p) {
		return
	}
	v, err := s.pathTo(h.Dst, h.Src)
	if err != nil {
		// RFC 1812, 5.2.7.1 (R1812-5): no route means the code 0.
		s.icmpError(now, at, h, p, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeNetUnreachable})
		s.discard(now, at.iface, p, discardNoRoute)
		return
	}
	s.forwardAlong(now, at, h, p, &v)
}

// outlived discards a packet that has no time to live left. RFC 1812, 5.3.1
// (R1812-3, R1812-13): if the TTL is reduced to zero, the packet MUST be discarded,
// and the router MUST send an ICMP Time Exceeded.
func (s *Stack) outlived(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) bool {
	if h.TTL > 1 {
		return false
	}
	s.icmpError(now, at, h, p, wire.ICMPv4{Type: wire.TimeExceeded, Code: wire.CodeTTLExceeded})
	s.discard(now, at.iface, p, discardTTL)
	return true
}

func (s *Stack) forwardAlong(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, v *path) {
	hidden := at.iface.nat != nil || v.iface.nat != nil
	switch {
	case v.iface.nat != nil && h.IsFragment():
		// "A NAT MUST support the receiving of in-order and out-of-order
		// fragments" (RFC 4787, 11): only the first has ports.
		s.handleFragment(now, at, h, p, s.forward)
		return
	case at.iface.nat != nil && v.iface.nat == nil && !at.translated:
		s.discard(now, at.iface, p, discardUnasked)
		return
	}
	if v.iface.isBroadcast(h.Dst) && !s.cfg.ForwardBroadcasts {
		// RFC 2644, 2: a router MUST NOT forward directed broadcasts unless
		// it was configured to.
		s.discard(now, at.iface, p, discardDirectedBroadcast)
		return
	}
	if h.TotalLen > v.iface.MTU && h.DF {
		// RFC 1191, 4 (R1812-6): the link's MTU is told.
		m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded}
		m.SetMTU(uint16(min(v.iface.MTU, 0xffff)))
		s.icmpError(now, at, h, p, m)
		s.discard(now, at.iface, p, discardTooBig)
		return
	}
	s.tellRoute(now, h.Dst, v)
	s.redirect(now, at, h, p, v)
	if !hidden && h.TotalLen <= v.iface.MTU {
		s.rememberPassage(at, h, p, v)
	}
	if v.iface.nat != nil {
		if x, ok := s.translateQuote(now, v.iface, h, p, true); ok {
			x.ID = p.ID
			p.Release()
			p = x
		} else if !s.translateOut(now, at, h, p, v.iface) {
			return
		}
	}
	s.prepareOnward(p, h.TotalLen)
	if hidden {
		p.Reason, p.RFC = "forwarded, and translated: those inside share the router's address", "RFC 3022, 4.1"
	}
	if h.TotalLen > v.iface.MTU {
		s.cutOnTheWay(now, h, p, v)
		return
	}
	s.output(now, v, p)
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

// tellSender lets the sender of a packet know that its next hop doesn't
// answer: an endpoint here, or another machine.
func (s *Stack) tellSender(now clock.Time, i *Interface, h *wire.IPv4, p *pkt.Packet) {
	m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeHostUnreachable}
	if s.own.by(h.Src) == nil || h.Protocol != wire.ProtocolTCP && h.Protocol != wire.ProtocolUDP {
		// A raw socket hears of it as of any other message.
		s.icmpError(now, arrival{iface: i}, h, p, m)
		return
	}
	s.cameToNothing(now, header{src: h.Src, dst: h.Dst, protocol: h.Protocol}, transportHead(h, p), verdictOf(&m))
}

// cameToNothing tells the endpoint that sent a packet that its next hop doesn't
// answer.
func (s *Stack) cameToNothing(now clock.Time, h header, head []byte, what verdict) {
	if !s.failOpening(now, &h, head) {
		s.concerns(now, &h, head, &what)
	}
}

// failOpening ends a connection's attempt to open whose SYN could not be sent.
// What ICMP says may not do that (RFC 9293, 3.9.2.2, MUST-56), but this the
// machine knows by itself.
func (s *Stack) failOpening(now clock.Time, h *header, head []byte) bool {
	if h.protocol != wire.ProtocolTCP || len(head) < wire.TCPHeaderLen {
		return false
	}
	e := s.connection(netip.AddrPortFrom(h.src, be16(head)), netip.AddrPortFrom(h.dst, be16(head[2:])))
	if e == nil || e.conn.State() != tcp.StateSynSent {
		return false
	}
	s.env()
	e.conn.HandleUnreachable(now, ErrHostUnreachable, true, e.conn.Info().ISS)
	s.drainTCP(now, e)
	return true
}

// unresolved gives up a packet whose next hop has no MAC address.
func (s *Stack) unresolved(now clock.Time, i *Interface, nextHop netip.Addr, p *pkt.Packet) {
	h, _, err := wire.ParseIPv4Header(p.Head())
	if err == nil && s.detour(now, nextHop, &h, p) {
		return
	}
	if err == nil {
		s.tellSender(now, i, &h, p)
	}
	s.discard(now, i, p, discardUnresolved)
}
