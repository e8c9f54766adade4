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
