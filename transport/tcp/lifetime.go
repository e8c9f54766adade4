package tcp

import "hubbub/clock"

// CloseWrite ends our direction: a FIN follows what was written
// (RFC 9293, 3.10.4). The peer may go on sending. It does nothing the second
// time.
func (c *Conn) CloseWrite(now clock.Time) error {
	switch {
	case c.state == StateClosed:
		return ErrNotConnected
	case c.snd.finQueued:
		return nil
	}
	c.snd.finQueued = true
	c.sendQueuedClose(now)
	return nil
}

// sendQueuedClose goes on to the next state when the program has closed. "In
// any case, enter FIN-WAIT-1 state" (RFC 9293, 3.10.4). A close during the
// handshake waits for its end: no peer accepts a FIN before.
func (c *Conn) sendQueuedClose(now clock.Time) {
	const why = "the program closed"
	switch {
	case !c.snd.finQueued:
	case c.state == StateEstablished:
		c.setState(now, StateFinWait1, why)
	case c.state == StateCloseWait:
		c.setState(now, StateLastAck, why)
	}
}

// CloseRead says that the program expects nothing more. The peer isn't told;
// what it sends can still be read, but after both directions were closed it
// resets the connection, as after Close (SHLD-3).
func (c *Conn) CloseRead() { c.readShut = true }

// dropUnread forgets what was received and not read.
func (c *Conn) dropUnread() {
	c.rcv.queue.Reset()
	if c.rare.urgent != nil {
		c.rare.urgent.pending, c.rare.urgent.hasOctet = false, false
	}
}

// Close lets go of the connection: nobody reads or writes any more (MAY-1;
// RFC 9293, 3.6.1). What was written is still sent, then a FIN.
//
// "If such a host issues a CLOSE call while received data is still pending in
// the TCP connection, or if new data is received after CLOSE is called, its
// TCP implementation SHOULD send a RST to show that data was lost (SHLD-3)."
// (RFC 9293, 3.6.1)
func (c *Conn) Close(now clock.Time) {
	before := c.orphan
	c.orphan = true
	switch {
	case before:
	case c.state == StateSynSent:
		c.fail(now, ErrAborted, "the program closed")
	case c.rcv.queue.Len() > 0 && c.state != StateTimeWait:
		c.abort(now, ErrAborted, ReasonUnreadData)
	case c.costly():
		c.abort(now, ErrAborted, ReasonNoMemory)
	default:
		if c.state == StateFinWait2 {
			c.enterFinWait2(now)
		}
		_ = c.CloseWrite(now) // a second close changes nothing
	}
	c.dropUnread()
	c.account()
}

// Abort ends the connection at once: what was written is lost, and the peer
// gets a reset if there can be one (RFC 9293, 3.10.5).
func (c *Conn) Abort(now clock.Time) {
	c.abort(now, ErrAborted, ReasonAbort)
	c.dropUnread()
	c.account()
}

// abort resets the connection: <SEQ=SND.NXT><CTL=RST> (RFC 9293, 3.10.5). In
// SYN-SENT there is nobody yet; where both FINs are out, both ends have said
// all, unless some of it is lost.
func (c *Conn) abort(now clock.Time, err error, why Reason) {
	bothClosed := c.rcv.fin && c.snd.finSent && why != ReasonUnreadData
	if c.state > StateSynSent && !bothClosed {
		c.sendReset(Segment{Seq: c.snd.nxt, Ack: c.rcv.nxt, Flags: rst | ack, Reason: why})
	}
	c.fail(now, err, why.String())
}

// Refuse ends a half-open connection with a reset, for a reason of the
// listener that it came to.
func (c *Conn) Refuse(now clock.Time, why Reason) { c.abort(now, ErrAborted, why) }

// fail ends the connection with an error. What was received in order can
// still be read.
func (c *Conn) fail(now clock.Time, err error, why string) {
	if c.state == StateClosed {
		return
	}
	c.own().err = err
	c.setState(now, StateClosed, why)
}

// lifetimeOver ends TIME-WAIT, or a FIN-WAIT-2 that nobody waits in.
func (c *Conn) lifetimeOver(now clock.Time) {
	if c.state == StateTimeWait {
		c.setState(now, StateClosed, "twice the maximum segment lifetime has passed")
		return
	}
	c.fail(now, ErrTimeout, "the peer never closed, and nobody waits for it")
}

// releaseSending drops what was to be sent.
func (c *Conn) releaseSending() {
	c.snd.queue.Reset()
	c.releaseBoard()
	c.loss.history, c.loss.phase = nil, PhaseOpen
	c.persist = persist{}
	c.synDue, c.probeDue = false, false
}

// Err returns how the connection ended: nil while it lives, and after a close
// in order. "the local application MUST be informed whether it closed normally
// or was aborted (MUST-12)" (RFC 9293, 3.6).
func (c *Conn) Err() error { return c.rare.err }

// SoftErr returns the last error that didn't end the connection, such as an
// unreachable network, and forgets it (SHLD-25; RFC 9293, 3.9.2.2). Progress
// makes it forgotten as well. This is the "mechanism for reporting soft TCP error
// conditions to the application" (MUST-47), and who doesn't want reports doesn't
// call it (SHLD-20; RFC 9293, 3.9.1.8).
func (c *Conn) SoftErr() error {
	err := c.rare.soft
	if err != nil {
		c.rare.soft = nil
	}
	return err
}
