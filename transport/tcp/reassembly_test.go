package tcp

import (
	"math/rand/v2"
	"testing"

	"hubbub/internal/pkt"
)

func TestReassemblyInAnyOrder(t *testing.T) {
	// Random overlapping pieces, from a base that wraps around: whatever the
	// order, the stream comes out exact, and what is held never overlaps.
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var g reassembly
		base := Seq(0xffff_ff80)
		have := make([]bool, 1000)
		for range rng.IntN(60) {
			from := rng.IntN(990)
			n := 1 + rng.IntN(min(100, 1000-from))
			fresh := false
			for i := from; i < from+n; i++ {
				fresh = fresh || !have[i]
				have[i] = true
			}
			if got := g.insert(base.Add(from), pkt.CopyView(octets(from, n))); got != fresh {
				t.Fatalf("seed %d: %d+%d: new is %v, want %v", seed, from, n, got, fresh)
			}
		}
		held := make([]bool, 1000)
		last := base.Add(-1)
		for _, b := range g.blocks {
			if !last.Less(b.seq) {
				t.Fatalf("seed %d: blocks overlap", seed)
			}
			last = b.end().Add(-1)
			from := b.seq.Sub(base)
			for i, octet := range b.view.Bytes() {
				held[from+i] = true
				if octet != octets(from+i, 1)[0] {
					t.Fatalf("seed %d: wrong octet at %d", seed, from+i)
				}
			}
		}
		for i := range have {
			if have[i] != held[i] {
				t.Fatalf("seed %d: octet %d is held: %v, want %v", seed, i, held[i], have[i])
			}
		}
	}
}

func TestSegmentsWithHigherNumbersAreHeld(t *testing.T) {
	// "Segments with higher beginning sequence numbers SHOULD be held for later
	// processing (SHLD-31)." RFC 9293, 3.10.7.4.
	e := establishedEnd(t)
	for _, at := range []int{401, 201, 301, 101} {
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+100))
		e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	}
	if got := e.c.Info().OutOfOrder; got != 400 {
		t.Errorf("%d octets held", got)
	}
	e.peer().sends("A 1:101 ack 1")
	e.want().segment("A 1 ack 501", ReasonGapFilled)
	e.reads(500)
	if e.c.rcv.gaps != nil {
		t.Error("an empty reassembly is kept")
	}
}

func TestSegmentThatStraddlesOldAndNew(t *testing.T) {
	// "If a segment's contents straddle the boundary between old and new, only
	// the new parts are processed." RFC 9293, 3.10.7.4.
	e := establishedEnd(t)
	e.peer().sends("A 1:101 ack 1", "A 51:151 ack 1")
	e.reads(150)
	e.after(40 * ms)
	e.want().segment("A 1 ack 151", ReasonDelayedACK)
}

func TestHeldTextIsReleasedWithTheConnection(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 101:201 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("R 1")
	if e.c.rcv.gaps != nil || e.env.spare == nil || len(e.env.spare.blocks) != 0 {
		t.Error("held text outlives the connection")
	}
}
