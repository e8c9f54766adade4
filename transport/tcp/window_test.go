package tcp

import (
	"testing"
	"time"
)

// blockedEnd has sent 1000 octets, which filled the peer's window, and has
// 500 more to send.
func blockedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := establishedEnd(t, adjust...)
	e.peer().sends("A 1 ack 1 win 1000")
	e.writes(1500)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.peer().sends("A 1 ack 1001 win 0")
	e.want().nothing()
	return e
}

func TestZeroWindowIsProbed(t *testing.T) {
	// "Probing of zero (offered) windows MUST be supported (MUST-36)." "The
	// transmitting host SHOULD send the first zero-window probe when a zero
	// window has existed for the retransmission timeout period (SHLD-29) ...
	// and SHOULD increase exponentially the interval between successive probes
	// (SHLD-30)." RFC 9293, 3.8.6.1.
	e := blockedEnd(t)
	wait := e.env.MinRTO
	for i := range 12 {
		e.after(wait - 1)
		e.want().nothing()
		e.after(1)
		probe := e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
		if probe.Retransmission != (i > 0) {
			t.Errorf("probe %d: retransmission %v", i, probe.Retransmission)
		}
		e.peer().sends("A 1 ack 1001 win 0")
		wait = min(2*wait, e.env.MaxRTO)
	}
	e.peer().sends("A 1 ack 1001 win 1000")
	got := e.want().segment("PA 1001:1501 ack 1", ReasonWindowOpened)
	if !got.Retransmission {
		t.Error("the octet of the probe is sent again")
	}
	e.peer().sends("A 1 ack 1501 win 1000")
	e.want().nothing()
	if e.c.NextTimer() != 0 {
		t.Error("a timer still runs")
	}
}

func TestProbeThatIsAcceptedIsNotSentAgain(t *testing.T) {
	e := blockedEnd(t)
	e.after(e.env.MinRTO)
	e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 1002 win 0")
	e.after(2 * e.env.MinRTO)
	e.want().segment("A 1002:1003 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 1003 win 5000")
	e.want().segment("PA 1003:1501 ack 1", ReasonData)
}

func TestProbesThatAreAnsweredGoOnForEver(t *testing.T) {
	// "As long as the receiving TCP peer continues to send acknowledgments in
	// response to the probe segments, the sending TCP peer MUST allow the
	// connection to stay open (MUST-37)." RFC 9293, 3.8.6.1. (MAY-8)
	e := blockedEnd(t)
	for e.now.Sub(began) < 24*time.Hour {
		e.pass(e.c.NextTimer())
		e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
		e.peer().sends("A 1 ack 1001 win 0")
	}
	e.want().state(StateEstablished)
}

func TestProbesWithoutAnswerEndTheConnection(t *testing.T) {
	e := blockedEnd(t)
	for range e.env.Retries2 {
		e.pass(e.c.NextTimer())
		e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
	}
	e.pass(e.c.NextTimer())
	e.want().state(StateClosed)
	if e.c.Err() != ErrTimeout {
		t.Errorf("the error is %v", e.c.Err())
	}
}

func TestFINIsTheProbeWhenNothingElseIsLeft(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().nothing()
	e.after(time.Second)
	e.want().segment("FA 1 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 2 win 0")
	e.want().state(StateFinWait2)
	if e.c.NextTimer() != 0 {
		t.Error("a timer still runs")
	}
}

func TestLostWindowUpdateIsFoundByAProbe(t *testing.T) {
	e := blockedEnd(t)
	e.after(e.env.MinRTO)
	e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 1001 win 3000") // the update that was lost, in the answer
	e.want().segment("PA 1001:1501 ack 1", ReasonWindowOpened)
}

