package tcp

import (
	"testing"
	"time"

	"hubbub/transport/tcp/congestion"
)

func TestLossProbeSendsTheLastSegmentAgain(t *testing.T) {
	// "the default PTO interval is 2*SRTT". RFC 8985, 7.2 (R8985-4): here with
	// 2 ms of slack.
	//
	// "If such an unsent segment is not available, then the sender SHOULD
	// retransmit the highest-sequence segment sent so far". RFC 8985, 7.3
	// (R8985-5).
	e := sackFlight(t, 10, 100*ms)
	e.env.Watch = true
	e.peer().sends("A 1 ack 8001")
	if got := facts(e.env); got[len(got)-1].Timer != TimerLossProbe || got[len(got)-1].At != e.now.Add(202*ms) {
		t.Errorf("facts: %+v", got)
	}
	e.after(202*ms - 1)
	e.want().nothing()
	e.after(1)
	if s := e.want().segment("PA 9001:10001 ack 1", ReasonLossProbe); !s.Retransmission {
		t.Error("not marked as a retransmission")
	}
	// "the sender MUST re-arm the RTO timer, not the PTO timer".
	if got := e.c.NextTimer(); got != e.now.Add(300*ms) || !e.c.timers.running(TimerRetransmit) || e.c.timers.first != TimerRetransmit {
		t.Errorf("%v is due in %v", e.c.timers.first, got.Sub(e.now))
	}
	// "RACK would typically infer that any unacknowledged data segments sent
	// before the loss probe were lost". RFC 8985, 7.4.1.
	e.after(100 * ms)
	e.peer().sends("A 1 ack 8001 sack 9001:10001")
	e.want().segment("A 8001:9001 ack 1", ReasonRACK)
	if got := e.c.Info(); got.Phase != PhaseRecovery || got.Recovery.LossProbes != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLossProbePrefersNewData(t *testing.T) {
	// "the sender SHOULD transmit a previously unsent data segment, if one
	// exists and the receive window allows", though the congestion window
	// doesn't. RFC 8985, 7.3.
	e := sackEnd(t, 100*ms)
	e.writes(30000)
	e.sent = nil
	e.after(202 * ms)
	e.want().segment("A 10001:11001 ack 1", ReasonLossProbe)
	e.want().nothing()
	// "at any given time, the sender has at most one additional packet in
	// flight beyond the congestion window limit": what follows is the time-out.
	e.after(300*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
}

func TestLossProbeHasPatienceWithOneSegment(t *testing.T) {
	// "when the FlightSize is one segment, the sender MAY inflate the PTO by
	// TLP.max_ack_delay", "if the time at which an RTO would fire ... is sooner
	// than the computed time for the PTO, then the sender schedules a TLP to be
	// sent at that RTO time." RFC 8985, 7.2 (R8985-4).
	for _, c := range []struct{ rtt, wait time.Duration }{
		{0, 200 * ms},
		{20 * time.Microsecond, 200*ms + 20*time.Microsecond},
		{100 * ms, 300 * ms},
	} {
		e := sackEnd(t, c.rtt)
		e.writes(1000)
		e.want().segment("PA 1:1001 ack 1", ReasonData)
		e.after(c.wait - 1)
		e.want().nothing()
		e.after(1)
		e.want().segment("PA 1:1001 ack 1", ReasonLossProbe)
	}
}

func TestLossThatTheProbeHasMendedCounts(t *testing.T) {
	// "If the TLP sender does not receive such an indication, then it MUST
	// assume that the original data segment, the TLP retransmission, or a
	// corresponding ACK was lost for congestion control purposes." RFC 8985,
	// 7.4.2 (R8985-6).
	e := sackFlight(t, 1, 100*ms)
	e.after(200 * ms)
	e.want().segment("PA 1:1001 ack 1", ReasonLossProbe)
	e.peer().sends("A 1 ack 1001")
	e.want().recovers(PhaseOpen, congestion.Unlimited, 10000, 0)
	e.writes(4000)
	e.sent = nil
	e.peer().sends("A 1 ack 2001")
	if info := e.c.Info(); info.Cwnd != 2000 || info.Ssthresh != 2000 {
		t.Errorf("cwnd %d, ssthresh %d", info.Cwnd, info.Ssthresh)
	}
}

func TestProbeThatCameTwiceMeansNoLoss(t *testing.T) {
	// "If the TLP retransmission is spurious, a receiver that uses DSACK would
	// return an ACK that covers TLP.end_seq with a DSACK option (Case 1). If the
	// receiver does not support DSACK, it would return a DupAck without any SACK
	// option (Case 2)." RFC 8985, 7.4.2.
	for _, second := range []string{"A 1 ack 1001 sack 1:1001", "A 1 ack 1001"} {
		e := sackFlight(t, 1, 100*ms)
		e.after(200 * ms)
		e.want().segment("PA 1:1001 ack 1", ReasonLossProbe)
		e.peer().sends("A 1 ack 1001")
		e.writes(4000)
		e.sent = nil
		e.peer().sends(second, "A 1 ack 2001")
		if info := e.c.Info(); info.Cwnd != 10000 || info.Recovery.ProbeInFlight {
			t.Errorf("%q: cwnd %d", second, info.Cwnd)
		}
		e.sent = nil
	}
}

func TestNoProbeWithoutSACKOrWhereUnwanted(t *testing.T) {
	for name, adjust := range map[string]func(*Config){
		"no SACK": func(c *Config) { c.SACK = false }, "off": func(c *Config) { c.LossProbe = false },
	} {
		e := sackEnd(t, 100*ms, adjust)
		e.writes(1000)
		e.sent = nil
		e.after(300 * ms)
		if len(e.sent) != 1 || e.sent[0].Reason != ReasonTimeout {
			t.Errorf("%s: %+v", name, e.sent)
		}
		e.sent = nil
	}
}

func TestSecondProbeNeedsARoundTripMeasured(t *testing.T) {
	// "the sender has obtained an RTT measurement since the last loss probe
	// transmission". RFC 8985, 7.3.
	e := sackFlight(t, 1, 100*ms)
	e.after(200 * ms)
	e.want().segment("PA 1:1001 ack 1", ReasonLossProbe)
	e.peer().sends("A 1 ack 1001 sack 1:1001") // says nothing of time: it went out twice
	e.writes(1000)
	e.want().segment("PA 1001:2001 ack 1", ReasonData)
	e.after(300 * ms)
	e.want().nothing()
	e.after(300 * ms)
	e.want().segment("PA 1001:2001 ack 1", ReasonTimeout)
}
