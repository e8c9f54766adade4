package socket

import (
	"errors"
	"syscall"
	"time"

	"hubbub/clock"
	"hubbub/stack"
	"hubbub/transport/tcp"
)

// option is one that SetSockOpt and GetSockOpt know.
type option struct {
	level, name int
}

// SetSockOpt sets an option: setsockopt(2). Switches take 0 or 1; units are
// those of the option's constant. The errors are ENOPROTOOPT for an option
// that the socket doesn't have and EINVAL for a value out of range.
func (s *Socket) SetSockOpt(level, name, value int) error {
	now, err := s.enter()
	if err != nil {
		return failed("setsockopt", err)
	}
	defer s.leave()
	err = s.setOption(now, option{level, name}, value)
	s.tell("setsockopt", 0, "%s, %d", err, optionName(option{level, name}), value)
	return failed("setsockopt", err)
}

// GetSockOpt returns an option: getsockopt(2). SO_ERROR returns the errno of
// the error that is pending, and clears it.
func (s *Socket) GetSockOpt(level, name int) (int, error) {
	now, err := s.enter()
	if err != nil {
		return 0, failed("getsockopt", err)
	}
	defer s.leave()
	value, err := s.getOption(now, option{level, name})
	return value, failed("getsockopt", err)
}

func (s *Socket) setOption(now clock.Time, o option, value int) error {
	switch o.level {
	case SOL_SOCKET:
		return s.setSocketOption(now, o.name, value)
	case IPPROTO_TCP:
		if s.tcp == nil {
			return s.noTCP()
		}
		return s.setTCPOption(now, o.name, value)
	case IPPROTO_IP:
		if s.unix != nil {
			return syscall.EOPNOTSUPP
		}
		return s.setIPOption(o.name, value)
	}
	return syscall.ENOPROTOOPT
}

// noTCP is what Linux says to an option of TCP on another socket.
func (s *Socket) noTCP() error {
	if s.unix != nil {
		return syscall.EOPNOTSUPP
	}
	return syscall.ENOPROTOOPT
}

