package socket

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"hubbub/clock"
	"hubbub/stack"
	"hubbub/transport/tcp"
)

// sendEarly connects to remote with TCP Fast Open, and sends b (MSG_FASTOPEN).
// As on Linux it waits for the end of the handshake, unless the socket or the
// call is not to wait: then it returns how much went in the SYN, or
// EINPROGRESS if nothing did.
//
// It is also how the first write goes after TCP_FASTOPEN_CONNECT. After the
// handshake of such a connection the flag has no meaning any more.
func (s *Socket) sendEarly(b []byte, remote netip.AddrPort, flags int) (int, error) {
	dontWait := flags&MSG_DONTWAIT != 0
	n, err := s.connectEarly(b, remote, flags)
	waits := !dontWait && !s.isNonblocking()
	if err != nil || n > 0 && (n == len(b) || !waits) {
		return n, err
	}
	more := 0
	if waits || !dontWait {
		more, err = s.writeStream(b[n:], flags&MSG_ZEROCOPY)
	} else {
		more, err = s.sendNow(b[n:], flags&MSG_ZEROCOPY)
	}
	if n += more; n > 0 {
		err = nil
	}
	return n, err
}

func (s *Socket) connectEarly(b []byte, remote netip.AddrPort, flags int) (n int, err error) {
	dontWait := flags&MSG_DONTWAIT != 0
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	deferred := s.deferred()
	switch {
	case s.tcp == nil || !deferred && !s.host.stack.MayOpenEarly():
		return 0, syscall.EOPNOTSUPP
	case s.opening && s.isOpening():
		return 0, syscall.EALREADY
	case s.opening && s.tcp.State() == tcp.StateEstablished:
		s.opening = false // what this call would have waited for, is over
		return 0, nil
	}
	if !deferred {
		if remote, err = s.meant(remote, syscall.ENETUNREACH); err != nil {
			return 0, err
		}
		if !remote.IsValid() {
			return 0, syscall.EINVAL
		}
		s.announce("sendto", s.shown(remote))
		n, err = s.tcp.ConnectEarly(now, remote, b)
	} else {
		s.announce("send", fmt.Sprintf("%d bytes", len(b)))
		c := s.tcp.Conn()
		n, err = c.WriteBytes(now, b[:min(len(b), c.EarlyRoom())])
		s.tcp.Update(now)
	}
	if err == nil {
		s.opening = true
		if n == len(b) || dontWait || s.nonblocking { // else more of the same call follows
			s.numbered(now, flags, n)
		}
		if n < len(b) && !dontWait && !s.nonblocking {
			s.tcp.Conn().AwaitWrite()
		}
		err = s.openedEarly(now, n, dontWait)
	}
	if deferred {
		s.tellTransfer("send", n, len(b), err)
		return n, err
	}
	s.tell("sendto", n, "%d bytes, %v, MSG_FASTOPEN", err, len(b), s.shown(s.tcp.Remote()))
	return n, err
}

// deferred reports whether the SYN waits for the first write.
func (s *Socket) deferred() bool {
	c := s.connection()
	return c != nil && c.Deferred()
}

// openedEarly waits for the end of the handshake, if it is to be waited for.
func (s *Socket) openedEarly(now clock.Time, n int, dontWait bool) error {
	switch {
	case !dontWait && !s.nonblocking:
		return s.established(context.Background(), now)
	case n == 0 && s.isOpening():
		return syscall.EINPROGRESS
	}
	return nil
}

// fresh reports whether the socket is neither connected nor about to be.
func (s *Socket) fresh() bool {
	state := s.tcp.State()
	return state == tcp.StateClosed || state == tcp.StateListen
}

func (s *Socket) fastOpen(clock.Time) (int, error) { return s.tcp.Settings().Options.FastOpen, nil }

func (s *Socket) setFastOpen(_ clock.Time, v int) error {
	if v < 0 || !s.fresh() {
		return syscall.EINVAL
	}
	v = min(v, s.host.stack.TCPEnv().MaxBacklog)
	s.tcp.Set(func(set *stack.Settings) { set.Options.FastOpen = v })
	if l := s.tcp.Listener(); l != nil {
		l.SetFastOpen(v)
	}
	return nil
}

func (s *Socket) fastOpenConnect(clock.Time) (int, error) {
	return toInt(s.tcp.Settings().Options.FastOpenConnect), nil
}

func (s *Socket) setFastOpenConnect(_ clock.Time, v int) error {
	switch {
	case v < 0 || v > 1 || s.tcp.State() != tcp.StateClosed:
		return syscall.EINVAL
	case !s.host.stack.MayOpenEarly():
		return syscall.EOPNOTSUPP
	}
	s.tcp.Set(func(set *stack.Settings) { set.Options.FastOpenConnect = v == 1 })
	return nil
}

func (s *Socket) fastOpenNoCookie(clock.Time) (int, error) {
	return toInt(s.tcp.Settings().Options.FastOpenNoCookie), nil
}

func (s *Socket) setFastOpenNoCookie(_ clock.Time, v int) error {
	if v < 0 || v > 1 || !s.fresh() {
		return syscall.EINVAL
	}
	s.tcp.Set(func(set *stack.Settings) { set.Options.FastOpenNoCookie = v == 1 })
	return nil
}

// fastOpenKey is TCP_FASTOPEN_KEY: the keys that make and recognize cookies, of
// this listener or of the machine, one behind the other.
func (s *Socket) fastOpenKey(clock.Time) ([]byte, error) {
	keys := s.host.stack.FastOpenKeys()
	if own := s.tcp.Settings().Options.FastOpenKeys; own != nil {
		keys = *own
	}
	var b []byte
	for _, k := range keys {
		b = append(b, k[:]...)
	}
	return b, nil
}

func (s *Socket) setFastOpenKey(_ clock.Time, value []byte) error {
	var keys []tcp.Secret
	for part := range slices.Chunk(value, len(tcp.Secret{})) {
		if len(part) != len(tcp.Secret{}) || len(keys) == 2 {
			return syscall.EINVAL
		}
		keys = append(keys, tcp.Secret(part))
	}
	if keys == nil {
		return syscall.EINVAL
	}
	s.tcp.Set(func(set *stack.Settings) { set.Options.FastOpenKeys = &keys })
	return nil
}
