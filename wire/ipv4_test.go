package wire_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"hubbub/wire"
)

func TestIPv4(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		header      wire.IPv4
	}{
		{
			"UDP", "4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7",
			wire.IPv4{
				TotalLen: 115, DF: true, TTL: 64, Protocol: wire.ProtocolUDP, Checksum: 0xb861, Options: []byte{},
				Src: netip.MustParseAddr("192.168.0.1"), Dst: netip.MustParseAddr("192.168.0.199"),
			},
		},
		{
			"a fragment", "45b9 0024 abcd 20b9 0106 7e70 ac100a0a ac100bfa",
			wire.IPv4{
				TOS: 0xb9, TotalLen: 36, ID: 0xabcd, MF: true, FragOffset: 1480, TTL: 1,
				Protocol: wire.ProtocolTCP, Checksum: 0x7e70, Src: ip1, Dst: ip2, Options: []byte{},
			},
		},
		{
			"router alert", "4600 0018 0001 0000 ff01 b8ba ac100a0a ac100bfa 94040000",
			wire.IPv4{
				TotalLen: 24, ID: 1, TTL: 255, Protocol: wire.ProtocolICMP, Checksum: 0xb8ba,
				Src: ip1, Dst: ip2, Options: []byte{0x94, 4, 0, 0},
			},
		},
	} {
		h, rest, err := wire.ParseIPv4Header(append(fromHex(c.bytes), "part"...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !reflect.DeepEqual(h, c.header) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, h, c.header)
		}
		want(t, c.name+": rest", string(rest), "part")
		want(t, c.name+": header length", h.HeaderLen(), len(fromHex(c.bytes)))
		wantBytes(t, c.name+" written", h.AppendTo(nil), c.bytes)
	}
}

func TestIPv4Fields(t *testing.T) {
	h := wire.IPv4{TOS: 0xb9}
	want(t, "DSCP", h.DSCP(), 46)
	want(t, "ECN", h.ECN(), 1)
	want(t, "whole", h.IsFragment(), false)
	want(t, "first fragment", (&wire.IPv4{MF: true}).IsFragment(), true)
	want(t, "last fragment", (&wire.IPv4{FragOffset: 8}).IsFragment(), true)
}

func TestIPv4TrimsPadding(t *testing.T) {
	packet := fromHex("4500 0017 0000 4000 4011 b8bd c0a80001 c0a800c7")
	frame := append(append(packet, "abc"...), make([]byte, 23)...)
	_, payload, err := wire.ParseIPv4(frame)
	want(t, "error", err, nil)
	want(t, "payload", string(payload), "abc")
	want(t, "capacity", cap(payload), 3)
	_, rest, err := wire.ParseIPv4Header(frame)
	want(t, "error", err, nil)
	want(t, "rest of the header's parser", len(rest), 26)
}

func TestIPv4Refuses(t *testing.T) {
	header, whole := wire.ParseIPv4Header, wire.ParseIPv4
	const addresses = " 4011 b861 c0a80001 c0a800c7"
	wantRefused(t, "4500 0073 0000 4000 4011 b861 c0a80001 c0a800", "IPv4", wire.ErrShort, header)
	wantRefused(t, "6500 0073 0000 4000"+addresses, "version 4", wire.ErrVersion, header)
	wantRefused(t, "4400 0073 0000 4000"+addresses, "IPv4", wire.ErrLength, header)
	wantRefused(t, "4600 0073 0000 4000"+addresses, "IPv4", wire.ErrShort, header)
	wantRefused(t, "4500 0013 0000 4000"+addresses, "IPv4", wire.ErrLength, header)
	wantRefused(t, "4500 0073 0000 4000"+addresses, "IPv4", wire.ErrShort, whole)
	wantRefused(t, "6500 0073 0000 4000"+addresses, "version 4", wire.ErrVersion, whole)
}

