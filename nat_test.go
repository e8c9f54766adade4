package hubbub_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"hubbub"
)

// Two machines with private addresses talk through a router's one, by TCP, UDP and
// pings, over cables that damage some frames, so that all checksums are looked at.
// The server hears the router alone. (RFC 3022, 4)
func TestRouterMasquerade(t *testing.T) {
	n := hubbub.New(hubbub.Virtual(), hubbub.Seed(3))
	defer n.Close()
	home, outside := n.LAN("home", "192.168.1.0/24"), n.LAN("net", "172.16.10.0/24")
	nick, li, feige := home.Host("nick"), home.Host("li"), outside.Host("feige")
	gateway := n.Router("gateway", home, outside)
	gateway.Masquerade(outside)
	for _, h := range []*hubbub.Host{nick, li, feige} {
		_ = h.Cable().SetCorruption(hubbub.In, 0.02)
		_ = h.Cable().SetCorruption(hubbub.Out, 0.02)
	}
	ln, err := feige.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	n.Go("server", func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if got := c.RemoteAddr().String(); !strings.HasPrefix(got, "172.16.10.1:") {
				t.Errorf("the server talks to %s", got)
			}
			n.Go("echo", func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	text := strings.Repeat("all that is inside has one address outside. ", 3000)
	for _, h := range []*hubbub.Host{nick, li} {
		n.Go(h.Name(), func() {
			c, err := h.Dial("tcp", "feige:80")
			if err != nil {
				t.Error(err)
				return
			}
			n.Go("writer", func() {
				_, _ = io.WriteString(c, text)
				_ = c.(interface{ CloseWrite() error }).CloseWrite()
			})
			if got, err := io.ReadAll(c); err != nil || string(got) != text {
				t.Errorf("%s reads %d bytes back, %v, want the %d that it wrote", h.Name(), len(got), err, len(text))
			}
			_ = c.Close()
		})
	}
	n.Go("outside", func() {
		_ = n.Sleep(time.Minute)
		_ = ln.Close()
		inside, err := nick.Listen("tcp", ":80")
		if err != nil {
			t.Error(err)
			return
		}
		defer inside.Close()
		c, err := feige.Socket(2, 1)
		if err != nil {
			t.Error(err)
			return
		}
		c.SetTimeout(5 * time.Second)
		if err := c.Connect(nick.Addr().String() + ":80"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("who is outside connects to who is hidden: %v", err)
		}
		c.Close()
	})
	if err := n.Run(); err != nil {
		t.Fatal(err)
	}
	if gateway.Discards()["it is for a machine behind NAT, and is no answer"] == 0 {
		t.Errorf("the gateway has discarded %v", gateway.Discards())
	}
}

// A LAN that the router isn't plugged into can't hide anybody.
func TestRouterMasqueradeOnAnotherLAN(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	home, outside := n.LAN("home", "192.168.1.0/24"), n.LAN("net", "172.16.10.0/24")
	n.Router("gateway", home).Masquerade(outside)
	const want = "gateway can't masquerade on net: it is not plugged in there"
	if err := n.Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
