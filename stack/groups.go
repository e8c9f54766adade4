package stack

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/groups"
	"hubbub/wire"
)

// membership returns an interface's membership in groups of addr's family, told
// the current cause; nil if it has none.
func (s *Stack) membership(i *Interface, addr netip.Addr) *groups.Member {
	m := i.groups
	if addr.Is6() {
		m = nil
		if i.six != nil {
			m = i.six.groups
		}
	}
	if m != nil {
		m.Cause, m.Watch = uint64(s.stream.Cause()), s.stream.On()
	}
	return m
}

// join makes an interface listen to a group, once more each time.
func (s *Stack) join(now clock.Time, i *Interface, group netip.Addr) {
	if m := s.membership(i, group); m != nil && m.Hold(now, group) == nil {
		s.generation++
	}
}

func (s *Stack) leave(now clock.Time, i *Interface, group netip.Addr) {
	if m := s.membership(i, group); m != nil {
		m.Release(now, group)
		s.generation++
	}
}

// filters reports whether the interface's card keeps a frame from the machine:
// it is for the MAC address of groups of IPv6, and none of them is joined
// (RFC 2464, 7).
func (i *Interface) filters(dst wire.MAC) bool {
	return dst[0] == 0x33 && dst[1] == 0x33 && i.six != nil && i.six.groups != nil &&
		dst != everyNode && !i.six.groups.Hears(dst)
}

// everyNode is the MAC address of the group that everybody is in.
var everyNode = wire.MulticastMAC(wire.AllNodes)

// listens reports whether an interface listens to a source in a group.
func (s *Stack) listens(i *Interface, group, source netip.Addr) bool {
	m := s.membership(i, group)
	return m != nil && m.Accepts(bare(group), bare(source))
}

// handleMLD takes a multicast listener message (RFC 3810, 6.2).
func (s *Stack) handleMLD(now clock.Time, at arrival, h *header, p *pkt.Packet, m *wire.ICMPv6, payload []byte) {
	member := s.membership(at.iface, h.dst)
	if member == nil {
		s.discard(now, at.iface, p, discardICMP)
		return
	}
	ip, rest, _ := wire.ParseIPv6Header(p.Head())
	x, _, _ := wire.ParseIPv6Extensions(ip.NextHeader, rest[:min(len(rest), ip.PayloadLen)])
	from := groups.Arrival{Src: bare(h.src), Dst: bare(h.dst), HopLimit: h.ttl, RouterAlert: wire.HasRouterAlert(x.HopByHop)}
	asks := at.iface.queriers.on
	if asks {
		at.iface.queriers.six.HandleMLD(now, from, m, payload)
		s.driveQueriers(now, at.iface)
	}
	if why := member.HandleMLD(now, from, m, payload); why != 0 && !(asks && why == groups.ForRouters) {
		s.discard(now, at.iface, p, discardGroups+Discard(why))
		return
	}
	s.drainGroups(now, at.iface, member)
	p.Release()
}

// handleIGMP takes an IGMP message (R1122-37; RFC 1122, 3.2.3; RFC 3376, 5.2).
func (s *Stack) handleIGMP(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet) {
	member := s.membership(at.iface, h.Dst)
	if member == nil {
		s.discard(now, at.iface, p, discardGroup)
		return
	}
	body := p.Payload(h.HeaderLen(), h.TotalLen-h.HeaderLen())
	defer body.Release()
	from := groups.Arrival{
		Src: h.Src, Dst: h.Dst, HopLimit: h.TTL,
		RouterAlert: wire.FindIPv4Option(h.Options, wire.OptionRouterAlert) != nil,
	}
	asks := at.iface.queriers.on
	if asks {
		at.iface.queriers.four.HandleIGMP(now, from, body.Bytes())
		s.driveQueriers(now, at.iface)
	}
	if why := member.HandleIGMP(now, from, body.Bytes()); why != 0 && !(asks && why == groups.ForRouters) {
		s.discard(now, at.iface, p, discardGroups+Discard(why))
		return
	}
	s.drainGroups(now, at.iface, member)
	p.Release()
}

