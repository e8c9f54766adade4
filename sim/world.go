package sim

import (
	"errors"
	"net"
	"sync"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/timerq"
)

// ErrClosed is what every call on a closed world returns. It is
// [net.ErrClosed], which Go programs look for.
var ErrClosed = net.ErrClosed

// ErrDeadline says that the time until which a call may wait has passed.
var ErrDeadline = errors.New("i/o timeout")

// A World is a network with a clock of its own. Its methods may be called
// from any goroutine, except those that say that they need the lock.
type World struct {
	// Stream is what happens in the world. It needs the lock.
	Stream event.Stream

	mu      sync.Mutex
	seed    uint64
	now     clock.Time
	queue   timerq.Queue[alarm]
	inbox   inbox
	nodes   []*Node
	waiting waitingList
	woken   *Waiter // to be told when the lock is given up, the last first
	errands *Errand // to be done then, the last first
	spare   *Waiter // waiters to be used again
	settled []*Node // nodes whose Settle is due

	pace     pace
	programs baton
	stepping stepper
	backlog  backlog
	yields   yields
	storm    stormWatch
	err      error // why the world has stopped
}

// An alarm is what the queue holds: something that is due at its time.
type alarm interface {
	fire(w *World)
}

// New returns a world at time zero that follows pace. Its random numbers all
// come from seed.
func New(pace Pace, seed uint64) *World {
	w := &World{seed: seed}
	w.programs.init()
	w.pace.start(w, pace)
	return w
}

// Enter locks the world and brings it up to the present: what became due
// since the last call has happened when Enter returns. The caller must call
// [World.Leave] or [World.Unlock].
func (w *World) Enter() clock.Time {
	w.mu.Lock()
	return w.CatchUp()
}

// TryEnter is Enter for a caller who has something better to do than to wait for
// another one who has locked the world. It reports whether it has locked it.
func (w *World) TryEnter() (clock.Time, bool) {
	if !w.mu.TryLock() {
		return 0, false
	}
	return w.CatchUp(), true
}

// Lock is Enter without bringing the world up to the present: for a caller to
// whom it doesn't matter what time it is. It returns the time of what happened
// last.
func (w *World) Lock() clock.Time {
	w.mu.Lock()
	w.Stream.Because(w.programs.last())
	return w.now
}

// CatchUp brings the world, which the caller has locked, up to the present.
func (w *World) CatchUp() clock.Time {
	w.advance(w.pace.present(w.now))
	w.Stream.Because(w.programs.last())
	return w.now
}

// Leave runs to completion and unlocks. n is the node whose device the caller
// has changed, nil if none.
func (w *World) Leave(n *Node) {
	w.complete(n)
	w.Unlock()
}

// Complete runs to completion without unlocking, for a caller who has to look at what
// came of it.
func (w *World) Complete(n *Node) { w.complete(n) }

// Unlock unlocks a world in which the caller has changed nothing that a frame
// or a timer could follow from.
func (w *World) Unlock() {
	woken, errands, next := w.woken, w.errands, w.yields.next
	w.woken, w.errands, w.yields.next = nil, nil, noYield
	w.mu.Unlock()
	// Those who were woken would else run into the lock at once.
	for woken != nil {
		r := woken
		woken = r.nextWoken
		r.nextWoken = nil
		r.signal <- struct{}{}
	}
	if errands != nil {
		errands.run()
	}
	if next != noYield {
		w.yield(next)
	}
}

// An Errand is work outside of the world that is best done at once, by who has caused it,
// and not under the lock: a system call that sends a frame.
type Errand struct {
	Do   func()
	next *Errand
}

// After lets whoever has the lock run the errand once he has given it up. It must not be waiting to be
// run already. It needs the lock.
func (e *Errand) After(w *World) { e.next, w.errands = w.errands, e }

// run runs the errand and those that were there before it.
func (e *Errand) run() {
	for e != nil {
		// As soon as it runs it may be wanted again.
		do, next := e.Do, e.next
		e.next = nil
		do()
		e = next
	}
}

// Now returns the world's time. It needs the lock.
func (w *World) Now() clock.Time { return w.now }

// Err returns why the world has stopped, nil while it runs. It needs the lock.
func (w *World) Err() error { return w.err }

// Closed reports whether the world was closed. It needs the lock.
func (w *World) Closed() bool { return errors.Is(w.err, ErrClosed) }

// Close ends the world: the pacer stops, and every call that waits returns
// ErrClosed. It may be called more than once.
func (w *World) Close() {
	w.mu.Lock()
	w.stop(ErrClosed)
	w.Unlock()
	w.pace.end()
}

// stop ends all movement for the reason err.
func (w *World) stop(err error) {
	if w.err == nil || errors.Is(err, ErrClosed) {
		w.err = err
	}
	w.inbox.clear()
	w.waiting.wakeAll(w)
	if w.Closed() {
		w.programs.release()
	}
}

// complete takes what n's device has to send and lets all that follows from
// it happen, up to the present instant.
func (w *World) complete(n *Node) {
	w.storm.reset()
	if n != nil {
		w.drain(n)
	}
	w.flush()
	w.pace.remind(w.queue.Soonest())
}

// flush delivers the frames that have arrived, and those that follow from
// them, until there are none.
func (w *World) flush() {
	for more := true; more; more = w.err == nil && w.inbox.count > 0 {
		for w.err == nil {
			d, ok := w.inbox.pop()
			if !ok {
				break
			}
			w.deliver(d)
		}
		w.settle()
	}
}

// settle lets the nodes that were changed tell those who wait for them. Where these
// are given what they wait for, more may follow from that.
func (w *World) settle() {
	for i := 0; i < len(w.settled); i++ {
		n := w.settled[i]
		n.unsettled = false
		w.settled[i] = nil
		n.settle()
	}
	w.settled = w.settled[:0]
}

// advance moves the clock to t, stopping at everything that is due on the
// way.
func (w *World) advance(t clock.Time) {
	for w.err == nil && w.queue.Soonest().Due(t) {
		next := w.queue.Next()
		if !next.Due(t) {
			break
		}
		w.happen(next)
	}
	w.now = max(w.now, t)
}

// happen moves the clock to next, the time of the earliest alarm, and lets
// that one go off.
func (w *World) happen(next clock.Time) {
	w.now = max(w.now, next)
	if owner, ok := w.queue.Pop(w.now); ok {
		w.storm.reset()
		w.Stream.Because(0) // a timer's cause is what set it, which its owner knows
		owner.fire(w)
		w.flush()
	}
}

// After calls f under the lock when d has passed. f must not block; what it
// changes in a node's device it must finish with [World.Changed].
func (w *World) After(d clock.Duration, f func(now clock.Time)) {
	c := &call{f: f}
	w.queue.Set(&c.timer, c, w.now.Add(max(d, 1)))
	w.pace.remind(w.queue.Next())
}

// A call is a function that is due at a time.
type call struct {
	timer timerq.Timer
	f     func(clock.Time)
}

func (c *call) fire(w *World) { c.f(w.now) }

// Changed takes what n's device has to send, under a lock that the caller
// goes on holding.
func (w *World) Changed(n *Node) { w.drain(n) }
