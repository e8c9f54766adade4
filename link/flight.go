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

// A flight holds the frames on a line in the order of their arrival. It is a
// ring: a frame that arrives after all others, as nearly every one does, is
// put at its end, and one that overtakes others moves forward past them.
type flight struct {
	ring []traveller // its length is a power of two
	head int
	n    int
}

func (f *flight) slot(i int) *traveller { return &f.ring[(f.head+i)&(len(f.ring)-1)] }

// first returns the frame that arrives next, nil if there is none.
func (f *flight) first() *traveller {
	if f.n == 0 {
		return nil
	}
	return &f.ring[f.head]
}

// insert puts x behind all frames that don't arrive after it.
func (f *flight) insert(x traveller) {
	if f.n == len(f.ring) {
		f.grow()
	}
	i := f.n
	f.n++
	for i > 0 && f.slot(i-1).at > x.at {
		*f.slot(i) = *f.slot(i - 1)
		i--
	}
	*f.slot(i) = x
}

// pop takes out the first frame. There must be one.
func (f *flight) pop() *pkt.Packet {
	p := f.ring[f.head].p
	f.ring[f.head].p = nil
	f.head = (f.head + 1) & (len(f.ring) - 1)
	f.n--
	return p
}

func (f *flight) grow() {
	ring := make([]traveller, max(8, 2*len(f.ring)))
	for i := range f.n {
		ring[i] = *f.slot(i)
	}
	f.ring, f.head = ring, 0
}
