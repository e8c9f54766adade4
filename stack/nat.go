package stack

import (
	"encoding/binary"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/nat"
	"hubbub/wire"
)

// Masquerade hides what is behind a router: whatever it forwards to the interface
// leaves with the interface's IPv4 address and a port of the router's, and the
// answers find their way back (RFC 3022, 4; RFC 4787). What comes from there and
// nobody has asked for is not forwarded. IPv6 is forwarded as it is.
func (s *Stack) Masquerade(i *Interface) {
	i.nat = nat.New(nat.DefaultConfig())
	s.generation++
}

// natPlaces is where in a packet's head the port is that NAT changes, an ICMP
// query's identifier in its stead, and what checksum covers it.
type natPlaces struct {
	port, sum        int
	pseudo, optional bool
	flags            wire.TCPFlags
}

// findPlaces reports false for what has no port: other protocols, and those of ICMP's
// messages that belong to no query which began inside.
func findPlaces(h *wire.IPv4, p *pkt.Packet, outward bool) (x natPlaces, ok bool) {
	head, at, query := transportHead(h, p), h.HeaderLen(), wire.EchoReply
	x.port = at + 2
	if outward {
		x.port, query = at, wire.Echo
	}
	switch {
	case h.Protocol == wire.ProtocolTCP && len(head) >= wire.TCPHeaderLen:
		x.sum, x.pseudo, x.flags = at+16, true, wire.TCPFlags(head[13])
	case h.Protocol == wire.ProtocolUDP && len(head) >= wire.UDPHeaderLen:
		x.sum, x.pseudo, x.optional = at+6, true, true
	case h.Protocol == wire.ProtocolICMP && len(head) >= wire.ICMPv4HeaderLen && wire.ICMPv4Type(head[0]) == query:
		x.port, x.sum = at+4, at+2
	default:
		return x, false
	}
	return x, true
}

// translateOut gives a packet that leaves for a masqueraded interface the router's
// address and a port. It reports false if it has thrown the packet away.
func (s *Stack) translateOut(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, i *Interface) bool {
	x, ok := findPlaces(h, p, true)
	if !ok || len(i.addresses) == 0 {
		s.discard(now, at.iface, p, discardUntranslatable)
		return false
	}
	own := i.addresses[0].Addr()
	who := nat.Inside{Protocol: h.Protocol, Ends: netip.AddrPortFrom(h.Src, be16(p.Head()[x.port:]))}
	port, ok := i.nat.Out(now, who, x.flags, func(port uint16) bool { return s.hasPort(h.Protocol, port) })
	if !ok {
		s.discard(now, at.iface, p, discardNoMapping)
		return false
	}
	x.rewrite(p, ipv4Source, netip.AddrPortFrom(own, port))
	h.Src = own
	return true
}

// hasPort reports whether the router itself uses a port.
func (s *Stack) hasPort(protocol wire.Protocol, port uint16) bool {
	switch protocol {
	case wire.ProtocolTCP:
		return s.tcpPorts.ports[port] != 0
	case wire.ProtocolUDP:
		return s.udpPorts.ports[port] != 0
	}
	return false
}

// translateIn forwards a packet for the router's own address that is an answer to
// somebody inside, or one that somebody inside sends to another there by the router's
// address: "A NAT MUST support "Hairpinning"." (RFC 4787, 6) It reports false if
// the packet is for the router itself.
func (s *Stack) translateIn(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) bool {
	i := s.own.by(h.Dst)
	if i == nil || i.nat == nil {
		return false
	}
	if x, ok := s.translateQuote(now, i, h, p, false); ok {
		return s.forwardInside(now, at, h, x, p)
	}
	x, ok := findPlaces(h, p, false)
	if !ok {
		return false
	}
	port := be16(p.Head()[x.port:])
	if h.Protocol == wire.ProtocolTCP && s.connection(netip.AddrPortFrom(h.Dst, port), netip.AddrPortFrom(h.Src, be16(p.Head()[x.port-2:]))) != nil {
		return false
	}
	who, ok := i.nat.In(now, h.Protocol, port, x.flags)
	switch {
	case !ok:
		return false
	case s.outlived(now, at, h, p):
		return true
	}
	x.rewrite(p, ipv4Destination, who)
	h.Dst = who.Addr()
	if at.iface.nat == nil && !s.translateOut(now, at, h, p, i) {
		return true
	}
	return s.forwardInside(now, at, h, p, nil)
}

// forwardInside forwards a packet that was translated, and releases the one that it
// stands for, if that is another.
func (s *Stack) forwardInside(now clock.Time, at arrival, h *wire.IPv4, p, old *pkt.Packet) bool {
	if old != nil {
		p.ID, p.Cause = old.ID, old.Cause
		old.Release()
	}
	at.translated = true
	s.forward(now, at, h, p)
	return true
}

