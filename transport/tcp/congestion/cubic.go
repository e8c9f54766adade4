package congestion

import (
	"math"
	"time"

	"hubbub/clock"
)

// cubic is CUBIC (RFC 9438): after a loss the window first grows fast towards
// where the loss happened, lingers there, and then goes on to look for more;
// how fast depends on the time since the loss, not on the round-trip time.
// Sizes are in segments here, as they are in the RFC.
//
// The curves begin with the first loss, or when slow start ends: a connection
// that hasn't come so far, as most never do, has none.
type cubic struct {
	*curves
	hystart hystart
}

// curves are the curve, and what else congestion avoidance remembers.
type curves struct {
	curve
	before  curve      // what the last reduction replaced
	reduced bool       // before holds
	idling  bool       // paused holds
	paused  clock.Time // since when the window hasn't been what limits the sender
	credit  float64    // octets that the window has yet to grow by
}

// leaveSlowStart makes sure that there are curves.
func (c *cubic) leaveSlowStart() {
	if c.curves == nil {
		c.curves = new(curves)
	}
}

// A curve is where the window is on its way.
type curve struct {
	running bool       // the epoch has begun
	epoch   clock.Time // when congestion avoidance began
	wMax    float64    // the window just before the last reduction
	k       float64    // seconds from the epoch until the curve is at wMax
	wEst    float64    // what Reno's window would be
	prior   float64    // cwnd_prior: the window at the last reduction
}

// The constants of RFC 9438, 4.2 and 4.6.
const (
	cubicC    = 0.4
	cubicBeta = 0.7
	// renoAlpha makes Reno's window grow so that it has the average of one
	// that is halved (RFC 9438, 4.3): 3 * (1-beta) / (1+beta).
	renoAlpha = 3 * (1 - cubicBeta) / (1 + cubicBeta)
)

// Name returns "cubic".
func (*cubic) Name() string { return "cubic" }

// Acked lets the window grow: exponentially as long as [hystart] has no
// objection, then along the curve.
func (c *cubic) Acked(w *Window, now clock.Time, s *Sample) {
	c.hystart.acked(w, s)
	switch {
	case !s.Limited:
		c.pause(now)
	case w.Recovering:
	case w.SlowStart():
		if left := c.hystart.grow(w, s.Acked); left > 0 {
			c.avoid(w, now, s.RTT, left)
		}
	default:
		c.avoid(w, now, s.RTT, s.Acked)
	}
}

// pause notes that the window isn't the limit: "the time elapsed while being
// application-limited is not counted" in t (R9438-2; RFC 9438, 5.8).
func (c *cubic) pause(now clock.Time) {
	if c.curves != nil && c.running && !c.idling {
		c.idling, c.paused = true, now
	}
}

// avoid is congestion avoidance (RFC 9438, 4.2 to 4.5), slow start before it being
// HyStart++'s (R9438-9; RFC 9438, 4.10).
func (c *cubic) avoid(w *Window, now clock.Time, rtt time.Duration, acked int) {
	c.leaveSlowStart()
	if !c.running {
		c.begin(w, now)
	}
	if c.idling {
		c.epoch, c.idling = c.epoch.Add(now.Sub(c.paused)), false
	}
	cwnd := w.segments(w.Cwnd)
	c.growReno(cwnd, w.segments(acked))
	t := now.Sub(c.epoch).Seconds()
	var step float64
	if at := c.at(t); at < c.wEst {
		// The Reno-friendly region: "cwnd SHOULD be set to W_est at each
		// reception of a new ACK" (R9438-3; RFC 9438, 4.3).
		step = c.wEst - cwnd
	} else {
		// "cwnd MUST be incremented by (target - cwnd) / cwnd for each received
		// new ACK" (R9438-4; RFC 9438, 4.4), here for each segment acknowledged.
		step = (c.target(t+max(rtt, 0).Seconds(), cwnd) - cwnd) / cwnd * w.segments(acked)
	}
	c.advance(w, step)
}

// advance moves the window by whole octets and keeps the rest.
func (c *cubic) advance(w *Window, segments float64) {
	c.credit += max(0, segments) * float64(w.MSS)
	whole := math.Floor(c.credit)
	c.credit -= whole
	w.Cwnd += int(whole)
}

