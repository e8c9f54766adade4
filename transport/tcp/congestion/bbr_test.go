package congestion

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
)

// newBBR returns a control that has begun with ten segments, and its window.
func newBBR(srtt time.Duration) (*bbr, *Window) {
	w := &Window{Cwnd: 10 * mss, Ssthresh: Unlimited, MSS: mss}
	b := new(bbr)
	b.Start(w, clock.Time(time.Second), srtt, 1)
	return b, w
}

// alone lets one flow of an algorithm have a path of 10 Mbit/s and 50 ms, with
// a buffer of so many bandwidth-delay products (62500 octets).
func alone(t *testing.T, name string, bdps float64) (*path, *flow) {
	p := newPath(t, 10, int(bdps*62500))
	return p, p.flow(name, 50*time.Millisecond)
}

// wentThrough checks the states that were passed.
func (f *flow) wentThrough(states string) {
	f.p.t.Helper()
	got := strings.Join(f.phases, " ")
	f.phases = nil
	if got != states {
		f.p.t.Errorf("at %v it went through %s, want %s", f.p.now, got, states)
	}
}

func between(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s is %v, want from %v to %v", what, got, low, high)
	}
}

func TestBBRFirstPacingRate(t *testing.T) {
	// "nominal_bandwidth = C.InitialCwnd / (C.srtt ? C.srtt : 1ms);
	// C.pacing_rate = BBR.StartupPacingGain * nominal_bandwidth"
	for _, c := range []struct {
		srtt time.Duration
		want uint64
	}{
		{50 * time.Millisecond, 554_000}, // 10000 / 0.05 * 2.77
		{-1, 27_700_000},                 // 10000 / 0.001 * 2.77
		{0, 27_700_000_000},              // as if it were 1 us
	} {
		b, w := newBBR(c.srtt)
		if w.Pacing != c.want || !w.Modelled || b.Phase() != "Startup" {
			t.Errorf("srtt %v: %d in %s, want %d", c.srtt, w.Pacing, b.Phase(), c.want)
		}
	}
	// Linux: the first measurement takes the place of the millisecond.
	b, w := newBBR(-1)
	b.Acked(w, clock.Time(time.Second), &Sample{RTT: 100 * time.Millisecond})
	if w.Pacing != 277_000 {
		t.Errorf("after a measurement of 100 ms the rate is %d", w.Pacing)
	}
	b.Acked(w, clock.Time(time.Second), &Sample{RTT: 10 * time.Millisecond})
	if w.Pacing != 277_000 {
		t.Errorf("after a second one it is %d", w.Pacing)
	}
}

func TestBBRQuantum(t *testing.T) {
	// "C.send_quantum = C.pacing_rate * 1ms", at most 64 KBytes, at least two
	// segments.
	for _, c := range []struct {
		rate uint64
		want int
	}{{0, 2000}, {1_000_000, 2000}, {5_000_000, 5000}, {12_500_000_000, 65536}} {
		if got := Quantum(c.rate, mss); got != c.want {
			t.Errorf("at %d octets per second: %d, want %d", c.rate, got, c.want)
		}
	}
}

func TestBBRStartupEndsOnAPlateau(t *testing.T) {
	// "Exiting STARTUP on Bandwidth Plateau": the estimate is within 2 % of the
	// bandwidth, and three rounds without growth lead to DRAIN, which lasts
	// until what is in flight fits the path.
	p, f := alone(t, "bbr", 10)
	b := f.c.(*bbr)
	p.runs(200 * time.Millisecond)
	f.wentThrough("Startup")
	if b.fullReached {
		t.Error("the path seems full after four round trips")
	}
	p.runs(1800 * time.Millisecond)
	f.wentThrough("Startup Drain ProbeBW_CRUISE") // DOWN has nothing left to do
	between(t, "max_bw", b.maxBw(), 0.98*1.25e6, 1.02*1.25e6)
	if !b.fullReached || b.minRTT < 50*time.Millisecond || b.minRTT > 51*time.Millisecond {
		t.Errorf("full %v, min_rtt %v", b.fullReached, b.minRTT)
	}
	// "the BBR.cwnd_gain bounds any queue to (BBR.cwnd_gain - 1) *
	// estimated_BDP": the window is twice 1.25e6 * 50.8 ms.
	between(t, "cwnd", float64(f.w.Cwnd), 126_000, 128_000)
	if f.w.Pacing != 1_237_500 { // 1 % less than measured
		t.Errorf("the rate is %d", f.w.Pacing)
	}
	if f.lostNow != 0 {
		t.Errorf("%d packets were lost", f.lostNow)
	}
}

