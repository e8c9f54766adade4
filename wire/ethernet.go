package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The lengths of Ethernet frames in octets (IEEE 802.3, 3.2). The least and
// the greatest length of a frame count header and frame check sequence, not
// the tag.
const (
	EthernetHeaderLen = 14
	VLANTagLen        = 4
	FCSLen            = 4
	MinPayload        = 46
	MaxPayload        = 1500
	MinFrame          = 64
	MaxFrame          = 1518
)

// ErrShort is in every error about input that ends before its header does.
var ErrShort = fmt.Errorf("wire: the packet is too short: %w", io.ErrUnexpectedEOF)

// ErrLength says that a length in a header can't be.
var ErrLength = errors.New("wire: a length in the header is wrong")

// ErrVersion says that the header is of another version of the protocol.
var ErrVersion = errors.New("wire: the version is wrong")

// ErrChecksum says that the checksum does not match.
var ErrChecksum = errors.New("wire: the checksum is wrong")

// An EtherType says what a frame's payload is.
type EtherType uint16

// The EtherTypes that hubbub knows.
const (
	EtherTypeIPv4 EtherType = 0x0800
	EtherTypeARP  EtherType = 0x0806
	EtherTypeVLAN EtherType = 0x8100
	EtherTypeIPv6 EtherType = 0x86dd
)

// String returns the protocol's name, or its number.
func (t EtherType) String() string {
	switch t {
	case EtherTypeIPv4:
		return "IPv4"
	case EtherTypeARP:
		return "ARP"
	case EtherTypeVLAN:
		return "802.1Q"
	case EtherTypeIPv6:
		return "IPv6"
	}
	return fmt.Sprintf("EtherType 0x%04x", uint16(t))
}

// A VLAN is what an IEEE 802.1Q tag says.
type VLAN struct {
	ID           uint16 // 12 bits
	Priority     uint8  // 3 bits
	DropEligible bool
}

// Ethernet is the header of an Ethernet II frame, with or without a tag.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Destination Address                     |
//	+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                               |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	|                         Source Address                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   802.1Q tag: 0x8100          | PCP |D|        VLAN ID        |  (optional)
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           EtherType           |  Payload ...
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type Ethernet struct {
	Dst, Src MAC
	Tagged   bool
	VLAN     VLAN
	Type     EtherType
}

// ParseEthernet reads a header and returns what follows it.
func ParseEthernet(b []byte) (Ethernet, []byte, error) {
	var h Ethernet
	if len(b) < EthernetHeaderLen {
		return h, nil, ErrShort
	}
	h.Dst, h.Src = MAC(b[0:6]), MAC(b[6:12])
	h.Type = EtherType(binary.BigEndian.Uint16(b[12:]))
	if h.Type != EtherTypeVLAN {
		return h, b[EthernetHeaderLen:], nil
	}
	if len(b) < EthernetHeaderLen+VLANTagLen {
		return h, nil, ErrShort
	}
	tci := binary.BigEndian.Uint16(b[14:])
	h.Tagged = true
	h.VLAN = VLAN{ID: tci & 0xfff, Priority: uint8(tci >> 13), DropEligible: tci&0x1000 != 0}
	h.Type = EtherType(binary.BigEndian.Uint16(b[16:]))
	return h, b[EthernetHeaderLen+VLANTagLen:], nil
}

// Len returns the header's length with its tag, if it has one.
func (h *Ethernet) Len() int {
	if h.Tagged {
		return EthernetHeaderLen + VLANTagLen
	}
	return EthernetHeaderLen
}

// AppendTo appends the header.
func (h *Ethernet) AppendTo(b []byte) []byte {
	b = append(b, h.Dst[:]...)
	b = append(b, h.Src[:]...)
	if h.Tagged {
		b = binary.BigEndian.AppendUint16(b, uint16(EtherTypeVLAN))
		tci := h.VLAN.ID&0xfff | uint16(h.VLAN.Priority)<<13
		if h.VLAN.DropEligible {
			tci |= 0x1000
		}
		b = binary.BigEndian.AppendUint16(b, tci)
	}
	return binary.BigEndian.AppendUint16(b, uint16(h.Type))
}

// FCS returns the frame check sequence of a frame that is given in parts: the
// CRC-32 of all its bytes from the destination address on (IEEE 802.3, 3.2.9).
func FCS(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = crc32.Update(sum, crc32.IEEETable, p)
	}
	return sum
}

// AppendFCS appends the frame check sequence as it is on the cable: least
// significant octet first.
func AppendFCS(b []byte, fcs uint32) []byte { return binary.LittleEndian.AppendUint32(b, fcs) }

// CheckFCS reports whether the last four octets of a frame are the frame check
// sequence of those before.
func CheckFCS(frame []byte) bool {
	n := len(frame) - FCSLen
	return n >= 0 && binary.LittleEndian.Uint32(frame[n:]) == FCS(frame[:n])
}
