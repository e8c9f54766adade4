package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// isNDP reports whether a message is one of neighbour discovery's.
func (s *Stack) isNDP(m *wire.ICMPv6) bool {
	return m.Type >= wire.ICMPv6RouterSolicitation && m.Type <= wire.ICMPv6Redirect
}

// An ndp is a neighbour discovery message that has arrived: its envelope, by
// which it is judged, and what it says.
type ndp struct {
	neigh.Envelope
	at      arrival
	m       *wire.ICMPv6
	payload []byte
}

// handleNDP takes a neighbour discovery message (RFC 4861). What isn't valid is
// silently discarded (R4861-1, R4861-2; RFC 4861, 6.1 and 7.1).
func (s *Stack) handleNDP(now clock.Time, at arrival, h *header, p *pkt.Packet, m *wire.ICMPv6, payload []byte, fragmented bool) {
	n := ndp{at: at, m: m, payload: payload, Envelope: neigh.Envelope{
		Src: bare(h.src), Dst: bare(h.dst), HopLimit: h.ttl, Code: m.Code, Fragmented: fragmented,
	}}
	if at.iface.six == nil || at.iface.six.neighbors == nil {
		s.discard(now, at.iface, p, discardICMP)
		return
	}
	before := s.stream.Cause()
	if why := s.heed(now, &n); why != 0 {
		s.discard(now, at.iface, p, why)
	} else {
		p.Release()
	}
	s.drainIPv6(now, at.iface)
	s.stream.Because(before)
}

// heed does what a message says, or returns why it is discarded, zero if it
// isn't.
func (s *Stack) heed(now clock.Time, n *ndp) Discard {
	switch n.m.Type {
	case wire.NeighborSolicitation, wire.NeighborAdvertisement:
		return s.hearNeighbor(now, n)
	case wire.ICMPv6RouterSolicitation:
		return s.hearRouterSolicitation(now, n)
	case wire.ICMPv6RouterAdvertisement:
		return s.hearRouterAdvert(now, n)
	}
	return s.hearRedirect(now, n)
}

// invalid returns the reason to discard a message that breaks a rule, zero for
// one that is valid.
func invalid(why neigh.Invalid) Discard {
	if why == neigh.Valid {
		return 0
	}
	return discardNDP + Discard(why)
}

func (s *Stack) hearNeighbor(now clock.Time, n *ndp) Discard {
	message, err := wire.ParseNeighborMessage(n.m, n.payload)
	if err != nil {
		return discardBadTransportHeader
	}
	cache := s.with(n.at.iface.six.neighbors)
	if n.m.Type == wire.NeighborSolicitation {
		if why := invalid(n.CheckSolicitation(&message)); why != 0 {
			return why
		}
		cache.HandleSolicitation(now, n.Src, &message)
		return 0
	}
	if why := invalid(n.CheckAdvertisement(&message)); why != 0 {
		return why
	}
	cache.HandleAdvertisement(now, &message)
	s.gatewayIs(message.Target, true)
	return 0
}

// hearRouterSolicitation: "A host MUST silently discard any received Router
// Solicitation messages." (RFC 4861, 6.2.6)
func (s *Stack) hearRouterSolicitation(now clock.Time, n *ndp) Discard {
	x := n.at.iface.six
	if why := invalid(n.CheckRouterSolicitation(n.payload)); why != 0 {
		return why
	}
	if x.advertiser == nil {
		return discardRouterAsked
	}
	if mac, ok := wire.FindNDPOption(n.payload, wire.SourceLinkAddress).LinkAddress(); ok {
		s.with(x.neighbors).HandleLinkAddress(now, n.Src, mac, neigh.HostRole)
	}
	x.advertiser.HandleSolicitation(now)
	return 0
}

// hearRouterAdvert: hosts heed it, if they are to configure themselves
// (R4861-7; RFC 4861, 6.3.4).
func (s *Stack) hearRouterAdvert(now clock.Time, n *ndp) Discard {
	x := n.at.iface.six
	advert, err := wire.ParseRouterAdvert(n.m, n.payload)
	if err != nil {
		return discardBadTransportHeader
	}
	if why := invalid(n.CheckRouterAdvert(advert.Options)); why != 0 {
		return why
	}
	if x.host == nil {
		return discardRouterAdvert
	}
	if mac, ok := wire.FindNDPOption(advert.Options, wire.SourceLinkAddress).LinkAddress(); ok {
		s.with(x.neighbors).HandleLinkAddress(now, n.Src, mac, neigh.RouterRole)
	}
	x.host.HandleRouterAdvert(now, n.Src, &advert)
	x.refresh(n.at.iface) // an address's prefix may be one more router's
	return 0
}

