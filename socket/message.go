package socket

import (
	"encoding/binary"
	"io"
	"net/netip"
	"syscall"

	"hubbub/stack"
	"hubbub/transport/tcp"
)

// A Message is what RecvMsg and SendMsg move: data in several buffers, and what
// there is to say about it.
type Message struct {
	// Buffers are filled, or sent, one after the other.
	Buffers [][]byte
	// Control is room for control messages, which RecvMsg cuts to what it has
	// put there: each as Linux's struct cmsghdr on x86-64 and its data.
	Control []byte
	// Addr is a datagram's other end, Path that of family AF_UNIX. SendMsg
	// sends to the peer if neither is set.
	Addr netip.AddrPort
	Path string
	// Flags are those of RecvMsg's result: MSG_TRUNC, MSG_CTRUNC, MSG_OOB.
	Flags int
}

func (m *Message) len() (n int) {
	for _, b := range m.Buffers {
		n += len(b)
	}
	return n
}

// mostAtOnce is how much RecvMsg moves at most into several buffers.
const mostAtOnce = 1 << 20

// whole returns one buffer as long as all of the message's, but not longer than
// most, or the only one.
func (m *Message) whole(most int) []byte {
	if len(m.Buffers) == 1 {
		return m.Buffers[0]
	}
	return make([]byte, min(m.len(), most))
}

// RecvMsg receives into the message's buffers, and tells what there is to be
// told: recvmsg(2), and readv(2). It returns how many bytes that was, as Recv
// does: 0 at the end of a stream. flags are those of Recv, and MSG_TRUNC.
func (s *Socket) RecvMsg(m *Message, flags int) (int, error) {
	b := m.whole(mostAtOnce)
	room := m.Control
	m.Control, m.Flags, m.Addr, m.Path = room[:0], 0, netip.AddrPort{}, ""
	var n int
	var err error
	if flags&MSG_ERRQUEUE != 0 {
		return 0, failed("recvmsg", s.recvNotice(m, len(room)))
	}
	if s.kind == SOCK_STREAM {
		n, m.Flags, err = s.recvFlags(b, flags)
	} else {
		var from origin
		n, from, err = s.receiveOne(b, flags)
		m.Flags, m.Addr, m.Path = from.flags, from.from, from.path
		s.tellOrigin(m, cap(room), &from)
	}
	if err == io.EOF {
		err = nil
	}
	if err != nil {
		return 0, failed("recvmsg", err)
	}
	s.tellUnread(m, len(room))
	if len(m.Buffers) > 1 && flags&MSG_TRUNC == 0 {
		scatter(m.Buffers, b[:n])
	} else if len(m.Buffers) > 1 && s.kind != SOCK_STREAM {
		scatter(m.Buffers, b[:min(n, len(b))])
	}
	return n, nil
}

func scatter(to [][]byte, b []byte) {
	for _, part := range to {
		b = b[copy(part, b):]
	}
}

// tellUnread tells how much is left to be read, if that was asked for with
// TCP_INQ; the end of the stream counts as one.
func (s *Socket) tellUnread(m *Message, room int) {
	c := s.connection()
	if c == nil || room == 0 || !s.more().tellUnread {
		return
	}
	s.host.world.Enter()
	left := c.Readable() + toInt(c.Ready()&tcp.ReadyPeerClosed != 0)
	s.host.world.Unlock()
	m.put(room, IPPROTO_TCP, TCP_CM_INQ, binary.NativeEndian.AppendUint32(nil, uint32(left)))
}

// tellOrigin tells what was asked for about a datagram's header.
func (s *Socket) tellOrigin(m *Message, room int, from *origin) {
	if s.rare == nil || !from.datagrams {
		return
	}
	if s.family == AF_INET6 {
		s.tellOrigin6(m, room, from)
	}
	if s.rare.tellTo && from.to.Addr().Unmap().Is4() {
		b := binary.NativeEndian.AppendUint32(nil, uint32(from.port))
		to := from.to.Addr().Unmap().As4()
		m.put(room, IPPROTO_IP, IP_PKTINFO, append(append(b, to[:]...), to[:]...))
	}
	if s.rare.tellTTL {
		m.put(room, IPPROTO_IP, IP_TTL, binary.NativeEndian.AppendUint32(nil, uint32(from.ttl)))
	}
	if s.rare.tellTOS {
		m.put(room, IPPROTO_IP, IP_TOS, []byte{from.tos})
	}
}

