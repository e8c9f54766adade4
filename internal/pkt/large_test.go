package pkt

import (
	"bytes"
	"net/netip"
	"slices"
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
	p.DeferChecksum(0, 16, wire.PseudoHeader(from, to, wire.ProtocolTCP, p.Len()))
	kind := wire.EtherTypeIPv4
	if from.Is4() {
		ip := wire.IPv4{TotalLen: int(LengthField(20 + p.Len())), ID: 0xffff, TTL: 64, DF: true, Protocol: wire.ProtocolTCP, Src: from, Dst: to}
		ip.AppendTo(p.Prepend(20)[:0])
	} else {
		kind = wire.EtherTypeIPv6
		ip := wire.IPv6{PayloadLen: int(LengthField(p.Len())), HopLimit: 64, NextHeader: wire.ProtocolTCP, Src: from, Dst: to}
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
		{"10.0.0.1", "10.0.0.2", MaxView, 1448, 46},
		{"fd00::1", "fd00::2", MaxView, 1428, 46},
	} {
		p := large(x.src, x.dst, x.n, x.size)
		if n, octets, longest := p.Frames(); n != x.frames || octets != x.frames*(p.Len()-x.n)+x.n || longest != p.Len()-x.n+x.size {
			t.Errorf("%v: %d frames, %d octets, the longest has %d", x, n, octets, longest)
		}
		var text []byte
		for i, q := range parts(p) {
			if q.Large() {
				t.Fatalf("%v: frame %d is large", x, i)
			}
			text = append(text, payloadOf(t, q.AppendTo(nil), i, i == x.frames-1)...)
			q.Release()
		}
		if !bytes.Equal(text, fill(x.n, 1)) {
			t.Errorf("%v: the payload is another", x)
		}
	}
}

// Where nobody expects a packet that is longer than its header can tell, there are two, which stand for the
// same frames.
func TestAGiantBecomesTwo(t *testing.T) {
	for _, x := range []struct {
		src, dst string
		n, size  int
		want     []int // octets of each
	}{
		{"10.0.0.1", "10.0.0.2", MaxView, 1448, []int{65160, 376}},
		{"fd00::1", "fd00::2", MaxView, 1428, []int{64260, 1276}},
		{"10.0.0.1", "10.0.0.2", MaxView, 30000, []int{60000, 5536}},
		{"10.0.0.1", "10.0.0.2", wire.MaxIPv4Len - 52, 1448, []int{wire.MaxIPv4Len - 52}}, // it is none
		{"10.0.0.1", "10.0.0.2", wire.MaxIPv4Len - 51, 1448, []int{65160, 324}},
	} {
		if giant := large(x.src, x.dst, x.n, x.size).Giant(); giant != (len(x.want) > 1) {
			t.Errorf("%v: a giant: %v", x, giant)
		}
		var got []int
		var frames [][]byte
		for p := range large(x.src, x.dst, x.n, x.size).NoGiants() {
			if got = append(got, p.Body().Len()); p.Giant() || p.Large() != (p.Body().Len() > x.size) {
				t.Errorf("%v: part %d: giant %v, large %v", x, len(got), p.Giant(), p.Large())
			}
			for q := range p.Parts() {
				frames = append(frames, q.AppendTo(nil))
				q.Release()
			}
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%v: parts of %v octets", x, got)
		}
		for i, q := range parts(large(x.src, x.dst, x.n, x.size)) {
			if i >= len(frames) || !bytes.Equal(frames[i], q.AppendTo(nil)) {
				t.Fatalf("%v: frame %d of %d is another", x, i, len(frames))
			}
		}
	}
}

// parts returns what a large packet stands for.
func parts(p *Packet) []*Packet { return slices.Collect(p.Parts()) }

