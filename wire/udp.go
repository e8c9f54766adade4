package wire

import "encoding/binary"

// UDPHeaderLen is the length of a UDP header in octets.
const UDPHeaderLen = 8

var (
	errUDPShort   = &fault{"wire: the UDP header is cut off: it has 8 octets", ErrShort}
	errUDPLength  = &fault{"wire: the UDP length is less than the 8 octets of the header", ErrLength}
	errUDPPayload = &fault{"wire: the UDP datagram is cut off: it ends before its length", ErrShort}
)

// UDP is the header of a datagram (RFC 768).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          Source Port          |       Destination Port        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|            Length             |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type UDP struct {
	SrcPort, DstPort uint16
	Length           int    // octets, the header counted: 8 to 65,535
	Checksum         uint16 // zero if the sender computed none
}

// ParseUDPHeader reads a header, and returns what of the input follows it; the
// datagram that it tells of may be longer than the input. The checksum is not
// checked: see [TransportChecksum]. The error is an [ErrShort] or [ErrLength].
func ParseUDPHeader(b []byte) (UDP, []byte, error) {
	if len(b) < UDPHeaderLen {
		return UDP{}, nil, errUDPShort
	}
	h := UDP{
		SrcPort:  binary.BigEndian.Uint16(b[0:]),
		DstPort:  binary.BigEndian.Uint16(b[2:]),
		Length:   int(binary.BigEndian.Uint16(b[4:])),
		Checksum: binary.BigEndian.Uint16(b[6:]),
	}
	if h.Length < UDPHeaderLen {
		return UDP{}, nil, errUDPLength
	}
	return h, b[UDPHeaderLen:], nil
}

// ParseUDP reads a datagram that is in one piece, and returns its payload,
// without what may follow. The errors are those of [ParseUDPHeader], and an
// [ErrShort] if the datagram is not whole.
func ParseUDP(b []byte) (UDP, []byte, error) {
	h, rest, err := ParseUDPHeader(b)
	if err != nil {
		return UDP{}, nil, err
	}
	n := h.Length - UDPHeaderLen
	if n > len(rest) {
		return UDP{}, nil, errUDPPayload
	}
	return h, rest[:n:n], nil
}

// AppendTo appends the header, with length and checksum as they are in the
// struct: see [PutUDPChecksum].
func (h *UDP) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Length))
	return binary.BigEndian.AppendUint16(b, h.Checksum)
}
