package socket

import (
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/stack"
)

// receiveFrom copies the next datagram into b and returns how long that was,
// where it came from, and how many bytes of it did not fit.
func (s *Socket) receiveFrom(b []byte, flags int) (n int, from netip.AddrPort, cut int, err error) {
	now, err := s.enter()
	if err != nil {
		return 0, from, 0, err
	}
	defer s.leave()
	until := s.until(now)
	peek := flags&MSG_PEEK != 0
	if s.readDeadline.Due(now) {
		return 0, from, 0, errDeadline
	}
	for {
		d, ok, err := s.nextDatagram(peek)
		if ok || err != nil {
			n = copy(b, d.Payload.Bytes())
			s.tell("recvfrom", n, "%d", err, len(b))
			cut = d.Payload.Len() - n
			if !peek {
				d.Payload.Release()
			}
			return n, d.From, cut, err
		}
		if flags&MSG_DONTWAIT != 0 {
			return 0, from, 0, syscall.EAGAIN
		}
		if err := s.wait(&s.readable, &s.readDeadline, until); err != nil {
			s.tell("recvfrom", 0, "%d", err, len(b))
			return 0, from, 0, err
		}
	}
}

func (s *Socket) nextDatagram(peek bool) (d stack.Datagram, ok bool, err error) {
	switch {
	case s.raw != nil && peek:
		d, ok = s.raw.Peek()
	case s.raw != nil:
		d, ok = s.raw.Receive()
	case s.udp == nil:
		return d, false, syscall.EOPNOTSUPP
	case s.udp.HasError():
		return d, false, s.udp.TakeError()
	case peek:
		d, ok = s.udp.Peek()
	default:
		d, ok = s.udp.Receive()
	}
	if !ok && s.readShut {
		return d, true, nil
	}
	return d, ok, nil
}

// sendTo sends a datagram to a destination, or, if that is the zero AddrPort,
// to where the socket is connected. It never waits.
func (s *Socket) sendTo(b []byte, to netip.AddrPort) (int, error) {
	if len(b) > pkt.MaxView {
		return 0, syscall.EMSGSIZE
	}
	payload := pkt.CopyView(b)
	now, err := s.enter()
	if err != nil {
		payload.Release()
		return 0, err
	}
	defer s.leave()
	if s.writeDeadline.Due(now) {
		payload.Release()
		return 0, errDeadline
	}
	s.tell("sendto", len(b), "%d bytes, %v", nil, len(b), s.destination(to))
	if err := s.sendDatagram(now, payload, to); err != nil {
		s.tell("sendto", 0, "%d bytes, %v", err, len(b), s.destination(to))
		return 0, err
	}
	return len(b), nil
}

func (s *Socket) destination(to netip.AddrPort) netip.AddrPort {
	if to.IsValid() {
		return to
	}
	return s.remote()
}

func (s *Socket) sendDatagram(now clock.Time, payload pkt.View, to netip.AddrPort) error {
	switch {
	case s.writeShut:
		payload.Release()
		return syscall.EPIPE
	case s.raw != nil:
		return s.raw.Send(now, payload, to.Addr())
	case s.udp == nil:
		payload.Release()
		return syscall.EOPNOTSUPP
	case s.udp.HasError():
		payload.Release()
		return s.udp.TakeError()
	}
	return s.udp.Send(now, payload, to)
}
