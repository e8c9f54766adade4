package stack

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// refusesOptions discards a packet whose options are malformed, or demand what
// this machine doesn't do, and tells its sender. All other options are ignored
// (R1122-15, MUST-50; RFC 1122, 3.2.1.8), and no source route is followed
// (R1122-16, R1812-12).
func (s *Stack) refusesOptions(now clock.Time, at arrival, h *wire.IPv4, p *pkt.Packet, to where) bool {
	if pointer, ok := wire.CheckIPv4Options(h.Options); !ok {
		// RFC 1122, 3.2.2.5: "A host SHOULD generate Parameter Problem
		// messages."
		m := wire.ICMPv4{Type: wire.ParameterProblem}
		m.SetPointer(uint8(pointer))
		s.icmpError(now, at, h, p, m)
		s.discard(now, at.iface, p, discardOptions)
		return true
	}
	if to == forHere && leadsFurther(h.Options) {
		// RFC 1122, 3.3.5: "If a host receives a datagram with an incomplete
		// source route but does not forward it for some reason, the host
		// SHOULD return an ICMP Destination Unreachable (code 5, Source Route
		// Failed) message".
		m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeSourceRouteFailed}
		s.icmpError(now, at, h, p, m)
		s.discard(now, at.iface, p, discardSourceRoute)
		return true
	}
	return false
}

// leadsFurther reports whether there is a source route that isn't completed.
func leadsFurther(options []byte) bool {
	for _, t := range [...]wire.IPv4OptionType{wire.OptionLooseRoute, wire.OptionStrictRoute} {
		if o := wire.FindIPv4Option(options, t); o != nil && !o.Full() {
			return true
		}
	}
	return false
}
