package wire_test

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

var (
	ip6a = netip.MustParseAddr("2001:db8::1")
	ip6b = netip.MustParseAddr("fe80::ff:fe00:2")
)

const (
	hex6a = "20010db8 00000000 00000000 00000001"
	hex6b = "fe800000 00000000 000000ff fe000002"
)

func TestIPv6(t *testing.T) {
	const b = "6b912345 0004 06 40" + hex6a + hex6b
	expected := wire.IPv6{
		TrafficClass: 0xb9, FlowLabel: 0x12345, PayloadLen: 4, NextHeader: wire.ProtocolTCP, HopLimit: 64,
		Src: ip6a, Dst: ip6b,
	}
	h, rest, err := wire.ParseIPv6Header(append(fromHex(b), "part and padding"...))
	want(t, "error", err, nil)
	want(t, "header", h, expected)
	want(t, "rest", string(rest), "part and padding")
	h, payload, err := wire.ParseIPv6(append(fromHex(b), "part and padding"...))
	want(t, "error", err, nil)
	want(t, "header", h, expected)
	want(t, "payload", string(payload), "part")
	want(t, "capacity", cap(payload), 4)
	want(t, "DSCP", h.DSCP(), 46)
	want(t, "ECN", h.ECN(), 1)
	wantBytes(t, "written", h.AppendTo(nil), b)
	header := fromHex(b)
	wire.DecrementHopLimit(header)
	h, _, _ = wire.ParseIPv6Header(header)
	want(t, "hop limit", h.HopLimit, 63)
}

func TestIPv6Refuses(t *testing.T) {
	const rest = "00000 0004 06 40" + hex6a + hex6b
	wantRefused(t, "450"+rest, "version 6", wire.ErrVersion, wire.ParseIPv6Header)
	wantRefused(t, "600"+rest[:len(rest)-2], "IPv6", wire.ErrShort, wire.ParseIPv6Header)
	wantRefused(t, "", "IPv6", wire.ErrShort, wire.ParseIPv6Header)
	wantRefused(t, "600"+rest+"010203", "IPv6", wire.ErrShort, wire.ParseIPv6)
	wantRefused(t, "450"+rest, "version 6", wire.ErrVersion, wire.ParseIPv6)
}

func TestIPv6WithoutAddresses(t *testing.T) {
	h := wire.IPv6{FlowLabel: 0xfff12345}
	got, _, err := wire.ParseIPv6Header(h.AppendTo(nil))
	want(t, "error", err, nil)
	want(t, "source", got.Src, netip.IPv6Unspecified())
	want(t, "the flow label has 20 bits", got.FlowLabel, 0x12345)
	want(t, "and nothing else", got.TrafficClass, 0)
}

// options6 is a hop-by-hop or destination options header of 8 octets, with
// one option of 4.
func options6(next wire.Protocol, option string) string {
	return hexOf(byte(next), 0) + option + "0100"
}

func hexOf(b ...byte) string {
	const digits = "0123456789abcdef"
	s := ""
	for _, x := range b {
		s += string(digits[x>>4]) + string(digits[x&15])
	}
	return s
}

func TestIPv6Extensions(t *testing.T) {
	const (
		alert    = "05020000"
		routing  = "3c000003 00000000" // type 0, 3 segments left, then destination options
		fragment = "06000581 12345678" // offset 0x580, more, then TCP
	)
	b := options6(wire.ProtocolDestOptions, alert) + options6(wire.ProtocolRouting, "1e020000") +
		routing + options6(wire.ProtocolFragment, "1e02ffff") + fragment
	x, rest, err := wire.ParseIPv6Extensions(wire.ProtocolHopByHop, append(fromHex(b), "data"...))
	want(t, "error", err, nil)
	want(t, "rest", string(rest), "data")
	want(t, "length", x.Len, 40)
	want(t, "upper layer", x.Upper, wire.ProtocolTCP)
	want(t, "named at", x.UpperNamed, 40+32)
	wantBytes(t, "hop-by-hop", x.HopByHop, alert+"0100")
	want(t, "hop-by-hop at", x.HopByHopAt, 42)
	wantBytes(t, "early destination options", x.EarlyDest, "1e0200000100")
	want(t, "at", x.EarlyDestAt, 50)
	wantBytes(t, "destination options", x.Dest, "1e02ffff0100")
	want(t, "at", x.DestAt, 66)
	want(t, "routing", x.Routing, true)
	want(t, "segments left", x.Segments, 3)
	want(t, "routing type at", x.RoutingAt, 58)
	want(t, "fragmented", x.Fragmented, true)
	want(t, "fragment", x.Fragment, wire.Fragment{
		NextHeader: wire.ProtocolTCP, Offset: 0x580, More: true, ID: 0x12345678,
	})
	want(t, "fragment at", x.FragmentAt, 72)
	want(t, "named at", x.FragmentBy, 64)
	wantBytes(t, "fragment written", x.Fragment.AppendTo(nil), fragment)
}

