package socket

import (
	"encoding/binary"
	"math"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/stack"
)

// socketOptions are those of level SOL_SOCKET (socket(7)).
var socketOptions = map[int]option{
	SO_REUSEADDR: shared("SO_REUSEADDR",
		func(set *stack.Settings) *bool { return &set.Options.ReuseAddr }, func(e *stack.UDP) *bool { return &e.Options.ReuseAddr }),
	SO_REUSEPORT: shared("SO_REUSEPORT",
		func(set *stack.Settings) *bool { return &set.Options.ReusePort }, func(e *stack.UDP) *bool { return &e.Options.ReusePort }),
	SO_BROADCAST:   {name: "SO_BROADCAST", kind: flag, get: (*Socket).broadcasts, set: (*Socket).setBroadcasts},
	SO_LINGER:      {name: "SO_LINGER", kind: linger, get: (*Socket).lingers, set: (*Socket).setLingers},
	SO_KEEPALIVE:   {name: "SO_KEEPALIVE", kind: flag, get: (*Socket).keepsAlive, set: (*Socket).setKeepsAlive},
	SO_OOBINLINE:   {name: "SO_OOBINLINE", kind: flag, get: (*Socket).oobInline, set: (*Socket).setOOBInline},
	SO_SNDBUF:      {name: "SO_SNDBUF", get: (*Socket).sendBufferSize, set: (*Socket).setSendBuffer},
	SO_RCVBUF:      {name: "SO_RCVBUF", get: (*Socket).receiveBufferSize, set: (*Socket).setReceiveBuffer},
	SO_SNDBUFFORCE: {name: "SO_SNDBUFFORCE", set: privileged((*Socket).resizeSendBuffer)},
	SO_RCVBUFFORCE: {name: "SO_RCVBUFFORCE", set: privileged((*Socket).resizeReceiveBuffer)},
	SO_RCVTIMEO: {name: "SO_RCVTIMEO", kind: timeval, get: func(s *Socket, _ clock.Time) (int, error) {
		return int(s.more().receiveTimeout / time.Microsecond), nil
	}, set: func(s *Socket, _ clock.Time, v int) error {
		s.change().receiveTimeout = timeout(v)
		return nil
	}},
	SO_SNDTIMEO: {name: "SO_SNDTIMEO", kind: timeval, get: func(s *Socket, _ clock.Time) (int, error) {
		return int(s.more().sendTimeout / time.Microsecond), nil
	}, set: func(s *Socket, _ clock.Time, v int) error {
		s.change().sendTimeout = timeout(v)
		return nil
	}},
	SO_RCVLOWAT: {name: "SO_RCVLOWAT", get: func(s *Socket, _ clock.Time) (int, error) {
		return max(1, s.more().lowWater), nil
	}, set: func(s *Socket, _ clock.Time, v int) error {
		if v < 0 {
			v = math.MaxInt32
		}
		s.change().lowWater = v
		s.wake()
		return nil
	}},
	SO_TYPE:         readOnly("SO_TYPE", func(s *Socket) int { return int(s.kind) }),
	SO_DOMAIN:       readOnly("SO_DOMAIN", func(s *Socket) int { return int(s.family) }),
	SO_PROTOCOL:     readOnly("SO_PROTOCOL", (*Socket).protocol),
	SO_ERROR:        readOnly("SO_ERROR", func(s *Socket) int { return int(s.takeError()) }),
	SO_ACCEPTCONN:   readOnly("SO_ACCEPTCONN", func(s *Socket) int { return toInt(s.listening()) }),
	SO_SNDLOWAT:     readOnly("SO_SNDLOWAT", func(*Socket) int { return 1 }),
	SO_TIMESTAMPING: {name: "SO_TIMESTAMPING", get: (*Socket).stamping, set: (*Socket).setStamping},
	SO_MEMINFO:      {name: "SO_MEMINFO", kind: blob, read: (*Socket).memory},

	SO_DEBUG:        remembered("SO_DEBUG", flag, place{SOL_SOCKET, SO_DEBUG}, 0, 0, 1),
	SO_DONTROUTE:    remembered("SO_DONTROUTE", flag, place{SOL_SOCKET, SO_DONTROUTE}, 0, 0, 1),
	SO_NO_CHECK:     remembered("SO_NO_CHECK", flag, place{SOL_SOCKET, SO_NO_CHECK}, 0, 0, 1),
	SO_PRIORITY:     remembered("SO_PRIORITY", number, place{SOL_SOCKET, SO_PRIORITY}, 0, 0, math.MaxInt32),
	SO_TIMESTAMP:    remembered("SO_TIMESTAMP", flag, place{SOL_SOCKET, SO_TIMESTAMP}, 0, 0, 1),
	SO_MARK:         remembered("SO_MARK", number, place{SOL_SOCKET, SO_MARK}, 0, math.MinInt32, math.MaxInt32),
	SO_BUSY_POLL:    remembered("SO_BUSY_POLL", number, place{SOL_SOCKET, SO_BUSY_POLL}, 0, 0, math.MaxInt32),
	SO_ZEROCOPY:     remembered("SO_ZEROCOPY", flag, place{SOL_SOCKET, SO_ZEROCOPY}, 0, 0, 1),
	SO_INCOMING_CPU: remembered("SO_INCOMING_CPU", number, place{SOL_SOCKET, SO_INCOMING_CPU}, -1, -1, math.MaxInt32),
}

