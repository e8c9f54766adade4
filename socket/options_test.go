package socket_test

import (
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

const (
	sol = socket.SOL_SOCKET
	tcp = socket.IPPROTO_TCP
	ip  = socket.IPPROTO_IP
)

// What options begin with and what they can be set to, as on Linux.
func TestOptionValues(t *testing.T) {
	inRoom(t, func(r *room) {
		s, u := r.tcp(r.nick), r.udp(r.nick)
		for _, x := range []struct {
			what             string
			s                *socket.Socket
			level, name      int
			first, set, then int
		}{
			{"SO_REUSEADDR", s, sol, socket.SO_REUSEADDR, 0, 1, 1},
			{"SO_REUSEPORT", s, sol, socket.SO_REUSEPORT, 0, 7, 1},
			{"SO_KEEPALIVE", s, sol, socket.SO_KEEPALIVE, 0, 1, 1},
			{"SO_OOBINLINE", s, sol, socket.SO_OOBINLINE, 0, 1, 1},
			{"SO_LINGER", s, sol, socket.SO_LINGER, -1, 5, 5},
			// The kernel doubles a buffer's size, and has a least one.
			{"SO_RCVBUF", s, sol, socket.SO_RCVBUF, 131072, 10000, 20000},
			{"SO_RCVBUF", s, sol, socket.SO_RCVBUF, 20000, 1, 2304},
			{"SO_SNDBUF", s, sol, socket.SO_SNDBUF, 16384, 10000, 20000},
			{"SO_SNDBUF", s, sol, socket.SO_SNDBUF, 20000, 1, 4608},
			{"TCP_NODELAY", s, tcp, socket.TCP_NODELAY, 0, 1, 1},
			{"TCP_MAXSEG", s, tcp, socket.TCP_MAXSEG, 536, 500, 500},
			// The course's figures (C26).
			{"TCP_KEEPIDLE", s, tcp, socket.TCP_KEEPIDLE, 7200, 10, 10},
			{"TCP_KEEPINTVL", s, tcp, socket.TCP_KEEPINTVL, 75, 3, 3},
			{"TCP_KEEPCNT", s, tcp, socket.TCP_KEEPCNT, 9, 2, 2},
			{"TCP_USER_TIMEOUT", s, tcp, socket.TCP_USER_TIMEOUT, 0, 1500, 1500},
			{"TCP_SYNCNT", s, tcp, socket.TCP_SYNCNT, 7, 3, 3},
			{"TCP_DEFER_ACCEPT", s, tcp, socket.TCP_DEFER_ACCEPT, 0, 5, 7},
			{"IP_TTL", s, ip, socket.IP_TTL, 64, 3, 3},
			{"IP_TTL", s, ip, socket.IP_TTL, 3, -1, 64},
			{"IP_TOS", s, ip, socket.IP_TOS, 0, 16, 16},
			{"SO_BROADCAST", u, sol, socket.SO_BROADCAST, 0, 1, 1},
			{"SO_RCVBUF", u, sol, socket.SO_RCVBUF, 212992, 10000, 20000},
			{"SO_SNDBUF", u, sol, socket.SO_SNDBUF, 212992, 10000, 20000},
			{"IP_TTL", u, ip, socket.IP_TTL, 64, 1, 1},
			{"IP_MTU_DISCOVER", u, ip, socket.IP_MTU_DISCOVER, 0, socket.IP_PMTUDISC_DO, socket.IP_PMTUDISC_DO},
		} {
			before, err := x.s.GetSockOpt(x.level, x.name)
			r.ok(x.what, err)
			if x.name != socket.SO_RCVBUF && x.name != socket.SO_SNDBUF || x.level != sol {
				r.equal(x.what+" at first", before, x.first)
			}
			r.set(x.s, x.level, x.name, x.set)
			r.has(x.what, x.s, x.level, x.name, x.then)
		}
		r.has("SO_TYPE", u, sol, socket.SO_TYPE, int(socket.SOCK_DGRAM))
		r.has("SO_DOMAIN", u, sol, socket.SO_DOMAIN, int(r.way.family))
		r.has("SO_PROTOCOL", u, sol, socket.SO_PROTOCOL, socket.IPPROTO_UDP)
		r.has("SO_PROTOCOL", s, sol, socket.SO_PROTOCOL, socket.IPPROTO_TCP)
		r.has("SO_TYPE", r.unix(r.nick), sol, socket.SO_TYPE, int(socket.SOCK_STREAM))
	})
}

func TestOptionErrors(t *testing.T) {
	inRoom(t, func(r *room) {
		for _, x := range []struct {
			s                  *socket.Socket
			level, name, value int
			want               error
		}{
			{r.tcp(r.nick), tcp, socket.TCP_MAXSEG, 10, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_MAXSEG, 40000, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_KEEPIDLE, 0, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_KEEPIDLE, 40000, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_KEEPCNT, 128, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_USER_TIMEOUT, -1, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_SYNCNT, 0, syscall.EINVAL},
			{r.tcp(r.nick), tcp, socket.TCP_SYNCNT, 128, syscall.EINVAL},
			{r.tcp(r.nick), ip, socket.IP_TTL, 0, syscall.EINVAL},
			{r.tcp(r.nick), ip, socket.IP_TTL, 256, syscall.EINVAL},
			{r.tcp(r.nick), sol, 9999, 1, syscall.ENOPROTOOPT},
			{r.tcp(r.nick), tcp, 9999, 1, syscall.ENOPROTOOPT},
			{r.tcp(r.nick), 77, 1, 1, syscall.ENOPROTOOPT},
			{r.udp(r.nick), tcp, socket.TCP_NODELAY, 1, syscall.ENOPROTOOPT},
			{r.unix(r.nick), tcp, socket.TCP_NODELAY, 1, syscall.EOPNOTSUPP},
			{r.unix(r.nick), ip, socket.IP_TTL, 1, syscall.EOPNOTSUPP},
		} {
			r.fails("setsockopt", x.s.SetSockOpt(x.level, x.name, x.value), x.want)
		}
	})
}

// What a connection inherits from its listener.
func TestOptionsAreInherited(t *testing.T) {
	inRoom(t, func(r *room) {
		l := r.tcp(r.feige)
		r.set(l, sol, socket.SO_KEEPALIVE, 1)
		r.set(l, tcp, socket.TCP_NODELAY, 1)
		r.set(l, tcp, socket.TCP_KEEPIDLE, 10)
		r.set(l, tcp, socket.TCP_MAXSEG, 400)
		r.ok("bind", l.Bind(":8080"))
		r.ok("listen", l.Listen(1))
		c := r.tcp(r.nick)
		r.ok("connect", c.Connect("feige:8080"))
		s, _, err := l.Accept()
		r.ok("accept", err)
		r.has("SO_KEEPALIVE", s, sol, socket.SO_KEEPALIVE, 1)
		r.has("TCP_NODELAY", s, tcp, socket.TCP_NODELAY, 1)
		r.has("TCP_KEEPIDLE", s, tcp, socket.TCP_KEEPIDLE, 10)
		r.has("TCP_MAXSEG", s, tcp, socket.TCP_MAXSEG, 400-12) // the timestamps take 12
		r.has("IP_MTU", s, ip, socket.IP_MTU, 1500)
	})
}

// SO_KEEPALIVE with figures of one's own: 10 s, then 3 probes each 2 s.
func TestKeepAlive(t *testing.T) {
	inRoom(t, func(r *room) {
		server, _ := r.pair()
		r.set(server, sol, socket.SO_KEEPALIVE, 1)
		r.set(server, tcp, socket.TCP_KEEPIDLE, 10)
		r.set(server, tcp, socket.TCP_KEEPINTVL, 2)
		r.set(server, tcp, socket.TCP_KEEPCNT, 3)
		r.sleep(time.Hour) // the peer answers
		r.ok("a rule", r.nick.Cable().AddRule(hubbub.In, hubbub.Rule{Match: hubbub.Match{Protocol: 6}, Count: -1}))
		before := r.net.Elapsed()
		r.fails("recv", recvError(server, 0), syscall.ETIMEDOUT)
		if took := r.net.Elapsed() - before; took < 6*time.Second || took > 16*time.Second {
			r.Errorf("it takes %v, want 6 s for the probes and at most 10 s before", took)
		}
	})
}

// SO_LINGER with 0 resets (RFC 9293, 3.10.5); with more Close waits.
func TestLinger(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.set(client, sol, socket.SO_LINGER, 0)
		r.ok("close", client.Close())
		r.fails("recv", recvError(server, 0), syscall.ECONNRESET)

		server, client = r.pair()
		r.set(client, sol, socket.SO_LINGER, 5)
		r.sends(client, "last words")
		r.takes("close", time.Millisecond, func() { r.ok("close", client.Close()) }) // the ACK of the FIN
		r.hears(server, 0, "last words")

		// Nobody acknowledges: Close gives up waiting, and the data goes on.
		server, client = r.pair()
		r.set(client, sol, socket.SO_LINGER, 5)
		cable := r.feige.Cable()
		r.ok("cut", cable.AddRule(hubbub.In, hubbub.Rule{Match: hubbub.Match{Protocol: 6}, Count: 8}))
		r.sends(client, "last words")
		r.takes("close", 5*time.Second, func() { r.ok("close", client.Close()) })
		r.hears(server, 0, "last words")
		r.hears(server, 0, "")
	})
}

