package tcp

import "hubbub/clock"

// HandleSegment takes in a segment that arrived, in the order of steps of
// RFC 9293, 3.10.7. It takes over the payload's reference and uses the
// segment up.
func (c *Conn) HandleSegment(now clock.Time, seg *Segment) {
	pieces := uint32(seg.pieces())
	c.count.segmentsIn += pieces
	if seg.Payload.Len() > 0 {
		c.count.dataIn += pieces
	}
	switch c.state {
	case StateClosed:
		c.discard(DiscardClosed)
	case StateSynSent:
		c.arriveSynSent(now, seg)
	case StateTimeWait:
		c.arriveTimeWait(now, seg)
	default:
		if !c.arrivePlain(now, seg) {
			c.arrive(now, seg)
		}
	}
	seg.drop()
	c.account()
}

// arrive is RFC 9293, 3.10.7.4. Each step reports whether the segment goes on
// to the next one.
func (c *Conn) arrive(now clock.Time, seg *Segment) {
	if c.checkTimestamp(now, seg) &&
		c.checkSequence(now, seg) &&
		c.checkReset(now, seg) &&
		c.checkSYN(now, seg) &&
		c.checkACK(now, seg) {
		c.processRest(now, seg)
	}
}

// processRest is the steps from the sixth on, which a SYN-ACK in SYN-SENT
// goes through as well. What is beyond the window is cut off here: an ACK that
// came with it counts, and one that was turned away gets no other answer.
func (c *Conn) processRest(now clock.Time, seg *Segment) {
	if c.rcv.edge.Less(seg.end()) {
		c.trimToWindow(seg)
	}
	end := seg.end()
	c.checkURG(now, seg)
	c.processText(now, seg)
	c.checkFIN(now, seg, end)
}

// checkTimestamp comes before all others, and is not for resets (R7323-14;
// RFC 7323, 5.2).
//
// "R1) If there is a Timestamps option in the arriving segment,
// SEG.TSval < TS.Recent, TS.Recent is valid ... and if the RST bit is not
// set, then treat the arriving segment as not acceptable: Send an
// acknowledgment in reply as specified in Section 3.9 of [RFC0793], page 69,
// and drop the segment." (R7323-13; RFC 7323, 5.3)
//
// "R3) If an arriving segment satisfies SEG.TSval >= TS.Recent and SEG.SEQ <=
// Last.ACK.sent (see Section 4.3), then record its timestamp in TS.Recent."
// (R7323-11; so an ACK that was delayed echoes the first of what it answers,
// R7323-12.) That is in [Conn.checkACK], for the segment must be acceptable first, and
// as on Linux so must its acknowledgment: nobody who knows only the one sets TS.Recent.
func (c *Conn) checkTimestamp(now clock.Time, seg *Segment) bool {
	switch {
	case !c.stamped || seg.Flags.Has(rst):
		return true
	case !seg.Options.Timestamps && c.env.TakeUnstamped:
		return true
	case !seg.Options.Timestamps:
		// "If a non-<RST> segment is received without a TSopt, a TCP SHOULD
		// silently drop the segment." (R7323-8; RFC 7323, 3.2)
		c.discard(DiscardNoTimestamp)
		return false
	case c.ts.tooOld(now, seg.Options.TSVal) && !c.overtakenACK(seg):
		c.discard(DiscardOldTimestamp)
		c.answerInvalid(now, seg, ReasonOldDuplicate)
		return false
	}
	return true
}

// overtakenACK reports whether a segment with an old timestamp is an ACK that
// others have overtaken on the way, and that tells something all the same, by
// its selective acknowledgments. It can do no harm, and as in Linux it passes.
func (c *Conn) overtakenACK(seg *Segment) bool {
	age := int64(int32(c.ts.recent-seg.Options.TSVal)) * int64(tick)
	return c.sackOK && seg.Options.NumSACK > 0 && seg.Flags.Has(ack) && seg.Len() == 0 &&
		seg.Seq == c.rcv.nxt && age <= int64(c.rtt.rto) &&
		(seg.Ack.Less(c.snd.una) || seg.Ack == c.snd.una && uint32(seg.Window)<<c.snd.shift == c.snd.wnd)
}

