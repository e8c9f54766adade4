package congestion

import (
	"time"

	"hubbub/clock"
)

// probe is what the search for more bandwidth remembers (draft-ietf-ccwg-bbr,
// 2.15).
type probe struct {
	ackPhase      ackPhase
	isProbeSample bool // what arrives was sent while probing
	prevTooHigh   bool // the last probe had too much loss
	prevCautious  bool // the last probe was ended early for that reason
	upRounds      uint
	upAcked       int
	upAckedPerInc int
	probeWait     time.Duration // when to probe again at the latest
	cycleStart    clock.Time
}

// longTerm bounds what is in flight by what went well in the last probes
// (draft-ietf-ccwg-bbr, 5.5.10.2).
type longTerm struct{ inflightLong int }

// An ackPhase says what ACKs tell about a probe for bandwidth.
type ackPhase uint8

const (
	acksInit          ackPhase = iota // nothing
	acksRefilling                     // the path is being filled
	acksProbeStarting                 // the probe has begun
	acksProbeFeedback                 // what they acknowledge was sent in the probe
	acksProbeStopping                 // so it is still, after its end
)

// probing is IsInAProbeBWState.
func (b *bbr) probing() bool { return b.state >= bbrProbeDown && b.state <= bbrProbeUp }

// accelerating is IsProbingBW.
func (b *bbr) accelerating() bool {
	return b.state == bbrStartup || b.state == bbrProbeRefill || b.state == bbrProbeUp
}

// checkStartupDone is CheckStartupDone (draft-ietf-ccwg-bbr, 5.3.1).
func (b *bbr) checkStartupDone(w *Window, s *Sample) {
	b.checkStartupLoss(w, s)
	if b.state == bbrStartup && b.fullReached {
		b.enterDrain()
	}
}

// checkStartupLoss is CheckStartupHighLoss: Startup is over, too, if for a
// round trip of fast recovery "the loss rate over the time scale of a single
// full round trip exceeds BBR.LossThresh (2%)" and "there are at least
// BBRStartupFullLossCnt=6 discontiguous sequence ranges lost in that round
// trip"; without selective acknowledgments, "if any packet loss is detected
// during fast recovery" (draft-ietf-ccwg-bbr, 5.3.1.3).
func (b *bbr) checkStartupLoss(_ *Window, s *Sample) {
	if !b.lossRoundStart {
		return
	}
	enough := b.lossRanges >= bbrFullLossCount || !s.Selective && b.lossRanges > 0
	if b.state == bbrStartup && s.Mending && enough && inflightTooHigh(&s.Rate, s.Selective) {
		b.startupTooHigh()
	}
	b.lossRanges = 0
}

// startupTooHigh ends Startup because of loss.
func (b *bbr) startupTooHigh() {
	b.undoState, b.undoes = bbrStartup, true
	b.fullReached, b.fullNow = true, true
	b.inflightLong = max(b.bdp(b.maxBw(), 1), b.inflightLatest)
	b.enterDrain()
}

// enterDrain is EnterDrain (draft-ietf-ccwg-bbr, 5.3.2).
func (b *bbr) enterDrain() { b.state, b.drainStart = bbrDrain, b.rounds.count }

// checkDrainDone is CheckDrainDone: the queue is empty, or that can't be
// achieved in three round trips (draft-ietf-ccwg-bbr, 5.3.2).
func (b *bbr) checkDrainDone(w *Window, now clock.Time, s *Sample) {
	if b.state == bbrDrain && (s.Left <= b.inflight(w, b.bw, 1) || b.rounds.count > b.drainStart+3) {
		b.startDown(now)
	}
}

// startDown is StartProbeBW_DOWN (draft-ietf-ccwg-bbr, 5.3.3.6).
func (b *bbr) startDown(now clock.Time) {
	b.resetCongestionSignals()
	b.upAckedPerInc = unbounded
	// PickProbeWait (draft-ietf-ccwg-bbr, 5.3.3.5.3)
	b.sinceProbeUp = int(2 * b.fraction())
	b.probeWait = 2*time.Second + time.Duration(b.fraction()*float64(time.Second))
	b.cycleStart = now
	b.ackPhase = acksProbeStopping
	b.rounds.begin()
	b.state = bbrProbeDown
}

