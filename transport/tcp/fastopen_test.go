package tcp

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// testCookie is one that the server has given.
func testCookie() wire.FastOpenCookie {
	c, _ := wire.NewFastOpenCookie([]byte("12345678"))
	return c
}

// opensEarly connects with a cookie and n octets.
func opensEarly(t *testing.T, n int, f FastOpen, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	p := testParams()
	p.FastOpen = &f
	e.c = Connect(e.env, e.now, p)
	if n > 0 {
		e.writes(n)
	} else {
		e.drain()
	}
	return e
}

// sentCookie expects a SYN with the option, or without.
func (w wantOf) sentCookie(spec string, why Reason, there bool, cookie wire.FastOpenCookie) {
	w.t.Helper()
	if o := w.segment(spec, why).Options; o.FastOpen != there || o.Cookie != cookie {
		w.t.Errorf("%s: option %v with % x, want %v with % x", spec, o.FastOpen, o.Cookie.Bytes(), there, cookie.Bytes())
	}
}

// Without a cookie one is asked for, and nothing goes in the SYN; the text
// follows the handshake (RFC 7413, 4.1.3).
func TestACookieIsAskedFor(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{})
	e.want().sentCookie("S 0 mss 1000", ReasonAskCookie, true, wire.FastOpenCookie{})
	e.want().nothing()
	syn := e.parse("SA 0 ack 1 mss 900")
	syn.Options.FastOpen, syn.Options.Cookie = true, testCookie()
	e.c.HandleSegment(e.now, &syn)
	e.drain()
	e.want().segment("PA 1:101 ack 1", ReasonData)
	if r := e.c.FastOpened(); r != (FastOpenResult{Given: testCookie()}) {
		t.Errorf("%+v", r)
	}
}

// With a cookie the SYN carries text: as much as the server's MSS, as it was
// told last, has room for, beside all options that there may be (as on Linux).
// What the server acknowledges is done with.
func TestTextGoesInTheSYN(t *testing.T) {
	for _, x := range []struct{ room, n, goes int }{{0, 2000, 496}, {300, 2000, 260}, {5000, 2000, 960}, {300, 10, 10}, {30, 10, 0}} {
		e := opensEarly(t, x.n, FastOpen{Cookie: testCookie(), Room: x.room})
		spec := sprintf("S 0:%d mss 1000", x.goes)
		why := ReasonFastOpen
		if x.goes == 0 {
			spec, why = "S 0 mss 1000", ReasonAskCookie
		}
		e.want().sentCookie(spec, why, true, testCookie())
		if i := e.c.Info(); i.BytesOut != uint64(x.goes) || i.InFlight != 1+x.goes {
			t.Errorf("room %d: %d octets count as sent, %d as in flight", x.room, i.BytesOut, i.InFlight)
		}
		e.sent = nil
	}
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.want().sentCookie("S 0:100 mss 1000", ReasonFastOpen, true, testCookie())
	e.peer().sends("SA 0 ack 101 mss 1000")
	e.want().segment("A 101 ack 1", ReasonOpenDone)
	if r := e.c.FastOpened(); !r.Taken || r.Lost || e.c.Unacked() != 0 || !e.c.Info().SYNData {
		t.Errorf("%+v, %d octets wait", r, e.c.Unacked())
	}
}

// What the server didn't take is sent at once, as if for the first time
// (RFC 7413, 4.2.1): all of it, or the rest.
func TestWhatTheSYNBroughtInVainGoesAgain(t *testing.T) {
	for _, x := range []struct {
		ack   string
		then  string
		again uint64
	}{{"SA 0 ack 1 mss 1000", "PA 1:101 ack 1", 100}, {"SA 0 ack 41 mss 1000", "PA 41:101 ack 1", 60}} {
		e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
		e.sent = nil
		e.peer().sends(x.ack)
		e.want().segment(x.then, ReasonData)
		if i := e.c.Info(); i.BytesOut != 100 || i.Recovery.Segments != 1 {
			t.Errorf("%s: %d octets count as sent, in %d records", x.ack, i.BytesOut, i.Recovery.Segments)
		} else if i.Recovery.Resent != 1 || i.Retransmissions != 1 || i.BytesRetransmitted != x.again {
			t.Errorf("%s: %d segments count as sent again, %d in all, of %d octets", x.ack, i.Recovery.Resent, i.Retransmissions, i.BytesRetransmitted)
		}
		e.peer().sends("A 1 ack 101")
		e.want().nothing()
		e.writes(10)
		e.want().segment("PA 101:111 ack 1", ReasonData)
		if i := e.c.Info(); i.Recovery.Resent != 0 || i.Retransmissions != 1 {
			t.Errorf("%s: of what follows %d segments count as sent again, %d in all", x.ack, i.Recovery.Resent, i.Retransmissions)
		}
	}
}

