package tcp

import "hubbub/clock"

// congestion is the congestion window (MUST-19; RFC 9293, 3.8.2): how much the
// sender lets be in flight so that the network can bear it (RFC 5681, 2). All
// values are in octets.
type congestion struct {
	cwnd         int
	ssthresh     int  // below it slow start, above it congestion avoidance
	credit       int  // acknowledged since cwnd last grew in avoidance
	mss          int  // of the sender (SMSS)
	limited      Seq  // what was in flight up to here was held back by cwnd
	afterTimeout bool // slow start follows a time-out
}

// A control is a congestion control algorithm, of which there may be several
// (MAY-18; RFC 9293, 3.8.2). It holds what it knows of a
// connection itself, and moves the window on two occasions.
type control interface {
	// Name returns the usual name, such as "reno".
	Name() string
	// Acked lets cwnd grow after n new octets were acknowledged.
	Acked(w *congestion, now clock.Time, n int)
	// Lost sets ssthresh after a loss with so many octets in flight. Recovery
	// sets cwnd.
	Lost(w *congestion, now clock.Time, flight int)
}

// unlimited is the slow start threshold before any loss: "The initial value
// of ssthresh SHOULD be set arbitrarily high" (RFC 5681, 3.1).
const unlimited = 1 << 30

// startCongestion sets the initial window.
//
// It is ten segments, or 14600 octets where segments are larger than usual,
// but two segments at least (R5681-1; RFC 6928, 2). "Further, if the SYN or SYN/ACK is
// lost, the initial window used by a sender after a correctly transmitted SYN
// MUST be one segment" (R5681-3; RFC 5681, 3.1).
func (c *Conn) startCongestion(clock.Time) {
	c.cc.ssthresh = unlimited
	c.cc.cwnd = c.initialWindow()
	if c.synLost {
		c.cc.cwnd = c.cc.mss
	}
	c.cc.limited = c.snd.una
	c.tellCongestion("the initial window")
}

func (c *Conn) initialWindow() int {
	n := c.env.InitialWindow
	return min(n*c.cc.mss, max(2*c.cc.mss, n*1460))
}

// restartIfIdle: "a TCP SHOULD set cwnd to no more than RW before beginning
// transmission if the TCP has not sent data in an interval exceeding the
// retransmission timeout", with RW = min(IW,cwnd) (R5681-10; RFC 5681, 4.1).
func (c *Conn) restartIfIdle(now clock.Time) {
	if !c.env.SlowStartAfterIdle || c.flight() > 0 || c.unsent() == 0 || c.count.bytesOut == 0 {
		return
	}
	restart := c.initialWindow()
	if c.cc.cwnd > restart && now.Sub(c.snd.lastAt) > c.rtt.timeout(c.env) {
		c.cc.cwnd = restart
		c.tellCongestion("restart after idle")
	}
}

// grow lets the congestion window grow, if it was the limit: a window that
// nobody fills says nothing about the network.
func (c *Conn) grow(now clock.Time, n int, limited bool) {
	if !limited || n <= 0 {
		return
	}
	before := c.cc.cwnd
	c.control.Acked(&c.cc, now, n)
	c.cc.cwnd = min(c.cc.cwnd, maxWindow)
	if c.env.Watch && c.cc.cwnd != before {
		c.tellCongestion(c.cc.growth())
	}
}

// growth names how the window grows.
func (w *congestion) growth() string {
	if w.cwnd <= w.ssthresh {
		return "slow start"
	}
	return "congestion avoidance"
}

// tellCongestion records the state of the window.
func (c *Conn) tellCongestion(why string) {
	c.env.note(Event{
		Kind: EventCongestion, Phase: c.loss.phase,
		Cwnd: c.cc.cwnd, Ssthresh: c.cc.ssthresh, Why: why,
	})
}
