package stack

import (
	"strings"
	"testing"

	"hubbub/wire"
)

// RFC 4443, 4.2 (R4443-3): "The source address of an Echo Reply sent in response
// to a unicast Echo Request message MUST be the same as the destination address
// of that Echo Request message." "The data received in the ICMPv6 Echo Request
// message MUST be returned entirely and unmodified".
func TestAnEchoIsAnsweredFromWhereItWasAsked(t *testing.T) {
	m := newHost6(t)
	m.hears6(ping6(peer6, own6, 7, 1, "hello"))
	m.sends(`2001:db8:10::10 > 2001:db8:10::11: echo reply 7/1 "hello"`)
	m.hears6(ping6("fe80::11", link6, 7, 2, "hello"))
	m.sends(`fe80::10 > fe80::11: echo reply 7/2 "hello"`)
	m.hears6(ping6("fe80::11", "ff02::1", 7, 3, "hello"))
	m.sends(`fe80::10 > fe80::11: echo reply 7/3 "hello"`)
	m.hears6(ping6(far6, own6, 7, 4, "hello")) // by the gateway
	m.sends(`2001:db8:10::10 > 2001:db8:99::9: echo reply 7/4 "hello"`)
	p := ping6(peer6, own6, 7, 5, "hello")
	p.body[9] ^= 1
	m.hears6(p)
	m.sendsNothing()
	m.discards(discardBadTransportHeader)
}

// RFC 4443, 2.4 (e) (R4443-1): "An ICMPv6 error message MUST NOT be originated as a
// result of receiving the following: An ICMPv6 error message. An ICMPv6 redirect
// message. A packet destined to an IPv6 multicast address. [...] A packet whose
// source address does not uniquely identify a single node".
func TestNoICMPv6ErrorIsSentAbout(t *testing.T) {
	for _, c := range []struct {
		what string
		p    packet6
		why  Discard
	}{
		{"a group", datagram6("["+peer6+"]:9", "[ff02::1]:9", "x"), discardNoPort},
		{"nobody", ip6Packet(wire.ProtocolHopByHop, "::", own6, []byte{byte(wire.ProtocolNone), 0, 0x9e, 4, 0, 0, 0, 0}), discardOptions},
		{"an error", icmp6(peer6, own6, wire.ICMPv6{Type: 100}, nil), discardICMP},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newHost6(t)
			m.hears6(c.p)
			m.sendsNothing()
			m.discards(c.why)
		})
	}
	m := newHost6(t)
	m.hears6(datagram6("["+peer6+"]:9", "["+own6+"]:9", "x"))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: port unreachable, about 2001:db8:10::11 > 2001:db8:10::10")
}

// RFC 4443, 2.4 (c) (R4443-2): "Every ICMPv6 error message (type < 128) MUST include as
// much of the IPv6 offending (invoking) packet [...] as possible without making
// the error message packet exceed the minimum IPv6 MTU".
func TestAnICMPv6ErrorQuotesAsMuchAsFits(t *testing.T) {
	for length, quoted := range map[int]int{100: 148, 1400: 1232} {
		m := newHost6(t)
		m.hears6(datagram6("["+peer6+"]:9", "["+own6+"]:9", strings.Repeat("x", length)))
		if got := len(m.sent[0].raw) - wire.IPv6HeaderLen - wire.ICMPv6HeaderLen; got != quoted {
			t.Errorf("of a datagram of %d octets %d are quoted, want %d", length, got, quoted)
		}
	}
}

// RFC 4443, 2.4 (f) (R4443-1): "in order to limit the bandwidth and forwarding costs
// incurred by originating ICMPv6 error messages, an IPv6 node MUST limit the rate
// of ICMPv6 error messages it originates."
func TestICMPv6ErrorsAreLimited(t *testing.T) {
	m := newHost6(t)
	for range 10 {
		m.hears6(datagram6("["+peer6+"]:9", "["+own6+"]:9", "x"))
	}
	if n := len(m.sent); n != 6 {
		t.Errorf("%d errors at once, want 6", n)
	}
}

// tooBig6 is a router's word that a packet was too big.
func (m *machine) tooBig6(mtu uint32, about []byte) {
	m.t.Helper()
	msg := wire.ICMPv6{Type: wire.ICMPv6PacketTooBig}
	msg.SetWord(mtu)
	m.hears6(icmp6("2001:db8:77::1", own6, msg, about[:min(len(about), 1232)]))
}

// RFC 8201, 4 (R8201-1, R8201-2, R8201-3): "If a node receives a Packet Too Big
// message reporting a next-hop MTU that is less than the IPv6 minimum link MTU,
// it must discard it." "A node must not increase its estimate of the Path MTU in
// response to the contents of a Packet Too Big message." Nor does a forger, who
// doesn't know what was sent, change it.
func TestTheMTUOfAPathIsLearnt(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	remote := at("[" + far6 + "]:9")
	mtu := func(want int) {
		t.Helper()
		if got, _ := m.PathMTU(m.now, remote.Addr()); got != want {
			t.Errorf("the path's MTU is %d, want %d", got, want)
		}
	}
	m.ok("send", e.Send(m.now, view(strings.Repeat("x", 1400)), remote))
	m.drain()
	about := m.sent[0].raw
	m.forget()
	m.tooBig6(1279, about)
	mtu(1500)
	m.tooBig6(1400, about)
	mtu(1400)
	m.tooBig6(1450, about)
	mtu(1400)
	m.tooBig6(1280, about)
	mtu(1280)
	// What is longer now leaves in fragments, which only its source makes
	// (R8200-13; RFC 8200, 4.5).
	m.ok("send", e.Send(m.now, view(strings.Repeat("x", 1400)), remote))
	m.sends("2001:db8:10::10 > 2001:db8:99::9: bytes 0 to 1232, more true",
		"2001:db8:10::10 > 2001:db8:99::9: bytes 1232 to 1408, more false")
	// RFC 8201, 5.3 (R8201-4): "once every 10 minutes or so" it is raised again.
	m.passes(10*60*1e9 - 1)
	mtu(1280)
	m.passes(1)
	mtu(1500)
	forged := append([]byte(nil), about...)
	forged[wire.IPv6HeaderLen] ^= 0x55 // no socket has the port
	m.tooBig6(1280, forged)
	mtu(1500)
}

// RFC 9293, 3.9.2.2: what ICMP says is told to the application, and means the
// same whichever family it is of.
func TestErrorsReachTheSocketThatTheyAreAbout(t *testing.T) {
	for _, c := range []struct {
		m    wire.ICMPv6
		want error
	}{
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeNoRoute}, ErrNetUnreachable},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeProhibited}, ErrAccess},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeBeyondScope}, ErrHostUnreachable},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeAddressUnreachable}, ErrHostUnreachable},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodePortUnreachable6}, ErrRefused},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodePolicyFailed}, ErrAccess},
		{wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeRouteRejected}, ErrAccess},
		{wire.ICMPv6{Type: wire.ICMPv6TimeExceeded}, ErrHostUnreachable},
		{wire.ICMPv6{Type: wire.ICMPv6ParameterProblem}, errParameter},
	} {
		t.Run(c.m.Text(), func(t *testing.T) {
			m := newHost6(t)
			e := m.listensUDP("[::]:53")
			m.ok("connect", e.Connect(at("["+far6+"]:9")))
			m.ok("send", e.Send(m.now, view("hello"), e.Remote()))
			m.drain()
			m.hears6(icmp6("2001:db8:77::1", own6, c.m, m.sent[0].raw))
			m.wantError("the socket's error", e.TakeError(), c.want)
		})
	}
}
