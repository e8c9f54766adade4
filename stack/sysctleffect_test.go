package stack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp"
	"hubbub/wire"
)

// The tests of this file say of each setting what Linux's ip-sysctl page says
// of it, in our words, and check that it is so.

// opened returns a machine that is set, and a connection from peer:1000 that it
// has accepted at port 80.
func opened(t *testing.T, settings ...string) (*machine, *TCP) {
	t.Helper()
	m := newHost(t)
	for i := 0; i < len(settings); i += 2 {
		m.sysctl(settings[i], settings[i+1])
	}
	e := m.accepts(m.listensTCP(own+":80", 5), peer+":1000")
	m.forget()
	return m, e
}

// wantState checks the state of a connection, d later.
func (m *machine) wantState(e *TCP, d clock.Duration, want tcp.State) {
	m.t.Helper()
	m.passes(d)
	if got := e.State(); got != want {
		m.t.Errorf("at %v the state is %v, want %v", m.now, got, want)
	}
}

// answers sends an ACK, or another segment, from peer:1000 to port 80.
func (m *machine) answers(e *TCP, flags wire.TCPFlags, data string) {
	m.t.Helper()
	info := e.conn.Info()
	h := wire.TCP{Seq: uint32(info.ReceiveNext), Ack: uint32(info.SendNext), Flags: flags | wire.ACK, Window: 65535}
	m.hears(segment(peer+":1000", own+":80", h, data))
}

// tcp_syn_retries: so often a SYN is sent again before the attempt fails.
func TestSysctlSynRetries(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_syn_retries", "2")
		e := m.connects(peer + ":80")
		m.wantState(e, seconds(7)-1, tcp.StateSynSent)
		syn := own + ":" + fmt.Sprint(e.Local().Port()) + " > " + peer + ":80: SYN of 0 bytes"
		m.sends(syn, syn, syn)
		m.wantState(e, 1, tcp.StateClosed)
	})
}

// tcp_synack_retries: so often a SYN-ACK is sent again before a half-open
// connection is forgotten.
func TestSysctlSynAckRetries(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_synack_retries", "1")
		l := m.listensTCP(own+":80", 5)
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535}, ""))
		m.passes(seconds(3) - 1)
		m.sends(own+":80 > "+peer+":1000: SYN|ACK of 0 bytes", own+":80 > "+peer+":1000: SYN|ACK of 0 bytes")
		if n := l.Listener().HalfOpen(); n != 1 {
			t.Errorf("%d are half open, want 1", n)
		}
		m.passes(1)
		if n := l.Listener().HalfOpen(); n != 0 {
			t.Errorf("%d are half open, want none", n)
		}
	})
}

// tcp_retries2: after so many retransmissions without an answer a connection
// is given up. tcp_orphan_retries: one that no program has open any more,
// after so many.
func TestSysctlRetries(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, settings := range [][]string{{"tcp_retries2", "3"}, {"tcp_orphan_retries", "3"}, nil} {
			for _, orphan := range []bool{false, true} {
				m, e := opened(t, settings...)
				m.writes(e, "x")
				if orphan {
					e.Close(m.now)
				}
				m.passes(seconds(20))
				gone := settings != nil && orphan == (settings[0] == "tcp_orphan_retries")
				if (e.State() == tcp.StateClosed) != gone {
					t.Errorf("%v, an orphan: %v, state %v after 20 s", settings, orphan, e.State())
				}
			}
		}
	})
}

