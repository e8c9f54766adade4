package wire_test

import (
	"encoding/binary"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"hubbub/wire"
)

// What this package appends, gopacket reads.

// wantEthernet compares what gopacket read of an Ethernet header.
func wantEthernet(t *testing.T, p gopacket.Packet, h wire.Ethernet) {
	t.Helper()
	e := layer[*layers.Ethernet](t, p, layers.LayerTypeEthernet)
	got := wire.Ethernet{Dst: macOf(e.DstMAC), Src: macOf(e.SrcMAC), Type: wire.EtherType(e.EthernetType)}
	if q, ok := p.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q); ok {
		want(t, "tag's type", got.Type, wire.EtherTypeVLAN)
		got.Tagged, got.Type = true, wire.EtherType(q.Type)
		got.VLAN = wire.VLAN{ID: q.VLANIdentifier, Priority: q.Priority, DropEligible: q.DropEligible}
	}
	want(t, "Ethernet", got, h)
}

// wantIPv4 compares what gopacket read of an IPv4 header.
func wantIPv4(t *testing.T, p gopacket.Packet, h wire.IPv4) {
	t.Helper()
	i := layer[*layers.IPv4](t, p, layers.LayerTypeIPv4)
	want(t, "TOS", i.TOS, h.TOS)
	want(t, "total length", int(i.Length), h.TotalLen)
	want(t, "header length", int(i.IHL)*4, h.HeaderLen())
	want(t, "identification", i.Id, h.ID)
	want(t, "DF", i.Flags&layers.IPv4DontFragment != 0, h.DF)
	want(t, "MF", i.Flags&layers.IPv4MoreFragments != 0, h.MF)
	want(t, "fragment offset", int(i.FragOffset)*8, h.FragOffset)
	want(t, "time to live", i.TTL, h.TTL)
	want(t, "protocol", wire.Protocol(i.Protocol), h.Protocol)
	want(t, "source", ipOf(i.SrcIP), h.Src)
	want(t, "destination", ipOf(i.DstIP), h.Dst)
	want(t, "options", string(i.Contents[20:]), string(h.Options))
	// gopacket does not verify the header's checksum.
	want(t, "checksum", slowSum(i.Contents), 0)
}

func TestOracleReadsARP(t *testing.T) {
	r := newMaker(1)
	for range oracleRounds {
		eth := r.ethernet(wire.EtherTypeARP)
		a := wire.ARP{
			Op: wire.ARPOp(1 + r.IntN(2)), SenderMAC: r.mac(), SenderIP: r.ip(), TargetMAC: r.mac(), TargetIP: r.ip(),
		}
		p := decode(t, append(a.AppendTo(eth.AppendTo(nil)), make([]byte, 18)...))
		wantEthernet(t, p, eth)
		l := layer[*layers.ARP](t, p, layers.LayerTypeARP)
		want(t, "hardware", l.AddrType, layers.LinkTypeEthernet)
		want(t, "protocol", l.Protocol, layers.EthernetTypeIPv4)
		want(t, "ARP", wire.ARP{
			Op: wire.ARPOp(l.Operation), SenderMAC: macOf(l.SourceHwAddress), SenderIP: ipOf(l.SourceProtAddress),
			TargetMAC: macOf(l.DstHwAddress), TargetIP: ipOf(l.DstProtAddress),
		}, a)
	}
}

func TestOracleReadsUDP(t *testing.T) {
	r := newMaker(2)
	for range oracleRounds {
		ip, payload := r.ipv4(wire.ProtocolUDP), r.octets()
		h := wire.UDP{SrcPort: r.port(), DstPort: r.port(), Length: 8 + len(payload)}
		datagram := h.AppendTo(nil)
		wire.PutUDPChecksum(ip.Src, ip.Dst, datagram, payload)
		eth, frame := r.packet(&ip, append(datagram, payload...))

		p := decode(t, frame)
		wantEthernet(t, p, eth)
		wantIPv4(t, p, ip)
		l := layer[*layers.UDP](t, p, layers.LayerTypeUDP)
		h.Checksum = binary.BigEndian.Uint16(datagram[6:])
		want(t, "UDP", wire.UDP{
			SrcPort: uint16(l.SrcPort), DstPort: uint16(l.DstPort), Length: int(l.Length), Checksum: l.Checksum,
		}, h)
		want(t, "payload", string(l.Payload), string(payload))
	}
}

