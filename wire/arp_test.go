package wire_test

import (
	"net/netip"
	"testing"

	"hubbub/wire"
)

func TestARP(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		packet      wire.ARP
	}{
		{
			"request", "0001 0800 06 04 0001 020000000001 ac100a0a 000000000000 ac100bfa",
			wire.ARP{Op: wire.ARPRequest, SenderMAC: mac1, SenderIP: ip1, TargetIP: ip2},
		},
		{
			"reply", "0001 0800 06 04 0002 020000000002 ac100bfa 020000000001 ac100a0a",
			wire.ARP{Op: wire.ARPReply, SenderMAC: mac2, SenderIP: ip2, TargetMAC: mac1, TargetIP: ip1},
		},
	} {
		a, rest, err := wire.ParseARP(append(fromHex(c.bytes), make([]byte, 18)...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want(t, c.name, a, c.packet)
		want(t, c.name+": padding", len(rest), 18)
		wantBytes(t, c.name+" written", a.AppendTo(nil), c.bytes)
		want(t, c.name+": length", len(a.AppendTo(nil)), wire.ARPLen)
	}
}

func TestARPRefuses(t *testing.T) {
	const rest = "0001 020000000001 ac100a0a 000000000000 ac100bfa"
	for _, kind := range []string{"0006 0800 06 04", "0001 86dd 06 04", "0001 0800 08 04", "0001 0800 06 10"} {
		wantRefused(t, kind+rest, "ARP", wire.ErrARPKind, wire.ParseARP)
	}
	wantRefused(t, "0001 0800 06 04 0001", "ARP", wire.ErrShort, wire.ParseARP)
}

// TestAddressesOfOtherFamilies: what can't be written becomes 0.0.0.0 instead
// of a panic.
func TestAddressesOfOtherFamilies(t *testing.T) {
	a := wire.ARP{SenderIP: netip.MustParseAddr("fe80::1"), TargetIP: netip.MustParseAddr("::ffff:1.2.3.4")}
	got, _, err := wire.ParseARP(a.AppendTo(nil))
	want(t, "error", err, nil)
	want(t, "IPv6", got.SenderIP.String(), "0.0.0.0")
	want(t, "IPv4 in IPv6", got.TargetIP.String(), "1.2.3.4")
	var none wire.ARP
	got, _, err = wire.ParseARP(none.AppendTo(nil))
	want(t, "error", err, nil)
	want(t, "no address", got.SenderIP.String(), "0.0.0.0")
}

func TestARPOps(t *testing.T) {
	want(t, "request", wire.ARPRequest.String(), "request")
	want(t, "reply", wire.ARPReply.String(), "reply")
	want(t, "other", wire.ARPOp(9).String(), "operation 9")
}

func FuzzARP(f *testing.F) {
	_, arp, _, _, _, _ := samples()
	f.Add(arp)
	f.Add(arp[:27])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, rest, err := wire.ParseARP(b)
		if err != nil {
			return
		}
		if got := append(a.AppendTo(nil), rest...); string(got) != string(b) {
			t.Errorf("% x\nis written as\n% x", b, got)
		}
	})
}
