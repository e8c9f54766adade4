package tcp

import "hubbub/clock"

// urgentState is the urgent mode of either direction (MUST-30; RFC 9293, 3.8.5). The urgent pointer marks
// the end of urgent data in the stream (RFC 6093, 4): "The urgent pointer
// MUST point to the sequence number of the octet following the urgent data
// (MUST-62)." (RFC 9293, 3.8.5).
type urgentState struct {
	sending bool
	sendEnd Seq // SND.UP

	pending  bool // the peer's urgent data is not all consumed
	end      Seq  // RCV.UP
	hasOctet bool // the last urgent octet is here, out of line
	octet    byte
	taken    bool // by ReadUrgent
}

// WriteUrgent writes b as urgent data, up to the free space of the send
// buffer, and returns how much that was. Its last octet is what a receiver
// that takes it out of line gets (RFC 6093, 6). "A TCP
// implementation MUST support a sequence of urgent data of any length
// (MUST-31)" (RFC 9293, 3.8.5).
func (c *Conn) WriteUrgent(now clock.Time, b []byte) (int, error) {
	n, err := c.WriteBytes(now, b)
	if n > 0 {
		u := c.urgency()
		u.sending, u.sendEnd = true, c.dataEnd()
	}
	return n, err
}

func (c *Conn) urgency() *urgentState {
	if c.rare.urgent == nil {
		c.own().urgent = new(urgentState)
	}
	return c.rare.urgent
}

// urgentAt reports whether the octet at seq is urgent, to be sent.
func (c *Conn) urgentAt(seq Seq) bool {
	return c.rare.urgent != nil && c.rare.urgent.sending && seq.Less(c.rare.urgent.sendEnd)
}

// urgentMark sets the urgent pointer of a segment that is sent before the end
// of urgent data. If that is too far away to be told, it is told as far as a
// pointer reaches.
func (c *Conn) urgentMark(out *Segment) {
	if !c.urgentAt(out.Seq) {
		if c.rare.urgent != nil && c.rare.urgent.sendEnd.LessEq(c.snd.una) {
			c.rare.urgent.sending = false
		}
		return
	}
	out.Flags |= urg
	out.Urgent = uint16(min(c.rare.urgent.sendEnd.Sub(out.Seq), 0xffff))
}

// checkURG is the sixth step of RFC 9293, 3.10.7.4: "If the URG bit is set,
// RCV.UP <- max(RCV.UP,SEG.UP), and signal the user that the remote side has
// urgent data if the urgent pointer (RCV.UP) is in advance of the data
// consumed." (MUST-32)
func (c *Conn) checkURG(_ clock.Time, seg *Segment) {
	if !seg.Flags.Has(urg) || seg.Urgent == 0 {
		return
	}
	if !c.state.canReceive() || c.orphan {
		c.discard(DiscardUrgentIgnored)
		return
	}
	end := seg.Seq.Add(int(seg.Urgent))
	u := c.urgency()
	if u.pending && end.LessEq(u.end) {
		return
	}
	if u.pending && u.end.Add(-1) == c.readAt() && u.hasOctet && !c.oobInline {
		c.rcv.queue.Discard(1) // the old urgent octet was next, and is out of line
	}
	u.pending, u.end, u.hasOctet, u.taken = true, end, false, false
	c.env.note(Event{Kind: EventUrgent})
}

// urgentArrived takes a copy of the last urgent octet once it is here.
func (c *Conn) urgentArrived() {
	u := c.rare.urgent
	if u == nil || !u.pending || u.hasOctet || c.rcv.textEnd().Less(u.end) {
		return
	}
	var octet [1]byte
	c.rcv.queue.CopyAt(octet[:], u.end.Add(-1).Sub(c.readAt()))
	u.hasOctet, u.octet = true, octet[0]
}

// textEnd returns the number after the last octet of text in order.
func (r *receiveSpace) textEnd() Seq {
	if r.fin {
		return r.nxt.Add(-1)
	}
	return r.nxt
}

// readAt returns the number of the next octet that the program reads.
func (c *Conn) readAt() Seq { return c.rcv.textEnd().Add(-c.rcv.queue.Len()) }

// UrgentPending returns how many octets remain up to the end of urgent data,
// of which some may not have arrived; 0 if there is no urgent data: "The TCP
// implementation MUST (MUST-33) provide a way for the application to learn
// how much urgent data remains to be read from the connection"
// (RFC 9293, 3.8.5).
func (c *Conn) UrgentPending() int {
	if c.rare.urgent == nil || !c.rare.urgent.pending {
		return 0
	}
	return c.rare.urgent.end.Sub(c.readAt())
}

// AtMark reports whether the program has read all that comes before the last
// urgent octet (POSIX sockatmark).
func (c *Conn) AtMark() bool { return c.UrgentPending() == 1 }

// Urgent returns the last urgent octet without taking it, and whether it is
// here. It reports ok false if none was announced, if it was taken, or if it is
// in line.
func (c *Conn) Urgent() (octet byte, here, ok bool) {
	u := c.rare.urgent
	if u == nil || !u.pending && !u.hasOctet || u.taken || c.oobInline {
		return 0, false, false
	}
	return u.octet, u.hasOctet, true
}

// ReadUrgent takes the last urgent octet out of line. It reports false if
// there is none, if it hasn't arrived, or if it is in line.
func (c *Conn) ReadUrgent() (byte, bool) {
	u := c.rare.urgent
	if u == nil || !u.hasOctet || u.taken || c.oobInline {
		return 0, false
	}
	u.taken = true
	return u.octet, true
}
