// Package clock holds hubbub's notion of time: nanoseconds since a world began.
//
// A world's time has nothing to do with the time of day: it starts at zero,
// never runs backwards, and is moved on by the world's pacer alone. The pure
// machines get it as the first argument of every call and never ask for it.
//
// The package is a leaf: everything may import it, it imports nothing of
// hubbub's.
package clock

import (
	"fmt"
	"math"
	"time"
)

// A Time is an instant of a world, in nanoseconds since the world began.
//
// The zero Time is the beginning. Where a Time says when something is due
// (a timer, a deadline), zero means never: nothing is ever due at the very
// instant a world begins.
type Time int64

// A Duration is the difference of two Times, in nanoseconds.
type Duration = time.Duration

// Never is what a timer that is not set returns.
const Never Time = 0

// End is the last instant of a world, some 292 years after it began.
const End Time = math.MaxInt64

// Add returns t+d, and End where that would overflow.
func (t Time) Add(d Duration) Time {
	sum := t + Time(d)
	if d > 0 && sum < t {
		return End
	}
	return sum
}

// Sub returns t-u.
func (t Time) Sub(u Time) Duration { return Duration(t - u) }

// Due reports whether a timer that expires at t has expired at now.
// A timer set to Never is never due.
func (t Time) Due(now Time) bool { return t != Never && t <= now }

// Earlier returns the earlier of two timers; Never comes after everything.
func Earlier(t, u Time) Time {
	// One less than Never is the largest number without a sign.
	if uint64(u-1) < uint64(t-1) {
		return u
	}
	return t
}

// Seconds returns t as a number of seconds.
func (t Time) Seconds() float64 { return Duration(t).Seconds() }

// String writes t as seconds with six digits, such as "1.204500": what a
// capture tool prints.
func (t Time) String() string {
	sign := ""
	if t < 0 {
		sign, t = "-", -t
	}
	micro := int64(t) / 1000
	return fmt.Sprintf("%s%d.%06d", sign, micro/1e6, micro%1e6)
}
