package wire

import "fmt"

// An ICMPv6Type says what a message is. Types under 128 are errors
// (RFC 4443, 2.1).
type ICMPv6Type uint8

// The types (RFC 4443, 2.1; RFC 2710, 3; RFC 4861, 4; RFC 3810, 5).
const (
	ICMPv6DestinationUnreachable ICMPv6Type = 1
	ICMPv6PacketTooBig           ICMPv6Type = 2
	ICMPv6TimeExceeded           ICMPv6Type = 3
	ICMPv6ParameterProblem       ICMPv6Type = 4
	ICMPv6EchoRequest            ICMPv6Type = 128
	ICMPv6EchoReply              ICMPv6Type = 129
	MulticastListenerQuery       ICMPv6Type = 130
	MulticastListenerReport      ICMPv6Type = 131
	MulticastListenerDone        ICMPv6Type = 132
	ICMPv6RouterSolicitation     ICMPv6Type = 133
	ICMPv6RouterAdvertisement    ICMPv6Type = 134
	NeighborSolicitation         ICMPv6Type = 135
	NeighborAdvertisement        ICMPv6Type = 136
	ICMPv6Redirect               ICMPv6Type = 137
	MulticastListenerReportV2    ICMPv6Type = 143
)

var icmp6Types = map[ICMPv6Type]string{
	ICMPv6DestinationUnreachable: "destination unreachable",
	ICMPv6PacketTooBig:           "packet too big",
	ICMPv6TimeExceeded:           "time exceeded",
	ICMPv6ParameterProblem:       "parameter problem",
	ICMPv6EchoRequest:            "echo request",
	ICMPv6EchoReply:              "echo reply",
	MulticastListenerQuery:       "multicast listener query",
	MulticastListenerReport:      "multicast listener report",
	MulticastListenerDone:        "multicast listener done",
	ICMPv6RouterSolicitation:     "router solicitation",
	ICMPv6RouterAdvertisement:    "router advertisement",
	NeighborSolicitation:         "neighbor solicitation",
	NeighborAdvertisement:        "neighbor advertisement",
	ICMPv6Redirect:               "redirect",
	MulticastListenerReportV2:    "multicast listener report v2",
}

// String returns the type's name, or its number.
func (t ICMPv6Type) String() string {
	if name, ok := icmp6Types[t]; ok {
		return name
	}
	return fmt.Sprintf("ICMPv6 type %d", uint8(t))
}

// IsError reports whether messages of the type tell what became of a packet,
// which they quote (RFC 4443, 2.1: "Error messages are identified as such by a
// zero in the high-order bit of their message Type field values").
func (t ICMPv6Type) IsError() bool { return t < 128 }

// The codes of [ICMPv6DestinationUnreachable] (RFC 4443, 3.1).
const (
	CodeNoRoute            = 0
	CodeProhibited         = 1
	CodeBeyondScope        = 2
	CodeAddressUnreachable = 3
	CodePortUnreachable6   = 4
	CodePolicyFailed       = 5
	CodeRouteRejected      = 6
)

// The codes of [ICMPv6TimeExceeded] (RFC 4443, 3.3).
const (
	CodeHopLimitExceeded   = 0
	CodeReassemblyExceeded = 1
)

// The codes of [ICMPv6ParameterProblem] (RFC 4443, 3.4; RFC 7112, 6.1).
const (
	CodeErroneousHeader    = 0
	CodeUnknownNextHeader  = 1
	CodeUnknownOption      = 2
	CodeHeaderChainMissing = 3
)

var icmp6Codes = map[ICMPv6Type][]string{
	ICMPv6DestinationUnreachable: {
		"no route to the destination", "prohibited by an administrator", "beyond the scope of the source address",
		"address unreachable", "port unreachable", "the source address failed a policy", "the route is rejected",
	},
	ICMPv6TimeExceeded: {"hop limit exceeded in transit", "fragment reassembly time exceeded"},
	ICMPv6ParameterProblem: {
		"erroneous header field", "unrecognized next header", "unrecognized option",
		"the first fragment lacks a part of the header chain",
	},
}

// Text says what type and code of the message mean, in a few words.
func (m *ICMPv6) Text() string {
	if text := nameAt(icmp6Codes[m.Type], m.Code); text != "" {
		return text
	}
	if m.Code != 0 {
		return fmt.Sprintf("%v, code %d", m.Type, m.Code)
	}
	return m.Type.String()
}
