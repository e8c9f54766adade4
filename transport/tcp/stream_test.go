package tcp

import (
	"errors"
	"testing"

	"hubbub/internal/pkt"
)

func TestWriteSpace(t *testing.T) {
	e := newEnd(t)
	p := testParams()
	p.SendBuffer = 5000
	e.connect(p)
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000 win 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	n, err := e.c.WriteBytes(e.now, octets(1, 7000))
	e.drain()
	if n != 5000 || err != nil || e.c.WriteSpace() != 0 || e.c.Ready()&ReadyWrite != 0 {
		t.Errorf("wrote %d, %v; space %d; ready %v", n, err, e.c.WriteSpace(), e.c.Ready())
	}
	e.want().segment("A 1:1001 ack 1", ReasonData)
	if e.c.Unacked() != 5000 || e.c.Unsent() != 4000 {
		t.Errorf("%d unacknowledged, %d unsent", e.c.Unacked(), e.c.Unsent())
	}
	e.peer().sends("A 1 ack 1001 win 1000")
	e.want().segment("A 1001:2001 ack 1", ReasonData)
	if e.c.WriteSpace() != 1000 || e.c.Ready()&ReadyWrite != 0 {
		t.Errorf("space %d; ready %v", e.c.WriteSpace(), e.c.Ready())
	}
	e.peer().sends("A 1 ack 2001 win 0")
	if e.c.WriteSpace() != 2000 || e.c.Ready()&ReadyWrite == 0 {
		t.Errorf("space %d; ready %v", e.c.WriteSpace(), e.c.Ready())
	}
	e.c.SetSendBuffer(1000)
	if e.c.WriteSpace() != 0 {
		t.Errorf("space %d in a smaller buffer", e.c.WriteSpace())
	}
}

func TestReadInPieces(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1:101 ack 1")
	var b [30]byte
	if n := e.c.Peek(b[:], 90); n != 10 || string(b[:n]) != string(octets(91, 10)) {
		t.Errorf("peeked at %d octets", n)
	}
	if n := e.c.Peek(b[:], 200); n != 0 {
		t.Errorf("peeked at %d octets beyond the end", n)
	}
	e.reads(30)
	if n := e.c.Discard(e.now, 20); n != 20 {
		t.Errorf("discarded %d", n)
	}
	e.reads(50)
	if v := e.c.Read(e.now, 10); v.Len() != 0 {
		t.Errorf("read %d octets of nothing", v.Len())
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 101", ReasonDelayedACK)
}

func TestReadiness(t *testing.T) {
	for _, c := range []struct {
		build func(*testing.T, ...func(*Config)) *end
		want  Readiness
	}{
		{synSentEnd, 0},
		{synReceivedEnd, 0},
		{establishedEnd, ReadyConnected | ReadyWrite},
		{finWait1End, ReadyConnected | ReadyWrite},
		{finWait2End, ReadyConnected | ReadyWrite},
		{closeWaitEnd, ReadyConnected | ReadyWrite | ReadyRead | ReadyPeerClosed},
		{timeWaitEnd, ReadyConnected | ReadyWrite | ReadyRead | ReadyPeerClosed | ReadyHungUp},
		{closedEnd, ReadyWrite | ReadyRead | ReadyPeerClosed | ReadyHungUp},
	} {
		e := c.build(t)
		if got := e.c.Ready(); got != c.want {
			t.Errorf("%v: ready for %q, want %q", e.c.State(), got, c.want)
		}
	}
	if got := (ReadyRead | ReadyUrgent).String(); got != "read|urgent" {
		t.Error(got)
	}
}

func TestWriteOfAViewThatIsRefusedIsReleased(t *testing.T) {
	e := closedEnd(t)
	v := pkt.CopyView([]byte("x")).Retain()
	if err := e.c.Write(e.now, v); !errors.Is(err, ErrWriteClosed) {
		t.Errorf("%v", err)
	}
	v.Release() // panics if it was not released once before
}
