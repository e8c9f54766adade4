package tcp

import (
	"time"

	"hubbub/clock"
)

// sentAfter is RACK_sent_after of RFC 8985, 6.2: of segments sent at one
// instant the one with the higher numbers was sent later.
func sentAfter(t1 clock.Time, end1 Seq, t2 clock.Time, end2 Seq) bool {
	return t1 > t2 || t1 == t2 && end2.Less(end1)
}

// rackDelivered is RACK_update of RFC 8985, 6.2, for one segment that has
// arrived.
//
// "To avoid spurious inferences, ignore a segment as invalid if any of its
// sequence range has been retransmitted before and if either of two conditions
// is true: 1. The Timestamp Echo Reply field (TSecr) of the ACK's timestamp
// option, if available, indicates the ACK was not acknowledging the last
// retransmission of the segment. 2. The segment was last retransmitted less
// than RACK.min_rtt ago." (RFC 8985, 6.2)
func (c *Conn) rackDelivered(now clock.Time, r *sent, seg *Segment) {
	b := c.loss.board
	rtt := now.Sub(r.at)
	if r.has(isRepeat) && (c.echoesBefore(seg, r.at) || rtt < c.rtt.least) {
		return
	}
	b.rtt = rtt // as in Linux, of several it is that of the one with the highest numbers
	if sentAfter(r.at, r.end, b.newest, b.edge) {
		b.newest, b.edge = r.at, r.end
	}
	b.news = true
}

// echoesBefore reports whether the ACK answers a segment that was sent before
// a point of time, by the timestamp that it echoes.
func (c *Conn) echoesBefore(seg *Segment, t clock.Time) bool {
	echo := seg.Options.TSEcr
	return c.stamped && seg.Options.Timestamps && echo != 0 && int32(echo-c.ts.now(t)) < 0
}

// reorderingSeen takes in that a segment arrived later than one with higher
// numbers, and how far that was.
func (c *Conn) reorderingSeen(from Seq, n *news) {
	h := c.past()
	h.reordered++
	if degree := (n.fack.Sub(from) + int(c.snd.mss) - 1) / int(c.snd.mss); degree > c.dupThresh() {
		h.degree = uint16(min(degree, c.env.MaxReordering))
	}
}

// dupThresh is how many segments must have arrived after a gap to call it a
// loss, by counting (RFC 6675, 2): three at first, and more where the network
// was seen to change the order.
func (c *Conn) dupThresh() int {
	if h := c.loss.history; h != nil && h.degree > 0 {
		return int(h.degree)
	}
	return c.env.Reordering
}

// adaptWindow is the first half of RACK_update_reo_wnd of RFC 8985, 6.2.
//
// "The RACK.reo_wnd increases linearly for every round trip in which the
// sender receives some DSACK option so that after N round trips in which a
// DSACK is received, the RACK.reo_wnd becomes (N+1) * min_RTT / 4, with an
// upper-bound of SRTT." (R8985-3) What a loss probe has doubled says nothing about the
// window.
func (c *Conn) adaptWindow(n *news) {
	h := c.loss.history
	if h == nil || c.env.StaticReorderWindow {
		return
	}
	if h.inRound && h.round.LessEq(c.snd.una) {
		h.inRound = false
	}
	if n.dsack && !n.probeTwice && !h.inRound {
		c.widenReordering()
	}
}

// widenReordering widens the reordering window by a step. What is told of it
// within the next round trip is no news.
func (c *Conn) widenReordering() {
	h := c.loss.history
	h.inRound, h.round = true, c.snd.nxt
	h.steps = min(h.steps+1, maxSteps)
	h.persist = windowPersists
}

// wasTooSoon widens the reordering window when a timestamp tells that what was
// sent again had only been late: a D-SACK of the retransmission will tell the
// same a round trip later, and until then as much again would be sent for
// nothing. RFC 8985, 6.2 leaves open what else the window adapts to. Before any
// reordering was seen there was no window.
func (c *Conn) wasTooSoon() {
	if c.loss.history.windowed && !c.env.StaticReorderWindow && c.env.RACK {
		c.widenReordering()
	}
}

const (
	// windowPersists is how many recoveries a widened reordering window lasts
	// (RFC 8985, 6.2).
	windowPersists = 16
	maxSteps       = 250
)

// leftRecovery: "RACK persists using the inflated RACK.reo_wnd for up to 16
// loss recoveries, after which it resets RACK.reo_wnd to its starting value"
// (RFC 8985, 6.2).
func (h *history) leftRecovery() {
	if h.persist > 0 {
		h.persist--
	}
	if h.persist == 0 {
		h.steps = 1
	}
}

// reorderWindow is how long a segment may take longer than one sent after it
// (RFC 8985, 6.2: the second half of RACK_update_reo_wnd). "The reordering
// window SHOULD be set to zero if no reordering has been observed on the
// connection so far, and either (a) three segments have been SACKed since the
// last recovery or (b) the sender is already in fast or RTO recovery."
// (R8985-2; RFC 8985, 3.3.2)
func (c *Conn) reorderWindow() time.Duration {
	h, steps := c.loss.history, time.Duration(1)
	if h == nil || h.reordered == 0 {
		if c.loss.phase >= PhaseRecovery || !c.env.NoDupThresh && int(c.loss.board.sacked.segments) >= c.dupThresh() {
			return 0
		}
	}
	if h != nil {
		steps = time.Duration(h.steps)
	}
	return min(steps*c.rtt.least/4, c.rtt.srtt)
}

