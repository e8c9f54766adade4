package hubbub

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

// packet is a frame with an IPv4 header and n bytes behind it.
func packet(eth wire.Ethernet, ip wire.IPv4, payload ...byte) []byte {
	eth.Type = wire.EtherTypeIPv4
	ip.Src, ip.Dst = netip.AddrFrom4([4]byte{10, 0, 0, 1}), netip.AddrFrom4([4]byte{10, 0, 0, 2})
	ip.TotalLen = ip.HeaderLen() + len(payload)
	return append(ip.AppendTo(eth.AppendTo(nil)), payload...)
}

// A packet's head holds exactly the headers: the stack reads them there, and
// shares the rest.
func TestHeadersLen(t *testing.T) {
	plain, tagged := wire.Ethernet{}, wire.Ethernet{Tagged: true}
	options := make([]byte, 40)
	segment := make([]byte, 100)
	segment[12] = 0xf0 // a data offset of 60
	tcp := wire.IPv4{Protocol: wire.ProtocolTCP}
	cut := packet(plain, wire.IPv4{Protocol: wire.ProtocolTCP, Options: options}, segment...)
	arp := wire.Ethernet{Type: wire.EtherTypeARP}
	for _, c := range []struct {
		name  string
		frame []byte
		want  int
	}{
		{"nothing", nil, 0},
		{"13 bytes", make([]byte, 13), 13},
		{"an unknown type", make([]byte, 60), 14},
		{"ARP", append(arp.AppendTo(nil), make([]byte, 46)...), 14 + 28},
		{"ARP cut off", append(arp.AppendTo(nil), 1, 2, 3), 14 + 3},
		{"TCP with all options", packet(plain, wire.IPv4{Protocol: wire.ProtocolTCP, Options: options}, segment...), 14 + 60 + 60},
		{"the same with a tag", packet(tagged, wire.IPv4{Protocol: wire.ProtocolTCP, Options: options}, segment...), 18 + 60 + 60},
		{"TCP cut off", packet(plain, tcp, segment[:30]...), 14 + 20 + 30},
		{"TCP without its data offset", packet(plain, tcp, segment[:5]...), 14 + 20 + 5},
		{"TCP with a data offset of nothing", packet(plain, tcp, make([]byte, 40)...), 14 + 20 + 20},
		{"IPv4 cut off", cut[:14+30], 14},
		{"UDP", packet(plain, wire.IPv4{Protocol: wire.ProtocolUDP}, make([]byte, 100)...), 14 + 20 + 8},
		{"ICMP", packet(plain, wire.IPv4{Protocol: wire.ProtocolICMP}, make([]byte, 100)...), 14 + 20 + 8},
		{"a first fragment", packet(plain, wire.IPv4{Protocol: wire.ProtocolUDP, MF: true}, make([]byte, 96)...), 14 + 20 + 8},
		{"a later fragment", packet(plain, wire.IPv4{Protocol: wire.ProtocolUDP, FragOffset: 96}, make([]byte, 96)...), 14 + 20},
		{"another protocol", packet(plain, wire.IPv4{Protocol: 89}, make([]byte, 96)...), 14 + 20},
	} {
		if got := headersLen(c.frame); got != c.want {
			t.Errorf("%s: the headers have %d bytes, want %d", c.name, got, c.want)
		}
	}
}

// packet6 is a frame with an IPv6 header and what follows it.
func packet6(next wire.Protocol, payload ...byte) []byte {
	eth := wire.Ethernet{Type: wire.EtherTypeIPv6}
	ip := wire.IPv6{
		PayloadLen: len(payload), NextHeader: next, Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2"),
	}
	return append(ip.AppendTo(eth.AppendTo(nil)), payload...)
}

// The same with IPv6, as far as a packet's head has room.
func TestHeadersLenOfIPv6(t *testing.T) {
	segment := make([]byte, 100)
	segment[12] = 0xf0 // a data offset of 60
	options := []byte{byte(wire.ProtocolTCP), 0, 1, 4, 0, 0, 0, 0}
	long := append([]byte{byte(wire.ProtocolTCP), 20}, make([]byte, 166)...)
	fragment := wire.Fragment{NextHeader: wire.ProtocolTCP, Offset: 96}
	first := wire.Fragment{NextHeader: wire.ProtocolUDP, More: true}
	for _, c := range []struct {
		name  string
		frame []byte
		want  int
	}{
		{"cut off", packet6(wire.ProtocolTCP, segment...)[:14+30], 14 + 30},
		{"TCP", packet6(wire.ProtocolTCP, segment...), 14 + 40 + 60},
		{"TCP behind options", packet6(wire.ProtocolDestOptions, append(options, segment...)...), 14 + 40 + 8 + 60},
		{"TCP behind more options than a head holds", packet6(wire.ProtocolDestOptions, append(long, segment...)...), 14 + 126},
		{"UDP", packet6(wire.ProtocolUDP, make([]byte, 100)...), 14 + 40 + 8},
		{"ICMPv6", packet6(wire.ProtocolICMPv6, make([]byte, 100)...), 14 + 40 + 8},
		{"a first fragment", packet6(wire.ProtocolFragment, append(first.AppendTo(nil), make([]byte, 96)...)...), 14 + 40 + 8 + 8},
		{"a later fragment", packet6(wire.ProtocolFragment, append(fragment.AppendTo(nil), segment...)...), 14 + 40 + 8},
		{"another protocol", packet6(89, make([]byte, 96)...), 14 + 40},
	} {
		if got := headersLen(c.frame); got != c.want {
			t.Errorf("%s: the headers have %d bytes, want %d", c.name, got, c.want)
		}
	}
}
