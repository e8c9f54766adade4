package capture

import (
	"strings"
	"testing"
	"time"

	"hubbub/event"
	"hubbub/wire"
)

// drawn returns the ladder of a stream.
func drawn(t *testing.T, events []*event.Event, o LadderOptions) string {
	t.Helper()
	var text strings.Builder
	l := NewLadder(&text, o)
	for _, e := range events {
		l.Handle(e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestLadderOfALesson(t *testing.T) {
	golden(t, "ladder-lesson.txt", drawn(t, lesson(false).events, LadderOptions{Names: names}))
}

func TestLadderOfALostSYN(t *testing.T) {
	golden(t, "ladder-lost-syn.txt", drawn(t, lesson(true).events, LadderOptions{Names: names, ASCII: true, Width: 80, NoCalls: true}))
}

func TestLadderOfASimultaneousOpen(t *testing.T) {
	golden(t, "ladder-simultaneous.txt", drawn(t, simultaneous().events, LadderOptions{Names: names}))
}

func TestLadderLinesFitTheWidth(t *testing.T) {
	for _, width := range []int{80, 100, 132} {
		for _, c := range []*classroom{lesson(false), lesson(true), simultaneous()} {
			for l := range strings.Lines(drawn(t, c.events, LadderOptions{Names: names, Width: width})) {
				if n := textWidth(strings.TrimRight(l, "\n")); n > width {
					t.Errorf("a line has %d columns, want at most %d: %s", n, width, l)
				}
			}
		}
	}
}

func TestLadderColoursTakeNoRoom(t *testing.T) {
	plain := drawn(t, lesson(true).events, LadderOptions{Names: names})
	coloured := drawn(t, lesson(true).events, LadderOptions{Names: names, Color: true})
	if coloured == plain {
		t.Fatal("nothing is coloured")
	}
	var bare strings.Builder
	for _, part := range strings.Split(coloured, "\x1b[") {
		if i := strings.IndexByte(part, 'm'); i >= 0 && strings.Trim(part[:i], "0123456789") == "" {
			part = part[i+1:]
		}
		bare.WriteString(part)
	}
	if bare.String() != plain {
		t.Errorf("without its colours the ladder is\n%s\nwant\n%s", bare.String(), plain)
	}
}

func TestLadderChoosesConversations(t *testing.T) {
	f, err := ParseFilter("host lily", names)
	if err != nil {
		t.Fatal(err)
	}
	if got := drawn(t, lesson(false).events, LadderOptions{Names: names, Filter: f}); got != "" {
		t.Errorf("lily takes part in no conversation, but there is\n%s", got)
	}
}

func TestLadderAbsoluteNumbers(t *testing.T) {
	got := drawn(t, lesson(false).events, LadderOptions{Names: names, Absolute: true})
	if want := "SYN ACK SEQ=5000000 ACK=1000001"; !strings.Contains(got, want) {
		t.Errorf("want %q in\n%s", want, got)
	}
}

func TestLadderMarksWhatIsSentAgain(t *testing.T) {
	got := drawn(t, lesson(true).events, LadderOptions{Names: names})
	if n := strings.Count(got, "again: SYN SEQ=0"); n != 1 {
		t.Errorf("the repeated SYN is marked %d times, want once, in\n%s", n, got)
	}
	for _, want := range []string{"│ lost on the cable (feige/eth0)", "⋮ 1 s"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

// The course's examples: 100 octets from 301 on are acknowledged with 401, 200
// from 501 on with 701.
func TestLadderShowsTheCoursesNumbers(t *testing.T) {
	c := newClassroom()
	c.shout("nick", segment("nick", "feige", ack, 301, 1, strings.Repeat("a", 100), 512), "data", "", nil)
	c.shout("feige", segment("feige", "nick", ack, 1, 401, "", 512), "ACK", "", nil)
	c.shout("nick", segment("nick", "feige", ack, 501, 1, strings.Repeat("b", 200), 512), "data", "", nil)
	c.shout("feige", segment("feige", "nick", ack, 1, 701, "", 512), "ACK", "", nil)
	got := drawn(t, c.events, LadderOptions{Names: names, Absolute: true})
	for _, want := range []string{"SEQ=1000301 ACK=5000001 LEN=100", "ACK=1000401", "SEQ=1000501 ACK=5000001 LEN=200", "ACK=1000701"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestLadderLeavesOutTheMiddle(t *testing.T) {
	c := newClassroom()
	for i := range uint32(200) {
		c.shout("nick", segment("nick", "feige", ack, 1+5*i, 1, "hello", 512), "data", "", nil)
	}
	got := drawn(t, c.events, LadderOptions{Names: names, Most: 20})
	if n := strings.Count(got, "LEN=5"); n < 20 || n > 40 {
		t.Errorf("%d segments are drawn, want 20 to 40", n)
	}
	for _, want := range []string{"left out here", "SEQ=1 ", "SEQ=996 "} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestLadderShowsADamagedFrame(t *testing.T) {
	c := newClassroom()
	frame := segment("nick", "feige", psh|ack, 1, 1, "hello", 512)
	sent := c.tell("nick", event.FrameSent{Port: "eth0", Data: frame, FCS: wire.FCS(frame), Reason: "data"})
	c.tell("nick/eth0", event.Harmed{Frame: sent, What: "bit 400 was inverted on the way"})
	c.pass(hop)
	c.hear("feige", sent, frame, wire.FCS(frame)^1, nil)
	got := drawn(t, c.events, LadderOptions{Names: names})
	for _, want := range []string{"X│", "bit 400 was inverted on the way", "discarded: its frame check sequence is wrong"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestLadderOfDatagrams(t *testing.T) {
	c := newClassroom()
	c.shout("nick", datagram("nick", "feige", []byte("你好")), "datagram", "RFC 768", nil)
	c.pass(2*time.Hour + 11*time.Minute)
	m := wire.ICMPv4{Type: wire.DestinationUnreachable, Code: wire.CodePortUnreachable}
	quoted := datagram("nick", "feige", []byte("你好"))[wire.EthernetHeaderLen:][:28]
	c.shout("feige", packet("feige", "nick", wire.ProtocolICMP, m.AppendTo(nil, quoted)), "ICMP error: port unreachable", "RFC 792", nil)
	golden(t, "ladder-datagrams.txt", drawn(t, c.events, LadderOptions{Names: names}))
}

func TestLadderDrawsABoundedNumberOfConversations(t *testing.T) {
	c := newClassroom()
	for i := range uint16(maxConversations + 5) {
		h := wire.UDP{SrcPort: i + 1, DstPort: 9, Length: wire.UDPHeaderLen}
		frame := packet("nick", "feige", wire.ProtocolUDP, h.AppendTo(nil))
		c.tell("nick", event.FrameSent{Port: "eth0", Data: frame, Reason: "datagram"})
	}
	got := drawn(t, c.events, LadderOptions{Names: names})
	if n := strings.Count(got, "UDP between"); n != maxConversations {
		t.Errorf("%d conversations are drawn, want %d", n, maxConversations)
	}
	if want := "There are more than 1000 conversations: the rest is not drawn."; !strings.Contains(got, want) {
		t.Errorf("want %q at the end", want)
	}
}
