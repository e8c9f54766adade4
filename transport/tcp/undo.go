package tcp

import "hubbub/clock"

// remember notes what the congestion window was, in case its reduction turns
// out to have been wrong.
func (c *Conn) remember() {
	h := c.past()
	h.undo, h.undoFrom, h.undoSegments = true, c.snd.una, -1
	h.windowed = h.reordered > 0
	if b := c.loss.board; b != nil && b.again.segments > 0 {
		h.undoSegments = b.again.segments // may come twice, too
	}
}

// wasDelayed is the Eifel detection algorithm: "If the value of the Timestamp
// Echo Reply field of the acceptable ACK's Timestamps option is smaller than
// the value of RetransmitTS, then ... proceed to step (5)": the ACK answers
// the original and not the retransmission (RFC 3522, 3.2).
func (c *Conn) wasDelayed(seg *Segment) bool {
	h := c.loss.history
	return h != nil && h.repeated && c.echoesBefore(seg, h.repeatedAt)
}

// mayUndo reports whether the last reduction was for nothing: all that was sent
// again came twice, as D-SACKs tell (RFC 3708, 3), or the original was late
// only.
func (c *Conn) mayUndo(seg *Segment) bool {
	h := c.loss.history
	return h != nil && h.undo && (h.undoSegments == 0 || c.wasDelayed(seg))
}

// undoReduction gives the window back what it lost: the response to a
// reduction for nothing (RFC 4015, 3.3). Forgive says that what counts as lost
// isn't.
func (c *Conn) undoReduction(forgive bool, why string) {
	h := c.loss.history
	if b := c.loss.board; forgive && b != nil {
		for i := range b.n {
			b.found(b.at(i))
		}
		b.fresh = c.snd.una
		b.news = true // look again
	}
	if h.priorSsthresh > 0 {
		c.cc.Cwnd = max(c.cc.Cwnd, h.priorCwnd)
		c.cc.Ssthresh = max(c.cc.Ssthresh, h.priorSsthresh)
		c.controller().Undo(&c.cc.Window)
	}
	h.undo = false
	h.undone++
	c.tellCongestion(why)
}

// leaveUndone ends an episode whose octets have all arrived, and gives the
// window back if they had not been lost.
func (c *Conn) leaveUndone(seg *Segment) {
	if c.mayUndo(seg) {
		if c.loss.phase == PhaseRecovery && c.wasDelayed(seg) {
			c.wasTooSoon()
		}
		c.undoReduction(false, "the reduction was for nothing: undone")
	} else {
		c.past().leftRecovery()
	}
}

// undoneByDSACK undoes the reduction when all that was sent again has come
// twice.
func (c *Conn) undoneByDSACK() bool {
	h := c.loss.history
	if h == nil || !h.undo || h.undoSegments != 0 {
		return false
	}
	c.undoReduction(false, "all retransmissions came twice: the reduction is undone")
	return true
}

// undonePartly handles a partial ACK of an original that was late: nothing
// more is sent again, and when no retransmission is on its way, the reduction
// is undone.
func (c *Conn) undonePartly(seg *Segment, n *news) bool {
	h := c.loss.history
	if !h.undo || !c.wasDelayed(seg) {
		return false
	}
	if n.una.Less(n.fack) {
		c.reorderingSeen(n.una, n)
	}
	if b := c.loss.board; b == nil || b.again.segments == 0 {
		c.wasTooSoon()
		c.undoReduction(true, "what was sent again had only been late: the reduction is undone")
		c.settle()
	}
	return true
}

// undoneLoss ends a recovery after a time-out that was for nothing.
func (c *Conn) undoneLoss(now clock.Time, spurious bool, seg *Segment) bool {
	if !spurious && !c.mayUndo(seg) {
		return false
	}
	why := "the time-out was for nothing: undone"
	if spurious {
		why = "what was never sent again has arrived: the time-out was for nothing (F-RTO)"
	}
	c.endTimeouts(now)
	if spurious || c.sackOK {
		c.loss.phase = PhaseOpen
	}
	c.undoReduction(true, why)
	return true
}
