package link

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// faults are what can go wrong on a line. Each has the cause it was set with.
type faults struct {
	cut           bool
	loss          float64
	burst         Burst
	bad           bool // the state of the burst model
	corruption    float64
	duplication   float64
	reordering    float64
	reorderDelay  clock.Duration
	jitter        clock.Duration
	jitterReorder bool
	rules         []*rule
	lastRule      int

	cutCause, lossCause, burstCause, corruptionCause uint64
	duplicationCause, reorderingCause, jitterCause   uint64
}

// Burst is the Gilbert-Elliott model of losses in bursts: the line is in a
// good or a bad state, and goes from one to the other with the given
// probabilities, before each frame.
type Burst struct {
	ToBad, ToGood     float64 // probability of a change of state
	LossGood, LossBad float64 // probability of a loss in each state
}

// step moves the model on to the next frame and returns the probability that
// it is lost.
func (f *faults) step(l *Line) float64 {
	change := f.burst.ToBad
	if f.bad {
		change = f.burst.ToGood
	}
	if l.chance(change) {
		f.bad = !f.bad
	}
	if f.bad {
		return f.burst.LossBad
	}
	return f.burst.LossGood
}

// any reports whether anything but a cut is set.
func (f *faults) any() bool {
	return f.loss > 0 || f.burst != Burst{} || f.corruption > 0 || f.duplication > 0 ||
		f.reordering > 0 || f.jitter > 0 || len(f.rules) > 0
}

// A fate is what the faults make of one frame.
type fate struct {
	lost       Reason
	lostCause  uint64
	lostText   string
	corrupt    bool
	copies     int
	extra      clock.Duration // by rules
	extraText  string
	extraCause uint64
	badCause   uint64 // of the corruption
	copyCause  uint64
}

// impair does to a frame whose last bit was sent at that time what the faults
// make of it.
func (l *Line) impair(sent clock.Time, p *pkt.Packet) {
	f := l.judge(p)
	if f.lost != 0 {
		l.drop(f.lost, f.lostCause, f.lostText, p)
		return
	}
	if f.corrupt {
		l.corrupt(p, f.badCause)
	}
	for range f.copies {
		l.stats.Duplicated++
		l.tell(Fact{Kind: Duplicated, ID: p.ID, Cause: f.copyCause})
		if l.flight.n+1 >= maxInFlight {
			l.drop(CableFull, f.copyCause, "a copy", p.Clone())
			continue
		}
		l.delayed(sent, p.Clone(), &f)
	}
	l.delayed(sent, p, &f)
}

// judge decides a frame's fate. Each of these faults that is set draws its lot
// for each frame, whatever the others have decided.
func (l *Line) judge(p *pkt.Packet) fate {
	var f fate
	l.applyRules(p, &f)
	set := &l.faults
	if set.burst != (Burst{}) && l.chance(set.step(l)) {
		f.lose(BurstLoss, set.burstCause, "")
	}
	if l.chance(set.loss) {
		f.lose(RandomLoss, set.lossCause, "")
	}
	if l.chance(set.corruption) {
		f.corrupt, f.badCause = true, set.corruptionCause
	}
	if l.chance(set.duplication) {
		f.copies, f.copyCause = f.copies+1, set.duplicationCause
	}
	return f
}

// lose marks the frame as lost; the first reason counts.
func (f *fate) lose(why Reason, cause uint64, text string) {
	if f.lost == 0 {
		f.lost, f.lostCause, f.lostText = why, cause, text
	}
}

// chance reports true with probability p. It draws only if p is above zero.
func (l *Line) chance(p float64) bool { return p > 0 && l.rnd.Float64() < p }

// corrupt inverts a bit on the cable, one of the frame check sequence's 32
// included.
func (l *Line) corrupt(p *pkt.Packet, cause uint64) {
	bit := l.rnd.IntN((p.Len() + 4) * 8)
	p.FlipBit(bit)
	l.stats.Corrupted++
	l.tell(Fact{Kind: Corrupted, ID: p.ID, Cause: cause, Bit: bit})
}

// delayed launches a frame with all that is added to the line's delay.
func (l *Line) delayed(sent clock.Time, p *pkt.Packet, f *fate) {
	set, at := &l.faults, sent.Add(l.delay)
	keepsPlace := true
	if f.extra > 0 {
		keepsPlace = false
		at = at.Add(f.extra)
		l.tellHeld(p, f.extra, f.extraCause, f.extraText)
	}
	if l.chance(set.reordering) {
		keepsPlace = false
		at = at.Add(set.reorderDelay)
		l.tellHeld(p, set.reorderDelay, set.reorderingCause, "held so that others overtake it")
	}
	if !keepsPlace {
		l.stats.Delayed++
	}
	if set.jitter > 0 {
		extra := clock.Duration(l.rnd.Int64N(int64(set.jitter) + 1))
		keepsPlace = keepsPlace && !set.jitterReorder
		at = at.Add(extra)
		l.tellHeld(p, extra, set.jitterCause, "jitter")
	}
	l.launch(at, p, keepsPlace)
}
