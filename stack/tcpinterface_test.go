package stack

import (
	"testing"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// What RFC 9293, 3.9 asks of a TCP's two interfaces: to the program above and
// to IP below.

// headerOf returns what the header of the packet that was sent last says, in
// the fields of IPv4's.
func (m *machine) headerOf() (h wire.IPv4) {
	m.t.Helper()
	m.drain()
	h.Src, h.Dst, h.TOS, h.TTL = m.ends(m.sent[len(m.sent)-1].raw)
	return h
}

// writes lets a connection's program write.
func (m *machine) writes(e *TCP, text string) {
	m.t.Helper()
	_, err := e.Conn().WriteBytes(m.now, []byte(text))
	m.ok("write", err)
	e.Update(m.now)
	m.drain()
}

// RFC 9293, 3.1: "The TCP checksum is never optional. The sender MUST generate
// it (MUST-2)". A SYN, data, a FIN, a reset that belongs to no connection.
func TestEverySegmentHasItsChecksum(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e := m.accepts(m.listensTCP(own+":80", 5), peer+":1000")
		m.writes(e, "hello")
		e.Close(m.now)
		m.connects(peer + ":80")
		m.hears(segment(peer+":1000", own+":81", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""))
		if len(m.sent) != 4 {
			t.Fatalf("%d segments, want data, FIN, SYN and reset", len(m.sent))
		}
		for _, s := range m.sent {
			src, dst, _, _ := m.ends(s.raw)
			b := m.transportOf(s.raw)
			if b[16] == 0 && b[17] == 0 || wire.PseudoHeader(src, dst, wire.ProtocolTCP, len(b)).Add(b).Fold() != 0 {
				t.Errorf("%s: the checksum is %x", s.text, b[16:18])
			}
		}
	})
}

// RFC 9293, 3.9.1.1: "Every passive OPEN call either creates a new connection
// record in LISTEN state, or it returns an error; it MUST NOT affect any
// previously created connection record (MUST-41)." "... an OPEN call that will
// functionally allow an application to LISTEN on a port while a connection
// block with the same local port is in SYN-SENT or SYN-RECEIVED state
// (MUST-42)."
func TestListeningDisturbsNoConnection(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		opening := m.NewTCP()
		opening.Set(func(set *Settings) { set.Options.ReuseAddr = true })
		opening.SetOwner(owner{})
		m.ok("bind", opening.Bind(at(own+":4000")))
		m.ok("connect", opening.Connect(m.now, at(peer+":80")))
		syn := m.lastSegment()
		m.forget()

		l := m.NewTCP()
		l.Set(func(set *Settings) { set.Options.ReuseAddr = true })
		l.SetOwner(owner{})
		m.ok("bind while SYN-SENT", l.Bind(at(own+":4000")))
		m.ok("listen while SYN-SENT", l.Listen(5))
		if opening.State() != tcp.StateSynSent || l.State() != tcp.StateListen {
			t.Fatalf("the states are %v and %v", opening.State(), l.State())
		}
		m.sendsNothing()

		// Simultaneous open: the same port in SYN-RECEIVED.
		m.hears(segment(peer+":80", own+":4000", wire.TCP{Seq: 7000, Flags: wire.SYN, Window: 100}, ""))
		m.forget()
		if opening.State() != tcp.StateSynReceived {
			t.Fatalf("the connection is in %v", opening.State())
		}
		l.Close(m.now)
		again := m.NewTCP()
		again.Set(func(set *Settings) { set.Options.ReuseAddr = true })
		m.ok("bind while SYN-RECEIVED", again.Bind(at(own+":4000")))
		m.ok("listen while SYN-RECEIVED", again.Listen(5))
		m.hears(segment(peer+":80", own+":4000", wire.TCP{Seq: 7001, Ack: syn.Seq + 1, Flags: wire.ACK, Window: 100}, ""))
		if opening.State() != tcp.StateEstablished {
			t.Errorf("the connection is in %v, want ESTABLISHED", opening.State())
		}

		second := m.NewTCP()
		second.Set(func(set *Settings) { set.Options.ReuseAddr = true })
		m.wantError("bind beside a listener", second.Bind(at(own+":4000")), ErrAddrInUse)
		if again.State() != tcp.StateListen || opening.State() != tcp.StateEstablished {
			t.Errorf("the error has changed others: %v, %v", again.State(), opening.State())
		}
	})
}

// RFC 9293, 3.9.1.1: "The optional "local IP address" parameter MUST be
// supported to allow the specification of the local IP address (MUST-43)."
// "... MUST ask the IP layer to select a local IP address before sending the
// (first) SYN (MUST-44)." "At all other times ... TCP implementations MUST use
// the same local address that was used in those previous segments (MUST-45)."
func TestTheLocalAddressIsGivenOrChosenAndStays(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, nil, own+"/24", "172.16.11.10/24")
		m.route("0.0.0.0/0", gateway, 1)
		given := m.NewTCP()
		m.ok("bind", given.Bind(at("172.16.11.10:4000")))
		m.ok("connect", given.Connect(m.now, at(peer+":80")))
		if src := m.headerOf().Src; src != ip("172.16.11.10") {
			t.Errorf("the SYN comes from %v, which the program didn't ask for", src)
		}
		m.forget()

		chosen := m.connects(far + ":80")
		syn := m.lastSegment()
		if src := m.headerOf().Src; src != ip(own) {
			t.Errorf("the SYN comes from %v", src)
		}
		// From now on the way there leads by the other interface.
		m.route("10.0.0.0/8", "172.16.11.1", 2)
		m.forget()
		m.hears(segment(far+":80", chosen.Local().String(), wire.TCP{Seq: 7000, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 1000}, ""))
		m.writes(chosen, "hello")
		for _, s := range m.sent {
			if src, _, _, _ := m.ends(s.raw); src != ip(own) || s.port != 2 {
				t.Errorf("%s: from %v by interface %d", s.text, src, s.port)
			}
		}
		if len(m.sent) == 0 {
			t.Error("nothing was sent")
		}
	})
}

