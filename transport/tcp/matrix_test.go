package tcp

import (
	"fmt"
	"strings"
	"testing"
)

// matrixEvents are the segments that arrive in each state. R stands for
// RCV.NXT, N for SND.NXT, U for SND.UNA; relative to the SYN, as everywhere.
var matrixEvents = []struct {
	name string
	spec func(r, n, u int) string
}{
	{"SYN", func(r, _, _ int) string { return fmt.Sprintf("S %d", r) }},
	{"SYN-ACK", func(r, n, _ int) string { return fmt.Sprintf("SA %d ack %d", r, n) }},
	{"ACK of all", func(r, n, _ int) string { return fmt.Sprintf("A %d ack %d", r, n) }},
	{"ACK of nothing new", func(r, _, u int) string { return fmt.Sprintf("A %d ack %d", r, u) }},
	{"ACK of long ago", func(r, _, u int) string { return fmt.Sprintf("A %d ack %d", r, u-70000) }},
	{"ACK of the future", func(r, n, _ int) string { return fmt.Sprintf("A %d ack %d", r, n+1) }},
	{"no ACK", func(r, _, _ int) string { return fmt.Sprintf("- %d:%d", r, r+10) }},
	{"data", func(r, _, u int) string { return fmt.Sprintf("A %d:%d ack %d", r, r+10, u) }},
	{"data after a gap", func(r, _, u int) string { return fmt.Sprintf("A %d:%d ack %d", r+10, r+20, u) }},
	{"data of before", func(r, _, u int) string { return fmt.Sprintf("A %d:%d ack %d", r-10, r, u) }},
	{"data beyond the window", func(r, _, u int) string { return fmt.Sprintf("A %d:%d ack %d", r+70000, r+70010, u) }},
	{"FIN", func(r, _, u int) string { return fmt.Sprintf("FA %d ack %d", r, u) }},
	{"FIN and ACK of all", func(r, n, _ int) string { return fmt.Sprintf("FA %d ack %d", r, n) }},
	{"RST", func(r, _, _ int) string { return fmt.Sprintf("R %d", r) }},
	{"RST with ACK", func(r, n, _ int) string { return fmt.Sprintf("RA %d ack %d", r, n) }},
	{"RST in the window", func(r, _, _ int) string { return fmt.Sprintf("R %d", r+10) }},
	{"RST of before", func(r, _, _ int) string { return fmt.Sprintf("R %d", r-10) }},
	{"RST beyond the window", func(r, _, _ int) string { return fmt.Sprintf("R %d", r+70000) }},
}

// outcome is what an event does in a state: the new state if it changes, what
// is sent, what is discarded, how the connection ended.
func outcome(t *testing.T, build func(*testing.T, ...func(*Config)) *end, spec func(r, n, u int) string) string {
	t.Helper()
	e := build(t)
	before := e.c.State()
	discards := e.env.Discards
	e.peer().sends(spec(int(e.c.rcv.nxt-e.c.rcv.irs), int(e.c.snd.nxt-testISS), int(e.c.snd.una-testISS)))
	var did []string
	if after := e.c.State(); after != before {
		did = append(did, "-> "+after.String())
	}
	if e.c.Err() != nil {
		did = append(did, map[error]string{ErrRefused: "refused", ErrReset: "reset"}[e.c.Err()])
	}
	for _, s := range e.sent {
		text, _, _ := strings.Cut(strings.Trim(e.show(s), `"`), " win")
		did = append(did, "sends "+text)
	}
	for why, n := range e.env.Discards {
		if n > discards[why] {
			did = append(did, "("+Discard(why).String()+")")
		}
	}
	e.sent = nil
	return strings.Join(did, ", ")
}