func TestAPacketWithoutExtensions(t *testing.T) {
	x, rest, err := wire.ParseIPv6Extensions(wire.ProtocolUDP, []byte("datagram"))
	want(t, "error", err, nil)
	want(t, "length", x.Len, 0)
	want(t, "upper layer", x.Upper, wire.ProtocolUDP)
	want(t, "named at", x.UpperNamed, 6)
	want(t, "rest", string(rest), "datagram")
	x, _, err = wire.ParseIPv6Extensions(wire.ProtocolNone, []byte("to be ignored"))
	want(t, "error", err, nil)
	want(t, "nothing follows", x.Upper, wire.ProtocolNone)
}

// RFC 8200, 4: "a node encounters a Next Header value of zero in any header
// other than an IPv6 header" is what it doesn't recognize.
func TestTheHopByHopHeaderIsTheFirst(t *testing.T) {
	b := options6(wire.ProtocolHopByHop, "01020000") + options6(wire.ProtocolTCP, "01020000")
	x, _, err := wire.ParseIPv6Extensions(wire.ProtocolDestOptions, fromHex(b))
	want(t, "error", err, nil)
	want(t, "the walk ends", x.Upper, wire.ProtocolHopByHop)
	want(t, "named at", x.UpperNamed, 40)
	want(t, "length", x.Len, 8)
}

// What follows the header of a fragment but the first is no header.
func TestTheWalkEndsAtALaterFragment(t *testing.T) {
	later := fromHex("3c000008 00000001" + "ffffffff")
	x, rest, err := wire.ParseIPv6Extensions(wire.ProtocolFragment, later)
	want(t, "error", err, nil)
	want(t, "its first header is named", x.Upper, wire.ProtocolDestOptions)
	want(t, "but not read", len(rest), 4)
	want(t, "not atomic", x.Fragment.IsAtomic(), false)
	atomic := fromHex("3c000000 00000001" + options6(wire.ProtocolTCP, "01020000") + "ff")
	x, rest, err = wire.ParseIPv6Extensions(wire.ProtocolFragment, atomic)
	want(t, "error", err, nil)
	want(t, "of an atomic one it is", x.Upper, wire.ProtocolTCP)
	want(t, "rest", len(rest), 1)
	want(t, "atomic", x.Fragment.IsAtomic(), true)
}

func TestIPv6ExtensionsRefuses(t *testing.T) {
	refused := func(next wire.Protocol, input, word string, kind error) {
		t.Helper()
		wantRefused(t, input, word, kind, func(b []byte) (wire.Fragment, []byte, error) {
			x, rest, err := wire.ParseIPv6Extensions(next, b)
			want(t, "length beside an error", x.Len, 0)
			return x.Fragment, rest, err
		})
	}
	refused(wire.ProtocolHopByHop, "3c0001", "IPv6 extension", wire.ErrShort)
	refused(wire.ProtocolRouting, "0601000000000000 00000000000000", "IPv6 extension", wire.ErrShort)
	refused(wire.ProtocolFragment, "06000000 000000", "IPv6 extension", wire.ErrShort)
	many := ""
	for range wire.MaxIPv6Extensions + 1 {
		many += options6(wire.ProtocolDestOptions, "01020000")
	}
	refused(wire.ProtocolDestOptions, many, "more IPv6 extension headers", wire.ErrLength)
}

