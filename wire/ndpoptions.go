package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// An NDPOptionType says what an option of a neighbour discovery message is.
type NDPOptionType uint8

// The options that hubbub knows (RFC 4861, 4.6; RFC 3971, 5.3.2; RFC 4191, 2.3;
// RFC 8106, 5).
const (
	SourceLinkAddress NDPOptionType = 1
	TargetLinkAddress NDPOptionType = 2
	PrefixInformation NDPOptionType = 3
	RedirectedHeader  NDPOptionType = 4
	LinkMTU           NDPOptionType = 5
	Nonce             NDPOptionType = 14
	RouteInformation  NDPOptionType = 24
	RecursiveDNS      NDPOptionType = 25
	DNSSearchList     NDPOptionType = 31
)

// String returns the option's name, or its number.
func (t NDPOptionType) String() string {
	switch t {
	case SourceLinkAddress:
		return "source link-layer address"
	case TargetLinkAddress:
		return "target link-layer address"
	case PrefixInformation:
		return "prefix information"
	case RedirectedHeader:
		return "redirected header"
	case LinkMTU:
		return "MTU"
	case Nonce:
		return "nonce"
	case RouteInformation:
		return "route information"
	case RecursiveDNS:
		return "recursive DNS server"
	case DNSSearchList:
		return "DNS search list"
	}
	return fmt.Sprintf("option %d", uint8(t))
}

// An NDPOption is one option as it is in the message, and aliases that. Its
// length counts units of 8 octets, type and length included (RFC 4861, 4.6).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |    Length     |              ...              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type NDPOption []byte

// Type returns the option's type.
func (o NDPOption) Type() NDPOptionType { return NDPOptionType(o[0]) }

// NextNDPOption returns the first of a message's options and those behind it.
// It returns ok false at the end of the list, and at an option whose length
// can't be, which [CheckNDPOptions] tells apart.
func NextNDPOption(options []byte) (option NDPOption, rest []byte, ok bool) {
	if len(options) < 8 {
		return nil, nil, false
	}
	n := 8 * int(options[1])
	if n == 0 || n > len(options) {
		return nil, nil, false
	}
	return options[:n:n], options[n:], true
}

// FindNDPOption returns the first option of a type, nil if there is none.
func FindNDPOption(options []byte, t NDPOptionType) NDPOption {
	for {
		option, rest, ok := NextNDPOption(options)
		if !ok || option.Type() == t {
			return option
		}
		options = rest
	}
}

// CheckNDPOptions reports whether a message's options are well-formed: "Nodes
// MUST silently discard an ND packet that contains an option with length zero"
// (RFC 4861, 4.6).
func CheckNDPOptions(options []byte) bool {
	for len(options) > 0 {
		_, rest, ok := NextNDPOption(options)
		if !ok {
			return false
		}
		options = rest
	}
	return true
}

// LinkAddress returns the MAC address of a source or target link-layer address
// option (RFC 2464, 6).
func (o NDPOption) LinkAddress() (m MAC, ok bool) {
	if len(o) != 8 || o.Type() != SourceLinkAddress && o.Type() != TargetLinkAddress {
		return MAC{}, false
	}
	return MAC(o[2:8]), true
}

// AppendLinkAddress appends a source or target link-layer address option.
func AppendLinkAddress(b []byte, t NDPOptionType, m MAC) []byte {
	return append(append(b, byte(t), 1), m[:]...)
}

// MTU returns the MTU of the link in octets, zero if the option doesn't tell
// it (RFC 4861, 4.6.4).
func (o NDPOption) MTU() uint32 {
	if len(o) != 8 || o.Type() != LinkMTU {
		return 0
	}
	return binary.BigEndian.Uint32(o[4:])
}

// AppendLinkMTU appends an MTU option.
func AppendLinkMTU(b []byte, mtu uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(LinkMTU), 1, 0, 0), mtu)
}

// Forever is a lifetime without an end (RFC 4861, 4.6.2).
const Forever = 0xffffffff

// A PrefixInfo says which addresses are on the link, and may be made by hosts
// for themselves (RFC 4861, 4.6.2).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |    Length     | Prefix Length |L|A| Reserved1 |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Valid Lifetime                        |
//	|                       Preferred Lifetime                      |
//	|                           Reserved2                           |
//	|                       Prefix (16 octets)                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type PrefixInfo struct {
	Prefix           netip.Prefix // masked
	OnLink           bool
	Autonomous       bool   // for stateless autoconfiguration
	Valid, Preferred uint32 // seconds, or Forever
}

const (
	prefixInfoLen = 32
	piOnLink      = 0x80
	piAutonomous  = 0x40
)

