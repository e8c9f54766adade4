package pkt

import (
	"bytes"
	"net/netip"
	"testing"

	"hubbub/wire"
)

// large returns a large packet of n octets of payload, as a host sends it.
func large(src, dst string, n, size int) *Packet {
	from, to := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	h := wire.TCP{
		SrcPort: 8080, DstPort: 40000, Seq: 0xffff_ff00, Ack: 7, Flags: wire.ACK | wire.PSH | wire.FIN | wire.CWR,
		Options: wire.TCPOptions{Timestamps: true, TSVal: 1, TSEcr: 2},
	}
	p := New()
	h.AppendTo(p.Prepend(h.HeaderLen())[:0])
	p.SetBody(CopyView(fill(n, 1)))
	p.MakeLarge(size)
	p.DeferChecksum(16, wire.PseudoHeader(from, to, wire.ProtocolTCP, p.Len()))
	kind := wire.EtherTypeIPv4
	if from.Is4() {
		ip := wire.IPv4{TotalLen: 20 + p.Len(), ID: 0xffff, TTL: 64, DF: true, Protocol: wire.ProtocolTCP, Src: from, Dst: to}
		ip.AppendTo(p.Prepend(20)[:0])
	} else {
		kind = wire.EtherTypeIPv6
		ip := wire.IPv6{PayloadLen: p.Len(), HopLimit: 64, NextHeader: wire.ProtocolTCP, Src: from, Dst: to}
		ip.AppendTo(p.Prepend(40)[:0])
	}
	eth := wire.Ethernet{Dst: wire.MAC{2, 0, 0, 0, 0, 2}, Src: wire.MAC{2, 0, 0, 0, 0, 1}, Type: kind}
	eth.AppendTo(p.Prepend(wire.EthernetHeaderLen)[:0])
	return p
}

// What a large packet is cut into is what would have been sent without: every
// header is right in itself, the payload is what it was, FIN and PSH are of the
// last segment and CWR of the first.
func TestALargePacketIsCutIntoFrames(t *testing.T) {
	for _, x := range []struct {
		src, dst string
		n, size  int
		frames   int
	}{
		{"10.0.0.1", "10.0.0.2", 4344, 1448, 3},
		{"10.0.0.1", "10.0.0.2", 4345, 1448, 4},
		{"10.0.0.1", "10.0.0.2", 1448, 1448, 1},
		{"10.0.0.1", "10.0.0.2", 65000, 536, 122},
		{"fd00::1", "fd00::2", 4000, 1220, 4},
	} {
		p := large(x.src, x.dst, x.n, x.size)
		if n, octets, longest := p.Frames(); n != x.frames || octets != x.frames*(p.Len()-x.n)+x.n || longest != p.Len()-x.n+x.size {
			t.Errorf("%v: %d frames, %d octets, the longest has %d", x, n, octets, longest)
		}
		var text []byte
		for i, last := 0, false; !last; i++ {
			var q *Packet
			q, last = p.CutOff()
			if last != (i == x.frames-1) || q.Large() {
				t.Fatalf("%v: frame %d is the last: %v", x, i, last)
			}
			text = append(text, payloadOf(t, q.AppendTo(nil), i, last)...)
			q.Release()
		}
		if !bytes.Equal(text, fill(x.n, 1)) {
			t.Errorf("%v: the payload is another", x)
		}
	}
}

// payloadOf checks the headers of the i-th frame, and returns its payload.
func payloadOf(t *testing.T, frame []byte, i int, last bool) []byte {
	t.Helper()
	eth, b, err := wire.ParseEthernet(frame)
	if err != nil {
		t.Fatal(err)
	}
	var src, dst netip.Addr
	if eth.Type == wire.EtherTypeIPv4 {
		ip, rest, err := wire.ParseIPv4(b)
		if err != nil || len(rest)+20 != len(b) || ip.ID != uint16(0xffff+i) {
			t.Fatalf("frame %d: %+v, %v", i, ip, err)
		}
		src, dst, b = ip.Src, ip.Dst, rest
	} else {
		ip, rest, err := wire.ParseIPv6(b)
		if err != nil || len(rest)+40 != len(b) {
			t.Fatalf("frame %d: %+v, %v", i, ip, err)
		}
		src, dst, b = ip.Src, ip.Dst, rest
	}
	h, text, err := wire.ParseTCPHeader(b)
	if err != nil || wire.TransportChecksum(src, dst, wire.ProtocolTCP, b, nil) != 0 && len(b)%2 == 0 {
		t.Fatalf("frame %d: %+v, %v, or its checksum is wrong", i, h, err)
	}
	flags := wire.ACK
	if i == 0 {
		flags |= wire.CWR
	}
	if last {
		flags |= wire.PSH | wire.FIN
	}
	if h.Flags != flags || !h.Options.Timestamps {
		t.Errorf("frame %d: %v, want %v, and timestamps", i, h.Flags, flags)
	}
	return text
}
