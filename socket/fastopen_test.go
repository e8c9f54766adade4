package socket_test

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

const rtt = 100 * time.Millisecond

// early lets feige take data in SYNs, with a way of 100 ms there and
// back between the two, and returns what listens there.
func early(r *room) (l *socket.Socket, at netip.AddrPort) {
	r.Helper()
	r.ok("sysctl", r.feige.SetSysctl("net.ipv4.tcp_fastopen", "2"))
	r.ok("delay", r.nick.Cable().SetDelay(hubbub.Both, 50*time.Millisecond))
	l = r.listens(r.feige, ":80", 5)
	r.set(l, socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
	r.has("TCP_FASTOPEN", l, socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
	return l, netip.MustParseAddrPort(r.at("172.16.10.2:80"))
}

// sendsEarly is sendto with MSG_FASTOPEN.
func sendsEarly(s *socket.Socket, text string, to netip.AddrPort, flags int) (int, error) {
	return s.SendMsg(&socket.Message{Buffers: [][]byte{[]byte(text)}, Addr: to}, socket.MSG_FASTOPEN|flags)
}

// The first connection asks for a cookie. In those that follow the program gets
// the data half a round trip after it was sent, and its answer arrives with the
// end of the handshake: a round trip earlier than else.
func TestFastOpen(t *testing.T) {
	inRoom(t, func(r *room) {
		l, at := early(r)
		r.start(func() {
			for range 2 {
				s, _, err := l.Accept()
				r.ok("accept", err)
				r.hears(s, 0, "question")
				r.sends(s, "answer")
			}
		})
		r.meet()
		for _, x := range []struct{ sent, answered time.Duration }{{rtt, rtt}, {rtt, 0}} {
			c := r.tcp(r.nick)
			r.takes("sendto", x.sent, func() {
				n, err := sendsEarly(c, "question", at, 0)
				r.ok("sendto", err)
				r.equal("sent", n, len("question"))
			})
			r.takes("recv", x.answered, func() { r.hears(c, 0, "answer") })
			i, err := c.TCPInfo()
			r.ok("TCP_INFO", err)
			r.equal("TCPI_OPT_SYN_DATA", i.Options&socket.InfoSYNData != 0, x.answered == 0)
		}
	})
}

// meet lets both know the other's MAC address.
func (r *room) meet() {
	r.Helper()
	r.listens(r.feige, ":81", 1)
	r.ok("connect", r.tcp(r.nick).Connect("feige:81"))
}

// A socket that isn't to wait gets EINPROGRESS where there is no cookie, and
// has sent nothing; with one it has sent what the SYN has room for.
func TestFastOpenDoesNotWait(t *testing.T) {
	inRoom(t, func(r *room) {
		_, at := early(r)
		r.meet()
		c := r.tcp(r.nick)
		n, err := sendsEarly(c, "question", at, socket.MSG_DONTWAIT)
		r.fails("without a cookie", err, syscall.EINPROGRESS)
		r.equal("sent", n, 0)
		_, err = sendsEarly(c, "question", at, socket.MSG_DONTWAIT)
		r.fails("once more", err, syscall.EALREADY)
		r.sleep(2 * rtt)
		n, err = sendsEarly(c, "question", at, socket.MSG_DONTWAIT)
		r.ok("when it is connected, the flag means nothing", err)
		r.equal("sent", n, 8)
		c = r.tcp(r.nick)
		n, err = sendsEarly(c, string(make([]byte, 2000)), at, socket.MSG_DONTWAIT)
		r.ok("with a cookie", err)
		r.equal("sent", n, r.mss()-40)
		r.ok("sysctl", r.nick.SetSysctl("net.ipv4.tcp_fastopen", "0"))
		_, err = sendsEarly(r.tcp(r.nick), "question", at, 0)
		r.fails("where it is off", err, syscall.EOPNOTSUPP)
	})
}

// With TCP_FASTOPEN_CONNECT, connect takes no time once there is a cookie, and
// the SYN waits for what is written first: that call then waits for the
// handshake, as on Linux.
func TestFastOpenConnect(t *testing.T) {
	inRoom(t, func(r *room) {
		l, _ := early(r)
		r.meet()
		for i, takes := range []time.Duration{rtt, 0} {
			c := r.tcp(r.nick)
			r.set(c, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_CONNECT, 1)
			r.takes("connect", takes, func() { r.ok("connect", c.Connect("feige:80")) })
			r.sleep(rtt)
			r.fails("connect once more", c.Connect("feige:80"), syscall.EISCONN)
			r.takes("send", time.Duration(i)*rtt, func() { r.sends(c, "question") })
			var s *socket.Socket
			r.takes("accept", 0, func() {
				var err error
				s, _, err = l.Accept()
				r.ok("accept", err)
			})
			r.hears(s, 0, "question")
			r.sends(s, "answer")
			r.hears(c, 0, "answer")
			r.fails("an option of connected sockets", c.SetSockOpt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN_CONNECT, 1), syscall.EINVAL)
		}
	})
}

// mss is that of Ethernet.
func (r *room) mss() int {
	if r.way == overIPv6 {
		return 1440
	}
	return 1460
}

// TCP_FASTOPEN_KEY: a listener's own keys make its cookies; a key has 16 octets,
// and there may be two.
func TestFastOpenKey(t *testing.T) {
	inRoom(t, func(r *room) {
		l, _ := early(r)
		for _, n := range []int{0, 3, 17, 48} {
			r.fails("a key of another length", l.SetSockOptBytes(socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, make([]byte, n)), syscall.EINVAL)
		}
		key := []byte("0123456789abcdef0123456789ABCDEF")
		r.ok("setsockopt", l.SetSockOptBytes(socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, key))
		got, err := l.GetSockOptBytes(socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, 64)
		r.ok("getsockopt", err)
		r.equal("the keys", string(got), string(key))
		c := r.tcp(r.nick)
		got, err = c.GetSockOptBytes(socket.IPPROTO_TCP, socket.TCP_FASTOPEN_KEY, 64)
		r.ok("getsockopt", err)
		r.equal("the machine's, which nobody has set", len(got), 0)
	})
}

// What is written while the handshake is under way waits for its end, as on
// Linux.
func TestWritesWaitForTheHandshake(t *testing.T) {
	inRoom(t, func(r *room) {
		early(r) // makes the way long
		r.meet()
		c := r.tcp(r.nick)
		c.SetBlocking(false)
		r.fails("connect", c.Connect("feige:80"), syscall.EINPROGRESS)
		_, err := c.Send([]byte("x"), 0)
		r.fails("send", err, syscall.EAGAIN)
		r.sleep(2 * rtt)
		r.sends(c, "x")
	})
}