// A SYN that gets no answer goes again without cookie and text (RFC 7413,
// 4.2.1). The answer to the first may still come.
func TestASYNThatIsRepeatedIsPlain(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.after(1000 * ms)
	e.want().sentCookie("S 0 mss 1000", ReasonOpenRetry, false, wire.FastOpenCookie{})
	e.peer().sends("SA 0 ack 101 mss 1000")
	e.want().segment("A 101 ack 1", ReasonOpenDone)
	if r := e.c.FastOpened(); !r.Taken || r.Lost {
		t.Errorf("%+v, want the text taken after all", r)
	}
	// Of a SYN without text nobody can say that it is the text's fault.
	e = opensEarly(t, 0, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.after(1000 * ms)
	e.sent = nil
	if e.c.FastOpened().Lost {
		t.Error("a SYN without text counts as lost for its text")
	}
}

// Where both ends connect at once, what was in the SYN counts as not sent: the
// peer had no connection that could have taken it.
func TestTextInASimultaneousOpen(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenReply)
	e.peer().sends("A 1 ack 1")
	e.want().segment("PA 1:101 ack 1", ReasonData)
}

// Text goes without a cookie where the program says so, and then none is asked
// for.
func TestTextWithoutACookie(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{NoCookie: true})
	e.want().sentCookie("S 0:100 mss 1000", ReasonFastOpen, false, wire.FastOpenCookie{})
}

// A SYN that waits for text goes with the first that is written.
func TestTheSYNWaitsForText(t *testing.T) {
	e := opensEarly(t, 0, FastOpen{Cookie: testCookie(), Deferred: true})
	e.want().nothing()
	if e.c.Opening() || !e.c.Early() || e.c.NextTimer() != 0 {
		t.Error("the program has to wait, or a timer runs")
	}
	e.writes(10)
	e.want().sentCookie("S 0:10 mss 1000", ReasonFastOpen, true, testCookie())
	if !e.c.Opening() {
		t.Error("the handshake isn't under way")
	}
}

// acceptsEarly answers a SYN with 100 octets, whose cookie was found good.
func acceptsEarly(t *testing.T, spec string, p Params) (*end, *Listener) {
	t.Helper()
	e := newEnd(t, sacked)
	l := NewListener(e.env, 5)
	l.SetFastOpen(1)
	seg := e.parse(spec)
	if l.HandleSYN(&seg) != Admit || !l.MayOpenEarly(e.now, l.FastOpen()) {
		t.Fatal("the SYN isn't admitted")
	}
	if n := seg.Payload.Len(); n > 0 {
		seg.Payload.Release()
		seg.Payload = e.gives(pkt.CopyView(octets(1, n)))
	}
	e.c = l.AcceptEarly(e.now, p, &seg)
	e.drain()
	return e, l
}

// The text of a SYN with a good cookie is the program's at once, and is
// acknowledged with the SYN. What the program answers goes out before the
// handshake is over (RFC 7413, 4.2.2).
func TestTheProgramNeedNotWaitForTheHandshake(t *testing.T) {
	e, l := acceptsEarly(t, "S 0:100 mss 1000", testParams())
	e.want().segment("SA 0 ack 101 mss 1000", ReasonEarly)
	e.want().state(StateSynReceived)
	if e.c.Opening() || e.c.Ready()&ReadyWrite == 0 || l.HalfOpen() != 0 || l.MayOpenEarly(e.now, 1) {
		t.Error("the program has to wait, or the connection counts among others")
	}
	e.reads(100)
	e.writes(1500)
	e.want().segment("A 1:1001 ack 101", ReasonData)
	e.want().segment("PA 1001:1501 ack 101", ReasonData)
	e.peer().sends("A 101 ack 1001")
	e.want().state(StateEstablished)
	if !l.MayOpenEarly(e.now, 1) || e.c.Unacked() != 500 {
		t.Errorf("%d octets wait for their ACK", e.c.Unacked())
	}
	e.after(200 * ms)
	e.want().segment("PA 1001:1501 ack 101", ReasonLossProbe)
}

