package tcp

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The matrix of RFC 9293, 3.10: what each event does in each state. Its cells
// are in testdata/matrix.txt, written by hand from the RFC's text; the events are
// in matrixevents_test.go and matrixcalls_test.go, with the sentences that say
// what is to happen. A cell that the table lacks is a failure, and so is one that
// it has too many. CLOSED before any connection, and LISTEN, are in package stack.

// matrixState is a column of the matrix: a connection in a state. Relative to it
// the SYNs are 0. Where it can send, 10 octets are in flight; where it has
// closed, its FIN too.
type matrixState struct {
	name  string
	build func(*matrixEnd)
}

// matrixEnd is a connection that is being brought to a state. Its numbers are
// those of RFC 9293, 3.3.1, relative to the SYNs.
type matrixEnd struct {
	*end
	with setting
}

// setting is what a state may be varied by.
type setting struct {
	unread bool // 10 octets have come that the program has not read
	quiet  bool // the 10 octets in flight are acknowledged
	shut   bool // the peer's window is closed: nothing is in flight, 10 octets and a FIN wait
}

// rcvNxt, sndNxt and sndUna are RCV.NXT, SND.NXT and SND.UNA; edge is
// RCV.NXT+RCV.WND.
func (m *matrixEnd) rcvNxt() int { return int(m.c.rcv.nxt - m.c.rcv.irs) }
func (m *matrixEnd) edge() int   { return int(m.c.rcv.edge - m.c.rcv.irs) }
func (m *matrixEnd) sndNxt() int { return int(m.c.snd.nxt - testISS) }
func (m *matrixEnd) sndUna() int { return int(m.c.snd.una - testISS) }

var matrixStates = []matrixState{
	{"CLOSED", func(m *matrixEnd) { m.established(); m.peerCloses(); m.closes(); m.peerAcks() }},
	{"SYN-SENT", func(m *matrixEnd) { m.end = synSentEnd(m.t) }},
	{"SYN-RECEIVED", func(m *matrixEnd) { m.end = synReceivedEnd(m.t) }},
	{"SYN-RECEIVED, active", (*matrixEnd).simultaneous},
	{"ESTABLISHED", func(m *matrixEnd) { m.established(); m.quiets() }},
	{"FIN-WAIT-1", func(m *matrixEnd) { m.established(); m.closes() }},
	{"FIN-WAIT-2", func(m *matrixEnd) { m.established(); m.closes(); m.peerAcks() }},
	{"CLOSE-WAIT", func(m *matrixEnd) { m.established(); m.peerCloses(); m.quiets() }},
	{"CLOSING", func(m *matrixEnd) { m.established(); m.closes(); m.peerCloses() }},
	{"LAST-ACK", func(m *matrixEnd) { m.established(); m.peerCloses(); m.closes() }},
	{"TIME-WAIT", func(m *matrixEnd) { m.established(); m.closes(); m.peerAcks(); m.peerCloses() }},
}

func (m *matrixEnd) simultaneous() {
	m.end = synSentEnd(m.t)
	m.peer().sends("S 0 mss 1000")
	m.want().segment("SA 0 ack 1", ReasonOpenReply)
}

// established has 10 octets in flight, or lets them wait.
func (m *matrixEnd) established() {
	m.end = establishedEnd(m.t)
	if m.with.unread {
		m.peer().sends("A 1:11 ack 1")
	}
	if m.with.shut {
		m.peer().sends(fmt.Sprintf("A %d ack 1 win 0", m.rcvNxt()))
	}
	m.writes(10)
	m.skip()
}

func (m *matrixEnd) closes() {
	_ = m.c.CloseWrite(m.now)
	m.skip()
}

// peerCloses lets the peer's FIN come, with an old acknowledgment.
func (m *matrixEnd) peerCloses() {
	spec := fmt.Sprintf("FA %d ack %d", m.rcvNxt(), m.sndUna())
	if m.with.shut {
		spec += " win 0"
	}
	m.peer().sends(spec)
	m.skip()
}

func (m *matrixEnd) peerAcks() {
	m.peer().sends(fmt.Sprintf("A %d ack %d", m.rcvNxt(), m.sndNxt()))
	m.skip()
}

func (m *matrixEnd) quiets() {
	if m.with.quiet {
		m.peerAcks()
	}
}

// skip passes over what is sent on the way, and over ACKs that wait.
func (m *matrixEnd) skip() {
	m.drain()
	m.sent = nil
	if m.c.ack.delayed {
		m.after(m.env.DelayedACK)
		m.sent = nil
	}
}

// matrixEvent is a row of the matrix.
type matrixEvent struct {
	name string
	with setting
	// happens lets the event happen, and returns what the program is told, if
	// anything.
	happens func(m *matrixEnd) string
}

// picture is what can be seen of a connection.
type picture struct {
	state                       State
	err, soft                   error
	readable, held, unsent, una int
	urgent                      int
	window                      uint32
	eof, writable               bool
	discards                    [numDiscards]uint64
}

