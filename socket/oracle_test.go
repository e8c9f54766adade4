package socket_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubbub"
	"hubbub/socket"
)

// What a sequence of calls returns is compared with what the Linux kernel's
// own sockets return, over the loopback interface of either. All sockets
// don't wait. A line is a call: its name, the socket's name, arguments. What a
// call returns is a number, bytes, or the name of an errno.
//
//	tcp A; udp A                  a socket
//	bind A [B]                    to 127.0.0.1 and a free port, or to B's address
//	listen A 5
//	connect A B                   to B's address
//	accept A B                    A is a new socket, of the listener B
//	send A text flags; recv A 10 flags; sendto A text B
//	shutdown A 0
//	close A
//	poll A                        all conditions of poll(2)
//	set A level name value; get A level name size
//	ioctl A request
//	settle                        a little time
//	epoll E; add E A events; mod E A events; del E A; wait E
type api interface {
	open(name string, udp bool) error
	bind(name, at string) error
	listen(name string, backlog int) error
	connect(name, to string) error
	accept(name, from string) error
	send(name, text string, flags int) (int, error)
	sendto(name, text, to string) (int, error)
	recv(name string, n, flags int) (string, error)
	shutdown(name string, how int) error
	close(name string) error
	poll(name string) int
	set(name string, level, option int, value []byte) error
	get(name string, level, option, size int) ([]byte, error)
	ioctl(name string, request int) (int, error)
	epoll(name string)
	control(op int, epoll, name string, events uint32) error
	wait(name string) (string, error)
	settle()
}

// plays runs a script, and returns a line for each call.
func plays(a api, script string) (lines []string) {
	for _, line := range strings.Split(script, ";") {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " ")+": "+call(a, words))
		}
	}
	return lines
}

func call(a api, w []string) string {
	text := func(i int) string {
		if i < len(w) {
			return w[i]
		}
		return ""
	}
	num := func(i int) int {
		n, _ := strconv.ParseInt(text(i), 0, 64)
		return int(n)
	}
	switch w[0] {
	case "tcp", "udp":
		return result(0, a.open(w[1], w[0] == "udp"))
	case "bind":
		return result(0, a.bind(w[1], text(2)))
	case "listen":
		return result(0, a.listen(w[1], num(2)))
	case "connect":
		return result(0, a.connect(w[1], w[2]))
	case "accept":
		return result(0, a.accept(w[1], w[2]))
	case "send":
		return result(a.send(w[1], strings.ReplaceAll(text(2), "-", ""), num(3)))
	case "fill": // until there is no room
		for i := 0; ; i++ {
			if _, err := a.send(w[1], strings.Repeat("x", 4096), 0); err != nil || i == 1<<16 {
				return result(0, err)
			}
		}
	case "drain": // until there is nothing
		for {
			if s, err := a.recv(w[1], 1<<20, 0); err != nil || s == "" {
				return result(0, err)
			}
		}
	case "sendto":
		return result(a.sendto(w[1], w[2], w[3]))
	case "recv":
		s, err := a.recv(w[1], num(2), num(3))
		return strconv.Quote(s) + " " + result(0, err)
	case "shutdown":
		return result(0, a.shutdown(w[1], num(2)))
	case "close":
		return result(0, a.close(w[1]))
	case "poll":
		return conditions(a.poll(w[1]))
	case "set":
		v := make([]byte, 4)
		v[0], v[1], v[2], v[3] = byte(num(4)), byte(num(4)>>8), byte(num(4)>>16), byte(num(4)>>24)
		return result(0, a.set(w[1], num(2), num(3), v))
	case "setbytes":
		v, _ := hex.DecodeString(text(4))
		return result(0, a.set(w[1], num(2), num(3), v))
	case "get":
		v, err := a.get(w[1], num(2), num(3), num(4))
		return hex.EncodeToString(v) + " " + result(0, err)
	case "ioctl":
		return result(a.ioctl(w[1], num(2)))
	case "settle":
		a.settle()
		return ""
	case "epoll":
		a.epoll(w[1])
		return ""
	case "add", "mod", "del":
		op := map[string]int{"add": syscall.EPOLL_CTL_ADD, "mod": syscall.EPOLL_CTL_MOD, "del": syscall.EPOLL_CTL_DEL}[w[0]]
		return result(0, a.control(op, w[1], w[2], uint32(num(3))))
	case "wait":
		s, err := a.wait(w[1])
		return s + " " + result(0, err)
	}
	return "what is that?"
}

func result(n int, err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return strconv.Itoa(n)
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, net.ErrClosed):
		return syscall.EBADF.Error()
	}
	return err.Error()
}

// conditions writes the conditions that Linux and POSIX have in common.
func conditions(mask int) string {
	text := ""
	for _, c := range []struct {
		bit  int
		name string
	}{
		{socket.POLLIN, "IN"},
		{socket.POLLPRI, "PRI"},
		{socket.POLLOUT, "OUT"},
		{socket.POLLERR, "ERR"},
		{socket.POLLHUP, "HUP"},
		{socket.POLLNVAL, "NVAL"},
		{socket.POLLRDNORM, "RDNORM"},
		{socket.POLLWRNORM, "WRNORM"},
		{socket.POLLRDHUP, "RDHUP"},
	} {
		if mask&c.bit != 0 {
			text += " " + c.name
		}
	}
	return strings.TrimSpace(text)
}

