package stack

import (
	"fmt"
	"net/netip"
	"testing"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// RFC 9293, 3.10.7.1: "If the state is CLOSED (i.e., TCB does not exist), then
// all data in the incoming segment is discarded. An incoming segment
// containing a RST is discarded. An incoming segment not containing a RST
// causes a RST to be sent in response."
func TestAClosedPortResets(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""))
		reset := m.lastSegment()
		m.sends(own + ":80 > " + peer + ":1000: RST|ACK of 0 bytes")
		if reset.Seq != 0 || reset.Ack != 1001 {
			t.Errorf("the reset has seq %d and ack %d, want 0 and 1001", reset.Seq, reset.Ack)
		}
		m.discards(discardNoPort)
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Ack: 5, Flags: wire.RST | wire.ACK}, ""))
		m.sendsNothing()
		m.discards(discardNoPort)
	})
}

// RFC 9293, 3.9.2.3: "a TCP implementation MUST silently discard an incoming
// SYN segment that is addressed to a broadcast or multicast address"
// (MUST-57).
func TestABroadcastSYNIsDiscarded(t *testing.T) {
	for _, dst := range []string{everyone, subnet, "224.0.0.1"} {
		m := newHost(t)
		m.listensTCP("0.0.0.0:80", 5)
		p := segment(peer+":1000", dst+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, "")
		p.to = wire.Broadcast
		m.hears(p)
		m.sendsNothing()
		m.discards(discardBroadcastTCP)
	}
}

// RFC 9293, 3.1, MUST-3: the checksum is verified.
func TestABadTCPChecksumIsDiscarded(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.listensTCP("0.0.0.0:80", 5)
		p := segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, "")
		p.body[16] ^= 1
		m.hears(p)
		m.sendsNothing()
		m.discards(discardBadChecksum)
	})
}

// RFC 9293, 3.9.1.1: "A TCP implementation MUST reject as an error a local
// OPEN call for an invalid remote IP address (e.g., a broadcast or multicast
// address)" (MUST-46).
func TestConnectingToImpossibleAddresses(t *testing.T) {
	for dst, want := range map[string]error{
		everyone + ":80": ErrNetUnreachable, subnet + ":80": ErrNetUnreachable, "224.0.0.1:80": ErrNetUnreachable,
	} {
		m := newHost(t)
		m.wantError(dst, m.NewTCP().Connect(m.now, at(dst)), want)
		m.sendsNothing()
	}
	m := newMachine(t, nil, own+"/24")
	m.wantError("no route", m.NewTCP().Connect(m.now, at(far+":80")), ErrNetUnreachable)
}

// RFC 1122, 3.2.1.3: "When a host sends any datagram, the IP source address
// MUST be one of its own IP addresses (but not a broadcast or multicast
// address)"; (g) "{ 127, <any> } [...] MUST NOT appear outside a host."
// (R1122-10)
func TestLoopbackAddressesStayInside(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e := m.NewTCP()
		m.ok("bind", e.Bind(at("127.0.0.1:4000")))
		m.wantError("TCP", e.Connect(m.now, at(peer+":80")), ErrInvalid)
		u := m.listensUDP("127.0.0.1:4000")
		m.wantError("UDP", u.Send(m.now, view("x"), at(peer+":80")), ErrInvalid)
		m.sendsNothing()
	})
}

// RFC 1122, 3.3.4.3: the source address is that of the interface by which the
// packet leaves.
func TestSourceAddress(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, nil, own+"/24", "172.16.11.10/24")
		m.route("10.0.0.0/8", "172.16.11.1", 2)
		for dst, want := range map[string]string{
			peer: own, other: "172.16.11.10", far: "172.16.11.10", "127.0.0.1": "127.0.0.1", "127.1.2.3": "127.0.0.1", own: own,
		} {
			if got := m.connects(dst + ":80").Local().Addr(); got != ip(want) {
				t.Errorf("to %s it comes from %s, want %s", dst, got, want)
			}
		}
	})
}

