package route

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

// on is a route to a subnet on the link, by is one through a gateway.
func on(p string, i int) Route { return Route{Prefix: prefix(p), Interface: i} }

func by(p, gateway string, i, metric int) Route {
	return Route{Prefix: prefix(p), NextHop: addr(gateway), Interface: i, Metric: metric}
}

func table(t *testing.T, routes ...Route) *Table {
	t.Helper()
	var table Table
	for _, r := range routes {
		if err := table.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return &table
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// to returns whom the table sends a packet to, or "none".
func to(t *Table, dst string) string {
	r, ok := t.Lookup(addr(dst))
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%v on %d", r.Gateway(addr(dst)), r.Interface)
}

// RFC 1122, 3.3.1.1 (R1122-28; by the mask, R1122-11): "If the destination is on a connected network, the
// datagram is sent directly to the destination host; otherwise, it has to be
// routed to a gateway on a connected network."
func TestAHostSendsToTheLinkOrToTheGateway(t *testing.T) {
	table := table(t, on("127.0.0.0/8", 0), on("172.16.10.0/24", 1), by("0.0.0.0/0", "172.16.10.1", 1, 0))
	want(t, "a neighbour", to(table, "172.16.10.77"), "172.16.10.77 on 1")
	want(t, "a host elsewhere", to(table, "172.16.11.77"), "172.16.10.1 on 1")
	want(t, "itself", to(table, "127.0.0.1"), "127.0.0.1 on 0")
	want(t, "the other family", to(table, "fe80::1"), "none")
	want(t, "an IPv4 address in IPv6 clothes", to(table, "::ffff:172.16.10.77"), "::ffff:172.16.10.77 on 1")
	_, ok := table.Lookup(netip.Addr{})
	want(t, "no address at all", ok, false)
}

// RFC 1812, 5.2.4.3 (2) (R1812-4): "if a packet's IP Destination Address is 10.144.2.5
// and there are network prefixes 10.144.2.0/24, 10.144.0.0/16, and 10.0.0.0/8,
// then this rule would keep only the first (10.144.2.0/24) because its prefix
// length is longest."
func TestTheLongestPrefixWins(t *testing.T) {
	table := table(t, on("10.144.0.0/16", 2), on("10.0.0.0/8", 3), on("10.144.2.0/24", 1), on("10.144.2.6/32", 4))
	for dst, i := range map[string]int{"10.144.2.5": 1, "10.144.2.6": 4, "10.144.3.5": 2, "10.145.2.5": 3} {
		r, _ := table.Lookup(addr(dst))
		want(t, dst, r.Interface, i)
	}
	want(t, "outside of all", to(table, "11.0.0.1"), "none")
}

func TestIPv6RoutesLiveInTheSameTable(t *testing.T) {
	table := table(t,
		by("::/0", "fe80::1", 1, 0), on("2001:db8:1:2::/64", 2), on("2001:db8:1:2:3::/80", 3),
		by("0.0.0.0/0", "10.0.0.1", 4, 0))
	want(t, "the longest", to(table, "2001:db8:1:2:3::9"), "2001:db8:1:2:3::9 on 3")
	want(t, "the next", to(table, "2001:db8:1:2:4::9"), "2001:db8:1:2:4::9 on 2")
	want(t, "the default", to(table, "2001:db8:9::9"), "fe80::1 on 1")
	want(t, "the other default", to(table, "8.8.8.8"), "10.0.0.1 on 4")
}

func TestAmongEqualPrefixesTheLowestMetricWinsThenTheFirst(t *testing.T) {
	table := table(t,
		by("0.0.0.0/0", "10.0.0.3", 1, 20), by("0.0.0.0/0", "10.0.0.1", 1, 10),
		by("0.0.0.0/0", "10.0.0.2", 1, 10))
	want(t, "chosen", to(table, "8.8.8.8"), "10.0.0.1 on 1")
	var order []netip.Addr
	for _, r := range table.Routes() {
		order = append(order, r.NextHop)
	}
	want(t, "order", order, "[10.0.0.1 10.0.0.2 10.0.0.3]")
}

// RFC 1122, 3.3.1.4 (R1122-29, R1122-30): "The IP layer MUST be able to detect the failure of a
// 'next-hop' gateway that is listed in its route cache and to choose an
// alternate gateway (see Section 3.3.1.5)."
func TestADeadGatewayIsPassedOver(t *testing.T) {
	table := table(t,
		by("0.0.0.0/0", "10.0.0.1", 1, 0), by("0.0.0.0/0", "10.0.0.2", 1, 5), by("10.9.0.0/16", "10.0.0.1", 1, 0))
	table.SetReachable(addr("10.0.0.1"), false)
	want(t, "known to be reachable", table.Reachable(addr("10.0.0.1")), false)
	want(t, "the other is chosen", to(table, "8.8.8.8"), "10.0.0.2 on 1")
	want(t, "where there is no other, the dead one", to(table, "10.9.9.9"), "10.0.0.1 on 1")
	table.Add(by("0.0.0.0/0", "10.0.0.1", 2, 0))
	want(t, "a new route through the dead one", to(table, "8.8.8.8"), "10.0.0.2 on 1")
	table.SetReachable(addr("10.0.0.2"), false)
	want(t, "all are dead: the first", to(table, "8.8.8.8"), "10.0.0.1 on 1")
	table.SetReachable(addr("10.0.0.1"), true)
	table.SetReachable(addr("10.0.0.2"), true)
	want(t, "all are alive", to(table, "8.8.8.8"), "10.0.0.1 on 1")
	table.SetReachable(netip.Addr{}, false)
	want(t, "nobody is nobody", table.Reachable(netip.Addr{}), true)
}

func TestAddingAgainReplaces(t *testing.T) {
	table := table(t, by("10.0.0.0/8", "192.168.0.1", 1, 5), by("10.1.2.3/8", "192.168.0.1", 1, 7))
	all := table.Routes()
	want(t, "routes", len(all), 1)
	want(t, "the prefix has no bits behind its length", all[0].Prefix, "10.0.0.0/8")
	want(t, "the metric", all[0].Metric, 7)
	want(t, "removed", table.Remove(by("10.0.0.0/8", "192.168.0.2", 1, 0)), false)
	want(t, "removed", table.Remove(by("10.9.9.9/8", "192.168.0.1", 1, 0)), true)
	want(t, "routes left", len(table.Routes()), 0)
}

func TestRemovingAnInterfaceRemovesItsRoutes(t *testing.T) {
	table := table(t, on("10.0.0.0/8", 1), on("11.0.0.0/8", 2), by("0.0.0.0/0", "10.0.0.1", 1, 0))
	table.RemoveInterface(1)
	want(t, "routes left", fmt.Sprint(table.Routes()), fmt.Sprint([]Route{on("11.0.0.0/8", 2)}))
}

func TestImpossibleRoutesAreRefused(t *testing.T) {
	var table Table
	want(t, "no prefix", table.Add(Route{}), "a route to invalid Prefix: that is not a prefix")
	want(t, "two families", table.Add(Route{Prefix: prefix("10.0.0.0/8"), NextHop: addr("fe80::1")}),
		"a route to 10.0.0.0/8 by fe80::1: both must be of one family")
}

func TestExplainTellsWhyEachRouteIsChosenOrNot(t *testing.T) {
	table := table(t,
		on("172.16.10.0/24", 1), on("172.16.11.0/24", 2), by("0.0.0.0/0", "172.16.10.1", 1, 0),
		by("172.16.0.0/16", "172.16.10.2", 1, 5), by("172.16.0.0/16", "172.16.10.3", 1, 1),
		by("172.16.0.0/16", "172.16.10.4", 1, 2), by("172.16.0.0/16", "172.16.10.5", 1, 2),
		on("fd00::/8", 1))
	table.SetReachable(addr("172.16.10.3"), false)
	got := ""
	for _, c := range table.Explain(addr("172.16.12.7")) {
		got += fmt.Sprintf("%v %v %v %s\n", c.Route.Prefix, c.Matches, c.Chosen, c.Why)
	}
	want(t, "explained", got, `172.16.10.0/24 false false 172.16.12.7 AND 255.255.255.0 = 172.16.12.0, not 172.16.10.0
172.16.11.0/24 false false 172.16.12.7 AND 255.255.255.0 = 172.16.12.0, not 172.16.11.0
172.16.0.0/16 true false 172.16.12.7 AND 255.255.0.0 = 172.16.0.0: but the gateway 172.16.10.3 is dead
172.16.0.0/16 true true 172.16.12.7 AND 255.255.0.0 = 172.16.0.0: the longest prefix
172.16.0.0/16 true false 172.16.12.7 AND 255.255.0.0 = 172.16.0.0: but another route to the same prefix was there before
172.16.0.0/16 true false 172.16.12.7 AND 255.255.0.0 = 172.16.0.0: but the metric 5 is higher than 2
0.0.0.0/0 true false 172.16.12.7 AND 0.0.0.0 = 0.0.0.0: but 172.16.0.0/16 is longer
`)
	table.SetReachable(addr("172.16.10.1"), false)
	last := table.Explain(addr("8.8.8.8"))
	want(t, "the last resort", last[len(last)-1].Why,
		"8.8.8.8 AND 0.0.0.0 = 0.0.0.0: the longest prefix; its gateway is dead, but so is every other")
	want(t, "IPv6", table.Explain(addr("fd00::1"))[0].Why, "fd00::1 AND ff00:: = fd00::: the longest prefix")
	want(t, "no route", len(new(Table).Explain(addr("8.8.8.8"))), 0)
}

func TestMask(t *testing.T) {
	for p, mask := range map[string]string{
		"0.0.0.0/0": "0.0.0.0", "10.0.0.0/8": "255.0.0.0", "10.0.0.0/22": "255.255.252.0", "10.0.0.1/32": "255.255.255.255",
		"fe80::/64": "ffff:ffff:ffff:ffff::", "::/3": "e000::",
	} {
		want(t, p, Mask(prefix(p)), mask)
	}
}

// RFC 1122, 3.2.2.2 (R1122-22): "A Redirect message SHOULD be silently discarded if the
// new gateway address it specifies is not on the same connected (sub-) net
// through which the Redirect arrived [INTRO:2, Appendix A], or if the source
// of the Redirect is not the current first-hop gateway for the specified
// destination (see Section 3.3.1)."
func TestRedirectsAreHeededWithCare(t *testing.T) {
	fresh := func() *Table {
		return table(t, on("10.0.0.0/24", 1), on("10.0.1.0/24", 2), by("0.0.0.0/0", "10.0.0.1", 1, 0))
	}
	for _, x := range []struct {
		dst, from, better string
		arrived           int
		heeded            bool
	}{
		{"8.8.8.8", "10.0.0.1", "10.0.0.2", 1, true},
		{"8.8.8.8", "10.0.0.9", "10.0.0.2", 1, false},  // not from our gateway
		{"8.8.8.8", "10.0.0.1", "10.0.0.2", 2, false},  // through another interface
		{"8.8.8.8", "10.0.0.1", "10.0.1.2", 1, false},  // on another link
		{"8.8.8.8", "10.0.0.1", "9.9.9.9", 1, false},   // on no link of ours
		{"10.0.0.7", "10.0.0.1", "10.0.0.2", 1, false}, // about a neighbour
		{"fd00::1", "10.0.0.1", "10.0.0.2", 1, false},
	} {
		table := fresh()
		why := table.Redirect(addr(x.dst), addr(x.from), addr(x.better), x.arrived)
		want(t, fmt.Sprintf("%+v: %s", x, why), why == "", x.heeded)
		want(t, "routes", len(table.Routes()) == 4, x.heeded)
	}
	table := fresh()
	why := table.Redirect(addr("10.0.0.7"), netip.Addr{}, addr("10.0.0.2"), 1)
	want(t, "from nobody", why, "the sender is not the gateway that we use for this destination")

	table.Redirect(addr("8.8.8.8"), addr("10.0.0.1"), addr("10.0.0.2"), 1)
	want(t, "that destination", to(table, "8.8.8.8"), "10.0.0.2 on 1")
	want(t, "no other", to(table, "8.8.8.9"), "10.0.0.1 on 1")
	table.Redirect(addr("8.8.8.8"), addr("10.0.0.2"), addr("10.0.0.3"), 1)
	want(t, "redirected again", to(table, "8.8.8.8"), "10.0.0.3 on 1")
	want(t, "in one route", len(table.Routes()), 4)
	table.SetReachable(addr("10.0.0.3"), false)
	want(t, "when that gateway dies", to(table, "8.8.8.8"), "10.0.0.1 on 1")
	want(t, "the route is gone", len(table.Routes()), 3)
}

func TestRedirectsAreBounded(t *testing.T) {
	table := table(t, on("10.0.0.0/24", 1), by("0.0.0.0/0", "10.0.0.1", 1, 0))
	for i := range 1000 {
		dst := netip.AddrFrom4([4]byte{8, 8, byte(i >> 8), byte(i)})
		want(t, "heeded", table.Redirect(dst, addr("10.0.0.1"), addr("10.0.0.2"), 1), "")
	}
	want(t, "routes", len(table.Routes()), 2+maxRedirects)
}

// reference finds the best route the slow way.
func reference(routes []Route, dst netip.Addr) (best Route, ok bool) {
	for _, r := range routes {
		if !r.Prefix.Contains(dst) {
			continue
		}
		if !ok || r.Prefix.Bits() > best.Prefix.Bits() ||
			r.Prefix.Bits() == best.Prefix.Bits() && r.Metric < best.Metric {
			best, ok = r, true
		}
	}
	return best, ok
}

func TestLookupFindsWhatASlowSearchFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table Table
		var routes []Route
		draw := func(label string) netip.Addr {
			if rapid.Bool().Draw(t, "IPv6") {
				b := [16]byte{0xfd, 15: byte(rapid.IntRange(0, 15).Draw(t, label))}
				b[7], b[8] = byte(rapid.IntRange(0, 3).Draw(t, label)), byte(rapid.IntRange(0, 255).Draw(t, label))
				return netip.AddrFrom16(b)
			}
			return netip.AddrFrom4([4]byte{10, 0, byte(rapid.IntRange(0, 3).Draw(t, label)), rapid.Byte().Draw(t, label)})
		}
		for i := range rapid.IntRange(0, 40).Draw(t, "routes") {
			a := draw("prefix")
			p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits")).Masked()
			r := Route{Prefix: p, Interface: i, Metric: rapid.IntRange(0, 3).Draw(t, "metric")}
			routes = append(routes, r)
			if err := table.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 {
			dst := draw("destination")
			got, ok := table.Lookup(dst)
			best, found := reference(routes, dst)
			if got != best || ok != found {
				t.Fatalf("to %v: got %v, want %v", dst, got, best)
			}
			for _, c := range table.Explain(dst) {
				if c.Chosen != (c.Route == got) {
					t.Fatalf("to %v by %v, but of %v it says %s", dst, got, c.Route, c.Why)
				}
			}
		}
	})
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := table(t, on("127.0.0.0/8", 0), on("172.16.10.0/24", 1), by("0.0.0.0/0", "172.16.10.1", 1, 0))
	dst := addr("8.8.8.8")
	if n := testing.AllocsPerRun(1000, func() { table.Lookup(dst) }); n != 0 {
		t.Errorf("%v allocations per lookup", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{3, 300} {
		var table Table
		for i := range n - 1 {
			table.Add(Route{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i)}), 24), Interface: i})
		}
		table.Add(by("0.0.0.0/0", "10.0.0.1", 1, 0))
		dst := addr("8.8.8.8")
		b.Run(fmt.Sprint(n, " routes"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Lookup(dst)
			}
		})
	}
}
