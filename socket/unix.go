package socket

import (
	"io"
	"slices"
	"syscall"

	"hubbub/internal/pkt"
	"hubbub/sim"
)

// unixBuffer is how many bytes, and unixDatagrams how many datagrams, may
// wait at one end of a connection within a machine.
const (
	unixBuffer    = 208 << 10
	unixDatagrams = 278 // 10 with Linux's default, raised to what its buffer would hold of small ones
)

// unixEnd is an end of a conversation within one machine (unix(7)): no
// protocol, just two queues.
type unixEnd struct {
	socket *Socket
	path   string // it is bound to
	peer   *unixEnd

	arrived  uint64         // octets, datagrams or connections, ever
	stream   pkt.Queue      // what the peer has written
	messages []unixDatagram // of a datagram socket
	waiting  int            // their bytes
	ended    bool           // the peer writes no more
	shut     bool           // this end writes no more
	reset    bool           // the peer closed without having read everything
	backlog  int            // of a listener, zero for others
	pending  []*Socket
}

type unixDatagram struct {
	from string
	data pkt.View
}

func newUnixEnd(s *Socket) *unixEnd { return &unixEnd{socket: s} }

func (u *unixEnd) bind(path string) error {
	h := u.socket.host
	switch {
	case u.path != "" || path == "":
		return syscall.EINVAL
	case h.unix[path] != nil:
		return syscall.EADDRINUSE
	}
	u.path = path
	h.unix[path] = u.socket
	return nil
}

func (u *unixEnd) listen(backlog int) error {
	switch {
	case u.socket.kind != SOCK_STREAM:
		return syscall.EOPNOTSUPP
	case u.path == "":
		return syscall.EINVAL
	}
	u.backlog = max(1, min(backlog, 4096))
	return nil
}

// connectPath joins the socket to whoever is bound to path. It waits while a
// listener's backlog is full.
func (s *Socket) connectPath(path string) error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	until := s.untilWrite(now)
	for {
		full, err := s.other.unix.connect(path)
		if err == nil && full != nil {
			err = s.waitFor(full, &s.writeDeadline, until)
			if err == nil {
				continue
			}
		}
		s.tell("connect", 0, "%s", err, path)
		return err
	}
}

// connect joins the end to whoever is bound to path. If the backlog there is
// full it returns where to wait until it isn't.
func (u *unixEnd) connect(path string) (full *sim.WaitList, err error) {
	there := u.socket.host.unix[path]
	switch {
	case there == nil:
		return nil, syscall.ENOENT
	case there.kind != u.socket.kind:
		return nil, syscall.EPROTOTYPE
	case u.socket.kind == SOCK_DGRAM:
		u.peer = there.other.unix
		return nil, nil
	case u.peer != nil || u.ended:
		return nil, syscall.EISCONN
	case there.other.unix.backlog == 0:
		return nil, syscall.ECONNREFUSED
	case len(there.other.unix.pending) > there.other.unix.backlog:
		return &there.writable, nil
	}
	h := u.socket.host
	served := h.newSocket(AF_UNIX, SOCK_STREAM)
	served.other = &other{unix: &unixEnd{socket: served, path: path, peer: u}}
	h.add(served)
	u.peer = served.other.unix
	there.other.unix.pending = append(there.other.unix.pending, served)
	there.other.unix.arrived++
	there.wake()
	return nil, nil
}

func (u *unixEnd) accept() (*Socket, error) {
	if u.socket.kind != SOCK_STREAM {
		return nil, syscall.EOPNOTSUPP
	}
	if u.backlog == 0 {
		return nil, syscall.EINVAL
	}
	if len(u.pending) == 0 {
		return nil, nil
	}
	s := u.pending[0]
	u.pending = slices.Delete(u.pending, 0, 1)
	u.socket.writable.WakeAll() // who waits for room in the backlog
	return s, nil
}

func (u *unixEnd) canRead() bool {
	return len(u.pending) > 0 || u.stream.Len() > 0 || len(u.messages) > 0 || u.ended || u.reset
}

func (u *unixEnd) canWrite() bool { return u.room() > 0 }

