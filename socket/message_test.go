package socket_test

import (
	"encoding/hex"
	"syscall"
	"testing"
	"time"

	"hubbub/socket"
)

func buffers(sizes ...int) [][]byte {
	var all [][]byte
	for _, n := range sizes {
		all = append(all, make([]byte, n))
	}
	return all
}

// sendmsg(2) gathers several buffers, recvmsg(2) scatters.
func TestSeveralBuffers(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		n, err := client.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("one "), nil, []byte("two "), []byte("three")}}, 0)
		r.ok("sendmsg", err)
		r.equal("sent", n, 13)
		m := socket.Message{Buffers: buffers(3, 4, 100)}
		n, err = server.RecvMsg(&m, 0)
		r.ok("recvmsg", err)
		r.equal("received", n, 13)
		r.equal("buffers", string(m.Buffers[0])+"|"+string(m.Buffers[1])+"|"+string(m.Buffers[2][:6]), "one| two| three")
		r.ok("shutdown", client.Shutdown(socket.SHUT_WR))
		n, err = server.RecvMsg(&m, 0)
		r.ok("at the end", err)
		r.equal("at the end", n, 0)
		_, err = client.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("x")}}, socket.MSG_NOSIGNAL)
		r.fails("after it", err, syscall.EPIPE)
		_, err = client.SendMsg(&socket.Message{Control: []byte("16 bytes, no sense")}, 0)
		r.fails("control messages of a wrong form", err, syscall.EINVAL)
	})
}

// What recvmsg(2) tells about a datagram: whom it is from, its header, whether
// it was cut, in control messages of Linux's layout.
func TestControlMessages(t *testing.T) {
	inRoom(t, func(r *room) {
		u, c := r.udp(r.feige), r.udp(r.nick)
		r.ok("bind", u.Bind(":9"))
		r.ok("bind", c.Bind(":99"))
		r.set(c, ip, socket.IP_TOS, 0x20)
		r.set(c, ip, socket.IP_TTL, 7)
		for _, x := range []struct {
			option, room int
			want         string
			flags        int
		}{
			{socket.IP_RECVTOS, 100, "11000000000000000000000001000000" + "20" + "00000000000000", 0},
			{socket.IP_RECVTTL, 100, "14000000000000000000000002000000" + "07000000" + "00000000", 0},
			{socket.IP_RECVTTL, 20, "14000000000000000000000002000000" + "07000000", 0},
			{socket.IP_RECVTTL, 18, "12000000000000000000000002000000" + "0700", socket.MSG_CTRUNC},
			{socket.IP_RECVTTL, 15, "", socket.MSG_CTRUNC},
		} {
			r.set(u, ip, x.option, 1)
			_, err := c.SendTo([]byte("hello"), "feige:9")
			r.ok("sendto", err)
			r.sleep(time.Second)
			m := socket.Message{Buffers: buffers(2, 1), Control: make([]byte, x.room)}
			n, err := u.RecvMsg(&m, 0)
			r.ok("recvmsg", err)
			r.equal("received", n, 3)
			r.equal("its sender", m.Addr, r.at("172.16.10.3:99"))
			r.equal("control messages", hex.EncodeToString(m.Control), x.want)
			r.equal("flags", m.Flags, x.flags|socket.MSG_TRUNC)
			r.set(u, ip, x.option, 0)
		}
	})
}

// TCP_INQ: recvmsg(2) tells how much is left, and one at the end of the stream
// (tcp(7)).
func TestHowMuchIsLeft(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.pair()
		r.set(server, tcp, socket.TCP_INQ, 1)
		left := func(want string) {
			r.Helper()
			r.sleep(time.Second)
			m := socket.Message{Buffers: buffers(4), Control: make([]byte, 100)}
			_, err := server.RecvMsg(&m, 0)
			r.ok("recvmsg", err)
			r.equal("TCP_CM_INQ", hex.EncodeToString(m.Control), "14000000000000000600000024000000"+want+"00000000")
		}
		r.sends(client, "0123456789")
		left("06000000")
		r.ok("shutdown", client.Shutdown(socket.SHUT_WR))
		left("03000000")
		left("01000000")
		left("01000000")
	})
}
