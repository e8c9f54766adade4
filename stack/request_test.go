package stack

import (
	"fmt"
	"testing"

	"hubbub/internal/pkt"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// syn is a SYN as Linux sends it.
func synOf(seq uint32) wire.TCP {
	return wire.TCP{Seq: seq, Flags: wire.SYN, Window: 64240, Options: wire.TCPOptions{
		MSS: 1460, SACKPermitted: true, Timestamps: true, TSVal: 500, HasWindowScale: true, WindowScale: 7,
	}}
}

// ackOf acknowledges a SYN-ACK.
func ackOf(reply wire.TCP) wire.TCP {
	h := wire.TCP{Seq: reply.Ack, Ack: reply.Seq + 1, Flags: wire.ACK, Window: 500}
	if reply.Options.Timestamps {
		h.Options = wire.TCPOptions{Timestamps: true, TSVal: 501, TSEcr: reply.Options.TSVal}
	}
	return h
}

// A connection that isn't established takes no endpoint, no port and no
// buffers: SYN-RECEIVED is a line of netstat.
func TestHalfOpenIsARequest(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP("0.0.0.0:80", 5)
		m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
		reply := m.lastSegment()
		m.sends(own + ":80 > " + peer + ":1000: SYN|ACK of 0 bytes")
		if m.conns.count != 0 || len(m.requests) != 1 || l.Listener().HalfOpen() != 1 {
			t.Fatalf("%d connections, %d requests, %d half open", m.conns.count, len(m.requests), l.Listener().HalfOpen())
		}
		if got, ok := m.halfOpen(); !ok || got.Remote != at(peer+":1000") {
			t.Errorf("netstat: %+v", got)
		}
		m.hears(segment(peer+":1000", own+":80", ackOf(reply), "hello"))
		m.sends(own + ":80 > " + peer + ":1000: ACK of 0 bytes")
		e, ok := l.Accept()
		if !ok || e.State() != tcp.StateEstablished || e.Conn().Readable() != 5 || len(m.requests) != 0 || l.Listener().HalfOpen() != 0 {
			t.Fatalf("accepted %v, %+v", ok, m.Netstat())
		}
		if i := e.Conn().Info(); i.SendScale != 7 || !i.Timestamps || i.SendMSS != 1448-longer() {
			t.Errorf("agreed on %+v", i)
		}
	})
}

// halfOpen returns the line of netstat that is of a half-open connection.
func (m *machine) halfOpen() (SocketState, bool) {
	for _, s := range m.Netstat() {
		if s.State == "SYN-RECEIVED" {
			return s, true
		}
	}
	return SocketState{}, false
}

// RFC 9293, 3.8.3: the SYN-ACK is repeated; then the request is forgotten.
func TestARequestIsGivenUp(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP("0.0.0.0:80", 5)
		m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
		m.forget()
		for _, after := range []int{1, 2, 4, 8, 16} {
			m.passes(seconds(float64(after)) - 1)
			m.sendsNothing()
			m.passes(1)
			m.sends(own + ":80 > " + peer + ":1000: SYN|ACK of 0 bytes")
		}
		m.passes(seconds(32))
		m.forget()
		if len(m.requests) != 0 || l.Listener().HalfOpen() != 0 || m.timers.Next() != 0 {
			t.Errorf("it is still there: %+v", m.Netstat())
		}
	})
}

// RFC 5961, 3.2 and 4.2, in SYN-RECEIVED: a reset must be exact, and one beside
// is answered with a challenge ACK; after a reset the port listens as before.
func TestResetsOfARequest(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP("0.0.0.0:80", 5)
		m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
		m.forget()
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1100, Flags: wire.RST}, ""))
		m.sends(own + ":80 > " + peer + ":1000: ACK of 0 bytes")
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 900, Flags: wire.RST}, ""))
		m.sendsNothing()
		m.hears(segment(peer+":1000", own+":80", wire.TCP{Seq: 1001, Flags: wire.RST}, ""))
		m.sendsNothing()
		if l.Listener().HalfOpen() != 0 || len(m.requests) != 0 {
			t.Errorf("%d are half open", l.Listener().HalfOpen())
		}
	})
}

// A router that says the peer's port can't be reached ends a half-open
// connection, one that says the network can't doesn't (RFC 9293, 3.9.2.2).
func TestICMPAboutARequest(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for what, open := range map[string]int{"port": 0, "net": 1} {
			m := newHost(t)
			l := m.listensTCP("0.0.0.0:80", 5)
			m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
			reply := m.sent[len(m.sent)-1].raw
			m.forget()
			m.hears(says(what, 0, quote(reply)))
			if n := l.Listener().HalfOpen(); n != open {
				t.Errorf("after a %s unreachable %d are half open, want %d", what, n, open)
			}
		}
	})
}

