package tcp

import (
	"testing"
	"time"
)

func TestWhatIsLostGoesOutBeforeWhatIsNew(t *testing.T) {
	// NextSeg: "(1) If there exists a smallest unSACKed sequence number 'S2' that
	// meets the following three criteria for determining loss, the sequence range of
	// one segment of up to SMSS octets starting with S2 MUST be returned. ... (2) If
	// no sequence number 'S2' per rule (1) exists but there exists available unsent
	// data and the receiver's advertised window allows, the sequence range of one
	// segment of up to SMSS octets of previously unsent data ... MUST be returned."
	// RFC 6675, 4. (R6675-4)
	e := sackEnd(t, 100*ms)
	e.writes(20000)
	e.sent = nil
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:2001,3001:4001,5001:9001")
	e.peer().sends("A 1 ack 1 sack 5001:10001,1001:2001,3001:4001")
	e.peer().sends("A 1 ack 2001 sack 5001:10001,3001:4001")
	e.peer().sends("A 1 ack 4001 sack 5001:10001")
	e.peer().sends("A 1 ack 10001")
	var order []int
	for _, s := range e.sent {
		order = append(order, s.Seq.Sub(testISS))
	}
	e.sent = nil
	want := []int{1, 2001, 4001, 10001}
	if len(order) < len(want) {
		t.Fatalf("sent %v", order)
	}
	for i, seq := range want {
		if order[i] != seq {
			t.Fatalf("sent %v, want first the lost %v", order, want)
		}
	}
}

func TestTimeoutInRecoveryEndsIt(t *testing.T) {
	// "If an RTO occurs during loss recovery as specified in this document,
	// RecoveryPoint MUST be set to HighData. Further, the new value of RecoveryPoint
	// MUST be preserved and the loss recovery algorithm outlined in this document
	// MUST be terminated. In addition, a new recovery phase ... MUST NOT be initiated
	// until HighACK is greater than or equal to the new value of RecoveryPoint."
	// RFC 6675, 5.1. (R6675-5)
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	if phase := e.c.Info().Phase; phase != PhaseRecovery {
		t.Fatalf("the phase is %v", phase)
	}
	for e.c.Info().Phase == PhaseRecovery {
		e.sent = nil
		e.pass(e.c.NextTimer())
	}
	e.sent = nil
	for _, spec := range []string{"A 1 ack 1 sack 1001:5001", "A 1 ack 1 sack 1001:6001", "A 1 ack 6001", "A 1 ack 9001"} {
		e.peer().sends(spec)
		e.sent = nil
		if phase := e.c.Info().Phase; phase != PhaseLoss {
			t.Errorf("after %q the phase is %v, want %v", spec, phase, PhaseLoss)
		}
	}
	e.peer().sends("A 1 ack 10001")
	if phase := e.c.Info().Phase; phase != PhaseOpen {
		t.Errorf("in the end the phase is %v", phase)
	}
	e.sent = nil
}

func TestWithoutSACKThereIsNoLossProbe(t *testing.T) {
	// "The connection MUST use selective acknowledgment (SACK) options". RFC 8985,
	// 4. (R8985-7)
	for _, sack := range []bool{false, true} {
		e := establishedEnd(t, func(c *Config) { c.SACK = sack })
		if sack {
			e = sackEnd(t, 0)
		}
		e.writes(10)
		e.sent = nil
		if got := e.c.timers.running(TimerLossProbe); got != sack {
			t.Errorf("SACK %v: a loss probe is waited for: %v", sack, got)
		}
	}
}

func TestTimeoutOfAShortPathHasTheFloorOfLinux(t *testing.T) {
	// "Whenever RTO is computed, if it is less than 1 second, then the RTO SHOULD be
	// rounded up to 1 second." RFC 6298, 2. (R6298-4) It is 200 ms, as in Linux.
	e := establishedEnd(t)
	if got := e.c.Info().RTO; got != 200*time.Millisecond {
		t.Errorf("without any delay the time-out is %v", got)
	}
}