func TestSenderSurvivesAShrinkingWindow(t *testing.T) {
	// "However, a sending TCP peer MUST be robust against window shrinking,
	// which may cause the "usable window" ... to become negative (MUST-34). If
	// this happens, the sender SHOULD NOT send new data (SHLD-15), but SHOULD
	// retransmit normally the old unacknowledged data between SND.UNA and
	// SND.UNA+SND.WND (SHLD-16)." RFC 9293, 3.8.6.
	e := establishedEnd(t)
	e.writes(4000)
	for i := range 4 {
		_ = i
		e.sent = e.sent[1:]
	}
	e.peer().sends("A 1 ack 1001 win 1500") // 2001 is beyond it now
	e.writes(1000)
	e.want().nothing()
	e.pass(e.c.NextTimer())
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 2001 win 1500")
	e.want().segment("A 2001:3001 ack 1", ReasonTimeout)
	e.want().segment("A 3001:3501 ack 1", ReasonTimeout)
}

func TestWindowShrunkToZeroIsProbedNotTimedOut(t *testing.T) {
	// "If the window shrinks to zero, the TCP implementation MUST probe it in
	// the standard way (described below) (MUST-35)." It "SHOULD NOT time out
	// the connection if data beyond the right window edge is not acknowledged
	// (SHLD-17)." RFC 9293, 3.8.6.
	e := establishedEnd(t)
	e.writes(2000)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("PA 1001:2001 ack 1", ReasonData)
	e.peer().sends("A 1 ack 1 win 0")
	for e.now.Sub(began) < 24*time.Hour {
		e.pass(e.c.NextTimer())
		e.want().segment("A 1:2 ack 1", ReasonWindowProbe)
		e.peer().sends("A 1 ack 1 win 0")
	}
	e.peer().sends("A 1 ack 1 win 9000")
	e.want().segment("A 1:1001 ack 1", ReasonWindowOpened)
	e.want().segment("PA 1001:2001 ack 1", ReasonWindowOpened)
}

func TestOldSegmentDoesNotChangeTheWindow(t *testing.T) {
	// "The check here prevents using old segments to update the window."
	// RFC 9293, 3.10.7.4.
	e := establishedEnd(t)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.peer().sends("A 1:11 ack 101 win 5000")
	e.reads(10)
	e.peer().sends("A 11 ack 1 win 9") // an ACK that was overtaken
	if got := e.c.Info().SendWindow; got != 5000 {
		t.Errorf("the window is %d", got)
	}
	e.after(40 * ms)
	e.want().segment("A 101 ack 11", ReasonDelayedACK)
}

func TestWindowIsUnsigned(t *testing.T) {
	// "The window size MUST be treated as an unsigned number, or else large
	// window sizes will appear like negative windows and TCP will not work
	// (MUST-1)." RFC 9293, 3.1.
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 65535")
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	if got := e.c.Info().SendWindow; got != 65535 {
		t.Errorf("the window is %d", got)
	}
}

func TestSenderAvoidsSillyWindows(t *testing.T) {
	// "A TCP implementation MUST include a SWS avoidance algorithm in the
	// sender (MUST-38)." RFC 9293, 3.8.6.2.1.
	e := blockedEnd(t)
	e.writes(1000)
	e.peer().sends("A 1 ack 1001 win 100") // a crumb
	e.want().nothing()
	e.peer().sends("A 1 ack 1001 win 999")
	e.want().nothing()
	e.peer().sends("A 1 ack 1001 win 1000") // a full segment
	e.want().segment("A 1001:2001 ack 1", ReasonData)
}

func TestHalfOfALittleWindowIsWorthASegment(t *testing.T) {
	// "(3) or if at least a fraction Fs of the maximum window can be sent".
	// RFC 9293, 3.8.6.2.1.
	e := newEnd(t)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000 win 400")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(2000)
	e.want().segment("A 1:401 ack 1", ReasonData)
	e.peer().sends("A 1 ack 401 win 199")
	e.want().nothing()
	e.peer().sends("A 1 ack 401 win 200")
	e.want().segment("A 401:601 ack 1", ReasonData)
}

