package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/membership"
	"hubbub/wire"
)

// allReportHearers is the group to which reports of groups go: "all
// MLDv2-capable multicast routers listen to that address" (RFC 3810, 5.2.14).
var allReportHearers = netip.MustParseAddr("ff02::16")

// join makes an interface listen to an IPv6 group, once more each time.
func (s *Stack) join(now clock.Time, i *Interface, group netip.Addr) bool {
	if i.six == nil || i.six.groups == nil {
		return false
	}
	s.generation++
	return i.six.groups.Join(now, group, staysQuiet(group))
}

func (s *Stack) leave(now clock.Time, i *Interface, group netip.Addr) {
	i.six.groups.Leave(now, group)
	s.generation++
}

// staysQuiet reports whether a group is never told of: that of all nodes, and
// those that don't leave the machine (RFC 3810, 6).
func staysQuiet(group netip.Addr) bool {
	return group == wire.AllNodes || group.IsInterfaceLocalMulticast() || group.As16()[1]&0xf == 0
}

// handleQuery takes a router's question who listens to which groups: "If the
// message is not a valid Query [...] source address that is not a valid IPv6
// link-local address [...] Hop Limit other than 1" (RFC 3810, 5.1.14 and 6.2).
func (s *Stack) handleQuery(now clock.Time, at arrival, h *header, p *pkt.Packet, m *wire.ICMPv6, payload []byte) {
	q, err := wire.ParseListenerQuery(m, payload)
	switch {
	case err != nil:
		s.discard(now, at.iface, p, discardBadTransportHeader)
		return
	case !isLocal(h.src) || h.ttl != 1 || at.iface.six == nil || at.iface.six.groups == nil:
		s.discard(now, at.iface, p, discardICMP)
		return
	}
	at.iface.six.groups.HandleQuery(now, q.Group, q.MaxResponse)
	p.Release()
}

// report sends what there is to tell of an interface's groups. While its
// link-local address is tentative, a report comes from the unspecified address
// (RFC 3810, 5.2.13).
func (s *Stack) report(now clock.Time, i *Interface) {
	var room [membership.MaxRecords]membership.Record
	for records, ok := i.six.groups.PollReport(now, room[:0]); ok; records, ok = i.six.groups.PollReport(now, room[:0]) {
		told := make([]wire.ListenerRecord, len(records))
		for n, r := range records {
			told[n] = wire.ListenerRecord{Type: r.Type, Group: r.Group}
		}
		m, payload := wire.ListenerReport(nil, told...)
		p := packReport(i.six.linkLocal(), m, payload)
		p.Cause = uint64(s.stream.Cause())
		p.Reason, p.RFC = reportReason(records), "RFC 3810, 6"
		s.frame(i, p, wire.MulticastMAC(allReportHearers), wire.EtherTypeIPv6)
	}
}

func reportReason(records []membership.Record) string {
	switch records[0].Type {
	case wire.ChangeToExclude:
		return "multicast listener report: it listens to a group from now on"
	case wire.ChangeToInclude:
		return "multicast listener report: it listens to a group no more"
	}
	return "multicast listener report: the answer to a query"
}

// packReport makes a packet of a report: "with a link-local IPv6 Source Address,
// a Hop Limit of 1, and an IPv6 Router Alert option in a Hop-by-Hop Options
// header" (RFC 3810, 5).
func packReport(src netip.Addr, m wire.ICMPv6, payload []byte) *pkt.Packet {
	var room [8]byte
	alert := wire.AppendRouterAlert(room[:0], wire.ProtocolICMPv6)
	p := pkt.New()
	head := min(len(payload), 32)
	p.SetBody(pkt.CopyView(payload[head:]))
	copy(p.Prepend(head), payload)
	m.PutHeader(src, allReportHearers, p.Prepend(wire.ICMPv6HeaderLen), payload)
	copy(p.Prepend(len(alert)), alert)
	h := wire.IPv6{
		PayloadLen: len(alert) + wire.ICMPv6HeaderLen + len(payload), NextHeader: wire.ProtocolHopByHop, HopLimit: 1,
		Src: src, Dst: allReportHearers,
	}
	h.AppendTo(p.Prepend(wire.IPv6HeaderLen)[:0])
	return p
}

// listens reports whether an interface is in an IPv6 group.
func (s *Stack) listens(i *Interface, group netip.Addr) bool {
	return group.Is6() && i.six != nil && i.six.groups != nil && i.six.groups.Joined(group)
}
