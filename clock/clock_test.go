package clock

import (
	"testing"
	"time"
)

func TestEarlierTreatsNeverAsLast(t *testing.T) {
	for _, c := range []struct{ a, b, want Time }{
		{Never, Never, Never},
		{Never, 5, 5},
		{5, Never, 5},
		{5, 7, 5},
		{7, 5, 5},
	} {
		if got := Earlier(c.a, c.b); got != c.want {
			t.Errorf("Earlier(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestDue(t *testing.T) {
	if Never.Due(End) {
		t.Error("a timer that is not set came due")
	}
	if Time(5).Due(4) || !Time(5).Due(5) || !Time(5).Due(6) {
		t.Error("a timer is due at its instant and after it, not before")
	}
}

func TestAddSaturates(t *testing.T) {
	if got := (End - 1).Add(time.Hour); got != End {
		t.Errorf("adding an hour near the end gave %d, want End", got)
	}
	if got := Time(5).Add(-3); got != 2 {
		t.Errorf("5 + -3 = %d, want 2", got)
	}
	if got := Time(5).Sub(2); got != 3 {
		t.Errorf("5 - 2 = %d, want 3", got)
	}
}

func TestString(t *testing.T) {
	for at, want := range map[Time]string{
		0:              "0.000000",
		1204500 * 1000: "1.204500",
		-1500000000:    "-1.500000",
	} {
		if got := at.String(); got != want {
			t.Errorf("%d prints as %q, want %q", int64(at), got, want)
		}
	}
	if s := Time(1500 * time.Millisecond).Seconds(); s != 1.5 {
		t.Errorf("1.5 s is %v seconds", s)
	}
}
