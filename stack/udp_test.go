package stack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"hubbub/event"
	"hubbub/wire"
)

// A broadcast reaches every socket with its port, and of one machine's own
// broadcasts its own sockets hear too, as on Linux.
func TestEveryListenerHearsABroadcast(t *testing.T) {
	for _, dst := range []string{everyone, subnet} {
		m := newHost(t)
		share := func(o *UDPOptions) { o.ReuseAddr, o.Broadcast = true, true }
		a, b := m.listensUDP("0.0.0.0:9", share), m.listensUDP("0.0.0.0:9", share)
		bound := m.listensUDP(own+":9", share)
		p := datagram(peer+":1000", dst+":9", "all")
		p.to = wire.Broadcast
		m.hears(p)
		a.gets(t, peer+":1000: all")
		b.gets(t, peer+":1000: all")
		bound.gets(t) // it listens to one address

		m.ok("send", a.Send(m.now, view("mine"), at(dst+":9")))
		m.drain()
		if got := m.sent[0].eth.Dst; got != wire.Broadcast {
			t.Errorf("the frame goes to %v, want the broadcast address", got)
		}
		m.sends(own + ":9 > " + dst + `:9: "mine"`)
		a.gets(t, own+":9: mine")
		b.gets(t, own+":9: mine")
	}
}

func TestASocketMayListenToBroadcastsAlone(t *testing.T) {
	m := newHost(t)
	e := m.listensUDP(subnet + ":9")
	m.hears(hello())
	m.sends(own + " > " + peer + ": port unreachable, about " + peer + " > " + own)
	p := datagram(peer+":1000", subnet+":9", "all")
	p.to = wire.Broadcast
	m.hears(p)
	e.gets(t, peer+":1000: all")
	m.ok("send", e.Send(m.now, view("x"), at(peer+":9")))
	m.sends(own + ":9 > " + peer + `:9: "x"`) // never from a broadcast address
}

// Of several sockets the one whose addresses fit best has a datagram: the
// connected one before the bound one before the one that takes all.
func TestTheBestFitHasADatagram(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		share := func(o *UDPOptions) { o.ReuseAddr = true }
		all, bound, connected := m.listensUDP("0.0.0.0:9", share), m.listensUDP(own+":9", share), m.listensUDP(own+":9", share)
		m.ok("connect", connected.Connect(at(peer+":1000")))
		m.hears(datagram(peer+":1000", own+":9", "a"))
		m.hears(datagram(peer+":1001", own+":9", "b"))
		p := datagram(peer+":1000", everyone+":9", "c")
		p.to = wire.Broadcast
		m.hears(p)
		connected.gets(t, peer+":1000: a")
		bound.gets(t, peer+":1001: b")
		all.gets(t, peer+":1000: c")
		// Of two that fit equally well, the last bound has it, as on Linux.
		last := m.listensUDP(own+":9", share)
		m.hears(datagram(peer+":1001", own+":9", "d"))
		last.gets(t, peer+":1001: d")
		bound.gets(t)
	})
}

// What a datagram's sender may be refused.
func TestSendErrors(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, x := range []struct {
			name string
			to   netip.AddrPort
			size int
			want error
		}{
			{"no destination", netip.AddrPort{}, 1, ErrDestination},
			{"port 0", at(peer + ":0"), 1, ErrInvalid},
			{"too long", at(peer + ":9"), 65508, ErrMessageSize},
			{"as long as can be", at(peer + ":9"), 65507, nil},
		} {
			m := newHost(t)
			e := m.listensUDP("0.0.0.0:5000")
			m.wantError(x.name, e.Send(m.now, view(strings.Repeat("x", x.size)), x.to), x.want)
		}
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:5000", func(o *UDPOptions) { o.DontFragment = true })
		m.wantError("longer than the MTU", e.Send(m.now, view(strings.Repeat("x", 1473-longer())), at(peer+":9")), ErrMessageSize)
		m.wantError("as the MTU", e.Send(m.now, view(strings.Repeat("x", 1472-longer())), at(peer+":9")), nil)
		m = newMachine(t, nil, own+"/24")
		m.wantError("no route", m.listensUDP("0.0.0.0:5000").Send(m.now, view("x"), at(far+":9")), ErrNetUnreachable)
	})
}

func TestABroadcastIsAskedFor(t *testing.T) {
	for _, to := range []string{everyone, subnet} {
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:5000")
		m.wantError("sent", e.Send(m.now, view("x"), at(to+":9")), ErrAccess)
		m.wantError("connected", e.Connect(at(to+":9")), ErrAccess)
		m.sendsNothing()
	}
}

// RFC 1122, 4.1.3.4: "A host MUST implement the facility to generate and
// validate UDP checksums. An application MAY optionally be able to control
// whether a UDP checksum will be generated, but it MUST default to checksumming
// on." (R1122-41)
func TestEveryDatagramHasItsChecksum(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:5000")
		for n := range 50 {
			m.ok("send", e.Send(m.now, view(strings.Repeat("x", n)), at(peer+":9")))
		}
		m.drain()
		for n, s := range m.sent { // the fixture verifies those that are not zero
			if b := s.raw[wire.IPv4HeaderLen:]; b[6] == 0 && b[7] == 0 {
				t.Errorf("a datagram of %d bytes has no checksum", n)
			}
		}
	})
}

