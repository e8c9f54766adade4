package tcp

import (
	"testing"
	"time"
)

// RFC 4821, 7.2: "The initial value for search_high SHOULD be the largest possible packet
// that might be supported by the flow": what both ends allow, less the options that every
// segment has.
func TestTheLargestSegmentOfAFlow(t *testing.T) {
	for _, c := range []struct {
		peer, limit uint16
		timestamps  bool
		want        int
	}{
		{1400, 1000, false, 1000}, {900, 1000, false, 900}, {900, 1000, true, 888}, {10, 1000, false, 48}, {10, 1000, true, 36},
	} {
		e := establishedEnd(t)
		e.c.snd.peerMSS, e.c.snd.limitMSS, e.c.stamped = c.peer, c.limit, c.timestamps
		if got := e.c.mostMSS(); got != c.want {
			t.Errorf("%+v: %d octets", c, got)
		}
	}
}

// tcp_mtu_probing: "0 - Disabled; 1 - Disabled by default, enabled when an ICMP black hole
// detected; 2 - Always enabled, use initial MSS of tcp_base_mss."
func TestWhoSearches(t *testing.T) {
	for _, c := range []struct {
		probing   int
		shortened uint16 // by a black hole
		searches  bool
	}{{0, 0, false}, {0, 500, false}, {1, 0, false}, {1, 500, true}, {2, 0, true}, {2, 600, true}} {
		e := establishedEnd(t)
		e.env.MTUProbing, e.env.BaseMSS = c.probing, 500
		e.c.snd.shortened = c.shortened
		e.c.beginSearch()
		if m := e.c.search(e.now); (m != nil) != c.searches {
			t.Errorf("%+v: searches: %v", c, m != nil)
		}
	}
	e := establishedEnd(t)
	e.env.MTUProbing, e.env.BaseMSS = 2, 1<<16
	e.c.beginSearch()
	if n := e.c.SendMSS(); n != 1000 || e.c.snd.shortened != 0xffff {
		t.Errorf("with a base of 65536 octets segments have %d", n)
	}
}

// RFC 4821, 7.3: the search has converged when too little is uncertain to be worth a probe.
func TestWhenTheSearchHasConverged(t *testing.T) {
	for _, c := range []struct{ threshold, low, high, probe int }{
		{8, 500, 508, 504},
		{8, 500, 507, 0},
		{0, 500, 501, 501},
		{0, 500, 500, 0},
		{1, 500, 501, 501},
		{2, 500, 501, 0},
		{8, 500, 0, 750},
		{8, 500, 5000, 750}, // 0: not known, or more than both ends allow
	} {
		e := searchingEnd(t, func(o *Config) { o.MTUProbeThreshold = c.threshold })
		e.c.snd.mss = int32(c.low)
		m := &mtuSearch{high: int32(c.high), since: e.now}
		if got := e.c.probeSize(e.now, m); got != c.probe {
			t.Errorf("%+v: a probe of %d octets", c, got)
		}
	}
}

// probingEnd could send a probe of 750 octets, after 500 and so much in flight.
func probingEnd(t *testing.T) (*end, *mtuSearch) {
	t.Helper()
	e := searchingEnd(t)
	e.c.snd.queue = e.env.takeQueue()
	for range 4 {
		e.c.snd.queue.Append(view(octets(1, 5000)))
	}
	return e, e.c.search(e.now)
}

