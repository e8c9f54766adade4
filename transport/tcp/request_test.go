package tcp

import (
	"testing"
	"time"
	"unsafe"

	"hubbub/internal/pkt"
)

func view(b []byte) pkt.View { return pkt.CopyView(b) }

// RFC 4987, 3.4: a half-open connection is cheap: "the incomplete state" is
// "reduced" to what its SYN said.
func TestARequestIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Request{}); n > 64 {
		t.Errorf("a request takes %d octets", n)
	}
	e := newEnd(t)
	seg := e.parse("S 0 mss 1000 ws 7 ts 5 0")
	p := testParams()
	if n := testing.AllocsPerRun(100, func() {
		r := NewRequest(e.now, &p, &seg)
		s := seg
		c := Accept(e.env, e.now, p, &s)
		var out Segment
		for c.PollSegment(e.now, &out) {
		}
		c.Fold(&r)
	}); n > 0 {
		t.Errorf("%v allocations for each request", n)
	}
}

// A half-open connection that was put by is the same as one that was not.
func TestWhatIsFoldedUnfolds(t *testing.T) {
	for _, spec := range []string{
		"S 0", "S 0 mss 1000", "S 0 mss 1400 win 17", "S 0 mss 700 ws 3 ts 99 0 win 65535", "S 0 ts 5 0", "S 0 ws 14",
	} {
		for retries := range 4 {
			setup := func() *end {
				e := newEnd(t, sacked, func(c *Config) { c.WindowScaling, c.Timestamps = true, true })
				e.tsOn = false
				e.accept(Params{ISS: testISS, MSS: 1000, SendMSS: 900, TSOffset: 55, NoDelay: true}, spec)
				for range retries {
					e.now = e.c.NextTimer()
					e.c.HandleTimer(e.now)
					e.drain()
				}
				e.sent = nil
				return e
			}
			kept, folded := setup(), setup()
			seg := folded.parse(spec)
			p := Params{ISS: testISS, MSS: 1000, SendMSS: 900, TSOffset: 55, NoDelay: true}
			r := NewRequest(began, &p, &seg)
			folded.c.Fold(&r)
			p.ISS = 0
			folded.c = r.Unfold(folded.env, p)
			for _, e := range []*end{kept, folded} {
				e.now = e.now.Add(70 * time.Millisecond)
				ackOf := Segment{Seq: testIRS.Add(1), Ack: testISS.Add(1), Flags: ack, Window: 3000}
				if e.c.stamped {
					ackOf.Options.Timestamps, ackOf.Options.TSVal, ackOf.Options.TSEcr = true, 101, e.c.ts.now(e.now.Add(-70*time.Millisecond))
				}
				e.c.HandleSegment(e.now, &ackOf)
				e.drain()
				e.want().state(StateEstablished)
			}
			if a, b := kept.c.Info(), folded.c.Info(); a != b {
				t.Errorf("%q after %d retries:\n%+v, folded\n%+v", spec, retries, a, b)
			}
		}
	}
}

// RFC 9293, 3.8.3: SYN-ACKs are repeated like anything else: after 1, 2, 4 s
// and so on, as often as the host is set to.
func TestARequestRepeatsItsSYNACK(t *testing.T) {
	e := newEnd(t, func(c *Config) { c.SynAckRetries = 3 })
	l := NewListener(e.env, 5)
	r := e.request(testParams(), "S 0 mss 1000")
	l.halfOpen, l.young = 1, 1
	for i, after := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		due := e.now.Add(after)
		if r.Due() != due {
			t.Fatalf("repetition %d at %v, want %v", i+1, r.Due().Sub(began), due.Sub(began))
		}
		e.now = due
		e.c = l.HandleTimer(e.now, r, testParams())
		e.drain()
		e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenRetry)
		e.c.Fold(r)
		if l.young != 0 || l.halfOpen != 1 {
			t.Errorf("after repetition %d: %d young of %d", i+1, l.young, l.halfOpen)
		}
	}
	e.now = r.Due()
	e.c = l.HandleTimer(e.now, r, testParams())
	e.drain()
	e.want().state(StateClosed)
	e.want().nothing()
}

// TCP_SYNCNT says it for one listener.
func TestSynCountLimitsSYNACKs(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 5)
	p := testParams()
	p.SynRetries = 1
	r := e.request(p, "S 0 mss 1000")
	sent := 0
	for e.c.State() == StateSynReceived {
		e.now = r.Due()
		e.c = l.HandleTimer(e.now, r, p)
		e.drain()
		sent += len(e.sent)
		e.sent = nil
		e.c.Fold(r)
	}
	if sent != 1 {
		t.Errorf("the SYN-ACK was repeated %d times", sent)
	}
}

