package frag

import (
	"fmt"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Splitter6 gives the fragments of one IPv6 packet. Only its source cuts a
// packet (RFC 8200, 4.5).
type Splitter6 struct {
	head    Head6
	payload pkt.View // of the whole
	next    int      // what of the payload was given out
	mtu     int
}

// Split6 prepares to cut a packet into fragments of at most mtu bytes, headers
// included, that are told apart by id. h has the packet's headers: Before
// those that every fragment is to have, in the last of which, or else in
// h.NextHeader, the first header of the payload is named. The caller keeps the
// payload until the last fragment was polled. It returns an error if mtu
// leaves no room for 8 bytes of payload.
func Split6(h Head6, payload pkt.View, mtu int, id uint32) (Splitter6, error) {
	s := Splitter6{head: h, payload: payload, mtu: mtu}
	if s.room() < unit {
		return Splitter6{}, fmt.Errorf("an MTU of %d bytes: %d of headers and %d of payload don't fit",
			mtu, mtu-s.room(), unit)
	}
	s.head.Fragment = wire.Fragment{NextHeader: h.NextHeader, ID: id}
	if h.Named >= 0 {
		s.head.Fragment.NextHeader = wire.Protocol(h.Before[h.Named])
	}
	return s, nil
}

// room returns how much payload goes into a fragment.
func (s *Splitter6) room() int {
	return s.mtu - wire.IPv6HeaderLen - len(s.head.Before) - wire.FragmentHeaderLen
}

// Next returns the headers of the next fragment, of which Before still names
// what it did in the whole, and its payload with a reference of its own.
func (s *Splitter6) Next() (h Head6, payload pkt.View, ok bool) {
	left := s.payload.Len() - s.next
	if left <= 0 {
		return Head6{}, pkt.View{}, false
	}
	h = s.head
	n := fit(left, s.room())
	h.Fragment.Offset, h.Fragment.More = s.next, n < left
	h.PayloadLen = len(h.Before) + wire.FragmentHeaderLen + n
	payload = s.payload.Slice(s.next, s.next+n).Retain()
	s.next += n
	return h, payload, true
}

// Pieces returns how many fragments Next gives from here on.
func (s *Splitter6) Pieces() int {
	n := 0
	for left := s.payload.Len() - s.next; left > 0; n++ {
		left -= fit(left, s.room())
	}
	return n
}

// AppendTo appends the headers of a fragment: "the Next Header field of the last
// header of the Per-Fragment headers changed to 44" (RFC 8200, 4.5).
func (h *Head6) AppendTo(b []byte) []byte {
	first := h.IPv6
	if h.Named < 0 {
		first.NextHeader = wire.ProtocolFragment
	}
	b = first.AppendTo(b)
	start := len(b)
	b = append(b, h.Before...)
	if h.Named >= 0 {
		b[start+h.Named] = byte(wire.ProtocolFragment)
	}
	return h.Fragment.AppendTo(b)
}
