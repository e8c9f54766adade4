package wire

import "encoding/binary"

// UDPHeaderLen is the length of a UDP header.
const UDPHeaderLen = 8

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
	Length           int    // octets, the header counted
	Checksum         uint16 // zero if the sender computed none
}

// ParseUDPHeader reads a header and returns what of the input follows it.
func ParseUDPHeader(b []byte) (UDP, []byte, error) {
	if len(b) < UDPHeaderLen {
		return UDP{}, nil, ErrShort
	}
	h := UDP{
		SrcPort: binary.BigEndian.Uint16(b), DstPort: binary.BigEndian.Uint16(b[2:]),
		Length: int(binary.BigEndian.Uint16(b[4:])), Checksum: binary.BigEndian.Uint16(b[6:]),
	}
	if h.Length < UDPHeaderLen {
		return h, nil, ErrLength
	}
	return h, b[UDPHeaderLen:], nil
}

// ParseUDP reads a datagram that is in one piece, and returns its payload.
func ParseUDP(b []byte) (UDP, []byte, error) {
	h, rest, err := ParseUDPHeader(b)
	if err != nil {
		return h, nil, err
	}
	n := h.Length - UDPHeaderLen
	if n > len(rest) {
		return h, nil, ErrShort
	}
	return h, rest[:n:n], nil
}

// AppendTo appends the header.
func (h *UDP) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Length))
	return binary.BigEndian.AppendUint16(b, h.Checksum)
}
