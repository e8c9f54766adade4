package stack

import (
	"strings"
	"testing"

	"hubbub/network/route"
	"hubbub/wire"
)

const (
	there6 = "2001:db8:11::11" // behind the router
)

// RFC 8200, 3 (R8200-15): the hop limit is "decremented by 1 by each node that
// forwards the packet".
func TestARouterForwardsIPv6(t *testing.T) {
	m := newRouter6(t)
	m.hears6(ping6(peer6, there6, 1, 1, "x"))
	if len(m.sent) != 1 || m.sent[0].raw[7] != 63 || m.sent[0].eth.Dst != cardOf(0x11) {
		t.Errorf("forwarded %+v, want a hop limit of 63 and the MAC address of the far host", m.sent)
	}
	m.sends(`by eth1: 2001:db8:10::11 > 2001:db8:11::11: echo request 1/1 "x"`)
	p := ping6(peer6, there6, 1, 2, "x")
	p.ip.HopLimit = 1
	m.hears6(p)
	m.sends("2001:db8:10::1 > 2001:db8:10::11: hop limit exceeded in transit, about 2001:db8:10::11 > 2001:db8:11::11")
	m.discards(discardTTL)
	m.hears6(ping6(peer6, far6, 1, 3, "x"))
	m.sends("2001:db8:10::1 > 2001:db8:10::11: no route to the destination, about 2001:db8:10::11 > 2001:db8:99::9")
	m.discards(discardNoRoute)
}

// RFC 8200, 5 (R8200-13): "unlike IPv4, fragmentation in IPv6 is performed only by
// source nodes, not by routers along a packet's delivery path". RFC 4443, 3.2: "A
// Packet Too Big MUST be sent by a router".
func TestARouterCutsNoIPv6Packet(t *testing.T) {
	m := newRouter6(t)
	m.Interfaces()[2].six.mtu = 1280
	m.hears6(datagram6("["+peer6+"]:9", "["+there6+"]:9", strings.Repeat("x", 1232)))
	m.sends(`by eth1: [2001:db8:10::11]:9 > [2001:db8:11::11]:9: "` + strings.Repeat("x", 1232) + `"`)
	m.hears6(datagram6("["+peer6+"]:9", "["+there6+"]:9", strings.Repeat("x", 1233)))
	m.sends("2001:db8:10::1 > 2001:db8:10::11: packet too big (1280), about 2001:db8:10::11 > 2001:db8:11::11")
	m.discards(discardTooBig)
}

// RFC 4291, 2.5.6: "Routers must not forward any packets with link-local source
// or destination addresses to other links."
func TestWhatARouterDoesNotForward(t *testing.T) {
	for _, c := range []struct {
		what string
		p    packet6
		sent string
		why  Discard
	}{
		{
			"from a link-local address", ping6("fe80::11", there6, 1, 1, "x"),
			"fe80::1 > fe80::11: beyond the scope of the source address, about fe80::11 > 2001:db8:11::11", discardScope,
		},
		{"to a link-local address", ping6(peer6, "fe80::12", 1, 1, "x"), "", discardOtherAddress},
		{"from nobody", ping6("::", there6, 1, 1, "x"), "", discardOtherAddress},
		{"a group of wide scope", ping6(peer6, "ff0e::77", 1, 1, "x"), "", discardGroupMAC},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newRouter6(t)
			m.hears6(c.p)
			m.sends(some(c.sent)...)
			m.discards(c.why)
		})
	}
	m := newRouter6(t)
	p := ping6(peer6, there6, 1, 1, "x")
	p.to = wire.Broadcast
	m.hears6(p)
	m.sendsNothing()
	m.discards(discardOtherAddress)
}

