package stack

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/icmperr"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// hearRedirect heeds a router's word that another is the better one for a
// destination, or that this is on the link.
//
// RFC 4861, 8.1 (R4861-10, R4861-11): "The IP source address of the Redirect is the same as the
// current first-hop router for the specified ICMP Destination Address. The ICMP
// Destination Address field in the redirect message does not contain a multicast
// address. The ICMP Target Address is either a link-local address (when
// redirected to a router) or the same as the ICMP Destination Address (when
// redirected to the on-link destination)."
func (s *Stack) hearRedirect(now clock.Time, n *ndp) Discard {
	i := n.at.iface
	m, err := wire.ParseRedirect(n.payload)
	if err != nil {
		return discardBadTransportHeader
	}
	if why := invalid(n.CheckRouterAdvert(m.Options)); why != 0 { // a redirect's rules are the same
		return why
	}
	// RFC 4861, 8.3: "A router MUST NOT update its routing tables upon receipt of
	// a Redirect."
	if s.cfg.Forwarding6 || i.conf6.acceptRedirects == 0 || m.Dst.IsMulticast() || s.routes.Redirect(m.Dst, n.Src, m.Target, i.Index) != "" {
		return discardRedirect
	}
	s.generation++
	if mac, ok := wire.FindNDPOption(m.Options, wire.TargetLinkAddress).LinkAddress(); ok {
		// "If the Target Address is not the same as the Destination Address, the
		// host MUST set IsRouter to TRUE for the target."
		role := neigh.AnyRole
		if m.Target != m.Dst {
			role = neigh.RouterRole
		}
		s.with(i.six.neighbors).HandleLinkAddress(now, m.Target, mac, role)
	}
	s.stream.Publish(now, s.cfg.Name, event.Routed{
		Destination: m.Dst, Prefix: netip.PrefixFrom(m.Dst, 128), NextHop: m.Target, Port: i.Name,
		Why: fmt.Sprintf("the router %v says that %v is the better one", n.Src, m.Target),
	})
	return 0
}

// redirect6 tells the sender of a packet that is being forwarded along v of a
// better first hop, if the packet goes back to the link that it came from.
//
// RFC 4861, 8.2: "A router SHOULD send a redirect message, subject to rate
// limiting, whenever it forwards a packet that is not explicitly addressed to
// itself [...] in which: the Source Address field of the packet identifies a
// neighbor, and the router determines [...] that a better first-hop node resides
// on the same link as the sending node for the Destination Address of the packet
// being forwarded, and the Destination Address of the packet is not a multicast
// address."
func (s *Stack) redirect6(now clock.Time, at arrival, h *wire.IPv6, p *pkt.Packet, v *path) {
	i := at.iface
	if v.iface != i || i.Loopback || !i.onLink(h.Src) || h.Src == v.nextHop || !isLocal(v.nextHop) && v.nextHop != h.Dst {
		return
	}
	from := i.six.linkLocal()
	if from.IsUnspecified() {
		return
	}
	if ok, _ := s.icmpLimit.Allow(now, h.Src); !ok {
		s.discards[discardICMPLimit]++
		return
	}
	m := wire.RedirectMessage{Target: v.nextHop, Dst: h.Dst}
	if mac, state, ok := i.six.neighbors.Lookup(v.nextHop); ok && state != neigh.Incomplete && !mac.IsZero() {
		m.Options = wire.AppendLinkAddress(m.Options, wire.TargetLinkAddress, mac)
	}
	quote := p.Payload(0, icmperr.QuoteLen6(min(p.Len(), wire.IPv6HeaderLen+h.PayloadLen))-32-8-len(m.Options))
	m.Options = wire.AppendRedirected(m.Options, quote.Bytes())
	quote.Release()
	header, payload := m.Message(nil)
	q := s.packNDP(from, h.Src, header, payload)
	q.Cause = uint64(s.stream.Cause())
	q.Reason, q.RFC = "redirect: there is a better first hop", "RFC 4861, 8.2"
	s.resolve(now, i, i.six.neighbors, h.Src, q)
}

// onLink reports whether an address is on the interface's link.
func (i *Interface) onLink(addr netip.Addr) bool {
	if isLocal(addr) {
		return true
	}
	for n := range i.six.addresses {
		if i.six.addresses[n].Prefix.Contains(addr) {
			return true
		}
	}
	return false
}
