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
func ParseIPv6Header(b []byte) (IPv6, []byte, error) {
	switch {
	case len(b) > 0 && b[0]>>4 != 6:
		return IPv6{}, nil, errIPv6Version
	case len(b) < IPv6HeaderLen:
		return IPv6{}, nil, errIPv6Short
	}
	first := binary.BigEndian.Uint32(b)
	return IPv6{
		TrafficClass: uint8(first >> 20), FlowLabel: first & flowLabelMask,
		PayloadLen: int(binary.BigEndian.Uint16(b[4:])), NextHeader: Protocol(b[6]), HopLimit: b[7],
		Src: netip.AddrFrom16([16]byte(b[8:24])), Dst: netip.AddrFrom16([16]byte(b[24:40])),
	}, b[IPv6HeaderLen:], nil
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
	var p [IPv6HeaderLen]byte
	binary.BigEndian.PutUint32(p[0:], 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&flowLabelMask)
	binary.BigEndian.PutUint16(p[4:], uint16(h.PayloadLen))
	p[6], p[7] = byte(h.NextHeader), h.HopLimit
	src, dst := h.Src.As16(), h.Dst.As16()
	copy(p[8:], src[:])
	copy(p[24:], dst[:])
	return append(b, p[:]...)
}

// DecrementHopLimit takes one off the hop limit of a header, in place. The
// header is whole, and its hop limit not zero.
func DecrementHopLimit(header []byte) { header[7]-- }

// IsIPv6 reports whether a packet says that it is of version 6.
func IsIPv6(packet []byte) bool { return len(packet) > 0 && packet[0]>>4 == 6 }