// The SYN-ACK is repeated, not what follows it. Once its ACK has come, text in
// flight has the time-out of text.
func TestAnEarlySYNACKIsRepeated(t *testing.T) {
	e, _ := acceptsEarly(t, "S 0:100 mss 1000", testParams())
	e.sent = nil
	e.writes(10)
	e.sent = nil
	e.after(1000 * ms)
	e.want().segment("SA 0 ack 101 mss 1000", ReasonOpenRetry)
	e.peer().sends("S 0:100 mss 1000")
	e.want().segment("SA 0 ack 101 mss 1000", ReasonOpenRetry)
	e.peer().sends("A 101 ack 1")
	e.want().state(StateEstablished)
	e.after(3000 * ms)
	e.want().segment("PA 1:11 ack 101", ReasonTimeout)
	e.sent = nil
}

// A SYN with a cookie and no text makes such a connection as well. Its FIN, if it
// has one, is not taken: it comes again.
func TestAnEarlySYNWithoutText(t *testing.T) {
	e, _ := acceptsEarly(t, "SF 0 mss 1000", testParams())
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenReply)
	if e.c.Info().SYNData || e.c.EOF() || e.c.Opening() {
		t.Error("there is text, or the end of the stream, or the program waits")
	}
}

// A reset ends it, and gives its place back after a minute: resets don't make
// room for who has the SYNs' senders invented (RFC 7413, 5.1).
func TestAnEarlyConnectionIsReset(t *testing.T) {
	e, l := acceptsEarly(t, "S 0:100 mss 1000", testParams())
	e.sent = nil
	e.peer().sends("R 101")
	e.want().state(StateClosed)
	if at := e.now.Add(time.Minute); l.MayOpenEarly(at-1, 1) || !l.MayOpenEarly(at-1, 2) || !l.MayOpenEarly(at, 1) {
		t.Error("it doesn't count for a minute")
	}
	e.reads(100) // what had arrived can still be read
}

// The SYN-ACK gives a cookie, to a connection of either kind.
func TestTheSYNACKGivesACookie(t *testing.T) {
	p := testParams()
	p.FastOpen = &FastOpen{Cookie: testCookie()}
	e := newEnd(t)
	e.accept(p, "S 0 win 64000 mss 1000")
	e.want().sentCookie("SA 0 ack 1 mss 1000", ReasonGiveCookie, true, testCookie())
	e.after(1000 * ms)
	e.want().sentCookie("SA 0 ack 1 mss 1000", ReasonOpenRetry, false, wire.FastOpenCookie{})
	e, _ = acceptsEarly(t, "S 0:100 mss 1000", p)
	e.want().sentCookie("SA 0 ack 101 mss 1000", ReasonEarly, true, testCookie())
}

// One segment may go beyond the window, as on Linux: so may a SYN's text.
func TestEarlyTextBeyondTheWindow(t *testing.T) {
	p := testParams()
	p.RecvBuffer = 2304
	e := newEnd(t, linuxs)
	l := NewListener(e.env, 5)
	seg := e.parse("S 0 mss 1000")
	l.HandleSYN(&seg)
	seg.Payload = e.gives(pkt.CopyView(octets(1, 5000)))
	e.c = l.AcceptEarly(e.now, p, &seg)
	e.drain()
	e.want().segment("SA 0 ack 5001 mss 1000", ReasonEarly)
	e.want().nothing()
}

