package stack

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// RFC 1122, 3.2.2.1: "3 (Port Unreachable), when the designated transport
// protocol (e.g., UDP) is unable to demultiplex the datagram but has no
// protocol mechanism to inform the sender." (R1122-21, R1122-38)
func TestAClosedPortIsUnreachable(t *testing.T) {
	m := newHost(t)
	p := hello()
	m.hears(p)
	quote := m.sent[0].raw[wire.IPv4HeaderLen+wire.ICMPv4HeaderLen:]
	m.sends(own + " > " + peer + ": port unreachable, about " + peer + " > " + own)
	m.discards(discardNoPort)
	// RFC 1122, 3.2.2: "Every ICMP error message includes the Internet header
	// and at least the first 8 data octets of the datagram that triggered the
	// error; more than 8 octets MAY be sent; this header and data MUST be
	// unchanged from the received datagram." (R1122-18)
	if !bytes.Equal(quote, p.bytes()) {
		t.Errorf("it quotes\n%x, the packet was\n%x", quote, p.bytes())
	}
}

// RFC 1812, 4.3.2.3: "the ICMP datagram SHOULD contain as much of the original
// datagram as possible without the length of the ICMP datagram exceeding 576
// bytes."
func TestALongPacketIsNotQuotedWhole(t *testing.T) {
	m := newHost(t)
	p := datagram(peer+":1000", own+":9", strings.Repeat("x", 1400))
	m.hears(p)
	if n := len(m.sent[0].raw); n != 576 {
		t.Errorf("the message has %d bytes, want 576", n)
	}
}

// RFC 1122, 3.2.2.1: "2 (Protocol Unreachable), when the designated transport
// protocol is not supported".
func TestAnUnknownProtocolIsUnreachable(t *testing.T) {
	m := newHost(t)
	m.hears(ipPacket(99, peer, own, []byte("whatever")))
	m.sends(own + " > " + peer + ": protocol unreachable, about " + peer + " > " + own)
	m.discards(discardProtocol)
}

// RFC 1122, 3.2.2: "An ICMP error message MUST NOT be sent as the result of
// receiving: an ICMP error message, or a datagram destined to an IP broadcast
// or IP multicast address, or a datagram sent as a link-layer broadcast, or a
// non-initial fragment, or a datagram whose source address does not define a
// single host". (R1122-19)
func TestNoErrorAboutWhatMustNotBeAnswered(t *testing.T) {
	broadcast := func(dst string) packet {
		p := datagram(peer+":1000", dst+":9", "hello")
		p.to = wire.Broadcast
		return p
	}
	for _, x := range []struct {
		name string
		p    packet
		why  Discard
	}{
		{
			"an ICMP error", icmp(peer, own, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable},
				datagram(own+":7", peer+":8", "unknown").bytes()), discardICMP,
		},
		{"a broadcast", broadcast(everyone), discardNoPort},
		{"a subnet's broadcast", broadcast(subnet), discardNoPort},
		{"all hosts", broadcast("224.0.0.1"), discardNoPort},
		{"an unknown protocol by broadcast", func() packet { p := broadcast(everyone); p.ip.Protocol = 99; return p }(), discardProtocol},
	} {
		t.Run(x.name, func(t *testing.T) {
			m := newHost(t)
			m.hears(x.p)
			m.sendsNothing()
			m.discards(x.why)
		})
	}
	t.Run("a later fragment that expires", func(t *testing.T) {
		m := newHost(t)
		m.hears(fragments(datagram(peer+":1000", own+":9", strings.Repeat("x", 2992)), 1000, 2)[0])
		m.passes(seconds(200))
		m.sendsNothing()
	})
}

// RFC 1122, 3.2.2: "If an ICMP message of unknown type is received, it MUST be
// silently discarded." (R1122-17) 3.2.2.7 and 3.2.2.8: "A host SHOULD NOT
// implement these messages", "A host MAY implement Timestamp" (R1122-27).
func TestUnknownICMPTypesAreDiscarded(t *testing.T) {
	for _, kind := range []wire.ICMPv4Type{wire.EchoReply, 1, 2, 6, 40, 255, wire.TimestampRequest, wire.AddressMaskRequest, wire.InformationRequest} {
		m := newHost(t)
		m.hears(icmp(peer, own, wire.ICMPv4{Type: kind}, make([]byte, 40)))
		m.sendsNothing()
		m.discards(discardICMP)
	}
}

