package hubbub_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
	"hubbub/event"
)

// trunked runs test on a server and a client in two networks that a trunk joins.
func trunked(t *testing.T, test func(t *testing.T, trunk *hubbub.Trunk, server, client *hubbub.Host)) {
	synctest.Test(t, func(t *testing.T) {
		left, right := hubbub.New(), hubbub.New(hubbub.CardNumbers(1))
		defer left.Close()
		defer right.Close()
		east, west := left.LAN("east", "10.0.0.0/24"), right.LAN("west", "10.0.0.0/24", hubbub.Hub())
		trunk := east.Trunk("trunk", west)
		server := east.Host("feige", hubbub.Address("10.0.0.10"))
		client := west.Host("nick", hubbub.Address("10.0.0.20"))
		if err := left.Err(); err != nil {
			t.Fatal(err)
		}
		test(t, trunk, server, client)
	})
}

// echo lets the server say back what it hears, on one connection.
func echo(t *testing.T, server *hubbub.Host) {
	ln := listen(t, server, ":8080")
	go func() {
		if c, err := ln.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
}

// saidBack returns what the server says back to text.
func saidBack(t *testing.T, c net.Conn, text []byte) []byte {
	t.Helper()
	go func() {
		c.Write(text)
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return got
}

func TestATrunkMakesOneLANOfTwo(t *testing.T) {
	trunked(t, func(t *testing.T, trunk *hubbub.Trunk, server, client *hubbub.Host) {
		echo(t, server)
		want := bytes.Repeat([]byte("all that is said here is heard there. "), 30_000)
		if got := saidBack(t, dial(t, client, "10.0.0.10:8080"), want); !bytes.Equal(got, want) {
			t.Errorf("%d octets came back of %d, or others", len(got), len(want))
		}
		if n := trunk.Dropped(); n != 0 {
			t.Errorf("%d frames were dropped", n)
		}
		own, others := trunk.Cables()
		if in, out := own.Stats(hubbub.In), others.Stats(hubbub.Out); in.Sent == 0 || in.Sent != out.Sent {
			t.Errorf("%d frames left the one LAN, and %d came into the other", in.Sent, out.Sent)
		}
		if server.MAC() == client.MAC() {
			t.Errorf("both have the MAC address %v", server.MAC())
		}
	})
}

// A frame that crossed is told of on both sides, and why it is there.
func TestWhatCrossesATrunkIsSeenOnBothSides(t *testing.T) {
	trunked(t, func(t *testing.T, _ *hubbub.Trunk, server, client *hubbub.Host) {
		var sent []string
		server.Network().Watch(func(e *event.Event) {
			if f, ok := e.Body.(event.FrameSent); ok && e.Node == "trunk" {
				sent = append(sent, f.Reason)
			}
		})
		echo(t, server)
		saidBack(t, dial(t, client, "10.0.0.10:8080"), []byte("hello"))
		server.Network().Close()
		if len(sent) < 3 || strings.Join(sent[:2], ",") != "it came from the other network,it came from the other network" {
			t.Errorf("the trunk sent %d frames, for %q", len(sent), sent)
		}
	})
}

// A trunk's cable can be cut, and a trunk taken away.
func TestACutTrunkParts(t *testing.T) {
	trunked(t, func(t *testing.T, trunk *hubbub.Trunk, server, client *hubbub.Host) {
		echo(t, server)
		c := dial(t, client, "10.0.0.10:8080")
		c.Write([]byte("hi"))
		if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		own, _ := trunk.Cables()
		own.Cut()
		c.SetDeadline(time.Now().Add(time.Minute))
		c.Write([]byte("hello"))
		if _, err := c.Read(make([]byte, 9)); err == nil {
			t.Error("an answer came through a cable that is cut")
		}
		own.Mend()
		c.SetDeadline(time.Time{})
		if n, err := c.Read(make([]byte, 9)); n != 5 || err != nil {
			t.Errorf("%d octets came, %v, want 5 after the cable was mended", n, err)
		}
		trunk.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		c.Write([]byte("hello"))
		if _, err := c.Read(make([]byte, 9)); err == nil {
			t.Error("an answer came through a trunk that is no more")
		}
	})
}

func TestATrunkNeedsTwoNetworksWithTimesOfTheirOwn(t *testing.T) {
	one := hubbub.New()
	defer one.Close()
	a, b := one.LAN("a", "10.0.0.0/24"), one.LAN("b", "10.0.0.0/24")
	a.Trunk("trunk", b)
	virtual := hubbub.New(hubbub.Virtual())
	defer virtual.Close()
	virtual.LAN("a", "10.0.0.0/24").Trunk("other", a)
	for name, n := range map[string]*hubbub.Network{"one network": one, "a virtual one": virtual} {
		if err := n.Err(); err == nil || !strings.Contains(err.Error(), "two networks, neither of them virtual") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
