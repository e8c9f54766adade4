package link

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A multicast frame is, to a switch that looks into it, one of these.
type multicast uint8

const (
	forAll     multicast = iota // not of IP, or for a group that everybody is in
	forGroup                    // for those who listen to the group
	forRouters                  // a report or a leave message
	toAll                       // a query, or what a switch doesn't know
	damaged                     // of a protocol for groups, and malformed
)

// SetSnooping turns IGMP and MLD snooping on or off: packets for a group go
// only where somebody listens to it, or where a multicast router is (RFC 4541).
// What was learned is forgotten.
//
// Where no querier is heard, nobody reports groups from time to time, and all
// is flooded as by a switch that doesn't look. The same holds of 224.0.0.0/24
// and ff02::1, which all hosts are in (RFC 4541, 2.1.2 and 3), and of what isn't
// IP.
func (b *Bridge) SetSnooping(on bool) {
	switch {
	case !on:
		b.snoop = nil
	case b.snoop == nil:
		b.snoop = newSnooping(b.groups)
	}
}

// forwardGroup sends a multicast frame on. "A snooping switch should forward IGMP
// Membership Reports only to those ports where multicast routers are attached"
// (RFC 4541, 2.1.1), so that no host keeps its own back because of another's.
func (b *Bridge) forwardGroup(now clock.Time, in int, vlan uint16, p *pkt.Packet) {
	group, kind := b.look(now, in, vlan, p)
	seg := b.snoop.domains[domain{vlan, group.Is6()}]
	switch {
	case kind == damaged:
		// RFC 4541, 2.1.1: a message whose checksum or form is wrong is neither
		// used nor flooded.
		b.drop(BadGroupMessage, in, p)
	case kind == forAll || kind == toAll || seg == nil || seg.querier == clock.Never:
		b.flood(in, vlan, p)
	case kind == forRouters:
		b.spread(in, vlan, p, NoRouter, func(out int) bool { return out == seg.querierPort || b.routerAt(seg, out) })
	default:
		g := b.snoop.groups[groupKey{domain{vlan, group.Is6()}, group}]
		if g == nil && seg.crowded > now {
			b.flood(in, vlan, p)
			return
		}
		b.spread(in, vlan, p, NoListener, func(out int) bool { return g.has(out) || b.routerAt(seg, out) })
	}
}

func (b *Bridge) routerAt(seg *domainState, port int) bool {
	return b.ports[port].router || seg.routers.has(port)
}

// look finds out what a multicast frame is, and learns from it.
func (b *Bridge) look(now clock.Time, in int, vlan uint16, p *pkt.Packet) (netip.Addr, multicast) {
	h, l3, err := wire.ParseEthernet(headers(p, &b.front))
	switch {
	case err != nil:
	case h.Type == wire.EtherTypeIPv4 && len(l3) >= wire.IPv4HeaderLen && l3[0]>>4 == 4:
		return b.look4(now, in, vlan, p, l3)
	case h.Type == wire.EtherTypeIPv6 && len(l3) >= wire.IPv6HeaderLen && l3[0]>>4 == 6:
		return b.look6(now, in, vlan, p, l3)
	}
	return netip.Addr{}, forAll
}

// whole returns all octets of a frame behind its Ethernet header.
func (b *Bridge) whole(p *pkt.Packet) []byte {
	b.scratch = p.AppendTo(b.scratch[:0])
	_, l3, _ := wire.ParseEthernet(b.scratch)
	return l3
}

// linkGroups are flooded: "Packets with a destination IP (DIP) address in the
// 224.0.0.X range which are not IGMP must be forwarded on all ports." (RFC 4541,
// 2.1.2) Many hosts don't report such groups.
var linkGroups = netip.MustParsePrefix("224.0.0.0/24")

func (b *Bridge) look4(now clock.Time, in int, vlan uint16, p *pkt.Packet, l3 []byte) (netip.Addr, multicast) {
	group := netip.AddrFrom4([4]byte(l3[16:]))
	switch {
	case wire.Protocol(l3[9]) == wire.ProtocolIGMP:
		return netip.IPv4Unspecified(), b.hearIGMP(now, in, vlan, b.whole(p))
	case !group.IsMulticast() || linkGroups.Contains(group):
		return group, forAll
	}
	return group, forGroup
}

func (b *Bridge) look6(now clock.Time, in int, vlan uint16, p *pkt.Packet, l3 []byte) (netip.Addr, multicast) {
	group := netip.AddrFrom16([16]byte(l3[24:]))
	next := wire.Protocol(l3[6])
	if next == wire.ProtocolHopByHop || next == wire.ProtocolICMPv6 {
		x, rest, err := wire.ParseIPv6Extensions(next, l3[wire.IPv6HeaderLen:])
		if err == nil && x.Upper == wire.ProtocolICMPv6 && !x.Fragmented && len(rest) > 0 && aboutGroups(wire.ICMPv6Type(rest[0])) {
			return netip.IPv6Unspecified(), b.hearMLD(now, in, vlan, b.whole(p))
		}
	}
	if !group.IsMulticast() || group == wire.AllNodes || group.As16()[1]&0xf < 2 {
		return group, forAll
	}
	return group, forGroup
}

