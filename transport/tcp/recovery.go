package tcp

import (
	"time"

	"hubbub/clock"
)

// A Phase is what loss recovery is about.
type Phase uint8

const (
	// PhaseOpen: nothing is known to be lost, or late.
	PhaseOpen Phase = iota
	// PhaseDisorder: something has arrived after a gap, and it is not clear
	// whether what is missing was lost or only overtaken.
	PhaseDisorder
	// PhaseCWR brings the congestion window down without a known loss, as the
	// network asks for by ECN (RFC 3168, 6.1.2).
	PhaseCWR
	// PhaseRecovery is fast recovery: something was lost, and the octets in
	// flight at that time are not all acknowledged yet (RFC 6675, 5;
	// RFC 6582, 3.2).
	PhaseRecovery
	// PhaseLoss follows a retransmission time-out: what was in flight counts as
	// lost, and is sent again in slow start (RFC 5681, 3.1).
	PhaseLoss
)

var phaseNames = [...]string{"open", "disorder", "CWR", "recovery", "loss"}

// String returns "open", "disorder", "CWR", "recovery" or "loss".
func (p Phase) String() string { return phaseNames[p] }

// recovery is the state of loss recovery.
type recovery struct {
	phase   Phase
	why     Reason      // of the retransmissions
	high    Seq         // SND.NXT when the present phase began, or the last one (RFC 6675: RecoveryPoint)
	board   *scoreboard // of what is in flight; nil where there is nothing
	history *history    // of trouble; nil where there never was any
}

// history is what a connection knows that has had trouble: what was lost, or
// overtaken, or late.
type history struct {
	// To undo a reduction of the congestion window: what it was, and how many
	// segments were sent again since, as far as they have not come twice; under
	// 0 if none.
	undo                     bool
	repeated                 bool // something was sent again
	undoFrom                 Seq
	undoSegments             int32
	repeatedAt               clock.Time // first
	priorCwnd, priorSsthresh int        // priorSsthresh is 0 where congestion is certain

	// Proportional rate reduction (RFC 9937, 6.1: prr_delivered, prr_out,
	// RecoverFS).
	prrDelivered, prrOut, prrFlight int

	frto   bool // it is not certain yet that the time-out was right (RFC 5682, 3.1)
	tryNew bool // new octets are to be sent before lost ones

	partial bool // a partial ACK has come in this recovery

	probeDue   bool // a loss probe is to be sent
	probing    bool // a loss probe is in flight, up to probeEnd
	probeAgain bool // it was a retransmission
	probeFirst bool // no round trip was measured since the last probe
	probeEnd   Seq

	// The reordering window of RFC 8985, 6.2: RACK.reo_wnd_mult,
	// RACK.reo_wnd_persist, RACK.dsack_round.
	steps, persist uint8
	inRound        bool
	windowed       bool // the last recovery began though the window was respected
	round          Seq

	unproven clock.Time // since when the window isn't used, where that matters: see validate; 0: it is

	degree     uint16 // by how many segments one was overtaken, at most; 0 for the default
	reordered  uint32 // how often that was seen
	duplicates uint32 // segments that came twice, by D-SACKs
	lost       uint32 // segments that counted as lost
	lostAgain  uint32 // retransmissions among them
	undone     uint32 // reductions
	probes     uint32 // loss probes

	timeouts    uint16        // in all, of what was sent after the handshake
	timeoutRuns uint16        // how often the first of several came
	timedOutAt  clock.Time    // when that was, while what was sent again isn't acknowledged; 0: it is
	timeoutTime time.Duration // how long that took, before

	search *mtuSearch // for longer segments; nil where there is none
}

// past returns the history, after making one if there is none.
func (c *Conn) past() *history {
	if c.loss.history == nil {
		c.loss.history = &history{steps: 1}
	}
	return c.loss.history
}

// assess decides, after an ACK, what the state of the connection is, and what
// is lost. What is sent then is up to the windows.
func (c *Conn) assess(now clock.Time, seg *Segment, n *news) {
	if n.reneged {
		c.suspectReneging(now, n)
		return
	}
	if c.loss.high.LessEq(c.snd.una) {
		c.episodeOver(seg)
	}
	switch c.loss.phase {
	case PhaseRecovery:
		c.inRecovery(now, seg, n)
		return
	case PhaseLoss:
		c.inLoss(now, seg, n)
		c.detectLosses(now, n)
		if c.loss.phase == PhaseLoss && !n.lostAgain {
			return
		}
		// The time-out is undone, or a retransmission was lost as well, which
		// is a second sign of congestion (RFC 8985, 3.4).
	default:
		if n.duplicate {
			c.renoDuplicate(n)
		}
		if c.loss.phase <= PhaseDisorder {
			c.undoneByDSACK()
		}
		c.detectLosses(now, n)
	}
	if b := c.loss.board; b != nil && b.lost.segments > 0 {
		c.enterRecovery(now, n)
	} else if c.loss.phase != PhaseCWR {
		c.settle()
	}
}

