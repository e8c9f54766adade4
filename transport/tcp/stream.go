package tcp

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// Readable returns how many octets can be read at once: up to the mark of
// urgent data, where reading stops once.
func (c *Conn) Readable() int {
	n := c.rcv.queue.Len()
	pending := c.UrgentPending()
	switch {
	case pending == 0:
		return n
	case pending > 1:
		return min(n, pending-1)
	case c.oobInline:
		return n
	}
	return max(0, n-1) // the octet at the mark is out of line
}

// Arrived returns how many octets have ever arrived in order, with the FIN.
func (c *Conn) Arrived() uint64 { return c.count.bytesIn + uint64(oneIf(c.rcv.fin)) }

// EOF reports whether the peer's FIN has arrived and all before it was read.
func (c *Conn) EOF() bool { return c.rcv.fin && c.Readable() == 0 }

// CanWrite reports whether the program may still write.
func (c *Conn) CanWrite() bool { return c.state.canSend() && !c.snd.finQueued }

// WriteSpace returns the free space of the send buffer in octets, 0 when the
// program may not write.
func (c *Conn) WriteSpace() int {
	if !c.CanWrite() {
		return 0
	}
	space := min(c.memorySpace(), int(c.snd.limit)-c.snd.queue.Len())
	if lowat := c.notSentLowat(); lowat < int(c.snd.limit) {
		// As on Linux the last piece is filled, wherever the mark is.
		piece, unsent := c.piece(), c.unsent()
		if begun := unsent % piece; begun > 0 || unsent < lowat {
			space = min(space, piece-begun)
		} else {
			space = 0
		}
	}
	return max(0, space)
}

// piece returns how much of what a program writes is kept in one piece, in whole
// segments: as much as a burst can have, but no more than half of the largest window
// that the peer ever had.
func (c *Conn) piece() int {
	most, mss := longestBurst, int(c.snd.mss)
	if c.snd.maxWnd > defaultMSS {
		most = min(most, int(c.snd.maxWnd)/2)
	}
	return max(most/mss, 1) * mss
}

// notSentLowat returns how many octets may be written and not sent.
func (c *Conn) notSentLowat() int { return orDefault(int(c.wants().notSent), c.env.NotSentLowat) }

// Unsent returns how many octets were written and not yet sent.
func (c *Conn) Unsent() int { return min(c.unsent(), c.snd.queue.Len()) }

// Written returns how many octets were ever written: of what was taken.
func (c *Conn) Written() uint64 { return c.count.bytesOut + uint64(c.Unsent()) }

// Unacknowledged returns how many octets of what was written the peer has not
// acknowledged, sent or not.
func (c *Conn) Unacknowledged() int { return c.snd.queue.Len() }

// Unconfirmed returns how much the peer hasn't acknowledged, and Unmentioned
// how much of that was never sent, both with a FIN that waits: SIOCOUTQ and
// SIOCOUTQNSD.
func (c *Conn) Unconfirmed() int {
	return c.snd.queue.Len() + oneIf(c.snd.finQueued && !c.finAcked() && c.state != StateClosed)
}

// Unmentioned: see Unconfirmed.
func (c *Conn) Unmentioned() int { return c.Unsent() + oneIf(c.snd.finQueued && !c.snd.finSent) }

