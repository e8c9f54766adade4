package socket_test

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"hubbub/socket"
)

// unixPair returns both ends of a connection within nick.
func (r *room) unixPair(path string) (server, client *socket.Socket) {
	r.Helper()
	l := r.unix(r.nick)
	r.ok("bind", l.Bind(path))
	r.ok("listen", l.Listen(5))
	client = r.unix(r.nick)
	r.ok("connect", client.Connect(path))
	server, _, err := l.Accept()
	r.ok("accept", err)
	return server, client
}

func TestUnixStream(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.unixPair("/run/app")
		r.sends(client, "hello")
		r.hears(server, socket.MSG_PEEK, "hello")
		r.hears(server, 0, "hello")
		r.fails("nothing left", recvError(server, socket.MSG_DONTWAIT), syscall.EAGAIN)
		name, err := client.GetPeerName()
		r.ok("getpeername", err)
		r.equal("getpeername", name, "/run/app")
		name, _ = server.GetSockName()
		r.equal("getsockname", name, "/run/app")
		r.ok("shutdown", client.Shutdown(socket.SHUT_WR))
		r.hears(server, 0, "")
		r.sends(server, "half open")
		r.hears(client, 0, "half open")
		r.fails("send", sendError(client, 0), syscall.EPIPE)
		r.ok("close", server.Close())
		r.hears(client, 0, "")
	})
}

// What Linux says (6.18).
func TestUnixErrors(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.unix(r.nick)
		r.fails("recv", recvError(s, 0), syscall.EINVAL)
		r.fails("send", sendError(s, 0), syscall.ENOTCONN)
		r.fails("accept", acceptError(s), syscall.EINVAL)
		r.fails("listen unbound", s.Listen(1), syscall.EINVAL)
		_, err := s.GetPeerName()
		r.fails("getpeername", err, syscall.ENOTCONN)
		r.fails("no such path", s.Connect("/x"), syscall.ENOENT)
		r.ok("bind", s.Bind("/x"))
		r.fails("bind twice", s.Bind("/y"), syscall.EINVAL)
		r.fails("the path is taken", r.unix(r.nick).Bind("/x"), syscall.EADDRINUSE)
		r.ok("another machine's path", r.unix(r.feige).Bind("/x"))
		r.fails("nobody listens", r.unix(r.nick).Connect("/x"), syscall.ECONNREFUSED)
		r.fails("another type", r.unixgram(r.nick).Connect("/x"), syscall.EPROTOTYPE)
		r.fails("another machine", r.unix(r.tom).Connect("/x"), syscall.ENOENT)

		server, client := r.unixPair("/z")
		r.fails("connect again", client.Connect("/z"), syscall.EISCONN)
		r.sends(client, "unread")
		r.sends(server, "zz")
		r.ok("close with unread data", server.Close())
		r.hears(client, 0, "zz")
		r.fails("recv", recvError(client, 0), syscall.ECONNRESET)
		r.fails("send", sendError(client, 0), syscall.EPIPE)
	})
}

// A listener's backlog holds one more than was asked for; then connect waits.
func TestUnixBacklog(t *testing.T) {
	inRoom(t, func(r *room) {
		l := r.unix(r.nick)
		r.ok("bind", l.Bind("/x"))
		r.ok("listen", l.Listen(1))
		r.ok("the first", r.unix(r.nick).Connect("/x"))
		r.ok("the second", r.unix(r.nick).Connect("/x"))
		s := r.unix(r.nick)
		s.SetBlocking(false)
		r.fails("the third", s.Connect("/x"), syscall.EAGAIN)
		s.SetTimeout(time.Second)
		r.takes("the third", time.Second, func() { r.fails("connect", s.Connect("/x"), osDeadline) })
		r.start(func() { r.sleep(time.Minute); r.ok("accept", acceptError(l)) })
		s.SetBlocking(true)
		r.takes("the third", time.Minute, func() { r.ok("connect", s.Connect("/x")) })
	})
}