func (u *unixEnd) room() int {
	switch {
	case u.peer == nil, u.peer.socket.closed, u.shut:
		return 1 // to find out why not
	}
	return max(0, unixBuffer-u.peer.stream.Len())
}

func (u *unixEnd) take(views []pkt.View, n int) (count int, err error) {
	for count < len(views) && n > 0 && u.stream.Len() > 0 {
		views[count] = u.stream.Take(n)
		n -= views[count].Len()
		count++
	}
	switch {
	case count > 0:
		if u.peer != nil {
			u.peer.socket.wake()
		}
		return count, nil
	case u.reset:
		u.reset = false
		return 0, syscall.ECONNRESET
	case u.ended:
		return 0, io.EOF
	case u.peer == nil:
		return 0, syscall.EINVAL // as on Linux
	}
	return 0, nil
}

func (u *unixEnd) put(b []byte) (int, error) {
	switch {
	case u.peer == nil && !u.ended:
		return 0, syscall.ENOTCONN
	case u.shut || u.peer == nil || u.peer.socket.closed:
		return 0, syscall.EPIPE
	}
	n := min(len(b), u.room())
	u.peer.stream.AppendBytes(b[:n])
	u.peer.arrived += uint64(n)
	u.peer.socket.wake()
	return n, nil
}

// send puts a datagram into the queue of whoever is bound to path, else of the
// peer. If that is full it returns where to wait until it isn't.
func (u *unixEnd) send(b []byte, path string) (full *sim.WaitList, err error) {
	to := u.peer
	if path != "" {
		there := u.socket.host.unix[path]
		if there == nil {
			return nil, syscall.ENOENT
		}
		to = there.other.unix
	}
	switch {
	case u.shut:
		return nil, syscall.EPIPE
	case to == nil:
		return nil, syscall.ENOTCONN
	case to.socket.closed:
		u.peer = nil
		return nil, syscall.ECONNREFUSED
	case to.socket.kind != SOCK_DGRAM:
		return nil, syscall.EPROTOTYPE
	case to.peer != nil && to.peer != u:
		return nil, syscall.EPERM // it has another peer
	case len(b) > min(pkt.MaxView, unixBuffer):
		return nil, syscall.EMSGSIZE
	case to.waiting+len(b) > unixBuffer || len(to.messages) >= unixDatagrams:
		return &to.socket.writable, nil
	}
	to.messages = append(to.messages, unixDatagram{u.path, pkt.CopyView(b)})
	to.waiting += len(b)
	to.arrived++
	to.socket.wake()
	return nil, nil
}

// receive takes the datagram that has waited longest, or just shows it.
func (u *unixEnd) receive(peek bool) (unixDatagram, bool) {
	if len(u.messages) == 0 {
		return unixDatagram{}, u.ended
	}
	d := u.messages[0]
	if peek {
		return d, true
	}
	u.messages = slices.Delete(u.messages, 0, 1)
	u.waiting -= d.data.Len()
	u.socket.writable.WakeAll() // who waits for room here
	return d, true
}

// shutdown closes a direction; without a peer there is nobody to be told.
func (u *unixEnd) shutdown(how How) error {
	if how != SHUT_WR {
		u.socket.readShut = true
		u.ended = true
		u.socket.wake()
	}
	if how != SHUT_RD {
		u.shut = true
		if u.peer != nil && u.socket.kind == SOCK_STREAM {
			u.peer.ended = true
			u.peer.socket.wake()
		}
	}
	return nil
}

// close leaves the peer what it has not read yet, and then the end.
func (u *unixEnd) close() {
	if h := u.socket.host; h.unix[u.path] == u.socket {
		delete(h.unix, u.path)
	}
	for _, s := range u.pending {
		s.closed = true
		s.host.remove(s)
		s.other.unix.close()
	}
	if p := u.peer; p != nil && u.socket.kind == SOCK_STREAM {
		p.ended = true
		p.reset = u.stream.Len() > 0
		p.socket.wake()
	}
	u.stream.Reset()
	for _, d := range u.messages {
		d.data.Release()
	}
	u.messages, u.pending, u.waiting = nil, nil, 0
}
