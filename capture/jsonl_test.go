package capture

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"hubbub/event"
	"hubbub/wire"
)

func jsonLines(t *testing.T, events []*event.Event, o JSONOptions) string {
	t.Helper()
	var out bytes.Buffer
	w := NewJSONWriter(&out, o)
	for _, e := range events {
		w.Handle(e)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJSONLinesOfALesson(t *testing.T) {
	golden(t, "lesson.jsonl", jsonLines(t, lesson(true).events, JSONOptions{}))
}

func TestJSONBytes(t *testing.T) {
	got := jsonLines(t, lesson(false).events[2:3], JSONOptions{Bytes: true})
	if want := `"bytes":"ffffffffffff020000000001`; !strings.Contains(got, want) {
		t.Errorf("want %s in %s", want, got)
	}
}

// everyKind has an event of every type.
func everyKind() []event.Body {
	a := netip.MustParseAddr("172.16.10.10")
	return []event.Body{
		event.FrameSent{},
		event.FrameHeard{},
		event.FrameDropped{},
		event.Fault{},
		event.Learned{},
		event.Held{},
		event.Harmed{},
		event.Neighbor{Address: a},
		event.Routed{Destination: a, Prefix: netip.PrefixFrom(a, 24)},
		event.Conflict{},
		event.Fragmented{},
		event.Reassembled{},
		event.Configured{},
		event.TCPState{},
		event.TimerSet{},
		event.TimerStopped{},
		event.TimerFired{},
		event.Congestion{},
		event.Advice{},
		event.Overflow{},
		event.SocketCall{},
		event.Said{},
		event.Expected{},
	}
}

func TestEveryKindOfEventHasAName(t *testing.T) {
	seen := make(map[string]bool)
	for _, body := range everyKind() {
		j := NewJSONEvent(&event.Event{ID: 1, Node: "nick", Body: body}, true)
		if j.Event == "" || seen[j.Event] {
			t.Errorf("%T is called %q, want a name of its own", body, j.Event)
		}
		seen[j.Event] = true
		if _, err := json.Marshal(j); err != nil {
			t.Errorf("%T: %v", body, err)
		}
	}
}

func TestWritersTakeEveryKindOfEvent(t *testing.T) {
	f, err := ParseFilter("not host nick or tcp", names)
	if err != nil {
		t.Fatal(err)
	}
	for _, filter := range []*Filter{nil, f} {
		var out bytes.Buffer
		story := NewStory(&out, StoryOptions{Detail: EveryLayer, Filter: filter})
		ladder := NewLadder(&out, LadderOptions{Filter: filter})
		pcap := NewPcapngWriter(&out, PcapngOptions{Filter: filter})
		for i, body := range everyKind() {
			e := &event.Event{ID: event.ID(i + 1), Node: "nick", Body: body}
			story.Handle(e)
			ladder.Handle(e)
			pcap.Handle(e)
		}
		for _, err := range []error{story.Close(), ladder.Close(), pcap.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestJSONFrameTellsADamagedFrame(t *testing.T) {
	frame := segment("nick", "feige", psh|ack, 1, 1, "hello", 512)
	j := jsonFrame(frame, wire.FCS(frame)^1, false)
	if !j.FCSWrong || j.Flags != "PSH ACK" || j.SrcPort != 40000 || j.Data != 5 {
		t.Errorf("got %+v", j)
	}
}
