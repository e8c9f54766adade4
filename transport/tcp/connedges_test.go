package tcp

import (
	"math"
	"testing"
	"time"

	"hubbub/wire"
)

// RFC 9293, 3.8.6.3: the first segment that waits for its ACK says how long: those that come
// after it, and don't make it two full segments, don't move the timer.
func TestADelayedACKIsNotDelayedAgain(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1:101 ack 1")
	e.after(20 * ms)
	e.peer().sends("A 101:201 ack 1")
	e.after(20*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1 ack 201", ReasonDelayedACK)
}

// tcp(7), TCP_QUICKACK: "If disabled, ... acks are delayed": in a dialogue, which an octet and
// an answer make.
func TestAnOctetAndAnAnswerAreADialogue(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 16 })
	e.writes(1)
	e.want().segment("PA 1:2 ack 1", ReasonData)
	if !e.c.QuickACK() {
		t.Error("who has heard nothing is in a dialogue")
	}
	e.peer().sends("A 1:2 ack 2")
	e.want().segment("A 2 ack 2", ReasonQuickACK)
	e.writes(1)
	e.want().segment("PA 2:3 ack 2", ReasonData)
	if e.c.QuickACK() {
		t.Error("an octet and an answer are no dialogue")
	}
}

// tcp(7), TCP_LINGER2: a second is one.
func TestOneSecondInFinWait2(t *testing.T) {
	e := finWait2End(t)
	e.c.SetFinWait2(1)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.after(time.Second - 1)
	e.want().state(StateFinWait2)
	e.after(1)
	e.want().state(StateClosed)
}

// "Keep-alive packets MUST only be sent when no sent data is outstanding (MUST-26)" (RFC 9293,
// 3.8.4), be it one octet, in flight or waiting for the window; and none are sent of a
// keep-alive that was turned off before there was a connection.
func TestNoKeepAliveWhileAnOctetWaits(t *testing.T) {
	for name, window := range map[string]string{"in flight": "win 64000", "unsent": "win 0"} {
		e := aliveEnd(t, KeepAlive{On: true, Idle: 100 * ms, Interval: 100 * ms, Probes: 5})
		e.sent = nil
		e.peer().sends("A 1 ack 1 " + window)
		e.writes(1)
		e.sent = nil
		e.after(100 * ms) // the time-out, and the window's probe, are at 200 ms
		if len(e.sent) > 0 {
			t.Errorf("%s: %v", name, e.show(e.sent[0]))
		}
		e.sent = nil
	}
	e := synSentEnd(t)
	e.does(func(c *Conn) {
		c.SetKeepAlive(e.now, KeepAlive{On: true, Idle: time.Second})
		c.SetKeepAlive(e.now, KeepAlive{})
	})
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if at := e.c.NextTimer(); at != 0 {
		t.Errorf("a timer is due %v later", at.Sub(e.now))
	}
}

// tcp(7), TCP_USER_TIMEOUT: "used with ... SO_KEEPALIVE, TCP_USER_TIMEOUT will override
// keepalive to determine when to close a connection": after the first probe, if it is
// shorter, be it a nanosecond.
func TestTheUserTimeoutOverridesKeepAlive(t *testing.T) {
	for limit, want := range map[time.Duration]State{0: StateEstablished, 1: StateClosed, 2 * time.Second: StateClosed, 3 * time.Second: StateEstablished} {
		e := aliveEnd(t, KeepAlive{On: true, Idle: time.Second, Interval: time.Second, Probes: 5})
		e.sent = nil
		e.c.SetUserTimeout(limit)
		e.after(time.Second)
		e.sent = nil
		e.after(time.Second)
		e.want().state(want)
		e.sent = nil
	}
}

// RFC 9293, 3.10.4, CLOSE in SYN-SENT waits for the handshake, if data may be still to come:
// then "enter FIN-WAIT-1 state".
func TestHalfAClosedHandshake(t *testing.T) {
	e := synSentEnd(t)
	e.env.Watch = true
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().state(StateSynSent)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().state(StateFinWait1)
	e.want().segment("FA 1 ack 1", ReasonFIN)
	if f := facts(e.env); f[2].Kind != EventCongestion && f[2].To != StateFinWait1 {
		t.Errorf("told %+v", f)
	}
}

// Nothing is queued for a peer that may be anybody: a SYN's text is let go, and comes again.
func TestTheTextOfASYNIsLetGo(t *testing.T) {
	e := newEnd(t)
	e.accept(testParams(), "S 0:100 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	if n := e.gave[0].References(); n != 1 {
		t.Errorf("%d references are left", n-1)
	}
}

