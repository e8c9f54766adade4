package socket

import (
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
)

// setWindowClamp is TCP_WINDOW_CLAMP: the window is never larger. 0 takes the
// bound back, before there is a connection.
func (s *Socket) setWindowClamp(now clock.Time, value int) error {
	c := s.tcp.Conn()
	if value <= 0 && c != nil {
		return syscall.EINVAL
	}
	if value > 0 {
		value = max(value, leastToReceive/2)
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.WindowClamp = max(0, value) })
	if c != nil {
		c.SetWindowClamp(now, value)
		s.tcp.Update(now)
	}
	return nil
}

// setNotSentLowat is TCP_NOTSENT_LOWAT: the socket isn't writable while as many
// octets were written and aren't sent. 0 is the host's tcp_notsent_lowat.
func (s *Socket) setNotSentLowat(_ clock.Time, value int) error {
	if value < 0 {
		value = 1<<31 - 1 // it has no sign on Linux
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.NotSentLowat = value })
	if c := s.tcp.Conn(); c != nil {
		c.SetNotSentLowat(value)
		s.wake()
	}
	return nil
}
