package tcp

import (
	"testing"
	"time"

	"hubbub/transport/tcp/congestion"
)

func noProbe(c *Config) { c.LossProbe = false }

func TestTimeoutForNothingIsFoundByFRTO(t *testing.T) {
	// "b) If the acknowledgment ... acknowledges data that was not
	// retransmitted", "the TCP sender ... declares the timeout spurious". RFC
	// 5682, 3.1, SACK-enhanced: no second round trip is needed where the ACK
	// covers more than what went out again.
	e := sackFlight(t, 5, 100*ms, noProbe)
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.want().nothing()
	e.want().recovers(PhaseLoss, 2500, 1000, 1000)
	e.after(50 * ms) // too soon to answer what went out again
	e.peer().sends("A 1 ack 2001")
	e.want().nothing()
	e.want().recovers(PhaseOpen, congestion.Unlimited, 10000, 3000)
	if got := e.c.Info(); got.Recovery.Undone != 1 || got.Retries != 0 {
		t.Errorf("%+v", got)
	}
}

func TestFRTOTriesNewData(t *testing.T) {
	// "2. ... b) ... the TCP sender transmits up to two new (previously unsent)
	// segments". RFC 5682, 2.1 and 3.1.
	e := sackEnd(t, 100*ms, noProbe)
	e.writes(30000)
	e.sent = nil
	e.after(300 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 1001")
	e.want().segment("A 10001:11001 ack 1", ReasonTryNew)
	e.want().segment("PA 11001:12001 ack 1", ReasonTryNew)
	e.want().nothing()
	if !e.c.Info().Recovery.Spurious {
		t.Error("the time-out is not in doubt")
	}
	// An original arrives after all.
	e.peer().sends("A 1 ack 2001")
	if info := e.c.Info(); info.Phase != PhaseOpen || info.Ssthresh != congestion.Unlimited || info.Recovery.Undone != 1 {
		t.Errorf("%+v", info)
	}
	e.sent = nil
}

func TestTimeoutThatWasRight(t *testing.T) {
	// "3. a) If the acknowledgment ... is a duplicate" or tells that the new
	// data has arrived, "the TCP sender ... continues with slow start
	// retransmissions". RFC 5682, 3.1.
	e := sackEnd(t, 100*ms, noProbe)
	e.writes(30000)
	e.sent = nil
	e.after(300 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 1001")
	e.sent = nil
	e.peer().sends("A 1 ack 1001 sack 10001:11001")
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout)
	e.want().nothing()
	if info := e.c.Info(); info.Phase != PhaseLoss || info.Recovery.Spurious || info.Recovery.Undone != 0 {
		t.Errorf("%+v", info)
	}
	e.sent = nil
}

func TestWithoutFRTOTheTimeoutIsBelieved(t *testing.T) {
	e := sackEnd(t, 100*ms, noProbe, func(c *Config) { c.FRTO = false })
	e.writes(30000)
	e.sent = nil
	e.after(300 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 1001")
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout)
	e.want().segment("PA 2001:3001 ack 1", ReasonTimeout)
}

func TestTimeoutSparesWhatWasSentJustNow(t *testing.T) {
	// "Upon RTO timer expiration, RACK marks the first outstanding segment as
	// lost (since it was sent an RTO ago); for all the other segments, RACK only
	// marks the segment as lost if the time elapsed since the segment was
	// transmitted is at least the sum of the recent RTT and the reordering
	// window." RFC 8985, 6.3.
	e := sackEnd(t, 100*ms, noProbe)
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	e.writes(1000)
	e.sent = nil
	e.after(170 * ms)
	e.writes(1000)
	e.sent = nil
	e.after(20 * ms)
	e.writes(1000)
	e.sent = nil
	e.after(110 * ms)
	e.want().segment("PA 1:1001 ack 1", ReasonTimeout)
	info := e.c.Info().Recovery
	if info.Lost != 2 || info.Segments != 3 || info.Pipe != 2000 {
		t.Errorf("%+v", info)
	}
}

func TestEarlyRetransmitIsUndoneByTimestamps(t *testing.T) {
	// "If the value of the Timestamp Echo Reply field of the acceptable ACK's
	// Timestamps option is smaller than the value of RetransmitTS": the original
	// has arrived. RFC 3522, 3.2. The window is as before: RFC 4015, 3.3.
	e := sackEnd(t, 100*ms, modern, noProbe)
	e.writes(9880)
	e.sent = nil
	sent := e.c.ts.now(e.now)
	e.after(100 * ms)
	e.peer().sends(sprintf("A 1 ack 1 ts 1000 %d sack 989:3953", sent))
	e.want().segment("A 1:989 ack 1", ReasonRACK)
	e.after(5 * ms)
	e.peer().sends(sprintf("A 1 ack 4941 ts 1000 %d", sent))
	if info := e.c.Info(); info.Recovery.Undone != 1 || info.Cwnd < 9880 || info.Ssthresh != congestion.Unlimited || info.Phase == PhaseRecovery {
		t.Errorf("%+v", info)
	}
	if info := e.c.Info().Recovery; info.ReorderingSeen == 0 {
		t.Error("that the network changes the order was not noticed")
	}
	e.sent = nil
}

func TestRetransmissionThatWasNeededIsNotUndone(t *testing.T) {
	e := sackEnd(t, 100*ms, modern, noProbe)
	e.writes(9880)
	e.sent = nil
	sent := e.c.ts.now(e.now)
	e.after(100 * ms)
	e.peer().sends(sprintf("A 1 ack 1 ts 1000 %d sack 989:3953", sent))
	again := e.want().segment("A 1:989 ack 1", ReasonRACK)
	e.after(100 * ms)
	e.peer().sends(sprintf("A 1 ack 9881 ts 1000 %d", again.Options.TSVal))
	if info := e.c.Info(); info.Recovery.Undone != 0 || info.Ssthresh != 4940 || info.Cwnd != 5928 || info.Phase != PhaseOpen {
		t.Errorf("%+v", info)
	}
}

func TestReductionIsUndoneByDSACK(t *testing.T) {
	// All that was sent again has come twice: nothing had been lost. RFC 3708,
	// 3; RFC 4015, 3.3.
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.after(ms)
	e.peer().sends("A 1 ack 10001")
	e.want().recovers(PhaseOpen, 5000, 6000, 0) // more than a window has arrived
	e.after(99 * ms)
	e.peer().sends("A 1 ack 10001 sack 1:1001")
	e.want().recovers(PhaseOpen, congestion.Unlimited, 10000, 0)
	// Once is enough.
	e.peer().sends("A 1 ack 10001 sack 1:1001")
	if info := e.c.Info().Recovery; info.Undone != 1 || info.Duplicates != 2 {
		t.Errorf("%+v", info)
	}
}

func TestDSACKsNobodyCausedUndoNothing(t *testing.T) {
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	// More duplicates than retransmissions come from the network, or a forger.
	e.peer().sends("A 1 ack 1 sack 0:3001,1001:4001", "A 1 ack 1 sack 0:70001,1001:4001", "A 1 ack 1 sack 0:20001,1001:4001")
	if info := e.c.Info(); info.Recovery.Undone != 0 || info.Phase != PhaseRecovery {
		t.Errorf("%+v", info)
	}
	e.sent = nil
}

func TestReceiverThatThrowsAwayWhatItReported(t *testing.T) {
	// "the data sender SHOULD turn off all of the SACKed bits" after a
	// retransmission time-out. RFC 2018, 8 (R2018-6). A sender never drops what
	// was only SACKed (R2018-7).
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:10001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1001")
	e.want().nothing()
	if e.c.Unacked() != 9000 {
		t.Errorf("%d octets are kept", e.c.Unacked())
	}
	e.after(50*ms - 1) // half a round trip, for the receiver to think again
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout)
	if info := e.c.Info().Recovery; info.Sacked != 0 || info.Lost != 9 {
		t.Errorf("%+v", info)
	}
	e.peer().sends("A 1 ack 10001")
	e.want().nothing()
}

