package socket

import (
	"encoding/binary"
	"errors"
	"math"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/stack"
	"hubbub/transport/tcp"
)

// tcpOptions are those of level IPPROTO_TCP (tcp(7)).
var tcpOptions = map[int]option{
	TCP_NODELAY:    {name: "TCP_NODELAY", kind: flag, get: (*Socket).noDelay, set: (*Socket).setNoDelay},
	TCP_CORK:       {name: "TCP_CORK", kind: flag, get: (*Socket).corked, set: (*Socket).setCorked},
	TCP_LINGER2:    {name: "TCP_LINGER2", get: (*Socket).finWait, set: (*Socket).setFinWait},
	TCP_QUICKACK:   {name: "TCP_QUICKACK", get: (*Socket).quickACK, set: (*Socket).setQuickACK},
	TCP_CONGESTION: {name: "TCP_CONGESTION", kind: blob, read: (*Socket).congestion, write: (*Socket).setCongestion},
	TCP_MAXSEG:     {name: "TCP_MAXSEG", get: (*Socket).maxSegment, set: (*Socket).setMaxSegment},
	TCP_WINDOW_CLAMP: {name: "TCP_WINDOW_CLAMP", get: func(s *Socket, _ clock.Time) (int, error) {
		return s.tcp.Settings().Params.WindowClamp, nil
	}, set: (*Socket).setWindowClamp},
	TCP_NOTSENT_LOWAT: {name: "TCP_NOTSENT_LOWAT", get: func(s *Socket, _ clock.Time) (int, error) {
		return s.tcp.Settings().Params.NotSentLowat, nil
	}, set: (*Socket).setNotSentLowat},
	TCP_USER_TIMEOUT: {name: "TCP_USER_TIMEOUT", get: (*Socket).userTimeout, set: (*Socket).setUserTimeout},
	TCP_SYNCNT:       {name: "TCP_SYNCNT", get: (*Socket).synCount, set: (*Socket).setSynCount},
	TCP_DEFER_ACCEPT: {name: "TCP_DEFER_ACCEPT", get: (*Socket).deferAccept, set: (*Socket).setDeferAccept},
	TCP_KEEPIDLE: {name: "TCP_KEEPIDLE", get: func(s *Socket, _ clock.Time) (int, error) {
		return seconds(s.tcp.Settings().Params.KeepAlive.Idle, s.host.stack.TCPEnv().KeepAliveIdle), nil
	}, set: func(s *Socket, now clock.Time, v int) error {
		return s.setKeepAlive(now, v, math.MaxInt16, func(k *tcp.KeepAlive) { k.Idle = time.Duration(v) * time.Second })
	}},
	TCP_KEEPINTVL: {name: "TCP_KEEPINTVL", get: func(s *Socket, _ clock.Time) (int, error) {
		return seconds(s.tcp.Settings().Params.KeepAlive.Interval, s.host.stack.TCPEnv().KeepAliveInterval), nil
	}, set: func(s *Socket, now clock.Time, v int) error {
		return s.setKeepAlive(now, v, math.MaxInt16, func(k *tcp.KeepAlive) { k.Interval = time.Duration(v) * time.Second })
	}},
	TCP_KEEPCNT: {name: "TCP_KEEPCNT", get: func(s *Socket, _ clock.Time) (int, error) {
		return orDefault(s.tcp.Settings().Params.KeepAlive.Probes, s.host.stack.TCPEnv().KeepAliveProbes), nil
	}, set: func(s *Socket, now clock.Time, v int) error {
		return s.setKeepAlive(now, v, math.MaxInt8, func(k *tcp.KeepAlive) { k.Probes = v })
	}},
	TCP_FASTOPEN:           {name: "TCP_FASTOPEN", get: (*Socket).fastOpen, set: (*Socket).setFastOpen},
	TCP_FASTOPEN_CONNECT:   {name: "TCP_FASTOPEN_CONNECT", kind: flag, get: (*Socket).fastOpenConnect, set: (*Socket).setFastOpenConnect},
	TCP_FASTOPEN_NO_COOKIE: {name: "TCP_FASTOPEN_NO_COOKIE", kind: flag, get: (*Socket).fastOpenNoCookie, set: (*Socket).setFastOpenNoCookie},
	TCP_FASTOPEN_KEY:       {name: "TCP_FASTOPEN_KEY", kind: blob, read: (*Socket).fastOpenKey, write: (*Socket).setFastOpenKey},
	TCP_INQ:                told("TCP_INQ", func(m *more) *bool { return &m.tellUnread }),
	TCP_INFO:               {name: "TCP_INFO", kind: blob, read: (*Socket).linuxInfo},
	TCP_CC_INFO:            {name: "TCP_CC_INFO", kind: blob, read: func(s *Socket, _ clock.Time) ([]byte, error) { return s.congestionInfo(), nil }},
}

// connection returns the socket's TCP connection, nil if it has none.
func (s *Socket) connection() *tcp.Conn {
	if s.tcp == nil {
		return nil
	}
	return s.tcp.Conn()
}

func (s *Socket) noDelay(clock.Time) (int, error) { return toInt(s.tcp.Settings().Params.NoDelay), nil }