// RFC 4821, 7.4: "It has no outstanding probes or losses. If the last probe failed or was
// inconclusive, then the probe timeout has expired ... The available window is greater than
// the probe size", with "Tcprexmtthresh [RFC2760] additional segments", here three, and one
// for the others' sake, as on Linux; and the congestion window has eleven segments.
func TestTheConditionsOfAProbe(t *testing.T) {
	const needed = 750 + 4*500
	for name, c := range map[string]struct {
		change func(e *end, m *mtuSearch)
		may    bool
	}{
		"all is well":        {func(*end, *mtuSearch) {}, true},
		"a probe in flight":  {func(_ *end, m *mtuSearch) { m.size = 1 }, false},
		"the time has come":  {func(e *end, m *mtuSearch) { m.until = e.now }, true},
		"too soon":           {func(e *end, m *mtuSearch) { m.until = e.now.Add(1) }, false},
		"eleven segments":    {func(e *end, _ *mtuSearch) { e.c.cc.Cwnd = 5500 }, true},
		"less than eleven":   {func(e *end, _ *mtuSearch) { e.c.cc.Cwnd = 5499 }, false},
		"disorder":           {func(e *end, _ *mtuSearch) { e.c.loss.phase = PhaseDisorder }, false},
		"window enough":      {func(e *end, _ *mtuSearch) { e.c.snd.wnd = needed }, true},
		"too small a window": {func(e *end, _ *mtuSearch) { e.c.snd.wnd = needed - 1 }, false},
		"a window that is in use": {func(e *end, _ *mtuSearch) {
			e.c.snd.wnd = needed + 99
			e.c.snd.nxt = e.c.snd.nxt.Add(100)
		}, false},
		"waiting for a window": {func(e *end, _ *mtuSearch) { e.c.persist.active = true }, false},
	} {
		e, m := probingEnd(t)
		c.change(e, m)
		if got := e.c.mayProbePath(e.now, m, 750); got != c.may {
			t.Errorf("%s: %v", name, got)
		}
		e.c.snd.nxt, e.c.persist = testISS.Add(1), persist{}
	}
}

// A probe is data: the congestion window must have room for all of it beside what is in
// flight, and a connection that was idle begins with the restart window first (RFC 5681, 4.1).
func TestAProbeFitsTheCongestionWindow(t *testing.T) {
	for cwnd, probes := range map[int]bool{5749: false, 5750: true} {
		e := searchingEnd(t)
		e.writes(2500)
		e.writes(2500)
		e.sent = nil
		e.c.snd.queue.Append(view(octets(5001, 20_000)))
		e.c.cc.Cwnd = cwnd
		var out Segment
		if got := e.c.pathProbe(e.now, &out); got != probes || got && (out.Payload.Len() != 750 || out.Reason != ReasonMTUProbe) {
			t.Errorf("with 5000 of %d octets in use: %v, %d octets", cwnd, got, out.Payload.Len())
		}
		out.drop()
	}
	e := searchingEnd(t)
	e.writes(2500)
	e.sent = nil
	e.after(10 * ms)
	e.acknowledgesAll()
	e.c.cc.Cwnd = 40_000
	e.after(time.Minute)
	e.writes(20_000)
	e.want().sentSegmentIs(2501, 750, ReasonMTUProbe)
	e.sent = nil
	if got, want := e.c.Info().Cwnd, e.c.initialWindow(); got != want {
		t.Errorf("after a minute the window is %d, want %d", got, want)
	}
	e.acknowledgesAll()
	e.sent = nil
}

// RFC 4821, 7.6.1: when the probe has arrived, segments are as long, the window has room for
// one, and it is told why.
func TestWhatAnArrivedProbeTells(t *testing.T) {
	e := searchingEnd(t)
	e.writes(5000)
	e.want().sentSegmentIs(1, 750, ReasonMTUProbe)
	e.sent = nil
	e.env.Watch = true
	e.c.cc.Cwnd, e.c.cc.Ssthresh = 500, 0
	e.c.env.SlowStartAfterIdle = false
	e.peer().sends("A 1 ack 751")
	e.sent = nil
	if e.c.SendMSS() != 750 || e.c.cc.Cwnd < 750 {
		t.Errorf("segments of %d, a window of %d", e.c.SendMSS(), e.c.cc.Cwnd)
	}
	e.want().told("a longer segment has arrived: all may be as long")
}

