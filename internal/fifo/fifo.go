// Package fifo is the queue in which a pure machine keeps its output until it
// is polled.
//
// It is meant to be drained after each input, and allocates nothing once it
// has grown to what it holds at most at one time.
package fifo

// A Queue is first in, first out. The zero Queue is empty.
type Queue[T any] struct {
	items []T
	head  int
}

// keep is the number of places that an empty queue holds on to.
const keep = 1024

// Len returns how many items wait.
func (q *Queue[T]) Len() int { return len(q.items) - q.head }

// Push adds x at the end.
func (q *Queue[T]) Push(x T) {
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		q.compact()
	}
	q.items = append(q.items, x)
}

// compact moves the items to the front of the storage.
func (q *Queue[T]) compact() {
	n := copy(q.items, q.items[q.head:])
	clear(q.items[n:])
	q.items, q.head = q.items[:n], 0
}

// First returns the first item without taking it out, nil if there is none.
func (q *Queue[T]) First() *T {
	if q.head == len(q.items) {
		return nil
	}
	return &q.items[q.head]
}

// Pop takes out the first item, if there is one.
func (q *Queue[T]) Pop() (x T, ok bool) {
	if q.head == len(q.items) {
		return x, false
	}
	x, q.items[q.head] = q.items[q.head], x
	q.head++
	if q.head == len(q.items) {
		q.rewind()
	}
	return x, true
}

// Trim gives the storage of an empty queue back if there is room for more than
// so many items in it.
func (q *Queue[T]) Trim(places int) {
	if q.Len() == 0 && cap(q.items) > places {
		q.items, q.head = nil, 0
	}
}

// All calls f with all that wait, in their order.
func (q *Queue[T]) All(f func(*T)) {
	for i := q.head; i < len(q.items); i++ {
		f(&q.items[i])
	}
}

func (q *Queue[T]) rewind() {
	q.head = 0
	if cap(q.items) > keep {
		q.items = nil
		return
	}
	q.items = q.items[:0]
}
