package tcp

import "hubbub/clock"

// A Phase is what loss recovery is about.
type Phase uint8

const (
	// PhaseOpen: nothing is known to be lost.
	PhaseOpen Phase = iota
	// PhaseRecovery is fast recovery: three duplicate ACKs told of a loss, and
	// the octets in flight at that time are not all acknowledged yet
	// (RFC 6582, 3.2).
	PhaseRecovery
	// PhaseLoss follows a retransmission time-out: all that was in flight
	// counts as lost, and is sent again in slow start (RFC 5681, 3.1).
	PhaseLoss
)

var phaseNames = [...]string{"open", "recovery", "loss"}

// String returns "open", "recovery" or "loss".
func (p Phase) String() string { return phaseNames[p] }

// recovery is the state of loss recovery: NewReno, without selective
// acknowledgments.
type recovery struct {
	phase   Phase
	partial bool   // a partial ACK has come in this recovery
	why     Reason // of the retransmissions
	dupAcks int32  // duplicate ACKs in a row
	recover Seq    // what was in flight when recovery began ends here
	// The octets from rtx up to rtxEnd are to be sent again.
	rtx, rtxEnd Seq
}

// dupThreshold is how many duplicate ACKs tell of a loss (RFC 5681, 3.2).
const dupThreshold = 3

// isDuplicateACK: "An acknowledgment is considered a "duplicate" ... when (a)
// the receiver of the ACK has outstanding data, (b) the incoming
// acknowledgment carries no data, (c) the SYN and FIN bits are both off, (d)
// the acknowledgment number is equal to the greatest acknowledgment received
// on the given connection ... and (e) the advertised window in the incoming
// acknowledgment equals the advertised window in the last incoming
// acknowledgment." (RFC 5681, 2)
//
// Answers to zero-window probes look the same and mean something else.
func (c *Conn) isDuplicateACK(seg *Segment) bool {
	return c.flight() > 0 && seg.Len() == 0 && seg.Ack == c.snd.una &&
		uint32(seg.Window)<<c.snd.shift == c.snd.wnd && c.snd.wnd > 0 && !c.persist.active
}

// duplicateACK: a segment has left the network and arrived after a gap.
func (c *Conn) duplicateACK(now clock.Time) {
	c.loss.dupAcks++
	switch {
	case c.loss.phase == PhaseRecovery:
		// "For each additional duplicate ACK received (after the third), cwnd
		// MUST be incremented by SMSS." (RFC 5681, 3.2) There can't be more of
		// them than segments in flight.
		c.cc.cwnd = min(c.cc.cwnd+c.cc.mss, c.cc.ssthresh+c.flight())
	case c.loss.dupAcks == dupThreshold && c.loss.recover.Less(c.snd.una.Add(-1)):
		// "the TCP sender first checks the value of recover to see if the
		// Cumulative Acknowledgment field covers more than recover"
		// (RFC 6582, 3.2): the duplicates may else come from segments that
		// were sent again without need.
		c.enterRecovery(now)
	}
}

// enterRecovery is fast retransmit: "a TCP MUST set ssthresh to no more than
// the value given in equation (4)", "The lost segment starting at SND.UNA MUST
// be retransmitted and cwnd set to ssthresh plus 3*SMSS." (RFC 5681, 3.2)
func (c *Conn) enterRecovery(now clock.Time) {
	c.loss.phase, c.loss.partial = PhaseRecovery, false
	c.loss.recover = c.snd.nxt.Add(-1)
	// Segments of limited transmit don't count as in flight (RFC 5681, 3.2).
	c.control.Lost(&c.cc, now, c.flight()-c.limitedSent())
	c.cc.cwnd = c.cc.ssthresh + dupThreshold*c.cc.mss
	c.retransmitFirst(ReasonFastRetransmit)
	c.tellCongestion("three duplicate ACKs")
}

// limitedSent returns how much limited transmit may have put in flight beyond
// the congestion window.
func (c *Conn) limitedSent() int { return max(0, min(c.flight()-c.cc.cwnd, 2*c.cc.mss)) }

// retransmitFirst sends the oldest segment again.
func (c *Conn) retransmitFirst(why Reason) {
	c.loss.rtx, c.loss.why = c.snd.una, why
	c.loss.rtxEnd = c.snd.una.Add(min(int(c.snd.mss), c.flight()))
}

