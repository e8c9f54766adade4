package tcp

import (
	"hubbub/clock"
	"hubbub/wire"
)

// ecn is the state of explicit congestion notification (SHLD-8; RFC 3168, 6):
// routers mark packets instead of losing them, the receiver echoes the mark,
// and the sender reduces its window.
type ecn uint8

const (
	ecnOffered ecn = 1 << iota // our SYN asked for it
	ecnOK                      // both ends have agreed on it
	ecnEcho                    // a mark has arrived: ECE goes out until CWR comes
	ecnReduced                 // the window was reduced: CWR goes out with the next new data
)

// The codepoints of the ECN field in IP headers (RFC 3168, 5), in
// [Segment.ECN].
const (
	ECNNone    = 0 // the transport doesn't heed marks
	ECNCapable = 2 // ECT(0): it does
	ECNMarked  = 3 // CE: congestion experienced
)

// ecnSetup are the bits of a SYN that asks for ECN.
const ecnSetup = wire.ECE | wire.CWR

// offerECN returns the bits of our SYN: "Before a TCP connection can use ECN,
// Host A sends an ECN-setup SYN packet" (RFC 3168, 6.1.1). Where the network
// throws such SYNs away, the next one must do without: "A host that receives no
// reply to an ECN-setup SYN within the normal SYN retransmission timeout
// interval MAY resend the SYN and any subsequent SYN retransmissions with CWR
// and ECE cleared" (RFC 3168, 6.1.1.1).
func (c *Conn) offerECN() wire.TCPFlags {
	if c.env.ECN != ECNAsk || c.synLost && c.env.ECNFallback {
		c.ecn &^= ecnOffered
		return 0
	}
	c.ecn |= ecnOffered
	return ecnSetup
}

// The values of Config.ECN, Linux's.
const (
	ECNOff    = 0 // never
	ECNAsk    = 1 // ask for it, and agree when asked
	ECNAccept = 2 // agree when asked
)

// agreeECN decides whether a connection uses ECN when a SYN or SYN-ACK has come.
//
// "If a host has received an ECN-setup SYN packet, then it MAY send an ECN-setup
// SYN-ACK packet. Otherwise, it MUST NOT" (RFC 3168, 6.1.1): that has ECE
// without CWR, since some hosts just reflect what they get. A SYN that is itself ECN-capable comes from a host
// that means something else, or through a network that breaks the field; it is
// not agreed to, as on Linux.
func (c *Conn) agreeECN(seg *Segment) {
	bits := seg.Flags & ecnSetup
	agreed := bits == ecnSetup && seg.ECN == ECNNone && c.env.ECN != ECNOff
	if c.state == StateSynSent {
		agreed = bits == ecnSetup
		if seg.Flags.Has(ack) {
			agreed = bits == wire.ECE
		}
		agreed = agreed && c.ecn&ecnOffered != 0
	}
	if agreed {
		c.ecn |= ecnOK
	}
}

// replyECN returns the bit of our SYN-ACK.
func (c *Conn) replyECN() wire.TCPFlags {
	if c.ecn&ecnOK != 0 {
		return wire.ECE
	}
	return 0
}

// markNew makes a segment with new data ECN-capable, and tells with it that the
// window was reduced.
//
// "When the TCP data sender is ready to set the CWR bit after reducing the
// congestion window, it SHOULD set the CWR bit only on the first new data packet
// that it transmits" (RFC 3168, 6.1.2), for the receiver to stop echoing.
// "ECN-capable TCP implementations MUST NOT set either
// ECT codepoint (ECT(0) or ECT(1)) in the IP header for retransmitted data
// packets" (RFC 3168, 6.1.5), nor in pure acknowledgments (6.1.4) or window
// probes (6.1.6): nobody would see it if those were lost instead.
func (c *Conn) markNew(out *Segment) {
	if c.ecn&ecnOK == 0 || out.Payload.Len() == 0 {
		return
	}
	out.ECN = ECNCapable
	if c.ecn&ecnReduced != 0 {
		c.ecn &^= ecnReduced
		out.Flags |= wire.CWR
	}
}

// arrivedMarked takes in what a segment with text says about congestion.
//
// "When TCP receives a CE data packet at the destination end-system, the TCP
// data receiver sets the ECN-Echo flag in the TCP header of the subsequent ACK
// packet", and so "in a series of ACK packets": "After the receipt of the CWR
// packet, acknowledgments for subsequent non-CE data packets will not have the
// ECN-Echo flag set" (RFC 3168, 6.1.3). As on Linux both are acknowledged
// without delay.
func (c *Conn) arrivedMarked(seg *Segment) {
	if c.ecn&ecnOK == 0 {
		return
	}
	if seg.Flags.Has(wire.CWR) {
		c.ecn &^= ecnEcho
		c.ackNow(ReasonReduced)
	}
	if seg.ECN == ECNMarked {
		c.own().marked++
		if c.ecn&ecnEcho == 0 {
			c.ackNow(ReasonMarked)
			c.ack.quick = max(c.ack.quick, 2)
		}
		c.ecn |= ecnEcho
	}
}

// echoed reports whether an ACK tells that something was marked.
func (c *Conn) echoed(seg *Segment) bool {
	return c.ecn&ecnOK != 0 && seg.Flags.Has(wire.ECE) && !seg.Flags.Has(syn)
}

// congestionTold reduces the window because something was marked.
//
// "If the sender receives an ECN-Echo (ECE) ACK packet ..., then the sender
// knows that congestion was encountered in the network on the path from the
// sender to the receiver. The indication of congestion should be treated just
// as a congestion loss in non-ECN-Capable TCP. ... TCP does not react to
// congestion indications more than once every window of data (or more loosely,
// more than once every round-trip time)." (RFC 3168, 6.1.2)
//
// Congestion is certain then: nothing is undone.
func (c *Conn) congestionTold(now clock.Time, n *news) {
	if h := c.past(); c.loss.phase <= PhaseDisorder {
		h.priorSsthresh, h.undo = 0, false
		c.beginReduction(now, n)
		c.loss.phase = PhaseCWR
		c.tellCongestion("the network has marked a packet (ECN)")
	} else {
		h.priorSsthresh = 0
	}
}

// tellReduced lets the peer know that the window was reduced, whatever the
// reason: "When an ECN-Capable TCP sender reduces its congestion window for any
// reason (because of a retransmit timeout, a Fast Retransmit, or in response to
// an ECN Notification), the TCP sender sets the CWR flag in the TCP header of
// the first new data packet sent after the window reduction." (RFC 3168, 6.1.2)
func (c *Conn) tellReduced() {
	if c.ecn&ecnOK != 0 {
		c.ecn |= ecnReduced
	}
}