// tcp_retries1: after so many retransmissions something may be wrong with the path; with
// tcp_mtu_probing that ends long segments.
func TestSysctlRetries1(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for n := range 4 {
			m, e := opened(t, "tcp_mtu_probing", "1", "tcp_retries1", fmt.Sprint(n), "tcp_base_mss", "200", "tcp_early_retrans", "0")
			h := wire.TCP{Seq: uint32(e.conn.Info().ReceiveNext), Ack: uint32(e.conn.Info().SendNext), Flags: wire.ACK, Window: 65535}
			m.hears(segment(peer+":1000", own+":80", h, ""))
			m.writes(e, strings.Repeat("x", 500))
			m.passes(100 * time.Millisecond)
			m.forget()
			before, rto := e.conn.SendMSS(), e.conn.Info().RTO
			for timeouts := range n + 1 {
				if got := e.conn.SendMSS(); got != before {
					t.Errorf("tcp_retries1 = %d: after %d time-outs segments have %d octets, not %d", n, timeouts, got, before)
				}
				m.passes(rto << timeouts)
			}
			if got := e.conn.SendMSS(); got >= before {
				t.Errorf("tcp_retries1 = %d: after %d time-outs segments still have %d octets", n, n+1, got)
			}
		}
	})
}

// tcp_mtu_probe_floor: segments become no shorter, where all seem to vanish.
func TestSysctlMTUProbeFloor(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, floor := range []int{48, 90, 150} {
			m, e := opened(t, "tcp_mtu_probing", "1", "tcp_retries1", "0", "tcp_base_mss", "200", "tcp_mtu_probe_floor", fmt.Sprint(floor))
			m.writes(e, strings.Repeat("x", 500))
			m.passes(seconds(30))
			if got := e.conn.SendMSS(); got != floor {
				t.Errorf("tcp_mtu_probe_floor = %d: segments have %d octets at last", floor, got)
			}
		}
	})
}

// tcp_newcwv, which Linux lacks: a window that isn't used is kept for five minutes, and
// then halved (RFC 7661, 4.4.3), whatever tcp_slow_start_after_idle says.
func TestSysctlNewCWV(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e := opened(t, "tcp_newcwv", "1")
		before := e.conn.Info().Cwnd
		for size := before; size < 4*before; size *= 2 {
			m.writes(e, strings.Repeat("x", size))
			m.answers(e, 0, "")
		}
		grown := e.conn.Info().Cwnd
		m.passes(4 * time.Minute)
		m.writes(e, "x")
		m.answers(e, 0, "")
		if got := e.conn.Info().Cwnd; got != grown || grown <= before {
			t.Errorf("after 4 minutes the window is %d, want %d; it was %d at first", got, grown, before)
		}
		m.passes(2 * time.Minute)
		m.writes(e, "x")
		if got, want := e.conn.Info().Cwnd, max(before, grown/2); got != want {
			t.Errorf("after 6 minutes the window is %d, want %d", got, want)
		}
	})
}

// tcp_ecn: 0 never, 1 asks for it and agrees to it, 2 agrees to it when asked.
// tcp_ecn_fallback: a SYN that asked and got no answer is repeated without asking.
func TestSysctlECN(t *testing.T) {
	overEach(t, func(t *testing.T) {
		const both = wire.ECE | wire.CWR
		for value, want := range map[string]struct{ asks, agrees wire.TCPFlags }{"0": {0, 0}, "1": {both, wire.ECE}, "2": {0, wire.ECE}} {
			m := newHost(t)
			m.sysctl("tcp_ecn", value)
			m.connects(peer + ":80")
			if got := m.lastSegment().Flags & both; got != want.asks {
				t.Errorf("tcp_ecn = %s: a SYN has %v, want %v", value, got, want.asks)
			}
			m.listensTCP(own+":80", 5)
			m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN | both, Window: 65535}, ""))
			if got := m.lastSegment().Flags & both; got != want.agrees {
				t.Errorf("tcp_ecn = %s: a SYN-ACK has %v, want %v", value, got, want.agrees)
			}
		}
		for value, want := range map[string]wire.TCPFlags{"0": both, "1": 0} {
			m := newHost(t)
			m.sysctl("tcp_ecn", "1")
			m.sysctl("tcp_ecn_fallback", value)
			m.connects(peer + ":80")
			m.forget()
			m.passes(seconds(1))
			if got := m.lastSegment().Flags & both; got != want {
				t.Errorf("tcp_ecn_fallback = %s: the second SYN has %v, want %v", value, got, want)
			}
		}
	})
}