func (m *matrixEnd) picture() picture {
	c := m.c
	return picture{
		state: c.state, err: c.rare.err, soft: c.rare.soft, readable: c.Readable(), held: c.rcv.gaps.size(), unsent: c.Unsent(), una: c.Unacked(),
		urgent: c.UrgentPending(), window: c.snd.wnd, eof: c.EOF(), writable: c.CanWrite(), discards: m.env.Discards,
	}
}

// cell tells what an event does in a state: the new state, what the program is
// told, what is sent and why, what is thrown away and why, and what has changed
// of what remains.
func cell(t *testing.T, s matrixState, ev matrixEvent) string {
	m := &matrixEnd{end: &end{t: t}, with: ev.with}
	m.with.shut = m.with.shut && !strings.Contains("CLOSED FIN-WAIT-2 TIME-WAIT", s.name) // their FIN has gone out
	s.build(m)
	before := m.picture()
	told := ev.happens(m)
	m.drain()
	after := m.picture()
	var did []string
	say := func(holds bool, format string, args ...any) {
		if holds {
			did = append(did, fmt.Sprintf(format, args...))
		}
	}
	say(after.state != before.state, "-> %v", after.state)
	say(told != "", "%s", told)
	say(after.err != before.err, "error: %v", after.err)
	say(after.soft != before.soft && after.soft != nil, "soft error: %v", after.soft)
	for _, s := range m.sent {
		text, _, _ := strings.Cut(m.show(s), `" (`)
		say(true, "sends %s (%v)", strings.TrimPrefix(strings.ReplaceAll(text, " win 65535", ""), `"`), s.Reason)
	}
	m.sent = nil
	for why, n := range after.discards {
		say(n > before.discards[why], "discards: %v", Discard(why))
	}
	say(after.readable != before.readable, "readable %d", after.readable)
	say(after.held != before.held, "held %d", after.held)
	say(after.eof != before.eof, "end of stream")
	say(after.urgent != before.urgent, "urgent %d", after.urgent)
	say(after.window != before.window, "window %d", after.window)
	say(after.una != before.una, "unacknowledged %d", after.una)
	say(after.unsent != before.unsent, "unsent %d", after.unsent)
	if len(did) == 0 {
		return "nothing"
	}
	return strings.Join(did, "; ")
}

// matrixTable reads the table: the cells by event and state, in the order of the
// file.
func matrixTable(t *testing.T) (cells map[[2]string]string, order [][2]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	cells = map[[2]string]string{}
	event := ""
	for n, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, "  "):
			event = line
		default:
			state, does, ok := strings.Cut(strings.TrimSpace(line), ": ")
			at := [2]string{event, state}
			if _, twice := cells[at]; !ok || twice {
				t.Errorf("testdata/matrix.txt:%d: no cell, or one that is there already: %s", n+1, line)
			}
			cells[at] = strings.TrimSpace(does)
			order = append(order, at)
		}
	}
	return cells, order
}

// inEveryState expects of each event in each state what the table says.
func inEveryState(t *testing.T, events []matrixEvent) {
	t.Helper()
	cells, _ := matrixTable(t)
	for _, ev := range events {
		for _, s := range matrixStates {
			want, there := cells[[2]string{ev.name, s.name}]
			if !there {
				want = "a cell in testdata/matrix.txt"
			}
			if got := cell(t, s, ev); got != want {
				t.Errorf("%s\n  %s: %s\nwant\n  %s: %s", ev.name, s.name, got, s.name, want)
			}
		}
	}
}

func TestSYNsInEveryState(t *testing.T)   { inEveryState(t, arrivingSYNs()) }
func TestACKsInEveryState(t *testing.T)   { inEveryState(t, arrivingACKs()) }
func TestTextInEveryState(t *testing.T)   { inEveryState(t, arrivingText()) }
func TestFINsInEveryState(t *testing.T)   { inEveryState(t, arrivingFINs()) }
func TestResetsInEveryState(t *testing.T) { inEveryState(t, arrivingResets()) }
func TestCallsInEveryState(t *testing.T)  { inEveryState(t, userCalls()) }
func TestTimersInEveryState(t *testing.T) { inEveryState(t, timeouts()) }

// The table has a cell for each event in each state, in the order of the tests.
func TestTheMatrixHasEveryCell(t *testing.T) {
	_, order := matrixTable(t)
	var all [][2]string
	for _, ev := range matrixEvents() {
		for _, s := range matrixStates {
			all = append(all, [2]string{ev.name, s.name})
		}
	}
	if !slices.Equal(order, all) {
		t.Errorf("the table has %d cells, and there are %d: the same, in the same order, it must have", len(order), len(all))
	}
}

// The table says something about every state of RFC 9293, 3.3.2 but LISTEN.
func TestTheMatrixHasEveryState(t *testing.T) {
	seen := map[string]bool{StateListen.String(): true}
	for _, s := range matrixStates {
		m := &matrixEnd{end: &end{t: t}}
		s.build(m)
		if name, _, _ := strings.Cut(s.name, ","); name != m.c.State().String() {
			t.Errorf("the column %s is in %v", s.name, m.c.State())
		}
		seen[m.c.State().String()] = true
	}
	for s := range numStates {
		if !seen[s.String()] {
			t.Errorf("%v has no column", s)
		}
	}
}