// While the accept queue is full, SYNs are dropped.
func TestAFullAcceptQueueDropsSYNs(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP("0.0.0.0:80", 0)
		m.hears(segment(peer+":1000", own+":80", synOf(1000), ""))
		m.hears(segment(peer+":1000", own+":80", ackOf(m.lastSegment()), ""))
		m.forget()
		m.hears(segment(peer+":1001", own+":80", synOf(1000), ""))
		m.sendsNothing()
		m.discards(discardAcceptQueue)
		if l.Pending() != 1 || len(m.requests) != 0 {
			t.Errorf("%d wait, %d are half open", l.Pending(), len(m.requests))
		}
	})
}

// The accept queue fills while handshakes are under way: their ends wait for
// room, or with tcp_abort_on_overflow the peer learns at once that nobody
// accepts.
func TestTheEndOfAHandshakeWithoutRoom(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, abort := range []bool{false, true} {
			m := newHost(t)
			m.sysctl("tcp_abort_on_overflow", fmt.Sprint(bit(abort)))
			l := m.listensTCP("0.0.0.0:80", 1)
			var replies [3]wire.TCP
			for i := range 2 {
				m.hears(segment(fmt.Sprintf("%s:%d", peer, 1000+i), own+":80", synOf(1000), ""))
				replies[i] = m.lastSegment()
			}
			m.hears(segment(peer+":1000", own+":80", ackOf(replies[0]), ""))
			m.hears(segment(peer+":1002", own+":80", synOf(1000), ""))
			replies[2] = m.lastSegment()
			m.hears(segment(peer+":1001", own+":80", ackOf(replies[1]), ""))
			m.forget()
			m.discards()
			m.hears(segment(peer+":1002", own+":80", ackOf(replies[2]), ""))
			if abort {
				m.sends(own + ":80 > " + peer + ":1002: RST|ACK of 0 bytes")
				if len(m.requests) != 0 {
					t.Error("the request is still there")
				}
				continue
			}
			m.sendsNothing()
			m.discards(discardAcceptQueue)
			l.Accept()
			m.passes(seconds(1))
			m.sends(own + ":80 > " + peer + ":1002: SYN|ACK of 0 bytes")
			m.hears(segment(peer+":1002", own+":80", ackOf(replies[2]), ""))
			if l.Pending() != 2 {
				t.Errorf("%d wait to be accepted", l.Pending())
			}
		}
	})
}

// Who stops listening leaves nothing half open: the peers are reset.
func TestAListenerThatClosesResetsItsRequests(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		l := m.listensTCP("0.0.0.0:80", 5)
		for _, port := range []string{":1001", ":1000"} {
			m.hears(segment(peer+port, own+":80", synOf(1000), ""))
		}
		m.forget()
		l.Close(m.now)
		m.sends(own+":80 > "+peer+":1000: RST|ACK of 0 bytes", own+":80 > "+peer+":1001: RST|ACK of 0 bytes")
		if len(m.requests) != 0 {
			t.Errorf("%d requests", len(m.requests))
		}
		m.passes(seconds(100))
		m.sendsNothing()
	})
}

// RFC 4987, 3.6: when no more can be half open, SYNs are answered with
// cookies; the ACK makes a connection with all that was offered, and the ACK of
// a forged one a reset. (R4987-1, R4987-2)
func TestCookiesWhenTheQueueIsFull(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_max_syn_backlog", "2")
		l := m.listensTCP("0.0.0.0:80", 5)
		m.hears(segment(peer+":999", own+":80", wire.TCP{Seq: 5, Ack: 7, Flags: wire.ACK, Window: 5}, ""))
		m.sends(own + ":80 > " + peer + ":999: RST of 0 bytes")
		for port := range 10 {
			m.hears(segment(fmt.Sprintf("%s:%d", peer, 1000+port), own+":80", synOf(1000), ""))
		}
		m.sent = nil
		m.hears(segment(peer+":2000", own+":80", synOf(7000), ""))
		reply := m.lastSegment()
		m.sends(own + ":80 > " + peer + ":2000: SYN|ACK of 0 bytes")
		if len(m.requests) != 2 || l.Listener().Drops(tcp.SendCookie) != 9 {
			t.Fatalf("%d requests, %d cookies", len(m.requests), l.Listener().Drops(tcp.SendCookie))
		}
		m.hears(segment(peer+":2000", own+":80", wire.TCP{Seq: 7001, Ack: reply.Seq + 2, Flags: wire.ACK, Window: 5}, ""))
		m.sends(own + ":80 > " + peer + ":2000: RST of 0 bytes")
		m.hears(segment(peer+":2000", own+":80", ackOf(reply), "hello"))
		m.sends(own + ":80 > " + peer + ":2000: ACK of 0 bytes")
		e, ok := l.Accept()
		if !ok || e.Conn().Readable() != 5 || e.Remote() != at(peer+":2000") {
			t.Fatalf("accepted: %v", ok)
		}
		if i := e.Conn().Info(); i.SendScale != 7 || !i.Timestamps || i.SendMSS != 1448-longer() || i.ISS != tcp.Seq(reply.Seq) {
			t.Errorf("agreed on %+v", i)
		}
	})
}

