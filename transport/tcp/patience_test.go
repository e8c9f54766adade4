package tcp

import (
	"testing"
	"time"

	"hubbub/clock"
)

// When things are due, and when they aren't.

func TestKeepAliveOfAnAcceptedConnection(t *testing.T) {
	// What the listener's program has set holds for its connections.
	p := testParams()
	p.KeepAlive = KeepAlive{On: true, Idle: 10 * time.Second, Interval: time.Second, Probes: 2}
	e := newEnd(t)
	e.accept(p, "S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.after(500 * ms)
	e.peer().sends("A 1 ack 1")
	e.after(10*time.Second - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.c.SetKeepAlive(e.now, KeepAlive{})
	e.after(time.Hour)
	e.want().nothing()
}

func TestKeepAliveWaitsAnewWhileSomethingIsOutstanding(t *testing.T) {
	// "Keep-alive packets MUST only be sent when no sent data is outstanding"
	// (MUST-26). RFC 9293, 3.8.4. Afterwards the silence is counted anew.
	e := aliveEnd(t, KeepAlive{Idle: 150 * ms, Interval: 100 * ms, Probes: 3})
	e.after(100 * ms)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.after(60 * ms) // the timer was due meanwhile
	e.want().nothing()
	e.peer().sends("A 1 ack 11")
	e.after(139 * ms) // 150 ms after it was due
	e.want().nothing()
	e.after(11 * ms)
	e.want().segment("A 10 ack 1", ReasonKeepAlive)
}

func TestUserTimeoutWithKeepAliveIsExact(t *testing.T) {
	// RFC 1122, 4.2.3.6 leaves the end to R2, which the user time-out is (MUST-21).
	for timeout, ends := range map[time.Duration]bool{70 * time.Second: true, 70*time.Second + 1: false} {
		e := aliveEnd(t, KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Probes: 9})
		e.c.SetUserTimeout(timeout)
		e.after(time.Minute)
		e.want().segment("A 0 ack 1", ReasonKeepAlive)
		e.after(10 * time.Second)
		if e.c.State() == StateClosed != ends {
			t.Errorf("a user time-out of %v: after 70 s of silence the state is %v", timeout, e.c.State())
		}
		e.sent = nil
	}
	// Without keep-alive's probes a silent peer is no failure.
	e := establishedEnd(t)
	e.c.SetUserTimeout(time.Second)
	e.after(time.Hour)
	e.want().state(StateEstablished)
}

func TestInvalidSegmentsAreAnsweredTwiceASecond(t *testing.T) {
	e := establishedEnd(t)
	for _, c := range []struct {
		after    time.Duration
		answered bool
	}{{0, true}, {500*ms - 1, false}, {1, true}, {1, false}, {500 * ms, true}} {
		e.after(c.after)
		e.peer().sends("A 0 ack 1")
		if c.answered {
			e.want().segment("A 1 ack 1", ReasonUnacceptable)
		}
		e.want().nothing()
	}
}

func TestInvalidSegmentsAreAnsweredFromTheBeginningOfTime(t *testing.T) {
	env := NewEnv(DefaultConfig())
	var last clock.Time
	if !answerDue(env, 0, &last) || answerDue(env, 1, &last) {
		t.Error("at the beginning of time one answer is due, and not two")
	}
}

func TestChallengesAreCountedBySeconds(t *testing.T) {
	// "An ACK throttling mechanism": RFC 5961, 7. (R5961-5)
	e := establishedEnd(t, unlimited, func(c *Config) { c.ChallengeACKs = 1 })
	challenged := func() bool {
		e.peer().sends("R 5")
		n := len(e.sent)
		e.sent = nil
		return n > 0
	}
	e.after(time.Second - 1)
	for i, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {0, false}, {1, true}, {time.Second - 1, false}, {1, true}} {
		e.after(c.after)
		if got := challenged(); got != c.want {
			t.Errorf("number %d: challenged %v, want %v", i, got, c.want)
		}
	}
}

func TestSmallWindowIsWaitedForOneSecondAtMost(t *testing.T) {
	// "The override timeout should be in the range 0.1 - 1.0 seconds."
	// RFC 9293, 3.8.6.2.1.
	for _, window := range []int{1, 100} {
		e := establishedEnd(t, func(c *Config) { c.MinRTO = 5 * time.Second })
		e.writes(2000)
		e.sent = nil
		e.peer().sends(sprintf("A 1 ack 2001 win %d", window)) // too small for what follows
		e.writes(1000)
		e.want().nothing()
		e.after(time.Second - 1)
		e.want().nothing()
		e.after(1)
		e.want().segment(sprintf("A 2001:%d ack 1", 2001+window), ReasonWindowOverride)
	}
}

func TestALittleMoreWindowIsNoReasonToWaitAnew(t *testing.T) {
	// The override is counted from when the waiting began. RFC 9293, 3.8.6.2.1.
	e := blockedEnd(t)
	e.after(150 * ms)
	e.peer().sends("A 1 ack 1001 win 100")
	e.want().nothing()
	e.after(50*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1001:1101 ack 1", ReasonWindowOverride)
}

func TestProbingEndsWithTheLastOctet(t *testing.T) {
	// The probe was the last octet: nothing is left to wait for, whatever the
	// window.
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(1)
	e.after(e.env.MinRTO)
	e.want().segment("PA 1:2 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 2 win 0")
	if at := e.c.NextTimer(); at != clock.Never {
		t.Errorf("a timer is due at %v", at)
	}
	// A FIN that waits is something.
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.peer().sends("A 1 ack 2 win 0")
	e.after(2 * e.env.MinRTO)
	e.want().segment("FA 2 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 3 win 0")
	e.want().state(StateFinWait2)
	if at := e.c.NextTimer(); at != clock.Never {
		t.Errorf("a timer is due at %v", at)
	}
}

func TestHalfOfAWindowIsNoSegmentWhileAnotherIsInFlight(t *testing.T) {
	// "(3) ... if at least a fraction Fs of the maximum window can be sent, i.e., if:
	// [SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND)". RFC 9293, 3.8.6.2.1:
	// what is in brackets is Nagle's.
	e := newEnd(t)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000 win 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.writes(2000)
	e.want().nothing()
	e.peer().sends("A 1 ack 101 win 1000")
	e.want().segment("A 101:1101 ack 1", ReasonData)
}

func TestProbingBeginsTheUserTimeoutAnew(t *testing.T) {
	e := establishedEnd(t)
	e.c.SetUserTimeout(3 * time.Second)
	e.after(time.Hour)
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(10)
	start := e.now
	for e.c.State() != StateClosed {
		e.pass(e.c.NextTimer())
		e.sent = nil
	}
	if lasted := e.now.Sub(start); lasted != 3*time.Second {
		t.Errorf("it lasted %v, want the user time-out", lasted)
	}
}

func TestProbesAreNeverFurtherApartThanTheGreatestTimeout(t *testing.T) {
	e := blockedEnd(t, func(c *Config) { c.MaxRTO = 800 * ms })
	for _, wait := range []time.Duration{200, 400, 800, 800, 800} {
		e.after(wait*ms - 1)
		e.want().nothing()
		e.after(1)
		e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
		e.peer().sends("A 1 ack 1001 win 0")
	}
}