// multicastRouterAdvert is a multicast router that tells of itself (RFC 4286,
// 3.1 and 4): its messages of IGMP and of ICMPv6.
const (
	igmpRouterAdvert   wire.IGMPType   = 0x30
	icmpv6RouterAdvert wire.ICMPv6Type = 151
)

func aboutGroups(t wire.ICMPv6Type) bool {
	switch t {
	case wire.MulticastListenerQuery, wire.MulticastListenerReport, wire.MulticastListenerDone,
		wire.MulticastListenerReportV2, icmpv6RouterAdvert:
		return true
	}
	return false
}

// hearIGMP learns from an IGMP message.
func (b *Bridge) hearIGMP(now clock.Time, in int, vlan uint16, l3 []byte) multicast {
	ip, payload, err := wire.ParseIPv4(l3)
	if err != nil || ip.IsFragment() {
		return damaged
	}
	m, rest, err := wire.ParseIGMP(payload)
	if err != nil {
		return damaged
	}
	at := place{now, in, domain{vlan, false}}
	switch m.Type {
	case wire.MembershipQuery:
		q, err := wire.ParseGroupQuery(&m, rest)
		if err != nil {
			return damaged
		}
		b.hearQuery(at, ip.Src, queryTimes{int(q.Robustness), q.Interval, q.MaxResponse})
		return toAll
	case wire.MembershipReportV1, wire.MembershipReportV2:
		b.hearRecord(at, wire.ListenerRecord{Type: wire.ModeIsExclude, Group: m.Group()})
	case wire.LeaveGroup:
		b.hearRecord(at, wire.ListenerRecord{Type: wire.ChangeToInclude, Group: m.Group()})
	case wire.MembershipReportV3:
		return b.hearRecords(at, rest, m.Records(), wire.NextGroupRecord)
	case igmpRouterAdvert:
		b.hearRouter(at, m.Code)
		return toAll
	default:
		return toAll // RFC 4541, 2.1.1: what a switch doesn't know is flooded
	}
	return forRouters
}

// hearMLD learns from an MLD message, which comes from a link-local address, or
// from nobody while a host asks whether its address is in use (RFC 4541, 3).
func (b *Bridge) hearMLD(now clock.Time, in int, vlan uint16, l3 []byte) multicast {
	ip, payload, err := wire.ParseIPv6(l3)
	if err != nil || ip.HopLimit != 1 || !ip.Src.IsLinkLocalUnicast() && !ip.Src.IsUnspecified() {
		return damaged
	}
	x, payload, err := wire.ParseIPv6Extensions(ip.NextHeader, payload)
	if err != nil || !wire.HasRouterAlert(x.HopByHop) {
		return damaged
	}
	m, rest, err := wire.ParseICMPv6(ip.Src, ip.Dst, payload)
	if err != nil {
		return damaged
	}
	at := place{now, in, domain{vlan, true}}
	switch m.Type {
	case wire.MulticastListenerQuery:
		q, err := wire.ParseListenerQuery(&m, rest)
		if err != nil {
			return damaged
		}
		b.hearQuery(at, ip.Src, queryTimes{int(q.Robustness), q.Interval, q.MaxResponse})
		return toAll
	case icmpv6RouterAdvert:
		b.hearRouter(at, m.Code)
		return toAll
	case wire.MulticastListenerReportV2:
		return b.hearRecords(at, rest, m.Records(), wire.NextListenerRecord)
	}
	group, err := wire.ParseListenerV1(rest)
	if err != nil {
		return damaged
	}
	kind := wire.ModeIsExclude
	if m.Type == wire.MulticastListenerDone {
		kind = wire.ChangeToInclude
	}
	b.hearRecord(at, wire.ListenerRecord{Type: kind, Group: group})
	return forRouters
}

// hearRecords learns from the records of a report, which are checked first: of
// a message that is malformed nothing is used.
func (b *Bridge) hearRecords(at place, records []byte, n int, next func([]byte) (wire.ListenerRecord, []byte, error)) multicast {
	for _, use := range [...]bool{false, true} {
		rest := records
		for range n {
			r, behind, err := next(rest)
			if err != nil {
				return damaged
			}
			if use {
				b.hearRecord(at, r)
			}
			rest = behind
		}
	}
	return forRouters
}

// hearRecord learns whether somebody behind a port listens to a group. Sources
// make no difference here: whom they reach, hosts decide.
func (b *Bridge) hearRecord(at place, r wire.ListenerRecord) {
	if !r.Group.IsMulticast() || linkGroups.Contains(r.Group) || r.Group == wire.AllNodes {
		return
	}
	some := len(r.Sources) > 0
	switch r.Type {
	case wire.ModeIsExclude, wire.ChangeToExclude:
		b.listens(at, r.Group)
	case wire.ModeIsInclude, wire.ChangeToInclude, wire.AllowSources:
		if some {
			b.listens(at, r.Group)
		} else if r.Type == wire.ChangeToInclude {
			b.listensNoLonger(at, r.Group)
		}
	}
}