func TestBBRDrainEndsAfterThreeRounds(t *testing.T) {
	// "BBR enters ProbeBW after 3 round trips": "C.inflight <= Inflight(1.0) ||
	// BBR.round_count > BBR.drain_start_round + 3".
	b, w := newBBR(time.Millisecond)
	b.rounds.count = 10
	b.enterDrain()
	for b.rounds.count = 11; b.rounds.count <= 13; b.rounds.count++ {
		b.checkDrainDone(w, 0, &Sample{Left: 1 << 30})
		if b.state != bbrDrain {
			t.Fatalf("it ended in round %d", b.rounds.count)
		}
	}
	b.checkDrainDone(w, 0, &Sample{Left: 1 << 30})
	if b.state != bbrProbeDown {
		t.Errorf("in round %d it is in %s", b.rounds.count, b.Phase())
	}
}

func TestBBRStartupEndsOnLoss(t *testing.T) {
	// "Exiting STARTUP on Loss": more than 2 % in a round trip of recovery, in
	// six ranges at least. The rate still grows: the path has 200 Mbit/s.
	p := newPath(t, 200, 1<<30)
	p.lose = func(n int) bool { return n > 300 && n%10 == 0 }
	f := p.flow("bbr", 50*time.Millisecond)
	b := f.c.(*bbr)
	p.runs(600 * time.Millisecond)
	f.wentThrough("Startup Drain ProbeBW_DOWN ProbeBW_CRUISE")
	if !b.fullReached || !b.fullNow || b.inflightLong == unbounded {
		t.Errorf("full %v %v, inflight_longterm %d", b.fullReached, b.fullNow, b.inflightLong)
	}
	between(t, "max_bw", b.maxBw(), 1e6, 60e6)
}

func TestBBRStartupBearsALittleLoss(t *testing.T) {
	// Fewer than six ranges, however much is lost, don't end Startup.
	p := newPath(t, 200, 1<<30)
	p.lose = func(n int) bool { return n >= 300 && n < 330 }
	f := p.flow("bbr", 50*time.Millisecond)
	p.runs(400 * time.Millisecond)
	f.wentThrough("Startup")
	if f.lostNow != 30 {
		t.Errorf("%d were lost", f.lostNow)
	}
}

func TestBBRWithoutSACKOneLossEndsStartup(t *testing.T) {
	// "exits Startup based on packet loss if any packet loss is detected during
	// fast recovery."
	b, w := newBBR(time.Millisecond)
	b.LostSegment(w, 0, &LostSegment{Size: mss, Start: 5, End: 6})
	s := Sample{RTT: -1, Mending: true, Total: 1, Rate: Rate{Known: true, Lost: mss, InFlight: 1 << 20, Interval: 1}}
	b.lossRound = 0
	b.Acked(w, 0, &s)
	if b.state == bbrStartup || !b.fullReached {
		t.Errorf("it is in %s", b.Phase())
	}
}

func TestBBRProbesForBandwidth(t *testing.T) {
	// In turn REFILL, UP, DOWN, CRUISE; on the way up a queue of a quarter of
	// what the path holds, and a cwnd_gain of 2.25.
	p, f := alone(t, "bbr", 10)
	p.runs(2 * time.Second)
	f.phases = nil
	p.runs(2 * time.Second)
	f.wentThrough("ProbeBW_CRUISE ProbeBW_REFILL ProbeBW_UP ProbeBW_DOWN ProbeBW_CRUISE")
	between(t, "the goodput", f.rate(4*time.Second), 9.4, 10)
	if f.lostNow != 0 {
		t.Errorf("%d packets were lost", f.lostNow)
	}
}

func TestBBRFindsNewBandwidth(t *testing.T) {
	// "Increasing Bandwidth 10x and Ensuring Full Bandwidth is Reached"; and
	// "Decreasing Bandwidth 10x and Ensuring Max Bandwidth Adapts Down".
	p, f := alone(t, "bbr", 10)
	p.runs(5 * time.Second)
	p.rate *= 10
	p.runs(25 * time.Second)
	f.rate(0)
	p.runs(10 * time.Second)
	between(t, "the goodput with 100 Mbit/s", f.rate(10*time.Second), 85, 100)
	p.rate /= 10
	p.runs(25 * time.Second)
	b := f.c.(*bbr)
	between(t, "max_bw after", b.maxBw(), 0.9*1.25e6, 1.1*1.25e6)
	f.rate(0)
	p.runs(10 * time.Second)
	between(t, "the goodput with 10 Mbit/s again", f.rate(10*time.Second), 8.5, 10)
}

