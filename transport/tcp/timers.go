package tcp

import "hubbub/clock"

// A Timer is one of the things that a connection can wait for.
type Timer uint8

const (
	// TimerRetransmit waits for the acknowledgment of a SYN, of data or of a
	// FIN (RFC 6298, 5).
	TimerRetransmit Timer = iota
	// TimerPersist waits for a window that is too small to grow, then probes
	// (RFC 9293, 3.8.6.1).
	TimerPersist
	// TimerDelayedACK waits for something to send the ACK with
	// (RFC 9293, 3.8.6.3).
	TimerDelayedACK
	// TimerKeepAlive waits for a sign of life (RFC 9293, 3.8.4).
	TimerKeepAlive
	// TimerLifetime ends TIME-WAIT, and FIN-WAIT-2 without a program
	// (RFC 9293, 3.6.1).
	TimerLifetime
	numTimers
)

var timerNames = [numTimers]string{"retransmission", "persist", "delayed ACK", "keep-alive", "lifetime"}

// String returns a name such as "delayed ACK".
func (t Timer) String() string { return timerNames[t] }

// timers holds when each timer is due, and what caused it to be set. To set
// one is a store: nothing is queued, nobody is called.
type timers [numTimers]struct {
	at    clock.Time
	cause uint64
}

// set lets the timer come due at the given time, whether it was set or not.
func (t *timers) set(env *Env, which Timer, at clock.Time) {
	t[which].at, t[which].cause = at, env.Cause
	if env.Watch {
		env.note(Event{Kind: EventTimerSet, Timer: which, At: at})
	}
}

// stop lets the timer never come due.
func (t *timers) stop(env *Env, which Timer) {
	if t[which].at == clock.Never {
		return
	}
	t[which].at = clock.Never
	if env.Watch {
		env.note(Event{Kind: EventTimerStopped, Timer: which})
	}
}

func (t *timers) stopAll(env *Env) {
	for which := range numTimers {
		t.stop(env, which)
	}
}

// running reports whether the timer is set.
func (t *timers) running(which Timer) bool { return t[which].at != clock.Never }

// fire reports whether the timer is due, and if so takes it down.
func (t *timers) fire(env *Env, which Timer, now clock.Time) bool {
	if !t[which].at.Due(now) {
		return false
	}
	env.note(Event{Kind: EventTimerFired, Timer: which, At: t[which].at, Cause: t[which].cause})
	t[which].at = clock.Never
	return true
}

// next returns when the first timer is due.
func (t *timers) next() clock.Time {
	first := clock.Never
	for i := range t {
		first = clock.Earlier(first, t[i].at)
	}
	return first
}

// NextTimer returns when HandleTimer is to be called, or clock.Never.
func (c *Conn) NextTimer() clock.Time { return c.timers.next() }

// HandleTimer does what is due.
func (c *Conn) HandleTimer(now clock.Time) {
	if c.timers.fire(c.env, TimerDelayedACK, now) {
		c.ackNow(ReasonDelayedACK)
	}
	if c.timers.fire(c.env, TimerRetransmit, now) {
		c.retransmissionTimeout(now)
	}
	if c.timers.fire(c.env, TimerPersist, now) {
		c.persistTimeout(now)
	}
	if c.timers.fire(c.env, TimerKeepAlive, now) {
		c.keepAliveTimeout(now)
	}
	if c.timers.fire(c.env, TimerLifetime, now) {
		c.lifetimeOver(now)
	}
}
