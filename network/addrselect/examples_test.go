package addrselect

import (
	"net/netip"
	"testing"
)

// RFC 6724, 10.1: "The source address selection rules, in conjunction with the
// default policy table, produce the following behavior".
func TestDefaultSourceAddressSelection(t *testing.T) {
	for _, x := range []struct {
		to         string
		candidates []Source
		want       string
		because    Rule
	}{
		{"2001:db8:1::1", sources("2001:db8:3::1", "fe80::1"), "2001:db8:3::1", Scope},
		{"ff05::1", sources("2001:db8:3::1", "fe80::1"), "2001:db8:3::1", Scope},
		{"2001:db8:1::1", sources("2001:db8:1::1 deprecated", "2001:db8:2::1"), "2001:db8:1::1", SameAddress},
		{"fe80::1", sources("fe80::2 deprecated", "2001:db8:1::1"), "fe80::2", Scope},
		{"2001:db8:1::1", sources("2001:db8:1::2", "2001:db8:3::2"), "2001:db8:1::2", LongestPrefix},
		{"2001:db8:1::1", sources("2001:db8:1::2 care-of", "2001:db8:3::2 home"), "2001:db8:3::2", HomeAddress},
		{
			"2002:c633:6401::1", sources("2002:c633:6401:0:d5e3:7953:13eb:22e8 temporary", "2001:db8:1::2"),
			"2002:c633:6401:0:d5e3:7953:13eb:22e8", MatchingLabel,
		},
		{
			"2001:db8:1:0:d5e3::1", sources("2001:db8:1::2", "2001:db8:1:0:d5e3:7953:13eb:22e8 temporary"),
			"2001:db8:1:0:d5e3:7953:13eb:22e8", TemporaryAddress,
		},
	} {
		to := Target{Addr: netip.MustParseAddr(x.to), Interface: eth0}
		wantSource(t, New(), to, x.candidates, x.want, x.because)
		x.candidates[0], x.candidates[1] = x.candidates[1], x.candidates[0]
		wantSource(t, New(), to, x.candidates, x.want, x.because)
	}
}

// RFC 6724, 10.2: "The destination address selection rules, in conjunction with
// the default policy table and the source address selection rules, produce the
// following behavior".
func TestDefaultDestinationAddressSelection(t *testing.T) {
	for _, x := range []struct {
		candidates    []Source
		first, second string
		because       Rule
	}{
		{
			sources("2001:db8:1::2", "fe80::1", "169.254.13.78"),
			"2001:db8:1::1 2001:db8:1::2", "198.51.100.121 169.254.13.78", Scope,
		},
		{sources("fe80::1", "198.51.100.117"), "198.51.100.121 198.51.100.117", "2001:db8:1::1 fe80::1", Scope},
		{sources("2001:db8:1::2", "fe80::1", "10.1.2.4"), "2001:db8:1::1 2001:db8:1::2", "10.1.2.3 10.1.2.4", HigherPrecedence},
		{sources("2001:db8:1::2", "fe80::2"), "fe80::1 fe80::2", "2001:db8:1::1 2001:db8:1::2", SmallerScope},
		{
			sources("2001:db8:1::2 care-of", "2001:db8:3::1 home", "fe80::2 care-of"),
			"2001:db8:1::1 2001:db8:3::1", "fe80::1 fe80::2", HomeAddress,
		},
		{sources("2001:db8:1::2", "fe80::2 deprecated"), "2001:db8:1::1 2001:db8:1::2", "fe80::1 fe80::2", Deprecated},
		{
			sources("2001:db8:1::2", "2001:db8:3f44::2", "fe80::2"),
			"2001:db8:1::1 2001:db8:1::2", "2001:db8:3ffe::1 2001:db8:3f44::2", LongestPrefix,
		},
		{sources("2002:c633:6401::2", "fe80::2"), "2002:c633:6401::1 2002:c633:6401::2", "2001:db8:1::1 2002:c633:6401::2", MatchingLabel},
		{
			sources("2002:c633:6401::2", "2001:db8:1::2", "fe80::2"),
			"2001:db8:1::1 2001:db8:1::2", "2002:c633:6401::1 2002:c633:6401::2", HigherPrecedence,
		},
	} {
		wantOrder(t, New(), x.candidates, x.first, x.second, x.because)
	}
}

