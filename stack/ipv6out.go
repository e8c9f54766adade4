package stack

import (
	"encoding/binary"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/addrselect"
	"hubbub/network/frag"
	"hubbub/wire"
)

// pathTo6 is pathTo for IPv6, to an address that isn't the machine's own.
func (s *Stack) pathTo6(v path, dst netip.Addr) (path, error) {
	switch {
	case dst.IsMulticast(), isLocal(dst):
		return s.pathOnLink(v, dst)
	case dst.IsLoopback(), v.source.IsLoopback():
		return v, ErrInvalid // RFC 4291, 2.5.3: it never leaves the machine
	}
	r, ok := s.routes.Lookup(dst)
	if !ok {
		return v, ErrNetUnreachable
	}
	if r.NextHop.IsValid() {
		v.nextHop = r.NextHop
	}
	return s.by(v, dst, s.interfaces[r.Interface])
}

// pathOnLink leads to a link-local address or a group, which say by their zone
// which link is meant. Without one it is that of the source, or the only one
// that there is.
func (s *Stack) pathOnLink(v path, dst netip.Addr) (path, error) {
	v.nextHop = bare(dst)
	zone := dst.Zone()
	if zone == "" {
		zone = v.source.Zone()
	}
	if zone != "" {
		i := s.interfaceNamed(zone)
		if i == nil || i.six == nil {
			return v, ErrInvalid
		}
		return s.by(v, dst, i)
	}
	var only *Interface
	for _, i := range s.interfaces {
		switch {
		case i.six == nil, i.Loopback, v.source.IsValid() && s.own.by(v.source) != i:
		case only != nil && isLocal(dst):
			return v, ErrInvalid
		case only == nil:
			only = i
		}
	}
	if only == nil {
		return v, ErrNetUnreachable
	}
	return s.by(v, dst, only)
}

// by completes a path that leads out by an interface.
func (s *Stack) by(v path, dst netip.Addr, i *Interface) (path, error) {
	v.iface = i
	if i.six == nil {
		return v, ErrNetUnreachable
	}
	v.neighbors = i.six.neighbors
	if v.source.IsValid() {
		return v, nil
	}
	target := addrselect.Target{Addr: dst, Interface: i.Index, PreferPublic: i.conf6.temporary == 1}
	if v.nextHop != bare(dst) {
		target.NextHop = v.nextHop
	}
	n, _ := s.policy.Source(&target, i.six.sources)
	if n < 0 {
		return v, ErrAddrNotAvail
	}
	v.source = s.zoned(i, i.six.sources[n].Prefix.Addr())
	return v, nil
}

// sendIPv6 puts the IPv6 header before p, whose head begins with the
// transport's, and sends it along v.
func (s *Stack) sendIPv6(now clock.Time, p *pkt.Packet, v *path, e *envelope) {
	h := wire.IPv6{
		TrafficClass: e.tos, FlowLabel: e.label, PayloadLen: p.Len(), NextHeader: e.protocol, HopLimit: e.ttl,
		Src: e.src, Dst: e.dst,
	}
	if h.HopLimit == 0 {
		h.HopLimit = s.hopLimit(v, e.dst)
	}
	most := v.iface.mtu6()
	if !e.whole {
		most = s.mtuTo(now, e.dst, v)
	}
	if wire.IPv6HeaderLen+h.PayloadLen > most && !p.Large() {
		s.sendFragments6(now, p, v, &h, e.whole, most)
		return
	}
	h.PayloadLen = int(pkt.LengthField(h.PayloadLen))
	h.AppendTo(p.Prepend(wire.IPv6HeaderLen)[:0])
	s.output(now, v, p)
}

// hopLimit returns what packets get whose sender asks for none: what routers
// advertise (RFC 4861, 6.3.4), else the machine's; for a group, 1.
func (s *Stack) hopLimit(v *path, dst netip.Addr) uint8 {
	switch {
	case dst.IsMulticast():
		return 1 // RFC 3493, 5.2
	case v.iface.six != nil && v.iface.six.hopLimit != 0:
		return v.iface.six.hopLimit
	}
	return uint8(v.iface.conf6.hops())
}

// sendFragments6 cuts a packet for the path's MTU, which only its source does
// (R8200-13; RFC 8200, 4.5 and 5).
func (s *Stack) sendFragments6(now clock.Time, p *pkt.Packet, v *path, h *wire.IPv6, whole bool, most int) {
	payload := p.Payload(0, p.Len())
	defer payload.Release()
	if whole || h.PayloadLen > wire.MaxIPv6Payload {
		s.discard(now, v.iface, p, discardTooBig)
		return
	}
	defer p.Release()
	pieces, err := frag.Split6(frag.Head6{IPv6: *h, Named: -1}, payload, most, s.rnd.Uint32())
	if err != nil {
		s.discards[discardTooBig]++
		return
	}
	s.stream.Publish(now, s.cfg.Name, event.Fragmented{
		Destination: h.Dst, Size: wire.IPv6HeaderLen + h.PayloadLen, MTU: most, Pieces: pieces.Pieces(),
	})
	for {
		piece, view, ok := pieces.Next()
		if !ok {
			break
		}
		q := pkt.New()
		q.Cause, q.Reason, q.RFC = p.Cause, p.Reason, p.RFC
		q.SetBody(view)
		piece.AppendTo(q.Prepend(wire.IPv6HeaderLen + wire.FragmentHeaderLen)[:0])
		s.output(now, v, q)
	}
}

// flowLabel returns the label of the packets between two ends: the same for all
// of them, and of no meaning to anybody else.
//
// RFC 6437, 3: "it is RECOMMENDED that source hosts support the flow label by
// setting the flow label field for all packets of a given flow to the same
// value chosen from an approximation to a discrete uniform distribution."
func (s *Stack) flowLabel(protocol wire.Protocol, local, remote netip.AddrPort) uint32 {
	if remote.Addr().Is4() || !s.cfg.FlowLabels {
		return 0
	}
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], local.Port())
	label := (s.secret.hash(local.Addr(), remote) ^ uint32(protocol)<<16 ^ uint32(b[0])<<8 ^ uint32(b[1])) & 0xfffff
	return max(label, 1) // zero means that there is none
}