// drainGroups sends what there is to tell of an interface's groups.
func (s *Stack) drainGroups(now clock.Time, i *Interface, m *groups.Member) {
	for f, ok := m.PollEvent(); ok; f, ok = m.PollEvent() {
		s.tellGroup(now, i, &f)
	}
	for r, ok := m.PollMessage(now); ok; r, ok = m.PollMessage(now) {
		s.sendGroupMessage(i, &r)
	}
}

// sendGroupMessage sends a report or a query.
func (s *Stack) sendGroupMessage(i *Interface, r *groups.Message) {
	pack, kind := packIGMP, wire.EtherTypeIPv4
	if r.Dst.Is6() {
		pack, kind = packMLD, wire.EtherTypeIPv6
	}
	p := pack(r)
	p.Cause, p.Reason, p.RFC = r.Cause, r.Reason, r.RFC
	s.frame(i, p, r.DstMAC, kind)
}

// tellGroup publishes what isn't seen from the reports themselves.
func (s *Stack) tellGroup(now clock.Time, i *Interface, f *groups.Fact) {
	e := event.Configured{Port: i.Name, Of: f.Text}
	switch f.Kind {
	case groups.Version:
		e.What, e.Why = "multicast", "the oldest version that a querier speaks"
	case groups.Warned:
		e.What, e.Of, e.Why = "multicast", f.Group.String(), fmt.Sprintf("%v sends %s", f.Addr, f.Text)
	default:
		return
	}
	s.stream.PublishCaused(now, s.cfg.Name, s.because(f.Cause), e)
}

// packMLD makes a packet of a multicast listener message: "with a link-local
// IPv6 Source Address, a Hop Limit of 1, and an IPv6 Router Alert option in a
// Hop-by-Hop Options header" (RFC 3810, 5).
func packMLD(r *groups.Message) *pkt.Packet {
	var room [8]byte
	alert := wire.AppendRouterAlert(room[:0], wire.ProtocolICMPv6)
	p := packBody(r.Payload)
	r.ICMPv6.PutHeader(r.Src, r.Dst, p.Prepend(wire.ICMPv6HeaderLen), r.Payload)
	copy(p.Prepend(len(alert)), alert)
	h := wire.IPv6{
		PayloadLen: p.Len(), NextHeader: wire.ProtocolHopByHop, HopLimit: 1, Src: r.Src, Dst: r.Dst,
	}
	h.AppendTo(p.Prepend(wire.IPv6HeaderLen)[:0])
	return p
}

// packIGMP makes a packet of an IGMP message: "Every IGMP message described in
// this document is sent with an IP Time-to-Live of 1, IP Precedence of
// Internetwork Control (e.g., Type of Service 0xc0), and carries an IP Router
// Alert option" (RFC 3376, 4).
func packIGMP(r *groups.Message) *pkt.Packet {
	b := r.IGMP.AppendTo(nil, r.Payload)
	p := packBody(b)
	h := wire.IPv4{
		TOS: 0xc0, TTL: 1, DF: true, Protocol: wire.ProtocolIGMP, Src: r.Src, Dst: r.Dst, Options: wire.RouterAlertIPv4,
	}
	h.TotalLen = h.HeaderLen() + p.Len()
	h.AppendTo(p.Prepend(h.HeaderLen())[:0])
	return p
}

// packBody makes a packet of octets, the first of them in its head.
func packBody(b []byte) *pkt.Packet {
	p := pkt.New()
	head := min(len(b), 32)
	p.SetBody(pkt.CopyView(b[head:]))
	copy(p.Prepend(head), b)
	return p
}

// refreshSources tells an interface's memberships from which address they are to
// report.
func (s *Stack) refreshSources(now clock.Time, i *Interface) {
	if i.groups != nil && len(i.addresses) > 0 {
		s.membership(i, allHosts).SetSource(now, i.addresses[0].Addr())
		s.drainGroups(now, i, i.groups)
	}
	if i.six != nil && i.six.groups != nil {
		s.membership(i, wire.AllNodes).SetSource(now, i.six.linkLocal())
	}
}
