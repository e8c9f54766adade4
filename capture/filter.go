package capture

import (
	"net/netip"

	"hubbub/event"
	"hubbub/wire"
)

// A Filter chooses frames and events. Make one with [ParseFilter]; the nil
// Filter chooses everything.
type Filter struct {
	text string
	root condition
}

// String returns the expression that the filter was made from.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// A subject is what a condition is about: a packet, or an event that is about
// a node, and perhaps a connection.
type subject struct {
	node     string
	packet   *Packet // nil if there is none
	protocol Layers
	src, dst netip.AddrPort // the zero AddrPort if they are unknown
}

// A condition decides about a subject.
type condition func(*subject) bool

// Match reports whether the filter chooses a packet.
func (f *Filter) Match(p *Packet) bool {
	if f == nil {
		return true
	}
	return f.root(packetSubject("", p))
}

// MatchEvent reports whether the filter chooses an event. For a frame, that
// depends on its headers; for what is about a connection, on its addresses and
// ports; for anything else, on the node where it happened.
func (f *Filter) MatchEvent(e *event.Event) bool {
	if f == nil {
		return true
	}
	return f.root(eventSubject(e))
}

func packetSubject(node string, p *Packet) *subject {
	return &subject{node: node, packet: p, protocol: p.Has, src: p.Source(), dst: p.Destination()}
}

func eventSubject(e *event.Event) *subject {
	s := &subject{node: e.Node}
	switch b := e.Body.(type) {
	case event.FrameSent:
		return frameSubject(e.Node, b.Data)
	case event.FrameHeard:
		return frameSubject(e.Node, b.Data)
	case event.FrameDropped:
		p := DecodePacket(b.Data)
		return packetSubject(e.Node, &p)
	case event.Neighbor:
		s.protocol, s.src = resolving(b.Address), netip.AddrPortFrom(b.Address, 0)
	case event.Conflict:
		s.protocol, s.src = resolving(b.Address), netip.AddrPortFrom(b.Address, 0)
	case event.Routed:
		s.protocol, s.dst = familyOf(b.Destination), netip.AddrPortFrom(b.Destination, 0)
	case event.Fragmented:
		s.protocol, s.dst = familyOf(b.Destination), netip.AddrPortFrom(b.Destination, 0)
	case event.Reassembled:
		s.protocol, s.src = familyOf(b.Source), netip.AddrPortFrom(b.Source, 0)
	case event.Configured:
		s.protocol = LayerIPv6 | LayerICMPv6
	default:
		s.flow(e.Body)
	}
	return s
}

// familyOf returns the layer of an address's family, and resolving that by which
// its link address is found.
func familyOf(addr netip.Addr) Layers {
	if addr.Is6() {
		return LayerIPv6
	}
	return LayerIPv4
}

func resolving(addr netip.Addr) Layers {
	if addr.Is6() {
		return LayerIPv6 | LayerICMPv6
	}
	return LayerARP
}

func frameSubject(node string, frame []byte) *subject {
	p := Decode(frame)
	return packetSubject(node, &p)
}

// flow takes the ends of an event about a connection.
func (s *subject) flow(body event.Body) {
	if flow, ok := flowOf(body); ok {
		s.protocol, s.src, s.dst = LayerTCP|familyOf(flow.Remote.Addr()), flow.Local, flow.Remote
	}
	if o, ok := body.(event.Overflow); ok {
		s.src = o.Local
	}
}

// flowOf returns the connection that an event is about.
func flowOf(body event.Body) (event.Flow, bool) {
	switch b := body.(type) {
	case event.TCPState:
		return b.Flow, true
	case event.TimerSet:
		return b.Flow, true
	case event.TimerStopped:
		return b.Flow, true
	case event.TimerFired:
		return b.Flow, true
	case event.Congestion:
		return b.Flow, true
	case event.Advice:
		return b.Flow, true
	}
	return event.Flow{}, false
}

// A side says which end of a packet a condition looks at.
type side uint8

const (
	eitherSide side = iota
	sourceSide
	destinationSide
)

// test reports whether f holds for the end, or one of the ends, of s.
func (d side) test(s *subject, f func(netip.AddrPort) bool) bool {
	return d != destinationSide && f(s.src) || d != sourceSide && f(s.dst)
}

// hostIs holds for packets that a machine sends or receives, and for events at
// it.
func hostIs(d side, name string, addrs []netip.Addr) condition {
	return func(s *subject) bool {
		if s.packet == nil && name != "" && s.node == name {
			return true
		}
		return d.test(s, func(end netip.AddrPort) bool {
			for _, a := range addrs {
				if a == end.Addr() {
					return true
				}
			}
			return false
		})
	}
}

func netIs(d side, prefix netip.Prefix) condition {
	return func(s *subject) bool {
		return d.test(s, func(end netip.AddrPort) bool { return prefix.Contains(end.Addr()) })
	}
}

func portIs(d side, port uint16) condition {
	return func(s *subject) bool {
		return d.test(s, func(end netip.AddrPort) bool { return end.Port() == port && port != 0 })
	}
}

func macIs(d side, mac wire.MAC) condition {
	return func(s *subject) bool {
		if s.protocol&LayerEthernet == 0 {
			return false
		}
		eth := &s.packet.Ethernet
		return d != destinationSide && eth.Src == mac || d != sourceSide && eth.Dst == mac
	}
}

func has(l Layers) condition {
	return func(s *subject) bool { return s.protocol&l != 0 }
}

func hasFlag(f wire.TCPFlags) condition {
	return func(s *subject) bool {
		return s.packet != nil && s.protocol&LayerTCP != 0 && s.packet.TCP.Flags.Has(f)
	}
}

func isBroadcast(s *subject) bool {
	return s.protocol&LayerEthernet != 0 && s.packet.Ethernet.Dst.IsBroadcast()
}

func isFragment(s *subject) bool { return s.packet != nil && s.packet.Fragment() }

func both(a, b condition) condition {
	return func(s *subject) bool { return a(s) && b(s) }
}

func either(a, b condition) condition {
	return func(s *subject) bool { return a(s) || b(s) }
}

func negated(a condition) condition {
	return func(s *subject) bool { return !a(s) }
}
