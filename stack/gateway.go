package stack

import (
	"fmt"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/route"
	"hubbub/wire"
)

// redirect tells the sender of a packet that is being forwarded along v of a
// better gateway, if the packet goes back to the link that it came from. The
// packet is forwarded all the same.
//
// RFC 1812, 5.2.7.2 (R1812-9): "Routers MUST NOT generate a Redirect Message unless all
// the following conditions are met: The packet is being forwarded out the same
// physical interface that it was received from, The IP source address in the
// packet is on the same Logical IP (sub)network as the next-hop IP address, and
// The packet does not contain an IP source route option."
func (s *Stack) redirect(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, v *path) {
	if v.iface != at.iface || at.iface.Loopback {
		return
	}
	subnet, ok := v.iface.subnetOf(h.Src)
	if !ok || !subnet.Contains(v.nextHop) || h.Src == v.nextHop || hasSourceRoute(h.Options) {
		return
	}
	// "Routers MUST NOT generate the Redirect for Network or Redirect for
	// Network and Type of Service messages" (RFC 1812, 5.2.7.2).
	m := wire.ICMPv4{Type: wire.Redirect, Code: wire.CodeRedirectHost}
	m.SetGateway(v.nextHop)
	s.icmpError(now, at, h, p, m)
}

func hasSourceRoute(options []byte) bool {
	return wire.FindIPv4Option(options, wire.OptionLooseRoute) != nil ||
		wire.FindIPv4Option(options, wire.OptionStrictRoute) != nil
}

// redirected heeds a redirect from a gateway about the packet with header
// quoted. A redirect for a network is taken as one for the host, as subnets
// may have any size. It reports false if the redirect is not to be heeded.
//
// RFC 1122, 3.2.2.2: "A host receiving a Redirect message MUST update its
// routing information accordingly."
func (s *Stack) redirected(now clock.Time, at arrival, from netip.Addr, quoted *wire.IPv4, better netip.Addr) bool {
	// RFC 1812, 5.2.7.2: "Routers use other mechanisms to learn routing
	// information, and therefore have no reason to obey redirects."
	if s.cfg.Forwarding || s.own.by(better) != nil || at.iface.isBroadcast(better) {
		return false
	}
	if why := s.routes.Redirect(quoted.Dst, from, better, at.iface.Index); why != "" {
		return false
	}
	s.generation++
	s.stream.Publish(now, s.cfg.Name, event.Routed{
		Destination: quoted.Dst, Prefix: netip.PrefixFrom(quoted.Dst, 32), NextHop: better, Port: at.iface.Name,
		Why: fmt.Sprintf("the gateway %v says that %v is the better one", from, better),
	})
	return true
}

// forgetRedirects removes the routes that gateways told of.
func (s *Stack) forgetRedirects() {
	for _, r := range slices.Clone(s.routes.Routes()) {
		if r.Origin == route.OriginRedirect {
			s.routes.Remove(r)
		}
	}
}

// detour sends a packet whose next hop doesn't answer by another gateway that
// is thought to be alive. It reports false if there isn't one.
//
// RFC 1122, 3.3.1.4: "The IP layer MUST be able to detect the failure of a
// "next-hop" gateway that is listed in its route cache and to choose an
// alternate gateway".
func (s *Stack) detour(now clock.Time, dead netip.Addr, h *wire.IPv4, p *pkt.Packet) bool {
	if h.Dst == dead {
		return false
	}
	v, err := s.pathTo(h.Dst, h.Src)
	if err != nil || v.nextHop == dead || v.nextHop == h.Dst || !s.routes.Reachable(v.nextHop) {
		return false
	}
	s.stream.Publish(now, s.cfg.Name, event.Routed{
		Destination: h.Dst, NextHop: v.nextHop, Port: v.iface.Name,
		Why: fmt.Sprintf("the gateway %v doesn't answer: take %v instead", dead, v.nextHop),
	})
	s.output(now, &v, p)
	return true
}
