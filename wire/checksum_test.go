package wire_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"hubbub/wire"
)

// slowSum is RFC 1071, 4.1 word by word: what the fast one is compared with.
func slowSum(parts ...[]byte) uint16 {
	sum := uint32(0)
	for _, b := range parts {
		for i, octet := range b {
			if i%2 == 0 {
				sum += uint32(octet) << 8
			} else {
				sum += uint32(octet)
			}
			sum = sum>>16 + sum&0xffff
		}
	}
	return ^uint16(sum)
}

func TestChecksum(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		sum         uint16
	}{
		{"nothing", "", 0xffff},
		{"zeros", "0000 0000", 0xffff},
		{"ones", "ffff", 0},
		{"the example of RFC 1071, 3", "0001 f203 f4f5 f6f7", ^uint16(0xddf2)},
		{"an odd octet", "01", 0xfeff},
		{"an IPv4 header", "4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7", 0xb861},
		{"the same with its checksum", "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7", 0},
	} {
		want(t, c.name, wire.Checksum(fromHex(c.bytes)), c.sum)
	}
}

// TestChecksumOfEveryLength passes each length by every tail of the loops,
// with contents that carry as often as can be.
func TestChecksumOfEveryLength(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		ones, random := make([]byte, n), make([]byte, n)
		for i := range n {
			ones[i], random[i] = 0xff, byte(rnd.Uint32())
		}
		if got, slow := wire.Checksum(ones), slowSum(ones); got != slow {
			t.Errorf("%d octets of ones: %04x, want %04x", n, got, slow)
		}
		if got, slow := wire.Checksum(random), slowSum(random); got != slow {
			t.Errorf("%d random octets: %04x, want %04x", n, got, slow)
		}
	}
}

// TestSumKeepsItsCarry starts from the greatest sum there is.
func TestSumKeepsItsCarry(t *testing.T) {
	for n := 0; n <= 256; n += 2 {
		b := make([]byte, n)
		for i := range b {
			b[i] = 0xff
		}
		// All ones is zero in ones' complement: its complement is zero.
		if got := wire.Sum(1<<64 - 1).Add(b).Fold(); got != 0 {
			t.Errorf("all ones and %d octets of ones: %04x, want 0", n, got)
		}
		// One more is one.
		if got := wire.Sum(1<<64 - 1).Add(b).Add([]byte{0, 1}).Fold(); got != 0xfffe {
			t.Errorf("all ones, %d octets of ones, and one: %04x, want fffe", n, got)
		}
	}
}

func TestChecksumIgnoresAlignment(t *testing.T) {
	buf := make([]byte, 256)
	for i := range buf {
		buf[i] = byte(i * 37)
	}
	for off := range 16 {
		want(t, "a slice at an odd place", wire.Checksum(buf[off:off+150]), slowSum(buf[off:off+150]))
	}
}

func TestPseudoHeader(t *testing.T) {
	v4 := fromHex("ac100a0a ac100bfa 00 06 0014")
	want(t, "IPv4", wire.PseudoHeader(ip1, ip2, wire.ProtocolTCP, 20).Fold(), slowSum(v4))

	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::ffff:1")
	v6 := fromHex("20010db8 00000000 00000000 00000001 fe800000 00000000 00000000 ffff0001 00012345 000000 3a")
	want(t, "IPv6", wire.PseudoHeader(a, b, wire.ProtocolICMPv6, 0x12345).Fold(), slowSum(v6))
}

// TestUDPChecksumIsNeverZero has a datagram whose sum comes out as all ones.
//
// RFC 768: "If the computed checksum is zero, it is transmitted as all ones
// (the equivalent in one's complement arithmetic)."
func TestUDPChecksumIsNeverZero(t *testing.T) {
	header := fromHex("0035 0035 000a 0000")
	payload := make([]byte, 2)
	binary.BigEndian.PutUint16(payload, wire.TransportChecksum(ip1, ip2, wire.ProtocolUDP, header, payload))
	want(t, "the sum", wire.TransportChecksum(ip1, ip2, wire.ProtocolUDP, header, payload), 0)
	want(t, "on the wire", wire.UDPChecksum(ip1, ip2, header, payload), 0xffff)
	wire.PutUDPChecksum(ip1, ip2, header, payload)
	wantBytes(t, "in the header", header, "0035 0035 000a ffff")
	want(t, "verified", wire.TransportChecksum(ip1, ip2, wire.ProtocolUDP, header, payload), 0)
}

func TestPutChecksumReplaces(t *testing.T) {
	payload := []byte("hello") // an odd length, as only the last part may have
	tcp := wire.TCP{SrcPort: 1, DstPort: 2, Checksum: 0xbeef}
	segment := tcp.AppendTo(nil)
	udp := wire.UDP{SrcPort: 1, DstPort: 2, Length: 13, Checksum: 0xbeef}
	datagram := udp.AppendTo(nil)
	wire.PutTCPChecksum(ip1, ip2, segment, payload)
	wire.PutUDPChecksum(ip1, ip2, datagram, payload)
	want(t, "TCP", wire.TransportChecksum(ip1, ip2, wire.ProtocolTCP, segment, payload), 0)
	want(t, "UDP", wire.TransportChecksum(ip1, ip2, wire.ProtocolUDP, datagram, payload), 0)
	payload[0] ^= 0x80
	if wire.TransportChecksum(ip1, ip2, wire.ProtocolTCP, segment, payload) == 0 {
		t.Error("a changed bit goes unnoticed")
	}
}

// TestUpdateChecksum has the example of RFC 1624, 4, for which the older
// formula of RFC 1141 gives 0xffff.
func TestUpdateChecksum(t *testing.T) {
	want(t, "RFC 1624, 4", wire.UpdateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000)
	want(t, "no change", wire.UpdateChecksum(0x1234, 0x5555, 0x5555), 0x1234)
}

// FuzzChecksum cuts input at an even place and compares with the slow sum; then
// it changes a word and brings the checksum up to date.
func FuzzChecksum(f *testing.F) {
	f.Add([]byte{}, uint16(0), uint16(0))
	f.Add([]byte("an odd length"), uint16(3), uint16(0xffff))
	f.Add(make([]byte, 200), uint16(64), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, cut, word uint16) {
		slow := slowSum(b)
		if got := wire.Checksum(b); got != slow {
			t.Fatalf("%04x, want %04x", got, slow)
		}
		at := int(cut) % (len(b)/2 + 1) * 2
		if got := wire.Sum(0).Add(b[:at]).Add(b[at:]).Fold(); got != slow {
			t.Fatalf("in parts, cut at %d: %04x, want %04x", at, got, slow)
		}
		if at+2 > len(b) {
			return
		}
		b = bytes.Clone(b)
		before := binary.BigEndian.Uint16(b[at:])
		binary.BigEndian.PutUint16(b[at:], word)
		// Over zeros alone the sum is zero, which an update can't tell from
		// all ones (RFC 1624, 3): both are right.
		got, slow := wire.UpdateChecksum(slow, before, word), slowSum(b)
		if got != slow && (got != 0 || slow != 0xffff) {
			t.Fatalf("word at %d from %04x to %04x: %04x, want %04x", at, before, word, got, slow)
		}
	})
}
