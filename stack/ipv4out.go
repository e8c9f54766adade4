package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/addrselect"
	"hubbub/network/frag"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// A path is where packets to one destination go. An endpoint keeps the one it
// uses, and looks it up anew when the generation has changed.
type path struct {
	iface      *Interface
	nextHop    netip.Addr // the destination itself where it is on the link
	source     netip.Addr
	neighbors  *neigh.Cache // that the next hop is in; nil on loopback
	generation uint32
	unicast    bool // the next hop is one neighbour
	quiet      bool // this machine doesn't hear what it sends to a group
}

// manyPaths is how many paths are remembered, to be shared by the connections that
// take the same. They are then forgotten, and connections keep those that they have.
const manyPaths = 256

// sharePath returns a path that is the same as v.
func (s *Stack) sharePath(v *path) *path {
	if known := s.paths[*v]; known != nil {
		return known
	}
	if len(s.paths) >= manyPaths {
		clear(s.paths)
	}
	shared := *v
	s.paths[shared] = &shared
	return &shared
}

// pathTo looks up where packets to dst go. source is the address to be used,
// or the zero Addr, for which the path's is put. A link-local address has its
// zone.
func (s *Stack) pathTo(dst, source netip.Addr) (path, error) {
	v, err := s.lookUp(dst, source)
	if err == nil && !v.iface.Loopback {
		_, group := groupMAC(v.iface, v.nextHop)
		v.unicast = !group
	}
	return v, err
}

func (s *Stack) lookUp(dst, source netip.Addr) (path, error) {
	v := path{nextHop: dst, source: source, generation: s.generation}
	if s.own.by(dst) != nil {
		v.iface = s.loopback
		if !source.IsValid() {
			v.source = dst
		}
		return v, nil
	}
	switch {
	case source.IsValid() && source.Is4() != dst.Is4():
		return v, ErrNetUnreachable
	case dst.Is6():
		return s.pathTo6(v, dst)
	case dst == limitedBroadcast || dst.IsMulticast():
		return s.pathToGroup(v)
	}
	r, ok := s.routes.Lookup(dst)
	if !ok {
		return v, ErrNetUnreachable
	}
	v.iface = s.interfaces[r.Interface]
	v.neighbors = v.iface.neighbors
	if source.IsLoopback() && !v.iface.Loopback {
		// RFC 1122, 3.2.1.3 (g) (R1122-10): "Addresses of this form MUST NOT
		// appear outside a host."
		return v, ErrInvalid
	}
	if r.NextHop.IsValid() {
		v.nextHop = r.NextHop
	}
	if !source.IsValid() {
		v.source = s.sourceFor(v.iface, v.nextHop, r.Source)
	}
	return v, nil
}

// pathToGroup leads to everybody on the link that the source address belongs
// to, else on the first that isn't loopback.
func (s *Stack) pathToGroup(v path) (path, error) {
	for _, i := range s.interfaces {
		if i.Loopback || len(i.addresses) == 0 || v.source.IsValid() && s.own.by(v.source) != i {
			continue
		}
		v.iface, v.neighbors = i, i.neighbors
		if !v.source.IsValid() {
			v.source = i.addresses[0].Addr()
		}
		return v, nil
	}
	return v, ErrNetUnreachable
}

// sourceFor chooses the address that packets by an interface come from: the
// route's, else the one in the next hop's subnet, else the first (RFC 1122,
// 3.3.4.3).
func (s *Stack) sourceFor(i *Interface, nextHop, preferred netip.Addr) netip.Addr {
	if preferred.IsValid() {
		return preferred
	}
	for _, p := range i.addresses {
		if p.Contains(nextHop) {
			return p.Addr()
		}
	}
	if len(i.addresses) > 0 {
		return i.addresses[0].Addr()
	}
	return netip.IPv4Unspecified()
}

// mtuTo returns the longest packet that may go to dst by v.
func (s *Stack) mtuTo(now clock.Time, dst netip.Addr, v *path) int {
	most := v.iface.MTU
	if dst.Is6() {
		most = v.iface.mtu6()
	}
	if mtu := s.pathMTU.Get(now, dst); mtu != 0 {
		return min(mtu, most)
	}
	return most
}

