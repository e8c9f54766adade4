package tcp

import (
	"time"

	"hubbub/clock"
)

// unproven is how long a congestion window that isn't used is believed, where
// Config.ValidateWindow is set: RFC 7661's non-validated period (RFC 7661, 4.4.3).
const unproven = 5 * time.Minute

// validated reports whether what is sent shows that the network bears the
// congestion window: it is what held the sender back, or more than half of it was in
// flight in the last round trip. That volume stands here for pipeACK, what a round
// trip has acknowledged (RFC 7661, 4.2 and 4.3).
func (c *Conn) validated() bool {
	u := c.cc.usage
	return u.most == windowFilled || c.cc.Cwnd < 2*int(u.most)
}

// validate watches over a window that the program leaves unused. It doesn't grow
// (see windowLimits), and isn't given up at once, so that the program can go on as
// before after a pause: it is kept for five minutes (RFC 7661, 4.4). Then it is halved, down to the initial window, and the threshold remembers three
// quarters of it (RFC 7661, 4.4.3). Since says when the window was last used, if that
// is known.
func (c *Conn) validate(now, since clock.Time) {
	if c.cc.Modelled {
		return
	}
	h, least := c.past(), c.initialWindow()
	if c.validated() || c.cc.Cwnd <= least {
		h.unproven = 0
		return
	}
	if h.unproven == 0 {
		h.unproven = since
	}
	for c.cc.Cwnd > least && now.Sub(h.unproven) >= unproven {
		h.unproven = h.unproven.Add(unproven)
		c.cc.Ssthresh = max(c.cc.Ssthresh, c.cc.Cwnd/4*3)
		c.cc.Cwnd = max(c.cc.Cwnd/2, least)
		c.tellCongestion("unused for five minutes")
	}
}

// rested is validate after nothing was sent for a while: what was used before says
// nothing any more.
func (c *Conn) rested(now clock.Time) {
	c.cc.usage = usage{until: c.snd.una}
	c.validate(now, c.snd.lastAt)
}

// disprove lets go of what of a window was not used when the network reports
// congestion: the reduction is then of what was in flight or acknowledged in a round
// trip, whichever is more (RFC 7661, 4.4.1).
func (c *Conn) disprove() {
	if c.env.ValidateWindow && !c.cc.Modelled && !c.validated() {
		c.cc.Cwnd = min(c.cc.Cwnd, max(int(c.cc.usage.most), c.flight(), int(c.snd.mss)))
	}
}