// PrefixInfo reads a prefix information option. It reports false for another,
// and for a prefix longer than an address.
func (o NDPOption) PrefixInfo() (p PrefixInfo, ok bool) {
	if len(o) != prefixInfoLen || o.Type() != PrefixInformation || o[2] > 128 {
		return PrefixInfo{}, false
	}
	prefix := netip.PrefixFrom(netip.AddrFrom16([16]byte(o[16:])), int(o[2]))
	return PrefixInfo{
		Prefix: prefix.Masked(), OnLink: o[3]&piOnLink != 0, Autonomous: o[3]&piAutonomous != 0,
		Valid: binary.BigEndian.Uint32(o[4:]), Preferred: binary.BigEndian.Uint32(o[8:]),
	}, true
}

// AppendTo appends the option. The prefix must be one of IPv6.
func (p *PrefixInfo) AppendTo(b []byte) []byte {
	flags := uint8(0)
	if p.OnLink {
		flags |= piOnLink
	}
	if p.Autonomous {
		flags |= piAutonomous
	}
	b = append(b, byte(PrefixInformation), prefixInfoLen/8, byte(p.Prefix.Bits()), flags)
	b = binary.BigEndian.AppendUint32(b, p.Valid)
	b = binary.BigEndian.AppendUint32(b, p.Preferred)
	addr := p.Prefix.Masked().Addr().As16()
	return append(append(b, 0, 0, 0, 0), addr[:]...)
}

// Redirected returns as much of the packet that a redirect is about as the
// redirected header option has, nil for another option (RFC 4861, 4.6.3).
func (o NDPOption) Redirected() []byte {
	if o.Type() != RedirectedHeader {
		return nil
	}
	return o[8:]
}

// AppendRedirected appends a redirected header option with the packet that a
// redirect is about, cut to a multiple of 8 octets.
func AppendRedirected(b, packet []byte) []byte {
	packet = packet[:min(len(packet), 8*254)&^7]
	b = append(b, byte(RedirectedHeader), byte(1+len(packet)/8), 0, 0, 0, 0, 0, 0)
	return append(b, packet...)
}

// Nonce returns the number that tells a node's own solicitation from another's
// (RFC 7527, 4.1; RFC 3971, 5.3.2), nil for another option.
func (o NDPOption) Nonce() []byte {
	if o.Type() != Nonce {
		return nil
	}
	return o[2:]
}

// AppendNonce appends a nonce option of the least length.
func AppendNonce(b []byte, nonce [6]byte) []byte {
	return append(append(b, byte(Nonce), 1), nonce[:]...)
}

// DNSServers appends the addresses of a recursive DNS server option to dst,
// and returns them with the seconds that they may be used (RFC 8106, 5.1). It
// reports false for another option.
func (o NDPOption) DNSServers(dst []netip.Addr) (servers []netip.Addr, lifetime uint32, ok bool) {
	if o.Type() != RecursiveDNS || len(o) < 24 || len(o)%16 != 8 {
		return dst, 0, false
	}
	for rest := o[8:]; len(rest) > 0; rest = rest[16:] {
		dst = append(dst, netip.AddrFrom16([16]byte(rest)))
	}
	return dst, binary.BigEndian.Uint32(o[4:]), true
}

// AppendDNSServers appends a recursive DNS server option. An option has room
// for 127 servers; the others are left out.
func AppendDNSServers(b []byte, lifetime uint32, servers ...netip.Addr) []byte {
	servers = servers[:min(len(servers), 127)]
	b = append(b, byte(RecursiveDNS), byte(1+2*len(servers)), 0, 0)
	b = binary.BigEndian.AppendUint32(b, lifetime)
	for _, s := range servers {
		addr := s.As16()
		b = append(b, addr[:]...)
	}
	return b
}

// SearchList returns the domains of a DNS search list option, at most so many,
// with the seconds that they may be used (RFC 8106, 5.2). It reports false for
// another option.
func (o NDPOption) SearchList(most int) (domains []string, lifetime uint32, ok bool) {
	if o.Type() != DNSSearchList || len(o) < 16 {
		return nil, 0, false
	}
	return ParseDNSNames(o[8:], most), binary.BigEndian.Uint32(o[4:]), true
}

// AppendSearchList appends a DNS search list option, with zeros behind the names
// up to a multiple of 8 octets (RFC 8106, 5.2). What is longer than an option can
// be is left out.
func AppendSearchList(b []byte, lifetime uint32, domains ...string) []byte {
	const longest = 255*8 - 8
	names := AppendDNSNames(nil, domains...)
	for len(names) > longest {
		domains = domains[:len(domains)-1]
		names = AppendDNSNames(nil, domains...)
	}
	for len(names)%8 != 0 {
		names = append(names, 0)
	}
	b = append(b, byte(DNSSearchList), byte(1+len(names)/8), 0, 0)
	b = binary.BigEndian.AppendUint32(b, lifetime)
	return append(b, names...)
}
