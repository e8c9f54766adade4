package stack

import (
	"encoding/binary"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// udpHeaders is how long the headers of IPv4 without options and of UDP are.
const udpHeaders = wire.IPv4HeaderLen + wire.UDPHeaderLen

// A udpPath is what the datagrams have in common that an endpoint sends to the same
// destination one after the other: where they go, and their headers. It is what a
// [prediction] is to TCP, for datagrams over IPv4 to one neighbour that the endpoint
// has said nothing special about.
type udpPath struct {
	to, local  netip.AddrPort // as the program says, and as the endpoint was bound
	options    UDPOptions
	ttl        uint8
	generation uint32
	way        path

	head   [udpHeaders]byte // without lengths, identification and checksums
	sum    wire.Sum         // of the IP header
	pseudo wire.Sum         // of the pseudo header without a length, and the UDP header
}

// ttlOf returns the TTL of what is sent with those options.
func (s *Stack) ttlOf(o *UDPOptions) uint8 {
	if o.TTL == 0 {
		return s.cfg.TTL
	}
	return o.TTL
}

// rememberPath keeps the way that a datagram from one address to another has taken.
// to is what the program has said.
func (e *UDP) rememberPath(to, from, dst netip.AddrPort, v *path) {
	s := e.stack
	if !v.unicast || !dst.Addr().Is4() || e.Options.DontFragment || s.stream.On() {
		return
	}
	if e.way == nil {
		e.way = new(udpPath)
	}
	w := e.way
	*w = udpPath{
		to: to, local: e.local, options: e.Options, ttl: s.ttlOf(&e.Options), generation: s.generation, way: *v,
		pseudo: wire.PseudoHeader(from.Addr(), dst.Addr(), wire.ProtocolUDP, 0),
	}
	h := wire.IPv4{TOS: w.options.TOS, TTL: w.ttl, Protocol: wire.ProtocolUDP, Src: from.Addr(), Dst: dst.Addr()}
	h.Put(w.head[:wire.IPv4HeaderLen])
	binary.BigEndian.PutUint16(w.head[ipv4Checksum:], 0)
	binary.BigEndian.PutUint16(w.head[ipv4Length:], 0)
	w.sum = wire.Sum(0).Add(w.head[:wire.IPv4HeaderLen])
	w.sum = w.sum>>32 + w.sum&0xffffffff
	u := wire.UDP{SrcPort: from.Port(), DstPort: dst.Port()}
	u.AppendTo(w.head[wire.IPv4HeaderLen:wire.IPv4HeaderLen])
	binary.BigEndian.PutUint32(w.head[wire.IPv4HeaderLen+4:], 0)
	w.pseudo = w.pseudo.Add(w.head[wire.IPv4HeaderLen:])
}

// sendSame sends a datagram the way that the last one has taken, and reports whether
// that is its way too. Then it has taken over the payload's reference.
func (e *UDP) sendSame(now clock.Time, payload pkt.View, to netip.AddrPort) bool {
	s, w := e.stack, e.way
	if w == nil || w.generation != s.generation || s.stream.On() || w.to != to || w.local != e.local ||
		w.options != e.Options || w.ttl != s.ttlOf(&e.Options) || udpHeaders+payload.Len() > w.way.iface.MTU {
		return false
	}
	p := s.packets.New()
	p.SetBody(payload)
	s.ipID++
	n := wire.UDPHeaderLen + payload.Len()
	b := (*[udpHeaders]byte)(p.Prepend(udpHeaders))
	*b = w.head
	binary.BigEndian.PutUint16(b[ipv4Length:], uint16(wire.IPv4HeaderLen+n))
	binary.BigEndian.PutUint16(b[ipv4ID:], s.ipID)
	binary.BigEndian.PutUint16(b[ipv4Checksum:], (w.sum + wire.Sum(wire.IPv4HeaderLen+n) + wire.Sum(s.ipID)).Fold())
	binary.BigEndian.PutUint16(b[wire.IPv4HeaderLen+4:], uint16(n))
	// The length is in the pseudo header and in UDP's. (R1122-41)
	sum := w.pseudo.Plus(uint64(2 * n)).Add(payload.Bytes()).Fold()
	if sum == 0 {
		sum = 0xffff // RFC 768: "it is transmitted as all ones"
	}
	binary.BigEndian.PutUint16(b[wire.IPv4HeaderLen+6:], sum)
	p.Vouch()
	s.sendFresh(now, &w.way, p)
	return true
}

// sendFresh sends a packet to a neighbour. To one whose MAC address needs no thought it
// changes no timer.
func (s *Stack) sendFresh(now clock.Time, v *path, p *pkt.Packet) {
	mac, ok := v.neighbors.Fresh(now, v.nextHop)
	if !ok {
		s.resolve(now, v.iface, v.neighbors, v.nextHop, p)
		return
	}
	s.frame(v.iface, p, mac, etherType(v.nextHop))
	s.others.still = true
}

// A udpArrival is what the last datagram has come with that was for one endpoint
// alone, over IPv4: the next one is mostly of the same conversation. It is forgotten
// when an endpoint is bound, connected or closed.
type udpArrival struct {
	to         *UDP // nil: none is remembered
	generation uint32
	iface      *Interface
	link       [wire.EthernetHeaderLen]byte
	ends       [ipv4EndsLen]byte
	from, here netip.AddrPort
}

// rememberArrival makes e the endpoint that packets like p are for: a packet whose
// head begins with the IP header, behind the Ethernet header that was taken off it.
func (s *Stack) rememberArrival(e *UDP, at arrival, h *header, p *pkt.Packet, d *Datagram) {
	link, ip := p.Stripped(wire.EthernetHeaderLen), p.Head()
	if h.group || at.iface.Loopback || h.len != wire.IPv4HeaderLen || ip[0] != 0x45 || len(s.udps[d.To.Port()]) != 1 ||
		s.stream.On() || len(s.raws) > 0 || link == nil || wire.MAC(link) != at.iface.MAC {
		return // at last: it was put together from fragments
	}
	a := &s.udpLast
	a.to, a.generation, a.iface, a.from, a.here = e, s.generation, at.iface, d.From, d.To
	copy(a.link[:], link)
	copy(a.ends[:], ip[ipv4Ends:])
}

// handleSameUDP takes a frame if it has come as the last datagram has, and reports
// whether it has.
func (s *Stack) handleSameUDP(now clock.Time, i *Interface, p *pkt.Packet) bool {
	const off = wire.EthernetHeaderLen + wire.IPv4HeaderLen
	a, b := &s.udpLast, p.Head()
	if a.to == nil || a.iface != i || a.generation != s.generation || !p.Vouched() || s.stream.On() || len(s.raws) > 0 ||
		len(b) < off+wire.UDPHeaderLen {
		return false
	}
	ip := b[wire.EthernetHeaderLen:]
	n, length := int(binary.BigEndian.Uint16(ip[ipv4Length:]))-wire.IPv4HeaderLen, int(binary.BigEndian.Uint16(b[off+4:]))
	if ip[0] != 0x45 || ip[9] != byte(wire.ProtocolUDP) || binary.BigEndian.Uint16(ip[ipv4Fragment:])&0x3fff != 0 ||
		[ipv4EndsLen]byte(ip[ipv4Ends:]) != a.ends || [wire.EthernetHeaderLen]byte(b) != a.link ||
		length < wire.UDPHeaderLen || length > n || off+n > p.Len() || wire.Checksum(ip[:wire.IPv4HeaderLen]) != 0 {
		return false
	}
	d := Datagram{
		From: a.from, To: a.here, Interface: i.Index, TTL: ip[8], TOS: ip[1],
		Payload: p.Payload(off+wire.UDPHeaderLen, length-wire.UDPHeaderLen),
	}
	if a.to.enqueue(now, d) {
		p.Release()
	} else {
		s.discard(now, i, p, discardReceiveBuffer)
	}
	d.Payload.Release()
	s.others.still = true
	return true
}
