package stack

import (
	"net/netip"
	"testing"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// What Linux says to two sockets that want one port: a table that was taken
// from its kernel (6.18) with real sockets. The options are A for SO_REUSEADDR
// and P for SO_REUSEPORT, of the first and of the second.
func TestBindConflicts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		type row struct {
			first, second              string
			tcp, tcpListening, udpSame bool // the second gets it
		}
		for _, r := range []row{
			{"", "", false, false, false},
			{"A", "A", true, false, true},
			{"A", "", false, false, false},
			{"", "A", false, false, false},
			{"P", "P", true, true, true},
			{"P", "", false, false, false},
			{"AP", "A", true, false, true},
			{"AP", "P", true, true, true},
			{"AP", "AP", true, true, true},
		} {
			for _, second := range []string{"0.0.0.0:80", own + ":80"} {
				if got := bindsTCP(t, r.first, r.second, second, false); got != r.tcp {
					t.Errorf("TCP, %q then %q at %s: %v, want %v", r.first, r.second, second, got, r.tcp)
				}
				if got := bindsTCP(t, r.first, r.second, second, true); got != r.tcpListening {
					t.Errorf("TCP, %q listening, then %q at %s: %v, want %v", r.first, r.second, second, got, r.tcpListening)
				}
				if got := bindsUDP(t, r.first, r.second, second); got != r.udpSame {
					t.Errorf("UDP, %q then %q at %s: %v, want %v", r.first, r.second, second, got, r.udpSame)
				}
			}
		}
	})
}

func has(options string, option byte) bool {
	for i := range len(options) {
		if options[i] == option {
			return true
		}
	}
	return false
}

func bindsTCP(t *testing.T, o1, o2, address string, listening bool) bool {
	m := newHost(t)
	e := [2]*TCP{m.NewTCP(), m.NewTCP()}
	for i, o := range []string{o1, o2} {
		e[i].Set(func(set *Settings) {
			set.Options = TCPOptions{ReuseAddr: has(o, 'A'), ReusePort: has(o, 'P'), Privileged: true}
		})
	}
	m.ok("the first", e[0].Bind(at("0.0.0.0:80")))
	if listening {
		m.ok("listening", e[0].Listen(1))
	}
	return e[1].Bind(at(address)) == nil
}

func bindsUDP(t *testing.T, o1, o2, address string) bool {
	m := newHost(t)
	e := [2]*UDP{m.NewUDP(), m.NewUDP()}
	for i, o := range []string{o1, o2} {
		e[i].Options = UDPOptions{ReuseAddr: has(o, 'A'), ReusePort: has(o, 'P'), Privileged: true}
	}
	m.ok("the first", e[0].Bind(at("0.0.0.0:80")))
	return e[1].Bind(at(address)) == nil
}

func TestDifferentAddressesDoNotConflict(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, nil, own+"/24", "172.16.11.10/24")
		m.listensTCP(own+":80", 1)
		m.listensTCP("172.16.11.10:80", 1)
		m.listensTCP("127.0.0.1:80", 1)
		m.wantError("all addresses", m.NewTCP().Bind(at("0.0.0.0:8080")), nil)
		m.listensUDP(own + ":80") // UDP has ports of its own
	})
}

// Two may bind to a port with SO_REUSEADDR, but only one of them listen.
func TestOnlyOneListens(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		var e [2]*TCP
		for i := range e {
			e[i] = m.NewTCP()
			e[i].Set(func(set *Settings) { set.Options.ReuseAddr = true })
			m.ok("bind", e[i].Bind(at("0.0.0.0:8080")))
		}
		m.ok("the first listens", e[0].Listen(1))
		m.wantError("the second", e[1].Listen(1), ErrAddrInUse)
		e[0].Close(m.now)
		m.ok("after the first is gone", e[1].Listen(1))
	})
}

