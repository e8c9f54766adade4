package tcp

import (
	"time"

	"hubbub/clock"
)

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
		// condition MUST be discarded and an ACK sent back." (R5961-4, MAY-12;
		// RFC 5961, 5.2)
		c.discard(DiscardUnsentACK)
		c.challenge(now, ReasonUnsentACK)
		return false
	}
	if c.env.current {
		c.ts.remember(now, seg.Options.TSVal)
	}
	c.heard(now)
	c.takeACK(now, seg)
	c.tuneSendBuffer()
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
	early := c.rare.fast != nil && !c.passive && c.tookEarly(seg.Ack)
	if !early && (!c.snd.una.Less(seg.Ack) || !seg.Ack.LessEq(c.snd.nxt)) {
		c.discard(DiscardHandshakeACK)
		c.sendReset(resetFor(seg, ReasonBadHandshakeACK))
		return false
	}
	c.snd.una = later(c.snd.una, c.snd.iss.Add(1))
	c.handshakeDone(now, seg)
	c.setState(now, StateEstablished, "our SYN is acknowledged")
	c.sendQueuedClose(now)
	return true
}

// news is what one ACK tells about the octets in flight.
type news struct {
	una    Seq // SND.UNA before
	flight int // how much was in flight before, by what was known (pipe)
	fack   Seq // the highest number that was known to have arrived

	acked     int // octets that SEG.ACK newly covers
	delivered int // octets that are newly known to have arrived, by SEG.ACK or SACK
	lost      int // octets that newly count as lost

	measuring
	sacked     bool // a segment is newly known to have arrived after a gap
	duplicate  bool // a duplicate ACK without news
	dsack      bool // something that was sent again came twice
	probeTwice bool // a loss probe came twice
	original   bool // a segment was sent once, before recovery began, and has arrived
	repeat     bool // SEG.ACK covers a segment that was sent more than once
	lostAgain  bool // a retransmission is lost
	echoed     bool // something was marked on its way (ECE)
	reneged    bool // the oldest segment was reported and is not acknowledged
	timerSet   bool // the timer is set already

	reordered Seq           // the lowest number of a segment that others have overtaken
	rtt       time.Duration // of the newest segment that was sent once and has arrived; negative if there is none

	// When segments were sent that went out once: the first and the last that
	// SEG.ACK covers, and those that SACK newly covers; 0 if there are none.
	first, last, sackFirst, sackLast clock.Time
	repeatAt                         clock.Time // when what was sent more than once was sent last
}

// takeACK takes in what SEG.ACK and the SACK option say, finds out what is
// lost, and lets the congestion window follow.
func (c *Conn) takeACK(now clock.Time, seg *Segment) {
	var n news
	n.rtt, n.una, n.flight, n.fack, n.reordered = -1, c.snd.una, c.pipe(), c.snd.una, c.snd.nxt
	sacks := c.sackOK && seg.Options.NumSACK > 0
	advances := c.snd.una.Less(seg.Ack)
	if !advances && !sacks {
		if n.duplicate = c.isDuplicateACK(seg); !n.duplicate {
			return
		}
	}
	if b := c.loss.board; b != nil && b.n > 0 && c.sackOK && b.sacked.segments > 0 {
		n.fack = b.fack
	}
	if h := c.loss.history; h != nil {
		h.tryNew = false
	}
	n.echoed = c.echoed(seg)
	used, partial := c.snd.una.Less(c.cc.usage.until), c.laterPartial()
	if sacks {
		c.takeSACK(now, seg, &n)
	}
	if advances {
		c.acknowledged(now, seg, &n)
	}
	c.digest(now, seg, &n)
	if n.echoed {
		c.congestionTold(now, &n)
	}
	c.measureRate(now, n.sentLast())
	c.moveWindow(now, &n, used)
	c.afterACK(now, &n, partial)
	if c.flight() == 0 {
		c.releaseBoard()
	}
}

