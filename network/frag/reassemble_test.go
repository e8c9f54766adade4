package frag

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

const s = clock.Time(time.Second)

// A receiver drives a Reassembler.
type receiver struct {
	t *testing.T
	*Reassembler[wire.IPv4]
}

func newReceiver(t *testing.T, cfg *Config) *receiver {
	r := &receiver{t, NewReassembler(cfg)}
	r.Watch = true
	return r
}

// piece is a fragment of data that begins at from and ends before to.
func (r *receiver) hears(now clock.Time, id uint16, from, to int, more bool) (wire.IPv4, []byte) {
	r.t.Helper()
	return r.hearsBytes(now, id, from, data(to)[from:], more)
}

func (r *receiver) hearsBytes(now clock.Time, id uint16, from int, b []byte, more bool) (wire.IPv4, []byte) {
	h := header(id)
	h.FragOffset, h.MF, h.TotalLen = from, more, 20+len(b)
	return r.handle(now, &h, b)
}

func (r *receiver) handle(now clock.Time, h *wire.IPv4, b []byte) (wire.IPv4, []byte) {
	whole, v, done := r.HandleFragment(now, h, pkt.CopyView(b))
	defer v.Release()
	if !done {
		return whole, nil
	}
	return whole, bytes.Clone(v.Bytes())
}

func (r *receiver) facts() (all []Fact[wire.IPv4]) {
	for f, ok := r.PollEvent(); ok; f, ok = r.PollEvent() {
		all = append(all, f)
	}
	return all
}

// wantLast compares the last fact's kind and text, and how many there are.
func (r *receiver) wantLast(n int, kind Kind, why string) {
	r.t.Helper()
	all := r.facts()
	if len(all) != n {
		r.t.Errorf("got %d facts, want %d: %+v", len(all), n, all)
		return
	}
	if last := all[n-1]; last.Kind != kind || last.Why != why {
		r.t.Errorf("the last fact is %d %q, want %d %q", last.Kind, last.Why, kind, why)
	}
}

// RFC 791, 2.3: "The combination is done by placing the data portion of each
// fragment in the relative position indicated by the fragment offset in that
// fragment's internet header."
func TestFragmentsArePutTogetherInAnyOrder(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		r := newReceiver(t, nil)
		r.Cause = 7
		var got []byte
		var h wire.IPv4
		for _, i := range order {
			from, to := 800*i, min(800*i+800, 2000)
			h, got = r.hears(1*s, 5, from, to, to < 2000)
		}
		want(t, "the whole", bytes.Equal(got, data(2000)), true)
		expected := header(5)
		expected.TotalLen = 2020
		want(t, "its header", h, expected)
		want(t, "facts", r.facts(), []Fact[wire.IPv4]{{Kind: Reassembled, Header: expected, Pieces: 3, Size: 2020, Cause: 7}})
		want(t, "left", r.Len()+r.Bytes(), 0)
		want(t, "the next timer", r.NextTimer(), clock.Never)
	}
}

func TestTheHeaderIsThatOfTheFirstFragment(t *testing.T) {
	r := newReceiver(t, nil)
	last := header(5)
	last.FragOffset, last.TTL = 8, 60
	r.handle(1*s, &last, data(16)[8:])
	first := header(5)
	first.MF, first.TTL, first.Options = true, 61, []byte{1, 1, 1, 0}
	h, got := r.handle(1*s, &first, data(8))
	first.Options[0] = 99 // the frame's storage is used for something else
	want(t, "the whole", got, data(16))
	want(t, "TTL", h.TTL, 61)
	want(t, "options", h.Options, []byte{1, 1, 1, 0})
	want(t, "length", h.TotalLen, 24+16)
}

// RFC 791, 2.3: "internet datagrams that all have the same value for the four
// fields: identification, source, destination, and protocol."
func TestPacketsAreToldApart(t *testing.T) {
	change := []func(*wire.IPv4){
		func(h *wire.IPv4) { h.ID++ },
		func(h *wire.IPv4) { h.Src = h.Src.Next() },
		func(h *wire.IPv4) { h.Dst = h.Dst.Next() },
		func(h *wire.IPv4) { h.Protocol = wire.ProtocolTCP },
	}
	for i, f := range change {
		r := newReceiver(t, nil)
		r.hears(1*s, 5, 0, 8, true)
		h := header(5)
		h.FragOffset = 8
		f(&h)
		_, got := r.handle(1*s, &h, data(8))
		want(t, fmt.Sprint("change ", i), len(got), 0)
		want(t, "packets", r.Len(), 2)
	}
}

