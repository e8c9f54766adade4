package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// The lengths of IPv4 headers, in octets, and of the longest packet.
const (
	IPv4HeaderLen     = 20
	MaxIPv4HeaderLen  = 60
	MaxIPv4OptionsLen = MaxIPv4HeaderLen - IPv4HeaderLen
	MaxIPv4Len        = 65535
)

var (
	errIPv4Short    = &fault{"wire: the IPv4 header is cut off: it has 20 octets and those of its options", ErrShort}
	errIPv4Version  = &fault{"wire: the packet is not of IP version 4", ErrVersion}
	errIPv4IHL      = &fault{"wire: the IPv4 header's length is less than 20 octets", ErrLength}
	errIPv4Total    = &fault{"wire: the IPv4 total length is less than that of the header", ErrLength}
	errIPv4Payload  = &fault{"wire: the IPv4 packet is cut off: it ends before its total length", ErrShort}
	errIPv4Checksum = &fault{"wire: the IPv4 header's checksum is wrong", ErrChecksum}
)

// The bits of the field that begins with the flags (RFC 791, 3.1).
const (
	flagDF   = 0x4000
	flagMF   = 0x2000
	fragMask = 0x1fff
	fragUnit = 8 // octets
)

// IPv4 is an IPv4 header (RFC 791, 3.1).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|Version|  IHL  |Type of Service|          Total Length         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|         Identification        |Flags|      Fragment Offset    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Time to Live |    Protocol   |         Header Checksum       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Source Address                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Destination Address                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Options                    |    Padding    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type IPv4 struct {
	TOS        uint8 // DSCP and ECN
	TotalLen   int   // octets, the header counted; at most MaxIPv4Len
	ID         uint16
	DF, MF     bool
	FragOffset int // octets, a multiple of 8
	TTL        uint8
	Protocol   Protocol
	Checksum   uint16 // as read; AppendTo computes it
	Src, Dst   netip.Addr
	Options    []byte // at most 40 octets; as read it aliases the input, and is a multiple of 4
}

// DSCP returns the differentiated services code point (RFC 2474, 3).
func (h *IPv4) DSCP() uint8 { return h.TOS >> 2 }

// ECN returns the explicit congestion notification field (RFC 3168, 5).
func (h *IPv4) ECN() uint8 { return h.TOS & 3 }

// IsFragment reports whether the packet is a part of a larger one.
func (h *IPv4) IsFragment() bool { return h.MF || h.FragOffset != 0 }

// HeaderLen returns the header's length in octets.
func (h *IPv4) HeaderLen() int { return IPv4HeaderLen + pad4(len(h.options())) }

// options returns the options as far as there is room for them.
func (h *IPv4) options() []byte { return h.Options[:min(len(h.Options), MaxIPv4OptionsLen)] }

// pad4 rounds up to a multiple of 4.
func pad4(n int) int { return (n + 3) &^ 3 }

// ParseIPv4Header reads a header, and returns what of the input follows it:
// its version, lengths and checksum are right; the packet that it tells of
// may be longer than the input. The error is an [ErrShort], [ErrVersion],
// [ErrLength] or [ErrChecksum].
func ParseIPv4Header(b []byte) (h IPv4, rest []byte, err error) {
	rest, err = h.Parse(b)
	return h, rest, err
}

// Parse is [ParseIPv4Header] into a header that is there already. After an
// error the header is as it was.
func (h *IPv4) Parse(b []byte) (rest []byte, err error) {
	n, err := ipv4HeaderLen(b)
	switch {
	case err != nil:
		return nil, err
	case int(binary.BigEndian.Uint16(b[2:])) < n:
		return nil, errIPv4Total
	case Checksum(b[:n]) != 0:
		// RFC 1122, 3.2.1.2: a host MUST verify the IP header checksum on
		// every received datagram and silently discard every datagram that
		// has a bad checksum.
		return nil, errIPv4Checksum
	}
	h.read(b[:n:n])
	return b[n:], nil
}

// ParseIPv4Quote reads a header that an ICMP error quotes, and returns what
// of the input follows it. Neither the total length nor the checksum is
// compared with anything: a router quotes the header as it has it, often after
// it took one off the time to live (RFC 1812, 4.3.2.3).
func ParseIPv4Quote(b []byte) (h IPv4, rest []byte, err error) {
	n, err := ipv4HeaderLen(b)
	if err != nil {
		return IPv4{}, nil, err
	}
	h.read(b[:n:n])
	return h, b[n:], nil
}

