package sim

import (
	"runtime"
	"sync/atomic"
	"time"
)

// yields are what becomes of the calls of [World.Yield].
type yields struct {
	next    yielding     // what is to be done when the lock is given up
	untimed int          // calls since one was timed
	skip    atomic.Int32 // how many calls are to do nothing
}

type yielding uint8

const (
	noYield yielding = iota
	untimedYield
	timedYield
)

// A goroutine that computes keeps its processor for 10 ms. Ones that wait for each
// other's data take microseconds.
const (
	longYield     = time.Millisecond
	yieldsSkipped = 10_000
	yieldsUntimed = 7
)

// Yield lets other goroutines go on first once the lock is given up, for a caller that
// has something ready for them. Where the processors are busy with other things that
// costs more than it's worth: after it took long, the next calls do nothing. The clock is
// looked at in one call of some. It needs the lock.
func (w *World) Yield() {
	y := &w.yields
	switch n := y.skip.Load(); {
	case n > 0:
		y.skip.Store(n - 1) // it may get lost what another finds out just now
	case y.untimed < yieldsUntimed:
		y.untimed++
		y.next = untimedYield
	default:
		y.untimed, y.next = 0, timedYield
	}
}

// yield lets other goroutines go on.
func (w *World) yield(how yielding) {
	if how == untimedYield {
		runtime.Gosched()
		return
	}
	began := time.Now()
	runtime.Gosched()
	if time.Since(began) > longYield {
		w.yields.skip.Store(yieldsSkipped)
	}
}