// matrix is RFC 9293, 3.10.7 for every one of these events in every state but
// LISTEN: the fixtures of states_test.go, all without text in flight. The RFC's
// rules for resets and SYNs are those of RFC 5961; a connection that came from
// LISTEN goes back there, which for a Conn is CLOSED.
const matrix = `
SYN:
  CLOSED        (the connection is closed)
  SYN-SENT      -> SYN-RECEIVED, sends SA 0 ack 1
  SYN-RECEIVED  -> CLOSED, reset, (a SYN inside a connection)
  ESTABLISHED   sends A 1 ack 1, (a SYN inside a connection)
  FIN-WAIT-1    sends A 2 ack 1, (a SYN inside a connection)
  FIN-WAIT-2    sends A 2 ack 1, (a SYN inside a connection)
  CLOSE-WAIT    sends A 1 ack 2, (a SYN inside a connection)
  CLOSING       sends A 2 ack 2, (a SYN inside a connection)
  LAST-ACK      sends A 2 ack 2, (a SYN inside a connection)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
SYN-ACK:
  CLOSED        (the connection is closed)
  SYN-SENT      -> ESTABLISHED, sends A 1 ack 1
  SYN-RECEIVED  -> CLOSED, reset, (a SYN inside a connection)
  ESTABLISHED   sends A 1 ack 1, (a SYN inside a connection)
  FIN-WAIT-1    sends A 2 ack 1, (a SYN inside a connection)
  FIN-WAIT-2    sends A 2 ack 1, (a SYN inside a connection)
  CLOSE-WAIT    sends A 1 ack 2, (a SYN inside a connection)
  CLOSING       sends A 2 ack 2, (a SYN inside a connection)
  LAST-ACK      sends A 2 ack 2, (a SYN inside a connection)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
ACK of all:
  CLOSED        (the connection is closed)
  SYN-SENT      (neither SYN nor RST during the handshake)
  SYN-RECEIVED  -> ESTABLISHED
  ESTABLISHED   nothing
  FIN-WAIT-1    -> FIN-WAIT-2
  FIN-WAIT-2    nothing
  CLOSE-WAIT    nothing
  CLOSING       -> TIME-WAIT
  LAST-ACK      -> CLOSED
  TIME-WAIT     nothing
ACK of nothing new:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R 0, (acknowledges a SYN that was not sent)
  ESTABLISHED   nothing
  FIN-WAIT-1    nothing
  FIN-WAIT-2    nothing
  CLOSE-WAIT    nothing
  CLOSING       nothing
  LAST-ACK      nothing
  TIME-WAIT     nothing
ACK of long ago:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R -70000, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R -70000, (acknowledges a SYN that was not sent)
  ESTABLISHED   sends A 1 ack 1, (acknowledges what was not sent, or was long ago)
  FIN-WAIT-1    sends A 2 ack 1, (acknowledges what was not sent, or was long ago)
  FIN-WAIT-2    sends A 2 ack 1, (acknowledges what was not sent, or was long ago)
  CLOSE-WAIT    sends A 1 ack 2, (acknowledges what was not sent, or was long ago)
  CLOSING       sends A 2 ack 2, (acknowledges what was not sent, or was long ago)
  LAST-ACK      sends A 2 ack 2, (acknowledges what was not sent, or was long ago)
  TIME-WAIT     nothing
ACK of the future:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 2, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R 2, (acknowledges a SYN that was not sent)
  ESTABLISHED   sends A 1 ack 1, (acknowledges what was not sent, or was long ago)
  FIN-WAIT-1    sends A 2 ack 1, (acknowledges what was not sent, or was long ago)
  FIN-WAIT-2    sends A 2 ack 1, (acknowledges what was not sent, or was long ago)
  CLOSE-WAIT    sends A 1 ack 2, (acknowledges what was not sent, or was long ago)
  CLOSING       sends A 2 ack 2, (acknowledges what was not sent, or was long ago)
  LAST-ACK      sends A 2 ack 2, (acknowledges what was not sent, or was long ago)
  TIME-WAIT     nothing
no ACK:
  CLOSED        (the connection is closed)
  SYN-SENT      (neither SYN nor RST during the handshake)
  SYN-RECEIVED  (no ACK bit)
  ESTABLISHED   (no ACK bit)
  FIN-WAIT-1    (no ACK bit)
  FIN-WAIT-2    (no ACK bit)
  CLOSE-WAIT    (no ACK bit)
  CLOSING       (no ACK bit)
  LAST-ACK      (no ACK bit)
  TIME-WAIT     (no ACK bit)
data:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R 0, (acknowledges a SYN that was not sent)
  ESTABLISHED   nothing
  FIN-WAIT-1    nothing
  FIN-WAIT-2    nothing
  CLOSE-WAIT    (data after the peer's FIN)
  CLOSING       (data after the peer's FIN)
  LAST-ACK      (data after the peer's FIN)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
data after a gap:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R 0, (acknowledges a SYN that was not sent)
  ESTABLISHED   sends A 1 ack 1
  FIN-WAIT-1    sends A 2 ack 1
  FIN-WAIT-2    sends A 2 ack 1
  CLOSE-WAIT    (data after the peer's FIN)
  CLOSING       (data after the peer's FIN)
  LAST-ACK      (data after the peer's FIN)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
data of before:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends A 1 ack 1, (a duplicate of what was received before)
  ESTABLISHED   sends A 1 ack 1, (a duplicate of what was received before)
  FIN-WAIT-1    sends A 2 ack 1, (a duplicate of what was received before)
  FIN-WAIT-2    sends A 2 ack 1, (a duplicate of what was received before)
  CLOSE-WAIT    sends A 1 ack 2, (a duplicate of what was received before)
  CLOSING       sends A 2 ack 2, (a duplicate of what was received before)
  LAST-ACK      sends A 2 ack 2, (a duplicate of what was received before)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
data beyond the window:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends A 1 ack 1, (beyond the receive window)
  ESTABLISHED   sends A 1 ack 1, (beyond the receive window)
  FIN-WAIT-1    sends A 2 ack 1, (beyond the receive window)
  FIN-WAIT-2    sends A 2 ack 1, (beyond the receive window)
  CLOSE-WAIT    sends A 1 ack 2, (beyond the receive window)
  CLOSING       sends A 2 ack 2, (beyond the receive window)
  LAST-ACK      sends A 2 ack 2, (beyond the receive window)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
FIN:
  CLOSED        (the connection is closed)
  SYN-SENT      sends R 0, (acknowledges a SYN that was not sent)
  SYN-RECEIVED  sends R 0, (acknowledges a SYN that was not sent)
  ESTABLISHED   -> CLOSE-WAIT
  FIN-WAIT-1    -> CLOSING, sends A 2 ack 2
  FIN-WAIT-2    -> TIME-WAIT, sends A 2 ack 2
  CLOSE-WAIT    (data after the peer's FIN)
  CLOSING       (data after the peer's FIN)
  LAST-ACK      (data after the peer's FIN)
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
FIN and ACK of all:
  CLOSED        (the connection is closed)
  SYN-SENT      (neither SYN nor RST during the handshake)
  SYN-RECEIVED  -> CLOSE-WAIT
  ESTABLISHED   -> CLOSE-WAIT
  FIN-WAIT-1    -> TIME-WAIT, sends A 2 ack 2
  FIN-WAIT-2    -> TIME-WAIT, sends A 2 ack 2
  CLOSE-WAIT    (data after the peer's FIN)
  CLOSING       -> TIME-WAIT
  LAST-ACK      -> CLOSED
  TIME-WAIT     sends A 2 ack 2, (the connection is in TIME-WAIT)
RST:
  CLOSED        (the connection is closed)
  SYN-SENT      (a reset that doesn't answer our SYN)
  SYN-RECEIVED  -> CLOSED, reset
  ESTABLISHED   -> CLOSED, reset
  FIN-WAIT-1    -> CLOSED, reset
  FIN-WAIT-2    -> CLOSED, reset
  CLOSE-WAIT    -> CLOSED, reset
  CLOSING       -> CLOSED
  LAST-ACK      -> CLOSED
  TIME-WAIT     (a reset in TIME-WAIT)
RST with ACK:
  CLOSED        (the connection is closed)
  SYN-SENT      -> CLOSED, refused
  SYN-RECEIVED  -> CLOSED, reset
  ESTABLISHED   -> CLOSED, reset
  FIN-WAIT-1    -> CLOSED, reset
  FIN-WAIT-2    -> CLOSED, reset
  CLOSE-WAIT    -> CLOSED, reset
  CLOSING       -> CLOSED
  LAST-ACK      -> CLOSED
  TIME-WAIT     (a reset in TIME-WAIT)
RST in the window:
  CLOSED        (the connection is closed)
  SYN-SENT      (a reset that doesn't answer our SYN)
  SYN-RECEIVED  sends A 1 ack 1, (a reset beside the expected sequence number)
  ESTABLISHED   sends A 1 ack 1, (a reset beside the expected sequence number)
  FIN-WAIT-1    sends A 2 ack 1, (a reset beside the expected sequence number)
  FIN-WAIT-2    sends A 2 ack 1, (a reset beside the expected sequence number)
  CLOSE-WAIT    sends A 1 ack 2, (a reset beside the expected sequence number)
  CLOSING       sends A 2 ack 2, (a reset beside the expected sequence number)
  LAST-ACK      sends A 2 ack 2, (a reset beside the expected sequence number)
  TIME-WAIT     (a reset in TIME-WAIT)
RST of before:
  CLOSED        (the connection is closed)
  SYN-SENT      (a reset that doesn't answer our SYN)
  SYN-RECEIVED  (a reset outside the window)
  ESTABLISHED   (a reset outside the window)
  FIN-WAIT-1    (a reset outside the window)
  FIN-WAIT-2    (a reset outside the window)
  CLOSE-WAIT    (a reset outside the window)
  CLOSING       (a reset outside the window)
  LAST-ACK      (a reset outside the window)
  TIME-WAIT     (a reset in TIME-WAIT)
RST beyond the window:
  CLOSED        (the connection is closed)
  SYN-SENT      (a reset that doesn't answer our SYN)
  SYN-RECEIVED  (a reset outside the window)
  ESTABLISHED   (a reset outside the window)
  FIN-WAIT-1    (a reset outside the window)
  FIN-WAIT-2    (a reset outside the window)
  CLOSE-WAIT    (a reset outside the window)
  CLOSING       (a reset outside the window)
  LAST-ACK      (a reset outside the window)
  TIME-WAIT     (a reset in TIME-WAIT)
`

