package tcp

// Without selective acknowledgments a sender counts duplicate ACKs, and takes
// each as a report that one more segment has arrived (RFC 6582, 3.2).

// isDuplicateACK: "An acknowledgment is considered a "duplicate" ... when (a)
// the receiver of the ACK has outstanding data, (b) the incoming
// acknowledgment carries no data, (c) the SYN and FIN bits are both off, (d)
// the acknowledgment number is equal to the greatest acknowledgment received
// on the given connection ... and (e) the advertised window in the incoming
// acknowledgment equals the advertised window in the last incoming
// acknowledgment." (RFC 5681, 2)
//
// Answers to zero-window probes look the same and mean something else.
func (c *Conn) isDuplicateACK(seg *Segment) bool {
	return c.flight() > 0 && seg.Len() == 0 && seg.Ack == c.snd.una &&
		uint32(seg.Window)<<c.snd.shift == c.snd.wnd && c.snd.wnd > 0 && !c.persist.active
}

// renoDuplicate counts a duplicate ACK: a segment has left the network and
// arrived after a gap. There can't be more of them than segments in flight,
// less the one that is missing.
func (c *Conn) renoDuplicate(n *news) {
	b := c.loss.board
	if c.sackOK || b == nil {
		return
	}
	segments := min(int(b.sacked.segments)+1, b.n-max(int(b.lost.segments), 1))
	c.renoCount(segments, n)
}

// renoCount sets how many segments are thought to have arrived after a gap.
func (c *Conn) renoCount(segments int, n *news) {
	b := c.loss.board
	room := c.flight() - int(b.lost.octets)
	if b.lost.segments == 0 && b.n > 0 {
		room -= b.at(0).size()
	}
	octets := max(0, min(segments*int(c.snd.mss), room))
	n.delivered += max(0, octets-int(b.sacked.octets))
	b.sacked = tally{octets: int32(octets), segments: int32(max(0, segments))}
}

// renoAcked takes the segments that an ACK covers off those that were thought
// to have arrived: one of them was the missing one.
func (c *Conn) renoAcked(n *news, segments int) {
	b := c.loss.board
	if c.sackOK || b == nil || b.sacked.segments == 0 {
		return
	}
	known := min(int(b.sacked.octets), max(0, n.acked-int(c.snd.mss)))
	n.delivered -= known
	left := max(0, int(b.sacked.segments)-max(0, segments-1))
	b.sacked = tally{}
	var ignored news
	c.renoCount(min(left, b.n-1), &ignored)
}

// renoForget forgets the duplicate ACKs.
func (c *Conn) renoForget() {
	if b := c.loss.board; b != nil && !c.sackOK {
		b.sacked = tally{}
	}
}

// renoDetect: the first segment is lost after three duplicate ACKs, and after
// each partial ACK in recovery.
//
// "When the third duplicate ACK is received, the TCP sender first checks the
// value of recover to see if the Cumulative Acknowledgment field covers more
// than recover": the duplicates may else come from segments that were sent
// again without need. "If this ACK does *not* acknowledge all of the data up
// to and including recover, then this is a partial ACK. In this case,
// retransmit the first unacknowledged segment." (RFC 6582, 3.2) "The TCP sender
// SHOULD use the "fast retransmit" algorithm to detect and repair loss"
// (R5681-8; RFC 5681, 3.2).
func (c *Conn) renoDetect(n *news) {
	b := c.loss.board
	third := c.loss.phase < PhaseRecovery && int(b.sacked.segments) >= c.dupThresh() && c.loss.high.Less(c.snd.una)
	partial := c.loss.phase == PhaseRecovery && n.acked > 0
	if r := b.at(0); (third || partial) && !r.has(isLost) {
		c.loses(r, n)
		if partial {
			c.loss.why = ReasonPartialACK
			c.tellCongestion("a partial ACK")
		}
	}
}
