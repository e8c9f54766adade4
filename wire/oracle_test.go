package wire_test

import (
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
	for _, l := range p.Layers() { // ICMPv6 is no transport layer to it
		if l, ok := l.(summed); ok {
			want(t, "error", l.SetNetworkLayerForChecksum(p.NetworkLayer()), nil)
		}
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
