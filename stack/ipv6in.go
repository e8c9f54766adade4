package stack

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/frag"
	"hubbub/wire"
)

// handleIPv6 takes a packet whose head begins with the IPv6 header.
func (s *Stack) handleIPv6(now clock.Time, at arrival, p *pkt.Packet) {
	var h wire.IPv6
	rest, err := h.Parse(p.Head())
	if err != nil {
		s.discard(now, at.iface, p, discardIPv6Header)
		return
	}
	seen := seenBefore{h.Src, h.Dst, s.generation}
	if seen == at.iface.last && !at.broadcast && h.NextHeader == wire.ProtocolTCP && wire.IPv6HeaderLen+h.PayloadLen <= p.Len() {
		x := s.header6(at, &h, wire.IPv6HeaderLen, wire.ProtocolTCP)
		s.tellRaws(at, &x, p)
		s.handleTCP(now, at, &x, p)
		return
	}
	if at.iface.conf6.disable != 0 {
		s.discard(now, at.iface, p, discardIPv6Off)
		return
	}
	if why, bad := s.checkIPv6(at, &h, p); bad {
		s.discard(now, at.iface, p, why)
		return
	}
	where := s.destination6(at, &h)
	if where == forHere && !at.broadcast {
		at.iface.last = seen
	}
	switch {
	case where == forHere:
		s.deliver6(now, at, &h, rest, p, false)
	case where == forNobody:
		s.discard(now, at.iface, p, discardTentative)
	case where == forGroup:
		s.discard(now, at.iface, p, discardGroup)
	case !s.cfg.Forwarding6:
		s.discard(now, at.iface, p, discardOtherAddress)
	default:
		s.forward6(now, at, &h, rest, p)
	}
}

// header6 returns what the layers above get to know of a packet whose transport
// begins behind so many octets.
func (s *Stack) header6(at arrival, h *wire.IPv6, before int, upper wire.Protocol) header {
	return header{
		src: s.zoned(at.iface, h.Src), dst: s.zoned(at.iface, h.Dst), protocol: upper,
		tos: h.TrafficClass, ttl: h.HopLimit, group: at.broadcast || h.Dst.IsMulticast(),
		len: before, total: wire.IPv6HeaderLen + h.PayloadLen,
	}
}

// checkIPv6 finds what is wrong with a header, if anything.
func (s *Stack) checkIPv6(at arrival, h *wire.IPv6, p *pkt.Packet) (Discard, bool) {
	src, dst := h.Src, h.Dst
	switch {
	case wire.IPv6HeaderLen+h.PayloadLen > p.Len():
		return discardTruncated, true
	case src.IsMulticast(), src.Is4In6(), !at.iface.Loopback && s.martianSource6(at.iface, h):
		// RFC 4291, 2.7: "Multicast addresses must not be used as source
		// addresses in IPv6 packets". An IPv4-mapped address is none that a
		// packet has: whoever believed it took the packet for one of IPv4.
		return discardMartianSource, true
	case dst.IsUnspecified(), dst.Is4In6(), !at.iface.Loopback && (dst.IsLoopback() || dst.IsInterfaceLocalMulticast()):
		// RFC 4291, 2.5.2, 2.5.3 and 2.7.1: these never leave a machine.
		return discardMartianDestination, true
	}
	return 0, false
}

// martianSource6 reports whether nobody else on the link can have the source
// address. Neighbour discovery finds out that somebody has, and so has to hear
// of it; who looks for an address of his own has none yet, and speaks ICMPv6
// alone, MLD's behind an option.
func (s *Stack) martianSource6(i *Interface, h *wire.IPv6) bool {
	switch {
	case h.Src.IsLoopback():
		return true
	case h.Src.IsUnspecified():
		return h.NextHeader != wire.ProtocolICMPv6 && h.NextHeader != wire.ProtocolHopByHop
	}
	return h.NextHeader != wire.ProtocolICMPv6 && s.own.by(s.zoned(i, h.Src)) != nil
}

// destination6 decides whether a packet is for this machine.
//
// RFC 4862, 5.4 (R4862-4): "Other packets addressed to the tentative address should be
// silently discarded."
func (s *Stack) destination6(at arrival, h *wire.IPv6) where {
	switch i := s.own.by(s.zoned(at.iface, h.Dst)); {
	case i != nil && i.six.neighbors != nil && !i.six.neighbors.Usable(h.Dst):
		return forNobody
	case i != nil, at.iface.Loopback:
		return forHere
	case !h.Dst.IsMulticast():
		return forElsewhere
	case s.listens(at.iface, h.Dst, h.Src):
		return forHere
	}
	return forGroup
}

