package stack

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/network/route"
	"hubbub/wire"
)

// The cast: a host on 172.16.10.0/24, its neighbours, the gateway, and
// somebody far away.
const (
	own      = "172.16.10.10"
	peer     = "172.16.10.11"
	gateway  = "172.16.10.1"
	gateway2 = "172.16.10.2"
	far      = "10.9.9.9"
	everyone = "255.255.255.255"
	subnet   = "172.16.10.255"
)

func ip(s string) netip.Addr           { return netip.MustParseAddr(spoken(s)) }
func prefix(s string) netip.Prefix     { return netip.MustParsePrefix(spoken(s)) }
func at(s string) netip.AddrPort       { return netip.MustParseAddrPort(spoken(s)) }
func cardOf(last byte) wire.MAC        { return wire.MAC{2, 0, 0, 0, 0, last} }
func seconds(n float64) clock.Duration { return clock.Duration(n * float64(time.Second)) }

// A machine is a stack that a test drives frame by frame.
type machine struct {
	*Stack
	t    testing.TB
	now  clock.Time
	sent []sent
	told map[string]uint64 // discards that were asked about
}

// sent is a frame that the machine has sent.
type sent struct {
	port int
	eth  wire.Ethernet
	raw  []byte // the network layer's part, without padding
	text string
}

// newMachine returns a machine with its card at each of the addresses, and
// knows everybody's MAC address there.
func newMachine(t testing.TB, change func(*Config), addresses ...string) *machine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Name, cfg.Stream, cfg.Random = "host", new(event.Stream), rand.New(rand.NewPCG(1, 2))
	if change != nil {
		change(&cfg)
	}
	m := &machine{Stack: New(cfg), t: t, now: clock.Time(time.Second), told: make(map[string]uint64)}
	for n, address := range addresses {
		i := m.AddInterface(fmt.Sprint("eth", n), cardOf(byte(0x10+n)), EthernetMTU)
		m.ok("the address", m.AddAddress(m.now, i, prefix(address), false))
		if prefix(address).Addr().Is6() {
			m.knowIPv6(i, prefix(address))
			continue
		}
		base := prefix(address).Masked().Addr().As4()
		for last := byte(1); last < 30; last++ {
			base[3] = last
			if addr := netip.AddrFrom4(base); addr != prefix(address).Addr() {
				i.Neighbors().SetPermanent(m.now, addr, cardOf(last))
			}
		}
	}
	m.forget()
	return m
}

// newHost returns a host with one card and a gateway.
func newHost(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t, nil, own+"/24")
	m.route("0.0.0.0/0", gateway, 1)
	m.settleIPv6()
	return m
}

// newRouter returns a router between 172.16.10.0/24 and 172.16.11.0/24.
func newRouter(t testing.TB) *machine {
	t.Helper()
	return newMachine(t, func(c *Config) { c.Forwarding = true }, gateway+"/24", "172.16.11.1/24")
}

func (m *machine) route(to, by string, port int) {
	m.t.Helper()
	m.ok("the route", m.AddRoute(route.Route{Prefix: prefix(to), NextHop: ip(by), Interface: port}))
}

