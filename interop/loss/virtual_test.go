package main

import (
	"io"
	"path/filepath"
	"regexp"
	"runtime"
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
	for _, a := range algorithms {
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
		for _, a := range algorithms {
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

// The kept table is what the code of today computes, as far as chance goes,
// which any change of the code may throw anew: a mean lies between the least
// and the most of the kept runs, or not further than a tenth from them. A
// sample of the cells is looked at by day, all by night. Where it isn't so, look
// why, and run `make loss-table`.
func TestTheKeptTableIsOfToday(t *testing.T) {
	kept, err := load(filepath.Join("testdata", "hubbub.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	cells := sample
	if need.Nightly() {
		cells = regexp.MustCompile("")
	}
	o := options{only: cells}
	measured, err := measure(o.tasks(algorithms, hubbubRuns, false), runtime.GOMAXPROCS(0), io.Discard, virtual)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range measured {
		k, _ := kept.find(m.Path, m.Algorithm)
		if m.Goodput < k.Low-k.Low/10 || m.Goodput > k.High+k.High/10 {
			t.Errorf("%s, %s: it is %s now, where %s is kept; look why, then run `make loss-table`",
				m.Path, m.Algorithm, m.line(), k.line())
		}
	}
}

// Issue 3: the table has every algorithm in every cell.
func TestTheTableIsFull(t *testing.T) {
	kept, err := load(filepath.Join("testdata", "hubbub.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths() {
		for _, a := range algorithms {
			if r, ok := kept.find(p.name(), a); !ok || r.Goodput < 50_000 {
				t.Errorf("%s, %s: %+v", p.name(), a, r)
			}
		}
	}
}

// sample are the cells that are computed anew by day.
var sample = regexp.MustCompile("^10M/(1ms/loss5|50ms/loss1|300ms/burst) ")
