package tcp

import (
	"testing"
	"time"
)

func TestOldDuplicateIsFoundByItsTimestamp(t *testing.T) {
	// "R1) If there is a Timestamps option in the arriving segment, SEG.TSval
	// < TS.Recent, TS.Recent is valid ... and if the RST bit is not set, then
	// treat the arriving segment as not acceptable: Send an acknowledgment in
	// reply as specified in Section 3.9 of [RFC0793], page 69, and drop the
	// segment." RFC 7323, 5.3. (R7323-13)
	e := establishedEnd(t, modern)
	e.peer().sends("A 1:11 ack 1 ts 2000 10000")
	e.reads(10)
	e.peer().sends("A 11:21 ack 1 ts 1999 10000")
	e.want().segment("A 1 ack 11 ts 10000 2000", ReasonOldDuplicate)
	e.want().discarded(DiscardOldTimestamp, 1)
	e.peer().sends("A 11:21 ack 1 ts 2000 10000")
	e.reads(10)
	e.after(40 * ms)
	e.want().segment("A 1 ack 21", ReasonDelayedACK)
}

func TestTimestampOfAResetIsNotLookedAt(t *testing.T) {
	// "When an <RST> segment is received, it MUST NOT be subjected to the PAWS
	// check". RFC 7323, 5.2. (R7323-14)
	e := establishedEnd(t, modern)
	e.peer().sends("R 1 ts 1 0")
	e.want().state(StateClosed)
}

func TestTimestampsWrapAround(t *testing.T) {
	e := newEnd(t, modern)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000 ts 4294967290 10000")
	e.want().segment("A 1 ack 1 ts 10000 4294967290", ReasonOpenDone)
	e.peer().sends("A 1:11 ack 1 ts 5 10000")
	e.reads(10)
	e.after(40 * ms)
	e.want().segment("A 1 ack 11 ts 10040 5", ReasonDelayedACK)
}

func TestMissingTimestampsMayBeTaken(t *testing.T) {
	// "If a non-<RST> segment is received without a TSopt, a TCP SHOULD
	// silently drop the segment." RFC 7323, 3.2. Linux takes it, and so does who asks
	// for that; the timestamps that do come count as ever.
	e := establishedEnd(t, modern)
	e.env.TakeUnstamped = true
	e.tsOn = false
	e.peer().sends("A 1:11 ack 1")
	e.reads(10)
	e.want().discarded(DiscardNoTimestamp, 0)
	e.after(40 * ms)
	e.want().segment("A 1 ack 11 win 2048 ts 10040 1000", ReasonDelayedACK)
	e.writes(10)
	e.want().segment("AP 1:11 ack 11 win 2048 ts 10040 1000", ReasonData)
	e.after(30 * ms)
	e.peer().sends("A 11 ack 11")
	e.want().nothing()
	if e.c.Unacked() != 0 {
		t.Error("the acknowledgment was not taken")
	}
	e.tsOn = true
	e.peer().sends("A 11:21 ack 11 ts 0 10040")
	e.want().discarded(DiscardOldTimestamp, 1)
	e.want().segment("A 11 ack 11 win 2048 ts 10070 1000", ReasonOldDuplicate)
}

func TestMissingTimestampMeansSilence(t *testing.T) {
	// "If a non-<RST> segment is received without a TSopt, a TCP SHOULD
	// silently drop the segment. A TCP MUST NOT abort a TCP connection because
	// any segment lacks an expected TSopt." RFC 7323, 3.2. (R7323-8)
	e := establishedEnd(t, modern)
	e.tsOn = false
	e.peer().sends("A 1:11 ack 1")
	e.want().nothing()
	e.want().state(StateEstablished)
	e.want().discarded(DiscardNoTimestamp, 1)
	if e.c.Readable() != 0 {
		t.Error("the text was taken")
	}
	e.peer().sends("R 1")
	e.want().state(StateClosed)
}

func TestDelayedACKEchoesTheFirstTimestamp(t *testing.T) {
	// TSecr is of the earliest segment that is not acknowledged: RFC 7323, 4.3,
	// case (A). (R7323-11, R7323-12)
	e := establishedEnd(t, modern)
	e.peer().sends("A 1:11 ack 1 ts 1001 10000", "A 11:21 ack 1 ts 1002 10000")
	e.after(40 * ms)
	e.want().segment("A 1 ack 21 ts 10040 1001", ReasonDelayedACK)
}

func TestSegmentAfterAGapIsNotEchoed(t *testing.T) {
	// RFC 7323, 4.3, cases (B) and (C). (R7323-11)
	e := establishedEnd(t, modern)
	e.peer().sends("A 11:21 ack 1 ts 1005 10000")
	e.want().segment("A 1 ack 1 ts 10000 1000", ReasonDuplicateACK)
	e.peer().sends("A 1:11 ack 1 ts 1007 10000")
	e.want().segment("A 1 ack 21 ts 10000 1007", ReasonGapFilled)
}

