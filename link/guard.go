package link

import (
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// guard returns why a frame must not enter at a port where only hosts are, zero
// if it may: router advertisements must not, nor what may hide one (RFC 6105;
// RFC 7113, 3).
//
// What no host heeds passes: an advertisement that doesn't come from a link-local
// address, or whose hop limit isn't 255 (RFC 4861, 6.1.2). A later fragment
// passes, for the first one shows what it belongs to, and that is dropped if it
// hasn't the whole chain of headers, as are chains of which this switch can't
// find the end.
func (b *Bridge) guard(p *pkt.Packet) Reason {
	h, l3, err := wire.ParseEthernet(headers(p, &b.front))
	if err != nil || h.Type != wire.EtherTypeIPv6 || len(l3) < wire.IPv6HeaderLen || plainTransport(wire.Protocol(l3[6])) {
		return 0
	}
	ip, payload, err := wire.ParseIPv6(b.whole(p))
	if err != nil || !ip.Src.IsLinkLocalUnicast() || ip.HopLimit != wire.NDPHopLimit {
		return 0
	}
	x, rest, err := wire.ParseIPv6Extensions(ip.NextHeader, payload)
	switch {
	case err != nil:
		return HiddenHeaders
	case x.Fragmented && x.Fragment.Offset != 0:
		return 0
	case x.Upper == wire.ProtocolICMPv6 && len(rest) == 0:
		return HiddenHeaders
	case x.Upper == wire.ProtocolICMPv6 && wire.ICMPv6Type(rest[0]) == wire.ICMPv6RouterAdvertisement:
		return RogueAdvert
	case x.Upper != wire.ProtocolICMPv6 && x.Upper != wire.ProtocolNone && !plainTransport(x.Upper):
		return HiddenHeaders // it may be an extension header that this switch doesn't know
	}
	return 0
}

// plainTransport reports whether what follows is no extension header, and no
// ICMPv6.
func plainTransport(next wire.Protocol) bool {
	return next == wire.ProtocolTCP || next == wire.ProtocolUDP
}
