package autoconf

import (
	"net/netip"
	"testing"

	"hubbub/clock"
	"hubbub/wire"
)

// RFC 4862, 5.5.3 d: "if the Valid Lifetime is not 0, form an address (and add
// it to the list) by combining the advertised prefix with an interface
// identifier".
func TestAnAddressIsMadeFromAPrefix(t *testing.T) {
	g := settled(t, Config{})
	g.hears(10*s, routerA, announces(net1, 1000, 2000))
	g.wantChanges(AddRouter, AddPrefix, AddAddress)
	a := g.of(net1)
	g.want("state", a.State, Tentative)
	g.want("preferred until", a.Preferred, 1010*s)
	g.want("valid until", a.Valid, 2010*s)
	g.usable(11 * s)
	g.want("state", g.of(net1).State, Preferred)
	// RFC 4862, 5.5.4: "A preferred address becomes deprecated when its
	// preferred lifetime expires."
	g.until(1010*s - 1)
	g.wantChanges()
	g.until(1010 * s)
	g.want("the change", g.changes, []Change{{Kind: Deprecate, Addr: a.Prefix.Addr(), Why: "its preferred lifetime is over"}})
	g.changes = nil
	g.want("state", g.of(net1).State, Deprecated)
	g.hears(1500*s, routerA, announces(net1, 1000, 2000))
	g.wantChanges(Prefer)
	g.want("state", g.of(net1).State, Preferred)
	g.until(3500 * s)
	g.wantChanges(Deprecate, RemoveRouter, RemovePrefix, RemoveAddress)
	g.want("addresses", len(g.Addresses()), 1)
}

func TestPrefixesThatMakeNoAddress(t *testing.T) {
	g := settled(t, Config{Addresses: 2})
	for _, bad := range [][]byte{
		announces(net1, 2000, 1000), // c) the preferred lifetime is greater than the valid lifetime
		announces(net1, 0, 0),
		announces(netip.MustParsePrefix("2001:db8::/48"), 1000, 2000),          // d) no sum of 128 bits
		announces(linkLocal, 1000, 2000),                                       // b) the link-local prefix
		(&wire.PrefixInfo{Prefix: net1, Valid: 9, Preferred: 9}).AppendTo(nil), // a) the flag is not set
	} {
		g.hears(1*s, routerA, bad)
	}
	g.want("addresses", len(g.Addresses()), 1)
	g.hears(2*s, routerA, announces(net1, 10, 10), announces(net2, 10, 10))
	g.want("and there is no room for more than two", len(g.Addresses()), 2)
}

// RFC 4862, 5.5.3 e: an advertisement can't end an address at once.
func TestAValidLifetimeIsNotShortenedToLessThanTwoHours(t *testing.T) {
	for _, c := range []struct {
		remaining, told uint32
		want            clock.Time
	}{
		{10000, 9000, 9000 * s},              // 1. more than 2 hours
		{1000, 2000, 2000 * s},               // 1. more than what remains
		{7000, 100, 7000 * s},                // 2. less than 2 hours remain: ignored
		{20000, 100, 7200 * s},               // 3. two hours
		{wire.Forever, 100, 7200 * s},        // 3.
		{100, wire.Forever, clock.End - 1*s}, // 1.
	} {
		g := settled(t, Config{})
		g.hears(0, routerA, announces(net1, 10, c.remaining))
		g.hears(0, routerA, announces(net1, 10, c.told))
		want := c.want
		if c.told == wire.Forever {
			want = clock.End
		}
		if got := g.of(net1).Valid; got != want {
			t.Errorf("%d remain, %d told: valid until %v, want %v", c.remaining, c.told, got, want)
		}
	}
}

// "Note that the preferred lifetime of the corresponding address is always
// reset to the Preferred Lifetime in the received Prefix Information option".
func TestAPreferredLifetimeOfZeroDeprecates(t *testing.T) {
	g := settled(t, Config{})
	g.hears(0, routerA, announces(net1, 1000, 90000))
	g.usable(1 * s)
	g.changes = nil
	g.hears(10*s, routerA, announces(net1, 0, 90000))
	g.wantChanges(Deprecate)
	g.want("state", g.of(net1).State, Deprecated)
}

func TestAnAddressForEver(t *testing.T) {
	g := settled(t, Config{})
	g.hearsAdvert(1*s, routerA, wire.RouterAdvert{Lifetime: 1}, announces(net1, wire.Forever, wire.Forever))
	g.usable(1 * s)
	g.until(100000 * hour)
	g.want("state", g.of(net1).State, Preferred)
	g.want("nothing is due", g.NextTimer(), clock.Never)
}

// RFC 7217, 5: the identifier is the same whenever the interface comes to the
// same prefix, and another for each prefix, interface and machine.
func TestStableAddresses(t *testing.T) {
	make := func(name string, key byte, p netip.Prefix) netip.Addr {
		h := NewHost(Config{Interface: name, Secret: [16]byte{key}}, nil)
		return h.stableAddress(p, 0)
	}
	base := make("eth0", 1, net1)
	if again := make("eth0", 1, net1); again != base {
		t.Errorf("%v, then %v", base, again)
	}
	for what, other := range map[string]netip.Addr{
		"interface": make("eth1", 1, net1), "machine": make("eth0", 2, net1), "prefix": make("eth0", 1, net2),
	} {
		if identifier(other) == identifier(base) {
			t.Errorf("another %s has the same identifier: %v and %v", what, other, base)
		}
	}
	if p := netip.PrefixFrom(base, 64).Masked(); p != net1 {
		t.Errorf("the prefix is %v", p)
	}
}