// A router looks at no extension header but the hop-by-hop options (RFC 8200, 4).
func TestARouterReadsTheHopByHopOptions(t *testing.T) {
	m := newRouter6(t)
	hop := func(option byte) packet6 {
		p := ping6(peer6, there6, 1, 1, "x")
		p.body = append([]byte{byte(wire.ProtocolICMPv6), 0, option, 4, 0, 0, 0, 0}, p.body...)
		p.ip.NextHeader = wire.ProtocolHopByHop
		return p
	}
	m.hears6(hop(0x1e))
	m.sends(`by eth1: 2001:db8:10::11 > 2001:db8:11::11: echo request 1/1 "x"`)
	m.hears6(hop(0x9e))
	m.sends("2001:db8:10::1 > 2001:db8:10::11: unrecognized option (42), about 2001:db8:10::11 > 2001:db8:11::11")
	m.discards(discardOptions)
}

// RFC 4861, 8.2: "A router SHOULD send a redirect message, subject to rate
// limiting, whenever it forwards a packet [...] in which: the Source Address field
// of the packet identifies a neighbor, and [...] a better first-hop node resides
// on the same link as the sending node".
func TestARouterRedirects(t *testing.T) {
	m := newRouter6(t)
	m.ok("the route", m.AddRoute(route.Route{Prefix: prefix("2001:db8:99::/48"), NextHop: ip("fe80::2"), Interface: 1}))
	m.hears6(ping6(peer6, far6, 1, 1, "x"))
	m.sends("fe80::1 > 2001:db8:10::11: redirect of 2001:db8:99::9 to fe80::2",
		`2001:db8:10::11 > 2001:db8:99::9: echo request 1/1 "x"`)
	m.hears6(ping6(peer6, "2001:db8:10::12", 1, 2, "x")) // it's on the link
	m.sends("fe80::1 > 2001:db8:10::11: redirect of 2001:db8:10::12 to 2001:db8:10::12",
		`2001:db8:10::11 > 2001:db8:10::12: echo request 1/2 "x"`)
}

// redirects is a redirect to a host.
func redirects(from, dst, target string) packet6 {
	r := wire.RedirectMessage{Target: ip(target), Dst: ip(dst)}
	m, payload := r.Message(nil)
	return ndpMessage(from, own6, m, payload)
}

// RFC 4861, 8.3 and 8.1 (R4861-10, R4861-11): "A host receiving a valid redirect SHOULD update
// its Destination Cache accordingly so that subsequent traffic goes to the
// specified target." "The IP source address of the Redirect is the same as the
// current first-hop router for the specified ICMP Destination Address."
func TestAHostHeedsARedirect(t *testing.T) {
	sendsTo := func(m *machine, card byte) {
		m.t.Helper()
		m.forget()
		e := m.NewUDP()
		m.ok("send", e.Send(m.now, view("x"), at("["+far6+"]:9")))
		m.drain()
		if got := m.sent[0].eth.Dst; got != cardOf(card) {
			m.t.Errorf("the packet goes to %v, want %v", got, cardOf(card))
		}
		m.forget()
	}
	m := newHost6(t)
	sendsTo(m, 1)
	m.hears6(redirects("fe80::2", far6, "fe80::3")) // not its router
	m.hears6(redirects("fe80::1", far6, "2001:db8:10::3"))
	m.hears6(redirects("fe80::1", "ff0e::1", "fe80::3"))
	m.discards(discardRedirect, discardRedirect, discardRedirect)
	sendsTo(m, 1)
	m.hears6(redirects("fe80::1", far6, "fe80::2"))
	sendsTo(m, 2)
	m.hears6(redirects("fe80::1", far6, "fe80::3")) // not from the one in use now
	m.discards(discardRedirect)
	m.hears6(redirects("fe80::2", far6, far6)) // it's on the link, after all
	e := m.NewUDP()
	m.ok("send", e.Send(m.now, view("x"), at("["+far6+"]:9")))
	m.sends("2001:db8:10::10 > ff02::1:ff00:9: neighbor solicitation of 2001:db8:99::9")
}
