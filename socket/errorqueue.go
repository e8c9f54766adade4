package socket

import (
	"encoding/binary"
	"syscall"

	"hubbub/clock"
	"hubbub/transport/tcp"
)

// What SO_TIMESTAMPING asks for, in Linux's bits
// (Documentation/networking/timestamping.rst): which moments of what a program
// writes are to be told, and how. The rest is taken and comes to nothing, as on a
// machine whose card has no clock.
const (
	SOF_TIMESTAMPING_TX_SOFTWARE = 1 << 1  // when its last octet is sent
	SOF_TIMESTAMPING_SOFTWARE    = 1 << 4  // the time goes with what is told
	SOF_TIMESTAMPING_OPT_ID      = 1 << 7  // and where in the stream the octet is
	SOF_TIMESTAMPING_TX_SCHED    = 1 << 8  // when its last octet is about to be sent
	SOF_TIMESTAMPING_TX_ACK      = 1 << 9  // when all of it is acknowledged
	SOF_TIMESTAMPING_OPT_TSONLY  = 1 << 11 // without the packet
	SOF_TIMESTAMPING_OPT_STATS   = 1 << 12 // EOPNOTSUPP
	SOF_TIMESTAMPING_OPT_ID_TCP  = 1 << 16 // with OPT_ID: octets are counted from what is written next

	stampingMask = 1<<19 - 1
	stampingOut  = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK
)

// SCM_TIMESTAMPING is the control message, of level SOL_SOCKET, with the time: struct
// scm_timestamping, of whose three times the first counts.
const SCM_TIMESTAMPING = SO_TIMESTAMPING

// What is told of: ee_origin of struct sock_extended_err.
const (
	SO_EE_ORIGIN_TIMESTAMPING = 4
	SO_EE_ORIGIN_ZEROCOPY     = 5
)

// SO_EE_CODE_ZEROCOPY_COPIED says that what was to be sent without a copy was
// copied: it always is.
const SO_EE_CODE_ZEROCOPY_COPIED = 1

// Which moment is told of: ee_info of what has SO_EE_ORIGIN_TIMESTAMPING.
const (
	SCM_TSTAMP_SND   = 0
	SCM_TSTAMP_SCHED = 1
	SCM_TSTAMP_ACK   = 2
)

// An errorQueue is what RecvMsg reads with MSG_ERRQUEUE, and what is to come
// there. Only TCP has one: what a datagram's way ends in is told by the calls
// themselves.
type errorQueue struct {
	marks   []mark
	notices []notice
	numbers uint32 // of the calls with MSG_ZEROCOPY
	begin   uint64 // where in the stream OPT_ID counts from
	ever    uint64 // how many notices were put here
}

// A mark is the end of what one call has written.
type mark struct {
	end    uint64 // in the stream
	stamps uint32 // that are still to be told
	number uint32 // of a call with MSG_ZEROCOPY
	zero   bool
}

// A notice waits to be read. Of stamps info is the moment and data the octet; of
// calls with MSG_ZEROCOPY they are the first and the last of a range.
type notice struct {
	at         clock.Time
	info, data uint32
	zero       bool
}

// mostNotices bounds both what waits to be told and what waits to be read.
const mostNotices = 1024

// numbered notes that a call has written up to the end of what was written, if
// something is to be told of it. Whatever has happened to it already is told.
func (s *Socket) numbered(now clock.Time, flags, written int) {
	zero, stamps := s.zeroCopy(flags), s.more().stamping&stampingOut
	if written == 0 || !zero && stamps == 0 || s.connection() == nil {
		return
	}
	q := s.errors()
	m := mark{end: s.connection().Written(), stamps: stamps, zero: zero, number: q.numbers}
	if zero {
		q.numbers++
	}
	if len(q.marks) < mostNotices {
		q.marks = append(q.marks, m)
	}
	s.tellProgress(now)
}

// zeroCopy reports whether a call with these flags is told of when its data is
// needed no more: with SO_ZEROCOPY only, as on Linux.
func (s *Socket) zeroCopy(flags int) bool {
	return flags&MSG_ZEROCOPY != 0 && s.tcp != nil && s.more().kept[place{SOL_SOCKET, SO_ZEROCOPY}] != 0
}

// tooMany reports whether a call with these flags can't be told of any more.
func (s *Socket) tooMany(flags int) bool {
	q := s.more().errors
	return q != nil && s.zeroCopy(flags) && len(q.marks) >= mostNotices
}

func (s *Socket) errors() *errorQueue {
	if m := s.change(); m.errors == nil {
		m.errors = new(errorQueue)
	}
	return s.rare.errors
}

// tellProgress tells what has come about since it was called last.
func (s *Socket) tellProgress(now clock.Time) {
	q := s.more().errors
	if q == nil || len(q.marks) == 0 {
		return
	}
	c, sent, acked, over := s.connection(), uint64(0), uint64(0), true
	if c != nil {
		over = c.State() == tcp.StateClosed
		sent, acked = c.Written()-uint64(c.Unsent()), c.Written()-uint64(c.Unacknowledged())
	}
	left := q.marks[:0]
	for _, m := range q.marks {
		if !q.reached(now, &m, m.end <= sent, m.end <= acked, over) {
			left = append(left, m)
		}
	}
	q.marks = left
}

