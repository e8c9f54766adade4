package stack

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/internal/pkt"
	"hubbub/network/nat"
	"hubbub/wire"
)

// newNAT returns a router that hides 172.16.10.0/24 behind 172.16.11.1.
func newNAT(t *testing.T) *machine {
	m := newRouter(t)
	m.Masquerade(m.Interfaces()[2])
	return m
}

const outer = "172.16.11.1"

// becomes checks that the machine sends one packet, octet by octet: the one that is
// given, with a time to live that is one less.
func (m *machine) becomes(p packet) {
	m.t.Helper()
	if len(m.sent) != 1 {
		m.t.Fatalf("sent %+v, want one packet", m.sent)
	}
	p.ip.TTL = 63
	if got, want := string(m.sent[0].raw), string(p.bytes()); got != want {
		m.t.Errorf("sent %s,\n%x, want\n%x", m.sent[0].text, got, want)
	}
	m.sent = nil
}

// RFC 3022, 4.1: outward the source's address and port, inward the destination's are
// translated, and the checksums with them; so are a query's identifiers (RFC 5508,
// 3.1).
func TestNATTranslatesBothWays(t *testing.T) {
	m := newNAT(t)
	m.hears(datagram(peer+":1500", other+":9", "out"))
	m.becomes(datagram(outer+":1500", other+":9", "out"))
	m.hearsAt(2, datagram(other+":9", outer+":1500", "in"))
	m.becomes(datagram(other+":9", peer+":1500", "in"))

	h := wire.TCP{Seq: 7, Flags: wire.SYN, Window: 100}
	m.hears(segment(peer+":1500", other+":80", h, ""))
	m.becomes(segment(outer+":1500", other+":80", h, ""))
	h.Flags |= wire.ACK
	m.hearsAt(2, segment(other+":80", outer+":1500", h, "data"))
	m.becomes(segment(other+":80", peer+":1500", h, "data"))

	m.hears(ping(peer, other, 1500, 2, "x"))
	m.becomes(ping(outer, other, 1500, 2, "x"))
	pong := ping(other, outer, 1500, 2, "x")
	pong.body = (&wire.ICMPv4{Type: wire.EchoReply, Rest: [4]byte{1500 >> 8, 1500 & 255, 0, 2}}).AppendTo(nil, []byte("x"))
	m.hearsAt(2, pong)
	pong.ip.Dst = ip(peer)
	m.becomes(pong)
	m.discards()
}

// RFC 4787, 4.1: the mapping is the same whomever the packets are for; two machines
// with the same port have different ones.
func TestNATGivesEachItsPort(t *testing.T) {
	m := newNAT(t)
	const second = "172.16.10.2"
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.sends("by eth1: " + outer + ":1500 > " + other + `:9: "x"`)
	m.hears(datagram(second+":1500", other+":9", "x"))
	m.sends("by eth1: " + outer + ":1024 > " + other + `:9: "x"`)
	m.hears(datagram(second+":1500", other+":10", "x"))
	m.sends("by eth1: " + outer + ":1024 > " + other + `:10: "x"`)
	m.hearsAt(2, datagram("172.16.11.2:77", outer+":1024", "x"))
	m.sends("172.16.11.2:77 > " + second + `:1500: "x"`)
}

// Who is outside reaches neither those inside, by their own addresses, nor ports that
// nobody has; the router itself is there as before, and its own ports are not given
// away.
func TestNATHidesThoseInside(t *testing.T) {
	m := newNAT(t)
	m.hearsAt(2, datagram(other+":9", peer+":1500", "x"))
	m.sendsNothing()
	m.discards(discardUnasked)
	m.hearsAt(2, ping(other, outer, 1, 2, "x"))
	m.sends("by eth1: " + outer + " > " + other + `: echo reply 1/2 "x"`)
	m.hearsAt(2, datagram(other+":9", outer+":1500", "x"))
	m.sends("by eth1: " + outer + " > " + other + ": port unreachable, about " + other + " > " + outer)
	m.discards(discardNoPort)

	u := m.NewUDP()
	m.ok("bind", u.Bind(at("0.0.0.0:1500")))
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.sends("by eth1: " + outer + ":1024 > " + other + `:9: "x"`)
	p := ipPacket(wire.Protocol(47), peer, other, []byte("12345678"))
	m.hears(p)
	m.sendsNothing()
	m.discards(discardUntranslatable)
	m.hears(ping(peer, outer, 5, 6, "x"))
	m.sends(outer + " > " + peer + `: echo reply 5/6 "x"`)
}

