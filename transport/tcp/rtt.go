package tcp

import (
	"time"

	"hubbub/clock"
)

// An estimator measures the round-trip time and computes the retransmission
// time-out from it (MUST-18; RFC 6298, 2). Before any measurement that is
// Config.InitialRTO (R6298-1).
type estimator struct {
	srtt, rttvar time.Duration
	rto          time.Duration // without back-off
	shift        uint8         // how often the time-out was doubled
	sampled      bool

	least   time.Duration // the least of late (RFC 8985, 5.3: RACK.min_RTT)
	leastAt clock.Time    // when that was measured
}

// lowest takes a measurement for the least round-trip time. "The sender SHOULD
// track a windowed min-filtered estimate of recent RTT measurements that can
// adapt when migrating to significantly longer paths" (RFC 8985, 6.2): what
// was measured long ago gives way to what is measured now.
func (e *estimator) lowest(env *Env, now clock.Time, r time.Duration) {
	if e.leastAt == 0 || r <= e.least || now.Sub(e.leastAt) > env.MinRTTWindow {
		e.least, e.leastAt = r, max(now, 1)
	}
}

// sample takes a measurement r. It may be zero: a network in memory can be
// that fast.
func (e *estimator) sample(env *Env, r time.Duration) {
	if !e.sampled {
		// "(2.2) When the first RTT measurement R is made, the host MUST set
		// SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + max (G, K*RTTVAR)" (R6298-2)
		e.sampled = true
		e.srtt, e.rttvar = r, r/2
	} else {
		// "(2.3) When a subsequent RTT measurement R' is made, a host MUST set
		// RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|
		// SRTT <- (1 - alpha) * SRTT + alpha * R'" (R6298-3)
		e.rttvar += ((e.srtt - r).Abs() - e.rttvar) / 4
		e.srtt += (r - e.srtt) / 8
	}
	e.shift = 0
	// "(2.4) Whenever RTO is computed, if it is less than 1 second, then the
	// RTO SHOULD be rounded up to 1 second." (R6298-4) As in Linux, it is the variance's
	// part that has a floor, of 200 ms unless set: so a peer's delayed ACK fits
	// in however long the path is. "(2.5) A maximum value MAY be placed on RTO"
	e.rto = min(e.srtt+max(env.MinRTO, 4*e.rttvar), env.MaxRTO)
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
// (i.e., after the three-way handshake completes)." (R6298-8; RFC 6298, 5) A
// measurement by timestamps stands above it.
func (e *estimator) afterHandshake(synLost bool) {
	if synLost && !e.sampled {
		e.rto, e.shift = max(e.rto, 3*time.Second), 0
	}
}
