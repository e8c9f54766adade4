package wire_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"hubbub/wire"
)

// What gopacket writes, this package reads.

// outer returns gopacket's layers before a transport.
func (r maker) outer(typ layers.EthernetType, eth wire.Ethernet) []gopacket.SerializableLayer {
	e := &layers.Ethernet{DstMAC: eth.Dst[:], SrcMAC: eth.Src[:], EthernetType: typ}
	if !eth.Tagged {
		return []gopacket.SerializableLayer{e}
	}
	e.EthernetType = layers.EthernetTypeDot1Q
	return []gopacket.SerializableLayer{e, &layers.Dot1Q{
		Priority: eth.VLAN.Priority, DropEligible: eth.VLAN.DropEligible, VLANIdentifier: eth.VLAN.ID, Type: typ,
	}}
}

// theirIPv4 returns gopacket's header with the fields of h.
func theirIPv4(h wire.IPv4) *layers.IPv4 {
	i := &layers.IPv4{
		Version: 4, TOS: h.TOS, Id: h.ID, FragOffset: uint16(h.FragOffset / 8), TTL: h.TTL,
		Protocol: layers.IPProtocol(h.Protocol), SrcIP: h.Src.AsSlice(), DstIP: h.Dst.AsSlice(),
	}
	if h.DF {
		i.Flags |= layers.IPv4DontFragment
	}
	if h.MF {
		i.Flags |= layers.IPv4MoreFragments
	}
	for rest := h.Options; len(rest) > 0; {
		option, behind, _ := wire.NextIPv4Option(rest)
		o := layers.IPv4Option{OptionType: uint8(option.Type()), OptionLength: uint8(len(option))}
		if len(option) > 2 {
			o.OptionData = option[2:]
		}
		i.Options, rest = append(i.Options, o), behind
	}
	return i
}

// read reads a frame of gopacket's down to IPv4's payload, and compares the
// headers on the way with those that were asked for.
func read(t *testing.T, frame []byte, eth wire.Ethernet, ip wire.IPv4, n int) []byte {
	t.Helper()
	e, rest, err := wire.ParseEthernet(frame)
	want(t, "error", err, nil)
	want(t, "Ethernet", e, eth)
	h, transport, err := wire.ParseIPv4(rest)
	want(t, "error", err, nil)
	ip.TotalLen, ip.Checksum = ip.HeaderLen()+n, h.Checksum
	if !bytes.Equal(h.Options, ip.Options) {
		t.Errorf("options % x, want % x", h.Options, ip.Options)
	}
	want(t, "length of the payload", len(transport), n)
	h.Options, ip.Options = nil, nil
	wantSame(t, "IPv4", h, ip)
	return transport
}

func wantSame(t *testing.T, what string, got, expected wire.IPv4) {
	t.Helper()
	if string(got.AppendTo(nil)) != string(expected.AppendTo(nil)) || got.Src != expected.Src || got.Dst != expected.Dst {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, expected)
	}
}

func TestReadsOraclesARP(t *testing.T) {
	r := newMaker(5)
	for range oracleRounds {
		eth := r.ethernet(wire.EtherTypeARP)
		a := wire.ARP{Op: wire.ARPRequest, SenderMAC: r.mac(), SenderIP: r.ip(), TargetMAC: r.mac(), TargetIP: r.ip()}
		frame := encode(t, append(r.outer(layers.EthernetTypeARP, eth), &layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
			Operation: uint16(a.Op), SourceHwAddress: a.SenderMAC[:], SourceProtAddress: a.SenderIP.AsSlice(),
			DstHwAddress: a.TargetMAC[:], DstProtAddress: a.TargetIP.AsSlice(),
		})...)
		e, rest, err := wire.ParseEthernet(frame)
		want(t, "error", err, nil)
		want(t, "Ethernet", e, eth)
		got, _, err := wire.ParseARP(rest)
		want(t, "error", err, nil)
		want(t, "ARP", got, a)
	}
}

func TestReadsOraclesUDP(t *testing.T) {
	r := newMaker(6)
	for range oracleRounds {
		eth, ip, payload := r.ethernet(wire.EtherTypeIPv4), r.ipv4(wire.ProtocolUDP), r.octets()
		i, u := theirIPv4(ip), &layers.UDP{SrcPort: layers.UDPPort(r.u16()), DstPort: layers.UDPPort(r.u16())}
		want(t, "error", u.SetNetworkLayerForChecksum(i), nil)
		frame := encode(t, append(r.outer(layers.EthernetTypeIPv4, eth), i, u, gopacket.Payload(payload))...)

		transport := read(t, frame, eth, ip, 8+len(payload))
		h, got, err := wire.ParseUDP(transport)
		want(t, "error", err, nil)
		want(t, "UDP", h, wire.UDP{
			SrcPort: uint16(u.SrcPort), DstPort: uint16(u.DstPort), Length: 8 + len(payload), Checksum: u.Checksum,
		})
		want(t, "payload", string(got), string(payload))
		want(t, "checksum", wire.TransportChecksum(ip.Src, ip.Dst, ip.Protocol, transport[:8], got), 0)
		wire.PutUDPChecksum(ip.Src, ip.Dst, transport[:8], got)
		want(t, "our checksum", binary.BigEndian.Uint16(transport[6:]), u.Checksum)
	}
}

