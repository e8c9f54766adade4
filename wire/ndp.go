package wire

import (
	"encoding/binary"
	"net/netip"
)

// NDPHopLimit is the hop limit of every neighbour discovery message: a packet
// that has it was not forwarded by any router, so it comes from this link
// (RFC 4861, 3.1).
const NDPHopLimit = 255

var (
	errRouterShort   = &fault{"wire: the router advertisement is cut off: it has 16 octets before its options", ErrShort}
	errNeighborShort = &fault{"wire: the neighbor discovery message is cut off: it has 24 octets before its options", ErrShort}
	errRedirectShort = &fault{"wire: the ICMPv6 redirect is cut off: it has 40 octets before its options", ErrShort}
)

// RouterAdvert is what a router advertisement says (RFC 4861, 4.2; the
// preference is that of RFC 4191, 2.2). A router solicitation (RFC 4861, 4.1)
// says nothing but its options, which follow its header.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Cur Hop Limit |M|O|H|Prf|Rsvd |       Router Lifetime         | ICMPv6.Rest
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Reachable Time                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          Retrans Timer                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
type RouterAdvert struct {
	HopLimit   uint8  // for what hosts send; 0: not told
	Managed    bool   // addresses can be had by DHCPv6
	Other      bool   // other configuration can
	Preference int8   // 1 high, 0 medium, -1 low (RFC 4191, 2.1)
	Lifetime   uint16 // seconds as a default router; 0: it is none
	Reachable  uint32 // milliseconds; 0: not told
	Retrans    uint32 // milliseconds between solicitations; 0: not told
	Options    []byte // see NextNDPOption
}

const (
	raManaged = 0x80
	raOther   = 0x40
	raPrefs   = 3 // where the two bits of the preference begin
)

// ParseRouterAdvert reads the message whose header m is and whose payload
// follows it. The error is an [ErrShort].
func ParseRouterAdvert(m *ICMPv6, payload []byte) (RouterAdvert, error) {
	if len(payload) < 8 {
		return RouterAdvert{}, errRouterShort
	}
	return RouterAdvert{
		HopLimit: m.Rest[0], Managed: m.Rest[1]&raManaged != 0, Other: m.Rest[1]&raOther != 0,
		Preference: preferenceOf(m.Rest[1] >> raPrefs), Lifetime: binary.BigEndian.Uint16(m.Rest[2:]),
		Reachable: binary.BigEndian.Uint32(payload), Retrans: binary.BigEndian.Uint32(payload[4:]),
		Options: payload[8:],
	}, nil
}

// preferenceOf reads two bits as a signed number: "10 Reserved - MUST NOT be
// sent", and medium where it was all the same (RFC 4191, 2.1 and 2.2).
func preferenceOf(bits uint8) int8 {
	switch bits & 3 {
	case 1:
		return 1
	case 3:
		return -1
	}
	return 0
}

// Message appends the payload to b and returns it with the header.
func (a *RouterAdvert) Message(b []byte) (ICMPv6, []byte) {
	m := ICMPv6{Type: ICMPv6RouterAdvertisement}
	flags := uint8(a.Preference) & 3 << raPrefs
	if a.Managed {
		flags |= raManaged
	}
	if a.Other {
		flags |= raOther
	}
	m.Rest[0], m.Rest[1] = a.HopLimit, flags
	binary.BigEndian.PutUint16(m.Rest[2:], a.Lifetime)
	b = binary.BigEndian.AppendUint32(b, a.Reachable)
	b = binary.BigEndian.AppendUint32(b, a.Retrans)
	return m, append(b, a.Options...)
}

// NeighborMessage is what a neighbour solicitation or advertisement says
// (RFC 4861, 4.3 and 4.4). A solicitation has no flags.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|R|S|O|                     Reserved                            | ICMPv6.Rest
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Target Address (16 octets)              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
type NeighborMessage struct {
	Target    netip.Addr
	Router    bool // the sender is a router
	Solicited bool // it answers a solicitation
	Override  bool // it is to replace a link address that is known
	Options   []byte
}

const (
	naRouter    = 0x80
	naSolicited = 0x40
	naOverride  = 0x20
)

// ParseNeighborMessage reads the message whose header m is and whose payload
// follows it. The error is an [ErrShort].
func ParseNeighborMessage(m *ICMPv6, payload []byte) (NeighborMessage, error) {
	if len(payload) < 16 {
		return NeighborMessage{}, errNeighborShort
	}
	n := NeighborMessage{Target: netip.AddrFrom16([16]byte(payload)), Options: payload[16:]}
	if m.Type == NeighborAdvertisement {
		flags := m.Rest[0]
		n.Router, n.Solicited, n.Override = flags&naRouter != 0, flags&naSolicited != 0, flags&naOverride != 0
	}
	return n, nil
}

// Message appends the payload of a message of that type to b and returns it
// with the header.
func (n *NeighborMessage) Message(t ICMPv6Type, b []byte) (ICMPv6, []byte) {
	m := ICMPv6{Type: t}
	for _, flag := range [...]struct {
		on  bool
		bit uint8
	}{{n.Router, naRouter}, {n.Solicited, naSolicited}, {n.Override, naOverride}} {
		if flag.on {
			m.Rest[0] |= flag.bit
		}
	}
	target := n.Target.As16()
	return m, append(append(b, target[:]...), n.Options...)
}

// RedirectMessage is what an ICMPv6 redirect says: packets to Dst go to Target
// from now on, which is Dst itself if that is on the link (RFC 4861, 4.5).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                           Reserved                            | ICMPv6.Rest
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       Target Address (16 octets)              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                     Destination Address (16 octets)           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   Options ...
//	+-+-+-+-+-+-+-+-+-+-+-+-
type RedirectMessage struct {
	Target, Dst netip.Addr
	Options     []byte
}

// ParseRedirect reads what follows the header of a redirect. The error is an
// [ErrShort].
func ParseRedirect(payload []byte) (RedirectMessage, error) {
	if len(payload) < 32 {
		return RedirectMessage{}, errRedirectShort
	}
	return RedirectMessage{
		Target: netip.AddrFrom16([16]byte(payload)), Dst: netip.AddrFrom16([16]byte(payload[16:])),
		Options: payload[32:],
	}, nil
}

// Message appends the payload to b and returns it with the header.
func (r *RedirectMessage) Message(b []byte) (ICMPv6, []byte) {
	target, dst := r.Target.As16(), r.Dst.As16()
	b = append(append(b, target[:]...), dst[:]...)
	return ICMPv6{Type: ICMPv6Redirect}, append(b, r.Options...)
}
