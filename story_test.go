package hubbub_test

import (
	"fmt"
	"strings"
	"testing"

	"hubbub"
	"hubbub/event"
)

// storyOf runs a conversation over lossy cables and returns every event of
// it, with all bytes.
func storyOf(t *testing.T, w *way, seed uint64) string {
	t.Helper()
	n := hubbub.New(hubbub.Virtual(), hubbub.Seed(seed))
	defer n.Close()
	var story strings.Builder
	n.Watch(func(e *event.Event) { fmt.Fprintf(&story, "%d %d %v %s %#v\n", e.ID, e.Cause, e.Time, e.Node, e.Body) })
	room := n.LAN("classroom", w.subnet)
	feige, nick, lily := room.Host("feige"), room.Host("nick"), room.Host("lily")
	nick.Cable().SetLoss(hubbub.Both, 0.1)
	n.Go("feige", func() {
		ln, err := feige.Listen("tcp", ":8080")
		if err != nil {
			t.Error(err)
			return
		}
		for range 2 {
			c, err := ln.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			n.Go("serve", func() { talk(n, c, []byte("HELLO"), []byte("hello")) })
		}
	})
	for _, h := range []*hubbub.Host{nick, lily} {
		n.Go(h.Name(), func() {
			c, err := host{h, w}.Dial("tcp", "feige:8080")
			if err != nil {
				t.Error(err)
				return
			}
			if err := talk(n, c, []byte("hello"), []byte("HELLO")); err != nil {
				t.Error(err)
			}
		})
	}
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	return story.String()
}
