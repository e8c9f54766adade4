package socket

import (
	"syscall"

	"hubbub/clock"
	"hubbub/transport/tcp"
)

// shutdown closes a direction, with Linux's words where there is none to be
// closed.
func (s *Socket) shutdown(now clock.Time, how How) error {
	read, write := how != SHUT_WR, how != SHUT_RD
	switch {
	case how < SHUT_RD || how > SHUT_RDWR:
		return syscall.EINVAL
	case s.other.unix != nil:
		return s.other.unix.shutdown(how)
	case s.tcp == nil:
		return s.shutDatagrams(read, write)
	case s.tcp.Listener() != nil:
		if read {
			s.tcp.Unlisten(now)
			s.readable.WakeAll()
		}
		return nil
	case s.tcp.State() == tcp.StateSynSent:
		s.tcp.Conn().Abort(now)
		s.again()
		return nil
	case s.tcp.State() == tcp.StateClosed || s.tcp.State() == tcp.StateTimeWait:
		s.readShut, s.writeShut = s.readShut || read, s.writeShut || write
		s.readable.WakeAll()
		s.notify()
		return syscall.ENOTCONN
	}
	return s.shutStream(now, read, write)
}

func (s *Socket) shutStream(now clock.Time, read, write bool) error {
	c := s.tcp.Conn()
	if read {
		s.readShut = true
		c.CloseRead()
		s.readable.WakeAll()
	}
	if write {
		if err := c.CloseWrite(now); err != nil {
			return syscall.ENOTCONN
		}
		s.writable.WakeAll()
	}
	s.notify()
	return nil
}

// shutDatagrams ends reading or writing of a datagram socket.
func (s *Socket) shutDatagrams(read, write bool) error {
	s.readShut = s.readShut || read
	s.writeShut = s.writeShut || write
	s.readable.WakeAll()
	if !s.remote().Addr().IsValid() {
		return syscall.ENOTCONN
	}
	return nil
}
