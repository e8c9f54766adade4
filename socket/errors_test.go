package socket_test

import (
	stderrors "errors"
	"net"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

var (
	netErrClosed = net.ErrClosed
	osDeadline   = os.ErrDeadlineExceeded
)

// What Linux's kernel (6.18) says, taken from it with real sockets.

func TestASocketWithoutAConnection(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		r.fails("recv", recvError(s, 0), syscall.ENOTCONN)
		r.fails("peek", recvError(s, socket.MSG_PEEK), syscall.ENOTCONN)
		r.fails("recv, not waiting", recvError(s, socket.MSG_DONTWAIT), syscall.ENOTCONN)
		r.fails("recv out of band", recvError(s, socket.MSG_OOB), syscall.EINVAL)
		r.fails("send", sendError(s, 0), syscall.EPIPE)
		r.fails("send, not waiting", sendError(s, socket.MSG_DONTWAIT), syscall.EPIPE)
		r.fails("send out of band", sendError(s, socket.MSG_OOB), syscall.EPIPE)
		r.fails("shutdown", s.Shutdown(socket.SHUT_RDWR), syscall.ENOTCONN)
		r.fails("shutdown of what", s.Shutdown(7), syscall.EINVAL)
		_, err := s.GetPeerName()
		r.fails("getpeername", err, syscall.ENOTCONN)
		name, err := s.GetSockName()
		r.equal("getsockname", name, r.at("0.0.0.0:0"))
		r.ok("getsockname", err)
		r.fails("accept", acceptError(s), syscall.EINVAL)
		_, err = s.GetSockOpt(socket.IPPROTO_IP, socket.IP_MTU)
		r.fails("IP_MTU", err, syscall.ENOTCONN)
	})
}

func TestAConnectedSocket(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.fails("connect", client.Connect("feige:8080"), syscall.EISCONN)
		r.fails("listen", client.Listen(1), syscall.EINVAL)
		r.fails("bind", client.Bind(":0"), syscall.EINVAL)
		r.fails("accept", acceptError(client), syscall.EINVAL)
		r.ok("shutdown", client.Shutdown(socket.SHUT_WR))
		r.ok("shutdown twice", client.Shutdown(socket.SHUT_WR))
		r.fails("send", sendError(client, 0), syscall.EPIPE)
		r.hears(server, 0, "")
		r.sends(server, "half open") // C23: half-closed data still arrives
		r.hears(client, 0, "half open")
	})
}

func TestAListener(t *testing.T) {
	inRoom(t, func(r *room) {
		l := r.listens(r.feige, ":8080", 1)
		r.has("SO_ACCEPTCONN", l, socket.SOL_SOCKET, socket.SO_ACCEPTCONN, 1)
		r.fails("recv", recvError(l, 0), syscall.ENOTCONN)
		r.fails("send", sendError(l, 0), syscall.EPIPE)
		r.fails("connect", l.Connect("nick:1"), syscall.EISCONN)
		r.ok("listen again", l.Listen(5))
		r.ok("shutdown of writing", l.Shutdown(socket.SHUT_WR))
		r.start(func() { r.sleep(time.Second); r.ok("shutdown of reading", l.Shutdown(socket.SHUT_RD)) })
		r.takes("accept", time.Second, func() { r.fails("accept", acceptError(l), syscall.EINVAL) })
		r.fails("connect", r.tcp(r.nick).Connect("feige:8080"), syscall.ECONNREFUSED)
		r.ok("listen once more", l.Listen(5))
		r.ok("connect", r.tcp(r.nick).Connect("feige:8080"))
		r.ok("accept", acceptError(l))
	})
}

