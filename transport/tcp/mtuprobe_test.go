package tcp

import (
	"testing"
	"time"
)

// searching is a config that begins with segments of 500 octets, up to 1000.
func searching(c *Config) {
	c.MTUProbing, c.BaseMSS, c.SACK, c.LossProbe, c.RACK = 2, 500, true, false, false
}

// sentSegmentIs expects the next segment to begin there, with so many octets.
func (w wantOf) sentSegmentIs(from, n int, why Reason) sentSegment {
	w.t.Helper()
	if len(w.sent) == 0 {
		w.t.Fatalf("want %d octets from %d on (%v), got nothing", n, from, why)
	}
	got := w.sent[0]
	w.sent = w.sent[1:]
	if int(got.Seq-testISS) != from || len(got.text) != n || got.Reason != why {
		w.t.Fatalf("want %d octets from %d on (%v), got %v (%v)", n, from, why, w.show(got), got.Reason)
	}
	return got
}

func searchingEnd(t *testing.T, adjust ...func(*Config)) *end {
	e := establishedEnd(t, append([]func(*Config){searching, func(c *Config) { c.InitialWindow = 20 }}, adjust...)...)
	if e.c.SendMSS() != 500 {
		t.Fatalf("it begins with segments of %d octets", e.c.SendMSS())
	}
	return e
}

// RFC 4821, 7.6.1: "Set search_low to the probe size. If the probe size is larger
// than the eff_pmtu, raise eff_pmtu to the probe size." The search goes on by
// halves until it has converged.
func TestProbesThatArriveMakeSegmentsLonger(t *testing.T) {
	e := searchingEnd(t)
	at := 1
	e.writes(40_000)
	for _, size := range []int{750, 875, 938, 969, 985, 993} {
		e.want().sentSegmentIs(at, size, ReasonMTUProbe)
		for len(e.sent) > 0 {
			if e.sent[0].Reason != ReasonData {
				t.Fatalf("a second probe while one is in flight: %v", e.show(e.sent[0]))
			}
			e.sent = e.sent[1:]
		}
		at = int(e.c.snd.nxt - testISS)
		_ = e.c.Write(e.now, e.gives(view(octets(0, 30_000))))
		e.after(10 * ms)
		e.acknowledgesAll()
		if e.c.SendMSS() != size {
			t.Fatalf("after a probe of %d octets arrived, segments have %d", size, e.c.SendMSS())
		}
	}
	for _, s := range e.sent {
		if s.Reason != ReasonData {
			t.Errorf("the search has converged, and still %v", e.show(s))
		}
	}
	e.sent = nil
}

// acknowledgesAll lets the peer acknowledge all that is in flight.
func (e *end) acknowledgesAll() {
	seg := Segment{Seq: e.c.rcv.nxt, Ack: e.c.snd.nxt, Flags: ack, Window: 64000}
	e.c.HandleSegment(e.now, &seg)
	e.drain()
}

// RFC 4821, 7.6.2: "When only the probe is lost ... the loss SHOULD NOT be
// interpreted as congestion signal."
func TestALostProbeIsNoCongestion(t *testing.T) {
	e := searchingEnd(t)
	e.writes(20_000)
	e.want().sentSegmentIs(1, 750, ReasonMTUProbe)
	e.sent = nil
	cwnd := e.c.cc.Cwnd
	e.after(10 * ms)
	e.peer().sends("A 1 ack 1 sack 751:2251")
	e.want().sentSegmentIs(1, 500, ReasonMTUProbeLost)
	e.want().sentSegmentIs(501, 250, ReasonMTUProbeLost)
	if e.c.cc.Cwnd < cwnd || e.c.SendMSS() != 500 {
		t.Errorf("the window is %d, was %d; segments have %d octets", e.c.cc.Cwnd, cwnd, e.c.SendMSS())
	}
	m := e.c.loss.history.search
	if m.high != 749 || m.size != 0 {
		t.Errorf("the search is at %+v", m)
	}
	e.sent = nil
	// "PLPMTUD MUST NOT probe again until an interval that is larger than the
	// expected interval between congestion control events."
	e.after(10 * ms)
	e.acknowledgesAll()
	e.sent = nil
	e.writes(20_000)
	for _, s := range e.sent {
		if s.Reason == ReasonMTUProbe {
			t.Errorf("probed again at once: %v", e.show(s))
		}
	}
	e.sent = nil
	e.acknowledgesAll()
	e.sent = nil
	e.now = e.now.Add(time.Second)
	e.c.env.SlowStartAfterIdle = false
	e.writes(20_000)
	found := false
	for _, s := range e.sent {
		found = found || s.Reason == ReasonMTUProbe && len(s.text) == 625
	}
	if !found {
		t.Error("a second later no probe of 625 octets is sent")
	}
	e.sent = nil
}

