package socket

import (
	"context"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/transport/tcp"
)

// sendEarly connects to remote with TCP Fast Open, and sends b (MSG_FASTOPEN).
// As on Linux it waits for the end of the handshake, unless the socket or the
// call is not to wait: then it returns how much went in the SYN, or
// EINPROGRESS if nothing did.
func (s *Socket) sendEarly(b []byte, remote netip.AddrPort, dontWait bool) (int, error) {
	n, err := s.connectEarly(b, remote, dontWait)
	if err != nil || n == len(b) || dontWait || s.isNonblocking() {
		return n, err
	}
	more, err := s.writeStream(b[n:], false)
	if n += more; n > 0 {
		err = nil
	}
	return n, err
}

func (s *Socket) connectEarly(b []byte, remote netip.AddrPort, dontWait bool) (n int, err error) {
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	remote, err = s.meant(remote, syscall.ENETUNREACH)
	switch {
	case err != nil:
		return 0, err
	case s.tcp == nil || !s.host.stack.MayOpenEarly():
		return 0, syscall.EOPNOTSUPP
	case s.opening && s.isOpening():
		return 0, syscall.EALREADY
	case !remote.IsValid():
		return 0, syscall.EINVAL
	}
	s.announce("sendto", s.shown(remote))
	n, err = s.tcp.ConnectEarly(now, remote, b)
	if err == nil {
		s.opening = true
		err = s.openedEarly(now, n, dontWait)
	}
	s.tell("sendto", n, "%d bytes, %v, MSG_FASTOPEN", err, len(b), s.shown(remote))
	return n, err
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

func (s *Socket) fastOpen(clock.Time) (int, error) { return s.tcp.Options.FastOpen, nil }

func (s *Socket) setFastOpen(_ clock.Time, v int) error {
	if v < 0 || !s.fresh() {
		return syscall.EINVAL
	}
	v = min(v, s.host.stack.TCPEnv().MaxBacklog)
	s.tcp.Options.FastOpen = v
	if l := s.tcp.Listener(); l != nil {
		l.SetFastOpen(v)
	}
	return nil
}

func (s *Socket) fastOpenConnect(clock.Time) (int, error) {
	return toInt(s.tcp.Options.FastOpenConnect), nil
}

func (s *Socket) setFastOpenConnect(_ clock.Time, v int) error {
	switch {
	case v < 0 || v > 1 || s.tcp.State() != tcp.StateClosed:
		return syscall.EINVAL
	case !s.host.stack.MayOpenEarly():
		return syscall.EOPNOTSUPP
	}
	s.tcp.Options.FastOpenConnect = v == 1
	return nil
}

func (s *Socket) fastOpenNoCookie(clock.Time) (int, error) {
	return toInt(s.tcp.Options.FastOpenNoCookie), nil
}

func (s *Socket) setFastOpenNoCookie(_ clock.Time, v int) error {
	if v < 0 || v > 1 || !s.fresh() {
		return syscall.EINVAL
	}
	s.tcp.Options.FastOpenNoCookie = v == 1
	return nil
}
