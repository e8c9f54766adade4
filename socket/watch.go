package socket

import "hubbub/transport/tcp"

// A watch is somebody's interest in a socket's changes.
type watch struct {
	next *watch // of the socket's
	by   watcher
	all  bool // every change is told, not only those that nobody else has taken
}

// A watcher is told of every change of a socket that may matter to it. It
// reports whether somebody was waiting for it.
type watcher interface {
	changed(s *Socket, edge int) bool
}

// watching is what a socket has that is watched.
type watching struct {
	first *watch // in the order in which they came

	// What was seen when they were told last.
	arrived uint64 // octets, datagrams or connections, ever
	notices uint64 // of the error queue, ever
	state   tcp.State
	holds   int
}

// watch adds a watcher.
func (s *Socket) watch(w *watch) {
	if s.more().watched == nil {
		s.change().watched = &watching{arrived: s.arrivals(), notices: s.notices(), state: s.state(), holds: s.holds()}
	}
	at := &s.more().watched.first
	for *at != nil {
		at = &(*at).next
	}
	*at = w
}

// unwatch takes a watcher away.
func (s *Socket) unwatch(by watcher) {
	if s.more().watched == nil {
		return
	}
	for at := &s.more().watched.first; *at != nil; at = &(*at).next {
		if (*at).by == by {
			*at = (*at).next
			break
		}
	}
	if s.more().watched.first == nil {
		s.rare.watched = nil
	}
}

// notify tells the socket's watchers what is new, if anything is: that
// something has come to hold, or that more of the same has arrived. As on
// Linux, room to write is news only to those who have found none.
func (s *Socket) notify() {
	l := s.more().watched
	if l == nil {
		return
	}
	holds, arrived := s.holds(), s.arrivals()
	edge := holds &^ l.holds
	if arrived != l.arrived {
		edge |= holds & (pollRead | POLLPRI)
	}
	notices := s.notices()
	l.holds, l.arrived = holds, arrived
	state := s.state()
	switch {
	case state != l.state:
		edge, l.state = holds, state // as a change of state is told to all
	case !s.crowded:
		edge &^= pollWrite
	case edge&POLLOUT != 0:
		s.crowded = false
	}
	if notices != l.notices {
		edge, l.notices = edge|POLLERR, notices
	}
	if edge != 0 {
		l.tell(s, edge)
	}
}

// tell tells everybody, but of those who share only until one has taken it.
func (l *watching) tell(s *Socket, edge int) {
	taken := false
	for w := l.first; w != nil; {
		next := w.next
		if (w.all || !taken) && w.by.changed(s, edge) && !w.all {
			taken = true
		}
		w = next
	}
}

// state returns the state of a TCP socket.
func (s *Socket) state() tcp.State {
	if s.tcp == nil {
		return tcp.StateClosed
	}
	return s.tcp.State()
}

// arrivals returns how much has ever arrived.
func (s *Socket) arrivals() uint64 {
	switch {
	case s.tcp != nil && s.tcp.Listener() != nil:
		return s.tcp.Listener().Queued()
	case s.tcp != nil && s.tcp.Conn() != nil:
		return s.tcp.Conn().Arrived()
	case s.other.udp != nil:
		return s.other.udp.Arrived()
	case s.other.raw != nil:
		return s.other.raw.Arrived()
	case s.other.unix != nil:
		return s.other.unix.arrived
	}
	return 0
}
