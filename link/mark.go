package link

import (
	"encoding/binary"
	"fmt"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// ce is the codepoint "congestion experienced": both bits of the ECN field
// (RFC 3168, 5).
const ce = 3

// SetMarking lets the queue before the line tell of congestion instead of
// losing frames: a packet of IP that finds so many frames waiting, or more, is
// marked "congestion experienced", if its sender is able to heed that. 0 marks
// none. Like the queue itself it takes effect where a rate is set.
//
// "Routers ... set the CE codepoint of packets ... instead of dropping the
// packet ... when the average queue size ... " would show congestion
// (RFC 3168, 5): the queue's present length counts here, as RFC 8257, 3.1
// recommends for short ways.
func (l *Line) SetMarking(frames int, cause uint64) error {
	if frames < 0 {
		return fmt.Errorf("marking from %d waiting frames on: it must be positive, or 0 for never", frames)
	}
	l.out.mark, l.out.markCause = frames, cause
	return nil
}

// mark marks a frame's packet, and tells of it.
func (l *Line) mark(p *pkt.Packet, cause uint64) {
	if markCE(p) {
		l.stats.Marked++
		l.tell(Fact{Kind: Marked, ID: p.ID, Cause: cause})
	}
}

// markCE sets the codepoint CE in a frame's packet of IP, and reports whether
// it did: "the CE codepoint ... SHOULD only be set if ... the ECT codepoint" is
// (RFC 3168, 5). IPv4's header checksum follows.
func markCE(p *pkt.Packet) bool {
	h := p.Head()
	if !p.FCSOK() || len(h) < wire.EthernetHeaderLen {
		return false
	}
	at := wire.EthernetHeaderLen
	if tagged(p) {
		at += wire.VLANTagLen
	}
	if len(h) < at+wire.IPv4HeaderLen {
		return false
	}
	kind, ip := wire.EtherType(binary.BigEndian.Uint16(h[at-2:])), h[at:]
	switch {
	case kind == wire.EtherTypeIPv4 && ip[0]>>4 == 4 && capable(ip[1]):
		before := binary.BigEndian.Uint16(ip)
		ip[1] |= ce
		sum := binary.BigEndian.Uint16(ip[10:])
		binary.BigEndian.PutUint16(ip[10:], wire.UpdateChecksum(sum, before, binary.BigEndian.Uint16(ip)))
		return true
	case kind == wire.EtherTypeIPv6 && ip[0]>>4 == 6 && capable(ip[1]>>4):
		ip[1] |= ce << 4
		return true
	}
	return false
}

// capable reports whether an ECN field is that of a transport which heeds
// marks, and not marked yet.
func capable(field byte) bool { return field&ce == 1 || field&ce == 2 }
