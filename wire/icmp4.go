package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// ICMPv4HeaderLen is the length of the header that all messages have.
const ICMPv4HeaderLen = 8

// An ICMPv4Type says what a message is.
type ICMPv4Type uint8

// The types (RFC 792).
const (
	EchoReply              ICMPv4Type = 0
	DestinationUnreachable ICMPv4Type = 3
	SourceQuench           ICMPv4Type = 4
	Redirect               ICMPv4Type = 5
	Echo                   ICMPv4Type = 8
	TimeExceeded           ICMPv4Type = 11
	ParameterProblem       ICMPv4Type = 12
	TimestampRequest       ICMPv4Type = 13
	TimestampReply         ICMPv4Type = 14
)

// The codes of DestinationUnreachable (RFC 1122, 3.2.2.1).
const (
	CodeNetUnreachable          = 0
	CodeHostUnreachable         = 1
	CodeProtocolUnreachable     = 2
	CodePortUnreachable         = 3
	CodeFragmentationNeeded     = 4
	CodeSourceRouteFailed       = 5
	CodeCommunicationProhibited = 13
	CodeTTLExceeded             = 0 // of TimeExceeded
	CodeReassemblyTimeExceeded  = 1 // of TimeExceeded
	CodeRedirectHost            = 1 // of Redirect
)

var icmpTypes = map[ICMPv4Type]string{
	EchoReply: "echo reply", DestinationUnreachable: "destination unreachable", SourceQuench: "source quench",
	Redirect: "redirect", Echo: "echo request", TimeExceeded: "time exceeded",
	ParameterProblem: "parameter problem", TimestampRequest: "timestamp request", TimestampReply: "timestamp reply",
}

// String returns the type's name, or its number.
func (t ICMPv4Type) String() string {
	if name, ok := icmpTypes[t]; ok {
		return name
	}
	return fmt.Sprintf("ICMP type %d", uint8(t))
}

var unreachableCodes = [...]string{
	"network unreachable", "host unreachable", "protocol unreachable", "port unreachable",
	"fragmentation needed and DF set", "source route failed",
}

// ICMPv4 is the header of an ICMP message (RFC 792).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |     Code      |          Checksum             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  identifier and sequence number, next-hop MTU, gateway, ...   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type ICMPv4 struct {
	Type     ICMPv4Type
	Code     uint8
	Checksum uint16 // as read
	Rest     [4]byte
}

// ParseICMPv4 reads a message that is in one piece, whose checksum must be
// right, and returns what follows its header.
func ParseICMPv4(b []byte) (ICMPv4, []byte, error) {
	if len(b) < ICMPv4HeaderLen {
		return ICMPv4{}, nil, ErrShort
	}
	m := ICMPv4{
		Type: ICMPv4Type(b[0]), Code: b[1], Checksum: binary.BigEndian.Uint16(b[2:]), Rest: [4]byte(b[4:8]),
	}
	if Checksum(b) != 0 {
		return m, nil, ErrChecksum
	}
	return m, b[ICMPv4HeaderLen:], nil
}

// PutHeader writes the header into the first ICMPv4HeaderLen octets of b, with
// the checksum of itself and the payload.
func (m *ICMPv4) PutHeader(b, payload []byte) {
	b[0], b[1], b[2], b[3] = byte(m.Type), m.Code, 0, 0
	copy(b[4:8], m.Rest[:])
	binary.BigEndian.PutUint16(b[2:], Sum(0).Add(b[:ICMPv4HeaderLen]).Add(payload).Fold())
}

// AppendTo appends header and payload.
func (m *ICMPv4) AppendTo(b, payload []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	m.PutHeader(b[start:], payload)
	return append(b, payload...)
}

// IsError reports whether the message tells what became of a packet, which
// it quotes (RFC 1122, 3.2.2).
func (m *ICMPv4) IsError() bool {
	switch m.Type {
	case DestinationUnreachable, SourceQuench, Redirect, TimeExceeded, ParameterProblem:
		return true
	}
	return false
}

// Text says what the message means in a few words.
func (m *ICMPv4) Text() string {
	switch {
	case m.Type == DestinationUnreachable && int(m.Code) < len(unreachableCodes):
		return unreachableCodes[m.Code]
	case m.Type == TimeExceeded && m.Code == CodeTTLExceeded:
		return "time to live exceeded in transit"
	case m.Type == TimeExceeded && m.Code == CodeReassemblyTimeExceeded:
		return "fragment reassembly time exceeded"
	}
	return m.Type.String()
}

// ID and Seq return the identifier and sequence number of an echo message.
func (m *ICMPv4) ID() uint16  { return binary.BigEndian.Uint16(m.Rest[0:]) }
func (m *ICMPv4) Seq() uint16 { return binary.BigEndian.Uint16(m.Rest[2:]) }

// SetEcho sets the identifier and sequence number of an echo message.
func (m *ICMPv4) SetEcho(id, seq uint16) {
	binary.BigEndian.PutUint16(m.Rest[0:], id)
	binary.BigEndian.PutUint16(m.Rest[2:], seq)
}

// MTU returns the next hop's MTU of a message that fragmentation is needed,
// zero if an old router did not tell it (RFC 1191, 4).
func (m *ICMPv4) MTU() uint16 { return binary.BigEndian.Uint16(m.Rest[2:]) }

// SetMTU sets the next hop's MTU.
func (m *ICMPv4) SetMTU(mtu uint16) { binary.BigEndian.PutUint16(m.Rest[2:], mtu) }

// Pointer returns which octet a parameter problem is about.
func (m *ICMPv4) Pointer() uint8 { return m.Rest[0] }

// Gateway returns the router that a redirect names.
func (m *ICMPv4) Gateway() netip.Addr { return netip.AddrFrom4(m.Rest) }

// SetGateway sets the router that a redirect names.
func (m *ICMPv4) SetGateway(addr netip.Addr) { m.Rest = addr.As4() }