// RFC 1122, 4.1.3.5: "When a UDP datagram is received, its specific-destination
// address MUST be passed up to the application layer. An application program MUST
// be able to specify the IP source address to be used for sending a UDP datagram or
// to leave it unspecified" (R1122-43).
func TestADatagramsLocalAddressIsChosenAndLearned(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, nil, own+"/24", "172.16.11.10/24")
		e := m.listensUDP("172.16.11.10:5000")
		m.ok("send", e.Send(m.now, view("x"), at(peer+":9")))
		m.sends("172.16.11.10:5000 > " + peer + `:9: "x"`)
		everywhere := m.listensUDP("0.0.0.0:9")
		for _, to := range []string{own, subnet} {
			if to == subnet && speaking.six {
				continue // it has no broadcasts
			}
			p := datagram(peer+":1000", to+":9", "x")
			if to == subnet {
				p.to = wire.Broadcast
			}
			m.hears(p)
			d, ok := everywhere.Receive()
			if !ok || d.To != at(to+":9") {
				t.Errorf("the datagram was sent to %v, want %s:9", d.To, to)
			}
			d.Payload.Release()
		}
	})
}

// RFC 1122, 4.1.4 and 3.2.1.7: an application may set the TTL and the type of
// service; the host's TTL is configurable (R1122-12, R1122-14, R1122-45).
func TestTTLAndTypeOfService(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, func(c *Config) { c.TTL = 99 }, own+"/24")
		m.sysctl("net.ipv6.conf.eth0.hop_limit", "99")
		e := m.listensUDP("0.0.0.0:5000")
		header := func() wire.IPv4 {
			m.ok("send", e.Send(m.now, view("x"), at(peer+":9")))
			m.drain()
			h := m.headerOf()
			m.forget()
			return h
		}
		if h := header(); h.TTL != 99 || h.TOS != 0 {
			t.Errorf("TTL %d and TOS %d, want 99 and 0", h.TTL, h.TOS)
		}
		e.Options.TTL, e.Options.TOS = 1, 0x10
		if h := header(); h.TTL != 1 || h.TOS != 0x10 {
			t.Errorf("TTL %d and TOS %d, want 1 and 16", h.TTL, h.TOS)
		}
	})
}

// A socket's buffer is bounded, in bytes and in datagrams; what doesn't fit is
// counted and told.
func TestTheReceiveBufferIsFull(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		var told []string
		m.stream.Listen(func(e *event.Event) {
			switch e.Body.(type) {
			case event.Overflow, event.FrameDropped:
				told = append(told, fmt.Sprintf("%T", e.Body))
			}
		})
		e := m.listensUDP(own+":9", func(o *UDPOptions) { o.Buffer = 2500 })
		for range 3 {
			m.hears(datagram(peer+":1000", own+":9", strings.Repeat("x", 1000)))
		}
		if e.Pending() != 2 || e.dropped != 1 {
			t.Errorf("%d datagrams wait and %d were dropped, want 2 and 1", e.Pending(), e.dropped)
		}
		m.discards(discardReceiveBuffer)
		m.sendsNothing()
		if got := strings.Join(told, " "); got != "event.Overflow event.FrameDropped" {
			t.Errorf("told: %s, want an overflow and a dropped frame", got)
		}
		empty := m.listensUDP(own+":10", func(o *UDPOptions) { o.Buffer = 2560 })
		for range 100 {
			m.hears(datagram(peer+":1000", own+":10", ""))
		}
		if empty.Pending() != 11 {
			t.Errorf("%d empty datagrams wait, want 11", empty.Pending())
		}
	})
}

// Connecting fixes the peer, and the zero address undoes it.
func TestConnectAndDisconnect(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e := m.listensUDP("0.0.0.0:9")
		m.ok("connect", e.Connect(at(peer+":1000")))
		if e.Local() != at(own+":9") || e.Remote() != at(peer+":1000") {
			t.Errorf("the ends are %v and %v", e.Local(), e.Remote())
		}
		m.hears(datagram("172.16.10.12:1000", own+":9", "stranger"))
		m.sends(own + " > 172.16.10.12: port unreachable, about 172.16.10.12 > " + own)
		m.ok("disconnect", e.Connect(netip.AddrPort{}))
		if e.Local() != at("0.0.0.0:9") || e.Remote().IsValid() {
			t.Errorf("the ends are %v and %v, want 0.0.0.0:9 and none", e.Local(), e.Remote())
		}
		m.hears(datagram("172.16.10.12:1000", own+":9", "friend"))
		e.gets(t, "172.16.10.12:1000: friend")
		// As on Linux, the unspecified address is this machine.
		m.ok("connect", e.Connect(at("0.0.0.0:9")))
		self := at("127.0.0.1:9")
		if speaking.dual {
			self = at("[::1]:9")
		}
		if e.Remote() != self || e.Local() != self {
			t.Errorf("the ends are %v and %v, want %v twice", e.Local(), e.Remote(), self)
		}
	})
}
