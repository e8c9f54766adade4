package wire_test

import (
	"errors"
	"net/netip"
	"testing"

	"hubbub/wire"
)

// RFC 8415, 8, 21.4 and 21.6.
func TestDHCP6(t *testing.T) {
	a := wire.DHCP6Address{Addr: netip.MustParseAddr("2001:db8::9"), Preferred: 10, Valid: 20}
	ia := wire.DHCP6IA{ID: 7, T1: 5, T2: 8, Options: a.AppendTo(nil)}
	m := wire.DHCP6{Type: wire.DHCP6Reply, Transaction: 0x123456, Options: wire.AppendDHCP6Option(nil, wire.DHCP6ClientID, []byte{0, 3, 0, 1})}
	m.Options = wire.AppendDHCP6Status(ia.AppendTo(m.Options), wire.DHCP6NoBinding, "no")
	b := m.AppendTo(nil)
	wantBytes(t, "message", b, "07123456 0001 0004 00030001"+
		"0003 0028 00000007 00000005 00000008 0005 0018 20010db8000000000000000000000009 0000000a 00000014"+
		"000d 0004 0003 6e6f")
	got, err := wire.ParseDHCP6(b)
	want(t, "error", err, nil)
	want(t, "type", got.Type, wire.DHCP6Reply)
	want(t, "transaction", got.Transaction, 0x123456)
	want(t, "status", wire.DHCP6StatusOf(got.Options), wire.DHCP6NoBinding)
	want(t, "no status", wire.DHCP6StatusOf(nil), wire.DHCP6Success)
	data, ok := wire.FindDHCP6Option(got.Options, wire.DHCP6IANA)
	want(t, "association", ok, true)
	read, ok := wire.ParseDHCP6IA(data)
	want(t, "association", ok, true)
	want(t, "identity and times", [3]uint32{read.ID, read.T1, read.T2}, [3]uint32{7, 5, 8})
	data, _ = wire.FindDHCP6Option(read.Options, wire.DHCP6IAAddress)
	addr, ok := wire.ParseDHCP6Address(data)
	want(t, "address", ok, true)
	want(t, "address", addr.Addr, a.Addr)
	want(t, "lifetimes", [2]uint32{addr.Preferred, addr.Valid}, [2]uint32{10, 20})
	_, ok = wire.FindDHCP6Option(got.Options, wire.DHCP6Preference)
	want(t, "what isn't there", ok, false)
	for n := range b {
		_, err := wire.ParseDHCP6(b[:n])
		whole := n == 4 || n == 12 || n == 56
		want(t, "cut off", errors.Is(err, wire.ErrShort), !whole)
	}
	for n := range 24 {
		_, ok := wire.ParseDHCP6Address(data[:n])
		want(t, "an address cut off", ok, false)
	}
	_, ok = wire.ParseDHCP6IA(make([]byte, 13))
	want(t, "an association with half an option", ok, false)
}

func TestDHCP6Names(t *testing.T) {
	for kind := wire.DHCP6Solicit; kind <= wire.DHCP6Decline; kind++ {
		if len(kind.String()) > 12 {
			t.Errorf("type %d has no name", kind)
		}
	}
	want(t, "another", wire.DHCP6Type(99).String(), "DHCPv6 message 99")
	want(t, "status", wire.DHCP6NoAddrsAvail.String(), "NoAddrsAvail")
	want(t, "status", wire.DHCP6Status(99).String(), "status 99")
}

func FuzzDHCP6(f *testing.F) {
	ia := wire.DHCP6IA{Options: (&wire.DHCP6Address{Addr: netip.IPv6Unspecified()}).AppendTo(nil)}
	f.Add(append([]byte{1, 2, 3, 4}, ia.AppendTo(nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.ParseDHCP6(b)
		if err != nil {
			return
		}
		wantBytes(t, "round trip", m.AppendTo(nil), hexOf(b...))
		for _, data, rest, ok := wire.NextDHCP6Option(m.Options); ok; _, data, rest, ok = wire.NextDHCP6Option(rest) {
			if ia, ok := wire.ParseDHCP6IA(data); ok {
				wire.DHCP6StatusOf(ia.Options)
			}
			wire.ParseDHCP6Address(data)
		}
	})
}
