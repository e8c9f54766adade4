package socket

import (
	"syscall"

	"hubbub/transport/tcp"
)

// The requests of Ioctl.
const (
	SIOCINQ     = 0x541b // octets that can be read, of a datagram socket those of the next datagram; FIONREAD
	SIOCOUTQ    = 0x5411 // octets that are not acknowledged yet
	SIOCATMARK  = 0x8905 // 1 if the next octet to be read is the first after urgent data
	SIOCOUTQNSD = 0x894b // octets that were not sent yet
)

// Ioctl answers a question about the socket's queues (tcp(7)). The errors are
// EINVAL for a listener, ENOTTY for another request.
func (s *Socket) Ioctl(request int) (int, error) {
	if _, err := s.enter(); err != nil {
		return 0, failed("ioctl", err)
	}
	defer s.host.world.Unlock()
	n, err := s.ioctl(request)
	return n, failed("ioctl", err)
}

func (s *Socket) ioctl(request int) (int, error) {
	switch {
	case s.tcp != nil:
		return s.ioctlTCP(request)
	case request != SIOCINQ && request != SIOCOUTQ:
		return 0, syscall.ENOTTY
	case request == SIOCOUTQ:
		return 0, nil // a datagram that was taken is on its way
	case s.other.udp != nil:
		return s.other.udp.NextLen(), nil
	case s.other.raw != nil:
		d, _ := s.other.raw.Peek()
		return d.Payload.Len(), nil
	case s.kind == SOCK_STREAM:
		return s.other.unix.stream.Len(), nil
	case len(s.other.unix.messages) > 0:
		return s.other.unix.messages[0].data.Len(), nil
	}
	return 0, nil
}

func (s *Socket) ioctlTCP(request int) (int, error) {
	c := s.tcp.Conn()
	switch {
	case request == SIOCATMARK:
		return toInt(c != nil && c.AtMark()), nil
	case request != SIOCINQ && request != SIOCOUTQ && request != SIOCOUTQNSD:
		return 0, syscall.ENOTTY
	case s.tcp.Listener() != nil:
		return 0, syscall.EINVAL
	case c == nil || c.State() == tcp.StateSynSent || c.State() == tcp.StateSynReceived:
		return 0, nil
	}
	switch request {
	case SIOCINQ:
		return c.Readable(), nil
	case SIOCOUTQ:
		return c.Unconfirmed(), nil
	}
	return c.Unmentioned(), nil
}
