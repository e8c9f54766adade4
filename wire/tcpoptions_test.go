package wire_test

import (
	"testing"

	"hubbub/wire"
)

// TestOptionOrder has what a Linux host sends: the same options at the same
// places, so that one can be told from the other by nothing.
func TestOptionOrder(t *testing.T) {
	one := [4]wire.SACKBlock{{Left: 1, Right: 2}}
	four := [4]wire.SACKBlock{{Left: 1, Right: 2}, {Left: 3, Right: 4}, {Left: 5, Right: 6}, {Left: 7, Right: 8}}
	for _, c := range []struct {
		name    string
		options wire.TCPOptions
		bytes   string
	}{
		{"none", wire.TCPOptions{}, ""},
		{
			"SYN",
			wire.TCPOptions{
				MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: 0x01020304, HasWindowScale: true, WindowScale: 7,
			},
			"020405b4 0402 080a 01020304 00000000 01030307",
		},
		{
			"SYN without timestamps",
			wire.TCPOptions{MSS: 1460, SACKPermitted: true, HasWindowScale: true, WindowScale: 7},
			"020405b4 01010402 01030307",
		},
		{
			"SYN without SACK",
			wire.TCPOptions{MSS: 1460, Timestamps: true, TSVal: 1, TSEcr: 2, HasWindowScale: true},
			"020405b4 0101080a 00000001 00000002 01030300",
		},
		{"SYN with MSS alone", wire.TCPOptions{MSS: 536}, "02040218"},
		{"SYN with window scale alone", wire.TCPOptions{HasWindowScale: true, WindowScale: 14}, "0103030e"},
		{
			"SYN that asks for a cookie",
			wire.TCPOptions{
				MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: 1, HasWindowScale: true, WindowScale: 10, FastOpen: true,
			},
			"020405b4 0402 080a 00000001 00000000 0103030a 22020101",
		},
		{"SYN with a cookie", wire.TCPOptions{MSS: 1460, FastOpen: true, Cookie: cookieOf("0011223344556677")}, "020405b4 220a 0011223344556677 0101"},
		{
			"a cookie in the older form",
			wire.TCPOptions{FastOpen: true, Cookie: experimental("0011223344556677")},
			"fe0cf989 0011223344556677",
		},
		{"the request for one", wire.TCPOptions{FastOpen: true, Cookie: wire.FastOpenCookie{Experimental: true}}, "fe04f989"},
		{"a short one", wire.TCPOptions{FastOpen: true, Cookie: experimental("001122334455")}, "fe0af989 001122334455 0101"},
		{"the longest cookie", wire.TCPOptions{FastOpen: true, Cookie: cookieOf("000102030405060708090a0b0c0d")}, "2210 000102030405060708090a0b0c0d"},
		{"data", wire.TCPOptions{Timestamps: true, TSVal: 1, TSEcr: 2}, "0101080a 00000001 00000002"},
		{"SACK", wire.TCPOptions{SACK: one, NumSACK: 1}, "0101050a 00000001 00000002"},
		{
			"SACK beside timestamps",
			wire.TCPOptions{Timestamps: true, SACK: one, NumSACK: 1},
			"0101080a 00000000 00000000 0101050a 00000001 00000002",
		},
		{
			"four blocks",
			wire.TCPOptions{SACK: four, NumSACK: 4},
			"01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008",
		},
		{
			// RFC 2018, 3: SACK will often be used in conjunction with the
			// Timestamp option; thus a maximum of 3 SACK blocks will be
			// allowed in this case.
			"three beside timestamps",
			wire.TCPOptions{Timestamps: true, SACK: four, NumSACK: 4},
			"0101080a 00000000 00000000 0101051a 00000001 00000002 00000003 00000004 00000005 00000006",
		},
		{
			"four beside the MSS",
			wire.TCPOptions{MSS: 1460, SACK: four, NumSACK: 4},
			"020405b4 01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008",
		},
		{
			"three beside MSS and window scale",
			wire.TCPOptions{MSS: 1460, HasWindowScale: true, SACK: four, NumSACK: 4},
			"020405b4 01030300 0101051a 00000001 00000002 00000003 00000004 00000005 00000006",
		},
		{
			"two beside everything",
			wire.TCPOptions{
				MSS: 1460, SACKPermitted: true, Timestamps: true, HasWindowScale: true, SACK: four, NumSACK: 4,
			},
			"020405b4 0402080a 00000000 00000000 01030300 01010512 00000001 00000002 00000003 00000004",
		},
		{
			"a wrong number of blocks",
			wire.TCPOptions{SACK: four, NumSACK: 255},
			"01010522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008",
		},
	} {
		got := c.options.AppendTo(nil)
		wantBytes(t, c.name, got, c.bytes)
		want(t, c.name+": length", c.options.Len(), len(got))
		if len(got) > wire.MaxTCPOptionsLen || len(got)%4 != 0 {
			t.Errorf("%s: %d octets", c.name, len(got))
		}
	}
}

