package tcp

import (
	"slices"

	"hubbub/wire"
)

// A run is a piece of the sequence space, from its first number up to, and
// without, its last.
type run struct{ from, to Seq }

// holds reports whether the number is in the run.
func (r run) holds(s Seq) bool { return s.Between(r.from, r.to) }

// report is what a receiver has to tell by selective acknowledgments: which
// runs of the sequence space have arrived after a gap, and what came twice.
type report struct {
	runs   []run                   // in order; they neither overlap nor touch
	recent [wire.MaxSACKBlocks]Seq // one number from each of the runs that grew last, the latest first
	told   uint8                   // how many of recent mean something
	twice  run                     // what arrived again, to be told once
	again  bool                    // something is in twice
}

// arrived adds a run, and returns what of it was there before: the first such
// piece, or nothing.
func (p *report) arrived(r run) (before run, known bool) {
	i := p.runFrom(r.from)
	j := i
	whole := r
	for ; j < len(p.runs) && p.runs[j].from.LessEq(r.to); j++ {
		old := p.runs[j]
		if from, to := later(old.from, r.from), earlier(old.to, r.to); !known && from.Less(to) {
			before, known = run{from, to}, true
		}
		whole = run{earlier(whole.from, old.from), later(whole.to, old.to)}
	}
	p.runs = slices.Replace(p.runs, i, j, whole)
	p.newest(r.from, whole)
	return before, known
}

// runFrom returns the index of the first run that ends at the number or later.
func (p *report) runFrom(s Seq) int {
	low, high := 0, len(p.runs)
	for low < high {
		if mid := (low + high) / 2; p.runs[mid].to.Less(s) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// newest puts a run first among those to be told.
func (p *report) newest(s Seq, r run) {
	kept := 1
	list := [wire.MaxSACKBlocks]Seq{s}
	for _, other := range p.recent[:p.told] {
		if kept < len(list) && !r.holds(other) {
			list[kept] = other
			kept++
		}
	}
	p.recent, p.told = list, uint8(kept)
}

// delivered forgets what lies before RCV.NXT. Where there is room then to tell
// runs that were crowded out before, they are told again.
func (p *report) delivered(next Seq) {
	n := 0
	for n < len(p.runs) && p.runs[n].to.LessEq(next) {
		n++
	}
	p.runs = slices.Delete(p.runs, 0, n)
	kept := 0
	for _, s := range p.recent[:p.told] {
		if next.LessEq(s) {
			p.recent[kept] = s
			kept++
		}
	}
	for _, r := range p.runs {
		if kept < len(p.recent) && !slices.ContainsFunc(p.recent[:kept], r.holds) {
			p.recent[kept] = r.from
			kept++
		}
	}
	p.told = uint8(kept)
}

// reset forgets all.
func (p *report) reset() { *p = report{runs: p.runs[:0]} }

// dsack notes what arrived a second time, to be told with the next ACK.
//
// "A D-SACK block is only used to report a duplicate contiguous sequence of
// data received by the receiver in the most recent packet." (RFC 2883, 4)
func (c *Conn) dsack(from, to Seq) {
	if c.sackOK && c.env.DSACK && from.Less(to) {
		gaps := c.rcv.hold(c.env)
		gaps.twice, gaps.again = run{from, to}, true
	}
}

// dsackHeld notes that what was held has come again, by a segment that fills a
// gap and more: up to RCV.NXT. Of several pieces the first is told, with what
// touches it.
func (c *Conn) dsackHeld(b block) {
	g, to := c.rcv.gaps, earlier(b.end(), c.rcv.nxt)
	switch {
	case !b.seq.Less(to):
	case !g.again:
		c.dsack(b.seq, to)
	case g.twice.to == b.seq:
		g.twice.to = to
	}
}

// sackBlocks fills in what a segment tells of gaps and duplicates, as far as
// there is room beside n octets of payload.
//
// "If sent at all, SACK options SHOULD be included in all ACKs which do not
// ACK the highest sequence number in the data receiver's queue." (R2018-3) "The first
// SACK block ... MUST specify the contiguous block of data containing the
// segment which triggered this ACK" (R2018-4), "The data receiver SHOULD include as
// many distinct SACK blocks as possible in the SACK option." (R2018-5; RFC 2018, 4)
//
// "If the receiver ... has received a duplicate ... the first block of the
// SACK option should specify the sequence numbers of the segment that
// triggered the acknowledgement." (RFC 2883, 4; R2883-1)
//
// "If the data receiver has not received a SACK-Permitted option for a given
// connection, it MUST NOT send SACK options on that connection."
// (RFC 2018, 4; R2018-2)
func (c *Conn) sackBlocks(o *wire.TCPOptions, n int) {
	if !c.sackOK {
		return
	}
	gaps := c.rcv.gaps
	room := wire.MaxTCPOptionsLen - o.Len()
	if n > 0 {
		room = min(room, int(c.snd.mss)-n)
	}
	most := (room - sackBase) / sackBlock
	if gaps.again && most > 0 {
		o.AddSACK(uint32(gaps.twice.from), uint32(gaps.twice.to))
	}
	for _, s := range gaps.recent[:gaps.told] {
		if int(o.NumSACK) >= most {
			break
		}
		if r := gaps.runs[gaps.runFrom(s)]; r.holds(s) {
			o.AddSACK(uint32(r.from), uint32(r.to))
		}
	}
	gaps.twice, gaps.again = run{}, false
	if gaps.empty() {
		c.rcv.releaseReassembly(c.env)
	}
}

// What the option takes: with its padding, and for each block.
const (
	sackBase  = 4
	sackBlock = 8
)

// sackLen returns what selective acknowledgments take of a full segment.
func (c *Conn) sackLen() int {
	gaps := c.rcv.gaps
	if gaps == nil || !c.sackOK {
		return 0
	}
	blocks := int(gaps.told)
	if gaps.again {
		blocks++
	}
	most := wire.MaxSACKBlocks
	if c.stamped {
		most-- // "a maximum of 3 SACK blocks will be allowed in this case" (RFC 2018, 3)
	}
	return sackBase + sackBlock*min(blocks, most)
}
