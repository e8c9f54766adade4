package tcp

import (
	"hubbub/clock"
	"hubbub/transport/tcp/congestion"
	"hubbub/wire"
)

// Most segments are of connections where nothing is amiss, and are what was to come
// next: text in order, an acknowledgment of what was sent once, or both. What follows
// from them is here, in one piece. It is what the general way comes to, which is the one
// to read first ([Conn.arrive], [Conn.takeACK], [Conn.newSegment]): with all that can't be left
// out, it takes a third less. (Jacobson calls it header prediction in a message to the
// tcp-ip list of 1990.)

// plain reports whether nothing is amiss, and nothing rare is wished for.
func (c *Conn) plain() bool { return c.usual() && c.wideOpen() && c.untroubled() && c.env.usual() }

// usual reports whether the connection has what most have.
func (c *Conn) usual() bool {
	return c.rare == &nothing && c.sackOK && c.ecn == 0 && !congestion.HasModel(c.algorithm)
}

// wideOpen reports whether both ends may go on for long.
func (c *Conn) wideOpen() bool {
	return c.state == StateEstablished && !c.orphan && !c.readShut && !c.snd.finQueued && !c.persist.active && !c.persist.force
}

// untroubled reports whether all has arrived, and in order, so far.
func (c *Conn) untroubled() bool {
	return c.loss.phase == PhaseOpen && c.loss.history == nil && c.rcv.gaps == nil && c.retries == 0
}

// usual reports whether the host is one that nobody watches, since facts are told on the general
// way, and has memory.
func (e *Env) usual() bool { return !e.Watch && !e.ValidateWindow && !e.exhausted() }

// expected reports whether a segment is the next one: it begins where the last one has
// ended, acknowledges what was sent, fits the window, and has the options that
// all segments have.
func (c *Conn) expected(seg *Segment) bool {
	n, acked := seg.Payload.Len(), uint32(seg.Ack-c.snd.una)
	if seg.Flags&^psh != ack || seg.Seq != c.rcv.nxt || n > c.rcv.window() || acked > uint32(c.snd.nxt-c.snd.una) {
		return false
	}
	return (n > 0 || acked > 0) && c.ts.follows(c.stamped, &seg.Options)
}

// follows reports whether the options are none but the timestamps that were agreed on, if they
// were, and no older than the last.
func (t *timestamps) follows(agreed bool, o *wire.TCPOptions) bool {
	return o.NumSACK == 0 && o.Timestamps == agreed && int32(o.TSVal-t.recent) >= 0
}

// arrivePlain is [Conn.arrive] for the segment that is expected. It reports false, having done
// nothing, if it is another.
func (c *Conn) arrivePlain(now clock.Time, seg *Segment) bool {
	if !c.expected(seg) || !c.plain() {
		return false
	}
	if c.snd.una != seg.Ack {
		if c.loss.board == nil || !c.loss.board.inOrder() {
			return false
		}
		c.ackedPlain(now, seg)
	}
	if c.stamped && seg.Seq.LessEq(c.rcv.acked) {
		c.ts.remember(now, seg.Options.TSVal)
	}
	c.heard(now)
	c.tuneSendBuffer()
	c.updateWindow(now, seg)
	if seg.Payload.Len() > 0 {
		c.receive(now, seg)
	}
	return true
}

// ackedPlain is [Conn.takeACK] for what was sent once and in order.
func (c *Conn) ackedPlain(now clock.Time, seg *Segment) {
	used, flight, acked := c.snd.una.Less(c.cc.usage.until), c.flight(), seg.Ack.Sub(c.snd.una)
	c.snd.queue.Discard(acked)
	c.snd.una, c.snd.progressAt = seg.Ack, now
	c.persist.unanswered = 0
	newest := c.popPlain(now, seg)
	c.keepSequenceMarks()
	s := &c.env.sample
	s.Delivered, s.InFlight, s.RTT = acked, flight, -1
	if newest != nil {
		s.RTT = now.Sub(newest.at)
	} else if c.stamped {
		if r, ok := c.ts.elapsed(now, seg.Options.TSEcr); ok {
			c.rtt.sample(c.env, r)
		}
	}
	c.measureRate(now, newest)
	c.grow(now, acked, used && c.windowLimits())
	if c.snd.una == c.snd.nxt {
		c.timers.stop(c.env, TimerRetransmit)
		c.releaseBoard()
		return
	}
	c.timeOldest(now)
}

