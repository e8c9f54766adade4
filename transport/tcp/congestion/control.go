package congestion

import (
	"time"

	"hubbub/clock"
)

// A Window is the congestion window of a connection, and what belongs to it.
type Window struct {
	Cwnd     int // how much may be in flight
	Ssthresh int // below it slow start, from it on congestion avoidance
	// Pacing is the rate at which data is sent, in octets per second; zero
	// sends what the window allows at once.
	Pacing uint64
	// Recovering says that loss recovery moves Cwnd (fast recovery,
	// proportional rate reduction): a control leaves it alone meanwhile.
	Recovering bool
	// Modelled says that the control is a [Model].
	Modelled bool
	// AppLimited is set by a control that doesn't want what is sent from now
	// on to count as what the path can bear; who reads it clears it.
	AppLimited bool
	MSS        int32 // payload of a full segment (SMSS)
}

func (w *Window) mss() int { return int(w.MSS) }

// Unlimited is the slow start threshold before any loss: "The initial value of
// ssthresh SHOULD be set arbitrarily high" (RFC 5681, 3.1).
const Unlimited = 1 << 30

// SlowStart reports whether the window grows exponentially.
func (w *Window) SlowStart() bool { return w.Cwnd < w.Ssthresh }

// segments returns n octets in segments.
func (w *Window) segments(n int) float64 { return float64(n) / float64(w.MSS) }

// A Sample is what one acknowledgment has told.
type Sample struct {
	Acked     int // octets that the acknowledgment number newly covers
	Delivered int // octets newly known to have arrived, selectively or not
	InFlight  int // octets in flight before the acknowledgment came
	// RTT is how long the newest segment among them took, and its
	// acknowledgment; negative if none was sent just once. Zero is a
	// measurement like any other.
	RTT time.Duration
	// Limited says that the congestion window was what held the sender back:
	// "When the window is not fully used, it says nothing about the network"
	// (RFC 9438, 5.8; RFC 7661, 4.3).
	Limited bool
	// Sent and Acknowledged count the octets of the stream since the
	// connection began, that were sent, and that were acknowledged. They tell
	// when a round trip is over.
	Sent, Acknowledged uint64

	// What only a [Model] asks for: octets that have arrived in all, octets in
	// flight after the acknowledgment, whether losses are being repaired, in
	// fast recovery or after a time-out, and whether the peer acknowledges
	// selectively.
	Total     uint64
	Left      int
	Mending   bool
	Selective bool
	Rate      Rate
}

// A Control is a congestion control algorithm at work for one connection.
type Control interface {
	// Name returns its usual name, such as "cubic".
	Name() string
	// Acked is told of every acknowledgment of something new.
	Acked(w *Window, now clock.Time, s *Sample)
	// Lost is told that the network has lost something, or has marked a packet
	// instead (ecn): it sets Ssthresh. Fast recovery then moves Cwnd there. It
	// is called once for all that was lost of one flight (RFC 5681, 3.2).
	Lost(w *Window, now clock.Time, inFlight int, ecn bool)
	// TimedOut is told that the retransmission timer has expired for the first
	// time for a segment: it sets Ssthresh. Cwnd is then one segment
	// (RFC 5681, 3.1).
	TimedOut(w *Window, now clock.Time, inFlight int)
	// Undo is told that the last Lost or TimedOut was a mistake: nothing was
	// lost (RFC 4015, 3). Cwnd and Ssthresh have their old values again.
	Undo(w *Window)
	// Resumed is told that sending goes on after the connection had nothing in
	// flight for so long.
	Resumed(w *Window, now clock.Time, idle time.Duration)
}