// ipv4HeaderLen returns the length of the header that b begins with.
func ipv4HeaderLen(b []byte) (int, error) {
	if len(b) < IPv4HeaderLen {
		return 0, errIPv4Short
	}
	n := int(b[0]&15) * 4
	switch {
	case b[0]>>4 != 4:
		return 0, errIPv4Version
	case n < IPv4HeaderLen:
		return 0, errIPv4IHL
	case n > len(b):
		return 0, errIPv4Short
	}
	return n, nil
}

// read takes the fields from a whole header.
func (h *IPv4) read(b []byte) {
	frag := binary.BigEndian.Uint16(b[6:])
	h.TOS, h.TotalLen, h.ID = b[1], int(binary.BigEndian.Uint16(b[2:])), binary.BigEndian.Uint16(b[4:])
	h.DF, h.MF, h.FragOffset = frag&flagDF != 0, frag&flagMF != 0, int(frag&fragMask)*fragUnit
	h.TTL, h.Protocol, h.Checksum = b[8], Protocol(b[9]), binary.BigEndian.Uint16(b[10:])
	h.Src, h.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	h.Options = b[IPv4HeaderLen:]
}

// ParseIPv4 reads a packet that is in one piece, and returns its payload,
// without the padding that may follow. The errors are those of
// [ParseIPv4Header], and an [ErrShort] if the packet is not whole.
func ParseIPv4(b []byte) (IPv4, []byte, error) {
	h, rest, err := ParseIPv4Header(b)
	if err != nil {
		return IPv4{}, nil, err
	}
	n := h.TotalLen - h.HeaderLen()
	if n > len(rest) {
		return IPv4{}, nil, errIPv4Payload
	}
	return h, rest[:n:n], nil
}

// AppendTo appends the header with its checksum, the options padded with
// zeros to a multiple of 4 octets. TotalLen must be set.
func (h *IPv4) AppendTo(b []byte) []byte {
	n := h.HeaderLen()
	b = slices.Grow(b, n)[:len(b)+n]
	h.Put(b[len(b)-n:])
	return b
}

// Put is AppendTo into the octets that b has room for: HeaderLen.
func (h *IPv4) Put(b []byte) {
	n, options := h.HeaderLen(), h.options()
	src, dst := as4(h.Src), as4(h.Dst)
	// The fixed part, as it is read out in words of 64, 64 and 32 bits.
	first := uint64(4<<4|n/4)<<56 | uint64(h.TOS)<<48 | uint64(uint16(h.TotalLen))<<32 | uint64(h.ID)<<16 | uint64(h.frag())
	second := uint64(h.TTL)<<56 | uint64(h.Protocol)<<48 | uint64(binary.BigEndian.Uint32(src[:]))
	third := binary.BigEndian.Uint32(dst[:])
	sum := Sum(0).Plus(first).Plus(second).Plus(uint64(third))
	if n > IPv4HeaderLen {
		sum = sum.Add(options)
	}
	checksum := sum.Fold()

	binary.BigEndian.PutUint64(b, first)
	binary.BigEndian.PutUint64(b[8:], second|uint64(checksum)<<32)
	binary.BigEndian.PutUint32(b[16:], third)
	if n > IPv4HeaderLen {
		clear(b[IPv4HeaderLen+copy(b[IPv4HeaderLen:], options):])
	}
}

// frag returns the flags and the fragment offset.
func (h *IPv4) frag() uint16 {
	frag := uint16(h.FragOffset/fragUnit) & fragMask
	if h.DF {
		frag |= flagDF
	}
	if h.MF {
		frag |= flagMF
	}
	return frag
}

// as4 returns the octets of an IPv4 address, and zeros for any other.
func as4(addr netip.Addr) [4]byte {
	if addr.Is4() || addr.Is4In6() {
		return addr.As4()
	}
	return [4]byte{}
}

// append4 appends an IPv4 address.
func append4(b []byte, addr netip.Addr) []byte {
	octets := as4(addr)
	return append(b, octets[:]...)
}

// DecrementTTL takes one off the time to live of a header, in place, and
// brings the checksum up to date. The header is whole, and its time to live
// not zero.
func DecrementTTL(header []byte) {
	before := binary.BigEndian.Uint16(header[8:])
	header[8]--
	after := binary.BigEndian.Uint16(header[8:])
	checksum := binary.BigEndian.Uint16(header[10:])
	binary.BigEndian.PutUint16(header[10:], UpdateChecksum(checksum, before, after))
}