func TestParseTCPOptions(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		options     wire.TCPOptions
	}{
		{"none", "", wire.TCPOptions{}},
		{"end", "00 020405b4", wire.TCPOptions{}},
		{"NOPs", "010101", wire.TCPOptions{}},
		{
			"SYN", "020405b4 0402 080a 01020304 05060708 01 030307",
			wire.TCPOptions{
				MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: 0x01020304, TSEcr: 0x05060708,
				HasWindowScale: true, WindowScale: 7,
			},
		},
		// RFC 9293, 3.2, MUST-64: receivers MUST be prepared to process options
		// even if they do not begin on a word boundary.
		{"at an odd place", "01 020405b4 030302", wire.TCPOptions{MSS: 1460, HasWindowScale: true, WindowScale: 2}},
		// RFC 9293, 3.1, MUST-6: a TCP implementation MUST ignore without error
		// any TCP Option it does not implement, assuming that the option has a
		// length field.
		{"unknown", "fe06 0000 0000 020405b4", wire.TCPOptions{MSS: 1460}},
		{"unknown without data", "1302 020405b4", wire.TCPOptions{MSS: 1460}},
		// RFC 9293, 3.1, MUST-7: TCP implementations MUST be prepared to handle
		// an illegal option length (e.g., zero).
		{"a length of zero", "020405b4 0300 07 0402", wire.TCPOptions{MSS: 1460}},
		{"a length of one", "020405b4 0301 07 0402", wire.TCPOptions{MSS: 1460}},
		{"a length beyond the end", "020405b4 080a 0000", wire.TCPOptions{MSS: 1460}},
		{"no length", "020405b4 02", wire.TCPOptions{MSS: 1460}},
		{"an unknown one with a length of zero", "fe00 020405b4", wire.TCPOptions{}},
		{"lengths of other kinds", "0203 05 0304 0700 0403 00 080b 000000000000000000 0402", wire.TCPOptions{SACKPermitted: true}},
		{"SACK of half a block", "0506 00000001 0402", wire.TCPOptions{SACKPermitted: true}},
		{"SACK of no block", "0502 0402", wire.TCPOptions{SACKPermitted: true}},
		{
			"SACK", "0512 00000001 00000002 fffffffe 00000003",
			wire.TCPOptions{SACK: [4]wire.SACKBlock{{1, 2}, {0xfffffffe, 3}}, NumSACK: 2},
		},
		{
			"SACK twice", "0512 00000001 00000002 00000003 00000004 050a 00000005 00000006",
			wire.TCPOptions{SACK: [4]wire.SACKBlock{{5, 6}}, NumSACK: 1},
		},
		{
			"five blocks", "052a" + "00000001 00000002 00000003 00000004 00000005 00000006" +
				"00000007 00000008 00000009 0000000a",
			wire.TCPOptions{SACK: [4]wire.SACKBlock{{1, 2}, {3, 4}, {5, 6}, {7, 8}}, NumSACK: 4},
		},
		{
			"SACK, and two that are wrong", "050a 00000001 00000002 0506 00000001 0502",
			wire.TCPOptions{SACK: [4]wire.SACKBlock{{1, 2}}, NumSACK: 1},
		},
		{"MSS twice", "020405b4 02040218", wire.TCPOptions{MSS: 536}},
		{"window scale beyond 14", "0303ff", wire.TCPOptions{HasWindowScale: true, WindowScale: 255}},
	} {
		want(t, c.name, wire.ParseTCPOptions(fromHex(c.bytes)), c.options)
	}
}