// SourceFor returns the address that packets to dst come from, with the length
// of its prefix, and false if there is no way there.
func (s *Stack) SourceFor(dst netip.Addr) (source addrselect.Source, ok bool) {
	v, err := s.pathTo(dst, netip.Addr{})
	if err != nil || !v.source.IsValid() {
		return source, false
	}
	if v.iface.six != nil {
		for _, source := range v.iface.six.sources {
			if source.Prefix.Addr() == bare(v.source) {
				return source, true
			}
		}
	}
	for _, p := range v.iface.addresses {
		if p.Addr() == v.source {
			return addrselect.Source{Prefix: p, Interface: v.iface.Index}, true
		}
	}
	return addrselect.Source{Prefix: netip.PrefixFrom(bare(v.source), v.source.BitLen()), Interface: v.iface.Index}, true
}

// SortAddrs puts the addresses of a name into the order in which they are
// tried (RFC 6724, 6).
func (s *Stack) SortAddrs(addrs []netip.Addr) {
	list := make([]addrselect.Destination, len(addrs))
	for i, addr := range addrs {
		source, ok := s.SourceFor(addr)
		list[i] = addrselect.Destination{Addr: addr, Source: source, Unreachable: !ok}
	}
	s.policy.Sort(list)
	for i := range list {
		addrs[i] = list[i].Addr
	}
}

// PathMTU returns the longest packet that may go to dst, which the layers above
// can ask for (R1122-33; RFC 1122, 3.3.3).
func (s *Stack) PathMTU(now clock.Time, dst netip.Addr) (int, error) {
	v, err := s.pathTo(dst, netip.Addr{})
	if err != nil {
		return 0, err
	}
	return s.mtuTo(now, dst, &v), nil
}

// sendIPv4 puts the IPv4 header before p, whose head begins with the
// transport's, and sends it along v. Of h, the caller has set the protocol,
// the addresses and what it wants of TOS, TTL, DF and options (R1122-12 and
// R1122-14; RFC 1122, 3.2.1.6 and 3.2.1.7).
func (s *Stack) sendIPv4(now clock.Time, p *pkt.Packet, v *path, h *wire.IPv4) {
	h.TotalLen = h.HeaderLen() + p.Len()
	if h.TTL == 0 {
		h.TTL = s.cfg.TTL
	}
	s.ipID++
	h.ID = s.ipID
	if h.TotalLen > v.iface.MTU && !p.Large() {
		s.sendFragments(now, p, v, h)
		return
	}
	b := p.Prepend(h.TotalLen - p.Len())
	h.TotalLen = int(pkt.LengthField(h.TotalLen))
	h.Put(b)
	s.output(now, v, p)
}

// sendFragments cuts a packet for the link's MTU (RFC 791, 3.2).
func (s *Stack) sendFragments(now clock.Time, p *pkt.Packet, v *path, h *wire.IPv4) {
	if h.DF {
		s.discard(now, v.iface, p, discardTooBig)
		return
	}
	payload := p.Payload(0, p.Len())
	defer payload.Release()
	defer p.Release()
	pieces, err := frag.Split(*h, payload, v.iface.MTU)
	if err != nil {
		s.discards[discardTooBig]++
		return
	}
	s.stream.Publish(now, s.cfg.Name, event.Fragmented{
		Destination: h.Dst, Size: h.TotalLen, MTU: v.iface.MTU, Pieces: pieces.Pieces(),
	})
	for {
		piece, view, ok := pieces.Next()
		if !ok {
			break
		}
		q := pkt.New()
		q.Cause, q.Reason, q.RFC = p.Cause, p.Reason, p.RFC
		q.SetBody(view)
		piece.AppendTo(q.Prepend(piece.HeaderLen())[:0])
		s.output(now, v, q)
	}
}

// hearOneself gives this machine a copy of what it broadcasts, as on Linux:
// its own sockets are among everybody. What it sends to a group it hears if it
// listens to that group.
func (s *Stack) hearOneself(i *Interface, src, dst netip.Addr, p *pkt.Packet) {
	if dst.IsMulticast() && !s.listens(i, dst, src) {
		return
	}
	s.frame(s.loopback, p.Clone(), wire.Broadcast, etherType(dst))
}
