package stack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/network/groups"
	"hubbub/wire"
)

// newGuest returns a host that configures itself, switched on just now.
func newGuest(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t, nil)
	m.card6(IPv6Config{Autoconfigure: true, FromMAC: true})
	return m
}

// addresses checks which addresses the first card has, and their states.
func (m *machine) addresses(want ...string) {
	m.t.Helper()
	var got []string
	for _, a := range m.Interfaces()[1].IPv6Addresses() {
		got = append(got, fmt.Sprintf("%v %s", a.Prefix, a.State))
	}
	if g, w := strings.Join(got, ", "), strings.Join(want, ", "); g != w {
		m.t.Errorf("its addresses are %s, want %s", g, w)
	}
}

const (
	guestLink = "fe80::ff:fe00:10"
	guestOwn  = "2001:db8:10::ff:fe00:10"
)

// RFC 4862, 5.3 and 5.4.2 (R4862-1, R4862-2, R4862-3): "A node forms a link-local address
// whenever an interface becomes enabled." "Before sending a Neighbor
// Solicitation, an interface MUST join the all-nodes multicast address and the
// solicited-node multicast address of the tentative address."
func TestAHostConfiguresItself(t *testing.T) {
	m := newGuest(t)
	m.addresses(guestLink + "/64 tentative")
	m.sendsNothing()
	m.passes(time.Second)
	m.sends(":: > ff02::16: report: 4 ff02::1:ff00:10", ":: > ff02::1:ff00:10: neighbor solicitation of "+guestLink,
		":: > ff02::16: report: 4 ff02::1:ff00:10") // once more, should the first be lost
	m.hears6(ping6("fe80::11", guestLink, 1, 1, "x"))
	m.discards(discardTentative) // R4862-4
	m.passes(time.Second)
	m.addresses(guestLink + "/64 preferred")
	m.passes(time.Second)
	m.sends(guestLink+" > ff02::16: report: 4 ff02::1:ff00:10", // RFC 3810, 5.2.13: routers heed none from nobody
		guestLink+" > ff02::16: report: 4 ff02::1:ff00:10", guestLink+" > ff02::2: router solicitation")

	advert := wire.RouterAdvert{HopLimit: 61, Lifetime: 1800}
	advert.Options = wire.AppendLinkMTU(nil, 1400)
	m.hears6(routerSays(advert, offers("2001:db8:10::/64")))
	m.addresses(guestLink+"/64 preferred", guestOwn+"/64 tentative")
	m.passes(2 * time.Second)
	m.addresses(guestLink+"/64 preferred", guestOwn+"/64 preferred")
	m.sends(":: > ff02::1:ff00:10: neighbor solicitation of " + guestOwn)

	// R4861-7: the router, the prefix, the MTU and the hop limit are heeded.
	e := m.NewUDP()
	m.ok("send", e.Send(m.now, view(strings.Repeat("x", 1352)), at("["+far6+"]:9")))
	m.drain()
	if len(m.sent) != 1 || m.sent[0].eth.Dst != cardOf(1) || m.sent[0].raw[7] != 61 {
		t.Errorf("sent %+v, want one packet to the router with a hop limit of 61", m.sent)
	}
	m.forget()
	m.ok("send", e.Send(m.now, view(strings.Repeat("x", 1353)), at("["+far6+"]:9")))
	m.sends(guestOwn+" > 2001:db8:99::9: bytes 0 to 1352, more true", guestOwn+" > 2001:db8:99::9: bytes 1352 to 1361, more false")
	m.ok("send", e.Send(m.now, view("x"), at("["+stranger6+"]:9")))
	m.sends(guestOwn + " > ff02::1:ff00:50: neighbor solicitation of " + stranger6)
}

// RFC 4861, 6.3.7 and RFC 7559 (R4861-9): a host whose solicitations are lost
// goes on asking, less and less often.
func TestAHostAsksForRouters(t *testing.T) {
	m := newGuest(t)
	var when []string
	for range 120 {
		m.passes(time.Second)
		for _, s := range m.sent {
			if strings.Contains(s.text, "router solicitation") {
				when = append(when, fmt.Sprint(int(m.now.Seconds())))
			}
		}
		m.sent = nil
	}
	if got := strings.Join(when, " "); got != "3 7 15 31 63" && len(when) != 5 {
		t.Errorf("asked at %s, want after about 4, 8, 16 and 32 seconds", got)
	}
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}))
	m.forget()
	m.passes(time.Hour / 4)
	m.sendsNothing()
}

