package tcp

import "hubbub/clock"

// armRetransmit starts the retransmission timer if it is not running:
// "(5.1) Every time a packet containing data is sent (including a
// retransmission), if the timer is not running, start it running so that it
// will expire after RTO seconds" (RFC 6298, 5).
func (c *Conn) armRetransmit(now clock.Time) {
	if !c.timers.running(TimerRetransmit) {
		c.restartRetransmit(now)
	}
}

// restartRetransmit lets the retransmission timer run from now on.
func (c *Conn) restartRetransmit(now clock.Time) {
	at := now.Add(c.rtt.timeout(c.env))
	if c.rare.userTimeout > 0 {
		at = max(now.Add(1), min(at, c.snd.progressAt.Add(c.rare.userTimeout)))
	}
	c.timers.set(c.env, TimerRetransmit, at)
}

// retransmitAt returns when the retransmission timer would be due if it had
// run since the oldest segment was sent last.
func (c *Conn) retransmitAt(now clock.Time) clock.Time {
	return max(now.Add(1), c.loss.board.at(0).at.Add(c.rtt.timeout(c.env)))
}

// laterPartial reports whether a partial ACK has come in this recovery before,
// where there is no SACK.
func (c *Conn) laterPartial() bool {
	h := c.loss.history
	return !c.sackOK && c.loss.phase == PhaseRecovery && h.partial
}

// afterACK restarts or stops the retransmission timer when new data was
// acknowledged.
//
// "(5.2) When all outstanding data has been acknowledged, turn off the
// retransmission timer. (5.3) When an ACK is received that acknowledges new
// data, restart the retransmission timer so that it will expire after RTO
// seconds" (RFC 6298, 5; R6298-6), or sooner after the oldest segment that is
// left was sent, if that is asked for (RFC 7765, 4).
//
// "For the first partial ACK that arrives during fast recovery, also reset the
// retransmit timer" (RFC 6582, 3.2): but not for those after it, so that many
// losses in one window end in a time-out rather than one a round trip.
func (c *Conn) afterACK(now clock.Time, n *news, partial bool) {
	switch {
	case c.snd.una == c.snd.nxt:
		c.timers.stop(c.env, TimerRetransmit)
	case n.acked == 0 || n.timerSet || c.persist.active || partial && c.loss.phase == PhaseRecovery:
	default:
		c.timeOldest(now)
	}
	if n.acked > 0 && c.loss.phase == PhaseRecovery {
		c.loss.history.partial = true
	}
}

// timeOldest sets the timer for what is in flight still, after an acknowledgment.
func (c *Conn) timeOldest(now clock.Time) {
	switch {
	case c.armProbe(now, true):
	case c.env.RTORestart && c.loss.board.n+c.unsent()/int(c.snd.mss) < restartThreshold:
		c.timers.set(c.env, TimerRetransmit, c.retransmitAt(now))
	default:
		c.restartRetransmit(now)
	}
}

// restartThreshold: "The number of outstanding segments is smaller than four"
// (RFC 7765, 4).
const restartThreshold = 4

// retransmissionTimeout sends the oldest segment again, and more of what was
// in flight as acknowledgments come in.
//
// "(5.4) Retransmit the earliest segment that has not been acknowledged by
// the TCP receiver. (5.5) The host MUST set RTO <- RTO * 2 ("back off the
// timer"). ... (5.6) Start the retransmission timer, such that it expires
// after RTO seconds" (R6298-7; RFC 6298, 5).
func (c *Conn) retransmissionTimeout(now clock.Time) {
	switch {
	case c.state == StateSynSent || c.state == StateSynReceived:
		c.handshakeTimeout(now)
		return
	case c.snd.wnd == 0:
		// "If the window shrinks to zero, the TCP implementation MUST probe it
		// in the standard way (described below) (MUST-35)." (RFC 9293, 3.8.6)
		c.startProbing(now)
		return
	case c.orphan && c.costly():
		c.abort(now, ErrAborted, ReasonNoMemory)
		return
	case c.givesUp(now, c.retries):
		c.fail(now, c.timeoutError(), "retransmissions went unanswered")
		return
	}
	if int(c.retries) >= c.env.Retries1 {
		c.blackHole()
	}
	c.enterLoss(now)
	c.countTimeout(now)
	if int(c.retries) == c.env.Retries1 {
		// "When the number of transmissions of the same segment reaches or
		// exceeds threshold R1, pass negative advice ... to the IP layer"
		// (MUST-20; RFC 9293, 3.8.3).
		c.env.note(Event{Kind: EventAdvice})
	}
	c.rtt.backOff(c.env)
	// The retransmission may have to wait for its time: until then the peer may
	// shut its window, and nothing else would ever happen.
	c.restartRetransmit(now)
}

// countTimeout keeps account of a time-out.
func (c *Conn) countTimeout(now clock.Time) {
	h := c.past()
	if c.retries == 0 {
		h.timeoutRuns++
		h.timedOutAt = now
	}
	h.timeouts++
	c.retries++
}

// endTimeouts ends a run of time-outs: something new is acknowledged.
func (c *Conn) endTimeouts(now clock.Time) {
	c.retries = 0
	if h := c.loss.history; h != nil && h.timedOutAt != 0 {
		h.timeoutTime += now.Sub(h.timedOutAt)
		h.timedOutAt = 0
	}
}

// timeoutError returns what the program gets when the peer doesn't answer:
// the reason if a router told one.
func (c *Conn) timeoutError() error {
	if c.rare.soft != nil {
		return c.rare.soft
	}
	return ErrTimeout
}

// givesUp reports whether enough has been tried: "When the number of
// transmissions of the same segment reaches a threshold R2 greater than R1,
// close the connection." (RFC 9293, 3.8.3) "An application MUST (MUST-21) be
// able to set the value for R2 for a particular connection": by its user
// time-out.
func (c *Conn) givesUp(now clock.Time, tries uint8) bool {
	if c.rare.userTimeout > 0 {
		return c.userTimeoutOver(now)
	}
	most := c.env.Retries2
	if c.orphan {
		most = orDefault(c.env.OrphanRetries, 8)
	}
	return int(tries) >= min(most, maxRetries)
}

// maxRetries is the largest number of retries that can be counted.
const maxRetries = 255

// userTimeoutOver reports whether the oldest octet has waited for its
// acknowledgment longer than the program allows.
func (c *Conn) userTimeoutOver(now clock.Time) bool {
	return c.rare.userTimeout > 0 && now.Sub(c.snd.progressAt) >= c.rare.userTimeout
}
