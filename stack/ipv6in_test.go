package stack

import (
	"strings"
	"testing"
	"time"

	"hubbub/wire"
)

// RFC 8200, 8.1 (R8200-14): "IPv6 receivers must discard UDP packets
// containing a zero checksum".
func TestADatagramOverIPv6NeedsAChecksum(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	m.hears6(datagram6("[2001:db8:10::11]:1024", "[2001:db8:10::10]:53", "hello"))
	e.gets(t, "[2001:db8:10::11]:1024: hello")
	p := datagram6("[2001:db8:10::11]:1024", "[2001:db8:10::10]:53", "hello")
	p.body[6], p.body[7] = 0, 0
	m.hears6(p)
	m.discards(discardNoChecksum)
	e.gets(t)
	m.sendsNothing()
}

func TestWhatAnIPv6HeaderMayNotSay(t *testing.T) {
	m := newHost6(t)
	ping := func(src, dst string) packet6 { return ping6(src, dst, 1, 1, "x") }
	cut := ping(peer6, own6)
	cut.cut = 1
	version := ping(peer6, own6)
	version.mangle = func(b []byte) { b[0] = 0x45 }
	for _, c := range []struct {
		what string
		p    packet6
		why  Discard
	}{
		{"the version", version, discardIPv6Header},
		{"a length beyond the frame", cut, discardTruncated},
		{"a group as the source", ping("ff02::5", own6), discardMartianSource},
		{"loopback as the source", ping("::1", own6), discardMartianSource},
		{"an IPv4-mapped source", ping("::ffff:10.0.0.1", own6), discardMartianSource},
		{"its own source", datagram6("["+own6+"]:9", "["+own6+"]:53", "x"), discardMartianSource},
		{"loopback as the destination", ping(peer6, "::1"), discardMartianDestination},
		{"no destination", ping(peer6, "::"), discardMartianDestination},
		{"a group that stays in the machine", ping(peer6, "ff01::1"), discardMartianDestination},
		{"a group that nobody joined", ping(peer6, "ff02::77"), discardGroupMAC},
		{"another group with the same MAC address", ping(peer6, "ff02::55:ff00:10"), discardGroup},
		{"somebody else", ping(peer6, "2001:db8:10::12"), discardOtherAddress},
	} {
		t.Run(c.what, func(t *testing.T) {
			m.t = t
			m.hears6(c.p)
			m.discards(c.why)
			m.sendsNothing()
		})
	}
}

// RFC 8200, 4 (R8200-2): "it should discard the packet and send an ICMP
// Parameter Problem message to the source of the packet, with an ICMP Code value
// of 1 ("unrecognized Next Header type encountered") and the ICMP Pointer field
// containing the offset of the unrecognized value within the original packet."
func TestAnUnknownNextHeaderIsTold(t *testing.T) {
	m := newHost6(t)
	m.hears6(ip6Packet(200, peer6, own6, []byte("whatever")))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: unrecognized next header (6), about 2001:db8:10::11 > 2001:db8:10::10")
	m.discards(discardProtocol)
	// Behind options it is these that name it.
	m.hears6(ip6Packet(wire.ProtocolDestOptions, peer6, own6, append([]byte{200, 0, 1, 4, 0, 0, 0, 0}, "whatever"...)))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: unrecognized next header (40), about 2001:db8:10::11 > 2001:db8:10::10")
	m.discards(discardProtocol)
	// RFC 8200, 4.1 (R8200-1): the hop-by-hop header comes "immediately after an IPv6 header
	// only".
	body := append([]byte{byte(wire.ProtocolHopByHop), 0, 1, 4, 0, 0, 0, 0}, 59, 0, 1, 4, 0, 0, 0, 0)
	m.hears6(ip6Packet(wire.ProtocolDestOptions, peer6, own6, body))
	m.sends("2001:db8:10::10 > 2001:db8:10::11: unrecognized next header (40), about 2001:db8:10::11 > 2001:db8:10::10")
	m.discards(discardProtocol)
	m.hears6(ip6Packet(wire.ProtocolNone, peer6, own6, []byte("whatever")))
	m.sendsNothing()
	m.discards(discardNothing)
}

