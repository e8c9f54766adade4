package tcp

import "hubbub/clock"

// arriveSynSent is RFC 9293, 3.10.7.3.
func (c *Conn) arriveSynSent(now clock.Time, seg *Segment) {
	acked := seg.Flags.Has(ack)
	switch {
	case acked && !(c.snd.una.Less(seg.Ack) && seg.Ack.LessEq(c.snd.nxt)), acked && c.echoesAnother(now, seg):
		c.badHandshakeACK(seg)
	case seg.Flags.Has(rst):
		c.resetInSynSent(now, acked)
	case !seg.Flags.Has(syn):
		c.discard(DiscardHandshake)
	case c.ofTheLast(now, seg):
		c.discard(DiscardOldTimestamp)
	case acked:
		c.synACK(now, seg)
	default:
		c.simultaneousSYN(now, seg)
	}
}

// badHandshakeACK: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset
// (unless the RST bit is set, if so drop the segment and return)
// <SEQ=SEG.ACK><CTL=RST>" (RFC 9293, 3.10.7.3). An old SYN-ACK is turned away
// like this, and the connection goes on (RFC 9293, 3.5.1).
func (c *Conn) badHandshakeACK(seg *Segment) {
	if seg.Flags.Has(rst) {
		c.discard(DiscardBadReset)
		return
	}
	c.discard(DiscardHandshakeACK)
	c.sendReset(resetFor(seg, ReasonBadHandshakeACK))
}

// echoesAnother reports whether a SYN-ACK echoes a timestamp that no SYN of this
// connection had: it answers another, and counts, as on Linux, like one that
// acknowledges what was not sent.
func (c *Conn) echoesAnother(now clock.Time, seg *Segment) bool {
	o := &seg.Options
	if !c.stamped || !o.Timestamps || o.TSEcr == 0 {
		return false
	}
	return o.TSEcr-c.ts.now(c.snd.progressAt) > c.ts.now(now)-c.ts.now(c.snd.progressAt)
}

// ofTheLast reports whether a SYN is of the connection that had these ports
// before: it is older than what came last of that (RFC 7323, 5.3).
func (c *Conn) ofTheLast(now clock.Time, seg *Segment) bool {
	return c.stamped && seg.Options.Timestamps && c.ts.recentAt != clock.Never && c.ts.tooOld(now, seg.Options.TSVal)
}

// resetInSynSent: "If the ACK was acceptable, then signal to the user "error:
// connection reset", drop the segment, enter CLOSED state, delete TCB, and
// return. Otherwise (no ACK), drop the segment and return."
func (c *Conn) resetInSynSent(now clock.Time, acked bool) {
	if !acked {
		c.discard(DiscardBadReset)
		return
	}
	c.fail(now, ErrRefused, "the peer refused")
}

// synACK completes the handshake: "If SND.UNA > ISS (our SYN has been ACKed),
// change the connection state to ESTABLISHED, form an ACK segment".
func (c *Conn) synACK(now clock.Time, seg *Segment) {
	c.takeSYN(now, seg)
	if c.rare.fast != nil {
		c.openedEarly(seg)
	}
	c.snd.una = seg.Ack
	c.handshakeDone(now, seg)
	c.setState(now, StateEstablished, "the SYN-ACK arrived")
	c.ackHandshake(now, seg)
	c.sendQueuedClose(now)
	seg.trimFront(c.rcv.nxt)
	if c.rcv.edge.Less(seg.end()) {
		c.rcv.edge = c.rcv.nxt.Add(c.firstWindow()) // what our SYN's window allowed
	}
	c.processRest(now, seg)
}

// simultaneousSYN: both ends have asked at once. "Otherwise, enter
// SYN-RECEIVED, form a SYN,ACK segment ... and send it" (RFC 9293, 3.10.7.3).
// "A TCP implementation MUST support simultaneous open attempts (MUST-10)."
// (RFC 9293, 3.5)
func (c *Conn) simultaneousSYN(now clock.Time, seg *Segment) {
	c.takeSYN(now, seg)
	if c.rare.fast != nil {
		c.unsendEarly(0)
	}
	c.retries = 0
	c.synDue = true
	c.setState(now, StateSynReceived, "the peer connects at the same time")
}

// handshakeDone takes what the acknowledgment of our SYN tells.
func (c *Conn) handshakeDone(now clock.Time, seg *Segment) {
	if c.synDue {
		// The SYN-ACK that was to be sent has become needless, its ACK not.
		c.synDue = false
		c.ackNow(ReasonOpenDone)
	}
	c.measureHandshake(now, seg)
	c.rtt.afterHandshake(c.synLost)
	c.retries = 0
	c.snd.progressAt, c.rcv.dataAt = now, now
	c.ack.quick = uint8(min(c.env.QuickACKs, 255))
}
