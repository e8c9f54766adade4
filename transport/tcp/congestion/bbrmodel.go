package congestion

import (
	"time"

	"hubbub/clock"
)

// rounds counts round trips by what has arrived: one is over when something
// arrives that was sent after the last one was over (draft-ietf-ccwg-bbr,
// 5.5.1).
type rounds struct {
	total         uint64 // C.delivered: octets that have arrived
	count         uint64
	nextDelivered uint64 // ends the present round
	start         bool   // this ACK is the first of a round
	sinceProbeUp  int    // rounds since the last ProbeBW_UP
	drainStart    uint64 // the round in which Drain began
}

// update is UpdateRound.
func (r *rounds) update(s *Sample) {
	r.start = s.Rate.Known && s.Rate.Prior >= r.nextDelivered
	if r.start {
		r.begin()
		r.count++
		r.sinceProbeUp++
	}
}

// begin is StartRound.
func (r *rounds) begin() { r.nextDelivered = r.total }

// maxBw is BBR.max_bw: the most that has arrived in a second in this cycle of
// ProbeBW and the one before (draft-ietf-ccwg-bbr, 5.5.3).
func (b *bbr) maxBw() float64 { return max(b.maxBwFilter[0], b.maxBwFilter[1]) }

// updateMaxBw is UpdateMaxBw: "By default, the estimator discards
// application-limited samples, since by definition they reflect application
// limits. However, the estimator does use application-limited samples if the
// measured delivery rate happens to be larger than the current BBR.max_bw
// estimate" (draft-ietf-ccwg-bbr, 5.5.4).
func (b *bbr) updateMaxBw(s *Sample) {
	b.rounds.update(s)
	if rate := b.rate; rate > 0 && (rate >= b.maxBw() || !s.Rate.AppLimited) {
		b.maxBwFilter[1] = max(b.maxBwFilter[1], rate)
	}
}

// advanceMaxBw is AdvanceMaxBwFilter (draft-ietf-ccwg-bbr, 5.5.6). A cycle in
// which nothing was measured takes nothing away.
func (b *bbr) advanceMaxBw() {
	if b.maxBwFilter[1] > 0 {
		b.maxBwFilter[0], b.maxBwFilter[1] = b.maxBwFilter[1], 0
	}
}

// fullPipe finds out whether sending faster still makes more arrive
// (draft-ietf-ccwg-bbr, 5.3.1.2).
type fullPipe struct {
	fullReached bool // it once was not so
	fullNow     bool // it is not so since we last began to look
	fullCount   int
	fullBw      float64
}

// reset is ResetFullBW.
func (f *fullPipe) reset() { f.fullBw, f.fullCount, f.fullNow = 0, 0, false }

// checkFullPipe is CheckFullBWReached: "if BBR counts several (three)
// non-application-limited rounds where attempts to significantly increase the
// delivery rate actually result in little increase (less than 25 percent),
// then it estimates that it has fully utilized the per-flow available
// bandwidth" (draft-ietf-ccwg-bbr, 5.3.1.2).
func (b *bbr) checkFullPipe(s *Sample) {
	if b.fullNow || !b.rounds.start || s.Rate.AppLimited {
		return
	}
	if rate := b.rate; rate >= b.fullBw*1.25 {
		b.fullPipe.reset()
		b.fullBw = rate
		return
	}
	b.fullCount++
	b.fullNow = b.fullCount >= bbrFullBwCount
	b.fullReached = b.fullReached || b.fullNow
}

// delay is what is known of how long the way is (draft-ietf-ccwg-bbr, 5.5.7).
type delay struct {
	minRTT          time.Duration // negative: not known
	minRTTAt        clock.Time
	probeRTTMin     time.Duration // of the last ProbeRTTInterval
	probeRTTMinAt   clock.Time
	probeRTTExpired bool

	probeRTTDone      clock.Time // when ProbeRTT may end; 0 while too much is in flight
	probeRTTRoundDone bool
}

// updateMinRTT is UpdateMinRTT (draft-ietf-ccwg-bbr, 5.3.4.3). A way that takes
// no time can't become shorter: to measure it again confirms it.
func (d *delay) updateMinRTT(now clock.Time, s *Sample) {
	d.probeRTTExpired = now.Sub(d.probeRTTMinAt) > bbrProbeRTTInterval
	if s.RTT >= 0 && (d.probeRTTMin < 0 || s.RTT < d.probeRTTMin || s.RTT == 0 || d.probeRTTExpired) {
		d.probeRTTMin, d.probeRTTMinAt = s.RTT, now
	}
	expired := now.Sub(d.minRTTAt) > bbrMinRTTFilterLen
	if d.probeRTTMin >= 0 && (d.minRTT < 0 || d.probeRTTMin < d.minRTT || expired) {
		d.minRTT, d.minRTTAt = d.probeRTTMin, d.probeRTTMinAt
	}
}

// aggregation measures how much more is acknowledged at once than the rate
// explains (draft-ietf-ccwg-bbr, 5.5.9).
type aggregation struct {
	extraStart     clock.Time
	extraDelivered int
	extra          maxFilter
}

// updateAggregation is UpdateACKAggregation.
func (b *bbr) updateAggregation(w *Window, now clock.Time, s *Sample) {
	expected := b.bw * seconds(now.Sub(b.extraStart))
	if float64(b.extraDelivered) <= expected {
		b.extraDelivered, b.extraStart, expected = 0, now, 0
	}
	b.extraDelivered += s.Delivered
	extra := min(b.extraDelivered-int(expected), w.Cwnd)
	length := uint64(1)
	if b.fullReached {
		length = bbrExtraAckedLen
	}
	b.extra.update(extra, b.rounds.count, length)
}

// extraAcked is BBR.extra_acked.
func (b *bbr) extraAcked() int { return b.extra.best[0].value }

// A maxFilter is the largest of the values of the last so many rounds. It
// remembers three, each the largest since the one before: the estimator by
// Kathleen Nichols that the draft refers to.
type maxFilter struct {
	best [3]valueAt
}

type valueAt struct {
	value int
	round uint64
}

// update takes in a value.
func (f *maxFilter) update(value int, round, length uint64) {
	v, b := valueAt{value, round}, &f.best
	switch {
	case value >= b[0].value || round-b[2].round >= length:
		*b = [3]valueAt{v, v, v}
		return
	case value >= b[1].value:
		b[1], b[2] = v, v
	case value >= b[2].value:
		b[2] = v
	}
	for round-b[0].round >= length {
		b[0], b[1], b[2] = b[1], b[2], v
	}
	if age := round - b[0].round; b[1].round == b[0].round && age > length/4 {
		b[1], b[2] = v, v // let the second and the third not be as old as the first
	} else if b[2].round == b[1].round && age > length/2 {
		b[2] = v
	}
}
