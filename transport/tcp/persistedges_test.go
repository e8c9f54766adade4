package tcp

import (
	"errors"
	"testing"
	"time"
)

// While an octet is in flight its ACK will bring news of the window: nothing is probed.
func TestNoProbeWhileAnOctetIsInFlight(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.MinRTO = time.Second })
	e.peer().sends("A 1 ack 1 win 1")
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	e.c.snd.maxWnd = 1 // a peer that never had a larger one
	e.writes(2)
	e.want().segment("A 1:2 ack 1", ReasonData)
	if e.c.timers.running(TimerPersist) || !e.c.timers.running(TimerRetransmit) {
		t.Error("the persist timer runs, or the other doesn't")
	}
	e.after(time.Second)
	e.want().segment("A 1:2 ack 1", ReasonTimeout)
}

// "in the range 0.1 - 1.0 seconds" (RFC 9293, 3.8.6.2.1): so long a window is waited for that
// is open, be it by an octet; a closed one for the time-out.
func TestHowLongALittleWindowIsWaitedFor(t *testing.T) {
	for window, wait := range map[string]time.Duration{"win 1": time.Second, "win 0": 3 * time.Second} {
		e := establishedEnd(t, func(c *Config) { c.MinRTO = 3 * time.Second })
		e.peer().sends("A 1 ack 1 " + window)
		e.writes(2000)
		e.want().nothing()
		if got := e.c.timers.at(TimerPersist).Sub(began); got != wait {
			t.Errorf("%s: waited for %v", window, got)
		}
	}
}

// The user time-out ends waiting, too, and no timer is in the past.
func TestTheUserTimeoutEndsWaiting(t *testing.T) {
	e := blockedEnd(t)
	e.c.SetUserTimeout(300 * ms)
	for range 2 { // the first probe is at 200 ms, the end in place of the second
		e.pass(e.c.NextTimer())
		if e.c.State() != StateClosed {
			e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
		}
	}
	e.want().state(StateClosed)
	if e.now != began.Add(300*ms) || !errors.Is(e.c.Err(), ErrTimeout) {
		t.Errorf("it ends %v later: %v", e.now.Sub(began), e.c.Err())
	}
	e = blockedEnd(t)
	for _, limit := range []time.Duration{time.Second, 1} {
		e.c.SetUserTimeout(limit)
		e.c.snd.progressAt = began.Add(-time.Hour)
		e.c.armPersist(e.now)
		if at := e.c.timers.at(TimerPersist); at != e.now.Add(1) {
			t.Errorf("the timer is due %v from now", at.Sub(e.now))
		}
	}
}

// The back-off ends where the time-out is the longest: "exponentially" (SHLD-30), up to
// Config.MaxRTO.
func TestTheBackoffOfProbesEnds(t *testing.T) {
	e := blockedEnd(t, func(c *Config) { c.MaxRTO = 800 * ms })
	for i, wait := range []time.Duration{200 * ms, 400 * ms, 800 * ms, 800 * ms} {
		e.after(wait - 1)
		e.want().nothing()
		e.after(1)
		e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
		if got, want := e.c.Info().Backoff, min(i+1, 2); got != want {
			t.Errorf("after probe %d it is doubled %d times, want %d", i+1, got, want)
		}
		e.peer().sends("A 1 ack 1001 win 0")
	}
}

// "RTT samples MUST NOT be made using segments that were retransmitted" (RFC 6298, 3): what a
// probe has repeated is one, though the probe was an octet.
func TestAProbeOfWhatIsInFlightIsARetransmission(t *testing.T) {
	e := sackEnd(t, 100*ms, noProbe)
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	e.peer().sends("A 1 ack 1 win 0") // taken back
	e.after(300 * ms)
	probe := e.want().segment("A 1:2 ack 1", ReasonWindowProbe)
	if !probe.Retransmission || e.c.loss.board.at(0).at != e.now {
		t.Error("the probe is no retransmission of now")
	}
	e.after(10 * ms)
	e.peer().sends("A 1 ack 1001 win 64000")
	if i := e.c.Info(); i.SRTT != 100*ms || i.Recovery.MinRTT != 100*ms {
		t.Errorf("the round trip was measured as %v, the least %v", i.SRTT, i.Recovery.MinRTT)
	}
}

