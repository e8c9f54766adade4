package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// handleIPv4 takes a packet whose head begins with the IPv4 header.
func (s *Stack) handleIPv4(now clock.Time, at arrival, p *pkt.Packet) {
	var h wire.IPv4
	if _, err := h.Parse(p.Head()); err != nil {
		// RFC 1122, 3.2.1.2 (R1122-7): a host MUST verify the IP header
		// checksum on every received datagram and silently discard every
		// datagram that has a bad checksum; of a version other than 4 likewise
		// (R1122-6; RFC 1122, 3.2.1.1).
		s.discard(now, at.iface, p, discardIPv4Header)
		return
	}
	seen := seenBefore{h.Src, h.Dst, s.generation}
	if seen == at.iface.last && !at.broadcast && len(h.Options) == 0 && h.TotalLen <= p.Len() {
		s.deliver(now, at, &h, p)
		return
	}
	if why, bad := s.checkIPv4(at, &h, p); bad {
		s.discard(now, at.iface, p, why)
		return
	}
	where := s.destination(at, h.Src, h.Dst)
	if where == forHere && !at.broadcast {
		at.iface.last = seen
	}
	if len(h.Options) > 0 && s.refusesOptions(now, at, &h, p, where) {
		return
	}
	switch {
	case where == forHere:
		s.deliver(now, at, &h, p)
	case where == forNobody:
		s.discard(now, at.iface, p, discardTentative)
	case where == forGroup:
		// RFC 1112, 6.2: of multicast packets only those for a group that
		// was joined are for the host; nor does this router forward any.
		s.discard(now, at.iface, p, discardGroup)
	case !s.cfg.Forwarding:
		// RFC 1122, 3.2.1.3 (R1122-8): a host MUST silently discard an
		// incoming datagram that is not destined for the host. It doesn't
		// forward unless it is a router (R1122-35; RFC 1122, 3.3.5).
		s.discard(now, at.iface, p, discardOtherAddress)
	default:
		s.forward(now, at, &h, p)
	}
}

// seenBefore is what the last packet for this machine had that came from a
// link, and was found to be in order: the next one is mostly of the same
// conversation. Whatever changes the verdict changes the generation.
type seenBefore struct {
	src, dst   netip.Addr
	generation uint32
}

// checkIPv4 finds what is wrong with a header, if anything.
func (s *Stack) checkIPv4(at arrival, h *wire.IPv4, p *pkt.Packet) (Discard, bool) {
	switch {
	case h.TotalLen > p.Len():
		return discardTruncated, true
	case s.martianSource(at.iface, h):
		return discardMartianSource, true
	case h.Dst.IsUnspecified(), h.Dst.IsLoopback() && !at.iface.Loopback:
		return discardMartianDestination, true
	case at.broadcast && !h.Dst.IsMulticast() && !at.iface.isBroadcast(h.Dst):
		// RFC 1122, 3.3.6 (R1122-5): a host SHOULD silently discard a datagram that is
		// received via a link-layer broadcast but does not specify an IP
		// multicast or broadcast destination address.
		return discardLinkBroadcast, true
	}
	return 0, false
}

// martianSource reports whether no sender can have the source address. The
// unspecified address is that of a host which doesn't know its own yet
// (RFC 1122, 3.2.1.3): it may send to this link alone. (R1122-9, R1122-44,
// MUST-63)
func (s *Stack) martianSource(i *Interface, h *wire.IPv4) bool {
	src := h.Src
	switch {
	case src.IsMulticast(), i.isBroadcast(src), src.As4()[0] >= 240:
		return true
	case i.Loopback:
		return false
	case src.As4()[0] == 0:
		return !src.IsUnspecified() || !i.isBroadcast(h.Dst)
	}
	return src.IsLoopback() || s.own.by(src) != nil
}

// where says for whom a packet is.
type where uint8

const (
	forHere where = iota
	forElsewhere
	forNobody // for an address of ours that isn't in use
	forGroup  // for a multicast group, which isn't joined
)

// destination decides whether a packet is for this machine (R1812-2;
// RFC 1812, 5.2.3).
func (s *Stack) destination(at arrival, src, dst netip.Addr) where {
	if i := s.own.by(dst); i != nil {
		if i.neighbors != nil && !i.neighbors.Usable(dst) {
			return forNobody
		}
		return forHere
	}
	switch {
	case at.iface.isBroadcast(dst), at.iface.Loopback, dst == allHosts:
		return forHere
	case dst.IsMulticast() && s.listens(at.iface, dst, src):
		return forHere
	case dst.IsMulticast():
		return forGroup
	}
	return forElsewhere
}

// allHosts is the group that every host is in (RFC 1112, 4).
var allHosts = netip.AddrFrom4([4]byte{224, 0, 0, 1})

// deliver takes a packet for this machine, whole or a fragment. How long it still
// had to live makes no difference here (R1122-13; RFC 1122, 3.2.1.7).
func (s *Stack) deliver(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	if h.MF || h.FragOffset > 0 {
		s.handleFragment(now, at, h, p, s.deliver)
		return
	}
	if s.cfg.Forwarding && s.translateIn(now, at, h, p) {
		return
	}
	x := header{
		src: h.Src, dst: h.Dst, protocol: h.Protocol, tos: h.TOS, ttl: h.TTL,
		group: at.broadcast || at.iface.isBroadcast(h.Dst) || h.Dst.IsMulticast(),
		len:   h.HeaderLen(), total: h.TotalLen,
	}
	s.tellRaws(at, &x, p)
	switch h.Protocol {
	case wire.ProtocolTCP:
		s.handleTCP(now, at, &x, p)
	case wire.ProtocolUDP:
		s.handleUDP(now, at, &x, p)
	case wire.ProtocolICMP:
		s.handleICMP(now, at, h, p)
	case wire.ProtocolIGMP:
		s.handleIGMP(now, at, h, p)
	default:
		s.icmpError(now, at, h, p, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeProtocolUnreachable})
		s.discard(now, at.iface, p, discardProtocol)
	}
}

// handleFragment keeps a fragment until its packet is whole, and hands that to
// then.
func (s *Stack) handleFragment(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, then func(clock.Time, arrival, *wire.IPv4, *pkt.Packet)) {
	header := h.HeaderLen()
	payload := p.Payload(header, h.TotalLen-header)
	s.others.touched = true
	s.reassembly.Cause, s.reassembly.Watch = uint64(s.stream.Cause()), s.stream.On()
	whole, body, done := s.reassembly.HandleFragment(now, h, payload)
	s.tellFragments(now)
	if !done {
		p.Release()
		return
	}
	w := pkt.New()
	w.ID, w.Cause = p.ID, p.Cause
	p.Release()
	fill(w, body, wire.EthernetHeaderLen+whole.HeaderLen()) // it may be sent on
	whole.AppendTo(w.Prepend(whole.HeaderLen())[:0])
	then(now, at, &whole, w)
}

// fill makes body, whose reference it takes over, the payload of w, with as
// much of it in the head as leaves room for the headers before it: the
// transport's header is wanted there.
func fill(w *pkt.Packet, body pkt.View, headers int) {
	head := min(body.Len(), pkt.HeadRoom-headers)
	w.SetBody(body.Slice(head, body.Len()).Retain())
	copy(w.Prepend(head), body.Bytes())
	body.Release()
}

// transportHead returns what of the transport's part of a packet is in the
// head, without what lies behind the packet's end.
func transportHead(h *wire.IPv4, p *pkt.Packet) []byte {
	b := p.Head()[h.HeaderLen():]
	return b[:min(len(b), h.TotalLen-h.HeaderLen())]
}
