package tcp

import "time"

// Segments leave in bursts, as on Linux, which hands several to the network
// card as one: what takes a millisecond at the pace of the connection, more
// where the round trip is short, and two at least; but not more than half of
// the congestion window. The last of a burst is
// marked with PSH: whoever puts them together again on their way needn't wait
// for more. One that leaves alone has no mark: then the peer does well to wait
// for the next.
//
// "A TCP endpoint MAY implement PUSH flags on SEND calls (MAY-15)"
// (RFC 9293, 3.9.1.2): it isn't the program that pushes here, but the sender
// is free to.

// longestBurst is what leaves together at most, in octets: an IP packet, less
// what Linux sets aside for headers.
const longestBurst = 1<<16 - 321

// A burst says how many more segments may leave together, and whether one has
// left.
type burst struct {
	left  uint8
	going bool
}

// begin begins a burst, if none is going on, of so many segments at most.
func (b *burst) begin(c *Conn, most int) {
	switch {
	case b.going:
	case c.env.MinBurst == 0:
		b.left = 255
	default:
		b.left = uint8(max(1, min(c.wholeBurst(), most, 255)))
	}
}

// next counts a segment that leaves and stands for so many, and reports whether
// the burst ends with it, and whether it has several. Over says that none follows.
func (b *burst) next(pieces int, over bool) (ends, several bool) {
	several = b.going || pieces > 1
	b.left -= uint8(min(pieces, int(b.left)))
	b.going = !over && b.left > 0
	return !b.going, several
}

// wholeBurst returns how many segments a burst has.
func (c *Conn) wholeBurst() int {
	octets := longestBurst
	if c.rtt.srtt > 0 {
		octets = min(longestBurst, c.paceFor(time.Second/1024)+c.nearness())
	}
	return max(octets/int(c.snd.mss), c.env.MinBurst)
}

// paceFor returns how many octets leave in a time that is short, at twice the
// pace of the congestion window in slow start, at 1.2 times that later.
func (c *Conn) paceFor(t time.Duration) int {
	if c.cc.Pacing > 0 {
		return int(min(float64(c.cc.Pacing)*t.Seconds(), longestBurst))
	}
	gain := 1.2
	if c.cc.Cwnd < c.cc.Ssthresh/2 {
		gain = 2
	}
	return int(min(gain*float64(max(c.cc.Cwnd, c.flight()))*t.Seconds()/c.rtt.srtt.Seconds(), longestBurst))
}

// nearness is how much longer bursts to a peer may be that is near: half for
// each 2^BurstRTTLog microseconds of the round trip.
func (c *Conn) nearness() int {
	if log := c.env.BurstRTTLog; log > 0 {
		return longestBurst >> min(c.rtt.least.Microseconds()>>log, 31)
	}
	return 0
}

// halfWindow returns half of the congestion window, in segments.
func (c *Conn) halfWindow() int { return c.cc.Cwnd / int(c.snd.mss) / 2 }

// endBurst marks a segment of new octets if it is the last of a burst. The
// record of it remembers where bursts end.
func (c *Conn) endBurst(out *Segment) {
	n := out.Payload.Len()
	if n == 0 {
		return
	}
	pieces, last := out.pieces(), out.endsSmall(c.room()) || c.sendable() == 0
	if !last {
		c.burst.begin(c, c.halfWindow())
	}
	ends, several := c.burst.next(pieces, last || int(c.burst.left) <= pieces)
	if ends {
		c.loss.board.at(c.loss.board.n - 1).marks |= endsBurst
	}
	if ends && several {
		out.Flags |= psh
	}
}

// endRepeats marks the i-th record's retransmission if it is the last of a
// burst: what left together leaves so again, as far as all of it is lost.
func (c *Conn) endRepeats(out *Segment, i int) {
	b := c.loss.board
	c.burst.begin(c, 255)
	over := b.at(i).marks != 0 || i+1 >= b.n || !b.at(i+1).waits() || c.cc.Cwnd-c.pipe() < c.textOf(b.at(i+1))
	if ends, several := c.burst.next(1, over); ends && several {
		out.Flags |= psh
	}
}
