package tcp

import (
	"math"

	"hubbub/clock"
	"hubbub/internal/pkt"
)

// maxWindow is the largest window: 65535 shifted by 14 (RFC 7323, 2.2).
const (
	maxWindow = 0xffff << maxShift
	maxShift  = 14
)

// scaleFor returns the window scale by which a window of n octets fits into
// 16 bits.
func scaleFor(n int) uint8 {
	shift := uint8(0)
	for n>>shift > 0xffff && shift < maxShift {
		shift++
	}
	return shift
}

// processText is the seventh step of RFC 9293, 3.10.7.4.
func (c *Conn) processText(now clock.Time, seg *Segment) {
	n := seg.Payload.Len()
	if n > 0 {
		c.arrivedMarked(seg)
	}
	switch {
	case n == 0:
	case !c.state.canReceive():
		// "This should not occur since a FIN has been received from the
		// remote side. Ignore the segment text."
		c.discard(DiscardAfterFIN)
	case c.readShut && c.snd.finQueued:
		c.refuseLate(now, seg, ErrReset)
	case c.orphan:
		// "if new data is received after CLOSE is called, its TCP
		// implementation SHOULD send a RST to show that data was lost
		// (SHLD-3)" (RFC 9293, 3.6.1).
		c.refuseLate(now, seg, ErrAborted)
	case !c.hasMemory():
		c.refuseText()
	case seg.Seq == c.rcv.nxt:
		c.receive(now, seg)
	default:
		c.hold(seg)
	}
}

// refuseLate resets a connection whose peer sends what nobody will read. The
// reset is an answer to that segment, so that it is where the peer expects it
// even if what was sent before is lost.
func (c *Conn) refuseLate(now clock.Time, seg *Segment, err error) {
	c.sendReset(resetFor(seg, ReasonDataAfterClose))
	c.fail(now, err, ReasonDataAfterClose.String())
}

// receive takes in text that is next in the stream.
func (c *Conn) receive(now clock.Time, seg *Segment) {
	c.rcv.seg = max(c.rcv.seg, uint16(min(seg.Payload.Len(), int(c.rcv.mss))))
	c.measurePeer(now, seg)
	c.take(seg.Payload)
	seg.Payload = pkt.View{}
	filled := c.rcv.gaps != nil && c.rcv.gaps.holds()
	if filled {
		c.takeHeld()
	}
	c.urgentArrived()
	c.ackText(now, filled)
	c.rcv.dataAt = now
}

// take appends octets to the stream, with their reference.
func (c *Conn) take(v pkt.View) {
	c.rcv.nxt = c.rcv.nxt.Add(v.Len())
	c.count.bytesIn += uint64(v.Len())
	if v.Len() > 0 && c.rcv.queue == nil {
		c.rcv.queue = c.env.takeQueue()
	}
	c.rcv.queue.Append(v)
	c.rcv.pieces += uint16(oneIf(c.rcv.pieces < math.MaxUint16))
	if c.rcv.pieces > maxPieces && c.rcv.queue.Len() < int(c.rcv.pieces)*fullPiece {
		c.rcv.tidy()
	}
}

// A peer that sends an octet at a time has each of them pin the chunk that
// its packet came in. From maxPieces pieces of less than fullPiece octets on,
// the stream is copied together.
const (
	maxPieces = 256
	fullPiece = 256
)

// tidy copies the queue into as few chunks as it fits in.
func (r *receiveSpace) tidy() {
	var whole pkt.Queue
	for r.queue.Len() > 0 {
		v := r.queue.Take(pkt.MaxView)
		whole.AppendBytes(v.Bytes())
		v.Release()
	}
	*r.queue, r.pieces = whole, 0
}

// checkFIN is the eighth step: "If the FIN bit is set, signal the user
// "connection closing" and return any pending RECEIVEs with same message,
// advance RCV.NXT over the FIN, and send an acknowledgment for the FIN."
// (RFC 9293, 3.10.7.4) The segment's text is taken already: end is where the
// segment ended.
func (c *Conn) checkFIN(now clock.Time, seg *Segment, end Seq) {
	switch {
	case !c.state.canReceive():
		if seg.Flags.Has(fin) {
			c.discard(DiscardAfterFIN)
		}
	case seg.Flags.Has(fin) && end == c.rcv.nxt.Add(1), c.rcv.gaps.finIs(c.rcv.nxt):
		c.finArrived(now)
	case seg.Flags.Has(fin) && c.rcv.nxt.Less(end):
		c.rcv.hold(c.env).setFIN(end.Add(-1))
		c.ackNow(ReasonDuplicateACK)
	}
}

// finArrived goes on to the next state, now that the peer has no more to say.
func (c *Conn) finArrived(now clock.Time) {
	c.rcv.fin = true
	c.rcv.nxt = c.rcv.nxt.Add(1)
	c.rcv.edge = later(c.rcv.edge, c.rcv.nxt)
	c.rcv.releaseReassembly(c.env)
	const why = "the peer's FIN arrived"
	switch c.state {
	case StateEstablished:
		// The program may well close next: one segment can then carry both
		// the acknowledgment and our FIN.
		c.delayFINACK(now)
		c.setState(now, StateCloseWait, why)
	case StateFinWait1:
		c.ackNow(ReasonFINACK)
		c.setState(now, StateClosing, why)
	case StateFinWait2:
		c.setState(now, StateTimeWait, why)
		c.ackNow(ReasonFINACK)
	}
}

// advertise returns the window field of a segment, and moves the window's
// right edge if it can be moved by enough to be worth it.
//
// "The suggested SWS avoidance algorithm for the receiver is to keep
// RCV.NXT+RCV.WND fixed until the reduction satisfies:
// RCV.BUFF - RCV.USER - RCV.WND >= min( Fr * RCV.BUFF, Eff.snd.MSS )"
// (MUST-39; RFC 9293, 3.8.6.2.2)
//
// "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window
// edge to the left (SHLD-14)." (RFC 9293, 3.8.6; with a window scale R7323-5,
// RFC 7323, 2.4)
func (c *Conn) advertise() uint16 {
	window, open := c.rcv.window(), c.open()
	if c.worthwhile(open - window) {
		window = open
		c.rcv.edge = c.rcv.nxt.Add(open)
	}
	field := window >> c.rcv.shift
	if rounded := (field + 1) << c.rcv.shift; field<<c.rcv.shift < window && rounded <= open+int(c.rcv.limit)/16 {
		// The window's unit is 1<<shift. To round down would take back what
		// was promised; to round up promises a little that the buffer must
		// bear, within limits.
		field++
		c.rcv.edge = c.rcv.nxt.Add(rounded)
	}
	return uint16(min(field, 0xffff))
}

// worthwhile reports whether the window is to be widened by so much.
func (c *Conn) worthwhile(gain int) bool {
	return gain > 0 && gain >= int(min(c.rcv.limit/2, c.snd.mss))
}

// window returns how much more the peer may send.
func (r *receiveSpace) window() int { return r.edge.Sub(r.nxt) }

// open returns how much the buffer has room for, in whole units of the window
// field. While the host is short of memory that is no more than a few segments,
// as on Linux.
func (c *Conn) open() int {
	r := &c.rcv
	limit := int(r.limit)
	if c.env.memory.pressure {
		limit = min(limit, max(4*int(r.mss), 1<<r.shift))
	}
	room := min(max(0, limit-r.queue.Len()), 0xffff<<r.shift)
	return room >> r.shift << r.shift
}