func TestBBRProbesForRoundTripTime(t *testing.T) {
	// "Entering and Exiting PROBE_RTT": after 5 s, for 200 ms and a round trip,
	// with half of what the path holds; then it goes on in CRUISE.
	p, f := alone(t, "bbr", 10)
	p.runs(4900 * time.Millisecond)
	before := f.w.Cwnd
	f.phases = nil
	p.runs(220 * time.Millisecond)
	f.wentThrough("ProbeBW_CRUISE ProbeRTT")
	between(t, "cwnd in ProbeRTT", float64(f.w.Cwnd), 31_000, 32_500)
	p.runs(400 * time.Millisecond)
	f.wentThrough("ProbeRTT ProbeBW_CRUISE")
	if f.w.Cwnd < before {
		t.Errorf("the window was %d and is %d", before, f.w.Cwnd)
	}
	p.runs(4500 * time.Millisecond)
	if slices.Contains(f.phases, "ProbeRTT") {
		t.Error("it did it again within 5 s")
	}
}

func TestBBRIdlenessTakesThePlaceOfProbeRTT(t *testing.T) {
	// "Skipping PROBE_RTT Due to Application-Limited Sending".
	p, f := alone(t, "bbr", 10)
	b := f.c.(*bbr)
	p.runs(3 * time.Second)
	f.ended = true
	p.runs(6 * time.Second)
	f.phases = nil
	f.ended = false
	b.Resumed(&f.w, p.now, 6*time.Second)
	if !b.idleRestart || b.extraStart != p.now || f.w.Pacing != 1_237_500 {
		t.Errorf("idle_restart %v, rate %d", b.idleRestart, f.w.Pacing)
	}
	f.send()
	p.runs(time.Second)
	if slices.Contains(f.phases, "ProbeRTT") || b.idleRestart {
		t.Errorf("it went through %v, idle_restart %v", f.phases, b.idleRestart)
	}
}

func TestBBRInflightAtLoss(t *testing.T) {
	// lost_prefix = (0.02 * 99000 - 2000) / 0.98 = -20.4
	if got := inflightAtLoss(&Rate{InFlight: 100_000, Lost: 3000}, 1000); got != 98_979 {
		t.Errorf("%d", got)
	}
	for _, c := range []struct {
		lost      int
		selective bool
		want      bool
	}{{2000, true, false}, {2001, true, true}, {1, false, true}, {0, false, false}} {
		if got := inflightTooHigh(&Rate{InFlight: 100_000, Lost: c.lost}, c.selective); got != c.want {
			t.Errorf("%d of 100000 lost, SACK %v: %v", c.lost, c.selective, got)
		}
	}
}

func TestBBRLowerBounds(t *testing.T) {
	// "bw_shortterm = max(bw_latest, BBR.Beta * BBR.bw_shortterm)": 0.7 of
	// 1,000,000, and 0.7 of that, but not less than what arrives.
	b, w := newBBR(time.Millisecond)
	b.maxBwFilter[1] = 1e6
	for i, want := range []struct {
		bw       float64
		inflight int
	}{{700_000, 7000}, {490_000, 4900}, {400_000, 4000}} {
		b.bwLatest, b.inflightLatest = 400_000, 4000
		b.lowerBounds(w)
		if math.Abs(b.bwShort-want.bw) > 1 || b.inflightShort != want.inflight {
			t.Errorf("round %d: %v and %d, want %v", i, b.bwShort, b.inflightShort, want)
		}
	}
	b.startRefill()
	if !math.IsInf(b.bwShort, 1) || b.inflightShort != unbounded {
		t.Error("REFILL doesn't forget them")
	}
}

func TestBBRSpuriousLoss(t *testing.T) {
	// "If flow was probing bandwidth, return to that state".
	b, w := newBBR(time.Millisecond)
	b.maxBwFilter[1] = 1e6
	b.startupTooHigh()
	b.Undo(w)
	if b.state != bbrStartup || b.fullReached {
		t.Errorf("%s, full %v", b.Phase(), b.fullReached)
	}
	b.state, b.fullReached, b.isProbeSample, b.inflightLong = bbrProbeUp, true, true, 50_000
	b.LostSegment(w, 0, &LostSegment{Size: mss, Selective: true, Rate: Rate{InFlight: 20_000, Lost: 5000}})
	if b.state != bbrProbeDown || b.inflightLong >= 20_000 || !b.prevTooHigh {
		t.Fatalf("%s, inflight_longterm %d", b.Phase(), b.inflightLong)
	}
	b.Lost(w, 0, 20_000, false) // the same episode
	w.Cwnd = 5 * mss
	b.Undo(w)
	if b.state != bbrProbeRefill || b.inflightLong != 50_000 || w.Cwnd != 10*mss {
		t.Errorf("%s, inflight_longterm %d, cwnd %d", b.Phase(), b.inflightLong, w.Cwnd)
	}
}

