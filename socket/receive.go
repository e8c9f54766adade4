package socket

import (
	"errors"
	"io"
	"syscall"

	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
)

func (s *Socket) recv(b []byte, flags int) (int, error) {
	n, _, err := s.recvFlags(b, flags)
	return n, err
}

// recvFlags receives as flags say, and returns the flags of the result too.
func (s *Socket) recvFlags(b []byte, flags int) (n, result int, err error) {
	switch {
	case flags&MSG_ERRQUEUE != 0:
		var m Message
		err := s.recvNotice(&m, 0)
		return 0, m.Flags, err
	case flags&MSG_OOB != 0:
		return s.recvUrgent(b, flags)
	case s.kind != SOCK_STREAM:
		n, from, err := s.receiveOne(b, flags)
		return n, from.flags, err
	case len(b) == 0:
		return 0, 0, s.readNothing()
	case flags&MSG_WAITALL != 0 && flags&(MSG_PEEK|MSG_DONTWAIT) == 0:
		n, err = s.recvAll(b, flags)
	case flags&MSG_PEEK != 0:
		n, err = s.peek(b, flags)
	case flags&(MSG_DONTWAIT|MSG_TRUNC) == 0:
		n, err = s.readStream(b)
	default:
		n, err = s.recvHere(b, flags)
	}
	return n, 0, err
}

// readNothing is a read of no bytes: it tells what reading would come to, and
// never waits.
func (s *Socket) readNothing() error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	_, err = s.take(now, nil, 0)
	switch arrived := s.holds()&POLLIN != 0; {
	case errors.Is(err, io.EOF), arrived, err == nil && !s.nonblocking:
		return nil
	case err != nil:
		return err
	}
	return syscall.EAGAIN
}

// recvAll fills b. It returns less at the end of the stream, and where an
// error or the time-out comes after something was read.
func (s *Socket) recvAll(b []byte, flags int) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		if flags&MSG_TRUNC != 0 {
			more, err = s.recvHere(b[n:], flags)
		} else {
			more, err = s.readStream(b[n:])
		}
		n += more
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// recvHere reads what there is, waiting for the first of it unless it is not
// to wait; MSG_TRUNC drops it.
func (s *Socket) recvHere(b []byte, flags int) (n int, err error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	until := s.untilRead(now)
	for {
		var views [readViews]pkt.View
		count, err := s.take(now, views[:], len(b))
		if count > 0 || err != nil || len(b) == 0 {
			n = lengthOf(views[:count])
			s.tell("recv", n, "%d", err, len(b))
			s.update(now)
			s.leave()
			if flags&MSG_TRUNC != 0 {
				b = nil
			}
			copyOut(b, views[:count])
			return n, err
		}
		err = syscall.EAGAIN
		if flags&MSG_DONTWAIT == 0 {
			err = s.wait(&s.readable, &s.readDeadline, until)
		}
		if err != nil {
			s.tell("recv", 0, "%d", err, len(b))
			s.leave()
			return 0, err
		}
		now = s.host.world.Now()
	}
}

// peek copies what has arrived without taking it.
func (s *Socket) peek(b []byte, flags int) (int, error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	until := s.untilRead(now)
	wanted := min(1, len(b))
	if flags&MSG_WAITALL != 0 {
		wanted = len(b)
	}
	for {
		n := s.copyArrived(b, flags&MSG_TRUNC != 0)
		if n >= wanted {
			return n, nil
		}
		if _, err := s.take(now, nil, 0); err != nil {
			return n, onlyWithout(n, err)
		}
		if flags&MSG_DONTWAIT != 0 {
			return n, onlyWithout(n, syscall.EAGAIN)
		}
		if err := s.wait(&s.readable, &s.readDeadline, until); err != nil {
			return n, onlyWithout(n, err)
		}
	}
}

// onlyWithout returns an error that counts where nothing was done.
func onlyWithout(n int, err error) error {
	if n > 0 {
		return nil
	}
	return err
}

// copyArrived copies the beginning of what can be read, or counts it only.
func (s *Socket) copyArrived(b []byte, count bool) int {
	switch {
	case count && s.other.unix != nil:
		return min(len(b), s.other.unix.stream.Len())
	case count && s.tcp.Conn() != nil:
		return min(len(b), s.tcp.Conn().Readable())
	case s.other.unix != nil:
		return s.other.unix.stream.CopyAt(b, 0)
	case s.tcp.Conn() == nil:
		return 0
	}
	return s.tcp.Conn().Peek(b, 0)
}

// recvUrgent takes the octet of urgent data (RFC 6093). EINVAL says that there
// is none, or that it is read in line; EAGAIN that it was announced and hasn't
// arrived.
func (s *Socket) recvUrgent(b []byte, flags int) (n, result int, err error) {
	if _, err := s.enter(); err != nil {
		return 0, 0, err
	}
	defer s.leave()
	switch c := s.connection(); {
	case s.tcp == nil:
		return 0, 0, syscall.EOPNOTSUPP
	case s.tcp.Listener() != nil:
		return 0, 0, syscall.ENOTCONN
	case c == nil:
		return 0, 0, syscall.EINVAL
	}
	return takeUrgent(s.tcp.Conn(), b, flags)
}

func takeUrgent(c *tcp.Conn, b []byte, flags int) (n, result int, err error) {
	octet, here, ok := c.Urgent()
	switch {
	case !ok:
		return 0, 0, syscall.EINVAL
	case !here && c.EOF():
		return 0, 0, nil
	case !here:
		return 0, 0, syscall.EAGAIN
	}
	if flags&MSG_PEEK == 0 {
		c.ReadUrgent()
	}
	if len(b) == 0 {
		return 0, MSG_OOB | MSG_TRUNC, nil
	}
	if flags&MSG_TRUNC == 0 {
		b[0] = octet
	}
	return 1, MSG_OOB, nil
}
