package tcp

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBlindReset(t *testing.T) {
	// "If the RST bit is set and the sequence number does not exactly match
	// the next expected sequence value, yet is within the current receive
	// window, TCP endpoints MUST send an acknowledgment (challenge ACK)".
	// RFC 9293, 3.10.7.4, of RFC 5961, 3.2. (R5961-1, R5961-2)
	e := establishedEnd(t, unlimited)
	e.peer().sends("R 2")
	e.want().segment("A 1 ack 1", ReasonChallengeReset)
	e.peer().sends("R 65535")
	e.want().segment("A 1 ack 1", ReasonChallengeReset)
	// "If the RST bit is set and the sequence number is outside the current
	// receive window, silently drop the segment."
	e.peer().sends("R 0", "R 65536", "R 2000000000")
	e.want().nothing()
	e.want().discarded(DiscardResetOutside, 3)
	e.want().state(StateEstablished)
	e.peer().sends("R 1")
	e.want().state(StateClosed)
}

func TestBlindSYN(t *testing.T) {
	// "if the SYN bit is set, irrespective of the sequence number, TCP
	// endpoints MUST send a "challenge ACK" to the remote peer".
	// RFC 9293, 3.10.7.4, of RFC 5961, 4.2. (R5961-3)
	e := establishedEnd(t, unlimited)
	for _, spec := range []string{"S 0", "S 1", "S 100", "S 1000000000", "SA 0 ack 1"} {
		e.peer().sends(spec)
		e.want().segment("A 1 ack 1", ReasonChallengeSYN)
	}
	e.peer().sends("SA 0:20 ack 1") // reaches into the window
	e.want().segment("A 1 ack 1", ReasonChallengeSYN)
	if e.c.Readable() != 0 {
		t.Error("the text of a SYN is in the stream")
	}
	e.want().state(StateEstablished)
}

func TestBlindDataInjection(t *testing.T) {
	// "All incoming segments whose ACK value doesn't satisfy the above
	// condition MUST be discarded and an ACK sent back." RFC 5961, 5.2. (R5961-4, MAY-12)
	e := establishedEnd(t, unlimited)
	e.peer().sends("A 1:11 ack 1 win 1000") // the largest window so far is 64000
	for _, spec := range []string{"A 11:21 ack 2", "A 11:21 ack -64000", "A 11:21 ack 2000000000"} {
		e.peer().sends(spec)
		e.want().segment("A 1 ack 11", ReasonUnsentACK)
	}
	e.reads(10)
	if e.c.Readable() != 0 {
		t.Error("injected octets are in the stream")
	}
	e.peer().sends("A 11:21 ack -63999")
	e.reads(10)
	e.after(40 * ms)
	e.want().segment("A 1 ack 21", ReasonDelayedACK)
}

func TestChallengeACKsAreLimitedForTheHost(t *testing.T) {
	// "An ACK throttling mechanism": RFC 5961, 7. (R5961-5)
	e := establishedEnd(t, unlimited, func(c *Config) { c.ChallengeACKs = 3 })
	for i := range 10 {
		e.peer().sends("R 5")
		if i < 3 {
			e.want().segment("A 1 ack 1", ReasonChallengeReset)
		}
	}
	e.want().nothing()
	e.want().discarded(DiscardRateLimited, 7)
	e.after(time.Second)
	e.peer().sends("R 5")
	e.want().segment("A 1 ack 1", ReasonChallengeReset)
}

