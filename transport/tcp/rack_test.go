package tcp

import (
	"testing"
	"time"

	"hubbub/transport/tcp/congestion"
)

// sackEnd is connected to a peer with SACK over a path of a round-trip time.
func sackEnd(t *testing.T, rtt time.Duration, adjust ...func(*Config)) *end {
	t.Helper()
	e := synSentEnd(t, append([]func(*Config){sacked}, adjust...)...)
	e.after(rtt)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	return e
}

// sackFlight has n segments of 1000 octets in flight, and has waited for an
// answer as long as a round trip takes.
func sackFlight(t *testing.T, n int, rtt time.Duration, adjust ...func(*Config)) *end {
	t.Helper()
	e := sackEnd(t, rtt, adjust...)
	e.writes(1000 * n)
	for i := range min(n, 10) {
		spec := "A %d:%d ack 1"
		if i == n-1 {
			spec = "PA %d:%d ack 1"
		}
		e.want().segment(sprintf(spec, 1+1000*i, 1001+1000*i), ReasonData)
	}
	e.want().nothing()
	e.after(rtt)
	return e
}

// recovers expects a phase, a threshold, a window and what is on its way.
func (w wantOf) recovers(phase Phase, ssthresh, cwnd, pipe int) {
	w.t.Helper()
	if info := w.c.Info(); info.Phase != phase || info.Ssthresh != ssthresh || info.Cwnd != cwnd || info.Recovery.Pipe != pipe {
		w.t.Fatalf("%v, ssthresh %d, cwnd %d, pipe %d; want %v, %d, %d, %d", info.Phase, info.Ssthresh, info.Cwnd,
			info.Recovery.Pipe, phase, ssthresh, cwnd, pipe)
	}
}

func TestThreeSegmentsAfterAGapMeanALoss(t *testing.T) {
	// "The reordering window SHOULD be set to zero if no reordering has been
	// observed on the connection so far, and ... three segments have been SACKed
	// since the last recovery". RFC 8985, 3.3.2 (R8985-2).
	//
	// "once per window": RFC 6675, 5 (R6675-2); what is on its way is what was
	// sent and neither arrived nor is lost: RFC 6675, 4 (R6675-3).
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 1 sack 1001:2001", "A 1 ack 1 sack 1001:3001")
	e.want().nothing()
	e.want().recovers(PhaseDisorder, congestion.Unlimited, 10000, 8000)
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.want().nothing()
	// RecoverFS is 8000, for what was SACKed before doesn't count, DeliveredData
	// 1000: CEIL(1000 * 5000 / 8000) is less than the one segment that goes out
	// at first (RFC 9937, 6.2).
	e.want().recovers(PhaseRecovery, 5000, 7000, 7000)
	e.peer().sends("A 1 ack 1 sack 1001:5001")
	e.want().recovers(PhaseRecovery, 5000, 6250, 6000) // 2 segments of 8 have arrived: 1250 of 5000 may go out, and 1000 have
	e.peer().sends("A 1 ack 1 sack 1001:10001")
	e.want().recovers(PhaseRecovery, 5000, 5000, 1000) // what may go out, is not limited any more
	e.after(100 * ms)
	e.peer().sends("A 1 ack 10001")
	e.want().recovers(PhaseOpen, 5000, 5000, 0) // the end: "cwnd = ssthresh"
	if info := e.c.Info().Recovery; info.Delivered != 11 || info.LostInAll != 1 || info.ReorderingSeen != 0 {
		t.Errorf("%+v", info)
	}
}

