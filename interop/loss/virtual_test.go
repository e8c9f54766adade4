package main

import (
	"testing"
	"time"

	"hubbub/internal/need"
)

func TestAQueueHoldsARoundTripAndAHundredFrames(t *testing.T) {
	for _, c := range []struct {
		p    path
		want int
	}{
		{path{10_000_000, 20 * time.Microsecond, harms[0]}, 100},
		{path{10_000_000, 300 * time.Millisecond, harms[0]}, 243},
		{path{1_000_000_000, time.Millisecond, harms[0]}, 100},
		{path{1_000_000_000, 50 * time.Millisecond, harms[0]}, 4063},
	} {
		if got := c.p.queue(); got != c.want {
			t.Errorf("%s: %d frames, want %d", c.p.name(), got, c.want)
		}
	}
}

// cheap are the cells that take little time to compute; in the nightly run
// they are all.
func cheap() (some []path) {
	for _, p := range paths() {
		if need.Nightly() || p.rate < 1e9 && p.rtt == 50*time.Millisecond {
			some = append(some, p)
		}
	}
	return some
}

func TestVirtualTimeGivesTheSameResultInEveryRun(t *testing.T) {
	p := path{10_000_000, 50 * time.Millisecond, harms[3]}
	for _, a := range hubbubHas {
		first, err := virtual(p, a, 7)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := virtual(p, a, 7); err != nil || again != first {
			t.Errorf("%+v, then %+v, %v", first, again, err)
		}
		if other, err := virtual(p, a, 8); err != nil || other == first {
			t.Errorf("another seed gives the same %+v, %v", other, err)
		}
	}
}

// A connection that has stopped for good would be far below what the worst
// path and the slowest recovery permit.
func TestNoCellHangs(t *testing.T) {
	for _, p := range cheap() {
		for _, a := range hubbubHas {
			r, err := virtual(p, a, 1)
			if err != nil {
				t.Error(err)
			}
			if r.Goodput < 50_000 {
				t.Errorf("%s, %s: %d bit/s", p.name(), a, r.Goodput)
			}
		}
	}
}
