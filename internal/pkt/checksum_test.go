package pkt

import (
	"bytes"
	"net/netip"
	"testing"

	"hubbub/wire"
)

// segment returns a TCP segment whose checksum is deferred, and its bytes with
// the checksum that is right.
func segment(payload string) (p *Packet, want []byte) {
	src, dst := netip.MustParseAddr("172.16.10.10"), netip.MustParseAddr("172.16.10.11")
	h := wire.TCP{SrcPort: 40000, DstPort: 80, Seq: 1, Flags: wire.PSH | wire.ACK, Window: 100}
	header := h.AppendTo(nil)
	h.Checksum = wire.TransportChecksum(src, dst, wire.ProtocolTCP, header, []byte(payload))
	want = append(h.AppendTo(nil), payload...)
	p = New()
	copy(p.Prepend(len(header)), header)
	p.SetBody(CopyView([]byte(payload)))
	p.DeferChecksum(0, 16, wire.PseudoHeader(src, dst, wire.ProtocolTCP, p.Len()))
	copy(p.Prepend(4), "head")
	p.Pad(70)
	return p, append(append([]byte("head"), want...), make([]byte, 70-4-len(want))...)
}

func TestADeferredChecksumIsThereWhenSomebodyLooks(t *testing.T) {
	for name, look := range map[string]func(p *Packet) []byte{
		"all bytes":     func(p *Packet) []byte { return p.AppendTo(nil) },
		"a quotation":   func(p *Packet) []byte { return p.Payload(0, 70).Bytes() },
		"after a clone": func(p *Packet) []byte { return p.Clone().AppendTo(nil) },
		"after its FCS": func(p *Packet) []byte {
			p.FCS()
			return append(bytes.Clone(p.Head()), p.AppendTo(nil)[len(p.Head()):]...)
		},
		"after two bits": func(p *Packet) []byte { p.FlipBit(40); p.FlipBit(40); return p.AppendTo(nil) },
	} {
		p, want := segment("hello")
		if got := look(p); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
		p.Release()
	}
}

func TestADamagedPacketIsNotVouchedFor(t *testing.T) {
	p, _ := segment("hello")
	if !p.Vouched() {
		t.Error("the checksum of an untouched packet would be verified")
	}
	p.FlipBit(300)
	if p.Vouched() {
		t.Error("a bit was inverted, and the checksum would not be verified")
	}
}
