package addrselect

import (
	"math/bits"
	"net/netip"
)

// A scope is how far an address counts, as the four bits that multicast
// addresses have for it (RFC 4291, 2.7).
type scope uint8

const (
	linkLocal scope = 0x2
	siteLocal scope = 0x5
	global    scope = 0xe
)

// siteLocals are deprecated, but "included in the procedures" (RFC 6724, 3.1).
var siteLocals = netip.MustParsePrefix("fec0::/10")

// scopeOf returns an address's scope: "We map unicast link-local to multicast
// link-local, unicast site-local to multicast site-local, and unicast global
// scope to multicast global scope." (RFC 6724, 3.1)
//
// "IPv4 auto-configuration addresses, which have the prefix 169.254/16, are
// assigned link-local scope. IPv4 loopback addresses, which have the prefix
// 127/8, are assigned link-local scope [...] Other IPv4 addresses [...] are
// assigned global scope." (RFC 6724, 3.2) "The loopback address MUST be treated
// as having link-local scope" (RFC 6724, 3.4).
func scopeOf(addr netip.Addr) scope {
	addr = addr.Unmap()
	switch {
	case addr.IsMulticast() && addr.Is6():
		return scope(addr.As16()[1] & 0xf)
	case addr.IsLinkLocalUnicast(), addr.IsLoopback():
		return linkLocal
	case siteLocals.Contains(addr.WithZone("")):
		return siteLocal
	}
	return global
}

// commonPrefix returns how many leading bits a source and a destination have
// in common, "up to the length of S's prefix (i.e., the portion of the address
// not including the interface ID)" (RFC 6724, 2.2).
func commonPrefix(source netip.Prefix, dst netip.Addr) int {
	a, b := source.Addr().Unmap().As16(), dst.Unmap().As16()
	length := source.Bits()
	if source.Addr().Is4() {
		length += 96
	}
	n := 0
	for n < 128 && a[n/8] == b[n/8] {
		n += 8
	}
	if n < 128 {
		n += bits.LeadingZeros8(a[n/8] ^ b[n/8])
	}
	return min(n, length)
}
