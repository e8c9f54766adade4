package tcp

import (
	"time"

	"hubbub/clock"
)

// persist is the state of waiting for the peer's window.
type persist struct {
	active     bool  // the persist timer is what keeps the connection going
	probeDue   bool  // a probe is to be sent
	force      bool  // send what fits, small or not
	shift      uint8 // back-off of the timer
	unanswered uint8 // probes since the peer last answered
}

// waitForWindow starts the persist timer if there is something to send, the
// window doesn't allow it, and nothing is in flight whose ACK would bring
// news.
//
// "The transmitting host SHOULD send the first zero-window probe when a zero
// window has existed for the retransmission timeout period (SHLD-29)"
// (RFC 9293, 3.8.6.1).
func (c *Conn) waitForWindow(now clock.Time) {
	if c.flight() > 0 || c.persist.active {
		return
	}
	c.persist = persist{active: true}
	c.snd.progressAt = now
	c.armPersist(now)
}

// armPersist starts the persist timer: probes "SHOULD increase exponentially
// the interval between successive probes (SHLD-30)" (RFC 9293, 3.8.6.1). A
// window that is open but small is only waited for "in the range 0.1 - 1.0
// seconds" (RFC 9293, 3.8.6.2.1).
func (c *Conn) armPersist(now clock.Time) {
	wait := min(c.rtt.rto<<c.persist.shift, c.env.MaxRTO)
	if c.snd.wnd > 0 {
		wait = min(wait, time.Second)
	}
	at := now.Add(wait)
	if c.rare.userTimeout > 0 {
		at = max(now.Add(1), min(at, c.snd.progressAt.Add(c.rare.userTimeout)))
	}
	c.timers.set(c.env, TimerPersist, at)
}

// startProbing turns a connection whose peer closed the window over octets in
// flight into one that probes: it "SHOULD NOT time out the connection if data
// beyond the right window edge is not acknowledged (SHLD-17)"
// (RFC 9293, 3.8.6).
func (c *Conn) startProbing(now clock.Time) {
	c.persist = persist{active: true}
	c.persistTimeout(now)
}

// leavePersist leaves the rest to the retransmission timer.
func (c *Conn) leavePersist() {
	c.persist = persist{}
	c.timers.stop(c.env, TimerPersist)
}

// persistTimeout probes a closed window, and fills one that stayed too small.
func (c *Conn) persistTimeout(now clock.Time) {
	if c.snd.wnd > 0 {
		c.persist = persist{force: true}
		return
	}
	// "As long as the receiving TCP peer continues to send acknowledgments in
	// response to the probe segments, the sending TCP peer MUST allow the
	// connection to stay open (MUST-37)." (RFC 9293, 3.8.6.1) The peer may
	// keep its window closed for ever (MAY-8).
	if c.givesUp(now, c.persist.unanswered) {
		c.fail(now, ErrTimeout, "zero-window probes went unanswered")
		return
	}
	c.persist.unanswered++
	c.persist.probeDue = true
	if c.rtt.rto<<c.persist.shift < c.env.MaxRTO {
		c.persist.shift++
	}
	c.armPersist(now)
}

// windowProbe builds a segment with one octet beyond the peer's window, new
// or sent before: "The sending TCP peer must regularly transmit at least one
// octet of new data (if available), or retransmit to the receiving TCP peer
// even if the send window is zero, in order to "probe" the window." (MUST-36;
// RFC 9293, 3.8.6.1) Where there are no octets left it is the FIN.
func (c *Conn) windowProbe(now clock.Time, out *Segment) bool {
	if !c.persist.probeDue {
		return false
	}
	c.persist.probeDue = false
	out.Seq, out.Reason = c.snd.una, ReasonWindowProbe
	out.Retransmission = c.flight() > 0
	if c.snd.queue.Len() > 0 {
		out.Payload = c.snd.queue.At(0, 1)
	} else {
		out.Flags |= fin
	}
	if c.snd.queue.Len() == 1 {
		out.Flags |= psh // the last octet of all (MUST-61; RFC 9293, 3.9.1.2)
	}
	if b := c.loss.board; b == nil {
		c.record(now, out.Seq, out.end())
	} else {
		b.at(0).is |= isRepeat
		b.at(0).at = now
		b.noteRepeat(b.at(0))
	}
	c.sentText(now, out)
	return true
}

// persistAnswered ends probing once the window is open, or nothing is left to
// be sent. What went beyond a closed window is sent again.
func (c *Conn) persistAnswered(now clock.Time) {
	c.persist.unanswered = 0
	waiting := c.flight() > 0 || c.unsent() > 0 || c.snd.finQueued && !c.snd.finSent
	if waiting && (c.snd.wnd == 0 || c.flight() == 0 && c.unsent() > 0 && c.sendable() == 0) {
		return // still closed, or too small
	}
	c.leavePersist()
	if c.flight() > 0 {
		c.repair(ReasonWindowOpened, 0)
		c.restartRetransmit(now)
	}
}