// begin starts the epoch: K is "the time period that the above function takes
// to increase the congestion window size at the beginning of the current
// congestion avoidance stage to W_max": "K = cubic_root of ((W_max -
// cwnd_epoch) / C)" (RFC 9438, 4.2).
func (c *cubic) begin(w *Window, now clock.Time) {
	cwnd := w.segments(w.Cwnd)
	c.running, c.idling, c.epoch, c.credit = true, false, now, 0
	c.wEst = cwnd
	c.k = 0
	if c.wMax < cwnd {
		// After a time-out, or without any loss: "W_max is set to cwnd at the
		// beginning of the current congestion avoidance stage" (RFC 9438, 4.8
		// and 4.10).
		c.wMax = cwnd
		return
	}
	c.k = math.Cbrt((c.wMax - cwnd) / cubicC)
}

// at returns where the curve is after t seconds: "W_cubic(t) = C * (t - K)^3 +
// W_max" (R9438-1; RFC 9438, 4.2).
func (c *cubic) at(t float64) float64 {
	d := t - c.k
	return cubicC*d*d*d + c.wMax
}

// target returns where the window is to be after a round trip: "cwnd if
// W_cubic(t+RTT) < cwnd; 1.5 * cwnd if W_cubic(t+RTT) > 1.5 * cwnd"
// (RFC 9438, 4.2).
func (c *cubic) target(t, cwnd float64) float64 { return min(max(c.at(t), cwnd), 1.5*cwnd) }

// growReno computes Reno's window: "W_est = W_est + alpha_cubic *
// (segments_acked / cwnd)"; "Once W_est has grown to reach the cwnd at the time
// of most recently setting ssthresh -- that is, W_est >= cwnd_prior -- the
// sender SHOULD set alpha_cubic to 1" (RFC 9438, 4.3).
func (c *cubic) growReno(cwnd, acked float64) {
	alpha := renoAlpha
	if c.wEst >= c.prior {
		alpha = 1
	}
	c.wEst += alpha * acked / cwnd
}

// Lost is multiplicative decrease, with fast convergence: "With fast
// convergence, when a congestion event occurs, prior to the window reduction,
// if cwnd < W_max and fast convergence enabled, W_max is set to cwnd * (1 +
// beta_cubic) / 2" (R9438-5, R9438-7; RFC 9438, 4.6 and 4.7).
func (c *cubic) Lost(w *Window, _ clock.Time, _ int, _ bool) {
	c.leaveSlowStart()
	cwnd := w.segments(w.Cwnd)
	c.before, c.reduced = c.curve, true
	if cwnd < c.wMax {
		c.wMax = cwnd * (1 + cubicBeta) / 2
	} else {
		c.wMax = cwnd
	}
	c.running, c.prior = false, cwnd
	c.hystart.end()
	w.Ssthresh = smaller(w)
}

// smaller returns the window after a reduction, in whole segments, as Linux
// has it; from the window rather than from what is in flight, since a window
// that isn't filled doesn't grow (RFC 9438, 4.6).
func smaller(w *Window) int {
	return max(int(w.segments(w.Cwnd)*cubicBeta), 2) * w.mss()
}

// TimedOut: "W_max is set to the cwnd at the beginning of the current
// congestion avoidance stage, K is set to 0" when that begins (R9438-8; RFC 9438, 4.8).
func (c *cubic) TimedOut(w *Window, _ clock.Time, _ int) {
	c.leaveSlowStart()
	c.before, c.reduced = c.curve, true
	c.curve = curve{prior: w.segments(w.Cwnd)}
	c.hystart.end()
	w.Ssthresh = smaller(w)
}

// Undo restores the curve: "the sender should restore the original values of
// [...] cwnd_prior, W_max, K, epoch_start" (RFC 9438, 4.9). If this was the
// initial slow start, HyStart++ watches over it as before.
func (c *cubic) Undo(*Window) {
	if c.curves != nil && c.reduced {
		c.curve, c.reduced = c.before, false
		c.hystart.goOn()
	}
}

// Resumed shifts the epoch by the time in which nothing was sent
// (RFC 9438, 5.8).
func (c *cubic) Resumed(_ *Window, now clock.Time, idle time.Duration) {
	if c.curves != nil && c.running && !c.idling {
		c.epoch = min(now, c.epoch.Add(idle))
	}
}
