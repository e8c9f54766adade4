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

// head6 is the headers of a UDP packet, with or without a hop-by-hop header.
func head6(hopByHop bool) Head6 {
	h := Head6{
		IPv6: wire.IPv6{
			NextHeader: wire.ProtocolUDP, HopLimit: 64, FlowLabel: 7,
			Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2"),
		},
		Named: -1,
	}
	if hopByHop {
		h.NextHeader, h.Named = wire.ProtocolHopByHop, 0
		h.Before = []byte{byte(wire.ProtocolUDP), 0, 1, 4, 0, 0, 0, 0}
	}
	return h
}

// cut returns the fragments of a packet as they go over the link.
func cut(t *testing.T, h Head6, payload []byte, mtu int, id uint32) (packets [][]byte) {
	t.Helper()
	v := pkt.CopyView(payload)
	defer v.Release()
	s, err := Split6(h, v, mtu, id)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Pieces()
	for piece, v, ok := s.Next(); ok; piece, v, ok = s.Next() {
		packets = append(packets, append(piece.AppendTo(nil), v.Bytes()...))
		v.Release()
	}
	if len(packets) != want {
		t.Errorf("%d fragments, and %d were announced", len(packets), want)
	}
	return packets
}

// hear6 hands a fragment in as it came over the link.
func hear6(t *testing.T, r *Reassembler[Head6], packet []byte) (Head6, []byte) {
	t.Helper()
	ip, rest, err := wire.ParseIPv6(packet)
	if err != nil {
		t.Fatal(err)
	}
	x, body, err := wire.ParseIPv6Extensions(ip.NextHeader, rest)
	if err != nil || !x.Fragmented {
		t.Fatalf("% x: %v", packet, err)
	}
	h := Head6{IPv6: ip, Before: packet[wire.IPv6HeaderLen:x.FragmentAt], Named: x.FragmentBy - wire.IPv6HeaderLen, Fragment: x.Fragment}
	if x.FragmentBy < wire.IPv6HeaderLen {
		h.Named = -1
	}
	whole, v, done := r.HandleFragment(1*s, &h, pkt.CopyView(body))
	defer v.Release()
	if !done {
		return whole, nil
	}
	return whole, bytes.Clone(v.Bytes())
}

// RFC 8200, 4.5: the fragment packets, and the packet that they make again.
func TestAnIPv6PacketIsCutAndPutTogether(t *testing.T) {
	for _, hopByHop := range []bool{false, true} {
		h, r := head6(hopByHop), NewReassembler6(nil)
		packets := cut(t, h, data(3000), 1280, 0xabcdef01)
		want(t, "fragments", len(packets), 3)
		for i, p := range packets {
			if len(p) > 1280 || i < 2 && len(p) < 1272 {
				t.Errorf("fragment %d has %d bytes", i, len(p))
			}
		}
		for _, i := range []int{2, 0} {
			_, got := hear6(t, r, packets[i])
			want(t, "not yet", len(got), 0)
		}
		whole, got := hear6(t, r, packets[1])
		want(t, "the whole", bytes.Equal(got, data(3000)), true)
		want(t, "its payload's length", whole.PayloadLen, len(h.Before)+3000)
		want(t, "its first header", whole.NextHeader, h.NextHeader)
		want(t, "its extension headers", fmt.Sprint(whole.Before), fmt.Sprint(h.Before))
		want(t, "left", r.Len()+r.Bytes(), 0)
	}
}

// "The Identification must be different than that of any other fragmented
// packet sent recently": of two packets at once, none is mixed up.
func TestIPv6PacketsAreToldApart(t *testing.T) {
	r := NewReassembler6(nil)
	a := cut(t, head6(false), data(2000), 1280, 1)
	b := cut(t, head6(false), bytes.Repeat([]byte{9}, 2000), 1280, 2)
	hear6(t, r, a[0])
	_, got := hear6(t, r, b[1])
	want(t, "of two packets", len(got), 0)
	_, got = hear6(t, r, a[1])
	want(t, "the first", bytes.Equal(got, data(2000)), true)
}

