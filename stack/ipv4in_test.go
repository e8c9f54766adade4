package stack

import (
	"strings"
	"testing"

	"hubbub/wire"
)

// hello is a datagram for the host's port 9.
func hello() packet { return datagram(peer+":1000", own+":9", "hello") }

func TestADatagramForTheHostArrives(t *testing.T) {
	m := newHost(t)
	e := m.listensUDP(own + ":9")
	m.hears(hello())
	e.gets(t, peer+":1000: hello")
	m.sendsNothing()
	m.discards()
}

// What is wrong with a packet decides why it is discarded, and nobody is told.
func TestSilentDiscards(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*packet)
		why    Discard
	}{
		// RFC 1122, 3.2.1.1: "A datagram whose version number is not 4 MUST be
		// silently discarded." (R1122-6)
		{"version 6", func(p *packet) { p.mangle = func(b []byte) { b[0] = 0x65 } }, discardIPv4Header},
		// RFC 1122, 3.2.1.2: "A host MUST verify the IP header checksum on
		// every received datagram and silently discard every datagram that has
		// a bad checksum." (R1122-7)
		{"header checksum", func(p *packet) { p.mangle = func(b []byte) { b[10] ^= 1 } }, discardIPv4Header},
		{"header length", func(p *packet) { p.mangle = func(b []byte) { b[0] = 0x44 } }, discardIPv4Header},
		{"truncated", func(p *packet) { p.mangle = lengthen }, discardTruncated},
		// RFC 1122, 3.2.1.3: "A host MUST silently discard an incoming
		// datagram that is not destined for the host." (R1122-8)
		{"for another", func(p *packet) { p.ip.Dst = ip("172.16.10.12") }, discardOtherAddress},
		{"for another subnet's broadcast", func(p *packet) { p.ip.Dst = ip("172.16.11.255") }, discardOtherAddress},
		// (3) "the address for a multicast group of which the host is a member
		// on the incoming physical interface"
		{"for a group", func(p *packet) { p.ip.Dst = ip("224.0.0.5") }, discardGroup},
		{"for nobody", func(p *packet) { p.ip.Dst = ip("0.0.0.0") }, discardMartianDestination},
		// RFC 1122, 3.2.1.3: "(g) { 127, <any> } Internal host loopback
		// address. Addresses of this form MUST NOT appear outside a host."
		{"to loopback", func(p *packet) { p.ip.Dst = ip("127.0.0.1") }, discardMartianDestination},
		// RFC 1122, 3.2.1.3: "A host MUST silently discard an incoming
		// datagram containing an IP source address that is invalid by the
		// rules of this section." (R1122-9, for UDP R1122-44)
		{"from loopback", func(p *packet) { p.ip.Src = ip("127.0.0.1") }, discardMartianSource},
		{"from everyone", func(p *packet) { p.ip.Src = ip(everyone) }, discardMartianSource},
		{"from the subnet", func(p *packet) { p.ip.Src = ip(subnet) }, discardMartianSource},
		{"from the subnet, old form", func(p *packet) { p.ip.Src = ip("172.16.10.0") }, discardMartianSource},
		{"from a group", func(p *packet) { p.ip.Src = ip("224.0.0.1") }, discardMartianSource},
		{"from class E", func(p *packet) { p.ip.Src = ip("240.0.0.1") }, discardMartianSource},
		{"from nobody", func(p *packet) { p.ip.Src = ip("0.0.0.0") }, discardMartianSource},
		{"from this network", func(p *packet) { p.ip.Src = ip("0.0.0.7") }, discardMartianSource},
		{"from the host itself", func(p *packet) { p.ip.Src = ip(own) }, discardMartianSource},
		// RFC 1122, 3.3.6: "A host SHOULD silently discard a datagram that is
		// received via a link-layer broadcast (see Section 2.4) but does not
		// specify an IP multicast or broadcast destination address." (R1122-5)
		{"by broadcast", func(p *packet) { p.to = wire.Broadcast }, discardLinkBroadcast},
		{"for another card", func(p *packet) { p.to = cardOf(12) }, discardOtherMAC},
		{"another EtherType", func(p *packet) { p.kind = wire.EtherTypeIPv6 }, discardEtherType},
		{"a damaged frame", func(p *packet) { p.damaged = true }, discardFCS},
		{"no UDP header", func(p *packet) { p.body = p.body[:7] }, discardBadTransportHeader},
		{"no ICMP header", func(p *packet) { p.ip.Protocol, p.body = wire.ProtocolICMP, p.body[:7] }, discardBadTransportHeader},
		{"no TCP header", func(p *packet) { p.ip.Protocol = wire.ProtocolTCP }, discardBadTransportHeader},
		// RFC 1122, 4.1.3.4: "If a UDP datagram is received with a checksum
		// that is non-zero and invalid, UDP MUST silently discard the
		// datagram." (R1122-42)
		{"UDP checksum", func(p *packet) { p.body[6] ^= 1 }, discardBadChecksum},
		{"UDP length", func(p *packet) { p.body[5]++ }, discardBadTransportHeader},
	} {
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:9")
		p := hello()
		x.change(&p)
		t.Run(x.name, func(t *testing.T) {
			m.t = t
			m.hears(p)
			m.sendsNothing()
			m.discards(x.why)
			e.gets(t)
		})
	}
}

