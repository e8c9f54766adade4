package hubbub_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hubbub"
)

// classroom returns a network of one LAN with two hosts.
func classroom(options ...hubbub.Option) (n *hubbub.Network, server, client *hubbub.Host) {
	return classroomOn("172.16.10.0/24", options...)
}

// classroomOn is a classroom with another subnet.
func classroomOn(subnet string, options ...hubbub.Option) (n *hubbub.Network, server, client *hubbub.Host) {
	n = hubbub.New(append([]hubbub.Option{hubbub.Seed(1)}, options...)...)
	room := n.LAN("classroom", subnet)
	return n, room.Host("feige"), room.Host("nick")
}

// inBubble runs f with a classroom in a synctest bubble.
func inBubble(t *testing.T, f func(t *testing.T, n *hubbub.Network, server, client *hubbub.Host)) {
	synctest.Test(t, func(t *testing.T) {
		n, server, client := classroom()
		defer n.Close()
		if err := n.Err(); err != nil {
			t.Fatal(err)
		}
		f(t, n, server, client)
	})
}

func listen(t *testing.T, h *hubbub.Host, address string) net.Listener {
	t.Helper()
	ln, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, h *hubbub.Host, address string) net.Conn {
	t.Helper()
	c, err := h.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantErrno(t *testing.T, what string, err error, want syscall.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestEcho(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client *hubbub.Host) {
		ln := listen(t, server, ":8080")
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}()
		c := dial(t, client, "feige:8080")
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		c.(interface{ CloseWrite() error }).CloseWrite()
		got, err := io.ReadAll(c)
		if string(got) != "hello" || err != nil {
			t.Errorf("read %q, %v; want hello", got, err)
		}
		c.Close()
	})
}

func TestServerSurvivesPeerDeath(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client *hubbub.Host) {
		ln := listen(t, server, ":8080")
		died := make(chan error, 1)
		go func() {
			c, err := ln.Accept()
			if err != nil {
				died <- err
				return
			}
			c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(true)
			_, err = c.Read(make([]byte, 1))
			died <- err
		}()
		dial(t, client, "feige:8080")
		client.PowerOff() // no FIN, no RST: it is just gone
		start := time.Now()
		wantErrno(t, "the server's connection", <-died, syscall.ETIMEDOUT)
		// The course's figures: two hours, then a probe each 75 s (RFC 9293, 3.8.4).
		if took, want := time.Since(start), 2*time.Hour+9*75*time.Second; took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}

func TestRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client *hubbub.Host) {
		_, err := client.Dial("tcp", "feige:8080")
		wantErrno(t, "nobody listens", err, syscall.ECONNREFUSED)
	})
}
