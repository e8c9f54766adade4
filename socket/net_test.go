package socket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"hubbub"
)

// What programs written for package net expect.

func (r *room) netPair() (server, client net.Conn) {
	r.Helper()
	l, err := r.feige.Listen("tcp", ":0")
	r.ok("listen", err)
	defer l.Close()
	client, err = r.nick.Dial("tcp", net.JoinHostPort("feige", portOf(l.Addr())))
	r.ok("dial", err)
	server, err = l.Accept()
	r.ok("accept", err)
	return server, client
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

func TestErrorTexts(t *testing.T) {
	inRoom(t, func(r *room) {
		dial := func(network, address string) error { _, err := r.nick.Dial(network, address); return err }
		listen := func(address string) error { _, err := r.nick.Listen("tcp", address); return err }
		r.equal("refused", dial("tcp", "feige:1"), r.dialled("dial tcp 172.16.10.2:1: connect: connection refused"))
		r.equal("no such host", dial("tcp", "nobody:1"), "dial tcp: lookup nobody: no such host")
		r.equal("no port", dial("tcp", "feige"), "dial tcp: address feige: missing port in address")
		r.equal("network", dial("ipx", "feige:1"), "dial ipx: unknown network ipx")
		r.equal("in use", listen(r.dialled("172.16.10.2:1")), "listen tcp: bind: cannot assign requested address")
		server, client := r.netPair()
		server.SetDeadline(r.net.Now().Add(time.Second))
		_, err := server.Read(make([]byte, 1))
		r.equal("deadline", err, "read tcp "+server.LocalAddr().String()+"->"+server.RemoteAddr().String()+": i/o timeout")
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			r.Errorf("%v is no time-out", err)
		}
		client.Close()
		_, err = client.Read(make([]byte, 1))
		r.equal("closed", err, "read tcp "+client.LocalAddr().String()+"->"+client.RemoteAddr().String()+": use of closed network connection")
		var op *net.OpError
		if !errors.As(dial("tcp", "feige:1"), &op) || op.Op != "dial" || op.Net != "tcp" || op.Addr.String() != r.dialled("172.16.10.2:1") {
			r.Errorf("the error is %#v", op)
		}
	})
}

// Deadlines are the world's time, act on calls that wait, and don't end the
// connection.
func TestDeadlines(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.netPair()
		b := make([]byte, 10)
		read := func() error { _, err := server.Read(b); return err }
		server.SetReadDeadline(r.net.Now().Add(time.Hour))
		r.takes("read", time.Hour, func() { r.fails("read", read(), os.ErrDeadlineExceeded) })
		client.Write([]byte("x"))
		r.fails("a deadline that has passed, with data", read(), os.ErrDeadlineExceeded)
		server.SetReadDeadline(time.Time{})
		r.ok("without one", read())
		r.start(func() { r.sleep(time.Second); server.SetReadDeadline(time.Unix(1, 0)) })
		r.takes("read", time.Second, func() { r.fails("read", read(), os.ErrDeadlineExceeded) })
		client.SetWriteDeadline(r.net.Now().Add(2 * time.Second))
		var n int
		r.takes("write", 2*time.Second, func() {
			var err error
			n, err = client.Write(make([]byte, 64<<20))
			r.fails("write", err, os.ErrDeadlineExceeded)
		})
		if n == 0 {
			r.Error("nothing was written before the deadline")
		}
		l, err := r.feige.Listen("tcp", ":0")
		r.ok("listen", err)
		l.(interface{ SetDeadline(time.Time) error }).SetDeadline(r.net.Now().Add(time.Second))
		r.takes("accept", time.Second, func() { _, err := l.Accept(); r.fails("accept", err, os.ErrDeadlineExceeded) })
		p, err := r.feige.ListenPacket("udp", ":0")
		r.ok("listen", err)
		p.SetReadDeadline(r.net.Now().Add(time.Second))
		r.takes("readfrom", time.Second, func() { _, _, err := p.ReadFrom(b); r.fails("readfrom", err, os.ErrDeadlineExceeded) })
	})
}