// RFC 1122, 3.2.2.6: "Every host MUST implement an ICMP Echo server function
// that receives Echo Requests and sends corresponding Echo Replies." "The IP
// source address in an ICMP Echo Reply MUST be the same as the
// specific-destination address [...] of the corresponding ICMP Echo Request
// message." "Data received in an ICMP Echo Request MUST be entirely included
// in the resulting Echo Reply." (R1122-25)
func TestEcho(t *testing.T) {
	for _, data := range []string{"", "abc", strings.Repeat("long", 300)} {
		m := newMachine(t, nil, own+"/24", "172.16.11.10/24")
		m.hears(ping(peer, own, 7, 3, data))
		m.sends(own + " > " + peer + ": echo reply 7/3 " + quoted(data))
		// Asked for its other address, it answers from that (R1122-34).
		m.hears(ping(peer, "172.16.11.10", 8, 4, data))
		m.sends("172.16.11.10 > " + peer + ": echo reply 8/4 " + quoted(data))
		m.discards()
	}
}

func quoted(s string) string { return `"` + s + `"` }

// A long echo comes in fragments, and goes back so.
func TestEchoInFragments(t *testing.T) {
	m := newHost(t)
	for _, piece := range fragments(ping(peer, own, 7, 3, strings.Repeat("x", 2992)), 1480, 0, 1, 2) {
		m.hears(piece)
	}
	if len(m.sent) != 3 {
		t.Errorf("%d frames are sent, want 3 fragments", len(m.sent))
	}
}

// RFC 1122, 3.2.2.6: "An ICMP Echo Request destined to an IP broadcast or IP
// multicast address MAY be silently discarded." (R1122-26)
func TestBroadcastEchoIsNotAnswered(t *testing.T) {
	for _, dst := range []string{everyone, subnet, "224.0.0.1"} {
		m := newHost(t)
		p := ping(peer, dst, 7, 3, "abc")
		p.to = wire.Broadcast
		m.hears(p)
		m.sendsNothing()
		m.discards(discardICMP)
	}
}

// RFC 1812, 4.3.2.8: "A router SHOULD also be able to limit the rate at which
// it sends other sorts of ICMP error messages". (R1812-10)
func TestErrorsAreLimited(t *testing.T) {
	m := newHost(t)
	for range 10 {
		m.hears(hello())
	}
	if len(m.sent) != 6 {
		t.Errorf("%d errors at once, want 6", len(m.sent))
	}
	m.forget()
	m.passes(seconds(1))
	m.hears(hello())
	if len(m.sent) != 1 {
		t.Errorf("%d errors a second later, want 1", len(m.sent))
	}
	if n := m.Discards()[discardICMPLimit.String()]; n != 4 {
		t.Errorf("%d errors were suppressed, want 4", n)
	}
}

// errorsAbout are what ICMP may say of a packet, and what its sender gets.
var errorsAbout = []struct {
	m    wire.ICMPv4
	want error
}{
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeNetUnreachable}, ErrNetUnreachable},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeHostUnreachable}, ErrHostUnreachable},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeProtocolUnreachable}, ErrProtoUnreach},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}, ErrRefused},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeNetProhibited}, ErrNetUnreachable},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeCommunicationProhibited}, ErrHostUnreachable},
	// RFC 1122, 3.2.2.4: "An incoming Time Exceeded message MUST be passed to
	// the transport layer." (R1122-23)
	{wire.ICMPv4{Type: wire.TimeExceeded}, ErrHostUnreachable},
	// RFC 1122, 3.2.2.5: "An incoming Parameter Problem message MUST be passed
	// to the transport layer" (R1122-24).
	{wire.ICMPv4{Type: wire.ParameterProblem}, errParameter},
	{wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded, Rest: [4]byte{0, 0, 4, 0}}, ErrMessageSize},
}