// sameAsKernel plays a script on both, and compares.
func sameAsKernel(t *testing.T, name, script string) {
	t.Helper()
	for _, w := range []*way{overIPv4, overIPv6, overMapped} {
		sameOver(t, w, name+"/"+w.name, script)
	}
}

func sameOver(t *testing.T, w *way, name, script string) {
	t.Run(name, func(t *testing.T) {
		k := newKernel(t, w)
		want := plays(k, script)
		k.end()
		run(t, w, func(r *room) {
			o := &ours{room: r, host: r.nick, sockets: map[string]*socket.Socket{}, sets: map[string]*socket.Epoll{}, names: map[*socket.Socket]string{}}
			got := plays(o, script)
			for i := range want {
				if got[i] != want[i] {
					r.Errorf("call %d: %s\n    Linux: %s", i, got[i], want[i])
				}
			}
		}, hubbub.Virtual())
	})
}

// ours is a host of this network.
type ours struct {
	room    *room
	host    *hubbub.Host
	sockets map[string]*socket.Socket
	sets    map[string]*socket.Epoll
	names   map[*socket.Socket]string
	ids     []string
}

func (o *ours) keep(name string, s *socket.Socket) {
	s.SetBlocking(false)
	o.sockets[name], o.names[s] = s, name
}

func (o *ours) open(name string, udp bool) error {
	kind := socket.SOCK_STREAM
	if udp {
		kind = socket.SOCK_DGRAM
	}
	s, err := o.host.Socket(o.room.way.family, kind)
	if err == nil {
		o.keep(name, s)
	}
	return err
}

func (o *ours) bind(name, at string) error {
	if at == "" {
		if o.room.way == overIPv6 {
			return o.sockets[name].Bind("[::1]:0")
		}
		return o.sockets[name].Bind(o.room.at("127.0.0.1:0"))
	}
	return o.sockets[name].Bind(o.address(at))
}

func (o *ours) address(name string) string {
	a, _ := o.sockets[name].GetSockName()
	return a
}
func (o *ours) listen(name string, n int) error   { return o.sockets[name].Listen(n) }
func (o *ours) connect(name, to string) error     { return o.sockets[name].Connect(o.address(to)) }
func (o *ours) shutdown(name string, h int) error { return o.sockets[name].Shutdown(socket.How(h)) }
func (o *ours) close(name string) error           { return o.sockets[name].Close() }
func (o *ours) poll(name string) int              { return o.sockets[name].Readiness() }

func (o *ours) accept(name, from string) error {
	s, _, err := o.sockets[from].Accept()
	if err == nil {
		o.keep(name, s)
	}
	return err
}

func (o *ours) send(name, text string, flags int) (int, error) {
	return o.sockets[name].Send([]byte(text), flags)
}

func (o *ours) sendto(name, text, to string) (int, error) {
	return o.sockets[name].SendTo([]byte(text), o.address(to))
}

func (o *ours) recv(name string, n, flags int) (string, error) {
	m := socket.Message{Buffers: [][]byte{make([]byte, n)}}
	got, err := o.sockets[name].RecvMsg(&m, flags)
	return told(m.Buffers[0], got, m.Flags), err
}

// told tells what was received: the bytes, how many they were said to be, and
// the flags of the result.
func told(b []byte, n, flags int) string {
	text := strings.TrimRight(string(b[:min(n, len(b))]), "\x00")
	if n != len(text) {
		text += fmt.Sprintf("(%d)", n)
	}
	if flags != 0 {
		text += fmt.Sprintf("(%#x)", flags)
	}
	return text
}

func (o *ours) set(name string, level, option int, value []byte) error {
	return o.sockets[name].SetSockOptBytes(level, option, value)
}

func (o *ours) get(name string, level, option, size int) ([]byte, error) {
	return o.sockets[name].GetSockOptBytes(level, option, size)
}

func (o *ours) ioctl(name string, request int) (int, error) { return o.sockets[name].Ioctl(request) }
func (o *ours) epoll(name string)                           { o.sets[name] = o.host.NewEpoll() }

func (o *ours) control(op int, epoll, name string, events uint32) error {
	e, s := o.sets[epoll], o.sockets[name]
	o.ids = append(o.ids, name)
	id := uint64(len(o.ids) - 1)
	switch op {
	case syscall.EPOLL_CTL_ADD:
		return e.Add(s, events, id)
	case syscall.EPOLL_CTL_MOD:
		return e.Modify(s, events, id)
	}
	return e.Delete(s)
}

func (o *ours) settle() { o.room.sleep(time.Second) }

func (o *ours) wait(name string) (string, error) {
	events := make([]socket.EpollEvent, 10)
	n, err := o.sets[name].Wait(events, 0)
	text := ""
	for _, e := range events[:n] {
		text += " " + o.ids[e.Data] + ":" + conditions(int(e.Events))
	}
	return text, err
}
