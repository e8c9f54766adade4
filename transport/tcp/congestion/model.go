package congestion

import (
	"time"

	"hubbub/clock"
)

// A Model is a Control that has a model of the path. It alone moves Cwnd, in
// loss recovery, too, except that a time-out leaves it one segment more than
// what is in flight; and it is told of all acknowledgments.
type Model interface {
	Control
	// Start begins with the initial window in w. The smoothed round-trip time
	// is negative if it is not known; seed is of a random number.
	Start(w *Window, now clock.Time, srtt time.Duration, seed uint64)
	// LostSegment is told of each segment that newly counts as lost, before
	// Lost or TimedOut.
	LostSegment(w *Window, now clock.Time, l *LostSegment)
	// Phase returns what the control is doing, in a word.
	Phase() string
	// Info returns what it believes about the path.
	Info() PathInfo
}

// A Rate is a sample of the rate at which data arrives, by the segment that
// was sent last of those an acknowledgment tells of (draft-ietf-ccwg-bbr, 4.1).
type Rate struct {
	Known      bool          // there is one
	AppLimited bool          // not the network limited it, but the program
	Delivered  int           // octets that have arrived since that segment was sent
	Lost       int           // octets that were found lost since then
	InFlight   int           // octets in flight when it was sent, with it
	Interval   time.Duration // in which Delivered arrived; negative: not reliable
	Prior      uint64        // octets that had arrived in all when it was sent
}

// A LostSegment is a segment that counts as lost.
type LostSegment struct {
	Size       int    // octets
	Start, End uint32 // sequence numbers
	Total      uint64 // octets that have arrived in all
	Selective  bool   // the peer acknowledges selectively
	Rate       Rate   // InFlight, Lost and AppLimited, since the segment was sent
}

// PathInfo is what a Model believes about the path.
type PathInfo struct {
	Bandwidth            uint64 // octets per second
	MinRTT               time.Duration
	PacingGain, CwndGain float64
}
