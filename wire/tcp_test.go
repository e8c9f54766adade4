package wire_test

import (
	"testing"

	"hubbub/wire"
)

func TestTCP(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		header      wire.TCP
	}{
		{
			"acknowledgment", "c000 1f90 01020304 a1a2a3a4 5010 01f6 beef 0000",
			wire.TCP{
				SrcPort: 49152, DstPort: 8080, Seq: 0x01020304, Ack: 0xa1a2a3a4, DataOffset: 20,
				Flags: wire.ACK, Window: 502, Checksum: 0xbeef,
			},
		},
		{
			"every flag", "0001 0002 00000000 00000000 51ff 0000 0000 0007",
			wire.TCP{
				SrcPort: 1, DstPort: 2, DataOffset: 20, Urgent: 7,
				Flags: wire.FIN | wire.SYN | wire.RST | wire.PSH | wire.ACK | wire.URG | wire.ECE | wire.CWR | wire.AE,
			},
		},
		{
			"SYN", "0001 0002 00000000 00000000 6002 ffff 0000 0000 020405b4",
			wire.TCP{
				SrcPort: 1, DstPort: 2, DataOffset: 24, Flags: wire.SYN, Window: 65535,
				Options: wire.TCPOptions{MSS: 1460},
			},
		},
	} {
		h, rest, err := wire.ParseTCPHeader(append(fromHex(c.bytes), "data"...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want(t, c.name, h, c.header)
		want(t, c.name+": rest", string(rest), "data")
		want(t, c.name+": length", h.HeaderLen(), len(fromHex(c.bytes)))
		wantBytes(t, c.name+" written", h.AppendTo(nil), c.bytes)
	}
}

func TestTCPHeaderLenCountsWhatWasSkipped(t *testing.T) {
	h, rest, err := wire.ParseTCPHeader(fromHex("0001 0002 00000000 00000000 7010 0000 0000 0000 fd08 01020304 0506 64"))
	want(t, "error", err, nil)
	want(t, "rest", string(rest), "d")
	want(t, "options", h.Options, wire.TCPOptions{})
	want(t, "length as read", h.HeaderLen(), 28)
	want(t, "length written", len(h.AppendTo(nil)), 20)
	h.DataOffset = 0
	want(t, "length to be written", h.HeaderLen(), 20)
}

// RFC 9293, 3.1: a set of control bits reserved for future use must be zero in
// generated segments and must be ignored in received segments.
func TestTCPReservedBits(t *testing.T) {
	h, _, err := wire.ParseTCPHeader(fromHex("0001 0002 00000000 00000000 5e10 0000 0000 0000"))
	want(t, "error", err, nil)
	want(t, "flags", h.Flags, wire.ACK)
	h.Flags = 0xfe10
	wantBytes(t, "written", h.AppendTo(nil)[12:14], "5010")
}

func TestTCPRefuses(t *testing.T) {
	const front, back = "0001 0002 00000000 00000000", "10 0000 0000 0000"
	wantRefused(t, front+"5010 0000 0000 00", "TCP", wire.ErrShort, wire.ParseTCPHeader)
	wantRefused(t, front+"40"+back, "TCP", wire.ErrLength, wire.ParseTCPHeader)
	wantRefused(t, front+"00"+back, "TCP", wire.ErrLength, wire.ParseTCPHeader)
	wantRefused(t, front+"60"+back+"010101", "TCP", wire.ErrShort, wire.ParseTCPHeader)
}

func TestTCPFlags(t *testing.T) {
	f := wire.SYN | wire.ACK
	want(t, "SYN", f.Has(wire.SYN), true)
	want(t, "SYN and ACK", f.Has(wire.SYN|wire.ACK), true)
	want(t, "SYN and FIN", f.Has(wire.SYN|wire.FIN), false)
	for f, text := range map[wire.TCPFlags]string{
		0: "none", wire.SYN: "SYN", wire.SYN | wire.ACK: "SYN|ACK", wire.FIN | wire.PSH | wire.ACK: "FIN|PSH|ACK",
		wire.AE | wire.CWR | wire.ECE: "ECE|CWR|AE", wire.RST | 0x200: "RST", 0x200: "none",
	} {
		want(t, "name", f.String(), text)
	}
}

func FuzzTCP(f *testing.F) {
	_, _, _, _, tcp, _ := samples()
	f.Add(tcp)
	f.Add(fromHex("0001 0002 00000000 00000000 a002 ffff 0000 0000 020405b4 0402080a 00000001 00000000 01030307"))
	f.Add(fromHex("0001 0002 00000000 00000000 f010 ffff 0000 0000 0204ffff 0402 0522" +
		"00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, rest, err := wire.ParseTCPHeader(b)
		if err != nil {
			return
		}
		if h.HeaderLen()+len(rest) != len(b) {
			t.Fatalf("a header of %d and a rest of %d octets from %d", h.HeaderLen(), len(rest), len(b))
		}
		if h.Options != wire.ParseTCPOptions(b[wire.TCPHeaderLen:h.HeaderLen()]) {
			t.Fatalf("options %+v", h.Options)
		}
		written := h.AppendTo(nil)
		again, none, err := wire.ParseTCPHeader(written)
		if err != nil || len(none) != 0 {
			t.Fatalf("% x\nreads back with a rest of % x, %v", written, none, err)
		}
		if string(again.AppendTo(nil)) != string(written) {
			t.Fatalf("% x\nis written again as\n% x", written, again.AppendTo(nil))
		}
		// What differs: skipped options are gone, and SACK blocks that have no
		// room beside aligned options.
		again.DataOffset = h.DataOffset
		for i := again.Options.NumSACK; i < h.Options.NumSACK; i++ {
			h.Options.SACK[i] = wire.SACKBlock{}
		}
		h.Options.NumSACK = again.Options.NumSACK
		if again != h {
			t.Fatalf("%+v\nreads back as\n%+v", h, again)
		}
	})
}
