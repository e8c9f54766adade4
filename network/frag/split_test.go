package frag

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

var (
	src = netip.MustParseAddr("10.0.0.1")
	dst = netip.MustParseAddr("10.0.0.2")
)

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// data is n bytes, of which no eight that follow one another come twice.
func data(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16*7)
	}
	return b
}

func header(id uint16) wire.IPv4 {
	return wire.IPv4{ID: id, TTL: 64, Protocol: wire.ProtocolUDP, Src: src, Dst: dst}
}

// fragment is a fragment that was cut off.
type fragment struct {
	h wire.IPv4
	v pkt.View
}

func (f fragment) String() string {
	return fmt.Sprintf("%d+%d of %d, more %v", f.h.FragOffset, f.v.Len(), f.h.TotalLen, f.h.MF)
}

// split returns all fragments of a packet.
func split(t interface{ Fatal(...any) }, h wire.IPv4, payload []byte, mtu int) (all []fragment) {
	v := pkt.CopyView(payload)
	defer v.Release()
	s, err := Split(h, v, mtu)
	if err != nil {
		t.Fatal(err)
	}
	pieces := s.Pieces()
	for {
		h, v, ok := s.Next()
		if !ok {
			break
		}
		h.Options = bytes.Clone(h.Options)
		all = append(all, fragment{h, v})
	}
	if len(all) != pieces {
		t.Fatal("announced", pieces, "pieces, gave", len(all))
	}
	return all
}

// RFC 791, 2.3: "The data of the long datagram is divided into two portions on
// a 8 octet (64 bit) boundary [...] The more-fragments flag is set to one. The
// second portion of the data is placed in the second new internet datagram,
// and the total length field is set to the length of the second datagram. The
// more-fragments flag carries the same value as the long datagram."
func TestAPacketIsCutAtMultiplesOfEight(t *testing.T) {
	want(t, "4000 bytes for Ethernet", split(t, header(1), data(4000), 1500),
		"[0+1480 of 1500, more true 1480+1480 of 1500, more true 2960+1040 of 1060, more false]")
	want(t, "with room that is no multiple of 8", split(t, header(1), data(100), 70),
		"[0+48 of 68, more true 48+48 of 68, more true 96+4 of 24, more false]")
	want(t, "the last takes what fits", split(t, header(1), data(98), 70),
		"[0+48 of 68, more true 48+50 of 70, more false]")
	want(t, "what fits is not cut", split(t, header(1), data(50), 70), "[0+50 of 70, more false]")
	want(t, "not even nothing", split(t, header(1), nil, 70), "[0+0 of 20, more false]")
}

// RFC 791, 2.3: "The fragment offset field of the second new internet datagram
// is set to the value of that field in the long datagram plus NFB."
func TestAFragmentCanBeCutFurther(t *testing.T) {
	h := header(1)
	h.FragOffset, h.MF = 1480, true
	want(t, "one in the middle", split(t, h, data(80), 60), "[1480+40 of 60, more true 1520+40 of 60, more true]")
	h.MF = false
	want(t, "the last", split(t, h, data(80), 60), "[1480+40 of 60, more true 1520+40 of 60, more false]")
}

// RFC 791, 3.2: "When fragmentation occurs, some options are copied, but
// others remain with the first fragment only."
func TestOnlySomeOptionsAreCopied(t *testing.T) {
	h := header(1)
	record := []byte{byte(wire.OptionRecordRoute), 7, 4, 0, 0, 0, 0}
	alert := []byte{byte(wire.OptionRouterAlert), 4, 0, 0}
	h.Options = append(append(bytes.Clone(record), alert...), 0)
	all := split(t, h, data(64), 72)
	want(t, "fragments", all, "[0+40 of 72, more true 40+24 of 48, more false]")
	want(t, "the first has all", all[0].h.Options, h.Options)
	want(t, "the second has those that are copied", all[1].h.Options, alert)
}

func TestWhatCannotBeCutIsRefused(t *testing.T) {
	v := pkt.CopyView(data(100))
	h := header(1)
	h.DF = true
	_, err := Split(h, v, 100)
	want(t, "don't fragment", err, "a packet of 120 bytes that must not be fragmented: the MTU is 100")
	_, err = Split(h, v, 120)
	want(t, "it need not be", err, nil)
	_, err = Split(header(1), v, 27)
	want(t, "no room", err, "an MTU of 27 bytes: 20 of header and 8 of payload don't fit")
}

func TestFragmentsShareTheirPayload(t *testing.T) {
	v := pkt.CopyView(data(3000))
	s, _ := Split(header(1), v, 1500)
	_, first, _ := s.Next()
	want(t, "the same bytes", &first.Bytes()[0] == &v.Bytes()[0], true)
	v.Release() // the fragment has a reference of its own
	want(t, "still the same", bytes.Equal(first.Bytes(), data(3000)[:1480]), true)
	first.Release()
}

// Cut however often on the way, the fragments carry each byte once, fit, and
// are put together to the packet that was sent.
func TestFragmentsOfFragmentsAreReassembled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := data(rapid.IntRange(1, 9000).Draw(t, "size"))
		fragments := split(t, header(1), sent, rapid.IntRange(68, 9020).Draw(t, "mtu"))
		for range rapid.IntRange(0, 3).Draw(t, "hops") {
			mtu := rapid.IntRange(68, 9020).Draw(t, "next mtu")
			var smaller []fragment
			for _, f := range fragments {
				smaller = append(smaller, split(t, f.h, f.v.Bytes(), mtu)...)
				f.v.Release()
			}
			fragments = smaller
			for _, f := range fragments {
				if f.h.TotalLen > mtu || f.h.TotalLen != 20+f.v.Len() || f.h.MF && f.v.Len()%8 != 0 {
					t.Fatalf("the fragment %v for an MTU of %d", f, mtu)
				}
			}
		}
		if len(fragments) == 1 {
			return
		}
		r := NewReassembler(nil)
		for i, at := range rapid.Permutation(indexes(len(fragments))).Draw(t, "order") {
			h, whole, done := r.HandleFragment(0, &fragments[at].h, fragments[at].v)
			if done != (i == len(fragments)-1) {
				t.Fatalf("after %d of %d fragments, done is %v", i+1, len(fragments), done)
			}
			if done && (!bytes.Equal(whole.Bytes(), sent) || h.TotalLen != 20+len(sent) || h.MF || h.FragOffset != 0) {
				t.Fatalf("the whole is not what was sent: %+v", h)
			}
			whole.Release()
		}
		if r.Len() != 0 || r.Bytes() != 0 || r.NextTimer() != 0 {
			t.Fatalf("%d packets and %d bytes are left", r.Len(), r.Bytes())
		}
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