// RFC 1122, 3.3.2 (R1122-32): "There MUST be a reassembly timeout. The reassembly timeout
// value SHOULD be a fixed value, not set from the remaining TTL. [...] If this
// timeout expires, the partially-reassembled datagram MUST be discarded and an
// ICMP Time Exceeded message sent to the source host (if fragment zero has
// been received)."
func TestAnIncompletePacketIsGivenUpAfterAMinute(t *testing.T) {
	for _, first := range []bool{true, false} {
		r := newReceiver(t, nil)
		r.Cause = 3
		from := 800
		if first {
			from = 0
		}
		r.hears(1*s, 5, from, from+800, true)
		r.Cause = 4
		r.hears(30*s, 5, 1600, 1700, false) // doesn't prolong it
		r.Cause = 0
		want(t, "the next timer", r.NextTimer(), 61*s)
		r.HandleTimer(61*s - 1)
		want(t, "packets", r.Len(), 1)
		r.HandleTimer(61 * s)
		want(t, "packets", r.Len()+r.Bytes(), 0)
		x, ok := r.PollExpired(61 * s)
		want(t, "expired", ok, true)
		want(t, "the first came", x.First, first)
		want(t, "fragments", x.Pieces, 2)
		want(t, "cause", x.Cause, 3)
		want(t, "its offset", x.Header.FragOffset, from)
		if first {
			want(t, "what can be quoted", bytes.Equal(x.Payload.Bytes(), data(800)), true)
			want(t, "its header as it came", x.Header.MF && x.Header.TotalLen == 820, true)
		} else {
			want(t, "nothing can be quoted", x.Payload.Len(), 0)
		}
		x.Payload.Release()
		_, ok = r.PollExpired(61 * s)
		want(t, "another", ok, false)
		r.wantLast(1, GivenUp, TimedOut.String())
		want(t, "counted", r.Drops()[TimedOut], 1)
	}
}

func TestPacketsExpireInTheOrderOfTheirArrival(t *testing.T) {
	r := newReceiver(t, nil)
	for id := range uint16(5) {
		r.hears(clock.Time(1+id)*s, id, 0, 8, true)
	}
	r.HandleTimer(63 * s)
	for id := range uint16(3) {
		x, _ := r.PollExpired(63 * s)
		want(t, "expired", x.Header.ID, id)
		x.Payload.Release()
	}
	want(t, "the next timer", r.NextTimer(), 64*s)
}

// RFC 5722, 4: "if one or more its constituent fragments is determined to be
// an overlapping fragment, the entire datagram (and any constituent fragments,
// including those not yet received) MUST be silently discarded."
func TestOverlappingFragmentsCondemnTheirPacket(t *testing.T) {
	for _, x := range []struct{ from, to int }{
		{0, 24}, {8, 24}, {16, 40}, {24, 32}, {8, 64}, {40, 56}, {24, 40},
	} {
		r := newReceiver(t, nil)
		r.hears(1*s, 5, 16, 48, true)
		r.facts()
		if _, got := r.hears(2*s, 5, x.from, x.to, true); got != nil {
			t.Error("it was delivered")
		}
		what := fmt.Sprintf("%d to %d over 16 to 48", x.from, x.to)
		want(t, what, r.Drops()[Overlap], 1)
		want(t, "bytes held", r.Bytes(), 0)
		r.wantLast(1, Refused, Overlap.String())
		// Those not yet received:
		r.hears(3*s, 5, 0, 16, true)
		r.hears(3*s, 5, 16, 48, true)
		_, got := r.hears(3*s, 5, 48, 50, false)
		want(t, "nothing is delivered", len(got), 0)
		want(t, "counted", r.Drops()[Condemned], 3)
		// Silently: no message when the time is over.
		r.HandleTimer(61 * s)
		_, ok := r.PollExpired(61 * s)
		want(t, "a message", ok, false)
		want(t, "packets", r.Len(), 0)
		// Then the identification can be used again.
		r.hears(62*s, 5, 0, 16, true)
		_, got = r.hears(62*s, 5, 16, 20, false)
		want(t, "a new packet", got, data(20))
	}
}

