package capture

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/event"
	"hubbub/wire"
)

// told returns the story of a stream.
func told(t *testing.T, events []*event.Event, o StoryOptions) string {
	t.Helper()
	var text strings.Builder
	s := NewStory(&text, o)
	for _, e := range events {
		s.Handle(e)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestStoryOfALesson(t *testing.T) {
	golden(t, "story-plot.txt", told(t, lesson(true).events, StoryOptions{Names: names, Detail: Plot}))
	golden(t, "story-depths.txt", told(t, lesson(false).events, StoryOptions{Names: names, Detail: Depths, ASCII: true}))
}

func TestStoryOfWordsAlone(t *testing.T) {
	got := told(t, lesson(false).events, StoryOptions{Names: names})
	want := `  0.000800  nick        » heard HELLO
 60.001000  nick        ✓ nick: CLOSED
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStoryOfEveryLayer(t *testing.T) {
	got := told(t, lesson(false).events, StoryOptions{Names: names, Detail: EveryLayer})
	for _, want := range []string{"Layer 4, transport: TCP header", "┌─ Ethernet frame, 64 octets"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestStoryOfAFailure(t *testing.T) {
	c := newClassroom()
	c.tell("nick", event.Expected{What: "HELLO", Got: "hello"})
	c.pass(time.Second)
	c.tell("nick/eth0", event.Fault{What: "the cable is cut"})
	got := told(t, c.events, StoryOptions{Detail: Plot, ASCII: true})
	want := `  0.000000  nick        FAILED: expected HELLO, got hello
  1.000000  nick/eth0   *** the cable is cut
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Everybody on a hub hears a broadcast, and all but the addressee discard it:
// one line for each, with the reason.
func TestStoryTellsWhoDiscardsABroadcast(t *testing.T) {
	got := told(t, lesson(false).events, StoryOptions{Names: names, Detail: Plot})
	for _, want := range []string{
		"nick        asks everybody: who has 172.16.10.11? Tell 172.16.10.10",
		"hub         repeats it to 2 ports",
		"feige       hears it\n",
		"lily        hears it and discards it: it asks for an address that isn't this machine's",
		"lily        overhears nick's SYN and discards it: it is addressed to another MAC",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestStoryIsFiltered(t *testing.T) {
	f, err := ParseFilter("arp", names)
	if err != nil {
		t.Fatal(err)
	}
	got := told(t, lesson(false).events, StoryOptions{Names: names, Detail: Plot, Filter: f})
	if strings.Contains(got, "SYN") || !strings.Contains(got, "asks everybody") {
		t.Errorf("a story of ARP alone is\n%s", got)
	}
}

// A name may not move the cursor of whoever reads the story.
func TestStoryIsCleanOfControlCharacters(t *testing.T) {
	c := newClassroom()
	c.tell("n\x1b[2Jick", event.Said{Text: "a\rb\x07\u202e"})
	got := told(t, c.events, StoryOptions{})
	if want := "n.[2Jick"; !strings.Contains(got, want) || strings.ContainsAny(got, "\x1b\r\x07\u202e") {
		t.Errorf("got %q, want %q in it and no control character", got, want)
	}
}

type brokenPipe struct{}

var errBroken = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func TestWritersTellTheFirstError(t *testing.T) {
	writers := map[string]interface {
		Handle(*event.Event)
		Close() error
	}{
		"Story":        NewStory(brokenPipe{}, StoryOptions{Detail: Plot}),
		"Ladder":       NewLadder(brokenPipe{}, LadderOptions{}),
		"JSONWriter":   NewJSONWriter(brokenPipe{}, JSONOptions{}),
		"PcapngWriter": NewPcapngWriter(brokenPipe{}, PcapngOptions{}),
	}
	for name, w := range writers {
		if name == "Ladder" {
			w.(*Ladder).o.Filter = nil
		}
		for _, e := range lesson(false).events {
			w.Handle(e)
		}
		if err := w.Close(); !errors.Is(err, errBroken) {
			t.Errorf("%s: Close returned %v, want %v", name, err, errBroken)
		}
	}
}

// Of a flood from invented addresses the first SYNs are told of, with all that
// comes of them; of the others how many they are. Who goes deeper sees all.
func TestStoryOfAFlood(t *testing.T) {
	c := newClassroom()
	for n := range 200 {
		from := netip.AddrFrom4([4]byte{198, 18, 0, byte(n)})
		syn := wire.TCP{SrcPort: 1000, DstPort: 8080, Flags: wire.SYN, Window: 100}
		c.shout("lily", segmentOf(macs["feige"], from, addrs["feige"], syn), "", "", func() {
			c.tell("feige", event.TCPState{Flow: event.Flow{
				Local: netip.AddrPortFrom(addrs["feige"], 8080), Remote: netip.AddrPortFrom(from, 1000),
			}, From: "LISTEN", To: "SYN-RECEIVED"})
		})
	}
	c.tell("lily", event.Said{Text: "done"})
	got := told(t, c.events, StoryOptions{Names: names, Detail: Plot})
	if n := strings.Count(got, "SYN SEQ=0"); n != crowdTold {
		t.Errorf("%d SYNs are told of, want %d:\n%s", n, crowdTold, got)
	}
	if n := strings.Count(got, "SYN-RECEIVED"); n != crowdTold {
		t.Errorf("%d answers are told of, want %d", n, crowdTold)
	}
	if !strings.Contains(got, "has sent 197 more SYNs to feige:8080, each from another address") {
		t.Errorf("the others are not counted:\n%s", got)
	}
	if got := told(t, c.events, StoryOptions{Names: names, Detail: Depths}); strings.Count(got, "SYN SEQ=0") != 200 {
		t.Error("not all are told of on the deeper level")
	}
}

// A segment's selective acknowledgments are told in the numbers of the stream
// that they are about, and that it has met congestion.
func TestStoryOfSelectiveAcknowledgments(t *testing.T) {
	c := newClassroom()
	a := wire.TCP{SrcPort: 40000, DstPort: 8080, Seq: 5000, Ack: 7001, Flags: wire.ACK | wire.ECE, Window: 100}
	a.Options.AddSACK(7101, 7201)
	a.Options.AddSACK(7301, 7401)
	c.shout("nick", segmentOf(macs["feige"], addrs["nick"], addrs["feige"], a), "", "", nil)
	got := told(t, c.events, StoryOptions{Names: names, Detail: Plot})
	if !strings.Contains(got, "ACK ECE SEQ=1 ACK=1 SACK=101-201,301-401 CE") {
		t.Errorf("got\n%s", got)
	}
}

// segmentOf is a frame with a segment that met congestion.
func segmentOf(to wire.MAC, src, dst netip.Addr, h wire.TCP) []byte {
	segment := h.AppendTo(nil)
	wire.PutTCPChecksum(src, dst, segment, nil)
	ip := wire.IPv4{TOS: ecnMarked, TTL: 64, TotalLen: 20 + len(segment), Protocol: wire.ProtocolTCP, Src: src, Dst: dst}
	eth := wire.Ethernet{Dst: to, Src: macs["lily"], Type: wire.EtherTypeIPv4}
	frame := append(ip.AppendTo(eth.AppendTo(nil)), segment...)
	for len(frame) < 60 {
		frame = append(frame, 0)
	}
	return frame
}
