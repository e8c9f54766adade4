package tcp

import (
	"slices"

	"hubbub/internal/pkt"
)

// reassembly holds what arrived after a gap: runs of octets in order of their
// sequence numbers, which don't overlap, and perhaps the FIN.
type reassembly struct {
	blocks  []block
	storage int // what the blocks take of the host's memory
	fin     Seq
	hasFIN  bool
	report
}

// block is a run of octets that begins at seq.
type block struct {
	seq  Seq
	view pkt.View
}

func (b block) end() Seq { return b.seq.Add(b.view.Len()) }

// hold keeps text that arrived after a gap: "Segments with higher beginning
// sequence numbers SHOULD be held for later processing (SHLD-31)."
// (RFC 9293, 3.10.7.4) The duplicate ACK goes out at once: "A TCP receiver
// SHOULD send an immediate duplicate ACK when an out-of-order segment
// arrives." (R5681-6; RFC 5681, 3.2; MAY-13)
func (c *Conn) hold(seg *Segment) {
	c.own().outOfOrder++
	c.ackNow(ReasonDuplicateACK)
	c.ack.quick = uint8(min(c.env.QuickACKs, 255))
	c.ack.dialogue = false
	if c.env.memory.pressure {
		c.pruneGaps()
	}
	gaps := c.rcv.hold(c.env)
	if len(gaps.blocks) >= max(minBlocks, int(c.rcv.limit)/blockShare) {
		c.discard(DiscardGapFull)
		return
	}
	if before, known := gaps.arrived(run{seg.Seq, seg.Seq.Add(seg.Payload.Len())}); known {
		c.dsack(before.from, before.to)
	}
	if !gaps.insert(seg.Seq, seg.Payload) {
		c.discard(DiscardDuplicate)
	}
	seg.Payload = pkt.View{}
	c.growForGap(gaps.blocks[len(gaps.blocks)-1].end())
}

// The number of blocks is bounded: by one for each blockShare octets of the
// receive buffer, since a peer that sends an octet here and there could
// otherwise make each pin a chunk.
const (
	blockShare = 256
	minBlocks  = 16
)

// hold returns the reassembly, after making one if there is none.
func (r *receiveSpace) hold(env *Env) *reassembly {
	if r.gaps == nil {
		r.gaps, env.spare = env.spare, nil
	}
	if r.gaps == nil {
		r.gaps = new(reassembly)
	}
	return r.gaps
}

// releaseReassembly drops what is held. One empty reassembly stays with the
// host for the next connection that loses a segment.
func (r *receiveSpace) releaseReassembly(env *Env) {
	if r.gaps == nil {
		return
	}
	for _, b := range r.gaps.blocks {
		b.view.Release()
	}
	clear(r.gaps.blocks)
	r.gaps.reset()
	*r.gaps = reassembly{blocks: r.gaps.blocks[:0], report: r.gaps.report}
	env.spare, r.gaps = r.gaps, nil
}

// holds reports whether something waits for a gap to fill.
func (g *reassembly) holds() bool { return len(g.blocks) > 0 || g.hasFIN }

// empty reports whether there is nothing to remember.
func (g *reassembly) empty() bool { return !g.holds() && !g.again }

// setFIN notes the number of a FIN after a gap. The first one stands.
func (g *reassembly) setFIN(at Seq) {
	if !g.hasFIN {
		g.hasFIN, g.fin = true, at
		g.arrived(run{at, at.Add(1)})
	}
}

// finIs reports whether a held FIN is next.
func (g *reassembly) finIs(next Seq) bool { return g != nil && g.hasFIN && g.fin == next }

// insert adds the octets of v, which begin at seq, as far as they are not
// there already, and reports whether any were new. What came first stays: a
// segment that says something else about the same octets changes nothing.
func (g *reassembly) insert(seq Seq, v pkt.View) bool {
	isNew := false
	for v.Len() > 0 {
		i := g.find(seq)
		if i < len(g.blocks) && g.blocks[i].seq.LessEq(seq) {
			known := min(g.blocks[i].end().Sub(seq), v.Len())
			seq, v = seq.Add(known), dropFront(v, known)
			continue
		}
		n := v.Len()
		if i < len(g.blocks) {
			n = min(n, g.blocks[i].seq.Sub(seq))
		}
		g.blocks = slices.Insert(g.blocks, i, block{seq, v.Slice(0, n).Retain()})
		g.storage += n + pkt.Overhead
		isNew = true
	}
	return isNew
}

// dropFront returns v without its first n octets; nothing keeps no reference.
func dropFront(v pkt.View, n int) pkt.View {
	if n == v.Len() {
		v.Release()
		return pkt.View{}
	}
	return v.Slice(n, v.Len())
}

// find returns the index of the first block that ends after seq.
func (g *reassembly) find(seq Seq) int {
	low, high := 0, len(g.blocks)
	for low < high {
		if mid := (low + high) / 2; g.blocks[mid].end().LessEq(seq) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// takeHeld moves what is next in the stream from the reassembly to the
// receive queue.
func (c *Conn) takeHeld() {
	g, n := c.rcv.gaps, 0
	for ; n < len(g.blocks) && g.blocks[n].seq.LessEq(c.rcv.nxt); n++ {
		b := g.blocks[n]
		g.storage -= b.view.Len() + pkt.Overhead
		c.dsackHeld(b)
		if known := c.rcv.nxt.Sub(b.seq); known >= b.view.Len() {
			b.view.Release()
		} else {
			c.take(b.view.Slice(known, b.view.Len()))
		}
	}
	g.blocks = slices.Delete(g.blocks, 0, n)
	g.delivered(c.rcv.nxt)
	c.rcv.edge = later(c.rcv.edge, c.rcv.nxt) // what was held may have gone beyond
	if g.empty() {
		c.rcv.releaseReassembly(c.env)
	}
}
