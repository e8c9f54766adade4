package socket_test

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

// notice reads the error queue, and returns what it tells in words: how long ago it
// was where there is a time, whom it is from, the code, and the two numbers.
func (r *room) notice(s *socket.Socket) string {
	m := socket.Message{Buffers: [][]byte{make([]byte, 10)}, Control: make([]byte, 200)}
	n, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE)
	if err != nil {
		return "nothing"
	}
	r.equal("octets", n, 0)
	var text string
	for c := m.Control; len(c) > 0; {
		size := int(binary.NativeEndian.Uint64(c))
		level, kind, data := binary.NativeEndian.Uint32(c[8:]), binary.NativeEndian.Uint32(c[12:]), c[16:size]
		c = c[min(len(c), (size+7)&^7):]
		switch {
		case level == socket.SOL_SOCKET && kind == socket.SCM_TIMESTAMPING:
			r.equal("struct scm_timestamping", len(data), 48)
			at := time.Unix(int64(binary.NativeEndian.Uint64(data)), int64(binary.NativeEndian.Uint64(data[8:])))
			text += fmt.Sprintf("%v ago, ", r.net.Now().Sub(at))
		case r.way.family == socket.AF_INET && level == socket.IPPROTO_IP && kind == socket.IP_RECVERR && len(data) == 16+16,
			r.way.family == socket.AF_INET6 && level == socket.IPPROTO_IPV6 && kind == socket.IPV6_RECVERR && len(data) == 16+28:
			text += fmt.Sprintf("error %d, origin %d, code %d: %d, %d", binary.NativeEndian.Uint32(data), data[4], data[6],
				binary.NativeEndian.Uint32(data[8:]), binary.NativeEndian.Uint32(data[12:]))
		default:
			r.Errorf("a control message of level %d, kind %d, %d octets", level, kind, len(data))
		}
	}
	return fmt.Sprintf("%s; flags %#x", text, m.Flags)
}

// told checks what the error queue tells.
func (r *room) told(s *socket.Socket, want ...string) {
	r.Helper()
	for _, w := range want {
		r.equal("the error queue", r.notice(s), w)
	}
}

func (r *room) sendsWith(s *socket.Socket, n, flags int) {
	r.Helper()
	got, err := s.Send(make([]byte, n), flags)
	r.ok("send", err)
	r.equal("sent", got, n)
}

// apart is pair with a way of 100 ms there and back.
func (r *room) apart() (server, client *socket.Socket) {
	r.Helper()
	server, client = r.pair()
	r.ok("delay", r.nick.Cable().SetDelay(hubbub.Both, rtt/2))
	return server, client
}

// MSG_ZEROCOPY, as Linux has it: calls are numbered, and when what they have sent
// is needed no more that is told on the error queue, in ranges. As everywhere where
// the data was copied, the code says so.
func TestZeroCopy(t *testing.T) {
	inRoom(t, func(r *room) {
		_, client := r.apart()
		r.sendsWith(client, 100, socket.MSG_ZEROCOPY) // SO_ZEROCOPY isn't set: it is as if the flag weren't
		r.set(client, socket.SOL_SOCKET, socket.SO_ZEROCOPY, 1)
		r.sendsWith(client, 100, socket.MSG_ZEROCOPY)
		r.sendsWith(client, 5000, socket.MSG_ZEROCOPY|socket.MSG_DONTWAIT)
		r.sendsWith(client, 100, 0)
		r.equal("poll", client.Readiness()&socket.POLLERR, 0)
		r.told(client, "nothing")
		r.takes("the acknowledgement", rtt, func() {
			fds := []socket.PollFD{{Socket: client}}
			n, err := r.nick.Poll(fds, -1)
			r.ok("poll", err)
			r.equal("poll", n, 1)
			r.equal("what holds", fds[0].Revents, socket.POLLERR)
		})
		r.sleep(2 * rtt)
		r.told(client, "error 0, origin 5, code 1: 0, 1; flags 0x2000", "nothing")
		r.sendsWith(client, 1, socket.MSG_ZEROCOPY)
		r.sleep(2 * rtt)
		r.told(client, "error 0, origin 5, code 1: 2, 2; flags 0x2000", "nothing")
		r.has("SO_ERROR", client, socket.SOL_SOCKET, socket.SO_ERROR, 0)
	})
}

// A connection that is over needs nothing any more; a call that fails has no number.
func TestZeroCopyOfWhatIsOver(t *testing.T) {
	inRoom(t, func(r *room) {
		server, client := r.apart()
		r.set(client, socket.SOL_SOCKET, socket.SO_ZEROCOPY, 1)
		r.sendsWith(client, 100, socket.MSG_ZEROCOPY)
		r.set(server, socket.SOL_SOCKET, socket.SO_LINGER, 0)
		r.ok("close", server.Close()) // the reset is on its way, and the data too
		r.sleep(rtt)
		_, err := client.Send([]byte("x"), socket.MSG_ZEROCOPY)
		r.fails("send", err, syscall.ECONNRESET)
		r.told(client, "error 0, origin 5, code 1: 0, 0; flags 0x2000", "nothing")
		_, err = client.Recv(10, socket.MSG_ERRQUEUE)
		r.fails("recv", err, syscall.EAGAIN)
	})
}