func TestReadsOraclesICMP(t *testing.T) {
	r := newMaker(7)
	for range oracleRounds {
		eth, ip, payload := r.ethernet(wire.EtherTypeIPv4), r.ipv4(wire.ProtocolICMP), r.octets()
		m := wire.ICMPv4{Type: wire.EchoReply, Code: r.u8()}
		m.SetEcho(r.u16(), r.u16())
		l := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(uint8(m.Type), m.Code), Id: m.ID(), Seq: m.Seq()}
		frame := encode(t, append(r.outer(layers.EthernetTypeIPv4, eth), theirIPv4(ip), l, gopacket.Payload(payload))...)

		got, rest, err := wire.ParseICMPv4(read(t, frame, eth, ip, 8+len(payload)))
		m.Checksum = l.Checksum
		want(t, "error", err, nil)
		want(t, "ICMP", got, m)
		want(t, "payload", string(rest), string(payload))
		want(t, "our message", string(m.AppendTo(nil, payload)), string(encode(t, l, gopacket.Payload(payload))))
	}
}

func TestReadsOraclesTCP(t *testing.T) {
	r := newMaker(8)
	for range oracleRounds {
		eth, ip, payload, h := r.ethernet(wire.EtherTypeIPv4), r.ipv4(wire.ProtocolTCP), r.octets(), r.tcp()
		i, l := theirIPv4(ip), r.theirTCP(&h)
		want(t, "error", l.SetNetworkLayerForChecksum(i), nil)
		frame := encode(t, append(r.outer(layers.EthernetTypeIPv4, eth), i, l, gopacket.Payload(payload))...)

		h.DataOffset, h.Checksum = int(l.DataOffset)*4, l.Checksum
		transport := read(t, frame, eth, ip, h.DataOffset+len(payload))
		got, rest, err := wire.ParseTCPHeader(transport)
		want(t, "error", err, nil)
		want(t, "TCP", got, h)
		want(t, "payload", string(rest), string(payload))
		want(t, "checksum", wire.TransportChecksum(ip.Src, ip.Dst, ip.Protocol, transport[:h.DataOffset], rest), 0)
	}
}

// theirTCP returns gopacket's header with the fields of h, its options in
// random order and without alignment, among some that are unknown. It drops
// SACK blocks from h if there would be no room.
func (r maker) theirTCP(h *wire.TCP) *layers.TCP {
	h.Options.NumSACK = min(h.Options.NumSACK, 1)
	h.Options.SACK[1] = wire.SACKBlock{}
	l := &layers.TCP{
		SrcPort: layers.TCPPort(h.SrcPort), DstPort: layers.TCPPort(h.DstPort), Seq: h.Seq, Ack: h.Ack,
		Window: h.Window, Urgent: h.Urgent,
	}
	for i, flag := range []*bool{&l.FIN, &l.SYN, &l.RST, &l.PSH, &l.ACK, &l.URG, &l.ECE, &l.CWR, &l.NS} {
		*flag = h.Flags.Has(1 << i)
	}
	l.Options = theirOptions(&h.Options)
	l.Options = append(l.Options, layers.TCPOption{OptionType: 254, OptionLength: 6, OptionData: r.bytes(4)})
	r.Shuffle(len(l.Options), func(i, j int) { l.Options[i], l.Options[j] = l.Options[j], l.Options[i] })
	return l
}

func theirOptions(o *wire.TCPOptions) (list []layers.TCPOption) {
	add := func(kind layers.TCPOptionKind, data ...byte) {
		list = append(list, layers.TCPOption{OptionType: kind, OptionLength: uint8(2 + len(data)), OptionData: data})
	}
	if o.MSS != 0 {
		add(layers.TCPOptionKindMSS, binary.BigEndian.AppendUint16(nil, o.MSS)...)
	}
	if o.HasWindowScale {
		add(layers.TCPOptionKindWindowScale, o.WindowScale)
	}
	if o.SACKPermitted {
		add(layers.TCPOptionKindSACKPermitted)
	}
	if o.Timestamps {
		add(layers.TCPOptionKindTimestamps,
			binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, o.TSVal), o.TSEcr)...)
	}
	for _, block := range o.SACK[:o.NumSACK] {
		add(layers.TCPOptionKindSACK,
			binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, block.Left), block.Right)...)
	}
	return list
}
