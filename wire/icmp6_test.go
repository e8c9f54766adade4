package wire_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"hubbub/wire"
)

func TestICMPv6(t *testing.T) {
	echo := wire.ICMPv6{Type: wire.ICMPv6EchoRequest}
	echo.SetEcho(0x1234, 7)
	want(t, "identifier", echo.ID(), 0x1234)
	want(t, "sequence number", echo.Seq(), 7)
	b := echo.AppendTo(ip6a, ip6b, nil, []byte("hello"))
	m, payload, err := wire.ParseICMPv6(ip6a, ip6b, b)
	want(t, "error", err, nil)
	want(t, "payload", string(payload), "hello")
	echo.Checksum = m.Checksum
	want(t, "message", m, echo)
	header := make([]byte, 8)
	m.PutHeader(ip6a, ip6b, header, payload)
	want(t, "header alone", string(header), string(b[:8]))
	m, rest, err := wire.ParseICMPv6Header(b)
	want(t, "error", err, nil)
	want(t, "message", m, echo)
	want(t, "rest", string(rest), "hello")

	var tooBig wire.ICMPv6
	tooBig.SetWord(1400)
	want(t, "MTU", tooBig.Word(), 1400)
	want(t, "its place", tooBig.Rest, [4]byte{0, 0, 5, 0x78})
}

// RFC 4443, 2.3: the checksum is that of the entire ICMPv6 message, prepended
// with a pseudo-header of IPv6 header fields.
func TestICMPv6ChecksumCoversTheAddresses(t *testing.T) {
	m := wire.ICMPv6{Type: wire.ICMPv6EchoReply}
	b := m.AppendTo(ip6a, ip6b, nil, []byte("odd"))
	refused := func(src, dst netip.Addr, input []byte, kind error) {
		t.Helper()
		wantRefused(t, hexOf(input...), "ICMPv6", kind, func(b []byte) (wire.ICMPv6, []byte, error) {
			return wire.ParseICMPv6(src, dst, b)
		})
	}
	refused(ip6a, ip6a, b, wire.ErrChecksum)
	refused(ip6a, ip6b, b[:7], wire.ErrShort)
	b[10] ^= 1
	refused(ip6a, ip6b, b, wire.ErrChecksum)
}

func TestICMPv6Text(t *testing.T) {
	for m, text := range map[wire.ICMPv6]string{
		{Type: wire.ICMPv6DestinationUnreachable, Code: wire.CodeAddressUnreachable}: "address unreachable",
		{Type: wire.ICMPv6PacketTooBig}:                                              "packet too big",
		{Type: wire.ICMPv6TimeExceeded, Code: wire.CodeReassemblyExceeded}:           "fragment reassembly time exceeded",
		{Type: wire.ICMPv6ParameterProblem, Code: wire.CodeUnknownOption}:            "unrecognized option",
		{Type: wire.ICMPv6ParameterProblem, Code: 9}:                                 "parameter problem, code 9",
		{Type: wire.NeighborSolicitation}:                                            "neighbor solicitation",
		{Type: 200}:                                                                  "ICMPv6 type 200",
	} {
		want(t, "text", m.Text(), text)
	}
	want(t, "an error", wire.ICMPv6ParameterProblem.IsError(), true)
	want(t, "no error", wire.ICMPv6EchoRequest.IsError(), false)
}

func TestRouterAdvertisement(t *testing.T) {
	a := wire.RouterAdvert{
		HopLimit: 64, Managed: true, Preference: -1, Lifetime: 1800, Reachable: 30000, Retrans: 1000,
		Options: wire.AppendLinkMTU(nil, 1400),
	}
	m, payload := a.Message(nil)
	want(t, "header", m, wire.ICMPv6{Type: wire.ICMPv6RouterAdvertisement, Rest: [4]byte{64, 0x98, 0x07, 0x08}})
	wantBytes(t, "payload", payload, "00007530 000003e8 0501 0000 00000578")
	got, err := wire.ParseRouterAdvert(&m, payload)
	want(t, "error", err, nil)
	want(t, "preference", got.Preference, -1)
	want(t, "managed", got.Managed, true)
	want(t, "other", got.Other, false)
	want(t, "lifetime", got.Lifetime, 1800)
	want(t, "reachable", got.Reachable, 30000)
	want(t, "retrans", got.Retrans, 1000)
	want(t, "MTU", wire.FindNDPOption(got.Options, wire.LinkMTU).MTU(), 1400)
	_, err = wire.ParseRouterAdvert(&m, payload[:7])
	if err == nil {
		t.Error("a message that is cut off was accepted")
	}
	// RFC 4191, 2.2: a reserved preference is treated as medium.
	m.Rest[1] = 2<<3 | 0x40
	got, _ = wire.ParseRouterAdvert(&m, payload)
	want(t, "reserved preference", got.Preference, 0)
	want(t, "other", got.Other, true)
	high := wire.RouterAdvert{Other: true, Preference: 1}
	m, _ = high.Message(nil)
	want(t, "high preference", m.Rest[1], 0x48)
	got, _ = wire.ParseRouterAdvert(&m, payload)
	want(t, "high preference", got.Preference, 1)
}

