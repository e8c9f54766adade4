package autoconf

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/wire"
)

// RFC 4862, 5.3: "A node forms a link-local address whenever an interface
// becomes enabled."
func TestALinkLocalAddressIsMade(t *testing.T) {
	g := newGuest(t, Config{})
	g.Start(0)
	g.poll()
	a := g.Addresses()[0]
	g.want("its prefix", a.Prefix.Masked(), "fe80::/64")
	g.want("its state", a.State, Tentative)
	g.want("the change", g.changes, []Change{{Kind: AddAddress, Prefix: a.Prefix, Why: "made from the prefix fe80::/64"}})
	g.want("nothing is due before it is usable", g.NextTimer(), clock.Never)
	g.HandleAddressUsable(1*s, a.Prefix.Addr())
	g.want("its state", g.Addresses()[0].State, Preferred)
}

// RFC 4861, 6.3.7: "Before a host sends an initial solicitation, it SHOULD
// delay the transmission for a random amount of time between 0 and
// MAX_RTR_SOLICITATION_DELAY." RFC 7559, 2: retransmissions go on, with
// intervals that double, from 4 s to an hour.
func TestRoutersAreAskedForUntilOneAnswers(t *testing.T) {
	g := settled(t, Config{})
	g.until(10 * hour)
	g.want("from the link-local address", g.from, g.Addresses()[0].Prefix.Addr())
	if first := g.solicitations[0]; first < 1 || first > 1*s {
		t.Errorf("asked first at %v, want it within a second", first)
	}
	ideal := 4 * s
	for i := 1; i < len(g.solicitations); i++ {
		gap := g.solicitations[i] - g.solicitations[i-1]
		if gap < ideal*85/100 || gap > ideal*115/100 {
			t.Errorf("gap %d is %v, want about %v", i, gap, ideal)
		}
		ideal = min(2*gap, hour)
	}
	g.hears(10*hour, routerA)
	g.solicitations = nil
	g.until(30 * hour)
	g.want("after an answer", len(g.solicitations), 0)
}

func TestAnAdvertisementOfNoDefaultRouterDoesNotEndTheAsking(t *testing.T) {
	g := settled(t, Config{})
	g.hearsAdvert(2*s, routerA, wire.RouterAdvert{Lifetime: 0})
	g.until(20 * s)
	g.want("asked", len(g.solicitations) >= 3, true)
}

// RFC 4861, 6.3.4, the default router list.
func TestTheDefaultRouterList(t *testing.T) {
	g := settled(t, Config{})
	g.hears(10*s, routerA)
	g.wantChanges(AddRouter)
	g.hears(20*s, routerA)
	g.wantChanges()
	g.hearsAdvert(30*s, routerB, wire.RouterAdvert{Lifetime: 100, Preference: 1})
	g.wantChanges(AddRouter)
	g.want("routers", g.Routers(), []Router{{routerB, 1}, {routerA, 0}})
	g.hearsAdvert(40*s, routerA, wire.RouterAdvert{Lifetime: 1800, Preference: -1})
	g.wantChanges(AddRouter)
	// "Whenever the Lifetime of an entry in the Default Router List expires,
	// that entry is discarded." (RFC 4861, 6.3.5)
	g.until(130*s - 1)
	g.wantChanges()
	g.until(130 * s)
	g.wantChanges(RemoveRouter)
	g.want("routers", g.Routers(), []Router{{routerA, -1}})
	// "If [...] the received Router Lifetime value is zero, immediately
	// time-out the entry".
	g.hearsAdvert(140*s, routerA, wire.RouterAdvert{})
	g.wantChanges(RemoveRouter)
	g.hearsAdvert(150*s, routerA, wire.RouterAdvert{})
	g.wantChanges()
	g.hears(160*s, routerA)
	g.HandleRouterGone(routerA)
	g.HandleRouterGone(routerA)
	g.poll()
	g.wantChanges(AddRouter, RemoveRouter)
}

// RFC 4861, 6.3.4: "A Router Advertisement field (e.g., Cur Hop Limit,
// Reachable Time, and Retrans Timer) may contain a value denoting that it is
// unspecified. In such cases, the parameter should be ignored".
func TestTheValuesOfALink(t *testing.T) {
	g := settled(t, Config{})
	g.hearsAdvert(1*s, routerA, wire.RouterAdvert{HopLimit: 32, Reachable: 10000, Retrans: 500}, wire.AppendLinkMTU(nil, 1400))
	g.want("changes", g.changes, []Change{
		{Kind: SetHopLimit, Value: 32, Why: "a router advertises it"},
		{Kind: SetReachable, Value: 10000, Why: "a router advertises it"},
		{Kind: SetRetrans, Value: 500, Why: "a router advertises it"},
		{Kind: SetMTU, Value: 1400, Why: "a router advertises it"},
	})
	g.changes = nil
	g.hearsAdvert(2*s, routerB, wire.RouterAdvert{})
	g.hearsAdvert(3*s, routerA, wire.RouterAdvert{HopLimit: 32, Reachable: 10000, Retrans: 500}, wire.AppendLinkMTU(nil, 1400))
	g.wantChanges()
	g.hearsAdvert(4*s, routerA, wire.RouterAdvert{}, wire.AppendLinkMTU(nil, 1279))
	g.wantChanges()
}