// MSG_PEEK leaves what it shows, MSG_DONTWAIT is for one call, MSG_WAITALL
// fills the buffer.
func TestFlags(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.fails("nothing there", recvError(server, socket.MSG_DONTWAIT), syscall.EAGAIN)
		r.fails("nothing to peek at", recvError(server, socket.MSG_PEEK|socket.MSG_DONTWAIT), syscall.EAGAIN)
		r.sends(client, "hello")
		r.hears(server, socket.MSG_PEEK, "hello")
		r.hears(server, socket.MSG_DONTWAIT, "hello")
		r.start(func() {
			for _, part := range []string{"12", "34", "5"} {
				r.sleep(time.Second)
				r.sends(client, part)
			}
			r.ok("shutdown", client.Shutdown(socket.SHUT_WR))
		})
		r.takes("peek", time.Second, func() { r.hears(server, socket.MSG_PEEK, "12") })
		got, err := server.Recv(4, socket.MSG_WAITALL)
		r.equal("all", string(got), "1234")
		r.ok("recv", err)
		r.hears(server, socket.MSG_WAITALL, "5") // the end comes first
		r.hears(server, socket.MSG_PEEK, "")

		n, err := server.Send(make([]byte, 64<<20), socket.MSG_DONTWAIT)
		if n == 0 || n == 64<<20 || err != nil {
			r.Errorf("send without waiting: %d, %v; want a part", n, err)
		}
		for err == nil {
			_, err = server.Send(make([]byte, 1000), socket.MSG_DONTWAIT)
		}
		r.fails("no room is left", err, syscall.EAGAIN)

		u := r.udp(r.feige)
		r.ok("bind", u.Bind(":9"))
		r.fails("no datagram", recvError(u, socket.MSG_DONTWAIT), syscall.EAGAIN)
		r.udp(r.nick).SendTo([]byte("one"), "feige:9")
		r.hears(u, socket.MSG_PEEK, "one")
		r.hears(u, 0, "one")
	})
}

