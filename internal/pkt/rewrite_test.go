package pkt

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"hubbub/wire"
)

// RFC 1624, 3: the checksum that was brought up to date is the one that would be
// computed anew; one that is deferred comes out so, too.
func TestRewriteKeepsTheChecksumRight(t *testing.T) {
	src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	const header, port, sum = 20, 20, 26
	for _, deferred := range []bool{false, true} {
		udp := wire.UDP{SrcPort: 1000, DstPort: 9, Length: 13}
		b := udp.AppendTo((&wire.IPv4{TTL: 64, Protocol: wire.ProtocolUDP, Src: src, Dst: dst, TotalLen: 33}).AppendTo(nil))
		b = append(b, "hello"...)
		p := FromBytes(b, 28)
		if deferred {
			p.Strip(header)
			p.DeferChecksum(0, 6, wire.PseudoHeader(src, dst, wire.ProtocolUDP, 13))
			p.Prepend(header)
		} else {
			binary.BigEndian.PutUint16(p.Head()[sum:], wire.UDPChecksum(src, dst, b[20:28], []byte("hello")))
		}
		p.Rewrite(port, 60001, sum, false, true)
		p.Rewrite(12, 0xac10, sum, true, true)
		p.Rewrite(14, 0x0b01, sum, true, true)
		got := p.AppendTo(nil)
		from := netip.MustParseAddr("172.16.11.1")
		if !netip.AddrFrom4([4]byte(got[12:])).Is4() || netip.AddrFrom4([4]byte(got[12:])) != from || binary.BigEndian.Uint16(got[port:]) != 60001 {
			t.Errorf("deferred %v: %x", deferred, got)
		}
		want := binary.BigEndian.Uint16(got[sum:])
		binary.BigEndian.PutUint16(got[sum:], 0)
		if computed := wire.UDPChecksum(from, dst, got[20:28], got[28:]); computed != want {
			t.Errorf("deferred %v: the checksum is %x, want %x", deferred, want, computed)
		}
	}
}

// RFC 768: zero says that there is no checksum; one that comes out as zero is sent as
// all ones.
func TestRewriteOfAChecksumThatMayBeLeftOut(t *testing.T) {
	rewritten := func(sum, value uint16, optional bool) uint16 {
		var b [8]byte
		binary.BigEndian.PutUint16(b[6:], sum)
		p := FromBytes(b[:], 8)
		p.Rewrite(0, value, 6, false, optional)
		return binary.BigEndian.Uint16(p.Head()[6:])
	}
	for _, x := range []struct {
		sum, value uint16
		optional   bool
		want       uint16
	}{{0, 5, true, 0}, {7, 7, true, 0xffff}, {7, 7, false, 0}, {9, 7, true, 2}} {
		if got := rewritten(x.sum, x.value, x.optional); got != x.want {
			t.Errorf("%+v: %x", x, got)
		}
	}
}