// The course's row C38: after a restart "address already in use", because of
// TIME-WAIT; not with SO_REUSEADDR, which both must have set.
func TestBindAfterTimeWait(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, x := range []struct {
			first, second bool
			want          error
		}{
			{false, false, ErrAddrInUse},
			{true, false, ErrAddrInUse},
			{false, true, ErrAddrInUse},
			{true, true, nil},
		} {
			m := newHost(t)
			l := m.NewTCP()
			l.Set(func(set *Settings) { set.Options.ReuseAddr = x.first })
			m.ok("bind", l.Bind(at(own+":8080")))
			m.ok("listen", l.Listen(1))
			e := m.accepts(l, peer+":1000")
			e.Close(m.now)
			m.closesToo(e, peer+":1000")
			l.Close(m.now)
			if n := m.waits.count; n != 1 {
				t.Fatalf("%d connections are in TIME-WAIT, want 1", n)
			}
			again := m.NewTCP()
			again.Set(func(set *Settings) { set.Options.ReuseAddr = x.second })
			m.wantError("binding again", again.Bind(at(own+":8080")), x.want)
			again.Close(m.now)
			m.passes(seconds(241)) // 2MSL
			m.ok("after 2MSL", m.NewTCP().Bind(at(own+":8080")))
		}
	})
}

// The course's row C18: ports 0-1023 are the system's.
func TestPrivilegedPorts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.wantError("port 80", m.NewTCP().Bind(at("0.0.0.0:80")), ErrAccess)
		m.wantError("port 1023", m.NewUDP().Bind(at("0.0.0.0:1023")), ErrAccess)
		m.wantError("port 1024", m.NewUDP().Bind(at("0.0.0.0:1024")), nil)
		m.listensTCP("0.0.0.0:80", 1) // with privilege
	})
}

func TestBindToOthersAddresses(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		for _, address := range []string{peer + ":80", far + ":80"} {
			e, u := m.NewTCP(), m.NewUDP()
			e.Set(privileged)
			u.Options.Privileged = true
			m.wantError("TCP at "+address, e.Bind(at(address)), ErrAddrNotAvail)
			m.wantError("UDP at "+address, u.Bind(at(address)), ErrAddrNotAvail)
		}
		e := m.NewTCP()
		m.ok("127.0.0.9", e.Bind(at("127.0.0.9:8080")))
		m.wantError("twice", e.Bind(at("127.0.0.9:8081")), ErrInvalid)
	})
}

// RFC 6056, 3.3: ports are not to be guessed. Those to one destination are all
// different, and to several they may be the same.
func TestEphemeralPorts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		seen := make(map[uint16]bool)
		for range 200 {
			e := m.connects(peer + ":80")
			port := e.Local().Port()
			if port < 32768 || port > 60999 || seen[port] {
				t.Fatalf("port %d: want one of 32768 to 60999 that is new", port)
			}
			seen[port] = true
		}
		first := make(map[uint16]bool)
		for n := range 20 {
			m := newHost(t)
			m.cfg.Random.Uint64()
			for range n {
				m.secret = newSecret(m.rnd)
			}
			first[m.connects(peer+":80").Local().Port()] = true
		}
		if len(first) < 18 {
			t.Errorf("20 machines begin with %d ports, want nearly all different", len(first))
		}
	})
}

// A connection's port by chance is not one that somebody asked for by number.
func TestEphemeralPortsAvoidBoundOnes(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, func(c *Config) { c.EphemeralLow, c.EphemeralHigh = 40000, 40003 }, own+"/24")
		m.ok("bind", m.NewTCP().Bind(at("0.0.0.0:40001")))
		ports := make(map[uint16]bool)
		for range 3 {
			ports[m.connects(peer+":80").Local().Port()] = true
		}
		if len(ports) != 3 || ports[40001] {
			t.Errorf("the ports are %v, want 40000, 40002 and 40003", ports)
		}
		m.wantError("the next", m.NewTCP().Connect(m.now, at(peer+":80")), ErrAddrNotAvail)
		if e := m.connects(peer + ":81"); !ports[e.Local().Port()] {
			t.Error("to another destination a port is not used again")
		}
		m.wantError("binding to port 0", m.NewTCP().Bind(at("0.0.0.0:0")), ErrAddrInUse)
	})
}