// A writer waits while the reader's buffer is full.
func TestUnixWriterWaits(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.unixPair("/x")
		data := bytes.Repeat([]byte("0123456789"), 100_000)
		r.start(func() {
			r.ok("sendall", client.SendAll(data))
			r.ok("close", client.Close())
		})
		r.sleep(time.Hour)
		got, err := io.ReadAll(server.MakeFile())
		r.ok("read", err)
		if !bytes.Equal(got, data) {
			r.Errorf("%d bytes arrive, want the %d that were sent", len(got), len(data))
		}

		server, client = r.unixPair("/y")
		n, err := client.Send(data, socket.MSG_DONTWAIT)
		if n == 0 || n >= len(data) || err != nil {
			r.Errorf("send without waiting: %d, %v; want a part", n, err)
		}
		r.start(func() { r.sleep(time.Second); r.ok("close", server.Close()) })
		r.takes("send", time.Second, func() { r.fails("send", client.SendAll(data), syscall.EPIPE) })
	})
}

func TestUnixDatagrams(t *testing.T) {
	inRoom(t, func(r *room) {
		a, b := r.unixgram(r.nick), r.unixgram(r.nick)
		r.fails("without a peer", sendError(a, 0), syscall.ENOTCONN)
		r.fails("listen", a.Listen(1), syscall.EOPNOTSUPP)
		r.fails("accept", acceptError(a), syscall.EOPNOTSUPP)
		_, err := a.SendTo([]byte("x"), "/b")
		r.fails("no such path", err, syscall.ENOENT)
		r.ok("bind", b.Bind("/b"))
		r.ok("bind", a.Bind("/a"))
		r.fails("nothing there", recvError(b, socket.MSG_DONTWAIT), syscall.EAGAIN)
		_, err = a.SendTo([]byte("one"), "/b")
		r.ok("sendto", err)
		r.ok("connect", a.Connect("/b"))
		r.sends(a, "two")
		r.hears(b, socket.MSG_PEEK, "one")
		data, from, err := b.RecvFrom(100)
		r.ok("recvfrom", err)
		r.equal("the first", string(data)+" from "+from, "one from /a")
		r.hears(b, 0, "two")

		// A full queue makes the sender wait.
		a.SetBlocking(false)
		sent := 0
		for err = nil; err == nil; sent++ {
			_, err = a.Send(make([]byte, 1000), 0)
		}
		r.fails("a full queue", err, syscall.EAGAIN)
		a.SetBlocking(true)
		r.start(func() { r.sleep(time.Second); r.ok("recv", recvError(b, 0)) })
		r.takes("send", time.Second, func() { r.sends(a, string(make([]byte, 1000))) })

		c := r.unixgram(r.nick)
		r.ok("b has a peer", b.Connect("/a"))
		_, err = c.SendTo([]byte("x"), "/b")
		r.fails("another may not", err, syscall.EPERM)
		r.ok("close", b.Close())
		r.fails("the peer is closed", sendError(a, 0), syscall.ECONNREFUSED)
		r.fails("and no peer any more", sendError(a, 0), syscall.ENOTCONN)
	})
}

// Package net's view of them.
func TestUnixInNet(t *testing.T) {
	inRoom(t, func(r *room) {
		l, err := r.nick.Listen("unix", "/x")
		r.ok("listen", err)
		c, err := r.nick.Dial("unix", "/x")
		r.ok("dial", err)
		s, err := l.Accept()
		r.ok("accept", err)
		r.equal("the client's peer", c.RemoteAddr(), "/x")
		r.equal("the server's own", s.LocalAddr(), "/x")
		r.equal("the network", l.Addr().Network(), "unix")
		r.equal("the server's peer", s.RemoteAddr(), "")
		_, err = r.nick.Dial("unix", "/y")
		r.equal("no such path", err, "dial unix /y: connect: no such file or directory")
		p, err := r.nick.ListenPacket("unixgram", "/p")
		r.ok("listen", err)
		d, err := r.nick.Dial("unixgram", "/p")
		r.ok("dial", err)
		_, err = d.Write([]byte("x"))
		r.ok("write", err)
		b := make([]byte, 10)
		n, _, err := p.ReadFrom(b)
		r.ok("read", err)
		r.equal("read", string(b[:n]), "x")
		r.equal("the peer", d.RemoteAddr(), "/p")
		_, err = p.WriteTo([]byte("x"), &net.UDPAddr{})
		r.equal("another kind of address", err, "write unixgram /p: missing address")
	})
}
