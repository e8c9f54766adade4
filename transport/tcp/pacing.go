package tcp

import (
	"math/bits"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp/congestion"
)

// pacing spreads what is sent over time, at the rate that the congestion
// control wants (draft-ietf-ccwg-bbr, 5.6.2) or the program allows
// (SO_MAX_PACING_RATE).
//
// Segments leave in bursts of a quantum: what takes a millisecond, 64 kB at
// most, two segments at least. Where the rate is so high that 64 kB take less
// than some microseconds, a burst is what they take: on a way that takes no
// time the measured rate has no bounds, and a timer for each nanosecond would
// be all that ever happens.
type pacing struct {
	next  clock.Time // when the next burst may begin
	burst int        // octets left of the present one
	most  uint64     // the program's limit, octets per second; 0: none
}

// shortestBurst is how long a burst takes at its rate, at least.
const shortestBurst = 4 * time.Microsecond

// SetMaxPacingRate limits the rate at which data is sent, in octets per
// second; 0 is no limit.
func (c *Conn) SetMaxPacingRate(rate uint64) {
	if rate > 0 || c.rare.pace != nil {
		p := c.paces()
		p.most = rate
		p.next, p.burst = 0, 0 // what waits for its time, waits no longer for that of the old rate
	}
}

// PacingRate returns the rate at which data is sent in octets per second; 0
// means as fast as the windows allow.
func (c *Conn) PacingRate() uint64 {
	rate := c.cc.Pacing
	if p := c.rare.pace; p != nil && p.most > 0 && (rate == 0 || p.most < rate) {
		rate = p.most
	}
	return rate
}

func (c *Conn) paces() *pacing {
	if c.rare.pace == nil {
		c.own().pace = new(pacing)
	}
	return c.rare.pace
}

// mustWait reports whether data has to wait for its time, and sets the timer
// for that.
func (c *Conn) mustWait(now clock.Time) bool {
	if c.cc.Pacing == 0 && c.rare.pace == nil {
		return false
	}
	rate := c.PacingRate()
	if rate == 0 {
		return false
	}
	p := c.paces()
	if p.next > now {
		if p.burst > 0 {
			return false
		}
		if c.timers.at(TimerPacing) != p.next {
			c.timers.set(c.env, TimerPacing, p.next)
		}
		return true
	}
	p.begin(now, c.quantum(rate), rate)
	return false
}

// begin begins a burst, if the last one is over. A timer that is late doesn't
// lower the rate: up to half a burst is made up for, as on Linux, but nothing of
// a time when nobody waited.
func (p *pacing) begin(now clock.Time, quantum int, rate uint64) {
	takes, late := timeOf(quantum, rate), now.Sub(p.next)
	if p.burst > 0 && late < takes {
		return
	}
	p.burst = quantum
	if late >= takes {
		p.next = now
	} else {
		p.next = max(p.next, now.Add(-takes/2))
	}
}

// quantum returns how many octets a burst has.
func (c *Conn) quantum(rate uint64) int {
	short := min(rate/uint64(time.Second/shortestBurst), 1<<30)
	return max(congestion.Quantum(rate, int(c.snd.mss)), int(short))
}

// pacedOut keeps account of so many octets that were sent: "pacing_delay =
// packet.size / C.pacing_rate; C.next_send_time = C.next_send_time +
// pacing_delay" (draft-ietf-ccwg-bbr, 5.6.2).
func (c *Conn) pacedOut(n int) {
	if p, rate := c.rare.pace, c.PacingRate(); p != nil && rate > 0 {
		p.burst -= n
		p.next = p.next.Add(timeOf(n, rate))
	}
}

// timeOf returns how long n octets take.
func timeOf(n int, rate uint64) time.Duration {
	high, low := bits.Mul64(uint64(n), uint64(time.Second))
	if high >= rate {
		return time.Hour
	}
	t, _ := bits.Div64(high, low, rate)
	return time.Duration(min(t, uint64(time.Hour)))
}