// startRefill is StartProbeBW_REFILL (draft-ietf-ccwg-bbr, 5.3.3.6).
func (b *bbr) startRefill() {
	b.resetShortTerm()
	b.upRounds, b.upAcked = 0, 0
	b.prevCautious = false
	b.ackPhase = acksRefilling
	b.rounds.begin()
	b.state = bbrProbeRefill
}

// startUp is StartProbeBW_UP (draft-ietf-ccwg-bbr, 5.3.3.6).
func (b *bbr) startUp(w *Window, s *Sample) {
	b.ackPhase = acksProbeStarting
	b.rounds.begin()
	b.fullPipe.reset()
	b.fullBw = b.rate
	b.state = bbrProbeUp
	b.raiseSlope(w)
}

// updateCycle is UpdateProbeBWCyclePhase (draft-ietf-ccwg-bbr, 5.3.3.6).
func (b *bbr) updateCycle(w *Window, now clock.Time, s *Sample) {
	if !b.fullReached || b.adaptLongTerm(w, s) {
		return
	}
	switch b.state {
	case bbrProbeDown:
		if !b.timeToProbe(w, now) && b.timeToCruise(w, s) {
			b.state = bbrProbeCruise
		}
	case bbrProbeCruise:
		b.timeToProbe(w, now)
	case bbrProbeRefill:
		if b.rounds.start { // after one round of REFILL
			b.isProbeSample = true
			b.startUp(w, s)
		}
	case bbrProbeUp:
		if b.timeToGoDown(w, s) {
			b.prevTooHigh = false // no high loss (yet)
			b.startDown(now)
		}
	}
}

// timeToProbe is IsTimeToProbeBW: after two to three seconds, or after as many
// round trips as Reno would need to recover from a loss, at most 63
// (draft-ietf-ccwg-bbr, 5.3.3.5.3).
func (b *bbr) timeToProbe(w *Window, now clock.Time) bool {
	reno := min(b.targetInflight(w)/w.mss(), 63)
	if now.Sub(b.cycleStart) <= b.probeWait && b.sinceProbeUp < reno {
		return false
	}
	b.startRefill()
	return true
}

// targetInflight is TargetInflight: "Our estimated BDP, unless congestion cut
// C.cwnd."
func (b *bbr) targetInflight(w *Window) int { return min(b.bdp(b.bw, 1), w.Cwnd) }

// timeToCruise is IsTimeToCruise: the queue is empty, and there is room for
// others.
func (b *bbr) timeToCruise(w *Window, s *Sample) bool {
	return s.Left <= b.inflightWithHeadroom(w) && s.Left <= b.inflight(w, b.maxBw(), 1)
}

// timeToGoDown is IsTimeToGoDown (draft-ietf-ccwg-bbr, 5.3.3.4.3).
func (b *bbr) timeToGoDown(w *Window, s *Sample) bool {
	switch {
	case b.prevTooHigh && s.Left >= b.inflightLong:
		b.prevCautious = true
		return true
	case s.Limited && w.Cwnd >= b.inflightLong:
		b.fullPipe.reset() // bw is limited by inflight_longterm
		b.fullBw = b.rate
		return false
	}
	return b.fullNow // we estimate we've fully used path bw
}

// inflightWithHeadroom is InflightWithHeadroom: "a volume of data that tries to
// leave free headroom in the bottleneck buffer or link for other flows".
func (b *bbr) inflightWithHeadroom(w *Window) int {
	if b.inflightLong == unbounded {
		return unbounded
	}
	headroom := max(w.mss(), int(bbrHeadroom*float64(b.inflightLong)))
	return max(b.inflightLong-headroom, bbrMinPipe*w.mss())
}

