package pkt

import (
	"encoding/binary"
	"errors"

	"hubbub/wire"
)

// VirtioHeaderLen is how long the header is that goes before a frame where checksums and
// cutting are left to who gets it: struct virtio_net_hdr of linux/virtio_net.h, in
// little-endian order (Virtual I/O Device 1.2, 5.1.6).
const VirtioHeaderLen = 10

// What the header says: flags, kinds of large segments, and where its fields are.
const (
	virtioNeedsChecksum, virtioDataValid      = 1, 2
	virtioTCPv4, virtioTCPv6, virtioECN       = 1, 4, 0x80
	virtioHeadLen, virtioSize                 = 2, 4
	virtioChecksumFrom, virtioChecksumInto    = 6, 8
	leastVirtioSize                           = 32 // the kernel's own bound, TCP_MIN_GSO_SIZE
	tcpChecksum, udpChecksum, ethernetTypeEnd = 16, 6, wire.EthernetHeaderLen
)

// Errors of headers that don't suit their frames.
var (
	ErrVirtioChecksum = errors.New("the checksum that is left to be computed lies outside of the frame")
	ErrVirtioSegment  = errors.New("the frame is to be cut, and is not a TCP segment that can be")
)

// PutVirtio writes to b the header that goes before the packet's bytes, as Head, Body and
// padding have them, where the outside computes checksums and cuts segments.
func (p *Packet) PutVirtio(b []byte) {
	b = b[:VirtioHeaderLen]
	clear(b)
	if !p.deferred || p.pad > 0 || p.hasFCS {
		p.complete()
		if p.summed {
			b[0] = virtioDataValid
		}
		return
	}
	b[0] = virtioNeedsChecksum
	binary.LittleEndian.PutUint16(b[virtioChecksumFrom:], uint16(p.sumFrom-p.start))
	binary.LittleEndian.PutUint16(b[virtioChecksumInto:], uint16(p.sumInto-p.sumFrom))
	binary.BigEndian.PutUint16(p.store[p.sumInto:], ^p.pseudo.Fold())
	if p.size == 0 {
		return
	}
	b[1] = virtioTCPv6
	if p.ipHeader()[0]>>4 == 4 {
		b[1] = virtioTCPv4
	}
	if p.flags()&wire.CWR != 0 {
		b[1] |= virtioECN
	}
	binary.LittleEndian.PutUint16(b[virtioHeadLen:], uint16(len(p.Head())))
	binary.LittleEndian.PutUint16(b[virtioSize:], uint16(p.size))
}

// TakeVirtio makes the packet, which holds a frame from outside as it is, what the
// header before it says: one whose checksum is computed when somebody looks, and one
// that stands for several.
func (p *Packet) TakeVirtio(b []byte) error {
	if b[0]&virtioNeedsChecksum == 0 {
		p.summed = b[0]&virtioDataValid != 0
		if b[1] != 0 {
			return ErrVirtioSegment // without a checksum that can be brought up to date
		}
		return nil
	}
	from, into := int(binary.LittleEndian.Uint16(b[virtioChecksumFrom:])), int(binary.LittleEndian.Uint16(b[virtioChecksumInto:]))
	head := len(p.Head())
	switch {
	case from+into+2 > p.Len():
		return ErrVirtioChecksum
	case into != tcpChecksum || from+wire.TCPHeaderLen > head:
		if b[1] != 0 {
			return ErrVirtioSegment
		}
		p.sumNow(from, into)
		return nil
	}
	p.summed, p.deferred = true, true
	p.sumFrom, p.sumInto = p.start+int32(from), p.start+int32(from+into)
	p.pseudo = wire.Sum(binary.BigEndian.Uint16(p.store[p.sumInto:]))
	binary.BigEndian.PutUint16(p.store[p.sumInto:], 0)
	if b[1] != 0 {
		return p.takeSegment(b[1], int(binary.LittleEndian.Uint16(b[virtioSize:])))
	}
	return nil
}

// sumNow computes a checksum that is left to be computed, of something else than TCP. A
// UDP checksum of zero would say that there is none (RFC 768).
func (p *Packet) sumNow(from, into int) {
	whole := p.AppendTo(nil)
	sum := wire.Checksum(whole[from:])
	if sum == 0 && into == udpChecksum {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(whole[from+into:], sum)
	n := copy(p.Head(), whole)
	if p.body.Len() > 0 && from+into+2 > n {
		v := CopyView(whole[n : n+p.body.Len()])
		p.SetBody(v)
	}
	p.summed = true
}

// takeSegment makes the packet one that stands for several, of size octets each.
func (p *Packet) takeSegment(kind byte, size int) error {
	b := p.Head()
	if size < leastVirtioSize || len(b) < ethernetTypeEnd+wire.IPv4HeaderLen {
		return ErrVirtioSegment
	}
	ip, network := b[ethernetTypeEnd:], int(p.sumFrom-p.start)-wire.EthernetHeaderLen
	kindOf := wire.EtherType(binary.BigEndian.Uint16(b[ethernetTypeEnd-2:]))
	switch {
	case kind&^virtioECN == virtioTCPv4 && kindOf == wire.EtherTypeIPv4 && ip[0]>>4 == 4 && int(ip[0]&15)*4 == network &&
		ip[ipv4Protocol] == byte(wire.ProtocolTCP):
	case kind&^virtioECN == virtioTCPv6 && kindOf == wire.EtherTypeIPv6 && ip[0]>>4 == 6 && network == wire.IPv6HeaderLen &&
		ip[ipv6Next] == byte(wire.ProtocolTCP):
	default:
		return ErrVirtioSegment
	}
	if p.body.Len() > size {
		p.size = int32(size)
	}
	return nil
}

// UntagVirtio takes the VLAN tag off a frame that is to be cut, and the header for it:
// a large packet has none. It returns the tag's four octets, nil if there is none.
func (p *Packet) UntagVirtio(b []byte) []byte {
	head := p.Head()
	if b[1] == 0 || len(head) < wire.EthernetHeaderLen+wire.VLANTagLen || wire.EtherType(binary.BigEndian.Uint16(head[12:])) != wire.EtherTypeVLAN {
		return nil
	}
	tag := append([]byte(nil), head[12:16]...)
	copy(head[wire.VLANTagLen:], head[:12])
	p.Strip(wire.VLANTagLen)
	from := binary.LittleEndian.Uint16(b[virtioChecksumFrom:])
	binary.LittleEndian.PutUint16(b[virtioChecksumFrom:], max(from, wire.VLANTagLen)-wire.VLANTagLen)
	return tag
}

// Tag puts back the tag that UntagVirtio has taken off.
func (p *Packet) Tag(tag []byte) {
	p.Prepend(wire.VLANTagLen)
	b := p.Head()
	copy(b[:12], b[wire.VLANTagLen:])
	copy(b[12:], tag)
}