// episodeOver ends fast recovery, or the reduction for ECN, when all that was
// in flight at its beginning is acknowledged.
func (c *Conn) episodeOver(seg *Segment) {
	switch c.loss.phase {
	case PhaseCWR:
		// The peer must have got the CWR bit (RFC 3168, 6.1.2).
		if c.loss.high.Less(c.snd.una) {
			c.endReduction()
			c.loss.phase = PhaseOpen
			c.tellCongestion("the window is reduced")
		}
	case PhaseRecovery:
		c.renoForget()
		c.leaveUndone(seg)
		c.endReduction()
		c.loss.phase = PhaseOpen
		c.tellCongestion("recovery is complete")
	}
}

// settle tells calm from disorder.
func (c *Conn) settle() {
	phase := PhaseOpen
	if b := c.loss.board; b != nil && b.n > 0 && (b.sacked.segments > 0 || b.lost.segments > 0 || b.again.segments > 0 || b.at(0).has(isRepeat)) {
		phase = PhaseDisorder
	} else if h := c.loss.history; h != nil {
		h.repeated = false
	}
	if phase == c.loss.phase {
		return
	}
	c.loss.phase = phase
	if phase == PhaseDisorder {
		c.tellCongestion("something has arrived after a gap")
	} else {
		c.tellCongestion("nothing is missing any more")
	}
}

// inRecovery handles an ACK in fast recovery.
func (c *Conn) inRecovery(now clock.Time, seg *Segment, n *news) {
	if n.acked > 0 {
		if c.undonePartly(seg, n) {
			return
		}
	} else if n.duplicate {
		c.renoDuplicate(n)
	}
	if c.undoneByDSACK() {
		c.settle()
		return
	}
	c.detectLosses(now, n)
}

// enterRecovery begins fast recovery: something is lost.
//
// "(4.1) RecoveryPoint = HighData", "(4.2) ssthresh = cwnd = (FlightSize / 2)"
// (RFC 6675, 5; R6675-2), where the threshold is the affair of the congestion
// control, and the window that of proportional rate reduction.
func (c *Conn) enterRecovery(now clock.Time, n *news) {
	h := c.past()
	if c.probeFailed(now) {
		return
	}
	h.priorSsthresh = 0
	c.remember()
	if !c.reducing() {
		h.priorSsthresh = c.presentThreshold()
		c.beginReduction(now, n)
	}
	h.partial = false
	c.loss.phase, c.loss.why = PhaseRecovery, c.fastReason()
	c.tellCongestion(c.loss.why.String())
}

// presentThreshold returns the slow start threshold to go back to.
func (c *Conn) presentThreshold() int { return max(c.cc.Ssthresh, c.cc.Cwnd*3/4) }

// fastReason says how losses are detected.
func (c *Conn) fastReason() Reason {
	switch {
	case !c.sackOK:
		return ReasonFastRetransmit
	case c.env.RACK:
		return ReasonRACK
	}
	return ReasonSACK
}

// enterLoss: what is in flight counts as lost, except what was sent only just
// now.
//
// "When a TCP sender detects segment loss using the retransmission timer and
// the given segment has not yet been resent by way of the retransmission
// timer, the value of ssthresh MUST be set to no more than the value given in
// equation (4) ... upon a timeout (as specified in [RFC2988]) cwnd MUST be
// set to no more than the loss window, LW, which equals 1 full-sized segment"
// (RFC 5681, 3.1; R5681-4): one more than what still counts as in flight.
// "After a retransmit timeout, record the highest sequence number transmitted
// in the variable recover, and exit the fast recovery procedure if
// applicable." (RFC 6582, 3.2)
func (c *Conn) enterLoss(now clock.Time) {
	h, before := c.past(), c.loss.phase
	c.probeInconclusive(now, true)
	c.timeoutLosses(now)
	c.tellReduced()
	if before <= PhaseDisorder || c.loss.high.LessEq(c.snd.una) || before == PhaseLoss && c.retries == 0 {
		h.priorSsthresh, h.priorCwnd = c.presentThreshold(), c.cc.Cwnd
		c.disprove()
		c.controller().TimedOut(&c.cc.Window, now, min(c.flight(), c.cc.Cwnd))
		c.remember()
	}
	c.cc.Cwnd = c.pipe() + int(c.snd.mss)
	if b := c.loss.board; before <= PhaseDisorder && int(b.sacked.segments) >= c.env.Reordering {
		h.degree = min(h.degree, uint16(c.env.Reordering)) // it was thought to be worse than it is
	}
	c.loss.phase, c.loss.why = PhaseLoss, ReasonTimeout
	c.loss.high = c.snd.nxt
	h.probing, h.probeDue, h.tryNew = false, false, false
	// "If the previous transmission ... was a retransmission ... F-RTO" must not
	// be used, except after more time-outs of the same (RFC 5682, 3.1).
	h.frto = c.env.FRTO && (before < PhaseRecovery || c.retries > 0)
	c.tellCongestion("retransmission time-out")
}