// RFC 9293, 3.1: "A TCP implementation MUST be able to receive a TCP Option in
// any segment (MUST-5)." End of Option List, No-Operation and Maximum Segment Size
// are understood (MUST-4); "All TCP Options except End of Option List Option (EOL)
// and No-Operation (NOP) MUST have length fields (MUST-68)." "The content of the
// header beyond the End of Option List Option MUST be header padding of zeros
// (MUST-69)": none is written, so that nothing is beyond it.
func TestOptionsOfAnySegment(t *testing.T) {
	for flags := range wire.TCPFlags(1 << 6) {
		h := wire.TCP{SrcPort: 1, DstPort: 2, Flags: flags}
		b := h.AppendTo(nil)
		b[12] = 8 << 4 // three words of options
		b = append(b, fromHex("01 020405b4 fd04ffff 00 0000")...)
		got, rest, err := wire.ParseTCPHeader(b)
		if err != nil || len(rest) != 0 || got.Options != (wire.TCPOptions{MSS: 1460}) || got.Flags != flags {
			t.Fatalf("%v: %+v, %v", flags, got, err)
		}
	}
	for bits := range 32 {
		o := wire.TCPOptions{
			MSS: uint16(bits&1) * 1460, HasWindowScale: bits&2 != 0, SACKPermitted: bits&4 != 0,
			Timestamps: bits&8 != 0, NumSACK: uint8(bits >> 4),
		}
		for b := o.AppendTo(nil); len(b) > 0; {
			switch {
			case b[0] == 1:
				b = b[1:]
			case b[0] == 0 || len(b) < 2 || int(b[1]) < 2 || int(b[1]) > len(b):
				t.Fatalf("%+v is written with % x at its end", o, b)
			default:
				b = b[b[1]:]
			}
		}
	}
}

// cookieOf returns the cookie with octets in hexadecimal.
func cookieOf(hex string) wire.FastOpenCookie {
	c, ok := wire.NewFastOpenCookie(fromHex(hex))
	if !ok {
		panic("no cookie: " + hex)
	}
	return c
}

// A cookie has 4 to 16 octets, an even number of them; options of another length
// are ignored (RFC 7413, 4.1.1).
func TestFastOpenCookieLengths(t *testing.T) {
	for n := range 38 {
		b := make([]byte, n)
		_, ok := wire.NewFastOpenCookie(b)
		if want := n >= 4 && n <= 16 && n%2 == 0; ok != want {
			t.Errorf("a cookie of %d octets is one: %v", n, ok)
		}
		o := wire.ParseTCPOptions(append([]byte{34, byte(2 + n)}, b...))
		if want := ok || n == 0; o.FastOpen != want || o.FastOpen && len(o.Cookie.Bytes()) != n || o.Cookie.IsRequest() != (n == 0 || !ok) {
			t.Errorf("an option with %d octets is read as %+v", n, o)
		}
	}
}

func FuzzTCPOptions(f *testing.F) {
	f.Add(fromHex("020405b4 0402 080a 01020304 05060708 01 030307"))
	f.Add(fromHex("020405b4 220a 0011223344556677 0101"))
	f.Add(fromHex("0512 00000001 00000002 fffffffe 00000003 00"))
	f.Add(fromHex("0300"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := wire.ParseTCPOptions(b)
		written := o.AppendTo(nil)
		if len(written) != o.Len() || len(written)%4 != 0 || len(written) > wire.MaxTCPOptionsLen {
			t.Fatalf("%+v: %d octets, and Len is %d", o, len(written), o.Len())
		}
		again := wire.ParseTCPOptions(written)
		if got := again.AppendTo(nil); string(got) != string(written) {
			t.Fatalf("% x\nis written again as\n% x", written, got)
		}
		if again.NumSACK == o.NumSACK && again != o {
			t.Fatalf("%+v\nreads back as\n%+v", o, again)
		}
	})
}

// experimental is cookieOf for the option's form before RFC 7413.
func experimental(hex string) wire.FastOpenCookie {
	c := cookieOf(hex)
	c.Experimental = true
	return c
}

// An option of another experiment is none of ours (RFC 6994, 3).
func TestOtherExperimentsAreSkipped(t *testing.T) {
	for _, hex := range []string{"fe0c1234 0011223344556677", "fe03f9", "fe02"} {
		if o := wire.ParseTCPOptions(fromHex(hex)); o != (wire.TCPOptions{}) {
			t.Errorf("%s is read as %+v", hex, o)
		}
	}
}
