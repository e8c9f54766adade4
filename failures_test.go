package hubbub_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

// What goes wrong in real networks, each in a synctest bubble.

func TestReset(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		s, _ := ln.Accept()
		s.(*socket.Conn).SetLinger(0)
		s.Close()
		_, err := c.Read(make([]byte, 1))
		wantErrno(t, "reading after a reset", err, syscall.ECONNRESET)
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("reading once more: %v, want EOF as on Linux", err)
		}
		_, err = c.Write([]byte("x"))
		wantErrno(t, "writing after a reset", err, syscall.EPIPE)
	})
}

func TestCloseWithUnreadDataResets(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		// "If such a host issues a CLOSE call while received data is still
		// pending in the TCP connection, [...] its TCP implementation SHOULD
		// send a RST to show that data was lost" (RFC 9293, 3.6.1, SHLD-3).
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		s, _ := ln.Accept()
		c.Write([]byte("never read"))
		s.Close()
		_, err := c.Read(make([]byte, 1))
		wantErrno(t, "reading", err, syscall.ECONNRESET)
	})
}

func TestHostUnreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		start := time.Now()
		_, err := client.Dial("tcp", client.way.at(true, 99, "80"))
		wantErrno(t, "nobody has the address", err, syscall.EHOSTUNREACH)
		// Three ARP requests or solicitations, a second apart, remain without an answer.
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %v, want 3s", took)
		}
	})
}

func TestNetUnreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		_, err := client.Dial("tcp", client.way.at(false, 9, "80"))
		wantErrno(t, "no route", err, syscall.ENETUNREACH)
	})
}

// swallowTCP makes a host's cable lose every TCP segment to it, and nothing
// else: its neighbours still find it.
func swallowTCP(t *testing.T, h host) {
	t.Helper()
	err := h.Cable().AddRule(hubbub.In, hubbub.Rule{Match: hubbub.Match{Protocol: 6}, Count: -1})
	if err != nil {
		t.Fatal(err)
	}
}

// As on Linux, a connection whose peer is gone from the link ends with what
// the neighbour cache has to say.
func TestPeerGoneFromTheLink(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		ln.Accept()
		server.PowerOff()
		c.Write([]byte("into the void"))
		_, err := c.Read(make([]byte, 1))
		wantErrno(t, "the peer is off", err, syscall.EHOSTUNREACH)
	})
}

func TestConnectTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		swallowTCP(t, server)
		start := time.Now()
		_, err := client.Dial("tcp", "feige:8080")
		took := time.Since(start)
		wantErrno(t, "no SYN arrives", err, syscall.ETIMEDOUT)
		// "R2 for a SYN segment MUST be set large enough to provide
		// retransmission of the segment for at least 3 minutes" (RFC 9293,
		// 3.8.3, MUST-23).
		if took < 3*time.Minute {
			t.Errorf("given up after %v, want at least 3 minutes", took)
		}
	})
}

func TestEstablishedConnectionTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		ln.Accept()
		swallowTCP(t, server)
		c.Write([]byte("into the void"))
		start := time.Now()
		_, err := c.Read(make([]byte, 1))
		wantErrno(t, "nothing arrives", err, syscall.ETIMEDOUT)
		// R2 is at least 100 seconds (RFC 9293, 3.8.3, SHLD-11); with Linux's
		// 15 retries it is some quarter of an hour.
		if took := time.Since(start); took < 13*time.Minute || took > 31*time.Minute {
			t.Errorf("given up after %v", took)
		}
	})
}

func TestDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		ln.Accept()
		start := time.Now()
		c.SetReadDeadline(start.Add(3 * time.Second))
		_, err := c.Read(make([]byte, 1))
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != 3*time.Second {
			t.Errorf("%v after %v, want a time-out after 3s", err, took)
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v isn't a net.Error that is a time-out", err)
		}
	})
}

func TestZeroWindow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		s, _ := ln.Accept()
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write(data)
			c.Close()
			wrote <- err
		}()
		time.Sleep(time.Hour) // the server doesn't read: probes keep the connection alive
		info, _ := c.(*socket.Conn).Socket().Info()
		if info.SendWindow != 0 {
			t.Errorf("the server's window is %d, want 0", info.SendWindow)
		}
		got, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %d bytes, %v; want all %d", len(got), err, len(data))
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

