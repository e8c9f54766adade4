package neigh

import (
	"net/netip"

	"hubbub/wire"
)

// An Invalid says why a neighbour discovery message is discarded.
type Invalid uint8

// The reasons.
const (
	Valid Invalid = iota
	Forwarded
	HasCode
	BadTarget
	BadOptions
	NotSolicitedNode
	LinkAddressOfNobody
	SolicitedGroup
	WasFragmented
	NotLinkLocal
	numInvalid
)

var invalidTexts = [numInvalid]string{
	Forwarded:           "its hop limit is not 255: it may come from another link",
	HasCode:             "its code is not 0",
	BadTarget:           "its target is a multicast address",
	BadOptions:          "an option has no length, or too great a one",
	NotSolicitedNode:    "it comes from nobody, and goes to no solicited-node group",
	LinkAddressOfNobody: "it comes from nobody, and tells a link address",
	SolicitedGroup:      "it went to a group, and says that it is an answer",
	WasFragmented:       "it came in fragments",
	NotLinkLocal:        "its source is not a link-local address",
}

// String returns the reason as a short sentence without a capital letter.
func (i Invalid) String() string { return invalidTexts[i] }

// Envelope is what the packet of a message says.
type Envelope struct {
	Src, Dst   netip.Addr
	HopLimit   uint8
	Code       uint8
	Fragmented bool // its packet came with a fragment header
}

// check finds what is wrong with any neighbour discovery message: the rules
// that are the same for all (RFC 4861, 6.1 and 7.1).
//
// RFC 6980, 5: "Nodes MUST silently ignore the following Neighbor Discovery
// [...] messages if the packets carrying them include an IPv6 Fragmentation
// Header".
func (e *Envelope) check(options []byte) Invalid {
	switch {
	case e.HopLimit != wire.NDPHopLimit:
		return Forwarded
	case e.Code != 0:
		return HasCode
	case e.Fragmented:
		return WasFragmented
	case !wire.CheckNDPOptions(options):
		return BadOptions
	}
	return Valid
}

// CheckSolicitation finds what is wrong with a neighbour solicitation
// (RFC 4861, 7.1.1).
func (e *Envelope) CheckSolicitation(n *wire.NeighborMessage) Invalid {
	nobody := e.Src.IsUnspecified()
	switch why := e.check(n.Options); {
	case why != Valid:
		return why
	case n.Target.IsMulticast():
		return BadTarget
	case nobody && !wire.IsSolicitedNode(e.Dst):
		return NotSolicitedNode
	case nobody && wire.FindNDPOption(n.Options, wire.SourceLinkAddress) != nil:
		return LinkAddressOfNobody
	}
	return Valid
}

// CheckAdvertisement finds what is wrong with a neighbour advertisement
// (RFC 4861, 7.1.2).
func (e *Envelope) CheckAdvertisement(n *wire.NeighborMessage) Invalid {
	switch why := e.check(n.Options); {
	case why != Valid:
		return why
	case n.Target.IsMulticast():
		return BadTarget
	case e.Dst.IsMulticast() && n.Solicited:
		return SolicitedGroup
	}
	return Valid
}

// CheckRouterSolicitation finds what is wrong with a router solicitation
// (RFC 4861, 6.1.1).
func (e *Envelope) CheckRouterSolicitation(options []byte) Invalid {
	why := e.check(options)
	if why == Valid && e.Src.IsUnspecified() && wire.FindNDPOption(options, wire.SourceLinkAddress) != nil {
		return LinkAddressOfNobody
	}
	return why
}

// CheckRouterAdvert finds what is wrong with a router advertisement: "IP Source
// Address MUST be a link-local address. Routers must use their link-local
// address as the source for Router Advertisement and Redirect messages so that
// hosts can uniquely identify routers." (RFC 4861, 6.1.2)
func (e *Envelope) CheckRouterAdvert(options []byte) Invalid {
	why := e.check(options)
	if why == Valid && !e.Src.IsLinkLocalUnicast() {
		return NotLinkLocal
	}
	return why
}
