package edge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"hubbub/wire"
)

var (
	kernel4, kernel6 = netip.MustParseAddr("172.16.10.1"), netip.MustParseAddr("2001:db8::1")
	host4, host6     = netip.MustParseAddr("172.16.10.20"), netip.MustParseAddr("2001:db8::20")
	hostMAC          = wire.MustParseMAC("02:00:00:00:00:20")
	stationMAC       = wire.MustParseMAC("02:68:62:00:00:01")
)

func newTestStation() *station {
	return newStation(stationMAC, []netip.Addr{kernel4, kernel6})
}

// hears gives the station a frame of the LAN's, and reports whether the kernel gets it.
func (s *station) hears(frame []byte) bool {
	return s.passes(frame, func() []byte { return frame })
}

// says returns the next frame that the station has for the LAN, nil if there is none.
func (s *station) says(t *testing.T) []byte {
	t.Helper()
	b := s.pop()
	if b == nil {
		return nil
	}
	if len(b) < headerLen+ethernetLen {
		t.Fatalf("it says %x", b)
	}
	return b[headerLen:]
}

func ethernet(dst, src wire.MAC, kind wire.EtherType, payload []byte) []byte {
	h := wire.Ethernet{Dst: dst, Src: src, Type: kind}
	return append(h.AppendTo(nil), payload...)
}

func arpFrom(op wire.ARPOp, sender, target netip.Addr) []byte {
	a := wire.ARP{Op: op, SenderMAC: hostMAC, SenderIP: sender, TargetIP: target}
	return ethernet(wire.Broadcast, hostMAC, wire.EtherTypeARP, a.AppendTo(nil))
}

func neighborFrom(kind wire.ICMPv6Type, src, dst, target netip.Addr, options []byte) []byte {
	n := wire.NeighborMessage{Target: target, Options: options}
	m, payload := n.Message(kind, nil)
	body := m.AppendTo(src, dst, nil, payload)
	ip := wire.IPv6{PayloadLen: len(body), NextHeader: wire.ProtocolICMPv6, HopLimit: 255, Src: src, Dst: dst}
	return ethernet(stationMAC, hostMAC, wire.EtherTypeIPv6, append(ip.AppendTo(nil), body...))
}

// to makes a packet of the kernel's.
func to(dst netip.Addr) []byte {
	if dst.Is4() {
		b := make([]byte, 40)
		b[0] = 0x45
		copy(b[16:], dst.AsSlice())
		return b
	}
	b := make([]byte, 60)
	b[0] = 0x60
	copy(b[24:], dst.AsSlice())
	return b
}

// sends lets the kernel send a packet, and returns the frame's header if it goes at once.
func (s *station) sends(packet []byte) ([ethernetLen]byte, bool) {
	return s.address(packet, func() []byte { return append(make([]byte, headerLen+ethernetLen), packet...) })
}

// "?Am I the target protocol address? Yes: ... Send the packet to the (new) target
// hardware address" (RFC 826, Packet Reception)
func TestTheStationAnswersARP(t *testing.T) {
	s := newTestStation()
	if s.hears(arpFrom(wire.ARPRequest, host4, kernel4)) {
		t.Error("the kernel gets a request")
	}
	frame := s.says(t)
	a, _, err := wire.ParseARP(frame[ethernetLen:])
	if err != nil || a.Op != wire.ARPReply || a.SenderMAC != stationMAC || a.SenderIP != kernel4 || a.TargetMAC != hostMAC || a.TargetIP != host4 || wire.MAC(frame) != hostMAC {
		t.Errorf("it answers %+v, %v, to %v", a, err, wire.MAC(frame))
	}
	for _, other := range []netip.Addr{host4, netip.MustParseAddr("172.16.10.2")} {
		s.hears(arpFrom(wire.ARPRequest, host4, other))
		if frame := s.says(t); frame != nil {
			t.Errorf("it answers for %v: %x", other, frame)
		}
	}
}

// A solicitation is answered to whoever has sent it; one that asks whether an address is taken, to
// all: "If the source of the solicitation is the unspecified address, the node MUST set
// the Solicited flag to zero and multicast the advertisement to the all-nodes address." (RFC 4861, 7.2.4)
func TestTheStationAnswersNeighborSolicitations(t *testing.T) {
	link := wire.AppendLinkAddress(nil, wire.SourceLinkAddress, hostMAC)
	for _, x := range []struct {
		from      netip.Addr
		options   []byte
		to        netip.Addr
		mac       wire.MAC
		solicited bool
	}{
		{host6, link, host6, hostMAC, true},
		{netip.IPv6Unspecified(), nil, wire.AllNodes, wire.MulticastMAC(wire.AllNodes), false},
	} {
		s := newTestStation()
		group := wire.SolicitedNode(kernel6)
		if s.hears(neighborFrom(wire.NeighborSolicitation, x.from, group, kernel6, x.options)) {
			t.Error("the kernel gets a solicitation")
		}
		frame := s.says(t)
		ip, rest, err := wire.ParseIPv6(frame[ethernetLen:])
		if err != nil {
			t.Fatal(err)
		}
		m, payload, err := wire.ParseICMPv6(ip.Src, ip.Dst, rest)
		if err != nil {
			t.Fatal(err)
		}
		n, err := wire.ParseNeighborMessage(&m, payload)
		mac, _ := wire.FindNDPOption(n.Options, wire.TargetLinkAddress).LinkAddress()
		if err != nil || m.Type != wire.NeighborAdvertisement || n.Target != kernel6 || n.Solicited != x.solicited || !n.Override || mac != stationMAC ||
			ip.Src != kernel6 || ip.Dst != x.to || ip.HopLimit != 255 || wire.MAC(frame) != x.mac {
			t.Errorf("to %v it answers %+v, %+v, %v", x.from, ip, n, err)
		}
		s.hears(neighborFrom(wire.NeighborSolicitation, x.from, wire.SolicitedNode(host6), host6, x.options))
		if frame := s.says(t); frame != nil {
			t.Errorf("it answers for another host: %x", frame)
		}
	}
}