func TestUDPPortsRunOut(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newMachine(t, func(c *Config) { c.EphemeralLow, c.EphemeralHigh = 40000, 40003 }, own+"/24")
		for range 4 {
			m.ok("bind", m.NewUDP().Bind(at("0.0.0.0:0")))
		}
		m.wantError("the fifth", m.NewUDP().Bind(at("0.0.0.0:0")), ErrAddrInUse)
	})
}

// SO_REUSEPORT shares what comes among all who set it, about equally.
func TestReusePortDistributes(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		var listeners [4]*TCP
		var sockets [4]*UDP
		for i := range listeners {
			listeners[i] = m.NewTCP()
			listeners[i].Set(func(set *Settings) { set.Options.ReusePort = true })
			m.ok("bind", listeners[i].Bind(at("0.0.0.0:8080")))
			m.ok("listen", listeners[i].Listen(1000))
			sockets[i] = m.listensUDP("0.0.0.0:9", func(o *UDPOptions) { o.ReusePort = true })
		}
		const all = 1200
		for n := range all {
			from := netip.AddrPortFrom(ip(peer), uint16(2000+n)).String()
			m.hears(segment(from, own+":8080", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""))
			m.hears(datagram(from, own+":9", "x"))
		}
		for i := range listeners {
			if n := listeners[i].Listener().HalfOpen(); n < all/4-80 || n > all/4+80 {
				t.Errorf("listener %d has %d of %d connections, want about a quarter", i, n, all)
			}
			if n := sockets[i].Pending(); n < all/4-80 || n > all/4+80 {
				t.Errorf("socket %d has %d of %d datagrams, want about a quarter", i, n, all)
			}
		}
		// The same two ends always meet the same one.
		before := [4]int{}
		for i, e := range sockets {
			before[i] = e.Pending()
		}
		for range 5 {
			m.hears(datagram(peer+":2000", own+":9", "x"))
		}
		changed := 0
		for i, e := range sockets {
			if e.Pending() != before[i] {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("the datagrams of one sender go to %d sockets, want 1", changed)
		}
	})
}

// accepts lets a peer connect to a listener, and returns the connection.
func (m *machine) accepts(l *TCP, from string) *TCP {
	m.t.Helper()
	to := netip.AddrPortFrom(ip(own), l.Local().Port()).String()
	m.hears(segment(from, to, wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535}, ""))
	answer := m.lastSegment()
	m.forget()
	m.hears(segment(from, to, wire.TCP{Seq: 1001, Ack: answer.Seq + 1, Flags: wire.ACK, Window: 65535}, ""))
	e, ok := l.Accept()
	if !ok {
		m.t.Fatal("the connection can't be accepted")
	}
	e.SetOwner(owner{})
	return e
}

// lastSegment returns the header of the TCP segment that was sent last.
func (m *machine) lastSegment() wire.TCP {
	m.t.Helper()
	m.drain()
	if len(m.sent) == 0 {
		m.t.Fatal("nothing was sent")
	}
	h, _, err := wire.ParseTCPHeader(m.transportOf(m.sent[len(m.sent)-1].raw))
	m.ok("the segment", err)
	return h
}

// closesToo answers a connection's FIN with an ACK and a FIN, so that it goes
// to TIME-WAIT.
func (m *machine) closesToo(e *TCP, from string) {
	m.t.Helper()
	fin := m.lastSegment()
	m.forget()
	m.hears(segment(from, e.Local().String(), wire.TCP{
		Seq: fin.Ack, Ack: fin.Seq + 1, Flags: wire.FIN | wire.ACK, Window: 65535,
	}, ""))
	m.forget()
	if state := e.State(); state != tcp.StateTimeWait {
		m.t.Fatalf("the connection is in %v, want TIME-WAIT", state)
	}
}
