package hubbub

import (
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// headersLen returns how long the headers are that a frame begins with, as far
// as they can be made out: those of Ethernet, of IPv4, and of TCP, UDP or ICMP.
// The stack reads headers in a packet's head, and shares what is behind.
func headersLen(frame []byte) int {
	eth, packet, err := wire.ParseEthernet(frame)
	switch {
	case err != nil:
		return min(len(frame), wire.EthernetHeaderLen)
	case eth.Type == wire.EtherTypeARP:
		return eth.Len() + min(len(packet), wire.ARPLen)
	case eth.Type == wire.EtherTypeIPv6:
		return eth.Len() + headers6Len(packet)
	case eth.Type != wire.EtherTypeIPv4:
		return eth.Len()
	}
	ip, rest, err := wire.ParseIPv4Quote(packet)
	switch {
	case err != nil:
		return eth.Len()
	case ip.FragOffset > 0:
		return eth.Len() + ip.HeaderLen()
	}
	return eth.Len() + ip.HeaderLen() + transportLen(ip.Protocol, rest)
}

// headers6Len is headersLen for a packet of IPv6: extension headers that are too
// long for a packet's head are left behind it, and nobody reads them.
func headers6Len(packet []byte) int {
	const room = pkt.HeadRoom - wire.EthernetHeaderLen - wire.VLANTagLen
	ip, rest, err := wire.ParseIPv6Header(packet)
	if err != nil {
		return min(len(packet), room)
	}
	x, rest, err := wire.ParseIPv6Extensions(ip.NextHeader, rest)
	if err != nil {
		return min(len(packet), room)
	}
	n := wire.IPv6HeaderLen + x.Len
	if x.Fragment.Offset == 0 {
		n += transportLen(x.Upper, rest)
	}
	return min(n, room)
}

// transportLen returns how long the transport's header is that b begins with.
func transportLen(protocol wire.Protocol, b []byte) int {
	n := 0
	switch protocol {
	case wire.ProtocolTCP:
		if n = wire.TCPHeaderLen; len(b) >= n {
			n = max(n, int(b[12]>>4)*4)
		}
	case wire.ProtocolUDP:
		n = wire.UDPHeaderLen
	case wire.ProtocolICMP, wire.ProtocolICMPv6:
		n = wire.ICMPv4HeaderLen
	}
	return min(n, len(b))
}
