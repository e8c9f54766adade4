package tcp

import (
	"strings"
	"testing"
)

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
			if reply.Reason != ReasonClosedPort {
				t.Errorf("%q is answered because %q", c.spec, reply.Reason)
			}
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
