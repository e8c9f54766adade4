package tcp

import "hubbub/clock"

// enlarge makes one segment of all that leave together now, instead of n octets, if
// whoever carries it can cut it: full ones, and behind them the last, if that may be
// sent though it isn't full. It costs as much as one. What is cut is the same, segment
// by segment, as what would have been sent without.
//
// It is for the plain case. What is marked, paced, urgent or sent while
// something is amiss goes out one by one.
func (c *Conn) enlarge(out *Segment, n int) int {
	if n != int(c.snd.mss) || c.env.Offload < 2*n || c.loss.phase != PhaseOpen || c.rcv.gaps != nil ||
		c.rare.urgent != nil || c.cc.Pacing != 0 || c.rare.pace != nil || c.ecn&ecnReduced != 0 || c.persist.force {
		return n
	}
	size := n
	c.burst.begin(c, c.halfWindow())
	unsent, follows := c.ofRecord()
	most := min(int(c.snd.wnd)-c.flight(), c.cc.Cwnd-c.pipe(), c.env.Offload)
	n = min(int(c.burst.left)*size, unsent, most)
	if unsent <= most && unsent-n < size {
		n = unsent // what isn't a whole segment goes along with the burst
	}
	n = min(n, c.snd.queue.Together(c.snd.nxt.Sub(c.dataStart())))
	if full := n / size * size; n > full && (n < unsent || !follows && !c.maySendSmall()) {
		n = full
	}
	if n <= size {
		return size
	}
	out.Size = size
	return n
}

// recordPieces keeps account of the segments that one stands for.
func (c *Conn) recordPieces(now clock.Time, out *Segment) {
	at, end := out.Seq, out.end()
	if out.Size == 0 || end.LessEq(at.Add(out.Size)) {
		c.record(now, at, end)
		return
	}
	c.record(now, at, at.Add(out.Size))
	c.loss.board.repeatLast(out.Size, (out.Payload.Len()-1)/out.Size, end)
}
