package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// arrival is what the lower layers know of a packet on its way up.
type arrival struct {
	iface      *Interface
	broadcast  bool // it came by a broadcast or multicast of the link
	translated bool // by NAT, for somebody inside
}

// HandleFrame takes a frame that has arrived at an interface, and owns it. What
// follows from it is complete when PollFrame has been called.
func (s *Stack) HandleFrame(now clock.Time, port int, p *pkt.Packet) {
	if s.joins(now, port, p) {
		return
	}
	s.handleFrame(now, port, p)
}

func (s *Stack) handleFrame(now clock.Time, port int, p *pkt.Packet) {
	i := s.interfaces[port]
	if !p.FCSOK() {
		s.discard(now, i, p, discardFCS)
		return
	}
	if s.handlePredicted(now, i, p) || s.handleSameUDP(now, i, p) || s.forwardSame(now, i, p) {
		return
	}
	if p.Giant() {
		for part := range p.NoGiants() {
			s.handleFrame(now, port, part)
		}
		return
	}
	o := &s.others
	known := o.known
	o.known, o.touched, o.onlyTCP = false, false, false
	s.handleAny(now, i, p)
	if o.onlyTCP && !o.touched {
		o.known, o.still = known, true
	}
}

// handleAny takes a frame of which nothing is known.
func (s *Stack) handleAny(now clock.Time, i *Interface, p *pkt.Packet) {
	eth, _, err := wire.ParseEthernet(p.Head())
	switch {
	case err != nil:
		s.discard(now, i, p, discardShortFrame)
	case eth.Tagged:
		s.discard(now, i, p, discardTagged)
	case eth.Dst != i.MAC && !eth.Dst.IsGroup():
		s.discard(now, i, p, discardOtherMAC)
	case eth.Dst.IsGroup() && i.filters(eth.Dst):
		s.discard(now, i, p, discardGroupMAC)
	default:
		p.Strip(eth.Len())
		s.handlePacket(now, arrival{iface: i, broadcast: eth.Dst.IsGroup()}, eth.Type, p)
	}
}

// TakesLarge reports whether this machine can do with large packets: a router
// forwards what they stand for, and raw sockets see that.
func (s *Stack) TakesLarge() bool { return !s.cfg.Forwarding && !s.cfg.Forwarding6 && len(s.raws) == 0 }

func (s *Stack) handlePacket(now clock.Time, at arrival, kind wire.EtherType, p *pkt.Packet) {
	switch {
	case kind == wire.EtherTypeIPv4:
		s.handleIPv4(now, at, p)
	case kind == wire.EtherTypeIPv6 && at.iface.six != nil:
		s.handleIPv6(now, at, p)
	case kind == wire.EtherTypeARP && at.iface.neighbors != nil:
		s.handleARP(now, at, p)
	default:
		s.discard(now, at.iface, p, discardEtherType)
	}
}

func (s *Stack) handleARP(now clock.Time, at arrival, p *pkt.Packet) {
	i := at.iface
	a, _, err := wire.ParseARP(p.Head())
	if err != nil {
		s.discard(now, i, p, discardARP)
		return
	}
	neighbors := s.with(i.neighbors)
	neighbors.HandleARP(now, a, at.broadcast)
	s.gatewayIs(a.SenderIP, true)
	if a.Op == wire.ARPRequest && s.own.by(a.TargetIP) != i && a.SenderIP != a.TargetIP {
		s.discard(now, i, p, discardARP)
	} else {
		p.Release()
	}
	s.drainNeighbors(now, i)
}

// gatewayIs notes whether a router answers on the link: as long as one that
// is dead has a living substitute, that is used (RFC 1122, 3.3.1.4, R1122-30).
func (s *Stack) gatewayIs(addr netip.Addr, alive bool) {
	if s.routes.Reachable(addr) != alive {
		s.routes.SetReachable(addr, alive)
		s.generation++
	}
}

// drainNeighbors takes all output of an interface's cache of IPv4 neighbours.
func (s *Stack) drainNeighbors(now clock.Time, i *Interface) {
	s.tellNeighbors(now, i, i.neighbors)
	for {
		r, ok := i.neighbors.PollARP(now)
		if !ok {
			break
		}
		p := pkt.New()
		p.Cause, p.Reason, p.RFC = r.Cause, r.Reason, r.RFC
		r.ARP.AppendTo(p.Prepend(wire.ARPLen)[:0])
		s.frame(i, p, r.Dst, wire.EtherTypeARP)
	}
	s.passOn(now, i, i.neighbors, wire.EtherTypeIPv4)
}

// passOn sends the packets whose neighbours have become known, and gives up
// those whose have not.
func (s *Stack) passOn(now clock.Time, i *Interface, cache *neigh.Cache, kind wire.EtherType) {
	for {
		p, mac, ok := cache.PollPacket(now)
		if !ok {
			break
		}
		p.Cause = uint64(s.stream.Cause())
		s.frame(i, p, mac, kind)
	}
	for {
		p, hop, ok := cache.PollUnreachable(now)
		if !ok {
			break
		}
		s.gatewayIs(hop, false)
		if hop.Is4() {
			s.unresolved(now, i, hop, p)
		} else {
			s.unresolved6(now, i, hop, p)
		}
	}
}
