package main

import (
	"path/filepath"
	"testing"
	"time"

	"hubbub/internal/need"
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

// Issue 3: two flows of the same kind share a link within a tenth, from 30 s
// after the second has begun. By day there is time for one contest only.
func TestTwoFlowsShareALink(t *testing.T) {
	limit, rtts := 0.1, []time.Duration{time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}
	contend := virtualContests
	if !need.Nightly() {
		limit, rtts = 0.25, rtts[1:2]
		contend = func(c contest) (share, error) { return virtualContest(c, 0, virtualWatch) }
	}
	for _, rtt := range rtts {
		s, err := contend(contest{path: path{10_000_000, rtt, harms[0]}, first: "cubic", second: "cubic"})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %v", rtt, s)
		if s.apart() > limit {
			t.Errorf("a round trip of %v: %v; within %.0f %% is wanted", rtt, s, 100*limit)
		}
		if sum := s.first + s.second; sum < 9_000_000 {
			t.Errorf("a round trip of %v: %v: together they leave much of the link unused", rtt, s)
		}
	}
}
