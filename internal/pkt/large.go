package pkt

import (
	"encoding/binary"
	"iter"

	"hubbub/wire"
)

// A large packet stands for several that differ in little: one TCP segment that
// is longer than the peer's MSS and the path's MTU allow, and that is cut for
// whoever wants to see frames. Cards and kernels do the same, as segmentation
// offload: what a network in memory carries in one step costs as much as one
// packet.

// Where in an IP or TCP header the fields are.
const (
	ipv4Length, ipv4ID, ipv4Protocol, ipv4Checksum = 2, 4, 9, 10
	ipv6Length, ipv6Next                           = 4, 6
	tcpSeq, tcpFlags                               = 4, 12
)

// MakeLarge says that the packet, whose head begins with a TCP header and whose
// checksum is deferred, stands for several with size octets of payload each. An
// IP header and an Ethernet header without a tag go before it.
func (p *Packet) MakeLarge(size int) { p.size = int32(size) }

// Large reports whether the packet stands for several.
func (p *Packet) Large() bool { return p.size > 0 }

// SegmentSize returns how many octets of payload each of the packets has that a
// large one stands for; zero of any other.
func (p *Packet) SegmentSize() int { return int(p.size) }

// Frames returns how many frames the packet stands for, how many octets they
// are together, and how many the longest of them is.
func (p *Packet) Frames() (n, octets, longest int) {
	if p.size == 0 {
		return 1, p.Len(), p.Len()
	}
	size, body := int(p.size), p.body.Len()
	head := HeadRoom - int(p.start)
	n = (body + size - 1) / size
	return n, n*head + body, head + min(size, body)
}

// Parts gives the packets that a large one stands for, one after the other, and
// takes p over: the last of them is p itself, and so is the only one of any other packet.
func (p *Packet) Parts() iter.Seq[*Packet] { return p.cut(int(p.size)) }

// A giant is a large packet that is longer than an IP header can tell: there its length is zero. Linux
// calls it BIG TCP. Within a network it is as good as any other; outside nobody expects it.
func (p *Packet) Giant() bool { return p.size > 0 && p.Len() > wire.EthernetHeaderLen+wire.MaxIPv4Len }

// NoGiants gives the packets that a giant stands for, as few as can be, and takes p over like Parts.
// Any other packet it gives as it is.
func (p *Packet) NoGiants() iter.Seq[*Packet] {
	step := p.body.Len()
	if p.Giant() {
		const most = wire.MaxIPv4Len - HeadRoom
		step = most - most%int(p.size)
	}
	return p.cut(step)
}

// LengthField returns what an IP header tells of a length, of a packet that is large if it is more
// than the header has room for.
func LengthField(n int) uint16 {
	if n > wire.MaxIPv4Len {
		return 0
	}
	return uint16(n)
}

// cut gives the packets that a large one stands for, of step octets of payload each: as many as several
// of them have.
func (p *Packet) cut(step int) iter.Seq[*Packet] {
	return func(yield func(*Packet) bool) {
		size, left := int(p.size), p.body.Len()
		if size == 0 || left <= step {
			p.stopBeingLarge(size)
			yield(p)
			return
		}
		flags := p.flags()
		p.resize(step - left)
		p.stopBeingLarge(size)
		p.setFlags(flags &^ (wire.FIN | wire.PSH))
		for ; left > step; left -= step {
			if !yield(p.Clone()) {
				p.Release()
				return
			}
			p.advance(step, step/size)
		}
		p.resize(left - step)
		p.stopBeingLarge(size)
		p.setFlags(flags &^ wire.CWR)
		yield(p)
	}
}

// stopBeingLarge makes a packet that has no more payload than one segment of that size an ordinary one.
func (p *Packet) stopBeingLarge(size int) {
	if p.body.Len() <= size {
		p.size = 0
	}
}

// advance lets the packet be the one that follows it in the same segment: it stood for so many, of so many
// octets together.
func (p *Packet) advance(octets, segments int) {
	tcp := p.store[p.sumFrom:]
	binary.BigEndian.PutUint32(tcp[tcpSeq:], binary.BigEndian.Uint32(tcp[tcpSeq:])+uint32(octets))
	p.setFlags(p.flags() &^ wire.CWR)
	p.body.off += int32(octets)
	p.body.end += int32(octets)
	if header := p.ipHeader(); header[0]>>4 == 4 {
		replace(header, ipv4ID, binary.BigEndian.Uint16(header[ipv4ID:])+uint16(segments))
	}
}

func (p *Packet) ipHeader() []byte { return p.store[p.start+wire.EthernetHeaderLen:] }

func (p *Packet) setFlags(flags wire.TCPFlags) {
	b := p.store[p.sumFrom+tcpFlags:]
	binary.BigEndian.PutUint16(b, binary.BigEndian.Uint16(b)&0xf000|uint16(flags))
}

// Joinable reports whether the packet may be the beginning of what Join makes: a
// TCP segment with text that says that more follows, which has not been outside
// and is looked at by nobody.
func (p *Packet) Joinable() bool {
	if !p.deferred || p.pad != 0 || p.body.Len() == 0 {
		return false
	}
	ip := p.ipHeader()
	tcp := int(p.sumFrom - p.start - wire.EthernetHeaderLen)
	return p.flags()&^wire.CWR == wire.ACK &&
		(tcp == wire.IPv4HeaderLen && ip[0] == 0x45 && ip[ipv4Protocol] == byte(wire.ProtocolTCP) ||
			tcp == wire.IPv6HeaderLen && ip[0]>>4 == 6 && ip[ipv6Next] == byte(wire.ProtocolTCP))
}

