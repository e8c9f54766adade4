package addrsel

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// A policy is a row of the policy table (RFC 6724, 2.1).
type policy struct {
	prefix            netip.Prefix
	precedence, label int
}

// policies are the default policy table (RFC 6724, 2.1), the longest prefix
// first.
var policies = [...]policy{
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

// policyOf returns the row with the longest prefix that holds addr.
func policyOf(addr netip.Addr) *policy {
	mapped := netip.AddrFrom16(addr.As16())
	for i := range policies {
		// An IPv4-mapped address is in no IPv6 prefix that netip knows.
		if holds(policies[i].prefix, mapped) {
			return &policies[i]
		}
	}
	return &policies[len(policies)-1]
}

func holds(p netip.Prefix, addr netip.Addr) bool { return common(p.Addr(), addr) >= p.Bits() }

// The scopes of unicast addresses, as those of groups are numbered (RFC 4291,
// 2.7; RFC 6724, 3.1).
const (
	scopeLink   = 0x2
	scopeSite   = 0x5
	scopeGlobal = 0xe
)

// scopeOf returns how far an address counts: "IPv4 auto-configuration addresses
// [...] 169.254/16, are assigned link-local scope. IPv4 loopback addresses
// [...] 127/8, are assigned link-local scope" (RFC 6724, 3.2); so is the IPv6
// one (3.4).
func scopeOf(addr netip.Addr) int {
	addr = addr.Unmap()
	switch {
	case addr.Is6() && addr.IsMulticast():
		return int(addr.As16()[1] & 0xf)
	case addr.IsLoopback(), addr.IsLinkLocalUnicast(), addr.IsLinkLocalMulticast():
		return scopeLink
	case addr.Is6() && addr.As16()[0] == 0xfe && addr.As16()[1]&0xc0 == 0xc0:
		return scopeSite
	}
	return scopeGlobal
}

// common returns how many of their first bits two addresses share.
func common(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	if d := binary.BigEndian.Uint64(x[:8]) ^ binary.BigEndian.Uint64(y[:8]); d != 0 {
		return bits.LeadingZeros64(d)
	}
	return 64 + bits.LeadingZeros64(binary.BigEndian.Uint64(x[8:])^binary.BigEndian.Uint64(y[8:]))
}
