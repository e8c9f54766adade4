// Package timerq orders timers: a heap in which moving a timer to later, as
// every acknowledgement does with the retransmission timer, costs one store.
//
// A timer that moved to later stays where it is in the heap. When it comes to
// the top it is put where it belongs; [Queue.Next] and [Queue.Pop] see to
// that, so that what they return is exact.
package timerq

import "hubbub/clock"

// A Timer belongs to its owner, who embeds it, and is in at most one Queue. The
// zero Timer is not set. What only a running timer needs is in the Queue.
type Timer struct {
	at    clock.Time // when it is due; clock.Never if it isn't set
	index int32      // 1 + place in the heap; zero if not in it
}

// place is a timer's in the heap.
type place[T any] struct {
	queued clock.Time // where it stands: at or before the time when it is due
	seq    uint64     // among equals, the one set first comes first
	timer  *Timer
	owner  T
}

// At returns when the timer is due, clock.Never if it isn't set.
func (t *Timer) At() clock.Time { return t.at }

// A Queue holds timers. The zero Queue is empty.
type Queue[T any] struct {
	heap []place[T]
	seq  uint64
}

// minRoom is the room of a heap that isn't given back, however few are in it.
const minRoom = 1024

// Len returns the number of places in use, those of stopped timers that have
// not come to the top yet included.
func (q *Queue[T]) Len() int { return len(q.heap) }

// Set makes t, which is owner's, due at that time; clock.Never stops it.
func (q *Queue[T]) Set(t *Timer, owner T, at clock.Time) {
	if t.at == at {
		return
	}
	t.at = at
	switch {
	case at == clock.Never:
	case t.index == 0:
		q.push(t, owner)
	case at < q.heap[t.index-1].queued:
		q.seq++
		p := &q.heap[t.index-1]
		p.queued, p.seq = at, q.seq
		q.up(int(t.index) - 1)
	}
}

// Remove takes t out of the heap, so that nothing refers to its owner.
func (q *Queue[T]) Remove(t *Timer) {
	t.at = clock.Never
	if t.index == 0 {
		return
	}
	i := int(t.index) - 1
	last := len(q.heap) - 1
	q.swap(i, last)
	q.heap[last] = place[T]{}
	q.heap = q.heap[:last]
	t.index = 0
	if cap(q.heap) > minRoom && last < cap(q.heap)/8 {
		q.heap = append(make([]place[T], 0, cap(q.heap)/4), q.heap...)
	}
	if i < last {
		q.down(i)
		q.up(i)
	}
}

// Soonest returns a time before which no timer is due, clock.Never if none is
// set: it costs less than Next.
func (q *Queue[T]) Soonest() clock.Time {
	if len(q.heap) == 0 {
		return clock.Never
	}
	return q.heap[0].queued
}

// Next returns when the earliest timer is due, clock.Never if none is set.
func (q *Queue[T]) Next() clock.Time {
	q.settle()
	if len(q.heap) == 0 {
		return clock.Never
	}
	return q.heap[0].timer.at
}

// Pop takes out the earliest timer if it is due at now, and returns whose it is.
func (q *Queue[T]) Pop(now clock.Time) (owner T, ok bool) {
	if !q.Next().Due(now) {
		return owner, false
	}
	owner = q.heap[0].owner
	q.Remove(q.heap[0].timer)
	return owner, true
}

// settle makes the top of the heap a timer that stands where it belongs.
func (q *Queue[T]) settle() {
	for len(q.heap) > 0 {
		top := &q.heap[0]
		switch at := top.timer.at; {
		case at == top.queued:
			return
		case at == clock.Never:
			q.Remove(top.timer)
		default:
			top.queued = at
			q.down(0)
		}
	}
}

func (q *Queue[T]) push(t *Timer, owner T) {
	q.seq++
	q.heap = append(q.heap, place[T]{queued: t.at, seq: q.seq, timer: t, owner: owner})
	t.index = int32(len(q.heap))
	q.up(len(q.heap) - 1)
}

func (q *Queue[T]) less(i, j int) bool {
	a, b := &q.heap[i], &q.heap[j]
	return a.queued < b.queued || a.queued == b.queued && a.seq < b.seq
}

func (q *Queue[T]) swap(i, j int) {
	q.heap[i], q.heap[j] = q.heap[j], q.heap[i]
	q.heap[i].timer.index, q.heap[j].timer.index = int32(i+1), int32(j+1)
}

func (q *Queue[T]) up(i int) {
	for i > 0 && q.less(i, (i-1)/2) {
		q.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (q *Queue[T]) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			return
		}
		if child+1 < len(q.heap) && q.less(child+1, child) {
			child++
		}
		if !q.less(child, i) {
			return
		}
		q.swap(i, child)
		i = child
	}
}
