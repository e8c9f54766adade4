package tcp

import (
	"time"

	"hubbub/clock"
)

// A TimeWait is what must be remembered of a connection in TIME-WAIT: a few
// words. It makes sure that the peer's FIN is acknowledged if our last ACK
// was lost, and that nothing old gets into a new connection between the same
// ports.
type TimeWait struct {
	expires  clock.Time
	answered clock.Time // when an invalid segment was last answered
	nxt      Seq        // SND.NXT
	rcvNxt   Seq        // RCV.NXT, after the peer's FIN
	window   uint16     // as on the wire
	stamped  bool
	ts       timestamps
}

// A Verdict says what becomes of a TimeWait that a segment came to.
type Verdict uint8

const (
	// Keep: the connection stays in TIME-WAIT.
	Keep Verdict = iota
	// Reopen: the segment is a SYN that may begin a new connection. If there
	// is somebody to accept it, the TimeWait is dropped, and the new
	// connection's ISS is not before NextISS.
	Reopen
	// Kill: the segment is a reset that ends TIME-WAIT.
	Kill
)

// TimeWait returns what is left of a connection in TIME-WAIT.
func (c *Conn) TimeWait() TimeWait {
	return TimeWait{
		expires: c.timers.at(TimerLifetime), answered: c.rare.invalidAt,
		nxt: c.snd.nxt, rcvNxt: c.rcv.nxt,
		window: uint16(c.rcv.window() >> c.rcv.shift), ts: c.ts, stamped: c.stamped,
	}
}

// Expires returns when TIME-WAIT is over.
func (t *TimeWait) Expires() clock.Time { return t.expires }

// ExpireAt lets TIME-WAIT be over at the given time.
func (t *TimeWait) ExpireAt(at clock.Time) { t.expires = at }

// LastTimestamp returns the last timestamp that came from the peer, and when;
// ok is false if timestamps were not agreed on.
func (t *TimeWait) LastTimestamp() (value uint32, at clock.Time, ok bool) {
	return t.ts.recent, t.ts.recentAt, t.stamped
}

// NextISS returns the least initial sequence number for a new connection
// between the same ports: "it ... assigns its initial sequence number for the
// new connection to be larger than the largest sequence number it used on the
// previous connection incarnation" (MAY-2; RFC 9293, 3.6.1).
func (t *TimeWait) NextISS() Seq { return t.nxt.Add(1 << 16) }

// HandleSegment takes in a segment, whose payload remains the caller's. It
// returns the answer, if there is one.
//
// "The only thing that can arrive in this state is a retransmission of the
// remote FIN. Acknowledge it, and restart the 2 MSL timeout."
// (RFC 9293, 3.10.7.4) A reset doesn't end TIME-WAIT: an old duplicate could
// otherwise kill what protects from old duplicates (RFC 1337, 3). Where the
// host is set to, as Linux is, one at exactly RCV.NXT does.
func (t *TimeWait) HandleSegment(now clock.Time, env *Env, seg *Segment) (reply Segment, ok bool, v Verdict) {
	switch {
	case seg.Flags.Has(rst) && !env.ProtectTimeWait && seg.Seq == t.rcvNxt:
		return Segment{}, false, Kill
	case seg.Flags.Has(rst):
		env.discard(DiscardTimeWaitReset)
		return Segment{}, false, Keep
	case seg.Flags.Has(syn) && !seg.Flags.Has(ack) && t.isNewer(now, seg):
		return Segment{}, false, Reopen
	case seg.Flags.Has(fin) && seg.end() == t.rcvNxt:
		t.expires = now.Add(2 * env.MSL)
		if t.stamped && seg.Options.Timestamps && !t.ts.tooOld(now, seg.Options.TSVal) {
			t.ts.remember(now, seg.Options.TSVal)
		}
		env.note(Event{Kind: EventTimerSet, Timer: TimerLifetime, At: t.expires})
	case !seg.Flags.Has(ack) && !seg.Flags.Has(syn):
		env.discard(DiscardNoACK)
		return Segment{}, false, Keep
	case seg.Len() == 0 && seg.Seq == t.rcvNxt:
		return Segment{}, false, Keep // an ACK that changes nothing
	case seg.Len() == 0 && !answerDue(env, now, &t.answered):
		env.discard(DiscardRateLimited)
		return Segment{}, false, Keep
	default:
		env.discard(DiscardTimeWait)
	}
	return t.ack(now), true, Keep
}

// isNewer reports whether a SYN is of a new connection: by its timestamp, or
// by its sequence number where there is none or time stood still (R6191-1,
// R6191-2, R6191-3, SHLD-4; RFC 6191, 2).
func (t *TimeWait) isNewer(now clock.Time, seg *Segment) bool {
	if t.stamped && seg.Options.Timestamps {
		age := int32(seg.Options.TSVal - t.ts.recent)
		return age > 0 || now.Sub(t.ts.recentAt) > stale || age == 0 && t.rcvNxt.Less(seg.Seq)
	}
	return t.rcvNxt.Less(seg.Seq)
}

// ack returns <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
func (t *TimeWait) ack(now clock.Time) Segment {
	s := Segment{Seq: t.nxt, Ack: t.rcvNxt, Flags: ack, Window: t.window, Reason: ReasonTimeWait}
	if t.stamped {
		s.Options.Timestamps = true
		s.Options.TSVal, s.Options.TSEcr = t.ts.now(now), t.ts.recent
	}
	return s
}

// Reusable reports whether a connection between the same ports may be opened
// from here (tcp_tw_reuse): if the timestamps of the old one tell its segments
// from those of the new, which takes that a second has passed since (RFC 6191,
// 2; RFC 7323, 5.8). The new one's ISS is not before NextISS.
func (t *TimeWait) Reusable(now clock.Time) bool {
	return t.stamped && now.Sub(t.ts.recentAt) > time.Second
}

// Remaining returns how long TIME-WAIT still lasts.
func (t *TimeWait) Remaining(now clock.Time) time.Duration { return max(0, t.expires.Sub(now)) }

// arriveTimeWait lets a Conn in TIME-WAIT do what its TimeWait would.
func (c *Conn) arriveTimeWait(now clock.Time, seg *Segment) {
	t := c.TimeWait()
	_, ok, verdict := t.HandleSegment(now, c.env, seg)
	if verdict == Kill {
		c.setState(now, StateClosed, "a reset ended TIME-WAIT")
		return
	}
	if t.answered != c.rare.invalidAt {
		c.own().invalidAt = t.answered
	}
	if t.expires != c.timers.at(TimerLifetime) {
		c.timers.set(c.env, TimerLifetime, t.expires)
	}
	if ok {
		c.ackNow(ReasonTimeWait)
	}
}
