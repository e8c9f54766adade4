package tcp

import "testing"

// tcp(7), TCP_NODELAY: "segments are always sent as soon as possible", whatever MSG_MORE
// has kept before.
func TestNoDelayOutlastsMore(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetNoDelay(true); c.SetMore(true) })
	e.writes(10)
	e.want().nothing()
	e.does(func(c *Conn) { c.SetMore(false) })
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.writes(10)
	e.want().segment("PA 11:21 ack 1", ReasonData)
}

// Every segment counts, a reset, too; only those with text as such.
func TestWhichSegmentsCount(t *testing.T) {
	e := establishedEnd(t)
	counts := func(when string, all uint64, text uint32) {
		t.Helper()
		if i := e.c.Info(); i.SegmentsOut != all || i.DataSegmentsOut != text {
			t.Errorf("%s: %d segments, %d with text; want %d, %d", when, i.SegmentsOut, i.DataSegmentsOut, all, text)
		}
	}
	counts("connected", 2, 0)
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	counts("an octet", 3, 1)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 2 ack 1", ReasonFIN)
	counts("a FIN", 4, 1)
	e.does(func(c *Conn) { c.Abort(e.now) })
	e.want().segment("RA 3 ack 1", ReasonAbort)
	counts("a reset", 5, 1)
}

// RFC 7661, 4.3: the window grows if more than half of it was used, in slow start: of ten
// segments six, not five.
func TestTheWindowGrowsIfItIsUsed(t *testing.T) {
	for written, want := range map[int]int{5000: 10_000, 6000: 16_000} {
		e := establishedEnd(t)
		e.writes(written)
		e.sent = nil
		e.peer().sends(sprintf("A 1 ack %d", written+1))
		if got := e.c.Info().Cwnd; got != want {
			t.Errorf("after %d octets were acknowledged the window has %d, want %d", written, got, want)
		}
	}
}

// draft-ietf-ccwg-bbr, 4.1.2.4: a connection that has nothing more to send is limited by its
// program, be it that a FIN has gone out, too, or not.
func TestWhoHasNothingToSendIsLimitedByTheProgram(t *testing.T) {
	for name, f := range map[string]func(e *end){
		"text":        func(*end) {},
		"text, a FIN": func(e *end) { e.does(func(c *Conn) { _ = c.CloseWrite(e.now) }) },
	} {
		e := sackEnd(t, 100*ms)
		e.writes(1000)
		f(e)
		e.sent = nil
		e.c.loss.board.meter.appLimited = 0 // as if more had been sent than was there
		e.drain()
		if e.c.loss.board.meter.appLimited == 0 {
			t.Errorf("%s: the program isn't what limits it", name)
		}
	}
}

// A window that is filled to its last octet was used up to there: until that is
// acknowledged it counts as what held the sender back (RFC 7661, 4.3).
func TestAFilledWindowCountsUntilItsEnd(t *testing.T) {
	e := sackEnd(t, 100*ms)
	e.writes(10_000)
	e.sent = nil
	if u := e.c.cc.usage; u.until != e.c.snd.nxt || u.most != windowFilled {
		t.Errorf("it counts until %d, with %d octets", u.until.Sub(testISS), u.most)
	}
}

// A loss probe is no later than the time-out, which counts from the oldest segment (RFC 8985,
// 7.2; RFC 6298, 5.1): the second segment doesn't move it.
func TestAProbeIsNoLaterThanTheTimeout(t *testing.T) {
	e := sackEnd(t, 100*ms) // the time-out is 300 ms
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	e.after(150 * ms)
	e.writes(1000)
	e.want().segment("PA 1001:2001 ack 1", ReasonData)
	if at := e.c.NextTimer().Sub(began); at != 400*ms {
		t.Errorf("the timer is due at %v, want 400 ms", at)
	}
}

// Where a host lets segments leave in bursts, what leaves later is another burst: it ends when
// nothing more is to be sent.
func TestABurstEndsWithWhatThereIsToSend(t *testing.T) {
	e := establishedEnd(t)
	e.c.burst.going = true
	e.drain()
	if e.c.burst.going {
		t.Error("it goes on though nothing is sent")
	}
	e.c.burst.going = true
	e.c.ackNow(ReasonQuickACK)
	var s Segment
	if !e.c.PollSegment(e.now, &s) || e.c.burst.going {
		t.Error("no ACK, or one that is part of it")
	}
}
