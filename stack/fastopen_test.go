package stack

import (
	"testing"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// asks sends a SYN with fast open's option and text from a port of the peer, and
// returns the SYN-ACK.
func (m *machine) asks(port string, cookie wire.FastOpenCookie, text string) wire.TCP {
	m.t.Helper()
	m.forget()
	syn := wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535, Options: wire.TCPOptions{MSS: 1460, FastOpen: true, Cookie: cookie}}
	m.hears(segment(peer+":"+port, own+":80", syn, text))
	return m.lastSegment()
}

func early(t *testing.T, bits string, most int) (*machine, *TCP) {
	t.Helper()
	m := newHost(t)
	m.sysctl("tcp_fastopen", bits)
	l := m.listensTCP(own+":80", 10)
	l.Listener().SetFastOpen(most)
	return m, l
}

// A server gives a cookie to who asks for one, in an ordinary handshake. To who
// shows it, it gives the text to the program at once, and acknowledges it with
// the SYN (RFC 7413, 4.1.2 and 4.2.2).
func TestFastOpenServer(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, l := early(t, "2", 5)
		reply := m.asks("1000", wire.FastOpenCookie{}, "text")
		if !reply.Options.FastOpen || reply.Options.Cookie.IsRequest() || reply.Ack != 1001 {
			t.Fatalf("who asks for a cookie is answered with %+v", reply)
		}
		if _, ok := l.Accept(); ok {
			t.Fatal("the program got a connection of which nobody knows whether its client is there")
		}
		cookie := reply.Options.Cookie
		reply = m.asks("1001", cookie, "text")
		if reply.Options.FastOpen || reply.Ack != 1005 || reply.Flags != wire.SYN|wire.ACK {
			t.Fatalf("who shows a cookie is answered with %+v, want an ACK of the text", reply)
		}
		e, ok := l.Accept()
		if !ok || e.State() != tcp.StateSynReceived || e.Conn().Readable() != 4 || !e.Conn().Info().SYNData {
			t.Fatalf("the program has %v, %+v", ok, e)
		}
		m.forget()
		if _, err := e.Conn().WriteBytes(m.now, []byte("answer")); err != nil {
			t.Fatal(err)
		}
		e.Update(m.now)
		if s := m.lastSegment(); s.Flags.Has(wire.SYN) || s.Ack != 1005 {
			t.Errorf("the answer goes as %+v, want a segment before the handshake is over", s)
		}
		m.hears(segment(peer+":1001", own+":80", wire.TCP{Seq: 1005, Ack: reply.Seq + 7, Flags: wire.ACK, Window: 65535}, ""))
		if e.State() != tcp.StateEstablished || e.Conn().Unacked() != 0 {
			t.Errorf("after the ACK of all: %v, %d octets not acknowledged", e.State(), e.Conn().Unacked())
		}
	})
}

// A cookie counts for the address that it was given to, and under the key that
// made it, or the one before. Whoever shows another gets the right one in an
// ordinary handshake.
func TestFastOpenCookies(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, l := early(t, "2", 5)
		m.sysctl("tcp_fastopen_key", "00112233-44556677-8899aabb-ccddeeff")
		cookie := m.asks("1000", wire.FastOpenCookie{}, "").Options.Cookie
		if tcp.NewFastOpenCookie(m.fast.keys[0], ip(own), ip("10.0.0.77")) == cookie {
			t.Error("two clients have one cookie")
		}
		wrong, _ := wire.NewFastOpenCookie([]byte("12345678"))
		if reply := m.asks("1001", wrong, "text"); reply.Ack != 1001 || reply.Options.Cookie != cookie {
			t.Errorf("a wrong cookie is answered with %+v, want the right one", reply)
		}
		m.sysctl("tcp_fastopen_key", "ffffffff-ffffffff-ffffffff-ffffffff,00112233-44556677-8899aabb-ccddeeff")
		reply := m.asks("1002", cookie, "text")
		if reply.Ack != 1005 || reply.Options.Cookie.IsRequest() || reply.Options.Cookie == cookie {
			t.Errorf("a cookie of the key before is answered with %+v, want an ACK of the text and a new cookie", reply)
		}
		m.sysctl("tcp_fastopen_key", "ffffffff-ffffffff-ffffffff-ffffffff")
		if reply := m.asks("1003", cookie, "text"); reply.Ack != 1001 {
			t.Error("a cookie of a key that is no longer there counts")
		}
		if n := l.Pending(); n != 1 {
			t.Errorf("%d connections, want the one with the cookie", n)
		}
	})
}

