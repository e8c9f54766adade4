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
	// TimerPacing waits until the next burst may be sent
	// (draft-ietf-ccwg-bbr, 5.6.2).
	TimerPacing
	// TimerLossProbe waits, in place of TimerRetransmit, for an ACK that is
	// overdue, then sends a loss probe (RFC 8985, 7.2).
	TimerLossProbe
	// TimerReordering waits, in place of TimerRetransmit, for segments that
	// others may have overtaken, then takes them as lost (RFC 8985, 6.2).
	TimerReordering
	numTimers
)

// The last two are other meanings of the first one's place: "An implementation
// is expected to have one timer with an additional state variable indicating
// the type of the timer." (RFC 8985, 8)
const numSlots = TimerLossProbe

var timerNames = [numTimers]string{
	"retransmission", "persist", "delayed ACK", "keep-alive", "lifetime", "pacing", "loss probe", "reordering",
}

// String returns a name such as "delayed ACK".
func (t Timer) String() string { return timerNames[t] }

// timers holds when each timer is due, and what caused it to be set. To set
// one is a store: nothing is queued, nobody is called.
type timers struct {
	slots  [numSlots]clock.Time
	causes *[numSlots]uint64 // where somebody watches
	first  Timer             // what the first slot stands for at present
}

// slot returns the place of a timer.
func (t Timer) slot() Timer {
	if t >= numSlots {
		return TimerRetransmit
	}
	return t
}

// set lets the timer come due at the given time, whether it was set or not.
func (t *timers) set(env *Env, which Timer, at clock.Time) {
	slot := which.slot()
	if slot == TimerRetransmit {
		if env.Watch && t.first != which {
			t.stop(env, t.first)
		}
		t.first = which
	}
	t.place(slot, at, env.Cause)
	if env.Watch {
		env.note(Event{Kind: EventTimerSet, Timer: which, At: at})
	}
}

// place puts a timer into its slot.
func (t *timers) place(slot Timer, at clock.Time, cause uint64) {
	t.slots[slot] = at
	if cause != 0 && t.causes == nil {
		t.causes = new([numSlots]uint64)
	}
	if t.causes != nil {
		t.causes[slot] = cause
	}
}

// cause returns the event that set the timer, 0 if nobody watched.
func (t *timers) cause(slot Timer) uint64 {
	if t.causes == nil {
		return 0
	}
	return t.causes[slot]
}

// stop lets the timer never come due. With TimerRetransmit, those that share
// its place are stopped as well.
func (t *timers) stop(env *Env, which Timer) {
	slot := which.slot()
	if t.slots[slot] == clock.Never {
		return
	}
	t.slots[slot] = clock.Never
	if slot == TimerRetransmit {
		which = t.first
	}
	if env.Watch {
		env.note(Event{Kind: EventTimerStopped, Timer: which})
	}
}

func (t *timers) stopAll(env *Env) {
	for which := range numSlots {
		t.stop(env, which)
	}
}

// running reports whether the timer is set; of TimerRetransmit, whether it or
// one that shares its place is.
func (t *timers) running(which Timer) bool {
	if which.slot() == TimerRetransmit && which != TimerRetransmit && which != t.first {
		return false
	}
	return t.slots[which.slot()] != clock.Never
}

// at returns when the timer is due, or clock.Never.
func (t *timers) at(which Timer) clock.Time {
	if which.slot() == TimerRetransmit && which != t.first {
		return clock.Never
	}
	return t.slots[which.slot()]
}

// fire reports whether the timer is due, and if so takes it down.
func (t *timers) fire(env *Env, which Timer, now clock.Time) bool {
	at := t.at(which)
	if !at.Due(now) {
		return false
	}
	slot := which.slot()
	env.note(Event{Kind: EventTimerFired, Timer: which, At: at, Cause: t.cause(slot)})
	t.slots[slot] = clock.Never
	return true
}

// next returns when the first timer is due.
func (t *timers) next() clock.Time {
	s := &t.slots // written out: it is asked for after every segment
	return clock.Earlier(
		clock.Earlier(clock.Earlier(s[0], s[1]), clock.Earlier(s[2], s[3])),
		clock.Earlier(s[4], s[5]))
}

// NextTimer returns when HandleTimer is to be called, or clock.Never.
func (c *Conn) NextTimer() clock.Time { return c.timers.next() }

// HandleTimer does what is due.
func (c *Conn) HandleTimer(now clock.Time) {
	if c.timers.fire(c.env, TimerDelayedACK, now) {
		c.ackNow(ReasonDelayedACK)
	}
	c.overdue(now)
	if c.timers.fire(c.env, TimerPersist, now) {
		c.persistTimeout(now)
	}
	if c.timers.fire(c.env, TimerKeepAlive, now) {
		c.keepAliveTimeout(now)
	}
	if c.timers.fire(c.env, TimerLifetime, now) {
		c.lifetimeOver(now)
	}
	c.timers.fire(c.env, TimerPacing, now) // what was waiting is sent then
	c.account()
}

// overdue handles the timers of which there is one at a time, while octets are
// in flight.
func (c *Conn) overdue(now clock.Time) {
	switch {
	case c.timers.fire(c.env, TimerRetransmit, now):
		c.retransmissionTimeout(now)
	case c.timers.fire(c.env, TimerLossProbe, now):
		c.probeOverdue(now)
	case c.timers.fire(c.env, TimerReordering, now):
		c.reorderTimeout(now)
	}
}
