package tcp

import "hubbub/clock"

// A State is one of the eleven states in the life of a connection
// (RFC 9293, 3.3.2).
type State uint8

const (
	// StateClosed is no state at all: there is no connection. A Conn is in it
	// when all is over, and [Conn.Err] tells how it ended.
	StateClosed State = iota

	// StateListen waits for a request from any peer. A Conn is never in it: a
	// [Listener] is, and makes a Conn in SYN-RECEIVED of each request.
	StateListen

	// StateSynSent has asked for a connection and waits for the matching
	// request of the peer (RFC 9293, 3.10.7.3).
	StateSynSent

	// StateSynReceived has received and sent a request and waits for the
	// acknowledgment of its own. It remembers whether it came from LISTEN or
	// from SYN-SENT (RFC 9293, 3.5).
	StateSynReceived

	// StateEstablished is the open connection: data goes both ways.
	StateEstablished

	// StateFinWait1 has no more to send and has said so with a FIN that is
	// not acknowledged; the peer may still be sending (RFC 9293, 3.6).
	StateFinWait1

	// StateFinWait2 knows that the peer has got the FIN, and waits for the
	// peer's own. A program that only half closed may stay in it for ever;
	// one that let go of the connection stays for a limited time.
	StateFinWait2

	// StateCloseWait has got the peer's FIN and waits for the program to
	// close: data still goes to the peer.
	StateCloseWait

	// StateClosing has sent a FIN and got one, and waits for the
	// acknowledgment of its own: both ends closed at once (RFC 9293, 3.6).
	StateClosing

	// StateLastAck has got the peer's FIN, then sent its own, and waits for
	// the acknowledgment of that.
	StateLastAck

	// StateTimeWait is over but for waiting: for twice the time that a
	// segment can live, so that a lost last ACK can be repeated and no old
	// segment gets into a new connection between the same ports
	// (RFC 9293, 3.6.1).
	StateTimeWait

	numStates
)

var stateNames = [numStates]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String returns the name in RFC 9293, such as "SYN-RECEIVED".
func (s State) String() string { return stateNames[s] }

// canSend reports whether the program may write.
func (s State) canSend() bool {
	return s >= StateSynSent && s <= StateEstablished || s == StateCloseWait
}

// canReceive reports whether the peer may still send data: its FIN has not
// arrived.
func (s State) canReceive() bool { return s >= StateSynReceived && s <= StateFinWait2 }

// setState is the only way from one state to another, and has all that is
// done on the way.
func (c *Conn) setState(now clock.Time, to State, why string) {
	from := c.state
	c.state = to
	if from == StateSynReceived {
		c.leaveEarly(now, to == StateClosed && c.rare.err == ErrReset)
	}
	c.env.note(Event{Kind: EventState, From: from, To: to, Why: why})
	switch to {
	case StateEstablished:
		c.enterEstablished(now)
	case StateFinWait2:
		c.enterFinWait2(now)
	case StateTimeWait:
		c.enterTimeWait(now)
	case StateClosed:
		c.enterClosed()
	}
}

// enterEstablished begins the exchange of data.
func (c *Conn) enterEstablished(now clock.Time) {
	c.timers.stop(c.env, TimerRetransmit)
	c.beginSearch()
	c.startCongestion(now)
	c.beginTuning(now)
	c.startKeepAlive(now)
	if c.flight() > 0 {
		c.restartRetransmit(now) // of what went out before the handshake was over
	}
}

// enterFinWait2 limits the wait for the peer's FIN, if nobody is there any
// more to whom it would be reported.
func (c *Conn) enterFinWait2(now clock.Time) {
	if c.orphan {
		c.waitForFIN(now)
	}
}

// enterTimeWait: "Start the time-wait timer, turn off the other timers."
// (RFC 9293, 3.10.7.4) "When a connection is closed actively, it MUST linger
// in the TIME-WAIT state for a time 2xMSL (Maximum Segment Lifetime)
// (MUST-13)." (RFC 9293, 3.6.1)
func (c *Conn) enterTimeWait(now clock.Time) {
	c.timers.stopAll(c.env)
	c.timers.set(c.env, TimerLifetime, now.Add(2*c.env.MSL))
	c.releaseSending()
}

// enterClosed lets go of everything but what the program may still read.
func (c *Conn) enterClosed() {
	c.timers.stopAll(c.env)
	c.ack = ackState{}
	c.releaseSending()
	c.rcv.releaseReassembly(c.env)
}
