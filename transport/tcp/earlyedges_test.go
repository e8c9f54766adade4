package tcp

import (
	"fmt"
	"testing"
	"time"
)

// RFC 7413, 4.2.2: a connection that is open before its handshake is over is like any other:
// what came counts, the window is less by what is unread, and the story is told.
func TestWhatAnEarlyConnectionCounts(t *testing.T) {
	for _, n := range []int{1, 100} {
		e, l := acceptsEarly(t, sprintf("S 0:%d mss 1000", n), testParams())
		e.want().segment(sprintf("SA 0 ack %d mss 1000 win %d", n+1, 65535-n), ReasonEarly)
		i := e.c.Info()
		if i.SegmentsIn != 1 || i.DataSegmentsIn != 1 || i.BytesIn != uint64(n) || !i.SYNData || i.BytesAcked != 0 {
			t.Errorf("%d segments, %d with text, %d octets; taken: %v; %d acknowledged", i.SegmentsIn, i.DataSegmentsIn, i.BytesIn, i.SYNData, i.BytesAcked)
		}
		if used, _ := e.env.Memory(); used < n || l.young != 0 || l.HalfOpen() != 0 {
			t.Errorf("%d octets are accounted for; %d are young of %d half open", used, l.young, l.HalfOpen())
		}
		if !e.c.Early() {
			t.Error("the program has to wait")
		}
		e.peer().sends(sprintf("A %d ack 1", n+1))
		if e.c.Early() {
			t.Error("after the handshake it still counts as early")
		}
	}
}

func TestTheStoryOfAnEarlyConnection(t *testing.T) {
	e := newEnd(t)
	e.env.Watch = true
	l := NewListener(e.env, 5)
	seg := e.parse("S 0 mss 1000")
	l.HandleSYN(&seg)
	e.c = l.AcceptEarly(e.now, testParams(), &seg)
	e.drain()
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.want().facts(
		"LISTEN -> SYN-RECEIVED: a SYN with a cookie arrived: the program needn't wait",
		"cwnd 10000, ssthresh 1073741824, open: the initial window", "retransmission timer set to 1s",
	)
}

// A FIN in the SYN isn't taken, nor is what follows it: it comes again (RFC 7413, 4.2.2).
func TestTheFINOfAnEarlySYNIsNotTaken(t *testing.T) {
	e, _ := acceptsEarly(t, "SF 0:100 mss 1000", testParams())
	e.want().segment("SA 0 ack 101 mss 1000", ReasonEarly)
	e.reads(100)
	if e.c.EOF() {
		t.Error("the stream ends")
	}
	e.peer().sends("FA 101 ack 1")
	e.want().state(StateCloseWait)
	e.after(ms)
	e.want().segment("A 1 ack 102", ReasonDelayedACK)
}

// Where the host has no memory for the text, it comes again, and nothing holds it.
func TestEarlyTextWithoutMemory(t *testing.T) {
	e := newEnd(t, func(c *Config) { c.MemoryPages, c.MinReceiveBuffer = [3]int{}, 0 })
	l := NewListener(e.env, 5)
	seg := e.parse("S 0:100 mss 1000")
	seg.Payload = e.gives(seg.Payload)
	l.HandleSYN(&seg)
	e.c = l.AcceptEarly(e.now, testParams(), &seg)
	e.drain()
	e.want().segment("SA 0 ack 1", ReasonEarly)
	if n := e.gave[0].References(); n != 1 {
		t.Errorf("%d references to the text are left", n-1)
	}
}

// RFC 9293, 3.8.3: the user time-out counts from the SYN.
func TestTheUserTimeoutOfAnEarlyConnection(t *testing.T) {
	p := testParams()
	p.UserTimeout = 2500 * ms
	e, _ := acceptsEarly(t, "S 0:100 mss 1000", p)
	e.want().segment("SA 0 ack 101", ReasonEarly)
	e.after(time.Second)
	e.want().segment("SA 0 ack 101", ReasonOpenRetry)
	e.after(1499 * ms)
	e.want().state(StateSynReceived)
	e.after(ms)
	e.want().state(StateClosed)
}