func (m *machine) ok(what string, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

func (m *machine) wantError(what string, got, want error) {
	m.t.Helper()
	if got != want {
		m.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// forget empties what was sent.
func (m *machine) forget() {
	m.drain()
	m.sent = nil
}

// drain takes what the machine sends. What goes to itself comes back at once.
func (m *machine) drain() {
	m.t.Helper()
	for range 1000 {
		port, p, ok := m.PollFrame(m.now)
		if !ok {
			return
		}
		if m.Interfaces()[port].Loopback {
			m.HandleFrame(m.now, port, p)
			continue
		}
		m.sent = append(m.sent, m.decode(port, p.AppendTo(nil)))
		p.Release()
	}
	m.t.Fatal("the machine talks to itself for ever")
}

// hears gives the machine a packet from its first card's link.
func (m *machine) hears(p packet) {
	m.t.Helper()
	m.hearsAt(1, p)
}

func (m *machine) hearsAt(port int, p packet) {
	m.t.Helper()
	m.HandleFrame(m.now, port, p.frame(m.Interfaces()[port].MAC))
	m.drain()
	m.settle()
}

func (m *machine) settle() {
	for {
		if _, ok := m.PollReady(); !ok {
			return
		}
	}
}

// passes lets time pass, and what is due happen.
func (m *machine) passes(d clock.Duration) {
	m.t.Helper()
	end := m.now.Add(d)
	for steps := 0; ; steps++ {
		if steps == 100000 {
			m.t.Fatalf("at %v its timers never end", m.now)
		}
		m.drain()
		next := m.NextTimer()
		if next == clock.Never || next > end {
			break
		}
		m.now = max(m.now, next)
		m.HandleTimer(m.now)
	}
	m.now = end
	m.drain()
}

// sends checks that the machine has sent the frames, and nothing else.
func (m *machine) sends(want ...string) {
	m.t.Helper()
	m.drain()
	var got []string
	for _, s := range m.sent {
		got = append(got, s.text)
	}
	m.sent = nil
	if g, w := strings.Join(got, "\n\t"), spoken(strings.Join(want, "\n\t")); g != w {
		m.t.Errorf("sent\n\t%s\nwant\n\t%s", g, w)
	}
}

func (m *machine) sendsNothing() {
	m.t.Helper()
	m.sends()
}

// discards checks that exactly those reasons were counted since it was last
// asked.
func (m *machine) discards(want ...Discard) {
	m.t.Helper()
	all := m.Discards()
	got, wanted := map[string]uint64{}, map[string]uint64{}
	for text, n := range all {
		if n != m.told[text] {
			got[text] = n - m.told[text]
		}
	}
	for _, d := range want {
		wanted[d.String()]++
	}
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		m.t.Errorf("discarded because %v, want %v", got, wanted)
	}
	m.told = all
}

// decode checks a frame's form, and says in a line what it is.
func (m *machine) decode(port int, raw []byte) sent {
	m.t.Helper()
	eth, rest, err := wire.ParseEthernet(raw)
	m.ok("the Ethernet header", err)
	if len(raw) < 60 {
		m.t.Errorf("a frame of %d bytes is too short for Ethernet", len(raw))
	}
	s := sent{port: port, eth: eth, raw: rest}
	if eth.Type == wire.EtherTypeARP {
		a, _, err := wire.ParseARP(rest)
		m.ok("the ARP packet", err)
		s.text = fmt.Sprintf("%v: %v asks for %v", a.Op, a.SenderIP, a.TargetIP)
		if a.Op == wire.ARPReply {
			s.text = fmt.Sprintf("%v is at %v", a.SenderIP, a.SenderMAC)
		}
	} else if eth.Type == wire.EtherTypeIPv6 {
		s.raw, s.text = m.describe6(rest)
	} else {
		h, payload, err := wire.ParseIPv4(rest)
		m.ok("the IPv4 header", err)
		s.raw = rest[:h.TotalLen]
		s.text = m.describe(&h, payload)
	}
	if port != 1 {
		s.text = fmt.Sprintf("by %s: %s", m.Interfaces()[port].Name, s.text)
	}
	return s
}

// describe says in a line what an IPv4 packet is.
func (m *machine) describe(h *wire.IPv4, b []byte) string {
	m.t.Helper()
	if h.IsFragment() {
		return fmt.Sprintf("%v > %v: bytes %d to %d of %d, more %v", h.Src, h.Dst, h.FragOffset, h.FragOffset+len(b), h.ID, h.MF)
	}
	if m.own.by(h.Src) == nil && m.damaged(h, b) {
		return fmt.Sprintf("%v > %v: damaged", h.Src, h.Dst) // as it came: a router doesn't look into it
	}
	switch h.Protocol {
	case wire.ProtocolICMP:
		msg, payload, err := wire.ParseICMPv4(b)
		m.ok("the ICMP message", err)
		return fmt.Sprintf("%v > %v: %s", h.Src, h.Dst, describeICMP(&msg, payload))
	case wire.ProtocolUDP:
		u, data, err := wire.ParseUDP(b)
		m.ok("the UDP datagram", err)
		m.checksum(h, b)
		return fmt.Sprintf("%v:%d > %v:%d: %q", h.Src, u.SrcPort, h.Dst, u.DstPort, data)
	case wire.ProtocolTCP:
		seg, data, err := wire.ParseTCPHeader(b)
		m.ok("the TCP segment", err)
		m.checksum(h, b)
		return fmt.Sprintf("%v:%d > %v:%d: %v of %d bytes", h.Src, seg.SrcPort, h.Dst, seg.DstPort, seg.Flags, len(data))
	}
	return fmt.Sprintf("%v > %v: %v of %d bytes", h.Src, h.Dst, h.Protocol, len(b))
}

// damaged reports whether the transport's part of a packet can't be read.
func (m *machine) damaged(h *wire.IPv4, b []byte) bool {
	var err error
	switch h.Protocol {
	case wire.ProtocolICMP:
		_, _, err = wire.ParseICMPv4(b)
		return err != nil
	case wire.ProtocolUDP:
		_, _, err = wire.ParseUDP(b)
	case wire.ProtocolTCP:
		_, _, err = wire.ParseTCPHeader(b)
	default:
		return false
	}
	return err != nil || wire.PseudoHeader(h.Src, h.Dst, h.Protocol, len(b)).Add(b).Fold() != 0
}

// checksum verifies a transport's checksum.
func (m *machine) checksum(h *wire.IPv4, b []byte) {
	m.t.Helper()
	if wire.PseudoHeader(h.Src, h.Dst, h.Protocol, len(b)).Add(b).Fold() != 0 {
		m.t.Errorf("%v > %v: the %v checksum is wrong", h.Src, h.Dst, h.Protocol)
	}
}

func describeICMP(msg *wire.ICMPv4, payload []byte) string {
	if !msg.IsError() {
		return fmt.Sprintf("%v %d/%d %q", msg.Type, msg.ID(), msg.Seq(), payload)
	}
	h, _, err := wire.ParseIPv4Quote(payload)
	if err != nil {
		return "an error that quotes nothing: " + err.Error()
	}
	text := msg.Text()
	if msg.Type == wire.Redirect {
		text += " to " + msg.Gateway().String()
	}
	if mtu := msg.MTU(); mtu != 0 && msg.Code == wire.CodeFragmentationNeeded && msg.Type == wire.DestinationUnreachable {
		text += fmt.Sprintf(" (MTU %d)", mtu)
	}
	return fmt.Sprintf("%s, about %v > %v", text, h.Src, h.Dst)
}

// A packet is what a test lets a machine hear. Zero fields are what a decent
// packet has there.
type packet struct {
	to      wire.MAC
	kind    wire.EtherType
	ip      wire.IPv4
	body    []byte
	mangle  func(b []byte) // changes the finished IPv4 packet
	damaged bool
}

// frame returns the packet as a frame for a card.
func (p packet) frame(card wire.MAC) *pkt.Packet {
	if p.ip.Dst.Is6() {
		return p.six().frame6(card)
	}
	if p.to.IsZero() {
		p.to = card
	}
	if p.kind == 0 {
		p.kind = wire.EtherTypeIPv4
	}
	if p.ip.TTL == 0 {
		p.ip.TTL = 64
	}
	p.ip.TotalLen = p.ip.HeaderLen() + len(p.body)
	eth := wire.Ethernet{Dst: p.to, Src: cardOf(11), Type: p.kind}
	b := eth.AppendTo(nil)
	start := len(b)
	b = append(p.ip.AppendTo(b), p.body...)
	if p.mangle != nil {
		p.mangle(b[start:])
	}
	f := pkt.FromBytes(b, min(len(b), pkt.HeadRoom-8))
	f.Pad(60)
	if p.damaged {
		f.FlipBit(300)
	}
	return f
}

func ipPacket(protocol wire.Protocol, src, dst string, body []byte) packet {
	return packet{ip: wire.IPv4{Protocol: protocol, Src: ip(src), Dst: ip(dst), ID: 77}, body: body}
}

// datagram is a UDP datagram between "address:port" and another.
func datagram(src, dst, data string) packet {
	s, d := at(src), at(dst)
	h := wire.UDP{SrcPort: s.Port(), DstPort: d.Port(), Length: wire.UDPHeaderLen + len(data)}
	b := h.AppendTo(nil)
	sum := wire.UDPChecksum(s.Addr(), d.Addr(), b, []byte(data))
	b[6], b[7] = byte(sum>>8), byte(sum)
	return ipPacket(wire.ProtocolUDP, s.Addr().String(), d.Addr().String(), append(b, data...))
}

func ping(src, dst string, id, seq uint16, data string) packet {
	m := wire.ICMPv4{Type: wire.Echo}
	m.SetEcho(id, seq)
	return ipPacket(wire.ProtocolICMP, src, dst, m.AppendTo(nil, []byte(data)))
}

// icmp is an error message that quotes a packet.
func icmp(src, dst string, m wire.ICMPv4, about []byte) packet {
	return ipPacket(wire.ProtocolICMP, src, dst, m.AppendTo(nil, about))
}

// segment is a TCP segment between "address:port" and another.
func segment(src, dst string, h wire.TCP, data string) packet {
	s, d := at(src), at(dst)
	h.SrcPort, h.DstPort = s.Port(), d.Port()
	b := h.AppendTo(nil)
	sum := wire.TransportChecksum(s.Addr(), d.Addr(), wire.ProtocolTCP, b, []byte(data))
	b[16], b[17] = byte(sum>>8), byte(sum)
	return ipPacket(wire.ProtocolTCP, s.Addr().String(), d.Addr().String(), append(b, data...))
}

// six returns the packet with the header of IPv6.
func (p packet) six() packet6 {
	return packet6{
		to: p.to, mangle: p.mangle, body: p.body,
		ip: wire.IPv6{NextHeader: p.ip.Protocol, HopLimit: p.ip.TTL, Src: p.ip.Src, Dst: p.ip.Dst},
	}
}

// bytes returns the packet as IPv4 has it.
func (p packet) bytes() []byte {
	b := p.frame(cardOf(0x10)).AppendTo(nil)[wire.EthernetHeaderLen:]
	return b[:p.ip.HeaderLen()+len(p.body)]
}

// owner is what stands on an endpoint, so that it is told of.
type owner struct{}

// listensUDP returns an endpoint that is bound to an address.
func (m *machine) listensUDP(address string, change ...func(*UDPOptions)) *UDP {
	m.t.Helper()
	e := m.NewUDP()
	e.Options.Privileged = true
	e.SetOwner(owner{})
	for _, f := range change {
		f(&e.Options)
	}
	m.ok("bind", e.Bind(at(address)))
	return e
}

// privileged lets an endpoint bind to any port.
func privileged(set *Settings) { set.Options.Privileged = true }

// listensTCP returns an endpoint that listens at an address.
func (m *machine) listensTCP(address string, backlog int) *TCP {
	m.t.Helper()
	e := m.NewTCP()
	e.Set(privileged)
	e.SetOwner(owner{})
	m.ok("bind", e.Bind(at(address)))
	m.ok("listen", e.Listen(backlog))
	return e
}

// gets checks what waits to be read at an endpoint.
func (e *UDP) gets(t testing.TB, want ...string) {
	t.Helper()
	var got []string
	for {
		d, ok := e.Receive()
		if !ok {
			break
		}
		got = append(got, fmt.Sprintf("%v: %s", d.From, d.Payload.Bytes()))
		d.Payload.Release()
	}
	for n := range want {
		want[n] = spoken(want[n])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v got %q, want %q", e.Local(), got, want)
	}
}

func view(s string) pkt.View { return pkt.CopyView([]byte(s)) }

func ipOf(b [4]byte) netip.Addr { return netip.AddrFrom4(b) }
