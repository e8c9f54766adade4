package tcp

import (
	"testing"
	"time"
)

func TestEstimatorFollowsRFC6298(t *testing.T) {
	env := NewEnv(DefaultConfig())
	e := estimator{rto: time.Second}
	steps := []struct{ r, srtt, rttvar, rto time.Duration }{
		// "When the first RTT measurement R is made, the host MUST set
		// SRTT <- R ... RTTVAR <- R/2 ... RTO <- SRTT + max (G, K*RTTVAR)".
		// RFC 6298, 2. (R6298-2, R6298-3)
		{800 * ms, 800 * ms, 400 * ms, 2400 * ms},
		// "When a subsequent RTT measurement R' is made", beta is 1/4, alpha 1/8.
		{800 * ms, 800 * ms, 300 * ms, 2000 * ms},
		{1600 * ms, 900 * ms, 425 * ms, 2600 * ms},
		{100 * ms, 800 * ms, 518750 * time.Microsecond, 2875 * ms},
	}
	for i, s := range steps {
		e.sample(env, s.r)
		if e.srtt != s.srtt || e.rttvar != s.rttvar || e.rto != s.rto {
			t.Errorf("step %d: SRTT %v, RTTVAR %v, RTO %v; want %v, %v, %v", i, e.srtt, e.rttvar, e.rto, s.srtt, s.rttvar, s.rto)
		}
	}
}

func TestTimeoutHasAFloorAndACeiling(t *testing.T) {
	env := NewEnv(DefaultConfig())
	e := estimator{}
	for range 10 {
		e.sample(env, 0) // a network in memory
	}
	if got := e.timeout(env); got != env.MinRTO {
		t.Errorf("after samples of zero the time-out is %v", got)
	}
	for range 100 {
		e.sample(env, time.Hour)
	}
	if got := e.timeout(env); got != env.MaxRTO {
		t.Errorf("after samples of an hour the time-out is %v", got)
	}
	for range 300 {
		e.backOff(env)
	}
	if got := e.timeout(env); got != env.MaxRTO {
		t.Errorf("after 300 doublings the time-out is %v", got)
	}
}

func TestRetransmittedSegmentIsNotMeasured(t *testing.T) {
	// "The RTO MUST be computed according to the algorithm in [10], including
	// Karn's algorithm for taking RTT samples (MUST-18)." RFC 9293, 3.8.1. (R6298-5)
	e := establishedEnd(t)
	before := e.c.Info()
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.after(before.RTO)
	e.want().segment("PA 1:101 ack 1", ReasonTimeout)
	e.after(10 * ms)
	e.peer().sends("A 1 ack 101")
	after := e.c.Info()
	if after.SRTT != before.SRTT || after.RTO != 2*before.RTO {
		t.Errorf("SRTT was %v and is %v, RTO was %v and is %v", before.SRTT, after.SRTT, before.RTO, after.RTO)
	}
	// The back-off lasts until a segment that went out once is measured.
	e.writes(100)
	e.want().segment("PA 101:201 ack 1", ReasonData)
	e.after(30 * ms)
	e.peer().sends("A 1 ack 201")
	if got := e.c.Info(); got.RTO != got.SRTT+200*ms {
		t.Errorf("RTO is %v", got.RTO)
	}
}

func TestTimestampTellsRetransmissionFromOriginal(t *testing.T) {
	// With timestamps a retransmission can be measured: RFC 7323, 4.1. (R7323-10, R6298-5)
	e := establishedEnd(t, modern)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.after(e.c.Info().RTO)
	sent := e.want().segment("PA 1:101 ack 1", ReasonTimeout)
	e.after(80 * ms)
	e.peer().sends(sprintf("A 1 ack 101 ts 1000 %d", sent.Options.TSVal))
	if got := e.c.Info(); got.SRTT != 10*ms || got.Retries != 0 { // one eighth of 80 ms; the handshake took none
		t.Errorf("SRTT is %v", got.SRTT)
	}
}

func TestSampleOfZeroIsASample(t *testing.T) {
	// A network in memory answers within the same instant.
	e := establishedEnd(t)
	if info := e.c.Info(); info.SRTT != 0 || info.RTO != 200*ms {
		t.Errorf("SRTT %v, RTO %v", info.SRTT, info.RTO)
	}
}

func TestHandshakeIsMeasured(t *testing.T) {
	e := synSentEnd(t)
	e.after(100 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if info := e.c.Info(); info.SRTT != 100*ms || info.RTO != 300*ms {
		t.Errorf("SRTT %v, RTO %v", info.SRTT, info.RTO)
	}
}

func TestLostSYNMeansThreeSeconds(t *testing.T) {
	// "(5.7) If the timer expires awaiting the ACK of a SYN segment and the
	// TCP implementation is using an RTO less than 3 seconds, the RTO MUST be
	// re-initialized to 3 seconds when data transmission begins (i.e., after
	// the three-way handshake completes)." RFC 6298, 5. (R6298-8)
	e := synSentEnd(t)
	e.after(time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if got := e.c.Info().RTO; got != 3*time.Second {
		t.Errorf("RTO is %v", got)
	}
}

func TestTimestampsThatWereNotAgreedOnMeasureNothing(t *testing.T) {
	e := establishedEnd(t)
	before := e.c.Info()
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.after(before.RTO)
	e.want().segment("PA 1:101 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 101 ts 5 1")
	if after := e.c.Info(); after.SRTT != before.SRTT {
		t.Errorf("SRTT went from %v to %v", before.SRTT, after.SRTT)
	}
}
