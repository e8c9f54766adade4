package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/transport/tcp"
)

// rest lets a connection go to its TIME-WAIT. Its endpoint may still be read;
// the port stays held until the time is over.
func (s *Stack) rest(now clock.Time, e *TCP) {
	if s.waits.count >= s.cfg.MaxTimeWait {
		s.stream.Publish(now, s.cfg.Name, event.Overflow{
			Local: e.local, What: "too many connections are in TIME-WAIT: this one is forgotten at once",
		})
		e.unhold()
		return
	}
	tw := timeWait{
		TimeWait: e.conn.TimeWait(), cause: s.stream.Cause(),
		local: e.local.Addr().As16(), remote: e.remote.Addr().As16(), scope: s.scopeOf(e.remote.Addr()),
		ports: [2]uint16{e.local.Port(), e.remote.Port()}, binding: e.binding, hash: e.hash,
	}
	s.recycle(now, e, &tw.TimeWait)
	e.binding = 0 // the port is tw's now
	s.waits.add(&tw)
}

// waitFor returns the number of what is left of a connection between two ends, 0
// if there is nothing.
func (s *Stack) waitFor(hash uint32, local, remote netip.AddrPort) uint32 {
	if s.waits.count == 0 {
		return 0
	}
	return s.waits.find(hash, local, remote, s.scopeOf(remote.Addr()))
}

// reusable reports whether this machine may open a connection in the place of
// one in TIME-WAIT.
func (s *Stack) reusable(now clock.Time, tw *timeWait) bool {
	switch s.cfg.ReuseTimeWait {
	case 0:
		return false
	case 2:
		if _, remote := s.endsOf(tw); s.own.by(remote.Addr()) == nil {
			return false
		}
	}
	return tw.Reusable(now)
}

// handleTimeWait answers a segment for a connection in TIME-WAIT. It reports
// whether the segment may open a new one, which must begin with the sequence
// number next or a later one; only if somebody is listening is it tried.
func (s *Stack) handleTimeWait(now clock.Time, n uint32, local, remote netip.AddrPort, seg *tcp.Segment, listening bool) (next tcp.Seq, open bool) {
	tw := s.waits.record(n)
	before := tw.Expires()
	reply, answer, verdict := tw.HandleSegment(now, s.env(), seg)
	s.tellTCP(now, local, remote)
	switch {
	case verdict == tcp.Reopen && listening:
		next := tw.NextISS()
		s.forget(n)
		return next, true
	case verdict == tcp.Kill:
		s.forget(n)
		s.tellTimeWaitOver(now, local, remote, s.stream.Cause(), "a reset ended it: its sender knows nothing of the connection")
	case tw.Expires() != before:
		tw.cause = s.stream.Cause()
		s.waits.requeue(n)
	}
	if answer {
		s.transmitFor(now, local, remote, &reply)
	}
	seg.Payload.Release()
	return 0, false
}

// expireWaits ends those TIME-WAITs that have lasted 2MSL.
func (s *Stack) expireWaits(now clock.Time) {
	for s.waits.next().Due(now) {
		n := s.waits.soonest()
		tw := s.waits.record(n)
		local, remote := s.endsOf(tw)
		cause := tw.cause
		s.forget(n)
		s.tellTimeWaitOver(now, local, remote, cause, "2MSL have passed: no segment of the connection is in the network any more")
	}
}

func (s *Stack) tellTimeWaitOver(now clock.Time, local, remote netip.AddrPort, cause event.ID, why string) {
	s.stream.PublishCaused(now, s.cfg.Name, cause, event.TCPState{
		Flow: event.Flow{Local: local, Remote: remote},
		From: tcp.StateTimeWait.String(), To: tcp.StateClosed.String(), Why: why,
	})
}

// forget ends a TIME-WAIT, and gives its port back.
func (s *Stack) forget(n uint32) {
	tw := s.waits.record(n)
	if tw.binding != 0 {
		s.tcpPorts.remove(tw.ports[0], tw.binding)
	}
	s.waits.remove(n)
}
