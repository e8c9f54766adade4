package socket

import (
	"sync/atomic"

	"hubbub/clock"
	"hubbub/internal/pkt"
)

// A program that waits for data has said where it wants to have it. So what another
// writes is copied only once, from where the one has it to where the other wants it,
// if it gets there before the call that writes it returns, as it does in a network
// without delay and loss. Segments carry the writer's own octets then. What is still
// needed of them when the call is about to return, since it isn't acknowledged or
// nobody has read it, gets storage of its own before. It is for programs that nobody
// watches, in worlds where a second lasts one.

// fillReader copies what has arrived to the program that waits for it, and reports
// whether nobody need be woken besides.
func (s *Socket) fillReader() bool {
	c := s.connection()
	w := s.host.world
	if c == nil || c.Readable() == 0 || w.Stream.On() {
		return false
	}
	if !s.readable.Fill(s.copyTo) {
		return false
	}
	if s.tcp.Owes() {
		s.update(w.Now())
		w.Changed(s.host.node)
	}
	return s.readable.Empty() || !s.canRead()
}

// copyTo takes what fits into room, and returns how much that is.
func (s *Socket) copyTo(room []byte) (n int) {
	var views [readViews]pkt.View
	for {
		count, _ := s.take(s.host.world.Now(), views[:], len(room)-n)
		if count == 0 {
			return n
		}
		n += copyOut(room[n:], views[:count])
		if n == len(room) || s.connection().AtMark() {
			return n
		}
	}
}

// loans say after how many more of a socket's writes one is lent again: now if that is
// zero. After each that has turned out to be needed for longer it is twice as many.
type loans struct {
	after atomic.Int32
	pause int8 // of the last that was; it needs the lock
}

// longestPause is after how many writes it is tried again at the latest.
const longestPause = 64

// worth reports whether a write of n octets had better be lent than copied.
func (l *loans) worth(n int) bool {
	if n <= smallWrite || n > pkt.MaxView {
		return false
	}
	left := l.after.Load()
	if left > 0 {
		l.after.Store(left - 1) // a race does no harm: it is about that many
	}
	return left == 0
}

// note says whether what was lent last could be taken back.
func (l *loans) note(back bool) {
	if back {
		l.pause = 0
		return
	}
	n := min(max(1, 2*l.pause), longestPause)
	l.pause = n
	l.after.Store(int32(n))
}

// writeDirect writes all of b without copying it first, and reports whether it has: if
// it was worth it lately, and b can be sent at once.
func (s *Socket) writeDirect(b []byte) bool {
	if !s.loans.worth(len(b)) {
		return false
	}
	w := s.host.world
	now, ok := w.TryEnter() // where others are at work, the octets are copied while they are
	if !ok {
		return false
	}
	if s.usable() != nil || !s.takesAtOnce(now, len(b)) || !s.lend(now, b) {
		w.Unlock()
		return false
	}
	s.readerFirst(len(b))
	w.Unlock()
	return true
}

// takesAtOnce reports whether a write of n octets has nothing to wait for, and nobody
// watches.
func (s *Socket) takesAtOnce(now clock.Time, n int) bool {
	w, c := s.host.world, s.connection()
	return c != nil && s.more().stamping == 0 && !c.Opening() && !c.Deferred() && c.Err() == nil && c.CanWrite() && c.WriteSpace() >= n && !s.writing &&
		!s.writeDeadline.Due(now) && !w.IsVirtual() && !w.Stream.On()
}

// lend sends b, and takes it back.
func (s *Socket) lend(now clock.Time, b []byte) bool {
	lent := pkt.Lend(b)
	s.sayMore(false)
	if s.connection().Write(now, lent.Retain()) != nil {
		lent.Reclaim(0)
		return false
	}
	s.update(now)
	s.host.world.Complete(s.host.node)
	from := s.needed(lent)
	s.loans.note(lent.Reclaim(from) || from > len(b)/2)
	return true
}

// needed returns from where on what was lent is needed still: if by nobody but the
// connection that has sent it, from what is not acknowledged.
func (s *Socket) needed(lent pkt.View) int {
	c := s.connection()
	if c == nil || lent.References() != 2 || c.Unacknowledged() == 0 {
		return 0
	}
	return max(0, lent.Len()-c.Unacknowledged())
}
