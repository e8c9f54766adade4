package tcp

import (
	"time"

	"hubbub/clock"
)

// armProbe sets the timer of a loss probe, if one may be sent, and reports
// whether it did.
//
// "The sender SHOULD start or restart a loss probe PTO timer after
// transmitting new data (that was not itself a loss probe) or upon receiving
// an ACK that cumulatively acknowledges new data unless it is already in fast
// recovery, RTO recovery, or segments have been SACKed" (RFC 8985, 7.2). As
// Linux, it waits for an ACK of new data if segments have been SACKed.
//
// Advancing says that the retransmission timer would begin anew.
func (c *Conn) armProbe(now clock.Time, advancing bool) bool {
	if !c.sackOK || !c.env.LossProbe || c.flight() == 0 || c.persist.active || c.state < StateEstablished ||
		c.loss.phase >= PhaseRecovery || c.loss.board.sacked.segments > 0 {
		return false
	}
	at := now.Add(c.probeTimeout())
	last := now.Add(c.rtt.timeout(c.env))
	if !advancing {
		last = c.retransmitAt(now)
	}
	if at = min(at, last); at == c.timers.at(TimerLossProbe) {
		return true
	}
	if c.rare.userTimeout > 0 && c.snd.progressAt.Add(c.rare.userTimeout) < at {
		return false
	}
	c.timers.set(c.env, TimerLossProbe, at)
	return true
}

// probeTimeout is TLP_calc_PTO of RFC 8985, 7.2 (R8985-4): "the default PTO
// interval is 2*SRTT", "when the FlightSize is one segment, the sender MAY
// inflate the PTO by TLP.max_ack_delay", "when there is no SRTT estimate
// available, the PTO SHOULD be 1 second". Linux's budget for a delayed ACK is
// the least time-out, and two ticks of its clock otherwise.
func (c *Conn) probeTimeout() time.Duration {
	switch {
	case !c.rtt.sampled:
		return time.Second
	case c.flight() <= int(c.snd.mss):
		return 2*c.rtt.srtt + c.env.MinRTO
	}
	return 2*c.rtt.srtt + slack
}

// slack is what a timer waits longer than it should, for a peer that needs a
// moment to think.
const slack = 2 * time.Millisecond

// probeOverdue: an ACK is overdue. A probe is sent if "there is no other
// previous loss probe still in flight" (RFC 8985, 7.3; R8985-5). and "the sender has
// obtained an RTT measurement since the last loss probe". "After
// attempting to send a loss probe, regardless of whether a loss probe was
// sent, the sender MUST re-arm the RTO timer, not the PTO timer".
func (c *Conn) probeOverdue(now clock.Time) {
	if h := c.past(); !h.probing && !h.probeFirst && c.flight() > 0 {
		h.probeDue = true
	}
	c.restartRetransmit(now)
}

// lossProbe builds the probe: "the sender SHOULD transmit a previously unsent
// data segment, if one exists and the receive window allows", "If such an
// unsent segment is not available, then the sender SHOULD retransmit the
// highest-sequence segment sent so far" (RFC 8985, 7.3).
func (c *Conn) lossProbe(now clock.Time, out *Segment) bool {
	h := c.loss.history
	if h == nil || !h.probeDue {
		return false
	}
	h.probeDue = false
	b := c.loss.board
	if b == nil || c.loss.phase >= PhaseRecovery || c.persist.active {
		return false
	}
	if c.probeWithNew(now, out) {
		h.probeAgain = false
	} else {
		c.probeWithLast(now, out)
		h.probeAgain = true
	}
	h.probing, h.probeFirst, h.probeEnd = true, true, c.snd.nxt
	h.probes++
	return true
}

// probeWithNew builds a probe of octets that were not sent before, beyond the
// congestion window if need be.
func (c *Conn) probeWithNew(now clock.Time, out *Segment) bool {
	unsent, _ := c.ofRecord()
	n := min(unsent, c.room(), int(c.snd.wnd)-c.flight())
	if n <= 0 || n < unsent && n < c.room() {
		return false
	}
	c.fill(out, c.snd.nxt, n, c.finFits(c.snd.nxt.Add(n)))
	out.Reason = ReasonLossProbe
	c.sentNew(now, out)
	return true
}

// probeWithLast builds a probe of what was sent last.
func (c *Conn) probeWithLast(now clock.Time, out *Segment) {
	b := c.loss.board
	i := b.n - 1
	if r := b.at(i); r.size() > int(c.snd.mss) {
		b.split(i, r.end.Add(-int(c.snd.mss)))
		i++
	}
	c.probeInconclusive(now, false)
	r := b.at(i)
	r.is |= isRepeat
	r.at = now
	b.noteRepeat(r)
	c.refill(out, r)
	out.Reason, out.Retransmission = ReasonLossProbe, true
	c.own().retransmissions++
	c.sentText(now, out)
}

// probeAcked is TLP_process_ack of RFC 8985, 7.4.2: it finds out whether the
// probe has mended a loss, to which congestion control must respond
// (R8985-6).
func (c *Conn) probeAcked(now clock.Time, seg *Segment, n *news) {
	h := c.loss.history
	if h == nil || !h.probing || seg.Ack.Less(h.probeEnd) {
		return
	}
	switch {
	case !h.probeAgain, n.probeTwice:
		h.probing = false
	case h.probeEnd.Less(seg.Ack):
		h.probing = false
		c.beginReduction(now, n)
		c.endProbed()
		c.tellCongestion("a loss that the probe has mended")
	case n.acked == 0 && !n.sacked && n.duplicate:
		h.probing = false
	}
}

// endProbed lets the window be reduced at once.
func (c *Conn) endProbed() {
	if !c.cc.Modelled {
		c.cc.Cwnd = max(c.cc.Ssthresh, int(c.snd.mss))
	}
}
