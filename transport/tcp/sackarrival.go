package tcp

import (
	"hubbub/clock"
	"hubbub/wire"
)

// takeSACK takes in the blocks of an ACK: what they cover has arrived. A
// sender keeps it all the same until SEG.ACK covers it, for the receiver may
// still throw it away (RFC 2018, 8; R2018-7).
func (c *Conn) takeSACK(now clock.Time, seg *Segment, n *news) {
	blocks := seg.Options.SACK[:seg.Options.NumSACK]
	if isDSACK(blocks, seg.Ack) {
		c.takeDSACK(blocks[0], n)
		blocks = blocks[1:]
	}
	una := later(c.snd.una, seg.Ack)
	for _, block := range blocks {
		r := run{Seq(block.Left), Seq(block.Right)}
		switch {
		case !r.from.Less(r.to) || c.snd.nxt.Less(r.to):
			c.discard(DiscardBadSACK)
		case una.Less(r.from) && c.loss.board != nil:
			c.takeBlock(now, r, seg, n)
		}
	}
}

// takeBlock marks what a block covers whole. A segment that it covers in part
// has not arrived.
func (c *Conn) takeBlock(now clock.Time, block run, seg *Segment, n *news) {
	b := c.loss.board
	for i := b.find(block.from); i < b.n && b.at(i).seq.Less(block.to); {
		next := b.step(i)
		if r := b.at(i); !r.has(isSacked) {
			if next < b.n && b.at(next).has(isSacked) {
				next = b.next(next) // while this is the first of its run
			}
			if block.from.LessEq(r.seq) && r.end.LessEq(block.to) {
				c.arrivedLater(now, i, seg, n)
			}
		}
		i = next
	}
}

// arrivedLater notes that a segment has arrived after a gap.
func (c *Conn) arrivedLater(now clock.Time, i int, seg *Segment, n *news) {
	b := c.loss.board
	r := b.at(i)
	c.deliveredRecord(now, r, seg, n)
	if !r.has(isRepeat) {
		if n.sackFirst == 0 {
			n.sackFirst = max(r.at, 1)
		}
		n.sackLast = max(r.at, 1)
		if r.end.LessEq(c.loss.high) {
			n.original = true
		}
	}
	n.sacked = true
	b.sack(i)
}

// deliveredRecord notes that a segment has arrived, by whichever kind of
// acknowledgment.
//
// "If a never-retransmitted segment that's below RACK.fack is (selectively or
// cumulatively) acknowledged, it has been delivered out of order."
// (RFC 8985, 6.2)
func (c *Conn) deliveredRecord(now clock.Time, r *sent, seg *Segment, n *news) {
	c.countDelivered(r, n)
	c.rackDelivered(now, r, seg)
	n.stampArrived(r)
}

// countDelivered counts a segment that is newly known to have arrived, and notes if
// others have overtaken it.
func (c *Conn) countDelivered(r *sent, n *news) {
	n.delivered += r.size()
	c.count.delivered++
	if !r.has(isRepeat) && r.seq.Less(n.fack) && r.seq.Less(n.reordered) {
		n.reordered = r.seq
	}
}

// isDSACK: "If the SACK block is for a segment below the cumulative
// acknowledgement, or is a subset of the second SACK block, then it is a
// D-SACK block" (RFC 2883, 5).
func isDSACK(blocks []wire.SACKBlock, acked Seq) bool {
	first := run{Seq(blocks[0].Left), Seq(blocks[0].Right)}
	if first.from.Less(acked) {
		return true
	}
	return len(blocks) > 1 && Seq(blocks[1].Left).LessEq(first.from) && first.to.LessEq(Seq(blocks[1].Right))
}

// takeDSACK takes in that something arrived twice. That says that it was sent
// again without need, if it was sent again: what the network has doubled, or
// somebody has made up, doesn't count.
func (c *Conn) takeDSACK(block wire.SACKBlock, n *news) {
	r := run{Seq(block.Left), Seq(block.Right)}
	size := r.to.Sub(r.from)
	if size <= 0 || size > int(c.snd.maxWnd) || c.snd.nxt.Less(r.to) {
		c.discard(DiscardBadSACK)
		return
	}
	h := c.past()
	segments := uint32(size+int(c.snd.mss)-1) / uint32(c.snd.mss)
	h.duplicates += segments
	n.probeTwice = h.probing && r.to == h.probeEnd
	if h.duplicates > c.rare.retransmissions {
		return
	}
	n.dsack = true
	if h.undo && h.undoSegments > 0 && h.undoFrom.Less(r.to) {
		h.undoSegments = max(0, h.undoSegments-int32(segments))
	}
}