func TestRTORestart(t *testing.T) {
	// "the retransmission timer is ... RTO - T_earliest": it counts from when
	// the oldest segment that is left was sent. RFC 7765, 4.
	for restart, want := range map[bool]time.Duration{false: 300 * ms, true: 250 * ms} {
		e := sackEnd(t, 100*ms, noProbe, func(c *Config) { c.RTORestart = restart })
		e.does(func(c *Conn) { c.SetNoDelay(true) })
		e.writes(1000)
		e.sent = nil
		e.after(50 * ms)
		e.writes(1000)
		e.sent = nil
		e.after(50 * ms)
		e.peer().sends("A 1 ack 1001")
		if got := e.c.NextTimer().Sub(e.now); got != want {
			t.Errorf("restart %v: due in %v", restart, got)
		}
	}
}

func TestLeastRoundTripTimeIsForgotten(t *testing.T) {
	// "track a windowed min-filtered estimate of recent RTT measurements that
	// can adapt when migrating to significantly longer paths". RFC 8985, 6.2.
	env, e := NewEnv(DefaultConfig()), estimator{}
	at := began
	for _, c := range []struct {
		after, r, want time.Duration
	}{
		{0, 50 * ms, 50 * ms},
		{time.Second, 80 * ms, 50 * ms},
		{time.Second, 40 * ms, 40 * ms},
		{300 * time.Second, 90 * ms, 40 * ms},
		{1, 90 * ms, 90 * ms},
		{1, 0, 0},
	} {
		at = at.Add(c.after)
		if e.lowest(env, at, c.r); e.least != c.want {
			t.Errorf("after %v it is %v, want %v", c.after, e.least, c.want)
		}
	}
}
