package tcp

import (
	"testing"
	"time"
)

// bursts is a config that lets no fewer than n segments leave together.
func bursts(n int) func(*Config) { return func(c *Config) { c.MinBurst, c.BurstRTTLog = n, 0 } }

// marked returns which of the segments that have left have the mark PSH, by
// their last octets in thousands, and forgets them all.
func (e *end) marked() (ends []int) {
	for i := range e.sent {
		if s := &e.sent[i].Segment; s.Flags.Has(psh) {
			ends = append(ends, s.end().Sub(e.c.snd.iss.Add(1))/1000)
		}
	}
	e.sent = nil
	return ends
}

func (e *end) wantMarked(want ...int) {
	e.t.Helper()
	if got := e.marked(); !slicesEqual(got, want) {
		e.t.Errorf("segments with PSH end at %v thousand, want %v", got, want)
	}
}

func slicesEqual(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestBurstsEndWithAMark(t *testing.T) {
	// "A TCP endpoint MAY implement PUSH flags on SEND calls (MAY-15)."
	// RFC 9293, 3.9.1.2. A burst is what takes a millisecond, two segments at
	// least, and half of the congestion window at most.
	e := sackEnd(t, 100*ms, bursts(2))
	e.writes(30500)
	e.wantMarked(2, 4, 6, 8, 10) // of ten that the window allows
	e.c.env.MinBurst = 100
	e.after(100 * ms)
	e.peer().sends("A 1 ack 10001")
	e.wantMarked(20, 30)
	e.after(100 * ms)
	e.peer().sends("A 1 ack 30001")
	e.want().segment("PA 30001:30501 ack 1", ReasonData) // the last that was written
}

func TestBurstsAreLongWhereTheRoundTripIsShort(t *testing.T) {
	// 65215 octets and half of that for each 512 us of the round trip.
	e := sackEnd(t, 512*time.Microsecond, bursts(2), func(c *Config) { c.BurstRTTLog = 9 })
	e.c.cc.Cwnd = 200_000
	if got := e.c.wholeBurst(); got != 65 {
		t.Errorf("a burst has %d segments, want 65", got)
	}
	e.c.rtt.srtt, e.c.rtt.least = 10*ms, 2*512*time.Microsecond
	e.c.cc.Cwnd = 10_000
	// Twice the pace: 20000 octets in 10 ms are 1953 in 1/1024 s.
	if got := e.c.wholeBurst(); got != (1953+65215/4)/1000 {
		t.Errorf("a burst has %d segments, want %d", got, (1953+65215/4)/1000)
	}
	e.c.cc.Ssthresh, e.c.rtt.least = 10_000, time.Second
	e.c.cc.Cwnd = 50_000
	// 1.2 times the pace in congestion avoidance: 5859 octets.
	if got := e.c.wholeBurst(); got != 5 {
		t.Errorf("a burst has %d segments, want 5", got)
	}
}

func TestWhatLeftTogetherLeavesTogetherAgain(t *testing.T) {
	// The mark is that of the burst, not of the segment: a retransmission that
	// leaves alone has none, unless the program's last octet is in it.
	e := sackEnd(t, 100*ms, bursts(2), noProbe, func(c *Config) { c.FRTO = false })
	e.writes(6000)
	e.wantMarked(2, 4, 6)
	e.after(300 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 1001")
	e.want().segment("A 1001:2001 ack 1", ReasonTimeout) // its burst has only this left
	e.want().segment("A 2001:3001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 3001")
	e.want().segment("A 3001:4001 ack 1", ReasonTimeout)
	e.want().segment("A 4001:5001 ack 1", ReasonTimeout)
	e.want().segment("PA 5001:6001 ack 1", ReasonTimeout)
}

func TestProgramThatHasMoreDoesNotPush(t *testing.T) {
	// "If there is no more queued data ... the sender ... MUST set the PSH bit"
	// (MUST-61; RFC 9293, 3.9.1.2): a program that says that more follows
	// (MSG_MORE) has it queued as good as.
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetMore(true) })
	e.writes(3000)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("A 1001:2001 ack 1", ReasonData)
	e.want().segment("PA 2001:3001 ack 1", ReasonData) // for the burst
	e.writes(10)
	e.want().nothing()
	e.peer().sends("A 1 ack 3001")
	e.want().segment("A 3001:3011 ack 1", ReasonData)
	e.peer().sends("A 1 ack 3011")
	e.does(func(c *Conn) { c.SetMore(true) })
	e.writes(10)
	e.after(199 * ms)
	e.want().nothing()
	e.after(1 * ms) // patience is over
	e.want().segment("PA 3011:3021 ack 1", ReasonWindowOverride)
}
