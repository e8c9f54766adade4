package icmperr

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

// RFC 4443, 2.4 (e) (R4443-1): "An ICMPv6 error message MUST NOT be originated as a
// result of receiving the following: (e.1) An ICMPv6 error message. (e.2) An
// ICMPv6 redirect message. (e.3) A packet destined to an IPv6 multicast address.
// (There are two exceptions to this rule: [...] Packet Too Big [...] and [...]
// Parameter Problem Message, Code 2 [...]) (e.4) A packet sent as a link-layer
// multicast (the exceptions from e.3 apply to this case, too). [...] (e.6) A
// packet whose source address does not uniquely identify a single node".
func TestAboutWhatNoICMPv6ErrorIsSent(t *testing.T) {
	header := func(src, dst string) *wire.IPv6 {
		return &wire.IPv6{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst)}
	}
	const host, other, group = "2001:db8::1", "2001:db8::2", "ff02::1"
	for _, c := range []struct {
		what            string
		p               Packet6
		may, mayToGroup bool
	}{
		{"a datagram", Packet6{Header: header(host, other), Upper: wire.ProtocolUDP}, true, true},
		{"an echo", Packet6{Header: header(host, other), Upper: wire.ProtocolICMPv6, ICMPType: 128}, true, true},
		{"an error", Packet6{Header: header(host, other), Upper: wire.ProtocolICMPv6, ICMPType: 1}, false, false},
		{"an unknown error", Packet6{Header: header(host, other), Upper: wire.ProtocolICMPv6, ICMPType: 127}, false, false},
		{"a redirect", Packet6{Header: header(host, other), Upper: wire.ProtocolICMPv6, ICMPType: wire.ICMPv6Redirect}, false, false},
		{"to a group", Packet6{Header: header(host, group), Upper: wire.ProtocolUDP}, false, true},
		{"to everybody on the link", Packet6{Header: header(host, other), Upper: wire.ProtocolUDP, LinkGroup: true}, false, true},
		{"from nobody", Packet6{Header: header("::", other), Upper: wire.ProtocolUDP}, false, false},
		{"from a group", Packet6{Header: header(group, other), Upper: wire.ProtocolUDP}, false, false},
		{"from loopback", Packet6{Header: header("::1", other), Upper: wire.ProtocolUDP}, false, false},
		{"in the machine", Packet6{Header: header("::1", "::1"), Upper: wire.ProtocolUDP, Loopback: true}, true, true},
	} {
		if got, why := MayAnswer6(c.p, false); got != c.may {
			t.Errorf("%s: %v (%s), want %v", c.what, got, why, c.may)
		}
		if got, why := MayAnswer6(c.p, true); got != c.mayToGroup {
			t.Errorf("%s, of what groups are told: %v (%s), want %v", c.what, got, why, c.mayToGroup)
		}
	}
}

// RFC 4443, 2.4 (c) (R4443-2).
func TestHowMuchAnICMPv6ErrorQuotes(t *testing.T) {
	for packet, quoted := range map[int]int{40: 40, 1232: 1232, 1233: 1232, 1500: 1232} {
		if got := QuoteLen6(packet); got != quoted {
			t.Errorf("of %d octets %d are quoted, want %d", packet, got, quoted)
		}
	}
}
