package autoconf

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

// RFC 8106, 5.2: "A value of zero means that the DNSSL domain name MUST no longer
// be used."
func TestDomainsAreLearnedAndForgotten(t *testing.T) {
	g := settled(t, Config{Servers: 2})
	g.hears(s, routerA, wire.AppendSearchList(nil, 60, "lab.test", "room.lab.test", "third.test"))
	g.wantChanges(AddRouter, SetDomains)
	g.want("domains", g.Domains(), "[lab.test room.lab.test]")
	g.hears(10*s, routerA, wire.AppendSearchList(nil, 120, "LAB.test"))
	g.until(60*s + s - 1)
	g.wantChanges()
	g.until(61 * s)
	g.wantChanges(SetDomains)
	g.want("domains", g.Domains(), "[lab.test]")
	g.hears(70*s, routerA, wire.AppendSearchList(nil, 0, "lab.test"))
	g.wantChanges(SetDomains)
	g.want("domains", g.Domains(), "[]")
}

// RFC 4861, 4.2: "If the M flag is set, the O flag is redundant and can be
// ignored".
func TestTheFlagsAskForDHCP(t *testing.T) {
	for _, c := range []struct {
		managed, other bool
		want           []uint32
	}{
		{false, false, nil},
		{false, true, []uint32{DHCPSettings}},
		{true, false, []uint32{DHCPAddresses}},
		{true, true, []uint32{DHCPAddresses}},
	} {
		g := settled(t, Config{})
		for n := range 2 { // the second time it is known
			g.hearsAdvert(s, routerA, wire.RouterAdvert{Managed: c.managed, Other: c.other})
			var got []uint32
			for _, change := range g.changes {
				if change.Kind == AskDHCP {
					got = append(got, change.Value)
				}
			}
			if n == 0 {
				g.want("asked for", got, c.want)
			} else {
				g.want("asked for again", len(got), 0)
			}
			g.changes = nil
		}
	}
	g := settled(t, Config{})
	g.hearsAdvert(s, routerA, wire.RouterAdvert{Other: true})
	g.hearsAdvert(2*s, routerA, wire.RouterAdvert{})
	g.hearsAdvert(3*s, routerB, wire.RouterAdvert{Managed: true})
	g.hearsAdvert(4*s, routerA, wire.RouterAdvert{Other: true})
	g.wantChanges(AskDHCP, AskDHCP)
}

// RFC 6724, 5, rule 5.5: whose prefix it is that an address is of.
func TestAnAddressKnowsItsRouters(t *testing.T) {
	g := settled(t, Config{Temporary: true})
	g.hears(s, routerA, announces(net1, 86400, 86400))
	g.hears(2*s, routerB, announces(net1, 86400, 86400), announces(net2, 86400, 86400))
	g.hears(3*s, routerB, announces(net1, 86400, 86400))
	for _, a := range g.Addresses()[1:] { // the first is link-local
		want := "[fe80::a fe80::b]"
		if a.Prefix.Masked() == net2 {
			want = "[fe80::b]"
		}
		g.want(a.Prefix.String(), g.RoutersOf(a.Prefix.Addr()), want)
	}
	g.want("of no address", len(g.RoutersOf(routerA)), 0)
}

// RFC 8106, 5.3.1: "the addresses should be unicast addresses": "the host MUST
// discard the options" otherwise.
func TestServersThatAreGroupsAreNone(t *testing.T) {
	g := settled(t, Config{})
	for _, bad := range []string{"ff02::fb", "::"} {
		servers := []netip.Addr{netip.MustParseAddr("2001:db8::53"), netip.MustParseAddr(bad)}
		g.hears(s, routerA, wire.AppendDNSServers(nil, 600, servers...))
	}
	g.want("servers", len(g.Servers()), 0)
}