func TestNeighborMessages(t *testing.T) {
	n := wire.NeighborMessage{
		Target: ip6b, Router: true, Override: true, Options: wire.AppendLinkAddress(nil, wire.TargetLinkAddress, mac1),
	}
	m, payload := n.Message(wire.NeighborAdvertisement, nil)
	want(t, "header", m, wire.ICMPv6{Type: wire.NeighborAdvertisement, Rest: [4]byte{0xa0, 0, 0, 0}})
	wantBytes(t, "payload", payload, hex6b+"0201 020000000001")
	got, err := wire.ParseNeighborMessage(&m, payload)
	want(t, "error", err, nil)
	want(t, "target", got.Target, ip6b)
	want(t, "router", got.Router, true)
	want(t, "solicited", got.Solicited, false)
	want(t, "override", got.Override, true)
	m.Type = wire.NeighborSolicitation
	got, err = wire.ParseNeighborMessage(&m, payload)
	want(t, "error", err, nil)
	want(t, "a solicitation has no flags", got.Router || got.Override, false)
	if _, err = wire.ParseNeighborMessage(&m, payload[:15]); err == nil {
		t.Error("a message that is cut off was accepted")
	}
}

func TestRedirectMessage(t *testing.T) {
	r := wire.RedirectMessage{Target: ip6b, Dst: ip6a, Options: wire.AppendRedirected(nil, []byte("packet that is cut"))}
	m, payload := r.Message(nil)
	want(t, "type", m.Type, wire.ICMPv6Redirect)
	got, err := wire.ParseRedirect(payload)
	want(t, "error", err, nil)
	want(t, "target", got.Target, ip6b)
	want(t, "destination", got.Dst, ip6a)
	option := wire.FindNDPOption(got.Options, wire.RedirectedHeader)
	want(t, "the packet, in whole units", string(option.Redirected()), "packet that is c")
	if _, err = wire.ParseRedirect(payload[:31]); err == nil {
		t.Error("a message that is cut off was accepted")
	}
}

func TestNDPOptions(t *testing.T) {
	prefix := wire.PrefixInfo{
		Prefix: netip.MustParsePrefix("2001:db8::/64"), OnLink: true, Autonomous: true,
		Valid: 86400, Preferred: wire.Forever,
	}
	b := wire.AppendLinkAddress(nil, wire.SourceLinkAddress, mac2)
	b = prefix.AppendTo(b)
	b = wire.AppendNonce(b, [6]byte{1, 2, 3, 4, 5, 6})
	b = wire.AppendDNSServers(b, 600, ip6a, ip6b)
	wantBytes(t, "options", b, "0101 020000000002"+
		"0304 40c0 00015180 ffffffff 00000000 20010db8 00000000 00000000 00000000"+
		"0e01 010203040506"+"1905 0000 00000258"+hex6a+hex6b)
	want(t, "well-formed", wire.CheckNDPOptions(b), true)
	mac, ok := wire.FindNDPOption(b, wire.SourceLinkAddress).LinkAddress()
	want(t, "has a link address", ok, true)
	want(t, "link address", mac, mac2)
	got, ok := wire.FindNDPOption(b, wire.PrefixInformation).PrefixInfo()
	want(t, "has a prefix", ok, true)
	want(t, "prefix", got, prefix)
	want(t, "nonce", string(wire.FindNDPOption(b, wire.Nonce).Nonce()), "\x01\x02\x03\x04\x05\x06")
	servers, lifetime, ok := wire.FindNDPOption(b, wire.RecursiveDNS).DNSServers(nil)
	want(t, "has servers", ok, true)
	want(t, "lifetime", lifetime, 600)
	want(t, "servers", len(servers), 2)
	want(t, "the second", servers[1], ip6b)
	want(t, "what isn't there", wire.FindNDPOption(b, wire.DNSSearchList) == nil, true)
}