// RFC 4862, 5.4.3 (R4862-4): "If the source address of the Neighbor Solicitation is the
// unspecified address, the solicitation is from a node performing Duplicate
// Address Detection. If the solicitation is from another node, the tentative
// address is a duplicate and should not be used (by either node)." RFC 4862,
// 5.4.5 (R4862-5): what is made from the MAC address is not tried again.
func TestADuplicateIsNotUsed(t *testing.T) {
	group := wire.SolicitedNode(ip(guestLink)).String()
	for what, p := range map[string]packet6{
		"it is being asked for": solicits("::", group, guestLink, 0),
		"it is advertised":      advertises(guestLink, "ff02::1", wire.NeighborMessage{Target: ip(guestLink), Override: true}, 33),
	} {
		t.Run(what, func(t *testing.T) {
			m := newGuest(t)
			m.passes(time.Second)
			m.forget()
			m.hears6(p)
			m.addresses()
			m.passes(time.Hour)
			m.addresses()
		})
	}
}

// RFC 4862, 5.5.3 (R4862-6): "d) If the sum of the prefix length and interface identifier length
// does not equal 128 bits, the Prefix Information option MUST be ignored." "c) If
// the preferred lifetime is greater than the valid lifetime, silently ignore the
// Prefix Information option." "a) If the Autonomous flag is not set, silently
// ignore the Prefix Information option."
func TestPrefixesOfWhichNoAddressIsMade(t *testing.T) {
	m := newGuest(t)
	m.passes(3 * time.Second)
	long, swapped, manual := offers("2001:db8:10::/80"), offers("2001:db8:11::/64"), offers("2001:db8:12::/64")
	swapped.Preferred, swapped.Valid = 100, 99
	manual.Autonomous = false
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, long, swapped, manual, offers("fe80::/64")))
	m.passes(3 * time.Second)
	m.addresses(guestLink + "/64 preferred")
}

// RFC 4862, 5.5.3 e) and 5.5.4 (R4862-7, R4862-8): "2. If RemainingLifetime is
// less than or equal to 2 hours, ignore the Prefix Information option with regards
// to the valid lifetime"; "3. Otherwise, reset the valid lifetime of the
// corresponding address to 2 hours." "A deprecated address SHOULD continue to be
// used as a source address in existing communications, but SHOULD NOT be used to
// initiate new communications".
func TestAddressesAge(t *testing.T) {
	m := newGuest(t)
	m.passes(3 * time.Second)
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 9000}, offers("2001:db8:10::/64")))
	m.passes(2 * time.Second)
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 9000}, offers("2001:db8:20::/64")))
	m.passes(2 * time.Second)
	const second = "2001:db8:20::ff:fe00:10/64"
	source := func(want string) {
		t.Helper()
		v, err := m.pathTo(ip("2001:db8:10::9"), netip.Addr{})
		m.ok("the path", err)
		if v.source != ip(want) {
			t.Errorf("the source is %v, want %s", v.source, want)
		}
	}
	source(guestOwn)
	end := offers("2001:db8:10::/64") // a forger would take it away at once
	end.Valid, end.Preferred = 0, 0
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 9000}, end))
	m.addresses(guestLink+"/64 preferred", guestOwn+"/64 deprecated", second+" preferred")
	source("2001:db8:20::ff:fe00:10")
	m.passes(2*time.Hour - time.Second)
	m.addresses(guestLink+"/64 preferred", guestOwn+"/64 deprecated", second+" preferred")
	m.passes(time.Second)
	m.addresses(guestLink+"/64 preferred", second+" preferred")
	m.passes(2 * time.Hour)
	m.addresses(guestLink+"/64 preferred", second+" deprecated")
}

