package tcp

import "hubbub/clock"

// checkACK is the fifth step of RFC 9293, 3.10.7.4.
func (c *Conn) checkACK(now clock.Time, seg *Segment) bool {
	switch {
	case !seg.Flags.Has(ack):
		c.discard(DiscardNoACK)
		return false
	case c.state == StateSynReceived && !c.establish(now, seg):
		return false
	case !c.plausibleACK(seg):
		// "All incoming segments whose ACK value doesn't satisfy the above
		// condition MUST be discarded and an ACK sent back." (RFC 5961, 5.2)
		c.discard(DiscardUnsentACK)
		c.challenge(now, ReasonUnsentACK)
		return false
	}
	c.heard(now)
	if c.snd.una.Less(seg.Ack) {
		c.acknowledged(now, seg)
	} else if c.isDuplicateACK(seg) {
		c.duplicateACK(now)
	}
	c.updateWindow(now, seg)
	return c.afterFINACK(now)
}

// plausibleACK: "the ACK value is acceptable only if it is in the range of
// ((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT)" (RFC 9293, 3.10.7.4).
func (c *Conn) plausibleACK(seg *Segment) bool {
	return c.snd.una.Add(-int(c.snd.maxWnd)).LessEq(seg.Ack) && seg.Ack.LessEq(c.snd.nxt)
}

// establish: "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state
// and continue processing ... If the segment acknowledgment is not
// acceptable, form a reset segment <SEQ=SEG.ACK><CTL=RST> and send it."
func (c *Conn) establish(now clock.Time, seg *Segment) bool {
	if !c.snd.una.Less(seg.Ack) || !seg.Ack.LessEq(c.snd.nxt) {
		c.discard(DiscardHandshakeACK)
		c.sendReset(resetFor(seg, ReasonBadHandshakeACK))
		return false
	}
	c.snd.una = c.snd.iss.Add(1)
	c.handshakeDone(now, seg)
	c.setState(now, StateEstablished, "our SYN is acknowledged")
	c.sendQueuedClose(now)
	return true
}

// acknowledged takes the octets up to SEG.ACK off the send queue, and lets
// everyone know who waits for it.
func (c *Conn) acknowledged(now clock.Time, seg *Segment) {
	flight := c.flight()
	limited := c.snd.una.Less(c.cc.limited)
	laterPartial := c.loss.phase == PhaseRecovery && c.loss.partial
	n := seg.Ack.Sub(c.snd.una)
	c.snd.queue.Discard(min(n, c.snd.queue.Len()))
	c.snd.una = seg.Ack
	c.snd.progressAt = now
	c.retries, c.soft = 0, nil
	c.persist.unanswered = 0
	c.measure(now, seg)
	c.recovered(now, n, flight, limited)
	c.afterACK(now, laterPartial)
	c.keepSequenceMarks()
}

// farBehind is more than can be in flight, and far less than half the number
// space.
const farBehind = 1 << 30

// keepSequenceMarks moves the marks that lie behind SND.UNA along with it, so
// that they never fall half the number space behind.
func (c *Conn) keepSequenceMarks() {
	c.snd.small = later(c.snd.small, c.snd.una)
	c.loss.rtx = later(c.loss.rtx, c.snd.una)
	c.loss.rtxEnd = later(c.loss.rtxEnd, c.snd.una)
	c.loss.recover = later(c.loss.recover, c.snd.una.Add(-farBehind))
	c.cc.limited = later(c.cc.limited, c.snd.una)
}

// measure takes a round-trip sample from an ACK that acknowledges something
// new: of the segment that was timed, else from the echoed timestamp, which
// tells a retransmission from its original (RFC 7323, 4.1).
func (c *Conn) measure(now clock.Time, seg *Segment) {
	if c.rtt.acked(c.env, now, seg.Ack) || c.rtt.timing || !c.ts.on {
		return
	}
	if r, ok := c.ts.elapsed(now, seg.Options.TSEcr); ok {
		c.rtt.sample(c.env, r)
	}
}

// updateWindow: "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and
// SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND, set SND.WL1 <- SEG.SEQ, and
// set SND.WL2 <- SEG.ACK. ... The check here prevents using old segments to
// update the window." (RFC 9293, 3.10.7.4)
func (c *Conn) updateWindow(now clock.Time, seg *Segment) {
	if seg.Ack.Less(c.snd.una) {
		return
	}
	if c.snd.wl1.Less(seg.Seq) || c.snd.wl1 == seg.Seq && c.snd.wl2.LessEq(seg.Ack) {
		c.setWindow(seg)
	}
	if c.persist.active {
		c.persistAnswered(now)
	}
}

// setWindow takes the window from a segment. That of a SYN is not scaled
// (RFC 7323, 2.2).
func (c *Conn) setWindow(seg *Segment) {
	c.snd.wnd = uint32(seg.Window)
	if !seg.Flags.Has(syn) {
		c.snd.wnd <<= c.snd.shift
	}
	c.snd.maxWnd = max(c.snd.maxWnd, c.snd.wnd)
	c.snd.wl1, c.snd.wl2 = seg.Seq, seg.Ack
}

// afterFINACK goes on to the next state if our FIN is acknowledged, and
// reports whether the connection still lives.
func (c *Conn) afterFINACK(now clock.Time) bool {
	if !c.finAcked() {
		return true
	}
	const why = "our FIN is acknowledged"
	switch c.state {
	case StateFinWait1:
		c.setState(now, StateFinWait2, why)
	case StateClosing:
		c.setState(now, StateTimeWait, why)
		return false
	case StateLastAck:
		c.setState(now, StateClosed, why)
		return false
	}
	return true
}