func TestFewSegmentsAfterAGapMayBeLate(t *testing.T) {
	// "the sender SHOULD ... When the reordering window is not set to 0, it
	// starts with a conservative RACK.reo_wnd of RACK.min_RTT/4." RFC 8985, 6.2:
	// a quarter of 100 ms, and 2 ms of slack.
	e := sackFlight(t, 4, 100*ms)
	e.env.Watch = true
	e.peer().sends("A 1 ack 1 sack 3001:4001")
	e.want().nothing()
	if got := facts(e.env); len(got) == 0 || got[1].Timer != TimerReordering || got[1].At != e.now.Add(27*ms) {
		t.Errorf("facts: %+v", got)
	}
	e.after(27*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.want().nothing()
	e.want().recovers(PhaseRecovery, 2000, 1000, 1000)
	e.after(100 * ms)
	// The ACK is safe: it moves SND.UNA, and nothing more is lost. So two
	// segments go out for one (RFC 9937, 6.2).
	e.peer().sends("A 1 ack 1001 sack 3001:4001")
	e.want().segment("A 1001:2001 ack 1", ReasonRACK)
	e.want().segment("PA 2001:3001 ack 1", ReasonRACK)
	e.want().recovers(PhaseRecovery, 2000, 2000, 2000)
	e.peer().sends("A 1 ack 4001")
	e.want().recovers(PhaseOpen, 2000, 2000, 0)
}

func TestWhatIsLateIsNotSentAgain(t *testing.T) {
	// A segment that others have overtaken arrives in time: nothing is sent
	// again, and from then on three segments are no proof (RFC 8985, 6.2,
	// RACK_detect_reordering).
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 1 sack 1001:2001")
	e.after(10 * ms)
	e.peer().sends("A 1 ack 2001")
	e.want().recovers(PhaseOpen, congestion.Unlimited, 11000, 8000) // one of the two had arrived
	if info := e.c.Info().Recovery; info.ReorderingSeen != 1 || info.Reordering != 3 {
		t.Errorf("%+v", info)
	}
	e.peer().sends("A 1 ack 2001 sack 3001:9001")
	e.want().nothing()
	e.want().recovers(PhaseDisorder, congestion.Unlimited, 11000, 2000)
	// It waits min_RTT/4 and the slack, from when the ACK came.
	e.after(27*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 2001:3001 ack 1", ReasonRACK)
}

func TestLostRetransmissionIsFound(t *testing.T) {
	// "the delivery of the retransmission of P2 allows RACK to infer that the
	// retransmission of P1 was likely lost". RFC 8985, 3.4 (R8985-1).
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 1 sack 2001:3001", "A 1 ack 1 sack 2001:4001", "A 1 ack 1 sack 2001:5001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.after(ms)
	e.peer().sends("A 1 ack 1 sack 2001:8001")
	e.want().segment("A 1001:2001 ack 1", ReasonRACK)
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:8001")
	e.want().segment("A 1:1001 ack 1", ReasonLostRepeat)
	e.sent = nil
	if info := e.c.Info().Recovery; info.LostAgain != 1 {
		t.Errorf("%+v", info)
	}
}

func TestWindowForReorderingGrowsByDSACK(t *testing.T) {
	// "The RACK.reo_wnd increases linearly for every round trip in which the
	// sender receives some DSACK option so that after N round trips in which a
	// DSACK is received, the RACK.reo_wnd becomes (N+1) * min_RTT / 4, with an
	// upper-bound of SRTT." RFC 8985, 6.2 (R8985-3).
	e := sackFlight(t, 10, 100*ms)
	h := e.c.past()
	h.reordered = 1 // so that three segments mean nothing
	for round := range 5 {
		want := min(time.Duration(round+2)*25*ms, 100*ms)
		for range 2 { // once a round
			if e.c.adaptWindow(&news{dsack: true}); e.c.reorderWindow() != want {
				t.Errorf("round %d: the window is %v, want %v", round, e.c.reorderWindow(), want)
			}
		}
		h.round = e.c.snd.una // the round trip is over
	}
	// What a probe has doubled says nothing.
	h.steps, h.inRound = 1, false
	if e.c.adaptWindow(&news{dsack: true, probeTwice: true}); e.c.reorderWindow() != 25*ms {
		t.Errorf("after a probe the window is %v", e.c.reorderWindow())
	}
	e.env.StaticReorderWindow = true
	if e.c.adaptWindow(&news{dsack: true}); e.c.reorderWindow() != 25*ms {
		t.Errorf("it must not grow, and is %v", e.c.reorderWindow())
	}
}

func TestWidenedWindowLastsSixteenRecoveries(t *testing.T) {
	// "RACK persists using the inflated RACK.reo_wnd for up to 16 loss
	// recoveries, after which it resets RACK.reo_wnd to its starting value".
	// RFC 8985, 6.2.
	h := &history{steps: 4, persist: windowPersists}
	for i := range 15 {
		if h.leftRecovery(); h.steps != 4 {
			t.Fatalf("after %d recoveries it is %d", i+1, h.steps)
		}
	}
	if h.leftRecovery(); h.steps != 1 {
		t.Errorf("after 16 it is %d", h.steps)
	}
}

func TestNetworkInMemoryLosesAtOnce(t *testing.T) {
	// Where round trips take no time there is nothing to wait for: what was sent
	// before, was lost.
	e := sackFlight(t, 4, 0)
	e.peer().sends("A 1 ack 1 sack 3001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.peer().sends("A 1 ack 1001 sack 3001:4001")
	e.want().segment("A 1001:2001 ack 1", ReasonRACK)
	e.want().segment("PA 2001:3001 ack 1", ReasonRACK)
	e.peer().sends("A 1 ack 4001")
	e.want().recovers(PhaseOpen, 2000, 2000, 0)
}

func TestCountingInPlaceOfTime(t *testing.T) {
	// "IsLost (SeqNum): This routine returns whether the given sequence number
	// is considered to be lost. The routine returns true when either DupThresh
	// discontiguous SACKed sequences have arrived above 'SeqNum' or more than
	// (DupThresh - 1) * SMSS bytes with sequence numbers greater than 'SeqNum'
	// have been SACKed." RFC 6675, 4 (R6675-1).
	e := sackFlight(t, 10, 100*ms, func(c *Config) { c.RACK = false })
	e.peer().sends("A 1 ack 1 sack 3001:5001")
	e.after(90 * ms)
	e.want().nothing() // however long it takes
	e.peer().sends("A 1 ack 1 sack 3001:6001")
	e.want().segment("A 1:1001 ack 1", ReasonSACK)
	if info := e.c.Info().Recovery; info.Lost != 3 {
		t.Errorf("%d count as lost", info.Lost)
	}
}

func TestBlocksThatAreWrongAreIgnored(t *testing.T) {
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 1 sack 9001:11001", "A 1 ack 1 sack 5001:3001", "A 1 ack 1 sack 60001:70001")
	e.want().discarded(DiscardBadSACK, 3)
	e.peer().sends("A 1 ack 1 sack 1501:1999", "A 1 ack 1 sack 1001:1999") // no whole segment
	e.want().recovers(PhaseOpen, congestion.Unlimited, 10000, 10000)
}

func TestOldACKTellsByItsBlocks(t *testing.T) {
	// An ACK that another has overtaken still tells what has arrived.
	e := sackFlight(t, 10, 100*ms)
	e.peer().sends("A 1 ack 3001")
	e.sent = nil
	e.peer().sends("A 1 ack 1001 sack 5001:7001")
	if got := e.c.Info().Recovery.Sacked; got != 2 {
		t.Errorf("%d segments are known to have arrived", got)
	}
}

func TestOvertakenACKPassesPAWS(t *testing.T) {
	e := sackEnd(t, 100*ms, modern)
	e.writes(9880)
	e.sent = nil
	e.after(100 * ms)
	e.tsVal = 2000
	e.peer().sends("A 1 ack 1")
	e.tsVal = 1950
	e.peer().sends("A 1 ack 1 sack 4941:6917") // segments hold 988 octets
	if got := e.c.Info().Recovery.Sacked; got != 2 || e.c.ts.recent != 2000 {
		t.Errorf("%d segments, TS.Recent %d", got, e.c.ts.recent)
	}
	e.tsVal = 1000 // too old for that
	e.peer().sends("A 1 ack 1 sack 3953:6917")
	e.want().segment("A 9881 ack 1", ReasonOldDuplicate)
	e.sent = nil
}