// reached tells what has happened to what a call has written, and reports whether
// there is no more to be told.
func (q *errorQueue) reached(now clock.Time, m *mark, sent, acked, over bool) bool {
	tell := func(holds bool, bit, moment uint32) {
		if holds && m.stamps&bit != 0 {
			m.stamps &^= bit
			q.put(notice{at: now, info: moment, data: uint32(m.end - 1 - q.begin)})
		}
	}
	tell(sent || acked, SOF_TIMESTAMPING_TX_SCHED, SCM_TSTAMP_SCHED)
	tell(sent || acked, SOF_TIMESTAMPING_TX_SOFTWARE, SCM_TSTAMP_SND)
	tell(acked, SOF_TIMESTAMPING_TX_ACK, SCM_TSTAMP_ACK)
	if m.zero && (acked || over) {
		m.zero = false
		q.put(notice{at: now, info: m.number, data: m.number, zero: true})
	}
	return over || m.stamps == 0 && !m.zero
}

// put queues a notice. Calls whose numbers follow one another share one.
func (q *errorQueue) put(n notice) {
	q.ever++
	if last := len(q.notices) - 1; n.zero && last >= 0 && q.notices[last].zero && q.notices[last].data+1 == n.info {
		q.notices[last].data = n.data
		return
	}
	if len(q.notices) < mostNotices || n.zero {
		q.notices = append(q.notices, n)
	}
}

// failing reports whether there is something to be read with MSG_ERRQUEUE.
func (s *Socket) failing() bool {
	q := s.more().errors
	return q != nil && len(q.notices) > 0
}

// notices returns how many notices there ever were.
func (s *Socket) notices() uint64 {
	if q := s.more().errors; q != nil {
		return q.ever
	}
	return 0
}

// recvNotice is RecvMsg with MSG_ERRQUEUE, which never waits: EAGAIN says that
// there is nothing to be told.
func (s *Socket) recvNotice(m *Message, room int) error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	s.tellProgress(now)
	if !s.failing() {
		return syscall.EAGAIN
	}
	q := s.rare.errors
	n := q.notices[0]
	q.notices = append(q.notices[:0], q.notices[1:]...)
	s.tellNotice(m, room, &n)
	return nil
}

// tellNotice writes what struct scm_timestamping and struct sock_extended_err
// say. Of the packet, which Linux gives as the message's data unless that is
// declined, nothing is left: it is as if it had been cut.
func (s *Socket) tellNotice(m *Message, room int, n *notice) {
	const stampLen, times = 16, 3
	m.Flags |= MSG_ERRQUEUE
	e := extendedError{origin: SO_EE_ORIGIN_ZEROCOPY, code: SO_EE_CODE_ZEROCOPY_COPIED, info: n.info, data: n.data}
	if !n.zero {
		asked := s.more().stamping
		if asked&SOF_TIMESTAMPING_OPT_TSONLY == 0 {
			m.Flags |= MSG_TRUNC
		}
		if asked&SOF_TIMESTAMPING_SOFTWARE != 0 {
			at := s.host.epoch.Add(clock.Duration(n.at))
			b := binary.NativeEndian.AppendUint64(make([]byte, 0, times*stampLen), uint64(at.Unix()))
			b = binary.NativeEndian.AppendUint64(b, uint64(at.Nanosecond()))
			m.put(room, SOL_SOCKET, SCM_TIMESTAMPING, b[:times*stampLen])
		}
		e = extendedError{errno: syscall.ENOMSG, origin: SO_EE_ORIGIN_TIMESTAMPING, info: n.info}
		if asked&SOF_TIMESTAMPING_OPT_ID != 0 {
			e.data = n.data
		}
	}
	if s.family == AF_INET6 {
		m.put(room, IPPROTO_IPV6, IPV6_RECVERR, e.bytes(sockaddrIn6Len))
	} else {
		m.put(room, IPPROTO_IP, IP_RECVERR, e.bytes(sockaddrInLen))
	}
}

// extendedError is struct sock_extended_err of ip(7).
type extendedError struct {
	errno        syscall.Errno
	origin, code byte
	info, data   uint32
}

// bytes returns it with room for the address of who reported it: nobody did.
func (e *extendedError) bytes(address uintptr) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(e.errno))
	b = append(b, e.origin, 0, e.code, 0)
	b = binary.NativeEndian.AppendUint32(b, e.info)
	b = binary.NativeEndian.AppendUint32(b, e.data)
	return append(b, make([]byte, address)...)
}

func (s *Socket) stamping(clock.Time) (int, error) { return int(s.more().stamping), nil }

// setStamping is SO_TIMESTAMPING. As on Linux, octets are counted from the first
// that isn't acknowledged, or with OPT_ID_TCP from the next that is written; and
// there is none to begin with before there is a connection.
func (s *Socket) setStamping(_ clock.Time, v int) error {
	c := s.connection()
	begins := v&SOF_TIMESTAMPING_OPT_ID != 0 && s.more().stamping&SOF_TIMESTAMPING_OPT_ID == 0 && s.kind == SOCK_STREAM && s.tcp != nil
	switch {
	case v&^stampingMask != 0,
		v&SOF_TIMESTAMPING_OPT_ID_TCP != 0 && v&SOF_TIMESTAMPING_OPT_ID == 0,
		begins && (c == nil || c.State() == tcp.StateClosed),
		v&SOF_TIMESTAMPING_OPT_STATS != 0 && v&SOF_TIMESTAMPING_OPT_TSONLY == 0:
		return syscall.EINVAL
	case v&SOF_TIMESTAMPING_OPT_STATS != 0:
		return syscall.EOPNOTSUPP
	}
	if begins {
		s.errors().begin = c.Written()
		if v&SOF_TIMESTAMPING_OPT_ID_TCP == 0 {
			s.errors().begin -= uint64(c.Unacknowledged())
		}
	}
	s.change().stamping = uint32(v)
	return nil
}

// How long struct sockaddr_in and sockaddr_in6 are on Linux.
const sockaddrInLen, sockaddrIn6Len = 16, 28