// lengthen makes a packet say that it is longer than it is.
func lengthen(b []byte) {
	h, _, _ := wire.ParseIPv4Header(b)
	h.TotalLen += 200
	h.AppendTo(b[:0])
}

// RFC 1122, 3.2.1.3: "An incoming datagram is destined for the host if the
// datagram's destination address field is: (1) (one of) the host's IP
// address(es); or (2) an IP broadcast address valid for the connected network;
// or (3) the address for a multicast group of which the host is a member". Of
// broadcasts RFC 1122, 3.3.6 asks hosts to recognize all forms (R1122-36).
func TestEveryFormOfBroadcastArrives(t *testing.T) {
	for _, dst := range []string{own, everyone, subnet, "172.16.10.0", "224.0.0.1"} {
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:9")
		p := datagram(peer+":1000", dst+":9", "hello")
		if dst != own {
			p.to = wire.Broadcast
		}
		m.hears(p)
		e.gets(t, peer+":1000: hello")
		m.discards()
	}
}

// RFC 1122, 3.2.1.3 (a): "This host on this network. MUST NOT be sent, except
// as a source address as part of an initialization procedure by which the host
// learns its own IP address."
func TestAHostWithoutAnAddressMayBroadcast(t *testing.T) {
	m := newHost(t)
	e := m.listensUDP("0.0.0.0:67")
	p := datagram("0.0.0.0:68", everyone+":67", "who am I")
	p.to = wire.Broadcast
	m.hears(p)
	e.gets(t, "0.0.0.0:68: who am I")
}

// RFC 1122, 3.2.1.7: "A host MUST NOT discard a datagram just because it was
// received with TTL less than 2." (R1122-13)
func TestTheTTLOfWhatIsForUsDoesNotMatter(t *testing.T) {
	for _, ttl := range []uint8{0, 1} {
		m := newHost(t)
		e := m.listensUDP(own + ":9")
		p := hello()
		p.mangle = func(b []byte) {
			h, _, _ := wire.ParseIPv4Header(b)
			h.TTL = ttl
			h.AppendTo(b[:0])
		}
		m.hears(p)
		e.gets(t, peer+":1000: hello")
	}
}

// RFC 1122, 3.2.1.8: "The IP and transport layer MUST each interpret those IP
// options that they understand and silently ignore the others." (R1122-15)
func TestOptionsAreIgnored(t *testing.T) {
	for _, options := range [][]byte{
		{1, 1, 1, 0},
		{0x9e, 4, 1, 2},                  // unknown
		{7, 7, 4, 0, 0, 0, 0, 0},         // record route
		{148, 4, 0, 0, 0x9e, 3, 7, 0, 0}, // router alert
	} {
		m := newHost(t)
		e := m.listensUDP(own + ":9")
		p := hello()
		p.ip.Options = options
		m.hears(p)
		e.gets(t, peer+":1000: hello")
	}
}

