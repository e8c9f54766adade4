package wire

import (
	"encoding/binary"
	"strings"
)

// The lengths of TCP headers, in octets.
const (
	TCPHeaderLen    = 20
	MaxTCPHeaderLen = 60
)

// TCPFlags are the control bits of a TCP header.
type TCPFlags uint16

// The control bits (RFC 9293, 3.1; AE is of RFC 9768).
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE
)

var flagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// Has reports whether all bits of g are set.
func (f TCPFlags) Has(g TCPFlags) bool { return f&g == g }

// String returns the names of the bits, such as "SYN|ACK".
func (f TCPFlags) String() string {
	names := make([]string, 0, len(flagNames))
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// TCP is the header of a segment (RFC 9293, 3.1).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          Source Port          |       Destination Port        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                        Sequence Number                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    Acknowledgment Number                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Data |     |A|C|E|U|A|P|R|S|F|                               |
//	| Offset|Rsrvd|E|W|C|R|C|S|S|Y|I|            Window             |
//	|       |     | |R|E|G|K|H|T|N|N|                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Checksum            |         Urgent Pointer        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           [Options]                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            TCPFlags
	Window           uint16 // not shifted by the window scale
	Checksum         uint16
	Urgent           uint16
	Options          TCPOptions

	headerLen int // as read; options may have been skipped
}

// ParseTCPHeader reads a header and returns what of the input follows it. Of
// the options, what can't be understood is skipped.
func ParseTCPHeader(b []byte) (TCP, []byte, error) {
	if len(b) < TCPHeaderLen {
		return TCP{}, nil, ErrShort
	}
	n := int(b[12]>>4) * 4
	switch {
	case n < TCPHeaderLen:
		return TCP{}, nil, ErrLength
	case n > len(b):
		return TCP{}, nil, ErrShort
	}
	h := TCP{
		SrcPort: binary.BigEndian.Uint16(b), DstPort: binary.BigEndian.Uint16(b[2:]),
		Seq: binary.BigEndian.Uint32(b[4:]), Ack: binary.BigEndian.Uint32(b[8:]),
		Flags:  TCPFlags(binary.BigEndian.Uint16(b[12:]) & 0x1ff),
		Window: binary.BigEndian.Uint16(b[14:]), Checksum: binary.BigEndian.Uint16(b[16:]),
		Urgent: binary.BigEndian.Uint16(b[18:]), headerLen: n,
	}
	if n > TCPHeaderLen {
		h.Options = ParseTCPOptions(b[TCPHeaderLen:n])
	}
	return h, b[n:], nil
}

// HeaderLen returns the header's length in octets: as it was read, or as
// AppendTo will write it.
func (h *TCP) HeaderLen() int {
	if h.headerLen != 0 {
		return h.headerLen
	}
	return TCPHeaderLen + h.Options.Len()
}

// AppendTo appends the header, with the checksum as it is in the struct.
func (h *TCP) AppendTo(b []byte) []byte {
	n := TCPHeaderLen + h.Options.Len()
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint32(b, h.Seq)
	b = binary.BigEndian.AppendUint32(b, h.Ack)
	b = binary.BigEndian.AppendUint16(b, uint16(n/4)<<12|uint16(h.Flags)&0x1ff)
	b = binary.BigEndian.AppendUint16(b, h.Window)
	b = binary.BigEndian.AppendUint16(b, h.Checksum)
	b = binary.BigEndian.AppendUint16(b, h.Urgent)
	return h.Options.AppendTo(b)
}
