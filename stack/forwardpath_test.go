package stack

import (
	"testing"

	"hubbub/wire"
)

// remembers reports whether the router would let a packet like p pass as the last.
func (m *machine) remembers(p packet) bool {
	if m.passages == nil {
		return false
	}
	x := m.passages.at(p.bytes()[ipv4Ends:])
	return x.from != nil && x.generation == m.generation
}

// newKnownRouter returns a router that has forwarded a packet like onward, and whose
// neighbour other was asked for, so that its entry is a fresh one.
func newKnownRouter(t *testing.T) *machine {
	m := newRouter(t)
	m.hears(onward(5))
	m.forget()
	if !m.remembers(onward(5)) {
		t.Fatal("nothing is remembered")
	}
	return m
}

// A packet that goes the way of the last one is as one that a router forwards for the
// first time, octet by octet.
func TestTheSecondPacketIsForwardedAsTheFirst(t *testing.T) {
	for _, size := range []int{0, 5, 18, 19, 100, 1472} {
		for _, change := range []func(h *wire.IPv4){
			func(*wire.IPv4) {}, func(h *wire.IPv4) { h.TTL = 2 }, func(h *wire.IPv4) { h.TTL = 255 }, func(h *wire.IPv4) { h.TOS = 3 },
			func(h *wire.IPv4) { h.DF = false }, func(h *wire.IPv4) { h.FragOffset = 800 }, func(h *wire.IPv4) { h.MF = true },
		} {
			first, second := newRouter(t), newKnownRouter(t)
			p := onward(size)
			if p.ip.TTL == 0 {
				p.ip.TTL = 64
			}
			p.ip.ID = 77
			change(&p.ip)
			first.hears(p)
			second.hears(p)
			if len(first.sent) != 1 || len(second.sent) != 1 {
				t.Fatalf("%d octets: %d and %d frames were sent", size, len(first.sent), len(second.sent))
			}
			a, b := first.sent[0], second.sent[0]
			if a.port != b.port || a.eth.Dst != b.eth.Dst || a.eth.Src != b.eth.Src || string(a.raw) != string(b.raw) {
				t.Errorf("%d octets: forwarded as\n%v %x, want\n%v %x", size, b.eth, b.raw, a.eth, a.raw)
			}
		}
	}
}

// What was remembered doesn't keep the router from what else there is to do.
func TestWhatARouterRemembersIsLeft(t *testing.T) {
	m := newKnownRouter(t)
	p := onward(5)
	p.ip.TTL = 1
	m.hears(p)
	m.sends(gateway + " > " + peer + ": time to live exceeded in transit, about " + peer + " > " + other)
	m.discards(discardTTL)

	p = onward(5)
	p.mangle = func(b []byte) { b[10]++ }
	m.hears(p)
	m.sendsNothing()
	m.discards(discardIPv4Header)

	p = onward(5)
	p.mangle = func(b []byte) {
		b[2], b[3] = 3, 232 // longer than it is
		b[10], b[11] = 0, 0
		sum := wire.Checksum(b[:20])
		b[10], b[11] = byte(sum>>8), byte(sum)
	}
	m.hears(p)
	m.sendsNothing()
	m.discards(discardTruncated)

	m.hears(onward(5))
	m.sends("by eth1: " + peer + ":1000 > " + other + `:9: "xxxxx"`)
	m.Interfaces()[2].MTU = 1000
	m.hears(onward(1000))
	m.sends(gateway + " > " + peer + ": fragmentation needed and DF set (MTU 1000), about " + peer + " > " + other)
	m.discards(discardTooBig)
}

// What changes where packets go changes it for those that are on their way too.
func TestPassagesAreForgotten(t *testing.T) {
	m := newKnownRouter(t)
	m.Interfaces()[2].Neighbors().SetPermanent(m.now, ip(other), cardOf(99))
	m.hears(onward(5))
	if got := m.sent[0].eth.Dst; got != cardOf(99) {
		t.Errorf("the neighbour has another card, and the frame goes to %v", got)
	}
	m.forget()
	m.route(other+"/32", "172.16.11.5", 2)
	m.hears(onward(5))
	if got := m.sent[0].eth.Dst; got != cardOf(5) {
		t.Errorf("there is another route, and the frame goes to %v", got)
	}
	m.forget()
	m.hears(onward(5))
	m.forget()
	raw := m.NewRaw(200)
	m.ok("the raw socket", raw.Bind(ip(gateway)))
	m.hears(onward(5))
	m.sends("by eth1: " + peer + ":1000 > " + other + `:9: "xxxxx"`)
	m.ok("the setting", m.SetSysctl("net.ipv4.ip_forward", "0"))
	m.hears(onward(5))
	m.sendsNothing()
	m.discards(discardOtherAddress)
}

// Packets between many pairs of addresses each go their own way.
func TestPassagesDoNotMixThingsUp(t *testing.T) {
	m := newRouter(t)
	for range 3 {
		for last := byte(2); last < 30; last++ {
			to := ipOf([4]byte{172, 16, 11, last}).String()
			m.hears(datagram(peer+":1000", to+":9", "x"))
			if got := m.sent[len(m.sent)-1].eth.Dst; got != cardOf(last) {
				t.Fatalf("a packet to %v goes to %v", to, got)
			}
		}
	}
	m.discards()
}