// checkSequence is the first step: whether any of the segment is in the
// window. It cuts off what came before.
//
// "If a segment's contents straddle the boundary between old and new, only
// the new parts are processed." (RFC 9293, 3.10.7.4)
func (c *Conn) checkSequence(now clock.Time, seg *Segment) bool {
	if c.state == StateSynReceived && seg.Flags.Has(syn) && seg.Seq == c.rcv.irs && !c.repeatedSYN(now, seg) {
		return false
	}
	if seg.Flags.Has(rst) {
		// "TCP implementations SHOULD allow a received RST segment to include
		// data (SHLD-2)." (RFC 9293, 3.5.3)
		seg.drop()
	}
	if !c.acceptable(seg) {
		c.unacceptable(now, seg)
		return false
	}
	if seg.Flags.Has(syn) {
		return true // not to be trimmed: it is answered, wherever it is
	}
	c.env.current = c.stamped && seg.Options.Timestamps && seg.Seq.LessEq(c.rcv.acked) && !c.ts.tooOld(now, seg.Options.TSVal)
	if seg.Seq.Less(c.rcv.nxt) {
		c.dsack(seg.Seq, earlier(c.rcv.nxt, seg.Seq.Add(seg.Payload.Len())))
	}
	seg.trimFront(c.rcv.nxt)
	return true
}

// repeatedSYN handles the peer's SYN when it comes again in SYN-RECEIVED: the
// SYN-ACK was lost, and is repeated. In a simultaneous open it comes with an
// ACK, which counts (RFC 9293, 3.5), and reports true. To a connection that came
// from LISTEN it is a SYN outside the window.
func (c *Conn) repeatedSYN(now clock.Time, seg *Segment) bool {
	switch {
	case seg.Flags.Has(ack) && c.passive:
		return true
	case seg.Flags.Has(ack):
		seg.Window >>= c.snd.shift // not scaled, but no longer in a SYN
		seg.trimFront(c.rcv.nxt)
		return true
	}
	c.discard(DiscardDuplicate)
	if c.mayAnswer(now) {
		c.synDue, c.synLost = true, true
	}
	return false
}

// acceptable is the test of RFC 9293, 3.4:
//
//	Segment  Receive  Test
//	Length   Window
//	   0        0     SEG.SEQ = RCV.NXT
//	   0       >0     RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND
//	  >0        0     not acceptable
//	  >0       >0     RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND
//	               or RCV.NXT =< SEG.SEQ+SEG.LEN-1 < RCV.NXT+RCV.WND
//
// "If the RCV.WND is zero, no segments will be acceptable, but special
// allowance should be made to accept valid ACKs, URGs, and RSTs"
// (MUST-66; RFC 9293, 3.10.7.4): a segment that begins at RCV.NXT passes, and loses its
// text. So does an ACK at the window's right edge, as in Linux: that is where a
// peer which has filled the window sends its ACKs from, and they count even if
// a segment before was lost.
func (c *Conn) acceptable(seg *Segment) bool {
	if seg.Seq == c.rcv.nxt || seg.Seq.Between(c.rcv.nxt, c.rcv.edge) {
		return true
	}
	n := seg.Len()
	if n == 0 {
		return seg.Seq == c.rcv.edge && !seg.Flags.Has(rst)
	}
	return seg.Seq.Add(n-1).Between(c.rcv.nxt, c.rcv.edge)
}

// unacceptable: "If an incoming segment is not acceptable, an acknowledgment
// should be sent in reply (unless the RST bit is set, if so drop the segment
// and return): <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>" (RFC 9293, 3.10.7.4; of a
// reset outside the window likewise R5961-2)
func (c *Conn) unacceptable(now clock.Time, seg *Segment) {
	switch {
	case seg.Flags.Has(rst):
		c.discard(DiscardResetOutside)
	case seg.Flags.Has(syn):
		c.checkSYN(now, seg)
	case seg.Seq.Less(c.rcv.nxt):
		c.discard(DiscardDuplicate)
		c.dsack(seg.Seq, earlier(c.rcv.nxt, seg.end()))
		c.answerInvalid(now, seg, ReasonUnacceptable)
	default:
		c.discard(DiscardBeyondWindow)
		c.answerInvalid(now, seg, ReasonUnacceptable)
	}
}

// trimToWindow cuts off what is to the right of the window, and lets the peer
// know where that is. "One could tailor actual segments to fit this assumption by
// trimming off any portions that lie outside the window" (RFC 9293, 3.10.7.4): as
// on Linux a segment may go beyond while nothing waits to be read. What it holds
// needn't come again.
func (c *Conn) trimToWindow(seg *Segment) {
	switch {
	case seg.Seq.Add(seg.Payload.Len()).LessEq(c.rcv.edge):
		return // only the FIN is beyond, and that needs no room
	case c.mayGoBeyond(seg):
		if seg.Seq == c.rcv.nxt {
			c.rcv.edge = seg.Seq.Add(seg.Payload.Len())
		}
		return
	}
	c.discard(DiscardBeyondWindow)
	seg.trimBack(c.rcv.edge)
	c.ackNow(ReasonWindowFull)
}

