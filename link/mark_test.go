package link

import (
	"testing"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// withECN sets the ECN field of a frame's packet as its sender does.
func withECN(p *pkt.Packet, ecn uint8) *pkt.Packet {
	b := p.Head()[wire.EthernetHeaderLen:]
	b[1] |= ecn
	b[10], b[11] = 0, 0
	sum := wire.Checksum(b[:wire.IPv4HeaderLen])
	b[10], b[11] = byte(sum>>8), byte(sum)
	return p
}

func ecnOf(t *testing.T, p *pkt.Packet) uint8 {
	t.Helper()
	ip := p.Head()[wire.EthernetHeaderLen:]
	if wire.Checksum(ip[:wire.IPv4HeaderLen]) != 0 {
		t.Error("the header checksum is wrong")
	}
	return ip[1] & 3
}

func TestAFullQueueMarksPacketsThatHeedIt(t *testing.T) {
	// RFC 3168, 5: a router may set CE "instead of dropping the packet", where
	// ECT says that the transport heeds it. The frame that finds two waiting is
	// the fourth: one is being sent.
	c := NewCable(nil, nil)
	c.Watch = true
	must(t, c.Line(0).SetRate(1_000_000))
	must(t, c.Line(0).SetMarking(2, 7))
	for _, ecn := range []uint8{1, 2, 2, 2, 1, 0, 3} {
		c.HandleFrame(0, 0, withECN(segment(wire.ACK, 1, 2, 100), ecn))
	}
	for i, want := range []uint8{1, 2, 2, 3, 3, 0, 3} {
		_, p, ok := c.PollFrame(s)
		if !ok {
			t.Fatal("a frame is missing")
		}
		if got := ecnOf(t, p); got != want {
			t.Errorf("frame %d arrives with %d, want %d", i, got, want)
		}
		p.Release()
	}
	want(t, "counted", c.Line(0).Stats().Marked, 2)
	marks := 0
	for f, ok := c.PollEvent(); ok; f, ok = c.PollEvent() {
		if f.Kind == Marked {
			marks++
			want(t, "the cause", f.Cause, 7)
		}
	}
	want(t, "told", marks, 2)
	want(t, "settings", c.Line(0).Settings().Mark, 2)
	if c.Line(0).SetMarking(-1, 0) == nil {
		t.Error("-1 is accepted")
	}
}

func TestARuleMarksCertainFrames(t *testing.T) {
	c := NewCable(nil, nil)
	_, err := c.Line(0).AddRule(Rule{Action: Mark, Nth: 2}, 0)
	must(t, err)
	for _, want := range []uint8{2, 3, 2} {
		c.HandleFrame(0, 0, withECN(segment(wire.ACK, 1, 2, 10), 2))
		_, p, _ := c.PollFrame(0)
		if got := ecnOf(t, p); got != want {
			t.Errorf("it arrives with %d, want %d", got, want)
		}
		p.Release()
	}
}

func TestWhatIsNoPacketIsNotMarked(t *testing.T) {
	short := pkt.New()
	short.SetBody(pkt.CopyView(make([]byte, 60)))
	arp := withECN(segment(0, 1, 2, 0), 1)
	arp.Head()[12], arp.Head()[13] = 0x08, 0x06
	bad := withECN(segment(0, 1, 2, 0), 1)
	bad.FlipBit(200)
	for i, p := range []*pkt.Packet{short, arp, bad, withECN(segment(0, 1, 2, 0), 0)} {
		if markCE(p) {
			t.Errorf("number %d is marked", i)
		}
		p.Release()
	}
}

func TestIPv6AndTaggedFramesAreMarked(t *testing.T) {
	p := taggedFrame(mac(2), mac(1), 5, 18, 1)
	h := wire.IPv6{TrafficClass: 2, HopLimit: 64, NextHeader: wire.ProtocolTCP}
	b := make([]byte, 18+wire.IPv6HeaderLen)
	copy(b, p.Head())
	b[16], b[17] = 0x86, 0xdd
	h.AppendTo(b[:18])
	p.Release()
	v6 := pkt.FromBytes(b, len(b))
	if !markCE(v6) {
		t.Fatal("it is not marked")
	}
	got, _, err := wire.ParseIPv6(v6.Head()[18:])
	must(t, err)
	want(t, "the ECN field", got.ECN(), 3)
	v6.Release()
}
