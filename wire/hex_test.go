package wire_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"hubbub/wire"
)

// fromHex reads bytes as a capture shows them, with spaces anywhere.
func fromHex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(fmt.Sprintf("%q: %v", s, err))
	}
	return b
}

func wantBytes(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if w := fromHex(want); string(got) != string(w) {
		t.Errorf("%s:\n got % x\nwant % x", what, got, w)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// wantRefused asserts that a parser refuses input: with an error of the right
// kind, that names the protocol, with no value and no rest.
func wantRefused[X any](t *testing.T, input, protocol string, kind error, parse func([]byte) (X, []byte, error)) {
	t.Helper()
	x, rest, err := parse(fromHex(input))
	if !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want one of the kind %q", input, err, kind)
		return
	}
	if !strings.Contains(err.Error(), protocol) {
		t.Errorf("%s: error %q does not name %s", input, err, protocol)
	}
	if rest != nil {
		t.Errorf("%s: the rest is % x beside an error", input, rest)
	}
	var zero X
	if got := fmt.Sprint(x); got != fmt.Sprint(zero) {
		t.Errorf("%s: the value is %v beside an error", input, got)
	}
}

func TestShortInputIsAnUnexpectedEOF(t *testing.T) {
	_, _, err := wire.ParseEthernet(nil)
	if !errors.Is(err, wire.ErrShort) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want one that is ErrShort and io.ErrUnexpectedEOF", err)
	}
}

// TestEveryPrefixIsShort cuts whole packets at every place: each parser says
// that its input is short, whatever is missing.
func TestEveryPrefixIsShort(t *testing.T) {
	eth, arp, ip, udp, tcp, _ := samples()
	cases := []struct {
		name  string
		whole []byte
		parse func([]byte) error
	}{
		{"Ethernet", eth, func(b []byte) error { _, _, err := wire.ParseEthernet(b); return err }},
		{"ARP", arp, func(b []byte) error { _, _, err := wire.ParseARP(b); return err }},
		{"IPv4", ip, func(b []byte) error { _, _, err := wire.ParseIPv4Header(b); return err }},
		{"quoted IPv4", ip, func(b []byte) error { _, _, err := wire.ParseIPv4Quote(b); return err }},
		{"UDP", udp, func(b []byte) error { _, _, err := wire.ParseUDPHeader(b); return err }},
		{"TCP", tcp, func(b []byte) error { _, _, err := wire.ParseTCPHeader(b); return err }},
		{"ICMP", tcp[:8], func(b []byte) error { _, _, err := wire.ParseICMPv4Header(b); return err }},
	}
	for _, c := range cases {
		for n := range c.whole {
			if err := c.parse(c.whole[:n]); !errors.Is(err, wire.ErrShort) {
				t.Errorf("%s, %d of %d octets: error %v, want ErrShort", c.name, n, len(c.whole), err)
			}
		}
		if err := c.parse(c.whole); err != nil {
			t.Errorf("%s, whole: %v", c.name, err)
		}
	}
}
