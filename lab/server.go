package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net"

	"hubbub/socket"
)

// recvSize is how much the course's programs read at once: recv(1024).
// bulkSize is what those read that echo or throw away.
const (
	recvSize = 1024
	bulkSize = 16384
)

// serve starts a server: it listens before the next step, and goes on in the
// background. Like the course's server it serves one client at a time; the
// others wait in the backlog.
func (a *actor) serve(c *Call) error {
	switch {
	case c.Mode == "names":
		return a.serveNames(c)
	case c.UDP:
		return a.serveUDP(c)
	}
	l, err := a.bindAndListen(c)
	if err != nil {
		return err
	}
	s := &server{actor: a, call: c, listener: l}
	a.player.network.Go(fmt.Sprintf("%s: serve %s :%d", a.name, c.Mode, c.Port), s.run)
	return nil
}

// A server is a server at work.
type server struct {
	*actor
	call     *Call
	listener *socket.Socket
	held     []*socket.Socket // connections that are never read from
}

// run serves client after client, until the listener is closed.
func (s *server) run() {
	for {
		conn, from, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.stumbled("accept", err)
			return
		}
		s.client(conn, from)
		if s.call.Once {
			s.listener.Close()
			return
		}
	}
}

// client serves one client.
func (s *server) client(conn *socket.Socket, from string) {
	s.say("has a client: %s", from)
	if s.call.Keepalive {
		if err := keepAlive(conn, s.call); err != nil {
			s.stumbled("setsockopt", err)
		}
	}
	if s.call.Mode == "hold" {
		s.held = append(s.held, conn)
		return
	}
	for s.exchange(conn) && !s.call.Once {
	}
	conn.Close()
}

// exchange reads once and answers. It reports whether there may be more.
func (s *server) exchange(conn *socket.Socket) bool {
	size := bulkSize
	if s.call.Mode == "upper" {
		size = recvSize
	}
	b, err := conn.Recv(size, 0)
	switch {
	case err != nil:
		s.stumbled("recv", err)
		return false
	case len(b) == 0:
		s.say("recv returned nothing: the client has closed")
		return false
	}
	s.player.noteReceived(s.name, b)
	answer := s.answer(b)
	if answer == nil {
		return true
	}
	if err := conn.SendAll(answer); err != nil {
		s.stumbled("send", err)
		return false
	}
	return true
}

// answer returns what a server of this mode answers, nil for nothing.
func (s *server) answer(b []byte) []byte {
	switch s.call.Mode {
	case "upper":
		return bytes.ToUpper(b)
	case "echo":
		return b
	}
	return nil
}

// stumbled tells of a call that failed.
func (s *server) stumbled(call string, err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	name := ErrorName(err)
	s.player.noteError(s.name, name)
	s.say("%s failed: %s", call, name)
}

// serveUDP starts a server of datagrams.
func (a *actor) serveUDP(c *Call) error {
	conn, err := a.host().Socket(a.family(), socket.SOCK_DGRAM)
	if err != nil {
		return err
	}
	if err := a.prepare(conn, c, c.Port); err != nil {
		conn.Close()
		return err
	}
	s := &server{actor: a, call: c}
	a.player.network.Go(fmt.Sprintf("%s: serve udp %s :%d", a.name, c.Mode, c.Port), func() {
		for s.datagram(conn) {
		}
	})
	return nil
}

// datagram answers one datagram. It reports whether there may be more.
func (s *server) datagram(conn *socket.Socket) bool {
	b, from, err := conn.RecvFrom(maxDatagram)
	if err != nil {
		s.stumbled("recvfrom", err)
		return !errors.Is(err, net.ErrClosed)
	}
	s.player.noteReceived(s.name, b)
	s.say("heard %s from %s", excerptOf(b), from)
	if answer := s.answer(b); answer != nil {
		if _, err := conn.SendTo(answer, from); err != nil {
			s.stumbled("sendto", err)
		}
	}
	return true
}

const maxDatagram = 65535

// excerptOf quotes what was received, the beginning of it if it is long.
func excerptOf(b []byte) string {
	if len(b) > 60 {
		return fmt.Sprintf("%q... (%d bytes)", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}
