package stack

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"hubbub/wire"
)

// A family is over which addresses the machines of a test talk, and of which
// family their endpoints are.
type family struct {
	name string
	six  bool // packets have IPv6 headers
	dual bool // who is bound to all addresses is so for both families
}

var (
	overIPv4   = &family{name: "IPv4"}
	overIPv6   = &family{name: "IPv6", six: true}
	overMapped = &family{name: "mapped", dual: true}
)

// speaking is the family of the test under way. Tests write IPv4 addresses; what
// reads them here, and what compares, has them as the family does. No two tests
// run at once.
var speaking = overIPv4

// overEach runs a test over both families, and over IPv4 with endpoints of IPv6.
func overEach(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, f := range []*family{overIPv4, overIPv6, overMapped} {
		t.Run(f.name, func(t *testing.T) {
			speaking = f
			defer func() { speaking = overIPv4 }()
			test(t)
		})
	}
}

var ipv4Text = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+)(:\d+|/\d+)?`)

// spoken returns a text with the addresses, ports and prefixes in it as the
// family under test has them: 172.16.10.11 is 2001:db8:10::11.
func spoken(text string) string {
	if speaking == overIPv4 {
		return text
	}
	return ipv4Text.ReplaceAllStringFunc(text, func(found string) string {
		end := strings.IndexAny(found, ":/")
		if end < 0 {
			end = len(found)
		}
		host, rest := speaking.address(found[:end]), found[end:]
		switch {
		case !strings.Contains(host, ":"), speaking.dual && rest == "/0":
			return found
		case strings.HasPrefix(rest, "/"):
			return host + lengths[rest]
		case rest != "":
			return "[" + host + "]" + rest
		}
		return host
	})
}

// address returns an address of IPv4 as the family has it.
func (f *family) address(host string) string {
	b := strings.Split(host, ".")
	switch {
	case host == "0.0.0.0":
		return "::"
	case f.dual:
		return host
	case host == everyone:
		return "ff02::1"
	case b[0] == "127":
		return "::1"
	case b[0] == "172":
		return "2001:db8:" + b[2] + "::" + b[3]
	case b[0] == "10":
		return "2001:db8:99:" + b[1] + ":" + b[2] + "::" + b[3]
	}
	return host
}

// lengths are those of the prefixes of IPv6 that stand for IPv4's.
var lengths = map[string]string{"/0": "/0", "/8": "/48", "/24": "/64", "/32": "/128"}

// settleIPv6 lets the machine have told everybody of its groups.
func (m *machine) settleIPv6() {
	if speaking.six {
		m.passes(2 * time.Second)
		m.forget()
	}
}

// transportOf returns what a packet has behind its headers.
func (m *machine) transportOf(raw []byte) []byte {
	m.t.Helper()
	if raw[0]>>4 == 4 {
		_, b, err := wire.ParseIPv4(raw)
		m.ok("the packet", err)
		return b
	}
	h, b, err := wire.ParseIPv6(raw)
	m.ok("the packet", err)
	return b[:h.PayloadLen]
}

// ends returns where a packet comes from and goes to, its traffic class and its
// hop limit.
func (m *machine) ends(raw []byte) (src, dst netip.Addr, class, hops uint8) {
	m.t.Helper()
	if raw[0]>>4 == 4 {
		h, _, err := wire.ParseIPv4(raw)
		m.ok("the packet", err)
		return h.Src, h.Dst, h.TOS, h.TTL
	}
	h, _, err := wire.ParseIPv6(raw)
	m.ok("the packet", err)
	return h.Src, h.Dst, h.TrafficClass, h.HopLimit
}

// longer is by how much the header of IP is longer than IPv4's.
func longer() int {
	if speaking.six {
		return wire.IPv6HeaderLen - wire.IPv4HeaderLen
	}
	return 0
}

// quote is as much of a packet as the least error message quotes: its header and
// eight octets.
func quote(raw []byte) []byte { return raw[:wire.IPv4HeaderLen+longer()+8] }

// says is an error message of the gateway's about a packet: that the network,
// the host or the port can't be reached, or that the packet is too big for the
// next link's MTU.
func says(what string, mtu int, about []byte) packet {
	if !speaking.six {
		m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: map[string]uint8{
			"net": wire.CodeNetUnreachable, "host": wire.CodeHostUnreachable,
			"port": wire.CodePortUnreachable, "too big": wire.CodeFragmentationNeeded,
		}[what]}
		if mtu != 0 {
			m.SetMTU(uint16(mtu))
		}
		return icmp(gateway, own, m, about)
	}
	m := wire.ICMPv6{Type: wire.ICMPv6DestinationUnreachable, Code: map[string]uint8{
		"net": wire.CodeNoRoute, "host": wire.CodeAddressUnreachable, "port": wire.CodePortUnreachable6,
	}[what]}
	if mtu != 0 {
		m.Type = wire.ICMPv6PacketTooBig
		m.SetWord(uint32(mtu))
	}
	body := m.AppendTo(ip(gateway), ip(own), nil, about)
	return ipPacket(wire.ProtocolICMPv6, gateway, own, body)
}