func (s *Socket) setSocketOption(now clock.Time, name, value int) error {
	on := value != 0
	switch name {
	case SO_REUSEADDR:
		s.each(func(e *stack.TCP) { e.Options.ReuseAddr = on }, func(e *stack.UDP) { e.Options.ReuseAddr = on })
	case SO_REUSEPORT:
		s.each(func(e *stack.TCP) { e.Options.ReusePort = on }, func(e *stack.UDP) { e.Options.ReusePort = on })
	case SO_BROADCAST:
		s.each(nil, func(e *stack.UDP) { e.Options.Broadcast = on })
		if s.raw != nil {
			s.raw.Options.Broadcast = on
		}
	case SO_LINGER:
		s.lingerSet, s.linger = value >= 0, time.Duration(max(0, value))*time.Second
	case SO_KEEPALIVE, SO_OOBINLINE:
		return s.setStreamSwitch(now, name, on)
	case SO_SNDBUF, SO_RCVBUF:
		return s.setBuffer(now, name, value)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

// each applies what fits to the endpoint that the socket has.
func (s *Socket) each(t func(*stack.TCP), u func(*stack.UDP)) {
	switch {
	case s.tcp != nil && t != nil:
		t(s.tcp)
	case s.udp != nil && u != nil:
		u(s.udp)
	}
}

func (s *Socket) setStreamSwitch(now clock.Time, name int, on bool) error {
	if s.tcp == nil {
		return nil
	}
	p, c := &s.tcp.Params, s.tcp.Conn()
	if name == SO_OOBINLINE {
		p.OOBInline = on
		if c != nil {
			c.SetOOBInline(on)
		}
		return nil
	}
	p.KeepAlive.On = on
	s.applyKeepAlive(now)
	return nil
}

// setBuffer sets a buffer's size. As on Linux, the kernel doubles the value,
// to have room for what it notes beside the data, and getsockopt returns the
// double.
func (s *Socket) setBuffer(now clock.Time, name, value int) error {
	const leastToReceive, leastToSend, most = 2304, 4608, 8 << 20 // Linux's on 64 bits
	size := max(leastToReceive, min(2*value, most))
	if name == SO_SNDBUF {
		size = max(leastToSend, size)
	}
	switch {
	case s.tcp == nil && name == SO_SNDBUF:
		s.sendBuffer = size
	case s.udp != nil && name == SO_RCVBUF:
		s.udp.Options.Buffer = size
	case s.raw != nil && name == SO_RCVBUF:
		s.raw.Options.Buffer = size
	case s.tcp == nil:
	case name == SO_RCVBUF:
		s.tcp.Params.RecvBuffer = size
		if c := s.tcp.Conn(); c != nil {
			c.SetReceiveBuffer(now, size)
			s.tcp.Update(now)
		}
	default:
		s.tcp.Params.SendBuffer = size
		if c := s.tcp.Conn(); c != nil {
			c.SetSendBuffer(size)
		}
	}
	return nil
}

func (s *Socket) setTCPOption(now clock.Time, name, value int) error {
	p, c := &s.tcp.Params, s.tcp.Conn()
	switch name {
	case TCP_NODELAY:
		p.NoDelay = value != 0
		if c != nil {
			c.SetNoDelay(value != 0)
			s.tcp.Update(now)
		}
	case TCP_MAXSEG:
		if value != 0 && (value < 88 || value > 32767) {
			return syscall.EINVAL
		}
		s.tcp.Options.MaxSegment = value
		if c != nil {
			c.SetMaxSegment(value)
		}
	case TCP_USER_TIMEOUT:
		if value < 0 {
			return syscall.EINVAL
		}
		p.UserTimeout = time.Duration(value) * time.Millisecond
		if c != nil {
			c.SetUserTimeout(p.UserTimeout)
		}
	case TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT:
		return s.setKeepAlive(now, name, value)
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

func (s *Socket) setKeepAlive(now clock.Time, name, value int) error {
	k := &s.tcp.Params.KeepAlive
	switch {
	case value < 1 || value > 32767 || name == TCP_KEEPCNT && value > 127:
		return syscall.EINVAL
	case name == TCP_KEEPIDLE:
		k.Idle = time.Duration(value) * time.Second
	case name == TCP_KEEPINTVL:
		k.Interval = time.Duration(value) * time.Second
	default:
		k.Probes = value
	}
	s.applyKeepAlive(now)
	return nil
}

// applyKeepAlive gives a connection that there is already what was set.
func (s *Socket) applyKeepAlive(now clock.Time) {
	if c := s.tcp.Conn(); c != nil {
		c.SetKeepAlive(now, s.tcp.Params.KeepAlive)
		s.tcp.Update(now)
	}
}

func (s *Socket) setIPOption(name, value int) error {
	switch name {
	case IP_TTL:
		if value == -1 {
			value = 0 // the machine's default
		} else if value < 1 || value > 255 {
			return syscall.EINVAL
		}
		s.each(func(e *stack.TCP) { e.Options.TTL = uint8(value) }, func(e *stack.UDP) { e.Options.TTL = uint8(value) })
		if s.raw != nil {
			s.raw.Options.TTL = uint8(value)
		}
	case IP_TOS:
		s.each(func(e *stack.TCP) { e.Options.TOS = uint8(value) }, func(e *stack.UDP) { e.Options.TOS = uint8(value) })
		if s.raw != nil {
			s.raw.Options.TOS = uint8(value)
		}
	case IP_MTU_DISCOVER:
		s.each(nil, func(e *stack.UDP) { e.Options.DontFragment = value == IP_PMTUDISC_DO })
	default:
		return syscall.ENOPROTOOPT
	}
	return nil
}

func (s *Socket) getOption(now clock.Time, o option) (int, error) {
	switch {
	case o.level == SOL_SOCKET:
		return s.getSocketOption(o.name)
	case o.level == IPPROTO_TCP && s.tcp == nil:
		return 0, syscall.EOPNOTSUPP
	case o.level == IPPROTO_TCP:
		return s.getTCPOption(o.name)
	case o == option{IPPROTO_IP, IP_MTU}:
		return s.pathMTU(now)
	case o.level == IPPROTO_IP && s.unix != nil:
		return 0, syscall.EOPNOTSUPP
	case o.level == IPPROTO_IP:
		return s.getIPOption(o.name)
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) getSocketOption(name int) (int, error) {
	switch name {
	case SO_TYPE:
		return int(s.kind), nil
	case SO_DOMAIN:
		return int(s.family), nil
	case SO_ERROR:
		return int(s.takeError()), nil
	case SO_LINGER:
		if !s.lingerSet {
			return -1, nil
		}
		return int(s.linger / time.Second), nil
	case SO_ACCEPTCONN:
		return toInt(s.tcp != nil && s.tcp.Listener() != nil || s.unix != nil && s.unix.backlog > 0), nil
	}
	switch {
	case s.tcp != nil:
		return s.streamOption(name)
	case s.udp != nil:
		return s.datagramOption(name)
	case s.raw != nil:
		return s.rawOption(name)
	}
	return s.unixOption(name)
}

func (s *Socket) rawOption(name int) (int, error) {
	o := &s.raw.Options
	switch name {
	case SO_BROADCAST:
		return toInt(o.Broadcast), nil
	case SO_RCVBUF:
		return orDefault(o.Buffer, s.host.stack.Config().DatagramBuffer), nil
	case SO_SNDBUF:
		return orDefault(s.sendBuffer, s.host.stack.Config().DatagramBuffer), nil
	case SO_PROTOCOL:
		return int(o.Protocol), nil
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) unixOption(name int) (int, error) {
	switch name {
	case SO_RCVBUF:
		return unixBuffer, nil
	case SO_SNDBUF:
		return orDefault(s.sendBuffer, unixBuffer), nil
	case SO_PROTOCOL:
		return 0, nil
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) streamOption(name int) (int, error) {
	p, o := &s.tcp.Params, &s.tcp.Options
	env := s.host.stack.TCPEnv()
	switch name {
	case SO_REUSEADDR:
		return toInt(o.ReuseAddr), nil
	case SO_REUSEPORT:
		return toInt(o.ReusePort), nil
	case SO_KEEPALIVE:
		return toInt(p.KeepAlive.On), nil
	case SO_OOBINLINE:
		return toInt(p.OOBInline), nil
	case SO_SNDBUF:
		return orDefault(p.SendBuffer, env.SendBuffer), nil
	case SO_RCVBUF:
		return orDefault(p.RecvBuffer, env.ReceiveBuffer), nil
	case SO_PROTOCOL:
		return IPPROTO_TCP, nil
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) datagramOption(name int) (int, error) {
	o := &s.udp.Options
	switch name {
	case SO_REUSEADDR:
		return toInt(o.ReuseAddr), nil
	case SO_REUSEPORT:
		return toInt(o.ReusePort), nil
	case SO_BROADCAST:
		return toInt(o.Broadcast), nil
	case SO_RCVBUF:
		return orDefault(o.Buffer, s.host.stack.Config().DatagramBuffer), nil
	case SO_SNDBUF:
		return orDefault(s.sendBuffer, s.host.stack.Config().DatagramBuffer), nil
	case SO_PROTOCOL:
		return IPPROTO_UDP, nil
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) getTCPOption(name int) (int, error) {
	p, env := &s.tcp.Params, s.host.stack.TCPEnv()
	switch name {
	case TCP_NODELAY:
		return toInt(p.NoDelay), nil
	case TCP_MAXSEG:
		if c := s.tcp.Conn(); c != nil {
			return c.SendMSS(), nil
		}
		return orDefault(s.tcp.Options.MaxSegment, 536), nil
	case TCP_KEEPIDLE:
		return int(orDefault(p.KeepAlive.Idle, env.KeepAliveIdle) / time.Second), nil
	case TCP_KEEPINTVL:
		return int(orDefault(p.KeepAlive.Interval, env.KeepAliveInterval) / time.Second), nil
	case TCP_KEEPCNT:
		return orDefault(p.KeepAlive.Probes, env.KeepAliveProbes), nil
	case TCP_USER_TIMEOUT:
		return int(p.UserTimeout / time.Millisecond), nil
	}
	return 0, syscall.ENOPROTOOPT
}

func (s *Socket) getIPOption(name int) (int, error) {
	var ttl, tos uint8
	var dontFragment bool
	s.each(
		func(e *stack.TCP) { ttl, tos, dontFragment = e.Options.TTL, e.Options.TOS, true },
		func(e *stack.UDP) { ttl, tos, dontFragment = e.Options.TTL, e.Options.TOS, e.Options.DontFragment },
	)
	if s.raw != nil {
		ttl, tos = s.raw.Options.TTL, s.raw.Options.TOS
	}
	switch name {
	case IP_TTL:
		return int(orDefault(ttl, s.host.stack.Config().TTL)), nil
	case IP_TOS:
		return int(tos), nil
	case IP_MTU_DISCOVER:
		return toInt(dontFragment) * IP_PMTUDISC_DO, nil
	}
	return 0, syscall.ENOPROTOOPT
}

// pathMTU returns the path MTU to the peer of a connected socket.
func (s *Socket) pathMTU(now clock.Time) (int, error) {
	remote := s.remote().Addr()
	if !remote.IsValid() {
		return 0, syscall.ENOTCONN
	}
	return s.host.stack.PathMTU(now, remote)
}

// takeError returns the error that is pending, and clears it.
func (s *Socket) takeError() syscall.Errno {
	var err error
	switch {
	case s.udp != nil:
		err = s.udp.TakeError()
	case s.tcp != nil && s.tcp.Conn() != nil && s.tcp.Conn().Err() != nil:
		err = s.report(s.tcp.Conn().Err(), nil)
	}
	return errnoOf(err)
}

func toInt(on bool) int {
	if on {
		return 1
	}
	return 0
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

var optionNames = map[option]string{
	{SOL_SOCKET, SO_REUSEADDR}: "SO_REUSEADDR", {SOL_SOCKET, SO_REUSEPORT}: "SO_REUSEPORT",
	{SOL_SOCKET, SO_BROADCAST}: "SO_BROADCAST", {SOL_SOCKET, SO_SNDBUF}: "SO_SNDBUF",
	{SOL_SOCKET, SO_RCVBUF}: "SO_RCVBUF", {SOL_SOCKET, SO_KEEPALIVE}: "SO_KEEPALIVE",
	{SOL_SOCKET, SO_OOBINLINE}: "SO_OOBINLINE", {SOL_SOCKET, SO_LINGER}: "SO_LINGER",
	{IPPROTO_TCP, TCP_NODELAY}: "TCP_NODELAY", {IPPROTO_TCP, TCP_MAXSEG}: "TCP_MAXSEG",
	{IPPROTO_TCP, TCP_KEEPIDLE}: "TCP_KEEPIDLE", {IPPROTO_TCP, TCP_KEEPINTVL}: "TCP_KEEPINTVL",
	{IPPROTO_TCP, TCP_KEEPCNT}: "TCP_KEEPCNT", {IPPROTO_TCP, TCP_USER_TIMEOUT}: "TCP_USER_TIMEOUT",
	{IPPROTO_IP, IP_TOS}: "IP_TOS", {IPPROTO_IP, IP_TTL}: "IP_TTL",
	{IPPROTO_IP, IP_MTU_DISCOVER}: "IP_MTU_DISCOVER", {IPPROTO_IP, IP_MTU}: "IP_MTU",
}

func optionName(o option) string {
	if name, ok := optionNames[o]; ok {
		return name
	}
	return "an unknown option"
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