// RFC 9293, 3.9.1.9 and 3.9.2: "The application layer MUST be able to specify
// the Differentiated Services field for segments that are sent on a connection
// (MUST-48)", "SHOULD be able to change the Differentiated Services field during
// the connection lifetime (SHLD-21). TCP implementations SHOULD pass the current
// Differentiated Services field value without change to the IP layer (SHLD-22)".
// "The TTL value used to send TCP segments MUST be configurable (MUST-49)."
func TestDifferentiatedServicesAndTTLAreTheProgramsChoice(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e := m.NewTCP()
		e.Set(func(set *Settings) { set.Options.TOS, set.Options.TTL = 0xb8, 7 })
		m.ok("connect", e.Connect(m.now, at(peer+":80")))
		syn := m.lastSegment()
		if h := m.headerOf(); h.TOS != 0xb8 || h.TTL != 7 {
			t.Errorf("the SYN has TOS %#x and TTL %d", h.TOS, h.TTL)
		}
		e.Set(func(set *Settings) { set.Options.TOS, set.Options.TTL = 0x28, 99 })
		m.hears(segment(peer+":80", e.Local().String(), wire.TCP{Seq: 7000, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 1000}, ""))
		if h := m.headerOf(); h.TOS != 0x28 || h.TTL != 99 {
			t.Errorf("the ACK has TOS %#x and TTL %d", h.TOS, h.TTL)
		}
		m.writes(e, "hello")
		if h := m.headerOf(); h.TOS != 0x28 || h.TTL != 99 {
			t.Errorf("data has TOS %#x and TTL %d", h.TOS, h.TTL)
		}
	})
}

// RFC 9293, 3.9.2.2: "TCP implementations MUST act on an ICMP error message
// passed up from the IP layer, directing it to the connection that created the
// error (MUST-54)." "TCP implementations MUST silently discard any received
// ICMP Source Quench messages (MUST-55)."
func TestAnICMPErrorReachesItsConnectionAlone(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP(own+":80", 5)
		hit, other := m.accepts(l, far+":1000"), m.accepts(l, far+":1001")
		m.writes(other, "hello")
		m.writes(hit, "hello")
		about := m.sent[len(m.sent)-1].raw
		m.forget()
		if !speaking.six {
			m.hears(icmp(gateway, own, wire.ICMPv4{Type: 4}, quote(about))) // Source Quench
			m.wantError("a Source Quench", hit.Conn().SoftErr(), nil)
			m.sendsNothing()
		}
		m.hears(says("host", 0, quote(about)))
		m.wantError("its connection", hit.Conn().SoftErr(), ErrHostUnreachable)
		m.wantError("the other", other.Conn().SoftErr(), nil)
		if hit.State() != tcp.StateEstablished || other.State() != tcp.StateEstablished {
			t.Errorf("the connections are in %v and %v", hit.State(), other.State())
		}
	})
}

// RFC 9293, 3.9.2.3: "An incoming SYN with an invalid source address MUST be
// ignored either by TCP or by the IP layer (MUST-63)".
func TestASYNFromNobodyIsIgnored(t *testing.T) {
	for _, src := range []string{everyone, subnet, "224.0.0.1", "127.0.0.1", "0.0.0.0", "240.0.0.1", own} {
		m := newHost(t)
		l := m.listensTCP(own+":80", 5)
		m.hears(segment(src+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""))
		m.sendsNothing()
		m.discards(discardMartianSource)
		if n := l.Listener().HalfOpen(); n != 0 {
			t.Errorf("from %s: %d connections are half open", src, n)
		}
	}
}

// RFC 9293, 3.9.2: "When received options are passed up to TCP from the IP
// layer, a TCP implementation MUST ignore options that it does not understand
// (MUST-50)."
func TestASYNWithUnknownIPOptionsIsASYN(t *testing.T) {
	m := newHost(t)
	m.listensTCP(own+":80", 5)
	p := segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, "")
	p.ip.Options = []byte{0x9e, 4, 1, 2}
	m.hears(p)
	m.sends(own + ":80 > " + peer + ":1000: SYN|ACK of 0 bytes")
}

// RFC 9293, 3.7.1: "The MSS value to be sent in an MSS Option must be less than
// or equal to: MMS_R - 20" (MUST-67), which is what the link takes without the
// two headers; of the interface in use (SHLD-6; RFC 9293, 3.7.3).
func TestTheMSSIsWhatTheLinkTakes(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, mtu := range []int{576, 1492, 1500, 9000} {
			m := newHost(t)
			i := m.Interfaces()[1]
			i.MTU = mtu
			if speaking.six {
				i.six.mtu = mtu
			}
			m.connects(peer + ":80")
			if got := int(m.lastSegment().Options.MSS); got != mtu-40-longer() {
				t.Errorf("an MTU of %d: the MSS is %d", mtu, got)
			}
		}
	})
}
