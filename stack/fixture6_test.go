package stack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"hubbub/internal/pkt"
	"hubbub/network/autoconf"
	"hubbub/wire"
)

// The IPv6 cast: a host on 2001:db8:10::/64, its neighbour, the gateway, and
// somebody far away.
const (
	own6     = "2001:db8:10::10"
	peer6    = "2001:db8:10::11"
	gateway6 = "fe80::1"
	far6     = "2001:db8:99::9"
	link6    = "fe80::10"
)

// knowIPv6 makes the machine know everybody's MAC address on an IPv6 subnet,
// and their link-local ones.
func (m *machine) knowIPv6(i *Interface, p netip.Prefix) {
	for last := byte(1); last < 30; last++ {
		for _, base := range []netip.Addr{p.Masked().Addr(), linkLocal.Addr()} {
			b := base.As16()
			b[15] = last
			if addr := netip.AddrFrom16(b); m.own.by(addr) == nil && m.own.by(m.zoned(i, addr)) == nil {
				i.IPv6().SetPermanent(m.now, addr, cardOf(last))
			}
		}
	}
}

// newHost6 returns a host with one card on an IPv6 link, whose link-local
// address is fe80::10, and a gateway there.
func newHost6(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t, nil)
	m.card6(IPv6Config{Addresses: []netip.Prefix{prefix(own6 + "/64")}, LinkLocal: ip(link6)})
	m.route("::/0", gateway6, 1)
	m.passes(2e9) // the groups are told of again
	m.forget()
	return m
}

// newRouter6 returns a router between 2001:db8:10::/64 and 2001:db8:11::/64.
func newRouter6(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t, func(c *Config) { c.Forwarding = true })
	m.card6(IPv6Config{Addresses: []netip.Prefix{prefix("2001:db8:10::1/64")}, LinkLocal: ip("fe80::1")})
	m.card6(IPv6Config{Addresses: []netip.Prefix{prefix("2001:db8:11::1/64")}, LinkLocal: ip("fe80::1")})
	m.passes(2e9)
	m.forget()
	return m
}

// card6 gives the machine one more card, with IPv6.
func (m *machine) card6(cfg IPv6Config) *Interface {
	m.t.Helper()
	n := len(m.Interfaces()) - 1
	i := m.AddInterface(fmt.Sprint("eth", n), cardOf(byte(0x10+n)), EthernetMTU)
	m.ok("IPv6", m.StartIPv6(m.now, i, cfg))
	for _, p := range cfg.Addresses {
		m.knowIPv6(i, p)
	}
	return i
}

// describe6 checks an IPv6 packet's form, and says in a line what it is.
func (m *machine) describe6(raw []byte) (packet []byte, text string) {
	m.t.Helper()
	h, rest, err := wire.ParseIPv6(raw)
	m.ok("the IPv6 header", err)
	x, payload, err := wire.ParseIPv6Extensions(h.NextHeader, rest)
	m.ok("the extension headers", err)
	packet = raw[:wire.IPv6HeaderLen+h.PayloadLen]
	ends := fmt.Sprintf("%v > %v", h.Src, h.Dst)
	if x.Fragmented {
		return packet, fmt.Sprintf("%s: bytes %d to %d, more %v", ends, x.Fragment.Offset, x.Fragment.Offset+len(payload), x.Fragment.More)
	}
	if sum := wire.PseudoHeader(h.Src, h.Dst, x.Upper, len(payload)).Add(payload).Fold(); sum != 0 && m.ownBare(h.Src) {
		m.t.Errorf("%s: the %v checksum is wrong", ends, x.Upper)
	}
	switch x.Upper {
	case wire.ProtocolICMPv6:
		msg, body, err := wire.ParseICMPv6(h.Src, h.Dst, payload)
		m.ok("the ICMPv6 message", err)
		return packet, fmt.Sprintf("%s: %s", ends, describeICMPv6(&msg, body))
	case wire.ProtocolUDP:
		u, data, err := wire.ParseUDP(payload)
		m.ok("the UDP datagram", err)
		return packet, fmt.Sprintf("[%v]:%d > [%v]:%d: %q", h.Src, u.SrcPort, h.Dst, u.DstPort, data)
	case wire.ProtocolTCP:
		seg, data, err := wire.ParseTCPHeader(payload)
		m.ok("the TCP segment", err)
		return packet, fmt.Sprintf("[%v]:%d > [%v]:%d: %v of %d bytes", h.Src, seg.SrcPort, h.Dst, seg.DstPort, seg.Flags, len(data))
	}
	return packet, fmt.Sprintf("%s: %v of %d bytes", ends, x.Upper, len(payload))
}

