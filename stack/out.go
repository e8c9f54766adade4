package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// output sends a packet along v: it asks for the next hop's MAC address where
// that isn't known, and puts the Ethernet header before it.
func (s *Stack) output(now clock.Time, v *path, p *pkt.Packet) {
	i, nextHop := v.iface, v.nextHop
	if s.stream.On() && p.Cause == 0 {
		p.Cause = uint64(s.stream.Cause())
	}
	if i.Loopback {
		s.frame(i, p, wire.MAC{}, etherType(nextHop))
		return
	}
	if v.unicast {
		s.resolve(now, i, v.neighbors, nextHop, p)
		return
	}
	if mac, ok := groupMAC(i, nextHop); ok {
		if !v.quiet {
			s.hearOneself(i, v.source, nextHop, p)
		}
		s.frame(i, p, mac, etherType(nextHop))
		return
	}
	s.resolve(now, i, v.neighbors, nextHop, p)
}

// resolve sends a packet to a neighbour, as soon as its MAC address is known.
func (s *Stack) resolve(now clock.Time, i *Interface, cache *neigh.Cache, nextHop netip.Addr, p *pkt.Packet) {
	mac, ok := cache.Fresh(now, nextHop) // which changes no timer
	if !ok {
		mac, ok = s.with(cache).Resolve(now, nextHop, p)
	}
	switch {
	case ok:
		s.frame(i, p, mac, etherType(nextHop))
	case nextHop.Is4():
		s.drainNeighbors(now, i)
	default:
		s.drainIPv6(now, i)
	}
}

// etherType returns what a packet with that next hop is.
func etherType(nextHop netip.Addr) wire.EtherType {
	if nextHop.Is4() {
		return wire.EtherTypeIPv4
	}
	return wire.EtherTypeIPv6
}

// groupMAC returns the MAC address of a broadcast or multicast address.
func groupMAC(i *Interface, addr netip.Addr) (wire.MAC, bool) {
	switch {
	case i.isBroadcast(addr):
		return wire.Broadcast, true
	case addr.IsMulticast():
		return wire.MulticastMAC(addr), true
	}
	return wire.MAC{}, false
}

// frame puts the Ethernet header before a packet, pads it to the least length
// and hands it over.
func (s *Stack) frame(i *Interface, p *pkt.Packet, dst wire.MAC, kind wire.EtherType) {
	wire.PutEthernet((*[wire.EthernetHeaderLen]byte)(p.Prepend(wire.EthernetHeaderLen)), dst, i.MAC, kind)
	if !i.Loopback {
		p.Pad(wire.EthernetHeaderLen + wire.MinPayload)
	}
	s.handOver(i, p)
}

// handOver lets a frame leave by an interface.
func (s *Stack) handOver(i *Interface, p *pkt.Packet) {
	if p.Large() && s.cfg.GSO {
		s.cut(i, p)
		return
	}
	s.out.push(i.Index, p)
}

// outbox holds the frames that wait to be polled.
type outbox struct {
	frames []outFrame
	first  int
}

type outFrame struct {
	port   int
	packet *pkt.Packet
}

func (o *outbox) push(port int, p *pkt.Packet) { o.frames = append(o.frames, outFrame{port, p}) }

func (o *outbox) pop() (port int, p *pkt.Packet, ok bool) {
	if o.first == len(o.frames) {
		o.frames, o.first = o.frames[:0], 0
		return 0, nil, false
	}
	f := o.frames[o.first]
	o.frames[o.first] = outFrame{}
	o.first++
	return f.port, f.packet, true
}

func (o *outbox) clear() {
	for {
		_, p, ok := o.pop()
		if !ok {
			return
		}
		p.Release()
	}
}