// deliver6 takes a packet for this machine, whose head goes on with rest behind
// the IPv6 header. again says that it was put together from fragments.
//
// RFC 8200, 4.1 (R8200-1): "each extension header [...] must be processed strictly in the
// order they appear in the packet".
func (s *Stack) deliver6(now clock.Time, at arrival, h *wire.IPv6, rest []byte, p *pkt.Packet, again bool) {
	x, _, err := wire.ParseIPv6Extensions(h.NextHeader, rest[:min(len(rest), h.PayloadLen)])
	switch {
	case err != nil:
		s.discard(now, at.iface, p, discardExtensions)
		return
	case s.refusesExtensions(now, at, h, &x, p):
		return
	case h.Src.IsUnspecified() && x.Upper != wire.ProtocolICMPv6:
		s.discard(now, at.iface, p, discardMartianSource)
		return
	case x.Fragmented && again:
		s.discard(now, at.iface, p, discardFragment) // fragments of fragments
		return
	case x.Fragmented && !x.Fragment.IsAtomic():
		s.handleFragment6(now, at, h, &x, p)
		return
	}
	up := s.header6(at, h, wire.IPv6HeaderLen+x.Len, x.Upper)
	s.tellRaws(at, &up, p)
	switch x.Upper {
	case wire.ProtocolTCP:
		s.handleTCP(now, at, &up, p)
	case wire.ProtocolUDP:
		s.handleUDP(now, at, &up, p)
	case wire.ProtocolICMPv6:
		// RFC 6946, 4 (R8200-10): an atomic fragment is a packet of its own, "isolated
		// from any other packets/fragments".
		s.handleICMPv6(now, at, &up, p, again || x.Fragmented)
	case wire.ProtocolNone:
		s.discard(now, at.iface, p, discardNothing) // RFC 8200, 4.7
	default:
		// RFC 8200, 4 (R8200-2): "it should discard the packet and send an ICMP
		// Parameter Problem message to the source of the packet, with an ICMP
		// Code value of 1 ("unrecognized Next Header type encountered") and the
		// ICMP Pointer field containing the offset of the unrecognized value".
		s.parameterProblem(now, at, p, wire.CodeUnknownNextHeader, x.UpperNamed, false)
		s.discard(now, at.iface, p, discardProtocol)
	}
}

// refusesExtensions discards a packet for what its extension headers ask of
// its destination, and tells the sender where that has to know.
func (s *Stack) refusesExtensions(now clock.Time, at arrival, h *wire.IPv6, x *wire.IPv6Extensions, p *pkt.Packet) bool {
	if s.refusesOptions6(now, at, h, x.HopByHop, x.HopByHopAt, p) || s.refusesOptions6(now, at, h, x.EarlyDest, x.EarlyDestAt, p) {
		return true
	}
	if x.Routing && x.Segments > 0 {
		// RFC 8200, 4.4 (R8200-4): "If Segments Left is non-zero, the node must discard
		// the packet and send an ICMP Parameter Problem, Code 0, message to the
		// packet's Source Address, pointing to the unrecognized Routing Type."
		// RFC 5095, 3: type 0 is to be treated as an unrecognized one.
		s.parameterProblem(now, at, p, wire.CodeErroneousHeader, x.RoutingAt, false)
		s.discard(now, at.iface, p, discardSourceRoute)
		return true
	}
	return s.refusesOptions6(now, at, h, x.Dest, x.DestAt, p)
}

// refusesOptions6 discards a packet with an option that isn't known and may not
// be skipped (R8200-3; RFC 8200, 4.2).
func (s *Stack) refusesOptions6(now clock.Time, at arrival, h *wire.IPv6, options []byte, place int, p *pkt.Packet) bool {
	if len(options) == 0 {
		return false
	}
	fault, bad := wire.CheckIPv6Options(options)
	switch {
	case !bad:
		return false
	case fault.Malformed:
		s.parameterProblem(now, at, p, wire.CodeErroneousHeader, place+fault.At, false)
	case fault.Action == wire.DiscardAndTell, fault.Action == wire.DiscardAndTellUnicast && !h.Dst.IsMulticast():
		s.parameterProblem(now, at, p, wire.CodeUnknownOption, place+fault.At, true)
	}
	s.discard(now, at.iface, p, discardOptions)
	return true
}

