package edge

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"sync"

	"hubbub/wire"
)

// A station is what a TUN is on its LAN: a host with a MAC address, which answers for the
// addresses of the kernel behind it (RFC 826; RFC 4861, 7.2.4), and knows those of the
// others there. What it has to say itself is queued for the LAN. Its methods may be called from
// any goroutine.
type station struct {
	mac   wire.MAC
	addrs []netip.Addr

	mu      sync.Mutex
	hosts   map[netip.Addr]wire.MAC
	waiting map[netip.Addr][][]byte // frames without their receiver's address, which was asked for
	queue   [][]byte                // for the LAN: a header as before each frame, and the frame
	told    func()                  // is called, if set, when there is something in the queue
}

// Bounds of what the LAN, or the kernel, can fill.
const (
	mostHosts     = 4096
	mostUnknown   = 256 // addresses that are asked for
	mostWaiting   = 8   // frames for one of them
	mostQueued    = 1024
	ethernetLen   = wire.EthernetHeaderLen
	neighborHops  = 255 // RFC 4861, 7.1
	ipv6NextField = 6
)

// emptyHeader says nothing about a frame: it is as it is.
var emptyHeader [headerLen]byte

func newStation(mac wire.MAC, addrs []netip.Addr) *station {
	return &station{mac: mac, addrs: addrs, hosts: make(map[netip.Addr]wire.MAC), waiting: make(map[netip.Addr][][]byte)}
}

// pop takes what is first in the queue, nil if it is empty.
func (s *station) pop() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	b := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return b
}

// push puts a frame into the queue. What the station says can be asked for again, so more
// than fits is lost.
func (s *station) push(header, frame []byte) {
	if len(s.queue) < mostQueued {
		s.queue = append(s.queue, append(bytes.Clone(header), frame...))
	}
	if s.told != nil {
		s.told()
	}
}

// passes reports whether the kernel gets a frame of the LAN: if it is for it or for
// all, and holds an IP packet that isn't the station's own business. whole returns the frame.
func (s *station) passes(head []byte, whole func() []byte) bool {
	h, packet, err := wire.ParseEthernet(head)
	if err != nil || h.Tagged || h.Dst != s.mac && !h.Dst.IsGroup() {
		return false
	}
	switch {
	case h.Type == wire.EtherTypeARP:
		s.takeARP(whole()[ethernetLen:])
		return false
	case h.Type == wire.EtherTypeIPv4:
		return true
	case h.Type != wire.EtherTypeIPv6 || len(packet) < wire.IPv6HeaderLen:
		return false
	}
	return wire.Protocol(packet[ipv6NextField]) != wire.ProtocolICMPv6 || !s.takeNeighbor(whole()[ethernetLen:])
}

// takeARP answers a request for one of the addresses, and remembers whoever has sent
// something.
func (s *station) takeARP(b []byte) {
	a, _, err := wire.ParseARP(b)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.learn(a.SenderIP, a.SenderMAC)
	if a.Op != wire.ARPRequest || !s.owns(a.TargetIP) {
		return
	}
	answer := wire.ARP{Op: wire.ARPReply, SenderMAC: s.mac, SenderIP: a.TargetIP, TargetMAC: a.SenderMAC, TargetIP: a.SenderIP}
	s.push(emptyHeader[:], answer.AppendTo(s.header(a.SenderMAC, wire.EtherTypeARP)))
}

// takeNeighbor reports whether an IPv6 packet is a neighbor solicitation or advertisement,
// and does with it what takeARP does.
func (s *station) takeNeighbor(b []byte) bool {
	ip, rest, err := wire.ParseIPv6(b)
	if err != nil || ip.HopLimit != neighborHops {
		return false
	}
	m, payload, err := wire.ParseICMPv6(ip.Src, ip.Dst, rest)
	if err != nil || m.Type != wire.NeighborSolicitation && m.Type != wire.NeighborAdvertisement {
		return false
	}
	n, err := wire.ParseNeighborMessage(&m, payload)
	if err != nil || !wire.CheckNDPOptions(n.Options) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Type == wire.NeighborAdvertisement {
		if mac, ok := wire.FindNDPOption(n.Options, wire.TargetLinkAddress).LinkAddress(); ok {
			s.learn(n.Target, mac)
		}
		return true
	}
	mac, ok := wire.FindNDPOption(n.Options, wire.SourceLinkAddress).LinkAddress()
	if ok {
		s.learn(ip.Src, mac)
	}
	if s.owns(n.Target) {
		s.advertise(n.Target, ip.Src, mac)
	}
	return true
}