func TestOracleReadsICMP(t *testing.T) {
	r := newMaker(3)
	for range oracleRounds {
		ip, payload := r.ipv4(wire.ProtocolICMP), r.octets()
		m := wire.ICMPv4{Type: wire.Echo, Code: r.u8()}
		m.SetEcho(r.u16(), r.u16())
		eth, frame := r.packet(&ip, m.AppendTo(nil, payload))

		p := decode(t, frame)
		wantEthernet(t, p, eth)
		wantIPv4(t, p, ip)
		l := layer[*layers.ICMPv4](t, p, layers.LayerTypeICMPv4)
		want(t, "type", wire.ICMPv4Type(l.TypeCode.Type()), m.Type)
		want(t, "code", l.TypeCode.Code(), m.Code)
		want(t, "identifier", l.Id, m.ID())
		want(t, "sequence number", l.Seq, m.Seq())
		want(t, "payload", string(l.Payload), string(payload))
	}
}

func TestOracleReadsTCP(t *testing.T) {
	r := newMaker(4)
	for range oracleRounds {
		ip, payload, h := r.ipv4(wire.ProtocolTCP), r.octets(), r.tcp()
		segment := h.AppendTo(nil)
		wire.PutTCPChecksum(ip.Src, ip.Dst, segment, payload)
		eth, frame := r.packet(&ip, append(segment, payload...))

		p := decode(t, frame)
		wantEthernet(t, p, eth)
		wantIPv4(t, p, ip)
		l := layer[*layers.TCP](t, p, layers.LayerTypeTCP)
		h.Checksum, h.DataOffset = binary.BigEndian.Uint16(segment[16:]), h.HeaderLen()
		want(t, "TCP", tcpOf(l), h)
		want(t, "payload", string(l.Payload), string(payload))
	}
}

// tcpOf takes the fields from gopacket's header.
func tcpOf(l *layers.TCP) wire.TCP {
	h := wire.TCP{
		SrcPort: uint16(l.SrcPort), DstPort: uint16(l.DstPort), Seq: l.Seq, Ack: l.Ack,
		DataOffset: int(l.DataOffset) * 4, Window: l.Window, Checksum: l.Checksum, Urgent: l.Urgent,
	}
	for i, set := range []bool{l.FIN, l.SYN, l.RST, l.PSH, l.ACK, l.URG, l.ECE, l.CWR, l.NS} {
		if set {
			h.Flags |= 1 << i
		}
	}
	for _, o := range l.Options {
		optionOf(&h.Options, o)
	}
	return h
}

// optionOf takes one option from gopacket's.
func optionOf(o *wire.TCPOptions, from layers.TCPOption) {
	b := from.OptionData
	switch from.OptionType {
	case layers.TCPOptionKindMSS:
		o.MSS = binary.BigEndian.Uint16(b)
	case layers.TCPOptionKindWindowScale:
		o.HasWindowScale, o.WindowScale = true, b[0]
	case layers.TCPOptionKindSACKPermitted:
		o.SACKPermitted = true
	case layers.TCPOptionKindTimestamps:
		o.Timestamps, o.TSVal, o.TSEcr = true, binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	case layers.TCPOptionKindSACK:
		for ; len(b) >= 8; b = b[8:] {
			o.SACK[o.NumSACK] = wire.SACKBlock{Left: binary.BigEndian.Uint32(b), Right: binary.BigEndian.Uint32(b[4:])}
			o.NumSACK++
		}
	}
}