// mayGoBeyond reports whether a segment is taken though it is longer than the
// window: as far as the buffer takes it. The text of a SYN-ACK isn't: it has the
// SYN's window, unscaled.
func (c *Conn) mayGoBeyond(seg *Segment) bool {
	ofSynACK := !c.passive && seg.Seq == c.rcv.irs.Add(1)
	if ofSynACK || c.rcv.window() <= 0 || c.rcv.queue.Len() > 0 || !c.state.canReceive() {
		return false
	}
	g := c.rcv.gaps
	if g == nil && seg.Seq == c.rcv.nxt {
		return true
	}
	return g.size()+seg.Payload.Len() <= int(c.rcv.buffer)
}

// checkReset is the second step (RFC 9293, 3.10.7.4): only a reset at exactly
// RCV.NXT is believed (R5961-1; RFC 5961, 3.2).
func (c *Conn) checkReset(now clock.Time, seg *Segment) bool {
	if !seg.Flags.Has(rst) {
		return true
	}
	if seg.Seq != c.rcv.nxt {
		// "If the RST bit is set and the sequence number does not exactly
		// match the next expected sequence value, yet is within the current
		// receive window, TCP endpoints MUST send an acknowledgment
		// (challenge ACK)".
		c.discard(DiscardResetBeside)
		c.challenge(now, ReasonChallengeReset)
		return false
	}
	switch c.state {
	case StateSynReceived:
		if c.passive {
			c.fail(now, ErrReset, "reset while half open: back to LISTEN")
		} else {
			c.fail(now, ErrRefused, "the peer refused")
		}
	case StateCloseWait:
		c.fail(now, ErrResetClosing, "the peer reset the connection")
	default:
		// In CLOSING and LAST-ACK too: the peer hasn't got all of what was
		// sent, or has thrown it away.
		c.fail(now, ErrReset, "the peer reset the connection")
	}
	return false
}

// checkSYN is the fourth step (the third, security, is IP's).
//
// "RFC 5961 recommends that in these synchronized states, if the SYN bit is
// set, irrespective of the sequence number, TCP endpoints MUST send a
// "challenge ACK" to the remote peer" (R5961-3; RFC 9293, 3.10.7.4).
func (c *Conn) checkSYN(now clock.Time, seg *Segment) bool {
	if !seg.Flags.Has(syn) {
		return true
	}
	c.discard(DiscardSYN)
	if c.state == StateSynReceived && c.passive && c.acceptable(seg) {
		// "If the connection was initiated with a passive OPEN, then return
		// this connection to the LISTEN state and return."
		c.fail(now, ErrReset, "another SYN while half open: back to LISTEN")
		return false
	}
	c.challenge(now, ReasonChallengeSYN)
	return false
}

// challenge sends an ACK that a peer which really lost the connection answers
// with a reset that will be believed, and an attacker never sees. A connection
// sends one in Config.InvalidACKInterval, a host Config.ChallengeACKs in a
// second (R5961-5; RFC 5961, 7): by the first limit one connection can't use up
// what is there for all, as Linux has it.
func (c *Conn) challenge(now clock.Time, why Reason) {
	if !answerDue(c.env, now, c.lastInvalid()) || !c.env.allowChallenge(now) {
		c.discard(DiscardRateLimited)
		return
	}
	c.ackNow(why)
}

// answerInvalid sends an ACK in answer to an unacceptable segment. Answers to
// bare ACKs are limited: two ends that disagree about the sequence numbers
// would answer each other's answers for ever.
func (c *Conn) answerInvalid(now clock.Time, seg *Segment, why Reason) {
	switch {
	case seg.Flags.Has(syn):
		c.challenge(now, why)
	case seg.Len() > 0 || c.mayAnswer(now):
		c.ackNow(why)
	}
}

// mayAnswer reports whether an invalid segment may be answered again.
func (c *Conn) mayAnswer(now clock.Time) bool {
	if !answerDue(c.env, now, c.lastInvalid()) {
		c.discard(DiscardRateLimited)
		return false
	}
	return true
}

// answerDue reports whether the last answer, at *last, is long enough ago, and
// notes this one.
func answerDue(env *Env, now clock.Time, last *clock.Time) bool {
	if *last != clock.Never && now.Sub(*last) < env.InvalidACKInterval {
		return false
	}
	*last = max(now, 1)
	return true
}
