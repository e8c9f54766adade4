package stack

import (
	"testing"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// FuzzFrames lets a host and a router hear anything: they don't fall, and
// whatever they send is well formed, which the fixture checks.
func FuzzFrames(f *testing.F) {
	card := cardOf(0x10)
	for _, p := range []packet{
		hello(), onward(100), ping(peer, own, 1, 2, "abc"), ping(peer, own, 1, 2, ""),
		segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""),
		segment(peer+":1000", own+":81", wire.TCP{Seq: 1000, Flags: wire.ACK}, "data"),
		redirect(gateway, gateway2, datagram(own+":9", far+":53", "x")),
		fragments(datagram(peer+":1000", own+":9", string(make([]byte, 100))), 40, 0)[0],
		fragments(datagram(peer+":1000", own+":9", string(make([]byte, 100))), 40, 1)[0],
		datagram(peer+":1000", everyone+":9", "all"),
		icmp(gateway, own, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: 4}, datagram(own+":9", far+":53", "x").bytes()),
	} {
		f.Add(p.frame(card).AppendTo(nil), false)
	}
	arp := wire.ARP{Op: wire.ARPRequest, SenderMAC: cardOf(11), SenderIP: ip(peer), TargetIP: ip(own)}
	eth := wire.Ethernet{Dst: wire.Broadcast, Src: cardOf(11), Type: wire.EtherTypeARP}
	f.Add(arp.AppendTo(eth.AppendTo(nil)), true)

	f.Fuzz(func(t *testing.T, frame []byte, sum bool) {
		if len(frame) > wire.EthernetHeaderLen+EthernetMTU {
			return
		}
		cautious := newHost(t)
		cautious.sysctl("tcp_syncookies", "2")
		for _, m := range []*machine{newHost(t), newRouter(t), cautious} {
			m.listensUDP("0.0.0.0:9")
			m.listensTCP("0.0.0.0:80", 2)
			u := m.listensUDP("0.0.0.0:10")
			u.Connect(at(far + ":53"))
			b := append([]byte(nil), frame...)
			if sum {
				repair(b, m.Interfaces()[1].MAC)
			}
			for range 2 {
				p := pkt.FromBytes(b, min(len(b), pkt.HeadRoom))
				p.Pad(60)
				m.HandleFrame(m.now, 1, p)
				m.drain()
				m.settle()
			}
			m.passes(seconds(100))
		}
	})
}

// repair makes a frame one that gets further: for the card, with the right
// checksum of its IPv4 header.
func repair(b []byte, card wire.MAC) {
	if len(b) < wire.EthernetHeaderLen+wire.IPv4HeaderLen {
		return
	}
	copy(b, card[:])
	b[12], b[13] = 8, 0
	h := b[wire.EthernetHeaderLen:]
	n := min(int(h[0]&15)*4, len(h))
	h[10], h[11] = 0, 0
	sum := wire.Checksum(h[:n])
	h[10], h[11] = byte(sum>>8), byte(sum)
}
