package socket

import (
	"bytes"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/stack"
	"hubbub/transport/tcp/congestion"
)

func (s *Socket) corked(clock.Time) (int, error) { return toInt(s.tcp.Settings().Params.Cork), nil }

// setCorked holds back segments under full size until the cork is drawn, or
// for the retransmission time-out, which is 200 ms at least.
func (s *Socket) setCorked(now clock.Time, v int) error {
	s.tcp.Set(func(set *stack.Settings) { set.Params.Cork = v != 0 })
	if c := s.tcp.Conn(); c != nil {
		c.SetCork(v != 0)
		s.tcp.Update(now)
	}
	return nil
}

// finWait returns TCP_LINGER2: how long FIN-WAIT-2 lasts, in seconds.
func (s *Socket) finWait(clock.Time) (int, error) {
	v := s.tcp.Settings().Params.FinWait2
	if v == 0 {
		v = int(s.host.stack.TCPEnv().FinWait2Timeout / time.Second)
	}
	return v, nil
}

func (s *Socket) setFinWait(_ clock.Time, v int) error {
	const most = 120 // seconds
	v = min(max(-1, v), most)
	s.tcp.Set(func(set *stack.Settings) { set.Params.FinWait2 = v })
	if c := s.tcp.Conn(); c != nil {
		c.SetFinWait2(v)
	}
	return nil
}

func (s *Socket) quickACK(clock.Time) (int, error) {
	c := s.tcp.Conn()
	return toInt(c == nil || c.QuickACK()), nil
}

func (s *Socket) setQuickACK(now clock.Time, v int) error {
	if c := s.tcp.Conn(); c != nil {
		c.SetQuickACK(v != 0)
		s.tcp.Update(now)
	}
	return nil
}

// algorithmName is the room for the name of a congestion control algorithm:
// Linux's TCP_CA_NAME_MAX.
const algorithmName = 16

func (s *Socket) congestion(clock.Time) ([]byte, error) {
	name := orDefault(s.tcp.Settings().Params.CongestionControl, s.host.stack.TCPEnv().CongestionControl)
	if c := s.tcp.Conn(); c != nil {
		name = c.CongestionControl()
	}
	b := make([]byte, algorithmName)
	copy(b, name)
	return b, nil
}

// setCongestion chooses the algorithm: ENOENT for one that there isn't.
func (s *Socket) setCongestion(_ clock.Time, value []byte) error {
	if len(value) == 0 {
		return syscall.EINVAL
	}
	text, _, _ := bytes.Cut(value[:min(len(value), algorithmName)], []byte{0})
	name := string(text)
	if _, ok := congestion.Number(name); !ok {
		return syscall.ENOENT
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.CongestionControl = name })
	if c := s.tcp.Conn(); c != nil {
		return c.SetCongestionControl(name)
	}
	return nil
}
