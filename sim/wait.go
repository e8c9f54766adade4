package sim

import (
	"context"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/timerq"
)

// A WaitList holds those who wait for the same thing, such as something to
// read from one socket. The zero WaitList is empty. It needs the lock.
type WaitList struct {
	first *Waiter
}

// Empty reports whether nobody waits.
func (l *WaitList) Empty() bool { return l.first == nil }

// A Waiter is a goroutine that waits.
type Waiter struct {
	timer   timerq.Timer
	world   *World
	program *Program      // in a virtual world
	signal  chan struct{} // in any other
	why     error         // why it need not wait any longer, if not for what it waited for
	woken   bool
	cause   event.ID // the event that woke it
	room    []byte   // what WaitToFill wants to have filled
	filled  int

	list         *WaitList
	next, prev   *Waiter // of its list
	nextWoken    *Waiter
	later, older *Waiter // of all who wait
}

// Wait runs the world to completion after the caller's change to n, if any,
// and waits until somebody wakes the list, the world's clock shows deadline
// (clock.Never for no limit), or ctx is done. It returns
// with the lock held, as it was called, and the event that ended the wait; the
// world's time is that of this event or later, not yet the present.
//
// The error is nil, ErrDeadline, the context's, or why the world has stopped.
// Without an error the caller looks again whether what it waits for is there:
// somebody else may have taken it.
func (w *World) Wait(ctx context.Context, n *Node, l *WaitList, deadline clock.Time) (event.ID, error) {
	r, err := w.begin(n, l, deadline, nil)
	if err != nil {
		return 0, err
	}
	r.block(ctx)
	return w.finish(r)
}

// WaitToFill is Wait for a caller who has changed nothing, to whom what he waits for
// is to be copied: whoever brings it may put it into room, see [WaitList.Fill].
// It returns how much that was; zero if it is still to be fetched, or never came. Patient lets
// others go on before it waits, see [World.Yield]: they may be about to bring it.
func (w *World) WaitToFill(l *WaitList, deadline clock.Time, room []byte, patient bool) (int, error) {
	r, err := w.begin(nil, l, deadline, room)
	if err != nil {
		return 0, err
	}
	r.sleep(patient)
	filled := r.filled
	_, err = w.finish(r)
	return filled, err
}

// begin begins a wait.
func (w *World) begin(n *Node, l *WaitList, deadline clock.Time, room []byte) (*Waiter, error) {
	switch {
	case w.err != nil:
		return nil, w.err
	case deadline.Due(w.now):
		return nil, ErrDeadline
	}
	program, err := w.programs.current(w.pace.virtual)
	if err != nil {
		return nil, err
	}
	r := w.newWaiter(program)
	r.room = room
	w.link(r, l)
	if deadline != clock.Never {
		w.queue.Set(&r.timer, r, deadline)
	}
	if n != nil || deadline != clock.Never {
		w.complete(n)
	}
	return r, nil
}

// block gives up the lock until the waiter is woken.
func (r *Waiter) block(ctx context.Context) {
	w := r.world
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { w.cancel(r, ctx) })
		defer stop()
	}
	r.sleep(false)
}

// sleep gives up the lock until the waiter is woken. What comes while others go on first wakes
// nobody: that saves what it costs to put a goroutine to sleep, and an idle processor's start.
func (r *Waiter) sleep(patient bool) {
	w := r.world
	if r.program != nil {
		w.programs.yield(w, r)
		return
	}
	if patient {
		w.Yield()
	}
	w.Unlock()
	<-r.signal
	w.mu.Lock()
}

// cancel wakes r because its context is done, if it still waits for it.
func (w *World) cancel(r *Waiter, ctx context.Context) {
	w.Enter()
	if r.list != nil && !r.woken {
		r.why = context.Cause(ctx)
		r.wake()
	}
	w.Leave(nil)
}

// finish takes r back and returns what ended its wait.
func (w *World) finish(r *Waiter) (event.ID, error) {
	cause, err := r.cause, r.why
	w.Stream.Because(cause)
	if r.timer.At() != clock.Never {
		w.queue.Remove(&r.timer)
	}
	w.waiting.remove(r)
	if err == nil && w.err != nil {
		err = w.err
	}
	r.recycle()
	return cause, err
}

// fire wakes a waiter whose deadline has come.
func (r *Waiter) fire(*World) {
	r.why = ErrDeadline
	r.wake()
}

// wake ends the wait.
func (r *Waiter) wake() {
	if r.woken {
		return
	}
	r.woken = true
	r.cause = r.world.Stream.Cause()
	r.unlink()
	if r.program != nil {
		r.program.ready(r.world)
		return
	}
	r.nextWoken, r.world.woken = r.world.woken, r
}

// WakeAll wakes everybody who waits, in the order in which they came.
func (l *WaitList) WakeAll() {
	for l.first != nil {
		l.first.wake()
	}
}

// Fill lets fill copy what the first of the list waits for into its room, and wakes it.
// fill returns how much it has copied. Fill reports false if nobody waits with room.
func (l *WaitList) Fill(fill func(room []byte) int) bool {
	r := l.first
	if r == nil || r.room == nil {
		return false
	}
	r.filled = fill(r.room)
	r.wake()
	return true
}

// newWaiter returns a waiter that was used before, if there is one: a wait
// allocates nothing. Each world has its own, as a synctest bubble asks of
// channels.
func (w *World) newWaiter(p *Program) *Waiter {
	r := w.spare
	if r == nil {
		r = &Waiter{world: w, signal: make(chan struct{}, 1)}
	} else {
		w.spare = r.next
		r.next = nil
	}
	r.program = p
	return r
}

func (r *Waiter) recycle() {
	r.program, r.why, r.woken, r.cause, r.room, r.filled = nil, nil, false, 0, nil, 0
	r.next, r.world.spare = r.world.spare, r
}

// link puts r at the end of l and among all who wait.
func (w *World) link(r *Waiter, l *WaitList) {
	r.list = l
	if l.first == nil {
		l.first, r.next, r.prev = r, r, r
	} else {
		r.next, r.prev = l.first, l.first.prev
		r.prev.next, r.next.prev = r, r
	}
	w.waiting.add(r)
}

// unlink takes r out of the list it waits in.
func (r *Waiter) unlink() {
	l := r.list
	switch {
	case r.next == r:
		l.first = nil
	case l.first == r:
		l.first = r.next
	}
	r.next.prev, r.prev.next = r.prev, r.next
	r.next, r.prev, r.list = nil, nil, nil
}

// waitingList holds all who wait in a world, so that its end wakes them.
type waitingList struct {
	newest *Waiter
}

func (l *waitingList) add(r *Waiter) {
	r.older = l.newest
	if l.newest != nil {
		l.newest.later = r
	}
	l.newest = r
}

func (l *waitingList) remove(r *Waiter) {
	if r.later != nil {
		r.later.older = r.older
	} else if l.newest == r {
		l.newest = r.older
	}
	if r.older != nil {
		r.older.later = r.later
	}
	r.later, r.older = nil, nil
}

// wakeAll wakes everybody because the world has stopped.
func (l *waitingList) wakeAll(w *World) {
	for r := l.newest; r != nil; r = r.older {
		if !r.woken {
			r.why = w.err
			r.wake()
		}
	}
}
