package wire

import "net/netip"

// The groups of IPv6 that every node, and every router, of a link is in
// (RFC 4291, 2.7.1).
var (
	AllNodes   = netip.MustParseAddr("ff02::1")
	AllRouters = netip.MustParseAddr("ff02::2")
	// AllMLDv2Routers get the reports of MLDv2 (RFC 3810, 5.2.14).
	AllMLDv2Routers = netip.MustParseAddr("ff02::16")
)

// The groups of IPv4 that every host, and every router, of a link is in
// (RFC 1112, 4; RFC 2236, 9), and that which gets the reports of IGMPv3
// (RFC 3376, 4.2.14).
var (
	AllHostsIPv4     = netip.MustParseAddr("224.0.0.1")
	AllRoutersIPv4   = netip.MustParseAddr("224.0.0.2")
	AllIGMPv3Routers = netip.MustParseAddr("224.0.0.22")
)

// MulticastMAC returns the MAC address to which packets for a group go: for
// IPv4, 01:00:5e and the lower 23 bits (RFC 1112, 6.4), for IPv6, 33:33 and
// the lower 32 (RFC 2464, 7).
func MulticastMAC(group netip.Addr) MAC {
	if group.Is4() {
		b := group.As4()
		return MAC{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}
	}
	b := group.As16()
	return MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// SolicitedNode returns the group in which the owner of an IPv6 address is
// asked for its MAC address: ff02::1:ff00:0/104 with the address's last 24
// bits (RFC 4291, 2.7.1). So hardly anybody else hears it.
func SolicitedNode(addr netip.Addr) netip.Addr {
	b := addr.As16()
	return netip.AddrFrom16([16]byte{0xff, 0x02, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}

// IsSolicitedNode reports whether a group is the solicited-node group of some
// address.
func IsSolicitedNode(group netip.Addr) bool { return group.Is6() && SolicitedNode(group) == group }
