package link

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

const (
	ns = clock.Time(time.Nanosecond)
	us = clock.Time(time.Microsecond)
	ms = clock.Time(time.Millisecond)
	s  = clock.Time(time.Second)
)

// station n's address.
func mac(n byte) wire.MAC { return wire.MAC{0x02, 0, 0, 0, 0, n} }

// frame makes a frame of that many bytes, without frame check sequence, whose
// id can be recognised.
func frame(dst, src wire.MAC, size int, id uint64) *pkt.Packet {
	h := wire.Ethernet{Dst: dst, Src: src, Type: wire.EtherTypeIPv4}
	return frameOf(h, size, id)
}

func taggedFrame(dst, src wire.MAC, vlan uint16, size int, id uint64) *pkt.Packet {
	return frameOf(wire.Ethernet{
		Dst: dst, Src: src, Type: wire.EtherTypeIPv4,
		Tagged: true, VLAN: wire.VLAN{ID: vlan},
	}, size, id)
}

func frameOf(h wire.Ethernet, size int, id uint64) *pkt.Packet {
	p := pkt.New()
	p.ID = id
	p.SetBody(pkt.CopyView(make([]byte, size-h.Len())))
	h.AppendTo(p.Prepend(h.Len())[:0])
	return p
}

// segment makes a frame that carries a TCP segment.
func segment(flags wire.TCPFlags, fromPort, toPort uint16, payload int) *pkt.Packet {
	tcp := wire.TCP{SrcPort: fromPort, DstPort: toPort, Flags: flags}
	ip := wire.IPv4{
		TTL: 64, Protocol: wire.ProtocolTCP, TotalLen: 40 + payload,
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.1.2"),
	}
	eth := wire.Ethernet{Dst: mac(2), Src: mac(1), Type: wire.EtherTypeIPv4}
	p := pkt.New()
	p.SetBody(pkt.CopyView(make([]byte, payload)))
	tcp.AppendTo(p.Prepend(wire.TCPHeaderLen)[:0])
	ip.AppendTo(p.Prepend(wire.IPv4HeaderLen)[:0])
	eth.AppendTo(p.Prepend(wire.EthernetHeaderLen)[:0])
	p.Pad(minFrame)
	return p
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// rnd returns a source of randomness that is the same in each run.
func rnd(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// arrival is a frame that left a device.
type arrival struct {
	at   clock.Time
	port int
	id   uint64
}

// drain polls what leaves a device at now.
func drain(d Device, now clock.Time) (all []arrival) {
	for port, p, ok := d.PollFrame(now); ok; port, p, ok = d.PollFrame(now) {
		all = append(all, arrival{now, port, p.ID})
		p.Release()
	}
	return all
}

// run polls what leaves a device from now on until nothing waits any more.
func run(d Device, now clock.Time) (all []arrival) {
	for {
		all = append(all, drain(d, now)...)
		next := d.NextTimer()
		if next == clock.Never {
			return all
		}
		now = max(now, next)
		d.HandleTimer(now)
	}
}

func facts(d Device) (all []Fact) {
	for f, ok := d.PollEvent(); ok; f, ok = d.PollEvent() {
		all = append(all, f)
	}
	return all
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantAll[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s, number %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
