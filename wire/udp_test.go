package wire_test

import (
	"testing"

	"hubbub/wire"
)

func TestUDP(t *testing.T) {
	const header = "c000 0035 000b beef"
	input := append(fromHex(header), "abcPADDING"...)
	expected := wire.UDP{SrcPort: 49152, DstPort: 53, Length: 11, Checksum: 0xbeef}

	h, rest, err := wire.ParseUDPHeader(input)
	want(t, "error", err, nil)
	want(t, "header", h, expected)
	want(t, "rest", string(rest), "abcPADDING")
	wantBytes(t, "written", h.AppendTo(nil), header)

	h, payload, err := wire.ParseUDP(input)
	want(t, "error", err, nil)
	want(t, "header", h, expected)
	want(t, "payload", string(payload), "abc")
	want(t, "capacity", cap(payload), 3)
}

func TestUDPHeaderAlone(t *testing.T) {
	h, rest, err := wire.ParseUDPHeader(fromHex("c000 0035 ffff 0000"))
	want(t, "error", err, nil)
	want(t, "length", h.Length, 65535)
	want(t, "rest", len(rest), 0)
}

func TestUDPWithoutPayload(t *testing.T) {
	h, payload, err := wire.ParseUDP(fromHex("c000 0035 0008 0000 ffff"))
	want(t, "error", err, nil)
	want(t, "length", h.Length, 8)
	want(t, "payload", len(payload), 0)
}

func TestUDPRefuses(t *testing.T) {
	wantRefused(t, "c000 0035 0008 00", "UDP", wire.ErrShort, wire.ParseUDPHeader)
	wantRefused(t, "c000 0035 0007 0000", "UDP", wire.ErrLength, wire.ParseUDPHeader)
	wantRefused(t, "c000 0035 0000 0000", "UDP", wire.ErrLength, wire.ParseUDP)
	wantRefused(t, "c000 0035 0009 0000", "UDP", wire.ErrShort, wire.ParseUDP)
}

func FuzzUDP(f *testing.F) {
	f.Add(fromHex("c000 0035 000b beef 616263"))
	f.Add(fromHex("c000 0035 0007 beef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, rest, err := wire.ParseUDPHeader(b)
		if err != nil {
			return
		}
		if got := append(h.AppendTo(nil), rest...); string(got) != string(b) {
			t.Fatalf("% x\nis written as\n% x", b, got)
		}
		if _, payload, err := wire.ParseUDP(b); err == nil && len(payload)+wire.UDPHeaderLen != h.Length {
			t.Fatalf("a payload of %d octets, with %+v", len(payload), h)
		}
	})
}
