package congestion

import (
	"math"
	"testing"
	"time"
	"unsafe"
)

// afterLoss is a CUBIC sender with a window of so many segments, who has just
// recovered from a loss.
func afterLoss(t *testing.T, segments int) *sender {
	s := newSender(t, "cubic", segments)
	s.Lost(&s.w, 0, s.w.Cwnd, false)
	s.w.Cwnd = s.w.Ssthresh
	return s
}

// RFC 9438, 4.6 (R9438-5): "ssthresh = flight_size * beta_cubic [...] cwnd = max(ssthresh,
// 2)", with a beta_cubic of 0.7.
func TestCubicMultiplicativeDecrease(t *testing.T) {
	for before, after := range map[int]int{100: 70, 10: 7, 15: 10, 2: 2, 1: 2} {
		s := newSender(t, "cubic", before)
		s.Lost(&s.w, 0, s.w.Cwnd, false)
		s.wantThreshold("after a loss", after)
		s.want("recovery moves the window", float64(before))
		s = newSender(t, "cubic", before)
		s.TimedOut(&s.w, 0, s.w.Cwnd)
		s.wantThreshold("after a time-out", after)
	}
}

// RFC 9438, 4.2 (R9438-1): "W_cubic(t) = C * (t - K)^3 + W_max", where "K = cubic_root of
// ((W_max - cwnd_epoch) / C)": from 70 segments it takes the cube root of 75,
// 4.217 s, to come back to 100.
func TestCubicCurve(t *testing.T) {
	s := afterLoss(t, 100)
	c := s.Control.(*cubic)
	s.acks(1, 100*time.Millisecond)
	if want := math.Cbrt(75); math.Abs(c.k-want) > 1e-9 {
		t.Errorf("K is %v, want %v", c.k, want)
	}
	for at, want := range map[float64]float64{0: 70, 1: 86.685, 2: 95.640, 4.217163: 100, 6.217163: 103.2, 10: 177.350} {
		if got := c.at(at); math.Abs(got-want) > 0.01 {
			t.Errorf("W_cubic(%v) is %.3f, want %.3f", at, got, want)
		}
	}
}

// The window follows the curve, whatever the round-trip time is: a round trip
// ahead of it (R9438-4; RFC 9438, 4.4).
func TestTheWindowFollowsTheCurve(t *testing.T) {
	for _, rtt := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond} {
		s := afterLoss(t, 1000)
		k := math.Cbrt(300 / 0.4)
		for s.now.Seconds() < 2*k {
			s.round(rtt)
			want := 0.4*math.Pow(s.now.Seconds()-k, 3) + 1000
			if got := float64(s.w.Cwnd) / mss; math.Abs(got-want) > 0.03*want {
				t.Fatalf("RTT %v, after %.1f s: %.1f segments, want about %.1f", rtt, s.now.Seconds(), got, want)
			}
		}
	}
}

// RFC 9438, 4.2 (R9438-1): the target is at most 1.5 times the window.
func TestTheTargetIsBounded(t *testing.T) {
	s := afterLoss(t, 10)
	c := s.Control.(*cubic)
	s.acks(1, 0)
	if got := c.target(1000, 8); got != 12 {
		t.Errorf("the target is %v, want 12", got)
	}
	if got := c.target(0, 9.9); got != 9.9 {
		t.Errorf("the target is %v, want 9.9", got)
	}
}

// RFC 9438, 4.3 (R9438-3): with a short round-trip time the curve is slower than Reno
// would be: W_est grows by alpha_cubic, 0.529 segments, for each round trip, and
// by one once it is where the loss was.
func TestTheRenoFriendlyRegion(t *testing.T) {
	s := afterLoss(t, 20)
	for range 10 {
		s.round(time.Millisecond)
	}
	if got := float64(s.w.Cwnd) / mss; got < 14+10*0.48 || got > 14+10*0.56 {
		t.Errorf("after 10 round trips the window is %.2f segments, want about %.2f", got, 14+10*0.529)
	}
	for s.w.Cwnd < 20*mss {
		s.round(time.Millisecond)
	}
	before := s.w.Cwnd
	for range 10 {
		s.round(time.Millisecond)
	}
	if got := float64(s.w.Cwnd-before) / mss; got < 9 || got > 10.5 {
		t.Errorf("above the old window it grows by %.2f segments in 10 round trips, want about 10", got)
	}
}

