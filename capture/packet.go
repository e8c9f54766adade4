package capture

import (
	"errors"
	"net/netip"

	"hubbub/wire"
)

// Layers are the headers that a frame was found to have, as bits.
type Layers uint16

// The headers.
const (
	LayerEthernet Layers = 1 << iota
	LayerARP
	LayerIPv4
	LayerICMP
	LayerUDP
	LayerTCP
	LayerIPv6
	LayerICMPv6
)

// layerIP is that of either family.
const layerIP = LayerIPv4 | LayerIPv6

// A Packet is what a frame's headers say, as far as they can be read. Only the
// fields that Has names are set.
type Packet struct {
	Has      Layers
	Ethernet wire.Ethernet
	ARP      wire.ARP
	// IP is the header of IPv4. Of a packet of IPv6 it has what both families
	// have: the addresses, the protocol behind the extension headers, time to
	// live and type of service, and of a fragment where it belongs. Its lengths
	// are those of the payload with 20 octets of header.
	IP     wire.IPv4
	IPv6   wire.IPv6
	ICMP   wire.ICMPv4
	ICMPv6 wire.ICMPv6
	UDP    wire.UDP
	TCP    wire.TCP

	// Payload is what follows the last header that was read, without the
	// padding behind an IP packet. It aliases the frame.
	Payload []byte
	// Wrong says why reading ended early, such as "the IPv4 header's checksum
	// is wrong"; it is empty if all was well.
	Wrong string
}

// Decode reads a frame's headers, from the destination address on. It takes
// any bytes: where they stop making sense, it stops, and says so in Wrong.
func Decode(frame []byte) Packet {
	var p Packet
	eth, rest, err := wire.ParseEthernet(frame)
	if err != nil {
		p.Payload = frame
		p.Wrong = problem("the Ethernet header", err)
		return p
	}
	p.Has, p.Ethernet, p.Payload = LayerEthernet, eth, rest
	switch eth.Type {
	case wire.EtherTypeARP:
		p.decodeARP(rest)
	case wire.EtherTypeIPv4:
		p.decodeIPv4(rest)
	case wire.EtherTypeIPv6:
		p.decodeIPv6(rest)
	}
	return p
}

// DecodePacket reads a packet that has no Ethernet header: what a
// [event.FrameDropped] holds of a packet that never became a frame.
func DecodePacket(b []byte) Packet {
	p := Packet{Payload: b}
	switch {
	case len(b) > 0 && b[0]>>4 == 4:
		p.decodeIPv4(b)
	case wire.IsIPv6(b):
		p.decodeIPv6(b)
	}
	return p
}

func (p *Packet) decodeARP(b []byte) {
	a, rest, err := wire.ParseARP(b)
	if err != nil {
		p.Wrong = problem("the ARP packet", err)
		return
	}
	p.Has |= LayerARP
	p.ARP, p.Payload = a, rest[:0]
}

func (p *Packet) decodeIPv4(b []byte) {
	h, payload, err := wire.ParseIPv4Header(b)
	if err != nil {
		p.Wrong = problem("the IPv4 header", err)
		return
	}
	p.Has |= LayerIPv4
	p.IP = h
	if n := h.TotalLen - h.HeaderLen(); n <= len(payload) {
		payload = payload[:n]
	} else {
		p.Wrong = "the IPv4 packet is shorter than its header says"
	}
	p.Payload = payload
	if h.FragOffset == 0 {
		p.decodeTransport(payload)
	}
}

func (p *Packet) decodeIPv6(b []byte) {
	h, payload, err := wire.ParseIPv6Header(b)
	if err != nil {
		p.Wrong = problem("the IPv6 header", err)
		return
	}
	p.Has |= LayerIPv6
	p.IPv6 = h
	if h.PayloadLen <= len(payload) {
		payload = payload[:h.PayloadLen]
	} else {
		p.Wrong = "the IPv6 packet is shorter than its header says"
	}
	p.Payload = payload
	x, rest, err := wire.ParseIPv6Extensions(h.NextHeader, payload)
	if err != nil {
		p.Wrong = problem("the IPv6 extension header", err)
		return
	}
	p.IP = wire.IPv4{
		TOS: h.TrafficClass, TTL: h.HopLimit, Protocol: x.Upper, Src: h.Src, Dst: h.Dst,
		ID: uint16(x.Fragment.ID), MF: x.Fragment.More, FragOffset: x.Fragment.Offset,
		TotalLen: wire.IPv4HeaderLen + h.PayloadLen - x.Len,
	}
	p.Payload = rest
	if x.Fragment.Offset == 0 {
		p.decodeTransport(rest)
	}
}

