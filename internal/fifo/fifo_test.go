package fifo

import "testing"

func TestFirstInFirstOut(t *testing.T) {
	var q Queue[int]
	next := 0
	for i := range 100 {
		q.Push(i)
		if i%3 != 0 {
			if x, ok := q.Pop(); !ok || x != next {
				t.Fatalf("popped %d, %v, want %d", x, ok, next)
			}
			next++
		}
	}
	for ; q.Len() > 0; next++ {
		if x, _ := q.Pop(); x != next {
			t.Fatalf("popped %d, want %d", x, next)
		}
	}
	if _, ok := q.Pop(); ok || next != 100 {
		t.Errorf("the queue ran empty after %d items, want 100", next)
	}
}

func TestDrainedQueueAllocatesNothing(t *testing.T) {
	var q Queue[[4]int]
	allocs := testing.AllocsPerRun(1000, func() {
		for range 8 {
			q.Push([4]int{})
		}
		for range 8 {
			q.Pop()
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per round, want 0", allocs)
	}
}

func TestALargeQueueGivesItsStorageBack(t *testing.T) {
	var q Queue[int]
	for i := range 10 * keep {
		q.Push(i)
	}
	for range 10 * keep {
		q.Pop()
	}
	if q.items != nil {
		t.Errorf("the empty queue holds %d places", cap(q.items))
	}
}

func TestAQueueThatNeverRunsEmptyDoesNotGrow(t *testing.T) {
	var q Queue[int]
	for i := range 10 {
		q.Push(i)
	}
	for i := range 100_000 {
		q.Push(10 + i)
		if first := *q.First(); first != i {
			t.Fatalf("the first item is %d, want %d", first, i)
		}
		q.Pop()
	}
	if cap(q.items) > 64 {
		t.Errorf("a queue of 10 items holds %d places", cap(q.items))
	}
	if q = (Queue[int]{}); q.First() != nil {
		t.Error("an empty queue has a first item")
	}
}

func TestTrimGivesBackWhatABurstTook(t *testing.T) {
	var q Queue[int]
	for i := range 100 {
		q.Push(i)
	}
	q.Pop()
	sum := 0
	q.All(func(x *int) { sum += *x })
	if sum != 99*100/2 {
		t.Errorf("the sum of all is %d, want %d", sum, 99*100/2)
	}
	q.Trim(10)
	if q.Len() != 99 {
		t.Fatalf("%d items are left, want 99", q.Len())
	}
	for q.Len() > 0 {
		q.Pop()
	}
	q.Trim(1000)
	if cap(q.items) == 0 {
		t.Error("the storage was given back, though it isn't too large")
	}
	q.Trim(10)
	if cap(q.items) != 0 {
		t.Errorf("there is room for %d still", cap(q.items))
	}
}