// ownBare reports whether an address on the wire is one of the machine's.
func (m *machine) ownBare(addr netip.Addr) bool {
	for _, i := range m.Interfaces() {
		if m.own.by(m.zoned(i, addr)) != nil {
			return true
		}
	}
	return false
}

func describeICMPv6(m *wire.ICMPv6, payload []byte) string {
	switch m.Type {
	case wire.ICMPv6EchoRequest, wire.ICMPv6EchoReply:
		return fmt.Sprintf("%v %d/%d %q", m.Type, m.ID(), m.Seq(), payload)
	case wire.NeighborSolicitation, wire.NeighborAdvertisement:
		n, err := wire.ParseNeighborMessage(m, payload)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%v of %v%s", m.Type, n.Target, flags(&n))
	case wire.ICMPv6RouterAdvertisement:
		a, _ := wire.ParseRouterAdvert(m, payload)
		var all []string
		for o, rest, ok := wire.NextNDPOption(a.Options); ok; o, rest, ok = wire.NextNDPOption(rest) {
			if p, is := o.PrefixInfo(); is {
				all = append(all, p.Prefix.String())
			}
		}
		return fmt.Sprintf("%v for %d s: %s", m.Type, a.Lifetime, strings.Join(all, " "))
	case wire.MulticastListenerReportV2:
		var all []string
		rest := payload
		for range m.Records() {
			var r wire.ListenerRecord
			r, rest, _ = wire.NextListenerRecord(rest)
			all = append(all, fmt.Sprintf("%d %v", r.Type, r.Group))
		}
		return "report: " + strings.Join(all, ", ")
	case wire.ICMPv6Redirect:
		r, _ := wire.ParseRedirect(payload)
		return fmt.Sprintf("redirect of %v to %v", r.Dst, r.Target)
	}
	if !m.Type.IsError() {
		return m.Text()
	}
	text := m.Text()
	if w := m.Word(); w != 0 {
		text += fmt.Sprintf(" (%d)", w)
	}
	h, _, err := wire.ParseIPv6Header(payload)
	if err != nil {
		return text + ", which quotes nothing"
	}
	return fmt.Sprintf("%s, about %v > %v", text, h.Src, h.Dst)
}

func flags(n *wire.NeighborMessage) string {
	text := ""
	for _, f := range []struct {
		on   bool
		name string
	}{{n.Router, "router"}, {n.Solicited, "solicited"}, {n.Override, "override"}} {
		if f.on {
			text += " " + f.name
		}
	}
	return text
}

// A packet6 is what a test lets a machine hear over IPv6. Zero fields are what
// a decent packet has there.
type packet6 struct {
	to      wire.MAC
	ip      wire.IPv6
	body    []byte // extension headers and all
	mangle  func(b []byte)
	cut     int // octets that the end lacks
	garbage int // octets behind the end
}

func (p packet6) bytes() []byte {
	if p.ip.HopLimit == 0 {
		p.ip.HopLimit = 64
	}
	p.ip.PayloadLen = len(p.body)
	b := append(p.ip.AppendTo(nil), p.body...)
	if p.mangle != nil {
		p.mangle(b)
	}
	return b
}

// frame6 returns the packet as a frame for a card.
func (p packet6) frame6(card wire.MAC) *pkt.Packet {
	switch {
	case p.to.IsZero() && p.ip.Dst.IsMulticast():
		p.to = wire.MulticastMAC(p.ip.Dst)
	case p.to.IsZero():
		p.to = card
	}
	eth := wire.Ethernet{Dst: p.to, Src: cardOf(11), Type: wire.EtherTypeIPv6}
	whole := p.bytes()
	b := append(eth.AppendTo(nil), whole[:len(whole)-p.cut]...)
	b = append(b, make([]byte, p.garbage)...)
	f := pkt.FromBytes(b, min(len(b), pkt.HeadRoom-4))
	f.Pad(60)
	return f
}

