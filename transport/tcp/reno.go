package tcp

import "hubbub/clock"

// reno is the congestion control of RFC 5681 with appropriate byte counting
// (RFC 3465). All it knows is in the congestion struct.
type reno struct{}

func (reno) Name() string { return "reno" }

// Acked: in slow start, "cwnd += min (N, SMSS)" (R5681-2; RFC 5681, 3.1), where byte
// counting allows two segments per ACK, since a receiver acknowledges every
// second one, but one after a time-out (RFC 3465, 2.2 and 2.3). In congestion
// avoidance one segment per round trip: per window of octets acknowledged
// (RFC 3465, 2.1).
func (reno) Acked(w *congestion, _ clock.Time, n int) {
	if w.cwnd < w.ssthresh {
		most := 2 * w.mss
		if w.afterTimeout {
			most = w.mss
		}
		w.cwnd += min(n, most)
		return
	}
	w.credit += n
	if w.credit >= w.cwnd {
		w.credit -= w.cwnd
		w.cwnd += w.mss
	}
}

// Lost: "ssthresh = max (FlightSize / 2, 2*SMSS) (4)" (R5681-5; RFC 5681, 3.1).
func (reno) Lost(w *congestion, _ clock.Time, flight int) {
	w.ssthresh = max(flight/2, 2*w.mss)
	w.credit = 0
}
