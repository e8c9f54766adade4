package icmperr

import (
	"net/netip"

	"hubbub/wire"
)

// A Packet is what the rules need to know of the packet that an error message
// would be about.
type Packet struct {
	Header        *wire.IPv4
	ICMPType      uint8 // where the packet is ICMP and not a later fragment: its type
	LinkBroadcast bool  // it came as a broadcast or multicast of the link
	DstBroadcast  bool  // the destination is a broadcast address of one of our subnets
	SrcBroadcast  bool  // the source is one
	Loopback      bool  // it came through the loopback interface
}

// MayAnswer reports whether an ICMP error message may be sent about a packet,
// and why not (RFC 1122, 3.2.2; RFC 1812, 4.3.2.7).
//
// RFC 1122, 3.2.2 (R1122-19): "An ICMP error message MUST NOT be sent as the result of
// receiving: an ICMP error message, or a datagram destined to an IP broadcast
// or IP multicast address, or a datagram sent as a link-layer broadcast, or a
// non-initial fragment, or a datagram whose source address does not define a
// single host".
func MayAnswer(p Packet) (ok bool, why string) {
	h := p.Header
	switch {
	case h.FragOffset != 0:
		return false, "it is a later fragment"
	case h.Protocol == wire.ProtocolICMP && !isQuery(p.ICMPType):
		return false, "it is an ICMP error message itself"
	case p.DstBroadcast || h.Dst == broadcast4:
		return false, "it was sent to an IP broadcast address"
	case h.Dst.IsMulticast():
		return false, "it was sent to an IP multicast address"
	case p.LinkBroadcast:
		return false, "it came as a broadcast of the link"
	case p.SrcBroadcast || !definesHost(h.Src, p.Loopback):
		return false, "its source address does not define a single host"
	}
	return true, ""
}

var (
	broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	classE     = netip.PrefixFrom(netip.AddrFrom4([4]byte{240}), 4) // RFC 1112, 4
	network0   = netip.PrefixFrom(netip.AddrFrom4([4]byte{}), 8)    // RFC 1122, 3.2.1.3 (a) and (b)
)

// definesHost reports whether an address can be that of a single host. One
// of loopback can, inside of the host itself.
func definesHost(a netip.Addr, loopback bool) bool {
	return a.IsValid() && !network0.Contains(a) && !a.IsMulticast() && !classE.Contains(a) &&
		(loopback || !a.IsLoopback())
}

// isQuery reports whether an ICMP message is of the types of which it is
// known that they are no error messages (RFC 1122, 3.2.2).
func isQuery(icmpType uint8) bool {
	switch icmpType {
	case 0, 8, // echo
		9, 10, // router discovery (RFC 1256, 3)
		13, 14, // timestamp
		15, 16, // information
		17, 18: // address mask
		return true
	}
	return false
}

// maxMessage is the greatest length of an error message, IP header included.
const maxMessage = 576

// QuoteLen returns how many bytes an error message quotes of a packet that has
// a header of that many bytes and that much payload, where the message's own
// IP header has options of that many bytes.
//
// RFC 1812, 4.3.2.3 (R1122-18): "the ICMP datagram SHOULD contain as much of the original
// datagram as possible without the length of the ICMP datagram exceeding 576
// bytes."
func QuoteLen(header, payload, options int) int {
	const own = 20 + 8 // IP and ICMP headers
	return min(header+payload, maxMessage-own-options)
}
