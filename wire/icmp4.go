package wire

import (
	"encoding/binary"
	"net/netip"
)

// ICMPv4HeaderLen is the length in octets of the header that all messages have.
const ICMPv4HeaderLen = 8

var (
	errICMPv4Short    = &fault{"wire: the ICMP header is cut off: it has 8 octets", ErrShort}
	errICMPv4Checksum = &fault{"wire: the ICMP message's checksum is wrong", ErrChecksum}
)

// ICMPv4 is the header of an ICMP message (RFC 792). What the second word says
// depends on the type: the methods below read and write it.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Identifier          |        Sequence Number        | echo, timestamp
//	|             unused            |         Next-Hop MTU          | fragmentation needed
//	|                  Gateway Internet Address                     | redirect
//	|    Pointer    |                   unused                      | parameter problem
//	|                             unused                            | other errors
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|      Data, or the Internet header and first octets of the packet that an error is about
//	+-+-+-+-
type ICMPv4 struct {
	Type     ICMPv4Type
	Code     uint8
	Checksum uint16 // as read; it is computed when the message is written
	Rest     [4]byte
}

// ParseICMPv4Header reads the header of a message whose payload may be held
// elsewhere, and returns what of the input follows it. The checksum is not
// checked: it covers the payload. The error is an [ErrShort].
func ParseICMPv4Header(b []byte) (ICMPv4, []byte, error) {
	if len(b) < ICMPv4HeaderLen {
		return ICMPv4{}, nil, errICMPv4Short
	}
	return ICMPv4{
		Type: ICMPv4Type(b[0]), Code: b[1], Checksum: binary.BigEndian.Uint16(b[2:]), Rest: [4]byte(b[4:8]),
	}, b[ICMPv4HeaderLen:], nil
}

// ParseICMPv4 reads a message that is in one piece, checks its checksum, and
// returns what follows its header. The error is an [ErrShort] or
// [ErrChecksum].
func ParseICMPv4(b []byte) (ICMPv4, []byte, error) {
	m, rest, err := ParseICMPv4Header(b)
	if err != nil {
		return ICMPv4{}, nil, err
	}
	if Checksum(b) != 0 {
		return ICMPv4{}, nil, errICMPv4Checksum
	}
	return m, rest, nil
}

// PutHeader writes the header into the first [ICMPv4HeaderLen] octets of b,
// with the checksum of itself and of the payload, which is held elsewhere.
func (m *ICMPv4) PutHeader(b, payload []byte) {
	b = b[:ICMPv4HeaderLen]
	b[0], b[1], b[2], b[3] = byte(m.Type), m.Code, 0, 0
	copy(b[4:], m.Rest[:])
	binary.BigEndian.PutUint16(b[2:], Sum(0).Add(b).Add(payload).Fold())
}

// AppendTo appends the header, with the checksum of itself and of the payload,
// and then the payload.
func (m *ICMPv4) AppendTo(b, payload []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	m.PutHeader(b[start:], payload)
	return append(b, payload...)
}

// IsError reports whether the message tells what became of a packet, which it
// quotes: no error is sent about it (RFC 1122, 3.2.2).
func (m *ICMPv4) IsError() bool { return m.Type.IsError() }

// ID returns the identifier of an echo or timestamp message.
func (m *ICMPv4) ID() uint16 { return binary.BigEndian.Uint16(m.Rest[0:]) }

// Seq returns the sequence number of an echo or timestamp message.
func (m *ICMPv4) Seq() uint16 { return binary.BigEndian.Uint16(m.Rest[2:]) }

// SetEcho sets the identifier and sequence number of an echo or timestamp
// message.
func (m *ICMPv4) SetEcho(id, seq uint16) {
	binary.BigEndian.PutUint16(m.Rest[0:], id)
	binary.BigEndian.PutUint16(m.Rest[2:], seq)
}

// MTU returns the next hop's MTU in octets of a message that fragmentation is
// needed, zero if an old router did not tell it (RFC 1191, 4).
func (m *ICMPv4) MTU() uint16 { return binary.BigEndian.Uint16(m.Rest[2:]) }

// SetMTU sets the next hop's MTU in octets.
func (m *ICMPv4) SetMTU(mtu uint16) { binary.BigEndian.PutUint16(m.Rest[2:], mtu) }

// Pointer returns the index of the octet, in the quoted packet, that a
// parameter problem is about.
func (m *ICMPv4) Pointer() uint8 { return m.Rest[0] }

// SetPointer sets the index of the octet that a parameter problem is about.
func (m *ICMPv4) SetPointer(octet uint8) { m.Rest[0] = octet }

// Gateway returns the router that a redirect names.
func (m *ICMPv4) Gateway() netip.Addr { return netip.AddrFrom4(m.Rest) }

// SetGateway sets the router that a redirect names.
func (m *ICMPv4) SetGateway(addr netip.Addr) { m.Rest = as4(addr) }