func TestSynCountLimitsSYNs(t *testing.T) {
	e := newEnd(t)
	p := testParams()
	p.SynRetries = 2
	e.connect(p)
	e.want().segment("S 0", ReasonOpen)
	for range 2 {
		e.pass(e.c.NextTimer())
		e.want().segment("S 0", ReasonOpenRetry)
	}
	e.pass(e.c.NextTimer())
	e.want().state(StateClosed)
}

// While the SYN queue is more than half full, the oldest requests are given up
// early, so that half of the room is for new ones, as in Linux.
func TestOldRequestsMakeRoom(t *testing.T) {
	for _, c := range []struct {
		halfOpen, young int
		want            uint8
	}{
		{50, 50, 5}, {51, 51, 5}, {51, 26, 5}, {51, 25, 4}, {51, 13, 4}, {60, 15, 3}, {60, 14, 3}, {60, 7, 2}, {60, 0, 2}, {50, 0, 5},
	} {
		e := newEnd(t)
		l := NewListener(e.env, 100)
		l.halfOpen, l.young = c.halfOpen, c.young
		if got := l.patience(&Request{}); got != c.want {
			t.Errorf("%d half open, %d of them young: a SYN-ACK is repeated %d times, want %d", c.halfOpen, c.young, got, c.want)
		}
	}
}

// What is repeated is what was sent: a SYN-ACK that agreed to ECN does so again, and
// another doesn't. "If a host has received an ECN-setup SYN packet, then it MAY send
// an ECN-setup SYN-ACK packet. Otherwise, it MUST NOT" (RFC 3168, 6.1.1).
func TestARepeatedSYNACKAgreesToTheSame(t *testing.T) {
	for syn, synACK := range map[string]string{
		"SEW 0 mss 1000": "SAE 0 ack 1", "SEW 0 mss 1000 ecn 2": "SA 0 ack 1", "SE 0 mss 1000": "SA 0 ack 1",
	} {
		e := newEnd(t)
		p, seg := testParams(), e.parse(syn)
		r := NewRequest(e.now, &p, &seg)
		e.accept(p, syn)
		e.want().segment(synACK, ReasonOpenReply)
		e.c.Fold(&r)
		e.now = r.Due()
		e.c = NewListener(e.env, 5).HandleTimer(e.now, &r, p)
		e.drain()
		e.want().segment(synACK, ReasonOpenRetry)
	}
}

// RFC 9293, 3.8.3: the program's user time-out counts from the SYN on, also for a
// request that was put by.
func TestTheUserTimeoutOfARequestCountsFromItsSYN(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 5)
	p := testParams()
	p.UserTimeout = 3 * time.Second
	r := e.request(p, "S 0 mss 1000")
	e.now = r.Due()
	e.c = l.HandleTimer(e.now, r, p)
	e.drain()
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	e.c.Fold(r)
	e.now = r.Due()
	e.c = l.HandleTimer(e.now, r, p)
	e.drain()
	e.want().state(StateClosed)
}

// The fact that a request's timer fired tells the event that has set it, however
// often it was put by meanwhile.
func TestTheCauseOfARequestsTimer(t *testing.T) {
	e := newEnd(t)
	e.env.Cause = 41
	r := e.request(testParams(), "S 0 mss 1000")
	e.env.Cause = 42
	e.c = r.Unfold(e.env, testParams())
	e.c.Fold(r)
	e.env.Watch = true
	e.now = r.Due()
	e.c = NewListener(e.env, 5).HandleTimer(e.now, r, testParams())
	e.drain()
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	e.want().facts("retransmission timer fired, of event 41", "retransmission timer set to 3s")
}

// What is to be told of text that came before the window (RFC 2883, 4) is forgotten
// when the connection is put by, and what held it serves others.
func TestAFoldedRequestHoldsNothing(t *testing.T) {
	e := newEnd(t, sacked)
	r := e.request(testParams(), "S 0 mss 1000")
	e.c = r.Unfold(e.env, testParams())
	e.peer().sends("- 0:3") // its first octet has the SYN's number
	if e.c.rcv.gaps == nil {
		t.Fatal("nothing is to be told")
	}
	e.c.Fold(r)
	if e.c.rcv.gaps != nil || e.env.spare == nil {
		t.Error("it is kept")
	}
}
