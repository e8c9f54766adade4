package addrselect

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// RFC 6724, 4: "For all multicast and link-local destination addresses, the set
// of candidate source addresses MUST only include addresses assigned to
// interfaces belonging to the same link as the outgoing interface." and "In any
// case, multicast addresses and the unspecified address MUST NOT be included in
// a candidate set."
func TestCandidates(t *testing.T) {
	for _, x := range []struct {
		to   string
		have []Source
		want string
		why  Rule
	}{
		{"fe80::9%eth0", sources("fe80::1 eth1", "fe80::2"), "fe80::2", OnlyChoice},
		{"fe80::9", sources("fe80::1 eth1"), "none", OnlyChoice},
		{"ff02::1", sources("fe80::1 eth1"), "none", OnlyChoice},
		{"169.254.1.1", sources("169.254.1.2 eth1"), "none", OnlyChoice},
		{"2001:db8::9", sources("2001:db8::1 eth1"), "2001:db8::1", OnlyChoice},
		{"2001:db8::9", sources("::", "ff02::1", "10.0.0.1"), "none", OnlyChoice},
		{"10.0.0.9", sources("2001:db8::1", "10.0.0.1"), "10.0.0.1", OnlyChoice},
		{"::ffff:10.0.0.9", sources("2001:db8::1", "10.0.0.1"), "10.0.0.1", OnlyChoice},
		{"2001:db8::9", nil, "none", OnlyChoice},
	} {
		wantSource(t, New(), Target{Addr: netip.MustParseAddr(x.to), Interface: eth0}, x.have, x.want, x.why)
	}
	wantSource(t, New(), Target{}, sources("2001:db8::1"), "none", OnlyChoice)
	wantSource(t, New(), Target{Addr: netip.MustParseAddr("fe80::1")}, []Source{{}}, "none", OnlyChoice)
}

// RFC 6724, 5: what the examples leave out of the rules.
func TestSourceRules(t *testing.T) {
	global := Target{Addr: netip.MustParseAddr("2001:db8:9::9"), Interface: eth0, NextHop: netip.MustParseAddr("fe80::a")}
	public, careOf := global, global
	public.PreferPublic, careOf.PreferCareOf = true, true
	direct := global
	direct.NextHop = netip.Addr{}
	for _, x := range []struct {
		to   Target
		have []Source
		want string
		why  Rule
	}{
		// "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D), then prefer SB and otherwise prefer SA."
		{Target{Addr: netip.MustParseAddr("fe80::9"), Interface: eth0}, sources("fec0::1", "2001:db8::1"), "fec0::1", Scope},
		// "If one of the two source addresses is "preferred" and one of them is "deprecated" [...]
		// then prefer the one that is "preferred"."
		{global, sources("2001:db8:9::1 deprecated", "2001:db8:1::1"), "2001:db8:1::1", Deprecated},
		// "If SA is simultaneously a home address and care-of address and SB is not, then prefer SA."
		{global, sources("2001:db8:9::1 home", "2001:db8:1::1 home care-of"), "2001:db8:1::1", HomeAddress},
		{global, sources("2001:db8:9::1 care-of", "2001:db8:1::1 home"), "2001:db8:1::1", HomeAddress},
		{global, sources("2001:db8:1::1", "2001:db8:9::1 home"), "2001:db8:9::1", LongestPrefix},
		// "an application to reverse the sense of this preference and prefer care-of addresses"
		{careOf, sources("2001:db8:9::1 home", "2001:db8:1::1 care-of"), "2001:db8:1::1", HomeAddress},
		// "If SA is assigned to the interface that will be used to send to D and SB is assigned to a
		// different interface, then prefer SA."
		{global, sources("2001:db8:9::1 eth1", "2001:db8:1::1"), "2001:db8:1::1", OutgoingAddress},
		// "If SA or SA's prefix is assigned by the selected next-hop that will be used to send to D"
		{global, sources("2001:db8:9::1 fe80::b", "2001:db8:1::1 fe80::a"), "2001:db8:1::1", NextHopPrefix},
		{global, sources("2001:db8:9::1 fe80::b", "2001:db8:1::1 fe80::b fe80::a"), "2001:db8:1::1", NextHopPrefix},
		{global, sources("2001:db8:9::1 fe80::b fe80::a", "2001:db8:1::1 fe80::a"), "2001:db8:9::1", LongestPrefix},
		{global, sources("2001:db8:9::1", "2001:db8:1::1 fe80::a"), "2001:db8:9::1", LongestPrefix},
		{direct, sources("2001:db8:9::1 fe80::b", "2001:db8:1::1 fe80::a"), "2001:db8:9::1", LongestPrefix},
		// "Implementations MUST provide a mechanism allowing an application to reverse the sense of
		// this preference and prefer public addresses over temporary addresses".
		{global, sources("2001:db8:9::1", "2001:db8:1::1 temporary"), "2001:db8:1::1", TemporaryAddress},
		{public, sources("2001:db8:9::1 temporary", "2001:db8:1::1"), "2001:db8:1::1", TemporaryAddress},
		{global, sources("2001:db8:9::1", "2001:db8:9::2"), "2001:db8:9::1", ListedFirst},
	} {
		wantSource(t, New(), x.to, x.have, x.want, x.why)
	}
}

