package addrsel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func candidate(s string) Candidate {
	text, what, _ := strings.Cut(s, " ")
	if !strings.Contains(text, "/") {
		text += "/64"
		if !strings.Contains(text, ":") {
			text = strings.Replace(text, "/64", "/24", 1)
		}
	}
	return Candidate{
		Prefix:     netip.MustParsePrefix(text),
		Deprecated: strings.Contains(what, "deprecated"), Temporary: strings.Contains(what, "temporary"),
		FromRouter: strings.Contains(what, "router"),
	}
}

// RFC 6724, 10.1: the RFC's own examples, and one for every rule that it has
// none for. Home and care-of addresses this project has none of.
func TestTheSourceForADestination(t *testing.T) {
	for _, c := range []struct {
		dst, candidates, want string
	}{
		{"2001:db8:1::1", "2001:db8:3::1, fe80::1", "2001:db8:3::1"},
		{"ff05::1", "2001:db8:3::1, fe80::1", "2001:db8:3::1"},
		{"2001:db8:1::1", "2001:db8:1::1 deprecated, 2001:db8:2::1", "2001:db8:1::1"},
		{"fe80::1", "fe80::2 deprecated, 2001:db8:1::1", "fe80::2"},
		{"2001:db8:1::1", "2001:db8:1::2, 2001:db8:3::2", "2001:db8:1::2"},
		{"2002:c633:6401::1", "2002:c633:6401::d5e3:7953:13eb:22e8 temporary, 2001:db8:1::2", "2002:c633:6401:0:d5e3:7953:13eb:22e8"},
		{"2001:db8:1::d5e3:0:0:1", "2001:db8:1::2, 2001:db8:1::d5e3:7953:13eb:22e8 temporary", "2001:db8:1:0:d5e3:7953:13eb:22e8"},
		{"2001:db8:9::1", "2001:db8:1::2 deprecated, 2001:db8:2::2", "2001:db8:2::2"},
		{"2001:db8:9::1", "2001:db8:1::2, 2001:db8:2::2 router", "2001:db8:2::2"},
		{"ff02::1", "2001:db8:1::2, fe80::2", "fe80::2"},
		{"fd00::1", "2001:db8:1::2, fd00:1::2", "fd00:1::2"},
		{"2001:db8:9::1", "2001:db8:1::2, 2001:db8:2::2", "2001:db8:1::2"}, // no rule decides: the first
		{"10.2.0.9", "10.1.0.1, 10.2.0.1", "10.2.0.1"},
		{"2001:db8::1", "", "none"},
	} {
		var all []Candidate
		for _, text := range strings.Split(c.candidates, ", ") {
			if text != "" {
				all = append(all, candidate(text))
			}
		}
		// The order doesn't matter where a rule decides.
		for range 2 {
			got := "none"
			if i := Source(all, netip.MustParseAddr(c.dst)); i >= 0 {
				got = all[i].Prefix.Addr().String()
			}
			if got != c.want {
				t.Errorf("to %s from %v: %s, want %s", c.dst, all, got, c.want)
			}
			if len(all) == 2 && c.want != all[0].Prefix.Addr().String() {
				all[0], all[1] = all[1], all[0]
			}
		}
	}
}

// RFC 6724, 10.2: each destination with its source; "-" is one without.
func TestTheOrderOfDestinations(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		// "Prefer matching scope."
		{"2001:db8:1::1 from 2001:db8:1::2, 198.51.100.121 from 169.254.13.78", "2001:db8:1::1 198.51.100.121"},
		{"2001:db8:1::1 from fe80::1, 198.51.100.121 from 198.51.100.117", "198.51.100.121 2001:db8:1::1"},
		// "Prefer higher precedence."
		{"10.1.2.3 from 10.1.2.4, 2001:db8:1::1 from 2001:db8:1::2", "2001:db8:1::1 10.1.2.3"},
		// "Prefer smaller scope."
		{"2001:db8:1::1 from 2001:db8:1::2, fe80::1 from fe80::2", "fe80::1 2001:db8:1::1"},
		// "Avoid deprecated addresses."
		{"2001:db8:1::1 from 2001:db8:1::2, fe80::1 from fe80::2 deprecated", "2001:db8:1::1 fe80::1"},
		// "Longest matching prefix."
		{"2001:db8:3ffe::1 from 2001:db8:3f44::2, 2001:db8:1::1 from 2001:db8:1::2", "2001:db8:1::1 2001:db8:3ffe::1"},
		// "Prefer matching label."
		{"2001:db8:1::1 from 2002:c633:6401::2, 2002:c633:6401::1 from 2002:c633:6401::2", "2002:c633:6401::1 2001:db8:1::1"},
		// "Avoid unusable destinations."
		{"2001:db8:1::1 from -, 10.1.2.3 from 10.1.2.4", "10.1.2.3 2001:db8:1::1"},
		{"10.9.0.1 from 10.1.2.4, 10.1.0.1 from 10.1.2.4", "10.1.0.1 10.9.0.1"},
	} {
		var all []Destination
		for _, text := range strings.Split(c.given, ", ") {
			addr, source, _ := strings.Cut(text, " from ")
			d := Destination{Addr: netip.MustParseAddr(addr)}
			if source != "-" {
				d.Source = candidate(source)
			}
			all = append(all, d)
		}
		for range 2 {
			Sort(all)
			var got []string
			for _, d := range all {
				got = append(got, d.Addr.String())
			}
			if g := fmt.Sprint(strings.Join(got, " ")); g != c.want {
				t.Errorf("%s: tried in the order %s, want %s", c.given, g, c.want)
			}
			all[0], all[1] = all[1], all[0]
		}
	}
}
