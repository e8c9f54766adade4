package socket_test

import (
	"bufio"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubbub/socket"
)

// The functions of the course's tables, by their names (C30 to C34).

// C30: bind, listen, accept. C31: connect. C35: the course's first program, an
// echo in upper case.
func TestServerAndClient(t *testing.T) {
	inRoom(t, func(r *room) {
		server := r.tcp(r.feige)
		r.ok("bind", server.Bind(r.at("172.16.10.2:8080")))
		r.ok("listen", server.Listen(5))
		r.start(func() {
			conn, from, err := server.Accept()
			r.ok("accept", err)
			r.equal("the client's host", hostOf(from), r.at("172.16.10.3"))
			data, err := conn.Recv(1024, 0)
			r.ok("recv", err)
			r.ok("sendall", conn.SendAll([]byte(strings.ToUpper(string(data)))))
			r.ok("close", conn.Close())
		})
		client := r.tcp(r.nick)
		r.ok("connect", client.Connect("feige:8080"))
		r.sends(client, "hello")
		r.hears(client, 0, "HELLO")
		r.hears(client, 0, "") // C36: no bytes, and no error: the server has closed
		r.ok("close", client.Close())
	})
}

// C31: connect_ex returns a number where connect raises an exception.
func TestConnectEx(t *testing.T) {
	inRoom(t, func(r *room) {
		r.listens(r.feige, ":8080", 1)
		r.equal("open", r.tcp(r.nick).ConnectEx("feige:8080"), syscall.Errno(0))
		r.equal("refused", r.tcp(r.nick).ConnectEx("feige:8081"), syscall.ECONNREFUSED)
		r.equal("no such name", r.tcp(r.nick).ConnectEx("nowhere:1"), syscall.EHOSTUNREACH)
		r.equal("nobody there", r.tcp(r.nick).ConnectEx(r.at("172.16.10.99:1")), syscall.EHOSTUNREACH)
		s := r.tcp(r.nick)
		s.SetBlocking(false)
		r.equal("not waiting", s.ConnectEx(r.at("172.16.10.99:1")), syscall.EINPROGRESS)
	})
}

// C32: recv, send, sendall, recvfrom, sendto, getpeername, getsockname,
// getsockopt, setsockopt, close.
func TestCommonFunctions(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		n, err := client.Send([]byte("abc"), 0)
		r.equal("send", n, 3)
		r.ok("send", err)
		r.ok("sendall", client.SendAll([]byte("def")))
		r.hears(server, 0, "abcdef")
		n, err = client.SendTo([]byte("x"), "feige:9")
		r.equal("sendto on a stream", n, 1)
		r.ok("sendto on a stream", err)
		name, err := client.GetPeerName()
		r.equal("getpeername", name, r.at("172.16.10.2:8080"))
		r.ok("getpeername", err)
		mine, err := client.GetSockName()
		r.ok("getsockname", err)
		theirs, _ := server.GetPeerName()
		r.equal("one end's name is the other's peer", theirs, mine)
		r.set(client, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		r.has("keepalive", client, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		r.ok("close", client.Close())
		r.fails("recv on a closed socket", recvError(client, 0), netErrClosed)
		r.fails("close twice", client.Close(), netErrClosed)

		a, b := r.udp(r.nick), r.udp(r.feige)
		r.ok("bind", b.Bind(":9"))
		n, err = a.SendTo([]byte("datagram"), "feige:9")
		r.equal("sendto", n, 8)
		r.ok("sendto", err)
		data, from, err := b.RecvFrom(100)
		r.equal("recvfrom", string(data), "datagram")
		r.ok("recvfrom", err)
		own, _ := a.GetSockName()
		r.equal("the sender's port", portIn(from), portIn(own))
		// What doesn't fit the buffer is lost.
		a.SendTo([]byte("datagram"), "feige:9")
		data, _, _ = b.RecvFrom(4)
		r.equal("cut", string(data), "data")
	})
}