// raiseSlope is RaiseInflightLongtermSlope: in each round inflight_longterm
// grows by twice as many segments as in the one before.
func (b *bbr) raiseSlope(w *Window) {
	growth := 1 << b.upRounds
	b.upRounds = min(b.upRounds+1, 30)
	b.upAckedPerInc = max(w.Cwnd/growth, w.mss())
}

// probeUpward is ProbeInflightLongtermUpward.
func (b *bbr) probeUpward(w *Window, s *Sample) {
	if !s.Limited || w.Cwnd < b.inflightLong {
		return // not fully using inflight_longterm, so don't grow it
	}
	b.upAcked += s.Delivered
	if b.upAcked >= b.upAckedPerInc {
		delta := b.upAcked / b.upAckedPerInc
		b.upAcked -= delta * b.upAckedPerInc
		b.inflightLong += delta * w.mss()
	}
	if b.rounds.start {
		b.raiseSlope(w)
	}
}

// adaptLongTerm is AdaptLongTermModel (draft-ietf-ccwg-bbr, 5.3.3.6), and
// reports whether it has changed the state.
func (b *bbr) adaptLongTerm(w *Window, s *Sample) bool {
	if b.ackPhase == acksProbeStarting && b.rounds.start {
		b.ackPhase = acksProbeFeedback // starting to get bw probing samples
	}
	if b.ackPhase == acksProbeStopping && b.rounds.start {
		// end of samples from bw probing phase
		b.isProbeSample = false
		b.ackPhase = acksInit
		if b.probing() && !s.Rate.AppLimited {
			b.advanceMaxBw()
		}
		if b.probing() && b.prevCautious && !b.prevTooHigh {
			b.startRefill()
			return true
		}
	}
	if b.inflightLong == unbounded || !s.Rate.Known || inflightTooHigh(&s.Rate, s.Selective) {
		return false
	}
	b.inflightLong = max(b.inflightLong, s.Rate.InFlight)
	if b.state == bbrProbeUp {
		b.probeUpward(w, s)
	}
	return false
}

// checkProbeRTT is CheckProbeRTT (draft-ietf-ccwg-bbr, 5.3.4.3).
func (b *bbr) checkProbeRTT(w *Window, now clock.Time, s *Sample) {
	if b.state != bbrProbeRTT && b.probeRTTExpired && !b.idleRestart {
		b.saveCwnd(w)
		b.state = bbrProbeRTT
		b.probeRTTDone = 0
		b.ackPhase = acksProbeStopping
		b.rounds.begin()
	}
	if b.state == bbrProbeRTT {
		b.handleProbeRTT(w, now, s)
	}
	if s.Delivered > 0 {
		b.idleRestart = false
	}
}

// handleProbeRTT is HandleProbeRTT: when little enough is in flight, it stays
// so for 200 ms, and a round trip at least.
func (b *bbr) handleProbeRTT(w *Window, now clock.Time, s *Sample) {
	w.AppLimited = true // ignore low rate samples during ProbeRTT
	switch {
	case b.probeRTTDone == 0:
		if s.Left <= b.probeRTTCwnd(w) {
			b.probeRTTDone, b.probeRTTRoundDone = now.Add(bbrProbeRTTDuration), false
			b.rounds.begin()
		}
	case b.rounds.start || b.probeRTTRoundDone:
		b.probeRTTRoundDone = true
		b.checkProbeRTTDone(w, now)
	}
}

// checkProbeRTTDone is CheckProbeRTTDone and ExitProbeRTT
// (draft-ietf-ccwg-bbr, 5.3.4.4).
func (b *bbr) checkProbeRTTDone(w *Window, now clock.Time) {
	if b.probeRTTDone == 0 || now <= b.probeRTTDone {
		return
	}
	b.probeRTTMinAt = now // schedule next ProbeRTT
	b.restoreCwnd(w)
	b.resetShortTerm()
	if b.fullReached {
		b.startDown(now)
		b.state = bbrProbeCruise
	} else {
		b.state = bbrStartup
	}
}