// tcp_fin_timeout: so long an orphaned connection stays in FIN-WAIT-2.
func TestSysctlFinTimeout(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e := opened(t, "tcp_fin_timeout", "10")
		e.Close(m.now)
		m.answers(e, 0, "")
		m.wantState(e, seconds(10)-1, tcp.StateFinWait2)
		m.wantState(e, 1, tcp.StateClosed)
	})
}

// tcp_keepalive_time: so long a connection is idle before it is probed;
// tcp_keepalive_intvl: so often; tcp_keepalive_probes: so many probes are sent
// until the connection is given up.
func TestSysctlKeepAlive(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e := opened(t, "tcp_keepalive_time", "100", "tcp_keepalive_intvl", "10", "tcp_keepalive_probes", "2")
		e.conn.SetKeepAlive(m.now, tcp.KeepAlive{On: true})
		e.Update(m.now)
		m.passes(seconds(100) - 1)
		m.sendsNothing()
		probe := own + ":80 > " + peer + ":1000: ACK of 0 bytes"
		m.passes(1)
		m.sends(probe)
		m.passes(seconds(10))
		m.sends(probe)
		m.wantState(e, seconds(10)-1, tcp.StateEstablished)
		m.wantState(e, 1, tcp.StateClosed)
	})
}

// tcp_rto_min_us: the shortest retransmission time-out; tcp_rto_max_ms: the
// longest.
func TestSysctlRTO(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e := opened(t, "tcp_rto_min_us", "50000", "tcp_rto_max_ms", "1000")
		if rto := e.conn.Info().RTO; rto != seconds(0.05) {
			t.Errorf("the time-out is %v, want 50 ms", rto)
		}
		m.writes(e, "x")
		m.passes(seconds(9))
		if rto := e.conn.Info().RTO; rto != seconds(1) {
			t.Errorf("after many retransmissions the time-out is %v, want 1 s", rto)
		}
	})
}

// tcp_max_syn_backlog: so many half-open connections a listener remembers.
func TestSysctlSynBacklog(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_max_syn_backlog", "2")
		l := m.listensTCP(own+":80", 100)
		for n := range 4 {
			m.hears(segment(fmt.Sprint(peer, ":", 1000+n), own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535}, ""))
		}
		if n := l.Listener().HalfOpen(); n != 2 {
			t.Errorf("%d are half open, want 2", n)
		}
	})
}

// somaxconn: the limit of listen's backlog.
func TestSysctlSomaxconn(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("somaxconn", "1")
		l := m.listensTCP(own+":80", 100)
		for n := range 4 {
			from := fmt.Sprint(peer, ":", 1000+n)
			m.hears(segment(from, own+":80", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535}, ""))
			h := m.lastSegment()
			m.hears(segment(from, own+":80", wire.TCP{Seq: 1001, Ack: h.Seq + 1, Flags: wire.ACK, Window: 65535}, ""))
		}
		if n := l.Pending(); n != 2 {
			t.Errorf("%d wait to be accepted, want 2: the backlog, and one", n)
		}
	})
}

// tcp_max_tw_buckets: so many connections may be in TIME-WAIT; "if this number
// is exceeded the time-wait socket is immediately destroyed".
func TestSysctlTimeWaits(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_max_tw_buckets", "1")
		l := m.listensTCP(own+":80", 10)
		for n := range 3 {
			from := fmt.Sprint(peer, ":", 1000+n)
			e := m.accepts(l, from)
			e.Close(m.now)
			m.closesToo(e, from)
		}
		if n := m.waits.count; n != 1 {
			t.Errorf("%d connections are in TIME-WAIT, want 1", n)
		}
	})
}

