package pkt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"hubbub/wire"
)

// outside is a packet's way through something that leaves checksums and cutting to the
// other end: a header, and the octets.
func outside(p *Packet, headLen int) (header []byte, q *Packet) {
	header = make([]byte, VirtioHeaderLen)
	p.PutVirtio(header)
	frame := slices.Concat(p.Head(), p.Body().Bytes())
	return header, FromBytes(frame, headLen)
}

// What goes outside as it is, and comes in again, is cut into the same frames.
func TestASegmentIsTheSameAfterItWasOutside(t *testing.T) {
	for _, hosts := range [][2]string{{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}} {
		for _, n := range []int{10000, 1449, 1448, 1} {
			p, same := large(hosts[0], hosts[1], n, 1448), large(hosts[0], hosts[1], n, 1448)
			header, q := outside(p, len(p.Head()))
			if err := q.TakeVirtio(header); err != nil {
				t.Fatalf("%s, %d octets: %v", hosts[0], n, err)
			}
			var got, want [][]byte
			for part := range q.Parts() {
				got = append(got, part.AppendTo(nil))
			}
			for part := range same.Parts() {
				want = append(want, part.AppendTo(nil))
			}
			if !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("%s, %d octets: %d frames\n%x\nwant %d\n%x", hosts[0], n, len(got), got, len(want), want)
			}
		}
	}
}

// The header says what linux/virtio_net.h has it say.
func TestTheVirtioHeaderOfASegment(t *testing.T) {
	for _, x := range []struct {
		src, dst string
		want     []byte
	}{
		// flags, kind with ECN, length of the headers, size, where the checksum begins
		// and where from there it is
		{"10.0.0.1", "10.0.0.2", []byte{1, 0x81, 66, 0, 0xa8, 5, 34, 0, 16, 0}},
		{"fd00::1", "fd00::2", []byte{1, 0x84, 86, 0, 0xa8, 5, 54, 0, 16, 0}},
	} {
		p := large(x.src, x.dst, 5000, 1448)
		header, _ := outside(p, len(p.Head()))
		if !bytes.Equal(header, x.want) {
			t.Errorf("%s: % x, want % x", x.src, header, x.want)
		}
	}
}

// A frame whose checksum was computed needs nothing.
func TestTheVirtioHeaderOfAWholeFrame(t *testing.T) {
	p := large("10.0.0.1", "10.0.0.2", 500, 1448)
	p.MakeLarge(0)
	p.AppendTo(nil)
	header, q := outside(p, 60)
	if want := []byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(header, want) {
		t.Errorf("% x, want % x: the checksum was computed by this machine", header, want)
	}
	if err := q.TakeVirtio(header); err != nil || !q.Vouched() {
		t.Errorf("%v; vouched for: %v", err, q.Vouched())
	}
	if q.TakeVirtio(make([]byte, VirtioHeaderLen)); q.Vouched() {
		t.Error("a frame that came from somewhere else is vouched for")
	}
}

// udpFrame is a UDP datagram whose checksum is left to be computed.
func udpFrame(payload []byte) (frame, header []byte) {
	frame = make([]byte, 14+20, 200)
	frame[12], frame[13] = 8, 0
	ip := wire.IPv4{TotalLen: 28 + len(payload), TTL: 64, Protocol: wire.ProtocolUDP, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")}
	ip.Put(frame[14:34])
	udp := wire.UDP{SrcPort: 1, DstPort: 2, Length: 8 + len(payload)}
	frame = append(udp.AppendTo(frame), payload...)
	pseudo := ^wire.PseudoHeader(ip.Src, ip.Dst, wire.ProtocolUDP, udp.Length).Fold()
	binary.BigEndian.PutUint16(frame[34+6:], pseudo)
	return frame, []byte{1, 0, 0, 0, 0, 0, 34, 0, 6, 0}
}

// The checksum of a datagram is computed at once, wherever its octets lie; one of zero is
// sent as all ones (RFC 768).
func TestADatagramsChecksumIsComputed(t *testing.T) {
	for _, payload := range [][]byte{{}, []byte("hello"), {0xeb, 0xd7 - 1}} {
		for _, head := range []int{42, 34, 14} {
			frame, header := udpFrame(payload)
			p := FromBytes(frame, head)
			if err := p.TakeVirtio(header); err != nil {
				t.Fatal(err)
			}
			got := p.AppendTo(nil)
			sum := wire.PseudoHeader(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), wire.ProtocolUDP, 8+len(payload)).Add(got[34:]).Fold()
			if sum != 0 || binary.BigEndian.Uint16(got[40:]) == 0 || !p.Vouched() {
				t.Errorf("% x with %d octets in the head: the checksum is %x, and sums up to %x", payload, head, got[40:42], sum)
			}
		}
	}
}

