package congestion

import (
	"math"
	"time"

	"hubbub/clock"
)

// shortTerm bounds what is sent by what arrived while something was lost
// (draft-ietf-ccwg-bbr, 5.5.10.3).
type shortTerm struct {
	bwShort       float64
	inflightShort int

	bwLatest       float64 // the most of a round trip
	inflightLatest int
	lossRound      uint64 // ends a round trip with loss
	lossRoundStart bool   // this ACK is the first of such a round
	lossInRound    bool   // something was lost in it
	lossRanges     int    // how many ranges, since the last round began
	lossEnd        uint32 // of the last one
}

// undo is what to restore if nothing was lost (draft-ietf-ccwg-bbr, 5.5.11.1).
type undo struct {
	undoState         bbrState // to go back to, with undoes
	undoes            bool
	undoBwShort       float64
	undoInflightShort int
	undoInflightLong  int
}

// resetShortTerm is ResetShortTermModel.
func (t *shortTerm) resetShortTerm() { t.bwShort, t.inflightShort = math.Inf(1), unbounded }

// resetCongestionSignals is ResetCongestionSignals.
func (t *shortTerm) resetCongestionSignals() {
	t.lossInRound, t.bwLatest, t.inflightLatest = false, 0, 0
}

// updateLatestSignals is UpdateLatestDeliverySignals.
func (t *shortTerm) updateLatestSignals(s *Sample, rate float64) {
	t.bwLatest = max(t.bwLatest, rate)
	t.inflightLatest = max(t.inflightLatest, s.Rate.Delivered)
	t.lossRoundStart = s.Rate.Known && s.Rate.Prior >= t.lossRound
	if t.lossRoundStart {
		t.lossRound = s.Total
	}
}

// updateCongestionSignals is UpdateCongestionSignals: once in a round trip it
// responds to loss.
func (b *bbr) updateCongestionSignals(w *Window, s *Sample) {
	b.updateMaxBw(s)
	if !b.lossRoundStart {
		return
	}
	if b.lossInRound && !b.accelerating() {
		b.lowerBounds(w)
	}
	b.lossInRound = false
}

// lowerBounds is InitLowerBounds and LossLowerBounds: "bw_shortterm = max(
// bw_latest, BBR.Beta * BBR.bw_shortterm ); inflight_shortterm = max(
// inflight_latest, BBR.Beta * BBR.inflight_shortterm )" (draft-ietf-ccwg-bbr,
// 5.5.10.3).
func (b *bbr) lowerBounds(w *Window) {
	if math.IsInf(b.bwShort, 1) {
		b.bwShort = b.maxBw()
	}
	if b.inflightShort == unbounded {
		b.inflightShort = w.Cwnd
	}
	b.bwShort = max(b.bwLatest, bbrBeta*b.bwShort)
	b.inflightShort = max(b.inflightLatest, int(bbrBeta*float64(b.inflightShort)))
}

// LostSegment is HandleLostPacket (draft-ietf-ccwg-bbr, 5.5.10.2).
func (b *bbr) LostSegment(w *Window, now clock.Time, l *LostSegment) {
	b.total = max(b.total, l.Total)
	b.noteLoss(w)
	if l.Start != b.lossEnd || b.lossRanges == 0 {
		b.lossRanges++
	}
	b.lossEnd = l.End
	if b.isProbeSample && inflightTooHigh(&l.Rate, l.Selective) {
		rate := l.Rate
		rate.InFlight = inflightAtLoss(&rate, l.Size)
		b.tooHigh(w, now, &rate)
	}
}

// noteLoss is NoteLoss, with SaveStateUponLoss (draft-ietf-ccwg-bbr, 5.5.11.1).
// Losses are told of before the recovery that they begin: what is saved stays
// until that is over, though the first loss may have changed the state.
func (b *bbr) noteLoss(w *Window) {
	if !b.lossInRound {
		b.lossInRound, b.lossRound = true, b.total
		b.saveCwnd(w)
	}
	if b.saved {
		return
	}
	b.saved = true
	b.undo = undo{undoBwShort: b.bwShort, undoInflightShort: b.inflightShort, undoInflightLong: b.inflightLong}
}

// inflightTooHigh is IsInflightTooHigh: "(RS.lost > RS.tx_in_flight *
// BBR.LossThresh) || (RS.lost > 0 && !C.has_selective_acks)".
func inflightTooHigh(r *Rate, selective bool) bool {
	return float64(r.Lost) > float64(r.InFlight)*bbrLossThresh || r.Lost > 0 && !selective
}

// inflightAtLoss is InflightAtLoss: how much was in flight when the losses
// became too many, somewhere in the segment of that size
// (draft-ietf-ccwg-bbr, 5.5.10.2).
func inflightAtLoss(r *Rate, size int) int {
	before := float64(r.InFlight - size)
	lost := float64(r.Lost - size)
	prefix := (bbrLossThresh*before - lost) / (1 - bbrLossThresh)
	return int(before + prefix)
}

// tooHigh is HandleInflightTooHigh (draft-ietf-ccwg-bbr, 5.5.10.2).
func (b *bbr) tooHigh(w *Window, now clock.Time, r *Rate) {
	b.prevTooHigh, b.isProbeSample = true, false
	if !r.AppLimited {
		b.inflightLong = max(r.InFlight, int(bbrBeta*float64(b.targetInflight(w))))
	}
	if b.state == bbrProbeUp {
		b.undoState, b.undoes = bbrProbeUp, true
		b.startDown(now)
	}
}

// Undo is HandleSpuriousLossDetection (draft-ietf-ccwg-bbr, 5.5.11.2).
func (b *bbr) Undo(w *Window) {
	b.restoreCwnd(w)
	b.lossInRound = false
	b.fullPipe.reset()
	b.bwShort = max(b.bwShort, b.undoBwShort)
	b.inflightShort = max(b.inflightShort, b.undoInflightShort)
	b.inflightLong = max(b.inflightLong, b.undoInflightLong)
	if b.undoes && b.undoState == bbrStartup && b.state != bbrStartup {
		b.fullReached = false
		if b.state != bbrProbeRTT {
			b.state = bbrStartup
		}
	} else if b.undoes && b.undoState == bbrProbeUp && b.state != bbrProbeUp && b.state != bbrProbeRTT {
		b.startRefill()
	}
	b.undoes, b.saved = false, false
}

// perSecond returns the delivery rate in octets per second; 0 if there is no
// reliable one. Where the way takes no time, what arrives within an instant
// counts as having taken a nanosecond.
func (r *Rate) perSecond() float64 {
	if !r.Known || r.Interval < 0 {
		return 0
	}
	return float64(r.Delivered) / seconds(max(r.Interval, time.Nanosecond))
}

// seconds is faster than d.Seconds, and as good.
func seconds(d time.Duration) float64 { return float64(d) * 1e-9 }
