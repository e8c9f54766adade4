package pmtu

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
)

const s = clock.Time(time.Second)

var there = netip.MustParseAddr("172.16.11.10")

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func watched() *Cache {
	c := New(nil)
	c.Watch = true
	return c
}

func facts(c *Cache) (all []Fact) {
	for f, ok := c.PollEvent(); ok; f, ok = c.PollEvent() {
		all = append(all, f)
	}
	return all
}

// RFC 1191, 3: "When a host receives a Datagram Too Big message, it MUST
// reduce its estimate of the PMTU for the relevant path, based on the value of
// the Next-Hop MTU field in the message".
func TestARouterLowersThePathMTU(t *testing.T) {
	c := watched()
	want(t, "at first", c.Get(1*s, there), 0)
	c.Cause = 5
	mtu, less := c.HandleTooBig(1*s, there, 1400, 1500, 1500)
	want(t, "from now on", fmt.Sprint(mtu, less), "1400 true")
	want(t, "remembered", c.Get(2*s, there), 1400)
	want(t, "of no other path", c.Get(2*s, netip.MustParseAddr("172.16.11.11")), 0)
	want(t, "facts", facts(c), []Fact{{there, 0, 1400, "a router's next link has this MTU", 5}})
	mtu, less = c.HandleTooBig(2*s, there, 1280, 1400, 1500)
	want(t, "again", fmt.Sprint(mtu, less), "1280 true")
	want(t, "entries", c.Entries(), []Entry{{there, 1280, 602 * s}})
}

// RFC 1191, 3: "A host MUST not increase its estimate of the Path MTU in
// response to the contents of a Datagram Too Big message."
func TestARouterNeverRaisesThePathMTU(t *testing.T) {
	c := watched()
	c.HandleTooBig(1*s, there, 1400, 1500, 1500)
	for _, mtu := range []int{1400, 1401, 9000} {
		got, less := c.HandleTooBig(2*s, there, mtu, 1500, 1500)
		want(t, "unchanged", fmt.Sprint(got, less), "1400 false")
	}
	got, less := c.HandleTooBig(2*s, netip.MustParseAddr("10.0.0.1"), 1500, 1500, 1500)
	want(t, "not even above the interface's", fmt.Sprint(got, less), "1500 false")
	want(t, "entries", len(c.Entries()), 1)
}

// RFC 1191, 3: "A host MUST never reduce its estimate of the Path MTU below 68
// octets."
func TestThePathMTUHasAFloor(t *testing.T) {
	c := New(nil)
	mtu, _ := c.HandleTooBig(1*s, there, 68, 1500, 1500)
	want(t, "Linux's floor", mtu, 552)
	c = New(&Config{Floor: 1})
	mtu, _ = c.HandleTooBig(1*s, there, 2, 1500, 1500)
	want(t, "the least of all floors", mtu, 68)
	mtu, less := c.HandleTooBig(1*s, there, 2, 68, 1500)
	want(t, "then no further", fmt.Sprint(mtu, less), "68 false")
}

// RFC 1191, 5: "use as the next PMTU estimate the greatest plateau value that
// is less than the returned Total Length field (corrected, if necessary,
// according to the Note above)."
func TestAnOldRouterIsGuessedAt(t *testing.T) {
	for _, x := range []struct{ quoted, known, want int }{
		{1500, 1500, 1006}, // corrected to 1480: it may be of 4.2BSD
		{1499, 1500, 1492},
		{9000, 9000, 8166},
		{1006, 1500, 552}, // 508, and the floor
		{65535, 65535, 32000},
		{20, 1500, 552},
		{0, 1500, 552},
	} {
		c := New(nil)
		mtu, less := c.HandleTooBig(1*s, there, 0, x.quoted, x.known)
		want(t, fmt.Sprintf("%+v", x), fmt.Sprint(mtu, less), fmt.Sprint(x.want, true))
	}
	c := watched()
	c.HandleTooBig(1*s, there, 0, 1400, 1500)
	want(t, "told", facts(c)[0].Why, "guessed: the router did not tell")
}

// RFC 1191, 6.3: "When a PMTU value has not been decreased for a while (on the
// order of 10 minutes), the PMTU estimate should be set to the first-hop
// data-link MTU, and the packetization layers should be notified of the
// change."
func TestThePathMTUIsForgottenAfterTenMinutes(t *testing.T) {
	c := watched()
	c.Cause = 8
	c.HandleTooBig(1*s, there, 1400, 1500, 1500)
	c.Cause = 9
	c.HandleTooBig(2*s, netip.MustParseAddr("10.0.0.1"), 1300, 1500, 1500)
	c.Cause = 8
	c.HandleTooBig(100*s, there, 1300, 1400, 1500) // decreased again
	c.Cause = 0
	facts(c)
	want(t, "the next timer", c.NextTimer(), 602*s)
	want(t, "a moment before", c.Get(602*s-1, netip.MustParseAddr("10.0.0.1")), 1300)
	want(t, "too old to be believed", c.Get(602*s, netip.MustParseAddr("10.0.0.1")), 0)
	c.HandleTimer(602 * s)
	want(t, "facts", facts(c), []Fact{{
		netip.MustParseAddr("10.0.0.1"), 1300, 0, "it has not been decreased for a while: the path may have changed", 9,
	}})
	want(t, "the next timer", c.NextTimer(), 700*s)
	c.HandleTimer(700 * s)
	want(t, "the last timer", c.NextTimer(), clock.Never)
	want(t, "entries", len(c.Entries()), 0)
}

func TestThePathsRememberedAreBounded(t *testing.T) {
	c := New(&Config{Entries: 100})
	for i := range 1000 {
		c.HandleTooBig(1*s, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1000, 1500, 1500)
	}
	all := c.Entries()
	want(t, "entries", len(all), 100)
	want(t, "the oldest gave way", all[0].Dst, "10.0.3.132")
	c.Flush()
	want(t, "flushed", len(c.Entries()), 0)
	want(t, "the next timer", c.NextTimer(), clock.Never)
}

// Whatever routers say, the path MTU only sinks, and stays within its bounds.
func TestThePathMTUConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New(nil)
		before := 1500
		for range 50 {
			mtu := rapid.IntRange(0, 70000).Draw(t, "mtu")
			got, less := c.HandleTooBig(1*s, there, mtu, rapid.IntRange(0, 70000).Draw(t, "quoted"), 1500)
			if got > before || got < 552 || less != (got < before) {
				t.Fatalf("%d after %d", got, before)
			}
			before = got
		}
	})
}

func TestGetAllocatesNothing(t *testing.T) {
	c := New(nil)
	c.HandleTooBig(1*s, there, 1400, 1500, 1500)
	if n := testing.AllocsPerRun(1000, func() { c.Get(2*s, there) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