// There are no more connections before the end of their handshakes than the
// program wants: the next is opened as ever (RFC 7413, 5.1). One that is reset
// makes room after a minute.
func TestFastOpenIsBounded(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, _ := early(t, "2", 2)
		cookie := m.asks("1000", wire.FastOpenCookie{}, "").Options.Cookie
		for i, port := range []string{"1001", "1002"} {
			if reply := m.asks(port, cookie, "text"); reply.Ack != 1005 {
				t.Fatalf("SYN %d: its text isn't taken", i)
			}
		}
		if reply := m.asks("1003", cookie, "text"); reply.Ack != 1001 || reply.Options.FastOpen {
			t.Errorf("one too many: %+v", reply)
		}
		m.hears(segment(peer+":1001", own+":80", wire.TCP{Seq: 1005, Flags: wire.RST}, ""))
		if reply := m.asks("1004", cookie, "text"); reply.Ack != 1001 {
			t.Error("a reset makes room at once")
		}
		m.hears(segment(peer+":1004", own+":80", wire.TCP{Seq: 1001, Flags: wire.RST}, ""))
		m.passes(seconds(60))
		if reply := m.asks("1005", cookie, "text"); reply.Ack != 1005 {
			t.Error("a connection that was reset takes a place for longer than a minute")
		}
	})
}

// net.ipv4.tcp_fastopen: each bit of it.
func TestSysctlFastOpen(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, _ := early(t, "1", 5)
		if reply := m.asks("1000", wire.FastOpenCookie{}, ""); reply.Options.FastOpen {
			t.Error("a server gives cookies though bit 2 isn't set")
		}
		m, _ = early(t, "2", 0)
		if reply := m.asks("1000", wire.FastOpenCookie{}, ""); reply.Options.FastOpen {
			t.Error("a listener that doesn't want gives cookies")
		}
		m, _ = early(t, "1026", 0)
		if reply := m.asks("1000", wire.FastOpenCookie{}, ""); !reply.Options.FastOpen {
			t.Error("with bit 1024 a listener gives no cookies")
		}
		m, _ = early(t, "514", 5)
		m.forget()
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535}, "text"))
		if reply := m.lastSegment(); reply.Ack != 1005 {
			t.Error("with bit 512 text isn't taken without a cookie")
		}
		m = newHost(t)
		m.sysctl("tcp_fastopen", "0")
		e := m.NewTCP()
		if n, err := e.ConnectEarly(m.now, at(peer+":80"), []byte("text")); n != 0 || err != nil || m.MayOpenEarly() {
			t.Errorf("%d, %v", n, err)
		}
		if syn := m.lastSegment(); syn.Options.FastOpen {
			t.Error("a client asks for a cookie though bit 1 isn't set")
		}
		m = newHost(t)
		m.sysctl("tcp_fastopen", "5")
		e = m.NewTCP()
		if n, _ := e.ConnectEarly(m.now, at(peer+":80"), []byte("text")); n != 4 {
			t.Error("with bit 4 no text goes without a cookie")
		}
		if syn := m.lastSegment(); syn.Options.FastOpen {
			t.Error("with bit 4 a cookie is asked for")
		}
	})
}