// RFC 9438, 4.7 (R9438-7): "if cwnd < W_max and fast convergence enabled, further reduce
// W_max: W_max = cwnd * (1 + beta_cubic) / 2".
func TestFastConvergence(t *testing.T) {
	s := afterLoss(t, 100)
	c := s.Control.(*cubic)
	s.w.Cwnd = 80 * mss
	s.Lost(&s.w, 0, s.w.Cwnd, false)
	if math.Abs(c.wMax-68) > 1e-9 {
		t.Errorf("W_max is %v, want 68", c.wMax)
	}
	s.w.Cwnd = 90 * mss
	s.Lost(&s.w, 0, s.w.Cwnd, false)
	if c.wMax != 90 {
		t.Errorf("W_max is %v, want 90", c.wMax)
	}
}

// RFC 9438, 4.8 (R9438-8): after a time-out the curve begins with K = 0 where congestion
// avoidance begins.
func TestCubicAfterATimeout(t *testing.T) {
	s := newSender(t, "cubic", 100)
	s.Lost(&s.w, 0, s.w.Cwnd, false)
	s.TimedOut(&s.w, 0, s.w.Cwnd)
	s.w.Cwnd = mss
	for s.w.Cwnd < s.w.Ssthresh {
		s.acks(1, 100*time.Millisecond)
	}
	s.want("slow start ends at the threshold", 70)
	s.acks(1, 100*time.Millisecond)
	if c := s.Control.(*cubic); c.k != 0 || math.Abs(c.wMax-70) > 0.1 {
		t.Errorf("K is %v, W_max %v; want 0 and 70", c.k, c.wMax)
	}
}

// RFC 9438, 4.9: a reduction that turns out to be a mistake is undone.
func TestCubicUndo(t *testing.T) {
	s := afterLoss(t, 100)
	for range 20 {
		s.round(100 * time.Millisecond)
	}
	c := s.Control.(*cubic)
	before := c.curve
	s.Lost(&s.w, s.now, s.w.Cwnd, false)
	s.Undo(&s.w)
	if c.curve != before {
		t.Errorf("the curve is %+v, want %+v", c.curve, before)
	}
	s.Undo(&s.w)
	if c.curve != before {
		t.Error("a second undo undoes more")
	}
	first := newSender(t, "cubic", 100)
	first.TimedOut(&first.w, 0, first.w.Cwnd)
	first.Undo(&first.w)
	if c := first.Control.(*cubic); c.curve != (curve{}) {
		t.Errorf("before any loss there is a curve: %+v", c.curve)
	}
}

// RFC 9438, 5.8 (R9438-2): the time in which the window isn't the limit doesn't count.
func TestTimeWithoutDemandDoesNotCount(t *testing.T) {
	for _, idle := range []bool{true, false} {
		s := afterLoss(t, 1000)
		s.round(100 * time.Millisecond)
		cwnd, at := s.w.Cwnd, s.now
		s.now += 100 * sec
		if idle {
			s.Resumed(&s.w, s.now, 100*time.Second)
		} else {
			s.Acked(&s.w, at, &Sample{Acked: mss, RTT: -1})
			s.Acked(&s.w, at+50*sec, &Sample{Acked: mss, RTT: -1})
		}
		s.acks(1, 100*time.Millisecond)
		if grown := s.w.Cwnd - cwnd; grown > 200 {
			t.Errorf("idle %v: the window grows by %d octets at once", idle, grown)
		}
	}
}

// A window in a network without any delay: the curve is measured in time, so
// only Reno's part grows, and nothing overflows.
func TestCubicWithoutAnyDelay(t *testing.T) {
	s := afterLoss(t, 10)
	for range 10_000 {
		s.acks(1, 0)
	}
	if got := float64(s.w.Cwnd) / mss; got < 100 || got > 200 {
		t.Errorf("after 10,000 segments in no time the window is %.1f segments", got)
	}
}

// A connection that never left slow start has no curve.
func TestCubicIsSmallInSlowStart(t *testing.T) {
	if size := unsafe.Sizeof(cubic{}); size > 48 {
		t.Errorf("takes %d octets, want at most 48", size)
	}
	s := newSender(t, "cubic", 10)
	for range 5 {
		s.round(10 * time.Millisecond)
	}
	if s.Control.(*cubic).curves != nil || s.w.Cwnd <= 10*mss {
		t.Errorf("in slow start there are curves, or the window, %d, hasn't grown", s.w.Cwnd)
	}
	s.Undo(&s.w)
	s.Resumed(&s.w, s.now, time.Second)
	s.Lost(&s.w, s.now, s.w.Cwnd, false)
	if s.Control.(*cubic).curves == nil {
		t.Error("after a loss there is no curve")
	}
}