// A connection of the router's own is its own, though somebody inside has the port.
func TestNATLeavesTheRoutersOwnConnections(t *testing.T) {
	m := newNAT(t)
	e := m.connects(other + ":80")
	own := outer + ":" + strings.Split(e.Local().String(), ":")[1]
	syn := m.lastSegment()
	m.forget()
	table := m.Interfaces()[2].nat
	table.Out(m.now, nat.Inside{Protocol: wire.ProtocolTCP, Ends: netip.MustParseAddrPort(peer + ":" + strings.Split(own, ":")[1])}, wire.SYN, func(uint16) bool { return false })
	m.hearsAt(2, segment(other+":80", own, wire.TCP{Seq: 100, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 1000}, ""))
	m.sends("by eth1: " + own + " > " + other + ":80: ACK of 0 bytes")
}

// RFC 5508, 4.2: an error is for whoever sent what it quotes, and quotes what that
// one sent; the answer of a machine inside likewise.
func TestNATTranslatesErrors(t *testing.T) {
	m := newNAT(t)
	fromInside := func(src string) packet {
		return segment(src, other+":80", wire.TCP{Seq: 7, Flags: wire.SYN, Window: 100}, "")
	}
	m.hears(fromInside(peer + ":1500"))
	m.forget()
	tooBig := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded}
	tooBig.SetMTU(1400)
	about := func(p packet) []byte { return p.bytes() }
	m.hearsAt(2, icmp("172.16.11.2", outer, tooBig, about(fromInside(outer+":1500"))))
	m.becomes(icmp("172.16.11.2", peer, tooBig, about(fromInside(peer+":1500"))))
	m.hearsAt(2, icmp("172.16.11.2", outer, tooBig, about(fromInside(outer + ":1500"))[:28]))
	m.becomes(icmp("172.16.11.2", peer, tooBig, about(fromInside(peer + ":1500"))[:28]))
	m.hearsAt(2, icmp("172.16.11.2", outer, tooBig, about(fromInside(outer+":1501"))))
	m.sendsNothing()
	m.forget()
	m.discards(discardICMP)

	m.hears(datagram(peer+":1600", other+":9", "x"))
	m.forget()
	closed := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	m.hears(icmp(peer, other, closed, about(datagram(other+":9", peer+":1600", "answer"))))
	m.becomes(icmp(outer, other, closed, about(datagram(other+":9", outer+":1600", "answer"))))
	m.hears(icmp(peer, other, closed, about(datagram(other+":9", peer+":1601", "answer"))))
	m.sendsNothing()
	m.discards(discardUntranslatable)

	m.hears(ping(peer, other, 5, 1, "x"))
	m.forget()
	m.hearsAt(2, icmp("172.16.11.2", outer, closed, about(ping(outer, other, 1024, 1, "x"))))
	m.becomes(icmp("172.16.11.2", peer, closed, about(ping(peer, other, 5, 1, "x"))))
}

// RFC 4787, 11: fragments are put together, for the first alone has the ports.
func TestNATPutsFragmentsTogether(t *testing.T) {
	m := newNAT(t)
	fragments := func(p packet) (all [2]packet) {
		const cut = 1000
		all[0], all[1] = p, p
		all[0].body, all[0].ip.MF = p.body[:cut], true
		all[1].body, all[1].ip.FragOffset = p.body[cut:], cut
		return all
	}
	data := strings.Repeat("x", 1400)
	for _, f := range fragments(datagram(peer+":1500", other+":9", data)) {
		m.hears(f)
	}
	m.sends("by eth1: " + outer + ":1500 > " + other + `:9: "` + data + `"`)
	f := fragments(datagram(other+":9", outer+":1500", data))
	m.hearsAt(2, f[1])
	m.hearsAt(2, f[0])
	m.sends(other + ":9 > " + peer + `:1500: "` + data + `"`)
}