// popPlain is [Conn.popRecords] likewise: of several segments the last tells of the rate, the
// first of the round trip. It returns the last, which stays where it is until something is sent;
// nil if not one is covered as a whole.
func (c *Conn) popPlain(now clock.Time, seg *Segment) (last *sent) {
	b := c.loss.board
	first, covered := b.at(0), b.find(seg.Ack)
	if covered > 0 {
		last = b.at(covered - 1)
	}
	b.head += uint32(covered)
	b.n -= covered
	c.count.delivered += uint32(covered)
	if b.n > 0 && b.at(0).seq.Less(seg.Ack) {
		b.trim(seg.Ack)
	}
	b.fack, b.hint, b.fresh = later(b.fack, seg.Ack), later(b.hint, seg.Ack), later(b.fresh, seg.Ack)
	if last == nil {
		return nil
	}
	b.rtt, b.news = now.Sub(last.at), false
	if sentAfter(last.at, last.end, b.newest, b.edge) {
		b.newest, b.edge = last.at, last.end
	}
	c.rtt.sample(c.env, now.Sub(first.at))
	c.rtt.lowest(c.env, now, b.rtt)
	return last
}

// sendPlain builds the segment of all that wasn't sent yet, if it is one and goes out at once. It
// reports false, having done nothing, if that is left to [Conn.newSegment].
func (c *Conn) sendPlain(now clock.Time, out *Segment) bool {
	flight := c.flight()
	n := c.snd.queue.Len() - flight
	if n <= 0 || !c.plain() || !c.goesAtOnce(n, flight) || flight == 0 && c.idledLong(now) {
		return false
	}
	if flight == 0 {
		c.resume(now)
		c.snd.progressAt = now
	}
	out.Payload = c.snd.queue.At(flight, n)
	out.Seq, out.Flags, out.Reason = c.snd.nxt, psh, ReasonData
	end := out.Seq.Add(n)
	c.record(now, out.Seq, end)
	c.loss.board.at(c.loss.board.n - 1).marks |= isPushed | endsBurst
	c.leavePersist()
	c.snd.nxt, c.snd.lastAt = end, now
	c.count.bytesOut += uint64(n)
	c.count.dataOut++
	if n < int(c.snd.mss) {
		c.snd.small = later(c.snd.small, end)
	}
	c.conversing(now)
	c.noteUsage()
	if !c.armProbe(now, false) {
		c.armRetransmit(now)
	}
	c.burst.left -= min(1, c.burst.left)
	c.burst.going = false
	c.finish(now, out)
	return true
}

// goesAtOnce reports whether the windows, and the rules against small segments, let the last n
// octets of all out now, as one segment; and nothing else is due.
func (c *Conn) goesAtOnce(n, flight int) bool {
	if n > int(c.snd.mss) || n > int(c.snd.wnd)-flight || n >= c.cc.Cwnd-flight {
		return false
	}
	if n < int(c.snd.mss) && !c.noDelay && c.snd.una.Less(c.snd.small) {
		return false // another short one is in flight: the Nagle algorithm
	}
	return c.loss.board.inOrder() && c.holding == holding{} && c.cc.Pacing == 0 && !c.probeDue && c.snd.shortened == 0
}

// inOrder reports whether all in flight was sent once, and nothing of it is known to be late.
func (b *scoreboard) inOrder() bool { return b == nil || !b.disturbed && b.lost.segments == 0 }

// idledLong reports whether sending begins anew with a smaller window: see [Conn.resume].
func (c *Conn) idledLong(now clock.Time) bool {
	return c.count.bytesOut > 0 && now.Sub(c.snd.lastAt) > c.rtt.rto
}
