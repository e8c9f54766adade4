package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// leavesSent reports how long, by the clock outside, a caller waits who has sent
// something while somebody lags.
func leavesSent(w *World) time.Duration {
	since := time.Now()
	w.Enter()
	w.Lag()
	w.LeaveSent(nil)
	return time.Since(since)
}

// Whoever has sent something waits until the reader has caught up.
func TestSendersLetReadersCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Real, 1)
		defer w.Close()
		go func() {
			time.Sleep(time.Millisecond)
			w.Enter()
			w.CaughtUp()
			w.Unlock()
		}()
		if d := leavesSent(w); d != time.Millisecond {
			t.Errorf("a sender has waited for %v, want 1ms, when the reader had caught up", d)
		}
		since := time.Now()
		w.Enter()
		w.LeaveSent(nil)
		if d := time.Since(since); d != 0 {
			t.Errorf("a sender has waited for %v, with nobody behind", d)
		}
	})
}

// After a wait for nothing the next senders don't wait.
func TestSendersWaitForNobodyForLong(t *testing.T) {
	for _, speed := range []float64{1, 0.5, 8} {
		synctest.Test(t, func(t *testing.T) {
			w := New(Scaled(speed), 1)
			defer w.Close()
			if d := leavesSent(w); d != longBacklog {
				t.Errorf("speed %v: a sender has waited for %v, want %v", speed, d, longBacklog)
			}
			for n := range waitsSkipped {
				if d := leavesSent(w); d != 0 {
					t.Fatalf("speed %v: sender %d after it has waited for %v", speed, n, d)
				}
			}
			if d := leavesSent(w); d != longBacklog {
				t.Errorf("speed %v: later a sender has waited for %v, want %v", speed, d, longBacklog)
			}
		})
	}
}

// Where the clock stands still nobody waits: there a wait might never end.
func TestSendersDoNotWaitWhereTheClockStands(t *testing.T) {
	for name, pace := range map[string]Pace{"paused": Paused, "virtual": Virtual} {
		synctest.Test(t, func(t *testing.T) {
			w := New(pace, 1)
			defer w.Close()
			if d := leavesSent(w); d != 0 {
				t.Errorf("%s: a sender has waited for %v", name, d)
			}
		})
	}
}

// A world that ends lets everybody go.
func TestSendersGoWhenTheWorldEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Real, 1)
		go func() {
			time.Sleep(time.Millisecond)
			w.Close()
		}()
		if d := leavesSent(w); d != time.Millisecond {
			t.Errorf("a sender has waited for %v, want 1ms, when the world has ended", d)
		}
	})
}
