package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// A Protocol says what an IP packet's payload is.
type Protocol uint8

// The protocols that hubbub knows.
const (
	ProtocolICMP   Protocol = 1
	ProtocolTCP    Protocol = 6
	ProtocolUDP    Protocol = 17
	ProtocolICMPv6 Protocol = 58
)

// String returns the protocol's name, or its number.
func (p Protocol) String() string {
	switch p {
	case ProtocolICMP:
		return "ICMP"
	case ProtocolTCP:
		return "TCP"
	case ProtocolUDP:
		return "UDP"
	case ProtocolICMPv6:
		return "ICMPv6"
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}

// The lengths of IPv4 headers, in octets, and of the longest packet.
const (
	IPv4HeaderLen    = 20
	MaxIPv4HeaderLen = 60
	MaxIPv4Len       = 65535
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
	TotalLen   int   // octets, the header counted
	ID         uint16
	DF, MF     bool
	FragOffset int // octets, a multiple of 8
	TTL        uint8
	Protocol   Protocol
	Checksum   uint16 // as read; AppendTo computes it
	Src, Dst   netip.Addr
	Options    []byte // a multiple of 4 octets; as read, it aliases the input
}

// DSCP returns the differentiated services code point (RFC 2474, 3).
func (h *IPv4) DSCP() uint8 { return h.TOS >> 2 }

// ECN returns the explicit congestion notification field (RFC 3168, 5).
func (h *IPv4) ECN() uint8 { return h.TOS & 3 }

// HeaderLen returns the header's length in octets.
func (h *IPv4) HeaderLen() int { return IPv4HeaderLen + len(h.Options) }

// ParseIPv4Header reads a header whose checksum must be right, and returns
// what of the input follows it.
func ParseIPv4Header(b []byte) (IPv4, []byte, error) {
	if len(b) < IPv4HeaderLen {
		return IPv4{}, nil, ErrShort
	}
	if b[0]>>4 != 4 {
		return IPv4{}, nil, ErrVersion
	}
	n := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case n < IPv4HeaderLen, total < n:
		return IPv4{}, nil, ErrLength
	case len(b) < n:
		return IPv4{}, nil, ErrShort
	case Checksum(b[:n]) != 0:
		return IPv4{}, nil, ErrChecksum
	}
	flags := binary.BigEndian.Uint16(b[6:])
	return IPv4{
		TOS: b[1], TotalLen: total, ID: binary.BigEndian.Uint16(b[4:]),
		DF: flags&0x4000 != 0, MF: flags&0x2000 != 0, FragOffset: int(flags&0x1fff) * 8,
		TTL: b[8], Protocol: Protocol(b[9]), Checksum: binary.BigEndian.Uint16(b[10:]),
		Src: netip.AddrFrom4([4]byte(b[12:16])), Dst: netip.AddrFrom4([4]byte(b[16:20])),
		Options: b[IPv4HeaderLen:n:n],
	}, b[n:], nil
}

// ParseIPv4 reads a packet that is in one piece, and returns its payload,
// without the padding that may follow.
func ParseIPv4(b []byte) (IPv4, []byte, error) {
	h, rest, err := ParseIPv4Header(b)
	if err != nil {
		return h, nil, err
	}
	n := h.TotalLen - h.HeaderLen()
	if n > len(rest) {
		return h, nil, ErrShort
	}
	return h, rest[:n:n], nil
}

// AppendTo appends the header with its checksum. TotalLen must be set, and
// Options be a multiple of 4 octets, at most 40.
func (h *IPv4) AppendTo(b []byte) []byte {
	start := len(b)
	b = append(b, byte(4<<4|h.HeaderLen()/4), h.TOS)
	b = binary.BigEndian.AppendUint16(b, uint16(h.TotalLen))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	flags := uint16(h.FragOffset/8) & 0x1fff
	if h.DF {
		flags |= 0x4000
	}
	if h.MF {
		flags |= 0x2000
	}
	b = binary.BigEndian.AppendUint16(b, flags)
	b = append(b, h.TTL, byte(h.Protocol), 0, 0)
	b = append4(b, h.Src)
	b = append4(b, h.Dst)
	b = append(b, h.Options...)
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:]))
	return b
}

// DecrementTTL takes one off the time to live of a header, in place, and
// mends the checksum without computing it anew (RFC 1624, 3: HC' = ~(~HC + ~m
// + m')).
func DecrementTTL(header []byte) {
	before := binary.BigEndian.Uint16(header[8:])
	header[8]--
	after := binary.BigEndian.Uint16(header[8:])
	sum := uint32(^binary.BigEndian.Uint16(header[10:])) + uint32(^before) + uint32(after)
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(header[10:], ^uint16(sum))
}
