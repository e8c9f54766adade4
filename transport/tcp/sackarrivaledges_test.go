package tcp

import (
	"testing"

	"hubbub/transport/tcp/congestion"
)

// RFC 2018, 4: "Left Edge of Block: ... the first sequence number of this block", beyond what
// is acknowledged: a block that begins there contradicts its own acknowledgment.
func TestABlockThatTouchesTheACKSaysNothing(t *testing.T) {
	e := sackFlight(t, 5, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1001 sack 1001:2001")
	e.want().nothing()
	if i := e.c.Info(); i.Recovery.Sacked != 0 || i.Recovery.Segments != 4 {
		t.Errorf("%d of %d segments have arrived", i.Recovery.Sacked, i.Recovery.Segments)
	}
	e.peer().sends("A 1 ack 1001 sack 2001:3001")
	if i := e.c.Info(); i.Recovery.Sacked != 1 {
		t.Errorf("%d segments have arrived", i.Recovery.Sacked)
	}
	e.sent = nil
}

// "RTT samples MUST NOT be made using segments that were retransmitted" (RFC 6298, 3), by which
// acknowledgment ever; nor were they overtaken by those that came after the first time (RFC
// 8985, 6.2).
func TestARetransmissionThatIsSackedMeasuresNothing(t *testing.T) {
	e := sackFlight(t, 8, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 2001:7001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.want().segment("PA 1001:2001 ack 1", ReasonRACK)
	e.sent = nil
	before := e.c.Info()
	e.after(20 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:7001") // the second retransmission has come
	e.sent = nil
	if i := e.c.Info(); i.SRTT != before.SRTT || i.Recovery.MinRTT != before.Recovery.MinRTT || i.Recovery.Sacked != 6 {
		t.Errorf("%d arrived; measured %v, the least %v", i.Recovery.Sacked, i.SRTT, i.Recovery.MinRTT)
	}
	e.after(5 * ms)
	e.peer().sends("A 1 ack 8001")
	if i := e.c.Info(); i.Recovery.ReorderingSeen != 0 || i.Recovery.LostInAll != 2 {
		t.Errorf("%d lost; reordering was seen %d times", i.Recovery.LostInAll, i.Recovery.ReorderingSeen)
	}
}

// What was sent once and has arrived after a gap is measured: the round trip by the first of
// it, the least by the last, whose ACK waited for nothing.
func TestWhatIsSackedIsMeasured(t *testing.T) {
	e := sackEnd(t, 100*ms, noProbe)
	for i := range 3 { // 10 ms after each other
		e.writes(1000)
		e.want().segment(sprintf("PA %d:%d ack 1", 1+1000*i, 1001+1000*i), ReasonData)
		e.after(10 * ms)
	}
	e.after(60 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:3001")
	e.sent = nil
	if i := e.c.Info(); i.SRTT != (7*100*ms+80*ms)/8 || i.Recovery.MinRTT != 70*ms {
		t.Errorf("the round trip is %v, the least %v", i.SRTT, i.Recovery.MinRTT)
	}
}

// RFC 5682, 3.1: "acknowledges data that was not retransmitted": a selective acknowledgment
// does, too.
func TestASACKShowsThatATimeoutWasForNothing(t *testing.T) {
	e := sackFlight(t, 5, 100*ms, noProbe)
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.env.Watch = true
	e.after(50 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:2001")
	e.want().told("what was never sent again has arrived: the time-out was for nothing (F-RTO)")
	if i := e.c.Info(); i.Ssthresh != congestion.Unlimited || i.Recovery.Undone != 1 {
		t.Errorf("the threshold is %d; %d undone", i.Ssthresh, i.Recovery.Undone)
	}
	e.sent = nil
}

// RFC 2883, 5: what came twice is no longer than the largest window that the peer ever had.
func TestHowLongADSACKMayBe(t *testing.T) {
	for window, bad := range map[uint32]uint32{5000: 0, 4999: 1} {
		e := sackFlight(t, 10, 100*ms, noProbe)
		e.c.snd.maxWnd = window
		e.peer().sends("A 1 ack 5001 sack 1:5001")
		e.sent = nil
		e.want().discarded(DiscardBadSACK, bad)
	}
}

// RFC 8985, 7.4.2: only a D-SACK of the probe itself says that the probe was for nothing. Of
// another segment it says nothing about the loss that the probe has mended.
func TestWhichDSACKIsOfTheProbe(t *testing.T) {
	for block, mended := range map[string]bool{"1001:2001": false, "1:1001": true} {
		e := sackFlight(t, 2, 100*ms)
		e.after(102 * ms)
		e.want().segment("PA 1001:2001 ack 1", ReasonLossProbe)
		e.env.Watch = true
		e.after(50 * ms)
		e.peer().sends("A 1 ack 2001 sack " + block)
		e.writes(1000)
		e.sent = nil
		e.peer().sends("A 1 ack 3001")
		told := false
		for _, f := range facts(e.env) {
			told = told || f.Why == "a loss that the probe has mended"
		}
		if told != mended {
			t.Errorf("%s came twice: the probe has mended a loss: %v", block, told)
		}
		e.sent = nil
	}
}

// RFC 3708, 3: the reduction is undone when all that was sent again has come twice, not before.
func TestAllRetransmissionsMustHaveComeTwice(t *testing.T) {
	e := sackFlight(t, 8, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 2001:7001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.want().segment("PA 1001:2001 ack 1", ReasonRACK)
	e.sent = nil
	e.env.Watch = true
	e.after(ms)
	e.peer().sends("A 1 ack 8001", "A 1 ack 8001 sack 1:1001")
	if i := e.c.Info(); i.Recovery.Undone != 0 || i.Recovery.Duplicates != 1 {
		t.Errorf("after one of two: %d undone, %d came twice", i.Recovery.Undone, i.Recovery.Duplicates)
	}
	e.peer().sends("A 1 ack 8001 sack 1001:2001")
	e.want().told("all retransmissions came twice: the reduction is undone")
}

// What comes twice of before the reduction has nothing to do with it (RFC 3708, 3).
func TestADSACKOfBeforeTheReductionDoesNotUndoIt(t *testing.T) {
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:10001")
	e.want().segment("A 1:1001 ack 1", ReasonRACK)
	e.after(ms)
	e.peer().sends("A 1 ack 10001")
	e.want().nothing()
	e.writes(4000)
	e.sent = nil
	e.after(100 * ms)
	e.peer().sends("A 1 ack 10001 sack 11001:14001")
	e.want().segment("A 10001:11001 ack 1", ReasonRACK)
	e.env.Watch = true
	e.after(ms)
	e.peer().sends("A 1 ack 10001 sack 1:1001,11001:14001") // the first retransmission was for nothing
	if i := e.c.Info(); i.Phase != PhaseRecovery || i.Recovery.Duplicates != 1 {
		t.Errorf("%v; %d came twice", i.Phase, i.Recovery.Duplicates)
	}
	e.peer().sends("A 1 ack 14001")
	if i := e.c.Info(); i.Recovery.Undone != 0 {
		t.Errorf("%d reductions were undone", i.Recovery.Undone)
	}
	e.sent = nil
}

// A block that covers several segments which were lost and sent again covers all of them, and
// nothing else, wherever the numbers come round.
func TestABlockCoversAllOfItsSegments(t *testing.T) {
	e := sackFlight(t, 10, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 3001:10001")
	e.sent = nil
	e.after(ms)
	e.peer().sends("A 1 ack 1 sack 1001:10001")
	e.sent = nil
	if i := e.c.Info(); i.Recovery.Sacked != 9 || i.Recovery.Lost > 1 {
		t.Errorf("%d have arrived, %d are lost", i.Recovery.Sacked, i.Recovery.Lost)
	}
	e = sackEnd(t, 100*ms, noProbe)
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	for range 4 { // the third has the number 0
		e.writes(100)
	}
	e.sent = nil
	before := e.c.Info().Recovery.Delivered
	e.peer().sends("A 1 ack 1 sack 101:401")
	e.sent = nil
	if i := e.c.Info(); i.Recovery.Sacked != 3 || i.Recovery.Delivered != before+3 {
		t.Errorf("%d have arrived, %d in all", i.Recovery.Sacked, i.Recovery.Delivered-before)
	}
}