// rackDetect marks what is lost: "if another segment that was sent later has
// been delivered and the reordering window has passed" (RFC 8985, 6.2; R8985-1).
// It returns how long to wait until what may just be late counts as lost as
// well, and false if there is nothing to wait for.
//
// A record is looked at a few times in all, however many are in flight: those
// that were sent once are in the order of time, and those that were sent again
// have a queue in that order, so that the first one that is not due ends the
// search.
func (c *Conn) rackDetect(now clock.Time, n *news) (wait time.Duration, waits bool) {
	window := c.reorderWindow() + c.loss.board.rtt
	wait, waits = c.detectFresh(now, window, n)
	if w, ok := c.detectRepeats(now, window, n); ok {
		wait, waits = max(wait, w), true
	}
	return wait, waits
}

// detectFresh goes through the records that were sent once.
func (c *Conn) detectFresh(now clock.Time, window time.Duration, n *news) (time.Duration, bool) {
	b := c.loss.board
	i := b.find(b.fresh)
	for ; i < b.n; i = b.step(i) {
		r := b.at(i)
		if r.is != 0 {
			continue
		}
		if !sentAfter(b.newest, b.edge, r.at, r.end) {
			break
		}
		if r.at.Add(window) > now {
			b.fresh = r.seq
			return b.lastLate(i).Add(window).Sub(now), true
		}
		c.loses(r, n)
	}
	b.fresh = c.snd.nxt
	if i < b.n {
		b.fresh = b.at(i).seq
	}
	return 0, false
}

// detectRepeats goes through the records that were sent again.
func (c *Conn) detectRepeats(now clock.Time, window time.Duration, n *news) (time.Duration, bool) {
	b := c.loss.board
	for len(b.repeats) > b.firstRepeat {
		e := b.repeats[b.firstRepeat]
		r := b.repeated(e)
		switch {
		case r == nil:
		case !sentAfter(b.newest, b.edge, r.at, r.end):
			return 0, false
		case r.at.Add(window) > now:
			return r.at.Add(window).Sub(now), true
		default:
			c.loses(r, n)
		}
		b.firstRepeat++
	}
	b.repeats, b.firstRepeat = b.repeats[:0], 0
	return 0, false
}

// loses marks a segment as lost.
func (c *Conn) loses(r *sent, n *news) {
	if r.waits() {
		return
	}
	if c.loss.board.lose(r) {
		n.lostAgain = true
		c.past().lostAgain++
	}
	n.lost += r.size()
	c.tellLost(r)
	c.past().lost++
}

// detectLosses finds out what is lost after an ACK, and sets the reordering
// timer where it can't be told yet: "This timer expires at the earliest moment
// when RACK would conclude that all the unacknowledged segments within the
// reordering window were lost." (RFC 8985, 6.2)
func (c *Conn) detectLosses(now clock.Time, n *news) {
	switch b := c.loss.board; {
	case b == nil:
	case !c.sackOK:
		c.renoDetect(n)
	case !c.env.RACK:
		c.countDetect(n)
	case b.news:
		b.news = false
		if wait, waits := c.rackDetect(now, n); waits {
			c.waitForLate(now, wait)
			n.timerSet = true
		}
	}
}

// waitForLate sets the reordering timer. As Linux, it gives what is late a
// little longer than it must.
func (c *Conn) waitForLate(now clock.Time, wait time.Duration) {
	c.timers.set(c.env, TimerReordering, now.Add(wait+min(wait/2, slack)))
}

// countDetect is IsLost of RFC 6675, 4, for who prefers to count: a segment is
// lost when DupThresh segments with higher numbers have arrived (R6675-1).
func (c *Conn) countDetect(n *news) {
	b := c.loss.board
	above := int(b.sacked.segments)
	for i := 0; i < b.n && above >= c.dupThresh(); i = b.next(i) {
		if r := b.at(i); r.has(isSacked) {
			above -= int(r.run)
		} else if !r.has(isLost) {
			c.loses(r, n)
		}
	}
}

// reorderTimeout marks what was waited for as lost.
func (c *Conn) reorderTimeout(now clock.Time) {
	if b := c.loss.board; b != nil {
		n := news{una: c.snd.una, flight: c.pipe()}
		wait, waits := c.rackDetect(now, &n)
		if n.lost > 0 && c.loss.phase < PhaseRecovery {
			c.enterRecovery(now, &n)
			n.delivered = 1 // lets one segment out
			c.reduce(&n)
		}
		if waits {
			c.waitForLate(now, wait)
			return
		}
	}
	if c.flight() > 0 {
		c.timers.set(c.env, TimerRetransmit, c.retransmitAt(now))
	}
}