// tellOrigin6 tells what was asked for about the header of a datagram that a
// socket of AF_INET6 has heard (RFC 3542, 6).
func (s *Socket) tellOrigin6(m *Message, room int, from *origin) {
	if s.rare.tellTo6 {
		to := from.to.Addr().As16()
		m.put(room, IPPROTO_IPV6, IPV6_PKTINFO, binary.NativeEndian.AppendUint32(to[:], uint32(from.port)))
	}
	if s.rare.tellHops {
		m.put(room, IPPROTO_IPV6, IPV6_HOPLIMIT, binary.NativeEndian.AppendUint32(nil, uint32(from.ttl)))
	}
	if s.rare.tellClass {
		m.put(room, IPPROTO_IPV6, IPV6_TCLASS, binary.NativeEndian.AppendUint32(nil, uint32(from.tos)))
	}
}

// controlHead is the length of a struct cmsghdr, to a multiple of which the
// next is aligned.
const (
	controlHead  = 16
	controlAlign = 8
)

// put appends a control message, as much as there is room for.
func (m *Message) put(room, level, kind int, data []byte) {
	left := room - len(m.Control)
	if left < controlHead {
		m.Flags |= MSG_CTRUNC
		return
	}
	n := controlHead + len(data)
	if n > left {
		m.Flags |= MSG_CTRUNC
		n = left
	}
	le := binary.NativeEndian
	b := le.AppendUint64(m.Control, uint64(n))
	b = le.AppendUint32(b, uint32(level))
	b = le.AppendUint32(b, uint32(kind))
	b = append(b, data[:n-controlHead]...)
	for len(b)%controlAlign != 0 && len(b) < room {
		b = append(b, 0)
	}
	m.Control = b
}

// SendMsg sends what is in the message's buffers as if it were in one:
// sendmsg(2), and writev(2). flags are those of Send. Control messages say where a
// datagram leaves, from which address, with which TTL and type of service:
// IP_PKTINFO, IP_TTL, IP_TOS, IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS; EINVAL says
// that one is wrong. MSG_FASTOPEN
// connects a stream to Addr, with data in the SYN if the server has given a
// cookie before (RFC 7413).
func (s *Socket) SendMsg(m *Message, flags int) (int, error) {
	if !wellFormed(m.Control) {
		return 0, failed("sendmsg", syscall.EINVAL)
	}
	b := m.whole(m.len())
	if len(m.Buffers) > 1 {
		gather(b, m.Buffers)
	}
	var n int
	var err error
	switch {
	case s.tcp != nil && flags&MSG_FASTOPEN != 0:
		n, err = s.sendEarly(b, m.Addr, flags)
	case s.kind == SOCK_STREAM:
		n, err = s.send(b, flags)
	case s.other.unix != nil:
		n, err = s.sendMessage(b, m.Path)
	default:
		var a *stack.Ancillary
		if a, err = s.ancillary(m.Control); err == nil {
			n, err = s.sendWith(b, m.Addr, a)
		}
	}
	return n, failed("sendmsg", err)
}

func gather(b []byte, from [][]byte) {
	for _, part := range from {
		b = b[copy(b, part):]
	}
}

// wellFormed reports whether control messages are as long as they say.
func wellFormed(control []byte) bool {
	for len(control) >= controlHead {
		n := binary.NativeEndian.Uint64(control)
		if n < controlHead || n > uint64(len(control)) {
			return false
		}
		control = control[min(len(control), int(n+controlAlign-1)&^(controlAlign-1)):]
	}
	return true
}
