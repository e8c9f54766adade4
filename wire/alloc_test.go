package wire_test

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

var (
	ip1  = netip.MustParseAddr("172.16.10.10")
	ip2  = netip.MustParseAddr("172.16.11.250")
	mac1 = wire.MustParseMAC("02:00:00:00:00:01")
	mac2 = wire.MustParseMAC("02:00:00:00:00:02")
)

type allocCase struct {
	name string
	f    func()
}

// zeroAllocCases are the operations of the data path, and what hostile packets
// can make a host do.
func zeroAllocCases() []allocCase {
	return append(append(parseCases(), appendCases()...), sumCases()...)
}

func parseCases() []allocCase {
	eth, arp, ip, udp, tcp, icmp := samples()
	ip6, nd := samples6()
	short := ip[:19]
	broken := append([]byte(nil), ip...)
	broken[10]++
	return []allocCase{
		{"parse Ethernet", func() { _, _, _ = wire.ParseEthernet(eth) }},
		{"parse ARP", func() { _, _, _ = wire.ParseARP(arp) }},
		{"parse IPv4", func() { _, _, _ = wire.ParseIPv4Header(ip) }},
		{"parse UDP", func() { _, _, _ = wire.ParseUDPHeader(udp) }},
		{"parse TCP", func() { _, _, _ = wire.ParseTCPHeader(tcp) }},
		{"parse ICMP", func() { _, _, _ = wire.ParseICMPv4(icmp) }},
		{"parse IPv6", func() { _, _, _ = wire.ParseIPv6(ip6) }},
		{"parse IPv6 extensions", func() { _, _, _ = wire.ParseIPv6Extensions(wire.ProtocolHopByHop, ip6[40:]) }},
		{"parse a neighbor message", func() {
			m, payload, _ := wire.ParseICMPv6(ip6a, ip6b, nd)
			n, _ := wire.ParseNeighborMessage(&m, payload)
			wire.FindNDPOption(n.Options, wire.SourceLinkAddress).LinkAddress()
		}},
		{"refuse short IPv4", func() { _, _, _ = wire.ParseIPv4(short) }},
		{"refuse broken IPv4", func() { _, _, _ = wire.ParseIPv4(broken) }},
	}
}

func appendCases() []allocCase {
	buf := make([]byte, 0, 256)
	opts := make([]byte, 0, 40)
	eth, arp, ip, udp, tcp, icmp := sampleHeaders()
	data := []byte("data")
	return []allocCase{
		{"append Ethernet", func() { buf = eth.AppendTo(buf[:0]) }},
		{"append ARP", func() { buf = arp.AppendTo(buf[:0]) }},
		{"append IPv4", func() { buf = ip.AppendTo(buf[:0]) }},
		{"append UDP", func() { buf = udp.AppendTo(buf[:0]) }},
		{"append TCP", func() { buf = tcp.AppendTo(buf[:0]) }},
		{"append ICMP", func() { buf = icmp.AppendTo(buf[:0], data) }},
		{"copied options", func() { opts = wire.CopiedOptions(ip.Options, opts[:0]) }},
		{"check options", func() { wire.CheckIPv4Options(ip.Options) }},
	}
}

func sumCases() []allocCase {
	_, _, ip, udp, tcp, _ := samples()
	data := make([]byte, 1448)
	local := [18]byte{}
	return []allocCase{
		{"FCS", func() { wire.FCS(local[:], ip, data) }},
		{"TCP checksum", func() { wire.PutTCPChecksum(ip1, ip2, tcp, data) }},
		{"UDP checksum", func() { wire.PutUDPChecksum(ip1, ip2, udp, data) }},
		{"decrement TTL", func() { ip[8] = 64; wire.DecrementTTL(ip) }},
	}
}

func sampleHeaders() (wire.Ethernet, wire.ARP, wire.IPv4, wire.UDP, wire.TCP, wire.ICMPv4) {
	eth := wire.Ethernet{Dst: mac1, Src: mac2, Tagged: true, VLAN: wire.VLAN{ID: 7}, Type: wire.EtherTypeIPv4}
	arp := wire.ARP{Op: wire.ARPReply, SenderMAC: mac1, SenderIP: ip1, TargetMAC: mac2, TargetIP: ip2}
	ip := wire.IPv4{TotalLen: 1500, DF: true, TTL: 64, Protocol: wire.ProtocolTCP, Src: ip1, Dst: ip2}
	udp := wire.UDP{SrcPort: 5353, DstPort: 53, Length: 40}
	tcp := wire.TCP{
		SrcPort: 49152, DstPort: 8080, Seq: 1, Ack: 2, Flags: wire.ACK | wire.PSH, Window: 502,
		Options: wire.TCPOptions{Timestamps: true, TSVal: 3, TSEcr: 4},
	}
	icmp := wire.ICMPv4{Type: wire.Echo}
	return eth, arp, ip, udp, tcp, icmp
}

// samples6 are an IPv6 packet with an extension header and a neighbour
// solicitation.
func samples6() (ip6, nd []byte) {
	h := wire.IPv6{PayloadLen: 8, NextHeader: wire.ProtocolHopByHop, Src: ip6a, Dst: ip6b}
	n := wire.NeighborMessage{Target: ip6b, Options: wire.AppendLinkAddress(nil, wire.SourceLinkAddress, mac1)}
	m, payload := n.Message(wire.NeighborSolicitation, nil)
	return wire.AppendRouterAlert(h.AppendTo(nil), wire.ProtocolTCP), m.AppendTo(ip6a, ip6b, nil, payload)
}

func samples() (eth, arp, ip, udp, tcp, icmp []byte) {
	e, a, i, u, t, m := sampleHeaders()
	return e.AppendTo(nil), a.AppendTo(nil), i.AppendTo(nil), u.AppendTo(nil), t.AppendTo(nil),
		m.AppendTo(nil, []byte("abcdefgh"))
}

func TestNothingAllocates(t *testing.T) {
	for _, c := range zeroAllocCases() {
		if n := testing.AllocsPerRun(100, c.f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", c.name, n)
		}
	}
}