// advertise answers a solicitation: one without a sender, who wants to know whether an
// address is taken, by telling everybody (RFC 4861, 7.2.4).
func (s *station) advertise(target, to netip.Addr, mac wire.MAC) {
	n := wire.NeighborMessage{
		Target: target, Solicited: !to.IsUnspecified(), Override: true,
		Options: wire.AppendLinkAddress(nil, wire.TargetLinkAddress, s.mac),
	}
	if to.IsUnspecified() || mac.IsZero() {
		to, n.Solicited = wire.AllNodes, false
		mac = wire.MulticastMAC(to)
	}
	s.sendNeighbor(&n, wire.NeighborAdvertisement, target, to, mac)
}

func (s *station) sendNeighbor(n *wire.NeighborMessage, kind wire.ICMPv6Type, src, dst netip.Addr, mac wire.MAC) {
	m, payload := n.Message(kind, nil)
	body := m.AppendTo(src, dst, nil, payload)
	ip := wire.IPv6{PayloadLen: len(body), NextHeader: wire.ProtocolICMPv6, HopLimit: neighborHops, Src: src, Dst: dst}
	s.push(emptyHeader[:], append(ip.AppendTo(s.header(mac, wire.EtherTypeIPv6)), body...))
}

// header returns an Ethernet header.
func (s *station) header(to wire.MAC, kind wire.EtherType) []byte {
	h := wire.Ethernet{Dst: to, Src: s.mac, Type: kind}
	return h.AppendTo(nil)
}

func (s *station) owns(a netip.Addr) bool {
	for _, own := range s.addrs {
		if own == a {
			return true
		}
	}
	return false
}

// learn remembers where a host is, and sends what has waited for that.
func (s *station) learn(a netip.Addr, mac wire.MAC) {
	if a.IsUnspecified() || a.IsMulticast() || mac.IsGroup() || mac.IsZero() || s.owns(a) {
		return
	}
	if _, known := s.hosts[a]; !known && len(s.hosts) >= mostHosts {
		clear(s.hosts) // whoever is still there is asked again
	}
	s.hosts[a] = mac
	for _, b := range s.waiting[a] {
		copy(b[headerLen:], mac[:])
		s.push(b[:headerLen], b[headerLen:])
	}
	delete(s.waiting, a)
}

// address returns the Ethernet header of a packet of the kernel's, which begins as told. It
// reports false if that isn't an IP packet, or its receiver must be asked for first: then
// whole, which returns it with what goes before it, is kept.
func (s *station) address(packet []byte, whole func() []byte) (h [ethernetLen]byte, ok bool) {
	dst, kind, ok := destination(packet)
	if !ok {
		return h, false
	}
	copy(h[6:], s.mac[:])
	binary.BigEndian.PutUint16(h[12:], uint16(kind))
	var mac wire.MAC
	switch {
	case dst.IsMulticast():
		mac = wire.MulticastMAC(dst)
	case dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		mac = wire.Broadcast
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		if mac, ok = s.hosts[dst]; !ok {
			b := whole()
			copy(b[headerLen:], h[:])
			s.ask(dst, b)
			return h, false
		}
	}
	copy(h[:], mac[:])
	return h, true
}

// destination returns to whom a packet goes, and of which kind it is.
func destination(packet []byte) (netip.Addr, wire.EtherType, bool) {
	switch {
	case len(packet) >= wire.IPv4HeaderLen && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[16:])), wire.EtherTypeIPv4, true
	case len(packet) >= wire.IPv6HeaderLen && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[24:])), wire.EtherTypeIPv6, true
	}
	return netip.Addr{}, 0, false
}

// ask keeps a frame until its receiver is known, and asks who that is, once for each that waits.
func (s *station) ask(dst netip.Addr, b []byte) {
	from := s.ownFor(dst)
	before := s.waiting[dst]
	if !from.IsValid() || before == nil && len(s.waiting) >= mostUnknown {
		return
	}
	if len(before) >= mostWaiting {
		before = before[1:] // the latest count (RFC 4861, 7.2.2)
	}
	s.waiting[dst] = append(before, b)
	if dst.Is4() {
		a := wire.ARP{Op: wire.ARPRequest, SenderMAC: s.mac, SenderIP: from, TargetIP: dst}
		s.push(emptyHeader[:], a.AppendTo(s.header(wire.Broadcast, wire.EtherTypeARP)))
		return
	}
	n := wire.NeighborMessage{Target: dst, Options: wire.AppendLinkAddress(nil, wire.SourceLinkAddress, s.mac)}
	group := wire.SolicitedNode(dst)
	s.sendNeighbor(&n, wire.NeighborSolicitation, from, group, wire.MulticastMAC(group))
}

// ownFor returns the first of the addresses that is of the same kind as dst, and of the same
// scope if there is one.
func (s *station) ownFor(dst netip.Addr) (own netip.Addr) {
	for _, a := range s.addrs {
		switch {
		case a.Is4() != dst.Is4():
		case a.IsLinkLocalUnicast() == dst.IsLinkLocalUnicast():
			return a
		case !own.IsValid():
			own = a
		}
	}
	return own
}
