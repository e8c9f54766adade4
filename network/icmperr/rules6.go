package icmperr

import (
	"hubbub/wire"
)

// A Packet6 is what the rules need to know of the IPv6 packet that an error
// message would be about.
type Packet6 struct {
	Header *wire.IPv6
	// Upper is what follows the extension headers; of a later fragment,
	// wire.ProtocolNone.
	Upper     wire.Protocol
	ICMPType  wire.ICMPv6Type // where Upper is ICMPv6
	LinkGroup bool            // it came as a broadcast or multicast of the link
	Loopback  bool            // it came through the loopback interface
}

// MayAnswer6 reports whether an ICMPv6 error message may be sent about a
// packet, and why not. tellsGroups is set for the two errors that senders to a
// group need to hear: that a packet is too big, and that an option which asks
// for it isn't known.
//
// RFC 4443, 2.4 (e) (R4443-1): "An ICMPv6 error message MUST NOT be originated as a result
// of receiving the following: An ICMPv6 error message. An ICMPv6 redirect
// message. A packet destined to an IPv6 multicast address. [...] A packet sent
// as a link-layer multicast [...]. A packet sent as a link-layer broadcast [...].
// A packet whose source address does not uniquely identify a single node --
// e.g., the IPv6 Unspecified Address, an IPv6 multicast address".
func MayAnswer6(p Packet6, tellsGroups bool) (ok bool, why string) {
	h := p.Header
	switch {
	case p.Upper == wire.ProtocolICMPv6 && p.ICMPType.IsError():
		return false, "it is an ICMPv6 error message itself"
	case p.Upper == wire.ProtocolICMPv6 && p.ICMPType == wire.ICMPv6Redirect:
		return false, "it is an ICMPv6 redirect"
	case h.Dst.IsMulticast() && !tellsGroups:
		return false, "it was sent to a multicast address"
	case p.LinkGroup && !tellsGroups:
		return false, "it came as a multicast or broadcast of the link"
	case h.Src.IsUnspecified() || h.Src.IsMulticast() || h.Src.IsLoopback() && !p.Loopback:
		return false, "its source address does not define a single host"
	}
	return true, ""
}

// QuoteLen6 returns how many bytes an ICMPv6 error message quotes of a packet
// of that length: "as much of the offending (invoking) IPv6 packet [...] as
// possible without making the error message packet exceed the minimum IPv6
// MTU" (RFC 4443, 2.4 (c), R4443-2).
func QuoteLen6(packet int) int {
	return min(packet, wire.MinIPv6MTU-wire.IPv6HeaderLen-wire.ICMPv6HeaderLen)
}
