package hubbub_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
	"hubbub/event"
	"hubbub/stack"
)

// Where time isn't the network's own, segments that stand for several go
// through it in one step; but frames are frames to whoever watches, and to all
// that does something to them. The bytes arrive exact in any case.
func TestLargeSegmentsAreCutWhereFramesMatter(t *testing.T) {
	const size = 1 << 20
	for _, x := range []struct {
		name string
		make func(n *hubbub.Network) (server, client *hubbub.Host)
		gso  bool
	}{
		{"in memory", func(n *hubbub.Network) (server, client *hubbub.Host) {
			return pairOn(n.LAN("room", "10.0.0.0/24"))
		}, false},
		{"watched", func(n *hubbub.Network) (server, client *hubbub.Host) {
			n.Watch(func(e *event.Event) {
				if f, ok := e.Body.(event.FrameSent); ok && len(f.Data) > 1514 {
					t.Errorf("a frame of %d octets was seen", len(f.Data))
				}
			})
			return pairOn(n.LAN("room", "10.0.0.0/24"))
		}, false},
		{"a hub", func(n *hubbub.Network) (server, client *hubbub.Host) {
			return pairOn(n.LAN("room", "10.0.0.0/24", hubbub.Hub()))
		}, false},
		{"a rate, a delay and loss", func(n *hubbub.Network) (server, client *hubbub.Host) {
			return pairOn(n.LAN("room", "10.0.0.0/24", hubbub.Cables(hubbub.Link{Rate: 1e8, Delay: time.Millisecond, Loss: 0.01})))
		}, false},
		{"a router", func(n *hubbub.Network) (server, client *hubbub.Host) {
			a, b := n.LAN("a", "10.0.1.0/24"), n.LAN("b", "10.0.2.0/24")
			n.Router("gate", a, b)
			return a.Host("feige"), b.Host("nick")
		}, false},
		{"cut as they leave", func(n *hubbub.Network) (server, client *hubbub.Host) {
			return pairOn(n.LAN("room", "10.0.0.0/24"))
		}, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := hubbub.New(hubbub.Real(), hubbub.Config(func(c *stack.Config) { c.GSO = x.gso }))
				defer n.Close()
				server, client := x.make(n)
				text := make([]byte, size)
				rand.NewChaCha8([32]byte{}).Read(text)
				ln := listen(t, server, ":8080")
				c := dial(t, client, "feige:8080")
				s, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					c.Write(text)
					c.Close()
				}()
				if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, text) {
					t.Errorf("%d octets arrived of %d, %v, or they are others", len(got), size, err)
				}
				s.Close()
				if frames := client.Cable().Stats(hubbub.Out).Sent; frames < size/1460 || frames > size/1400 {
					t.Errorf("%d frames carried %d octets: they have more than the MTU, or are not counted", frames, size)
				}
			})
		})
	}
}

func pairOn(l *hubbub.LAN) (server, client *hubbub.Host) { return l.Host("feige"), l.Host("nick") }