// tcp_rfc1337: if it is 1, resets for a connection in TIME-WAIT are dropped; if
// it is 0, they end TIME-WAIT.
func TestSysctlRFC1337(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for value, want := range map[string]int{"1": 1, "0": 0} {
			m, e := opened(t, "tcp_rfc1337", value)
			e.Close(m.now)
			m.closesToo(e, peer+":1000")
			reset := wire.TCP{Seq: uint32(e.conn.Info().ReceiveNext), Flags: wire.RST}
			beside := reset
			beside.Seq++
			m.hears(segment(peer+":1000", own+":80", beside, ""))
			if m.waits.count != 1 {
				t.Errorf("tcp_rfc1337 = %s: a reset beside the window ends TIME-WAIT", value)
			}
			m.hears(segment(peer+":1000", own+":80", reset, ""))
			if m.waits.count != want {
				t.Errorf("tcp_rfc1337 = %s: %d connections are in TIME-WAIT, want %d", value, m.waits.count, want)
			}
			m.sendsNothing()
		}
	})
}

// tcp_sack, tcp_timestamps and tcp_window_scaling: whether a SYN offers them.
// tcp_timestamps 1 begins each connection's clock somewhere else, 2 has one clock
// for all.
func TestSysctlOffers(t *testing.T) {
	overEach(t, func(t *testing.T) {
		offers := func(name, value string) (wire.TCPOptions, *machine) {
			m := newHost(t)
			m.sysctl(name, value)
			m.connects(peer + ":80")
			return m.lastSegment().Options, m
		}
		for _, value := range []string{"0", "1"} {
			want := value == "1"
			if o, _ := offers("tcp_sack", value); o.SACKPermitted != want {
				t.Errorf("tcp_sack = %s: a SYN offers it: %v", value, o.SACKPermitted)
			}
			if o, _ := offers("tcp_window_scaling", value); o.HasWindowScale != want {
				t.Errorf("tcp_window_scaling = %s: a SYN offers it: %v", value, o.HasWindowScale)
			}
			if o, _ := offers("tcp_timestamps", value); o.Timestamps != want {
				t.Errorf("tcp_timestamps = %s: a SYN offers it: %v", value, o.Timestamps)
			}
		}
		o, m := offers("tcp_timestamps", "2")
		m.passes(seconds(5))
		m.forget()
		m.connects(peer + ":81")
		if again := m.lastSegment().Options; !o.Timestamps || again.TSVal-o.TSVal != 5000 {
			t.Errorf("tcp_timestamps = 2: five seconds after %d another connection begins with %d", o.TSVal, again.TSVal)
		}
		m.reads("tcp_timestamps", "2")
		o, m = offers("tcp_timestamps", "1")
		m.connects(peer + ":81")
		if again := m.lastSegment().Options; again.TSVal == o.TSVal {
			t.Error("tcp_timestamps = 1: two connections have the same clock")
		}
	})
}

// tcp_dsack: the receiver tells what has arrived twice.
func TestSysctlDSACK(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for value, want := range map[string]uint8{"0": 0, "1": 1} {
			m := newHost(t)
			m.sysctl("tcp_dsack", value)
			m.listensTCP(own+":80", 5)
			syn := wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535, Options: wire.TCPOptions{SACKPermitted: true}}
			m.hears(segment(peer+":1000", own+":80", syn, ""))
			data := wire.TCP{Seq: 1001, Ack: m.lastSegment().Seq + 1, Flags: wire.ACK, Window: 65535}
			m.hears(segment(peer+":1000", own+":80", data, "hello"))
			m.hears(segment(peer+":1000", own+":80", data, "hello"))
			if o := m.lastSegment().Options; o.NumSACK != want {
				t.Errorf("tcp_dsack = %s: %+v", value, o)
			}
		}
	})
}

// tcp_min_snd_mss: segments aren't shorter than this because a peer says so.
func TestSysctlMinSendMSS(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_min_snd_mss", "100")
		e := m.connects(peer + ":80")
		answer := wire.TCP{Seq: 1, Ack: m.lastSegment().Seq + 1, Flags: wire.SYN | wire.ACK, Window: 65535}
		answer.Options.MSS = 1
		m.hears(segment(peer+":80", e.Local().String(), answer, ""))
		if mss := e.conn.SendMSS(); mss != 100 {
			t.Errorf("segments have %d octets, want 100", mss)
		}
	})
}

