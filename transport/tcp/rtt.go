package tcp

import (
	"time"

	"hubbub/clock"
)

// An estimator measures the round-trip time and computes the retransmission
// time-out from it (RFC 6298, 2).
type estimator struct {
	srtt, rttvar time.Duration
	rto          time.Duration // without back-off
	shift        uint8         // how often the time-out was doubled
	sampled      bool

	// One segment at a time is timed, by the number that acknowledges it.
	timing  bool
	timed   Seq
	timedAt clock.Time
}

// granularity is G of RFC 6298: a floor under the variance's part in the
// time-out. Time itself has no grain here.
const granularity = time.Millisecond

// begin times a segment, if none is being timed.
func (e *estimator) begin(now clock.Time, end Seq) {
	if !e.timing {
		e.timing, e.timed, e.timedAt = true, end, now
	}
}

// cancel forgets the segment that was timed: "RTT samples MUST NOT be made
// using segments that were retransmitted (and thus for which it is ambiguous
// whether the reply was for the first instance of the packet or a later
// instance)" (RFC 6298, 3).
func (e *estimator) cancel() { e.timing = false }

// acked takes a sample if the timed segment is acknowledged, and reports
// whether it did.
func (e *estimator) acked(env *Env, now clock.Time, una Seq) bool {
	if !e.timing || una.Less(e.timed) {
		return false
	}
	e.timing = false
	e.sample(env, now.Sub(e.timedAt))
	return true
}

// sample takes a measurement r. It may be zero: a network in memory can be
// that fast.
func (e *estimator) sample(env *Env, r time.Duration) {
	if !e.sampled {
		// "(2.2) When the first RTT measurement R is made, the host MUST set
		// SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + max (G, K*RTTVAR)"
		e.sampled = true
		e.srtt, e.rttvar = r, r/2
	} else {
		// "(2.3) When a subsequent RTT measurement R' is made, a host MUST set
		// RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|
		// SRTT <- (1 - alpha) * SRTT + alpha * R'"
		e.rttvar += ((e.srtt - r).Abs() - e.rttvar) / 4
		e.srtt += (r - e.srtt) / 8
	}
	e.shift = 0
	e.rto = e.srtt + max(granularity, 4*e.rttvar)
	// "(2.4) Whenever RTO is computed, if it is less than 1 second, then the
	// RTO SHOULD be rounded up to 1 second." Like Linux, 200 ms unless set.
	// "(2.5) A maximum value MAY be placed on RTO"
	e.rto = min(max(e.rto, env.MinRTO), env.MaxRTO)
}

// backOff doubles the time-out: "(5.5) The host MUST set RTO <- RTO * 2
// ("back off the timer")." (RFC 6298, 5)
func (e *estimator) backOff(env *Env) {
	if e.rto<<e.shift < env.MaxRTO {
		e.shift++
	}
}

// timeout returns the time-out with its back-off.
func (e *estimator) timeout(env *Env) time.Duration { return min(e.rto<<e.shift, env.MaxRTO) }

// afterHandshake: "(5.7) If the timer expires awaiting the ACK of a SYN
// segment and the TCP implementation is using an RTO less than 3 seconds, the
// RTO MUST be re-initialized to 3 seconds when data transmission begins
// (i.e., after the three-way handshake completes)." (RFC 6298, 5) A
// measurement by timestamps stands above it.
func (e *estimator) afterHandshake(synLost bool) {
	if synLost && !e.sampled {
		e.rto, e.shift = max(e.rto, 3*time.Second), 0
	}
}