// After shutdown of its reading side a socket doesn't wait for more; what comes
// can be read all the same, as on Linux.
func TestShutdownOfReading(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.sends(client, "before")
		r.ok("shutdown", server.Shutdown(socket.SHUT_RD))
		r.hears(server, 0, "before")
		r.hears(server, 0, "")
		r.sends(client, "after")
		r.sleep(time.Second)
		r.hears(server, 0, "after")
		r.hears(server, 0, "")
		r.sends(server, "the other direction")
		r.hears(client, 0, "the other direction")
	})
}

// After EINPROGRESS the next connect says 0, and the one after that EISCONN.
func TestConnectWithoutWaiting(t *testing.T) {
	inRoom(t, func(r *room) {
		r.listens(r.feige, ":8080", 5)
		s := r.tcp(r.nick)
		s.SetBlocking(false)
		r.fails("connect", s.Connect("feige:8080"), syscall.EINPROGRESS)
		r.sleep(time.Second)
		r.has("SO_ERROR", s, socket.SOL_SOCKET, socket.SO_ERROR, 0)
		r.ok("connect again", s.Connect("feige:8080"))
		r.fails("and again", s.Connect("feige:8080"), syscall.EISCONN)
		_, err := s.GetPeerName()
		r.ok("getpeername", err)
	})
}

func TestConnectInProgress(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		s.SetBlocking(false)
		r.fails("connect", s.Connect(r.at("172.16.10.99:1")), syscall.EINPROGRESS)
		r.fails("connect again", s.Connect(r.at("172.16.10.99:1")), syscall.EALREADY)
		r.fails("recv", recvError(s, 0), syscall.EAGAIN)
		_, err := s.GetPeerName()
		r.fails("getpeername", err, syscall.ENOTCONN)
		r.sleep(4 * time.Second) // three ARP requests
		r.fails("connect says how it went", s.Connect(r.at("172.16.10.99:1")), syscall.EHOSTUNREACH)
		r.fails("and begins anew", s.Connect(r.at("172.16.10.99:1")), syscall.EINPROGRESS)
	})
}

func TestRefusedWithoutWaiting(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		s.SetBlocking(false)
		r.fails("connect", s.Connect("feige:1"), syscall.EINPROGRESS)
		r.sleep(time.Second)
		r.has("SO_ERROR", s, socket.SOL_SOCKET, socket.SO_ERROR, int(syscall.ECONNREFUSED))
		r.has("SO_ERROR again", s, socket.SOL_SOCKET, socket.SO_ERROR, 0)
		r.fails("connect", s.Connect("feige:1"), syscall.ECONNABORTED)
		r.fails("connect anew", s.Connect("feige:1"), syscall.EINPROGRESS)
	})
}

// A socket whose connect failed is as new, and keeps the port it is bound to.
func TestConnectAgainAfterRefused(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		r.ok("bind", s.Bind(":5000"))
		r.fails("connect", s.Connect("feige:8080"), syscall.ECONNREFUSED)
		r.fails("recv", recvError(s, 0), syscall.ENOTCONN)
		r.fails("send", sendError(s, 0), syscall.EPIPE)
		name, _ := s.GetSockName()
		r.equal("getsockname", name, r.at("0.0.0.0:5000"))
		r.fails("another at its port", r.tcp(r.nick).Bind(":5000"), syscall.EADDRINUSE)
		l := r.listens(r.feige, ":8080", 5)
		r.ok("connect", s.Connect("feige:8080"))
		_, from, err := l.Accept()
		r.ok("accept", err)
		r.equal("from", from, r.at("172.16.10.3:5000"))
		r.ok("close", s.Close())
	})
}

// Two goroutines that wait in connect on one socket.
func TestTwoWaitInConnect(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		errors := make(chan error, 2)
		r.start(func() { errors <- s.Connect(r.at("172.16.10.99:1")) })
		errors <- s.Connect(r.at("172.16.10.99:1"))
		r.sleep(time.Second)
		a, b := <-errors, <-errors
		if reflect.DeepEqual(a, b) {
			r.Errorf("both say %v", a)
		}
		for _, err := range []error{a, b} { // one has the reason, the other an end
			if !stderrors.Is(err, syscall.EHOSTUNREACH) && !stderrors.Is(err, syscall.ECONNABORTED) {
				r.Errorf("connect: %v", err)
			}
		}
	})
}

