package tcp

import (
	"testing"
	"time"

	"hubbub/internal/pkt"
)

// What a beginning leaves behind.

func TestSimultaneousOpenInOneInstant(t *testing.T) {
	// The peer's SYN and the ACK of ours arrive together: our SYN-ACK has become
	// needless, the ACK of the peer's SYN has not. RFC 9293, 3.5 (MUST-10).
	e := synSentEnd(t)
	e.peer().sends("S 0 mss 1000", "SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.want().nothing()
	e.want().state(StateEstablished)
	e.after(time.Minute)
	e.want().nothing()
}

func TestTextOfASynACKMustFitTheSYNsWindow(t *testing.T) {
	// The window of our SYN was all the peer knew. RFC 7323, 2.2.
	e := newEnd(t)
	p := testParams()
	p.RecvBuffer = 200
	e.connect(p)
	e.want().segment("S 0 win 200", ReasonOpen)
	e.peer().sends("SA 0:250 ack 1 mss 1000")
	e.want().segment("A 1 ack 201 win 0", ReasonOpenDone)
	e.want().discarded(DiscardBeyondWindow, 1)
	if got := e.c.Readable(); got != 200 {
		t.Errorf("%d octets were taken, want 200", got)
	}

	e = newEnd(t, scaled) // the buffer has room for more than a SYN can tell
	e.connect(testParams())
	e.want().segment("S 0 win 65535", ReasonOpen)
	seg := e.parse("SA 0 ack 1 mss 1000")
	seg.Payload = e.gives(pkt.CopyView(make([]byte, pkt.MaxView))) // 65536
	e.c.HandleSegment(e.now, &seg)
	e.drain()
	e.sent = nil
	if got := e.c.Readable(); got != 65535 {
		t.Errorf("%d octets were taken, want 65535", got)
	}
}

func TestWindowOfTheSYNCountsAmongTheLargest(t *testing.T) {
	// MAX.SND.WND is "the largest window that the local sender has ever received
	// from its peer". RFC 5961, 5.2.
	e := newEnd(t)
	e.accept(testParams(), "S 0 mss 1000 win 5000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.peer().sends("A 1 ack 1 win 1000")
	e.peer().sends("A 1 ack -4000")
	e.want().nothing()
	e.peer().sends("A 1 ack -4999")
	e.want().nothing()
	e.peer().sends("A 1 ack -63001")
	e.want().segment("A 1 ack 1", ReasonUnsentACK)
}

func TestUserTimeoutOfAnAcceptedConnectionIsExact(t *testing.T) {
	p := testParams()
	p.UserTimeout = 4 * time.Second
	e := newEnd(t)
	e.now = e.now.Add(time.Hour)
	e.accept(p, "S 0 mss 1000")
	start := e.now
	for e.c.State() != StateClosed {
		e.sent = nil
		e.pass(e.c.NextTimer())
	}
	if lasted := e.now.Sub(start); lasted != 4*time.Second {
		t.Errorf("it lasted %v", lasted)
	}
}

func TestNoMoreThan255SYNs(t *testing.T) {
	e := newEnd(t, func(c *Config) { c.SynRetries, c.InitialRTO, c.MaxRTO = 1000, ms, ms })
	e.connect(testParams())
	n := 0
	for e.c.State() != StateClosed && n < 2000 {
		n += len(e.sent)
		e.sent = nil
		e.pass(e.c.NextTimer())
	}
	if n != 256 {
		t.Errorf("%d SYNs were sent, want 256", n)
	}
}

func TestAsManyQuickACKsAsAreAskedFor(t *testing.T) {
	// What doesn't fit the count is as many as can be counted, not none.
	e := newEnd(t, func(c *Config) { c.QuickACKs = 256 })
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.peer().sends("A 1:11 ack 1")
	e.want().segment("A 1 ack 11", ReasonQuickACK)
	e.peer().sends("A 21:31 ack 1")
	e.want().segment("A 1 ack 11", ReasonDuplicateACK)
	e.peer().sends("A 11:21 ack 1")
	e.want().segment("A 1 ack 31", ReasonGapFilled)
	e.peer().sends("A 31:41 ack 1")
	e.want().segment("A 1 ack 41", ReasonQuickACK)
}

func TestWindowScaleIsTheLeastThatFits(t *testing.T) {
	// "The maximum scale exponent is limited to 14". RFC 7323, 2.2.
	for n, want := range map[int]uint8{
		0: 0, 65535: 0, 65536: 1, 131071: 1, 131072: 2, 65535 << 13: 13, 65535<<13 + 1<<13: 14, 65535 << 14: 14, 1 << 40: 14,
	} {
		if got := scaleFor(n); got != want {
			t.Errorf("a window of %d octets: the scale is %d, want %d", n, got, want)
		}
	}
}

func TestBuffersHaveLimits(t *testing.T) {
	e := establishedEnd(t, scaled) // the scale is 7
	for n, want := range map[int]int{-5: 128, 0: 128, 127: 128, 128: 128, 1000: 1000, 65535 << 7: 65535 << 7, 1 << 30: 65535 << 7} {
		e.c.SetReceiveBuffer(e.now, n)
		if got := int(e.c.rcv.limit); got != want {
			t.Errorf("a receive buffer of %d: %d, want %d", n, got, want)
		}
	}
	e.sent = nil
	for n, want := range map[int]int{-5: 1, 0: 1, 1: 1, 2: 2, 5000: 5000} {
		e.c.SetSendBuffer(n)
		if got := e.c.WriteSpace(); got != want {
			t.Errorf("a send buffer of %d: space for %d, want %d", n, got, want)
		}
	}
	e.c.SetUserTimeout(-time.Second)
	e.writes(1)
	e.sent = nil
	e.after(time.Second)
	if e.c.State() != StateEstablished {
		t.Error("a negative user time-out ends the connection")
	}
	e.sent = nil
}

func TestSmallerReceiveBufferOfAnOldPeer(t *testing.T) {
	// Without window scaling no more than 65535 octets can be promised.
	e := newEnd(t, func(c *Config) { c.WindowScaling, c.ReceiveBuffer = true, 1<<20 })
	e.c = Connect(e.env, e.now, testParams())
	e.drain()
	e.sent = nil
	seg := e.parse("SA 0 ack 1 mss 1000")
	seg.Options.HasWindowScale = false
	e.c.HandleSegment(e.now, &seg)
	e.drain()
	e.want().segment("A 1 ack 1 win 65535", ReasonOpenDone)
	if e.c.rcv.limit != 65535 {
		t.Errorf("the buffer holds %d", e.c.rcv.limit)
	}
}

func TestWideningTheBufferIsTold(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 2000 })
	e.peer().sends("A 1:1001 ack 1", "A 1001:2001 ack 1")
	e.want().segment("A 1 ack 2001 win 0", ReasonSecondSegment)
	e.does(func(c *Conn) { c.SetReceiveBuffer(e.now, 8000) })
	e.want().segment("A 1 ack 2001 win 6000", ReasonWindowUpdate)
	e.c.Peek(make([]byte, 2000), 0)
	e.does(func(c *Conn) {
		if n := c.Discard(e.now, 5000); n != 2000 {
			t.Errorf("%d octets were there to be dropped, want 2000", n)
		}
	})
	e.want().nothing() // the window doesn't double
	e.peer().sends("A 2001:3001 ack 1", "A 3001:4001 ack 1", "A 4001:5001 ack 1", "A 5001:6001 ack 1", "A 6001:7001 ack 1", "A 7001:8001 ack 1")
	e.want().segment("A 1 ack 8001 win 2000", ReasonSecondSegment)
	e.does(func(c *Conn) { c.Discard(e.now, 5000) })
	e.want().segment("A 1 ack 8001 win 7000", ReasonWindowUpdate)
}

