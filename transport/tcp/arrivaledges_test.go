package tcp

import (
	"testing"
	"time"

	"hubbub/clock"
)

// RFC 7323, 5.2 would have every segment with an old timestamp thrown away. As on
// Linux an ACK that was overtaken passes if it is recent and tells something of what
// is in flight; all else doesn't.
func TestWhichOvertakenACKsPass(t *testing.T) {
	const recent = 5000
	for _, c := range []struct {
		segment string
		passes  bool
	}{
		{"A 1 ack 989 sack 2965:3953 ts 4999 10100", true},
		{"A 1 ack 1 sack 2965:3953 ts 4999 10100", true},              // overtaken by the one of 989
		{"A 1 ack 989 sack 2965:3953 ts 4700 10100", true},            // 300 ms: the time-out
		{"A 1 ack 989 sack 2965:3953 ts 4699 10100", false},           // older
		{"A 1 ack 989 ts 4999 10100", false},                          // tells nothing
		{"A 1 ack 989 sack 2965:3953 win 63999 ts 4999 10100", false}, // another window
		{"A 1 ack 1977 sack 2965:3953 ts 4999 10100", false},          // newer than what overtook it
		{"SA 1 ack 989 sack 2965:3953 ts 4999 10100", false},
		{"FA 1 ack 989 sack 2965:3953 ts 4999 10100", false},
		{"- 1 sack 2965:3953 ts 4999 10100", false},
		{"A 1:11 ack 989 sack 2965:3953 ts 4999 10100", false}, // with text
		{"A 2 ack 989 sack 2965:3953 ts 4999 10100", false},    // beside RCV.NXT
	} {
		e := sackEnd(t, 100*ms, func(c *Config) { c.Timestamps = true })
		e.writes(9880)
		e.sent = nil
		e.tsVal = recent
		e.peer().sends("A 1 ack 989")
		e.sent = nil
		e.c.rtt.rto = 300 * ms
		e.peer().sends(c.segment)
		e.sent = nil
		old := e.c.Info().Discards[DiscardOldTimestamp]
		if passed := old == 0; passed != c.passes || e.c.ts.recent != recent {
			t.Errorf("%q passes: %v; TS.Recent is %d", c.segment, passed, e.c.ts.recent)
		}
	}
	// Where SACK was not agreed on, nobody can tell anything by it.
	e := establishedEnd(t, func(c *Config) { c.Timestamps = true })
	e.writes(3000)
	e.sent = nil
	e.tsVal = recent
	e.peer().sends("A 1 ack 989", "A 1 ack 989 sack 1977:2965 ts 4999 10000")
	e.want().segment("A 3001 ack 1", ReasonOldDuplicate)
	e.want().discarded(DiscardOldTimestamp, 1)
}

// The answer to an invalid segment is the first of half a second, from the first
// instant of a world on.
func TestAnswersAtTheBeginningOfTheWorld(t *testing.T) {
	env := NewEnv(DefaultConfig())
	last := clock.Never
	if !answerDue(env, 0, &last) {
		t.Error("there was none before")
	}
	if answerDue(env, 1, &last) || answerDue(env, 500e6, &last) || !answerDue(env, 500e6+1, &last) {
		t.Error("the next is not due half a second later")
	}
}

// RFC 3168, 6.1.3: a data packet is one with an octet of text, too: its mark is
// echoed, and it counts.
func TestOneOctetIsText(t *testing.T) {
	e := ecnEnd(t)
	e.peer().sends("A 1:2 ack 1 ecn 3")
	e.want().segment("AE 1 ack 2", ReasonMarked)
	if i := e.c.Info(); i.DataSegmentsIn != 1 || i.Marked != 1 || i.BytesIn != 1 {
		t.Errorf("%d segments of text, %d marked, %d octets", i.DataSegmentsIn, i.Marked, i.BytesIn)
	}
	// An ACK is none: "pure acknowledgement packets ... MUST be sent with the not-ECT
	// codepoint" (RFC 3168, 6.1.4), so its mark means nothing.
	e.peer().sends("A 2 ack 1 ecn 3")
	e.want().nothing()
	if i := e.c.Info(); i.DataSegmentsIn != 1 || i.Marked != 1 {
		t.Errorf("%d segments of text, %d marked", i.DataSegmentsIn, i.Marked)
	}
}

// "Out-of-order data segments SHOULD be acknowledged immediately, in order to
// accelerate loss recovery." (RFC 5681, 4.2) As on Linux what follows is acknowledged
// at once, too, even in a dialogue.
func TestAGapEndsTheDialogue(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 2 })
	e.peer().sends("A 1:101 ack 1")
	e.want().segment("A 1 ack 101", ReasonQuickACK)
	e.writes(10) // an answer: from now on ACKs wait for company
	e.want().segment("PA 1:11 ack 101", ReasonData)
	e.peer().sends("A 101:201 ack 11")
	e.after(40 * ms)
	e.want().segment("A 11 ack 201", ReasonDelayedACK)
	e.peer().sends("A 301:401 ack 11")
	e.want().segment("A 11 ack 201", ReasonDuplicateACK)
	if i := e.c.Info(); i.OutOfOrderSegments != 1 || i.OutOfOrder != 100 {
		t.Errorf("%d segments after a gap, %d octets held", i.OutOfOrderSegments, i.OutOfOrder)
	}
	e.peer().sends("A 201:301 ack 11")
	e.want().segment("A 11 ack 401", ReasonGapFilled)
	for _, at := range []int{401, 501} {
		e.peer().sends(sprintf("A %d:%d ack 11", at, at+100))
		e.want().segment(sprintf("A 11 ack %d", at+100), ReasonQuickACK)
	}
	e.peer().sends("A 601:701 ack 11")
	e.want().nothing()
	e.after(40 * ms)
	e.want().segment("A 11 ack 701", ReasonDelayedACK)
}