func TestBindErrors(t *testing.T) {
	inRoom(t, func(r *room) {
		r.fails("another's address", r.tcp(r.nick).Bind(r.at("172.16.10.2:1")), syscall.EADDRNOTAVAIL)
		r.fails("a privileged port", r.tcp(r.tom).Bind(":80"), syscall.EACCES)
		r.fails("a privileged port of UDP", r.udp(r.tom).Bind(":53"), syscall.EACCES)
		r.listens(r.nick, ":8080", 1)
		r.fails("a port in use", r.tcp(r.nick).Bind(":8080"), syscall.EADDRINUSE)
		r.ok("the same of UDP", r.udp(r.nick).Bind(":8080"))
		s := r.tcp(r.nick)
		r.ok("bind", s.Bind(":0"))
		r.fails("bind twice", s.Bind(":0"), syscall.EINVAL)
		name, _ := s.GetSockName()
		if strings.HasSuffix(name, ":0") {
			r.Errorf("bound to port 0 the socket is %s, want a port", name)
		}
	})
}

func TestSocketErrors(t *testing.T) {
	inRoom(t, func(r *room) {
		for _, x := range []struct {
			host     *hubbub.Host
			family   socket.Family
			kind     socket.Type
			protocol int
			want     error
		}{
			{r.nick, 99, socket.SOCK_STREAM, 0, syscall.EAFNOSUPPORT},
			{r.nick, socket.AF_INET, 99, 0, syscall.ESOCKTNOSUPPORT},
			{r.nick, socket.AF_UNIX, socket.SOCK_RAW, 0, syscall.ESOCKTNOSUPPORT},
			{r.nick, socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDP, syscall.EPROTONOSUPPORT},
			{r.nick, socket.AF_INET, socket.SOCK_RAW, 0, syscall.EPROTONOSUPPORT},
			{r.tom, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, syscall.EACCES},
		} {
			_, err := x.host.SocketOf(x.family, x.kind, x.protocol)
			r.fails("socket", err, x.want)
		}
	})
}

// A peer that resets: ECONNRESET once, then what a dead connection gives.
func TestReset(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.sends(client, "unread")
		r.ok("close with unread data", server.Close())
		r.fails("recv", recvError(client, 0), syscall.ECONNRESET)
		r.hears(client, 0, "")
		r.fails("send", sendError(client, 0), syscall.EPIPE)
		_, err := client.GetPeerName()
		r.fails("getpeername", err, syscall.ENOTCONN)
	})
}

// Closing a socket wakes whoever waits in it.
func TestCloseWhileOthersWait(t *testing.T) {
	inRoom(t, func(r *room) {
		server, _ := r.pair()
		_, client := r.pair()
		l, u := r.listens(r.feige, ":1", 1), r.udp(r.feige)
		r.ok("bind", u.Bind(":9"))
		c := r.tcp(r.nick)
		r.start(func() {
			r.sleep(time.Second)
			for _, s := range []*socket.Socket{server, client, l, u, c} {
				r.ok("close", s.Close())
			}
		})
		var woken atomic.Int32
		wait := func(what string, f func() error) {
			r.start(func() { r.fails(what, f(), net.ErrClosed); woken.Add(1) })
		}
		wait("recv", func() error { return recvError(server, 0) })
		wait("send", func() error { return client.SendAll(make([]byte, 64<<20)) })
		wait("accept", func() error { return acceptError(l) })
		wait("recvfrom", func() error { _, _, err := u.RecvFrom(1); return err })
		wait("connect", func() error { return c.Connect(r.at("172.16.10.99:1")) })
		r.sleep(2 * time.Second)
		r.equal("woken", int(woken.Load()), 5)
	})
}