func TestSmallWindowIsUsedInTheEnd(t *testing.T) {
	// "(4) or if the override timeout occurs. ... The override timeout should
	// be in the range 0.1 - 1.0 seconds." RFC 9293, 3.8.6.2.1.
	e := blockedEnd(t)
	e.writes(1000)
	e.peer().sends("A 1 ack 1001 win 100")
	e.after(200*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1001:1101 ack 1", ReasonWindowOverride)
	e.peer().sends("A 1 ack 1101 win 1000")
	e.want().segment("A 1101:2101 ack 1", ReasonData)
}

func TestReceiverAvoidsSillyWindows(t *testing.T) {
	// "A TCP implementation MUST include a SWS avoidance algorithm in the
	// receiver (MUST-39)." The right edge moves by a segment or half the
	// buffer at least. RFC 9293, 3.8.6.2.2.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 4000 })
	e.peer().sends("A 1:4001 ack 1")
	e.want().segment("A 1 ack 4001 win 0", ReasonSecondSegment)
	e.reads(999)
	e.want().nothing()
	e.reads(1)
	e.want().segment("A 1 ack 4001 win 1000", ReasonWindowUpdate)
	e.reads(999)
	e.want().nothing()
	e.reads(1)
	e.want().segment("A 1 ack 4001 win 2000", ReasonWindowUpdate)
	e.reads(1000) // not twice the window that the peer knows of
	e.want().nothing()
	e.reads(1000)
	e.want().segment("A 1 ack 4001 win 4000", ReasonWindowUpdate)
}

func TestReaderThatKeepsUpSendsNoUpdates(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 20000 })
	for i := range 50 {
		at := 1 + i*1000
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+1000))
		e.reads(1000)
		if i%2 == 1 {
			e.want().segment(sprintf("A 1 ack %d", at+1000), ReasonSecondSegment)
		}
	}
	e.want().nothing()
}

func TestWindowIsNeverTakenBack(t *testing.T) {
	// "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window
	// edge to the left (SHLD-14)." RFC 9293, 3.8.6. With a scale too: its unit
	// is 128 octets here, and segments are of odd sizes. (R7323-5)
	e := establishedEnd(t, scaled, func(c *Config) { c.ReceiveBuffer = 50000 })
	edge, at := e.c.rcv.edge, 1
	for n := 1; at < 45000; n = n*7%997 + 1 {
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+n))
		at += n
		if n%5 == 0 && e.c.Readable() > 100 {
			e.reads(100)
		}
		for _, s := range e.sent {
			told := s.Ack.Add(int(s.Window) << 7)
			if told.Less(edge) {
				t.Fatalf("the edge moved back by %d octets", edge.Sub(told))
			}
			edge = told
		}
		e.sent = nil
	}
	e.does(func(c *Conn) { c.SetReceiveBuffer(e.now, 1000) })
	e.peer().sends("A 0 ack 1") // asks for the window
	if got := e.want().segment(sprintf("A 1 ack %d", at), ReasonUnacceptable); got.Ack.Add(int(got.Window+1) << 7).Less(edge) {
		t.Errorf("a smaller buffer took back the window by a unit or more")
	}
	e.after(40 * ms)
}

// One segment may go beyond the window, if it is next and nothing is unread.
func TestOneSegmentGoesBeyondTheWindow(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 1:2 ack 1")
	e.reads(1)
	e.peer().sends("A 2:1502 ack 1")
	e.want().segment("A 1 ack 1502 win 0", ReasonSecondSegment)
	e.want().discarded(DiscardBeyondWindow, 0)
	e.peer().sends("FA 1502 ack 1")
	e.after(ms)
	e.want().segment("A 1 ack 1503 win 0", ReasonDelayedACK)
}

// What comes after a gap may go beyond the window, too, as far as the buffer has
// memory for it: the window does not move.
func TestTextAfterAGapGoesBeyondTheWindow(t *testing.T) {
	e := establishedEnd(t, sacked, func(c *Config) { c.ReceiveBuffer, c.AdvWinScale = 2000, 1 }) // the window is 1000
	e.peer().sends("A 501:1501 ack 1")
	e.want().segment("A 1 ack 1 sack 501:1501", ReasonDuplicateACK)
	e.peer().sends("A 901:2001 ack 1")
	e.want().segment("A 1 ack 1 sack 901:1001,501:1501", ReasonWindowFull) // more than the buffer takes: cut off
	e.want().discarded(DiscardBeyondWindow, 1)
	e.peer().sends("A 1:501 ack 1")
	e.want().segment("A 1 ack 1501 win 0", ReasonGapFilled)
	e.reads(1500)
	e.want().segment("A 1 ack 1501 win 1000", ReasonWindowUpdate)
}

