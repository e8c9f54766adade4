package stack

import (
	"encoding/binary"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// A prediction is what the packets of one connection have in common: the headers that
// the last one came with, and those that the next one gets. Most packets are of a
// connection that others were of lately; they need no second look at what
// was found in order, nor a second search for what they are for. (Jacobson calls
// it header prediction in a message to the tcp-ip list of 1990, Linux early
// demultiplexing and a cache of hardware headers.)
//
// It is only for machines that nobody watches, and for packets without options
// and extensions. Whatever changes a verdict changes the generation.
type prediction struct {
	tcp        *TCP // nil: none is remembered
	generation uint32

	// Of what arrives: the interface, the Ethernet header, and the addresses
	// with the ports, which lie behind each other.
	iface *Interface
	link  [wire.EthernetHeaderLen]byte
	ends  [2*16 + 4]byte

	// Of what leaves: the IP header without lengths, identification and ECN,
	// the sum of its words, that of the pseudo header without a length, and the ports. The
	// length of the header is zero while nothing has left.
	six      bool
	head     [wire.IPv6HeaderLen]byte
	headLen  int
	most     int // the longest packet that the link takes
	tos, ttl uint8
	whole    bool // no router may cut it
	sum      wire.Sum
	pseudo   wire.Sum
	ports    uint32
}

// predictions are a machine's: each connection has one place where it can be, by
// its ports. There is one place until connections come in each other's way.
type predictions struct {
	places  []prediction // as many as a power of two
	shift   uint8        // by how many bits a hash is longer than an index
	crowded int          // how often one has taken another's place since there are so many
}

const (
	maxPredictions = 64
	// tooCrowded is after how many conflicts for each place there are to be more.
	tooCrowded = 8
)

// at returns the place of a connection with those ports, the peer's before this
// machine's.
func (t *predictions) at(ports uint32) *prediction {
	if len(t.places) == 0 {
		t.places, t.shift = make([]prediction, 1), 32
	}
	return &t.places[ports*0x9e3779b1>>t.shift] // Knuth's multiplicative hash
}

// of returns e's place, and whether e is there.
func (t *predictions) of(e *TCP) (f *prediction, ok bool) {
	f = t.at(uint32(e.remote.Port())<<16 | uint32(e.local.Port()))
	return f, f.tcp == e
}

// forget takes e out.
func (t *predictions) forget(e *TCP) {
	if f, ok := t.of(e); ok {
		f.tcp = nil
	}
}

// clear takes all out.
func (t *predictions) clear() { *t = predictions{} }

// claim returns e's place, to be taken.
func (t *predictions) claim(e *TCP) *prediction {
	f, ok := t.of(e)
	if ok || f.tcp == nil {
		return f
	}
	if t.crowded++; t.crowded >= tooCrowded*len(t.places) && len(t.places) < maxPredictions {
		*t = predictions{places: make([]prediction, 2*len(t.places)), shift: t.shift - 1}
		f, _ = t.of(e)
	}
	return f
}

// Where an IP header has its parts.
const (
	ipv4Length, ipv4ID, ipv4Fragment, ipv4Checksum, ipv4Ends = 2, 4, 6, 10, 12
	ipv6Length, ipv6Next, ipv6Ends                           = 4, 6, 8
	ipv4EndsLen, ipv6EndsLen                                 = 2*4 + 4, 2*16 + 4
)

// remember makes the connection e the one that packets like p are for: a packet
// whose head begins with the IP header, behind the Ethernet header that was
// taken off it.
func (s *Stack) remember(e *TCP, at arrival, h *header, p *pkt.Packet) {
	link, ip := p.Stripped(wire.EthernetHeaderLen), p.Head()
	var ends []byte
	switch {
	case s.stream.On(), at.broadcast, len(s.raws) > 0:
		return
	case link == nil, wire.MAC(link) != at.iface.MAC:
		return // it was put together from fragments
	case h.len == wire.IPv4HeaderLen && ip[0] == 0x45:
		ends = ip[ipv4Ends : ipv4Ends+ipv4EndsLen]
	case h.len == wire.IPv6HeaderLen && ip[0]>>4 == 6:
		ends = ip[ipv6Ends : ipv6Ends+ipv6EndsLen]
	default:
		return
	}
	f := s.predictions.claim(e)
	copy(f.ends[:], ends)
	if f.tcp != e || f.generation != s.generation {
		f.headLen = 0
	}
	f.tcp, f.generation, f.iface, f.six = e, s.generation, at.iface, ip[0]>>4 == 6
	copy(f.link[:], link)
}

// predicted returns the prediction that a frame which came by i is of, nil if there
// is none, and where the TCP segment lies in the frame. Of the fields that it
// doesn't look at, none makes a difference to this machine, or whoever goes on looks
// at them.
func (s *Stack) predicted(i *Interface, p *pkt.Packet) (f *prediction, off, n int) {
	b := p.Head()
	if len(b) < wire.EthernetHeaderLen+wire.IPv4HeaderLen+wire.TCPHeaderLen || !p.Vouched() || s.stream.On() || len(s.raws) > 0 {
		return nil, 0, 0
	}
	ip, same := b[wire.EthernetHeaderLen:], false
	switch {
	case ip[0] == 0x45:
		off = wire.EthernetHeaderLen + wire.IPv4HeaderLen
		n = int(binary.BigEndian.Uint16(ip[ipv4Length:])) - wire.IPv4HeaderLen
		f = s.predictions.at(binary.BigEndian.Uint32(b[off:]))
		same = binary.BigEndian.Uint16(ip[ipv4Fragment:])&0x3fff == 0 && ip[9] == byte(wire.ProtocolTCP) &&
			wire.IPv4ChecksumOK((*[wire.IPv4HeaderLen]byte)(ip)) && [ipv4EndsLen]byte(ip[ipv4Ends:]) == [ipv4EndsLen]byte(f.ends[:])
	case ip[0]>>4 == 6 && len(ip) >= wire.IPv6HeaderLen+wire.TCPHeaderLen:
		off = wire.EthernetHeaderLen + wire.IPv6HeaderLen
		n = int(binary.BigEndian.Uint16(ip[ipv6Length:]))
		f = s.predictions.at(binary.BigEndian.Uint32(b[off:]))
		same = ip[ipv6Next] == byte(wire.ProtocolTCP) && [ipv6EndsLen]byte(ip[ipv6Ends:]) == f.ends
	}
	if p.Giant() {
		n = p.Len() - off // more than the header tells
	}
	if !same || f.tcp == nil || f.iface != i || f.generation != s.generation || off+n > p.Len() ||
		[wire.EthernetHeaderLen]byte(b) != f.link {
		return nil, 0, 0
	}
	return f, off, n
}

// handlePredicted takes a frame if it is as predicted, and reports whether it is.
func (s *Stack) handlePredicted(now clock.Time, i *Interface, p *pkt.Packet) bool {
	f, off, n := s.predicted(i, p)
	if f == nil {
		return false
	}
	own, ok := s.readSegment(p, off, n)
	if !ok {
		return false
	}
	s.segment.Payload = p.Detach(off+own, n-own)
	ip := p.Head()[wire.EthernetHeaderLen:]
	s.segment.ECN = ip[1] & 3
	if ip[0]>>4 == 6 {
		s.segment.ECN = ip[1] >> 4 & 3
	}
	p.Release()
	s.handleSegment(now, f.tcp, &s.segment)
	s.others.still = true
	return true
}

// sendPredicted sends a segment behind the headers that were predicted to the next hop. It reports
// false, having done nothing, where that is left to [Stack.send].
func (s *Stack) sendPredicted(now clock.Time, e *TCP, seg *tcp.Segment) bool {
	f, ok := s.predictions.of(e)
	v := e.path
	if !ok || !v.unicast || s.stream.On() || f.generation != s.generation || !f.current(s, e) {
		return false
	}
	if seg.Size == 0 && f.headLen+wire.TCPHeaderLen+seg.Options.Len()+seg.Payload.Len() > f.most {
		return false
	}
	mac, ok := v.neighbors.Fresh(now, v.nextHop)
	if !ok {
		return false
	}
	if seg.Options.OnlyTimestamps() {
		s.handOver(v.iface, f.pack(s, v.iface, mac, seg))
		return true
	}
	p := s.packSegment(f.ports, f.pseudo, seg)
	length := p.Len()
	f.putIP(s, p.Prepend(f.headLen), length, seg.ECN)
	s.frame(v.iface, p, mac, etherType(v.nextHop))
	return true
}

// pack puts all headers before the payload of a segment with the options that nearly all have. With
// these it is no short frame.
func (f *prediction) pack(s *Stack, i *Interface, mac wire.MAC, seg *tcp.Segment) *pkt.Packet {
	const own = wire.TCPHeaderLen + wire.TimestampsLen
	p, kind := s.packets.New(), wire.EtherTypeIPv4
	if f.six {
		kind = wire.EtherTypeIPv6
	}
	from, length := wire.EthernetHeaderLen+f.headLen, own+seg.Payload.Len()
	b := p.Prepend(from + own)
	wire.PutEthernet((*[wire.EthernetHeaderLen]byte)(b), mac, i.MAC, kind)
	f.putIP(s, b[wire.EthernetHeaderLen:from], length, seg.ECN)
	t := (*[own]byte)(b[from:])
	wire.PutTCP(t[:], f.ports, uint32(seg.Seq), uint32(seg.Ack), seg.Flags, seg.Window, seg.Urgent)
	seg.Options.PutTimestamps((*[wire.TimestampsLen]byte)(t[wire.TCPHeaderLen:]))
	p.SetBody(seg.Payload)
	p.MakeLarge(seg.Size)
	p.DeferChecksum(from, tcpChecksum, f.pseudo.Plus(uint64(length)))
	return p
}

// putIP puts the IP header that was predicted before length octets.
func (f *prediction) putIP(s *Stack, ip []byte, length int, ecn uint8) {
	if !f.six {
		s.ipID++
		*(*[wire.IPv4HeaderLen]byte)(ip) = [wire.IPv4HeaderLen]byte(f.head[:])
		ip[1] |= ecn
		total := pkt.LengthField(wire.IPv4HeaderLen + length)
		binary.BigEndian.PutUint16(ip[ipv4Length:], total)
		binary.BigEndian.PutUint16(ip[ipv4ID:], s.ipID)
		sum := f.sum + wire.Sum(ecn) + wire.Sum(total) + wire.Sum(s.ipID)
		binary.BigEndian.PutUint16(ip[ipv4Checksum:], sum.Fold())
	} else {
		*(*[wire.IPv6HeaderLen]byte)(ip) = f.head
		ip[1] |= ecn << 4
		binary.BigEndian.PutUint16(ip[ipv6Length:], pkt.LengthField(length))
	}
}

// current makes the IP header that e's packets begin with what its options ask
// for, and reports whether there is one: not for packets that this machine may
// have to cut.
func (f *prediction) current(s *Stack, e *TCP) bool {
	six, i, o := f.six, e.path.iface, &e.settings.Options
	ttl, whole, most := o.TTL, s.cfg.NoPathMTU == 0 && !o.MayFragment, i.MTU
	switch {
	case six && !whole:
		return false
	case six:
		most = i.mtu6()
		if ttl == 0 {
			ttl = s.hopLimit(e.path, e.remote.Addr())
		}
	case ttl == 0:
		ttl = s.cfg.TTL
	}
	f.most = most
	if f.headLen == 0 || f.tos != o.TOS || f.ttl != ttl || f.whole != whole {
		f.tos, f.ttl, f.whole = o.TOS, ttl, whole
		f.prepare(e)
	}
	return true
}

func (f *prediction) prepare(e *TCP) {
	local, remote := e.local.Addr(), e.remote.Addr()
	f.pseudo, f.ports = pseudoHeader(e.local, e.remote), portsOf(e.local, e.remote)
	if f.six {
		h := wire.IPv6{
			TrafficClass: f.tos, FlowLabel: e.label, NextHeader: wire.ProtocolTCP, HopLimit: f.ttl,
			Src: local, Dst: remote,
		}
		f.headLen = len(h.AppendTo(f.head[:0]))
		return
	}
	h := wire.IPv4{TOS: f.tos, TTL: f.ttl, DF: f.whole, Protocol: wire.ProtocolTCP, Src: local, Dst: remote}
	f.headLen = wire.IPv4HeaderLen
	h.Put(f.head[:f.headLen])
	binary.BigEndian.PutUint16(f.head[ipv4Checksum:], 0)
	f.sum = wire.Sum(0).Add(f.head[:f.headLen])
	f.sum = f.sum>>32 + f.sum&0xffffffff
}
