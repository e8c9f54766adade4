package tcp

import (
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp/congestion"
)

// window is the congestion window (MUST-19; RFC 9293, 3.8.2), and how much of
// it is used.
type window struct {
	congestion.Window
	usage usage
	rate  float64 // the last at which data arrived, octets per second
}

// usage is how much of the congestion window a round trip has used: the one
// that ends when what is before until is acknowledged.
type usage struct {
	until Seq
	most  int32 // octets in flight, or windowFilled
}

// windowFilled says that the window held the sender back.
const windowFilled = -1

// noteUsage follows a segment that was sent.
func (c *Conn) noteUsage() {
	u, flight := &c.cc.usage, int32(c.flight())
	if u.until.LessEq(c.snd.una) || u.most != windowFilled && flight > u.most {
		*u = usage{c.snd.nxt, flight}
	}
}

// windowLimits reports whether the window may grow: whether it is what held the
// sender back, or in slow start more than half of it was used. That is RFC
// 7661's validated phase, too (RFC 7661, 4.3), and Linux's rule.
func (c *Conn) windowLimits() bool {
	u := c.cc.usage
	return u.most == windowFilled || c.cc.SlowStart() && c.cc.Cwnd < 2*int(u.most)
}

// controller returns the congestion control at work. It is made when there is
// first something for it to do: a connection that has sent nothing has none.
// There are several (MAY-18; RFC 9293, 3.8.2).
func (c *Conn) controller() congestion.Control {
	if c.control == nil {
		c.control = congestion.New(c.algorithm)
		c.startModel()
	}
	return c.control
}

// startModel begins with a model of the path, if the algorithm has one.
func (c *Conn) startModel() {
	c.cc.Modelled, c.cc.Pacing, c.cc.AppLimited = false, 0, false
	if m, ok := c.control.(congestion.Model); ok {
		srtt := time.Duration(-1)
		if c.rtt.sampled {
			srtt = c.rtt.srtt
		}
		m.Start(&c.cc.Window, c.snd.lastAt, srtt, uint64(c.snd.iss)<<32|uint64(c.rcv.irs))
	}
}

// SetCongestionControl changes the congestion control algorithm, also of a
// connection that is open: the new one goes on with the window as it is. The
// error is ErrNoAlgorithm if there is none of that name.
func (c *Conn) SetCongestionControl(name string) error {
	number, ok := congestion.Number(name)
	if !ok {
		return ErrNoAlgorithm
	}
	if number != c.algorithm {
		c.algorithm, c.control = number, nil
		if c.count.bytesOut > 0 {
			c.controller()
		}
	}
	return nil
}

// CongestionControl returns the name of the congestion control algorithm.
func (c *Conn) CongestionControl() string { return congestion.Name(c.algorithm) }

// startCongestion sets the initial window.
//
// It is ten segments, or 14600 octets where segments are larger than usual,
// but two segments at least (R5681-1; RFC 6928, 2). "Further, if the SYN or SYN/ACK is
// lost, the initial window used by a sender after a correctly transmitted SYN
// MUST be one segment" (R5681-3; RFC 5681, 3.1).
func (c *Conn) startCongestion(clock.Time) {
	c.cc.Ssthresh = congestion.Unlimited
	c.cc.Cwnd = c.initialWindow()
	if c.synLost {
		c.cc.Cwnd = int(c.snd.mss)
	}
	c.cc.usage.until = c.snd.una
	c.tellCongestion("the initial window")
}

func (c *Conn) initialWindow() int {
	n := c.env.InitialWindow
	return min(n*int(c.snd.mss), max(2*int(c.snd.mss), n*1460))
}

// resume prepares for sending after nothing was in flight for a while.
//
// "a TCP SHOULD set cwnd to no more than RW before beginning transmission if
// the TCP has not sent data in an interval exceeding the retransmission
// timeout", with RW = min(IW,cwnd) (R5681-10; RFC 5681, 4.1): the window is halved for
// each such interval until it is there, as on Linux, and the threshold
// remembers where it was (RFC 2861, 3). Config.ValidateWindow has RFC
// 7661 instead: see rested.
func (c *Conn) resume(now clock.Time) {
	if c.control == nil && congestion.HasModel(c.algorithm) {
		c.controller() // it says how fast the first segments may go
	}
	if c.flight() > 0 || c.unsent() == 0 || c.count.bytesOut == 0 {
		return
	}
	idle := now.Sub(c.snd.lastAt)
	if c.control != nil && idle > 0 {
		c.control.Resumed(&c.cc.Window, now, idle)
	}
	restart, rto := c.initialWindow(), c.rtt.timeout(c.env)
	if c.env.ValidateWindow && idle > rto {
		c.rested(now)
		return
	}
	if c.cc.Modelled || !c.env.SlowStartAfterIdle || idle <= rto || c.cc.Cwnd <= restart {
		return
	}
	c.cc.Ssthresh = c.presentThreshold()
	for ; idle > rto && c.cc.Cwnd > restart; idle -= rto {
		c.cc.Cwnd = max(c.cc.Cwnd/2, restart)
	}
	c.tellCongestion("restart after idle")
}

// growBy lets the congestion window follow what an ACK has told, n new octets of it.
func (c *Conn) growBy(now clock.Time, n int, news *news, limited bool) {
	s := &c.env.sample
	s.Delivered, s.InFlight, s.RTT = news.delivered, news.flight, news.rtt
	c.grow(now, n, limited)
}

// grow lets the congestion window follow an ACK that tells of n new octets; what else it
// tells is in the sample. limited says that the window was what held the sender back.
func (c *Conn) grow(now clock.Time, n int, limited bool) {
	if n <= 0 && !c.cc.Modelled || c.control == nil && c.finAcked() {
		return // what was acknowledged is only a FIN: nothing comes after it
	}
	before, sent := c.cc.Cwnd, c.count.bytesOut
	s := &c.env.sample
	s.Acked, s.Limited = n, limited
	s.Sent, s.Acknowledged = sent, sent-uint64(c.flight())
	if c.cc.Modelled {
		s.Total, s.Left = c.arrived(), c.pipe()
		s.Mending, s.Selective = c.loss.phase >= PhaseRecovery, c.sackOK
	}
	c.controller().Acked(&c.cc.Window, now, s)
	if c.cc.AppLimited {
		c.cc.AppLimited = false
		if b := c.loss.board; b != nil {
			b.meter.appLimited = max(s.Total+uint64(s.Left), 1)
		}
	}
	c.cc.Cwnd = min(c.cc.Cwnd, maxWindow)
	if c.env.Watch && c.cc.Cwnd != before {
		c.tellCongestion(c.growth())
	}
}

// growth names how the window grows.
func (c *Conn) growth() string {
	if m, ok := c.control.(congestion.Model); ok {
		return m.Phase()
	}
	if c.cc.Cwnd <= c.cc.Ssthresh {
		return "slow start"
	}
	return "congestion avoidance"
}

// tellCongestion records the state of the window.
func (c *Conn) tellCongestion(why string) {
	c.env.note(Event{
		Kind: EventCongestion, Phase: c.loss.phase,
		Cwnd: c.cc.Cwnd, Ssthresh: c.cc.Ssthresh, Why: why,
	})
}

// PathInfo returns what the congestion control believes about the path, and
// false if it has no model of it.
func (c *Conn) PathInfo() (congestion.PathInfo, bool) {
	if m, ok := c.control.(congestion.Model); ok {
		return m.Info(), true
	}
	return congestion.PathInfo{}, false
}