// enterLoss: all that is in flight counts as lost.
//
// "When a TCP sender detects segment loss using the retransmission timer and
// the given segment has not yet been resent by way of the retransmission
// timer, the value of ssthresh MUST be set to no more than the value given in
// equation (4) ... upon a timeout (as specified in [RFC2988]) cwnd MUST be
// set to no more than the loss window, LW, which equals 1 full-sized segment"
// (RFC 5681, 3.1). "After a retransmit timeout, record the highest sequence
// number transmitted in the variable recover, and exit the fast recovery
// procedure if applicable." (RFC 6582, 3.2)
func (c *Conn) enterLoss(now clock.Time) {
	if c.retries <= 1 {
		c.control.Lost(&c.cc, now, c.flight())
	}
	c.cc.cwnd, c.cc.credit, c.cc.afterTimeout = c.cc.mss, 0, true
	c.loss.phase, c.loss.dupAcks = PhaseLoss, 0
	c.loss.recover = c.snd.nxt.Add(-1)
	c.resendAll(ReasonTimeout)
	c.tellCongestion("retransmission time-out")
}

// resendAll sends everything in flight again, as the windows allow.
func (c *Conn) resendAll(why Reason) {
	c.loss.rtx, c.loss.rtxEnd, c.loss.why = c.snd.una, c.snd.nxt, why
	c.rtt.cancel()
}

// recovered handles an ACK of n new octets, with so much in flight before it.
func (c *Conn) recovered(now clock.Time, n, flight int, limited bool) {
	c.loss.dupAcks = 0
	covered := c.loss.recover.Less(c.snd.una)
	switch {
	case c.loss.phase == PhaseOpen:
		c.grow(now, n, limited)
	case c.loss.phase == PhaseLoss:
		c.grow(now, n, true)
		if covered {
			c.loss.phase, c.cc.afterTimeout = PhaseOpen, false
			c.tellCongestion("all that was lost has arrived")
		}
	case covered:
		// "Full acknowledgments: ... Set cwnd to ...
		// min (ssthresh, max(FlightSize, SMSS) + SMSS)" (RFC 6582, 3.2).
		c.cc.cwnd = max(min(c.cc.ssthresh, max(c.flight(), c.cc.mss)+c.cc.mss), c.cc.mss)
		c.loss.phase = PhaseOpen
		c.tellCongestion("recovery is complete")
	default:
		c.partialACK(n)
	}
}

// partialACK: "If this ACK does *not* acknowledge all of the data up to and
// including recover, then this is a partial ACK. In this case, retransmit the
// first unacknowledged segment. Deflate the congestion window by the amount
// of new data acknowledged by the Cumulative Acknowledgment field. If the
// partial ACK acknowledges at least one SMSS of new data, then add back SMSS
// bytes to the congestion window." (RFC 6582, 3.2)
func (c *Conn) partialACK(n int) {
	c.cc.cwnd -= n
	if n >= c.cc.mss {
		c.cc.cwnd += c.cc.mss
	}
	c.cc.cwnd = max(c.cc.cwnd, c.cc.mss)
	c.loss.partial = true
	c.retransmitFirst(ReasonPartialACK)
	c.tellCongestion("a partial ACK")
}

// retransmission builds a segment of octets that were sent before. It takes
// as many as it can hold, even if they went out in smaller pieces.
func (c *Conn) retransmission(now clock.Time, out *Segment) bool {
	if !c.loss.rtx.Less(c.loss.rtxEnd) {
		return false
	}
	seq := c.loss.rtx
	n := c.resendable(seq, min(max(0, c.dataEnd().Sub(seq)), int(c.snd.mss)))
	if !c.fill(out, seq, n) {
		return false
	}
	out.Reason, out.Retransmission = c.loss.why, true
	c.loss.rtx = out.end()
	c.count.retransmissions++
	c.rtt.cancel()
	c.sentText(now, out)
	return true
}

// resendable returns how many of n octets from seq on may be sent again: after
// a time-out as the congestion window allows, but for the first always. Fast
// retransmit doesn't ask it.
//
// After a peer has shrunk its window, a sender "SHOULD retransmit normally the
// old unacknowledged data between SND.UNA and SND.UNA+SND.WND (SHLD-16)"
// (RFC 9293, 3.8.6).
func (c *Conn) resendable(seq Seq, n int) int {
	sent := seq.Sub(c.snd.una)
	if c.loss.phase != PhaseRecovery && c.cc.cwnd-sent < n {
		return 0
	}
	return min(n, max(0, int(c.snd.wnd)-sent))
}