// What the kernel sends to a host that isn't known waits until that has said where it is;
// no more of it than the bounds say.
func TestThePacketsOfTheKernelFindTheirHosts(t *testing.T) {
	for _, x := range []struct {
		host   netip.Addr
		answer []byte
	}{
		{host4, arpFrom(wire.ARPReply, host4, kernel4)},
		{host6, neighborFrom(wire.NeighborAdvertisement, host6, kernel6, host6, wire.AppendLinkAddress(nil, wire.TargetLinkAddress, hostMAC))},
	} {
		s := newTestStation()
		for i := range mostWaiting + 2 {
			packet := to(x.host)
			packet[5] = byte(i)
			if _, ok := s.sends(packet); ok {
				t.Fatalf("%v is known", x.host)
			}
			if frame := s.says(t); wire.MAC(frame) == hostMAC || !wire.MAC(frame).IsGroup() {
				t.Errorf("asked of %v: %x", x.host, frame)
			}
		}
		s.hears(x.answer)
		for i := range mostWaiting {
			frame := s.says(t)
			if frame == nil || wire.MAC(frame) != hostMAC || wire.MAC(frame[6:]) != stationMAC || frame[ethernetLen+5] != byte(i+2) {
				t.Fatalf("%v: the %d. that has waited is %x", x.host, i, frame)
			}
		}
		if frame := s.says(t); frame != nil {
			t.Errorf("and %x", frame)
		}
		if h, ok := s.sends(to(x.host)); !ok || wire.MAC(h[:]) != hostMAC {
			t.Errorf("%v isn't known now", x.host)
		}
	}
}

func TestGroupsNeedNoQuestion(t *testing.T) {
	s := newTestStation()
	for dst, mac := range map[string]string{"224.0.0.251": "01:00:5e:00:00:fb", "255.255.255.255": "ff:ff:ff:ff:ff:ff", "ff02::fb": "33:33:00:00:00:fb"} {
		h, ok := s.sends(to(netip.MustParseAddr(dst)))
		if !ok || wire.MAC(h[:]).String() != mac {
			t.Errorf("%s goes to %v, %v", dst, wire.MAC(h[:]), ok)
		}
	}
}

// Nothing that the LAN or the kernel does fills the memory, and what is no packet goes nowhere.
func TestTheStationIsBounded(t *testing.T) {
	s := newTestStation()
	for i := range 3 * mostHosts {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x0a000000+uint32(i))
		s.hears(arpFrom(wire.ARPRequest, netip.AddrFrom4(b), kernel4))
		b[0] = 11
		s.sends(to(netip.AddrFrom4(b)))
	}
	if len(s.hosts) > mostHosts || len(s.waiting) > mostUnknown || len(s.queue) > mostQueued {
		t.Errorf("%d hosts, %d unknown, %d in the queue", len(s.hosts), len(s.waiting), len(s.queue))
	}
	for _, packet := range [][]byte{nil, {0x45}, bytes.Repeat([]byte{0x75}, 60), bytes.Repeat([]byte{0x60}, 39)} {
		if _, ok := s.sends(packet); ok {
			t.Errorf("%x goes on", packet)
		}
	}
}

// The kernel gets IP packets that are for it or for all, and nothing else.
func TestWhatTheKernelGets(t *testing.T) {
	tagged := wire.Ethernet{Dst: stationMAC, Src: hostMAC, Tagged: true, Type: wire.EtherTypeIPv4}
	for name, x := range map[string]struct {
		frame []byte
		want  bool
	}{
		"IPv4":            {ethernet(stationMAC, hostMAC, wire.EtherTypeIPv4, to(kernel4)), true},
		"IPv6":            {ethernet(stationMAC, hostMAC, wire.EtherTypeIPv6, to(kernel6)), true},
		"a broadcast":     {ethernet(wire.Broadcast, hostMAC, wire.EtherTypeIPv4, to(kernel4)), true},
		"somebody else's": {ethernet(hostMAC, hostMAC, wire.EtherTypeIPv4, to(kernel4)), false},
		"a tag":           {append(tagged.AppendTo(nil), to(kernel4)...), false},
		"a bridge's":      {ethernet(wire.MustParseMAC("01:80:c2:00:00:00"), hostMAC, 40, make([]byte, 46)), false},
		"half a header":   {ethernet(stationMAC, hostMAC, wire.EtherTypeIPv6, to(kernel6)[:20]), false},
		"half a frame":    {make([]byte, 9), false},
	} {
		if got := newTestStation().hears(x.frame); got != x.want {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
}

func FuzzStation(f *testing.F) {
	f.Add(arpFrom(wire.ARPRequest, host4, kernel4), to(host4))
	f.Add(neighborFrom(wire.NeighborSolicitation, host6, kernel6, kernel6, nil), to(host6))
	f.Fuzz(func(t *testing.T, frame, packet []byte) {
		s := newTestStation()
		s.sends(packet)
		s.hears(frame)
		s.sends(packet)
		for b := s.pop(); b != nil; b = s.pop() {
			if _, _, err := wire.ParseEthernet(b[headerLen:]); err != nil {
				t.Fatal(fmt.Sprintf("%x", b), err)
			}
		}
	})
}