// RFC 8200, 4.2 (R8200-3): "The Option Type identifiers are internally encoded
// such that their highest-order 2 bits specify the action that must be taken if
// the processing IPv6 node does not recognize the Option Type".
func TestWhatIsDoneAboutUnknownOptions(t *testing.T) {
	const about = ", about 2001:db8:10::11 > "
	for _, c := range []struct {
		what   string
		option byte
		dst    string
		sent   string
		read   string
	}{
		{"00: skip over it", 0x1e, own6, "", "[2001:db8:10::11]:1024: hello"},
		{"01: discard", 0x5e, own6, "", ""},
		{"10: discard and tell", 0x9e, own6, "2001:db8:10::10 > 2001:db8:10::11: unrecognized option (42)" + about + own6, ""},
		{"10: discard and tell, even of a group", 0x9e, "ff02::1", "2001:db8:10::10 > 2001:db8:10::11: unrecognized option (42)" + about + "ff02::1", ""},
		{"11: discard and tell", 0xde, own6, "2001:db8:10::10 > 2001:db8:10::11: unrecognized option (42)" + about + own6, ""},
		{"11: not of a group", 0xde, "ff02::1", "", ""},
	} {
		for _, kind := range []wire.Protocol{wire.ProtocolHopByHop, wire.ProtocolDestOptions} {
			t.Run(c.what+", "+kind.String(), func(t *testing.T) {
				m := newHost6(t)
				e := m.listensUDP("[::]:53")
				p := datagram6("[2001:db8:10::11]:1024", "["+c.dst+"]:53", "hello")
				p.body = append([]byte{byte(wire.ProtocolUDP), 0, c.option, 4, 0, 0, 0, 0}, p.body...)
				p.ip.NextHeader = kind
				m.hears6(p)
				m.sends(some(c.sent)...)
				e.gets(t, some(c.read)...)
				if c.read == "" {
					m.discards(discardOptions)
				}
			})
		}
	}
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// RFC 8200, 4.4 (R8200-4): "If Segments Left is zero, the node must ignore the
// Routing header [...]. If Segments Left is non-zero, the node must discard the
// packet and send an ICMP Parameter Problem, Code 0, message to the packet's
// Source Address, pointing to the unrecognized Routing Type." RFC 5095, 3: so
// it is with type 0.
func TestNoRoutingHeaderIsFollowed(t *testing.T) {
	for _, kind := range []byte{0, 2, 4, 77} {
		m := newHost6(t)
		e := m.listensUDP("[::]:53")
		hello := func(segments byte) packet6 {
			p := datagram6("[2001:db8:10::11]:1024", "[2001:db8:10::10]:53", "hello")
			p.body = append([]byte{byte(wire.ProtocolUDP), 0, kind, segments, 0, 0, 0, 0}, p.body...)
			p.ip.NextHeader = wire.ProtocolRouting
			return p
		}
		m.hears6(hello(0))
		e.gets(t, "[2001:db8:10::11]:1024: hello")
		m.hears6(hello(1))
		e.gets(t)
		m.sends("2001:db8:10::10 > 2001:db8:10::11: erroneous header field (42), about 2001:db8:10::11 > 2001:db8:10::10")
		m.discards(discardSourceRoute)
	}
}

// A chain that is longer than any sender's costs nobody more time than it takes
// to count to eight (RFC 8504, 5.3).
func TestTheChainOfExtensionHeadersIsBounded(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	for _, n := range []int{wire.MaxIPv6Extensions, wire.MaxIPv6Extensions + 1} {
		p := datagram6("[2001:db8:10::11]:1024", "[2001:db8:10::10]:53", "hello")
		for i := range n {
			next := wire.ProtocolDestOptions
			if i == 0 {
				next = wire.ProtocolUDP
			}
			p.body = append([]byte{byte(next), 0, 1, 4, 0, 0, 0, 0}, p.body...)
		}
		p.ip.NextHeader = wire.ProtocolDestOptions
		m.hears6(p)
	}
	e.gets(t, "[2001:db8:10::11]:1024: hello")
	m.discards(discardExtensions)
}

// fragments6 cuts a UDP datagram's bytes into fragments of n octets.
func fragments6(data string, n int) []packet6 {
	whole := udpBytes(at("[2001:db8:10::11]:1024"), at("[2001:db8:10::10]:53"), data)
	var all []packet6
	for from := 0; from < len(whole); from += n {
		to := min(from+n, len(whole))
		f := wire.Fragment{NextHeader: wire.ProtocolUDP, Offset: from, More: to < len(whole), ID: 99}
		all = append(all, fragment6(peer6, own6, f, whole[from:to]))
	}
	return all
}

// RFC 8200, 5 (R8200-12): "A node must be able to accept a fragmented packet
// that, after reassembly, is as large as 1500 octets."
func TestFragmentsArePutTogether(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	data := strings.Repeat("0123456789", 140)
	all := fragments6(data, 800)
	m.hears6(all[1])
	e.gets(t)
	m.hears6(all[0])
	e.gets(t, "[2001:db8:10::11]:1024: "+data)
	m.sendsNothing()
	m.discards()
}

// RFC 8200, 4.5 (R8200-5): "If any of the fragments being reassembled overlap
// with any other fragments being reassembled for the same packet, reassembly of
// that packet must be abandoned and all the fragments that have been received for
// that packet must be discarded, and no ICMP error messages should be sent."
// (R8200-6): "the exact duplicate fragments [...] may [be] silently [dropped]".
func TestOverlappingFragmentsAreTheEndOfTheirPacket(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	data := strings.Repeat("0123456789", 10)
	all := fragments6(data, 64)
	m.hears6(all[0])
	m.hears6(all[0])
	m.hears6(all[1])
	e.gets(t, "[2001:db8:10::11]:1024: "+data)
	overlap := all[1]
	overlap.body = append(fragmentBytes(wire.Fragment{NextHeader: wire.ProtocolUDP, Offset: 56, ID: 99}), overlap.body[8:]...)
	m.hears6(all[0])
	m.hears6(overlap)
	m.hears6(all[1])
	e.gets(t)
	m.sendsNothing()
}

// RFC 8200, 4.5 (R8200-10; RFC 6946, 4): "If the fragment is a whole datagram
// (that is, both the Fragment Offset field and the M flag are zero), then it does
// not need any further reassembly and should be processed as a fully reassembled
// packet [...]. Any other fragments that match this packet [...] should be
// processed independently."
func TestAnAtomicFragmentIsAPacketOfItsOwn(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:53")
	data := strings.Repeat("0123456789", 10)
	all := fragments6(data, 64)
	m.hears6(all[0])
	m.hears6(fragments6("atomic", 64)[0])
	e.gets(t, "[2001:db8:10::11]:1024: atomic")
	m.hears6(all[1])
	e.gets(t, "[2001:db8:10::11]:1024: "+data)
}

// RFC 8200, 4.5 (R8200-7, R8200-8, R8200-11): "an ICMP Parameter Problem, Code
// 0, message should be sent to the source of the fragment, pointing to the
// Payload Length field"; "pointing to the Fragment Offset field of the fragment
// packet"; "and an ICMP Parameter Problem, Code 3, message should be sent to the
// source of the fragment, with the Pointer field set to zero."
func TestWhatTheSenderOfAFragmentIsTold(t *testing.T) {
	const from = "2001:db8:10::10 > 2001:db8:10::11: "
	const about = ", about 2001:db8:10::11 > 2001:db8:10::10"
	for _, c := range []struct {
		what string
		f    wire.Fragment
		body int
		sent string
		why  []Discard
	}{
		{"not a multiple of 8", wire.Fragment{NextHeader: 17, More: true, ID: 1}, 63, "erroneous header field (4)", nil},
		{"too long", wire.Fragment{NextHeader: 17, Offset: 65528, ID: 2}, 64, "erroneous header field (42)", nil},
		{
			"no transport's header",
			wire.Fragment{NextHeader: 6, More: true, ID: 3},
			8,
			"the first fragment lacks a part of the header chain",
			[]Discard{discardFragment},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newHost6(t)
			m.hears6(fragment6(peer6, own6, c.f, make([]byte, c.body)))
			m.sends(from + c.sent + about)
			m.discards(c.why...)
		})
	}
}

// RFC 8200, 4.5 (R8200-9): "If insufficient fragments are received to complete
// reassembly of a packet within 60 seconds of the reception of the first-arriving
// fragment of that packet, reassembly of that packet must be abandoned [...]. If
// the first fragment [...] has been received, an ICMP Time Exceeded -- Fragment
// Reassembly Time Exceeded message should be sent".
func TestFragmentsWaitAMinuteForTheOthers(t *testing.T) {
	m := newHost6(t)
	all := fragments6(strings.Repeat("0123456789", 10), 40)
	m.hears6(all[0])
	m.hears6(all[2])
	m.passes(59 * time.Second)
	m.sendsNothing()
	m.passes(time.Second)
	m.sends("2001:db8:10::10 > 2001:db8:10::11: fragment reassembly time exceeded, about 2001:db8:10::11 > 2001:db8:10::10")
	m.hears6(all[1])
	m.passes(61 * time.Second)
	m.sendsNothing() // the first of them did not come
}