func oneIf(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

// Unacked returns how many octets were written and not yet acknowledged.
func (c *Conn) Unacked() int { return c.snd.queue.Len() }

// Write appends all of v to the send queue, with its reference, beyond the
// buffer's size if need be: the caller has looked at WriteSpace. What is free
// behind v in its storage may be filled by later writes.
func (c *Conn) Write(_ clock.Time, v pkt.View) error {
	if err := c.writeError(); err != nil {
		v.Release()
		return err
	}
	defer c.account()
	c.openForText()
	if v.Len() <= smallWrite && c.snd.queue.Len() > 0 {
		// Many small writes share a chunk.
		c.snd.queue.AppendBytes(v.Bytes())
		v.Release()
		return nil
	}
	c.sending(v.Len()).Append(v)
	return nil
}

// sending returns the send queue, to be given n octets.
func (c *Conn) sending(n int) *pkt.Queue {
	if c.snd.queue == nil && n > 0 {
		c.snd.queue = c.env.takeQueue()
	}
	return c.snd.queue
}

// smallWrite is the size up to which a write is copied behind the last one.
const smallWrite = 256

// WriteBytes copies as much of b into the send queue as there is space for,
// and returns how much that was.
func (c *Conn) WriteBytes(_ clock.Time, b []byte) (int, error) {
	if err := c.writeError(); err != nil {
		return 0, err
	}
	n := min(len(b), c.WriteSpace())
	c.WriteWhole(b[:n])
	return n, nil
}

// WriteWhole copies all of b into the send queue. The caller has looked at CanWrite and
// WriteSpace.
func (c *Conn) WriteWhole(b []byte) {
	c.openForText()
	c.sending(len(b)).AppendBytes(b)
	c.account()
}

// writeError returns why the program may not write.
func (c *Conn) writeError() error {
	switch {
	case c.CanWrite():
		return nil
	case c.rare.err != nil:
		return c.rare.err
	}
	return ErrWriteClosed
}

// Read detaches up to n octets from the front of what was received, in one
// piece, with its reference: fewer than n where the storage ends. It returns
// an empty view when there is nothing to read. Reading may open the window,
// and a window update follow.
func (c *Conn) Read(now clock.Time, n int) pkt.View {
	c.skipMark()
	v := c.rcv.queue.Take(min(n, c.Readable()))
	c.consumed(now)
	c.account()
	return v
}

// Whole reports whether what [Conn.Read] would return is all there is, or n octets of it.
func (c *Conn) Whole(n int) bool {
	q := c.rcv.queue
	return n > 0 && q.Len() > 0 && c.rare.urgent == nil && q.Together(0) >= min(n, q.Len())
}

// Discard drops up to n octets from the front of what was received, and
// returns how many: for a program that has Peeked at them.
func (c *Conn) Discard(now clock.Time, n int) int {
	c.skipMark()
	n = min(n, c.Readable())
	c.rcv.queue.Discard(n)
	c.consumed(now)
	c.account()
	return n
}

// Peek copies octets from the off-th on into b without taking them, and
// returns how many.
func (c *Conn) Peek(b []byte, off int) int {
	if c.AtMark() && !c.oobInline {
		return c.rcv.queue.CopyAt(b, off+1)
	}
	return c.rcv.queue.CopyAt(b[:min(len(b), max(0, c.Readable()-off))], off)
}

// OwesACK reports whether an acknowledgment is to be sent at once, such as the
// window update that reading has brought about.
func (c *Conn) OwesACK() bool { return c.ack.due }

// skipMark passes over the octet at the mark, if that is where the program
// reads on: it is out of line, or about to be read in line.
func (c *Conn) skipMark() {
	if !c.AtMark() || c.rcv.queue.Len() == 0 {
		return
	}
	if !c.oobInline {
		c.rcv.queue.Discard(1)
	}
	c.rare.urgent.pending = false
}

// consumed tells the peer about room in the buffer, if it is news: the window
// at least doubles. While the program keeps up, ACKs of data tell enough.
func (c *Conn) consumed(now clock.Time) {
	c.tuneReceiveBuffer(now)
	if c.rcv.queue.Len() == 0 {
		c.rcv.pieces = 0
	}
	window := c.rcv.window()
	if 2*window > int(c.rcv.limit) {
		return // there is no room for twice as much
	}
	if open := c.open(); c.state >= StateEstablished && c.state.canReceive() && c.worthwhile(open-window) && open >= 2*window {
		c.ackNow(ReasonWindowUpdate)
	}
}
