package timerq

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"hubbub/clock"
)

func TestEqualTimersFireInTheOrderTheyWereSet(t *testing.T) {
	var q Queue[int]
	timers := make([]Timer, 10)
	for i := range timers {
		q.Set(&timers[i], i, 5)
	}
	for i := range timers {
		if got, ok := q.Pop(5); !ok || got != i {
			t.Fatalf("timer %d came in place %d", got, i)
		}
	}
}

func TestAStoppedTimerDoesNotFire(t *testing.T) {
	var q Queue[string]
	var a, b Timer
	q.Set(&a, "a", 5)
	q.Set(&b, "b", 7)
	q.Set(&a, "a", clock.Never)
	if next := q.Next(); next != 7 {
		t.Errorf("next is %v, want 7", next)
	}
	if _, ok := q.Pop(6); ok {
		t.Error("something fired before it was due")
	}
	if got, ok := q.Pop(7); !ok || got != "b" {
		t.Error("b did not fire at 7")
	}
	if q.Next() != clock.Never || q.Len() != 0 {
		t.Error("the queue is not empty")
	}
}

// Whatever is set, moved and stopped: Next is the least time set, and timers
// come out in order.
func TestQueueAgreesWithAScan(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var q Queue[int]
	timers := make([]Timer, 50)
	now := clock.Time(1)
	least := func() clock.Time {
		var min clock.Time
		for i := range timers {
			min = clock.Earlier(min, timers[i].At())
		}
		return min
	}
	for range 20000 {
		i := rnd.IntN(len(timers))
		timer := &timers[i]
		switch rnd.IntN(8) {
		case 0:
			q.Set(timer, i, clock.Never)
		case 1:
			q.Remove(timer)
		case 2:
			now += clock.Time(rnd.IntN(30))
			for {
				want := least()
				got, ok := q.Pop(now)
				if ok != want.Due(now) {
					t.Fatalf("at %v something due: %v, want %v", now, ok, want.Due(now))
				}
				if !ok {
					break
				}
				if timers[got].At() != clock.Never {
					t.Fatal("a timer that fired is still set")
				}
			}
		default:
			q.Set(timer, i, now+1+clock.Time(rnd.IntN(100)))
		}
		if got, want := q.Next(), least(); got != want {
			t.Fatalf("next is %v, want %v", got, want)
		}
	}
}

func BenchmarkMoveToLater(b *testing.B) {
	var q Queue[int]
	timers := make([]Timer, 1000)
	for i := range timers {
		q.Set(&timers[i], i, clock.Time(i+1))
	}
	for i := 0; b.Loop(); i++ {
		q.Set(&timers[i%1000], i%1000, clock.Time(i+1000))
	}
}

// A timer at rest is a time and a place; what a queue has taken it gives back.
func TestTimersAtRestTakeLittle(t *testing.T) {
	if size := unsafe.Sizeof(Timer{}); size > 16 {
		t.Errorf("a timer takes %d octets, want at most 16", size)
	}
	var q Queue[int]
	timers := make([]Timer, 100_000)
	for i := range timers {
		q.Set(&timers[i], i, clock.Time(i+1))
	}
	for i := range timers {
		if owner, ok := q.Pop(clock.Time(i + 1)); !ok || owner != i {
			t.Fatalf("timer %d is due at %d: %v", owner, i+1, ok)
		}
	}
	if room := cap(q.heap); room > minRoom {
		t.Errorf("an empty queue has room for %d, want at most %d", room, minRoom)
	}
}
