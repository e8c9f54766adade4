package tcp

import (
	"fmt"
	"testing"
	"time"

	"hubbub/clock"
)

func TestRetransmissionBacksOff(t *testing.T) {
	// "A TCP endpoint MUST implement the basic congestion control algorithms
	// slow start, congestion avoidance, and exponential backoff of RTO to
	// avoid creating congestion collapse conditions (MUST-19)."
	// RFC 9293, 3.8.2.
	//
	// "When the number of transmissions of the same segment
	// reaches a threshold R2 greater than R1, close the connection" is
	// MUST-20. RFC 9293, 3.8.3. (R6298-7)
	e := establishedEnd(t)
	e.env.Watch = true
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	first := e.now
	wait := 200 * ms
	for range e.env.Retries2 {
		e.after(wait - 1)
		e.want().nothing()
		e.after(1)
		if got := e.want().segment("PA 1:101 ack 1", ReasonTimeout); !got.Retransmission {
			t.Error("not marked as a retransmission")
		}
		wait = min(2*wait, e.env.MaxRTO)
	}
	e.after(wait)
	e.want().state(StateClosed)
	if e.c.Err() != ErrTimeout {
		t.Errorf("the error is %v", e.c.Err())
	}
	// "The value of R2 SHOULD correspond to at least 100 seconds (SHLD-11)."
	if lasted := e.now.Sub(first); lasted != 924600*ms {
		t.Errorf("it lasted %v, want 924.6 s as Linux", lasted)
	}
	// "The value of R1 SHOULD correspond to at least 3 retransmissions, at the
	// current RTO (SHLD-10)."
	if n := countEvents(e.env, EventAdvice); n != 1 {
		t.Errorf("%d pieces of advice to the layers below, want 1", n)
	}
}

// What TCP_INFO tells of time-outs: how many there were, in how many runs, and how long it
// took from the first of a run until something was acknowledged.
func TestTimeoutsAreCounted(t *testing.T) {
	e := establishedEnd(t)
	var lasted time.Duration
	for run := range 2 {
		e.writes(100)
		var first clock.Time
		for i := range 2 {
			e.sent = nil
			e.after(e.c.Info().RTO)
			if i == 0 {
				first = e.now
			}
		}
		e.sent = nil
		if r := e.c.Info().Recovery; r.Timeouts != 2*run+2 || r.TimeoutRuns != run+1 || r.TimeoutTime != lasted {
			t.Errorf("%d. run: %d time-outs, %d runs, %v", run, r.Timeouts, r.TimeoutRuns, r.TimeoutTime)
		}
		e.after(50 * ms)
		lasted += e.now.Sub(first)
		e.peer().sends(fmt.Sprintf("A 1 ack %d", 100*run+101))
		if r := e.c.Info().Recovery; r.Timeouts != 2*run+2 || r.TimeoutTime != lasted {
			t.Errorf("after the %d. run: %d time-outs, %v, want %v", run, r.Timeouts, r.TimeoutTime, lasted)
		}
	}
	if lasted < 850*ms {
		t.Errorf("both lasted %v", lasted)
	}
}

func countEvents(env *Env, kind EventKind) (n int) {
	for {
		ev, ok := env.PollEvent()
		if !ok {
			return n
		}
		if ev.Kind == kind {
			n++
		}
	}
}

func TestTimerRestartsWithEveryNewACK(t *testing.T) {
	// RFC 6298, 5 (5.1 to 5.3). (R6298-6)
	e := establishedEnd(t)
	e.writes(3000)
	e.sent = nil
	sent := e.now
	if got := e.c.NextTimer(); got != sent.Add(200*ms) {
		t.Errorf("(5.1) the timer is due at %v", got)
	}
	e.after(150 * ms)
	e.peer().sends("A 1 ack 1001")
	if got := e.c.NextTimer(); got < e.now.Add(200*ms) {
		t.Errorf("(5.3) the timer is due at %v", got)
	}
	e.peer().sends("A 1 ack 3001")
	if got := e.c.NextTimer(); got != 0 {
		t.Errorf("(5.2) the timer is due at %v", got)
	}
}

func TestAfterATimeoutEverythingIsSentAgainInSlowStart(t *testing.T) {
	e := establishedEnd(t)
	e.writes(6000)
	e.sent = nil
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.want().nothing()
	e.peer().sends("A 1 ack 1001")
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout)
	e.want().segment("PA 2001:3001 ack 1", ReasonTimeout)
	e.want().nothing()
	e.peer().sends("A 1 ack 5001") // the rest had arrived
	e.want().segment("PA 5001:6001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 6001")
	if info := e.c.Info(); info.Phase != PhaseOpen || info.Retransmissions != 4 {
		t.Errorf("phase %v, %d retransmissions", info.Phase, info.Retransmissions)
	}
}

func TestSmallSegmentsAreSentAgainAsOne(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	for range 5 {
		e.writes(10)
	}
	e.sent = nil
	e.after(200 * ms)
	e.want().segment("PA 1:51 ack 1", ReasonTimeout)
}

func TestUserTimeoutIsR2(t *testing.T) {
	// "An application MUST (MUST-21) be able to set the value for R2 for a
	// particular connection." RFC 9293, 3.8.3.
	e := establishedEnd(t)
	e.c.SetUserTimeout(5 * time.Second)
	e.after(time.Hour) // to be idle doesn't count
	e.writes(100)
	e.sent = nil
	start := e.now
	for e.c.State() != StateClosed {
		e.pass(e.c.NextTimer())
		e.sent = nil
	}
	if lasted := e.now.Sub(start); lasted != 5*time.Second {
		t.Errorf("it lasted %v", lasted)
	}
}

func TestUserTimeoutEndsZeroWindowAndHandshakeToo(t *testing.T) {
	e := blockedEnd(t)
	e.c.SetUserTimeout(5 * time.Second)
	start := e.now
	for e.c.State() != StateClosed {
		e.pass(e.c.NextTimer())
		e.sent = nil
		if e.c.State() != StateClosed {
			e.peer().sends("A 1 ack 1001 win 0")
		}
	}
	if lasted := e.now.Sub(start); lasted != 5*time.Second {
		t.Errorf("with a zero window it lasted %v", lasted)
	}
	e = newEnd(t)
	p := testParams()
	p.UserTimeout = 4 * time.Second
	e.connect(p)
	for e.c.State() != StateClosed {
		e.sent = nil
		e.pass(e.c.NextTimer())
	}
	if lasted := e.now.Sub(began); lasted != 4*time.Second {
		t.Errorf("the handshake lasted %v", lasted)
	}
}

func TestRetriesOfTheSYNDoNotCountForData(t *testing.T) {
	e := synSentEnd(t)
	e.after(time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	for i := range e.env.Retries2 {
		if got := e.c.Info().Retries; got != i {
			t.Fatalf("%d retries, want %d", got, i)
		}
		e.pass(e.c.NextTimer())
		e.want().segment("PA 1:11 ack 1", ReasonTimeout)
	}
	e.pass(e.c.NextTimer())
	e.want().state(StateClosed)
}
