package wire

import "encoding/binary"

// The extension headers, named in the Next Header field of the header before
// (RFC 8200, 4).
const (
	ProtocolHopByHop    Protocol = 0
	ProtocolRouting     Protocol = 43
	ProtocolFragment    Protocol = 44
	ProtocolNone        Protocol = 59 // nothing follows (RFC 8200, 4.7)
	ProtocolDestOptions Protocol = 60
)

// MaxIPv6Extensions is how many extension headers a packet may have. RFC 8200,
// 4.1 names six places where a sender puts one; a chain that is longer is no
// sender's, and would cost every receiver time (RFC 8504, 5.3).
const MaxIPv6Extensions = 8

// FragmentHeaderLen is the length of a fragment header in octets.
const FragmentHeaderLen = 8

var (
	errExtensionShort = &fault{"wire: an IPv6 extension header is cut off", ErrShort}
	errExtensionMany  = &fault{"wire: there are more IPv6 extension headers than a packet may have", ErrLength}
)

// Fragment is an IPv6 fragment header (RFC 8200, 4.5).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Identification                        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type Fragment struct {
	NextHeader Protocol // the first header of the fragmentable part
	Offset     int      // octets, a multiple of 8
	More       bool     // it is not the last
	ID         uint32
}

// IsAtomic reports whether the fragment is the whole packet (RFC 6946, 1).
func (f *Fragment) IsAtomic() bool { return f.Offset == 0 && !f.More }

// AppendTo appends the header.
func (f *Fragment) AppendTo(b []byte) []byte {
	field := uint16(f.Offset) &^ 7
	if f.More {
		field |= 1
	}
	b = append(b, byte(f.NextHeader), 0)
	b = binary.BigEndian.AppendUint16(b, field)
	return binary.BigEndian.AppendUint32(b, f.ID)
}

func fragmentOf(b []byte) Fragment {
	field := binary.BigEndian.Uint16(b[2:])
	return Fragment{
		NextHeader: Protocol(b[0]), Offset: int(field &^ 7), More: field&1 != 0, ID: binary.BigEndian.Uint32(b[4:]),
	}
}

// IPv6Extensions is what stands between a packet's IPv6 header and the header
// of the layer above. The options alias the input. Places are offsets in the
// packet, counted from the IPv6 header's first octet, as an ICMPv6 parameter
// problem points there; the place of something that isn't there is zero.
type IPv6Extensions struct {
	Len         int      // octets of all of them
	Upper       Protocol // what follows, or ProtocolNone; of a fragment but the first it is what its packet has
	UpperNamed  int      // the place of the Next Header field that names Upper
	HopByHop    []byte   // the options for every node on the way
	HopByHopAt  int      // the place of the first of them
	Dest        []byte   // the options for the destination, those that stand last
	DestAt      int
	EarlyDest   []byte // those before a routing header (RFC 8200, 4.1)
	EarlyDestAt int
	Routing     bool
	RoutingType uint8 // at RoutingAt
	Segments    uint8 // that are left
	RoutingAt   int   // the place of the type
	Fragmented  bool
	Fragment    Fragment
	FragmentAt  int // the place of the fragment header
	FragmentBy  int // the place of the Next Header field that names it
}

// ParseIPv6Extensions walks over the extension headers with which b begins,
// the first of which is named next, and returns what follows them. It stops
// at a fragment header whose packet isn't in one piece: what follows that is
// no header unless the offset is zero, and then the chain goes on
// (RFC 7112, 5: "the entire IPv6 header chain" is in the first fragment). It
// stops too where a hop-by-hop header isn't the first: then Upper is
// [ProtocolHopByHop], which no layer above has, as RFC 8200, 4 demands.
//
// The error is an [ErrShort], or an [ErrLength] for a chain that is too long.
func ParseIPv6Extensions(next Protocol, b []byte) (IPv6Extensions, []byte, error) {
	x := IPv6Extensions{Upper: next, UpperNamed: 6}
	for range MaxIPv6Extensions {
		if x.ends() {
			return x, b, nil
		}
		n := extensionLen(x.Upper, b)
		if n > len(b) {
			return IPv6Extensions{}, nil, errExtensionShort
		}
		x.take(b[:n:n])
		b = b[n:]
	}
	if !x.ends() {
		return IPv6Extensions{}, nil, errExtensionMany
	}
	return x, b, nil
}

// ends reports whether the chain has come to its end.
func (x *IPv6Extensions) ends() bool {
	return !x.Upper.isExtension() || x.Upper == ProtocolHopByHop && x.Len > 0 ||
		x.Fragmented && x.Fragment.Offset != 0
}

// isExtension reports whether a Next Header names an extension header that
// this package walks over.
func (p Protocol) isExtension() bool {
	switch p {
	case ProtocolHopByHop, ProtocolRouting, ProtocolFragment, ProtocolDestOptions:
		return true
	}
	return false
}

// extensionLen returns the length of the header that b begins with, more than
// b has if that is cut off.
func extensionLen(kind Protocol, b []byte) int {
	switch {
	case kind == ProtocolFragment:
		return FragmentHeaderLen
	case len(b) < 8:
		return 8
	}
	return 8 + 8*int(b[1])
}

// take notes the extension header b, which is whole.
func (x *IPv6Extensions) take(b []byte) {
	at := IPv6HeaderLen + x.Len
	switch x.Upper {
	case ProtocolHopByHop:
		x.HopByHop, x.HopByHopAt = b[2:], at+2
	case ProtocolDestOptions:
		x.Dest, x.DestAt = b[2:], at+2
	case ProtocolRouting:
		x.EarlyDest, x.EarlyDestAt, x.Dest, x.DestAt = x.Dest, x.DestAt, nil, 0
		x.Routing, x.RoutingType, x.Segments, x.RoutingAt = true, b[2], b[3], at+2
	case ProtocolFragment:
		x.Fragmented, x.Fragment, x.FragmentAt, x.FragmentBy = true, fragmentOf(b), at, x.UpperNamed
	}
	x.Upper, x.UpperNamed = Protocol(b[0]), at
	x.Len += len(b)
}
