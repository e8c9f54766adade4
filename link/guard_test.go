package link

import (
	"net/netip"
	"testing"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// ipv6Frame makes a frame for all nodes with an IPv6 packet.
func ipv6Frame(src netip.Addr, hopLimit uint8, next wire.Protocol, body []byte) *pkt.Packet {
	h := wire.IPv6{NextHeader: next, HopLimit: hopLimit, Src: src, Dst: wire.AllNodes, PayloadLen: len(body)}
	eth := wire.Ethernet{Dst: wire.MulticastMAC(wire.AllNodes), Src: mac(1), Type: wire.EtherTypeIPv6}
	b := append(h.AppendTo(eth.AppendTo(nil)), body...)
	p := pkt.FromBytes(b, min(len(b), 60))
	p.ID = 1
	return p
}

// RFC 6105 and RFC 7113, 3: a port of hosts lets no router advertisement in,
// however it is hidden, and all else.
func TestRouterAdvertisementsOfHostsAreDropped(t *testing.T) {
	a := wire.RouterAdvert{Lifetime: 1800}
	m, payload := a.Message(nil)
	link := addr("fe80::1")
	advert := m.AppendTo(link, wire.AllNodes, nil, payload)
	solicitation := wire.ICMPv6{Type: wire.ICMPv6RouterSolicitation}
	padding := func(next wire.Protocol) []byte { return []byte{byte(next), 0, 1, 4, 0, 0, 0, 0} }
	fragment := func(offset int, more bool, body []byte) []byte {
		f := wire.Fragment{NextHeader: wire.ProtocolICMPv6, Offset: offset, More: more, ID: 7}
		return append(f.AppendTo(nil), body...)
	}
	chain := []byte(nil)
	for range 9 {
		chain = append(chain, padding(wire.ProtocolDestOptions)...)
	}
	for _, x := range []struct {
		what     string
		src      netip.Addr
		hopLimit uint8
		next     wire.Protocol
		body     []byte
		why      Reason // 0: it passes
	}{
		{"plain", link, 255, wire.ProtocolICMPv6, advert, RogueAdvert},
		{"behind options", link, 255, wire.ProtocolDestOptions, append(padding(wire.ProtocolICMPv6), advert...), RogueAdvert},
		{"in an atomic fragment", link, 255, wire.ProtocolFragment, fragment(0, false, advert), RogueAdvert},
		{"in a first fragment", link, 255, wire.ProtocolFragment, fragment(0, true, advert[:8]), RogueAdvert},
		{"a first fragment without it", link, 255, wire.ProtocolFragment, fragment(0, true, nil), HiddenHeaders},
		{"a chain without end", link, 255, wire.ProtocolDestOptions, chain, HiddenHeaders},
		{"a chain cut off", link, 255, wire.ProtocolDestOptions, []byte{58, 9, 0, 0, 0, 0, 0, 0}, HiddenHeaders},
		{"an unknown header", link, 255, 200, advert, HiddenHeaders},
		{"a later fragment", link, 255, wire.ProtocolFragment, fragment(8, false, advert), 0},
		{"forwarded", link, 254, wire.ProtocolICMPv6, advert, 0},
		{"from afar", addr("2001:db8::1"), 255, wire.ProtocolICMPv6, advert, 0},
		{"a solicitation", link, 255, wire.ProtocolICMPv6, solicitation.AppendTo(link, wire.AllNodes, nil, nil), 0},
		{"nothing", link, 255, wire.ProtocolNone, nil, 0},
		{"a datagram", link, 255, wire.ProtocolUDP, make([]byte, 8), 0},
		{"a datagram behind options", link, 255, wire.ProtocolDestOptions, append(padding(wire.ProtocolUDP), make([]byte, 8)...), 0},
	} {
		b := bridge(t, BridgeConfig{Ports: []PortConfig{{}, {Hosts: true}, {}}})
		ports := sent(b, 0, 1, ipv6Frame(x.src, x.hopLimit, x.next, x.body))
		if x.why == 0 {
			wantAll(t, x.what, ports, 0, 2)
			continue
		}
		wantAll(t, x.what, ports)
		want(t, x.what, b.Drops()[x.why], 1)
		want(t, "and nobody is learned", len(b.Table()), 0)
		wantAll(t, "from another port", sent(b, 0, 0, ipv6Frame(x.src, x.hopLimit, x.next, x.body)), 1, 2)
	}
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{}, {Hosts: true}, {}}})
	wantAll(t, "what isn't IPv6", sent(b, 0, 1, frame(wire.Broadcast, mac(1), 60, 1)), 0, 2)
}

// A router advertisement to one station doesn't slip through on the short way.
func TestAnAdvertisementToOneStationIsDropped(t *testing.T) {
	b := bridge(t, BridgeConfig{Ports: []PortConfig{{}, {Hosts: true}}})
	sent(b, 0, 0, frame(mac(1), mac(2), 60, 1))
	sent(b, 0, 1, frame(mac(2), mac(1), 60, 2))
	if _, ok := b.Pass(0, 1, frame(mac(2), mac(1), 60, 3)); ok {
		t.Error("a port of hosts has no short way")
	}
	if _, ok := b.Pass(0, 0, frame(mac(1), mac(2), 60, 4)); !ok {
		t.Error("the other port has one")
	}
}
