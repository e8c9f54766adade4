package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// ARPLen is the length of an ARP packet for IPv4 over Ethernet.
const ARPLen = 28

// An ARPOp says what an ARP packet wants.
type ARPOp uint16

// The operations (RFC 826).
const (
	ARPRequest ARPOp = 1
	ARPReply   ARPOp = 2
)

// String returns the operation's name.
func (op ARPOp) String() string {
	switch op {
	case ARPRequest:
		return "request"
	case ARPReply:
		return "reply"
	}
	return fmt.Sprintf("operation %d", uint16(op))
}

// ErrARPKind: an ARP packet has other hardware or protocol types than
// Ethernet and IPv4, or other lengths of addresses. RFC 826 lets everyone
// ignore it.
var ErrARPKind = errors.New("wire: the ARP packet is not about IPv4 over Ethernet")

var errARPShort = &fault{"wire: the ARP packet is cut off: it has 28 octets", ErrShort}

// ARP is a packet of the Address Resolution Protocol for IPv4 over Ethernet
// (RFC 826).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|       Hardware type: 1        |     Protocol type: 0x0800     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Length: 6    |  Length: 4    |           Operation           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                      Sender MAC Address                       |
//	+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                               |       Sender IP Address       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|          ... continued        |                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//	|                      Target MAC Address                       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Target IP Address                       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type ARP struct {
	Op        ARPOp
	SenderMAC MAC
	SenderIP  netip.Addr
	TargetMAC MAC // zero in a request
	TargetIP  netip.Addr
}

// arpKind is how every packet about IPv4 over Ethernet begins.
var arpKind = [6]byte{0, 1, 0x08, 0x00, 6, 4}

// ParseARP reads a packet and returns what follows it, which is padding. The
// error is an [ErrShort] or [ErrARPKind].
func ParseARP(b []byte) (ARP, []byte, error) {
	switch {
	case len(b) < ARPLen:
		return ARP{}, nil, errARPShort
	case [6]byte(b[:6]) != arpKind:
		return ARP{}, nil, ErrARPKind
	}
	return ARP{
		Op:        ARPOp(binary.BigEndian.Uint16(b[6:])),
		SenderMAC: MAC(b[8:14]),
		SenderIP:  netip.AddrFrom4([4]byte(b[14:18])),
		TargetMAC: MAC(b[18:24]),
		TargetIP:  netip.AddrFrom4([4]byte(b[24:28])),
	}, b[ARPLen:], nil
}

// AppendTo appends the packet. Addresses that are not of IPv4 become 0.0.0.0.
func (a *ARP) AppendTo(b []byte) []byte {
	b = append(b, arpKind[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(a.Op))
	b = append(b, a.SenderMAC[:]...)
	b = append4(b, a.SenderIP)
	b = append(b, a.TargetMAC[:]...)
	return append4(b, a.TargetIP)
}
