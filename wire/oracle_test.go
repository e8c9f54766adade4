package wire_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"hubbub/wire"
)

// The oracle is gopacket: a decoder and encoder that shares no line with this
// package. Random headers go both ways: what this package appends, gopacket
// reads as the same; what gopacket writes, this package reads as the same.

// oracleRounds is how many random packets of a kind are compared.
const oracleRounds = 300

// decode reads a frame with gopacket, to the last layer, and asserts that
// nothing is wrong with it.
func decode(t *testing.T, frame []byte) gopacket.Packet {
	t.Helper()
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	if l := p.ErrorLayer(); l != nil {
		t.Fatalf("% x\nis wrong: %v", frame, l.Error())
	}
	type summed interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}
	if l, ok := p.TransportLayer().(summed); ok {
		want(t, "error", l.SetNetworkLayerForChecksum(p.NetworkLayer()), nil)
	}
	if err, wrong := p.VerifyChecksums(); err != nil || len(wrong) > 0 {
		t.Fatalf("% x\nhas wrong checksums: %v %+v", frame, err, wrong)
	}
	if p.Metadata().Truncated {
		t.Fatalf("% x\nis truncated", frame)
	}
	return p
}

// encode writes layers with gopacket, which computes lengths and checksums.
func encode(t *testing.T, stack ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, stack...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func layer[L any](t *testing.T, p gopacket.Packet, typ gopacket.LayerType) L {
	t.Helper()
	l, ok := p.Layer(typ).(L)
	if !ok {
		t.Fatalf("there is no %v in %v", typ, p)
	}
	return l
}

func macOf(a net.HardwareAddr) wire.MAC { return wire.MAC(a) }

func ipOf(a []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(a)
	return addr
}

// A maker makes random headers.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 0))} }

func (r maker) bit() bool      { return r.IntN(2) == 0 }
func (r maker) u8() uint8      { return uint8(r.Uint32()) }
func (r maker) u16() uint16    { return uint16(r.Uint32()) }
func (r maker) ip() netip.Addr { return randomIPv4(r.Rand) }
func (r maker) octets() []byte { return r.bytes(r.IntN(200)) }
func (r maker) mac() (m wire.MAC) {
	copy(m[:], r.bytes(6))
	return m
}

// port returns a port that gopacket takes for no application.
func (r maker) port() uint16 { return 40000 + r.u16()%20000 }

func (r maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = r.u8()
	}
	return b
}

func (r maker) ethernet(typ wire.EtherType) wire.Ethernet {
	h := wire.Ethernet{Dst: r.mac(), Src: r.mac(), Tagged: r.bit(), Type: typ}
	if h.Tagged {
		h.VLAN = wire.VLAN{ID: r.u16() & 0xfff, Priority: r.u8() & 7, DropEligible: r.bit()}
	}
	return h
}

func (r maker) ipv4(proto wire.Protocol) wire.IPv4 {
	h := wire.IPv4{
		TOS: r.u8(), ID: r.u16(), DF: r.bit(), TTL: r.u8(), Protocol: proto, Src: r.ip(), Dst: r.ip(), Options: []byte{},
	}
	switch r.IntN(4) {
	case 0:
		h.Options = fromHex("94040000")
	case 1:
		h.Options = fromHex("01 070b 04 00000000 00000000")
	}
	return h
}

func (r maker) tcp() wire.TCP {
	return wire.TCP{
		SrcPort: r.port(), DstPort: r.port(), Seq: r.Uint32(), Ack: r.Uint32(),
		Flags: wire.TCPFlags(r.u16() & 0x1ff), Window: r.u16(), Urgent: r.u16(), Options: r.tcpOptions(),
	}
}

func (r maker) tcpOptions() wire.TCPOptions {
	var o wire.TCPOptions
	if r.bit() {
		o.MSS = 1 + r.u16()>>1
	}
	if o.HasWindowScale = r.bit(); o.HasWindowScale {
		o.WindowScale = r.u8() % 15
	}
	o.SACKPermitted = r.bit()
	if o.Timestamps = r.bit(); o.Timestamps {
		o.TSVal, o.TSEcr = r.Uint32(), r.Uint32()
	}
	for range r.IntN(3) {
		o.SACK[o.NumSACK] = wire.SACKBlock{Left: r.Uint32(), Right: r.Uint32()}
		o.NumSACK++
	}
	return o
}

// packet puts an Ethernet and an IPv4 header before a transport's packet.
func (r maker) packet(h *wire.IPv4, transport []byte) (wire.Ethernet, []byte) {
	eth := r.ethernet(wire.EtherTypeIPv4)
	h.TotalLen = h.HeaderLen() + len(transport)
	frame := h.AppendTo(eth.AppendTo(nil))
	frame = append(frame, transport...)
	return eth, append(frame, make([]byte, max(0, 60-len(frame)))...)
}

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

// The other direction: gopacket writes.

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
