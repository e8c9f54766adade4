package pkt

import (
	"bytes"
	"encoding/binary"

	"hubbub/wire"
)

// A large packet stands for several that differ in little: one TCP segment that
// is longer than the peer's MSS and the path's MTU allow, and that is cut for
// whoever wants to see frames. Cards and kernels do the same, as segmentation
// offload: what a network in memory carries in one step costs as much as one
// packet.

// The octets of an IP or TCP header that differ between the packets which a
// large one is cut into.
const (
	ipv4Length, ipv4ID, ipv4Fragment, ipv4Protocol, ipv4Checksum, ipv4Source = 2, 4, 6, 9, 10, 12
	ipv6Length, ipv6Next                                                     = 4, 6
	tcpSeq, tcpAck, tcpFlags, tcpWindow                                      = 4, 8, 12, 14
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

// CutOff returns the first of the packets that a large one stands for, and
// whether it was the last: then it is p itself.
func (p *Packet) CutOff() (first *Packet, last bool) {
	size := int(p.size)
	if p.body.Len() <= size {
		p.resize(0)
		p.size = 0
		return p, true
	}
	q := p.Clone()
	q.size = 0
	q.resize(size - q.body.Len())
	q.setFlags(q.flags() &^ (wire.FIN | wire.PSH))

	seq := p.store[p.sumFrom+tcpSeq:]
	binary.BigEndian.PutUint32(seq, binary.BigEndian.Uint32(seq)+uint32(size))
	p.setFlags(p.flags() &^ wire.CWR)
	p.body.off += int32(size)
	if header := p.ipHeader(); header[0]>>4 == 4 {
		replace(header, ipv4ID, binary.BigEndian.Uint16(header[ipv4ID:])+1)
	}
	return q, false
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
// segment that was cut, and takes it over. It is what CutOff does, backwards: as
// generic receive offload, it spares those who don't look at frames the cost of
// each.
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
	p.resize(q.body.Len())
	q.Release()
	return true
}

// continuesIn reports whether q's text follows p's, in their storage as in their
// sequence numbers, and their headers are else the same.
func (p *Packet) continuesIn(q *Packet) bool {
	if !q.deferred || q.Large() || q.pad != 0 || q.start != p.start || q.sumFrom != p.sumFrom || !q.body.follows(p.body) {
		return false
	}
	a, b := p.store[p.sumFrom:], q.store[p.sumFrom:]
	const both = wire.PSH | wire.FIN
	return alike(p.store[p.start:p.sumFrom], q.store[p.start:p.sumFrom]) && binary.BigEndian.Uint32(b[tcpSeq:]) == binary.BigEndian.Uint32(a[tcpSeq:])+uint32(p.body.Len()) &&
		p.flags()&both == 0 && p.flags()&^wire.CWR == q.flags()&^both &&
		bytes.Equal(a[:tcpSeq], b[:tcpSeq]) && bytes.Equal(a[tcpAck:tcpFlags], b[tcpAck:tcpFlags]) &&
		bytes.Equal(a[tcpWindow:], b[tcpWindow:])
}

// alike reports whether two packets of the same kind have the same Ethernet and
// IP headers, but for what differs between parts of one segment.
func alike(a, b []byte) bool {
	const ip = wire.EthernetHeaderLen
	if !bytes.Equal(a[:ip+ipv4Length], b[:ip+ipv4Length]) {
		return false
	}
	a, b = a[ip:], b[ip:]
	if a[0]>>4 == 4 {
		return bytes.Equal(a[ipv4Fragment:ipv4Checksum], b[ipv4Fragment:ipv4Checksum]) && bytes.Equal(a[ipv4Source:], b[ipv4Source:])
	}
	return bytes.Equal(a[ipv4Length:ipv6Length], b[ipv4Length:ipv6Length]) && bytes.Equal(a[ipv6Next:], b[ipv6Next:])
}

func (p *Packet) flags() wire.TCPFlags {
	return wire.TCPFlags(binary.BigEndian.Uint16(p.store[p.sumFrom+tcpFlags:]) & 0x0fff)
}

// resize makes the payload so many octets longer at its end, or shorter, and lets
// the headers tell how long it is.
func (p *Packet) resize(by int) {
	p.body.end += int32(by)
	header, network := p.ipHeader(), uint16(p.sumFrom-p.start-wire.EthernetHeaderLen)
	before, now := uint16(0), uint16(HeadRoom-int(p.sumFrom)+p.body.Len()) // of the transport's part
	if header[0]>>4 == 4 {
		before = binary.BigEndian.Uint16(header[ipv4Length:]) - network
		replace(header, ipv4Length, network+now)
	} else {
		before = binary.BigEndian.Uint16(header[ipv6Length:])
		binary.BigEndian.PutUint16(header[ipv6Length:], now)
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
