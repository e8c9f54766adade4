package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hubbub/wire"
)

func TestParseMAC(t *testing.T) {
	m := wire.MAC{0x02, 0xab, 0xcd, 0xef, 0x10, 0x0f}
	for _, s := range []string{
		"02:ab:cd:ef:10:0f", "02-AB-CD-EF-10-0F", "02ab.cdef.100f", "02abcdef100f", "02:aB:Cd:eF:10:0f",
	} {
		got, err := wire.ParseMAC(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		want(t, s, got, m)
	}
}

func TestParseMACRefuses(t *testing.T) {
	for _, s := range []string{
		"", "02", "02:ab:cd:ef:10", "02:ab:cd:ef:10:0f:11", "02:ab:cd-ef:10:0f", "02ab:cdef:100f",
		"02ab.cdef-100f", "02:ab:cd:ef:10:0g", "0:2ab:cd:ef:10:0f", "02abcdef100", "02.ab.cd.ef.10.0f",
		"02:ab:cd:ef:10:é", "::::::::::::",
	} {
		m, err := wire.ParseMAC(s)
		if err == nil {
			t.Errorf("%q: read as %v, want an error", s, m)
			continue
		}
		if m != (wire.MAC{}) || !strings.Contains(err.Error(), "02:00:00:00:00:01") {
			t.Errorf("%q: %v and error %q, want the zero MAC and an error with an example", s, m, err)
		}
	}
	mustPanic(t, "MustParseMAC", func() { wire.MustParseMAC("nobody") })
}

func TestMACParts(t *testing.T) {
	m := wire.MustParseMAC("02:ab:cd:ef:10:0f")
	want(t, "String", m.String(), "02:ab:cd:ef:10:0f")
	want(t, "OUI", m.OUI(), [3]byte{0x02, 0xab, 0xcd})
	want(t, "Serial", m.Serial(), [3]byte{0xef, 0x10, 0x0f})
}

func TestMACKinds(t *testing.T) {
	for _, c := range []struct {
		mac                           string
		broadcast, group, local, zero bool
	}{
		{"ff:ff:ff:ff:ff:ff", true, true, true, false},
		{"01:00:5e:00:00:01", false, true, false, false},
		{"33:33:00:00:00:01", false, true, true, false},
		{"02:00:00:00:00:01", false, false, true, false},
		{"00:1b:21:00:00:01", false, false, false, false},
		{"00:00:00:00:00:00", false, false, false, true},
	} {
		m := wire.MustParseMAC(c.mac)
		want(t, c.mac+" is broadcast", m.IsBroadcast(), c.broadcast)
		want(t, c.mac+" is a group", m.IsGroup(), c.group)
		want(t, c.mac+" is local", m.IsLocal(), c.local)
		want(t, c.mac+" is zero", m.IsZero(), c.zero)
	}
	want(t, "Broadcast", wire.Broadcast.String(), "ff:ff:ff:ff:ff:ff")
}

func TestMACText(t *testing.T) {
	b, err := json.Marshal(map[wire.MAC]wire.MAC{mac1: mac2})
	want(t, "JSON", string(b), `{"02:00:00:00:00:01":"02:00:00:00:00:02"}`)
	var back map[wire.MAC]wire.MAC
	if err != nil || json.Unmarshal(b, &back) != nil || back[mac1] != mac2 {
		t.Errorf("%s reads back as %v", b, back)
	}
	m := mac1
	if m.UnmarshalText([]byte("x")) == nil || m != mac1 {
		t.Errorf("a bad text makes %v of %v, want an error and no change", m, mac1)
	}
	text, err := mac1.AppendText([]byte("card "))
	want(t, "AppendText", string(text), "card 02:00:00:00:00:01")
	want(t, "its error", err, nil)
}

func FuzzParseMAC(f *testing.F) {
	for _, s := range []string{"02:ab:cd:ef:10:0f", "02-AB-CD-EF-10-0F", "02ab.cdef.100f", "02abcdef100f", "02:ab"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := wire.ParseMAC(s)
		if err != nil {
			return
		}
		back, err := wire.ParseMAC(m.String())
		if err != nil || back != m {
			t.Errorf("%q is %v, which reads back as %v, %v", s, m, back, err)
		}
	})
}
