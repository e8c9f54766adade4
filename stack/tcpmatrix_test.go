package stack

import (
	"fmt"
	"strings"
	"testing"

	"hubbub/transport/tcp"
	"hubbub/wire"
)

// The two states of RFC 9293, 3.3.2 in which there is no connection, CLOSED and
// LISTEN, and the call OPEN in all of them. What else happens in the other states
// is in package tcp's matrix (transport/tcp/testdata/matrix.txt).

// withoutConnection is what arrives at port 80 from somebody of whom nothing is
// known. The segment has sequence number 1000 and, with ACK, acknowledges 5000.
//
// CLOSED, RFC 9293, 3.10.7.1: "An incoming segment not containing a RST causes a
// RST to be sent in response. ... If the ACK bit is off, sequence number zero is
// used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> If the ACK bit is on,
// <SEQ=SEG.ACK><CTL=RST>".
//
// LISTEN, RFC 9293, 3.10.7.2: "An incoming RST should be ignored." "Any
// acknowledgment is bad if it arrives on a connection still in the LISTEN state. An
// acceptable reset segment should be formed for any arriving ACK-bearing segment.
// ... <SEQ=SEG.ACK><CTL=RST>" "If the SYN bit is set ... Set RCV.NXT to SEG.SEQ+1
// ... <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>" "Drop the segment" for the rest.
var withoutConnection = []struct {
	name           string
	flags          wire.TCPFlags
	text           string
	closed, listen string
}{
	{"SYN", wire.SYN, "", "RST|ACK 0 ack 1001", "SYN|ACK ack 1001"},
	{"SYN with data", wire.SYN, "hello", "RST|ACK 0 ack 1006", "SYN|ACK ack 1001"},
	{"SYN with FIN", wire.SYN | wire.FIN, "", "RST|ACK 0 ack 1002", "SYN|ACK ack 1001"},
	{"SYN with URG", wire.SYN | wire.URG, "hello", "RST|ACK 0 ack 1006", "SYN|ACK ack 1001"},
	{"SYN+ACK", wire.SYN | wire.ACK, "", "RST 5000", "RST 5000"},
	{"ACK", wire.ACK, "", "RST 5000", "RST 5000"},
	{"data", wire.ACK | wire.PSH, "hello", "RST 5000", "RST 5000"},
	{"urgent data", wire.ACK | wire.URG, "hello", "RST 5000", "RST 5000"},
	{"FIN", wire.ACK | wire.FIN, "", "RST 5000", "RST 5000"},
	{"FIN with data", wire.ACK | wire.FIN, "hello", "RST 5000", "RST 5000"},
	{"FIN without ACK", wire.FIN, "", "RST|ACK 0 ack 1001", "nothing"},
	{"no flags", 0, "", "RST|ACK 0 ack 1000", "nothing"},
	{"no flags, with data", 0, "hello", "RST|ACK 0 ack 1005", "nothing"},
	{"RST", wire.RST, "", "nothing", "nothing"},
	{"RST+ACK", wire.RST | wire.ACK, "", "nothing", "nothing"},
	{"RST with data", wire.RST, "hello", "nothing", "nothing"},
	{"RST with SYN", wire.RST | wire.SYN, "", "nothing", "nothing"},
}

// answer describes what the machine has sent. The initial sequence number of a
// SYN-ACK is nobody's business.
func (m *machine) answer() string {
	m.t.Helper()
	m.drain()
	if len(m.sent) == 0 {
		return "nothing"
	}
	h := m.lastSegment()
	text := h.Flags.String()
	if !h.Flags.Has(wire.SYN) {
		text += fmt.Sprint(" ", h.Seq)
	}
	if h.Flags.Has(wire.ACK) {
		text += fmt.Sprint(" ack ", h.Ack)
	}
	if len(m.sent) > 1 {
		text += fmt.Sprintf(", and %d more segments", len(m.sent)-1)
	}
	m.sent = nil
	return text
}

func TestEverySegmentInClosedAndListen(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for _, c := range withoutConnection {
			h := wire.TCP{Seq: 1000, Flags: c.flags, Window: 1000, Urgent: 2}
			if c.flags.Has(wire.ACK) {
				h.Ack = 5000
			}
			p := segment(peer+":1000", own+":80", h, c.text)
			m := newHost(t)
			m.hears(p)
			if got := m.answer(); got != c.closed {
				t.Errorf("CLOSED, %s: sends %s, want %s", c.name, got, c.closed)
			}
			m = newHost(t)
			l := m.listensTCP(own+":80", 5)
			m.hears(p)
			if got := m.answer(); got != c.listen {
				t.Errorf("LISTEN, %s: sends %s, want %s", c.name, got, c.listen)
			}
			halfOpen := 0
			if strings.HasPrefix(c.listen, "SYN") {
				halfOpen = 1
			}
			if n := l.Listener().HalfOpen(); n != halfOpen || l.State() != tcp.StateListen || l.Pending() != 0 {
				t.Errorf("LISTEN, %s: %d connections are half open, want %d; the listener is in %v", c.name, n, halfOpen, l.State())
			}
		}
	})
}

