package stack

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/network/neigh"
	"hubbub/wire"
)

// stranger is on the link, and nobody knows its MAC address.
const stranger6 = "2001:db8:10::50"

// RFC 4861, 7.2.2 (R4861-3): "a node SHOULD retransmit Neighbor Solicitation
// messages approximately every RetransTimer milliseconds [...]. If no Neighbor
// Advertisement is received after MAX_MULTICAST_SOLICIT solicitations, address
// resolution has failed. The sender MUST return ICMP destination unreachable
// indications with code 3 (Address Unreachable) for each packet queued awaiting
// address resolution" (R4861-4).
func TestANeighborIsAskedForThreeTimes(t *testing.T) {
	const solicitation = "2001:db8:10::10 > ff02::1:ff00:50: neighbor solicitation of 2001:db8:10::50"
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	m.ok("connect", e.Connect(at("["+stranger6+"]:9")))
	m.ok("send", e.Send(m.now, view("hello"), e.Remote()))
	m.sends(solicitation)
	m.passes(999 * time.Millisecond)
	m.sendsNothing()
	m.passes(time.Millisecond)
	m.sends(solicitation)
	m.passes(time.Second)
	m.sends(solicitation)
	m.passes(time.Second)
	m.sendsNothing()
	m.discards(discardUnresolved)
	m.wantError("the socket's error", e.TakeError(), ErrHostUnreachable)
}

// The packets that wait go when the answer comes (R4861-4), to the address that
// it tells (R4861-5).
func TestAnAnswerLetsGoWhatWaits(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	for _, s := range []string{"one", "two"} {
		m.ok("send", e.Send(m.now, view(s), at("["+stranger6+"]:9")))
	}
	m.sends("2001:db8:10::10 > ff02::1:ff00:50: neighbor solicitation of 2001:db8:10::50")
	m.hears6(advertises(stranger6, own6, wire.NeighborMessage{Target: ip(stranger6), Solicited: true, Override: true}, 50))
	if len(m.sent) != 2 || m.sent[1].eth.Dst != cardOf(50) {
		t.Errorf("sent %v, want two datagrams to its MAC address", m.sent)
	}
	m.sends(`[2001:db8:10::10]:53 > [2001:db8:10::50]:9: "one"`, `[2001:db8:10::10]:53 > [2001:db8:10::50]:9: "two"`)
	if _, state, _ := m.Interfaces()[1].IPv6().Lookup(ip(stranger6)); state != neigh.Reachable {
		t.Errorf("the neighbour is %v, want reachable", state)
	}
}

// RFC 4861, 7.2.4 (R4861-5): "the node MUST set the Solicited flag to one and
// unicast the advertisement to the Source Address of the solicitation."
func TestASolicitationIsAnswered(t *testing.T) {
	m := newHost6(t)
	m.hears6(solicits(peer6, wire.SolicitedNode(ip(own6)).String(), own6, 11))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: neighbor advertisement of 2001:db8:10::10 solicited override")
	m.hears6(solicits("::", wire.SolicitedNode(ip(own6)).String(), own6, 0)) // somebody wants the address
	m.sends("2001:db8:10::10 > ff02::1: neighbor advertisement of 2001:db8:10::10 override")
	m.hears6(solicits("fe80::11", link6, link6, 11)) // is it still there?
	m.sends("fe80::10 > fe80::11: neighbor advertisement of fe80::10 solicited override")
	r := newRouter6(t)
	r.hears6(solicits(peer6, "2001:db8:10::1", "2001:db8:10::1", 11))
	r.sends("2001:db8:10::1 > 2001:db8:10::11: neighbor advertisement of 2001:db8:10::1 router solicited override")
}

