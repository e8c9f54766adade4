package wire

import (
	"encoding/binary"
	"slices"
	"strings"
)

// The lengths of TCP headers in octets.
const (
	TCPHeaderLen     = 20
	MaxTCPHeaderLen  = 60
	MaxTCPOptionsLen = MaxTCPHeaderLen - TCPHeaderLen
)

var (
	errTCPShort  = &fault{"wire: the TCP header is cut off: it has 20 octets and those of its options", ErrShort}
	errTCPOffset = &fault{"wire: the TCP data offset is less than the 20 octets of the header", ErrLength}
)

// TCPFlags are the control bits of a TCP header.
type TCPFlags uint16

// The control bits (RFC 9293, 3.1; AE is of RFC 9768, 3.1).
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

	allFlags TCPFlags = 1<<iota - 1
)

var flagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// Has reports whether all bits of g are set.
func (f TCPFlags) Has(g TCPFlags) bool { return f&g == g }

// String returns the names of the bits, such as "SYN|ACK", and "none" where
// none is set.
func (f TCPFlags) String() string {
	if f&allFlags == 0 {
		return "none"
	}
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
	DataOffset       int // the header's length in octets, as read; zero in a header to be written
	Flags            TCPFlags
	Window           uint16 // as on the wire: not shifted by the window scale
	Checksum         uint16
	Urgent           uint16
	Options          TCPOptions
}

// ParseTCPHeader reads a header, and returns what of the input follows it. Of
// the options, what can't be understood is skipped. The checksum is not
// checked: it covers the payload, see [TransportChecksum]. The error is an
// [ErrShort] or [ErrLength].
func ParseTCPHeader(b []byte) (h TCP, rest []byte, err error) {
	rest, err = h.Parse(b)
	return h, rest, err
}

// Parse is [ParseTCPHeader] into a header that is there already. After an
// error the header is as it was.
func (h *TCP) Parse(b []byte) (rest []byte, err error) {
	n, err := TCPDataOffset(b)
	if err != nil {
		return nil, err
	}
	h.SrcPort, h.DstPort = binary.BigEndian.Uint16(b[0:]), binary.BigEndian.Uint16(b[2:])
	h.Seq, h.Ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	h.DataOffset, h.Flags = n, TCPFlagsOf(b)
	h.Window, h.Checksum = binary.BigEndian.Uint16(b[14:]), binary.BigEndian.Uint16(b[16:])
	h.Urgent = binary.BigEndian.Uint16(b[18:])
	h.Options.Parse(b[TCPHeaderLen:n])
	return b[n:], nil
}

// TCPDataOffset returns how long the header is that b begins with, in octets: at least
// TCPHeaderLen, at most len(b). The error is an [ErrShort] or [ErrLength].
func TCPDataOffset(b []byte) (int, error) {
	if len(b) < TCPHeaderLen {
		return 0, errTCPShort
	}
	n := int(b[12]>>4) * 4
	switch {
	case n < TCPHeaderLen:
		return 0, errTCPOffset
	case n > len(b):
		return 0, errTCPShort
	}
	return n, nil
}

// TCPFlagsOf returns the control bits of the header that b begins with.
func TCPFlagsOf(b []byte) TCPFlags { return TCPFlags(binary.BigEndian.Uint16(b[12:])) & allFlags }

// HeaderLen returns the header's length in octets: as it was read, options
// that were skipped counted, or else as AppendTo writes it.
func (h *TCP) HeaderLen() int {
	if h.DataOffset != 0 {
		return h.DataOffset
	}
	return TCPHeaderLen + h.Options.Len()
}

// AppendTo appends the header with the options that Options has, whatever
// DataOffset says, and with the checksum as it is in the struct: see
// [PutTCPChecksum].
func (h *TCP) AppendTo(b []byte) []byte {
	n := TCPHeaderLen + h.Options.Len()
	b = slices.Grow(b, n)[:len(b)+n]
	header := b[len(b)-n:]
	PutTCP(header, uint32(h.SrcPort)<<16|uint32(h.DstPort), h.Seq, h.Ack, h.Flags, h.Window, h.Urgent)
	binary.BigEndian.PutUint16(header[16:], h.Checksum)
	h.Options.AppendTo(b[len(b)-n+TCPHeaderLen : len(b)-n+TCPHeaderLen])
	return b
}

// PutTCP writes a header with these fields into b, which is as long as it with its options: those are
// left to the caller, and so is the checksum. ports are the source's before the destination's.
func PutTCP(b []byte, ports, seq, ack uint32, flags TCPFlags, window, urgent uint16) {
	_ = b[TCPHeaderLen-1]
	words := uint16(len(b)) / 4
	binary.BigEndian.PutUint64(b, uint64(ports)<<32|uint64(seq))
	binary.BigEndian.PutUint64(b[8:], uint64(ack)<<32|uint64(words<<12|uint16(flags&allFlags))<<16|uint64(window))
	binary.BigEndian.PutUint32(b[16:], uint32(urgent))
}