// Calls of which nobody reads what becomes of them are limited: ENOBUFS, as where
// Linux's optmem_max is reached.
func TestZeroCopyIsBounded(t *testing.T) {
	inRoom(t, func(r *room) {
		_, client := r.apart()
		r.set(client, socket.SOL_SOCKET, socket.SO_ZEROCOPY, 1)
		for range 1024 {
			r.sendsWith(client, 1, socket.MSG_ZEROCOPY)
		}
		for _, flags := range []int{0, socket.MSG_DONTWAIT} {
			_, err := client.Send([]byte("x"), socket.MSG_ZEROCOPY|flags)
			r.fails("send", err, syscall.ENOBUFS)
		}
		r.sendsWith(client, 1, 0)
		r.sleep(10 * rtt)
		r.told(client, "error 0, origin 5, code 1: 0, 1023; flags 0x2000", "nothing")
		r.sendsWith(client, 1, socket.MSG_ZEROCOPY)
	})
}

const everyStamp = socket.SOF_TIMESTAMPING_TX_SCHED | socket.SOF_TIMESTAMPING_TX_SOFTWARE | socket.SOF_TIMESTAMPING_TX_ACK

// SO_TIMESTAMPING, as Linux has it: when the last octet of what a call has written
// is about to be sent, is sent, and is acknowledged, told with its place in the
// stream.
func TestStamps(t *testing.T) {
	inRoom(t, func(r *room) {
		_, client := r.apart()
		r.set(client, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		r.sendsWith(client, 50, 0)
		r.set(client, socket.SOL_SOCKET, socket.SO_TIMESTAMPING,
			everyStamp|socket.SOF_TIMESTAMPING_SOFTWARE|socket.SOF_TIMESTAMPING_OPT_ID)
		r.sendsWith(client, 100, 0) // the first 50 aren't acknowledged: they count
		r.sleep(3 * rtt / 2)
		r.told(client,
			"150ms ago, error 42, origin 4, code 0: 1, 149; flags 0x2020",
			"150ms ago, error 42, origin 4, code 0: 0, 149; flags 0x2020",
			"50ms ago, error 42, origin 4, code 0: 2, 149; flags 0x2020",
			"nothing")
		r.set(client, socket.SOL_SOCKET, socket.SO_TIMESTAMPING, socket.SOF_TIMESTAMPING_TX_ACK|socket.SOF_TIMESTAMPING_OPT_TSONLY)
		r.sendsWith(client, 100, 0)
		r.told(client, "nothing")
		r.sleep(2 * rtt)
		r.told(client, "error 42, origin 4, code 0: 2, 0; flags 0x2000", "nothing")
	})
}

// What can't be asked for, or not yet, is EINVAL.
func TestStampsThatCannotBe(t *testing.T) {
	inRoom(t, func(r *room) {
		s := r.tcp(r.nick)
		for value, want := range map[int]error{
			socket.SOF_TIMESTAMPING_OPT_ID:     syscall.EINVAL, // of which stream
			socket.SOF_TIMESTAMPING_OPT_ID_TCP: syscall.EINVAL,
			socket.SOF_TIMESTAMPING_OPT_STATS:  syscall.EINVAL,
			1 << 19:                            syscall.EINVAL,
			socket.SOF_TIMESTAMPING_OPT_STATS | socket.SOF_TIMESTAMPING_OPT_TSONLY: syscall.EOPNOTSUPP,
		} {
			r.fails(fmt.Sprintf("%#x", value), s.SetSockOpt(socket.SOL_SOCKET, socket.SO_TIMESTAMPING, value), want)
		}
		r.set(s, socket.SOL_SOCKET, socket.SO_TIMESTAMPING, everyStamp)
		r.has("SO_TIMESTAMPING", s, socket.SOL_SOCKET, socket.SO_TIMESTAMPING, everyStamp)
		_, client := r.pair()
		r.sendsWith(client, 10, 0)
		r.set(client, socket.SOL_SOCKET, socket.SO_TIMESTAMPING,
			socket.SOF_TIMESTAMPING_TX_SOFTWARE|socket.SOF_TIMESTAMPING_OPT_ID|socket.SOF_TIMESTAMPING_OPT_ID_TCP)
		r.sendsWith(client, 1, 0)
		r.told(client, "error 42, origin 4, code 0: 0, 0; flags 0x2020", "nothing")
	})
}

// With EPOLLET every notice is told once, read or not.
func TestNoticesAreEdges(t *testing.T) {
	inRoom(t, func(r *room) {
		_, client := r.apart()
		r.set(client, socket.SOL_SOCKET, socket.SO_ZEROCOPY, 1)
		e := r.nick.NewEpoll()
		r.ok("add", e.Add(client, socket.EPOLLET, 1))
		for range 2 {
			r.sendsWith(client, 1, socket.MSG_ZEROCOPY)
			events := make([]socket.EpollEvent, 2)
			n, err := e.Wait(events, 10*rtt)
			r.ok("wait", err)
			r.equal("events", fmt.Sprint(n, events[0]), fmt.Sprint(1, socket.EpollEvent{Events: socket.POLLERR, Data: 1}))
			n, err = e.Wait(events, rtt)
			r.ok("wait", err)
			r.equal("the same again", n, 0)
		}
		r.told(client, "error 0, origin 5, code 1: 0, 1; flags 0x2000", "nothing")
	})
}