// digest draws the conclusions from an ACK: round-trip time, order, loss.
func (c *Conn) digest(now clock.Time, seg *Segment, n *news) {
	c.measure(now, seg, n)
	if n.reordered.Less(n.fack) && (c.loss.phase != PhaseLoss || c.loss.history.undo) {
		c.reorderingSeen(n.reordered, n)
	}
	c.adaptWindow(n)
	c.probeAcked(now, seg, n)
	if b := c.loss.board; c.loss.phase != PhaseOpen || n.sacked || n.duplicate || n.dsack || n.reneged ||
		b != nil && (b.news && b.disturbed || b.lost.segments > 0) {
		c.assess(now, seg, n)
	} else if b != nil {
		b.news = false
	}
}

// moveWindow lets the congestion window follow what an ACK told.
//
// "During slow start, a TCP increments cwnd by at most SMSS bytes for each ACK
// received that cumulatively acknowledges new data" (RFC 5681, 3.1). What an
// ACK covers and had been reported as arrived before has let a new segment out
// then, by limited transmit, and is not counted again. Where the network
// changes the order a lot, what arrives counts at once. So does Linux.
func (c *Conn) moveWindow(now clock.Time, n *news, used bool) {
	limited := used && c.windowLimits()
	if c.env.ValidateWindow {
		c.validate(now, now)
	}
	unruly := c.sackOK && c.dupThresh() > c.env.Reordering
	switch {
	case c.cc.Modelled:
		c.growBy(now, n.acked, n, limited)
	case c.reducing():
		before := c.cc.Cwnd
		if c.reduce(n); c.env.Watch && c.cc.Cwnd != before {
			c.tellCongestion("proportional rate reduction")
		}
	case n.acked > 0 || unruly:
		c.growBy(now, n.delivered, n, limited || c.loss.phase == PhaseLoss)
	}
}

// acknowledged takes the octets up to SEG.ACK off the send queue.
func (c *Conn) acknowledged(now clock.Time, seg *Segment, n *news) {
	n.acked = seg.Ack.Sub(c.snd.una)
	c.snd.queue.Discard(min(n.acked, c.snd.queue.Len()))
	c.snd.una = seg.Ack
	c.snd.progressAt = now
	if c.retries > 0 {
		c.endTimeouts(now)
	}
	if c.rare.soft != nil {
		c.rare.soft = nil
	}
	c.persist.unanswered = 0
	if c.loss.board != nil {
		c.popRecords(now, seg, n)
	}
	if c.loss.history != nil {
		c.probeArrived()
	}
	c.keepSequenceMarks()
}

// popRecords takes the records up to SEG.ACK off the scoreboard.
func (c *Conn) popRecords(now clock.Time, seg *Segment, n *news) {
	b, segments := c.loss.board, 0
	for b.n > 0 && b.at(0).end.LessEq(seg.Ack) {
		if r := b.at(0); !c.outdone(r, seg) {
			c.arrivedInOrder(now, r, seg, n)
		} else {
			c.arrivedBefore(r, n)
		}
		b.pop()
		segments++
	}
	if b.n > 0 && b.at(0).seq.Less(seg.Ack) {
		if !b.at(0).has(isSacked) {
			n.delivered += seg.Ack.Sub(b.at(0).seq)
		}
		b.trim(seg.Ack)
	}
	if b.fack.Less(seg.Ack) {
		b.fack = seg.Ack
	}
	b.hint, b.fresh = later(b.hint, seg.Ack), later(b.fresh, seg.Ack)
	c.renoAcked(n, segments)
	n.reneged = b.n > 0 && b.at(0).has(isSacked)
	if !c.sackOK && n.repeat {
		n.original = false // it can't be told which of them was meant
	}
}

// outdone reports whether SEG.ACK covers the segment after the oldest as well, which
// tells more of the round trip and the rate: both were sent once, and that one later.
func (c *Conn) outdone(r *sent, seg *Segment) bool {
	b := c.loss.board
	if r.is != 0 || b.n < 2 {
		return false
	}
	next := b.at(1)
	return next.is == 0 && next.at >= r.at && next.end.LessEq(seg.Ack)
}