// A cookie is the one that Linux gives with the same key, between the addresses
// of its own tests.
func TestCookiesAreLinuxs(t *testing.T) {
	key := Secret{0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2, 0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4}
	for _, x := range []struct {
		key            Secret
		client, server string
		want           string
	}{
		{key, "192.0.2.1", "192.168.0.1", "3021b9d889017eeb"},
		{Secret{}, "192.0.2.1", "192.168.0.1", "b7c12350a90dc8f5"},
		{Secret{}, "::ffff:192.0.2.1", "::ffff:192.168.0.1", "b7c12350a90dc8f5"},
		{key, "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "c1d1e9742a47a9bc"},
		{Secret{}, "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "82af1a8f9a205c34"},
	} {
		c := NewFastOpenCookie(x.key, netip.MustParseAddr(x.server), netip.MustParseAddr(x.client))
		if got := sprintf("%x", c.Bytes()); got != x.want {
			t.Errorf("%s gets %s, want %s", x.client, got, x.want)
		}
	}
}

// Where the program waits to write more, the last ACK of the handshake goes with
// that, or by the timer of delayed ACKs; and a dialogue has begun.
func TestTheHandshakesACKWaitsForText(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.c.AwaitWrite()
	e.peer().sends("SA 0 ack 101 mss 1000")
	e.want().nothing()
	e.writes(10)
	e.want().segment("PA 101:111 ack 1", ReasonData)
	e.peer().sends("PA 1:11 ack 111")
	e.want().nothing()
	e = opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.c.AwaitWrite()
	e.peer().sends("SA 0 ack 101 mss 1000")
	e.after(e.env.DelayedACK)
	e.want().segment("A 101 ack 1", ReasonDelayedACK)
}

// What went in the SYN in vain and goes again is no short segment of the
// program's: the Nagle algorithm lets one more go.
func TestTextInVainIsNotShort(t *testing.T) {
	e := opensEarly(t, 100, FastOpen{Cookie: testCookie()})
	e.sent = nil
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("PA 1:101 ack 1", ReasonData)
	e.writes(10)
	e.want().segment("PA 101:111 ack 1", ReasonData)
	e.writes(10)
	e.want().nothing()
}

// Before the handshake is over the peer's window and the congestion window are
// for text alone: the SYN-ACK takes no room of them.
func TestASYNACKTakesNoRoom(t *testing.T) {
	e, _ := acceptsEarly(t, "S 0:100 mss 1000 win 2000", testParams())
	e.sent = nil
	e.writes(3000)
	e.want().segment("A 1:1001 ack 101", ReasonData)
	e.want().segment("PA 1001:2001 ack 101", ReasonData)
	e.want().nothing()
}

// A cookie that nobody has asked for isn't kept; a server that gives none to who
// asks may know the option in its other form.
func TestWhatASYNACKTellsOfFastOpen(t *testing.T) {
	answer := func(f FastOpen, retried bool, cookie wire.FastOpenCookie) FastOpenResult {
		t.Helper()
		e := opensEarly(t, 0, f)
		e.sent = nil
		if retried {
			e.after(1000 * ms)
		}
		e.sent = nil
		seg := e.parse("SA 0 ack 1 mss 900")
		seg.Options.FastOpen, seg.Options.Cookie = !cookie.IsRequest(), cookie
		e.c.HandleSegment(e.now, &seg)
		return e.c.FastOpened()
	}
	none := wire.FastOpenCookie{}
	for _, x := range []struct {
		f       FastOpen
		retried bool
		cookie  wire.FastOpenCookie
		want    FastOpenResult
	}{
		{FastOpen{}, false, testCookie(), FastOpenResult{Given: testCookie()}},
		{FastOpen{}, false, none, FastOpenResult{Ignored: true}},
		{FastOpen{}, true, none, FastOpenResult{}},
		{FastOpen{Cookie: testCookie()}, false, none, FastOpenResult{}},
		{FastOpen{NoCookie: true}, false, testCookie(), FastOpenResult{}},
	} {
		if got := answer(x.f, x.retried, x.cookie); got != x.want {
			t.Errorf("%+v, repeated %v, answered with % x: %+v, want %+v", x.f, x.retried, x.cookie.Bytes(), got, x.want)
		}
	}
}
