package congestion

import (
	"math"
	"time"

	"hubbub/clock"
)

// bbr is BBR, version 3 (draft-ietf-ccwg-bbr). It doesn't wait for the network
// to lose something: it measures how fast data arrives and how long the way
// is, and from both computes how much the path holds. It sends at the measured
// rate, and from time to time a little faster, to see whether there is more,
// and a little slower, to see whether the way is shorter than it seems.
//
// Names are those of the draft, without its prefix; where it says packets or
// bytes, these are octets. The files follow its chapters: what is sent in
// which state (bbrstates.go, 5.3), the model of the path (bbrmodel.go, 5.5;
// bbrloss.go, 5.5.10), and what follows from it (bbrcontrol.go, 5.6).
type bbr struct {
	state       bbrState
	initialCwnd int
	random      uint64
	idleRestart bool
	recovering  bool // loss recovery was under way at the last ACK
	saved       bool // undo holds for the present loss recovery
	measured    bool // the pacing rate comes from a measured round trip

	rounds
	fullPipe
	delay
	aggregation
	shortTerm
	longTerm
	undo
	probe

	maxBwFilter [2]float64 // the most of the last cycle of ProbeBW, and of this one: octets per second
	rate        float64    // of this ACK, octets per second; 0 if there is none
	bw          float64    // octets per second
	maxInflight int
	priorCwnd   int
}

// A bbrState is a state of the machine of draft-ietf-ccwg-bbr, 5.1.
type bbrState uint8

const (
	bbrStartup bbrState = iota
	bbrDrain
	bbrProbeDown
	bbrProbeCruise
	bbrProbeRefill
	bbrProbeUp
	bbrProbeRTT
)

// gains are by how much, in each state, the rate is more than what arrives, and
// the window more than what the path holds (draft-ietf-ccwg-bbr, 5.6.1).
var gains = [...]struct {
	name         string
	pacing, cwnd float64
}{
	bbrStartup:     {"Startup", 2.77, 2},
	bbrDrain:       {"Drain", 0.5, 2},
	bbrProbeDown:   {"ProbeBW_DOWN", 0.90, 2},
	bbrProbeCruise: {"ProbeBW_CRUISE", 1, 2},
	bbrProbeRefill: {"ProbeBW_REFILL", 1, 2},
	bbrProbeUp:     {"ProbeBW_UP", 1.25, 2.25},
	bbrProbeRTT:    {"ProbeRTT", 1, 0.5},
}

// The parameters of draft-ietf-ccwg-bbr, 2.
const (
	bbrLossThresh       = 0.02             // more loss than that in a round trip is too much
	bbrBeta             = 0.7              // what is left after a round trip with loss
	bbrHeadroom         = 0.15             // of inflight_longterm, left to others
	bbrMinPipe          = 4                // segments in flight, for a peer that acknowledges every second one
	bbrPacingMargin     = 0.01             // the rate is that much less than measured
	bbrMinRTTFilterLen  = 10 * time.Second // how long min_rtt counts
	bbrProbeRTTInterval = 5 * time.Second  // from one ProbeRTT to the next
	bbrProbeRTTDuration = 200 * time.Millisecond
	bbrExtraAckedLen    = 10 // rounds
	bbrFullLossCount    = 6  // ranges lost in a round trip that end Startup
	bbrFullBwCount      = 3  // rounds without growth that end Startup and ProbeBW_UP
)

// unbounded is the draft's Infinity, of volumes.
const unbounded = math.MaxInt

// Name returns "bbr".
func (*bbr) Name() string { return "bbr" }

// Phase returns the name of the state, such as "ProbeBW_CRUISE".
func (b *bbr) Phase() string { return gains[b.state].name }

// Start is OnInit (draft-ietf-ccwg-bbr, 5.2.1).
func (b *bbr) Start(w *Window, now clock.Time, srtt time.Duration, seed uint64) {
	*b = bbr{initialCwnd: w.Cwnd, random: seed | 1}
	b.minRTT, b.minRTTAt = srtt, now
	b.probeRTTMin, b.probeRTTMinAt = srtt, now
	b.extraStart = now
	b.inflightLong, b.upAckedPerInc = unbounded, unbounded
	b.resetShortTerm()
	w.Modelled = true
	b.initPacing(w, srtt)
}

// initPacing is InitPacingRate: "nominal_bandwidth = C.InitialCwnd / (C.srtt ?
// C.srtt : 1ms)" (draft-ietf-ccwg-bbr, 5.6.2). A way that takes no time at all
// counts as a microsecond.
func (b *bbr) initPacing(w *Window, srtt time.Duration) {
	b.measured = srtt >= 0
	if !b.measured {
		srtt = time.Millisecond
	}
	nominal := float64(b.initialCwnd) / max(srtt, time.Microsecond).Seconds()
	w.Pacing = uint64(gains[bbrStartup].pacing * nominal)
}