// RFC 4821, 7.6.2: "PLPMTUD MUST NOT probe again until an interval that is larger than the
// expected interval between congestion control events ... the same number of round trips as
// the current congestion window in packets", 20 here, and one; after a time-out "five times"
// that (RFC 4821, 7.6.3).
func TestHowLongNothingIsProbed(t *testing.T) {
	e := searchingEnd(t)
	e.c.rtt.srtt = 30 * ms
	e.writes(5000)
	e.sent = nil
	e.env.Watch = true
	e.after(10 * ms)
	e.peer().sends("A 1 ack 1 sack 751:2251")
	e.sent = nil
	if m := e.c.search(e.now); m.size != 0 || m.until != e.now.Add(21*e.c.Info().SRTT) {
		t.Errorf("of %d octets; nothing is probed for %v", m.size, m.until.Sub(e.now))
	}
	e.want().told(ReasonMTUProbeLost.String())

	e = searchingEnd(t)
	e.writes(5000)
	e.sent = nil
	e.c.rtt.srtt = 30 * ms
	e.pass(e.c.NextTimer())
	e.sent = nil
	m := e.c.search(e.now)
	if want := 5 * 21 * 30 * ms; m.size != 0 || m.high != 0 || m.until.Sub(e.now) != want {
		t.Errorf("of %d octets, at most %d; after a time-out nothing is probed for %v, want %v", m.size, m.high, m.until.Sub(e.now), want)
	}
	// What was found inconclusive otherwise waits for nothing.
	e = searchingEnd(t)
	e.writes(5000)
	e.sent = nil
	e.c.probeInconclusive(e.now, false)
	if m := e.c.search(e.now); m.size != 0 || m.until != 0 {
		t.Errorf("of %d octets; nothing is probed until %v", m.size, m.until)
	}
	e.c.probeInconclusive(e.now, true)
	if m := e.c.search(e.now); m.until != 0 {
		t.Error("no probe is in flight, and something waits")
	}
}

// RFC 4821, 7.6.2: "When only the probe is lost": the first in flight, whole, alone, and while
// nothing is amiss but that something came after it.
func TestWhichLossIsTheProbesAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(e *end, m *mtuSearch)
		failed bool
	}{
		"the probe alone":          {func(*end, *mtuSearch) {}, true},
		"none is in flight":        {func(_ *end, m *mtuSearch) { m.size = 0 }, false},
		"a recovery is going on":   {func(e *end, _ *mtuSearch) { e.c.loss.phase = PhaseRecovery }, false},
		"a reduction is going on":  {func(e *end, _ *mtuSearch) { e.c.loss.phase = PhaseCWR }, false},
		"another is first":         {func(_ *end, m *mtuSearch) { m.start = m.start.Add(500); m.size -= 500 }, false},
		"it was cut":               {func(_ *end, m *mtuSearch) { m.size++ }, false},
		"it is somewhere else":     {func(_ *end, m *mtuSearch) { m.start++; m.size++ }, false},
		"more is lost":             {func(e *end, _ *mtuSearch) { e.c.loss.board.lost.segments++ }, false},
		"it is lost no more":       {func(e *end, _ *mtuSearch) { e.c.loss.board.found(e.c.loss.board.at(0)) }, false},
		"it was sent again before": {func(e *end, _ *mtuSearch) { e.c.loss.board.resent(e.c.loss.board.at(0), e.now) }, false},
	} {
		e := searchingEnd(t)
		e.writes(5000)
		e.sent = nil
		m, b := e.c.search(e.now), e.c.loss.board
		e.c.loses(b.at(0), &news{})
		e.c.loss.phase = PhaseDisorder
		c.change(e, m)
		if got := e.c.probeFailed(e.now); got != c.failed {
			t.Errorf("%s: %v", name, got)
		}
		if c.failed && (m.high != 749 || m.size != 0) {
			t.Errorf("%s: the search is at %+v", name, m)
		}
		e.c.releaseSending()
		e.c.snd.nxt = e.c.snd.una
	}
}
