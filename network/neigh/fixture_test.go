package neigh

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

const (
	ms = clock.Time(time.Millisecond)
	s  = clock.Time(time.Second)
)

var (
	ours   = netip.MustParseAddr("172.16.10.10")
	theirs = netip.MustParseAddr("172.16.10.11")
	other  = netip.MustParseAddr("172.16.10.12")
	zero   = netip.IPv4Unspecified()

	ourMAC   = wire.MAC{2, 0, 0, 0, 0, 10}
	theirMAC = wire.MAC{2, 0, 0, 0, 0, 11}
	otherMAC = wire.MAC{2, 0, 0, 0, 0, 12}
)

// A host drives a cache, and polls it after each step.
type host struct {
	t *testing.T
	*Cache
	requests    []Request
	passed      []uint64 // ids of packets whose neighbour is known
	passedTo    wire.MAC
	unreachable []uint64
	facts       []Fact
	at          clock.Time
}

// newHost returns a host with the address ours.
func newHost(t *testing.T) *host { return hostWith(t, nil) }

func hostWith(t *testing.T, cfg *Config) *host {
	h := &host{t: t, Cache: New(cfg, ourMAC, rand.New(rand.NewPCG(1, 2)))}
	h.Watch = true
	h.AddAddress(0, ours, false)
	h.drain()
	h.forget()
	return h
}

// forget clears what was polled.
func (h *host) forget() {
	h.requests, h.passed, h.unreachable, h.facts = nil, nil, nil, nil
}

func (h *host) drain() {
	for r, ok := h.PollARP(h.at); ok; r, ok = h.PollARP(h.at) {
		h.requests = append(h.requests, r)
	}
	for p, mac, ok := h.PollPacket(h.at); ok; p, mac, ok = h.PollPacket(h.at) {
		h.passed = append(h.passed, p.ID)
		h.passedTo = mac
		p.Release()
	}
	for p, _, ok := h.PollUnreachable(h.at); ok; p, _, ok = h.PollUnreachable(h.at) {
		h.unreachable = append(h.unreachable, p.ID)
		p.Release()
	}
	for f, ok := h.PollEvent(); ok; f, ok = h.PollEvent() {
		h.facts = append(h.facts, f)
	}
}

// until lets time pass, and all timers expire that are due up to then.
func (h *host) until(now clock.Time) {
	for next := h.NextTimer(); next.Due(now); next = h.NextTimer() {
		h.at = next
		h.HandleTimer(next)
		h.drain()
	}
	h.at = now
}

// sends resolves a neighbour for a packet with that id.
func (h *host) sends(now clock.Time, to netip.Addr, id uint64) (wire.MAC, bool) {
	h.until(now)
	p := packet(id, 100)
	mac, ok := h.Resolve(now, to, p)
	if ok {
		p.Release()
	}
	h.drain()
	return mac, ok
}

func packet(id uint64, size int) *pkt.Packet {
	p := pkt.New()
	p.ID = id
	p.SetBody(pkt.NewView(size))
	return p
}

func (h *host) hears(now clock.Time, a wire.ARP, broadcast bool) {
	h.until(now)
	h.HandleARP(now, a, broadcast)
	h.drain()
}

func (h *host) state(addr netip.Addr) State {
	_, state, _ := h.Lookup(addr)
	return state
}

func (h *host) want(what string, got, want any) {
	h.t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		h.t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// wantFacts compares the facts since the last time, and forgets all.
func (h *host) wantFacts(want ...Fact) {
	h.t.Helper()
	if len(h.facts) != len(want) {
		h.t.Errorf("got %d facts, want %d:\n%v", len(h.facts), len(want), h.facts)
	}
	for i := range min(len(want), len(h.facts)) {
		h.want(fmt.Sprintf("fact %d", i), h.facts[i], want[i])
	}
	h.forget()
}

func request(from netip.Addr, mac wire.MAC, target netip.Addr) wire.ARP {
	return wire.ARP{Op: wire.ARPRequest, SenderMAC: mac, SenderIP: from, TargetIP: target}
}

func reply(from netip.Addr, mac wire.MAC, target netip.Addr) wire.ARP {
	return wire.ARP{Op: wire.ARPReply, SenderMAC: mac, SenderIP: from, TargetMAC: ourMAC, TargetIP: target}
}