// sendNDP sends a message of the neighbour cache. Before an address is asked
// for, its solicited-node group is joined.
//
// RFC 4862, 5.4.2 (R4862-3): "Before sending a Neighbor Solicitation, an interface
// MUST join the all-nodes multicast address and the solicited-node multicast
// address of the tentative address."
func (s *Stack) sendNDP(now clock.Time, i *Interface, m *neigh.Message) {
	if m.Src.IsUnspecified() {
		s.join(now, i, m.Dst)
		s.drainGroups(now, i, i.six.groups)
	}
	var room [64]byte
	header, payload := m.Payload(room[:0])
	p := s.packNDP(m.Src, m.Dst, header, payload)
	p.Cause, p.Reason, p.RFC = m.Cause, m.Reason, m.RFC
	if !m.DstMAC.IsZero() {
		s.frame(i, p, m.DstMAC, wire.EtherTypeIPv6)
		return
	}
	s.resolve(now, i, i.six.neighbors, m.Dst, p)
}

// packNDP makes a packet that no router forwards of a message.
func (s *Stack) packNDP(src, dst netip.Addr, m wire.ICMPv6, payload []byte) *pkt.Packet {
	return packICMPv6(src, dst, wire.NDPHopLimit, m, payload)
}

// packICMPv6 makes a packet of a message.
func packICMPv6(src, dst netip.Addr, hops uint8, m wire.ICMPv6, payload []byte) *pkt.Packet {
	p := pkt.New()
	h := wire.IPv6{
		PayloadLen: wire.ICMPv6HeaderLen + len(payload), NextHeader: wire.ProtocolICMPv6, HopLimit: hops, Src: src, Dst: dst,
	}
	// Neighbour discovery's messages are read in the head.
	head := min(len(payload), pkt.HeadRoom-wire.EthernetHeaderLen-wire.IPv6HeaderLen-wire.ICMPv6HeaderLen)
	p.SetBody(pkt.CopyView(payload[head:]))
	copy(p.Prepend(head), payload)
	m.PutHeader(src, dst, p.Prepend(wire.ICMPv6HeaderLen), payload)
	h.AppendTo(p.Prepend(wire.IPv6HeaderLen)[:0])
	p.Vouch()
	return p
}

// sendRouterSolicitation asks for routers. The link address tells a router
// where to answer to (RFC 4861, 4.1; R4861-9).
func (s *Stack) sendRouterSolicitation(i *Interface, from netip.Addr) {
	var room [16]byte
	payload := wire.AppendLinkAddress(room[:0], wire.SourceLinkAddress, i.MAC)
	p := s.packNDP(from, wire.AllRouters, wire.ICMPv6{Type: wire.ICMPv6RouterSolicitation}, payload)
	p.Cause = uint64(s.stream.Cause())
	p.Reason, p.RFC = "router solicitation: is there a router?", "RFC 4861, 6.3.7"
	s.frame(i, p, wire.MulticastMAC(wire.AllRouters), wire.EtherTypeIPv6)
}

// sendRouterAdvert tells everybody on the link of the router.
func (s *Stack) sendRouterAdvert(i *Interface, a *wire.RouterAdvert) {
	m, payload := a.Message(nil)
	p := s.packNDP(i.six.linkLocal(), wire.AllNodes, m, payload)
	p.Cause = uint64(s.stream.Cause())
	p.Reason, p.RFC = "router advertisement", "RFC 4861, 6.2.3"
	s.frame(i, p, wire.MulticastMAC(wire.AllNodes), wire.EtherTypeIPv6)
}

// linkLocal returns the interface's link-local address that may be used, the
// unspecified address if there is none.
func (x *ipv6) linkLocal() netip.Addr {
	for i := range x.sources {
		if addr := x.sources[i].Prefix.Addr(); isLocal(addr) {
			return addr
		}
	}
	return netip.IPv6Unspecified()
}