func TestSysctlFastOpenKey(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		if s, _ := m.FindSysctl("tcp_fastopen_key"); s.Value != "00000000-00000000-00000000-00000000" {
			t.Errorf("the key that nobody has set is shown as %s", s.Value)
		}
		for _, wrong := range []string{"00112233", "00112233-44556677-8899aabb-ccddeef", "x", "00112233-44556677-8899aabb-ccddeeff,1"} {
			if m.SetSysctl("tcp_fastopen_key", wrong) == nil {
				t.Errorf("%s is taken for a key", wrong)
			}
		}
		const two = "00112233-44556677-8899aabb-ccddeeff,ffffffff-44556677-8899aabb-ccddeeff"
		m.sysctl("tcp_fastopen_key", two)
		m.Restart(m.now)
		if s, _ := m.FindSysctl("tcp_fastopen_key"); s.Value != two {
			t.Errorf("got %s", s.Value)
		}
	})
}

// opensEarly opens a connection with text, and returns its SYN.
func (m *machine) opensEarly(text string) (*TCP, int, wire.TCP) {
	m.t.Helper()
	m.forget()
	e := m.NewTCP()
	n, err := e.ConnectEarly(m.now, at(peer+":80"), []byte(text))
	if err != nil {
		m.t.Fatal(err)
	}
	return e, n, m.lastSegment()
}

// agrees is the peer's SYN-ACK, which acknowledges n octets of text.
func (m *machine) agrees(e *TCP, syn wire.TCP, n int, cookie string) {
	m.t.Helper()
	o := wire.TCPOptions{MSS: 1000}
	if cookie != "" {
		o.FastOpen = true
		o.Cookie, _ = wire.NewFastOpenCookie([]byte(cookie))
	}
	m.forget()
	m.hears(segment(peer+":80", e.Local().String(), wire.TCP{
		Seq: 5000, Ack: syn.Seq + 1 + uint32(n), Flags: wire.SYN | wire.ACK, Window: 65535, Options: o,
	}, ""))
}

// A client asks for a cookie first. Then it sends text in the SYN, no more than
// the server's MSS of the last time has room for; and what the server doesn't
// take once more, at once (RFC 7413, 4.1.3 and 4.2.1).
func TestFastOpenClient(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e, n, syn := m.opensEarly("text")
		if n != 0 || !syn.Options.FastOpen || !syn.Options.Cookie.IsRequest() {
			t.Fatalf("without a cookie %d octets go, with %+v", n, syn.Options)
		}
		m.agrees(e, syn, 0, "12345678")
		long := string(make([]byte, 1400))
		e, n, syn = m.opensEarly(long)
		if n != 960 || string(syn.Options.Cookie.Bytes()) != "12345678" {
			t.Fatalf("with a cookie %d octets go, with %+v; want 960", n, syn.Options)
		}
		m.agrees(e, syn, 960, "")
		if i := e.Conn().Info(); !i.SYNData || e.Conn().Unacked() != 0 || i.BytesOut != 960 || e.State() != tcp.StateEstablished {
			t.Errorf("all was taken: %v, %+v", e.State(), i)
		}
		e, _, syn = m.opensEarly("text")
		m.agrees(e, syn, 0, "")
		again := m.lastSegment()
		if e.Conn().Info().SYNData || again.Seq != syn.Seq+1 || e.Conn().Info().BytesOut != 4 {
			t.Errorf("nothing was taken: %+v, %+v", again, e.Conn().Info())
		}
	})
}

