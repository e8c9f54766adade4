package tcp

import (
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// The control bits, under short names.
const (
	fin = wire.FIN
	syn = wire.SYN
	rst = wire.RST
	psh = wire.PSH
	ack = wire.ACK
	urg = wire.URG
)

// A Segment is what one TCP endpoint says to the other: a piece of the stream
// and the state of the conversation. Ports and checksum are the affair of
// whoever puts it into a packet.
type Segment struct {
	Seq     Seq
	Ack     Seq // only with the ACK bit
	Flags   wire.TCPFlags
	Window  uint16 // as on the wire: not shifted by the window scale
	Urgent  uint16 // only with the URG bit: octets from Seq to the end of urgent data
	Options wire.TCPOptions
	Payload pkt.View
	ECN     uint8 // of the IP header: ECNNone, ECNCapable, ECNMarked, or 1 for ECT(1)

	// Size is not zero of a segment that stands for several, as segmentation
	// offload has them: each has so many octets of the payload, the last what
	// is left.
	Size int

	// Of a segment that is being sent: why, and whether its octets were sent
	// before. Neither is on the wire.
	Reason         Reason
	Retransmission bool
}

// Len returns how much of the sequence space the segment takes: its octets,
// and one each for SYN and FIN (RFC 9293, 3.4).
func (s *Segment) Len() int {
	n := s.Payload.Len()
	if s.Flags.Has(syn) {
		n++
	}
	if s.Flags.Has(fin) {
		n++
	}
	return n
}

// pieces returns how many segments this one stands for.
func (s *Segment) pieces() int {
	if s.Size == 0 {
		return 1
	}
	return max(1, (s.Payload.Len()+s.Size-1)/s.Size)
}

// endsSmall reports whether the last of the segments that it stands for isn't full.
func (s *Segment) endsSmall(mss int) bool {
	if s.Size > 0 {
		return s.Payload.Len()%s.Size > 0
	}
	return s.Payload.Len() < mss
}

// end returns the sequence number that follows the segment.
func (s *Segment) end() Seq { return s.Seq.Add(s.Len()) }

// drop releases the payload, as far as nobody has taken it over.
func (s *Segment) drop() {
	s.Payload.Release()
	s.Payload = pkt.View{}
}

// trimFront cuts off what comes before the sequence number from: the SYN first,
// then octets. From must not be after the segment's end.
func (s *Segment) trimFront(from Seq) {
	n := from.Sub(s.Seq)
	if n <= 0 {
		return
	}
	s.Seq = from
	s.moveUrgent(n)
	if s.Flags.Has(syn) {
		s.Flags &^= syn
		n--
	}
	s.cut(min(n, s.Payload.Len()), s.Payload.Len())
}

// moveUrgent keeps the urgent pointer on its octet when the segment begins n
// octets later.
func (s *Segment) moveUrgent(n int) {
	if int(s.Urgent) <= n {
		s.Flags &^= urg
	}
	s.Urgent -= min(s.Urgent, uint16(min(n, 0xffff)))
}

// trimBack cuts off what comes at and after the sequence number edge: the FIN
// first, then octets.
func (s *Segment) trimBack(edge Seq) {
	n := s.end().Sub(edge)
	if n <= 0 {
		return
	}
	if s.Flags.Has(fin) {
		s.Flags &^= fin
		n--
	}
	s.cut(0, max(0, s.Payload.Len()-n))
}

// cut keeps the octets of the payload from i up to j.
func (s *Segment) cut(i, j int) {
	if i >= j {
		s.drop()
		return
	}
	s.Payload = s.Payload.Slice(i, j)
}

// ResetFor returns the reset that answers a segment for which there is no
// connection, and false if it deserves none. The octets of the segment remain
// the caller's.
//
// "If the state is CLOSED (i.e., TCB does not exist), then all data in the
// incoming segment is discarded. An incoming segment containing a RST is
// discarded. An incoming segment not containing a RST causes a RST to be sent
// in response." (RFC 9293, 3.10.7.1)
func ResetFor(seg *Segment) (Segment, bool) {
	if seg.Flags.Has(rst) {
		return Segment{}, false
	}
	return resetFor(seg, ReasonClosedPort), true
}

// resetFor returns a reset that the sender of seg accepts: "The
// acknowledgment and sequence field values are selected to make the reset
// sequence acceptable to the TCP endpoint that sent the offending segment."
// (RFC 9293, 3.10.7.1)
func resetFor(seg *Segment, why Reason) Segment {
	if seg.Flags.Has(ack) {
		return Segment{Seq: seg.Ack, Flags: rst, Reason: why}
	}
	return Segment{Ack: seg.end(), Flags: rst | ack, Reason: why}
}