func TestBacklogOverflow(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		s, _ := server.stream()
		s.Bind(":8080")
		s.Listen(1) // and, as on Linux, one more
		for range 2 {
			dial(t, client, "feige:8080")
		}
		third := make(chan error, 1)
		start := time.Now()
		go func() {
			_, err := client.Dial("tcp", "feige:8080")
			third <- err
		}()
		time.Sleep(500 * time.Millisecond)
		select {
		case err := <-third:
			t.Fatalf("the third connection is not kept waiting: %v", err)
		default:
		}
		s.Accept()
		if err := <-third; err != nil {
			t.Fatal(err)
		}
		// The SYN was dropped; it is sent again after a second (RFC 6298, 2.1).
		if took := time.Since(start); took != time.Second {
			t.Errorf("connected after %v, want 1s", took)
		}
	})
}

func TestHalfClose(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		s, _ := ln.Accept()
		c.Write([]byte("question"))
		c.(*socket.Conn).CloseWrite()
		if got, err := io.ReadAll(s); string(got) != "question" || err != nil {
			t.Errorf("the server read %q, %v", got, err)
		}
		s.Write([]byte("answer")) // half-closed data still arrives (course C23)
		s.Close()
		if got, err := io.ReadAll(c); string(got) != "answer" || err != nil {
			t.Errorf("the client read %q, %v", got, err)
		}
		_, err := c.Write([]byte("x"))
		wantErrno(t, "writing after CloseWrite", err, syscall.EPIPE)
	})
}

func TestAddressInUse(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		bind := func(reuse int) error {
			s, _ := server.stream()
			s.SetSockOpt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
			defer s.Close()
			if err := s.Bind(":8080"); err != nil {
				return err
			}
			return s.Listen(5)
		}
		ln := listen(t, server, ":8080")
		wantErrno(t, "somebody listens", bind(1), syscall.EADDRINUSE)
		c := dial(t, client, "feige:8080")
		s, _ := ln.Accept()
		ln.Close()
		s.Close() // the server closes first, so that its end comes to TIME-WAIT
		c.Close()
		time.Sleep(time.Second)
		if states := server.Netstat(); len(states) != 1 || states[0].State != "TIME-WAIT" {
			t.Fatalf("netstat: %v, want one connection in TIME-WAIT", states)
		}
		wantErrno(t, "TIME-WAIT holds the port", bind(0), syscall.EADDRINUSE)
		if err := bind(1); err != nil {
			t.Errorf("with SO_REUSEADDR: %v", err)
		}
		time.Sleep(time.Minute)
		if err := bind(0); err != nil {
			t.Errorf("after 2MSL: %v", err)
		}
	})
}

func TestPrivilegedPort(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		room := n.LANs()[0]
		pupil := room.Host("pupil", hubbub.Unprivileged())
		_, err := pupil.Listen("tcp", ":80")
		wantErrno(t, "a port below 1024", err, syscall.EACCES)
		if _, err := pupil.Listen("tcp", ":1024"); err != nil {
			t.Error(err)
		}
		_, err = pupil.SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
		wantErrno(t, "a raw socket", err, syscall.EACCES)
	})
}

func TestUDPPortUnreachable(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		c, err := client.Dial("udp", "feige:9")
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("anybody there?"))
		_, err = c.Read(make([]byte, 10))
		wantErrno(t, "ICMP port unreachable", err, syscall.ECONNREFUSED)
	})
}

func TestCloseWakesWhoWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, n *hubbub.Network, server, client host) {
		ln := listen(t, server, ":8080")
		c := dial(t, client, "feige:8080")
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		go func() {
			ln.Accept()
			_, err := ln.Accept()
			read <- err
		}()
		time.Sleep(time.Second)
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading a socket that is closed meanwhile: %v", err)
		}
		n.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting in a network that is closed meanwhile: %v", err)
		}
	})
}
