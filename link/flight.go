package link

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// maxInFlight bounds the frames on one line, those that wait for it included.
const maxInFlight = 1 << 16

// A traveller is a frame under way.
type traveller struct {
	at  clock.Time // when it arrives
	seq uint64     // among those that arrive at once, the first to set out comes first
	p   *pkt.Packet
}

// before reports whether x arrives before y.
func (x *traveller) before(y *traveller) bool {
	return x.at < y.at || x.at == y.at && x.seq < y.seq
}

// A flight holds the frames on a line. One that arrives after all that are in
// the ring, as nearly every one does, is put at its end; one that overtakes some
// of them goes into the heap.
type flight struct {
	n int // all of them

	ring  []traveller // in the order of arrival; its length is a power of two
	head  int
	count int // of the ring

	heap []traveller // which of two children is first is open; a parent is before both
}

func (f *flight) slot(i int) *traveller { return &f.ring[(f.head+i)&(len(f.ring)-1)] }

// first returns the frame that arrives next, nil if there is none.
func (f *flight) first() *traveller {
	switch {
	case len(f.heap) == 0 && f.count == 0:
		return nil
	case len(f.heap) == 0, f.count > 0 && f.ring[f.head].before(&f.heap[0]):
		return &f.ring[f.head]
	}
	return &f.heap[0]
}

// insert puts x behind all frames that don't arrive after it.
func (f *flight) insert(x traveller) {
	f.n++
	if f.count > 0 && x.at < f.slot(f.count-1).at {
		f.heap = append(f.heap, x)
		f.rise(len(f.heap) - 1)
		return
	}
	if f.count == len(f.ring) {
		f.grow()
	}
	f.count++
	*f.slot(f.count - 1) = x
}

// rise moves the heap's i-th forward to its place.
func (f *flight) rise(i int) {
	h := f.heap
	for i > 0 && h[i].before(&h[(i-1)/2]) {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
		i = (i - 1) / 2
	}
}

// pop takes out the first frame. There must be one.
func (f *flight) pop() *pkt.Packet {
	x := f.first()
	p := x.p
	f.n--
	if len(f.heap) > 0 && x == &f.heap[0] {
		f.popHeap()
		return p
	}
	x.p = nil
	f.head = (f.head + 1) & (len(f.ring) - 1)
	f.count--
	return p
}

// popHeap fills the place of the heap's first.
func (f *flight) popHeap() {
	last := len(f.heap) - 1
	f.heap[0], f.heap[last] = f.heap[last], traveller{}
	f.heap = f.heap[:last]
	h := f.heap
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(h) && h[child+1].before(&h[child]) {
			child++
		}
		if child >= len(h) || h[i].before(&h[child]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

func (f *flight) grow() {
	ring := make([]traveller, max(8, 2*len(f.ring)))
	for i := range f.count {
		ring[i] = *f.slot(i)
	}
	f.ring, f.head = ring, 0
}
