package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// network returns an IPv4 prefix as a number, and its mask.
func network(p netip.Prefix) (addr, mask uint32) {
	return number32(p.Addr()), ^uint32(0) << (32 - p.Bits())
}

func number32(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func addr32(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

// Mask returns the mask of an IPv4 prefix as an address, such as
// 255.255.255.0 for one of 24 bits.
func Mask(p netip.Prefix) netip.Addr {
	_, mask := network(p)
	return addr32(mask)
}

// Broadcast returns the address that means every machine of an IPv4 subnet:
// its last one.
func Broadcast(p netip.Prefix) netip.Addr {
	addr, mask := network(p)
	return addr32(addr | ^mask)
}

// hostRange returns the first and the last address of a subnet that a machine
// can have. Of an IPv6 subnet the first is that of its routers (RFC 4291,
// 2.6.1).
func hostRange(p netip.Prefix) (first, last netip.Addr) {
	if p.Addr().Is6() {
		return hostRange6(p.Masked())
	}
	first, last = p.Masked().Addr(), Broadcast(p)
	if p.Bits() >= 31 { // RFC 3021, 2.1: both addresses are machines'
		return first, last
	}
	return first.Next(), last.Prev()
}

// isHostAddress reports whether an address of a subnet can be a machine's.
func isHostAddress(p netip.Prefix, addr netip.Addr) bool {
	first, last := hostRange(p)
	return !addr.Less(first) && !last.Less(addr)
}

func hostRange6(p netip.Prefix) (first, last netip.Addr) {
	b := p.Addr().As16()
	for bit := p.Bits(); bit < 128; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	first, last = p.Addr(), netip.AddrFrom16(b)
	if p.Bits() < 127 {
		first = first.Next()
	}
	return first, last
}

// Bits returns the bits of an IPv4 address, eight to a group, with dots
// between: 10101100.00010000.00001010.00000001.
func Bits(a netip.Addr) string {
	b := a.As4()
	return fmt.Sprintf("%08b.%08b.%08b.%08b", b[0], b[1], b[2], b[3])
}

// And prints how the network that an address belongs to is found: the bits of
// the address and of the mask, one below the other, and what both have.
func And(p netip.Prefix) string {
	if p.Addr().Is6() {
		return and6(p)
	}
	mask, result := Mask(p), p.Masked().Addr()
	width := max(len(p.Addr().String()), len(mask.String()), len(result.String()))
	var b strings.Builder
	row := func(sign string, a netip.Addr) { fmt.Fprintf(&b, "  %-3s %-*v  %s\n", sign, width, a, Bits(a)) }
	row("", p.Addr())
	row("AND", mask)
	row("=", result)
	return b.String()
}

// DescribeSubnet prints all that an address with the length of its network
// part tells: the mask, the network, its machines and its broadcast address.
func DescribeSubnet(p netip.Prefix) string {
	if p.Addr().Is6() {
		return describe6(p)
	}
	network := p.Masked()
	first, last := hostRange(network)
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("address", "%v", p.Addr())
	row("mask", "%v, a network part of %d bits and a host part of %d", Mask(p), p.Bits(), 32-p.Bits())
	row("network", "%v", network)
	row("machines", "%s", machines(network, first, last))
	if network.Bits() < 31 {
		row("broadcast", "%v", Broadcast(network))
	}
	b.WriteString("\n" + And(p))
	b.WriteString("\n" + role(p, first, last))
	return b.String()
}

// machines says who has room in a subnet.
func machines(p netip.Prefix, first, last netip.Addr) string {
	switch bits := 32 - p.Bits(); bits {
	case 0:
		return fmt.Sprintf("%v, one alone", first)
	case 1:
		return fmt.Sprintf("%v and %v, at the two ends of a line (RFC 3021)", first, last)
	default:
		return fmt.Sprintf("%v to %v, %d: of the 2^%d addresses the first names the network and the last means everybody",
			first, last, uint64(1)<<bits-2, bits)
	}
}

// role says what the address itself is in its network.
func role(p netip.Prefix, first, last netip.Addr) string {
	addr := p.Addr()
	switch {
	case !addr.Less(first) && !last.Less(addr):
		return fmt.Sprintf("%v can be a machine's address.\n", addr)
	case addr == p.Masked().Addr():
		return fmt.Sprintf("%v is the name of the network, no machine's address.\n", addr)
	}
	return fmt.Sprintf("%v means every machine of the network; it is no machine's address.\n", addr)
}

// Compare prints whether a machine with the address a finds b in its own
// subnet, and why: the binary AND of both with a's mask.
func Compare(a netip.Prefix, b netip.Addr) string {
	other := netip.PrefixFrom(b, a.Bits())
	var s strings.Builder
	s.WriteString(And(a) + "\n" + And(other) + "\n")
	if a.Masked() == other.Masked() {
		fmt.Fprintf(&s, "Both results are %v: %v and %v are in the same subnet.\n", a.Masked().Addr(), a.Addr(), b)
	} else {
		fmt.Fprintf(&s, "The results differ, %v and %v: %v and %v are in different subnets.\n",
			a.Masked().Addr(), other.Masked().Addr(), a.Addr(), b)
	}
	return s.String()
}
