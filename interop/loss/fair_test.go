package main

import (
	"path/filepath"
	"testing"
	"time"
)

func TestFairnessIsReadAsItWasWritten(t *testing.T) {
	c := contests()
	f := fairness{c[0].name(): {5, 4}, c[len(c)-1].name(): {1, 2}}
	file := filepath.Join(t.TempDir(), "fair.tsv")
	if err := f.save(file); err != nil {
		t.Fatal(err)
	}
	again, err := loadFairness(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "10M/1ms/cubic+cubic\t5\t4\n10M/50ms/cubic+cubic/linux\t1\t2\n"; again.text() != want {
		t.Errorf("got\n%s\nwant\n%s", again.text(), want)
	}
}

func TestSharesAreApartByAFractionOfTheGreater(t *testing.T) {
	for s, want := range map[share]float64{{10, 10}: 0, {5, 10}: 0.5, {10, 8}: 0.2, {0, 0}: 1} {
		if got := s.apart(); got-want > 1e-9 || want-got > 1e-9 {
			t.Errorf("%+v are %v apart, want %v", s, got, want)
		}
	}
}

// Issue 3: two flows of the same kind share a link within a tenth, 30 s after
// the second has begun.
func TestTwoFlowsShareALink(t *testing.T) {
	for _, rtt := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
		s, err := virtualContest(contest{path: path{10_000_000, rtt, harms[0]}, first: "cubic", second: "cubic"})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %v", rtt, s)
		if s.apart() > 0.1 {
			t.Errorf("a round trip of %v: %v; within 10 %% is wanted", rtt, s)
		}
		if sum := s.first + s.second; sum < 9_000_000 {
			t.Errorf("a round trip of %v: %v: together they leave much of the link unused", rtt, s)
		}
	}
}