// The places of the addresses in an IPv4 header.
const ipv4Source, ipv4Destination = ipv4Ends, ipv4Ends + 4

// rewrite puts an address and a port into a packet's head.
func (x *natPlaces) rewrite(p *pkt.Packet, at int, ends netip.AddrPort) {
	head, addr := p.Head(), ends.Addr().As4()
	for n := 0; n < len(addr); n += 2 {
		before, after := be16(head[at+n:]), be16(addr[n:])
		if x.pseudo {
			p.Rewrite(at+n, after, x.sum, true, x.optional)
		}
		binary.BigEndian.PutUint16(head[at+n:], before)
		patch(head, at+n, after, 10)
	}
	p.Rewrite(x.port, ends.Port(), x.sum, false, x.optional)
}

// patch replaces 16 bits, and brings the checksums up to date that cover them and are
// there.
func patch(b []byte, at int, value uint16, sums ...int) {
	before := be16(b[at:])
	binary.BigEndian.PutUint16(b[at:], value)
	for _, sum := range sums {
		if sum+2 <= len(b) {
			binary.BigEndian.PutUint16(b[sum:], wire.UpdateChecksum(be16(b[sum:]), before, value))
		}
	}
}

// translateQuote returns an ICMP error, inward or outward, with what it quotes as
// the receiver knows it, and with the header changed in h: "Revert the IP and
// transport headers of the embedded IP packet to their original form, using the
// matching mapping" (RFC 5508, 4.2). It reports false for anything else, and for what nobody
// inside has sent.
func (s *Stack) translateQuote(now clock.Time, i *Interface, h *wire.IPv4, p *pkt.Packet, outward bool) (*pkt.Packet, bool) {
	at := h.HeaderLen()
	if head := transportHead(h, p); h.Protocol != wire.ProtocolICMP || len(head) == 0 || !wire.ICMPv4Type(head[0]).IsError() {
		return nil, false
	}
	b := p.AppendTo(nil)[:h.TotalLen]
	quote := b[min(len(b), at+wire.ICMPv4HeaderLen):]
	q, rest, err := wire.ParseIPv4Quote(quote)
	if err != nil || len(rest) < 8 {
		return nil, false
	}
	port, outer, inner, addr := 0, ipv4Destination, ipv4Source, q.Src
	if outward {
		port, outer, inner, addr = 2, ipv4Source, ipv4Destination, q.Dst
	}
	if q.Protocol == wire.ProtocolICMP {
		port = 4
	}
	own := i.addresses[0].Addr()
	seen := netip.AddrPortFrom(addr, be16(rest[port:]))
	ends, known := seen, false
	if outward {
		var mapped uint16
		mapped, known = i.nat.Find(now, nat.Inside{Protocol: q.Protocol, Ends: seen})
		ends = netip.AddrPortFrom(own, mapped)
	} else if addr == own {
		ends, known = i.nat.Who(now, q.Protocol, seen.Port())
	}
	switch {
	case !known:
		return nil, false
	case outward:
		h.Src = own
	default:
		h.Dst = ends.Addr()
	}
	quoteEnds(quote, inner, q.HeaderLen(), q.HeaderLen()+port, q.Protocol, ends)
	header := ends.Addr().As4()
	for n := 0; n < len(header); n += 2 {
		patch(b, outer+n, be16(header[n:]), 10)
	}
	binary.BigEndian.PutUint16(b[at+2:], 0)
	binary.BigEndian.PutUint16(b[at+2:], wire.Checksum(b[at:]))
	return pkt.FromBytes(b, pkt.HeadRoom-wire.EthernetHeaderLen), true
}

// quoteEnds puts an address and a port into a quoted packet, of which as much of the
// transport's header may be missing as follows its first 8 octets.
func quoteEnds(quote []byte, addr, transport, port int, protocol wire.Protocol, ends netip.AddrPort) {
	sum, pseudo := transport+2, false // ICMP's
	switch protocol {
	case wire.ProtocolTCP:
		sum, pseudo = transport+16, true
	case wire.ProtocolUDP:
		sum, pseudo = transport+6, be16(quote[transport+6:]) != 0
	}
	words := ends.Addr().As4()
	for n := 0; n < len(words); n += 2 {
		if pseudo {
			patch(quote, addr+n, be16(words[n:]), 10, sum)
		} else {
			patch(quote, addr+n, be16(words[n:]), 10)
		}
	}
	if protocol == wire.ProtocolUDP && !pseudo {
		patch(quote, port, ends.Port())
	} else {
		patch(quote, port, ends.Port(), sum)
	}
}
