package frag

import (
	"bytes"
	"slices"
	"sort"

	"hubbub/clock"
	"hubbub/internal/pkt"
)

// unknown is the length of a packet whose last fragment has not come.
const unknown = -1

// minCost is what a fragment counts for at least, in bytes: the storage that
// it holds on to is not less.
const minCost = 512

// A piece is a fragment's payload, and where it lies in the whole.
type piece struct {
	from, to int
	last     bool
	v        pkt.View
}

func (p *piece) cost() int { return max(p.to-p.from, minCost) }

// A datagram is a packet of which not all fragments have come.
type datagram[H any] struct {
	key
	header    H             // of the fragment with offset 0, or else of the first to come
	store     [maxHead]byte // what header refers to
	pieces    []piece       // in the order of their offsets; they don't overlap
	total     int           // length of the payload; unknown until the last fragment came
	got       int           // payload held
	count     int           // fragments held
	cost      int
	ecn       uint8 // the values of the ECN fields of all of them, a bit for each
	condemned bool  // refused, and every further fragment is
	expires   clock.Time
	cause     uint64 // the event of the first fragment to come

	older, newer *datagram[H]
}

// check returns why a fragment can't be part of any packet, zero if it can.
func (r *Reassembler[H]) check(h *H, n int) Reason {
	from, more := r.family.place(*h)
	switch {
	case n == 0:
		return Empty
	case more && n%unit != 0:
		return Unaligned
	case r.family.overhead(*h) > maxHead, r.family.overhead(*h)+from+n > maxLen:
		return TooLong
	}
	return 0
}

// fits returns where among the pieces p belongs, or why it is refused.
func (d *datagram[H]) fits(p *piece, most int) (at int, why Reason) {
	at = sort.Search(len(d.pieces), func(i int) bool { return d.pieces[i].to > p.from })
	switch {
	case d.condemned:
		return 0, Condemned
	case at < len(d.pieces) && d.pieces[at].repeats(p):
		return 0, Duplicate
	case at < len(d.pieces) && d.pieces[at].from < p.to:
		return 0, Overlap
	case d.total != unknown && (p.last || p.to > d.total):
		return 0, EndMoved
	case p.last && at < len(d.pieces):
		return 0, EndMoved
	case d.count >= most:
		return 0, TooMany
	}
	return at, 0
}

// repeats reports whether q is the same fragment as p once more, which does no
// harm (R8200-6; RFC 8200, 4.5).
func (p *piece) repeats(q *piece) bool {
	return p.from == q.from && p.to == q.to && p.last == q.last && bytes.Equal(p.v.Bytes(), q.v.Bytes())
}

func (d *datagram[H]) insert(at int, p piece) {
	d.pieces = slices.Insert(d.pieces, at, p)
	d.got += p.to - p.from
	d.count++
	if p.last {
		d.total = p.to
	}
}

// assemble returns the whole payload. All its pieces must be there.
func (d *datagram[H]) assemble() pkt.View {
	body := pkt.NewView(d.total)
	for _, p := range d.pieces {
		copy(body.Bytes()[p.from:], p.v.Bytes())
	}
	return body
}

// condemn gives up all that came, and all that is still to come.
func (d *datagram[H]) condemn() {
	d.release()
	d.condemned = true
}

func (d *datagram[H]) release() {
	for _, p := range d.pieces {
		p.v.Release()
	}
	d.pieces, d.got, d.cost, d.total = nil, 0, 0, unknown
}
