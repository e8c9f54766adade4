package lab

import (
	"bytes"
	"fmt"
	"net"
	"strconv"

	"hubbub"
	"hubbub/socket"
)

func endpoint(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// open creates a stream socket, bound to a local port if one is given.
func (a *actor) open(c *Call, local uint16) (*socket.Socket, error) {
	s, err := a.host().Socket(a.family(), socket.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	if err = a.prepare(s, c, local); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (a *actor) prepare(s *socket.Socket, c *Call, local uint16) error {
	for _, o := range [...]struct {
		on          bool
		level, name int
	}{
		{c.ReuseAddr, socket.SOL_SOCKET, socket.SO_REUSEADDR},
		{c.ReusePort, socket.SOL_SOCKET, socket.SO_REUSEPORT},
		{c.FastOpen, socket.IPPROTO_TCP, socket.TCP_FASTOPEN_CONNECT},
	} {
		if !o.on {
			continue
		}
		if err := s.SetSockOpt(o.level, o.name, 1); err != nil {
			return err
		}
	}
	if local != 0 {
		return s.Bind(endpoint("", local))
	}
	return nil
}

// dial opens a connection.
func (a *actor) dial(c *Call) (*socket.Socket, error) {
	s, err := a.open(c, c.From)
	if err != nil {
		return nil, err
	}
	err = timed(s, c.Timeout, func(s *socket.Socket) error { return s.Connect(endpoint(c.Host, c.Port)) })
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (a *actor) connect(c *Call) error {
	s, err := a.dial(c)
	if err == nil {
		a.keep(c.As, s, false)
	}
	return err
}

func (a *actor) listen(c *Call) error {
	s, err := a.bindAndListen(c)
	if err == nil {
		a.keep(c.As, s, true)
	}
	return err
}

// defaultBacklog is the course's: phone.listen(5).
const defaultBacklog = 5

// bindAndListen returns a socket that listens on the call's port.
func (a *actor) bindAndListen(c *Call) (*socket.Socket, error) {
	s, err := a.open(c, c.Port)
	if err != nil {
		return nil, err
	}
	backlog := c.Backlog
	if backlog == 0 {
		backlog = defaultBacklog
	}
	if err := s.Listen(backlog); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (a *actor) accept(c *Call) error {
	return timed(a.pick(c.Via, true), c.Timeout, func(l *socket.Socket) error {
		s, _, err := l.Accept()
		if err == nil {
			a.keep(c.As, s, false)
		}
		return err
	})
}

// send sends a text: on the connection that there is, or in a conversation of
// its own, which is the course's simple client.
func (a *actor) send(c *Call) error {
	if c.Host == "" {
		return a.using(c, func(s *socket.Socket) error { return sendText(s, c) })
	}
	s, err := a.dial(c)
	if err != nil {
		return err
	}
	defer s.Close()
	return timed(s, c.Timeout, func(s *socket.Socket) error {
		if err := sendText(s, c); err != nil || c.Answer == "" {
			return err
		}
		return a.receiveText(s, c.Answer)
	})
}

func sendText(s *socket.Socket, c *Call) error {
	if !c.Urgent {
		return s.SendAll([]byte(c.Text))
	}
	_, err := s.Send([]byte(c.Text), socket.MSG_OOB)
	return err
}

func (a *actor) receive(c *Call) error {
	return a.using(c, func(s *socket.Socket) error { return a.receiveText(s, c.Text) })
}

// receiveText receives as many bytes as a text has, and compares.
func (a *actor) receiveText(s *socket.Socket, want string) error {
	var got []byte
	for len(got) < len(want) {
		b, err := s.Recv(len(want)-len(got), 0)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			break
		}
		got = append(got, b...)
	}
	a.player.noteReceived(a.name, got)
	switch {
	case string(got) == want:
		a.player.held(a.name, fmt.Sprintf("received %q", got))
		return nil
	case len(got) < len(want):
		return &mismatch{fmt.Sprintf("to receive %q", want), fmt.Sprintf("%q, and the end of the stream", got)}
	}
	return &mismatch{fmt.Sprintf("to receive %q", want), fmt.Sprintf("%q", got)}
}

// drain reads until the peer has closed.
func (a *actor) drain(c *Call) error {
	return a.using(c, func(s *socket.Socket) error {
		total := 0
		for {
			b, err := s.Recv(recvSize, 0)
			if err != nil {
				return err
			}
			if len(b) == 0 {
				a.say("the other side has closed, after %d bytes: recv returned nothing", total)
				return nil
			}
			total += len(b)
			a.player.noteReceived(a.name, b)
		}
	})
}

func (a *actor) shutdown(c *Call) error {
	how := map[string]socket.How{"read": socket.SHUT_RD, "write": socket.SHUT_WR, "both": socket.SHUT_RDWR}[c.Way]
	return a.using(c, func(s *socket.Socket) error { return s.Shutdown(how) })
}

// close closes the connection; the listener, where there is no connection.
func (a *actor) close(c *Call) error {
	s := a.pick(c.Via, false)
	if s == nil {
		s = a.pick(c.Via, true)
	}
	return timed(s, 0, (*socket.Socket).Close)
}

// abort closes the connection with a reset.
func (a *actor) abort(c *Call) error {
	return a.using(c, func(s *socket.Socket) error {
		if err := s.SetSockOpt(socket.SOL_SOCKET, socket.SO_LINGER, 0); err != nil {
			return err
		}
		return s.Close()
	})
}

func (a *actor) keepalive(c *Call) error {
	return a.using(c, func(s *socket.Socket) error { return keepAlive(s, c) })
}

// keepAlive switches keepalive on, with the call's times where it has any.
func keepAlive(s *socket.Socket, c *Call) error {
	const second = 1e9
	for _, o := range [...]struct{ name, value int }{
		{socket.TCP_KEEPIDLE, int(c.Idle / second)},
		{socket.TCP_KEEPINTVL, int(c.Every / second)},
		{socket.TCP_KEEPCNT, c.Probes},
	} {
		if o.value == 0 {
			continue
		}
		if err := s.SetSockOpt(socket.IPPROTO_TCP, o.name, o.value); err != nil {
			return err
		}
	}
	return s.SetSockOpt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
}

// set sets an option of the latest connection, or of a socket that listens if
// there is none, or of the one that is named.
func (a *actor) set(c *Call) error {
	s := a.pick(c.Via, false)
	if s == nil {
		s = a.pick(c.Via, true)
	}
	o := optionNumbers[c.Option]
	return timed(s, 0, func(s *socket.Socket) error {
		if c.Algorithm != "" {
			return s.SetSockOptBytes(o[0], o[1], []byte(c.Algorithm))
		}
		return s.SetSockOpt(o[0], o[1], c.Value)
	})
}

// optionNumbers are the level and the name of what set sets.
var optionNumbers = map[string][2]int{
	"congestion":    {socket.IPPROTO_TCP, socket.TCP_CONGESTION},
	"cork":          {socket.IPPROTO_TCP, socket.TCP_CORK},
	"defer-accept":  {socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT},
	"linger":        {socket.SOL_SOCKET, socket.SO_LINGER},
	"linger2":       {socket.IPPROTO_TCP, socket.TCP_LINGER2},
	"maxseg":        {socket.IPPROTO_TCP, socket.TCP_MAXSEG},
	"nodelay":       {socket.IPPROTO_TCP, socket.TCP_NODELAY},
	"notsent-lowat": {socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT},
	"quickack":      {socket.IPPROTO_TCP, socket.TCP_QUICKACK},
	"rcvbuf":        {socket.SOL_SOCKET, socket.SO_RCVBUF},
	"sndbuf":        {socket.SOL_SOCKET, socket.SO_SNDBUF},
	"user-timeout":  {socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT},
}

// setOptionValue reads a number, or the name of a congestion control.
func setOptionValue(_ *scenarioReader, c *Call, w string) error {
	if c.Option == "congestion" {
		c.Algorithm = w
		return hubbub.CheckSetting("net.ipv4.tcp_congestion_control", w)
	}
	n, err := parseOptionValue(w)
	c.Value = n
	return err
}

// transfer sends many bytes, and reads them back where the server echoes them.
func (a *actor) transfer(c *Call) error {
	s := a.pick(c.Via, false)
	if c.Host != "" {
		var err error
		if s, err = a.dial(c); err != nil {
			return err
		}
		defer s.Close()
	}
	return timed(s, c.Timeout, func(s *socket.Socket) error {
		if c.Echoed {
			a.player.network.Go(a.name+": sends", func() { _ = sendPattern(s, c.Size) })
			return a.receivePattern(s, c.Size)
		}
		if err := sendPattern(s, c.Size); err != nil || c.Host == "" {
			return err
		}
		return finish(s)
	})
}

// finish ends the sending side and waits until the peer has ended its own:
// then it has read everything.
func finish(s *socket.Socket) error {
	if err := s.Shutdown(socket.SHUT_WR); err != nil {
		return err
	}
	for {
		if b, err := s.Recv(recvSize, 0); err != nil || len(b) == 0 {
			return err
		}
	}
}

const transferChunk = 8192

// pattern returns the bytes of a transfer from an offset on: every place in
// the stream can be told from those around it.
func pattern(offset int64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		at := offset + int64(i)
		b[i] = byte(at ^ at>>8 ^ at>>16)
	}
	return b
}

func sendPattern(s *socket.Socket, size int64) error {
	for sent := int64(0); sent < size; {
		b := pattern(sent, int(min(transferChunk, size-sent)))
		if err := s.SendAll(b); err != nil {
			return err
		}
		sent += int64(len(b))
	}
	return nil
}

// receivePattern receives a transfer and compares every byte.
func (a *actor) receivePattern(s *socket.Socket, size int64) error {
	for got := int64(0); got < size; {
		b, err := s.Recv(int(min(transferChunk, size-got)), 0)
		switch {
		case err != nil:
			return err
		case len(b) == 0:
			return &mismatch{fmt.Sprintf("%d bytes back", size), fmt.Sprintf("%d, and the end of the stream", got)}
		case !bytes.Equal(b, pattern(got, len(b))):
			return &mismatch{"the bytes that were sent", fmt.Sprintf("others, after %d bytes", got)}
		}
		got += int64(len(b))
	}
	a.player.held(a.name, fmt.Sprintf("all %d bytes came back as they were sent", size))
	return nil
}
