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

// CloseRead drops what was received, and whatever else arrives. The peer
// isn't told; its octets are acknowledged.
func (c *Conn) CloseRead(clock.Time) {
	c.readClosed = true
	c.rcv.queue.Reset()
	if c.urgent != nil {
		c.urgent.pending, c.urgent.hasOctet = false, false
	}
	c.consumed()
}

// Close lets go of the connection: nobody reads or writes any more. What was
// written is still sent, then a FIN.
//
// "If such a host issues a CLOSE call while received data is still pending in
// the TCP connection, or if new data is received after CLOSE is called, its
// TCP implementation SHOULD send a RST to show that data was lost (SHLD-3)."
// (RFC 9293, 3.6.1)
func (c *Conn) Close(now clock.Time) {
	switch {
	case c.orphan || c.state == StateClosed:
		c.rcv.queue.Reset()
	case c.state == StateSynSent:
		c.fail(now, ErrAborted, "the program closed")
	case c.rcv.queue.Len() > 0 && c.state != StateTimeWait:
		c.abort(now, ErrAborted, ReasonUnreadData)
	default:
		c.letGo(now)
	}
	c.orphan = true
}

// letGo closes in order.
func (c *Conn) letGo(now clock.Time) {
	c.orphan = true
	c.rcv.queue.Reset()
	if c.state == StateFinWait2 {
		c.enterFinWait2(now)
	}
	_ = c.CloseWrite(now) // a second close changes nothing
}

// Abort ends the connection at once: what was written is lost, and the peer
// gets a reset if there can be one (RFC 9293, 3.10.5).
func (c *Conn) Abort(now clock.Time) {
	c.orphan = true
	c.abort(now, ErrAborted, ReasonAbort)
	c.rcv.queue.Reset()
}

// abort resets the connection. "<SEQ=SND.NXT><CTL=RST>"; CLOSING, LAST-ACK and
// TIME-WAIT need none, for both ends have said all (RFC 9293, 3.10.5), and in
// SYN-SENT there is nobody yet.
func (c *Conn) abort(now clock.Time, err error, why Reason) {
	switch c.state {
	case StateClosed:
		return
	case StateSynReceived, StateEstablished, StateFinWait1, StateFinWait2, StateCloseWait:
		c.sendReset(Segment{Seq: c.snd.nxt, Ack: c.rcv.nxt, Flags: rst | ack, Reason: why})
	}
	c.fail(now, err, why.String())
}

// fail ends the connection with an error. What was received in order can
// still be read.
func (c *Conn) fail(now clock.Time, err error, why string) {
	if c.state == StateClosed {
		return
	}
	c.err = err
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
	c.loss.rtx = c.loss.rtxEnd
	c.persist = persist{}
	c.synDue, c.probeDue = false, false
}

// Err returns how the connection ended: nil while it lives, and after a close
// in order. "There MUST be a way for the application to know whether it
// closed normally or was aborted" is MUST-12 (RFC 9293, 3.6).
func (c *Conn) Err() error { return c.err }

// SoftErr returns the last error that didn't end the connection, such as an
// unreachable network, and forgets it (SHLD-25; RFC 9293, 3.9.2.2).
func (c *Conn) SoftErr() error {
	err := c.soft
	c.soft = nil
	return err
}
