package tcp

import "testing"

func TestNagleCoalescesSmallWrites(t *testing.T) {
	// "A TCP implementation SHOULD implement the Nagle algorithm to coalesce
	// short segments (SHLD-7)." RFC 9293, 3.7.4. What is held goes out with the
	// next ACK: "MUST NOT buffer data indefinitely (MUST-60)". "The transmitter
	// SHOULD collapse successive bits when it packetizes data (SHLD-27)", which it
	// "MAY aggregate ... internally without sending it (MAY-16)".
	// RFC 9293, 3.9.1.2.
	e := establishedEnd(t)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	for range 10 {
		e.writes(1)
		e.want().nothing()
	}
	e.peer().sends("A 1 ack 2")
	e.want().segment("PA 2:12 ack 1", ReasonData)
}

// The last of several segments that leave together has the mark PSH, as on
// Linux; one that leaves alone, and isn't the last that was written, has none.
func TestTheEndOfABurstIsMarked(t *testing.T) {
	e := flightEnd(t) // whose tenth segment is marked
	e.peer().sends("A 1 ack 1001")
	e.want().segment("A 10001:11001 ack 1", ReasonData)
	e.want().segment("PA 11001:12001 ack 1", ReasonData)
	e.does(func(c *Conn) { c.cc.Cwnd -= 1000 })
	e.peer().sends("A 1 ack 2001")
	e.want().segment("A 12001:13001 ack 1", ReasonData)
}

func TestNagleDoesNotHoldFullSegments(t *testing.T) {
	// "a TCP implementation SHOULD send a maximum-sized segment whenever
	// possible (SHLD-28)". RFC 9293, 3.9.1.2.
	e := establishedEnd(t)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	e.writes(2500)
	e.want().segment("A 2:1002 ack 1", ReasonData)
	e.want().segment("PA 1002:2002 ack 1", ReasonData)
	e.want().nothing() // 500 octets wait
	e.peer().sends("A 1 ack 2")
	e.want().segment("PA 2002:2502 ack 1", ReasonData)
}

func TestLastSmallSegmentOfALargeWriteIsNotHeld(t *testing.T) {
	// Minshall's variant: only a small segment in flight holds another.
	// RFC 9293, A.3.
	e := establishedEnd(t)
	e.writes(1500)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("PA 1001:1501 ack 1", ReasonData)
}

func TestNagleCanBeTurnedOff(t *testing.T) {
	// "there MUST be a way for an application to disable the Nagle algorithm
	// on an individual connection (MUST-17)." RFC 9293, 3.7.4.
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	e.writes(1)
	e.want().segment("PA 2:3 ack 1", ReasonData)
	e.does(func(c *Conn) { c.SetNoDelay(false) })
	e.writes(1)
	e.want().nothing()
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	e.want().segment("PA 3:4 ack 1", ReasonData)
}

func TestCloseReleasesWhatNagleHolds(t *testing.T) {
	e := establishedEnd(t)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	e.writes(1)
	e.want().nothing()
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FPA 2:3 ack 1", ReasonData)
}

func TestPushIsOnTheLastSegmentOnly(t *testing.T) {
	// "MUST set the PSH bit in the last buffered segment (i.e., when there is
	// no more queued data to be sent) (MUST-61)." RFC 9293, 3.9.1.2.
	e := establishedEnd(t)
	e.writes(3000)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("A 1001:2001 ack 1", ReasonData)
	e.want().segment("PA 2001:3001 ack 1", ReasonData)
}

func TestSmallWritesShareTheirStorageAndArriveExact(t *testing.T) {
	e := establishedEnd(t)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	for range 300 {
		e.writes(3)
	}
	e.peer().sends("A 1 ack 2")
	got := e.want().segment("PA 2:902 ack 1", ReasonData)
	if got.text != string(octets(2, 900)) {
		t.Error("wrong octets")
	}
}
