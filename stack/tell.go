package stack

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/network/frag"
	"hubbub/network/neigh"
	"hubbub/transport/tcp"
)

// because returns a fact's own cause, or the current one if it has none.
func (s *Stack) because(cause uint64) event.ID {
	if cause != 0 {
		return event.ID(cause)
	}
	return s.stream.Cause()
}

// tellNeighbors publishes what a neighbour cache of an interface has to tell.
func (s *Stack) tellNeighbors(now clock.Time, i *Interface, cache *neigh.Cache) {
	for {
		f, ok := cache.PollEvent()
		if !ok {
			return
		}
		if f.Addr.Is6() {
			s.heardAddress(now, i, &f)
		} else if f.Kind == neigh.AddressLost || f.Kind == neigh.AddressUsable {
			s.generation++
		}
		s.stream.PublishCaused(now, s.cfg.Name, s.because(f.Cause), neighborEvent(i, &f))
	}
}

func neighborEvent(i *Interface, f *neigh.Fact) event.Body {
	switch f.Kind {
	case neigh.Conflict, neigh.AddressLost:
		return event.Conflict{Port: i.Name, Address: f.Addr, MAC: f.MAC, What: f.Why}
	case neigh.AddressUsable:
		return event.Neighbor{
			Port: i.Name, Address: f.Addr, MAC: i.MAC, From: "probing", To: "usable", Why: f.Why,
		}
	case neigh.Discarded:
		frame := event.ID(f.ID)
		if frame == 0 {
			frame = event.ID(f.Cause) // an ARP packet, as it was heard
		}
		return event.FrameDropped{Port: i.Name, Frame: frame, Reason: f.Why}
	}
	return event.Neighbor{
		Port: i.Name, Address: f.Addr, MAC: f.MAC, From: f.From.String(), To: f.To.String(), Why: f.Why,
	}
}

// tellFragments publishes what the reassembly of IPv4 has to tell.
func (s *Stack) tellFragments(now clock.Time) {
	for f, ok := s.reassembly.PollEvent(); ok; f, ok = s.reassembly.PollEvent() {
		tellFragment(s, now, &f, f.Header.Src)
	}
}

// tellFragments6 publishes what the reassembly of IPv6 has to tell.
func (s *Stack) tellFragments6(now clock.Time) {
	for f, ok := s.reassembly6.PollEvent(); ok; f, ok = s.reassembly6.PollEvent() {
		tellFragment(s, now, &f, f.Header.Src)
	}
}

func tellFragment[H any](s *Stack, now clock.Time, f *frag.Fact[H], src netip.Addr) {
	e := event.Reassembled{Source: src, Pieces: f.Pieces, Size: f.Size, Why: f.Why}
	if f.Kind != frag.Reassembled {
		e.Size = 0
	}
	s.stream.PublishCaused(now, s.cfg.Name, s.because(f.Cause), e)
}

// tellRoute publishes where a packet goes, and why.
func (s *Stack) tellRoute(now clock.Time, dst netip.Addr, v *path) {
	if !s.stream.On() || v.iface.Loopback {
		return
	}
	e := event.Routed{Destination: dst, NextHop: v.nextHop, Port: v.iface.Name}
	r, ok := s.routes.Lookup(dst)
	if ok {
		e.Prefix = r.Prefix
	}
	switch subnet, same := v.iface.subnetOf(dst); {
	case same:
		e.Why = fmt.Sprintf("%v is in %v, the subnet on %s: send it to its own MAC address", dst, subnet, v.iface.Name)
	case v.nextHop != dst:
		e.Why = fmt.Sprintf("%v is outside %v: hand it to the gateway %v", dst, v.iface.subnets(dst.Is6()), v.nextHop)
	default:
		e.Why = fmt.Sprintf("%v is reached by %s directly", dst, v.iface.Name)
	}
	s.stream.Publish(now, s.cfg.Name, e)
}

// subnets lists the interface's subnets.
func (i *Interface) subnets(six bool) string {
	text := ""
	all := i.addresses
	if six {
		all = i.prefixes6()
	}
	for n, p := range all {
		if n > 0 {
			text += ", "
		}
		text += p.Masked().String()
	}
	return text
}

// flow names a connection of this machine.
func flow(local, remote netip.AddrPort) event.Flow { return event.Flow{Local: local, Remote: remote} }

// tellTCP publishes what a connection has to tell. From the moment a timer is
// told to have expired, that is the cause of everything that follows.
func (s *Stack) tellTCP(now clock.Time, local, remote netip.AddrPort) {
	for {
		f, ok := s.tcpEnv.PollEvent()
		if !ok {
			return
		}
		switch f.Kind {
		case tcp.EventTimerFired:
			id := s.stream.PublishCaused(now, s.cfg.Name, event.ID(f.Cause),
				event.TimerFired{Flow: flow(local, remote), Timer: f.Timer.String()})
			s.stream.Because(id)
			s.tcpEnv.Cause = uint64(id)
		case tcp.EventDiscard:
			s.stream.Publish(now, s.cfg.Name, event.FrameDropped{
				Port: "TCP", Frame: s.stream.Cause(), Reason: f.Discard.String(),
			})
		default:
			s.stream.Publish(now, s.cfg.Name, tcpEvent(flow(local, remote), &f))
		}
	}
}

func tcpEvent(at event.Flow, f *tcp.Event) event.Body {
	switch f.Kind {
	case tcp.EventState:
		return event.TCPState{Flow: at, From: f.From.String(), To: f.To.String(), Why: f.Why}
	case tcp.EventTimerSet:
		return event.TimerSet{Flow: at, Timer: f.Timer.String(), At: f.At}
	case tcp.EventTimerStopped:
		return event.TimerStopped{Flow: at, Timer: f.Timer.String()}
	case tcp.EventAdvice:
		return event.Advice{Flow: at, What: "several retransmissions in a row went unanswered: the path may be broken"}
	case tcp.EventUrgent:
		return event.Advice{Flow: at, What: "urgent data pends"}
	}
	return event.Congestion{Flow: at, Cwnd: f.Cwnd, Ssthresh: f.Ssthresh, Phase: f.Phase.String(), Why: f.Why}
}