func TestEveryEventInEveryState(t *testing.T) {
	var got strings.Builder
	for _, ev := range matrixEvents {
		fmt.Fprintf(&got, "%s:\n", ev.name)
		for _, f := range fixtures {
			did := outcome(t, f.build, ev.spec)
			if did == "" {
				did = "nothing"
			}
			fmt.Fprintf(&got, "  %-13v %s\n", f.state, did)
		}
	}
	want, have := strings.Split(matrix, "\n")[1:], strings.Split(got.String(), "\n")
	event := ""
	for i, line := range have {
		if !strings.HasPrefix(line, " ") {
			event = line
		}
		if i >= len(want) || want[i] != line {
			t.Fatalf("%s got\n%s\nwant\n%s", event, line, want[min(i, len(want)-1)])
		}
	}
}

func TestEveryEventInListen(t *testing.T) {
	l := NewListener(NewEnv(DefaultConfig()), 5)
	e := newEnd(t)
	for _, c := range []struct{ spec, reply string }{
		// "An incoming RST should be ignored." (RFC 9293, 3.10.7.2)
		{"R 5", ""},
		{"RA 5 ack 7", ""},
		// "Any acknowledgment is bad if it arrives on a connection still in
		// the LISTEN state. An acceptable reset segment should be formed for
		// any arriving ACK-bearing segment." (RFC 9293, 3.10.7.2)
		{"A 5 ack 7", "R 7"},
		{"SA 5 ack 7", "R 7"},
		{"FA 5 ack 7", "R 7"},
		{"A 5:9 ack 7", "R 7"},
		// "Drop the segment and return." (RFC 9293, 3.10.7.2)
		{"- 5:9", ""},
		{"F 5", ""},
	} {
		seg, _ := e.parseSpec(c.spec, testIRS, testISS)
		if got := l.HandleSYN(&seg); got != DropNotSYN {
			t.Errorf("%q: %v", c.spec, got)
		}
		reply, ok := ListenReply(&seg)
		seg.drop()
		text := ""
		if ok {
			text, _, _ = strings.Cut(strings.Trim(e.show(sentSegment{Segment: reply}), `"`), " win")
		}
		if text != c.reply {
			t.Errorf("%q is answered with %q, want %q", c.spec, text, c.reply)
		}
	}
	seg := e.parse("S 0 mss 1000")
	if got := l.HandleSYN(&seg); got != Admit || l.HalfOpen() != 1 {
		t.Errorf("a SYN: %v, %d half open", got, l.HalfOpen())
	}
}