func TestTimestampOfABadACKIsNotTaken(t *testing.T) {
	// "All incoming segments whose ACK value doesn't satisfy the above condition
	// MUST be discarded" (RFC 5961, 5.2): all of such a segment is, its timestamp as
	// well. What comes after isn't too old then.
	e := establishedEnd(t, modern)
	e.peer().sends("FA 1 ack 9999 ts 200000 10000")
	e.want().segment("A 1 ack 1 ts 10000 1000", ReasonUnsentACK)
	e.peer().sends("A 1:11 ack 1 ts 1001 10000")
	e.reads(10)
	e.after(40 * ms)
	e.want().segment("A 1 ack 11 ts 10040 1001", ReasonDelayedACK)
}

func TestResetBeforeTheAnswerHasNoTimestamp(t *testing.T) {
	// "Once TSopt has been successfully negotiated ... [it] SHOULD be sent in an
	// <RST> segment" (RFC 7323, 3.2): before the peer's SYN has come it isn't.
	e := newEnd(t, modern)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("A 0 ack 9 ts 1 1")
	if s := e.want().segment("R 9 win 0", ReasonBadHandshakeACK); s.Options.Timestamps {
		t.Error("it has a timestamp")
	}
}

func TestTimestampsAreForgottenAfter24Days(t *testing.T) {
	// RFC 7323, 5.5. (R7323-15)
	for _, c := range []struct {
		idle  time.Duration
		taken int
	}{{stale, 0}, {stale + 1, 10}} {
		e := establishedEnd(t, modern)
		e.after(c.idle)
		e.peer().sends("A 1:11 ack 1 ts 999 10000")
		if got := e.c.Readable(); got != c.taken {
			t.Errorf("idle for %v: %d octets taken", c.idle, got)
		}
		e.sent = nil
	}
}

func TestPAWSComesBeforeTheWindow(t *testing.T) {
	// "PAWS processing MUST take precedence over the regular TCP acceptability
	// check". RFC 7323, 5.3. (R7323-14) What is old by its timestamp and outside
	// the window is old.
	e := establishedEnd(t, modern)
	e.peer().sends("A 1:11 ack 1 ts 2000 10000")
	e.after(40 * ms)
	e.want().segment("A 1 ack 11", ReasonDelayedACK)
	for _, spec := range []string{"A 1:11 ack 1 ts 1999 10000", "A 2000000:2000010 ack 1 ts 1999 10000"} {
		e.peer().sends(spec)
		e.want().segment("A 1 ack 11", ReasonOldDuplicate)
	}
	e.want().discarded(DiscardOldTimestamp, 2)
	e.want().discarded(DiscardDuplicate, 0)
	e.want().discarded(DiscardBeyondWindow, 0)
}

func TestTimestampClockTicksEveryMillisecond(t *testing.T) {
	// "we choose a timestamp clock frequency in the range 1 ms to 1 sec per tick".
	// RFC 7323, 5.4. "The timestamp clock MUST be at least approximately
	// proportional to real time". RFC 7323, 3.2. (R7323-16)
	e := establishedEnd(t, modern)
	for _, d := range []time.Duration{ms, ms - 1, 1, time.Second, time.Hour} {
		e.after(d)
		if got, want := e.c.ts.now(e.now), uint32(10000+e.now.Sub(began)/ms); got != want {
			t.Errorf("after %v more the clock says %d, want %d", d, got, want)
		}
	}
}

func TestTimestampClockHasAnOffsetOfItsOwn(t *testing.T) {
	// "A random offset may be added to the timestamp clock on a per-connection
	// basis." RFC 7323, 5.4. (R7323-17) It stays the same for the same two ends,
	// so that the clock of a connection which follows goes on (RFC 6191, 3).
	secret := Secret{1, 2, 3}
	offset := HashOf(secret, here, there).TimestampOffset()
	if offset != HashOf(secret, here, there).TimestampOffset() {
		t.Error("the same ends have two offsets")
	}
	for name, other := range map[string]uint32{
		"another secret": HashOf(Secret{1, 2, 4}, here, there).TimestampOffset(),
		"the other way":  HashOf(secret, there, here).TimestampOffset(),
		"the ISN":        uint32(HashOf(secret, here, there).ISN(0)),
	} {
		if other == offset {
			t.Errorf("%s has the same offset", name)
		}
	}
}

// RFC 6191, 2, the other way round: where a connection follows another between
// the same ports, a SYN-ACK whose timestamp is older than the last of that
// belongs to it. Until then the last timestamp isn't echoed (R7323-9).
func TestASYNACKOfTheConnectionBefore(t *testing.T) {
	for _, x := range []struct {
		stamp string
		age   time.Duration
		drop  bool
	}{{"4999", 0, true}, {"5000", 0, false}, {"4999", 25 * 24 * time.Hour, false}} {
		e := newEnd(t, modern)
		p := testParams()
		p.LastStamp, p.LastStampAt = 5000, e.now.Add(-ms)
		e.now = e.now.Add(x.age)
		e.connect(p)
		if syn := e.want().segment("S 0 mss 1000", ReasonOpen); syn.Options.TSEcr != 0 {
			t.Errorf("the SYN echoes %d", syn.Options.TSEcr)
		}
		e.peer().sends("SA 0 ack 1 mss 1000 ts " + x.stamp + " 0")
		if x.drop {
			e.want().nothing()
			e.want().state(StateSynSent)
			e.want().discarded(DiscardOldTimestamp, 1)
			continue
		}
		e.want().segment("A 1 ack 1", ReasonOpenDone)
	}
}
