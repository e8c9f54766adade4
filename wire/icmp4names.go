package wire

import "fmt"

// An ICMPv4Type says what a message is.
type ICMPv4Type uint8

// The types (RFC 792; RFC 1256, 3; RFC 6918, 2 for those that are obsolete).
const (
	EchoReply              ICMPv4Type = 0
	DestinationUnreachable ICMPv4Type = 3
	SourceQuench           ICMPv4Type = 4 // obsolete: RFC 6633, 1
	Redirect               ICMPv4Type = 5
	Echo                   ICMPv4Type = 8
	RouterAdvertisement    ICMPv4Type = 9
	RouterSolicitation     ICMPv4Type = 10
	TimeExceeded           ICMPv4Type = 11
	ParameterProblem       ICMPv4Type = 12
	TimestampRequest       ICMPv4Type = 13
	TimestampReply         ICMPv4Type = 14
	InformationRequest     ICMPv4Type = 15 // obsolete
	InformationReply       ICMPv4Type = 16 // obsolete
	AddressMaskRequest     ICMPv4Type = 17 // obsolete
	AddressMaskReply       ICMPv4Type = 18 // obsolete
)

var icmpTypes = [...]string{
	EchoReply:              "echo reply",
	DestinationUnreachable: "destination unreachable",
	SourceQuench:           "source quench",
	Redirect:               "redirect",
	Echo:                   "echo request",
	RouterAdvertisement:    "router advertisement",
	RouterSolicitation:     "router solicitation",
	TimeExceeded:           "time exceeded",
	ParameterProblem:       "parameter problem",
	TimestampRequest:       "timestamp request",
	TimestampReply:         "timestamp reply",
	InformationRequest:     "information request",
	InformationReply:       "information reply",
	AddressMaskRequest:     "address mask request",
	AddressMaskReply:       "address mask reply",
}

// String returns the type's name, or its number.
func (t ICMPv4Type) String() string {
	if name := nameAt(icmpTypes[:], uint8(t)); name != "" {
		return name
	}
	return fmt.Sprintf("ICMP type %d", uint8(t))
}

// IsError reports whether messages of the type tell what became of a packet,
// which they quote (RFC 1122, 3.2.2).
func (t ICMPv4Type) IsError() bool {
	switch t {
	case DestinationUnreachable, SourceQuench, Redirect, TimeExceeded, ParameterProblem:
		return true
	}
	return false
}

// The codes of [DestinationUnreachable] (RFC 1122, 3.2.2.1; RFC 1812, 5.2.7.1).
const (
	CodeNetUnreachable          = 0
	CodeHostUnreachable         = 1
	CodeProtocolUnreachable     = 2
	CodePortUnreachable         = 3
	CodeFragmentationNeeded     = 4
	CodeSourceRouteFailed       = 5
	CodeNetUnknown              = 6
	CodeHostUnknown             = 7
	CodeSourceIsolated          = 8
	CodeNetProhibited           = 9
	CodeHostProhibited          = 10
	CodeNetUnreachableTOS       = 11
	CodeHostUnreachableTOS      = 12
	CodeCommunicationProhibited = 13
	CodePrecedenceViolation     = 14
	CodePrecedenceCutoff        = 15
)

// The codes of [Redirect] (RFC 1812, 5.2.7.2), of [TimeExceeded] (RFC 792) and
// of [ParameterProblem] (RFC 1122, 3.2.2.5).
const (
	CodeRedirectNet     = 0
	CodeRedirectHost    = 1
	CodeRedirectNetTOS  = 2
	CodeRedirectHostTOS = 3

	CodeTTLExceeded            = 0
	CodeReassemblyTimeExceeded = 1

	CodePointer       = 0
	CodeOptionMissing = 1
	CodeBadLength     = 2
)

var (
	unreachableCodes = [...]string{
		CodeNetUnreachable:          "network unreachable",
		CodeHostUnreachable:         "host unreachable",
		CodeProtocolUnreachable:     "protocol unreachable",
		CodePortUnreachable:         "port unreachable",
		CodeFragmentationNeeded:     "fragmentation needed and DF set",
		CodeSourceRouteFailed:       "source route failed",
		CodeNetUnknown:              "destination network unknown",
		CodeHostUnknown:             "destination host unknown",
		CodeSourceIsolated:          "source host isolated",
		CodeNetProhibited:           "network administratively prohibited",
		CodeHostProhibited:          "host administratively prohibited",
		CodeNetUnreachableTOS:       "network unreachable for this type of service",
		CodeHostUnreachableTOS:      "host unreachable for this type of service",
		CodeCommunicationProhibited: "communication administratively prohibited",
		CodePrecedenceViolation:     "host precedence violation",
		CodePrecedenceCutoff:        "precedence cutoff in effect",
	}
	redirectCodes = [...]string{
		CodeRedirectNet:     "redirect for the network",
		CodeRedirectHost:    "redirect for the host",
		CodeRedirectNetTOS:  "redirect for the type of service and network",
		CodeRedirectHostTOS: "redirect for the type of service and host",
	}
	exceededCodes = [...]string{
		CodeTTLExceeded:            "time to live exceeded in transit",
		CodeReassemblyTimeExceeded: "fragment reassembly time exceeded",
	}
	problemCodes = [...]string{
		CodePointer:       "parameter problem",
		CodeOptionMissing: "required option missing",
		CodeBadLength:     "bad length",
	}
)

// Text says what type and code of the message mean, in a few words.
func (m *ICMPv4) Text() string {
	if text := nameAt(codeNames(m.Type), m.Code); text != "" {
		return text
	}
	if m.Code != 0 {
		return fmt.Sprintf("%v, code %d", m.Type, m.Code)
	}
	return m.Type.String()
}

// codeNames returns the names of a type's codes.
func codeNames(t ICMPv4Type) []string {
	switch t {
	case DestinationUnreachable:
		return unreachableCodes[:]
	case Redirect:
		return redirectCodes[:]
	case TimeExceeded:
		return exceededCodes[:]
	case ParameterProblem:
		return problemCodes[:]
	}
	return nil
}

func nameAt(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return ""
}