// What can't be right is refused, whatever the header says.
func TestHeadersThatDontSuitTheirFrames(t *testing.T) {
	segment := func(change func(header, frame []byte)) error {
		p := large("10.0.0.1", "10.0.0.2", 5000, 1448)
		header := make([]byte, VirtioHeaderLen)
		p.PutVirtio(header)
		frame := slices.Concat(p.Head(), p.Body().Bytes())
		change(header, frame)
		return FromBytes(frame, 66).TakeVirtio(header)
	}
	for name, x := range map[string]struct {
		change func(header, frame []byte)
		want   error
	}{
		"as it is":                   {func(_, _ []byte) {}, nil},
		"a checksum far outside":     {func(h, _ []byte) { h[7] = 0xff }, ErrVirtioChecksum},
		"a checksum at the very end": {func(h, f []byte) { binary.LittleEndian.PutUint16(h[6:], uint16(len(f)-17)) }, ErrVirtioChecksum},
		"to be cut, without one":     {func(h, _ []byte) { h[0] = 0 }, ErrVirtioSegment},
		"to be cut, of UDP":          {func(h, _ []byte) { h[8] = 6 }, ErrVirtioSegment},
		"parts of one octet":         {func(h, _ []byte) { h[4], h[5] = 1, 0 }, ErrVirtioSegment},
		"no size":                    {func(h, _ []byte) { h[4], h[5] = 0, 0 }, ErrVirtioSegment},
		"another kind":               {func(h, _ []byte) { h[1] = 3 }, ErrVirtioSegment},
		"IPv6's kind":                {func(h, _ []byte) { h[1] = 4 }, ErrVirtioSegment},
		"another protocol":           {func(_, f []byte) { f[14+9] = 17 }, ErrVirtioSegment},
		"another EtherType":          {func(_, f []byte) { f[12] = 9 }, ErrVirtioSegment},
		"options in the IP header":   {func(_, f []byte) { f[14]++ }, ErrVirtioSegment},
		"the checksum elsewhere":     {func(h, _ []byte) { h[6]-- }, ErrVirtioSegment},
	} {
		if err := segment(x.change); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

// A segment with a VLAN tag is cut without it, and gets it back.
func TestATaggedSegment(t *testing.T) {
	p := large("10.0.0.1", "10.0.0.2", 3000, 1448)
	header := make([]byte, VirtioHeaderLen)
	p.PutVirtio(header)
	head := p.Head()
	tag := []byte{0x81, 0, 0, 7}
	frame := slices.Concat(head[:12], tag, head[12:], p.Body().Bytes())
	header[6] += 4
	q := FromBytes(frame, 70)
	if got := q.UntagVirtio(header); !bytes.Equal(got, tag) {
		t.Fatalf("the tag % x, want % x", got, tag)
	}
	if err := q.TakeVirtio(header); err != nil {
		t.Fatal(err)
	}
	same := parts(large("10.0.0.1", "10.0.0.2", 3000, 1448))
	for i, part := range parts(q) {
		part.Tag(tag)
		plain := same[i].AppendTo(nil)
		if got, want := part.AppendTo(nil), slices.Concat(plain[:12], tag, plain[12:]); !bytes.Equal(got, want) {
			t.Errorf("frame %d\n%x\nwant\n%x", i, got, want)
		}
	}
	if tag := FromBytes(frame, 70).UntagVirtio(make([]byte, VirtioHeaderLen)); tag != nil {
		t.Errorf("a frame that isn't to be cut loses its tag % x", tag)
	}
}

// Whatever comes from outside is taken or refused, and nothing else.
func FuzzTakeVirtio(f *testing.F) {
	p := large("10.0.0.1", "10.0.0.2", 3000, 1448)
	header, _ := outside(p, 66)
	f.Add(header, slices.Concat(p.Head(), p.Body().Bytes()), 66)
	frame, header := udpFrame([]byte("x"))
	f.Add(header, frame, 42)
	f.Fuzz(func(t *testing.T, header, frame []byte, head int) {
		if len(header) < VirtioHeaderLen || len(frame) < wire.EthernetHeaderLen || len(frame) > MaxView {
			return
		}
		q := FromBytes(frame, max(0, min(head, HeadRoom-wire.VLANTagLen)))
		tag := q.UntagVirtio(header)
		if q.TakeVirtio(header) != nil {
			return
		}
		n, octets, _ := q.Frames()
		for part := range q.Parts() {
			n, octets = n-1, octets-part.Len()
			if tag != nil {
				part.Tag(tag)
			}
			part.AppendTo(nil)
			part.Release()
		}
		if n != 0 || octets != 0 {
			t.Errorf("%d frames and %d octets are missing", n, octets)
		}
	})
}
