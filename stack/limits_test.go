package stack

import (
	"testing"
	"time"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// accepts lets a peer connect to port 80, and returns the connection.
func (m *machine) acceptsFrom(l *TCP, from string) (*TCP, wire.TCP) {
	m.t.Helper()
	m.hears(segment(from, own+":80", synOf(1000), ""))
	reply := m.lastSegment()
	m.hears(segment(from, own+":80", ackOf(reply), ""))
	e, ok := l.Accept()
	if !ok {
		m.t.Fatalf("no connection from %s", from)
	}
	e.SetOwner(owner{})
	m.forget()
	return e, reply
}

// tcp_max_orphans: "maximal number of TCP sockets not attached to any user file
// handle ... if this number is exceeded orphaned connections are reset
// immediately" (ip-sysctl).
func TestTooManyOrphansAreReset(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_max_orphans", "1")
		l := m.listensTCP("0.0.0.0:80", 5)
		first, reply := m.acceptsFrom(l, peer+":1000")
		second, _ := m.acceptsFrom(l, peer+":1001")
		third, reply3 := m.acceptsFrom(l, peer+":1002")
		first.Close(m.now)
		first.Close(m.now)
		m.sends(own + ":80 > " + peer + ":1000: FIN|ACK of 0 bytes")
		second.Close(m.now)
		m.sends(own+":80 > "+peer+":1001: FIN|ACK of 0 bytes", own+":80 > "+peer+":1001: RST|ACK of 0 bytes")
		if m.orphans != 1 || second.State() != tcp.StateClosed {
			t.Errorf("%d orphans, the second in %v", m.orphans, second.State())
		}
		// The first is reset by its peer, and so makes room.
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: reply.Ack, Flags: wire.RST}, ""))
		if m.orphans != 0 {
			t.Fatalf("%d orphans", m.orphans)
		}
		third.Close(m.now)
		m.sends(own + ":80 > " + peer + ":1002: FIN|ACK of 0 bytes")
		// In TIME-WAIT it is none any more.
		h := ackOf(reply3)
		h.Flags, h.Ack = wire.FIN|wire.ACK, reply3.Seq+2
		m.hears(segment(peer+":1002", own+":80", h, ""))
		if m.orphans != 0 || m.waits.count != 1 {
			t.Errorf("%d orphans, %d in TIME-WAIT", m.orphans, m.waits.count)
		}
		m.forget()
	})
}

// tcp_tw_reuse: RFC 6191, 2; RFC 7323, 5.8: with timestamps a new connection
// between the same ports can be told from the old one after a second.
func TestTimeWaitIsReused(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, c := range []struct {
			value      string
			after      time.Duration
			timestamps bool
			want       error
		}{
			{"0", 2 * time.Second, true, ErrAddrInUse},
			{"2", 2 * time.Second, true, ErrAddrInUse},
			{"1", time.Second, true, ErrAddrInUse},
			{"1", time.Second + time.Millisecond, true, nil},
			{"1", 2 * time.Second, false, ErrAddrInUse},
		} {
			m := newHost(t)
			m.sysctl("tcp_tw_reuse", c.value)
			e := m.NewTCP()
			e.Set(func(set *Settings) { set.Options.ReuseAddr = true })
			m.ok("bind", e.Bind(at(own+":4000")))
			m.ok("connect", e.Connect(m.now, at(peer+":80")))
			syn := m.lastSegment()
			h := wire.TCP{Seq: 7000, Ack: syn.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 500}
			if c.timestamps {
				h.Options = wire.TCPOptions{Timestamps: true, TSVal: 5, TSEcr: syn.Options.TSVal}
			}
			m.hears(segment(peer+":80", own+":4000", h, ""))
			e.Close(m.now)
			h.Seq, h.Ack, h.Flags = 7001, syn.Seq+2, wire.FIN|wire.ACK
			m.hears(segment(peer+":80", own+":4000", h, ""))
			m.forget()
			if m.waits.count != 1 {
				t.Fatal("it is not in TIME-WAIT")
			}
			m.passes(c.after)
			again := m.NewTCP()
			again.Set(func(set *Settings) { set.Options.ReuseAddr = true })
			m.ok("bind", again.Bind(at(own+":4000")))
			m.wantError(c.value, again.Connect(m.now, at(peer+":80")), c.want)
			if c.want != nil {
				continue
			}
			if next := m.lastSegment(); m.waits.count != 0 || tcp.Seq(next.Seq).Less(tcp.Seq(syn.Seq+1).Add(1<<16)) {
				t.Errorf("%d in TIME-WAIT, the ISS is %d after %d", m.waits.count, next.Seq, syn.Seq)
			}
			// The last timestamp of the old connection is handed over: what is older
			// belongs to that.
			next := m.lastSegment()
			for _, stamp := range []uint32{4, 6} {
				m.hears(segment(peer+":80", own+":4000", wire.TCP{
					Seq: 9000, Ack: next.Seq + 1, Flags: wire.SYN | wire.ACK, Window: 500,
					Options: wire.TCPOptions{Timestamps: true, TSVal: stamp, TSEcr: next.Options.TSVal},
				}, ""))
				if opened := again.State() == tcp.StateEstablished; opened != (stamp > 5) {
					t.Errorf("a SYN-ACK with the timestamp %d after 5: %v", stamp, again.State())
				}
			}
			m.forget()
		}
	})
}

// TCP_DEFER_ACCEPT as Linux has it: the bare ACK is dropped, the SYN-ACK not
// repeated until just before the time is over; data completes the handshake, and
// so does the ACK of that last SYN-ACK.
func TestDeferredAccept(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.NewTCP()
		l.Set(privileged)
		l.SetOwner(owner{})
		l.Set(func(set *Settings) { set.Params.DeferAccept = 5 * time.Second }) // 1 + 2 + 4 s
		m.ok("bind", l.Bind(at(own+":80")))
		m.ok("listen", l.Listen(5))
		m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
		reply := m.lastSegment()
		m.forget()
		m.discards()
		m.hears(segment(peer+":1000", own+":80", ackOf(reply), ""))
		m.discards(discardDeferred)
		m.sendsNothing()
		m.passes(seconds(2.9)) // the first time-out passes in silence
		m.sendsNothing()
		m.passes(seconds(0.1))
		m.sendsNothing()
		m.passes(seconds(4))
		m.sends(own + ":80 > " + peer + ":1000: SYN|ACK of 0 bytes")
		if l.Pending() != 0 {
			t.Fatal("it was taken without data")
		}
		m.hears(segment(peer+":1000", own+":80", ackOf(reply), ""))
		if l.Pending() != 1 {
			t.Error("the ACK of the last SYN-ACK doesn't count")
		}
		m.hears(segment(peer+":1001", own+":80", synOf(1000), ""))
		reply = m.lastSegment()
		m.hears(segment(peer+":1001", own+":80", ackOf(reply), "data"))
		if l.Pending() != 2 {
			t.Error("data doesn't complete the handshake")
		}
		m.forget()
	})
}
