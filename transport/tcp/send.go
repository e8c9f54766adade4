package tcp

import (
	"hubbub/clock"
	"hubbub/wire"
)

// PollSegment builds the next segment that is to be sent, and reports false if
// there is none. The payload comes with a reference, which the caller
// releases.
func (c *Conn) PollSegment(now clock.Time, out *Segment) bool {
	if c.silent() {
		c.burst.going = false
		return false
	}
	*out = Segment{}
	if c.sendPlain(now, out) {
		return true
	}
	switch {
	case c.rare.reset.pending:
		c.takeReset(now, out)
		return true
	case c.state == StateClosed:
		return false
	case c.synDue || c.Opening() || c.state == StateSynSent:
		return c.handshakeSegment(now, out)
	}
	if c.retransmission(now, out) || c.lossProbe(now, out) || c.windowProbe(now, out) || c.pathProbe(now, out) || c.newSegment(now, out) {
		return true
	}
	c.burst.going = false
	return c.keepAliveProbe(now, out) || c.ackSegment(now, out)
}

// silent reports that a connection which is open has nothing to send: that is
// seen at a glance, and asked after every segment. Where it reports false, what
// follows finds out.
func (c *Conn) silent() bool {
	if c.ack.due || c.state < StateEstablished || c.probeDue || c.persist.probeDue ||
		c.snd.queue.Len() > c.flight() || c.snd.finQueued {
		return false
	}
	if h := c.loss.history; h != nil && h.probeDue {
		return false
	}
	if b := c.loss.board; b != nil {
		if b.waiting > 0 {
			return false
		}
		c.markAppLimited()
	}
	return true
}

// newSegment builds a segment of octets that were not sent before, or of the
// FIN.
func (c *Conn) newSegment(now clock.Time, out *Segment) bool {
	if c.unsent() == 0 && (!c.snd.finQueued || c.snd.finSent) {
		c.markAppLimited()
		return false
	}
	if c.mendsFirst() {
		return false
	}
	c.resume(now)
	if c.mustWait(now) {
		return false
	}
	n := c.enlarge(out, c.sendable())
	out.Reason = c.newReason(n)
	if !c.fill(out, c.snd.nxt, n, c.finFits(c.snd.nxt.Add(n))) {
		c.waitForWindow(now)
		return false
	}
	c.leavePersist()
	c.sentNew(now, out)
	c.endBurst(out)
	return true
}

// mendsFirst reports whether new octets must wait, because lost ones do.
func (c *Conn) mendsFirst() bool {
	b := c.loss.board
	return b != nil && b.waiting > 0 && !c.loss.history.tryNew
}

// sentNew keeps account of a segment that is sent for the first time.
func (c *Conn) sentNew(now clock.Time, out *Segment) {
	c.recordPieces(now, out)
	if out.Flags.Has(psh) {
		c.loss.board.at(c.loss.board.n - 1).marks |= isPushed
	}
	c.markNew(out)
	c.sentText(now, out)
	c.noteUsage()
	if c.persist.active || out.Reason == ReasonLossProbe {
		return
	}
	c.armProbe(now, false)
}

// newReason says why n new octets are sent: on the first duplicate ACKs by limited
// transmit (R5681-9; RFC 3042, 2).
func (c *Conn) newReason(n int) Reason {
	switch {
	case n == 0:
		return ReasonFIN
	case c.persist.force:
		return ReasonWindowOverride
	case c.urgentAt(c.snd.nxt):
		return ReasonUrgent
	case c.loss.phase == PhaseDisorder && c.loss.board != nil && c.loss.board.sacked.segments > 0:
		return ReasonLimitedTransmit
	case c.loss.phase == PhaseLoss && c.loss.history.tryNew:
		return ReasonTryNew
	}
	return ReasonData
}

// unsent returns how many octets of the queue were never sent.
func (c *Conn) unsent() int { return max(0, c.dataEnd().Sub(c.snd.nxt)) }

// sendable returns how many new octets may be sent in one segment now: by the
// peer's window, by the congestion window, and by the two rules against small
// segments: the algorithm that avoids silly windows (MUST-38, SHLD-28;
// RFC 9293, 3.8.6.2.1). A window that was pulled back allows no new octets, and
// does no harm (MUST-34, SHLD-15; RFC 9293, 3.8.6).
func (c *Conn) sendable() int {
	unsent, follows := c.ofRecord()
	mss := c.room()
	byPeer := int(c.snd.wnd) - c.flight()
	byNetwork := c.cc.Cwnd - c.pipe()
	if c.rare.fast != nil && c.rare.fast.early {
		byPeer, byNetwork = byPeer+1, byNetwork+1 // our SYN takes no room of either
	}
	n := min(unsent, mss, byPeer, byNetwork)
	if byNetwork <= min(unsent, mss, byPeer) {
		c.cc.usage = usage{c.snd.nxt.Add(max(n, 0)), windowFilled}
	}
	switch {
	case n <= 0:
		return 0
	case n == mss, c.persist.force:
		return n
	case n == unsent && (follows || c.maySendSmall()):
		return n
	case n == byPeer && c.flight() == 0 && n >= int(c.snd.maxWnd)/2:
		return n
	}
	return 0
}

// room returns the payload of a full segment, less what selective
// acknowledgments take of it.
func (c *Conn) room() int { return int(c.snd.mss) - c.sackLen() }