// RFC 1122, 3.2.1.2: a host MUST verify the IP header checksum on every
// received datagram and silently discard every datagram that has a bad
// checksum.
func TestIPv4ChecksumNoticesEveryBit(t *testing.T) {
	b := fromHex("4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7")
	for bit := range len(b) * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		if _, _, err := wire.ParseIPv4Header(b); err == nil {
			t.Errorf("bit %d is wrong, and the header is accepted", bit)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	b[11]++
	wantRefused(t, fmt.Sprintf("%x", b), "IPv4", wire.ErrChecksum, wire.ParseIPv4Header)
}

// RFC 1812, 4.3.2.3: the router is not required to undo any modifications to
// the IP header that are normally performed in forwarding.
func TestIPv4QuoteMayBeChanged(t *testing.T) {
	b := fromHex("4500 0073 0000 4000 0011 b861 c0a80001 c0a800c7 0035 c000 005f 0000")
	h, rest, err := wire.ParseIPv4Quote(b)
	want(t, "error", err, nil)
	want(t, "time to live", h.TTL, 0)
	want(t, "source", h.Src.String(), "192.168.0.1")
	want(t, "what follows", len(rest), 8)
	wantRefused(t, "6500 0073 0000 4000 4011 b861 c0a80001 c0a800c7", "version 4", wire.ErrVersion, wire.ParseIPv4Quote)
}

func TestIPv4OptionsArePaddedAndCut(t *testing.T) {
	h := wire.IPv4{TotalLen: 28, TTL: 1, Src: ip1, Dst: ip2, Options: fromHex("9404 0000 01")}
	b := h.AppendTo(nil)
	want(t, "length", h.HeaderLen(), 28)
	wantBytes(t, "padded options", b[20:], "94040000 01000000")
	_, _, err := wire.ParseIPv4Header(b)
	want(t, "error", err, nil)

	h.Options, h.TotalLen = make([]byte, 44), 60
	b = h.AppendTo(nil)
	want(t, "length of too many", h.HeaderLen(), wire.MaxIPv4HeaderLen)
	want(t, "length written", len(b), wire.MaxIPv4HeaderLen)
	_, _, err = wire.ParseIPv4Header(b)
	want(t, "error", err, nil)
}

func TestIPv4AppendKeepsWhatIsThere(t *testing.T) {
	h := wire.IPv4{TotalLen: 20, TTL: 1, Src: ip1, Dst: ip2}
	b := h.AppendTo([]byte("odd"))
	want(t, "front", string(b[:3]), "odd")
	_, _, err := wire.ParseIPv4Header(b[3:])
	want(t, "error", err, nil)
}

func TestProtocols(t *testing.T) {
	for p, name := range map[wire.Protocol]string{
		wire.ProtocolICMP: "ICMP", wire.ProtocolTCP: "TCP", wire.ProtocolUDP: "UDP",
		wire.ProtocolICMPv6: "ICMPv6", 89: "protocol 89",
	} {
		want(t, name, p.String(), name)
	}
}

// TestDecrementTTL: for every time to live and many headers, the checksum that
// is brought up to date is the one that computing it anew gives.
func TestDecrementTTL(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for ttl := 1; ttl <= 255; ttl++ {
		for range 100 {
			h := wire.IPv4{
				TOS: uint8(rnd.Uint32()), TotalLen: 20 + rnd.IntN(65000), ID: uint16(rnd.Uint32()),
				TTL: uint8(ttl), Protocol: wire.Protocol(rnd.Uint32()),
				Src: randomIPv4(rnd), Dst: randomIPv4(rnd),
			}
			b := h.AppendTo(nil)
			wire.DecrementTTL(b)
			h.TTL--
			if anew := h.AppendTo(nil); string(b) != string(anew) {
				t.Fatalf("time to live %d:\n got % x\nwant % x", ttl, b, anew)
			}
		}
	}
}

func randomIPv4(rnd *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, rnd.Uint32())))
}

// mendIPv4 makes a header of fuzzed bytes acceptable: version, checksum, and
// the bit that must be zero.
func mendIPv4(b []byte) {
	if len(b) < 20 {
		return
	}
	b[0] = 4<<4 | b[0]&15
	b[6] &= 0x7f
	n := int(b[0]&15) * 4
	if n < 20 || n > len(b) {
		return
	}
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], slowSum(b[:n]))
}

func FuzzIPv4(f *testing.F) {
	f.Add(fromHex("4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7"), false)
	f.Add(fromHex("4600 0018 0001 0000 ff01 b8ba ac100a0a ac100bfa 94040000"), true)
	f.Add(fromHex("4f00 003c 0001 0000 ff01 0000 ac100a0a ac100bfa 072704")[:23], true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend {
			b = bytes.Clone(b)
			mendIPv4(b)
		}
		h, rest, err := wire.ParseIPv4Header(b)
		quoted, _, quoteErr := wire.ParseIPv4Quote(b)
		if err != nil {
			return
		}
		if quoteErr != nil || !reflect.DeepEqual(h, quoted) {
			t.Fatalf("% x: as a quote %+v, %v", b, quoted, quoteErr)
		}
		written := h.AppendTo(nil)
		if mend && string(append(written, rest...)) != string(b) {
			t.Fatalf("% x\nis written as\n% x", b, written)
		}
		again, _, err := wire.ParseIPv4Header(written)
		again.Checksum = h.Checksum // 0xffff may stand for zero
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Fatalf("%+v\nreads back as\n%+v, %v", h, again, err)
		}
		if _, payload, err := wire.ParseIPv4(b); err == nil && len(payload) != h.TotalLen-h.HeaderLen() {
			t.Fatalf("a payload of %d octets, with %+v", len(payload), h)
		}
	})
}
