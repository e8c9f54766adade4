package tcp

import (
	"hubbub/clock"
	"hubbub/wire"
)

// Connect begins an active open: the connection is in SYN-SENT, and
// PollSegment returns its SYN (RFC 9293, 3.10.1).
func Connect(env *Env, now clock.Time, p Params) *Conn {
	c := newConn(env, p)
	c.ts.recent, c.ts.recentAt = p.LastStamp, p.LastStampAt
	c.synDue = c.rare.fast == nil || !c.rare.fast.Deferred
	c.snd.progressAt = now
	c.setMSS()
	c.setState(now, StateSynSent, "the program connects")
	return c
}

// Accept answers a SYN that came to a listener: the connection is in
// SYN-RECEIVED, and PollSegment returns its SYN-ACK (RFC 9293, 3.10.7.2). It
// takes over the segment's payload.
//
// "Set RCV.NXT to SEG.SEQ+1, IRS is set to SEG.SEQ, and any other control or
// text should be queued for processing later." Nothing is queued for a peer
// that may be anybody: it repeats what the SYN-ACK doesn't acknowledge, text
// and FIN. So do Linux and FreeBSD.
func Accept(env *Env, now clock.Time, p Params, seg *Segment) *Conn {
	c := newConn(env, p)
	c.state, c.passive = StateListen, true
	c.snd.progressAt = now
	c.count.segmentsIn++
	c.takeSYN(now, seg)
	c.synDue = true
	c.setState(now, StateSynReceived, "a SYN arrived")
	seg.drop()
	return c
}

// takeSYN notes what the peer's SYN says. A window scale counts nowhere else
// (R7323-1; RFC 7323, 2.2).
func (c *Conn) takeSYN(now clock.Time, seg *Segment) {
	c.rcv.irs, c.rcv.nxt = seg.Seq, seg.Seq.Add(1)
	c.rcv.edge, c.rcv.acked = c.rcv.nxt, c.rcv.nxt
	c.rcv.lastAt = now
	c.negotiate(now, &seg.Options)
	c.agreeECN(seg)
	c.setMSS()
	c.setWindow(seg)
}

// negotiate agrees on options. One is in force if both SYNs carry it
// (R7323-2 and R7323-6; RFC 7323, 1.3). The peer's MSS is obeyed (MUST-14;
// RFC 9293, 3.7.1).
func (c *Conn) negotiate(now clock.Time, o *wire.TCPOptions) {
	if o.MSS != 0 {
		c.snd.peerMSS = o.MSS
	}
	c.scaling = c.scaling && o.HasWindowScale
	if c.scaling {
		// "If a Window Scale option is received with a shift.cnt value larger
		// than 14, the TCP SHOULD log the error but MUST use 14 instead of the
		// specified value." (R7323-4; RFC 7323, 2.3)
		c.snd.shift = min(o.WindowScale, maxShift)
	} else {
		c.snd.shift, c.rcv.shift = 0, 0
		c.rcv.limit = min(c.rcv.limit, 0xffff)
	}
	c.sackOK = c.sackOK && o.SACKPermitted
	c.stamped = c.stamped && o.Timestamps
	if c.stamped {
		c.ts.remember(now, o.TSVal)
	}
}

// handshakeSegment builds a SYN or a SYN-ACK.
func (c *Conn) handshakeSegment(now clock.Time, out *Segment) bool {
	if !c.synDue {
		return c.state == StateSynReceived && c.ackSegment(now, out)
	}
	c.synDue = false
	out.Seq, out.Flags, out.Reason = c.snd.iss, syn, ReasonOpen
	if c.state == StateSynSent {
		out.Flags |= c.offerECN()
	} else {
		out.Flags, out.Reason = syn|ack|c.replyECN(), ReasonOpenReply
		out.Ack = c.rcv.nxt
		c.acknowledging()
	}
	if c.synLost {
		out.Reason, out.Retransmission = ReasonOpenRetry, true
		c.own().retransmissions++
	}
	c.snd.lastAt = now
	out.Options = c.synOptions(now)
	out.Window = c.synWindow()
	if c.rare.fast != nil {
		c.openEarly(out)
	}
	c.count.segmentsOut++
	c.armRetransmit(now)
	return true
}

// synOptions returns what a SYN offers, and a SYN-ACK agrees to: "the Window
// Scale option will be sent in a <SYN,ACK> segment only if the corresponding
// option was received in the initial <SYN> segment" (RFC 7323, 1.3), and
// timestamps likewise (RFC 7323, 3.2). "TCP implementations SHOULD send an MSS
// Option in every SYN segment when its receive MSS differs from the default
// 536 for IPv4 or 1220 for IPv6 (SHLD-5), and MAY send it always (MAY-3)."
// (RFC 9293, 3.7.1)
//
// SACK-permitted "MUST NOT be sent on non-SYN segments." (RFC 2018, 2;
// R2018-1)
func (c *Conn) synOptions(now clock.Time) wire.TCPOptions {
	reply := c.state == StateSynReceived
	o := wire.TCPOptions{MSS: c.rcv.mss, SACKPermitted: c.sackOK}
	if c.scaling {
		o.HasWindowScale, o.WindowScale = true, c.rcv.shift
	}
	if c.stamped {
		o.Timestamps, o.TSVal = true, c.ts.now(now)
		if reply { // without the ACK bit it is zero (R7323-9; RFC 7323, 3.2)
			o.TSEcr = c.ts.recent
		}
	}
	return o
}

// synWindow returns the window of a SYN, which is never scaled: "The window
// field in a segment where the SYN bit is set (i.e., a <SYN> or <SYN,ACK>)
// MUST NOT be scaled." (R7323-3; RFC 7323, 2.2)
func (c *Conn) synWindow() uint16 {
	window := c.firstWindow()
	if c.state == StateSynReceived {
		c.rcv.edge = later(c.rcv.edge, c.rcv.nxt.Add(window))
	}
	return uint16(window)
}

// handshakeTimeout repeats the SYN, or gives up: "An attempt to open a TCP
// connection could fail with excessive retransmissions of the SYN segment ... SYN
// retransmissions MUST be handled in the general way just described for data
// retransmissions" (MUST-22; RFC 9293, 3.8.3).
func (c *Conn) handshakeTimeout(now clock.Time) {
	most := c.env.SynRetries
	if c.state == StateSynReceived {
		most = c.env.SynAckRetries
	}
	if c.synRetries > 0 {
		most = int(c.synRetries)
	}
	if int(c.retries) >= min(most, maxRetries) || c.userTimeoutOver(now) {
		c.fail(now, c.timeoutError(), "no answer to the SYN")
		return
	}
	c.retries++
	c.synDue, c.synLost = true, true
	c.rtt.backOff(c.env)
}