// RFC 4861, 7.1.1 (R4861-1, R4861-2): "A node MUST silently discard any received
// Neighbor Solicitation messages that do not satisfy all of the following
// validity checks: The IP Hop Limit field has a value of 255 [...] ICMP Checksum
// is valid. ICMP Code is 0. [...] Target Address is not a multicast address. All
// included options have a length that is greater than zero. If the IP source
// address is the unspecified address, the IP destination address is a
// solicited-node multicast address."
func TestInvalidNeighborMessagesAreDiscarded(t *testing.T) {
	good := func() packet6 { return solicits(peer6, wire.SolicitedNode(ip(own6)).String(), own6, 11) }
	sum := func(p *packet6) { // the checksum anew
		p.body[2], p.body[3] = 0, 0
		c := wire.TransportChecksum(p.ip.Src, p.ip.Dst, wire.ProtocolICMPv6, nil, p.body)
		p.body[2], p.body[3] = byte(c>>8), byte(c)
	}
	for _, c := range []struct {
		what   string
		change func(*packet6)
		why    Discard
	}{
		{"the hop limit", func(p *packet6) { p.ip.HopLimit = 254 }, discardNDP + Discard(neigh.Forwarded)},
		{"the checksum", func(p *packet6) { p.body[3] ^= 1 }, discardBadTransportHeader},
		{"the code", func(p *packet6) { p.body[1] = 1; sum(p) }, discardNDP + Discard(neigh.HasCode)},
		{"the target", func(p *packet6) { p.body[8] = 0xff; sum(p) }, discardNDP + Discard(neigh.BadTarget)},
		{"the length", func(p *packet6) { p.body = p.body[:20]; sum(p) }, discardBadTransportHeader},
		{"an option without length", func(p *packet6) { p.body[25] = 0; sum(p) }, discardNDP + Discard(neigh.BadOptions)},
		{"nobody's link address", func(p *packet6) { p.ip.Src = netip.IPv6Unspecified(); sum(p) }, discardNDP + Discard(neigh.LinkAddressOfNobody)},
		{"a fragment", func(p *packet6) { // RFC 6980, 5
			f := wire.Fragment{NextHeader: wire.ProtocolICMPv6, ID: 1}
			p.body, p.ip.NextHeader = append(f.AppendTo(nil), p.body...), wire.ProtocolFragment
		}, discardNDP + Discard(neigh.WasFragmented)},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newHost6(t)
			p := good()
			c.change(&p)
			m.hears6(p)
			m.sendsNothing()
			m.discards(c.why)
			m.t = t
		})
	}
	m := newHost6(t)
	p := good() // "The contents of any defined options that are not specified [...] MUST be ignored"
	p.body = append(p.body, 77, 1, 0, 0, 0, 0, 0, 0)
	sum(&p)
	m.hears6(p)
	m.sends("2001:db8:10::10 > 2001:db8:10::11: neighbor advertisement of 2001:db8:10::10 solicited override")
}

// RFC 4861, 7.3.3 (R4861-6): a stale neighbour that is used gets five seconds
// to prove itself, and is asked then.
func TestAStaleNeighborIsProbed(t *testing.T) {
	m := newHost6(t)
	m.hears6(solicits(stranger6, wire.SolicitedNode(ip(own6)).String(), own6, 50))
	m.forget()
	e := m.NewUDP()
	m.ok("send", e.Send(m.now, view("x"), at("["+stranger6+"]:9")))
	m.forget()
	m.passes(4999 * time.Millisecond)
	m.sendsNothing()
	m.passes(time.Millisecond)
	m.sends("2001:db8:10::10 > 2001:db8:10::50: neighbor solicitation of 2001:db8:10::50")
}

// RFC 6583, 7: "implementations should bound the number of entries": who scans a
// subnet fills no table, and pushes out nobody that is talked to.
func TestAScanFillsNoCache(t *testing.T) {
	m := newRouter6(t)
	b := prefix("2001:db8:11::/64").Addr().As16()
	for n := range 3000 {
		b[13], b[14], b[15] = 1, byte(n>>8), byte(n)
		m.hears6(ping6(peer6, netip.AddrFrom16(b).String(), 1, 1, "x"))
	}
	if n := len(m.Interfaces()[2].IPv6().Entries()); n > 1024+2*29 {
		t.Errorf("the cache has %d entries", n)
	}
	m.forget()
	m.hears6(ping6(peer6, there6, 1, 2, "x"))
	m.sends(`by eth1: 2001:db8:10::11 > 2001:db8:11::11: echo request 1/2 "x"`)
}
