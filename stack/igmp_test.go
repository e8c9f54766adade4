package stack

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/internal/pkt"
	"hubbub/network/groups"
	"hubbub/wire"
)

const group1 = "239.1.2.3"

// igmp is an IGMP message with a router alert.
func igmp(src, dst string, m wire.IGMP, payload []byte) packet {
	p := ipPacket(wire.ProtocolIGMP, src, dst, m.AppendTo(nil, payload))
	p.to, p.ip.TTL, p.ip.Options = wire.MulticastMAC(ip(dst)), 1, wire.RouterAlertIPv4
	return p
}

// groupQuery is a query of IGMPv3 for all groups.
func groupQuery() packet {
	q := wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified(), MaxResponse: time.Second, Robustness: 2}
	m, payload := q.Message(nil)
	return igmp(gateway, "224.0.0.1", m, payload)
}

// RFC 3376, 4 (R1122-37): "Every IGMP message described in this document is sent with an IP
// Time-to-Live of 1, IP Precedence of Internetwork Control (e.g., Type of
// Service 0xc0), and carries an IP Router Alert option [RFC-2113] in its IP
// header."
func TestAJoinedGroupIsReported(t *testing.T) {
	m := newHost(t)
	i := m.Interfaces()[1]
	m.hears(datagram("172.16.10.11:9", group1+":9", "x"))
	m.discards(discardGroup)
	m.join(m.now, i, ip(group1))
	m.drainGroups(m.now, i, i.groups)
	m.drain()
	first := m.sent[0]
	h, body, err := wire.ParseIPv4(first.raw)
	m.ok("the header", err)
	if h.TTL != 1 || h.TOS != 0xc0 || h.Dst != wire.AllIGMPv3Routers || wire.FindIPv4Option(h.Options, wire.OptionRouterAlert) == nil {
		t.Errorf("the header is %+v", h)
	}
	if first.eth.Dst != wire.MulticastMAC(wire.AllIGMPv3Routers) {
		t.Errorf("it goes to %v", first.eth.Dst)
	}
	report, records, err := wire.ParseIGMP(body)
	m.ok("the report", err)
	r, _, err := wire.NextGroupRecord(records)
	m.ok("its record", err)
	if report.Type != wire.MembershipReportV3 || r.Type != wire.ChangeToExclude || r.Group != ip(group1) {
		t.Errorf("%v: %+v", report.Type, r)
	}
	m.forget()
	m.passes(2 * time.Second)
	m.sends(own + " > 224.0.0.22: IGMP of 16 bytes")
	e := m.listensUDP("0.0.0.0:9")
	m.hears(datagram("172.16.10.11:9", group1+":9", "x"))
	if e.Pending() != 1 {
		t.Errorf("%d datagrams wait", e.Pending())
	}
	m.leave(m.now, i, ip(group1))
	m.passes(3 * time.Second)
	m.sends(own+" > 224.0.0.22: IGMP of 16 bytes", own+" > 224.0.0.22: IGMP of 16 bytes")
	m.hears(datagram("172.16.10.11:9", group1+":9", "x"))
	m.discards(discardGroup)
}

// RFC 3376, 5.2: a query is answered after a random time. One without a router
// alert is not heeded (RFC 3376, 9.1).
func TestAGroupQueryIsAnswered(t *testing.T) {
	m := newHost(t)
	m.join(m.now, m.Interfaces()[1], ip(group1))
	m.passes(3 * time.Second)
	m.forget()
	m.hears(groupQuery())
	m.sendsNothing()
	m.passes(time.Second)
	m.sends(own + " > 224.0.0.22: IGMP of 16 bytes")
	p := groupQuery()
	p.ip.Options = nil
	m.hears(p)
	m.discards(discardGroups + Discard(groups.NoRouterAlert))
	old := wire.GroupQuery{Version: 2, Group: netip.IPv4Unspecified(), MaxResponse: time.Second}
	query, payload := old.Message(nil)
	m.hears(igmp(gateway, "224.0.0.1", query, payload))
	m.passes(time.Second)
	m.sends(own + " > " + group1 + ": IGMP of 8 bytes")
}

func TestIGMPOfTheMachineItselfIsNoQuery(t *testing.T) {
	m := newHost(t)
	q := wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified(), MaxResponse: time.Second}
	query, payload := q.Message(nil)
	raw := m.NewRaw(wire.ProtocolIGMP)
	raw.SetOwner(owner{})
	m.ok("send", raw.Send(m.now, pkt.CopyView(query.AppendTo(nil, payload)), ip("127.0.0.1")))
	m.drain()
	m.discards(discardGroup) // loopback is in no group
}