// tcp_syncookies.
func TestWhenCookiesAreSent(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for value, want := range map[string][2]int{"0": {1, 0}, "1": {1, 2}, "2": {0, 3}} {
			m := newHost(t)
			m.sysctl("tcp_max_syn_backlog", "1")
			m.sysctl("tcp_syncookies", value)
			l := m.listensTCP("0.0.0.0:80", 5)
			for port := range 3 {
				m.hears(segment(fmt.Sprintf("%s:%d", peer, 1000+port), own+":80", synOf(1000), ""))
			}
			if got := [2]int{len(m.requests), int(l.Listener().Drops(tcp.SendCookie))}; got != want {
				t.Errorf("with %s: %d half open, %d cookies; want %v", value, got[0], got[1], want)
			}
			m.forget()
		}
	})
}

// An ACK with a cookie that finds the accept queue full is dropped: the peer
// sends it again with its data.
func TestACookieNeedsRoom(t *testing.T) {
	overEach(t, func(t *testing.T) {
		m := newHost(t)
		m.sysctl("tcp_syncookies", "2")
		l := m.listensTCP("0.0.0.0:80", 0)
		var replies []wire.TCP
		for port := range 2 {
			m.hears(segment(fmt.Sprintf("%s:%d", peer, 1000+port), own+":80", synOf(1000), ""))
			replies = append(replies, m.lastSegment())
		}
		m.forget()
		m.hears(segment(peer+":1000", own+":80", ackOf(replies[0]), ""))
		m.hears(segment(peer+":1001", own+":80", ackOf(replies[1]), ""))
		m.sendsNothing()
		if l.Pending() != 1 {
			t.Fatalf("%d wait", l.Pending())
		}
		l.Accept()
		m.hears(segment(peer+":1001", own+":80", ackOf(replies[1]), "data"))
		if l.Pending() != 1 {
			t.Errorf("with room %d wait", l.Pending())
		}
		m.forget()
	})
}

// SYN-ACKs to neighbours that don't exist take a quarter of the neighbour
// cache at most. Who has asked for the machine's MAC address, as one does who
// wants to send to it, is answered all the same.
func TestStrangersDoNotFillTheNeighbourCache(t *testing.T) {
	m := newMachine(t, nil, "172.16.0.11/16")
	const most = 1024 / 4
	m.sysctl("tcp_syncookies", "2")
	m.listensTCP("0.0.0.0:80", 5)
	before := len(m.Interfaces()[1].Neighbors().Entries())
	for n := range 2 * most {
		m.hears(segment(fmt.Sprintf("172.16.%d.%d:1000", 1+n/200, 1+n%200), "172.16.0.11:80", synOf(1000), ""))
	}
	m.sent = nil
	if n := len(m.Interfaces()[1].Neighbors().Entries()) - before; n != most {
		t.Errorf("%d neighbours are in the cache", n)
	}
	if n := m.Discards()[discardCrowded.String()]; n != most {
		t.Errorf("%d SYN-ACKs were dropped, want %d", n, most)
	}
	arp := wire.ARP{Op: wire.ARPRequest, SenderMAC: cardOf(12), SenderIP: ip("172.16.100.1"), TargetIP: ip("172.16.0.11")}
	eth := wire.Ethernet{Dst: wire.Broadcast, Src: cardOf(12), Type: wire.EtherTypeARP}
	p := pkt.FromBytes(arp.AppendTo(eth.AppendTo(nil)), pkt.HeadRoom)
	p.Pad(60)
	m.HandleFrame(m.now, 1, p)
	m.forget()
	m.hears(segment("172.16.100.1:1000", "172.16.0.11:80", synOf(1000), ""))
	m.sends("172.16.0.11:80 > 172.16.100.1:1000: SYN|ACK of 0 bytes")
}

// raw(7): "IPPROTO_RAW implies enabled IP_HDRINCL and is able to send any IP
// protocol specified in the passed header. Receiving of all IP protocols via
// IPPROTO_RAW is not possible".
func TestRawWithItsHeader(t *testing.T) {
	m := newHost(t)
	e := m.NewRaw(255)
	e.Options.HeaderIncluded = true
	spoofed := datagram("198.18.1.2:9", peer+":53", "hello")
	m.ok("send", e.Send(m.now, view(string(spoofed.bytes())), ip(peer)))
	m.sends("198.18.1.2:9 > " + peer + ":53: \"hello\"")
	for _, bad := range []string{"", "E", "hello, this is no header at all"} {
		m.wantError("no header", e.Send(m.now, view(bad), ip(peer)), ErrInvalid)
	}
	m.wantError("a broadcast", e.Send(m.now, view(string(datagram("198.18.1.2:9", everyone+":53", "x").bytes())), ip(peer)), ErrAccess)
	m.hears(datagram(peer+":1", own+":9", "x"))
	if e.Pending() != 0 {
		t.Error("it receives")
	}
	m.forget()
}
