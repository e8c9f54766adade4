package wire

import (
	"encoding/binary"
	"fmt"
)

// The lengths of Ethernet frames in octets (IEEE 802.3, 3.2.7 and 4.4.2).
const (
	EthernetHeaderLen = 14
	VLANTagLen        = 4
	FCSLen            = 4
	MinPayload        = 46 // less is padded with zeros
	MaxPayload        = 1500
	MinFrame          = EthernetHeaderLen + MinPayload + FCSLen // with or without a tag
	MaxFrame          = EthernetHeaderLen + MaxPayload + FCSLen // without a tag
)

var errEthernetShort = &fault{"wire: the Ethernet header is cut off: it has 14 octets, or 18 with a tag", ErrShort}

// An EtherType says what a frame's payload is, if it is at least 0x0600. Up to
// [MaxPayload] it is the payload's length instead, and the payload begins with
// an LLC header (IEEE 802.3, 3.2.6).
type EtherType uint16

// The EtherTypes that hubbub knows.
const (
	EtherTypeIPv4 EtherType = 0x0800
	EtherTypeARP  EtherType = 0x0806
	EtherTypeVLAN EtherType = 0x8100
	EtherTypeIPv6 EtherType = 0x86dd
)

// IsLength reports whether t is the length of the payload in octets.
func (t EtherType) IsLength() bool { return t <= MaxPayload }

// String returns the protocol's name, or the number.
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
	if t.IsLength() {
		return fmt.Sprintf("length %d", uint16(t))
	}
	return fmt.Sprintf("EtherType 0x%04x", uint16(t))
}

// A VLAN is what a tag says (IEEE 802.1Q, 9.6).
type VLAN struct {
	ID           uint16 // 1 to 4094; 0: the tag tells the priority alone
	Priority     uint8  // 0 to 7
	DropEligible bool
}

// The Tag Control Information of a tag.
const (
	tciID       = 0x0fff
	tciDEI      = 0x1000
	tciPriority = 13 // where its three bits begin
)

func vlanOf(tci uint16) VLAN {
	return VLAN{ID: tci & tciID, Priority: uint8(tci >> tciPriority), DropEligible: tci&tciDEI != 0}
}

func (v VLAN) tci() uint16 {
	tci := v.ID&tciID | uint16(v.Priority)<<tciPriority
	if v.DropEligible {
		tci |= tciDEI
	}
	return tci
}

// Ethernet is the header of an Ethernet II frame, with or without a tag (IEEE
// 802.3, 3.1.1; IEEE 802.1Q, 9.5). A second tag is left to the payload, whose
// type is then [EtherTypeVLAN].
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
//	|      802.1Q tag: 0x8100       | PCP |D|        VLAN ID        | (optional)
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           EtherType           |  Payload ...
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type Ethernet struct {
	Dst, Src MAC
	Tagged   bool
	VLAN     VLAN
	Type     EtherType
}

// ParseEthernet reads a header and returns what follows it: the payload with
// its padding, and the frame check sequence if it is there. The error is an
// [ErrShort].
func ParseEthernet(b []byte) (Ethernet, []byte, error) {
	var h Ethernet
	if len(b) < EthernetHeaderLen {
		return Ethernet{}, nil, errEthernetShort
	}
	h.Dst, h.Src = MAC(b[0:6]), MAC(b[6:12])
	h.Type = EtherType(binary.BigEndian.Uint16(b[12:]))
	if h.Type != EtherTypeVLAN {
		return h, b[EthernetHeaderLen:], nil
	}
	if len(b) < EthernetHeaderLen+VLANTagLen {
		return Ethernet{}, nil, errEthernetShort
	}
	h.Tagged, h.VLAN = true, vlanOf(binary.BigEndian.Uint16(b[14:]))
	h.Type = EtherType(binary.BigEndian.Uint16(b[16:]))
	return h, b[EthernetHeaderLen+VLANTagLen:], nil
}

// Len returns the header's length in octets, with its tag if it has one.
func (h *Ethernet) Len() int {
	if h.Tagged {
		return EthernetHeaderLen + VLANTagLen
	}
	return EthernetHeaderLen
}

// PutEthernet writes the header of a frame without a tag.
func PutEthernet(b *[EthernetHeaderLen]byte, dst, src MAC, kind EtherType) {
	*(*MAC)(b[0:]), *(*MAC)(b[6:]) = dst, src
	binary.BigEndian.PutUint16(b[12:], uint16(kind))
}

// AppendTo appends the header.
func (h *Ethernet) AppendTo(b []byte) []byte {
	b = append(b, h.Dst[:]...)
	b = append(b, h.Src[:]...)
	if h.Tagged {
		b = binary.BigEndian.AppendUint16(b, uint16(EtherTypeVLAN))
		b = binary.BigEndian.AppendUint16(b, h.VLAN.tci())
	}
	return binary.BigEndian.AppendUint16(b, uint16(h.Type))
}