// Who wants no more of the parts has taken them all over nevertheless.
func TestPartsThatNobodyTakesAreReleased(t *testing.T) {
	p := large("10.0.0.1", "10.0.0.2", 4344, 1448)
	storage := p.Body()
	for q := range p.Parts() {
		q.Release()
		storage.Retain()
		break
	}
	if storage.References() != 1 {
		t.Errorf("%d references remain, 1 is the test's", storage.References())
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

// What a large packet was cut into is joined to what it was.
func TestFramesAreJoinedToTheLargePacketThatTheyWere(t *testing.T) {
	for _, x := range []struct {
		src, dst string
		n, size  int
	}{
		{"10.0.0.1", "10.0.0.2", 4344, 1448},
		{"10.0.0.1", "10.0.0.2", 4345, 1448},
		{"fd00::1", "fd00::2", 4000, 1220},
		{"10.0.0.1", "10.0.0.2", MaxView, 1448},
		{"fd00::1", "fd00::2", MaxView, 1428},
	} {
		whole, p := large(x.src, x.dst, x.n, x.size), large(x.src, x.dst, x.n, x.size)
		all := parts(p)
		joined := all[0]
		for _, q := range all[1:] {
			if !joined.Joinable() {
				t.Fatalf("%v: after %d octets no more can be joined", x, joined.Body().Len())
			}
			if !joined.Join(q) {
				t.Fatalf("%v: not joined after %d octets", x, joined.Body().Len())
			}
		}
		joined.EndJoin()
		if joined.SegmentSize() != x.size || joined.Joinable() {
			t.Errorf("%v: joined to segments of %d octets, and more can be joined: %v", x, joined.SegmentSize(), joined.Joinable())
		}
		if !bytes.Equal(joined.AppendTo(nil), whole.AppendTo(nil)) {
			t.Errorf("%v: joined to\n%x\nwant\n%x", x, joined.AppendTo(nil), whole.AppendTo(nil))
		}
		if joined.Body().References() != 1 {
			t.Errorf("%v: %d references to the storage remain", x, joined.Body().References())
		}
		joined.Release()
		whole.Release()
	}
}

// Frames that differ in anything but what cutting makes different stay apart.
func TestFramesOfDifferentSegmentsStayApart(t *testing.T) {
	const eth, ip, tcp = 0, 14, 34 // where the headers are
	for name, change := range map[string]func(first, second *Packet){
		"destination": func(_, q *Packet) { q.Head()[eth+5]++ },
		"TOS":         func(_, q *Packet) { q.Head()[ip+1]++ },
		"fragment":    func(_, q *Packet) { q.Head()[ip+6] = 0 },
		"TTL":         func(_, q *Packet) { q.Head()[ip+8]-- },
		"address":     func(_, q *Packet) { q.Head()[ip+19]++ },
		"port":        func(_, q *Packet) { q.Head()[tcp+3]++ },
		"sequence":    func(_, q *Packet) { q.Head()[tcp+7]++ },
		"acknowledged": func(_, q *Packet) {
			q.Head()[tcp+11]++
		},
		"window":         func(_, q *Packet) { q.Head()[tcp+15]++ },
		"timestamp":      func(_, q *Packet) { q.Head()[tcp+27]++ },
		"ECE":            func(_, q *Packet) { q.setFlags(q.flags() | wire.ECE) },
		"CWR":            func(_, q *Packet) { q.setFlags(q.flags() | wire.CWR) },
		"PSH before":     func(p, _ *Packet) { p.setFlags(p.flags() | wire.PSH) },
		"padding":        func(_, q *Packet) { q.Pad(2000) },
		"looked at":      func(_, q *Packet) { q.AppendTo(nil) },
		"other storage":  func(_, q *Packet) { q.SetBody(CopyView(q.Body().Bytes())) },
		"longer":         func(p, _ *Packet) { p.size = 1 },
		"short one":      func(p, _ *Packet) { p.size = 1000 },
		"itself large":   func(_, q *Packet) { q.MakeLarge(100) },
		"other protocol": func(p, q *Packet) { q.sumFrom++ },
	} {
		all := parts(large("10.0.0.1", "10.0.0.2", 4344, 1448))
		change(all[0], all[1])
		if all[0].Join(all[1]) {
			t.Errorf("%s: joined", name)
		}
	}
}

// Every single octet of the headers counts, but the IP header's length, identification and
// checksum.
func TestEveryOctetOfTheHeadersCounts(t *testing.T) {
	for _, x := range []struct {
		src, dst string
		may      []int
	}{
		{"10.0.0.1", "10.0.0.2", []int{16, 17, 18, 19, 24, 25}},
		{"fd00::1", "fd00::2", []int{18, 19}},
	} {
		n := len(large(x.src, x.dst, 4344, 1448).Head())
		for i := range n {
			all := parts(large(x.src, x.dst, 4344, 1448))
			all[1].Head()[i] ^= 0x80
			if joined := all[0].Join(all[1]); joined != slices.Contains(x.may, i) {
				t.Errorf("%s, octet %d of %d is another: joined %v", x.src, i, n, joined)
			}
		}
	}
}

// Only text that is to be continued is worth waiting for.
func TestWhatIsNotContinuedIsNotJoinable(t *testing.T) {
	for name, change := range map[string]func(p *Packet){
		"the end":   func(p *Packet) { p.setFlags(wire.ACK | wire.PSH) },
		"no text":   func(p *Packet) { p.SetBody(View{}) },
		"looked at": func(p *Packet) { p.AppendTo(nil) },
		"UDP":       func(p *Packet) { p.ipHeader()[ipv4Protocol] = byte(wire.ProtocolUDP) },
		"options":   func(p *Packet) { p.ipHeader()[0]++ },
		"padding":   func(p *Packet) { p.Pad(2000) },
		"SYN":       func(p *Packet) { p.setFlags(wire.SYN | wire.ACK) },
	} {
		first := parts(large("10.0.0.1", "10.0.0.2", 4344, 1448))[0]
		if !first.Joinable() {
			t.Fatal("the first frame of several isn't joinable")
		}
		change(first)
		if first.Joinable() {
			t.Errorf("%s: joinable", name)
		}
	}
}

// BenchmarkCutAndJoin cuts a large packet into its frames and joins them again:
// what a frame costs by itself.
func BenchmarkCutAndJoin(b *testing.B) {
	for _, hosts := range [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}} {
		b.Run(hosts[0], func(b *testing.B) {
			const frames = 44
			p := large(hosts[0], hosts[1], frames*1448, 1448)
			p.setFlags(wire.ACK | wire.PSH)
			for b.Loop() {
				var whole *Packet
				for q := range p.Parts() {
					if whole == nil {
						whole = q
					} else if !whole.Join(q) {
						b.Fatal("a frame doesn't continue the others")
					}
				}
				whole.EndJoin()
				p = whole
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*frames), "ns/frame")
		})
	}
}