func (m *machine) hears6(p packet6) {
	m.t.Helper()
	m.hears6At(1, p)
}

func (m *machine) hears6At(port int, p packet6) {
	m.t.Helper()
	m.HandleFrame(m.now, port, p.frame6(m.Interfaces()[port].MAC))
	m.drain()
	m.settle()
}

func ip6Packet(next wire.Protocol, src, dst string, body []byte) packet6 {
	return packet6{ip: wire.IPv6{NextHeader: next, Src: ip(src), Dst: ip(dst)}, body: body}
}

// datagram6 is a UDP datagram between "[address]:port" and another.
func datagram6(src, dst, data string) packet6 {
	s, d := at(src), at(dst)
	return ip6Packet(wire.ProtocolUDP, s.Addr().String(), d.Addr().String(), udpBytes(s, d, data))
}

func udpBytes(s, d netip.AddrPort, data string) []byte {
	h := wire.UDP{SrcPort: s.Port(), DstPort: d.Port(), Length: wire.UDPHeaderLen + len(data)}
	b := h.AppendTo(nil)
	wire.PutUDPChecksum(s.Addr(), d.Addr(), b, []byte(data))
	return append(b, data...)
}

// icmp6 is an ICMPv6 message with a hop limit of 64.
func icmp6(src, dst string, m wire.ICMPv6, payload []byte) packet6 {
	return ip6Packet(wire.ProtocolICMPv6, src, dst, m.AppendTo(ip(src), ip(dst), nil, payload))
}

// ndpMessage is one of neighbour discovery.
func ndpMessage(src, dst string, m wire.ICMPv6, payload []byte) packet6 {
	p := icmp6(src, dst, m, payload)
	p.ip.HopLimit = wire.NDPHopLimit
	return p
}

func ping6(src, dst string, id, seq uint16, data string) packet6 {
	m := wire.ICMPv6{Type: wire.ICMPv6EchoRequest}
	m.SetEcho(id, seq)
	return icmp6(src, dst, m, []byte(data))
}

// solicits is a neighbour solicitation of an address, from somebody with the
// MAC address of the card.
func solicits(src, dst, target string, card byte) packet6 {
	n := wire.NeighborMessage{Target: ip(target)}
	if card != 0 {
		n.Options = wire.AppendLinkAddress(nil, wire.SourceLinkAddress, cardOf(card))
	}
	m, payload := n.Message(wire.NeighborSolicitation, nil)
	return ndpMessage(src, dst, m, payload)
}

// advertises is a neighbour advertisement of an address.
func advertises(src, dst string, n wire.NeighborMessage, card byte) packet6 {
	n.Options = wire.AppendLinkAddress(nil, wire.TargetLinkAddress, cardOf(card))
	m, payload := n.Message(wire.NeighborAdvertisement, nil)
	return ndpMessage(src, dst, m, payload)
}

// routerSays is a router advertisement from fe80::1.
func routerSays(a wire.RouterAdvert, prefixes ...wire.PrefixInfo) packet6 {
	a.Options = wire.AppendLinkAddress(a.Options, wire.SourceLinkAddress, cardOf(1))
	for i := range prefixes {
		a.Options = prefixes[i].AppendTo(a.Options)
	}
	m, payload := a.Message(nil)
	return ndpMessage("fe80::1", "ff02::1", m, payload)
}

func offers(p string) wire.PrefixInfo {
	return wire.PrefixInfo{Prefix: prefix(p), OnLink: true, Autonomous: true, Valid: 86400, Preferred: 14400}
}

// fragment6 is a fragment of a packet, from an offset on.
func fragment6(src, dst string, f wire.Fragment, body []byte) packet6 {
	return ip6Packet(wire.ProtocolFragment, src, dst, append(f.AppendTo(nil), body...))
}

// advertisement is what the routers of the tests advertise.
func advertisement(prefixes ...string) *autoconf.AdvertConfig {
	cfg := new(autoconf.AdvertConfig)
	for _, p := range prefixes {
		cfg.Prefixes = append(cfg.Prefixes, offers(p))
	}
	return cfg
}

// fragmentBytes returns a fragment header as it is on the wire.
func fragmentBytes(f wire.Fragment) []byte { return f.AppendTo(nil) }
