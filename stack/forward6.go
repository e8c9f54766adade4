package stack

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// forward6 sends an IPv6 packet that is for somebody else on its way. Of its
// extension headers only the hop-by-hop options are looked at (RFC 8200, 4).
func (s *Stack) forward6(now clock.Time, at arrival, h *wire.IPv6, rest []byte, p *pkt.Packet) {
	switch {
	case at.broadcast, h.Src.IsUnspecified(), h.Src.IsLoopback(), isLocal(h.Dst):
		s.discard(now, at.iface, p, discardOtherAddress)
		return
	case h.NextHeader == wire.ProtocolHopByHop && s.refusesHopByHop(now, at, h, rest, p):
		return
	case h.HopLimit <= 1:
		// RFC 8200, 3 (R8200-15): "Decremented by 1 by each node that forwards the
		// packet. [...] a node that receives a packet [and would decrement it to
		// zero] must discard the packet". RFC 4443, 3.3: "it MUST discard the
		// packet and originate an ICMPv6 Time Exceeded message with Code 0".
		s.icmpError6(now, at, p, wire.ICMPv6{Type: wire.ICMPv6TimeExceeded, Code: wire.CodeHopLimitExceeded}, false)
		s.discard(now, at.iface, p, discardTTL)
		return
	}
	v, err := s.pathTo(h.Dst, h.Src)
	switch {
	case err != nil:
		s.icmpError6(now, at, p, wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeNoRoute}, false)
		s.discard(now, at.iface, p, discardNoRoute)
	case isLocal(h.Src) && v.iface != at.iface:
		// RFC 4291, 2.5.6: "Routers must not forward any packets with link-local
		// source or destination addresses to other links."
		s.icmpError6(now, at, p, wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeBeyondScope}, false)
		s.discard(now, at.iface, p, discardScope)
	default:
		s.forwardAlong6(now, at, h, p, &v)
	}
}

func (s *Stack) refusesHopByHop(now clock.Time, at arrival, h *wire.IPv6, rest []byte, p *pkt.Packet) bool {
	x, _, err := wire.ParseIPv6Extensions(h.NextHeader, rest[:min(len(rest), h.PayloadLen)])
	if err != nil {
		s.discard(now, at.iface, p, discardExtensions)
		return true
	}
	return s.refusesOptions6(now, at, h, x.HopByHop, x.HopByHopAt, p)
}

func (s *Stack) forwardAlong6(now clock.Time, at arrival, h *wire.IPv6, p *pkt.Packet, v *path) {
	size := wire.IPv6HeaderLen + h.PayloadLen
	if most := v.iface.mtu6(); size > most {
		// RFC 8200, 5 (R8200-13): fragmentation "is performed only by source nodes, not by
		// routers along a packet's delivery path". RFC 4443, 3.2: "A Packet Too
		// Big MUST be sent by a router in response to a packet that it cannot
		// forward because the packet is larger than the MTU of the outgoing link."
		m := wire.ICMPv6{Type: wire.ICMPv6PacketTooBig}
		m.SetWord(uint32(most))
		s.icmpError6(now, at, p, m, true)
		s.discard(now, at.iface, p, discardTooBig)
		return
	}
	s.tellRoute(now, h.Dst, v)
	s.redirect6(now, at, h, p, v)
	p.Cause = uint64(s.stream.Cause())
	p.Reason, p.RFC = "forwarded: the hop limit is one less, the MAC addresses are this link's", "RFC 8200, 3"
	p.Cut(size)
	wire.DecrementHopLimit(p.Head())
	s.output(now, v, p)
}

// unresolved6 gives up an IPv6 packet whose next hop has no MAC address, unless
// another router can take it. Its sender hears that the address is unreachable
// (R4861-4; RFC 4861, 7.2.2).
func (s *Stack) unresolved6(now clock.Time, i *Interface, nextHop netip.Addr, p *pkt.Packet) {
	h, rest, err := wire.ParseIPv6Header(p.Head())
	if err != nil {
		s.discard(now, i, p, discardUnresolved)
		return
	}
	src, dst := s.zoned(i, h.Src), s.zoned(i, h.Dst)
	if v, err := s.pathTo(dst, src); err == nil && h.Dst != nextHop && v.nextHop != nextHop && v.nextHop != h.Dst && s.routes.Reachable(v.nextHop) {
		s.stream.Publish(now, s.cfg.Name, event.Routed{
			Destination: h.Dst, NextHop: v.nextHop, Port: v.iface.Name,
			Why: fmt.Sprintf("the router %v doesn't answer: take %v instead", nextHop, v.nextHop),
		})
		s.output(now, &v, p)
		return
	}
	m := wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeAddressUnreachable}
	x, upper, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	if s.own.by(src) != nil && err == nil && (x.Upper == wire.ProtocolTCP || x.Upper == wire.ProtocolUDP) {
		s.cameToNothing(now, header{src: src, dst: dst, protocol: x.Upper}, upper, verdictOf6(&m))
	} else {
		s.icmpError6(now, arrival{iface: i}, p, m, false)
	}
	s.discard(now, i, p, discardUnresolved)
}