// RFC 4861, 4.6: "Nodes MUST silently discard an ND packet that contains an
// option with length zero."
func TestNDPOptionsThatAreMalformed(t *testing.T) {
	for _, bad := range []string{"0100 000000000000", "0102 000000000000", "0101 0000", "0101 000000000000 05"} {
		want(t, bad, wire.CheckNDPOptions(fromHex(bad)), false)
	}
	want(t, "none", wire.CheckNDPOptions(nil), true)
	nonce := wire.NDPOption(fromHex("0e01 000000000000"))
	_, ok := nonce.LinkAddress()
	want(t, "link address of another option", ok, false)
	_, ok = nonce.PrefixInfo()
	want(t, "prefix of another option", ok, false)
	_, _, ok = nonce.DNSServers(nil)
	want(t, "servers of another option", ok, false)
	want(t, "MTU of another option", nonce.MTU(), 0)
	want(t, "packet of another option", nonce.Redirected() == nil, true)
	mtu := wire.NDPOption(wire.AppendLinkMTU(nil, 9000))
	want(t, "nonce of another option", mtu.Nonce() == nil, true)
	long := wire.NDPOption((&wire.PrefixInfo{Prefix: netip.MustParsePrefix("::/0")}).AppendTo(nil))
	long[2] = 129
	_, ok = long.PrefixInfo()
	want(t, "a prefix longer than an address", ok, false)
	_, _, ok = wire.NDPOption(fromHex("1902 0000 00000258 00000000 00000000")).DNSServers(nil)
	want(t, "half a server", ok, false)
}

func TestNDPOptionNames(t *testing.T) {
	for o, name := range map[wire.NDPOptionType]string{
		wire.SourceLinkAddress: "source link-layer address", wire.TargetLinkAddress: "target link-layer address",
		wire.PrefixInformation: "prefix information", wire.RedirectedHeader: "redirected header",
		wire.LinkMTU: "MTU", wire.Nonce: "nonce", wire.RouteInformation: "route information",
		wire.RecursiveDNS: "recursive DNS server", wire.DNSSearchList: "DNS search list", 99: "option 99",
	} {
		want(t, "name", o.String(), name)
	}
}

func TestListenerQuery(t *testing.T) {
	q := wire.ListenerQuery{
		MaxResponse: 10 * time.Second, Group: netip.IPv6Unspecified(), Suppress: true, Robustness: 2,
		Interval: 125 * time.Second, Sources: fromHex(hex6a),
	}
	m, payload := q.Message(nil)
	want(t, "header", m, wire.ICMPv6{Type: wire.MulticastListenerQuery, Rest: [4]byte{0x27, 0x10, 0, 0}})
	wantBytes(t, "payload", payload, "00000000 00000000 00000000 00000000 0a7d 0001"+hex6a)
	got, err := wire.ParseListenerQuery(&m, payload)
	want(t, "error", err, nil)
	want(t, "delay", got.MaxResponse, q.MaxResponse)
	want(t, "interval", got.Interval, q.Interval)
	want(t, "suppress", got.Suppress, true)
	want(t, "robustness", got.Robustness, 2)
	wantBytes(t, "sources", got.Sources, hex6a)
	for n := range payload {
		_, err := wire.ParseListenerQuery(&m, payload[:n])
		want(t, "cut off is refused, unless it is of version 1 (RFC 3810, 8.1)", err == nil, n == 16)
	}
	got, err = wire.ParseListenerQuery(&m, payload[:16])
	want(t, "error", err, nil)
	want(t, "version 1", got.V1, true)
	m, payload = got.Message(nil)
	want(t, "its delay isn't a code", m.Rest, [4]byte{0x27, 0x10})
	want(t, "its length", len(payload), 16)
}

// RFC 3810, 5.1.3: from 32768 on, a code is (mant | 0x1000) << (exp+3); from
// 128 on, that of the interval is (mant | 0x10) << (exp + 3) (5.1.9).
func TestCodesOfLongTimes(t *testing.T) {
	for _, c := range []struct {
		delay, interval time.Duration
		code            [2]byte
		qqic            byte
		readDelay       time.Duration
		readInterval    time.Duration
	}{
		{32767 * time.Millisecond, 127 * time.Second, [2]byte{0x7f, 0xff}, 0x7f, 32767 * time.Millisecond, 127 * time.Second},
		{32768 * time.Millisecond, 128 * time.Second, [2]byte{0x80, 0x00}, 0x80, 32768 * time.Millisecond, 128 * time.Second},
		{65543 * time.Millisecond, 255 * time.Second, [2]byte{0x90, 0x00}, 0x8f, 65536 * time.Millisecond, 248 * time.Second},
		{10000 * time.Hour, 31744 * time.Second, [2]byte{0xff, 0xff}, 0xff, 8387584 * time.Millisecond, 31744 * time.Second},
	} {
		q := wire.ListenerQuery{MaxResponse: c.delay, Group: netip.IPv6Unspecified(), Interval: c.interval}
		m, payload := q.Message(nil)
		want(t, "code of the delay", [2]byte(m.Rest[:2]), c.code)
		want(t, "code of the interval", payload[17], c.qqic)
		got, err := wire.ParseListenerQuery(&m, payload)
		want(t, "error", err, nil)
		want(t, "delay", got.MaxResponse, c.readDelay)
		want(t, "interval", got.Interval, c.readInterval)
	}
}