func TestTextBeyondTheWindowIsCutOff(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 1:501 ack 1")
	e.peer().sends("A 501:1501 ack 1")
	e.want().segment("A 1 ack 1001 win 0", ReasonWindowFull)
	e.reads(1000)
	e.want().segment("A 1 ack 1001 win 1000", ReasonWindowUpdate)
	e.want().discarded(DiscardBeyondWindow, 1)
}

func TestZeroWindowStillTakesACKsURGsAndRSTs(t *testing.T) {
	// "A TCP receiver MUST process the RST and URG fields of all incoming
	// segments, even when the receive window is zero (MUST-66)."
	// RFC 9293, 3.4.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 1:1001 ack 1")
	e.after(40 * ms)
	e.want().segment("A 1 ack 1001 win 0", ReasonDelayedACK)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1001", ReasonData)
	e.peer().sends("UA 1001:1002 ack 11 urg 1")
	e.want().segment("A 11 ack 1001 win 0", ReasonWindowFull)
	if e.c.Unacked() != 0 {
		t.Error("the ACK of a probe is ignored")
	}
	if e.c.UrgentPending() != 1001 {
		t.Errorf("urgent pointer ignored: %d pending", e.c.UrgentPending())
	}
	e.peer().sends("FA 1001 ack 11") // a FIN needs no room
	e.want().state(StateCloseWait)
	e.peer().sends("R 1002")
	e.want().state(StateClosed)
}

func TestACKFromTheRightEdgeCounts(t *testing.T) {
	// The peer has filled our window, one segment of it was lost, and now it
	// acknowledges what we sent.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 2000 })
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.peer().sends("A 1001:2001 ack 1")
	e.want().segment("A 11 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 2001 ack 11")
	if e.c.Unacked() != 0 {
		t.Error("the ACK was not accepted")
	}
	e.want().nothing()
}

func TestSmallerMTUWhileWaitingForAWindow(t *testing.T) {
	// What was too small a window for a segment is large enough for a smaller
	// one, whose loss must be noticed.
	e := blockedEnd(t)
	e.writes(1000)
	e.peer().sends("A 1 ack 1001 win 500")
	e.does(func(c *Conn) { c.SetMaxSegment(400) })
	e.want().segment("A 1001:1401 ack 1", ReasonData)
	e.after(200 * ms)
	e.want().segment("A 1001:1401 ack 1", ReasonTimeout)
}

func TestSlowReaderThroughScaledWindow(t *testing.T) {
	// Nothing gets stuck with a tiny buffer and a unit of 128 octets.
	p := newPair(t, 3, impairments{latency: ms})
	p.connect(Params{MSS: 1460}, Params{MSS: 1460, RecvBuffer: 200})
	p.parties[0].toWrite = octets(0, 5000)
	p.parties[1].pause = 10 * ms
	p.run(time.Hour)
	if len(p.parties[1].got) != 5000 {
		t.Errorf("%d octets arrived", len(p.parties[1].got))
	}
}

func TestProbeOfAFullBufferIsNoDuplicateACK(t *testing.T) {
	// "An acknowledgment is considered a "duplicate" ... when ... (b) the incoming
	// acknowledgment carries no data". RFC 5681, 2. Text that finds no room is cut
	// off, and yet it was there.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 1:1001 ack 1")
	e.after(e.env.DelayedACK)
	e.want().segment("A 1 ack 1001 win 0", ReasonDelayedACK)
	e.writes(3000)
	e.want().segment("A 1:1001 ack 1001", ReasonData)
	e.want().segment("A 1001:2001 ack 1001", ReasonData)
	e.want().segment("PA 2001:3001 ack 1001", ReasonData)
	for range 5 {
		e.peer().sends("A 1001:1002 ack 1")
		e.want().segment("A 3001 ack 1001 win 0", ReasonWindowFull)
		e.want().nothing()
	}
}