// tcp(7), TCP_INFO: before text has come, it counts from the handshake when it last did.
func TestWhenTextLastCameBeforeAnyHas(t *testing.T) {
	e := synSentEnd(t)
	e.after(30 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if at := e.c.Info().LastDataReceived; at != began.Add(30*ms) {
		t.Errorf("%v after the SYN", at.Sub(began))
	}
	// So does the user time-out of what is written at once.
	e.c.SetUserTimeout(100 * ms)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.after(100*ms - 1)
	e.want().state(StateEstablished)
	e.after(1)
	e.sent = nil
	e.want().state(StateClosed)
}

// RFC 7323, 3.2: a round trip of no whole tick is one of 0 ms; an echo of 0, or of what is
// still to come, is none.
func TestWhatAnEchoMeasures(t *testing.T) {
	ts := timestamps{offset: 5}
	at := began
	for echo, want := range map[uint32]time.Duration{ts.now(at): 0, ts.now(at) - 1: ms, ts.now(at) - 1000: time.Second} {
		if got, ok := ts.elapsed(at, echo); got != want || !ok {
			t.Errorf("%d ticks ago: %v, %v", ts.now(at)-echo, got, ok)
		}
	}
	for _, echo := range []uint32{0, ts.now(at) + 1, ts.now(at) + 1<<31} {
		if _, ok := ts.elapsed(at, echo); ok {
			t.Errorf("an echo of %d counts, where the clock shows %d", echo, ts.now(at))
		}
	}
}

// A SYN-ACK that echoes a timestamp which no SYN of this connection had answers another
// (RFC 7323, 3.2: TSecr "echoes a timestamp value that was sent by the remote TCP"): on Linux
// PAWSACTIVEREJECTED. One that echoes nothing, or that comes where there are no timestamps,
// counts.
func TestASYNACKThatEchoesAnother(t *testing.T) {
	for _, c := range []struct {
		name    string
		ours    bool
		options wire.TCPOptions
		counts  bool
	}{
		{"the SYN's", true, wire.TCPOptions{Timestamps: true, TSEcr: 10_000}, true},
		{"now", true, wire.TCPOptions{Timestamps: true, TSEcr: 10_100}, true},
		{"before the SYN", true, wire.TCPOptions{Timestamps: true, TSEcr: 9_999}, false},
		{"the future", true, wire.TCPOptions{Timestamps: true, TSEcr: 10_101}, false},
		{"one", true, wire.TCPOptions{Timestamps: true, TSEcr: 1}, false},
		{"nothing", true, wire.TCPOptions{Timestamps: true}, true},
		{"no option", true, wire.TCPOptions{TSEcr: 5}, true},
		{"we have none", false, wire.TCPOptions{Timestamps: true, TSEcr: 5}, true},
	} {
		e := synSentEnd(t, func(o *Config) { o.Timestamps = c.ours })
		e.after(100 * ms)
		seg := Segment{Seq: testIRS, Ack: testISS.Add(1), Flags: syn | ack, Window: 64000, Options: c.options}
		e.c.HandleSegment(e.now, &seg)
		e.drain()
		e.sent = nil
		if got := e.c.State() == StateEstablished; got != c.counts {
			t.Errorf("%s: it counts: %v", c.name, got)
		}
	}
}

// An invalid segment is answered once in half a second, also where the connection was put by
// in between (RFC 5961, 7).
func TestARequestRemembersItsLastAnswer(t *testing.T) {
	e := newEnd(t)
	r := e.request(testParams(), "S 0 mss 1000")
	for _, c := range []struct {
		after   time.Duration
		answers int
	}{{0, 1}, {499 * ms, 0}, {ms, 1}} {
		e.now = e.now.Add(c.after)
		e.c = r.Unfold(e.env, testParams())
		e.peer().sends("S 0 mss 1000") // the peer's SYN again
		if len(e.sent) != c.answers {
			t.Errorf("%v later: %d answers", c.after, len(e.sent))
		}
		e.sent = nil
		e.c.Fold(r)
	}
}

// A size of memory that can't be counted is the most that can.
func TestSendBuffersAreBounded(t *testing.T) {
	const huge = 1 << 40
	e := newEnd(t, func(c *Config) { c.MaxSendBuffer = huge })
	e.c = newConn(e.env, Params{MSS: 1000, SendBuffer: huge})
	if n := e.c.SendBuffer(); n != math.MaxInt32 {
		t.Errorf("a send buffer of %d octets", n)
	}
	e.c.SetSendBuffer(huge)
	if n := e.c.SendBuffer(); n != math.MaxInt32 {
		t.Errorf("SO_SNDBUF of %d is %d", huge, n)
	}
	e = establishedEnd(t, func(c *Config) { c.MaxSendBuffer = huge })
	e.c.cc.Cwnd = math.MaxInt32
	e.c.expandSendBuffer()
	if n := e.c.SendBuffer(); n != math.MaxInt32 {
		t.Errorf("it grows to %d octets", n)
	}
	// So is a payload; and a path that takes an octet has segments of one.
	e.c = newConn(e.env, Params{MSS: 1000, SendMSS: 65536})
	if got := e.c.snd.limitMSS; got != 65535 {
		t.Errorf("a path of 65536 octets takes %d", got)
	}
	e.c.snd.shortened = 1
	e.c.setMSS()
	if n := e.c.SendMSS(); n != 1 {
		t.Errorf("segments have %d octets", n)
	}
}

// In SYN-SENT, where text may be written already, it is in pieces of what segments will have
// at least.
func TestWriteSpaceBeforeTheHandshake(t *testing.T) {
	e := synSentEnd(t, func(c *Config) { c.NotSentLowat = 1000 })
	if n := e.c.WriteSpace(); n != longestBurst/536*536 {
		t.Errorf("room for %d octets", n)
	}
}

// RFC 7413, 4.1.3.1: without a cookie nothing may be known of the server, and the SYN has as
// much as the path lets through; else what its MSS, or the default, has room for, less all
// options that there may be.
func TestTheRoomInASYN(t *testing.T) {
	for _, c := range []struct {
		f    FastOpen
		want int
	}{
		{FastOpen{NoCookie: true}, 960},
		{FastOpen{NoCookie: true, Room: 500}, 460},
		{FastOpen{NoCookie: true, Room: 5000}, 960},
		{FastOpen{Cookie: testCookie()}, 496},
		{FastOpen{Cookie: testCookie(), Room: 1}, 0},
		{FastOpen{Cookie: testCookie(), Room: 41}, 1},
		{FastOpen{}, 0},
	} {
		e := opensEarly(t, 0, c.f)
		e.sent = nil
		if got := e.c.EarlyRoom(); got != c.want {
			t.Errorf("%+v: %d", c.f, got)
		}
	}
	for _, deferred := range []bool{false, true} {
		if got := opensEarly(t, 0, FastOpen{Cookie: testCookie(), Deferred: deferred}); got.c.Deferred() != deferred {
			t.Errorf("deferred is %v", !deferred)
		} else {
			got.sent = nil
		}
	}
	if establishedEnd(t).c.Deferred() {
		t.Error("an ordinary connection waits for a write")
	}
}

// Who waits for the program's next write is in a dialogue at once.
func TestWaitingForTextBeginsADialogue(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.c.AwaitWrite()
	e.peer().sends("SA 0 ack 101 mss 1000")
	if e.c.QuickACK() {
		t.Error("it isn't")
	}
	e.after(e.env.DelayedACK)
	e.want().segment("A 101 ack 1", ReasonDelayedACK)
}

// Before its handshake is over our SYN-ACK is in flight, and takes no room of either window.
func TestTheSYNACKTakesNoRoom(t *testing.T) {
	for _, c := range []struct{ window, written, goes int }{{900, 900, 900}, {2000, 2001, 2000}, {64_000, 20_000, 10_000}, {64_000, 10_001, 10_000}} {
		e, _ := acceptsEarly(t, sprintf("S 0:100 mss 1000 win %d", c.window), testParams())
		e.sent = nil
		e.writes(c.written)
		got := 0
		for _, s := range e.sent {
			got += len(s.text)
		}
		e.sent = nil
		if got != c.goes {
			t.Errorf("%+v: %d octets are sent", c, got)
		}
	}
}

// tcp(7), TCP_INFO, "tcpi_bytes_retrans": of a segment that repeats what a probe has brought, and
// has more, the octet.
func TestWhatIsRepeatedOfASegment(t *testing.T) {
	e := blockedEnd(t)
	e.after(200 * ms)
	e.want().segment("A 1001:1002 ack 1", ReasonWindowProbe)
	e.peer().sends("A 1 ack 1001 win 1000")
	e.want().segment("PA 1001:1501 ack 1", ReasonWindowOpened)
	if i := e.c.Info(); i.BytesRetransmitted != 1 || i.BytesOut != 1500 {
		t.Errorf("%d octets were sent, %d again", i.BytesOut, i.BytesRetransmitted)
	}
}

// However many pieces a stream comes in, they are counted no further than a number holds.
func TestManyLargePieces(t *testing.T) {
	e := establishedEnd(t)
	e.c.rcv.queue = e.env.takeQueue()
	v := view(make([]byte, 1<<16))
	for range 257 {
		e.c.rcv.queue.Append(v.Retain())
	}
	e.c.rcv.pieces = math.MaxUint16
	e.c.take(view([]byte("x")))
	if e.c.rcv.pieces != math.MaxUint16 {
		t.Errorf("%d pieces", e.c.rcv.pieces)
	}
	v.Release()
}
