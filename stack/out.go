package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// output sends a packet to a neighbour: it asks for its MAC address where
// that isn't known, and puts the Ethernet header before it.
func (s *Stack) output(now clock.Time, i *Interface, nextHop netip.Addr, p *pkt.Packet) {
	if s.stream.On() && p.Cause == 0 {
		p.Cause = uint64(s.stream.Cause())
	}
	if i.Loopback {
		s.frame(i, p, wire.MAC{}, wire.EtherTypeIPv4)
		return
	}
	if mac, ok := groupMAC(i, nextHop); ok {
		s.hearOneself(nextHop, p)
		s.frame(i, p, mac, wire.EtherTypeIPv4)
		return
	}
	mac, ok := s.with(i).Resolve(now, nextHop, p)
	if ok {
		s.frame(i, p, mac, wire.EtherTypeIPv4)
		return
	}
	s.drainNeighbors(now, i)
}

// groupMAC returns the MAC address of a broadcast or multicast address: for
// the latter, 01:00:5e and the lower 23 bits (RFC 1112, 6.4).
func groupMAC(i *Interface, addr netip.Addr) (wire.MAC, bool) {
	switch {
	case i.isBroadcast(addr):
		return wire.Broadcast, true
	case addr.IsMulticast():
		b := addr.As4()
		return wire.MAC{0x01, 0x00, 0x5e, b[1] & 0x7f, b[2], b[3]}, true
	}
	return wire.MAC{}, false
}

// frame puts the Ethernet header before a packet, pads it to the least length
// and hands it over.
func (s *Stack) frame(i *Interface, p *pkt.Packet, dst wire.MAC, kind wire.EtherType) {
	h := wire.Ethernet{Dst: dst, Src: i.MAC, Type: kind}
	h.AppendTo(p.Prepend(wire.EthernetHeaderLen)[:0])
	if !i.Loopback {
		p.Pad(wire.EthernetHeaderLen + wire.MinPayload)
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
