package tcp

import (
	"errors"
	"testing"
	"time"
)

func TestCloseInOrder(t *testing.T) {
	// "When a connection is closed actively, it MUST linger in the TIME-WAIT
	// state for a time 2xMSL (Maximum Segment Lifetime) (MUST-13)."
	// RFC 9293, 3.6.1. The four segments are of figure 12.
	e := timeWaitEnd(t)
	e.after(60*time.Second - 1)
	e.want().state(StateTimeWait)
	e.after(1)
	e.want().state(StateClosed)
	if e.c.Err() != nil {
		t.Errorf("a close in order ends with %v", e.c.Err())
	}
}

func TestHalfClose(t *testing.T) {
	// "The user who CLOSEs may continue to RECEIVE until the TCP receiver is
	// told that the remote peer has CLOSED also." RFC 9293, 3.6.
	e := finWait2End(t)
	e.peer().sends("A 1:1001 ack 2")
	e.reads(1000)
	e.after(40 * ms)
	e.want().segment("A 2 ack 1001", ReasonDelayedACK)
	e.after(5 * time.Hour) // nobody is in a hurry
	e.want().state(StateFinWait2)
	e.peer().sends("FPA 1001:1011 ack 2")
	e.want().segment("A 2 ack 1012", ReasonFINACK)
	e.want().state(StateTimeWait)
	e.reads(10)
	if !e.c.EOF() {
		t.Error("no end of the stream")
	}
}

func TestPeerClosesFirst(t *testing.T) {
	e := closeWaitEnd(t)
	e.writes(10)
	e.want().segment("PA 1:11 ack 2", ReasonData)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 11 ack 2", ReasonFIN)
	e.want().state(StateLastAck)
	e.peer().sends("A 2 ack 11")
	e.want().state(StateLastAck)
	e.peer().sends("A 2 ack 12")
	e.want().state(StateClosed)
	if e.c.Err() != nil || e.c.NextTimer() != 0 {
		t.Errorf("ended with %v, next timer %v", e.c.Err(), e.c.NextTimer())
	}
}

func TestServerWithNothingToSayMergesACKAndFIN(t *testing.T) {
	// The ACK of a FIN waits a moment for the program to close too.
	e := establishedEnd(t)
	e.peer().sends("FA 1 ack 1")
	e.want().nothing()
	e.after(ms / 2)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 2", ReasonFIN)
	e.want().state(StateLastAck)
}

// The ACK of a FIN doesn't wait for more than a program that closes at once.
func TestTheACKOfAFINIsSoonSent(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("FA 1 ack 1")
	e.want().nothing()
	e.after(ms)
	e.want().segment("A 1 ack 2", ReasonDelayedACK)
}

// "TSopt ... SHOULD be sent in an <RST> segment" (RFC 7323, 3.2).
func TestAResetHasATimestamp(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.Timestamps = true })
	e.does(func(c *Conn) { c.Abort(e.now) })
	e.want().segment("RA 1 ack 1 ts 10000 1000", ReasonAbort)
}

func TestSimultaneousClose(t *testing.T) {
	// RFC 9293, 3.6, figure 13.
	e := closingEnd(t)
	e.peer().sends("A 2 ack 2")
	e.want().state(StateTimeWait)
	e.want().nothing()
}

func TestFINAndACKInOneSegmentSkipFinWait2(t *testing.T) {
	// "If our FIN has been ACKed (perhaps in this segment), then enter
	// TIME-WAIT" RFC 9293, 3.10.7.4.
	e := finWait1End(t)
	e.peer().sends("FA 1 ack 2")
	e.want().segment("A 2 ack 2", ReasonFINACK)
	e.want().state(StateTimeWait)
}

func TestFINWaitsForWhatWasWritten(t *testing.T) {
	e := establishedEnd(t)
	e.writes(2500)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("A 1001:2001 ack 1", ReasonData)
	e.want().segment("PA 2001:2501 ack 1", ReasonData)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().state(StateFinWait1)
	e.want().segment("FA 2501 ack 1", ReasonFIN)
	e.peer().sends("A 1 ack 2501")
	e.want().state(StateFinWait1)
	e.peer().sends("A 1 ack 2502")
	e.want().state(StateFinWait2)
}

