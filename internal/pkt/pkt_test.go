package pkt

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func fill(n int, from byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

func TestViewSharesStorage(t *testing.T) {
	v := CopyView([]byte("shutdown"))
	part := v.Slice(4, 8).Retain()
	v.Release()
	if got := string(part.Bytes()); got != "down" {
		t.Errorf("the slice reads %q, want %q", got, "down")
	}
	part.Release()
}

func TestViewReleasedTwicePanics(t *testing.T) {
	v := CopyView([]byte("x"))
	v.Release()
	defer func() {
		if recover() == nil {
			t.Error("the second release went unnoticed")
		}
	}()
	v.Release()
}

func TestQueueFillsTheLastChunk(t *testing.T) {
	var q Queue
	for range 100 {
		q.AppendBytes([]byte("x"))
	}
	if len(q.views) != 1 || q.Len() != 100 {
		t.Errorf("100 small writes make %d views of %d bytes, want 1 of 100", len(q.views), q.Len())
	}
	if v := q.At(10, 50); v.c != q.views[0].c {
		t.Error("a part of one view was copied")
	}
}

func TestQueueMergesNeighbours(t *testing.T) {
	v := CopyView(fill(3000, 0))
	var q Queue
	for off := 0; off < 3000; off += 1000 {
		q.Append(v.Slice(off, off+1000).Retain())
	}
	v.Release()
	if len(q.views) != 1 {
		t.Fatalf("three neighbours make %d views, want 1", len(q.views))
	}
	if got := q.Take(3000); !bytes.Equal(got.Bytes(), fill(3000, 0)) {
		t.Error("the merged bytes differ")
	}
}

// Any sequence of operations leaves the queue equal to a plain slice.
func TestQueueBehavesAsASlice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var q Queue
		var want []byte
		for range 200 {
			switch n := rnd.IntN(3000); rnd.IntN(6) {
			case 0:
				b := fill(n, byte(n))
				q.AppendBytes(b)
				want = append(want, b...)
			case 1:
				b := fill(n, byte(n))
				q.Append(CopyView(b))
				want = append(want, b...)
			case 2:
				n = min(n, len(want))
				q.Discard(n)
				want = want[n:]
			case 3:
				v := q.Take(n)
				if !bytes.Equal(v.Bytes(), want[:v.Len()]) {
					t.Fatal("Take gave other bytes")
				}
				want = want[v.Len():]
				v.Release()
			case 4:
				off := 0
				if len(want) > 0 {
					off = rnd.IntN(len(want))
				}
				n = min(n, len(want)-off)
				v := q.At(off, n)
				if !bytes.Equal(v.Bytes(), want[off:off+n]) {
					t.Fatal("At gave other bytes")
				}
				v.Release()
			case 5:
				b := make([]byte, n)
				if got := q.CopyAt(b, 0); !bytes.Equal(b[:got], want[:min(n, len(want))]) {
					t.Fatal("CopyAt gave other bytes")
				}
			}
			if q.Len() != len(want) {
				t.Fatalf("the queue has %d bytes, want %d", q.Len(), len(want))
			}
		}
		q.Reset()
		if q.Len() != 0 || q.views != nil {
			t.Fatal("Reset left something")
		}
	}
}

func TestPacketLayersArePrepended(t *testing.T) {
	p := New()
	p.SetBody(CopyView([]byte("data")))
	copy(p.Prepend(3), "TCP")
	copy(p.Prepend(2), "IP")
	p.Pad(12)
	if got := string(p.AppendTo(nil)); got != "IPTCPdata\x00\x00\x00" {
		t.Errorf("the frame reads %q", got)
	}
	p.Strip(2)
	if got := string(p.Head()); got != "TCP" {
		t.Errorf("the head reads %q, want TCP", got)
	}
	p.Release()
}

func TestPayloadFromAnyPart(t *testing.T) {
	frame := fill(200, 1)
	for head := 0; head <= HeadRoom; head += 8 {
		p := FromBytes(frame, head)
		p.Pad(210)
		want := append(bytes.Clone(frame), make([]byte, 10)...)
		for off := 0; off <= 210; off += 15 {
			v := p.Payload(off, 70)
			if !bytes.Equal(v.Bytes(), want[off:min(off+70, 210)]) {
				t.Fatalf("head %d: the payload behind %d differs", head, off)
			}
			v.Release()
		}
		p.Release()
	}
}

