package pkt

import (
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
	ipv4Length, ipv4ID, ipv4Checksum = 2, 4, 10
	ipv6Length                       = 4
	tcpSeq, tcpFlags                 = 4, 12
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
		p.shorten(0)
		p.size = 0
		return p, true
	}
	q := p.Clone()
	q.size = 0
	q.shorten(q.body.Len() - size)
	q.setFlags(^(wire.FIN | wire.PSH))

	seq := p.store[p.sumFrom+tcpSeq:]
	binary.BigEndian.PutUint32(seq, binary.BigEndian.Uint32(seq)+uint32(size))
	p.setFlags(^wire.CWR)
	p.body.off += int32(size)
	if header := p.ipHeader(); header[0]>>4 == 4 {
		replace(header, ipv4ID, binary.BigEndian.Uint16(header[ipv4ID:])+1)
	}
	return q, false
}

func (p *Packet) ipHeader() []byte { return p.store[p.start+wire.EthernetHeaderLen:] }

// setFlags clears the control bits that keep doesn't have.
func (p *Packet) setFlags(keep wire.TCPFlags) {
	b := p.store[p.sumFrom+tcpFlags:]
	binary.BigEndian.PutUint16(b, binary.BigEndian.Uint16(b)&(0xf000|uint16(keep)))
}

// shorten takes so many octets off the payload's end, and lets the headers tell
// how long it is.
func (p *Packet) shorten(n int) {
	p.body.end -= int32(n)
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