// RFC 6724, 3.2: "IPv4 addresses MUST be treated as having "preferred" (in the
// RFC 4862 sense) configuration status." RFC 6724, 3.1 and 3.4 say the scopes.
func TestAddressesHaveAScope(t *testing.T) {
	for addr, want := range map[string]scope{
		"fe80::1": linkLocal, "fe80::1%eth0": linkLocal, "::1": linkLocal, "169.254.1.1": linkLocal, "127.0.0.1": linkLocal,
		"::ffff:127.0.0.1": linkLocal, "fec0::1": siteLocal, "fec0::1%eth0": siteLocal, "2001:db8::1": global, "10.0.0.1": global, "192.168.0.1": global,
		"100.64.0.1": global, "fd00::1": global, "ff01::1": 1, "ff02::1": linkLocal, "ff04::1": 4, "ff05::1": siteLocal,
		"ff18::1": 8, "ff0e::1": global, "::": global,
	} {
		if got := scopeOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: scope %x, want %x", addr, got, want)
		}
	}
	to := Target{Addr: netip.MustParseAddr("10.0.0.9"), Interface: eth0}
	wantSource(t, New(), to, sources("10.0.0.1 deprecated", "10.9.9.9"), "10.0.0.1", LongestPrefix)
}

// RFC 6724, 2.2: "the length of the longest prefix (looking at the most
// significant, or leftmost, bits) that the two addresses have in common, up to
// the length of S's prefix [...] For example, CommonPrefixLen(fe80::1, fe80::2)
// is 64."
func TestCommonPrefix(t *testing.T) {
	for _, x := range []struct {
		source, dst string
		want        int
	}{
		{"fe80::1/64", "fe80::2", 64},
		{"fe80::1/128", "fe80::1", 128},
		{"2001:db8::1/64", "2001:db9::1", 31},
		{"2001:db8::1/64", "1::", 2},
		{"2001:db8::1/64", "8001::", 0},
		{"10.0.0.1/8", "10.0.0.1", 104},
		{"10.0.0.1/24", "10.0.1.1", 96 + 23},
	} {
		if got := commonPrefix(netip.MustParsePrefix(x.source), netip.MustParseAddr(x.dst)); got != x.want {
			t.Errorf("%s and %s have %d bits in common, want %d", x.source, x.dst, got, x.want)
		}
	}
}

// RFC 6724, 6, rule 1: "If DB is known to be unreachable or if Source(DB) is
// undefined, then prefer DA." Rule 7: "If DA is reached via an encapsulating
// transition mechanism (e.g., IPv6 in IPv4) and DB is not, then prefer DB."
// Rule 10: "If DA preceded DB in the original list, prefer DA."
func TestDestinationRules(t *testing.T) {
	table, have := New(), sources("2001:db8::2", "10.0.0.2")
	near, far := destination(table, have, "2001:db8::1"), destination(table, have, "2001:db8:9::1")
	dead, tunnelled, none := near, near, Destination{Addr: near.Addr}
	dead.Unreachable, tunnelled.Tunnelled = true, true
	four := destination(table, have, "10.0.0.1")
	fourFar := destination(table, have, "11.0.0.1")
	for _, x := range []struct {
		first, second Destination
		because       Rule
	}{
		{far, dead, Unusable},
		{far, none, Unusable},
		{four, dead, Unusable},
		{far, tunnelled, NativeTransport},
		{near, far, LongestPrefix},
		{four, fourFar, LongestPrefix},
	} {
		for _, list := range [][]Destination{{x.first, x.second}, {x.second, x.first}} {
			_, why := table.Compare(&list[0], &list[1])
			if table.Sort(list); !reflect.DeepEqual(list[0], x.first) || why != x.because {
				t.Errorf("%v before %v, for %q; want %v first, for %q", list[0].Addr, list[1].Addr, why, x.first.Addr, x.because)
			}
		}
	}
	for _, list := range [][]Destination{{dead, none}, {none, dead}, {near, near}, {none, {Addr: four.Addr}}} {
		before := slices.Clone(list)
		_, why := table.Compare(&list[0], &list[1])
		if table.Sort(list); !reflect.DeepEqual(list, before) || why != ListedFirst {
			t.Errorf("%v has become %v, for %q", before, list, why)
		}
	}
}

