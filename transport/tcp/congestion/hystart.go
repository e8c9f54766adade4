package congestion

import (
	"math"
	"time"
)

// hystart is HyStart++ (RFC 9406): when round trips begin to take longer, a
// queue is building up, and slow start slows down to conservative slow start
// (CSS); if it was no false alarm, it ends, before the queue overflows.
type hystart struct {
	phase     hystartPhase
	was       hystartPhase  // before its end
	cssRounds uint8         // rounds of CSS so far
	samples   uint8         // measurements in this round, as far as they count
	roundEnd  uint64        // the round ends when so many octets are acknowledged
	rtt       time.Duration // the least of this round; none: infinite
	last      time.Duration // the least of the round before
	baseline  time.Duration // the least of the round in which CSS began
}

type hystartPhase uint8

const (
	hystartNew  hystartPhase = iota // no round has begun
	hystartSlow                     // slow start
	hystartCSS                      // conservative slow start
	hystartDone                     // slow start has ended once: "HyStart++ is used only for the initial slow start"
)

// The constants of RFC 9406, 4.3.
const (
	minRTTThresh     = 4 * time.Millisecond
	maxRTTThresh     = 16 * time.Millisecond
	minRTTDivisor    = 8
	nRTTSample       = 8
	cssGrowthDivisor = 4
	cssMaxRounds     = 5
	infinite         = time.Duration(math.MaxInt64)
)

// acked takes what an acknowledgment tells of the round trips.
func (h *hystart) acked(w *Window, s *Sample) {
	switch {
	case h.phase == hystartDone:
		return
	case h.phase == hystartNew:
		*h = hystart{phase: hystartSlow, last: infinite}
		h.round(s)
	case s.Acknowledged >= h.roundEnd:
		// "A round chooses a TCP sequence number windowEnd as SND.NXT. When
		// windowEnd is ACKed, the current round ends and a new round is
		// started." (RFC 9406, 4.2)
		h.endRound(w)
		h.round(s)
	}
	if s.RTT >= 0 && h.phase != hystartDone {
		h.rtt = min(h.rtt, s.RTT)
		h.samples = min(h.samples+1, nRTTSample)
		h.judge()
	}
}

// round begins one.
func (h *hystart) round(s *Sample) {
	if h.rtt != 0 || h.samples > 0 {
		h.last = h.rtt
	}
	h.rtt, h.samples, h.roundEnd = infinite, 0, s.Sent
}

// endRound counts the rounds of CSS: "If CSS_ROUNDS rounds are complete, enter
// congestion avoidance by setting the ssthresh to the current cwnd."
// (RFC 9406, 4.2)
func (h *hystart) endRound(w *Window) {
	if h.phase != hystartCSS {
		return
	}
	h.cssRounds++
	if h.cssRounds >= cssMaxRounds {
		w.Ssthresh = w.Cwnd
		h.end()
	}
}

// judge: "if (currentRoundMinRTT >= (lastRoundMinRTT + RttThresh)) [...] exit
// slow start and enter CSS". In CSS: "if (currentRoundMinRTT < cssBaselineMinRtt)
// [...] resume slow start including HyStart++" (RFC 9406, 4.2).
func (h *hystart) judge() {
	if h.samples < nRTTSample || h.last == infinite {
		return
	}
	switch thresh := min(max(h.last/minRTTDivisor, minRTTThresh), maxRTTThresh); {
	case h.phase == hystartSlow && h.rtt >= h.last+thresh:
		h.phase, h.baseline, h.cssRounds = hystartCSS, h.rtt, 0
	case h.phase == hystartCSS && h.rtt < h.baseline:
		h.phase = hystartSlow
	}
}

// grow lets the window grow in slow start, up to the slow start threshold, and
// returns what of the acknowledged octets is left for congestion avoidance:
// "cwnd = cwnd + min(N, L * SMSS)", in CSS divided by CSS_GROWTH_DIVISOR
// (RFC 9406, 4.2). L is infinite, as on Linux: who answers many segments at
// once, as most network cards make receivers do, would slow the start down.
func (h *hystart) grow(w *Window, acked int) (left int) {
	n := acked
	if h.phase == hystartCSS {
		n /= cssGrowthDivisor
	}
	room := w.Ssthresh - w.Cwnd
	w.Cwnd += min(n, room)
	return max(0, n-room)
}

// end ends the use of HyStart++, for good unless that is taken back.
func (h *hystart) end() { h.was, h.phase = h.phase, hystartDone }

// goOn takes the last end back: it was a loss's, and nothing had been lost, so
// that this is the initial slow start still (RFC 9406, 4.3).
func (h *hystart) goOn() { h.phase = h.was }
