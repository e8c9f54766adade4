package wire_test

import (
	"testing"

	"hubbub/wire"
)

func TestEthernet(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		header      wire.Ethernet
	}{
		{
			"untagged", "020000000001 020000000002 0800",
			wire.Ethernet{Dst: mac1, Src: mac2, Type: wire.EtherTypeIPv4},
		},
		{
			"tagged", "ffffffffffff 020000000002 8100 b064 0806",
			wire.Ethernet{
				Dst: wire.Broadcast, Src: mac2, Tagged: true,
				VLAN: wire.VLAN{ID: 100, Priority: 5, DropEligible: true}, Type: wire.EtherTypeARP,
			},
		},
		{
			"priority tag", "020000000001 020000000002 8100 e000 86dd",
			wire.Ethernet{
				Dst: mac1, Src: mac2, Tagged: true, VLAN: wire.VLAN{Priority: 7}, Type: wire.EtherTypeIPv6,
			},
		},
		{
			"two tags: the second is payload", "020000000001 020000000002 8100 0001 8100",
			wire.Ethernet{Dst: mac1, Src: mac2, Tagged: true, VLAN: wire.VLAN{ID: 1}, Type: wire.EtherTypeVLAN},
		},
		{
			"length instead of type", "0180c2000000 020000000002 0026",
			wire.Ethernet{Dst: wire.MustParseMAC("0180c2000000"), Src: mac2, Type: 38},
		},
	} {
		input := append(fromHex(c.bytes), "payload"...)
		h, rest, err := wire.ParseEthernet(input)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want(t, c.name, h, c.header)
		want(t, c.name+": payload", string(rest), "payload")
		want(t, c.name+": length", h.Len(), len(input)-len(rest))
		wantBytes(t, c.name+" written", h.AppendTo(nil), c.bytes)
		h, rest, err = wire.ParseEthernet(fromHex(c.bytes))
		if h != c.header || len(rest) != 0 || err != nil {
			t.Errorf("%s, the header alone: %+v, % x, %v", c.name, h, rest, err)
		}
	}
}

func TestEthernetRefuses(t *testing.T) {
	wantRefused(t, "020000000001 020000000002 08", "Ethernet", wire.ErrShort, wire.ParseEthernet)
	wantRefused(t, "020000000001 020000000002 8100 0001 08", "Ethernet", wire.ErrShort, wire.ParseEthernet)
}

func TestTagFieldsAreCut(t *testing.T) {
	h := wire.Ethernet{Tagged: true, VLAN: wire.VLAN{ID: 0xf001, Priority: 0x0a}, Type: wire.EtherTypeIPv4}
	got, _, _ := wire.ParseEthernet(h.AppendTo(nil))
	want(t, "VLAN", got.VLAN, wire.VLAN{ID: 1, Priority: 2})
}

func TestEtherTypes(t *testing.T) {
	for typ, name := range map[wire.EtherType]string{
		wire.EtherTypeIPv4: "IPv4", wire.EtherTypeARP: "ARP", wire.EtherTypeVLAN: "802.1Q",
		wire.EtherTypeIPv6: "IPv6", 0x88cc: "EtherType 0x88cc", 1500: "length 1500", 1501: "EtherType 0x05dd",
	} {
		want(t, name, typ.String(), name)
	}
	want(t, "1500 is a length", wire.EtherType(1500).IsLength(), true)
	want(t, "1536 is a length", wire.EtherType(1536).IsLength(), false)
}

func TestFrameLengths(t *testing.T) {
	want(t, "MinFrame", wire.MinFrame, 64)
	want(t, "MaxFrame", wire.MaxFrame, 1518)
}

// TestFCS has the check value that is published for CRC-32/ISO-HDLC, the CRC
// of Ethernet, over the digits 1 to 9.
func TestFCS(t *testing.T) {
	digits := []byte("123456789")
	want(t, "FCS", wire.FCS(digits), 0xcbf43926)
	for cut := range digits {
		want(t, "FCS in parts", wire.FCS(digits[:cut], nil, digits[cut:]), 0xcbf43926)
	}
	frame := wire.AppendFCS(digits, wire.FCS(digits))
	wantBytes(t, "on the cable", frame[9:], "2639f4cb")
	want(t, "check", wire.CheckFCS(frame), true)
}

func TestCheckFCSNoticesEveryBit(t *testing.T) {
	frame := append([]byte(nil), make([]byte, 60)...)
	frame = wire.AppendFCS(frame, wire.FCS(frame))
	for bit := range len(frame) * 8 {
		frame[bit/8] ^= 1 << (bit % 8)
		if wire.CheckFCS(frame) {
			t.Errorf("bit %d is wrong, and the check passes", bit)
		}
		frame[bit/8] ^= 1 << (bit % 8)
	}
	want(t, "three octets", wire.CheckFCS(frame[:3]), false)
	want(t, "the sequence of nothing", wire.CheckFCS(make([]byte, 4)), true)
	want(t, "whole", wire.CheckFCS(frame), true)
}

func FuzzEthernet(f *testing.F) {
	f.Add(fromHex("020000000001 020000000002 0800 45"))
	f.Add(fromHex("ffffffffffff 020000000002 8100 b064 0806 0001"))
	f.Add(fromHex("ffffffffffff 020000000002 8100 b064"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, rest, err := wire.ParseEthernet(b)
		if err != nil {
			return
		}
		if got := append(h.AppendTo(nil), rest...); string(got) != string(b) {
			t.Errorf("% x\nis written as\n% x", b, got)
		}
	})
}
