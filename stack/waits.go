package stack

import (
	"math"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/transport/tcp"
)

// timeWait is what is left of a connection in TIME-WAIT: a few words, and the
// port. There are no pointers in it.
type timeWait struct {
	tcp.TimeWait
	cause         event.ID // of its latest beginning
	local, remote [16]byte
	ports         [2]uint16 // local and remote
	scope         uint16    // of a link-local address: which link
	binding       bindingID // 0 if it doesn't hold the port
	hash, next    uint32
	before, after uint32 // who ends before and after it, of those in line
	turn          uint32 // place among the others; inLine: it isn't one of them
}

// inLine is no place.
const inLine = math.MaxUint32

// ends returns the two ends.
func (s *Stack) endsOf(tw *timeWait) (local, remote netip.AddrPort) {
	return netip.AddrPortFrom(s.withScope(netip.AddrFrom16(tw.local).Unmap(), tw.scope), tw.ports[0]),
		netip.AddrPortFrom(s.withScope(netip.AddrFrom16(tw.remote).Unmap(), tw.scope), tw.ports[1])
}

// waits are all that are in TIME-WAIT, numbered from 1 on, without gaps: they
// lie one behind the other, in pieces. Who goes gives the last one its place.
//
// As all last equally long, who comes last ends last: they stand in line. Whose time is another,
// since a setting was changed or it is reckoned by the round trip, has its turn by a heap.
type waits struct {
	chains[uint32]
	records    []*[waitPiece]timeWait
	head, tail uint32   // of the line, 0 if nobody is in it
	turns      []uint32 // the heap: who ends first comes first
}

// waitPiece is how many records are allocated at once: as many as fit into a page
// of 4096 octets, which Go's allocator has a size class for.
const waitPiece = 34

func (w *waits) init() {
	*w = waits{chains: chains[uint32]{link: func(n uint32) (uint32, *uint32) {
		tw := w.record(n)
		return tw.hash, &tw.next
	}}}
}

// record returns the one with that number.
func (w *waits) record(n uint32) *timeWait { return &w.records[(n-1)/waitPiece][(n-1)%waitPiece] }

// find returns the number of what is left of a connection between two ends, 0 if
// there is nothing.
func (w *waits) find(hash uint32, local, remote netip.AddrPort, scope uint16) uint32 {
	n := w.first(hash)
	for n != 0 {
		tw := w.record(n)
		if tw.hash == hash && tw.ports == [2]uint16{local.Port(), remote.Port()} && tw.scope == scope &&
			tw.remote == remote.Addr().As16() && tw.local == local.Addr().As16() {
			break
		}
		n = tw.next
	}
	return n
}

// add puts one in.
func (w *waits) add(tw *timeWait) {
	if w.count%waitPiece == 0 {
		w.records = append(w.records, new([waitPiece]timeWait))
	}
	n := uint32(w.count + 1)
	*w.record(n) = *tw
	w.chains.add(n)
	w.queue(n)
}

// remove takes one out. The last one then has its number.
func (w *waits) remove(n uint32) {
	w.chains.remove(n)
	w.leave(n)
	if last := uint32(w.count + 1); last != n {
		*w.place(last) = n
		tw := w.record(n)
		*tw = *w.record(last)
		if tw.turn == inLine {
			*w.behind(tw.before), *w.ahead(tw.after) = n, n
		} else {
			w.turns[tw.turn] = n
		}
	}
	if w.count%waitPiece == 0 {
		last := len(w.records) - 1
		w.records[last] = nil
		w.records = w.records[:last]
	}
}

// soonest returns who ends first, 0 if there is none.
func (w *waits) soonest() uint32 {
	if len(w.turns) == 0 {
		return w.head
	}
	if n := w.turns[0]; w.head == 0 || w.record(n).Expires() < w.record(w.head).Expires() {
		return n
	}
	return w.head
}

// next returns when the first of them ends, clock.Never if there is none.
func (w *waits) next() clock.Time {
	if n := w.soonest(); n != 0 {
		return w.record(n).Expires()
	}
	return clock.Never
}

// queue puts one in line, if it ends no sooner than the last there, else among the others.
func (w *waits) queue(n uint32) {
	tw := w.record(n)
	if w.tail == 0 || w.record(w.tail).Expires() <= tw.Expires() {
		tw.turn, tw.before, tw.after = inLine, w.tail, 0
		*w.behind(w.tail), w.tail = n, n
		return
	}
	tw.turn = uint32(len(w.turns))
	w.turns = append(w.turns, n)
	w.settle(n)
}

// behind and ahead return what says who is next behind n in line, and who is next ahead of
// it: for 0 who is the first, and who is the last.
func (w *waits) behind(n uint32) *uint32 {
	if n == 0 {
		return &w.head
	}
	return &w.record(n).after
}

func (w *waits) ahead(n uint32) *uint32 {
	if n == 0 {
		return &w.tail
	}
	return &w.record(n).before
}

// leave takes one out of the line, or out of the heap.
func (w *waits) leave(n uint32) {
	if tw := w.record(n); tw.turn == inLine {
		*w.behind(tw.before), *w.ahead(tw.after) = tw.after, tw.before
		return
	}
	w.leaveTurn(n)
}

// requeue finds the place of one whose end has changed.
func (w *waits) requeue(n uint32) {
	w.leave(n)
	w.queue(n)
}

// leaveTurn takes one out of the heap.
func (w *waits) leaveTurn(n uint32) {
	last := len(w.turns) - 1
	moved, at := w.turns[last], w.record(n).turn
	w.turns = w.turns[:last]
	if moved != n {
		w.turns[at] = moved
		w.record(moved).turn = at
		w.settle(moved)
	}
	if cap(w.turns) > 4*(last+waitPiece) {
		w.turns = append(make([]uint32, 0, last), w.turns...)
	}
}

// settle finds the place in the heap of one that may stand at a wrong one.
func (w *waits) settle(n uint32) {
	for {
		tw := w.record(n)
		if tw.turn > 0 && w.swapIfSooner(tw.turn, (tw.turn-1)/2) {
			continue
		}
		child := 2*tw.turn + 1
		if int(child) >= len(w.turns) {
			return
		}
		if int(child)+1 < len(w.turns) && w.sooner(child+1, child) {
			child++
		}
		if !w.swapIfSooner(child, tw.turn) {
			return
		}
	}
}

func (w *waits) sooner(i, j uint32) bool {
	return w.record(w.turns[i]).Expires() < w.record(w.turns[j]).Expires()
}

// swapIfSooner exchanges two, if the first, which stands behind, ends sooner.
func (w *waits) swapIfSooner(i, j uint32) bool {
	if !w.sooner(i, j) {
		return false
	}
	t := w.turns
	t[i], t[j] = t[j], t[i]
	w.record(t[i]).turn, w.record(t[j]).turn = i, j
	return true
}