// handleFragment6 keeps a fragment until its packet is whole, and delivers
// that.
func (s *Stack) handleFragment6(now clock.Time, at arrival, h *wire.IPv6, x *wire.IPv6Extensions, p *pkt.Packet) {
	head := s.fragmentHead(at, h, x, p)
	if head.Fragment.Offset == 0 && s.lacksHeaders(x, p) {
		// RFC 8200, 4.5 (R8200-11): "If the first fragment does not include all headers
		// through an Upper-Layer header, then that fragment should be discarded
		// and an ICMP Parameter Problem, Code 3, message should be sent".
		s.parameterProblem(now, at, p, wire.CodeHeaderChainMissing, 0, false)
		s.discard(now, at.iface, p, discardFragment)
		return
	}
	from := x.FragmentAt + wire.FragmentHeaderLen
	payload := p.Payload(from, wire.IPv6HeaderLen+h.PayloadLen-from)
	s.others.touched = true
	s.reassembly6.Cause, s.reassembly6.Watch = uint64(s.stream.Cause()), s.stream.On()
	whole, body, done := s.reassembly6.HandleFragment(now, &head, payload)
	s.tellFragments6(now)
	if !done {
		s.answerFragment(now, at, x, p)
		p.Release()
		return
	}
	w := pkt.New()
	w.ID, w.Cause = p.ID, p.Cause
	p.Release()
	fill(w, body, wire.IPv6HeaderLen+len(whole.Before))
	copy(w.Prepend(len(whole.Before)), whole.Before)
	whole.IPv6.AppendTo(w.Prepend(wire.IPv6HeaderLen)[:0])
	s.deliver6(now, at, &whole.IPv6, w.Head()[wire.IPv6HeaderLen:], w, true)
}

// fragmentHead returns what the reassembly wants to know of a fragment.
func (s *Stack) fragmentHead(at arrival, h *wire.IPv6, x *wire.IPv6Extensions, p *pkt.Packet) frag.Head6 {
	head := frag.Head6{IPv6: *h, Named: -1, Fragment: x.Fragment}
	head.Src, head.Dst = s.zoned(at.iface, h.Src), s.zoned(at.iface, h.Dst)
	if x.FragmentAt > wire.IPv6HeaderLen {
		head.Before, head.Named = p.Head()[wire.IPv6HeaderLen:x.FragmentAt], x.FragmentBy-wire.IPv6HeaderLen
	}
	return head
}

// lacksHeaders reports whether a first fragment ends before the transport's
// header does.
func (s *Stack) lacksHeaders(x *wire.IPv6Extensions, p *pkt.Packet) bool {
	left := p.Len() - wire.IPv6HeaderLen - x.Len
	switch x.Upper {
	case wire.ProtocolTCP:
		return left < wire.TCPHeaderLen
	case wire.ProtocolUDP, wire.ProtocolICMPv6:
		return left < wire.UDPHeaderLen
	}
	return false
}

// answerFragment tells the sender of a fragment that can't be part of any
// packet.
//
// RFC 8200, 4.5 (R8200-7, R8200-8): "If the length of a fragment, as derived from the fragment
// packet's Payload Length field, is not a multiple of 8 octets and the M flag of
// that fragment is 1, then that fragment must be discarded and an ICMP Parameter
// Problem, Code 0, message should be sent to the source of the fragment,
// pointing to the Payload Length field of the fragment packet." "If [...] the
// Payload Length of the packet reassembled from that fragment would exceed
// 65,535 octets, [...] pointing to the Fragment Offset field".
func (s *Stack) answerFragment(now clock.Time, at arrival, x *wire.IPv6Extensions, p *pkt.Packet) {
	const payloadLength, fragmentOffset = 4, 2
	switch s.reassembly6.Refused() {
	case frag.Unaligned:
		s.parameterProblem(now, at, p, wire.CodeErroneousHeader, payloadLength, false)
	case frag.TooLong:
		s.parameterProblem(now, at, p, wire.CodeErroneousHeader, x.FragmentAt+fragmentOffset, false)
	}
}
