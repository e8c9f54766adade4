package stack

import (
	"encoding/binary"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A passage is what a router remembers of a packet that it has forwarded: by which
// headers it knows one that goes the same way, and what that is. It is for packets
// without options, from one link to another, of which nobody has to be told anything.
// Whatever changes the way changes the generation.
type passage struct {
	from       *Interface // nil: none is remembered
	generation uint32
	link       [wire.EthernetHeaderLen]byte // it came with
	ends       [2 * 4]byte                  // its IP addresses
	way        path
}

// passages are a router's: each pair of addresses has one place where it can be.
type passages []passage

// manyPassages is how many there are, once there is one: a power of two.
const manyPassages = 64

// at returns the place of packets with those addresses, source before destination.
func (t passages) at(ends []byte) *passage {
	// Knuth's multiplicative hash: see predictions.
	sum := binary.BigEndian.Uint32(ends)*0x85ebca6b ^ binary.BigEndian.Uint32(ends[4:])
	return &t[sum*0x9e3779b1>>26]
}

// rememberPassage keeps the way of a packet whose head begins with the IP header,
// behind the Ethernet header that was taken off it.
func (s *Stack) rememberPassage(at arrival, h *wire.IPv4, p *pkt.Packet, v *path) {
	if !v.unicast || v.iface == at.iface || at.iface.Loopback || len(h.Options) > 0 || s.stream.On() || len(s.raws) > 0 {
		return
	}
	if s.passages == nil {
		s.passages = make(passages, manyPassages)
	}
	ends := p.Head()[ipv4Ends:]
	x := s.passages.at(ends)
	x.from, x.generation, x.way = at.iface, s.generation, *v
	copy(x.link[:], p.Stripped(wire.EthernetHeaderLen))
	copy(x.ends[:], ends)
}

// forwardSame forwards a frame that came as another has, which was forwarded, and
// reports whether it is one. What is to be cut, discarded or told about is not.
func (s *Stack) forwardSame(now clock.Time, i *Interface, p *pkt.Packet) bool {
	b := p.Head()
	if s.passages == nil || s.stream.On() || len(s.raws) > 0 || !s.cfg.Forwarding ||
		len(b) < wire.EthernetHeaderLen+wire.IPv4HeaderLen || b[wire.EthernetHeaderLen] != 0x45 {
		return false
	}
	ip := b[wire.EthernetHeaderLen:]
	x := s.passages.at(ip[ipv4Ends:])
	total, ttl := int(binary.BigEndian.Uint16(ip[ipv4Length:])), ip[8]
	if x.from != i || x.generation != s.generation || [len(x.ends)]byte(ip[ipv4Ends:]) != x.ends ||
		[len(x.link)]byte(b) != x.link || ttl <= 1 || total < wire.IPv4HeaderLen || total > x.way.iface.MTU ||
		wire.EthernetHeaderLen+total > p.Len() || wire.Checksum(ip[:wire.IPv4HeaderLen]) != 0 {
		return false
	}
	p.Strip(wire.EthernetHeaderLen)
	s.prepareOnward(p, total)
	s.sendFresh(now, &x.way, p)
	return true
}

// prepareOnward makes a packet what is sent on: without padding, and with a time to
// live that is one less.
func (s *Stack) prepareOnward(p *pkt.Packet, total int) {
	p.Cause = uint64(s.stream.Cause())
	p.Reason, p.RFC = "forwarded: the time to live is one less, the MAC addresses are this link's", "RFC 1812, 5.3.1"
	p.Cut(total)
	wire.DecrementTTL(p.Head())
}
