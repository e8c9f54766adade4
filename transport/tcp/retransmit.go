package tcp

import "hubbub/clock"

// retransmission builds a segment of what is lost, before all that is new (R6675-4:
// NextSeg of RFC 6675, 4). It takes as much as it can
// hold of what is lost beside it, even if it went out in smaller pieces.
func (c *Conn) retransmission(now clock.Time, out *Segment) bool {
	b := c.loss.board
	if b == nil || b.waiting == 0 || c.persist.active {
		return false
	}
	if h := c.loss.history; h.tryNew {
		if c.newSegment(now, out) {
			return true
		}
		if c.loss.high.Less(c.snd.nxt) {
			return false // what becomes of it, decides
		}
		h.tryNew, h.frto = false, false
	}
	i := b.nextWaiting()
	if c.mustWait(now) || !c.fitRecord(i) {
		return false
	}
	r := b.at(i)
	c.probeInconclusive(now, false)
	c.noteRepeat(now)
	out.Reason, out.Retransmission = c.loss.why, true
	if c.loss.why == ReasonRACK && r.has(isRepeat) {
		out.Reason = ReasonLostRepeat
	}
	b.resent(r, now)
	c.stampSent(now, r, c.pipe())
	c.refill(out, r)
	c.endRepeats(out, i)
	c.own().retransmissions++
	c.sentText(now, out)
	if i == 0 && c.sackOK && !c.timers.running(TimerReordering) {
		c.restartRetransmit(now)
	}
	return true
}

// fitRecord cuts or joins the i-th record to what one segment may hold now,
// and reports whether it may be sent: as the congestion window allows
// (RFC 6675, 5: step C), but for the first after a time-out always.
//
// After a peer has shrunk its window, a sender "SHOULD retransmit normally the
// old unacknowledged data between SND.UNA and SND.UNA+SND.WND (SHLD-16)"
// (RFC 9293, 3.8.6).
func (c *Conn) fitRecord(i int) bool {
	b := c.loss.board
	r := b.at(i)
	most := int(c.snd.mss)
	allowed := c.snd.una.Add(int(c.snd.wnd)).Sub(r.seq)
	if allowed <= 0 && !c.finOnly(r) {
		return false
	}
	if !c.finOnly(r) {
		most = min(most, allowed)
	}
	if text := c.textOf(r); c.loss.why == ReasonWindowOpened && r.end == c.snd.nxt && text == r.size() && text < most && c.rare.records == nil {
		// What probed the window was an octet; now there is room for more.
		if whole := min(most, text+c.unsent()); whole <= c.cc.Cwnd-c.pipe() {
			b.extend(r, r.seq.Add(whole))
		}
	}
	for i+1 < b.n && b.at(i+1).waits() && c.textOf(b.at(i)) < c.mostTogether(b.at(i+1), most) && !c.endsRecord(b.at(i).end) {
		b.join(i)
	}
	if r = b.at(i); c.textOf(r) > most {
		b.split(i, r.seq.Add(most))
	}
	return c.cc.Cwnd-c.pipe() >= c.textOf(b.at(i))
}

// mostTogether returns how many octets a record may have, so that the next one
// is joined to it: they must fit in one segment. Where segments have become
// smaller, all is cut anew.
func (c *Conn) mostTogether(next *sent, most int) int {
	if c.loss.why == ReasonPathMTU {
		return most
	}
	return most - next.size() + 1
}

// textOf returns how many octets of text a record has: it may have a FIN.
func (c *Conn) textOf(r *sent) int { return earlier(r.end, c.dataEnd()).Sub(r.seq) }

// finOnly reports whether the record is that of a FIN alone.
func (c *Conn) finOnly(r *sent) bool { return c.textOf(r) == 0 }

// refill makes a segment of a record.
func (c *Conn) refill(out *Segment, r *sent) {
	if c.fill(out, r.seq, c.textOf(r), c.snd.finSent && c.snd.fin.Less(r.end)) && r.marks&isPushed != 0 {
		out.Flags |= psh
	}
}

// noteRepeat keeps account of a retransmission, in case it turns out to have
// been for nothing.
func (c *Conn) noteRepeat(now clock.Time) {
	h := c.past()
	if !h.repeated {
		h.repeated, h.repeatedAt = true, now
	}
	h.undoSegments = max(h.undoSegments, 0) + 1
}
