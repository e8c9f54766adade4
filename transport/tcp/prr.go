package tcp

import "hubbub/clock"

// pipe returns how much is on its way, by what is known: what was sent, less
// what has arrived and what is lost, and what of that was sent again
// (RFC 6675, 4; R6675-3).
func (c *Conn) pipe() int {
	b := c.loss.board
	if b == nil {
		return c.flight()
	}
	return max(0, c.flight()-int(b.sacked.octets)-int(b.lost.octets)+int(b.again.octets))
}

// beginReduction lowers the slow start threshold after a loss.
//
// "RecoverFS = SND.NXT - SND.UNA", less what was SACKed before, and with what
// this ACK tells of (RFC 9937, 6.2).
func (c *Conn) beginReduction(now clock.Time, n *news) {
	h := c.past()
	h.probing, h.probeDue = false, false
	c.tellReduced()
	h.priorCwnd = c.cc.Cwnd
	h.prrDelivered, h.prrOut, h.prrFlight = 0, 0, c.flight()+n.delivered
	if b := c.loss.board; b != nil {
		h.prrFlight -= int(b.sacked.octets)
	}
	h.prrFlight = max(h.prrFlight, 1)
	c.loss.high = c.snd.nxt
	c.disprove()
	c.controller().Lost(&c.cc.Window, now, min(c.flight()+n.acked, c.cc.Cwnd), n.echoed)
}

// reduce is proportional rate reduction: it lets out so much for what has
// arrived, that the congestion window comes down to the threshold within a
// round trip, and not all at once (RFC 9937, 6.2).
//
// "SafeACK" is an ACK that moves SND.UNA and tells of no further loss: then the
// window may grow back to the threshold as in slow start. "Force a fast
// retransmit upon entering recovery": one segment at least goes out at first,
// and where there is no SACK, for each partial ACK (RFC 6582, 3.2).
func (c *Conn) reduce(n *news) {
	h := c.loss.history
	if n.delivered <= 0 {
		return
	}
	h.prrDelivered += n.delivered
	pipe, ssthresh := c.pipe(), c.cc.Ssthresh
	var send int
	if pipe > ssthresh {
		send = (h.prrDelivered*ssthresh+h.prrFlight-1)/h.prrFlight - h.prrOut
	} else {
		send = max(h.prrDelivered-h.prrOut, n.delivered)
		if n.acked > 0 && n.lost == 0 {
			send += int(c.snd.mss)
		}
		send = min(ssthresh-pipe, send)
	}
	if h.prrOut == 0 || !c.sackOK && n.lost > 0 {
		send = max(send, int(c.snd.mss))
	}
	c.cc.Cwnd = max(pipe+send, int(c.snd.mss))
}

// reducing reports whether the window is being brought down.
func (c *Conn) reducing() bool {
	return c.loss.phase == PhaseRecovery || c.loss.phase == PhaseCWR
}

// endReduction: "cwnd = ssthresh" (RFC 9937, 6.2).
func (c *Conn) endReduction() {
	if c.cc.Modelled {
		return
	}
	if h := c.loss.history; c.loss.phase == PhaseCWR || h != nil && h.undo {
		c.cc.Cwnd = max(c.cc.Ssthresh, int(c.snd.mss))
	}
}