// Acked is UpdateOnACK (draft-ietf-ccwg-bbr, 5.2.3).
func (b *bbr) Acked(w *Window, now clock.Time, s *Sample) {
	b.total, b.rate = s.Total, s.Rate.perSecond()
	if !b.measured && s.RTT >= 0 {
		b.initPacing(w, s.RTT)
	}
	if b.recovering && !s.Mending {
		// "When BBR exits loss recovery it restores C.cwnd to the "last known
		// good" value" (draft-ietf-ccwg-bbr, 5.6.4.4).
		b.restoreCwnd(w)
	}
	b.recovering, b.saved = s.Mending, b.saved && s.Mending
	b.updateModel(w, now, s)
	b.setPacing(w, gains[b.state].pacing)
	b.setCwnd(w, s)
}

// updateModel is UpdateModelAndState (draft-ietf-ccwg-bbr, 5.2.3).
func (b *bbr) updateModel(w *Window, now clock.Time, s *Sample) {
	b.updateLatestSignals(s, b.rate)
	b.updateCongestionSignals(w, s)
	b.updateAggregation(w, now, s)
	b.checkFullPipe(s)
	b.checkStartupDone(w, s)
	b.checkDrainDone(w, now, s)
	b.updateCycle(w, now, s)
	b.updateMinRTT(now, s)
	b.checkProbeRTT(w, now, s)
	if b.lossRoundStart {
		// AdvanceLatestDeliverySignals (draft-ietf-ccwg-bbr, 5.5.10.3)
		b.bwLatest, b.inflightLatest = b.rate, s.Rate.Delivered
	}
	b.bw = min(b.maxBw(), b.bwShort) // BoundBWForModel
}

// Lost notes that fast recovery begins (OnEnterFastRecovery of
// draft-ietf-ccwg-bbr, 5.6.4.4). What was lost is told by [bbr.LostSegment].
//
// "if the connection claims ECN support by marking packets using either the
// ECT(0) or ECT(1) code point, the congestion controller response MUST treat
// any CE marks as congestion" (draft-ietf-ccwg-bbr, 3.6): a mark ends Startup
// and a probe for bandwidth as too much loss does, and counts for the round.
func (b *bbr) Lost(w *Window, now clock.Time, inFlight int, ecn bool) {
	b.saveCwnd(w)
	b.noteLoss(w)
	switch {
	case !ecn:
	case b.state == bbrStartup:
		b.startupTooHigh()
	case b.isProbeSample:
		b.tooHigh(w, now, &Rate{InFlight: inFlight})
	}
}

// TimedOut is OnEnterRTO (draft-ietf-ccwg-bbr, 5.6.4.4); the connection sets
// Cwnd.
func (b *bbr) TimedOut(w *Window, _ clock.Time, _ int) {
	b.saveCwnd(w)
	b.noteLoss(w)
}

// Resumed is HandleRestartFromIdle (draft-ietf-ccwg-bbr, 5.4.1).
func (b *bbr) Resumed(w *Window, now clock.Time, _ time.Duration) {
	b.idleRestart = true
	b.extraStart = now
	if b.probing() {
		b.setPacing(w, 1)
	} else if b.state == bbrProbeRTT {
		b.checkProbeRTTDone(w, now)
	}
}

// saveCwnd is SaveCwnd: it remembers "the latest C.cwnd unmodulated by loss
// recovery or ProbeRTT" (draft-ietf-ccwg-bbr, 5.6.4.4).
func (b *bbr) saveCwnd(w *Window) {
	if !b.recovering && b.state != bbrProbeRTT {
		b.priorCwnd = w.Cwnd
	} else {
		b.priorCwnd = max(b.priorCwnd, w.Cwnd)
	}
}

func (b *bbr) restoreCwnd(w *Window) { w.Cwnd = max(w.Cwnd, b.priorCwnd) }

// Info returns what the model has of the path.
func (b *bbr) Info() PathInfo {
	return PathInfo{
		Bandwidth: whole(b.bw), MinRTT: max(b.minRTT, 0),
		PacingGain: gains[b.state].pacing, CwndGain: gains[b.state].cwnd,
	}
}

// fraction returns a number from 0 up to 1 that looks random. The same
// connection draws the same numbers in each run.
func (b *bbr) fraction() float64 {
	b.random ^= b.random << 13
	b.random ^= b.random >> 7
	b.random ^= b.random << 17
	return float64(b.random>>11) / (1 << 53)
}

// whole returns a rate as a whole number.
func whole(rate float64) uint64 {
	return uint64(min(max(rate, 0), 1<<62))
}