// A SYN that gets no answer is repeated without text and cookie: something on
// the way may drop such. After two in succession none are sent for four minutes
// (RFC 7413, 7.2.2; the times are Linux's).
func TestFastOpenLearnsFromLosses(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		e, _, syn := m.opensEarly("text")
		m.agrees(e, syn, 0, "12345678")
		for range 2 {
			e, n, _ := m.opensEarly("text")
			if n != 4 {
				t.Fatal("the text doesn't go in the SYN")
			}
			m.passes(seconds(1))
			again := m.lastSegment()
			if again.Options.FastOpen || !again.Flags.Has(wire.SYN) {
				t.Fatalf("the SYN is repeated as %+v", again)
			}
			m.agrees(e, again, 0, "")
			if e.Conn().Unsent() != 0 || e.State() != tcp.StateEstablished {
				t.Fatal("the text doesn't follow")
			}
		}
		if _, n, syn := m.opensEarly("text"); n != 0 || syn.Options.FastOpen {
			t.Error("text goes though two such SYNs were lost")
		}
		m.passes(seconds(241))
		if _, n, _ := m.opensEarly("text"); n != 4 {
			t.Error("text doesn't go minutes later")
		}
	})
}

// The servers that are remembered are bounded: the oldest is forgotten.
func TestFastOpenServersAreBounded(t *testing.T) {
	overEach(t, func(t *testing.T) {
		var f fastOpens
		for i := range knownServers + 1 {
			f.learn(ipOf([4]byte{10, 0, byte(i >> 8), byte(i)}))
		}
		if len(f.servers) != knownServers || len(f.order) != knownServers || f.servers[ipOf([4]byte{10, 0, 0, 0})] != nil {
			t.Errorf("%d servers are remembered", len(f.servers))
		}
	})
}

// A server that gives no cookie is asked once in the form that the option had
// before RFC 7413, as by Linux, and then in the new form again; one that answers
// the older form gets it from then on.
func TestFastOpenOlderForm(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		for i, older := range []bool{false, true, false, false} {
			e, n, syn := m.opensEarly("text")
			if o := syn.Options; n != 0 || !o.FastOpen || !o.Cookie.IsRequest() || o.Cookie.Experimental != older {
				t.Fatalf("SYN %d has %+v", i, o)
			}
			m.agrees(e, syn, 0, "")
		}
		m = newHost(t)
		e, _, syn := m.opensEarly("text")
		m.agrees(e, syn, 0, "")
		e, _, syn = m.opensEarly("text")
		o := wire.TCPOptions{MSS: 1000, FastOpen: true}
		o.Cookie, _ = wire.NewFastOpenCookie([]byte("12345678"))
		o.Cookie.Experimental = true
		m.hears(segment(peer+":80", e.Local().String(), wire.TCP{
			Seq: 5000, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 65535, Options: o,
		}, ""))
		if _, n, syn := m.opensEarly("text"); n != 4 || syn.Options.Cookie != o.Cookie {
			t.Errorf("with a cookie of the older form %d octets go, with %+v", n, syn.Options)
		}
		s, _ := early(t, "2", 5)
		request := wire.FastOpenCookie{Experimental: true}
		given := s.asks("1000", request, "").Options.Cookie
		if given.IsRequest() || !given.Experimental {
			t.Fatalf("who asks in the older form gets %+v", given)
		}
		if reply := s.asks("1001", given, "text"); reply.Ack != 1005 {
			t.Error("a cookie in the older form doesn't count")
		}
	})
}

// A listener's own key makes its cookies, and recognizes them (TCP_FASTOPEN_KEY).
func TestFastOpenKeyOfAListener(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, l := early(t, "2", 5)
		others := m.asks("1000", wire.FastOpenCookie{}, "").Options.Cookie
		l.Set(func(set *Settings) { set.Options.FastOpenKeys = &[]tcp.Secret{{1, 2, 3}} })
		own := m.asks("1001", wire.FastOpenCookie{}, "").Options.Cookie
		if own == others {
			t.Error("the listener's key makes the machine's cookies")
		}
		if reply := m.asks("1002", others, "text"); reply.Ack != 1001 || reply.Options.Cookie != own {
			t.Errorf("the machine's cookie is answered with %+v", reply)
		}
		if reply := m.asks("1003", own, "text"); reply.Ack != 1005 {
			t.Error("the listener's cookie doesn't count")
		}
	})
}
