package stack

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/timerq"
	"hubbub/transport/tcp"
)

// timeWait is what is left of a connection in TIME-WAIT: a few words, and the
// port.
type timeWait struct {
	tcp.TimeWait
	local, remote netip.AddrPort
	binding       binding
	bound         bool
	timer         timerq.Timer[timed]
	cause         event.ID // of its latest beginning
}

// rest lets a connection go to its TIME-WAIT. Its endpoint may still be read;
// the port stays held until the time is over.
func (s *Stack) rest(now clock.Time, e *TCP) {
	if len(s.timeWaits) >= s.cfg.MaxTimeWait {
		s.stream.Publish(now, s.cfg.Name, event.Overflow{
			Local: e.local, What: "too many connections are in TIME-WAIT: this one is forgotten at once",
		})
		e.unhold()
		return
	}
	tw := &timeWait{
		TimeWait: e.conn.TimeWait(), local: e.local, remote: e.remote, binding: e.binding, bound: e.bound,
		cause: s.stream.Cause(),
	}
	s.recycle(now, e, &tw.TimeWait)
	e.bound = false // the port is tw's now
	tw.timer.Owner = tw
	s.timeWaits[s.tupleOf(e.local, e.remote)] = tw
	s.timers.Set(&tw.timer, tw.Expires())
}

// reusable reports whether this machine may open a connection in the place of
// one in TIME-WAIT.
func (s *Stack) reusable(now clock.Time, tw *timeWait) bool {
	switch s.cfg.ReuseTimeWait {
	case 0:
		return false
	case 2:
		if s.own.by(tw.remote.Addr()) == nil {
			return false
		}
	}
	return tw.Reusable(now)
}

// handleTimeWait answers a segment for a connection in TIME-WAIT. It reports
// whether the segment may open a new one, which must begin with the sequence
// number next or a later one; only if somebody is listening is it tried.
func (s *Stack) handleTimeWait(now clock.Time, tw *timeWait, seg *tcp.Segment, listening bool) (next tcp.Seq, open bool) {
	reply, answer, verdict := tw.HandleSegment(now, s.env(), seg)
	s.tellTCP(now, tw.local, tw.remote)
	switch {
	case verdict == tcp.Reopen && listening:
		s.forget(tw)
		return tw.NextISS(), true
	case verdict == tcp.Kill:
		s.forget(tw)
		s.tellTimeWaitOver(now, tw, s.stream.Cause(), "a reset ended it: its sender knows nothing of the connection")
	}
	if answer {
		s.transmitFor(now, tw.local, tw.remote, &reply)
	}
	if at := tw.Expires(); at != tw.timer.At() && verdict != tcp.Kill {
		tw.cause = s.stream.Cause()
		s.timers.Set(&tw.timer, at)
	}
	seg.Payload.Release()
	return 0, false
}

// expire ends the TIME-WAIT after 2MSL.
func (tw *timeWait) expire(s *Stack, now clock.Time) {
	s.forget(tw)
	s.tellTimeWaitOver(now, tw, tw.cause, "2MSL have passed: no segment of the connection is in the network any more")
}

func (s *Stack) tellTimeWaitOver(now clock.Time, tw *timeWait, cause event.ID, why string) {
	s.stream.PublishCaused(now, s.cfg.Name, cause, event.TCPState{
		Flow: event.Flow{Local: tw.local, Remote: tw.remote},
		From: tcp.StateTimeWait.String(), To: tcp.StateClosed.String(), Why: why,
	})
}

func (s *Stack) forget(tw *timeWait) {
	s.timers.Remove(&tw.timer)
	delete(s.timeWaits, s.tupleOf(tw.local, tw.remote))
	if tw.bound {
		tw.bound = false
		s.tcpPorts.remove(tw.local.Port(), tw.binding)
	}
}
