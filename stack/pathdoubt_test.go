package stack

import "testing"

// progresses is a connection that has carried long segments, with another in
// flight, and what a router says of that.
func progresses(t *testing.T, link int) (*machine, *TCP, func()) {
	m := newHost(t)
	l := m.listensTCP(own+":80", 5)
	e, reply := m.acceptsFrom(l, far+":1000")
	write := func() {
		t.Helper()
		m.forget()
		_, err := e.Conn().WriteBytes(m.now, make([]byte, 1400))
		m.ok("write", err)
		e.Update(m.now)
		m.drain()
	}
	acks := func() {
		ack := ackOf(reply)
		ack.Ack = uint32(e.Conn().Info().SendNext)
		m.hears(segment(far+":1000", own+":80", ack, ""))
	}
	write()
	acks()
	write()
	first := m.sent[0].raw
	m.forget()
	m.hears(says("too big", link, quote(first)))
	return m, e, acks
}

// RFC 5927, 7.2: where longer segments have arrived, "fragmentation needed" is
// believed only if the segment that it quotes gets no acknowledgment until its
// retransmission time-out.
func TestATooBigIsDoubted(t *testing.T) {
	overEach(t, func(t *testing.T) {
		const link = 1300
		m, e, _ := progresses(t, link)
		m.sendsNothing()
		if mtu, _ := m.PathMTU(m.now, ip(far)); mtu != EthernetMTU {
			t.Errorf("the path's MTU is %d before the time-out", mtu)
		}
		for e.Conn().Info().Retries == 0 {
			m.forget()
			m.passes(e.Conn().NextTimer().Sub(m.now))
		}
		if len(m.sent) == 0 {
			t.Fatal("nothing was sent again")
		}
		for _, s := range m.sent {
			if len(s.raw) > link {
				t.Errorf("after the time-out a packet of %d bytes is sent, want at most %d", len(s.raw), link)
			}
		}
		if mtu, _ := m.PathMTU(m.now, ip(far)); mtu != link || len(m.doubts) != 0 {
			t.Errorf("the path's MTU is %d, want %d; %d doubts are left", mtu, link, len(m.doubts))
		}
	})
}

// If the segment is acknowledged, it was a forgery; and nothing is kept of a
// connection that is over.
func TestAForgedTooBigIsForgotten(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m, e, acks := progresses(t, 1300)
		acks()
		_, err := e.Conn().WriteBytes(m.now, make([]byte, 1400))
		m.ok("write", err)
		e.Update(m.now)
		for e.Conn().Info().Retries == 0 {
			m.passes(e.Conn().NextTimer().Sub(m.now))
		}
		if mtu, _ := m.PathMTU(m.now, ip(far)); mtu != EthernetMTU || len(m.doubts) != 0 {
			t.Errorf("the path's MTU is %d; %d doubts are left", mtu, len(m.doubts))
		}
		m, e, _ = progresses(t, 1300)
		e.Abort(m.now)
		if len(m.doubts) != 0 {
			t.Errorf("%d doubts are left of a connection that is over", len(m.doubts))
		}
	})
}
