package tcp

import (
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// TCP Fast Open lets a SYN carry text that the server's program gets at once, and
// answers, a round trip earlier (RFC 7413). So that nobody can let a server work
// for an invented address, a client first gets a cookie from it in an ordinary
// handshake, and shows that later (RFC 7413, 4.1).
//
// The text may come twice, if the network doubles a SYN: that is for programs
// which don't mind (RFC 7413, 2.1).

// FastOpen says what a connection that begins has to do with fast open.
type FastOpen struct {
	// Cookie is the one that the server has given to this client, or else a
	// request for one. On the server's side it is what the SYN-ACK gives.
	Cookie wire.FastOpenCookie
	// NoCookie lets text go without a cookie, to a server that asks for none.
	NoCookie bool
	// Room is the server's MSS, as it was told last, 0 if it isn't known.
	Room int
	// Deferred lets the SYN wait for the first write.
	Deferred bool
}

// mayBeEarly reports whether text may go in the SYN.
func (f *FastOpen) mayBeEarly() bool { return f.NoCookie || !f.Cookie.IsRequest() }

// fastOpen is the state of fast open, of a connection that has to do with it.
type fastOpen struct {
	FastOpen
	listener *Listener           // of a server's connection, in SYN-RECEIVED
	early    bool                // the server's program has it before the handshake is over
	sent     int                 // octets of text in our SYN
	taken    bool                // text in a SYN was taken
	partly   bool                // some of it wasn't
	asked    bool                // our SYN asked for a cookie, and was not repeated
	option   bool                // our SYN had the option
	repeated bool                // our SYN was repeated, without
	waiting  bool                // the program waits for the end of the handshake to write more
	carried  int                 // octets of text in our SYN, when the SYN-ACK had come
	given    wire.FastOpenCookie // what the SYN-ACK brought
}

// Opening reports whether the handshake is under way, and the program has to
// wait for its end.
func (c *Conn) Opening() bool {
	return (c.state == StateSynSent || c.state == StateSynReceived) && !c.Early()
}

// Early reports whether the program may read and write though the handshake is
// not over, or hasn't even begun.
func (c *Conn) Early() bool { return c.rare.fast != nil && (c.rare.fast.early || c.rare.fast.Deferred) }

// Deferred reports whether the SYN waits for the first write.
func (c *Conn) Deferred() bool { return c.rare.fast != nil && c.rare.fast.Deferred }

// TriesFastOpen reports whether the connection has to do with fast open.
func (c *Conn) TriesFastOpen() bool { return c.rare.fast != nil }

// FastOpenResult is what the answer to a SYN has told about fast open.
type FastOpenResult struct {
	Given wire.FastOpenCookie // the cookie that the server has given; a request for none
	Taken bool                // text in the SYN was taken
	Lost  bool                // the SYN, or its answer, was lost: maybe for its text
	// Ignored is set if a cookie was asked for, and none came: of a server that
	// may know the option only in its other form.
	Ignored bool
}

// FastOpened returns what the answer to the SYN has told.
func (c *Conn) FastOpened() FastOpenResult {
	f := c.rare.fast
	if f == nil {
		return FastOpenResult{}
	}
	none := f.given.IsRequest()
	return FastOpenResult{
		Given: f.given, Taken: f.taken, Lost: f.repeated && none && !f.taken,
		Ignored: f.asked && none && c.snd.una != c.snd.iss,
	}
}

// EarlyRoom returns how much text the SYN has room for. As on Linux, all the
// room that options can take is left to them. Where no cookie is needed, and so
// nothing may be known of the server, the SYN has as much as the path lets
// through.
func (c *Conn) EarlyRoom() int {
	f := c.rare.fast
	if f == nil || !f.mayBeEarly() {
		return 0
	}
	room := orDefault(f.Room, defaultMSS)
	if f.Room == 0 && f.NoCookie {
		room = int(c.snd.limitMSS)
	}
	return max(0, min(room, int(c.snd.limitMSS))-wire.MaxTCPOptionsLen)
}

// openEarly puts a cookie into a SYN or SYN-ACK. One that is repeated has none:
// what is on the way may have no use for it (RFC 7413, 4.2.1).
func (c *Conn) openEarly(out *Segment) {
	f := c.rare.fast
	switch {
	case out.Retransmission:
		f.asked, f.repeated = false, f.repeated || f.sent > 0
	case c.state == StateSynSent:
		out.Options.FastOpen, out.Options.Cookie = !f.NoCookie || !f.Cookie.IsRequest(), f.Cookie
		f.option = out.Options.FastOpen
		f.asked = f.option && f.Cookie.IsRequest()
		if f.option {
			out.Reason = ReasonAskCookie
		}
		c.sendEarly(out)
	case c.passive:
		out.Options.FastOpen, out.Options.Cookie = !f.Cookie.IsRequest(), f.Cookie
		if f.taken {
			out.Reason = ReasonEarly
		} else if out.Options.FastOpen {
			out.Reason = ReasonGiveCookie
		}
	}
}

// sendEarly puts text into a SYN.
func (c *Conn) sendEarly(out *Segment) {
	f := c.rare.fast
	n := min(c.EarlyRoom(), c.snd.queue.Len())
	if n == 0 {
		return
	}
	out.Payload = c.snd.queue.At(0, n)
	out.Reason = ReasonFastOpen
	f.sent = n
	c.snd.nxt = c.snd.nxt.Add(n)
	c.count.bytesOut += uint64(n)
	c.count.dataOut++
}

// openedEarly takes in what a SYN-ACK says: a new cookie, unless nobody has asked
// for one, and how much of the text it acknowledges. What the server didn't take
// is sent again, as if for the first time (RFC 7413, 4.2.1).
func (c *Conn) openedEarly(seg *Segment) {
	f := c.rare.fast
	if f.option {
		f.given = seg.Options.Cookie
	}
	c.unsendEarly(min(max(0, seg.Ack.Sub(c.snd.iss)-1), f.sent))
}

// unsendEarly makes what went in the SYN, but for n octets that were taken, text
// that was not sent.
func (c *Conn) unsendEarly(n int) {
	f := c.rare.fast
	f.taken, f.partly = n > 0, n < f.sent
	c.snd.queue.Discard(n)
	c.snd.nxt = c.snd.iss.Add(1 + n)
	c.count.bytesOut -= uint64(f.sent - n)
	f.carried, f.sent = f.sent, 0
}

// sentEarly returns how many of the next n octets of text, which weren't sent yet
// as it seems, went in the SYN in vain.
func (c *Conn) sentEarly(n int) int {
	if c.rare.fast == nil {
		return 0
	}
	return max(0, min(n, c.rare.fast.carried-int(c.count.bytesOut)))
}

// againEarly returns how many segments in flight carry text that went in the SYN before.
func (c *Conn) againEarly() (n int) {
	f, b := c.rare.fast, c.loss.board
	if f == nil || b == nil {
		return 0
	}
	left := f.carried - int(c.count.bytesOut) + c.flight() // of it, from SND.UNA on
	for n < b.n && b.at(n).end.Sub(c.snd.una) <= left {
		n++
	}
	return n
}

// tookEarly takes in that the other end of a simultaneous open has taken text of our
// SYN after all, and reports whether it has: it was sent, and may be acknowledged
// (RFC 7413, 4.2.1).
func (c *Conn) tookEarly(ack Seq) bool {
	f := c.rare.fast
	n := ack.Sub(c.snd.nxt)
	if n <= 0 || n > c.sentEarly(n) {
		return false
	}
	c.snd.queue.Discard(n)
	c.count.bytesOut += uint64(n)
	c.snd.una, c.snd.nxt, f.taken = ack, ack, true
	return true
}

// AwaitWrite says that the program has more to write as soon as the handshake is
// over: its last ACK may wait for that, as on Linux.
func (c *Conn) AwaitWrite() {
	if c.rare.fast != nil {
		c.rare.fast.waiting = true
	}
}

// ackHandshake acknowledges the SYN-ACK.
func (c *Conn) ackHandshake(now clock.Time, seg *Segment) {
	if f := c.rare.fast; f != nil && f.waiting && seg.Payload.Len() == 0 {
		c.ack.dialogue = true
		c.delayACK(now)
		return
	}
	c.ackNow(ReasonOpenDone)
}

// AcceptEarly is [Accept] of a SYN whose text the program gets at once: its
// sender has shown a cookie. The connection can be read and written in
// SYN-RECEIVED, and counts among the listener's until the handshake is over
// (RFC 7413, 4.2.2). It takes over the segment's payload; a FIN must come again.
func (l *Listener) AcceptEarly(now clock.Time, p Params, seg *Segment) *Conn {
	l.halfOpen--
	l.young--
	l.early++
	c := newConn(l.env, p)
	c.state, c.passive = StateListen, true
	c.snd.progressAt = now
	c.count.segmentsIn++
	c.takeSYN(now, seg)
	if c.rare.fast == nil {
		c.own().fast = new(fastOpen)
	}
	c.rare.fast.early, c.rare.fast.listener = true, l
	c.synDue = true
	c.setState(now, StateSynReceived, "a SYN with a cookie arrived: the program needn't wait")
	c.startCongestion(now)
	c.rcv.edge = c.rcv.nxt.Add(c.firstWindow())
	seg.trimFront(c.rcv.nxt)
	seg.Flags &^= fin
	if seg.Payload.Len() > 0 {
		c.rare.fast.taken = true
		c.count.dataIn++
		c.processRest(now, seg)
	}
	seg.drop()
	c.account()
	return c
}

// leaveEarly lets the listener have one more such connection: at once, or, if
// this one was reset, when a minute is over, as on Linux. Whoever sends SYNs in
// others' names, with cookies that he has got hold of, would otherwise be rid of
// each connection as soon as the other resets it (RFC 7413, 5.1).
func (c *Conn) leaveEarly(now clock.Time, reset bool) {
	f := c.rare.fast
	if f == nil || f.listener == nil {
		return
	}
	f.listener.early--
	if reset {
		f.listener.resets = append(f.listener.resets, now.Add(resetsCount))
	}
	f.listener, f.early = nil, false
}

// resetsCount is for how long a connection counts that was reset before its
// handshake was over.
const resetsCount = time.Minute

// SetFastOpen lets so many connections be open before their handshakes are over
// (TCP_FASTOPEN); 0 for none.
func (l *Listener) SetFastOpen(most int) { l.mostEarly = max(0, most) }

// FastOpen returns what SetFastOpen has set.
func (l *Listener) FastOpen() int { return l.mostEarly }

// MayOpenEarly reports whether one more connection may be, of so many: else an
// attacker who has a cookie could fill the machine (RFC 7413, 5.1).
func (l *Listener) MayOpenEarly(now clock.Time, most int) bool {
	for len(l.resets) > 0 && l.resets[0].Due(now) {
		l.resets = l.resets[1:]
	}
	return l.early+len(l.resets) < most
}

// openForText sends the SYN that has waited for the first write.
func (c *Conn) openForText() {
	if c.rare.fast != nil && c.rare.fast.Deferred {
		c.rare.fast.Deferred, c.synDue = false, true
	}
}
