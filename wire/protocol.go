package wire

import "fmt"

// A Protocol says what an IP packet's payload is: the Protocol field of IPv4
// and the Next Header field of IPv6.
type Protocol uint8

// The protocols that hubbub knows.
const (
	ProtocolICMP   Protocol = 1
	ProtocolIGMP   Protocol = 2
	ProtocolTCP    Protocol = 6
	ProtocolUDP    Protocol = 17
	ProtocolICMPv6 Protocol = 58
)

// String returns the protocol's name, or its number.
func (p Protocol) String() string {
	switch p {
	case ProtocolICMP:
		return "ICMP"
	case ProtocolIGMP:
		return "IGMP"
	case ProtocolTCP:
		return "TCP"
	case ProtocolUDP:
		return "UDP"
	case ProtocolICMPv6:
		return "ICMPv6"
	case ProtocolHopByHop:
		return "hop-by-hop options"
	case ProtocolRouting:
		return "routing header"
	case ProtocolFragment:
		return "fragment header"
	case ProtocolDestOptions:
		return "destination options"
	case ProtocolNone:
		return "no next header"
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}
