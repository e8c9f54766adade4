package tcp

import (
	"testing"
	"time"
)

// socket(7), SO_MAX_PACING_RATE: the lower of it and of what the congestion control says; 0 is none.
func TestTheLowerRateCounts(t *testing.T) {
	for _, c := range []struct{ model, program, want uint64 }{
		{0, 0, 0}, {0, 1, 1}, {0, 5000, 5000}, {5000, 0, 5000}, {5000, 4999, 4999}, {5000, 5000, 5000}, {5000, 5001, 5000},
	} {
		e := establishedEnd(t)
		e.c.cc.Pacing = c.model
		e.c.SetMaxPacingRate(c.program)
		if got := e.c.PacingRate(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
		if c.program == 0 && e.c.rare.pace != nil {
			t.Error("no limit takes memory")
		}
	}
	// A limit that is taken back is none.
	e := establishedEnd(t)
	e.c.SetMaxPacingRate(1000)
	e.c.SetMaxPacingRate(0)
	if got := e.c.PacingRate(); got != 0 {
		t.Errorf("the rate is %d", got)
	}
}

// How long so many octets take at a rate, for any numbers: an hour at most.
func TestHowLongOctetsTake(t *testing.T) {
	for _, c := range []struct {
		octets int
		rate   uint64
		want   time.Duration
	}{
		{0, 1, 0},
		{1000, 1000, time.Second},
		{1, 1000, ms},
		{1500, 1_000_000, 1500 * time.Microsecond},
		{1 << 40, 1 << 40, time.Second},
		{3600, 1, time.Hour},
		{1 << 40, 1, time.Hour},
		{1 << 40, 1 << 20, time.Hour},
	} {
		if got := timeOf(c.octets, c.rate); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