// timeoutLosses marks what is lost after a time-out.
//
// "Upon RTO timer expiration, RACK marks the first outstanding segment as lost
// (since it was sent an RTO ago); for all the other segments, RACK only marks
// the segment as lost if the time elapsed since the segment was transmitted is
// at least the sum of the recent RTT and the reordering window."
// (RFC 8985, 6.3)
//
// A receiver may throw away what it has reported. If the first segment is
// reported and not acknowledged, it has done so: "the data sender SHOULD turn
// off all of the SACKed bits" (RFC 2018, 8; R2018-6, R6675-5). Otherwise the reports
// are as good as before.
func (c *Conn) timeoutLosses(now clock.Time) {
	b, n := c.loss.board, news{}
	reneged := b.at(0).has(isSacked)
	if reneged {
		b.unsack()
	}
	c.renoForget()
	window := c.reorderWindow() + b.rtt
	for i := 0; i < b.n; i = b.next(i) {
		r := b.at(i)
		if r.has(isSacked) || i > 0 && !reneged && c.env.RACK && r.at.Add(window) > now {
			continue
		}
		c.loses(r, &n)
	}
}

// repair sends again what is in flight, without a sign of congestion.
func (c *Conn) repair(why Reason, larger int) {
	b, n := c.loss.board, news{}
	for i := 0; i < b.n; i = b.next(i) {
		if r := b.at(i); !r.has(isSacked) && r.size() > larger {
			c.loses(r, &n)
		}
	}
	if b.waiting == 0 {
		return
	}
	h := c.past()
	h.undo, h.frto, h.priorSsthresh = false, false, 0
	c.loss.phase, c.loss.why, c.loss.high = PhaseLoss, why, c.snd.nxt
	c.tellCongestion(why.String())
}

// inLoss handles an ACK after a time-out. It finds out whether that was for
// nothing: because an original was late, by its timestamp, or by F-RTO, the
// SACK-enhanced variant where it can be (RFC 5682, 2.1 and 3.1).
func (c *Conn) inLoss(now clock.Time, seg *Segment, n *news) {
	h := c.past()
	recovered := c.loss.high.LessEq(c.snd.una)
	if n.acked > 0 && c.undoneLoss(now, false, seg) {
		return
	}
	if h.frto && c.timeoutInDoubt(now, seg, n, recovered) {
		return
	}
	if recovered {
		c.renoForget()
		c.leaveUndone(seg)
		c.loss.phase = PhaseOpen
		c.tellCongestion("all that was lost has arrived")
		return
	}
	if n.duplicate && c.loss.high.Less(c.snd.nxt) {
		c.renoDuplicate(n)
	} else if n.acked > 0 {
		c.renoForget()
	}
}

// timeoutInDoubt is F-RTO of RFC 5682, 3.1, and reports whether the ACK is
// dealt with.
//
// "3. ... b) If the acknowledgment ... acknowledges data that was not
// retransmitted", the time-out was for nothing. "2. ... b) ... the TCP sender
// transmits up to two new ... segments" and waits what becomes of them. "3. a)
// If the acknowledgment ... is a duplicate", it was right.
func (c *Conn) timeoutInDoubt(now clock.Time, seg *Segment, n *news, recovered bool) bool {
	h := c.loss.history
	if n.original && c.undoneLoss(now, true, seg) {
		return true
	}
	switch {
	case c.loss.high.Less(c.snd.nxt):
		if n.sacked || n.duplicate {
			h.frto = false
		}
	case n.acked > 0 && !recovered:
		c.loss.high = c.snd.nxt
		if c.unsent() > 0 && int(c.snd.wnd) > c.flight() {
			h.tryNew = true
			return true
		}
		h.frto = false
	}
	return false
}

// renegePatience is how long a receiver may need, at least, to tell of what it
// has reported.
const renegePatience = 10 * time.Millisecond

// suspectReneging: the oldest segment was reported and is not acknowledged
// although all before it is. If that doesn't change soon, the receiver has
// thrown away what it reported (RFC 2018, 8): the retransmission timer is set
// to come soon.
func (c *Conn) suspectReneging(now clock.Time, n *news) {
	c.timers.set(c.env, TimerRetransmit, now.Add(max(c.rtt.srtt/2, renegePatience)))
	n.timerSet = true
}