func TestListenerReport(t *testing.T) {
	group := netip.MustParseAddr("ff02::1:ff00:2")
	m, payload := wire.ListenerReport(nil,
		wire.ListenerRecord{Type: wire.ChangeToExclude, Group: group},
		wire.ListenerRecord{Type: wire.AllowSources, Group: group, Sources: fromHex(hex6a)})
	want(t, "header", m, wire.ICMPv6{Type: wire.MulticastListenerReportV2, Rest: [4]byte{0, 0, 0, 2}})
	want(t, "records", m.Records(), 2)
	first, rest, err := wire.NextListenerRecord(payload)
	want(t, "error", err, nil)
	want(t, "type", first.Type, wire.ChangeToExclude)
	want(t, "group", first.Group, group)
	want(t, "sources", len(first.Sources), 0)
	second, rest, err := wire.NextListenerRecord(rest)
	want(t, "error", err, nil)
	want(t, "type", second.Type, wire.AllowSources)
	wantBytes(t, "sources", second.Sources, hex6a)
	want(t, "rest", len(rest), 0)
	for n := range 20 {
		if _, _, err := wire.NextListenerRecord(payload[:n]); err == nil {
			t.Errorf("a record that ends after %d octets was accepted", n)
		}
	}
	if _, _, err := wire.NextListenerRecord(payload[20:55]); err == nil {
		t.Error("a record without all its sources was accepted")
	}
}

// RFC 2710, 3: "Multicast Listener Report (Type = decimal 131)", "Multicast
// Listener Done (Type = decimal 132)", each with a multicast address.
func TestListenerMessagesOfVersion1(t *testing.T) {
	group := netip.MustParseAddr("ff02::1:ff00:2")
	m, payload := wire.ListenerReportV1(nil, wire.MulticastListenerDone, group)
	want(t, "header", m, wire.ICMPv6{Type: wire.MulticastListenerDone})
	wantBytes(t, "payload", payload, "ff020000 00000000 00000001 ff000002")
	got, err := wire.ParseListenerV1(payload)
	want(t, "group", got, group)
	want(t, "error", err, nil)
	_, err = wire.ParseListenerV1(payload[:15])
	want(t, "cut off", errors.Is(err, wire.ErrShort), true)
}

func FuzzICMPv6(f *testing.F) {
	for _, seed := range [][]byte{
		wire.AppendNonce(make([]byte, 24), [6]byte{}), wire.AppendDNSServers(make([]byte, 24), 1, ip6a), make([]byte, 44),
	} {
		for _, t := range []wire.ICMPv6Type{130, 133, 134, 135, 136, 137, 143} {
			f.Add(append([]byte{byte(t)}, seed...))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, rest, err := wire.ParseICMPv6Header(b)
		if err != nil {
			return
		}
		options := optionsOf(&m, rest)
		if !wire.CheckNDPOptions(options) {
			return
		}
		for o, rest, ok := wire.NextNDPOption(options); ok; o, rest, ok = wire.NextNDPOption(rest) {
			o.LinkAddress()
			o.PrefixInfo()
			o.DNSServers(nil)
			o.MTU()
			o.Nonce()
			o.Redirected()
		}
	})
}

// optionsOf reads a message by its type and returns its options.
func optionsOf(m *wire.ICMPv6, rest []byte) []byte {
	switch m.Type {
	case wire.ICMPv6RouterSolicitation:
		return rest
	case wire.ICMPv6RouterAdvertisement:
		a, _ := wire.ParseRouterAdvert(m, rest)
		return a.Options
	case wire.ICMPv6Redirect:
		r, _ := wire.ParseRedirect(rest)
		return r.Options
	case wire.MulticastListenerQuery:
		wire.ParseListenerQuery(m, rest)
		return nil
	case wire.MulticastListenerReportV2:
		for err := error(nil); err == nil && len(rest) > 0; {
			_, rest, err = wire.NextListenerRecord(rest)
		}
		return nil
	}
	n, _ := wire.ParseNeighborMessage(m, rest)
	return n.Options
}
