package socket

import (
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/stack"
)

// An origin is what else there is to say about a datagram.
type origin struct {
	from, to  netip.AddrPort
	path      string // of family AF_UNIX
	ttl, tos  uint8
	port      int // the interface by which it came
	cut       int // bytes that didn't fit
	flags     int // of the result
	datagrams bool
}

// receiveOne copies the next datagram into b and returns how long that was:
// with MSG_TRUNC, how long the datagram is.
func (s *Socket) receiveOne(b []byte, flags int) (n int, from origin, err error) {
	if s.other.unix != nil {
		n, from.path, from.cut, err = s.receiveMessage(b, flags)
	} else {
		n, from, err = s.receiveFrom(b, flags)
	}
	if from.cut > 0 {
		from.flags |= MSG_TRUNC
	}
	if flags&MSG_TRUNC != 0 {
		n += from.cut
	}
	return n, from, err
}

// receiveFrom copies the next datagram into b and returns how long that was,
// and where it came from.
func (s *Socket) receiveFrom(b []byte, flags int) (n int, from origin, err error) {
	now, err := s.enterToTake()
	if err == nil && flags&MSG_DONTWAIT != 0 {
		now = s.host.world.CatchUp()
	}
	if err != nil {
		return 0, from, err
	}
	defer s.host.world.Unlock() // nothing follows from what was read
	until := s.untilRead(now)
	peek := flags&MSG_PEEK != 0
	if s.readDeadline.Due(now) {
		return 0, from, errDeadline
	}
	for {
		d, ok, err := s.nextDatagram(peek)
		if ok || err != nil {
			n = copy(b, d.Payload.Bytes())
			if s.host.world.Stream.On() {
				s.tell("recvfrom", n, "%d", err, len(b))
			}
			from = origin{
				from: s.shown(d.From), to: s.shown(d.To), ttl: d.TTL, tos: d.TOS, port: d.Interface,
				cut: d.Payload.Len() - n, datagrams: true,
			}
			if !peek {
				d.Payload.Release()
			}
			if s.awaits && s.other.udp != nil && s.other.udp.Pending() == 0 {
				s.host.world.CaughtUp()
			}
			return n, from, err
		}
		switch {
		case flags&MSG_DONTWAIT != 0 || s.nonblocking:
			return 0, from, syscall.EAGAIN
		case s.readShut:
			return 0, from, nil
		}
		s.awaits = true
		if err := s.wait(&s.readable, &s.readDeadline, until); err != nil {
			s.tell("recvfrom", 0, "%d", err, len(b))
			return 0, from, err
		}
	}
}

func (s *Socket) nextDatagram(peek bool) (d stack.Datagram, ok bool, err error) {
	switch {
	case s.other.raw != nil && peek:
		d, ok = s.other.raw.Peek()
	case s.other.raw != nil:
		d, ok = s.other.raw.Receive()
	case s.other.udp == nil:
		return d, false, syscall.EOPNOTSUPP
	case s.other.udp.HasError():
		return d, false, s.other.udp.TakeError()
	case peek:
		d, ok = s.other.udp.Peek()
	default:
		d, ok = s.other.udp.Receive()
	}
	return d, ok, nil
}

// sendTo sends a datagram to a destination, or, if that is the zero AddrPort,
// to where the socket is connected. It waits for nothing but, for a moment, a
// reader who has fallen behind.
func (s *Socket) sendTo(b []byte, to netip.AddrPort) (int, error) {
	a, err := s.ancillary(nil)
	if err != nil {
		return 0, err
	}
	return s.sendWith(b, to, a)
}

// sendWith is sendTo for a datagram of which more is said than where it goes; nil
// is nothing.
func (s *Socket) sendWith(b []byte, to netip.AddrPort, a *stack.Ancillary) (int, error) {
	if len(b) > pkt.MaxView {
		return 0, syscall.EMSGSIZE
	}
	payload := pkt.CopyView(b)
	now, err := s.enter()
	if err != nil {
		payload.Release()
		return 0, err
	}
	defer s.leaveSent()
	if s.writeDeadline.Due(now) {
		payload.Release()
		return 0, errDeadline
	}
	meant, err := s.meant(to, syscall.ENETUNREACH)
	if err != nil {
		payload.Release()
		return 0, err
	}
	if s.host.world.Stream.On() {
		s.tell("sendto", len(b), "%d bytes, %v", nil, len(b), s.destination(to))
	}
	if err := s.sendDatagram(now, payload, meant, a); err != nil {
		s.tell("sendto", 0, "%d bytes, %v", err, len(b), s.destination(to))
		return 0, err
	}
	return len(b), nil
}

// leaveSent is leave for a call that has sent a datagram. Nothing holds its sender
// back: who reads would else find the world locked most of the time, and no room.
func (s *Socket) leaveSent() {
	if s.nonblocking {
		s.leave()
		return
	}
	s.host.world.LeaveSent(s.host.node)
}

func (s *Socket) destination(to netip.AddrPort) netip.AddrPort {
	if to.IsValid() {
		return to
	}
	return s.remote()
}

func (s *Socket) sendDatagram(now clock.Time, payload pkt.View, to netip.AddrPort, a *stack.Ancillary) error {
	switch {
	case s.writeShut:
		payload.Release()
		return syscall.EPIPE
	case s.other.raw != nil:
		return s.other.raw.SendWith(now, payload, to.Addr(), a)
	case s.other.udp == nil:
		payload.Release()
		return syscall.EOPNOTSUPP
	case s.other.udp.HasError():
		payload.Release()
		return s.other.udp.TakeError()
	}
	return s.other.udp.SendWith(now, payload, to, a)
}