// RFC 1122, 3.2.2.5: "A host SHOULD generate Parameter Problem messages."
func TestMalformedOptionsAreAProblem(t *testing.T) {
	m := newHost(t)
	p := hello()
	p.ip.Options = []byte{1, 0x9e, 9, 0}
	m.hears(p)
	msg, _, err := wire.ParseICMPv4(m.sent[0].raw[wire.IPv4HeaderLen:])
	m.ok("the message", err)
	if msg.Pointer() != 22 {
		t.Errorf("it points at octet %d, want 22: the option's length", msg.Pointer())
	}
	m.sends(own + " > " + peer + ": " + msg.Text() + ", about " + peer + " > " + own)
	m.discards(discardOptions)
}

// RFC 1122, 3.3.5: "If a host receives a datagram with an incomplete source
// route but does not forward it for some reason, the host SHOULD return an
// ICMP Destination Unreachable (code 5, Source Route Failed) message" (R1122-16,
// R1812-12).
func TestSourceRoutesAreNotFollowed(t *testing.T) {
	for _, m := range []*machine{newHost(t), newMachine(t, func(c *Config) { c.Forwarding = true }, own+"/24")} {
		for _, kind := range []byte{131, 137} {
			e := m.listensUDP(own + ":9")
			p := hello()
			p.ip.Options = []byte{kind, 7, 4, 172, 16, 10, 12, 0}
			m.hears(p)
			m.sends(own + " > " + peer + ": source route failed, about " + peer + " > " + own)
			m.discards(discardSourceRoute)
			e.gets(t)
			// A completed one has led here.
			p.ip.Options = []byte{kind, 7, 8, 172, 16, 10, 12, 0}
			m.hears(p)
			e.gets(t, peer+":1000: hello")
			e.Close()
		}
	}
}

// RFC 1122, 4.1.3.4: "An application MAY optionally be able to control whether
// a UDP checksum will be generated"; one of zero says that there is none.
func TestADatagramWithoutAChecksumArrives(t *testing.T) {
	m := newHost(t)
	e := m.listensUDP(own + ":9")
	p := hello()
	p.body[6], p.body[7] = 0, 0
	m.hears(p)
	e.gets(t, peer+":1000: hello")
}

// RFC 1122, 3.3.2: "There MUST be a mechanism by which a datagram is
// reassembled"; what may come in pieces is at least 576 bytes (R1122-31).
func TestFragmentsAreMadeWhole(t *testing.T) {
	long := strings.Repeat("x", 2992)
	m := newHost(t)
	e := m.listensUDP(own + ":9")
	for _, piece := range fragments(datagram(peer+":1000", own+":9", long), 1000, 2, 0, 1) {
		m.hears(piece)
	}
	e.gets(t, peer+":1000: "+long)
	m.sendsNothing()
	m.discards()
}

// fragments cuts a packet's body into pieces of so many bytes, and returns
// some of them.
func fragments(p packet, size int, which ...int) (pieces []packet) {
	for _, n := range which {
		piece := p
		from, to := n*size, min((n+1)*size, len(p.body))
		piece.ip.FragOffset, piece.ip.MF = from, to < len(p.body)
		piece.body = p.body[from:to]
		pieces = append(pieces, piece)
	}
	return pieces
}

// RFC 1122, 3.3.2: "If this timeout expires, the partially-reassembled
// datagram MUST be discarded and an ICMP Time Exceeded message sent to the
// source host (if fragment zero has been received)." (R1122-32)
func TestFragmentsThatStayAloneAreGivenUp(t *testing.T) {
	p := datagram(peer+":1000", own+":9", strings.Repeat("x", 2992))
	for _, x := range []struct {
		piece int
		want  []string
	}{
		{0, []string{own + " > " + peer + ": fragment reassembly time exceeded, about " + peer + " > " + own}},
		{1, nil},
	} {
		m := newHost(t)
		m.hears(fragments(p, 1000, x.piece)[0])
		m.passes(seconds(59))
		m.sendsNothing()
		m.passes(seconds(61))
		m.sends(x.want...)
	}
}
