package congestion

import (
	"time"

	"hubbub/clock"
)

// reno is the congestion control of RFC 5681 with appropriate byte counting
// (RFC 3465).
type reno struct {
	credit int // octets acknowledged since the window last grew in congestion avoidance
}

// Name returns "reno".
func (*reno) Name() string { return "reno" }

// Acked lets the window grow.
func (r *reno) Acked(w *Window, _ clock.Time, s *Sample) {
	if w.Recovering || !s.Limited {
		return
	}
	if n := slowStart(w, s.Acked); n > 0 {
		r.credit = w.avoid(r.credit, n)
	}
}

// slowStart lets the window grow by what was acknowledged, up to the slow
// start threshold, and returns what of it is left for congestion avoidance.
//
// RFC 5681, 3.1 (R5681-2) has it grow by one segment at most for each acknowledgment,
// RFC 3465, 2.2 by two; then a receiver that acknowledges many segments at once
// slows the start down. Linux counts all of them, and so does this.
func slowStart(w *Window, acked int) (left int) {
	if !w.SlowStart() {
		return acked
	}
	n := min(acked, w.Ssthresh-w.Cwnd)
	w.Cwnd += n
	return acked - n
}

// avoid is congestion avoidance: one segment for each window of octets
// acknowledged, so one for each round trip (RFC 5681, 3.1; RFC 3465, 2.1).
func (w *Window) avoid(credit, acked int) int {
	for credit += acked; credit >= w.Cwnd; {
		credit -= w.Cwnd
		w.Cwnd += w.mss()
	}
	return credit
}

// Lost: "ssthresh = max (FlightSize / 2, 2*SMSS) (4)" (R5681-5; RFC 5681, 3.1).
func (r *reno) Lost(w *Window, _ clock.Time, inFlight int, _ bool) {
	w.Ssthresh = max(inFlight/2, 2*w.mss())
	r.credit = 0
}

// TimedOut does as Lost: "the value of ssthresh MUST be set to no more than the
// value given in equation (4)" (RFC 5681, 3.1).
func (r *reno) TimedOut(w *Window, now clock.Time, inFlight int) { r.Lost(w, now, inFlight, false) }

// Undo has nothing to restore.
func (*reno) Undo(*Window) {}

// Resumed has nothing to do.
func (*reno) Resumed(*Window, clock.Time, time.Duration) {}
