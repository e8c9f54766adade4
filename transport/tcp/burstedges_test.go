package tcp

import (
	"testing"
	"time"
)

// tcp_tso_rtt_log: "Adjustment of TSO packet sizes based on min_rtt ... tso_packet_size =
// sk->sk_gso_max_size >> (min_rtt / (1 << tcp_tso_rtt_log))": 9, so half for each 512 us;
// 0 is none of it.
func TestBurstsToAPeerThatIsNear(t *testing.T) {
	for _, c := range []struct {
		log   int
		least time.Duration
		want  int
	}{
		{9, 0, 65_215},
		{9, 511 * time.Microsecond, 65_215},
		{9, 512 * time.Microsecond, 32_607},
		{9, 1024 * time.Microsecond, 16_303},
		{9, 16 * 512 * time.Microsecond, 0},
		{9, time.Hour, 0},
		{1, 4 * time.Microsecond, 16_303},
		{0, 0, 0},
	} {
		e := establishedEnd(t, func(o *Config) { o.BurstRTTLog = c.log })
		e.c.rtt.least = c.least
		if got := e.c.nearness(); got != c.want {
			t.Errorf("%+v: %d octets more", c, got)
		}
	}
}

// As much leaves together as about a millisecond's share of the window is, at twice the pace in
// slow start, at 1.2 times that later, or at the pace that was set; and an IP packet at most.
func TestWhatAMillisecondsShareIs(t *testing.T) {
	for _, c := range []struct {
		cwnd, ssthresh int
		pacing         uint64
		srtt           time.Duration
		want           int
	}{
		{100_000, 1 << 30, 0, 100 * ms, 1953},
		{100_000, 200_001, 0, 100 * ms, 1171},
		{100_000, 200_002, 0, 100 * ms, 1953},
		{100_000, 1 << 30, 0, ms, 65_215},
		{100_000, 1 << 30, 1_025_000, 100 * ms, 1000},
		{100_000, 1 << 30, 1, 100 * ms, 0},
		{100_000, 1 << 30, 1 << 40, 100 * ms, 65_215},
	} {
		e := establishedEnd(t)
		e.c.cc.Cwnd, e.c.cc.Ssthresh, e.c.cc.Pacing, e.c.rtt.srtt = c.cwnd, c.ssthresh, c.pacing, c.srtt
		if got := e.c.paceFor(time.Second / 1024); got != c.want {
			t.Errorf("%+v: %d octets", c, got)
		}
	}
	// Before a round trip was measured, or where it takes no time, as much as there can be; but no
	// fewer segments than the host says.
	for srtt, want := range map[time.Duration]int{0: 65, 1: 65, 100 * ms: 2, time.Hour: 2} {
		e := establishedEnd(t, func(c *Config) { c.MinBurst, c.BurstRTTLog = 2, 0 })
		e.c.rtt.srtt = srtt
		if got := e.c.wholeBurst(); got != want {
			t.Errorf("with a round trip of %v %d segments", srtt, got)
		}
	}
}

// A burst that has begun goes on; else it has as many segments as its window's half, one at
// least, 255 at most; and it ends with its last.
func TestHowABurstGoesOn(t *testing.T) {
	for most, want := range map[int]uint8{0: 1, 1: 1, 2: 2, 40: 40, 1000: 65} {
		e := establishedEnd(t, func(c *Config) { c.MinBurst = 2 })
		if e.c.burst.begin(e.c, most); e.c.burst.left != want {
			t.Errorf("of %d segments %d", most, e.c.burst.left)
		}
		e.c.burst = burst{left: 7, going: true}
		if e.c.burst.begin(e.c, most); e.c.burst.left != 7 {
			t.Error("one that goes on begins anew")
		}
	}
	e := establishedEnd(t, func(c *Config) { c.MinBurst = 1000 })
	if e.c.burst.begin(e.c, 1000); e.c.burst.left != 255 {
		t.Errorf("of 1000 segments %d", e.c.burst.left)
	}
	for _, c := range []struct {
		before        burst
		pieces        int
		over          bool
		ends, several bool
		left          uint8
	}{
		{burst{3, false}, 1, false, false, false, 2},
		{burst{2, true}, 1, false, false, true, 1},
		{burst{1, true}, 1, false, true, true, 0},
		{burst{3, true}, 1, true, true, true, 2},
		{burst{3, false}, 2, false, false, true, 1},
		{burst{3, false}, 3, false, true, true, 0},
		{burst{3, false}, 9, false, true, true, 0},
		{burst{1, false}, 1, false, true, false, 0},
	} {
		b := c.before
		if ends, several := b.next(c.pieces, c.over); ends != c.ends || several != c.several || b.left != c.left || b.going == ends {
			t.Errorf("%+v: ends %v, several %v, %+v", c, ends, several, b)
		}
	}
}

// RFC 3168, 6.1.1: a connection that has asked for ECN, and whose peer hasn't agreed, uses none of
// it: what it sends isn't ECN-capable, and what is marked or echoed means nothing.
func TestECNThatWasRefusedIsNotUsed(t *testing.T) {
	e := newEnd(t, sacked, asking, noProbe)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.after(100 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.peer().sends("A 1:101 ack 1 ecn 3")
	e.after(40 * ms)
	e.want().segment("A 1 ack 101 ecn 0", ReasonDelayedACK)
	e.writes(8000)
	for range 7 {
		if s := e.sent[0]; s.ECN != ECNNone {
			t.Errorf("%v", e.show(s))
		}
		e.sent = e.sent[1:]
	}
	e.sent = nil
	e.peer().sends("AE 101 ack 1001", "AW 101:201 ack 1001")
	if i := e.c.Info(); i.Phase != PhaseOpen || i.Marked != 0 || i.ECN {
		t.Errorf("%v, %d marked", i.Phase, i.Marked)
	}
	e.after(40 * ms)
	e.want().segment("A 8001 ack 201", ReasonDelayedACK)
	e.peer().sends("A 201 ack 1001 sack 2001:6001")
	e.sent = nil
	e.peer().sends("A 201 ack 8001")
	e.writes(1000)
	e.want().segment("PA 8001:9001 ack 201 ecn 0", ReasonData) // without CWR
}

// Both ends ask at once, and both agree (RFC 3168, 6.1.1); and a FIN in the SYN means nothing for it.
func TestECNInOtherOpenings(t *testing.T) {
	e := newEnd(t, asking)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.peer().sends("SEW 0 mss 1000")
	e.want().segment("SAE 0 ack 1", ReasonOpenReply)
	e = newEnd(t, asking)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e = newEnd(t)
	e.accept(testParams(), "SFEW 0 mss 1000")
	e.want().segment("SAE 0 ack 1", ReasonOpenReply)
}

// Where ECN isn't agreed on there is nothing to tell after a reduction: segments go together as
// before.
func TestSegmentsGoTogetherAfterAReduction(t *testing.T) {
	e := sackEnd(t, 100*ms, noProbe, offloading)
	e.writes(10_000)
	e.sent = nil
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1 sack 1001:5001")
	e.sent = nil
	e.after(ms)
	e.peer().sends("A 1 ack 10001")
	e.writes(3000)
	e.want().sendsLarge("PA 10001:13001 ack 1")
}
