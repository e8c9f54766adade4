package socket

import (
	"context"
	"errors"

	"hubbub/clock"
	"hubbub/sim"
	"hubbub/transport/tcp"
)

// The conditions of poll(2), in Linux's bits. The last three hold whether
// they are asked for or not.
const (
	POLLIN     = 0x1 // something to be read or accepted, or an end
	POLLPRI    = 0x2 // urgent data
	POLLOUT    = 0x4 // room to write, or nothing to wait for
	POLLRDNORM = 0x40
	POLLRDBAND = 0x80
	POLLWRNORM = 0x100
	POLLWRBAND = 0x200
	POLLRDHUP  = 0x2000 // the peer writes no more
	POLLERR    = 0x8    // an error is pending
	POLLHUP    = 0x10   // over in both directions
	POLLNVAL   = 0x20   // the socket is closed
)

const (
	pollRead   = POLLIN | POLLRDNORM
	pollWrite  = POLLOUT | POLLWRNORM
	pollAlways = POLLERR | POLLHUP | POLLNVAL
)

// Readiness returns which conditions of poll(2) hold now.
func (s *Socket) Readiness() int {
	s.host.world.Enter()
	defer s.host.world.Unlock()
	return s.conditions()
}

// conditions returns which conditions hold. Whoever sees that there is no room
// to write is told when there is.
func (s *Socket) conditions() int {
	mask := s.holds()
	if mask&POLLOUT == 0 {
		s.crowded = true
	}
	return mask
}

// holds returns which conditions hold, by Linux's rules.
func (s *Socket) holds() int {
	switch {
	case s.closed:
		return POLLNVAL
	case s.tcp != nil && s.tcp.Listener() != nil:
		return onlyIf(s.tcp.Pending() > 0, pollRead)
	case s.tcp != nil:
		return s.streamConditions()
	case s.other.unix != nil:
		return s.other.unix.conditions()
	}
	return s.datagramConditions()
}

func onlyIf(holds bool, mask int) int {
	if holds {
		return mask
	}
	return 0
}

// streamConditions are those of a TCP socket that doesn't listen: what
// tcp_poll finds.
func (s *Socket) streamConditions() int {
	c := s.tcp.Conn()
	if c == nil {
		// Neither connected nor on its way.
		return pollWrite | POLLHUP | onlyIf(s.readShut, pollRead|POLLRDHUP)
	}
	state := c.State()
	over := state == tcp.StateClosed || state == tcp.StateTimeWait
	readShut := over || s.readShut || c.Ready()&tcp.ReadyPeerClosed != 0
	writeShut := over || !c.CanWrite()
	mask := onlyIf(readShut && writeShut, POLLHUP) | onlyIf(readShut, pollRead|POLLRDHUP)
	if !c.Opening() {
		mask |= onlyIf(c.Readable() >= s.lowWater(), pollRead)
		mask |= onlyIf(writeShut || c.Ready()&tcp.ReadyWrite != 0, pollWrite)
		mask |= onlyIf(c.Ready()&tcp.ReadyUrgent != 0, POLLPRI)
	}
	return mask | onlyIf(c.Err() != nil && !s.reported || s.failing(), POLLERR)
}

// lowWater returns how many octets make the socket readable (SO_RCVLOWAT): no
// more than half its buffer.
func (s *Socket) lowWater() int {
	mark := s.more().lowWater
	if mark <= 1 {
		return 1
	}
	buffer, _ := s.receiveBufferSize(0)
	return min(mark, buffer/2)
}

func (s *Socket) datagramConditions() int {
	failing := s.other.udp != nil && s.other.udp.HasError()
	waiting := s.other.udp != nil && s.other.udp.Pending() > 0 || s.other.raw != nil && s.other.raw.Pending() > 0
	return pollWrite | onlyIf(failing, POLLERR) | onlyIf(waiting || s.readShut, pollRead) |
		onlyIf(s.readShut, POLLRDHUP) | onlyIf(s.readShut && s.writeShut, POLLHUP)
}

func (u *unixEnd) conditions() int {
	switch {
	case u.backlog > 0:
		return onlyIf(len(u.pending) > 0, pollRead)
	case u.socket.kind == SOCK_DGRAM:
		return pollWrite | onlyIf(u.canRead(), pollRead) | onlyIf(u.ended, POLLRDHUP) | onlyIf(u.ended && u.shut, POLLHUP)
	case u.peer == nil:
		return pollWrite | POLLHUP
	}
	gone := u.peer.socket.closed
	return onlyIf(u.canRead(), pollRead) | onlyIf(u.canWrite(), pollWrite) |
		onlyIf(u.ended, POLLRDHUP) | onlyIf(gone || u.ended && u.shut, POLLHUP)
}

// A PollFD is a socket that Poll watches. Events is what is waited for,
// Revents what holds, as far as it was asked for.
type PollFD struct {
	Socket  *Socket
	Events  int
	Revents int
}

// pollWait is a call of Poll that waits.
type pollWait struct{ list sim.WaitList }

func (p *pollWait) changed(*Socket, int) bool {
	p.list.WakeAll()
	return true
}

// Poll waits until something that was asked for holds on one of the sockets,
// or an error or a hang-up, and returns on how many. A negative time-out is
// none, zero doesn't wait; time is the world's. Nothing may have happened: then
// it returns 0 and no error.
func (h *Host) Poll(fds []PollFD, timeout clock.Duration) (int, error) {
	return h.poll(context.Background(), fds, timeout, clock.Never)
}

// poll is Poll with a context, and a limit of the world's time that is an error.
func (h *Host) poll(ctx context.Context, fds []PollFD, timeout clock.Duration, limit clock.Time) (int, error) {
	now := h.world.Enter()
	defer h.world.Leave(h.node)
	until := limit
	if timeout > 0 {
		until = clock.Earlier(limit, now.Add(timeout))
	}
	var p pollWait
	watching := false
	defer func() {
		if watching {
			unwatch(fds, &p)
		}
	}()
	for {
		n := look(fds)
		if n > 0 || timeout == 0 {
			return n, nil
		}
		if !watching {
			watching = true
			for i := range fds {
				fds[i].Socket.watch(&watch{by: &p, all: true})
			}
		}
		_, err := h.world.Wait(ctx, h.node, &p.list, until)
		switch {
		case errors.Is(err, errDeadline) && limit.Due(h.world.Now()):
			return 0, err
		case errors.Is(err, errDeadline):
			return look(fds), nil
		case err != nil:
			return 0, failed("poll", err)
		}
	}
}

// look fills in what holds, and returns on how many sockets something does.
func look(fds []PollFD) (n int) {
	for i := range fds {
		f := &fds[i]
		f.Revents = f.Socket.conditions() & (f.Events | pollAlways)
		if f.Revents != 0 {
			n++
		}
	}
	return n
}

func unwatch(fds []PollFD, by watcher) {
	for i := range fds {
		fds[i].Socket.unwatch(by)
	}
}