// RFC 6724, 10.3: "An administrator can change the policy table to prefer IPv4
// addresses by giving the ::ffff:0.0.0.0/96 prefix a higher precedence".
func TestIPv4CanBePreferred(t *testing.T) {
	table := policy(t, row("0.0.0.0/0", 100, 4))
	wantOrder(t, table, sources("2001:db8::2", "fe80::1", "169.254.13.78"),
		"2001:db8::1 2001:db8::2", "198.51.100.121 169.254.13.78", Scope)
	wantOrder(t, table, sources("fe80::1", "198.51.100.117"), "198.51.100.121 198.51.100.117", "2001:db8::1 fe80::1", Scope)
	wantOrder(t, table, sources("2001:db8::2", "fe80::1", "10.1.2.4"), "10.1.2.3 10.1.2.4", "2001:db8::1 2001:db8::2", HigherPrecedence)
}

// RFC 6724, 10.4: "An administrator can change the policy table to reverse this
// preference and sort global destinations before link-local destinations".
func TestLinkLocalDestinationsCanBeLast(t *testing.T) {
	table := policy(t, row("fe80::/10", 33, 1))
	wantOrder(t, table, sources("2001:db8::2", "fe80::2"), "2001:db8::1 2001:db8::2", "fe80::1 fe80::2", HigherPrecedence)
	wantOrder(t, table, sources("2001:db8::2 deprecated", "fe80::2"), "fe80::1 fe80::2", "2001:db8::1 2001:db8::2", Deprecated)
}

// RFC 6724, 10.5: "the administrators of sites A and B can achieve their
// desired behavior via policy table configuration."
func TestASiteWithTwoProviders(t *testing.T) {
	have := sources("2001:db8:1aaa::a", "2001:db8:70aa::a", "fe80::a")
	wantOrder(t, New(), have, "2001:db8:70bb::b 2001:db8:70aa::a", "2001:db8:1bbb::b 2001:db8:1aaa::a", LongestPrefix)
	wantOrder(t, New(), have, "2001:db8:1ccc::c 2001:db8:1aaa::a", "2001:db8:6ccc::c 2001:db8:70aa::a", LongestPrefix)
	table := policy(t, row("2001:db8:1aaa::/48", 43, 6), row("2001:db8:1bbb::/48", 43, 6))
	wantOrder(t, table, have, "2001:db8:1bbb::b 2001:db8:1aaa::a", "2001:db8:70bb::b 2001:db8:70aa::a", HigherPrecedence)
	wantOrder(t, table, have, "2001:db8:6ccc::c 2001:db8:70aa::a", "2001:db8:1ccc::c 2001:db8:70aa::a", LongestPrefix)
}

// RFC 6724, 10.6: "By default, global IPv6 destinations are preferred over ULA
// destinations [...] However, a site-specific policy entry can be used to cause
// ULAs within a site to be preferred over global addresses".
func TestUniqueLocalAddresses(t *testing.T) {
	have := sources("2001:db8:1::1", "fd11:1111:1111:1::1")
	table := policy(t, row("fd11:1111:1111::/48", 45, 14))
	const globalFirst, ulaSecond = "2001:db8:2::2 2001:db8:1::1", "fd22:2222:2222:2::2 fd11:1111:1111:1::1"
	wantOrder(t, New(), have, globalFirst, ulaSecond, HigherPrecedence)
	// The RFC names the precedence here too, but the labels, 14 and 13, come first.
	wantOrder(t, table, have, globalFirst, ulaSecond, MatchingLabel)
	for _, table := range []*Table{New(), table} {
		to := Target{Addr: netip.MustParseAddr("ff00::1"), Interface: eth0}
		wantSource(t, table, to, have, "2001:db8:1::1", MatchingLabel)
	}
	wantOrder(t, table, have, "fd11:1111:1111:2::2 fd11:1111:1111:1::1", "2001:db8:2::2 2001:db8:1::1", HigherPrecedence)
}

// RFC 6724, 10.7: "By default, NATed IPv4 is preferred over 6to4-relayed
// connectivity [...] a site-specific policy entry can be used".
func Test6to4(t *testing.T) {
	wantOrder(t, New(), sources("2002:c633:6401::2", "10.1.2.3"), "203.0.113.1 10.1.2.3", "2001:db8:1::1 2002:c633:6401::2", MatchingLabel)
	wantOrder(t, policy(t, row("2002:c633:6401::/48", 45, 14)), sources("2002:c633:6401:1::1", "10.1.2.3"),
		"2002:c633:6401:2::2 2002:c633:6401:1::1", "203.0.113.1 10.1.2.3", HigherPrecedence)
}
