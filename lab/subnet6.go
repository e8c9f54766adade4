package lab

import (
	"fmt"
	"net/netip"
	"strings"

	"hubbub/network/route"
	"hubbub/wire"
)

// and6 is And for IPv6, in hexadecimal digits: of 128 bits hardly anybody wants
// to see each.
func and6(p netip.Prefix) string {
	var b strings.Builder
	row := func(sign string, a netip.Addr) { fmt.Fprintf(&b, "  %-3s %s  %v\n", sign, a.StringExpanded(), a) }
	row("", p.Addr())
	row("AND", route.Mask(p))
	row("=", p.Masked().Addr())
	return b.String()
}

// describe6 is DescribeSubnet for IPv6.
func describe6(p netip.Prefix) string {
	network := p.Masked()
	first, last := hostRange(network)
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("address", "%v", p.Addr())
	row("kind", "%s", kindOf(p.Addr()))
	row("prefix", "%v, of %d bits, and an interface identifier of %d", network, p.Bits(), 128-p.Bits())
	if p.Bits() < 127 {
		row("machines", "%v to %v: of the 2^%d addresses the first is that of the subnet's routers (RFC 4291, 2.6.1)", first, last, 128-p.Bits())
	}
	if !p.Addr().IsMulticast() {
		group := wire.SolicitedNode(p.Addr())
		row("asked for", "in the group %v, at the MAC address %v (RFC 4291, 2.7.1)", group, wire.MulticastMAC(group))
	}
	b.WriteString("\n" + And(p))
	return b.String()
}

// kindOf says how far an address counts (RFC 4291, 2.4).
func kindOf(a netip.Addr) string {
	b := a.As16()
	switch {
	case a.IsUnspecified():
		return "the unspecified address: nobody's"
	case a.IsLoopback():
		return "loopback: the machine itself"
	case a.IsMulticast():
		return "a group of machines (RFC 4291, 2.7)"
	case a.IsLinkLocalUnicast():
		return "link-local: it counts on its own link only (RFC 4291, 2.5.6)"
	case b[0]&0xfe == 0xfc:
		return "unique local: it counts within a site (RFC 4193, 3)"
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8:
		return "for documentation: it counts nowhere (RFC 3849)"
	case b[0]&0xe0 == 0x20:
		return "global: it counts everywhere (RFC 4291, 2.5.4)"
	}
	return "reserved (RFC 4291, 2.4)"
}
