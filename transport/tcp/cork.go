package tcp

import "hubbub/clock"

// holding says what keeps a last segment under full size waiting, beside the
// Nagle algorithm. Whatever it is, after the retransmission time-out, which is
// 200 ms at least, what there is is sent (see [Conn.persistTimeout]).
type holding struct {
	corked bool // until the cork is drawn (TCP_CORK)
	more   bool // until the next write, or ACK (MSG_MORE)
	silent bool // nothing; but what was written last is not marked with PSH (MSG_MORE)
	push   bool // nothing: what is queued goes out at once
}

// SetCork holds back segments under full size, or lets go what was held back
// (TCP_CORK).
func (c *Conn) SetCork(on bool) {
	c.holding.corked = on
	c.holding.push = !on && c.noDelay
}

// SetMore says whether what was written last is to wait for more (MSG_MORE).
func (c *Conn) SetMore(on bool) { c.holding.more, c.holding.silent, c.holding.push = on, on, false }

// Corked reports whether segments under full size are held back.
func (c *Conn) Corked() bool { return c.holding.corked }

// holds reports whether a segment under full size waits.
func (h *holding) holds() bool { return (h.corked || h.more) && !h.push }

// SetQuickACK acknowledges at once what comes next, and what waits to be
// acknowledged; or goes over to delayed ACKs as in a dialogue (TCP_QUICKACK).
// It isn't for ever: a dialogue ends it.
func (c *Conn) SetQuickACK(on bool) {
	c.ack.dialogue, c.ack.quick = !on, 0
	if on {
		c.ack.quick = uint8(min(c.env.QuickACKs, 255))
	}
	if on && c.ack.delayed {
		c.ackNow(ReasonQuickACK)
	}
}

// QuickACK reports whether this is no dialogue.
func (c *Conn) QuickACK() bool { return !c.ack.dialogue }

// SetFinWait2 sets how many seconds the connection waits in FIN-WAIT-2 once
// nobody has it open any more (TCP_LINGER2): 0 for as long as the host has it,
// 120 at most; under 0 it doesn't wait, and resets.
func (c *Conn) SetFinWait2(seconds int) { c.finWait = int8(min(max(-1, seconds), 120)) }

// waitForFIN limits the wait for the peer's FIN where nobody is there any more.
func (c *Conn) waitForFIN(now clock.Time) {
	switch {
	case c.finWait < 0:
		c.abort(now, ErrAborted, ReasonAbort)
	case c.finWait > 0:
		c.timers.set(c.env, TimerLifetime, now.Add(clock.Duration(c.finWait)*second))
	default:
		c.timers.set(c.env, TimerLifetime, now.Add(c.env.FinWait2Timeout))
	}
}
