package tcp

import (
	"time"

	"hubbub/clock"
)

// A KeepAlive says whether and how to look after a silent peer (MAY-5). Zero fields
// have the host's defaults.
//
// "If keep-alives are included, the application MUST be able to turn them on
// or off for each TCP connection (MUST-24), and they MUST default to off
// (MUST-25)." (RFC 9293, 3.8.4)
type KeepAlive struct {
	On       bool
	Idle     time.Duration // silence before the first probe
	Interval time.Duration // between probes
	Probes   int           // without an answer, until the peer counts as dead
}

// withDefaults fills in what is zero: the idle time "MUST be configurable
// (MUST-27) and MUST default to no less than two hours (MUST-28)"
// (RFC 9293, 3.8.4).
func (k KeepAlive) withDefaults(env *Env) KeepAlive {
	if k.Idle <= 0 {
		k.Idle = env.KeepAliveIdle
	}
	if k.Interval <= 0 {
		k.Interval = env.KeepAliveInterval
	}
	if k.Probes <= 0 {
		k.Probes = env.KeepAliveProbes
	}
	return k
}

// keepAlive is the state of a connection that has it on.
type keepAlive struct {
	KeepAlive
	unanswered int // probes since the peer was last heard
}

// SetKeepAlive turns keep-alive on or off.
func (c *Conn) SetKeepAlive(now clock.Time, k KeepAlive) {
	c.timers.stop(c.env, TimerKeepAlive)
	if c.rare.keep != nil {
		c.rare.keep = nil
	}
	if k.On {
		c.own().keep = &keepAlive{KeepAlive: k.withDefaults(c.env)}
		c.startKeepAlive(now)
	}
}

// startKeepAlive starts the timer of an open connection.
func (c *Conn) startKeepAlive(now clock.Time) {
	if c.rare.keep != nil && c.state >= StateEstablished && c.state < StateTimeWait {
		c.timers.set(c.env, TimerKeepAlive, now.Add(c.rare.keep.Idle))
	}
}

// keepAliveTimeout probes a peer that has been silent for long, or gives it
// up when several probes went unanswered (MUST-29; RFC 9293, 3.8.4). The timer isn't moved when a segment arrives: when it comes due, it is
// seen how long ago that was.
//
// "Keep-alive packets MUST only be sent when no sent data is outstanding, and
// no data or acknowledgment packets have been received for the connection
// within an interval (MUST-26)." (RFC 9293, 3.8.4)
func (c *Conn) keepAliveTimeout(now clock.Time) {
	k := c.rare.keep
	silentUntil := c.rcv.lastAt.Add(k.Idle)
	switch {
	case c.flight() > 0 || c.unsent() > 0:
		c.timers.set(c.env, TimerKeepAlive, now.Add(k.Idle))
	case k.unanswered == 0 && now < silentUntil:
		c.timers.set(c.env, TimerKeepAlive, silentUntil)
	case k.unanswered >= k.Probes || k.unanswered > 0 && c.silentTooLong(now):
		c.abort(now, ErrTimeout, ReasonGaveUp)
	default:
		k.unanswered++
		c.probeDue = true
		c.timers.set(c.env, TimerKeepAlive, now.Add(k.Interval))
	}
}

// heard notes a sign of life.
func (c *Conn) heard(now clock.Time) {
	c.rcv.lastAt = now
	c.holding.more = false
	if c.rare.keep != nil {
		c.rare.keep.unanswered = 0
	}
}

// silentTooLong reports whether the peer was silent beyond the program's user
// time-out.
func (c *Conn) silentTooLong(now clock.Time) bool {
	return c.rare.userTimeout > 0 && now.Sub(c.rcv.lastAt) >= c.rare.userTimeout
}

// keepAliveProbe builds a segment that the peer must answer because it begins
// before its window: <SEQ=SND.NXT-1>. "An implementation SHOULD send a
// keep-alive segment with no data (SHLD-12)" (RFC 9293, 3.8.4).
func (c *Conn) keepAliveProbe(now clock.Time, out *Segment) bool {
	if !c.probeDue {
		return false
	}
	c.probeDue = false
	out.Seq, out.Reason = c.snd.nxt.Add(-1), ReasonKeepAlive
	c.finish(now, out)
	return true
}
