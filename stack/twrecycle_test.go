package stack

import (
	"testing"

	"hubbub/clock"
	"hubbub/wire"
)

// stamped sends a SYN with a timestamp from a port of the peer, and reports
// whether it is answered.
func (m *machine) stamped(port string, stamp uint32) bool {
	m.t.Helper()
	m.forget()
	syn := wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 65535, Options: wire.TCPOptions{Timestamps: true, TSVal: stamp}}
	m.hears(segment(peer+":"+port, own+":80", syn, ""))
	return len(m.sent) > 0
}

// restsWith opens a connection with timestamps from the peer, and closes it
// here first, so that it goes to TIME-WAIT.
func (m *machine) restsWith(l *TCP, port string, stamp uint32) {
	m.t.Helper()
	if !m.stamped(port, stamp) {
		m.t.Fatal("the SYN is not answered")
	}
	reply := m.lastSegment()
	from := peer + ":" + port
	options := wire.TCPOptions{Timestamps: true, TSVal: stamp, TSEcr: reply.Options.TSVal}
	m.hears(segment(from, own+":80", wire.TCP{Seq: 1001, Ack: reply.Seq + 1, Flags: wire.ACK, Window: 65535, Options: options}, ""))
	e, ok := l.Accept()
	if !ok {
		m.t.Fatal("there is no connection")
	}
	e.Close(m.now)
	m.hears(segment(from, own+":80", wire.TCP{Seq: 1001, Ack: reply.Seq + 2, Flags: wire.FIN | wire.ACK, Window: 65535, Options: options}, ""))
	if m.waits.count == 0 {
		m.t.Fatal("there is no TIME-WAIT")
	}
}

// tcp_tw_recycle, of Linux up to 4.11: "Enable fast recycling TIME-WAIT
// sockets." TIME-WAIT lasts 3.5 retransmission time-outs; in exchange, SYNs
// whose timestamp is before the last from the same address are dropped for a
// minute, whichever port or machine they come from.
func TestSysctlTimeWaitRecycle(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_tw_recycle", "1")
		l := m.listensTCP(own+":80", 10)
		m.restsWith(l, "1000", 5000)
		m.passes(seconds(0.7) - 1)
		if m.waits.count != 1 {
			t.Error("TIME-WAIT is over before 3.5 time-outs of 200 ms")
		}
		m.passes(1)
		if m.waits.count != 0 {
			t.Error("TIME-WAIT is not over after 3.5 time-outs of 200 ms")
		}
		m.discards()
		if !m.stamped("1001", 5700) || !m.stamped("1002", 4999) {
			t.Error("a SYN with a later timestamp is dropped, or one that is one tick earlier")
		}
		if m.stamped("1003", 4998) {
			t.Error("a SYN with an earlier timestamp is answered: another machine behind the address")
		}
		m.discards(discardRecycled)
		m.passes(seconds(60) - seconds(0.7) - 1)
		if m.stamped("1004", 4998) {
			t.Error("it is answered before a minute has passed")
		}
		m.passes(1)
		if !m.stamped("1005", 4998) {
			t.Error("it is not answered after a minute")
		}
	})
}

// Without tcp_tw_recycle, and for peers without timestamps, nothing is dropped
// and TIME-WAIT lasts a minute.
func TestNothingIsRecycled(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.restsWith(m.listensTCP(own+":80", 10), "1000", 5000)
		m.passes(seconds(59))
		if m.waits.count != 1 || !m.stamped("1001", 10) {
			t.Error("the setting is off, and acts")
		}
		m, e := opened(t, "tcp_tw_recycle", "1")
		e.Close(m.now)
		m.closesToo(e, peer+":1000")
		m.passes(seconds(59))
		if m.waits.count != 1 {
			t.Error("a connection without timestamps is forgotten early")
		}
	})
}

// The memory of addresses is bounded; those that say nothing any more go first.
func TestRecycledAddressesAreBounded(t *testing.T) {
	m := newHost(t)
	m.sysctl("tcp_tw_recycle", "1")
	m.forgetAddresses(m.now)
	for n := range recycledAddresses {
		m.recycled[ipOf([4]byte{10, 0, byte(n >> 8), byte(n)})] = recycled{1, m.now.Add(-clock.Duration(n%2) * recycleMemory)}
	}
	m.restsWith(m.listensTCP(own+":80", 10), "1000", 5000)
	if n := len(m.recycled); n != recycledAddresses/2+1 {
		t.Errorf("%d addresses are remembered, want half of them, and one", n)
	}
}