func TestAnExactDuplicateIsIgnored(t *testing.T) {
	r := newReceiver(t, nil)
	for range 3 {
		r.hears(1*s, 5, 0, 16, true)
	}
	for range 2 {
		r.hears(1*s, 5, 24, 32, false)
	}
	want(t, "counted", r.Drops()[Duplicate], 3)
	_, got := r.hears(1*s, 5, 16, 24, true)
	want(t, "the whole", got, data(32))
}

func TestADuplicateWithOtherBytesIsAnOverlap(t *testing.T) {
	r := newReceiver(t, nil)
	r.hears(1*s, 5, 0, 16, true)
	r.hearsBytes(1*s, 5, 0, make([]byte, 16), true)
	want(t, "counted", r.Drops()[Overlap], 1)
	r = newReceiver(t, nil)
	r.hears(1*s, 5, 0, 16, true)
	r.hears(1*s, 5, 0, 16, false)
	want(t, "one that claims to be the last", r.Drops()[Overlap], 1)
}

func TestFragmentsThatDisagreeAboutTheEndCondemnTheirPacket(t *testing.T) {
	for name, hear := range map[string]func(r *receiver){
		"two ends": func(r *receiver) {
			r.hears(1*s, 5, 32, 40, false)
			r.hears(1*s, 5, 40, 48, false)
		},
		"a fragment behind the end": func(r *receiver) {
			r.hears(1*s, 5, 32, 40, false)
			r.hears(1*s, 5, 48, 56, true)
		},
		"the end before a fragment": func(r *receiver) {
			r.hears(1*s, 5, 48, 56, true)
			r.hears(1*s, 5, 32, 40, false)
		},
	} {
		r := newReceiver(t, nil)
		hear(r)
		want(t, name, r.Drops()[EndMoved], 1)
		want(t, "bytes held", r.Bytes(), 0)
		r.wantLast(1, Refused, EndMoved.String())
	}
}

func TestMalformedFragmentsAreRefused(t *testing.T) {
	r := newReceiver(t, nil)
	r.hears(1*s, 5, 0, 9, true)
	want(t, "not a multiple of 8", r.Drops()[Unaligned], 1)
	r.hears(1*s, 5, 8, 8, true)
	r.hears(1*s, 5, 8, 8, false)
	want(t, "empty", r.Drops()[Empty], 2)
	want(t, "packets", r.Len(), 0)
	r.wantLast(3, Refused, Empty.String())
	// They do no harm to a packet that is under way.
	r.hears(1*s, 5, 0, 16, true)
	r.hears(1*s, 5, 16, 17, true)
	_, got := r.hears(1*s, 5, 16, 20, false)
	want(t, "the whole", got, data(20))
}

// The "ping of death": a last fragment that ends behind the longest packet.
func TestAPacketLongerThanAPacketCanBeIsRefused(t *testing.T) {
	r := newReceiver(t, nil)
	r.hears(1*s, 5, 0, 65512, true)
	r.hears(1*s, 5, 65512, 65516, false)
	want(t, "counted", r.Drops()[TooLong], 1)
	want(t, "bytes held", r.Bytes(), 0)
	r.wantLast(1, Refused, TooLong.String())

	r.hears(1*s, 6, 0, 65512, true)
	h, got := r.hears(1*s, 6, 65512, 65515, false)
	// R1122-31: far more than 576 bytes.
	want(t, "the longest of all", fmt.Sprint(h.TotalLen, len(got)), "65535 65515")

	// The first fragment's options make the whole longer than its end tells.
	r.hears(1*s, 7, 65512, 65515, false)
	first := header(7)
	first.MF, first.Options = true, make([]byte, 4)
	_, got = r.handle(1*s, &first, data(65504))
	want(t, "delivered", len(got), 0)
	first.FragOffset, first.Options = 65504, nil
	_, got = r.handle(1*s, &first, data(8))
	want(t, "delivered", len(got), 0)
	want(t, "counted", r.Drops()[TooLong], 2)
}

