package stack

import (
	"net/netip"
	"strings"
	"testing"

	"hubbub/wire"
)

// queriesOf returns which of the frames that were sent are queries of groups, and
// how they were sent.
func (m *machine) queriesOf() (four, six int) {
	m.t.Helper()
	m.drain()
	for _, s := range m.sent {
		if h, b, err := wire.ParseIPv4(s.raw); err == nil && h.Protocol == wire.ProtocolIGMP {
			if g, _, err := wire.ParseIGMP(b); err == nil && g.Type == wire.MembershipQuery {
				four++
				if h.TTL != 1 || wire.FindIPv4Option(h.Options, wire.OptionRouterAlert) == nil || h.Src != ip(gateway) {
					m.t.Errorf("a query comes as %+v", h)
				}
			}
		}
		if strings.Contains(s.text, "multicast listener query") {
			six++
			if !strings.HasPrefix(s.text, "fe80::1 > ") {
				m.t.Errorf("a query comes as %s", s.text)
			}
		}
	}
	m.sent = nil
	return four, six
}

// RFC 3376, 8.7; RFC 3810, 9.7: a multicast router asks twice when it starts, then
// each 125 s; and when somebody leaves a group, at once and a second later. After
// the power was off it begins anew.
func TestARouterAsksForGroups(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Forwarding = true }, gateway+"/24")
	i := m.Interfaces()[1]
	m.ok("IPv6", m.StartIPv6(m.now, i, IPv6Config{LinkLocal: ip("fe80::1"), Addresses: []netip.Prefix{prefix("2001:db8:10::1/64")}}))
	m.StartQuerier(m.now, i)
	m.passes(seconds(100))
	if four, six := m.queriesOf(); four != 2 || six != 2 {
		t.Errorf("%d and %d queries in the first 100 s, want 2 of each", four, six)
	}
	m.passes(seconds(250))
	if four, six := m.queriesOf(); four != 2 || six != 2 {
		t.Errorf("%d and %d queries in 250 s, want 2 of each", four, six)
	}
	record := wire.ListenerRecord{Type: wire.ChangeToInclude, Group: ip("239.1.1.1")}
	g, payload := wire.GroupReport(nil, record)
	p := ipPacket(wire.ProtocolIGMP, peer, "224.0.0.22", g.AppendTo(nil, payload))
	p.ip.TTL, p.ip.Options, p.to = 1, wire.RouterAlertIPv4, wire.MulticastMAC(wire.AllIGMPv3Routers)
	m.discards()
	m.hears(p)
	record.Group = ip("ff0e::1")
	h, payload := wire.ListenerReport(nil, record)
	six := icmp6("fe80::11", "ff02::16", h, payload)
	alert := wire.AppendRouterAlert(nil, wire.ProtocolICMPv6)
	six.ip.NextHeader, six.ip.HopLimit, six.body = wire.ProtocolHopByHop, 1, append(alert, six.body...)
	m.hears6(six)
	m.discards()
	m.passes(seconds(2))
	if four, six := m.queriesOf(); four != 2 || six != 2 {
		t.Errorf("%d and %d queries after somebody left, want 2 of each", four, six)
	}
	m.Restart(m.now)
	m.passes(seconds(50))
	m.queriesOf()
	m.Boot(m.now)
	m.passes(seconds(50))
	if four, six := m.queriesOf(); four != 2 || six != 2 {
		t.Errorf("%d and %d queries after the power was off, want 2 of each", four, six)
	}
}