// tcp(7): "TCP_INFO": when text last arrived, and when anything did.
func TestWhenTheLastSegmentsCame(t *testing.T) {
	e := establishedEnd(t)
	e.after(5 * ms)
	e.peer().sends("A 1:101 ack 1")
	e.after(5 * ms)
	e.peer().sends("A 101 ack 1")
	if i := e.c.Info(); i.LastDataReceived != began.Add(5*ms) || i.LastReceived != began.Add(10*ms) {
		t.Errorf("text %v ago, anything %v ago", e.now.Sub(i.LastDataReceived), e.now.Sub(i.LastReceived))
	}
	e.after(35 * ms)
	e.want().segment("A 1 ack 101", ReasonDelayedACK)
}

// A stream of little pieces is copied together when there are more than 256, and they
// hold less than 256 octets each: then it takes one chunk.
func TestWhenAStreamIsTidied(t *testing.T) {
	for _, c := range []struct{ size, segments, pieces int }{
		{1, 1, 1}, {1, 256, 256}, {1, 257, 0}, {255, 257, 0}, {256, 257, 257}, {300, 257, 257},
	} {
		e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1 << 20 })
		e.c.rcv.limit = 1 << 20
		e.c.rcv.edge = e.c.rcv.nxt.Add(1 << 20)
		for i := range c.segments {
			e.c.take(e.gives(view(octets(1+c.size*i, c.size))))
		}
		if got := int(e.c.rcv.pieces); got != c.pieces {
			t.Errorf("%+v: %d pieces", c, got)
		}
		e.reads(c.size * c.segments) // exact
		if e.c.rcv.pieces != 0 {
			t.Errorf("%+v: of nothing %d pieces", c, e.c.rcv.pieces)
		}
		e.sent = nil
	}
}

// RFC 9293, 3.6.1: "if new data is received after CLOSE is called, its TCP
// implementation SHOULD send a RST to show that data was lost (SHLD-3)": shutdown() of
// both directions is CLOSE, too; of one it isn't.
func TestDataAfterBothDirectionsWereClosed(t *testing.T) {
	for _, c := range []struct{ read, write, reset bool }{
		{true, true, true}, {false, true, false}, {true, false, false},
	} {
		e := establishedEnd(t)
		if c.write {
			e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
			e.want().segment("FA 1 ack 1", ReasonFIN)
			e.peer().sends("A 1 ack 2")
		}
		if c.read {
			e.does(func(c *Conn) { c.CloseRead() })
		}
		e.env.Watch = true
		e.peer().sends(sprintf("A 1:11 ack %d", 1+oneIf(c.write)))
		if !c.reset {
			e.reads(10)
			e.after(40 * ms)
			e.want().segment(sprintf("A %d ack 11", 1+oneIf(c.write)), ReasonDelayedACK)
			continue
		}
		e.want().segment("R 2", ReasonDataAfterClose)
		if e.c.Err() != ErrReset {
			t.Errorf("it ends with %v", e.c.Err())
		}
		e.want().facts("FIN-WAIT-2 -> CLOSED: reset: data arrived after close")
	}
}

// What holds the text after a gap goes to the next gap, of whichever connection.
func TestGapsComeAndGoWithoutAllocation(t *testing.T) {
	e := establishedEnd(t, sacked)
	var out Segment
	next := e.c.rcv.nxt
	payload := view(make([]byte, 100))
	arrives := func(at Seq) {
		seg := Segment{Seq: at, Ack: e.c.snd.nxt, Flags: ack, Window: 64000, Payload: payload.Retain()}
		e.c.HandleSegment(e.now, &seg)
		for e.c.PollSegment(e.now, &out) {
			out.drop()
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		arrives(next.Add(100))
		arrives(next)
		next = next.Add(200)
		e.c.Discard(e.now, 200)
	}); n > 0 {
		t.Errorf("%v allocations for each gap", n)
	}
	e.now = e.now.Add(time.Second)
	e.drain()
	e.sent = nil
}

// The least number of blocks that a small buffer holds is 16.
func TestASmallBufferHoldsSixteenBlocks(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	for i := range 20 {
		e.peer().sends(sprintf("A %d:%d ack 1", 3+2*i, 4+2*i))
	}
	e.sent = nil
	if i := e.c.Info(); i.OutOfOrder != 16 || i.Discards[DiscardGapFull] != 4 {
		t.Errorf("%d are held, %d discarded", i.OutOfOrder, i.Discards[DiscardGapFull])
	}
}