// An octet in the SYN is text: it counts, it may be lost, it may be taken. What was given
// back by a simultaneous open is not in the SYN-ACK that is repeated.
func TestAnOctetInTheSYN(t *testing.T) {
	e := opensEarly(t, 1, FastOpen{Cookie: testCookie()})
	e.want().sentCookie("S 0:1 mss 1000", ReasonFastOpen, true, testCookie())
	if i := e.c.Info(); i.DataSegmentsOut != 1 || i.BytesAcked != 0 || i.LastDataSent != began {
		t.Errorf("%d segments with text, %d octets acknowledged", i.DataSegmentsOut, i.BytesAcked)
	}
	e.after(time.Second)
	e.want().segment("S 0 mss 1000", ReasonOpenRetry)
	if r := e.c.FastOpened(); r.Taken || !r.Lost {
		t.Errorf("%+v", r)
	}
	e.peer().sends("SA 0 ack 2 mss 1000")
	e.want().segment("A 2 ack 1", ReasonOpenDone)
	if !e.c.FastOpened().Taken {
		t.Error("the octet wasn't taken")
	}
	e = opensEarly(t, 1, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.after(time.Second)
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	if i := e.c.Info(); i.BytesOut != 0 || i.InFlight != 1 {
		t.Errorf("%d octets count as sent, %d as in flight", i.BytesOut, i.InFlight)
	}
	if r := e.c.FastOpened(); r.Taken || r.Lost {
		t.Errorf("%+v, and it was not in that segment", r)
	}
	// A connection that has nothing to do with it.
	if r := establishedEnd(t).c.FastOpened(); r != (FastOpenResult{}) {
		t.Errorf("of a connection without: %+v", r)
	}
}

func TestTextOfASimultaneousOpenIsTakenAfterAll(t *testing.T) {
	// "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state" (RFC 9293,
	// 3.10.7.4): what the SYN had counts, as it was sent (RFC 7413, 4.2.1). So the other
	// end of a simultaneous open may acknowledge all of it, a part, or nothing.
	for taken, rest := range map[int]string{0: "AP 1:11 ack 1", 4: "AP 5:11 ack 1", 10: ""} {
		e := opensEarly(t, 10, FastOpen{Cookie: testCookie()})
		e.sent = nil
		e.peer().sends("S 0 mss 1000")
		e.want().segment("SA 0 ack 1", ReasonOpenReply)
		e.peer().sends(fmt.Sprintf("SA 0 ack %d", 1+taken))
		e.want().state(StateEstablished)
		if rest != "" {
			e.want().segment(rest, ReasonData)
		}
		e.want().nothing()
		if i := e.c.Info(); i.BytesOut != 10 || e.c.Unacked() != 10-taken || e.c.FastOpened().Taken != (taken > 0) {
			t.Errorf("%d taken: %d octets sent, %d not acknowledged", taken, i.BytesOut, e.c.Unacked())
		}
	}
	e := opensEarly(t, 10, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.peer().sends("SA 0 ack 12")
	e.want().segment("R 12", ReasonBadHandshakeACK)
	e.want().state(StateSynReceived)
}

// The SYN that waits for text goes with whatever way of writing there is.
func TestTheSYNWaitsForAnyWrite(t *testing.T) {
	e := opensEarly(t, 0, FastOpen{Cookie: testCookie(), Deferred: true})
	e.does(func(c *Conn) {
		if n, err := c.WriteBytes(e.now, octets(1, 10)); n != 10 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
	e.want().sentCookie("S 0:10 mss 1000", ReasonFastOpen, true, testCookie())
}

// One octet in flight before the handshake is over has a time-out after.
func TestAnEarlyOctetInFlight(t *testing.T) {
	e, _ := acceptsEarly(t, "S 0:100 mss 1000", testParams())
	e.want().segment("SA 0 ack 101 mss 1000", ReasonEarly)
	e.writes(1)
	e.want().segment("PA 1:2 ack 101", ReasonData)
	e.peer().sends("A 101 ack 1")
	e.want().state(StateEstablished)
	e.after(200 * ms)
	e.want().segment("PA 1:2 ack 101", ReasonTimeout)
}

func TestFastOpenOfNegativeLengthIsNone(t *testing.T) {
	l := NewListener(NewEnv(DefaultConfig()), 5)
	for asked, want := range map[int]int{-1: 0, 0: 0, 1: 1, 5: 5} {
		if l.SetFastOpen(asked); l.FastOpen() != want {
			t.Errorf("TCP_FASTOPEN of %d is %d", asked, l.FastOpen())
		}
	}
}

// RFC 7413, 4.1.2: the cookie depends on the server, the client, and a secret, and on no port:
// a client needs one for all its connections. What the clock shows depends on the start.
func TestWhatACookieDependsOn(t *testing.T) {
	k := cookieKey()
	a, b := k.Local.Addr(), k.Remote.Addr()
	cookie := NewFastOpenCookie(k.Secret, a, b)
	if cookie.IsRequest() || cookie != NewFastOpenCookie(k.Secret, a, b) {
		t.Error("it is none, or another each time")
	}
	if cookie == NewFastOpenCookie(Secret{9}, a, b) || cookie == NewFastOpenCookie(k.Secret, b, b) || cookie == NewFastOpenCookie(k.Secret, a, a) {
		t.Error("something doesn't count")
	}
	e := newEnd(t)
	p := testParams()
	p.TSOffset = TimestampsFrom(began)
	e.env.Timestamps = true
	e.connect(p)
	if got := e.want().segment("S 0", ReasonOpen).Options.TSVal; got != 0 {
		t.Errorf("at its start the clock shows %d", got)
	}
}