// timeout returns what a struct timeval of so many microseconds limits a call
// to: zero is no limit, and less than that no time at all.
func timeout(micros int) clock.Duration {
	if micros < 0 {
		return 1
	}
	return clock.Duration(micros) * time.Microsecond
}

// A sharing is a switch that endpoints of TCP and of UDP have, and others
// have not.
type sharing struct {
	tcp func(*stack.Settings) *bool
	udp func(*stack.UDP) *bool
}

func shared(name string, t func(*stack.Settings) *bool, u func(*stack.UDP) *bool) option {
	x := sharing{t, u}
	return option{name: name, kind: flag, get: x.get, set: x.set}
}

func (x sharing) get(s *Socket, _ clock.Time) (int, error) {
	switch {
	case s.tcp != nil:
		set := s.tcp.Settings()
		return toInt(*x.tcp(&set)), nil
	case s.other.udp != nil:
		return toInt(*x.udp(s.other.udp)), nil
	}
	return 0, nil
}

func (x sharing) set(s *Socket, _ clock.Time, v int) error {
	switch {
	case s.tcp != nil:
		s.tcp.Set(func(set *stack.Settings) { *x.tcp(set) = v != 0 })
	case s.other.udp != nil:
		*x.udp(s.other.udp) = v != 0
	}
	return nil
}

func (s *Socket) broadcasts(clock.Time) (int, error) {
	return toInt(s.other.udp != nil && s.other.udp.Options.Broadcast || s.other.raw != nil && s.other.raw.Options.Broadcast), nil
}

func (s *Socket) setBroadcasts(_ clock.Time, v int) error {
	switch {
	case s.other.udp != nil:
		s.other.udp.Options.Broadcast = v != 0
	case s.other.raw != nil:
		s.other.raw.Options.Broadcast = v != 0
	}
	return nil
}

func (s *Socket) lingers(clock.Time) (int, error) {
	if !s.more().lingerSet {
		return -1, nil
	}
	return int(s.more().linger / time.Second), nil
}

func (s *Socket) setLingers(_ clock.Time, v int) error {
	m := s.change()
	m.lingerSet, m.linger = v >= 0, time.Duration(max(0, v))*time.Second
	return nil
}

func (s *Socket) keepsAlive(clock.Time) (int, error) {
	if s.tcp == nil {
		return s.more().kept[place{SOL_SOCKET, SO_KEEPALIVE}], nil
	}
	return toInt(s.tcp.Settings().Params.KeepAlive.On), nil
}

func (s *Socket) setKeepsAlive(now clock.Time, v int) error {
	if s.tcp == nil {
		return s.keep(place{SOL_SOCKET, SO_KEEPALIVE}, toInt(v != 0))
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.KeepAlive.On = v != 0 })
	s.applyKeepAlive(now)
	return nil
}

func (s *Socket) oobInline(clock.Time) (int, error) {
	if s.tcp == nil {
		return s.more().kept[place{SOL_SOCKET, SO_OOBINLINE}], nil
	}
	return toInt(s.tcp.Settings().Params.OOBInline), nil
}

func (s *Socket) setOOBInline(_ clock.Time, v int) error {
	if s.tcp == nil {
		return s.keep(place{SOL_SOCKET, SO_OOBINLINE}, toInt(v != 0))
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.OOBInline = v != 0 })
	if c := s.tcp.Conn(); c != nil {
		c.SetOOBInline(v != 0)
	}
	return nil
}

func (s *Socket) protocol() int {
	switch {
	case s.tcp != nil:
		return IPPROTO_TCP
	case s.other.udp != nil:
		return IPPROTO_UDP
	case s.other.raw != nil:
		return int(s.other.raw.Options.Protocol)
	}
	return 0
}

// listening reports whether the socket waits for connections.
func (s *Socket) listening() bool {
	return s.tcp != nil && s.tcp.Listener() != nil || s.other.unix != nil && s.other.unix.backlog > 0
}