// RFC 8200, 4.5: "If any of the fragments being reassembled overlap with any
// other fragments being reassembled for the same packet, reassembly of that
// packet must be abandoned and all the fragments that have been received for
// that packet must be discarded, and no ICMP error messages should be sent."
func TestOverlappingIPv6FragmentsCondemnTheirPacket(t *testing.T) {
	r := NewReassembler6(nil)
	h := head6(false)
	h.Fragment = wire.Fragment{NextHeader: wire.ProtocolUDP, ID: 1, More: true}
	r.HandleFragment(1*s, &h, pkt.CopyView(data(16)))
	h.Fragment.Offset = 8
	r.HandleFragment(1*s, &h, pkt.CopyView(data(16)))
	want(t, "why", r.Refused(), Overlap)
	want(t, "held", r.Bytes(), 0)
	r.HandleTimer(61 * s)
	_, ok := r.PollExpired(61 * s)
	want(t, "a message", ok, false)
}

// RFC 8200, 4.5: "If the length of a fragment [...] is not a multiple of 8
// octets and the M flag of that fragment is 1, then that fragment must be
// discarded and an ICMP Parameter Problem, Code 0, message should be sent".
// "If the length and offset of a fragment are such that the Payload Length of
// the packet reassembled from that fragment would exceed 65,535 octets, then
// that fragment must be discarded and an ICMP Parameter Problem [...] sent".
func TestTheOwnerLearnsWhyAFragmentWasRefused(t *testing.T) {
	r := NewReassembler6(nil)
	h := head6(false)
	h.Fragment = wire.Fragment{ID: 1, More: true}
	r.HandleFragment(1*s, &h, pkt.CopyView(data(9)))
	want(t, "why", r.Refused(), Unaligned)
	h.Fragment.Offset = 65528
	r.HandleFragment(1*s, &h, pkt.CopyView(data(16)))
	want(t, "why", r.Refused(), TooLong)
	h.Fragment.Offset = 0
	r.HandleFragment(1*s, &h, pkt.CopyView(data(16)))
	want(t, "a good one", r.Refused() == 0, true)
	h.Before = make([]byte, 264)
	r.HandleFragment(1*s, &h, pkt.CopyView(data(16)))
	want(t, "headers without end", r.Refused(), TooLong)
}

// RFC 8200, 4.5: "If the first fragment [...] has been received, an ICMP Time
// Exceeded -- Fragment Reassembly Time Exceeded message should be sent".
func TestAnIncompleteIPv6PacketIsGivenUp(t *testing.T) {
	r := NewReassembler6(nil)
	first := cut(t, head6(true), data(2000), 1280, 1)[0]
	hear6(t, r, first)
	r.HandleTimer(61 * s)
	x, ok := r.PollExpired(61 * s)
	want(t, "expired", ok, true)
	want(t, "the first came", x.First, true)
	again := append(x.Header.AppendTo(nil), x.Payload.Bytes()...)
	want(t, "it can be quoted as it came", bytes.Equal(again, first), true)
	x.Payload.Release()
}

func TestAnMTUWithoutRoomForAFragment(t *testing.T) {
	v := pkt.CopyView(data(100))
	defer v.Release()
	if _, err := Split6(head6(false), v, 55, 1); err == nil {
		t.Error("it was accepted")
	}
}

// Any packet, cut for any MTU, and its fragments in any order, some of them
// twice, give that packet.
func TestIPv6FragmentsGiveTheirPacket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := head6(rapid.Bool().Draw(rt, "hop-by-hop"))
		payload := data(rapid.IntRange(1, 5000).Draw(rt, "size"))
		packets := cut(t, h, payload, rapid.IntRange(64, 1500).Draw(rt, "mtu"), 1)
		order := rapid.Permutation(packets).Draw(rt, "order")
		r := NewReassembler6(nil)
		for i, p := range order {
			if i > 0 && i < len(order)-1 {
				hear6(t, r, order[i-1]) // twice
			}
			whole, got := hear6(t, r, p)
			if (got != nil) != (i == len(order)-1) {
				rt.Fatalf("after %d of %d fragments: %d bytes", i+1, len(order), len(got))
			}
			if got != nil && (!bytes.Equal(got, payload) || whole.NextHeader != h.NextHeader) {
				rt.Fatal("the packet differs")
			}
		}
	})
}
