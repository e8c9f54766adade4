package drill

import (
	"net/netip"
	"syscall"
	"unsafe"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/sim"
	"hubbub/wire"
)

// farEnd is the device at the far end of the host's cable: packetdrill's side
// of it, where packets have no link header. It answers for every neighbour.
type farEnd struct {
	world *sim.World
	out   []*pkt.Packet // to the host
	heard []heard       // from the host, that packetdrill hasn't asked for
}

// heard is an IP packet that the host has sent, and when.
type heard struct {
	at     clock.Time
	packet []byte
}

// HandleFrame takes a frame from the host.
func (f *farEnd) HandleFrame(now clock.Time, _ int, p *pkt.Packet) {
	defer p.Release()
	eth, payload, err := wire.ParseEthernet(p.AppendTo(nil))
	switch {
	case err != nil:
	case eth.Type == wire.EtherTypeARP:
		f.answer(payload)
	case eth.Type == wire.EtherTypeIPv6 && f.ofTheLink(payload):
	case eth.Type == wire.EtherTypeIPv4 || eth.Type == wire.EtherTypeIPv6:
		f.heard = append(f.heard, heard{now, payload[:min(len(payload), lengthOf(payload))]})
	}
}

// answer says that whom the host asks for is here.
func (f *farEnd) answer(b []byte) {
	a, _, err := wire.ParseARP(b)
	if err != nil || a.Op != wire.ARPRequest || a.SenderIP == a.TargetIP || a.SenderIP.IsUnspecified() {
		return
	}
	reply := wire.ARP{
		Op: wire.ARPReply, SenderMAC: farMAC, SenderIP: a.TargetIP, TargetMAC: a.SenderMAC, TargetIP: a.SenderIP,
	}
	f.send(wire.EtherTypeARP, reply.AppendTo(nil))
}

// ofTheLink reports whether an IPv6 packet is about the link itself, and no
// affair of packetdrill's: neighbour discovery, where it says that whom the host
// asks for is here, and reports of groups.
func (f *farEnd) ofTheLink(b []byte) bool {
	h, payload, err := wire.ParseIPv6(b)
	if err != nil {
		return false
	}
	if h.Dst.IsMulticast() && h.NextHeader == wire.ProtocolHopByHop {
		return true // MLD
	}
	if h.NextHeader != wire.ProtocolICMPv6 {
		return false
	}
	m, rest, err := wire.ParseICMPv6(h.Src, h.Dst, payload)
	if err != nil || m.Type < wire.ICMPv6RouterSolicitation || m.Type > wire.ICMPv6Redirect {
		return false
	}
	if n, err := wire.ParseNeighborMessage(&m, rest); err == nil && m.Type == wire.NeighborSolicitation && !h.Src.IsUnspecified() {
		f.advertise(h.Src, n.Target)
	}
	return true
}

// advertise answers a neighbour solicitation.
func (f *farEnd) advertise(to, target netip.Addr) {
	n := wire.NeighborMessage{Target: target, Solicited: true, Override: true}
	n.Options = wire.AppendLinkAddress(nil, wire.TargetLinkAddress, farMAC)
	m, payload := n.Message(wire.NeighborAdvertisement, nil)
	message := m.AppendTo(target, to, nil, payload)
	ip := wire.IPv6{PayloadLen: len(message), NextHeader: wire.ProtocolICMPv6, HopLimit: wire.NDPHopLimit, Src: target, Dst: to}
	f.send(wire.EtherTypeIPv6, append(ip.AppendTo(nil), message...))
}

// send puts a packet into a frame for the host.
func (f *farEnd) send(kind wire.EtherType, packet []byte) {
	h := wire.Ethernet{Dst: hostMAC, Src: farMAC, Type: kind}
	p := pkt.FromBytes(append(h.AppendTo(nil), packet...), pkt.HeadRoom)
	p.Pad(wire.EthernetHeaderLen + wire.MinPayload)
	f.out = append(f.out, p)
}

// HandleTimer, PollFrame and NextTimer make it a device.
func (f *farEnd) HandleTimer(clock.Time) {}

// PollFrame gives the next frame for the host.
func (f *farEnd) PollFrame(clock.Time) (int, *pkt.Packet, bool) {
	if len(f.out) == 0 {
		return 0, nil, false
	}
	p := f.out[0]
	f.out = f.out[1:]
	return 0, p, true
}

// NextTimer says that nothing is ever due.
func (f *farEnd) NextTimer() clock.Time { return clock.Never }

// lengthOf returns how long an IP packet is: behind it a frame may be padded.
func lengthOf(b []byte) int {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return int(b[2])<<8 | int(b[3])
	case len(b) >= 40 && b[0]>>4 == 6:
		return wire.IPv6HeaderLen + (int(b[4])<<8 | int(b[5]))
	}
	return len(b)
}

// netdevSend lets a packet of the script's arrive at the host.
func (m *Machine) netdevSend(a *Args) (int64, syscall.Errno) {
	packet := bytesAt(a.P[0], a.N[0])
	if len(packet) < 20 {
		return -1, syscall.EINVAL
	}
	kind := wire.EtherTypeIPv6
	if packet[0]>>4 == 4 {
		kind = wire.EtherTypeIPv4
		m.adopt(netip.AddrFrom4([4]byte(packet[16:20])))
	} else if len(packet) >= wire.IPv6HeaderLen {
		m.adopt(netip.AddrFrom16([16]byte(packet[24:40])))
	}
	m.readSysctls()
	m.world.Enter()
	m.far.send(kind, packet)
	m.world.Leave(m.farEnd)
	_ = m.world.RunFor(0)
	m.settle()
	return 0, 0
}

// netdevReceive gives the next packet that the host has sent, or sends before
// patience ends: without any, one of no length.
func (m *Machine) netdevReceive(a *Args) (int64, syscall.Errno) {
	count, usecs := at[uintptr](a, 1), at[int64](a, 2)
	limit := m.now().Add(patience)
	for len(m.far.heard) == 0 {
		more := m.step(limit)
		m.settle()
		if !more && len(m.far.heard) == 0 {
			*count = 0
			return 0, 0
		}
	}
	h := m.far.heard[0]
	m.far.heard = m.far.heard[1:]
	*count = uintptr(copy(unsafe.Slice((*byte)(a.P[0]), *count), h.packet))
	*usecs = m.epoch.Add(clock.Duration(h.at)).UnixMicro()
	return 0, 0
}
