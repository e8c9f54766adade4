package hubbub

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// ParseSubnet reads a subnet: an address and, behind a slash, the length of
// its network part or a mask, such as 172.16.10.0/24 or
// 172.16.10.0/255.255.255.0. The host part must be zero.
func ParseSubnet(s string) (netip.Prefix, error) {
	p, err := ParsePrefix(s)
	if err != nil {
		return p, err
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set in its host part: the subnet is %v", s, p.Masked())
	}
	return p, nil
}

// ParsePrefix reads an address with the length of its network part, or with a
// mask.
func ParsePrefix(s string) (netip.Prefix, error) {
	address, length, ok := strings.Cut(s, "/")
	if !ok {
		return netip.Prefix{}, fmt.Errorf("%q has no network part: write it with a slash, such as %s/24", s, s)
	}
	addr, err := netip.ParseAddr(address)
	if err != nil || !addr.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q does not begin with an IPv4 address, such as 172.16.10.0/24", s)
	}
	if mask, err := netip.ParseAddr(length); err == nil && mask.Is4() {
		n, ok := maskLength(mask)
		if !ok {
			return netip.Prefix{}, fmt.Errorf("%q: the mask %v must be ones, then zeros, such as 255.255.255.0", s, mask)
		}
		return netip.PrefixFrom(addr, n), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q: the network part has 0 to 32 bits, such as /24", s)
	}
	return p, nil
}

// maskLength returns how many ones a mask begins with, if nothing but zeros
// follow.
func maskLength(mask netip.Addr) (int, bool) {
	b := mask.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n := bits.LeadingZeros32(^m)
	return n, m<<n == 0
}

// isHostAddress reports whether an address of a subnet is a machine's, and not
// the subnet's own or its broadcast address.
func isHostAddress(p netip.Prefix, addr netip.Addr) bool {
	if p.Bits() >= 31 || !addr.Is4() {
		return true
	}
	b := addr.As4()
	host := (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])) << p.Bits()
	all := ^uint32(0) << p.Bits()
	return host != 0 && host != all
}