func TestAsManyIPv6ExtensionsAsMayBe(t *testing.T) {
	b := ""
	for i := range wire.MaxIPv6Extensions {
		next := wire.ProtocolDestOptions
		if i == wire.MaxIPv6Extensions-1 {
			next = wire.ProtocolTCP
		}
		b += options6(next, "01020000")
	}
	x, _, err := wire.ParseIPv6Extensions(wire.ProtocolDestOptions, fromHex(b))
	want(t, "error", err, nil)
	want(t, "upper layer", x.Upper, wire.ProtocolTCP)
	want(t, "length", x.Len, 64)
}

// RFC 8200, 4.2: the highest-order 2 bits of an option's type specify the
// action that must be taken if the node does not recognize the type.
func TestIPv6Options(t *testing.T) {
	for _, c := range []struct {
		name, options string
		fault         wire.IPv6OptionFault
		found         bool
	}{
		{"padding", "00 00 0102 0000 00", wire.IPv6OptionFault{}, false},
		{"router alert", "0502 0000 0100", wire.IPv6OptionFault{}, false},
		{"unknown, skipped", "1e02 0000 3e00", wire.IPv6OptionFault{}, false},
		{"discard", "00 5e00", wire.IPv6OptionFault{At: 1, Action: wire.DiscardPacket}, true},
		{"discard and tell", "9e01ff", wire.IPv6OptionFault{Action: wire.DiscardAndTell}, true},
		{"discard and tell, not about groups", "0102ffff de00", wire.IPv6OptionFault{At: 4, Action: wire.DiscardAndTellUnicast}, true},
		{"without a length", "00 01", wire.IPv6OptionFault{At: 1, Malformed: true}, true},
		{"too long", "0100 0103 0000", wire.IPv6OptionFault{At: 2, Malformed: true}, true},
	} {
		fault, found := wire.CheckIPv6Options(fromHex(c.options))
		want(t, c.name, found, c.found)
		want(t, c.name, fault, c.fault)
	}
}

func TestRouterAlert(t *testing.T) {
	b := wire.AppendRouterAlert(nil, wire.ProtocolICMPv6)
	wantBytes(t, "header", b, "3a00 0502 0000 0100")
	x, rest, err := wire.ParseIPv6Extensions(wire.ProtocolHopByHop, b)
	want(t, "error", err, nil)
	want(t, "rest", len(rest), 0)
	want(t, "upper layer", x.Upper, wire.ProtocolICMPv6)
	want(t, "alert", wire.HasRouterAlert(x.HopByHop), true)
	want(t, "behind padding", wire.HasRouterAlert(fromHex("00 0100 0502 0000")), true)
	want(t, "none", wire.HasRouterAlert(fromHex("0104 0000 0000")), false)
	want(t, "nothing", wire.HasRouterAlert(nil), false)
}

func TestExtensionsHaveNames(t *testing.T) {
	for p, name := range map[wire.Protocol]string{
		wire.ProtocolHopByHop: "hop-by-hop options", wire.ProtocolRouting: "routing header",
		wire.ProtocolFragment: "fragment header", wire.ProtocolDestOptions: "destination options",
		wire.ProtocolNone: "no next header",
	} {
		want(t, "name", p.String(), name)
	}
}

func FuzzIPv6(f *testing.F) {
	h := wire.IPv6{PayloadLen: 8, NextHeader: wire.ProtocolHopByHop, Src: ip6a, Dst: ip6b}
	f.Add(wire.AppendRouterAlert(h.AppendTo(nil), wire.ProtocolICMPv6))
	f.Add(append(h.AppendTo(nil), fromHex("3c000008 00000001")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, rest, err := wire.ParseIPv6Header(b)
		if err != nil {
			return
		}
		if got := append(h.AppendTo(nil), rest...); string(got) != string(b) {
			t.Errorf("% x\nis written as\n% x", b, got)
		}
		x, upper, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
		if err != nil {
			return
		}
		want(t, "what is left", len(upper), len(rest)-x.Len)
		for _, options := range [][]byte{x.HopByHop, x.Dest, x.EarlyDest} {
			if fault, found := wire.CheckIPv6Options(options); found && (fault.At < 0 || fault.At >= len(options)) {
				t.Errorf("the fault of % x is at %d", options, fault.At)
			} else if !found {
				wire.HasRouterAlert(options)
			}
		}
	})
}