func TestSmallWritesAreCopiedLargeOnesShared(t *testing.T) {
	// A small write that follows another gives its storage back at once.
	for _, c := range []struct{ n, references int }{{1, 1}, {smallWrite, 1}, {smallWrite + 1, 2}, {5000, 2}} {
		e := establishedEnd(t)
		first := e.gives(pkt.CopyView(octets(1, 10)))
		if err := e.c.Write(e.now, first); err != nil {
			t.Fatal(err)
		}
		if got := first.References(); got != 2 {
			t.Errorf("the first write has %d references, want 2", got)
		}
		v := e.gives(pkt.CopyView(octets(11, c.n)))
		if err := e.c.Write(e.now, v); err != nil {
			t.Fatal(err)
		}
		if got := v.References(); got != c.references {
			t.Errorf("a write of %d octets has %d references, want %d", c.n, got, c.references)
		}
		e.drain()
		e.sent = nil
	}
}

func TestPeekStopsAtTheMark(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("UA 1:21 ack 1 urg 10") // the mark is before octet 10
	b := make([]byte, 50)
	for off, want := range map[int]int{0: 9, 5: 4, 8: 1, 9: 0, 15: 0} {
		if got := e.c.Peek(b, off); got != want || string(b[:got]) != string(octets(1+off, got)) {
			t.Errorf("from %d: %d octets before the mark, want %d", off, got, want)
		}
	}
	e.sent = nil
}