// Urgent data, out of line and in line (RFC 9293, 3.8.5; RFC 6093).
func TestUrgentData(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.fails("none there", recvError(server, socket.MSG_OOB), syscall.EINVAL)
		r.sends(client, "abc")
		_, err := client.Send([]byte("!"), socket.MSG_OOB)
		r.ok("send out of band", err)
		r.sends(client, "def")
		mark, _ := server.AtMark()
		r.equal("at the mark", mark, false)
		r.hears(server, socket.MSG_OOB, "!")
		r.fails("taken already", recvError(server, socket.MSG_OOB), syscall.EINVAL)
		r.hears(server, 0, "abc") // reading stops at the mark
		mark, err = server.AtMark()
		r.ok("sockatmark", err)
		r.equal("at the mark", mark, true)
		r.hears(server, 0, "def")

		server, client = r.pair()
		r.set(server, sol, socket.SO_OOBINLINE, 1)
		r.sends(client, "abc")
		client.Send([]byte("!"), socket.MSG_OOB)
		r.fails("it is in line", recvError(server, socket.MSG_OOB), syscall.EINVAL)
		r.hears(server, 0, "abc")
		r.hears(server, 0, "!")
	})
}

// MSG_EOR: no segment goes beyond the end of a record, though both wait for the
// cork to be drawn.
func TestRecordsHaveSegmentsOfTheirOwn(t *testing.T) {
	inRoom(t, func(r *room) {
		for _, x := range []struct {
			flags int
			want  uint32
		}{{0, 1}, {socket.MSG_EOR, 2}, {socket.MSG_EOR | socket.MSG_DONTWAIT, 2}} {
			l := r.tcp(r.feige)
			r.set(l, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			r.ok("bind", l.Bind(":80"))
			r.ok("listen", l.Listen(1))
			c := r.tcp(r.nick)
			r.ok("connect", c.Connect("feige:80"))
			r.set(c, socket.IPPROTO_TCP, socket.TCP_CORK, 1)
			for range 2 {
				_, err := c.Send([]byte("record"), x.flags)
				r.ok("send", err)
			}
			r.set(c, socket.IPPROTO_TCP, socket.TCP_CORK, 0)
			info, err := c.TCPInfo()
			r.ok("TCP_INFO", err)
			r.equal("segments", info.DataSegsOut, x.want)
			r.ok("close", c.Close())
			r.ok("close", l.Close())
		}
	})
}