// An octet is enough to go on waiting for: unsent, or sent by a probe.
func TestOneOctetIsWaitedFor(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(1)
	e.want().nothing()
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1 win 0") // which is no news
	e.after(100 * ms)
	e.want().segment("PA 1:2 ack 1", ReasonWindowProbe)
	for _, wait := range []time.Duration{400 * ms, 800 * ms} {
		e.peer().sends("A 1 ack 1 win 0")
		e.after(wait - 1)
		e.want().nothing()
		e.after(1)
		e.want().segment("PA 1:2 ack 1", ReasonWindowProbe)
	}
	e.peer().sends("A 1 ack 1 win 1")
	e.want().segment("PA 1:2 ack 1", ReasonWindowOpened)
	// What is sent when the window opens has a time-out from then on.
	e.after(e.c.Info().RTO)
	e.want().segment("PA 1:2 ack 1", ReasonTimeout)
}

// A window that opens, and has no room for a segment worth sending, is still waited for
// (RFC 9293, 3.8.6.2.1); the one octet that the program wrote is worth it.
func TestAWindowThatOpensALittle(t *testing.T) {
	e := blockedEnd(t) // 500 octets wait, the largest window was 64000
	e.peer().sends("A 1 ack 1001 win 100")
	e.want().nothing()
	if !e.c.timers.running(TimerPersist) {
		t.Error("nothing is waited for")
	}
	e.peer().sends("A 1 ack 1001 win 500")
	e.want().segment("PA 1001:1501 ack 1", ReasonData)
	if e.c.timers.running(TimerPersist) {
		t.Error("something is still waited for")
	}
	e = establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(1)
	e.peer().sends("A 1 ack 1 win 1")
	e.want().segment("PA 1:2 ack 1", ReasonData)
}

// RFC 1191, 6.4; RFC 8201, 5.4: a size that is no less than what is sent says nothing, and
// what is too small to be true is taken as the least that there is.
func TestWhichPathMTUsCount(t *testing.T) {
	for _, c := range []struct{ mss, sends int }{{1000, 1000}, {1001, 1000}, {0, 1000}, {-1, 1000}, {999, 999}, {600, 600}, {1, 48}} {
		e := establishedEnd(t)
		e.writes(1000)
		e.want().segment("PA 1:1001 ack 1", ReasonData)
		e.does(func(conn *Conn) { conn.HandlePathMTU(e.now, c.mss, testISS.Add(1)) })
		if again := len(e.sent) > 0; e.c.SendMSS() != c.sends || again != (c.sends < 1000) {
			t.Errorf("a path that takes %d octets: segments of %d, sent again: %v", c.mss, e.c.SendMSS(), again)
		}
		e.sent = nil
	}
	// An octet that is too large for nobody isn't sent again.
	e := establishedEnd(t)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	e.does(func(c *Conn) { c.HandlePathMTU(e.now, 600, testISS.Add(1)) })
	e.want().nothing()
}

// MUST-56's other side: a hard error ends an attempt to connect, and what the program wrote
// meanwhile takes no memory any more.
func TestAnICMPErrorEndsAnAttempt(t *testing.T) {
	e := synSentEnd(t)
	e.writes(1000)
	if used, _ := e.env.Memory(); used == 0 {
		t.Fatal("what waits takes no memory")
	}
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, errUnreachable, true, testISS) })
	e.want().state(StateClosed)
	if used, _ := e.env.Memory(); used != 0 || e.c.Err() != errUnreachable {
		t.Errorf("%d octets are accounted for; it ends with %v", used, e.c.Err())
	}
}