// tcp_slow_start_after_idle: whether the congestion window is closed after an
// idle period of a retransmission time-out.
func TestSysctlSlowStartAfterIdle(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, value := range []string{"1", "0"} {
			m, e := opened(t, "tcp_slow_start_after_idle", value)
			before := e.conn.Info().Cwnd
			for range 3 { // the peer's window has room for so much
				m.writes(e, strings.Repeat("x", e.conn.Info().Cwnd))
				m.answers(e, 0, "")
			}
			grown := e.conn.Info().Cwnd
			m.passes(seconds(10))
			m.writes(e, "x")
			want := map[string]int{"1": before, "0": grown}[value]
			if got := e.conn.Info().Cwnd; got != want || grown == before {
				t.Errorf("tcp_slow_start_after_idle = %s: the window is %d after idleness, want %d; it was %d", value, got, want, grown)
			}
		}
	})
}

// Of tcp_frto and tcp_early_retrans only that counts whether they are on, but they
// are read as they were written.
func TestSysctlsReadAsWritten(t *testing.T) {
	m := newHost(t)
	for _, x := range []struct {
		name, usual string
		most        int
		is          *bool
		from        int
	}{{"tcp_frto", "2", 2, &m.tcpEnv.FRTO, 1}, {"tcp_early_retrans", "3", 4, &m.tcpEnv.LossProbe, 3}} {
		m.reads(x.name, x.usual)
		for n := range x.most + 1 {
			m.sysctl(x.name, fmt.Sprint(n))
			m.reads(x.name, fmt.Sprint(n))
			if want := n >= x.from; *x.is != want {
				t.Errorf("%s = %d: it is on: %v", x.name, n, *x.is)
			}
		}
		*x.is = false
		m.reads(x.name, "0")
	}
}

// tcp_rto_restart, which Linux lacks: "effectively RTO seconds after the last
// transmission of the earliest outstanding segment": RFC 7765, 4. Three segments
// sent 100 ms apart, of which the first is acknowledged: the time-out is that of the
// second.
func TestSysctlRTORestart(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for value, earlier := range map[string]clock.Duration{"0": 0, "1": 50 * time.Millisecond} {
			m, e := opened(t, "tcp_rto_restart", value, "tcp_early_retrans", "0")
			e.conn.SetNoDelay(true)
			m.writes(e, "x")
			m.passes(50 * time.Millisecond)
			m.writes(e, "y")
			m.passes(50 * time.Millisecond)
			h := m.lastSegment()
			m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: uint32(e.conn.Info().ReceiveNext), Ack: h.Seq, Flags: wire.ACK, Window: 65535}, ""))
			m.forget()
			rto := e.conn.Info().RTO
			m.passes(rto - earlier - 1)
			m.sendsNothing()
			m.passes(1)
			if n := len(m.sent); n == 0 {
				t.Errorf("tcp_rto_restart = %s: nothing is sent again %v after the ACK", value, rto-earlier)
			}
		}
	})
}

// tcp_challenge_ack_limit: about so many challenge ACKs are sent in a second; of a
// limit of one, it is one.
func TestSysctlChallenges(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, _ := opened(t, "tcp_challenge_ack_limit", "1", "tcp_invalid_ratelimit", "0")
		for range 5 {
			m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 5, Flags: wire.SYN, Window: 100}, ""))
		}
		challenge := own + ":80 > " + peer + ":1000: ACK of 0 bytes"
		m.sends(challenge)
	})
}