func TestBBRRestoresTheWindowAfterATimeout(t *testing.T) {
	// "When BBR exits loss recovery it restores C.cwnd to the "last known good"
	// value".
	b, w := newBBR(50 * time.Millisecond)
	b.TimedOut(w, 0, 10*mss)
	w.Cwnd = mss
	b.Acked(w, 1, &Sample{RTT: -1, Mending: true, Delivered: mss, Total: mss})
	if w.Cwnd != 4*mss { // MinPipeCwnd
		t.Errorf("in recovery it is %d", w.Cwnd)
	}
	b.Acked(w, 2, &Sample{RTT: -1, Total: 2 * mss})
	if w.Cwnd != 10*mss {
		t.Errorf("after it, %d", w.Cwnd)
	}
}

func TestBBRTakesMarksAsCongestion(t *testing.T) {
	// "the congestion controller response MUST treat any CE marks as
	// congestion" (draft-ietf-ccwg-bbr, 3.6).
	b, w := newBBR(time.Millisecond)
	b.Lost(w, 0, 10*mss, true)
	if b.state != bbrDrain || !b.fullReached {
		t.Errorf("Startup goes on: %s", b.Phase())
	}
	b.state, b.isProbeSample, b.minRTT, b.bw = bbrProbeUp, true, time.Millisecond, 1e6
	b.Lost(w, 0, 9*mss, true)
	if b.state != bbrProbeDown || b.inflightLong != 9*mss {
		t.Errorf("%s, inflight_longterm %d", b.Phase(), b.inflightLong)
	}
	p, f := alone(t, "bbr", 10)
	p.mark = 20_000
	p.runs(20 * time.Second)
	between(t, "the goodput", f.rate(20*time.Second), 8, 10)
}

func TestBBROnAWayThatTakesNoTime(t *testing.T) {
	// What arrives within an instant counts as having taken a nanosecond: the
	// rate is no limit, and the window is what is sent together, three times.
	b, w := newBBR(0)
	now, total := clock.Time(time.Second), uint64(0)
	for range 100 {
		total += uint64(w.Cwnd)
		b.Acked(w, now, &Sample{
			Delivered: w.Cwnd, Total: total, Limited: true,
			Rate: Rate{Known: true, Delivered: w.Cwnd, InFlight: w.Cwnd, Prior: total - uint64(w.Cwnd)},
		})
	}
	between(t, "cwnd", float64(w.Cwnd), 3*65536, 8*65536)
	between(t, "the rate", float64(w.Pacing), 1e13, 1e15)
	b.Acked(w, now, &Sample{Delivered: mss, RTT: -1, Rate: Rate{Known: true, Interval: -1, Delivered: 1 << 40}})
	between(t, "the rate after one that isn't reliable", float64(w.Pacing), 1e13, 1e15)
}

func TestMaxFilter(t *testing.T) {
	var f maxFilter
	for _, c := range []struct {
		value int
		round uint64
		want  int
	}{
		{5, 0, 5},
		{3, 1, 5},
		{9, 2, 9},
		{4, 5, 9},
		{3, 8, 9},
		{1, 11, 9},
		{1, 12, 4},
		{1, 15, 3},
		{1, 18, 1},
		{7, 19, 7},
		{2, 60, 2},
	} {
		if f.update(c.value, c.round, 10); f.best[0].value != c.want {
			t.Errorf("after %d in round %d the largest is %d, want %d", c.value, c.round, f.best[0].value, c.want)
		}
	}
}

// With a buffer of half, one and ten bandwidth-delay products, every algorithm
// fills the path, and two flows of bbr come to share it.
func TestUtilisationAndFairness(t *testing.T) {
	least := map[string][3]float64{"cubic": {9, 9.8, 9.9}, "reno": {7.9, 8.9, 9.9}, "bbr": {9.2, 9.4, 9.4}}
	for _, name := range Names() {
		for i, bdps := range []float64{0.5, 1, 10} {
			p, f := alone(t, name, bdps)
			p.runs(5 * time.Second)
			f.rate(0)
			p.runs(20 * time.Second)
			between(t, name+" alone", f.rate(20*time.Second), least[name][i], 10)
			p, f = alone(t, name, bdps)
			p.runs(time.Second)
			g := p.flow(name, 50*time.Millisecond)
			p.runs(30 * time.Second)
			f.rate(0)
			g.rate(0)
			p.runs(30 * time.Second)
			a, b := f.rate(30*time.Second), g.rate(30*time.Second)
			between(t, name+" both", a+b, least[name][i], 10)
			if name == "bbr" { // the others' luck with a full queue that nothing disturbs says little
				between(t, "bbr's fairness (Jain)", (a+b)*(a+b)/(2*(a*a+b*b)), 0.95, 1)
			}
		}
	}
}