// RFC 4861, 6.3.4, the prefix list.
func TestThePrefixesOnTheLink(t *testing.T) {
	onLink := func(p netip.Prefix, valid uint32) []byte {
		return (&wire.PrefixInfo{Prefix: p, OnLink: true, Valid: valid, Preferred: valid}).AppendTo(nil)
	}
	g := settled(t, Config{Prefixes: 2})
	odd := netip.MustParsePrefix("2001:db8:3::/48")
	g.hears(1*s, routerA, onLink(net1, 100), onLink(odd, wire.Forever), onLink(net2, 100))
	g.wantChanges(AddRouter, AddPrefix, AddPrefix) // and no room for a third
	g.want("prefixes", g.Prefixes(), []netip.Prefix{net1, odd})
	g.hears(50*s, routerA, onLink(net1, 100))
	g.wantChanges()
	g.until(150 * s)
	g.want("the change", g.changes, []Change{{Kind: RemovePrefix, Prefix: net1, Why: "no router has advertised it for too long"}})
	g.changes = nil
	// "If the new Lifetime value is zero, time-out the prefix immediately".
	g.hears(160*s, routerA, onLink(odd, 0), onLink(net1, 0))
	g.wantChanges(RemovePrefix)
	// "If the prefix is the link-local prefix, silently ignore".
	g.hears(170*s, routerA, onLink(linkLocal, 100), announces(netip.MustParsePrefix("ff02::/64"), 1, 1))
	g.wantChanges()
	// "a Prefix Information option with the on-link flag set to zero conveys no
	// information concerning on-link determination".
	g.hears(180*s, routerA, (&wire.PrefixInfo{Prefix: net2, Valid: 100}).AppendTo(nil))
	g.wantChanges()
}

// RFC 8106, 5.3.1: servers are kept as long as their lifetime says.
func TestDNSServers(t *testing.T) {
	g := settled(t, Config{Servers: 2})
	dns := func(n byte) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 1, 15: n}) }
	g.hears(1*s, routerA, wire.AppendDNSServers(nil, 100, dns(1), dns(2), dns(3)))
	g.wantChanges(AddRouter, SetServers)
	g.want("servers", g.Servers(), []netip.Addr{dns(1), dns(2)})
	g.hears(51*s, routerA, wire.AppendDNSServers(nil, 100, dns(1)))
	g.wantChanges()
	g.until(101 * s)
	g.want("servers", g.Servers(), []netip.Addr{dns(1)})
	g.wantChanges(SetServers)
	// "A value of zero means that the RDNSS addresses MUST no longer be used."
	g.hears(110*s, routerA, wire.AppendDNSServers(nil, 0, dns(1)))
	g.want("servers", len(g.Servers()), 0)
	g.wantChanges(SetServers)
	g.hears(120*s, routerA, wire.AppendDNSServers(nil, wire.Forever, dns(3)))
	g.until(5000 * hour)
	g.want("servers", g.Servers(), []netip.Addr{dns(3)})
}

func TestKindsHaveNames(t *testing.T) {
	for k := AddAddress; k <= GiveUp; k++ {
		if k.String() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

// Whatever routers say, what a host keeps is bounded, and no timer is in the
// past.
func TestAHostBearsEveryAdvertisement(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := settled(t, Config{Temporary: rapid.Bool().Draw(rt, "temporary")})
		now := clock.Time(0)
		for range 50 {
			now += clock.Time(rapid.Int64Range(0, int64(48*hour)).Draw(rt, "wait"))
			b := netip.MustParseAddr("2001:db8::").As16()
			b[7] = rapid.Byte().Draw(rt, "net")
			p := netip.PrefixFrom(netip.AddrFrom16(b), rapid.SampledFrom([]int{64, 64, 64, 48, 0, 128}).Draw(rt, "bits")).Masked()
			preferred, valid := rapid.Uint32().Draw(rt, "preferred"), rapid.Uint32().Draw(rt, "valid")
			from := routerA.As16()
			from[15] = rapid.Byte().Draw(rt, "router")
			g.hearsAdvert(now, netip.AddrFrom16(from), wire.RouterAdvert{Lifetime: uint16(valid)}, announces(p, preferred, valid))
			if rapid.Bool().Draw(rt, "usable") {
				g.usable(now)
			} else if all := g.Addresses(); len(all) > 0 {
				g.HandleAddressLost(now, all[len(all)-1].Prefix.Addr())
				g.poll()
			}
			g.changes = nil
			if len(g.Addresses()) > 16 || len(g.Prefixes()) > 16 || len(g.Routers()) > 8 {
				rt.Fatalf("%d addresses, %d prefixes, %d routers", len(g.Addresses()), len(g.Prefixes()), len(g.Routers()))
			}
			if next := g.NextTimer(); next.Due(now) {
				g.until(now)
				if next = g.NextTimer(); next.Due(now) {
					rt.Fatalf("at %v the timer stays at %v", now, next)
				}
			}
		}
	})
}

func FuzzHandleRouterAdvert(f *testing.F) {
	f.Add(announces(net1, 1000, 2000), uint16(1800))
	f.Add(wire.AppendDNSServers(wire.AppendLinkMTU(nil, 1300), 5, routerA), uint16(0))
	f.Fuzz(func(t *testing.T, options []byte, lifetime uint16) {
		g := settled(t, Config{Temporary: true})
		for i := range 20 {
			now := clock.Time(i) * 100 * s
			addr := routerA.As16()
			binary.BigEndian.PutUint16(addr[14:], uint16(i))
			g.hearsAdvert(now, netip.AddrFrom16(addr), wire.RouterAdvert{Lifetime: lifetime}, options)
			g.usable(now)
		}
		if len(g.Addresses()) > 16 {
			t.Errorf("%d addresses", len(g.Addresses()))
		}
	})
}