func TestPacketConn(t *testing.T) {
	inRoom(t, func(r *room) {
		p, err := r.feige.ListenPacket("udp", ":9")
		r.ok("listen", err)
		c, err := r.nick.Dial("udp", "feige:9")
		r.ok("dial", err)
		_, err = c.Write([]byte("hello"))
		r.ok("write", err)
		b := make([]byte, 100)
		n, from, err := p.ReadFrom(b)
		r.ok("readfrom", err)
		r.equal("readfrom", string(b[:n]), "hello")
		r.equal("from", from, c.LocalAddr())
		_, err = p.WriteTo([]byte("back"), from)
		r.ok("writeto", err)
		n, err = c.Read(b)
		r.ok("read", err)
		r.equal("read", string(b[:n]), "back")
		r.equal("the dialled peer", c.RemoteAddr(), r.dialled("172.16.10.2:9"))
		if remote := p.(net.Conn).RemoteAddr(); remote != nil {
			r.Errorf("the listener's peer is %v, want none", remote)
		}
		_, err = c.(net.PacketConn).WriteTo([]byte("x"), from)
		r.fails("writeto on a connected socket", err, net.ErrWriteToConnected)
		for _, addr := range []net.Addr{nil, (*net.UDPAddr)(nil), &net.TCPAddr{}} {
			if _, err = p.WriteTo([]byte("x"), addr); err == nil {
				r.Errorf("writeto %#v: no error", addr)
			}
		}
		_, err = p.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(r.at("10.9.9.9:1"))))
		r.equal("no route", err, r.dialled("write udp 0.0.0.0:9->10.9.9.9:1: sendto: network is unreachable"))
		r.ok("close", p.Close())
		_, _, err = p.ReadFrom(b)
		r.fails("closed", err, net.ErrClosed)
	})
}

func TestDialContext(t *testing.T) {
	inRoom(t, func(r *room) {
		ctx, cancel := context.WithCancel(context.Background())
		r.start(func() { r.sleep(time.Second); cancel() })
		_, err := r.nick.DialContext(ctx, "tcp", r.dialled("172.16.10.99:1"))
		if err == nil {
			r.Error("the dial succeeds")
		}
	})
}

// Closing a listener ends those who wait to be accepted, and frees the port.
func TestListenerClose(t *testing.T) {
	inRoom(t, func(r *room) {
		l, err := r.feige.Listen("tcp", ":8080")
		r.ok("listen", err)
		c, err := r.nick.Dial("tcp", "feige:8080")
		r.ok("dial", err)
		r.start(func() { r.sleep(time.Second); r.ok("close", l.Close()) })
		_, err = l.Accept()
		r.ok("the first is accepted", err)
		_, err = l.Accept()
		r.fails("accept", err, net.ErrClosed)
		_, err = r.feige.Listen("tcp", ":8080")
		r.ok("listen again", err)
		c.Close()
	})
}

// Reads, writes and closes from many goroutines, with the race detector.
func TestManyAtOnce(t *testing.T) {
	n := hubbub.New()
	defer n.Close()
	lan := n.LAN("room", "172.16.10.0/24")
	feige, nick := lan.Host("feige"), lan.Host("nick")
	for _, x := range []struct{ network, listen, dial string }{
		{"tcp", ":8080", "feige:8080"}, {"unix", "/x", "/x"},
	} {
		from := nick
		if x.network == "unix" {
			from = feige
		}
		l, err := feige.Listen(x.network, x.listen)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			c, err := from.Dial(x.network, x.dial)
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			const writers, size = 4, 20_000
			var writing sync.WaitGroup
			for range writers {
				writing.Go(func() {
					if n, err := c.Write(make([]byte, size)); n != size || err != nil {
						t.Errorf("write: %d, %v", n, err)
					}
				})
			}
			all.Go(func() {
				writing.Wait()
				c.Close()
			})
			all.Go(func() {
				got, err := io.Copy(io.Discard, s)
				if got != writers*size || err != nil {
					t.Errorf("%s: %d bytes, %v; want %d", x.network, got, err, writers*size)
				}
				s.Close()
			})
			all.Go(func() { // look at it meanwhile
				for range 100 {
					s.LocalAddr()
					s.RemoteAddr()
					s.SetDeadline(time.Time{})
				}
			})
		}
		all.Wait()
		l.Close()
	}
}

// What one Write writes stays together, whoever writes beside it.
func TestWritesStayTogether(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.netPair()
		const size = 300_000
		for _, letter := range []byte("ab") {
			data := make([]byte, size)
			for i := range data {
				data[i] = letter
			}
			r.start(func() { client.Write(data) })
		}
		got := make([]byte, 2*size)
		_, err := io.ReadFull(server, got)
		r.ok("read", err)
		changes := 0
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1] {
				changes++
			}
		}
		r.equal("changes of writer", changes, 1)
	})
}

// A host that is switched off wakes its programs.
func TestPowerOff(t *testing.T) {
	inRoom(t, func(r *room) {
		server, _ := r.netPair()
		r.start(func() { r.sleep(time.Second); r.feige.PowerOff() })
		_, err := server.Read(make([]byte, 1))
		r.fails("read", err, net.ErrClosed)
		_, err = r.nick.Dial("tcp", "feige:8080")
		r.fails("dial", err, syscall.EHOSTUNREACH)
	})
}
