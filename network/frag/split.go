package frag

import (
	"fmt"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// unit is what the offset of a fragment counts in, in bytes (RFC 791, 3.1).
const unit = 8

// A Splitter gives the fragments of one packet.
type Splitter struct {
	header  wire.IPv4 // of the next fragment, but for its length
	payload pkt.View  // of the whole
	base    int       // where the payload lies in the original packet
	next    int       // what of the payload was given out
	mtu     int
	more    bool // fragments follow after the last one
	options [maxOptions]byte
	copied  int // bytes of options that later fragments have
}

// maxOptions is the greatest length of IPv4 options, in bytes.
const maxOptions = wire.MaxIPv4HeaderLen - wire.IPv4HeaderLen

// Split prepares to cut a packet into fragments of at most mtu bytes, headers
// included. h is the header of the whole (or of a fragment that has to be cut
// further), payload what follows it: the caller keeps it until the last
// fragment was polled. It returns an error if the packet must not be
// fragmented (h.DF), or if mtu leaves no room for 8 bytes of payload.
func Split(h wire.IPv4, payload pkt.View, mtu int) (Splitter, error) {
	if h.DF && h.HeaderLen()+payload.Len() > mtu {
		return Splitter{}, fmt.Errorf("a packet of %d bytes that must not be fragmented: the MTU is %d",
			h.HeaderLen()+payload.Len(), mtu)
	}
	if mtu < h.HeaderLen()+unit {
		return Splitter{}, fmt.Errorf("an MTU of %d bytes: %d of header and %d of payload don't fit", mtu, h.HeaderLen(), unit)
	}
	s := Splitter{header: h, payload: payload, base: h.FragOffset, mtu: mtu, more: h.MF}
	s.copied = len(wire.CopiedOptions(h.Options, s.options[:0]))
	return s, nil
}

// Next returns the next fragment: its header, and its payload with a
// reference of its own. The header's options are valid until the next call.
func (s *Splitter) Next() (h wire.IPv4, payload pkt.View, ok bool) {
	left := s.payload.Len() - s.next
	if left <= 0 && s.next > 0 {
		return wire.IPv4{}, pkt.View{}, false
	}
	h = s.header
	n := fit(left, s.mtu-h.HeaderLen())
	h.FragOffset = s.base + s.next
	h.MF = s.more || n < left
	h.TotalLen = h.HeaderLen() + n
	payload = s.payload.Slice(s.next, s.next+n).Retain()
	s.next += max(n, 1)
	s.header.Options = s.options[:s.copied]
	return h, payload, true
}

// fit returns how much of left goes into a fragment with that much room.
//
// RFC 791, 3.2: "If an internet datagram is fragmented, its data portion must
// be broken on 8 octet boundaries."
func fit(left, room int) int {
	if left <= room {
		return left
	}
	return room &^ (unit - 1)
}

// Pieces returns how many fragments Next gives from here on.
func (s *Splitter) Pieces() int {
	t, n := *s, 0
	for {
		_, v, ok := t.Next()
		if !ok {
			return n
		}
		v.Release()
		n++
	}
}