// A limit that is the same in every second tells an attacker how many challenges
// others have provoked (CVE-2016-5696): it varies, as Linux's does, and by default
// there is none beside each connection's own.
func TestChallengeACKsCannotBeCounted(t *testing.T) {
	challenges := func(limit int) int {
		e := establishedEnd(t, unlimited, func(c *Config) { c.ChallengeACKs = limit })
		e.env.Random = rand.New(rand.NewPCG(1, uint64(limit)))
		seen := map[int]bool{}
		for range 50 {
			e.after(time.Second)
			n := 0
			for range 5 * limit {
				e.peer().sends("R 5")
				n += len(e.sent)
				e.sent = nil
			}
			if least, most := (limit+1)/2, (limit+1)/2+limit-1; n < least || n > most {
				t.Fatalf("of a limit of %d, %d were sent: want %d to %d", limit, n, least, most)
			}
			seen[n] = true
		}
		return len(seen)
	}
	for limit, least := range map[int]int{1: 1, 2: 2, 10: 8} {
		if n := challenges(limit); n < least {
			t.Errorf("a limit of %d has %d different values", limit, n)
		}
	}
	e := establishedEnd(t, unlimited)
	for range 3000 {
		e.peer().sends("R 5")
	}
	if len(e.sent) != 3000 {
		t.Errorf("without a limit there were %d", len(e.sent))
	}
	e.sent = nil
}

// RFC 5961, 7: the throttling is of each connection, too: one challenge in half a
// second, whatever provokes it. (R5961-5)
func TestChallengeACKsAreLimitedForAConnection(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("R 5")
	e.want().segment("A 1 ack 1", ReasonChallengeReset)
	e.after(499 * ms)
	e.peer().sends("R 5", "S 5", "A 1:5 ack 2")
	e.want().nothing()
	e.want().discarded(DiscardRateLimited, 3)
	e.after(ms)
	e.peer().sends("S 5", "R 5")
	e.want().segment("A 1 ack 1", ReasonChallengeSYN)
	e.want().nothing()
	other := establishedEnd(t)
	other.env.ChallengeACKs = 1
	other.peer().sends("R 5")
	other.want().segment("A 1 ack 1", ReasonChallengeReset)
}

func TestEndsThatDisagreeDoNotAnswerEachOtherForEver(t *testing.T) {
	// Both ends of two different connections between the same ports: every
	// ACK is unacceptable to the other.
	d, other := newDirect(t), newDirect(t)
	other.ends[1].snd.una, other.ends[1].snd.nxt = 1000, 1000
	other.ends[1].rcv.nxt, other.ends[1].rcv.edge = 90000, 99000
	a, b := d.ends[0], other.ends[1]
	a.ackNow(ReasonWindowUpdate)
	var s Segment
	n := 0
	for moved := true; moved && n < 1000; {
		moved = false
		for a.PollSegment(d.now, &s) {
			b.HandleSegment(d.now, &s)
			moved, n = true, n+1
		}
		for b.PollSegment(d.now, &s) {
			a.HandleSegment(d.now, &s)
			moved, n = true, n+1
		}
	}
	if n > 10 {
		t.Errorf("%d segments at one instant", n)
	}
}

func TestOverlapsThatLie(t *testing.T) {
	// What came first stays, whatever overlaps it says.
	e := establishedEnd(t)
	e.peer().sends("A 101:201 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	lie := e.parse("A 51:301 ack 1")
	for i := range lie.Payload.Bytes()[50:150] {
		lie.Payload.Bytes()[50+i] ^= 0xff
	}
	e.c.HandleSegment(e.now, &lie)
	e.drain()
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 1:51 ack 1")
	e.want().segment("A 1 ack 301", ReasonGapFilled)
	e.reads(300) // exact
}

func TestAnOctetHereAndThere(t *testing.T) {
	// A peer that sends every second octet can't make the gaps' list grow
	// without bound.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 10240 })
	for i := range 200 {
		e.peer().sends(sprintf("A %d:%d ack 1", 3+2*i, 4+2*i))
	}
	e.sent = nil
	if n := len(e.c.rcv.gaps.blocks); n != 10240/blockShare {
		t.Errorf("%d blocks", n)
	}
	e.want().discarded(DiscardGapFull, 200-10240/blockShare)
}

func TestOctetByOctetStreamIsTidied(t *testing.T) {
	e := establishedEnd(t)
	for i := range 3000 {
		e.peer().sends(sprintf("A %d:%d ack 1", 1+i, 2+i))
		e.sent = nil
	}
	if e.c.rcv.pieces > maxPieces+1 {
		t.Errorf("%d pieces", e.c.rcv.pieces)
	}
	e.reads(3000)
	e.sent = nil
	e.after(40 * ms)
	e.sent = nil
}
