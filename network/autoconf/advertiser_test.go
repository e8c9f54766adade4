package autoconf

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// A station drives an Advertiser.
type station struct {
	t *testing.T
	*Advertiser
	at      []clock.Time
	adverts []wire.RouterAdvert
}

func newStation(t *testing.T, cfg AdvertConfig) *station {
	return &station{t: t, Advertiser: NewAdvertiser(cfg, wire.MAC{2, 0, 0, 0, 0, 1}, rand.New(rand.NewPCG(1, 2)))}
}

func (x *station) poll(now clock.Time) {
	for a, ok := x.PollAdvert(now, nil); ok; a, ok = x.PollAdvert(now, nil) {
		x.at = append(x.at, now)
		x.adverts = append(x.adverts, a)
	}
}

func (x *station) until(now clock.Time) {
	for next := x.NextTimer(); next.Due(now); next = x.NextTimer() {
		x.HandleTimer(next)
		x.poll(next)
	}
}

// RFC 4861, 6.2.4: the first three advertisements are at most 16 s apart, the
// others between MinRtrAdvInterval and MaxRtrAdvInterval.
func TestARouterAdvertisesItself(t *testing.T) {
	x := newStation(t, AdvertConfig{})
	x.Start(1 * s)
	x.poll(1 * s)
	x.until(3 * hour)
	if x.at[0] != 1*s || x.at[1] > 17*s || x.at[2] > 33*s {
		t.Errorf("the first are at %v", x.at[:3])
	}
	for i := 4; i < len(x.at); i++ {
		if gap := x.at[i] - x.at[i-1]; gap < 200*s || gap > 600*s {
			t.Errorf("gap %d is %v", i, gap)
		}
	}
	a := x.adverts[0]
	if a.Lifetime != 1800 || a.HopLimit != 64 || a.Managed || a.Reachable != 0 {
		t.Errorf("it says %+v", a)
	}
	if mac, ok := wire.FindNDPOption(a.Options, wire.SourceLinkAddress).LinkAddress(); !ok || mac != (wire.MAC{2, 0, 0, 0, 0, 1}) {
		t.Errorf("its link address is %v", mac)
	}
}

func TestWhatARouterTells(t *testing.T) {
	dns := netip.MustParseAddr("2001:db8::53")
	x := newStation(t, AdvertConfig{
		MTU: 1400, Managed: true, Other: true, Preference: 1, Reachable: 10 * time.Second, Retrans: 500 * time.Millisecond,
		Lifetime: -1, Prefixes: []wire.PrefixInfo{{Prefix: net1, Valid: 5, Preferred: 4}}, Servers: []netip.Addr{dns},
	})
	x.Start(1 * s)
	x.poll(1 * s)
	a := x.adverts[0]
	if a.Lifetime != 0 || !a.Managed || !a.Other || a.Preference != 1 || a.Reachable != 10000 || a.Retrans != 500 {
		t.Errorf("it says %+v", a)
	}
	if mtu := wire.FindNDPOption(a.Options, wire.LinkMTU).MTU(); mtu != 1400 {
		t.Errorf("MTU %d", mtu)
	}
	if p, _ := wire.FindNDPOption(a.Options, wire.PrefixInformation).PrefixInfo(); p != x.Config().Prefixes[0] {
		t.Errorf("prefix %v", p)
	}
	if servers, life, _ := wire.FindNDPOption(a.Options, wire.RecursiveDNS).DNSServers(nil); servers[0] != dns || life != 1800 {
		t.Errorf("servers %v for %d s", servers, life)
	}
}

// RFC 4861, 6.2.6: a solicitation is answered within half a second, and
// advertisements are three seconds apart at least.
func TestASolicitationIsAnsweredSoon(t *testing.T) {
	x := newStation(t, AdvertConfig{})
	x.HandleSolicitation(0)
	if x.NextTimer() != clock.Never {
		t.Error("a router that doesn't advertise answers")
	}
	x.Start(1 * s)
	x.poll(1 * s)
	x.until(100 * s)
	last := x.at[len(x.at)-1]
	x.at = nil
	now := max(last+10*s, 100*s)
	x.HandleSolicitation(now)
	x.HandleSolicitation(now + 100*ms)
	x.until(now + 500*ms)
	if len(x.at) != 1 || x.at[0] < now {
		t.Fatalf("asked at %v, answers at %v", now, x.at)
	}
	answered := x.at[0]
	x.HandleSolicitation(answered + 1*s)
	x.until(answered + 3*s - 1)
	if len(x.at) != 1 {
		t.Errorf("too soon: %v", x.at)
	}
	x.until(answered + 3*s + 500*ms)
	if len(x.at) != 2 {
		t.Errorf("not answered by %v: %v", answered+3*s+500*ms, x.at)
	}
}

// RFC 4861, 6.2.5: "one or more (but not more than MAX_FINAL_RTR_ADVERTISEMENTS)
// final multicast Router Advertisements [...] with a Router Lifetime field of
// zero."
func TestARouterThatStopsSaysSo(t *testing.T) {
	x := newStation(t, AdvertConfig{})
	x.Stop(0)
	x.Start(1 * s)
	x.poll(1 * s)
	x.until(200 * s)
	x.at, x.adverts = nil, nil
	x.Stop(201 * s)
	x.HandleSolicitation(202 * s)
	x.until(1 * hour)
	if len(x.at) != 3 || x.NextTimer() != clock.Never {
		t.Fatalf("final advertisements at %v, next at %v", x.at, x.NextTimer())
	}
	for i, a := range x.adverts {
		if a.Lifetime != 0 || i > 0 && x.at[i]-x.at[i-1] < 3*s {
			t.Errorf("number %d, at %v: lifetime %d", i, x.at[i], a.Lifetime)
		}
	}
}

func TestWhatChangesIsToldSoon(t *testing.T) {
	x := newStation(t, AdvertConfig{})
	x.SetConfig(0, AdvertConfig{HopLimit: 1})
	if x.NextTimer() != clock.Never {
		t.Error("a silent router speaks")
	}
	x.Start(1 * s)
	x.poll(1 * s)
	x.until(300 * s)
	x.at, x.adverts = nil, nil
	x.SetConfig(301*s, AdvertConfig{HopLimit: 9})
	x.until(340 * s)
	if len(x.at) != 3 || x.at[0] != 301*s || x.adverts[0].HopLimit != 9 {
		t.Errorf("told at %v", x.at)
	}
}

// RFC 4861, 6.2.1: what the variables may be.
func TestTheLimitsOfAnAdvertiser(t *testing.T) {
	for _, c := range []struct{ in, want AdvertConfig }{
		{AdvertConfig{}, AdvertConfig{MaxInterval: 600 * time.Second, MinInterval: 200 * time.Second, Lifetime: 1800 * time.Second}},
		{
			AdvertConfig{MaxInterval: time.Hour, MinInterval: time.Hour, Lifetime: 24 * time.Hour},
			AdvertConfig{MaxInterval: 1800 * time.Second, MinInterval: 1350 * time.Second, Lifetime: 9000 * time.Second},
		},
		{
			AdvertConfig{MaxInterval: time.Second, Lifetime: -5},
			AdvertConfig{MaxInterval: 4 * time.Second, MinInterval: 3 * time.Second},
		},
	} {
		got := c.in.Complete()
		if got.MaxInterval != c.want.MaxInterval || got.MinInterval != c.want.MinInterval || got.Lifetime != c.want.Lifetime {
			t.Errorf("%+v becomes %+v", c.in, got)
		}
	}
}