// RFC 1191, 6.3 and RFC 9293, 3.7.1: what a router says of the next link's MTU
// makes the segments shorter, and what was too long is sent again at once. Who
// sends can ask for it (R1122-33).
func TestThePathMTUIsLearned(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP(own+":80", 5)
		e, _ := m.acceptsFrom(l, far+":1000")
		_, err := e.Conn().WriteBytes(m.now, make([]byte, 4000))
		m.ok("write", err)
		e.Update(m.now)
		m.drain()
		first := m.sent[0].raw
		if len(first) != EthernetMTU {
			t.Fatalf("the first segment makes a packet of %d bytes, want %d", len(first), EthernetMTU)
		}
		link := 560
		if speaking.six {
			link = 1300 // it can't be less than 1280
		}
		m.forget()

		// A forger can't see what is in flight (RFC 5927, 7.1).
		forged := append([]byte(nil), first...)
		forged[wire.IPv4HeaderLen+longer()+4] ^= 0x40
		m.hears(says("too big", link, quote(forged)))
		m.sendsNothing()
		m.discards(discardICMP)

		m.hears(says("too big", link, quote(first)))
		if len(m.sent) == 0 {
			t.Fatal("nothing was sent again")
		}
		for _, s := range m.sent {
			if len(s.raw) > link {
				t.Errorf("a packet of %d bytes is sent, want at most %d", len(s.raw), link)
			}
		}
		if got := e.Conn().SendMSS(); got != link-52-longer() { // with timestamps
			t.Errorf("the MSS is %d, want %d", got, link-52-longer())
		}
		if mtu, _ := m.PathMTU(m.now, ip(far)); mtu != link {
			t.Errorf("the path's MTU is %d, want %d", mtu, link)
		}
		// "the PMTU is aged" after ten minutes (RFC 1191, 6.3).
		m.passes(11 * 60 * clock.Duration(1e9))
		if mtu, _ := m.PathMTU(m.now, ip(far)); mtu != 1500 {
			t.Errorf("after eleven minutes the path's MTU is %d, want 1500", mtu)
		}
	})
}

// The table of connections in TIME-WAIT is bounded; one that doesn't fit is
// forgotten at once.
func TestTimeWaitIsBounded(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, func(c *Config) { c.MaxTimeWait = 3 }, own+"/24")
		l := m.listensTCP(own+":80", 10)
		for n := range 5 {
			from := fmt.Sprint(peer, ":", 1000+n)
			e := m.accepts(l, from)
			e.Close(m.now)
			m.closesToo(e, from)
		}
		if n := m.waits.count; n != 3 {
			t.Errorf("%d connections are in TIME-WAIT, want 3", n)
		}
		states := make(map[string]int)
		for _, s := range m.Netstat() {
			states[s.State]++
		}
		if states["TIME-WAIT"] != 3 || states["LISTEN"] != 1 || len(states) != 2 {
			t.Errorf("netstat shows %v, want 3 in TIME-WAIT and a listener", states)
		}
		l.Close(m.now)
		m.passes(seconds(241))
		if len(m.tcpPorts.ports) != 0 || m.waits.count != 0 {
			t.Errorf("after 2MSL ports %v are held", m.tcpPorts.ports)
		}
	})
}

// Whatever becomes of connections, their ports are free again.
func TestPortsComeBack(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP(own+":80", 3)
		refused := m.connects(peer + ":7")
		syn := m.lastSegment()
		m.hears(segment(peer+":7", refused.Local().String(), wire.TCP{Ack: syn.Seq + 1, Flags: wire.RST | wire.ACK}, ""))
		refused.Close(m.now)
		m.connects(peer + ":8").Abort(m.now)
		waiting := netip.AddrPortFrom(ip(peer), 1000).String()
		m.hears(segment(waiting, own+":80", wire.TCP{Seq: 1, Flags: wire.SYN, Window: 100}, "")) // half open
		m.accepts(l, peer+":1001").Abort(m.now)
		l.Close(m.now)
		if len(m.tcpPorts.ports) != 0 || m.conns.count != 0 || len(m.listeners) != 0 {
			t.Errorf("ports %v are held, %d connections left", m.tcpPorts.ports, m.conns.count)
		}
	})
}

// The interface "lo": what a machine sends to itself leaves by no card.
func TestLoopback(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, address := range []string{"127.0.0.1", own, "127.3.2.1"} {
			m := newHost(t)
			l := m.listensTCP("0.0.0.0:80", 5)
			e := m.connects(address + ":80")
			if e.State() != tcp.StateEstablished {
				t.Fatalf("to %s: the connection is in %v, want ESTABLISHED", address, e.State())
			}
			served, _ := l.Accept()
			_, err := e.Conn().WriteBytes(m.now, []byte("hello"))
			m.ok("write", err)
			e.Update(m.now)
			m.drain()
			if n := served.Conn().Readable(); n != 5 {
				t.Errorf("to %s: %d bytes arrive, want 5", address, n)
			}
			m.sendsNothing()
			// A closed port refuses, on loopback too.
			if err := m.connects(address + ":81").Conn().Err(); err == nil {
				t.Errorf("to %s:81: no error, want one", address)
			}
			u := m.NewUDP()
			u.SetOwner(owner{})
			m.ok("connect", u.Connect(at(address+":9")))
			m.ok("send", u.Send(m.now, view("x"), netip.AddrPort{}))
			m.drain()
			m.wantError("UDP to "+address+":9", u.TakeError(), ErrRefused)
			m.sendsNothing()
		}
	})
}
