package pkt

import (
	"encoding/binary"

	"hubbub/wire"
)

// Rewrite replaces 16 bits of the head, at an even place of what the checksum at the
// octet sum of the head covers, and brings that up to date (RFC 1624, 3). pseudo
// says that the checksum covers them as a part of the pseudo header. One that may be
// left out, and is, stays out (RFC 768).
func (p *Packet) Rewrite(at int, value uint16, sum int, pseudo, optional bool) {
	head := p.Head()
	before := binary.BigEndian.Uint16(head[at:])
	binary.BigEndian.PutUint16(head[at:], value)
	if p.deferred && p.start+int32(sum) == p.sumInto {
		if pseudo {
			p.pseudo = p.pseudo.Less(uint64(before)).Plus(uint64(value))
		}
		return
	}
	checksum := binary.BigEndian.Uint16(head[sum:])
	if optional && checksum == 0 {
		return
	}
	checksum = wire.UpdateChecksum(checksum, before, value)
	if optional && checksum == 0 {
		checksum = 0xffff
	}
	binary.BigEndian.PutUint16(head[sum:], checksum)
}
