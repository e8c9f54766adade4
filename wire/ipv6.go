package wire

import (
	"encoding/binary"
	"net/netip"
)

// The lengths of the IPv6 header and of the longest payload behind it, in
// octets, and the least MTU that every link has (RFC 8200, 5).
const (
	IPv6HeaderLen  = 40
	MaxIPv6Payload = 65535
	MinIPv6MTU     = 1280
)

var (
	errIPv6Short   = &fault{"wire: the IPv6 header is cut off: it has 40 octets", ErrShort}
	errIPv6Version = &fault{"wire: the packet is not of IP version 6", ErrVersion}
	errIPv6Payload = &fault{"wire: the IPv6 packet is cut off: it ends before its payload length", ErrShort}
)

// IPv6 is an IPv6 header (RFC 8200, 3). What follows it may be extension
// headers: see [ParseIPv6Extensions].
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|Version| Traffic Class |           Flow Label                  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|         Payload Length        |  Next Header  |   Hop Limit   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Source Address                        |
//	|                          (16 octets)                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                      Destination Address                      |
//	|                          (16 octets)                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type IPv6 struct {
	TrafficClass uint8  // DSCP and ECN
	FlowLabel    uint32 // 20 bits; zero: none (RFC 6437, 2)
	PayloadLen   int    // octets behind this header; at most MaxIPv6Payload
	NextHeader   Protocol
	HopLimit     uint8
	Src, Dst     netip.Addr
}

// flowLabelMask has the bits of a flow label.
const flowLabelMask = 1<<20 - 1

// DSCP returns the differentiated services code point (RFC 2474, 3).
func (h *IPv6) DSCP() uint8 { return h.TrafficClass >> 2 }

// ECN returns the explicit congestion notification field (RFC 3168, 5).
func (h *IPv6) ECN() uint8 { return h.TrafficClass & 3 }

// ParseIPv6Header reads a header, and returns what of the input follows it:
// the packet that it tells of may be longer than the input. The error is an
// [ErrShort] or [ErrVersion].
func ParseIPv6Header(b []byte) (h IPv6, rest []byte, err error) {
	rest, err = h.Parse(b)
	return h, rest, err
}

// Parse is [ParseIPv6Header] into a header that is there already. After an error
// the header is as it was.
func (h *IPv6) Parse(b []byte) (rest []byte, err error) {
	switch {
	case len(b) > 0 && b[0]>>4 != 6:
		return nil, errIPv6Version
	case len(b) < IPv6HeaderLen:
		return nil, errIPv6Short
	}
	first := binary.BigEndian.Uint32(b)
	h.TrafficClass, h.FlowLabel = uint8(first>>20), first&flowLabelMask
	h.PayloadLen, h.NextHeader, h.HopLimit = int(binary.BigEndian.Uint16(b[4:])), Protocol(b[6]), b[7]
	h.Src, h.Dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	return b[IPv6HeaderLen:], nil
}

// ParseIPv6 reads a packet that is in one piece, and returns its payload,
// extension headers first, without the padding that may follow. The errors are
// those of [ParseIPv6Header], and an [ErrShort] if the packet is not whole.
func ParseIPv6(b []byte) (IPv6, []byte, error) {
	h, rest, err := ParseIPv6Header(b)
	if err != nil {
		return IPv6{}, nil, err
	}
	if h.PayloadLen > len(rest) {
		return IPv6{}, nil, errIPv6Payload
	}
	return h, rest[:h.PayloadLen:h.PayloadLen], nil
}

// AppendTo appends the header. PayloadLen must be set. An address that isn't
// there is written as the unspecified one.
func (h *IPv6) AppendTo(b []byte) []byte {
	src, dst := h.Src.As16(), h.Dst.As16()
	first := 6<<28 | uint64(h.TrafficClass)<<20 | uint64(h.FlowLabel&flowLabelMask)
	b = binary.BigEndian.AppendUint64(b, first<<32|uint64(uint16(h.PayloadLen))<<16|uint64(h.NextHeader)<<8|uint64(h.HopLimit))
	b = append(b, src[:]...)
	return append(b, dst[:]...)
}

// DecrementHopLimit takes one off the hop limit of a header, in place. The
// header is whole, and its hop limit not zero.
func DecrementHopLimit(header []byte) { header[7]-- }

// IsIPv6 reports whether a packet says that it is of version 6.
func IsIPv6(packet []byte) bool { return len(packet) > 0 && packet[0]>>4 == 6 }