// Linux's least sizes of buffers on 64 bits.
const (
	leastToReceive = 2304
	leastToSend    = 4608
)

// doubled returns the size of a buffer for which a program has asked. As on
// Linux it is double, to have room for what is kept beside the data, and
// getsockopt returns the double.
func doubled(value, least int) int { return max(least, 2*min(max(0, value), 1<<29)) }

// privileged returns the setting of what an ordinary program may not set.
func privileged(set func(*Socket, clock.Time, int) error) func(*Socket, clock.Time, int) error {
	return func(s *Socket, now clock.Time, value int) error {
		if s.host.ordinary {
			return syscall.EPERM
		}
		return set(s, now, value)
	}
}

func (s *Socket) sendBufferSize(clock.Time) (int, error) {
	switch {
	case s.tcp != nil:
		if c := s.tcp.Conn(); c != nil {
			return c.SendBuffer(), nil
		}
		return orDefault(s.tcp.Settings().Params.SendBuffer, s.host.stack.TCPEnv().SendBuffer), nil
	case s.other.unix != nil:
		return orDefault(s.more().sendBuffer, unixBuffer), nil
	}
	return orDefault(s.more().sendBuffer, s.host.stack.Config().DatagramBuffer), nil
}

// setSendBuffer and setReceiveBuffer set a buffer's size, within the bounds of
// the host's wmem_max and rmem_max. TCP doesn't tune it any more.
func (s *Socket) setSendBuffer(now clock.Time, value int) error {
	return s.resizeSendBuffer(now, min(value, s.host.stack.TCPEnv().MaxSendOption))
}

func (s *Socket) setReceiveBuffer(now clock.Time, value int) error {
	return s.resizeReceiveBuffer(now, min(value, s.host.stack.TCPEnv().MaxReceiveOption))
}

func (s *Socket) resizeSendBuffer(_ clock.Time, value int) error {
	size := doubled(value, leastToSend)
	if s.tcp == nil {
		s.change().sendBuffer = size
		return nil
	}
	s.tcp.Set(func(set *stack.Settings) { set.Params.SendBuffer = size })
	if c := s.tcp.Conn(); c != nil {
		c.SetSendBuffer(size)
	}
	return nil
}

func (s *Socket) receiveBufferSize(clock.Time) (int, error) {
	otherwise := s.host.stack.Config().DatagramBuffer
	switch {
	case s.tcp != nil:
		if c := s.tcp.Conn(); c != nil {
			return c.ReceiveBuffer(), nil
		}
		return orDefault(s.tcp.Settings().Params.RecvBuffer, s.host.stack.TCPEnv().ReceiveBuffer), nil
	case s.other.udp != nil:
		return orDefault(s.other.udp.Options.Buffer, otherwise), nil
	case s.other.raw != nil:
		return orDefault(s.other.raw.Options.Buffer, otherwise), nil
	}
	return unixBuffer, nil
}

func (s *Socket) resizeReceiveBuffer(now clock.Time, value int) error {
	size := doubled(value, leastToReceive)
	switch {
	case s.other.udp != nil:
		s.other.udp.Options.Buffer = size
	case s.other.raw != nil:
		s.other.raw.Options.Buffer = size
	case s.tcp != nil:
		s.tcp.Set(func(set *stack.Settings) { set.Params.RecvBuffer = size })
		if c := s.tcp.Conn(); c != nil {
			c.SetReceiveBuffer(now, size)
			s.tcp.Update(now)
		}
	}
	return nil
}

// memory returns what SO_MEMINFO tells: nine numbers, of which these are kept
// here: octets received, the receive buffer, octets written, the send buffer,
// and again octets written as those in the queue.
func (s *Socket) memory(now clock.Time) ([]byte, error) {
	const received, receiveBuffer, written, sendBuffer, queued, numbers = 0, 1, 2, 3, 5, 9
	var m [numbers]int
	m[sendBuffer], _ = s.sendBufferSize(now)
	m[receiveBuffer], _ = s.receiveBufferSize(now)
	if c := s.connection(); c != nil {
		info := c.Info()
		m[received], m[written], m[queued] = info.Unread+info.OutOfOrder, info.Unacked, info.Unacked
	}
	var b []byte
	for _, n := range m {
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
	}
	return b, nil
}

// takeError returns the error that is pending, and clears it.
func (s *Socket) takeError() syscall.Errno {
	var err error
	switch {
	case s.other.udp != nil:
		err = s.other.udp.TakeError()
	case s.tcp != nil && s.tcp.Conn() != nil && s.tcp.Conn().Err() != nil:
		err = s.report(s.tcp.Conn().Err(), nil)
	}
	return errnoOf(err)
}
