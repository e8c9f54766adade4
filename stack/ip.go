package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A header is what the layers above IP get to know of the header of a packet
// that has arrived, whatever its family: no transport knows which it runs on.
type header struct {
	src, dst netip.Addr // a link-local one has its interface as the zone
	protocol wire.Protocol
	tos, ttl uint8 // IPv6's traffic class and hop limit
	group    bool  // it was for more machines than this one
	len      int   // octets before the transport's header
	total    int   // octets of the packet
}

// ecn returns the explicit congestion notification field (RFC 3168, 5).
func (h *header) ecn() uint8 { return h.tos & 3 }

// payload returns how long the transport's part is.
func (h *header) payload() int { return h.total - h.len }

// transport returns what of the transport's part of a packet is in the head,
// without what lies behind the packet's end.
func (h *header) transport(p *pkt.Packet) []byte {
	b := p.Head()[h.len:]
	return b[:min(len(b), h.payload())]
}

// checksumOK verifies a transport's checksum over a header that is in the
// head, and the payload behind it.
func (h *header) checksumOK(head []byte, payload pkt.View) bool {
	sum := wire.PseudoHeader(h.src, h.dst, h.protocol, len(head)+payload.Len())
	return sum.Add(head).Add(payload.Bytes()).Fold() == 0
}

// An envelope is what a transport wants of IP for a packet, whatever its
// family.
type envelope struct {
	src, dst netip.Addr
	protocol wire.Protocol
	tos, ttl uint8  // IPv6's traffic class and hop limit; a ttl of zero is the machine's
	whole    bool   // it must not be cut into fragments
	label    uint32 // IPv6's flow label
}

// send puts an IP header before p, whose head begins with the transport's, and
// sends it along v.
func (s *Stack) send(now clock.Time, p *pkt.Packet, v *path, e *envelope) {
	if e.dst.Is6() {
		s.sendIPv6(now, p, v, e)
		return
	}
	s.sendIPv4(now, p, v, &wire.IPv4{
		TOS: e.tos, TTL: e.ttl, DF: e.whole, Protocol: e.protocol, Src: e.src, Dst: e.dst,
	})
}

// overhead returns what the IP header of packets to addr takes, extensions and
// options not counted.
func overhead(addr netip.Addr) int {
	if addr.Is4() {
		return wire.IPv4HeaderLen
	}
	return wire.IPv6HeaderLen
}

// A verdict is what ICMP says of a packet that was sent, as its transport hears
// of it.
type verdict struct {
	err    error // nil: it means nothing to a transport
	hard   bool  // it ends a connection that is being opened (RFC 1122, 4.2.3.9; RFC 9293, 3.9.2.2)
	tooBig bool  // it was too long for a link of its path
}