// RFC 4861, 6.3.6 (R4861-8): "Routers that are reachable or probably reachable
// (i.e., in any state other than INCOMPLETE) SHOULD be preferred over routers whose
// reachability is unknown or suspect".
func TestARouterThatDoesNotAnswerIsPassedOver(t *testing.T) {
	m := newGuest(t)
	m.passes(3 * time.Second)
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, offers("2001:db8:10::/64")))
	other := routerSays(wire.RouterAdvert{Lifetime: 1800})
	m2 := other
	m2.ip.Src = ip("fe80::2")
	m2.body[2], m2.body[3] = 0, 0
	sum := wire.TransportChecksum(m2.ip.Src, m2.ip.Dst, wire.ProtocolICMPv6, nil, m2.body)
	m2.body[2], m2.body[3] = byte(sum>>8), byte(sum)
	m.hears6(m2)
	m.passes(3 * time.Second)
	hop := func(want string) {
		t.Helper()
		if v, _ := m.pathTo(ip(far6), netip.Addr{}); v.nextHop != ip(want) {
			t.Errorf("the next hop is %v, want %s", v.nextHop, want)
		}
	}
	hop("fe80::1")
	m.Interfaces()[1].IPv6().Delete(m.now, ip("fe80::1"))
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800})) // its MAC address again, unproved
	m.forget()
	e := m.NewUDP()
	m.ok("send", e.Send(m.now, view("x"), at("["+far6+"]:9")))
	hop("fe80::1")
	m.passes(9 * time.Second) // delayed for 5 s, then probed thrice
	hop("fe80::2")
	m.hears6(advertises("fe80::1", guestLink, wire.NeighborMessage{Target: ip("fe80::1"), Router: true, Solicited: true}, 1))
	hop("fe80::1")
}

// RFC 4861, 6.2 (R4861-9): a router advertises itself when it starts, from time to
// time, and to who asks, half a second later at most.
func TestARouterAdvertisesItself(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Forwarding = true })
	m.card6(IPv6Config{
		Addresses: []netip.Prefix{prefix("2001:db8:10::1/64")}, LinkLocal: ip("fe80::1"), Advertise: advertisement("2001:db8:10::/64"),
	})
	const advert = "fe80::1 > ff02::1: router advertisement for 1800 s: 2001:db8:10::/64"
	m.drain()
	m.sends("fe80::1 > ff02::16: report: 4 ff02::1:ff00:1", "fe80::1 > ff02::16: report: 4 ff02::2", advert)
	m.passes(15 * time.Second)
	m.forget()
	m.hears6(ndpMessage("fe80::11", "ff02::2", wire.ICMPv6{Type: wire.ICMPv6RouterSolicitation}, wire.AppendLinkAddress(nil, wire.SourceLinkAddress, cardOf(11))))
	m.passes(500 * time.Millisecond)
	m.sends(advert)
	h := newHost6(t)
	h.hears6(ndpMessage("fe80::11", "ff02::1", wire.ICMPv6{Type: wire.ICMPv6RouterSolicitation}, nil))
	h.discards(discardRouterAsked)
	h.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800})) // its addresses are given by hand
	h.discards(discardRouterAdvert)
}

// What a machine was told is lost with its power, and what was set isn't.
func TestPowerMakesAHostAskAnew(t *testing.T) {
	m := newGuest(t)
	m.passes(3 * time.Second)
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, offers("2001:db8:10::/64")))
	m.passes(3 * time.Second)
	m.Restart(m.now)
	m.addresses()
	m.forget()
	m.passes(time.Hour)
	m.sendsNothing()
	m.Boot(m.now)
	m.passes(3 * time.Second)
	m.addresses(guestLink + "/64 preferred")
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800}, offers("2001:db8:10::/64")))
	m.passes(3 * time.Second)
	m.addresses(guestLink+"/64 preferred", guestOwn+"/64 preferred")
}

// RFC 3810, 6.2: a query is answered with all groups, after a random time.
func TestAQueryIsAnswered(t *testing.T) {
	m := newHost6(t)
	q := wire.ListenerQuery{MaxResponse: 2 * time.Second, Group: netip.IPv6Unspecified(), Robustness: 2}
	header, payload := q.Message(nil)
	p := icmp6("fe80::1", "ff02::1", header, payload)
	m.hears6(p)
	m.discards(discardGroups + Discard(groups.BadHopLimit))
	p.ip.HopLimit = 1
	m.hears6(p)
	m.discards(discardGroups + Discard(groups.NoRouterAlert))
	p.ip.NextHeader, p.body = wire.ProtocolHopByHop, append(wire.AppendRouterAlert(nil, wire.ProtocolICMPv6), p.body...)
	m.hears6(p)
	m.sendsNothing()
	m.passes(2 * time.Second)
	m.sends("fe80::10 > ff02::16: report: 2 ff02::1:ff00:10")
	m.passes(time.Minute)
	m.sendsNothing()
}