// RFC 1122, 4.1.3.3: "UDP MUST pass to the application layer all ICMP error
// messages that it receives from the IP layer." (R1122-40, R1122-20)
func TestADatagramSocketLearnsOfErrors(t *testing.T) {
	for _, x := range errorsAbout {
		m := newHost(t)
		e := m.listensUDP(own + ":9")
		m.ok("connect", e.Connect(at(far+":53")))
		m.ok("send", e.Send(m.now, pkt.CopyView([]byte("query")), netip.AddrPort{}))
		m.drain()
		about := m.sent[0].raw
		m.forget()
		// The router has taken one off the time to live: "a header
		// checksum" does not match any more.
		about[8]--
		m.hears(icmp(gateway, own, x.m, about))
		m.sendsNothing()
		m.wantError("the error", e.TakeError(), x.want)
		m.wantError("once more", e.TakeError(), nil)
	}
}

// An error that quotes what the socket never sent isn't its own.
func TestErrorsAboutOthersAreIgnored(t *testing.T) {
	unreachable := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	for name, about := range map[string]packet{
		"another destination": datagram(own+":9", "10.9.9.8:53", "query"),
		"another port":        datagram(own+":9", far+":54", "query"),
		"another source":      datagram(peer+":9", far+":53", "query"),
	} {
		m := newHost(t)
		e := m.listensUDP(own + ":9")
		m.ok("connect", e.Connect(at(far+":53")))
		m.hears(icmp(gateway, own, unreachable, about.bytes()))
		m.wantError(name, e.TakeError(), nil)
	}
}

// RFC 9293, 3.9.2.2: an unreachable port ends the opening of a connection, but
// nothing that can't be told from a forgery does.
func TestAnUnreachablePortEndsTheOpening(t *testing.T) {
	m := newHost(t)
	e := m.connects(far + ":80")
	syn := m.sent[0].raw
	m.forget()
	forged := append([]byte(nil), syn...)
	forged[wire.IPv4HeaderLen+5] ^= 0x10 // another sequence number
	unreachable := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	m.hears(icmp(gateway, own, unreachable, forged))
	if e.State() != tcp.StateSynSent {
		t.Fatalf("a forged error has brought the connection to %v", e.State())
	}
	m.hears(icmp(gateway, own, unreachable, syn))
	m.wantError("the connection", e.Conn().Err(), ErrRefused)
}

// So does a firewall's refusal; a network that can't be reached for now doesn't
// (RFC 9293, 3.9.2.2, MUST-56).
func TestWhatEndsTheOpening(t *testing.T) {
	for code, want := range map[uint8]error{
		wire.CodeNetProhibited:           ErrNetUnreachable,
		wire.CodeHostProhibited:          ErrHostUnreachable,
		wire.CodeCommunicationProhibited: ErrHostUnreachable,
		wire.CodeNetUnreachable:          nil,
		wire.CodeHostUnreachable:         nil,
	} {
		m := newHost(t)
		e := m.connects(far + ":80")
		m.hears(icmp(gateway, own, wire.ICMPv4{Type: wire.DestinationUnreachable, Code: code}, m.sent[0].raw))
		m.wantError("the connection", e.Conn().Err(), want)
	}
}

// connects returns an endpoint that has sent its SYN.
func (m *machine) connects(address string) *TCP {
	m.t.Helper()
	e := m.NewTCP()
	e.SetOwner(owner{})
	m.ok("connect", e.Connect(m.now, at(address)))
	m.drain()
	return e
}

// A raw endpoint hears that its packet went nowhere as it hears of anything
// else: by a message.
func TestARawSocketHearsThatAHostDoesNotAnswer(t *testing.T) {
	m := newHost(t)
	e := m.NewRaw(wire.ProtocolICMP)
	e.SetOwner(owner{})
	msg := wire.ICMPv4{Type: wire.Echo}
	m.ok("send", e.Send(m.now, pkt.CopyView(msg.AppendTo(nil, []byte("anybody?"))), ip("172.16.10.99")))
	m.passes(seconds(10))
	m.sends("request: "+own+" asks for 172.16.10.99", "request: "+own+" asks for 172.16.10.99", "request: "+own+" asks for 172.16.10.99")
	d, ok := e.Receive()
	if !ok {
		t.Fatal("nothing was heard")
	}
	h, body, err := wire.ParseIPv4(d.Payload.Bytes())
	m.ok("the packet", err)
	if got, want := m.describe(&h, body), own+" > "+own+": host unreachable, about "+own+" > 172.16.10.99"; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
}