func identifier(a netip.Addr) [8]byte {
	b := a.As16()
	return [8]byte(b[8:])
}

// RFC 5453, 3: identifiers that no machine may have.
func TestReservedIdentifiers(t *testing.T) {
	for addr, want := range map[string]bool{
		"2001:db8::": true, "2001:db8::200:5eff:fe00:5213": true, "2001:db8::fdff:ffff:ffff:ff80": true,
		"2001:db8::fdff:ffff:ffff:ffff": true, "2001:db8::fdff:ffff:ffff:ff7f": false, "2001:db8::1": false,
	} {
		if got := reserved(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: reserved %v, want %v", addr, got, want)
		}
	}
}

// RFC 4291, appendix A: the universal/local bit is inverted, and fffe is put
// in the middle.
func TestEUI64(t *testing.T) {
	if got := EUI64(linkLocal, wire.MAC{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}).String(); got != "fe80::3656:78ff:fe9a:bcde" {
		t.Error(got)
	}
}

// RFC 7217, 6: "hosts SHOULD introduce a random delay [...] IDGEN_DELAY [...]
// before trying a new tentative address"; after IDGEN_RETRIES "the node SHOULD
// log the event and give up".
func TestAnAddressThatIsSomebodyElsesIsReplaced(t *testing.T) {
	g := settled(t, Config{})
	g.hears(0, routerA, announces(net1, 1000, wire.Forever))
	g.changes = nil
	seen := map[netip.Addr]bool{}
	now := clock.Time(0)
	for range 3 {
		addr := g.of(net1).Prefix.Addr()
		if seen[addr] {
			t.Errorf("%v comes twice", addr)
		}
		seen[addr] = true
		g.HandleAddressLost(now, addr)
		g.HandleAddressLost(now, addr)
		g.poll()
		g.until(now + 1*s - 1)
		g.wantChanges(RemoveAddress)
		now += 1 * s
		g.until(now)
		g.wantChanges(AddAddress)
	}
	g.HandleAddressLost(now, g.of(net1).Prefix.Addr())
	g.poll()
	g.wantChanges(RemoveAddress, GiveUp)
	g.until(1 * hour)
	g.wantChanges(RemoveRouter)
	g.HandleAddressLost(1*hour, routerB)
	g.HandleAddressUsable(1*hour, routerB)
	g.poll()
	g.wantChanges()
}

func TestALostAddressIsForgottenAtItsEnd(t *testing.T) {
	g := settled(t, Config{})
	g.hears(0, routerA, announces(net1, 1, 1))
	g.HandleAddressLost(500*ms, g.of(net1).Prefix.Addr())
	g.poll()
	g.changes = nil
	g.until(10 * s)
	g.want("addresses", len(g.Addresses()), 1)
	g.wantChanges(RemovePrefix)
}

// RFC 8981, 3.4 and 3.6: a temporary address lasts a day at most, and its
// successor is there before it ends.
func TestTemporaryAddresses(t *testing.T) {
	g := settled(t, Config{Temporary: true})
	g.hearsAdvert(0, routerA, wire.RouterAdvert{Lifetime: 0}, announces(net1, wire.Forever, wire.Forever))
	g.wantChanges(AddPrefix, AddAddress, AddAddress)
	g.usable(0)
	first := g.temporary()
	if first.Preferred > 24*hour || first.Preferred < 14*hour || first.Valid != 48*hour {
		t.Errorf("preferred until %v, valid until %v", first.Preferred, first.Valid)
	}
	g.until(first.Preferred - 5*s - 1)
	g.wantChanges()
	g.until(first.Preferred - 5*s)
	g.wantChanges(AddAddress)
	g.usable(g.at)
	g.until(first.Preferred)
	g.wantChanges(Deprecate)
	second := g.temporary()
	if second.Prefix == first.Prefix {
		t.Errorf("the successor of %v is the same", first.Prefix)
	}
	g.until(48 * hour)
	g.want("the first is gone", g.Host.find(first.Prefix.Addr()) == nil, true)
	for now := 48 * hour; now < 1000*hour; now += hour {
		g.until(now)
		g.usable(now)
		g.temporary()
	}
}

// temporary returns the temporary address that is preferred the longest.
func (g *guest) temporary() (best Address) {
	g.t.Helper()
	for _, a := range g.Addresses() {
		if a.Temporary && a.Preferred > best.Preferred {
			best = a
		}
	}
	if best.Preferred <= g.at {
		g.t.Fatalf("at %v there is no temporary address: %v", g.at, g.Addresses())
	}
	return best
}

// RFC 8981, 3.4: "A temporary address is created only if this calculated
// preferred lifetime is greater than REGEN_ADVANCE time units."
func TestNoTemporaryAddressForAFewSeconds(t *testing.T) {
	g := settled(t, Config{Temporary: true})
	g.hears(0, routerA, announces(net1, 5, 100))
	g.want("addresses", len(g.Addresses()), 2)
	g.hears(1*s, routerA, announces(net1, 1000, 2000))
	g.want("when there is time, there is one", len(g.Addresses()), 3)
	g.hears(2*s, routerA, announces(net1, 1000, 2000))
	g.want("and no second", len(g.Addresses()), 3)
	short := g.temporary()
	g.hears(3*s, routerA, announces(net1, 9000, 9000))
	g.want("it is not prolonged", g.temporary(), short)
}
