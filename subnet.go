package hubbub

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// ParseSubnet reads a subnet: an address and, behind a slash, the length of
// its network part or a mask, such as 172.16.10.0/24,
// 172.16.10.0/255.255.255.0 or 2001:db8:10::/64. The host part must be zero.
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

// ParseSubnets reads one subnet, or one of each family with a comma or a space
// between, such as "172.16.10.0/24, 2001:db8:10::/64". A family that isn't there
// has the zero Prefix.
func ParseSubnets(s string) (four, six netip.Prefix, err error) {
	fields := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	if len(fields) == 0 {
		fields = []string{s}
	}
	for _, text := range fields {
		p, err := ParseSubnet(text)
		switch {
		case err != nil:
			return four, six, err
		case p.Addr().Is4() && !four.IsValid():
			four = p
		case p.Addr().Is6() && !six.IsValid():
			six = p
		default:
			return four, six, fmt.Errorf("%q has two subnets of one family: a LAN has one of IPv4, one of IPv6, or one of each", s)
		}
	}
	return four, six, nil
}

// ParsePrefix reads an address with the length of its network part, or, for
// IPv4, with a mask.
func ParsePrefix(s string) (netip.Prefix, error) {
	address, length, ok := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(address)
	switch {
	case !ok && err == nil && addr.Is6():
		return netip.Prefix{}, fmt.Errorf("%q has no network part: write it with a slash, such as %s/64", s, s)
	case !ok:
		return netip.Prefix{}, fmt.Errorf("%q has no network part: write it with a slash, such as %s/24", s, s)
	case err != nil || addr.Is4In6() || addr.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("%q does not begin with an IP address, such as 172.16.10.0/24 or 2001:db8:10::/64", s)
	case addr.Is6():
		return parsePrefix6(s)
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

func parsePrefix6(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q: the network part has 0 to 128 bits, such as /64", s)
	case p.Addr().IsMulticast() || p.Addr().IsLoopback():
		return netip.Prefix{}, fmt.Errorf("%q: no machine of a subnet can have such an address", s)
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
	if addr.Is6() {
		// RFC 4291, 2.6.1: the subnet's own address is that of its routers.
		return p.Bits() >= 127 || addr != p.Masked().Addr()
	}
	if p.Bits() >= 31 {
		return true
	}
	b := addr.As4()
	host := (uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])) << p.Bits()
	all := ^uint32(0) << p.Bits()
	return host != 0 && host != all
}
