package tcp

import "testing"

// synSentEnd has sent its SYN.
func synSentEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	e.connect(testParams())
	e.want().segment("S 0 mss 1000", ReasonOpen)
	return e
}

// synReceivedEnd has answered a SYN.
func synReceivedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	e.accept(testParams(), "S 0 win 64000 mss 1000")
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenReply)
	return e
}

// establishedEnd has connected to the peer. Its segments hold 1000 octets.
func establishedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := synSentEnd(t, adjust...)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.want().state(StateEstablished)
	return e
}

func TestActiveOpen(t *testing.T) {
	e := establishedEnd(t)
	e.want().nothing()
	if e.c.NextTimer() != 0 {
		t.Error("an idle connection has a timer")
	}
}

func TestPassiveOpen(t *testing.T) {
	e := synReceivedEnd(t)
	e.peer().sends("A 1 ack 1")
	e.want().state(StateEstablished)
	e.want().nothing()
}

func TestCourseExamples(t *testing.T) {
	// A segment with sequence number 301 and 100 octets: the next is 401. One
	// with 501 and 200 octets is acknowledged with 701.
	e := establishedEnd(t)
	e.writes(300)
	e.want().segment("PA 1:301 ack 1", ReasonData)
	e.peer().sends("A 1 ack 301")
	e.writes(100)
	e.want().segment("PA 301:401 ack 1", ReasonData)
	e.peer().sends("A 1:501 ack 401")
	e.after(40 * ms)
	e.want().segment("A 401 ack 501", ReasonDelayedACK)
	e.peer().sends("A 501:701 ack 401")
	e.after(40 * ms)
	e.want().segment("A 401 ack 701", ReasonDelayedACK)
	e.reads(700)
}
