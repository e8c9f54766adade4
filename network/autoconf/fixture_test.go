package autoconf

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

const (
	ms   = clock.Time(time.Millisecond)
	s    = clock.Time(time.Second)
	hour = 3600 * s
)

var (
	routerA = netip.MustParseAddr("fe80::a")
	routerB = netip.MustParseAddr("fe80::b")
	net1    = netip.MustParsePrefix("2001:db8:1::/64")
	net2    = netip.MustParsePrefix("2001:db8:2::/64")
)

// A guest drives a Host, and polls it after each step.
type guest struct {
	t *testing.T
	*Host
	at            clock.Time
	changes       []Change
	solicitations []clock.Time
	from          netip.Addr
}

func newGuest(t *testing.T, cfg Config) *guest {
	cfg.Interface, cfg.Secret = "eth0", [16]byte{1, 2, 3}
	return &guest{t: t, Host: NewHost(cfg, rand.New(rand.NewPCG(1, 2)))}
}

// settled is a guest whose link-local address is usable, and who has not asked
// for routers yet.
func settled(t *testing.T, cfg Config) *guest {
	g := newGuest(t, cfg)
	g.Start(0)
	g.HandleAddressUsable(0, g.Host.Addresses()[0].Prefix.Addr())
	g.poll()
	g.changes = nil
	return g
}

func (g *guest) poll() {
	for c, ok := g.PollChange(); ok; c, ok = g.PollChange() {
		g.changes = append(g.changes, c)
	}
	for x, ok := g.PollSolicitation(g.at); ok; x, ok = g.PollSolicitation(g.at) {
		g.solicitations = append(g.solicitations, g.at)
		g.from = x.Src
	}
}

// until lets time pass.
func (g *guest) until(now clock.Time) {
	for next := g.NextTimer(); next.Due(now); next = g.NextTimer() {
		if next <= g.at && len(g.changes) > 10000 {
			g.t.Fatalf("the timer at %v never ends", next)
		}
		g.at = max(g.at, next)
		g.HandleTimer(g.at)
		g.poll()
	}
	g.at = now
}

// hears takes an advertisement of a router whose lifetime is half an hour.
func (g *guest) hears(now clock.Time, from netip.Addr, options ...[]byte) {
	g.t.Helper()
	g.hearsAdvert(now, from, wire.RouterAdvert{Lifetime: 1800}, options...)
}

func (g *guest) hearsAdvert(now clock.Time, from netip.Addr, a wire.RouterAdvert, options ...[]byte) {
	g.t.Helper()
	g.until(now)
	for _, o := range options {
		a.Options = append(a.Options, o...)
	}
	g.HandleRouterAdvert(now, from, &a)
	g.poll()
}

// announces is the option that advertises a prefix.
func announces(p netip.Prefix, preferred, valid uint32) []byte {
	info := wire.PrefixInfo{Prefix: p, OnLink: true, Autonomous: true, Preferred: preferred, Valid: valid}
	return info.AppendTo(nil)
}

func (g *guest) want(what string, got, want any) {
	g.t.Helper()
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		g.t.Errorf("%s:\n got %s\nwant %s", what, a, b)
	}
}

// wantChanges compares the kinds of changes since the last time.
func (g *guest) wantChanges(kinds ...Kind) {
	g.t.Helper()
	got := make([]Kind, 0, len(g.changes))
	for _, c := range g.changes {
		got = append(got, c.Kind)
	}
	g.want("changes", got, kinds)
	g.changes = nil
}

// of returns the address that was made from a prefix, the stable one.
func (g *guest) of(p netip.Prefix) Address {
	g.t.Helper()
	for _, a := range g.Addresses() {
		if a.Prefix.Masked() == p && !a.Temporary {
			return a
		}
	}
	g.t.Fatalf("there is no address from %v", p)
	return Address{}
}

// usable tells the guest that its addresses are nobody else's.
func (g *guest) usable(now clock.Time) {
	for _, a := range g.Addresses() {
		g.HandleAddressUsable(now, a.Prefix.Addr())
	}
	g.poll()
}