func TestAStoppedTimerIsTold(t *testing.T) {
	e := establishedEnd(t)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.env.Watch = true
	e.peer().sends("A 1 ack 11")
	stopped := 0
	for _, f := range facts(e.env) {
		if f.Kind == EventTimerStopped && f.Timer == TimerRetransmit {
			stopped++
		}
	}
	if stopped != 1 {
		t.Errorf("told %d times that the retransmission timer is stopped", stopped)
	}
	e.peer().sends("A 1 ack 11")
	if got := facts(e.env); len(got) != 0 {
		t.Errorf("a timer that doesn't run is stopped: %+v", got)
	}
	e.peer().sends("R 1000000")
	if got := facts(e.env); len(got) != 1 || got[0] != (Event{Kind: EventDiscard, Discard: DiscardResetOutside}) {
		t.Errorf("a discard is told as %+v", got)
	}
}

func TestFactsAreFetchedOnce(t *testing.T) {
	env := NewEnv(DefaultConfig())
	env.Watch = true
	for i := range 3 {
		env.note(Event{Kind: EventAdvice, Cwnd: i})
		if got := facts(env); len(got) != 1 || got[0].Cwnd != i {
			t.Fatalf("got %+v", got)
		}
		if len(env.facts) != 0 {
			t.Fatal("what was fetched is kept")
		}
	}
}

func TestAnEndIsAnEnd(t *testing.T) {
	// What comes after the end changes nothing of how it was (MUST-12).
	e := closedEnd(t)
	e.env.Watch = true
	e.does(func(c *Conn) { c.Abort(e.now) })
	if err := e.c.Err(); err != nil {
		t.Errorf("a connection that ended in order has the error %v", err)
	}
	if got := facts(e.env); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
	e = establishedEnd(t)
	e.peer().sends("A 1:11 ack 1")
	e.does(func(c *Conn) { c.Abort(e.now) })
	e.want().segment("RA 1 ack 11", ReasonAbort)
	if n := e.c.Readable(); n != 0 {
		t.Errorf("after an abort %d octets can be read", n)
	}
}

func TestConnectionsAreAcceptedInTheirOrder(t *testing.T) {
	l := NewListener(NewEnv(DefaultConfig()), 1000)
	var waiting []*Conn
	push := func(n int) {
		for range n {
			c := new(Conn)
			waiting = append(waiting, c)
			l.Push(c)
		}
	}
	pop := func(n int) {
		t.Helper()
		for range n {
			if got := l.Pop(); got != waiting[0] {
				t.Fatalf("with %d waiting: not the oldest", len(waiting))
			}
			waiting = waiting[1:]
			if l.Len() != len(waiting) {
				t.Fatalf("%d wait, want %d", l.Len(), len(waiting))
			}
		}
	}
	push(100)
	pop(31)
	push(10)
	pop(1)
	pop(20)
	push(50)
	pop(70)
	pop(len(waiting))
	push(40)
	pop(40)
	if l.Pop() != nil {
		t.Error("nobody waits, and somebody is accepted")
	}
}