func (p *Packet) decodeTransport(b []byte) {
	var what string
	var err error
	rest := b
	switch p.IP.Protocol {
	case wire.ProtocolTCP:
		what = "the TCP header"
		if p.TCP, rest, err = wire.ParseTCPHeader(b); err == nil {
			p.Has |= LayerTCP
		}
	case wire.ProtocolUDP:
		what = "the UDP header"
		if p.UDP, rest, err = wire.ParseUDPHeader(b); err == nil {
			p.Has |= LayerUDP
			rest = rest[:min(len(rest), p.UDP.Length-wire.UDPHeaderLen)]
		}
	case wire.ProtocolICMP:
		what = "the ICMP message"
		if p.ICMP, rest, err = wire.ParseICMPv4Header(b); err != nil {
			break
		}
		p.Has |= LayerICMP
		if p.Wrong == "" && !p.Fragment() && wire.Checksum(b) != 0 {
			err = wire.ErrChecksum
		}
	case wire.ProtocolICMPv6:
		what = "the ICMPv6 message"
		if p.ICMPv6, rest, err = wire.ParseICMPv6Header(b); err != nil {
			break
		}
		p.Has |= LayerICMPv6
		if p.Wrong == "" && !p.Fragment() && wire.TransportChecksum(p.IP.Src, p.IP.Dst, wire.ProtocolICMPv6, nil, b) != 0 {
			err = wire.ErrChecksum
		}
	}
	if err != nil {
		p.Wrong = problem(what, err)
	}
	if rest != nil {
		p.Payload = rest
	}
}

// problem says in a sentence why a header could not be read.
func problem(what string, err error) string {
	switch {
	case errors.Is(err, wire.ErrShort):
		return what + " is cut short"
	case errors.Is(err, wire.ErrChecksum):
		return what + "'s checksum is wrong"
	case errors.Is(err, wire.ErrLength):
		return what + " tells a length that can't be"
	case errors.Is(err, wire.ErrVersion):
		return what + " is of another version"
	case errors.Is(err, wire.ErrARPKind):
		return what + " is not about IPv4 over Ethernet"
	}
	return what + " is damaged"
}

// Fragment reports whether the packet is a piece of a larger one.
func (p *Packet) Fragment() bool {
	return p.Has&layerIP != 0 && (p.IP.MF || p.IP.FragOffset != 0)
}

// Ports returns the ports of a TCP segment or UDP datagram, if they are known.
func (p *Packet) Ports() (src, dst uint16, ok bool) {
	switch {
	case p.Has&LayerTCP != 0:
		return p.TCP.SrcPort, p.TCP.DstPort, true
	case p.Has&LayerUDP != 0:
		return p.UDP.SrcPort, p.UDP.DstPort, true
	}
	return 0, 0, false
}

// Source and Destination return the packet's ends: IP addresses with the ports
// if there are any, of an ARP packet the sender and the target.
func (p *Packet) Source() netip.AddrPort {
	src, _, _ := p.Ports()
	if p.Has&LayerARP != 0 {
		return netip.AddrPortFrom(p.ARP.SenderIP, 0)
	}
	return netip.AddrPortFrom(p.IP.Src, src)
}

// Destination returns the other end: see Source.
func (p *Packet) Destination() netip.AddrPort {
	_, dst, _ := p.Ports()
	if p.Has&LayerARP != 0 {
		return netip.AddrPortFrom(p.ARP.TargetIP, 0)
	}
	return netip.AddrPortFrom(p.IP.Dst, dst)
}

// Quoted returns the packet that an ICMP error tells of, as far as it quotes
// it.
func (p *Packet) Quoted() (Packet, bool) {
	if !p.isErrorMessage() {
		return Packet{}, false
	}
	q := DecodePacket(p.Payload)
	return q, q.Has&layerIP != 0
}

// isErrorMessage reports whether the packet is an error of either family's
// ICMP.
func (p *Packet) isErrorMessage() bool {
	return p.Has&LayerICMP != 0 && p.ICMP.IsError() || p.Has&LayerICMPv6 != 0 && p.ICMPv6.Type.IsError()
}

// echoID returns the identifier of an echo request or reply, of either family.
func (p *Packet) echoID() (id uint16, ok bool) {
	switch {
	case p.Has&LayerICMP != 0:
		return p.ICMP.ID(), p.ICMP.Type == wire.Echo || p.ICMP.Type == wire.EchoReply
	case p.Has&LayerICMPv6 != 0:
		return p.ICMPv6.ID(), p.ICMPv6.Type == wire.ICMPv6EchoRequest || p.ICMPv6.Type == wire.ICMPv6EchoReply
	}
	return 0, false
}