func TestTheFragmentsOfAPacketAreBounded(t *testing.T) {
	r := newReceiver(t, &Config{Fragments: 10})
	for i := range 11 {
		r.hears(1*s, 5, 8*i, 8*i+8, true)
	}
	want(t, "counted", r.Drops()[TooMany], 1)
	want(t, "bytes held", r.Bytes(), 0)
}

func TestThePacketsHeldAreBounded(t *testing.T) {
	r := newReceiver(t, &Config{Datagrams: 10})
	for id := range uint16(100) {
		r.hears(1*s, id, 0, 8, true)
	}
	want(t, "packets", r.Len(), 10)
	want(t, "counted", r.Drops()[NoMemory], 90)
	r.wantLast(90, GivenUp, NoMemory.String())
	_, got := r.hears(1*s, 99, 8, 16, false)
	want(t, "the newest is complete", got, data(16))
	_, got = r.hears(1*s, 5, 8, 16, false)
	want(t, "an old one has gone", len(got), 0)
}

func TestTheMemoryHeldIsBounded(t *testing.T) {
	r := newReceiver(t, &Config{Bytes: 10_000})
	for id := range uint16(100) {
		r.hears(1*s, id, 0, 1480, true)
		if r.Bytes() > 10_000 {
			t.Fatalf("%d bytes are held", r.Bytes())
		}
	}
	want(t, "packets", r.Len(), 6)
	// Tiny fragments count for the storage that they hold on to.
	r = newReceiver(t, &Config{Bytes: 10_000})
	for id := range uint16(100) {
		r.hears(1*s, id, 0, 8, true)
	}
	want(t, "packets", r.Len(), 10_000/512)
	// One packet alone can't have more than all.
	r = newReceiver(t, &Config{Bytes: 10_000})
	for i := range 10 {
		r.hears(1*s, 5, 1480*i, 1480*i+1480, true)
	}
	want(t, "bytes held", r.Bytes(), 0)
	want(t, "counted", r.Drops()[NoMemory], 1)
	want(t, "condemned", r.Drops()[Condemned], 3)
}

func TestCondemnedPacketsGiveWaySilently(t *testing.T) {
	r := newReceiver(t, &Config{Datagrams: 1})
	r.hears(1*s, 5, 0, 16, true)
	r.hears(1*s, 5, 8, 24, true)
	r.facts()
	r.hears(1*s, 6, 0, 16, true)
	want(t, "facts", len(r.facts()), 0)
	want(t, "counted", r.Drops()[NoMemory], 0)
}

func TestCloseReleasesAll(t *testing.T) {
	r := newReceiver(t, nil)
	r.hears(1*s, 5, 0, 16, true)
	r.hears(2*s, 6, 0, 16, true)
	r.HandleTimer(61 * s)
	r.Close()
	want(t, "held", r.Len()+r.Bytes(), 0)
	_, ok := r.PollExpired(61 * s)
	want(t, "expired", ok, false)
}

func TestTextsOfReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d has the text %q", r, r)
		}
		seen[r.String()] = true
	}
	want(t, "no reason", numReasons.String(), "unknown")
}

// mix hands pieces of a known packet to a Reassembler, as cut and ordered by
// draws, and reports a packet that differs from the known one.
func mix(r *Reassembler[wire.IPv4], known []byte, steps int, draw func(n int) int) error {
	now := clock.Time(0)
	for range steps {
		now += clock.Time(draw(int(s)))
		r.HandleTimer(now)
		from := draw(len(known)/8+1) * 8
		to := min(from+(1+draw(8))*8, len(known))
		h := header(1)
		h.FragOffset, h.MF = from, to < len(known)
		h.TotalLen = 20 + to - from
		_, v, done := r.HandleFragment(now, &h, pkt.CopyView(known[from:max(from, to)]))
		if done && !bytes.Equal(v.Bytes(), known) {
			return fmt.Errorf("a packet of %d bytes that differs was delivered", v.Len())
		}
		v.Release()
		if r.Bytes() > r.cfg.Bytes || r.Len() > r.cfg.Datagrams {
			return fmt.Errorf("%d packets with %d bytes are held", r.Len(), r.Bytes())
		}
		if (r.NextTimer() == clock.Never) != (r.Len() == 0) {
			return fmt.Errorf("%d packets are held, and the next timer is at %v", r.Len(), r.NextTimer())
		}
	}
	for x, ok := r.PollExpired(now); ok; x, ok = r.PollExpired(now) {
		x.Payload.Release()
	}
	return nil
}