// maySendSmall is the Nagle algorithm in Minshall's variant, as Linux has it:
// a segment under full size waits while another such is in flight
// (SHLD-7; RFC 9293, 3.7.4 and A.3). The last segment of all waits for nothing.
//
// "there MUST be a way for an application to disable the Nagle algorithm on
// an individual connection (MUST-17)" (RFC 9293, 3.7.4).
func (c *Conn) maySendSmall() bool {
	if c.holding.holds() && !c.snd.finQueued && !c.urgentAt(c.snd.nxt) {
		return false
	}
	return c.noDelay || c.snd.finQueued || c.snd.small.LessEq(c.snd.una)
}

// fill makes a segment of n octets of the send queue from seq on, with the
// FIN if it follows and is wanted. It reports false if that is nothing.
func (c *Conn) fill(out *Segment, seq Seq, n int, withFIN bool) bool {
	last := seq.Add(n) == c.dataEnd()
	if last && withFIN {
		out.Flags |= fin
	}
	if n == 0 && !out.Flags.Has(fin) {
		return false
	}
	if n > 0 {
		out.Payload = c.snd.queue.At(seq.Sub(c.dataStart()), n)
		if last && (!c.holding.silent || c.snd.finQueued || c.persist.force) || c.endsRecord(seq.Add(n)) {
			// "a sender ... MUST set the PSH bit in the last buffered segment
			// (i.e., when there is no more queued data to be sent) (MUST-61)"
			// (RFC 9293, 3.9.1.2): of several writes that share a segment one
			// mark remains (SHLD-27, MAY-16), and none waits for more (MUST-60).
			out.Flags |= psh
		}
	}
	out.Seq = seq
	return true
}

// finFits reports whether a FIN with the number at may be sent: again, or for
// the first time if the peer's window has room.
func (c *Conn) finFits(at Seq) bool {
	return c.snd.finSent || c.snd.finQueued && at.Less(c.snd.una.Add(int(c.snd.wnd)))
}

// sentText keeps account of a segment with text or FIN, new or again.
func (c *Conn) sentText(now clock.Time, out *Segment) {
	end := out.end()
	if out.Flags.Has(fin) && !c.snd.finSent {
		c.snd.finSent, c.snd.fin = true, end.Add(-1)
	}
	if c.flight() == 0 && !c.persist.active {
		c.snd.progressAt = now
	}
	fresh := max(0, end.Sub(c.snd.nxt))
	early := c.sentEarly(min(fresh, out.Payload.Len()))
	if fresh > 0 {
		c.count.bytesOut += uint64(fresh)
		c.snd.nxt = end
	}
	if c.reducing() {
		c.loss.history.prrOut += out.Payload.Len()
	}
	if n := out.Payload.Len(); n > 0 {
		c.count.dataOut += uint32(out.pieces())
		if again := max(0, n-fresh) + early; again > 0 {
			c.own().resent += uint64(again)
		}
	}
	if early > 0 {
		c.own().retransmissions += uint32(out.pieces())
	}
	// What went in the SYN is no short segment of the program's making.
	if out.endsSmall(int(c.snd.mss)) && (early == 0 || early < fresh) {
		c.snd.small = later(c.snd.small, end)
	}
	c.snd.lastAt = now
	c.pacedOut(out.Payload.Len())
	c.conversing(now)
	if !c.persist.active {
		c.armRetransmit(now)
	}
	c.finish(now, out)
}

// ackSegment builds a segment that carries nothing but an acknowledgment:
// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (c *Conn) ackSegment(now clock.Time, out *Segment) bool {
	if !c.ack.due {
		return false
	}
	out.Seq, out.Reason = c.snd.nxt, c.ack.why
	c.finish(now, out)
	return true
}

// finish fills in what every segment of an open connection has: the
// acknowledgment, the window, the agreed options.
func (c *Conn) finish(now clock.Time, out *Segment) {
	out.Flags |= ack
	if c.ecn&ecnEcho != 0 {
		out.Flags |= wire.ECE
	}
	out.Ack = c.rcv.nxt
	out.Window = c.advertise()
	c.urgentMark(out)
	c.addOptions(now, out)
	if c.rcv.gaps != nil {
		c.sackBlocks(&out.Options, out.Payload.Len())
	}
	c.acknowledging()
	c.count.segmentsOut += uint32(out.pieces())
}

// addOptions fills in those of every segment but a SYN: "Once TSopt has been
// successfully negotiated ... the TSopt MUST be sent in every non-<RST>
// segment for the duration of the connection" (R7323-7; RFC 7323, 3.2). The MSS is
// not among them (MUST-65; RFC 9293, 3.2).
func (c *Conn) addOptions(now clock.Time, out *Segment) {
	if c.stamped {
		o := &out.Options
		o.Timestamps, o.TSVal, o.TSEcr = true, c.ts.now(now), c.ts.recent
	}
}

// pendingReset is a RST that is to be sent.
type pendingReset struct {
	pending  bool
	agreed   bool // on options: the peer's SYN has come
	flags    wire.TCPFlags
	why      Reason
	seq, ack Seq
}

// sendReset lets PollSegment send a reset before all else.
func (c *Conn) sendReset(s Segment) {
	c.own().reset = pendingReset{pending: true, agreed: c.state != StateSynSent, flags: s.Flags, why: s.Reason, seq: s.Seq, ack: s.Ack}
}

// takeReset builds the pending reset. "Once TSopt has been successfully
// negotiated", it "SHOULD be sent in an <RST> segment" (RFC 7323, 3.2): before, a
// peer that has no timestamps could get the reset.
func (c *Conn) takeReset(now clock.Time, out *Segment) {
	r := c.rare.reset
	c.rare.reset = pendingReset{}
	out.Seq, out.Ack, out.Flags, out.Reason = r.seq, r.ack, r.flags, r.why
	if r.agreed {
		c.addOptions(now, out)
	}
	c.count.segmentsOut++
}