func TestDetachHandsTheReferenceOver(t *testing.T) {
	frame := fill(200, 1)
	for _, head := range []int{40, 66} {
		p := FromBytes(frame, head)
		v := p.Detach(66, 100)
		if got := v.References(); got != 1 || !bytes.Equal(v.Bytes(), frame[66:166]) {
			t.Errorf("head %d: %d references, bytes %x", head, got, v.Bytes())
		}
		if p.Body().Len() != 0 {
			t.Errorf("head %d: the packet has %d bytes of payload still", head, p.Body().Len())
		}
		p.Release()
		v.Release()
	}
	p := FromBytes(frame, 100)
	v := p.Detach(66, 100) // begins in the head: it is copied
	if !bytes.Equal(v.Bytes(), frame[66:166]) || p.Body().Len() != 100 {
		t.Errorf("the packet has %d bytes of payload; read %x", p.Body().Len(), v.Bytes())
	}
	p.Release()
	v.Release()
}

func TestCutTakesBytesOffTheEnd(t *testing.T) {
	for head := 0; head <= 20; head += 4 {
		for n := 0; n <= 30; n++ {
			p := FromBytes(fill(20, 1), head)
			p.Pad(25)
			p.Cut(n)
			want := append(fill(20, 1), 0, 0, 0, 0, 0)[:min(n, 25)]
			if got := p.AppendTo(nil); !bytes.Equal(got, want) {
				t.Errorf("%d bytes in the head, cut to %d: %x, want %x", head, n, got, want)
			}
			p.Release()
		}
	}
}

func TestCloneSharesThePayloadOnly(t *testing.T) {
	p := FromBytes([]byte("headBODY"), 4)
	c := p.Clone()
	c.Head()[0] = 'H'
	if string(p.Head()) != "head" || c.Body().c != p.Body().c {
		t.Error("a clone has its own head and the same payload")
	}
	p.Release()
	if got := string(c.AppendTo(nil)); got != "HeadBODY" {
		t.Errorf("after the first was released the clone reads %q", got)
	}
	c.Release()
}

func TestFlipBitIsSeenByTheFCS(t *testing.T) {
	frame := fill(70, 3)
	for _, head := range []int{0, 20, 70} {
		for bit := range (74 + 4) * 8 {
			p := FromBytes(frame, head)
			p.Pad(74)
			other := p.Clone()
			sent := crc32.ChecksumIEEE(p.AppendTo(nil))
			if p.FCS() != sent || !p.FCSOK() {
				t.Fatal("an untouched frame fails its check")
			}
			p.FlipBit(bit)
			if p.FCSOK() {
				t.Fatalf("bit %d flipped, and the check still passes", bit)
			}
			if !bytes.Equal(other.AppendTo(nil)[:70], frame) {
				t.Fatal("the other copy changed too")
			}
			p.FlipBit(bit)
			if !p.FCSOK() || p.FCS() != sent {
				t.Fatal("flipped back, the check still fails")
			}
			p.Release()
			other.Release()
		}
	}
}

func TestNothingIsAllocatedPerPacket(t *testing.T) {
	v := CopyView(fill(1460, 0))
	var q Queue
	allocs := testing.AllocsPerRun(1000, func() {
		p := New()
		p.SetBody(v.Retain())
		p.Prepend(54)
		q.Append(p.Payload(54, 1460))
		p.Release()
		q.Take(1460).Release()
	})
	if allocs != 0 {
		t.Errorf("%v allocations per packet, want 0", allocs)
	}
}

// A small chunk that nobody refers to any more is used for what is written next; one that a
// reader still has is not.
func TestASmallChunkIsUsedAgain(t *testing.T) {
	var q Queue
	q.AppendBytes([]byte("one"))
	first := q.views[q.head].c
	q.Discard(3)
	q.AppendBytes([]byte("four"))
	if q.views[q.head].c != first {
		t.Error("the chunk that was free wasn't used again")
	}
	reader := q.At(0, 4)
	q.Discard(4)
	q.AppendBytes([]byte("other"))
	if q.views[q.head].c == first {
		t.Error("a chunk was written to that a reader had")
	}
	if got := string(reader.Bytes()); got != "four" {
		t.Errorf("the reader sees %q", got)
	}
	reader.Release()
	q.Discard(5)
	q.AppendBytes(make([]byte, 3000))
	if n := len(q.views[q.head].c.data); n < 3000 {
		t.Errorf("3000 bytes are in a chunk of %d", n)
	}
	q.Reset()
	if q.spare != nil || q.Len() != 0 {
		t.Error("an empty queue holds storage")
	}
}