// RFC 4821, 7.6.4: "The presence of other losses near the loss of the probe may
// indicate that the probe was lost due to congestion": sizes stay, and the window
// is reduced.
func TestAProbeLostWithOthersSaysNothing(t *testing.T) {
	e := searchingEnd(t)
	e.writes(20_000)
	e.want().sentSegmentIs(1, 750, ReasonMTUProbe)
	e.sent = nil
	cwnd := e.c.cc.Cwnd
	e.after(10 * ms)
	e.peer().sends("A 1 ack 1 sack 1251:3751")
	e.sent = nil
	m := e.c.loss.history.search
	if e.c.loss.phase != PhaseRecovery || m.high != 0 || m.size != 0 || e.c.cc.Ssthresh >= cwnd {
		t.Errorf("%v, the search is at %+v, the threshold %d", e.c.loss.phase, m, e.c.cc.Ssthresh)
	}
}

// RFC 4821, 7.4: "Before sending a probe, the flow MUST meet at least the
// following conditions".
func TestWhenAPathIsNotProbed(t *testing.T) {
	for name, c := range map[string]struct {
		octets int
		adjust func(*Config)
	}{
		"too little data":         {2749, func(*Config) {}},
		"a small window":          {20_000, func(c *Config) { c.InitialWindow = 10 }},
		"the search is off":       {20_000, func(c *Config) { c.MTUProbing = 0 }},
		"nothing is worth trying": {20_000, func(c *Config) { c.MTUProbeThreshold = 501 }},
	} {
		e := establishedEnd(t, searching, func(c *Config) { c.InitialWindow = 20 }, c.adjust)
		e.writes(c.octets)
		for _, s := range e.sent {
			if s.Reason == ReasonMTUProbe {
				t.Errorf("%s: %v", name, e.show(s))
			}
		}
		e.sent = nil
	}
	e := searchingEnd(t)
	e.writes(2750)
	e.want().sentSegmentIs(1, 750, ReasonMTUProbe)
	e.sent = nil
}

// RFC 4821, 7.3: "When the timer expires, search_high should be reset to its
// initial value ... so that probing can resume."
func TestTheSearchBeginsAnew(t *testing.T) {
	e := searchingEnd(t)
	e.writes(100)
	e.sent = nil
	m := e.c.search(e.now)
	m.high, m.since = 504, e.now
	if n := e.c.probeSize(e.now.Add(10*time.Minute-1), m); n != 0 || m.high != 504 {
		t.Errorf("before its time: %d, %+v", n, m)
	}
	if n := e.c.probeSize(e.now.Add(10*time.Minute), m); n != 0 || m.high != 0 {
		t.Errorf("after ten minutes: %d, %+v", n, m)
	}
	if n := e.c.probeSize(e.now.Add(10*time.Minute), m); n != 750 {
		t.Errorf("then %d", n)
	}
}

// RFC 4821, 7.7: "the RECOMMENDED first recovery action is to treat this as a
// detected ICMP black hole ... Upon additional successive timeouts, search_low
// and eff_pmtu SHOULD be halved, with a lower bound".
func TestABlackHoleMakesSegmentsShorter(t *testing.T) {
	for _, probing := range []int{0, 1} {
		e := establishedEnd(t, func(c *Config) {
			c.MTUProbing, c.BaseMSS, c.MTUProbeFloor, c.Retries1 = probing, 600, 200, 3
		})
		e.writes(1000)
		e.sent = nil
		want := []int{1000, 1000, 1000, 600, 300, 200, 200}
		for i, size := range want {
			if probing == 0 {
				size = 1000
			}
			e.pass(e.c.NextTimer())
			if len(e.sent) == 0 || len(e.sent[0].text) != size {
				t.Fatalf("probing %d: time-out %d sends %v, want %d octets", probing, i+1, e.sent, size)
			}
			e.sent = nil
		}
	}
}