// RFC 4787, 6: "A NAT MUST support "Hairpinning"": those inside reach each other by
// the router's address.
func TestNATHairpinning(t *testing.T) {
	m := newNAT(t)
	const second = "172.16.10.2"
	m.hears(datagram(second+":1700", other+":9", "x"))
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.forget()
	m.hears(datagram(peer+":1500", outer+":1700", "x"))
	m.becomes(datagram(outer+":1500", second+":1700", "x"))
}

// A packet whose time to live runs out is not translated: who sent it is told, of
// what it sent.
func TestNATTimeToLive(t *testing.T) {
	m := newNAT(t)
	p := datagram(peer+":1500", other+":9", "x")
	p.ip.TTL = 1
	m.hears(p)
	m.sends(gateway + " > " + peer + ": time to live exceeded in transit, about " + peer + " > " + other)
	if n := m.Interfaces()[2].nat.Len(); n != 0 {
		t.Errorf("%d mappings", n)
	}
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.forget()
	p = datagram(other+":9", outer+":1500", "x")
	p.ip.TTL = 1
	m.hearsAt(2, p)
	m.sends("by eth1: " + outer + " > " + other + ": time to live exceeded in transit, about " + other + " > " + outer)
}

// With the power the mappings are gone; who is hidden is hidden after it.
func TestNATForgetsWithThePower(t *testing.T) {
	m := newNAT(t)
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.forget()
	m.Restart(m.now)
	m.passes(time.Second)
	m.forget()
	if n := m.Interfaces()[2].nat.Len(); n != 0 {
		t.Errorf("%d mappings outlive the power", n)
	}
	m.hears(datagram(peer+":1500", other+":9", "x"))
	if n := m.Interfaces()[2].nat.Len(); n != 1 {
		t.Errorf("%d mappings, want one", n)
	}
}

// A router of few ports says that none is left.
func TestNATWithoutAPort(t *testing.T) {
	m := newNAT(t)
	config := nat.DefaultConfig()
	config.Most = 1
	m.Interfaces()[2].nat = nat.New(config)
	m.hears(datagram(peer+":1500", other+":9", "x"))
	m.forget()
	m.hears(datagram(peer+":1501", other+":9", "x"))
	m.sendsNothing()
	m.discards(discardNoMapping)
}

// FuzzNAT lets a router that hides others hear anything, from inside and from outside:
// it doesn't fall, and its table stays in order.
func FuzzNAT(f *testing.F) {
	closed := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	for _, p := range []packet{
		datagram(peer+":1500", other+":9", "x"), ping(peer, other, 1, 2, "abc"), onward(100),
		segment(peer+":1500", other+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""),
		icmp(peer, other, closed, datagram(other+":9", peer+":1500", "answer").bytes()),
		icmp(other, gateway, closed, datagram(gateway+":1500", other+":9", "x").bytes()),
		datagram(other+":9", gateway+":1500", "answer"),
	} {
		f.Add(p.frame(cardOf(1)).AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > wire.EthernetHeaderLen+EthernetMTU {
			return
		}
		for out := 1; out <= 2; out++ {
			m := newRouter(t)
			m.Masquerade(m.Interfaces()[out])
			b := append([]byte(nil), frame...)
			repair(b, m.Interfaces()[1].MAC)
			table := m.Interfaces()[out].nat
			for _, protocol := range []wire.Protocol{wire.ProtocolUDP, wire.ProtocolTCP, wire.ProtocolICMP} {
				table.Out(m.now, nat.Inside{Protocol: protocol, Ends: netip.MustParseAddrPort(other + ":1500")}, 0, func(uint16) bool { return false })
			}
			for range 2 {
				m.HandleFrame(m.now, 1, pkt.FromBytes(b, min(len(b), pkt.HeadRoom)))
				for {
					_, p, ok := m.PollFrame(m.now)
					if !ok {
						break
					}
					p.Release()
				}
			}
			if n := table.Len(); n > 5 {
				t.Errorf("%d mappings after two packets", n)
			}
		}
	})
}
