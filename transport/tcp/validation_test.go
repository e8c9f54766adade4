package tcp

import (
	"testing"
	"time"

	"hubbub/clock"
)

// provenEnd is a connection that has used a window of 40 segments of 1000 octets, has
// nothing in flight now, and keeps what it doesn't use.
func provenEnd(t *testing.T, algorithm string) *end {
	t.Helper()
	e := flightEnd(t, func(c *Config) { c.ValidateWindow, c.CongestionControl = true, algorithm })
	for i := range 30 {
		e.peer().sends(sprintf("A 1 ack %d", 1001+1000*i))
		e.sent = nil
	}
	if got := e.c.Info().Cwnd; got != 40_000 {
		t.Fatalf("the window has %d octets, want 40000", got)
	}
	return e
}

// asks sends so many octets after a pause, and returns the window then.
func (e *end) asks(pause clock.Duration, octets int) int {
	e.after(pause)
	e.writes(octets)
	e.sent = nil
	return e.c.Info().Cwnd
}

// A window that isn't validated is kept for up to five minutes; then the threshold is three
// quarters of it at least, and the window half of it, or the initial one (RFC 7661, 4.4 and
// 4.4.3). Each five minutes more do the same.
func TestAnUnusedWindowIsKeptForFiveMinutes(t *testing.T) {
	for pause, want := range map[time.Duration]int{
		time.Second: 40_000, 5*time.Minute - 1: 40_000, 5 * time.Minute: 20_000,
		10*time.Minute - 1: 20_000, 10 * time.Minute: 10_000, time.Hour: 10_000,
	} {
		e := provenEnd(t, "reno")
		if got := e.asks(pause, 1000); got != want {
			t.Errorf("after %v the window has %d octets, want %d", pause, got, want)
		}
		if want < 40_000 && e.c.cc.Ssthresh < 30_000 {
			t.Errorf("after %v the threshold is %d, want 30000 at least", pause, e.c.cc.Ssthresh)
		}
	}
}

// Small amounts now and then prove nothing: the five minutes count from the first of
// them, and the window doesn't grow. A window that is filled again is proven.
// (RFC 7661, 4.3)
func TestAWindowThatIsHardlyUsedIsUnproven(t *testing.T) {
	e := provenEnd(t, "reno")
	sent := 30_001
	small := func() int {
		got := e.asks(time.Minute, 1000)
		sent += 1000
		e.peer().sends(sprintf("A 1 ack %d", sent))
		return got
	}
	for minute := 1; minute <= 4; minute++ {
		if got := small(); got != 40_000 {
			t.Errorf("after %d minutes the window has %d octets, want 40000", minute, got)
		}
	}
	small()
	if got := e.c.Info().Cwnd; got != 20_000 {
		t.Errorf("after 5 minutes the window has %d octets, want 20000", got)
	}
	e.writes(20_000)
	e.sent = nil
	sent += 20_000
	e.peer().sends(sprintf("A 1 ack %d", sent))
	if got := e.c.Info().Cwnd; got <= 20_000 {
		t.Errorf("a window that is used doesn't grow: %d", got)
	}
	if e.c.loss.history.unproven != 0 {
		t.Error("it is used, and counts as unproven")
	}
}

// The reduction is of what was in flight or acknowledged, not of the window (RFC 7661,
// 4.4.1): of one of 40 segments of which 8 are used, a loss leaves what it leaves of 8, with
// CUBIC 0.7 of that. A window that is used loses as ever.
func TestALossTakesTheUnusedWindow(t *testing.T) {
	for algorithm, want := range map[string]int{"reno": 4000, "cubic": 5000} {
		e := provenEnd(t, algorithm)
		e.asks(time.Minute, 8000)
		e.peer().sends("A 1 ack 30001", "A 1 ack 30001", "A 1 ack 30001")
		e.sent = nil
		if got := e.c.cc.Ssthresh; got != want {
			t.Errorf("%s: after a loss the threshold is %d, want %d", algorithm, got, want)
		}
		e = provenEnd(t, algorithm)
		e.asks(time.Minute, 8000)
		e.after(time.Second) // the time-out
		e.sent = nil
		if got := e.c.cc.Ssthresh; got != want {
			t.Errorf("%s: after a time-out the threshold is %d, want %d", algorithm, got, want)
		}
		e = provenEnd(t, algorithm)
		e.asks(time.Millisecond, 40_000)
		e.peer().sends("A 1 ack 30001", "A 1 ack 30001", "A 1 ack 30001")
		e.sent = nil
		if got := e.c.cc.Ssthresh; got < 20_000 {
			t.Errorf("%s: a window that was used falls to %d", algorithm, got)
		}
	}
}
