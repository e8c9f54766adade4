package wire

import (
	"encoding/binary"
	"net/netip"
)

// ICMPv6HeaderLen is the length in octets of the header that all messages
// have, the word behind the checksum counted.
const ICMPv6HeaderLen = 8

var (
	errICMPv6Short    = &fault{"wire: the ICMPv6 header is cut off: it has 8 octets", ErrShort}
	errICMPv6Checksum = &fault{"wire: the ICMPv6 message's checksum is wrong", ErrChecksum}
)

// ICMPv6 is the header of an ICMPv6 message (RFC 4443, 2.1). What the second
// word says depends on the type: the methods below, and those of the neighbour
// discovery messages, read and write it.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Identifier          |        Sequence Number        | echo
//	|                             MTU                               | packet too big
//	|                            Pointer                            | parameter problem
//	|                            unused                             | other errors
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Data, or as much of the packet that an error is about as fits into 1280 octets
//	+-+-+-+-
type ICMPv6 struct {
	Type     ICMPv6Type
	Code     uint8
	Checksum uint16 // as read; it is computed when the message is written
	Rest     [4]byte
}

// ParseICMPv6Header reads the header of a message whose payload may be held
// elsewhere, and returns what of the input follows it. The checksum is not
// checked: it covers the payload. The error is an [ErrShort].
func ParseICMPv6Header(b []byte) (ICMPv6, []byte, error) {
	if len(b) < ICMPv6HeaderLen {
		return ICMPv6{}, nil, errICMPv6Short
	}
	return ICMPv6{
		Type: ICMPv6Type(b[0]), Code: b[1], Checksum: binary.BigEndian.Uint16(b[2:]), Rest: [4]byte(b[4:8]),
	}, b[ICMPv6HeaderLen:], nil
}

// ParseICMPv6 reads a message that is in one piece, checks its checksum, which
// covers the addresses too (RFC 4443, 2.3), and returns what follows its
// header. The error is an [ErrShort] or [ErrChecksum].
func ParseICMPv6(src, dst netip.Addr, b []byte) (ICMPv6, []byte, error) {
	m, rest, err := ParseICMPv6Header(b)
	if err != nil {
		return ICMPv6{}, nil, err
	}
	if TransportChecksum(src, dst, ProtocolICMPv6, nil, b) != 0 {
		return ICMPv6{}, nil, errICMPv6Checksum
	}
	return m, rest, nil
}

// PutHeader writes the header into the first [ICMPv6HeaderLen] octets of b,
// with the checksum of the addresses, itself and the payload, which is held
// elsewhere.
func (m *ICMPv6) PutHeader(src, dst netip.Addr, b, payload []byte) {
	b = b[:ICMPv6HeaderLen]
	b[0], b[1], b[2], b[3] = byte(m.Type), m.Code, 0, 0
	copy(b[4:], m.Rest[:])
	binary.BigEndian.PutUint16(b[2:], TransportChecksum(src, dst, ProtocolICMPv6, b, payload))
}

// AppendTo appends the header, with its checksum, and then the payload.
func (m *ICMPv6) AppendTo(src, dst netip.Addr, b, payload []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	m.PutHeader(src, dst, b[start:], payload)
	return append(b, payload...)
}

// ID returns the identifier of an echo message.
func (m *ICMPv6) ID() uint16 { return binary.BigEndian.Uint16(m.Rest[0:]) }

// Seq returns the sequence number of an echo message.
func (m *ICMPv6) Seq() uint16 { return binary.BigEndian.Uint16(m.Rest[2:]) }

// SetEcho sets the identifier and sequence number of an echo message.
func (m *ICMPv6) SetEcho(id, seq uint16) {
	binary.BigEndian.PutUint16(m.Rest[0:], id)
	binary.BigEndian.PutUint16(m.Rest[2:], seq)
}

// Word returns the second word: the next hop's MTU in octets of a message that
// a packet is too big (RFC 4443, 3.2), or the index of the octet that a
// parameter problem is about (RFC 4443, 3.4).
func (m *ICMPv6) Word() uint32 { return binary.BigEndian.Uint32(m.Rest[:]) }

// SetWord sets the second word: an MTU, or a pointer.
func (m *ICMPv6) SetWord(w uint32) { binary.BigEndian.PutUint32(m.Rest[:], w) }