// tcp_invalid_ratelimit: the least time between two answers to invalid
// segments; 0 is no limit.
func TestSysctlInvalidRate(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for value, want := range map[string]int{"0": 4, "500": 2, "2000": 1} {
			m, e := opened(t, "tcp_invalid_ratelimit", value)
			for range 4 {
				m.passes(seconds(0.3))
				info := e.conn.Info()
				m.hears(segment(peer+":1000", own+":80", wire.TCP{
					Seq: uint32(info.ReceiveNext - 1), Ack: uint32(info.SendNext), Flags: wire.ACK, Window: 100,
				}, ""))
			}
			if n := len(m.sent); n != want {
				t.Errorf("tcp_invalid_ratelimit = %s: %d answers, want %d", value, n, want)
			}
			m.forget()
		}
	})
}

// tcp_min_tso_segs: how many segments leave together, at least. tcp_tso_rtt_log: how
// short the round trip has to be for more. Connections look there for each burst.
func TestSysctlBursts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, _ := opened(t, "tcp_min_tso_segs", "7", "tcp_tso_rtt_log", "0")
		if e := m.tcpEnv; e.MinBurst != 7 || e.BurstRTTLog != 0 {
			t.Errorf("bursts of %d segments and 2^%d us, want 7 and 0", e.MinBurst, e.BurstRTTLog)
		}
	})
}

// ip_forward: forward packets between interfaces.
func TestSysctlForward(t *testing.T) {
	m := newRouter(t)
	passing := datagram(peer+":1000", "172.16.11.9:9", "hello")
	m.sysctl("ip_forward", "0")
	m.hears(passing)
	m.sendsNothing()
	m.discards(discardOtherAddress)
	m.sysctl("ip_forward", "1")
	m.hears(passing)
	if n := len(m.sent); n == 0 {
		t.Errorf("%d packets are forwarded, want 1", len(m.sent))
	}
}

// lastHeader returns the IPv4 header of what was sent last.
func (m *machine) lastHeader() wire.IPv4 {
	m.t.Helper()
	if len(m.sent) == 0 {
		m.t.Fatal("nothing was sent")
	}
	h, _, err := wire.ParseIPv4(m.sent[len(m.sent)-1].raw)
	m.ok("the packet", err)
	return h
}

// ip_default_ttl: the time to live of outgoing packets.
func TestSysctlTTL(t *testing.T) {
	m := newHost(t)
	m.sysctl("ip_default_ttl", "7")
	m.connects(peer + ":80")
	if h := m.lastHeader(); h.TTL != 7 {
		t.Errorf("the time to live is %d, want 7", h.TTL)
	}
}

// ip_no_pmtu_disc: 1 lets TCP's packets be fragmented on the way, and takes
// what a router tells of the path's MTU for 552; 2 ignores it.
func TestSysctlNoPathMTU(t *testing.T) {
	for value, want := range map[string]int{"0": 1000, "1": 552, "2": 1500} {
		m, e := opened(t, "ip_no_pmtu_disc", value)
		m.writes(e, "0123456789")
		if h := m.lastHeader(); h.DF != (value == "0") {
			t.Errorf("ip_no_pmtu_disc = %s: DF is %v", value, h.DF)
		}
		msg := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodeFragmentationNeeded}
		msg.SetMTU(1000)
		m.hears(icmp(gateway, own, msg, m.sent[len(m.sent)-1].raw))
		if mtu, _ := m.PathMTU(m.now, ip(peer)); mtu != want {
			t.Errorf("ip_no_pmtu_disc = %s: the path's MTU is %d, want %d", value, mtu, want)
		}
		m.forget()
	}
}

