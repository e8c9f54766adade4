package tcp

import (
	"errors"
	"testing"
	"time"
)

// aliveEnd has keep-alive on.
func aliveEnd(t *testing.T, k KeepAlive) *end {
	t.Helper()
	e := establishedEnd(t)
	k.On = true
	e.does(func(c *Conn) { c.SetKeepAlive(e.now, k) })
	return e
}

func TestKeepAliveIsOffByDefault(t *testing.T) {
	// "If keep-alives are included, the application MUST be able to turn them
	// on or off for each TCP connection (MUST-24), and they MUST default to
	// off (MUST-25)." RFC 9293, 3.8.4. (MAY-5)
	e := establishedEnd(t)
	e.after(1000 * time.Hour)
	e.want().nothing()
	e.does(func(c *Conn) { c.SetKeepAlive(e.now, KeepAlive{On: true}) })
	if got := e.c.NextTimer(); got != e.now.Add(2*time.Hour) {
		t.Errorf("turned on, the timer is due at %v", got)
	}
	e.does(func(c *Conn) { c.SetKeepAlive(e.now, KeepAlive{}) })
	if got := e.c.NextTimer(); got != 0 {
		t.Errorf("turned off, the timer is due at %v", got)
	}
}

func TestDeadPeerIsFoundOut(t *testing.T) {
	// "This interval MUST be configurable (MUST-27) and MUST default to no less
	// than two hours (MUST-28)." "it MUST NOT interpret failure to respond to
	// any specific probe as a dead connection (MUST-29)." RFC 9293, 3.8.4.
	// With ten probes as in the course: 2 h, then 75 s for each.
	e := aliveEnd(t, KeepAlive{Probes: 10})
	e.after(2*time.Hour - 1)
	e.want().nothing()
	e.after(1)
	for range 9 {
		// "An implementation SHOULD send a keep-alive segment with no data
		// (SHLD-12)".
		e.want().segment("A 0 ack 1", ReasonKeepAlive)
		e.after(75*time.Second - 1)
		e.want().nothing()
		e.after(1)
	}
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.after(75 * time.Second)
	e.want().segment("RA 1 ack 1", ReasonGaveUp)
	e.want().state(StateClosed)
	if !errors.Is(e.c.Err(), ErrTimeout) {
		t.Errorf("the error is %v", e.c.Err())
	}
	if lasted := e.now.Sub(began); lasted != 2*time.Hour+750*time.Second {
		t.Errorf("it lasted %v", lasted)
	}
}

func TestSignOfLifeStartsAnew(t *testing.T) {
	e := aliveEnd(t, KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Probes: 3})
	e.after(time.Minute)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.after(10 * time.Second)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.peer().sends("A 1 ack 1")
	e.after(time.Minute - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.after(20 * time.Second) // the segments come one at a time
	e.sent = nil
	e.want().state(StateEstablished)
}

func TestKeepAliveOnlyWhenIdle(t *testing.T) {
	// "Keep-alive packets MUST only be sent when no sent data is outstanding,
	// and no data or acknowledgment packets have been received for the
	// connection within an interval (MUST-26)." RFC 9293, 3.8.4.
	e := aliveEnd(t, KeepAlive{Idle: time.Minute})
	e.after(50 * time.Second)
	e.peer().sends("A 1 ack 1")
	e.after(time.Minute - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.peer().sends("A 1 ack 1")
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	for e.now.Sub(began) < 10*time.Minute {
		e.pass(e.c.NextTimer())
		for _, s := range e.sent {
			if s.Reason == ReasonKeepAlive {
				t.Fatal("a keep-alive probe while data is outstanding")
			}
		}
		e.sent = nil
	}
}

func TestKeepAliveProbeIsAnswered(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 0 ack 1")
	e.want().segment("A 1 ack 1", ReasonUnacceptable)
	e.after(75 * time.Second)
	e.peer().sends("A 0:1 ack 1") // with a garbage octet
	e.want().segment("A 1 ack 1", ReasonUnacceptable)
	if e.c.Readable() != 0 {
		t.Error("the garbage octet is in the stream")
	}
}

func TestUserTimeoutShortensKeepAlive(t *testing.T) {
	e := aliveEnd(t, KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Probes: 9})
	e.c.SetUserTimeout(65 * time.Second)
	e.after(time.Minute)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.after(10 * time.Second)
	e.want().segment("RA 1 ack 1", ReasonGaveUp)
	e.want().state(StateClosed)
}
