package stack

import (
	"net/netip"
	"testing"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// RFC 4007, 6: "a (non-global) address is unique only within its zone": two links
// may have machines with the same link-local address, and the machine between them
// may have the same on both. Its connections, requests and TIME-WAITs with them,
// the ports alike, are all apart.
func TestConnectionsWithTheSameAddressOnTwoLinks(t *testing.T) {
	m := newMachine(t, nil)
	for range 2 {
		m.card6(IPv6Config{LinkLocal: ip(link6)})
	}
	for n := range 2 {
		m.knowIPv6(m.Interfaces()[1+n], prefix("fe80::/64"))
	}
	m.passes(2e9)
	m.forget()
	l := m.listensTCP("[::]:80", 5)
	hears := func(port int, h wire.TCP, text string) wire.TCP {
		t.Helper()
		m.forget()
		m.hears6At(port, segment("[fe80::11]:1000", "["+link6+"]:80", h, text).six())
		if len(m.sent) == 0 {
			return wire.TCP{}
		}
		last := m.sent[len(m.sent)-1]
		if last.port != port {
			t.Errorf("the answer leaves by port %d, want %d", last.port, port)
		}
		return m.lastSegment()
	}
	var conns [2]*TCP
	var replies [2]wire.TCP
	for n := range 2 {
		replies[n] = hears(1+n, wire.TCP{Seq: uint32(1000 * n), Flags: wire.SYN, Window: 1000}, "")
	}
	if len(m.requests) != 2 {
		t.Fatalf("%d are half open, want 2", len(m.requests))
	}
	for n, zone := range []string{"eth0", "eth1"} {
		hears(1+n, wire.TCP{Seq: uint32(1000*n + 1), Ack: replies[n].Seq + 1, Flags: wire.ACK, Window: 1000}, "")
		e, ok := l.Accept()
		if !ok {
			t.Fatalf("no connection over %s", zone)
		}
		e.SetOwner(owner{})
		if e.Remote() != at("[fe80::11%"+zone+"]:1000") || e.Local() != at("["+link6+"%"+zone+"]:80") {
			t.Errorf("the ends are %v and %v, want those of %s", e.Local(), e.Remote(), zone)
		}
		conns[n] = e
	}
	for n, text := range []string{"one", "three"} {
		hears(1+n, wire.TCP{Seq: uint32(1000*n + 1), Ack: replies[n].Seq + 1, Flags: wire.ACK | wire.PSH, Window: 1000}, text)
	}
	if a, b := conns[0].Conn().Readable(), conns[1].Conn().Readable(); a != 3 || b != 5 {
		t.Errorf("%d and %d octets have arrived, want 3 and 5", a, b)
	}
	m.forget()
	conns[0].Close(m.now)
	conns[0].Update(m.now)
	m.forget()
	if conns[1].State() != tcp.StateEstablished {
		t.Errorf("the other connection is in %v", conns[1].State())
	}
	// Opened from here, they need their zones: without, it isn't known which is meant.
	m.wantError("without a zone", m.NewTCP().Connect(m.now, at("[fe80::12]:7")), ErrInvalid)
	var opened [2]*TCP
	for n, to := range []string{"[fe80::12%eth0]:7", "[fe80::12%eth1]:7"} {
		opened[n] = m.NewTCP()
		opened[n].Set(func(set *Settings) { set.Options.ReuseAddr = true })
		m.ok("bind", opened[n].Bind(at("[::]:4000")))
		m.ok("connect", opened[n].Connect(m.now, at(to)))
	}
	m.sends("[fe80::10]:4000 > [fe80::12]:7: SYN of 0 bytes", "by eth1: [fe80::10]:4000 > [fe80::12]:7: SYN of 0 bytes")
}

// RFC 6724, 5, rule 5.5: "If SA or SA's prefix is assigned by the selected next-hop
// that will be used to send to D and SB or SB's prefix is assigned by a different
// next-hop, then prefer SA."
func TestTheSourceIsOfTheRoutersPrefix(t *testing.T) {
	m := newMachine(t, nil)
	m.card6(IPv6Config{Autoconfigure: true, FromMAC: true})
	m.passes(3e9)
	says := func(router string, lifetime uint16, p string) {
		a := wire.RouterAdvert{Lifetime: lifetime, Options: wire.AppendLinkAddress(nil, wire.SourceLinkAddress, cardOf(1))}
		info := offers(p)
		info.OnLink = false // so that it is reached by the router
		a.Options = info.AppendTo(a.Options)
		h, payload := a.Message(nil)
		m.hears6(ndpMessage(router, "ff02::1", h, payload))
		m.passes(3e9)
	}
	source := func() netip.Addr {
		t.Helper()
		v, err := m.pathTo(ip("2001:db8:bb::9"), netip.Addr{})
		m.ok("a path", err)
		return v.source
	}
	// The longest prefix (rule 8) speaks for the second router's, but packets go by
	// the first, which would drop them (RFC 8028).
	says("fe80::1", 1800, "2001:db8:aa::/64")
	says("fe80::2", 0, "2001:db8:bb::/64")
	if got := source(); !prefix("2001:db8:aa::/64").Contains(got) {
		t.Errorf("by the first router packets come from %v", got)
	}
	says("fe80::1", 0, "2001:db8:aa::/64")
	says("fe80::2", 1800, "2001:db8:bb::/64")
	if got := source(); !prefix("2001:db8:bb::/64").Contains(got) {
		t.Errorf("by the second router packets come from %v", got)
	}
}