// ip_local_port_range: the local ports that sockets are given.
// ip_local_reserved_ports: ports that are not given out.
func TestSysctlPorts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("ip_local_port_range", "40000 40003")
		m.sysctl("ip_local_reserved_ports", "40001,40003-40010")
		got := map[uint16]bool{}
		for range 2 {
			e := m.NewTCP()
			m.ok("bind", e.Bind(at("0.0.0.0:0")))
			got[e.Local().Port()] = true
		}
		if len(got) != 2 || !got[40000] || !got[40002] {
			t.Errorf("ports %v are given, want 40000 and 40002", got)
		}
		m.wantError("a third", m.NewTCP().Bind(at("0.0.0.0:0")), ErrAddrInUse)
		m = newHost(t)
		m.sysctl("ip_local_port_range", "40000 40003")
		m.sysctl("ip_local_reserved_ports", "40000-40002")
		if e := m.connects(peer + ":80"); e.Local().Port() != 40003 {
			t.Errorf("a connection has port %d, want 40003", e.Local().Port())
		}
		m.ok("a reserved port that is asked for", m.NewTCP().Bind(at("0.0.0.0:40001")))
		m.sysctl("ip_local_reserved_ports", "")
		m.reads("ip_local_reserved_ports", "")
	})
}

// ip_unprivileged_port_start: the first port that takes no privilege to bind.
func TestSysctlPrivilegedPorts(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.wantError("port 80", m.NewTCP().Bind(at("0.0.0.0:80")), ErrAccess)
		m.sysctl("ip_unprivileged_port_start", "80")
		m.ok("port 80", m.NewTCP().Bind(at("0.0.0.0:80")))
		m.wantError("port 79", m.NewTCP().Bind(at("0.0.0.0:79")), ErrAccess)
	})
}

// icmp_echo_ignore_all: no echo request is answered.
// icmp_echo_ignore_broadcasts: none that was broadcast.
func TestSysctlPings(t *testing.T) {
	m := newHost(t)
	m.sysctl("icmp_echo_ignore_broadcasts", "0")
	p := ping(peer, subnet, 7, 3, "abc")
	p.to = wire.Broadcast
	m.hears(p)
	m.sends(own + " > " + peer + `: echo reply 7/3 "abc"`)
	m.sysctl("icmp_echo_ignore_all", "1")
	m.hears(p)
	m.hears(ping(peer, own, 7, 3, "abc"))
	m.sendsNothing()
	m.discards(discardICMP, discardICMP)
}

// icmp_ratelimit: the time between two ICMP errors to one target, 0 for no
// limit. icmp_msgs_per_sec and icmp_msgs_burst: how many there are for all.
func TestSysctlICMPRate(t *testing.T) {
	for _, test := range []struct {
		settings     string
		once, second int
	}{
		{"", 6, 1},
		{"icmp_ratelimit=500", 6, 2},
		{"icmp_ratelimit=0", 50, 50},
		{"icmp_ratelimit=0 icmp_msgs_burst=9", 9, 9},
		{"icmp_ratelimit=0 icmp_msgs_per_sec=5", 50, 5},
		{"icmp_msgs_per_sec=0", 0, 0},
	} {
		m := newHost(t)
		for _, s := range strings.Fields(test.settings) {
			name, value, _ := strings.Cut(s, "=")
			m.sysctl(name, value)
			m.reads(name, value)
		}
		for i, want := range []int{test.once, test.second} {
			for range 60 {
				m.hears(hello())
			}
			if len(m.sent) != want {
				t.Errorf("%s: after %d s %d errors, want %d", test.settings, i, len(m.sent), want)
			}
			m.forget()
			m.passes(seconds(1))
		}
	}
}

// ipfrag_time: so long fragments are kept. ipfrag_high_thresh: so much memory
// they take.
func TestSysctlFragments(t *testing.T) {
	m := newHost(t)
	m.sysctl("ipfrag_time", "10")
	first := fragments(datagram(peer+":1000", own+":9", strings.Repeat("x", 2000)), 1000, 0)[0]
	m.hears(first)
	m.passes(seconds(10) - 1)
	m.sendsNothing()
	m.passes(1)
	m.sends(own + " > " + peer + ": fragment reassembly time exceeded, about " + peer + " > " + own)
	m.sysctl("ipfrag_high_thresh", "900")
	m.hears(first)
	if n := m.reassembly.Bytes(); n != 0 {
		t.Errorf("fragments take %d octets, want none: there is room for 900", n)
	}
}