// inState returns an endpoint in a state.
func (m *machine) inState(s tcp.State) *TCP {
	m.t.Helper()
	fromPeer := func(e *TCP, flags wire.TCPFlags, seq, ack uint32) {
		m.hears(segment(peer+":80", e.Local().String(), wire.TCP{Seq: seq, Ack: ack, Flags: flags, Window: 1000}, ""))
	}
	switch s {
	case tcp.StateClosed:
		return m.NewTCP()
	case tcp.StateListen:
		return m.listensTCP(own+":4000", 5)
	}
	e := m.connects(peer + ":80")
	iss := m.lastSegment().Seq
	switch s {
	case tcp.StateSynSent:
		return e
	case tcp.StateSynReceived:
		fromPeer(e, wire.SYN, 7000, 0)
		return e
	}
	fromPeer(e, wire.SYN|wire.ACK, 7000, iss+1)
	peerFirst := s == tcp.StateCloseWait || s == tcp.StateLastAck
	if peerFirst {
		fromPeer(e, wire.FIN|wire.ACK, 7001, iss+1)
	}
	if s != tcp.StateEstablished && s != tcp.StateCloseWait {
		m.ok("close", e.Conn().CloseWrite(m.now))
		e.Update(m.now)
		m.drain()
	}
	switch s {
	case tcp.StateFinWait2:
		fromPeer(e, wire.ACK, 7001, iss+2)
	case tcp.StateClosing:
		fromPeer(e, wire.FIN|wire.ACK, 7001, iss+1)
	case tcp.StateTimeWait:
		fromPeer(e, wire.FIN|wire.ACK, 7001, iss+2)
	}
	return e
}

// RFC 9293, 3.10.1, OPEN: "CLOSED: Create a new transmission control block", "LISTEN:
// If the OPEN call is active and the remote socket is specified, then change the
// connection from passive to active"; a socket can't, and its program is told.
// "SYN-SENT STATE ... TIME-WAIT STATE: Return "error: connection already exists"."
func TestOpenInEveryState(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
			m := newHost(t)
			e := m.inState(s)
			if e.State() != s {
				t.Fatalf("the endpoint is in %v, want %v", e.State(), s)
			}
			m.forget()
			active, passive, sent := ErrIsConnected, ErrInvalid, "nothing"
			var after tcp.State
			switch s {
			case tcp.StateClosed:
				active, passive, after, sent = nil, ErrInvalid, tcp.StateSynSent, "SYN"
			case tcp.StateListen:
				passive, after = nil, s // it changes its backlog
			default:
				after = s
			}
			m.wantError("active OPEN in "+s.String(), e.Connect(m.now, at(peer+":81")), active)
			if got := m.answer(); got != sent {
				t.Errorf("active OPEN in %v: sends %s, want %s", s, got, sent)
			}
			m.wantError("passive OPEN in "+s.String(), e.Listen(5), passive)
			if e.State() != after {
				t.Errorf("after OPEN in %v the state is %v, want %v", s, e.State(), after)
			}
		}
		m := newHost(t)
		e := m.inState(tcp.StateClosed)
		m.wantError("passive OPEN in CLOSED", e.Listen(5), nil)
		if e.State() != tcp.StateListen {
			t.Errorf("after a passive OPEN the state is %v", e.State())
		}
	})
}

// RFC 9293, 3.10.4 and 3.10.5: in CLOSED a CLOSE or ABORT finds nothing; in LISTEN
// "Any outstanding RECEIVEs are returned with "error: closing" responses. Delete
// TCB, enter CLOSED state, and return."
func TestCloseAndAbortInClosedAndListen(t *testing.T) {
	overEach(t, func(t *testing.T) {
		for name, call := range map[string]func(*machine, *TCP){
			"CLOSE": func(m *machine, e *TCP) { e.Close(m.now) },
			"ABORT": func(m *machine, e *TCP) { e.Abort(m.now) },
		} {
			for _, s := range []tcp.State{tcp.StateClosed, tcp.StateListen} {
				m := newHost(t)
				e := m.inState(s)
				call(m, e)
				if got := m.answer(); got != "nothing" || e.State() != tcp.StateClosed {
					t.Errorf("%s in %v: sends %s, the state is %v", name, s, got, e.State())
				}
				m.hears(segment(peer+":1000", own+":4000", wire.TCP{Seq: 1000, Flags: wire.SYN, Window: 100}, ""))
				if got := m.answer(); got != "RST|ACK 0 ack 1001" {
					t.Errorf("after %s in %v a SYN is answered with %s", name, s, got)
				}
			}
		}
	})
}