// arrivedBefore notes that SEG.ACK covers a segment that is outdone.
func (c *Conn) arrivedBefore(r *sent, n *news) {
	if n.first == 0 {
		n.first = max(r.at, 1)
	}
	n.original = n.original || r.end.LessEq(c.loss.high)
	c.countDelivered(r, n)
}

// arrivedInOrder notes that SEG.ACK covers a segment.
func (c *Conn) arrivedInOrder(now clock.Time, r *sent, seg *Segment, n *news) {
	if r.has(isRepeat) {
		n.repeat, n.repeatAt = true, max(n.repeatAt, r.at)
	} else if !r.has(isSacked) {
		if n.first == 0 {
			n.first = max(r.at, 1)
		}
		n.last = max(r.at, 1)
		if r.end.LessEq(c.loss.high) {
			n.original = true
		}
	}
	if !r.has(isSacked) {
		c.deliveredRecord(now, r, seg, n)
	}
}

// farBehind is more than can be in flight, and far less than half the number
// space.
const farBehind = 1 << 30

// keepSequenceMarks moves the marks that lie behind SND.UNA along with it, so
// that they never fall half the number space behind.
func (c *Conn) keepSequenceMarks() {
	c.snd.small = later(c.snd.small, c.snd.una)
	c.loss.high = later(c.loss.high, c.snd.una.Add(-farBehind))
	c.cc.usage.until = later(c.cc.usage.until, c.snd.una)
	if h := c.loss.history; h != nil {
		h.undoFrom = later(h.undoFrom, c.snd.una.Add(-farBehind))
		h.probeEnd = later(h.probeEnd, c.snd.una.Add(-farBehind))
		h.round = later(h.round, c.snd.una.Add(-farBehind))
	}
}

// measure takes a round-trip sample from an ACK: of the oldest segment that it
// covers, if none of those was sent more than once, else of the oldest that a
// SACK newly covers, else from the echoed timestamp, which tells a
// retransmission from its original, of an ACK that moves SND.UNA (R7323-10;
// RFC 7323, 4.1).
//
// "RTT samples MUST NOT be made using segments that were retransmitted (and
// thus for which it is ambiguous whether the reply was for the first instance
// of the packet or a later instance)" (RFC 6298, 3; R6298-5). An echo from
// before the retransmission may as well come with the second ACK, after the
// first was lost, and would count the whole time-out in.
func (c *Conn) measure(now clock.Time, seg *Segment, n *news) {
	switch {
	case n.first != 0 && !n.repeat:
		n.rtt = now.Sub(n.last)
		c.rtt.sample(c.env, now.Sub(n.first))
		c.rtt.lowest(c.env, now, n.rtt)
	case n.sackFirst != 0:
		n.rtt = now.Sub(n.sackLast)
		c.rtt.sample(c.env, now.Sub(n.sackFirst))
		c.rtt.lowest(c.env, now, n.rtt)
	case n.acked > 0 && c.stamped:
		r, ok := c.ts.elapsed(now, seg.Options.TSEcr)
		if !ok || n.repeat && c.echoesBefore(seg, n.repeatAt) {
			return
		}
		c.rtt.sample(c.env, r)
	default:
		return
	}
	if h := c.loss.history; h != nil {
		h.probeFirst = false
	}
}

// measureHandshake takes a sample from the answer to our SYN, or SYN-ACK: if it
// went out once, else by timestamps.
func (c *Conn) measureHandshake(now clock.Time, seg *Segment) {
	if !c.synLost && c.snd.lastAt != clock.Never { // a SYN cookie doesn't tell when it was sent
		c.rtt.sample(c.env, now.Sub(c.snd.lastAt))
		c.rtt.lowest(c.env, now, now.Sub(c.snd.lastAt))
	} else if c.stamped {
		if r, ok := c.ts.elapsed(now, seg.Options.TSEcr); ok {
			c.rtt.sample(c.env, r)
		}
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
