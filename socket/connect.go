package socket

import (
	"context"
	"errors"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/sim"
	"hubbub/stack"
	"hubbub/transport/tcp"
)

var errDeadline = sim.ErrDeadline

// connect opens a connection, or fixes a datagram socket's peer.
func (s *Socket) connect(ctx context.Context, remote netip.AddrPort) error {
	now, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	err = s.connectNow(ctx, now, remote)
	if s.host.world.Stream.On() {
		s.tell("connect", 0, "%v", err, remote)
	}
	return err
}

func (s *Socket) connectNow(ctx context.Context, now clock.Time, remote netip.AddrPort) error {
	remote, err := s.meant(remote, syscall.ENETUNREACH)
	if err != nil {
		return err
	}
	switch {
	case s.other.udp != nil:
		return s.other.udp.Connect(remote)
	case s.other.raw != nil:
		return s.other.raw.Connect(remote.Addr())
	case s.opening && s.nonblocking && s.isOpening():
		return syscall.EALREADY
	case s.opening:
		// An attempt that didn't wait has ended, or this call waits for it.
		return s.established(ctx, now)
	}
	s.announce("connect", s.shown(remote))
	if s.tcp.Settings().Options.FastOpenConnect {
		err = s.tcp.ConnectDeferred(now, remote)
	} else {
		err = s.tcp.Connect(now, remote)
	}
	if err != nil {
		return err
	}
	s.opening = true
	if s.nonblocking && s.isOpening() {
		return syscall.EINPROGRESS
	}
	return s.established(ctx, now)
}

// isOpening reports whether the handshake of the socket's connection is under
// way, and has to be waited for.
func (s *Socket) isOpening() bool {
	c := s.tcp.Conn()
	return c != nil && c.Opening()
}

// again gives a socket whose attempt to connect has failed a fresh start, as
// Linux does.
func (s *Socket) again() {
	s.stand(s.tcp.Renew(s.host.world.Now()))
	s.opening, s.reported = false, false
}

// established waits until the handshake is over.
func (s *Socket) established(ctx context.Context, now clock.Time) error {
	until := s.untilWrite(now)
	for {
		c := s.tcp.Conn()
		switch {
		case c == nil:
			return tcp.ErrAborted // another call has given up the attempt
		case c.Err() != nil || c.State() == tcp.StateClosed:
			err := s.report(orError(c.Err(), stack.ErrRefused), tcp.ErrAborted)
			s.again()
			return err
		case !s.isOpening():
			s.opening = false
			return nil
		}
		w := s.host.world
		_, err := w.Wait(ctx, s.host.node, &s.writable, clock.Earlier(s.writeDeadline, until))
		if err == nil {
			err = s.usable()
		}
		if errors.Is(err, errDeadline) && s.more().timeout <= 0 && !s.writeDeadline.Due(w.Now()) {
			return syscall.EINPROGRESS // SO_SNDTIMEO ends the waiting, not the attempt
		}
		if err != nil {
			return s.giveUp(err)
		}
	}
}

func orError(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// giveUp ends an attempt to connect that took too long, or was cancelled.
func (s *Socket) giveUp(err error) error {
	if s.usable() == nil && !errors.Is(err, sim.ErrForeign) && s.isOpening() {
		now := s.host.world.Now()
		s.tcp.Conn().Abort(now)
		s.tcp.Update(now)
		s.again()
	}
	return err
}

// bind gives the socket a local address.
func (s *Socket) bind(local netip.AddrPort) error {
	if _, err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	err := s.bindNow(local)
	s.tell("bind", 0, "%v", err, local)
	return err
}

func (s *Socket) bindNow(local netip.AddrPort) error {
	local, err := s.meant(local, syscall.EINVAL)
	switch {
	case err != nil:
		return err
	case s.tcp != nil:
		return s.tcp.Bind(local)
	case s.other.udp != nil:
		return s.other.udp.Bind(local)
	}
	return s.other.raw.Bind(local.Addr())
}

// listen makes the socket wait for connections.
func (s *Socket) listen(backlog int) error {
	if _, err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	err := s.listenNow(backlog)
	s.tell("listen", 0, "%d", err, backlog)
	return err
}

func (s *Socket) listenNow(backlog int) error {
	switch {
	case s.other.unix != nil:
		return s.other.unix.listen(backlog)
	case s.tcp == nil:
		return syscall.EOPNOTSUPP
	}
	err := s.tcp.Listen(backlog)
	if err == nil {
		s.readShut, s.writeShut = false, false
	}
	return err
}

// accept takes the connection that has waited longest, or waits for one.
func (s *Socket) accept() (*Socket, error) {
	now, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave()
	until := s.untilRead(now)
	if s.readDeadline.Due(now) {
		return nil, errDeadline
	}
	for waited := false; ; waited = true {
		conn, err := s.acceptNow()
		if conn != nil || err != nil {
			s.tellAccept(conn, err)
			return conn, err
		}
		if !waited {
			s.tellBlocked("accept")
		}
		if err := s.wait(&s.readable, &s.readDeadline, until); err != nil {
			s.tellAccept(nil, err)
			return nil, err
		}
	}
}

func (s *Socket) acceptNow() (*Socket, error) {
	h := s.host
	if s.other.unix != nil {
		return s.other.unix.accept()
	}
	if s.tcp == nil {
		return nil, syscall.EOPNOTSUPP
	}
	if s.tcp.Listener() == nil {
		return nil, syscall.EINVAL
	}
	e, ok := s.tcp.Accept()
	if !ok {
		return nil, nil
	}
	conn := h.newSocket(s.family, s.kind)
	conn.stand(e)
	conn.inherit(s)
	h.add(conn)
	return conn, nil
}

func (s *Socket) tellAccept(conn *Socket, err error) {
	if err != nil {
		s.tell("accept", 0, "", err)
		return
	}
	if s.host.world.Stream.On() {
		s.tell("accept", conn.descriptor(), "%s", nil, conn.peerName())
	}
}
