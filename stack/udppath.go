package stack

import (
	"encoding/binary"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A udpPath is what the datagrams have in common that an endpoint sends to the same
// destination one after the other: where they go, and their headers. It is what a
// [prediction] is to TCP, for datagrams to one neighbour of which the endpoint has
// said nothing special.
type udpPath struct {
	to, local  netip.AddrPort // as the program says, and as the endpoint was bound
	dst        netip.Addr
	options    UDPOptions
	ttl        uint8
	labels     bool // of IPv6's flows
	generation uint32
	way        path

	head    [wire.IPv6HeaderLen + wire.UDPHeaderLen]byte // without lengths, identification and checksums
	headLen int
	sum     wire.Sum // of the IPv4 header
	pseudo  wire.Sum // of the pseudo header without a length, and the UDP header
}

// ttlTo returns the TTL, or hop limit, of what is sent to dst with those options.
func (s *Stack) ttlTo(dst netip.Addr, v *path, o *UDPOptions) uint8 {
	switch {
	case o.TTL != 0:
		return o.TTL
	case dst.Is4():
		return s.cfg.TTL
	}
	return s.hopLimit(v, dst)
}

// rememberPath keeps the way that a datagram from one address to another has taken.
// to is what the program has said.
func (e *UDP) rememberPath(to, from, dst netip.AddrPort, v *path) {
	s := e.stack
	if !v.unicast || e.Options.DontFragment || s.stream.On() {
		return
	}
	if e.way == nil {
		e.way = new(udpPath)
	}
	w := e.way
	*w = udpPath{
		to: to, local: e.local, dst: dst.Addr(), options: e.Options, ttl: s.ttlTo(dst.Addr(), v, &e.Options),
		labels: s.cfg.FlowLabels, generation: s.generation, way: *v,
	}
	w.prepare(from, dst, s.flowLabel(wire.ProtocolUDP, from, dst))
}

// prepare makes the headers.
func (w *udpPath) prepare(from, dst netip.AddrPort, label uint32) {
	ip := wire.IPv6HeaderLen
	if dst.Addr().Is4() {
		ip = wire.IPv4HeaderLen
		h := wire.IPv4{TOS: w.options.TOS, TTL: w.ttl, Protocol: wire.ProtocolUDP, Src: from.Addr(), Dst: dst.Addr()}
		h.Put(w.head[:ip])
		binary.BigEndian.PutUint16(w.head[ipv4Checksum:], 0)
		binary.BigEndian.PutUint16(w.head[ipv4Length:], 0)
		w.sum = wire.Sum(0).Add(w.head[:ip])
		w.sum = w.sum>>32 + w.sum&0xffffffff
	} else {
		h := wire.IPv6{
			TrafficClass: w.options.TOS, FlowLabel: label, NextHeader: wire.ProtocolUDP, HopLimit: w.ttl,
			Src: from.Addr(), Dst: dst.Addr(),
		}
		h.AppendTo(w.head[:0])
	}
	w.headLen = ip + wire.UDPHeaderLen
	binary.BigEndian.PutUint16(w.head[ip:], from.Port())
	binary.BigEndian.PutUint16(w.head[ip+2:], dst.Port())
	w.pseudo = wire.PseudoHeader(from.Addr(), dst.Addr(), wire.ProtocolUDP, 0).Add(w.head[ip:w.headLen])
}

// suits reports whether a datagram of n octets to a destination goes this way.
func (w *udpPath) suits(now clock.Time, e *UDP, to netip.AddrPort, n int) bool {
	s := e.stack
	if w == nil || w.generation != s.generation || s.stream.On() || w.to != to || w.local != e.local ||
		w.options != e.Options || w.labels != s.cfg.FlowLabels || w.ttl != s.ttlTo(w.dst, &w.way, &e.Options) {
		return false
	}
	if w.dst.Is4() {
		return w.headLen+n <= w.way.iface.MTU
	}
	return w.headLen+n <= s.mtuTo(now, w.dst, &w.way)
}

// sendSame sends a datagram the way that the last one has taken, and reports whether
// that is its way too. Then it has taken over the payload's reference.
func (e *UDP) sendSame(now clock.Time, payload pkt.View, to netip.AddrPort) bool {
	s, w := e.stack, e.way
	if !w.suits(now, e, to, payload.Len()) {
		return false
	}
	p := s.packets.New()
	p.SetBody(payload)
	n := wire.UDPHeaderLen + payload.Len()
	b := p.Prepend(w.headLen)
	copy(b, w.head[:w.headLen])
	if w.dst.Is4() {
		s.ipID++
		binary.BigEndian.PutUint16(b[ipv4Length:], uint16(wire.IPv4HeaderLen+n))
		binary.BigEndian.PutUint16(b[ipv4ID:], s.ipID)
		binary.BigEndian.PutUint16(b[ipv4Checksum:], (w.sum + wire.Sum(wire.IPv4HeaderLen+n) + wire.Sum(s.ipID)).Fold())
	} else {
		binary.BigEndian.PutUint16(b[ipv6Length:], uint16(n))
	}
	u := b[w.headLen-wire.UDPHeaderLen:]
	binary.BigEndian.PutUint16(u[4:], uint16(n))
	// The length is in the pseudo header and in UDP's. (R1122-41)
	sum := w.pseudo.Plus(uint64(2 * n)).Add(payload.Bytes()).Fold()
	if sum == 0 {
		sum = 0xffff // RFC 768: "it is transmitted as all ones"
	}
	binary.BigEndian.PutUint16(u[6:], sum)
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
// alone: the next one is mostly of the same conversation. It is forgotten when an
// endpoint is bound, connected or closed.
type udpArrival struct {
	to         *UDP // nil: none is remembered
	generation uint32
	iface      *Interface
	link       [wire.EthernetHeaderLen]byte
	ends       [ipv6EndsLen]byte // the addresses and ports
	from, here netip.AddrPort
}

// rememberArrival makes e the endpoint that packets like p are for: a packet whose
// head begins with the IP header, behind the Ethernet header that was taken off it.
func (s *Stack) rememberArrival(e *UDP, at arrival, h *header, p *pkt.Packet, d *Datagram) {
	link, ip := p.Stripped(wire.EthernetHeaderLen), p.Head()
	if h.group || at.iface.Loopback || len(s.udps[d.To.Port()]) != 1 || s.stream.On() || len(s.raws) > 0 ||
		link == nil || wire.MAC(link) != at.iface.MAC {
		return // at last: it was put together from fragments
	}
	var ends []byte
	switch {
	case ip[0] == 0x45 && h.len == wire.IPv4HeaderLen:
		ends = ip[ipv4Ends : ipv4Ends+ipv4EndsLen]
	case ip[0]>>4 == 6 && h.len == wire.IPv6HeaderLen && d.To.Port() != wire.DHCP6ClientPort && d.To.Port() != wire.DHCP6ServerPort:
		ends = ip[ipv6Ends : ipv6Ends+ipv6EndsLen]
	default:
		return
	}
	a := &s.udpLast
	a.to, a.generation, a.iface, a.from, a.here = e, s.generation, at.iface, d.From, d.To
	copy(a.link[:], link)
	copy(a.ends[:], ends)
}

// expects reports whether a frame has come as the last datagram has, and where the UDP
// header lies and how long the transport's part is.
func (a *udpArrival) expects(b []byte) (off, n int, ok bool) {
	if len(b) < wire.EthernetHeaderLen+wire.IPv4HeaderLen+wire.UDPHeaderLen || [wire.EthernetHeaderLen]byte(b) != a.link {
		return 0, 0, false
	}
	ip := b[wire.EthernetHeaderLen:]
	switch {
	case ip[0] == 0x45:
		n = int(binary.BigEndian.Uint16(ip[ipv4Length:])) - wire.IPv4HeaderLen
		ok = a.here.Addr().Is4() && ip[9] == byte(wire.ProtocolUDP) && binary.BigEndian.Uint16(ip[ipv4Fragment:])&0x3fff == 0 &&
			[ipv4EndsLen]byte(ip[ipv4Ends:]) == [ipv4EndsLen]byte(a.ends[:]) && wire.Checksum(ip[:wire.IPv4HeaderLen]) == 0
		return wire.EthernetHeaderLen + wire.IPv4HeaderLen, n, ok
	case ip[0]>>4 == 6 && len(ip) >= wire.IPv6HeaderLen+wire.UDPHeaderLen:
		n = int(binary.BigEndian.Uint16(ip[ipv6Length:]))
		ok = a.here.Addr().Is6() && ip[ipv6Next] == byte(wire.ProtocolUDP) && [ipv6EndsLen]byte(ip[ipv6Ends:]) == a.ends &&
			binary.BigEndian.Uint16(ip[wire.IPv6HeaderLen+6:]) != 0 // (R8200-14)
		return wire.EthernetHeaderLen + wire.IPv6HeaderLen, n, ok
	}
	return 0, 0, false
}

// handleSameUDP takes a frame if it has come as the last datagram has, and reports
// whether it has.
func (s *Stack) handleSameUDP(now clock.Time, i *Interface, p *pkt.Packet) bool {
	a, b := &s.udpLast, p.Head()
	if a.to == nil || a.iface != i || a.generation != s.generation || !p.Vouched() || s.stream.On() || len(s.raws) > 0 {
		return false
	}
	off, n, ok := a.expects(b)
	if !ok {
		return false
	}
	length := int(binary.BigEndian.Uint16(b[off+4:]))
	if length < wire.UDPHeaderLen || length > n || off+n > p.Len() {
		return false
	}
	ip := b[wire.EthernetHeaderLen:]
	d := Datagram{From: a.from, To: a.here, Interface: i.Index, TTL: ip[8], TOS: ip[1]}
	if d.To.Addr().Is6() {
		d.TTL, d.TOS = ip[7], ip[0]<<4|ip[1]>>4
	}
	d.Payload = p.Payload(off+wire.UDPHeaderLen, length-wire.UDPHeaderLen)
	if a.to.enqueue(now, d) {
		p.Release()
	} else {
		s.discard(now, i, p, discardReceiveBuffer)
	}
	d.Payload.Release()
	s.others.still = true
	return true
}