func TestFINIsRetransmitted(t *testing.T) {
	e := finWait1End(t)
	e.after(time.Second)
	e.want().segment("FA 1 ack 1", ReasonTimeout)
	e.after(2 * time.Second)
	e.want().segment("FA 1 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 2")
	e.want().state(StateFinWait2)
}

func TestRepeatedFINIsAcknowledgedAgain(t *testing.T) {
	for _, f := range fixtures[6:9] { // CLOSE-WAIT, CLOSING, LAST-ACK
		e := f.build(t)
		e.peer().sends("FA 1 ack 1", "FA 1 ack 1")
		e.want().segment("A "+map[bool]string{true: "1", false: "2"}[f.state == StateCloseWait]+" ack 2", ReasonUnacceptable)
		e.want().state(f.state)
	}
}

func TestFINThatOvertakesDataWaits(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("FPA 11:21 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.want().state(StateEstablished)
	e.peer().sends("A 1:11 ack 1")
	e.want().segment("A 1 ack 22", ReasonGapFilled)
	e.want().state(StateCloseWait)
	e.reads(20)
	if !e.c.EOF() {
		t.Error("no end of the stream")
	}

	e = establishedEnd(t)
	e.peer().sends("FA 11 ack 1") // alone
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 1:11 ack 1")
	e.want().segment("A 1 ack 12", ReasonGapFilled)
	e.want().state(StateCloseWait)
}

func TestCloseWithUnreadDataResets(t *testing.T) {
	// "If such a host issues a CLOSE call while received data is still pending
	// in the TCP connection, or if new data is received after CLOSE is called,
	// its TCP implementation SHOULD send a RST to show that data was lost
	// (SHLD-3)." RFC 9293, 3.6.1.
	e := establishedEnd(t)
	e.peer().sends("PA 1:11 ack 1")
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("RA 1 ack 11", ReasonUnreadData)
	e.want().state(StateClosed)
}

func TestDataAfterCloseResets(t *testing.T) {
	// "A host MAY implement a "half-duplex" TCP close sequence, so that an
	// application that has called CLOSE cannot continue to read data from the
	// connection (MAY-1)." "if new data is received after CLOSE is called, its TCP
	// implementation SHOULD send a RST to show that data was lost (SHLD-3)." RFC
	// 9293, 3.6.1.
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.peer().sends("A 1 ack 2")
	e.want().state(StateFinWait2)
	e.peer().sends("PA 1:11 ack 2")
	e.want().segment("R 2 win 0", ReasonDataAfterClose) // in answer to that segment
	e.want().state(StateClosed)
}

func TestHalfClosedProgramStillReads(t *testing.T) {
	e := finWait1End(t)
	e.peer().sends("PA 1:11 ack 1")
	e.reads(10)
	e.after(40 * ms)
	e.want().segment("A 2 ack 11", ReasonDelayedACK)
}

func TestOrphanLeavesFinWait2(t *testing.T) {
	for _, closeFirst := range []bool{true, false} {
		e := establishedEnd(t)
		if closeFirst {
			e.does(func(c *Conn) { c.Close(e.now) })
		} else {
			e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
		}
		e.want().segment("FA 1 ack 1", ReasonFIN)
		e.peer().sends("A 1 ack 2")
		e.want().state(StateFinWait2)
		if !closeFirst {
			e.does(func(c *Conn) { c.Close(e.now) })
		}
		e.after(e.env.FinWait2Timeout - 1)
		e.want().state(StateFinWait2)
		e.after(1)
		e.want().state(StateClosed)
	}
}

func TestOrphanGivesUpSooner(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	for i := range 8 {
		e.after(min(time.Second<<i, e.env.MaxRTO))
		e.want().segment("FA 1 ack 1", ReasonTimeout)
	}
	e.after(e.env.MaxRTO)
	e.want().state(StateClosed)
}

func TestAbort(t *testing.T) {
	// "All queued SENDs and RECEIVEs should be given "connection reset"
	// notification; all segments queued for transmission ... or retransmission
	// should be flushed" RFC 9293, 3.10.5.
	for _, f := range fixtures {
		e := f.build(t)
		before := e.c.State()
		e.does(func(c *Conn) { c.Abort(e.now) })
		e.want().state(StateClosed)
		switch before {
		case StateSynReceived, StateEstablished:
			e.want().segment("RA 1 ack 1", ReasonAbort)
		case StateCloseWait:
			e.want().segment("RA 1 ack 2", ReasonAbort)
		case StateFinWait1, StateFinWait2:
			e.want().segment("RA 2 ack 1", ReasonAbort)
		}
		e.want().nothing()
		if e.c.NextTimer() != 0 || e.c.Unacked() != 0 || e.c.Readable() != 0 {
			t.Errorf("%v: after an abort something is left", before)
		}
		if before != StateClosed && !errors.Is(e.c.Err(), ErrAborted) {
			t.Errorf("%v: the error is %v", before, e.c.Err())
		}
	}
}

func TestProgramLearnsHowItEnded(t *testing.T) {
	// "the local application MUST be informed whether it closed normally or
	// was aborted (MUST-12)." RFC 9293, 3.6.
	e := closedEnd(t)
	if e.c.Err() != nil || e.c.Ready()&ReadyError != 0 {
		t.Errorf("closed in order: %v", e.c.Err())
	}
	e = establishedEnd(t)
	e.peer().sends("RA 1 ack 1")
	if e.c.Err() != ErrReset || e.c.Ready()&ReadyError == 0 {
		t.Errorf("reset: %v", e.c.Err())
	}
}

func TestResetLeavesWhatArrivedBeforeToBeRead(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("PA 1:11 ack 1", "R 11")
	e.want().state(StateClosed)
	e.reads(10)
	e.want().nothing()

	e = establishedEnd(t)
	e.peer().sends("PA 1:11 ack 1", "R 11")
	e.does(func(c *Conn) { c.Close(e.now) })
	if e.c.Readable() != 0 || e.c.Err() != ErrReset {
		t.Errorf("after Close %d octets are left, and the error is %v", e.c.Readable(), e.c.Err())
	}
}

func TestResetWithDataIsAReset(t *testing.T) {
	// "TCP implementations SHOULD allow a received RST segment to include data
	// (SHLD-2)." RFC 9293, 3.5.3.
	e := establishedEnd(t)
	e.peer().sends("R 1:30")
	e.want().state(StateClosed)
	if e.c.Readable() != 0 {
		t.Error("the text of a reset is in the stream")
	}
}

func TestWritingAfterTheEnd(t *testing.T) {
	e := finWait1End(t)
	if _, err := e.c.WriteBytes(e.now, []byte("x")); !errors.Is(err, ErrWriteClosed) || e.c.WriteSpace() != 0 {
		t.Errorf("after CloseWrite: %v", err)
	}
	e = establishedEnd(t)
	e.peer().sends("R 1")
	if _, err := e.c.WriteBytes(e.now, []byte("x")); !errors.Is(err, ErrReset) {
		t.Errorf("after a reset: %v", err)
	}
	if err := e.c.CloseWrite(e.now); !errors.Is(err, ErrNotConnected) {
		t.Errorf("CloseWrite after a reset: %v", err)
	}
}

func TestClosingTwiceChangesNothing(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().nothing()
	e.want().state(StateFinWait1)

	e = establishedEnd(t)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.peer().sends("A 1 ack 2")
	due := e.c.NextTimer()
	e.after(time.Second)
	e.does(func(c *Conn) { c.Close(e.now) })
	if e.c.NextTimer() != due {
		t.Error("a second close lets FIN-WAIT-2 last longer")
	}
}
