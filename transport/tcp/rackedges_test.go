package tcp

import (
	"testing"
	"time"
)

func TestAnACKThatCameTooSoonIsNotOfTheRetransmission(t *testing.T) {
	// "To avoid spurious inferences, ignore a segment as invalid if any of its
	// sequence range has been retransmitted before and if ... The segment was last
	// retransmitted less than RACK.min_rtt ago." (RFC 8985, 6.2) Otherwise all that
	// was sent before the retransmission would count as lost.
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.after(ms)
	e.peer().sends("A 1 ack 4001")
	e.want().nothing()
	if info := e.c.Info().Recovery; info.Lost != 0 || info.LostInAll != 1 {
		t.Errorf("%+v", info)
	}
}

func TestHowFarSegmentsWereOvertaken(t *testing.T) {
	// "DupThresh" may adapt to reordering (RFC 6675, 2 and 7; RFC 4653): here to as
	// many segments as one was overtaken by, up to tcp_max_reordering.
	for most, want := range map[int]int{300: 6, 6: 6, 5: 5} {
		e := sackFlight(t, 10, 100*ms, noProbe, func(c *Config) { c.NoDupThresh, c.MaxReordering = true, most })
		e.peer().sends("A 1 ack 1 sack 1001:6001")
		e.want().nothing()
		e.after(10 * ms)
		e.peer().sends("A 1 ack 6001")
		e.sent = nil
		if info := e.c.Info().Recovery; int(info.Reordering) != want || info.ReorderingSeen != 1 {
			t.Errorf("%d at most: %+v", most, info)
		}
	}
}

func TestAWideReorderingWindowLastsSixteenRecoveries(t *testing.T) {
	// "RACK persists using the inflated RACK.reo_wnd for up to 16 loss recoveries,
	// after which it resets RACK.reo_wnd to its starting value" (RFC 8985, 6.2).
	h := &history{steps: 3, persist: windowPersists}
	for i := 1; i < 16; i++ {
		if h.leftRecovery(); h.steps != 3 {
			t.Fatalf("it lasts for %d", i)
		}
	}
	for range 2 {
		if h.leftRecovery(); h.steps != 1 || h.persist != 0 {
			t.Fatalf("after 16: %d steps, %d to come", h.steps, h.persist)
		}
	}
}

func TestRateReductionCountsWhatWentOut(t *testing.T) {
	// "SafeACK ... the ACK ... forward progress ... limit = MAX(prr_delivered -
	// prr_out, DeliveredData)" (RFC 9937, 6.2): seven of ten are lost, and as many
	// go out as have arrived, two for one where the ACK is safe.
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 7001:10001")
	for _, spec := range []string{"A 1:1001 ack 1", "A 1001:2001 ack 1", "PA 2001:3001 ack 1"} {
		e.want().segment(spec, ReasonRACK)
	}
	e.want().nothing()
	e.want().recovers(PhaseRecovery, 5000, 3000, 3000)
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1001 sack 7001:10001")
	e.want().segment("A 3001:4001 ack 1", ReasonRACK)
	e.want().segment("PA 4001:5001 ack 1", ReasonRACK)
	e.want().nothing()
	e.want().recovers(PhaseRecovery, 5000, 4000, 4000)
}

func TestCongestionThatIsCertainIsNotUndone(t *testing.T) {
	// "The indication of congestion should be treated just as a congestion loss in
	// non-ECN-Capable TCP" (RFC 3168, 6.1.2): though all retransmissions came twice,
	// the window stays reduced.
	for echo, restored := range map[string]bool{"A": true, "AE": false} {
		e := newEnd(t, sacked, noProbe)
		e.accept(testParams(), "SEW 0 mss 1000")
		e.want().segment("SAE 0 ack 1", ReasonOpenReply)
		e.after(100 * ms)
		e.peer().sends("A 1 ack 1")
		e.writes(10_000)
		e.sent = nil
		e.after(100 * ms)
		e.peer().sends("A 1 ack 1 sack 1001:4001")
		e.peer().sends(echo + " 1 ack 1 sack 1001:5001")
		e.sent = nil
		e.after(ms)
		e.peer().sends("A 1 ack 10001")
		e.after(99 * ms)
		e.peer().sends("A 1 ack 10001 sack 1:1001")
		e.sent = nil
		if info := e.c.Info(); (info.Ssthresh != 5000) != restored || info.Recovery.Undone != 1 {
			t.Errorf("%s: ssthresh %d, undone %d", echo, info.Ssthresh, info.Recovery.Undone)
		}
	}
}

func TestALateTimerMakesUpForHalfABurst(t *testing.T) {
	// As on Linux: of the time that a burst takes, 20 ms here, half is made up for,
	// and nothing when it was a pause.
	for late, wait := range map[time.Duration]time.Duration{
		0: 20 * ms, 5 * ms: 15 * ms, 10 * ms: 10 * ms, 15 * ms: 10 * ms, 20*ms - 1: 10 * ms, 20 * ms: 20 * ms, 25 * ms: 20 * ms,
	} {
		e := establishedEnd(t)
		e.c.SetMaxPacingRate(100_000)
		e.writes(9000)
		e.sent = nil
		e.now = e.now.Add(20*ms + late)
		e.c.HandleTimer(e.now)
		e.drain()
		e.sent = nil
		if got := e.c.rare.pace.next.Sub(e.now); got != wait {
			t.Errorf("%v late: the next burst is %v away, want %v", late, got, wait)
		}
	}
}

func TestACorkWithNoDelayAndMore(t *testing.T) {
	// "TCP_NODELAY ... setting this option forces an explicit flush of pending
	// output"; "All queued partial frames are sent when the option is cleared again."
	// (tcp(7)) As on Linux a cork that is drawn flushes at once what MSG_MORE holds
	// back too, if the program wants no delay.
	for _, noDelay := range []bool{false, true} {
		e := establishedEnd(t)
		if noDelay {
			e.does(func(c *Conn) { c.SetNoDelay(true) })
		}
		e.does(func(c *Conn) { c.SetCork(true) })
		if !e.c.Corked() {
			t.Error("not corked")
		}
		e.does(func(c *Conn) { c.SetMore(true) })
		e.writes(10)
		e.want().nothing()
		e.does(func(c *Conn) { c.SetCork(true) })
		e.want().nothing()
		e.does(func(c *Conn) { c.SetCork(false) })
		if e.c.Corked() {
			t.Error("still corked")
		}
		if noDelay {
			e.want().segment("A 1:11 ack 1", ReasonData) // without PSH: more is to come
		}
		e.want().nothing()
	}
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 300 })
	e.does(func(c *Conn) { c.SetQuickACK(true) })
	e.want().nothing() // there is nothing to acknowledge
	if e.c.ack.quick != 255 {
		t.Errorf("%d quick ACKs are to come, want the most that are counted", e.c.ack.quick)
	}
}
