package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"hubbub"
	"hubbub/socket"
	"hubbub/stack"
	"hubbub/wire"
)

// everyone is where a shout for everyone goes: to all on the same link.
const everyone = "255.255.255.255"

// shout sends a datagram.
func (a *actor) shout(c *Call) error {
	s, err := a.host().Socket(a.family(), socket.SOCK_DGRAM)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := a.prepare(s, c, c.From); err != nil {
		return err
	}
	host := c.Host
	if host == "everyone" {
		host = everyone
		if err := s.SetSockOpt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); err != nil {
			return err
		}
	}
	_, err = s.SendTo([]byte(c.Text), endpoint(host, c.Port))
	return err
}

// hear waits for a datagram.
func (a *actor) hear(c *Call) error {
	s, err := a.host().Socket(a.family(), socket.SOCK_DGRAM)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := a.prepare(s, c, c.Port); err != nil {
		return err
	}
	return timed(s, c.Timeout, func(s *socket.Socket) error {
		b, from, err := s.RecvFrom(maxDatagram)
		if err != nil {
			return err
		}
		a.player.noteReceived(a.name, b)
		if string(b) != c.Text {
			return &mismatch{fmt.Sprintf("to hear %q", c.Text), excerptOf(b)}
		}
		a.player.held(a.name, fmt.Sprintf("heard %q from %s", b, from))
		return nil
	})
}

// What a ping is, where the file says nothing else: as ping(8) has it.
const (
	pingSize    = 56
	pingEvery   = time.Second
	pingTimeout = time.Second
)

// ping sends echo requests and waits for the reply to each.
func (a *actor) ping(c *Call) error {
	if a.reaches6(c.Host) {
		return a.ping6(c)
	}
	s, err := a.host().SocketOf(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	if err != nil {
		return err
	}
	defer s.Close()
	id := uint16(a.player.pings.Add(1))
	return a.pings(c, func(seq, size int, timeout time.Duration) error {
		return a.pingOnce(s, c.Host, size, echoKey{id, uint16(seq)}, timeout)
	})
}

// pings lets once send one request after the other.
func (a *actor) pings(c *Call, once func(seq, size int, timeout time.Duration) error) error {
	size := cmp.Or(int(c.Size), pingSize)
	every, timeout := cmp.Or(c.Every, pingEvery), cmp.Or(c.Timeout, pingTimeout)
	for i := range max(1, c.Times) {
		began := a.player.network.Elapsed()
		if err := once(i+1, size, timeout); err != nil {
			return err
		}
		if took := a.player.network.Elapsed() - began; i+1 < c.Times && took < every {
			if err := a.player.network.Sleep(every - took); err != nil {
				return err
			}
		}
	}
	return nil
}

// ping6 is ping over IPv6.
func (a *actor) ping6(c *Call) error {
	return a.pings(c, func(seq, size int, timeout time.Duration) error {
		reply, err := a.host().Ping(context.Background(), c.Host,
			hubbub.PingSeq(seq), hubbub.PingSize(size), hubbub.PingTimeout(timeout))
		if err != nil {
			a.say("ping %s: %v", c.Host, err)
			return err
		}
		a.player.held(a.name, fmt.Sprintf("%d bytes back from %v in %v", size, reply.From, reply.RTT))
		return nil
	})
}

// An echoKey tells an echo request from all others of its host.
type echoKey struct{ id, seq uint16 }

// pingOnce sends an echo request and waits until its reply, or an error that
// it brought about, has come.
func (a *actor) pingOnce(s *socket.Socket, host string, size int, key echoKey, timeout time.Duration) error {
	request := wire.ICMPv4{Type: wire.Echo}
	request.SetEcho(key.id, key.seq)
	began := a.player.network.Elapsed()
	if _, err := s.SendTo(request.AppendTo(nil, pattern(0, size)), host); err != nil {
		return err
	}
	for {
		left := timeout - (a.player.network.Elapsed() - began)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		s.SetTimeout(left)
		b, from, err := s.RecvFrom(maxDatagram)
		if err != nil {
			return err
		}
		answer, err := pingAnswer(b, key)
		if err != nil {
			a.say("ping %s: %s says %v", host, portless(from), err)
			return err
		}
		if answer {
			a.player.held(a.name, fmt.Sprintf("%d bytes back from %s in %v", size, portless(from), a.player.network.Elapsed()-began))
			return nil
		}
	}
}

func portless(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// pingAnswer looks at a packet that a raw socket received: whether it is the
// reply to an echo request of ours, or an error about it.
func pingAnswer(b []byte, key echoKey) (reply bool, err error) {
	m, rest, ok := icmpOf(b)
	switch {
	case !ok:
		return false, nil
	case m.Type == wire.EchoReply:
		return key == echoKey{m.ID(), m.Seq()}, nil
	case !m.IsError():
		return false, nil
	}
	about, _, ok := icmpOf(rest)
	if !ok || about.Type != wire.Echo || key != (echoKey{about.ID(), about.Seq()}) {
		return false, nil
	}
	return false, pingError(&m)
}

// icmpOf returns the ICMP message in a packet of IP, and what follows it.
func icmpOf(b []byte) (m wire.ICMPv4, rest []byte, ok bool) {
	header := ipHeader(b)
	if header < wire.IPv4HeaderLen || len(b) < header || b[9] != byte(wire.ProtocolICMP) {
		return m, nil, false
	}
	m, rest, err := wire.ParseICMPv4Header(b[header:])
	return m, rest, err == nil
}

// pingError returns the error that an ICMP message means.
func pingError(m *wire.ICMPv4) error {
	switch {
	case m.Type != wire.DestinationUnreachable:
		return errors.New("time exceeded")
	case m.Code == wire.CodeNetUnreachable:
		return syscall.ENETUNREACH
	case m.Code == wire.CodeFragmentationNeeded:
		return syscall.EMSGSIZE
	}
	return syscall.EHOSTUNREACH
}

// netstat tells of the host's sockets.
func (a *actor) netstat(*Call) error {
	lines := []string{fmt.Sprintf("%-5s %5s %5s %-20s %-20s %s", "Proto", "RecvQ", "SendQ", "Local", "Remote", "State")}
	for _, s := range a.host().Netstat() {
		lines = append(lines, netstatLine(&s))
	}
	a.sayLines("netstat -an", lines)
	return nil
}

func netstatLine(s *stack.SocketState) string {
	remote := "*:*"
	if s.Remote.IsValid() {
		remote = s.Remote.String()
	}
	return strings.TrimRight(fmt.Sprintf("%-5s %5d %5d %-20v %-20s %s", s.Proto, s.RecvQ, s.SendQ, s.Local, remote, s.State), " ")
}

// arp tells of the MAC addresses that the host knows.
func (a *actor) arp(*Call) error {
	var lines []string
	for _, e := range a.host().Neighbors() {
		lines = append(lines, fmt.Sprintf("%-15v is at %v (%v)", e.Addr, e.MAC, e.State))
	}
	if lines == nil {
		lines = []string{"nobody is known"}
	}
	a.sayLines("arp -n", lines)
	return nil
}

// routes tells of the host's routes.
func (a *actor) routes(*Call) error {
	var lines []string
	for _, r := range a.host().Routes() {
		lines = append(lines, routeLine(r))
	}
	a.sayLines("route -n", lines)
	return nil
}