func (s *Socket) setNoDelay(now clock.Time, v int) error {
	s.tcp.Set(func(set *stack.Settings) { set.Params.NoDelay = v != 0 })
	if c := s.tcp.Conn(); c != nil {
		c.SetNoDelay(v != 0)
		s.tcp.Update(now)
	}
	return nil
}

// What TCP_MAXSEG may be set to: Linux's TCP_MIN_MSS and MAX_TCP_WINDOW.
const leastSegment, mostSegment = 88, 32767

func (s *Socket) maxSegment(clock.Time) (int, error) {
	c := s.tcp.Conn()
	switch asked := s.tcp.Settings().Options.MaxSegment; {
	case c != nil && c.State() != tcp.StateClosed && c.State() != tcp.StateSynSent:
		return c.SendMSS(), nil
	case asked > 0:
		return asked, nil
	}
	return 536, nil
}

func (s *Socket) setMaxSegment(_ clock.Time, v int) error {
	if v != 0 && (v < leastSegment || v > mostSegment) {
		return syscall.EINVAL
	}
	s.tcp.Set(func(set *stack.Settings) { set.Options.MaxSegment = v })
	if c := s.tcp.Conn(); c != nil {
		c.SetMaxSegment(v)
	}
	return nil
}

func (s *Socket) userTimeout(clock.Time) (int, error) {
	return int(s.tcp.Settings().Params.UserTimeout / time.Millisecond), nil
}

func (s *Socket) setUserTimeout(_ clock.Time, v int) error {
	if v < 0 {
		return syscall.EINVAL
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.UserTimeout = time.Duration(v) * time.Millisecond })
	if c := s.tcp.Conn(); c != nil {
		c.SetUserTimeout(s.tcp.Settings().Params.UserTimeout)
	}
	return nil
}

func (s *Socket) synCount(clock.Time) (int, error) {
	return orDefault(s.tcp.Settings().Params.SynRetries, s.host.stack.TCPEnv().SynRetries), nil
}

func (s *Socket) setSynCount(_ clock.Time, v int) error {
	if v < 1 || v > math.MaxInt8 {
		return syscall.EINVAL
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.SynRetries = v })
	if c := s.tcp.Conn(); c != nil {
		c.SetSynRetries(v)
	}
	return nil
}

// deferAccept tells the time as it is kept: in time-outs of a SYN-ACK.
func (s *Socket) deferAccept(clock.Time) (int, error) {
	env := s.host.stack.TCPEnv()
	return int(env.Deferral(env.Deferrals(s.tcp.Settings().Params.DeferAccept)) / time.Second), nil
}

func (s *Socket) setDeferAccept(_ clock.Time, v int) error {
	s.tcp.Set(func(set *stack.Settings) { set.Params.DeferAccept = time.Duration(max(0, v)) * time.Second })
	if l := s.tcp.Listener(); l != nil {
		l.SetDeferAccept(s.tcp.Settings().Params.DeferAccept)
	}
	return nil
}

func seconds(set, otherwise time.Duration) int { return int(orDefault(set, otherwise) / time.Second) }

func (s *Socket) setKeepAlive(now clock.Time, v, most int, set func(*tcp.KeepAlive)) error {
	if v < 1 || v > most {
		return syscall.EINVAL
	}
	s.tcp.Set(func(all *stack.Settings) { set(&all.Params.KeepAlive) })
	s.applyKeepAlive(now)
	return nil
}

// applyKeepAlive gives a connection that there is already what was set.
func (s *Socket) applyKeepAlive(now clock.Time) {
	if c := s.tcp.Conn(); c != nil {
		c.SetKeepAlive(now, s.tcp.Settings().Params.KeepAlive)
		s.tcp.Update(now)
	}
}

var errNoConnection = errors.New("the socket has no TCP connection")

// Info returns what is known about a TCP connection, as TCP_INFO does.
func (s *Socket) Info() (tcp.Info, error) {
	if _, err := s.enter(); err != nil {
		return tcp.Info{}, err
	}
	defer s.host.world.Unlock()
	if s.tcp == nil || s.tcp.Conn() == nil {
		return tcp.Info{}, errNoConnection
	}
	return s.tcp.Conn().Info(), nil
}

// congestionInfo returns what the congestion control believes about the path,
// in the layout of Linux's struct tcp_bbr_info: the bandwidth in octets per
// second, the least round-trip time in microseconds, and the gains of the
// pacing rate and of the window in 256ths. Neither reno nor cubic has anything
// to tell.
func (s *Socket) congestionInfo() []byte {
	c := s.tcp.Conn()
	if c == nil {
		return nil
	}
	i, ok := c.PathInfo()
	if !ok {
		return nil
	}
	b := binary.LittleEndian.AppendUint64(nil, i.Bandwidth)
	b = binary.LittleEndian.AppendUint32(b, micros(i.MinRTT))
	b = binary.LittleEndian.AppendUint32(b, uint32(i.PacingGain*256))
	return binary.LittleEndian.AppendUint32(b, uint32(i.CwndGain*256))
}
