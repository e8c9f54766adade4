package tcp

import (
	"time"

	"hubbub/clock"
)

// ackState says whether an acknowledgment is to be sent, and how soon. All
// segments that are handled before anything is polled share one (MUST-58,
// MUST-59; RFC 9293, 3.10.7.4): "A TCP receiver MUST NOT generate more than one
// ACK for every incoming segment" (R5681-11; RFC 5681, 4.2).
type ackState struct {
	due      bool   // at once
	delayed  bool   // by the delayed-ACK timer, at the latest
	dialogue bool   // ACKs find company: they needn't hurry
	quick    uint8  // so many more segments are acknowledged at once
	why      Reason // of an ACK that is due
}

// ackNow asks for an ACK at once. The first reason stands.
func (c *Conn) ackNow(why Reason) {
	if !c.ack.due {
		c.ack.due, c.ack.why = true, why
	}
}

// delayACK asks for an ACK that may wait for company.
//
// "A TCP endpoint SHOULD implement a delayed ACK (SHLD-18), but an ACK should
// not be excessively delayed; in particular, the delay MUST be less than
// 0.5 seconds (MUST-40)." (RFC 9293, 3.8.6.3)
func (c *Conn) delayACK(now clock.Time) {
	if !c.ack.due && !c.ack.delayed {
		c.ack.delayed = true
		c.timers.set(c.env, TimerDelayedACK, now.Add(c.env.DelayedACK))
	}
}

// finDelay is how long the ACK of a FIN waits for a program that closes at
// once. One that doesn't has more to say, or will take its time.
const finDelay = time.Millisecond

// delayFINACK asks for an ACK of the peer's FIN that may wait for ours.
func (c *Conn) delayFINACK(now clock.Time) {
	if !c.ack.due {
		c.ack.delayed = true
		c.timers.set(c.env, TimerDelayedACK, now.Add(min(finDelay, c.env.DelayedACK)))
	}
}

// ackText decides how soon text that arrived in order is acknowledged.
//
// "An ACK SHOULD be generated for at least every second full-sized segment or
// 2*RMSS bytes of new data" (SHLD-19; RFC 9293, 3.8.6.3). "A TCP receiver
// SHOULD send an immediate ACK when the incoming segment fills in all or part
// of a gap in the sequence space." (R5681-7; RFC 5681, 3.2)
func (c *Conn) ackText(now clock.Time, filled bool) {
	switch {
	case filled:
		c.ackNow(ReasonGapFilled)
	case c.rcv.nxt.Sub(c.rcv.acked) > int(c.rcv.seg):
		c.ackNow(ReasonSecondSegment)
	case c.ack.quick > 0 && !c.ack.dialogue:
		c.ack.quick--
		c.ackNow(ReasonQuickACK)
	default:
		c.delayACK(now)
	}
}

// conversing notes that data is sent: if that follows closely on data
// received, this is a dialogue, where ACKs find company and needn't hurry.
func (c *Conn) conversing(now clock.Time) {
	if c.count.bytesIn > 0 && now.Sub(c.rcv.dataAt) < c.env.DelayedACK {
		c.ack.quick, c.ack.dialogue = 0, true
	}
}

// acknowledging notes that a segment leaves which carries the ACK.
func (c *Conn) acknowledging() {
	c.rcv.acked = c.rcv.nxt
	c.ack.due = false
	if c.ack.delayed {
		c.ack.delayed = false
		c.timers.stop(c.env, TimerDelayedACK)
	}
}
