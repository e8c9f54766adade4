package tcp

import "hubbub/clock"

// HandleUnreachable takes in an ICMP error about a segment that began at
// quoted. A hard one ends an attempt to connect; otherwise it is kept for
// SoftErr, and the connection goes on.
//
// "Since these Unreachable messages indicate soft error conditions, a TCP
// implementation MUST NOT abort the connection (MUST-56), and it SHOULD make
// the information available to the application (SHLD-25)." (RFC 9293, 3.9.2.2)
// Hard ones "SHOULD abort the connection (SHLD-26)", but are taken as soft in an
// open connection (RFC 5927, 5.2), and
// one that doesn't quote something in flight as a forgery (RFC 5927, 4.1).
func (c *Conn) HandleUnreachable(now clock.Time, err error, hard bool, quoted Seq) {
	if !c.inFlight(quoted) {
		c.discard(DiscardICMPForeign)
		return
	}
	if hard && (c.state == StateSynSent || c.state == StateSynReceived) {
		c.fail(now, err, "an ICMP error answers the SYN")
		c.account()
		return
	}
	c.own().soft = err
}

// inFlight reports whether the octet at seq, or a SYN or FIN, is in flight.
func (c *Conn) inFlight(seq Seq) bool {
	return c.state != StateClosed && seq.Between(c.snd.una, c.snd.nxt)
}

// HandlePathMTU takes in that a segment which began at quoted was too large
// for the path: mss is the payload, with TCP options, that fits. What is in
// flight is cut anew and sent at once, which says nothing about congestion: "a retransmission caused by a Datagram Too Big message should not change the
// congestion window" (RFC 1191, 6.4; R8201-5; RFC 8201, 5.4).
func (c *Conn) HandlePathMTU(_ clock.Time, mss int, quoted Seq) {
	if !c.inFlight(quoted) {
		c.discard(DiscardICMPForeign)
		return
	}
	if mss >= int(c.snd.limitMSS) || mss <= 0 {
		return
	}
	c.limitSegments(mss)
	if c.state >= StateEstablished && !c.persist.active {
		c.repair(ReasonPathMTU, int(c.snd.mss))
	}
}

// limitSegments lets segments to come have no more payload, TCP options included,
// than the path or the program allows: less than before.
func (c *Conn) limitSegments(mss int) {
	c.snd.limitMSS = uint16(mss)
	c.setMSS()
}

// HasCarried reports whether the peer has certainly got a segment with more than
// so many octets: as many are acknowledged as don't fit into as many segments as
// have arrived (maxsizeacked of RFC 5927, 7.2, as far as it is known without
// looking at each).
func (c *Conn) HasCarried(mss int) bool {
	acked := int64(c.count.bytesOut) - int64(c.flight())
	return acked > int64(c.count.delivered)*int64(max(mss, 0))
}
