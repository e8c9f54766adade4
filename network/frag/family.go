package frag

import (
	"net/netip"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A key says which packet a fragment belongs to.
//
// RFC 791, 2.3: "To assemble the fragments of an internet datagram, an
// internet protocol module (for example at a destination host) combines
// internet datagrams that all have the same value for the four fields:
// identification, source, destination, and protocol."
//
// RFC 8200, 4.5: "An original packet is reassembled only from fragment packets
// that have the same Source Address, Destination Address, and Fragment
// Identification."
type key struct {
	src, dst netip.Addr
	id       uint32
	protocol wire.Protocol
}

// maxHead is the most that is kept of what a header refers to, in bytes: IPv4
// options are at most 40, and more extension headers of IPv6 don't fit into the
// part of a packet in which headers are.
const maxHead = pkt.HeadRoom - wire.IPv6HeaderLen

// A family is what there is to know of the headers of fragments. They are
// passed by value, so that the caller's stay on its stack.
type family[H any] struct {
	key      func(H) key
	place    func(H) (from int, more bool)        // of the fragment's payload in the whole
	overhead func(H) int                          // what the limit of the length counts besides the payload
	keep     func(h H, store *[maxHead]byte) H    // a copy; without store, not of what it refers to
	ecn      func(H) uint8                        // the ECN field
	mark     func(*H)                             // sets it to CE
	whole    func(h H, n int) (whole H, size int) // the header of the whole with n bytes of payload, and its length
}

// ipv4 is the family of RFC 791.
var ipv4 = family[wire.IPv4]{
	key:      func(h wire.IPv4) key { return key{h.Src, h.Dst, uint32(h.ID), h.Protocol} },
	place:    func(h wire.IPv4) (int, bool) { return h.FragOffset, h.MF },
	overhead: func(h wire.IPv4) int { return h.HeaderLen() },
	keep: func(h wire.IPv4, store *[maxHead]byte) wire.IPv4 {
		h.Options = keepBytes(h.Options, store)
		return h
	},
	ecn:  func(h wire.IPv4) uint8 { return h.ECN() },
	mark: func(h *wire.IPv4) { h.TOS |= ce },
	whole: func(h wire.IPv4, n int) (wire.IPv4, int) {
		h.MF = false
		h.TotalLen = h.HeaderLen() + n
		return h, h.TotalLen
	},
}

// The values of the ECN field that count here (RFC 3168, 5).
const (
	notECT = 0 // the transport doesn't heed marks
	ce     = 3 // congestion experienced
)

// keepBytes copies b to store, or returns nil without one.
func keepBytes(b []byte, store *[maxHead]byte) []byte {
	if store == nil {
		return nil
	}
	return store[:copy(store[:], b)]
}

// A Head6 is what the headers of an IPv6 fragment say (RFC 8200, 4.5).
type Head6 struct {
	wire.IPv6
	// Before are the extension headers before the fragment header, which
	// routers look at: at most 104 octets.
	Before []byte
	// Named is where in Before the fragment header is named, -1 if it is in
	// the IPv6 header. In the header of a whole packet its first header is
	// named there instead.
	Named    int
	Fragment wire.Fragment
}

// ipv6 is the family of RFC 8200.
var ipv6 = family[Head6]{
	key:      func(h Head6) key { return key{src: h.Src, dst: h.Dst, id: h.Fragment.ID} },
	place:    func(h Head6) (int, bool) { return h.Fragment.Offset, h.Fragment.More },
	overhead: func(h Head6) int { return len(h.Before) },
	keep: func(h Head6, store *[maxHead]byte) Head6 {
		h.Before = keepBytes(h.Before, store)
		return h
	},
	ecn:  func(h Head6) uint8 { return h.ECN() },
	mark: func(h *Head6) { h.TrafficClass |= ce },
	// "The Next Header field of the last header of the Per-Fragment headers is
	// obtained from the Next Header field of the first fragment's Fragment
	// header." "The Fragment header is not present in the final, reassembled
	// packet." (RFC 8200, 4.5)
	whole: func(h Head6, n int) (Head6, int) {
		if h.Named < 0 {
			h.NextHeader = h.Fragment.NextHeader
		} else {
			h.Before[h.Named] = byte(h.Fragment.NextHeader)
		}
		h.PayloadLen = len(h.Before) + n
		return h, wire.IPv6HeaderLen + h.PayloadLen
	},
}