// RFC 6724, 6, rule 9 is for "DA and DB [that] belong to the same address
// family": a policy may leave it to the order of the list which family is first.
func TestPrefixesOfTwoFamiliesAreNotCompared(t *testing.T) {
	table := policy(t, row("::/0", 35, 1))
	six, four := destination(table, sources("2001:db8::2"), "2001:db9::1"), destination(table, sources("10.0.0.2"), "10.0.0.1")
	for _, list := range [][2]Destination{{six, four}, {four, six}} {
		if order, why := table.Compare(&list[0], &list[1]); order != 0 || why != ListedFirst {
			t.Errorf("%v and %v: %d, for %q", list[0].Addr, list[1].Addr, order, why)
		}
	}
}

// RFC 6724, 2.1: "The policy table is a longest-matching-prefix lookup table,
// much like a routing table."
func TestThePolicyTable(t *testing.T) {
	table := New()
	for addr, want := range map[string][2]int{
		"::1": {50, 0}, "2001:db8::1": {40, 1}, "10.0.0.1": {35, 4}, "::ffff:10.0.0.1": {35, 4}, "2002::1": {30, 2},
		"2001::1": {5, 5}, "fd00::1": {3, 13}, "::2": {1, 3}, "fec0::1%eth0": {1, 11}, "3ffe::1": {1, 12}, "fe80::1%1": {40, 1},
	} {
		a := netip.MustParseAddr(addr)
		if got := [2]int{table.Precedence(a), table.Label(a)}; got != want {
			t.Errorf("%s: precedence and label %v, want %v", addr, got, want)
		}
	}
	if err := table.Set(row("10.1.2.3/8", 7, 9)); err != nil {
		t.Error(err)
	}
	if got := table.Label(netip.MustParseAddr("10.200.0.1")); got != 9 {
		t.Errorf("label %d of what was set", got)
	}
	if !table.Remove(netip.MustParsePrefix("10.0.0.0/8")) || table.Remove(netip.MustParsePrefix("10.0.0.0/8")) {
		t.Error("a row is removed once")
	}
	if err := table.Set(Row{}); err == nil || err.Error() != "a policy for invalid Prefix: that is not a prefix" {
		t.Error(err)
	}
	if n := len(table.Rows()); n != 9 {
		t.Errorf("%d rows", n)
	}
	table.Set(row("::/0", 41, 1))
	if n := len(table.Rows()); n != 9 || table.Precedence(netip.MustParseAddr("9::")) != 41 {
		t.Errorf("%d rows after one was set again", n)
	}
	table.Remove(netip.MustParsePrefix("::/0"))
	for _, addr := range []netip.Addr{{}, netip.MustParseAddr("9::")} {
		if table.Label(addr) != -1 || table.Precedence(addr) != -1 {
			t.Errorf("%v has a row", addr)
		}
	}
}

func TestRulesHaveTexts(t *testing.T) {
	for r := OnlyChoice; r < numRules; r++ {
		if r.String() == "" {
			t.Errorf("rule %d has no text", r)
		}
	}
	if numRules.String() != "unknown" {
		t.Error("there is no such rule")
	}
}

// Which address is chosen doesn't depend on the order of the candidates, unless
// no rule tells them apart.
func TestTheBestOfManyIsTheBestOfAnyTwo(t *testing.T) {
	table := New()
	texts := []string{
		"2001:db8:1::1", "2001:db8:1::2 temporary", "2001:db8:2::1 deprecated", "fe80::1", "fd00::1", "2002::1", "fec0::1",
		"2001:db8:1::3 eth1", "2001:db8:9::1 home", "2001:db8:9::2 care-of", "10.0.0.1", "2001:db8:3::1 fe80::a", "2001:db8:4::1 fe80::b",
	}
	rapid.Check(t, func(rt *rapid.T) {
		have := sources(rapid.SliceOfN(rapid.SampledFrom(texts), 1, 8).Draw(rt, "have")...)
		to := Target{
			Addr:      netip.MustParseAddr(rapid.SampledFrom([]string{"2001:db8:1::9", "fe80::9", "ff05::1", "fd00::9", "2002::9"}).Draw(rt, "to")),
			Interface: eth0, PreferPublic: rapid.Bool().Draw(rt, "public"), PreferCareOf: rapid.Bool().Draw(rt, "care-of"),
		}
		best, _ := table.Source(&to, have)
		for i := range have {
			if !to.admits(&have[i]) {
				continue
			}
			if order, why := table.betterSource(&to, &have[i], &have[best]); order > 0 {
				rt.Errorf("%v is better than %v: %s", have[i], have[best], why)
			}
		}
	})
}

func TestSelectingAllocatesNothing(t *testing.T) {
	table, have := New(), sources("2001:db8:1::1", "fe80::1", "2001:db8:1::2 temporary")
	to := Target{Addr: netip.MustParseAddr("2001:db8:1::9"), Interface: eth0}
	list := []Destination{destination(table, have, "2001:db8:1::9"), destination(table, have, "fe80::9")}
	if n := testing.AllocsPerRun(100, func() { table.Source(&to, have); table.Sort(list) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
