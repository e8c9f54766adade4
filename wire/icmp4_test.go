package wire_test

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

func TestICMPv4(t *testing.T) {
	echo := wire.ICMPv4{Type: wire.Echo, Checksum: 0x735b}
	echo.SetEcho(0x1234, 0x0007)
	tooBig := wire.ICMPv4{
		Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded, Checksum: 0xf6a8,
	}
	tooBig.SetMTU(1280)
	redirect := wire.ICMPv4{Type: wire.Redirect, Code: wire.CodeRedirectHost, Checksum: 0x44e4}
	redirect.SetGateway(ip1)
	problem := wire.ICMPv4{Type: wire.ParameterProblem, Checksum: 0xddff}
	problem.SetPointer(22)
	for _, c := range []struct {
		name, bytes string
		message     wire.ICMPv4
	}{
		{"echo request", "0800 735b 1234 0007 6869 0a", echo},
		{"fragmentation needed", "0304 f6a8 0000 0500 0153 00", tooBig},
		{"redirect", "0501 44e4 ac10 0a0a", redirect},
		{"parameter problem", "0c00 ddff 1600 0000", problem},
	} {
		input := fromHex(c.bytes)
		m, payload, err := wire.ParseICMPv4(input)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want(t, c.name, m, c.message)
		want(t, c.name+": payload", string(payload), string(input[8:]))
		wantBytes(t, c.name+" written", m.AppendTo(nil, payload), c.bytes)
		header := make([]byte, 8)
		m.PutHeader(header, payload)
		want(t, c.name+": header alone", string(header), string(input[:8]))
		alone, rest, err := wire.ParseICMPv4Header(input[:8])
		want(t, c.name+": header alone", alone, c.message)
		want(t, c.name+": rest", len(rest), 0)
		want(t, c.name+": error", err, nil)
	}
}

func TestICMPv4Fields(t *testing.T) {
	var m wire.ICMPv4
	m.SetEcho(0x1234, 0x5678)
	want(t, "identifier", m.ID(), 0x1234)
	want(t, "sequence number", m.Seq(), 0x5678)
	m = wire.ICMPv4{}
	m.SetMTU(1400)
	want(t, "MTU", m.MTU(), 1400)
	// RFC 1191, 4: the high-order 16 bits remain unused, and MUST be set to
	// zero.
	want(t, "MTU's place", m.Rest, [4]byte{0, 0, 0x05, 0x78})
	m = wire.ICMPv4{}
	m.SetPointer(20)
	want(t, "pointer", m.Pointer(), 20)
	want(t, "pointer's place", m.Rest, [4]byte{20})
	m.SetGateway(ip2)
	want(t, "gateway", m.Gateway(), ip2)
	m.SetGateway(netip.Addr{})
	want(t, "no gateway", m.Gateway().String(), "0.0.0.0")
}

func TestICMPv4Refuses(t *testing.T) {
	wantRefused(t, "0800 735b 1234 00", "ICMP", wire.ErrShort, wire.ParseICMPv4)
	wantRefused(t, "0800 735b 1234 00", "ICMP", wire.ErrShort, wire.ParseICMPv4Header)
	wantRefused(t, "0800 735b 1234 0007 6869 0b", "ICMP", wire.ErrChecksum, wire.ParseICMPv4)
}

func TestICMPv4Text(t *testing.T) {
	for _, c := range []struct {
		typ  wire.ICMPv4Type
		code uint8
		text string
	}{
		{wire.EchoReply, 0, "echo reply"},
		{wire.Echo, 0, "echo request"},
		{wire.Echo, 9, "echo request, code 9"},
		{wire.DestinationUnreachable, wire.CodeNetUnreachable, "network unreachable"},
		{wire.DestinationUnreachable, wire.CodePortUnreachable, "port unreachable"},
		{wire.DestinationUnreachable, wire.CodeFragmentationNeeded, "fragmentation needed and DF set"},
		{wire.DestinationUnreachable, wire.CodePrecedenceCutoff, "precedence cutoff in effect"},
		{wire.DestinationUnreachable, 16, "destination unreachable, code 16"},
		{wire.Redirect, wire.CodeRedirectHost, "redirect for the host"},
		{wire.TimeExceeded, wire.CodeTTLExceeded, "time to live exceeded in transit"},
		{wire.TimeExceeded, wire.CodeReassemblyTimeExceeded, "fragment reassembly time exceeded"},
		{wire.ParameterProblem, wire.CodePointer, "parameter problem"},
		{wire.ParameterProblem, wire.CodeOptionMissing, "required option missing"},
		{wire.RouterAdvertisement, 0, "router advertisement"},
		{wire.AddressMaskReply, 0, "address mask reply"},
		{1, 0, "ICMP type 1"},
		{200, 3, "ICMP type 200, code 3"},
	} {
		m := wire.ICMPv4{Type: c.typ, Code: c.code}
		want(t, "text", m.Text(), c.text)
	}
}

// RFC 1122, 3.2.2: ICMP error messages are Destination Unreachable, Redirect,
// Source Quench, Time Exceeded and Parameter Problem.
func TestICMPv4Errors(t *testing.T) {
	errors := map[wire.ICMPv4Type]bool{3: true, 4: true, 5: true, 11: true, 12: true}
	for typ := range 256 {
		m := wire.ICMPv4{Type: wire.ICMPv4Type(typ)}
		want(t, m.Type.String(), m.IsError(), errors[m.Type])
	}
}

func FuzzICMPv4(f *testing.F) {
	f.Add(fromHex("0800 735b 1234 0007 6869 0a"))
	f.Add(fromHex("0304 f6a8 0000 0500 0153 00"))
	f.Add(fromHex("0c00 ddff 1600"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, payload, err := wire.ParseICMPv4Header(b)
		if err != nil {
			return
		}
		whole := m.AppendTo(nil, payload)
		again, rest, err := wire.ParseICMPv4(whole)
		again.Checksum = m.Checksum
		if err != nil || again != m || string(rest) != string(payload) {
			t.Fatalf("%+v, % x\nreads back as\n%+v, % x, %v", m, payload, again, rest, err)
		}
		if _, _, err := wire.ParseICMPv4(b); err == nil && string(whole[4:]) != string(b[4:]) {
			t.Fatalf("% x\nis written as\n% x", b, whole)
		}
	})
}