// Random pieces of a known packet, in any order, give exactly that packet or
// nothing.
func TestPiecesGiveTheirPacketOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := data(rapid.IntRange(1, 200).Draw(t, "size"))
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") }
		if err := mix(NewReassembler(nil), known, 60, draw); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReassembly(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		next := 0
		draw := func(n int) int {
			if next+2 > len(script) {
				return 0
			}
			next += 2
			return int(binary.BigEndian.Uint16(script[next-2:])) % n
		}
		r := NewReassembler(&Config{Bytes: 4096, Datagrams: 4})
		if err := mix(r, data(100), len(script)/6, draw); err != nil {
			t.Error(err)
		}
		r.Close()
	})
}

// FuzzHostile hands in whatever a network can carry.
func FuzzHostile(f *testing.F) {
	f.Add([]byte{0, 1, 0x20, 0, 8, 0, 1, 0, 1, 8})
	f.Fuzz(func(t *testing.T, script []byte) {
		r := NewReassembler(&Config{Bytes: 100_000, Datagrams: 4, Fragments: 8})
		for ; len(script) >= 5; script = script[5:] {
			h := header(uint16(script[0] & 7))
			bits := binary.BigEndian.Uint16(script[1:])
			h.MF, h.FragOffset = bits&0x2000 != 0, int(bits&0x1fff)*8
			h.Options = make([]byte, script[3]&7*4)
			n := int(binary.BigEndian.Uint16(script[3:]))
			whole, v, done := r.HandleFragment(1*s, &h, pkt.NewView(n))
			if done && (whole.TotalLen > wire.MaxIPv4Len || whole.TotalLen != whole.HeaderLen()+v.Len()) {
				t.Errorf("a packet of %d bytes with %d of payload", whole.TotalLen, v.Len())
			}
			v.Release()
			if r.Bytes() > 100_000 || r.Len() > 4 {
				t.Errorf("%d packets with %d bytes are held", r.Len(), r.Bytes())
			}
		}
		r.Close()
	})
}

func BenchmarkReassemble(b *testing.B) {
	v := pkt.CopyView(data(1480))
	r := NewReassembler(nil)
	h := header(1)
	b.ReportAllocs()
	for b.Loop() {
		h.ID++
		h.FragOffset, h.MF = 0, true
		r.HandleFragment(1*s, &h, v.Retain())
		h.FragOffset, h.MF = 1480, false
		_, whole, _ := r.HandleFragment(1*s, &h, v.Retain())
		whole.Release()
	}
}

func TestFragmentsKeepTheirMarks(t *testing.T) {
	// RFC 3168, 5.3: "Reassembly of a fragmented packet MUST NOT lose
	// indications of congestion."
	for _, c := range []struct {
		a, b, want uint8
		whole      bool
	}{
		{2, 2, 2, true},
		{2, 3, 3, true},
		{3, 2, 3, true},
		{1, 3, 3, true},
		{3, 3, 3, true},
		{0, 0, 0, true},
		{0, 2, 0, true},
		{0, 3, 0, false},
		{3, 0, 0, false},
	} {
		r := newReceiver(t, nil)
		h := header(1)
		h.MF, h.TOS = true, 0x10|c.a
		r.handle(0, &h, data(8))
		h.FragOffset, h.MF, h.TOS = 8, false, 0x10|c.b
		whole, b := r.handle(0, &h, data(8))
		if (b != nil) != c.whole || c.whole && whole.TOS != 0x10|c.want {
			t.Errorf("%d and %d: whole %v, %#x", c.a, c.b, b != nil, whole.TOS)
		}
		if !c.whole && r.Drops()[MixedECN] != 1 {
			t.Errorf("%d and %d: not counted", c.a, c.b)
		}
		if r.Bytes() != 0 {
			t.Errorf("%d and %d: %d bytes are held", c.a, c.b, r.Bytes())
		}
	}
}