// Join puts q behind p, which is joinable, if it is what follows p in one
// segment that was cut, and takes it over. It is what Parts does, backwards: as
// generic receive offload, it spares those who don't look at frames the cost of
// each. EndJoin must be called after the last.
func (p *Packet) Join(q *Packet) bool {
	size := int(p.size)
	if size == 0 {
		size = p.body.Len()
	}
	if p.body.Len()%size != 0 || q.body.Len() > size || !p.continuesIn(q) {
		return false
	}
	p.size = int32(size)
	p.setFlags(p.flags() | q.flags())
	p.body.end = q.body.end
	q.Release()
	return true
}

// EndJoin lets the headers tell how long the packet has become by Join.
func (p *Packet) EndJoin() { p.resize(0) }

// continuesIn reports whether q's text follows p's, in their storage as in their
// sequence numbers, and their headers are else the same.
func (p *Packet) continuesIn(q *Packet) bool {
	if !q.deferred || q.size > 0 || q.pad != 0 || q.start != p.start || q.sumFrom != p.sumFrom || !q.body.follows(p.body) {
		return false
	}
	const ends = wire.PSH | wire.FIN
	a, b := p.store[p.sumFrom:], q.store[p.sumFrom:]
	before, then := binary.BigEndian.Uint16(a[tcpFlags:]), binary.BigEndian.Uint16(b[tcpFlags:])
	return binary.BigEndian.Uint32(b[tcpSeq:]) == binary.BigEndian.Uint32(a[tcpSeq:])+uint32(p.body.Len()) &&
		before&uint16(ends) == 0 && before&^uint16(wire.CWR) == then&^uint16(ends) &&
		alike(p.Head(), q.Head())
}

// The octets of a joinable packet's headers in which parts of one segment may be
// different have a zero here. In IPv4: the IP header's length, identification and checksum, TCP's
// sequence number and flags; IPv6 has neither of the second and third. Words are
// little-endian: the first octet is the last of a number.
var (
	same4 = sameIn(wire.IPv4HeaderLen, ipv4Length, ipv4Length+1, ipv4ID, ipv4ID+1, ipv4Checksum, ipv4Checksum+1)
	same6 = sameIn(wire.IPv6HeaderLen, ipv6Length, ipv6Length+1)
)

type sameOctets [HeadRoom / 8]uint64

func sameIn(header int, differ ...int) (m sameOctets) {
	for i := range m {
		m[i] = ^uint64(0)
	}
	for _, i := range []int{tcpSeq, tcpSeq + 1, tcpSeq + 2, tcpSeq + 3, tcpFlags, tcpFlags + 1} {
		differ = append(differ, header+i)
	}
	for _, i := range differ {
		i += wire.EthernetHeaderLen
		m[i/8] &^= 0xff << (i % 8 * 8)
	}
	return m
}

// alike reports whether the headers of two joinable packets of the same kind differ
// only as those of parts of one segment do.
func alike(a, b []byte) bool {
	same := &same4
	if a[wire.EthernetHeaderLen]>>4 != 4 {
		same = &same6
	}
	whole, different := len(a)&^7, uint64(0)
	for i := 0; i < whole; i += 8 {
		different |= (binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:])) & same[i/8]
	}
	if rest := len(a) - whole; rest > 0 {
		// The octets before the rest were compared: they are shifted out.
		i := len(a) - 8
		different |= (binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:])) >> (8 * (8 - rest))
	}
	return different == 0
}

func (p *Packet) flags() wire.TCPFlags {
	return wire.TCPFlags(binary.BigEndian.Uint16(p.store[p.sumFrom+tcpFlags:]) & 0x0fff)
}

// resize makes the payload so many octets longer at its end, or shorter, and lets
// the headers tell how long it is.
func (p *Packet) resize(by int) {
	header, network := p.ipHeader(), int(p.sumFrom-p.start-wire.EthernetHeaderLen)
	at, besides := ipv6Length, 0
	if header[0]>>4 == 4 {
		at, besides = ipv4Length, network
	}
	// Of the transport's part: what was joined to it the header doesn't tell yet, and a giant's tells nothing.
	before := HeadRoom - int(p.sumFrom) + p.body.Len()
	if told := int(binary.BigEndian.Uint16(header[at:])); told > 0 {
		before = told - besides
	}
	p.body.end += int32(by)
	now := HeadRoom - int(p.sumFrom) + p.body.Len()
	if besides > 0 {
		replace(header, at, LengthField(besides+now))
	} else {
		binary.BigEndian.PutUint16(header[at:], LengthField(now))
	}
	p.pseudo = p.pseudo.Less(uint64(before)).Plus(uint64(now))
}

// replace writes a field of an IPv4 header, and brings its checksum up to date.
func replace(header []byte, at int, value uint16) {
	checksum := binary.BigEndian.Uint16(header[ipv4Checksum:])
	before := binary.BigEndian.Uint16(header[at:])
	binary.BigEndian.PutUint16(header[ipv4Checksum:], wire.UpdateChecksum(checksum, before, value))
	binary.BigEndian.PutUint16(header[at:], value)
}