// C33: setblocking, settimeout, gettimeout.
func TestLocks(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.equal("at first", server.GetTimeout(), time.Duration(-1))
		server.SetBlocking(false)
		r.equal("without waiting", server.GetTimeout(), time.Duration(0))
		r.takes("recv", 0, func() { r.fails("recv", recvError(server, 0), syscall.EAGAIN) })
		server.SetTimeout(1500 * time.Millisecond)
		r.equal("with a time-out", server.GetTimeout(), 1500*time.Millisecond)
		r.takes("recv", 1500*time.Millisecond, func() { r.fails("recv", recvError(server, 0), osDeadline) })
		// A time-out is each call's.
		r.takes("once more", 1500*time.Millisecond, func() { r.fails("recv", recvError(server, 0), osDeadline) })
		server.SetTimeout(0)
		r.equal("zero", server.GetTimeout(), time.Duration(0))
		r.fails("recv", recvError(server, 0), syscall.EAGAIN)
		server.SetBlocking(true)
		r.equal("blocking again", server.GetTimeout(), time.Duration(-1))
		r.start(func() { r.sleep(time.Hour); r.sends(client, "late") })
		r.takes("recv", time.Hour, func() { r.hears(server, 0, "late") })

		listener := r.listens(r.feige, ":1", 1)
		listener.SetTimeout(time.Second)
		r.takes("accept", time.Second, func() { r.fails("accept", acceptError(listener), osDeadline) })
		u := r.udp(r.feige)
		r.ok("bind", u.Bind(":1"))
		u.SetTimeout(time.Second)
		r.takes("recvfrom", time.Second, func() { _, _, err := u.RecvFrom(1); r.fails("recvfrom", err, osDeadline) })
		c := r.tcp(r.nick)
		c.SetTimeout(time.Second)
		r.takes("connect", time.Second, func() { r.fails("connect", c.Connect(r.at("172.16.10.99:1")), osDeadline) })
		// The writer's time-out, when the window is full.
		client.SetTimeout(2 * time.Second)
		r.takes("sendall", 2*time.Second, func() { r.fails("sendall", client.SendAll(make([]byte, 64<<20)), osDeadline) })
	})
}

// C34: fileno, makefile.
func TestFiles(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		seen := map[int]bool{}
		for _, s := range []*socket.Socket{client, r.tcp(r.nick), r.udp(r.nick), r.unix(r.nick)} {
			if fd := s.Fileno(); fd < 3 || seen[fd] {
				r.Errorf("fileno: %d, want a number from 3 that is new", fd)
			}
			seen[s.Fileno()] = true
		}
		r.equal("fileno again", client.Fileno(), client.Fileno())
		file := client.MakeFile()
		r.sends(server, "one\ntwo\n")
		in := bufio.NewReader(file)
		for _, want := range []string{"one\n", "two\n"} {
			line, err := in.ReadString('\n')
			r.equal("line", line, want)
			r.ok("read", err)
		}
		file.Write([]byte("answer"))
		r.hears(server, 0, "answer")
		r.ok("close", file.Close())
		r.hears(server, 0, "")

		u := r.udp(r.nick)
		r.ok("connect", u.Connect("feige:9"))
		f := u.MakeFile()
		_, err := f.Write([]byte("x"))
		r.ok("a datagram by a file", err)
		_, err = f.Read(make([]byte, 1))
		r.fails("its answer", err, syscall.ECONNREFUSED)
	})
}

// C36: the second client waits in the backlog, and is served after the first.
func TestTheSecondClientWaits(t *testing.T) {
	inRoom(t, func(r *room) {
		l := r.listens(r.feige, ":8080", 5)
		a, b := r.tcp(r.nick), r.tcp(r.tom)
		r.ok("the first connects", a.Connect("feige:8080"))
		r.ok("the second connects", b.Connect("feige:8080"))
		r.sends(b, "me too")
		first, _, err := l.Accept()
		r.ok("accept", err)
		r.sends(a, "me")
		r.hears(first, 0, "me")
		second, _, err := l.Accept()
		r.ok("accept", err)
		r.hears(second, 0, "me too")
	})
}

// C36: an empty message is never sent on a stream, and is on a datagram socket.
func TestEmptyMessages(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.sends(client, "")
		server.SetTimeout(time.Second)
		r.fails("recv", recvError(server, 0), osDeadline)
		a, b := r.udp(r.nick), r.udp(r.feige)
		r.ok("bind", b.Bind(":9"))
		_, err := a.SendTo(nil, "feige:9")
		r.ok("sendto", err)
		data, _, err := b.RecvFrom(10)
		r.equal("recvfrom", len(data), 0)
		r.ok("recvfrom", err)
	})
}
