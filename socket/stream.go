package socket

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp"
)

// readViews is how many pieces one read takes at most.
const readViews = 8

// readStream reads at most len(b) bytes of a stream.
func (s *Socket) readStream(b []byte) (int, error) {
	now, err := s.enterToTake()
	if err != nil {
		return 0, err
	}
	var views [readViews]pkt.View
	until := s.untilRead(now)
	if s.readDeadline.Due(now) {
		s.host.world.Unlock()
		return 0, errDeadline
	}
	for {
		if n := s.readPiece(now, b); n > 0 {
			return n, nil
		}
		count, err := s.take(now, views[:], len(b))
		if count > 0 || err != nil || len(b) == 0 {
			s.tellTransfer("recv", lengthOf(views[:count]), len(b), err)
			s.leaveTaken(now)
			// The bytes are copied with the world unlocked.
			return copyOut(b, views[:count]), err
		}
		if n, err := s.waitToRead(b, until); n > 0 || err != nil {
			s.tellTransfer("recv", n, len(b), err)
			s.host.world.Unlock()
			return n, err
		}
		now = s.host.world.Now()
	}
}

// readPiece copies what has arrived to b, and returns how much that is: if it lies in one piece,
// as most often. Otherwise it returns 0, and nothing has happened.
func (s *Socket) readPiece(now clock.Time, b []byte) int {
	c := s.connection()
	if c == nil || !c.Whole(len(b)) {
		return 0
	}
	v := c.Read(now, len(b))
	s.tellTransfer("recv", v.Len(), len(b), nil)
	s.leaveTaken(now)
	n := copy(b, v.Bytes()) // with the world unlocked
	v.Release()
	return n
}

// enterToTake is enter for a call that takes what has arrived, or waits for it.
// Where no time-out can have run out, what the clock shows outside is no matter.
func (s *Socket) enterToTake() (clock.Time, error) {
	w := s.host.world
	now := w.Lock()
	if m := s.more(); s.nonblocking || m.timeout > 0 || m.receiveTimeout > 0 || s.readDeadline != clock.Never {
		now = w.CatchUp()
	}
	if err := s.usable(); err != nil {
		w.Unlock()
		return 0, err
	}
	return now, nil
}

// leaveTaken is leave for a call that took what had arrived: most often nothing
// follows from it.
func (s *Socket) leaveTaken(now clock.Time) {
	s.answers = true
	if s.other.unix == nil && !s.tcp.Owes() {
		s.host.world.Unlock()
		return
	}
	s.update(now)
	s.leave()
}

func lengthOf(views []pkt.View) (n int) {
	for _, v := range views {
		n += v.Len()
	}
	return n
}

func copyOut(b []byte, views []pkt.View) (n int) {
	for _, v := range views {
		n += copy(b[n:], v.Bytes())
		v.Release()
	}
	return n
}

// take detaches at most n bytes of what has arrived, and returns how many
// views that makes. Without any it returns why there will be none: the end of
// the stream, or what ended it.
func (s *Socket) take(now clock.Time, views []pkt.View, n int) (count int, err error) {
	if s.other.unix != nil {
		return s.other.unix.take(views, n)
	}
	c := s.tcp.Conn()
	switch {
	case c == nil && s.readShut && s.tcp.Listener() == nil:
		return 0, io.EOF
	case c == nil:
		return 0, s.notConnected()
	}
	// What one call reads ends where urgent data does (RFC 6093, 3.1).
	for count < len(views) && n > 0 && c.Readable() > 0 && (count == 0 || !c.AtMark()) {
		views[count] = c.Read(now, n)
		n -= views[count].Len()
		count++
	}
	if count > 0 {
		return count, nil
	}
	return 0, s.readEnd(c)
}

// readEnd returns why a connection without data will have no more, nil if it
// may have.
func (s *Socket) readEnd(c *tcp.Conn) error {
	switch {
	case c.EOF():
		return io.EOF
	case c.Err() != nil:
		return s.report(c.Err(), io.EOF)
	case s.readShut:
		return io.EOF
	}
	switch c.State() {
	case tcp.StateClosed:
		return io.EOF
	case tcp.StateSynSent, tcp.StateSynReceived:
		if s.nonblocking {
			return syscall.EAGAIN
		}
	}
	return nil
}

// report returns the error that ended the connection the first time, and then
// what a dead connection gives, as SO_ERROR does on Linux.
func (s *Socket) report(err, then error) error {
	if s.reported {
		return then
	}
	s.reported = true
	return err
}

func (s *Socket) notConnected() error { return syscall.ENOTCONN }

// smallWrite is the longest write that is copied under the lock, into what is
// free of the last chunk. Longer ones are copied before it is taken.
const smallWrite = 4 << 10

// writeStream writes all of b, or what fits at once if the socket doesn't
// wait, and says whether more will follow.
func (s *Socket) writeStream(b []byte, flags int) (written int, err error) {
	if flags == 0 && (s.writeSmall(b) || s.writeDirect(b)) {
		return len(b), nil
	}
	ready := copyIn(b)
	defer func() { ready.Release() }()
	now, err := s.enter()
	if err != nil {
		return 0, err
	}
	if s.deferred() {
		s.host.world.Unlock()
		return s.sendEarly(b, netip.AddrPort{}, flags&^MSG_DONTWAIT)
	}
	until := s.untilWrite(now)
	if err = s.beginWrite(until); err == nil && s.tooMany(flags) {
		s.endWrite()
		err = syscall.ENOBUFS
	}
	if err != nil {
		s.host.world.Unlock()
		return 0, err
	}
	s.sayMore(flags&MSG_MORE != 0)
	for told := false; ; told = true {
		n, err := s.put(now, b[written:], &ready)
		written += n
		if err == nil && written < len(b) {
			s.tellWriting(told, len(b))
			s.update(now)
			if ready, err = s.refill(ready, b[written:], &now, until); err == nil {
				continue
			}
		}
		if written > 0 && s.nonblocking && errors.Is(err, syscall.EAGAIN) {
			err = nil
		}
		s.tellTransfer("send", written, len(b), err)
		if flags&MSG_EOR != 0 {
			s.endRecord(written == len(b))
		}
		s.update(now)
		s.numbered(now, flags, written)
		s.endWrite()
		s.readerFirst(len(b))
		s.leave()
		return written, err
	}
}

// writeSmall writes all of b, and reports whether it has: if that is little, and has nothing to
// wait for.
func (s *Socket) writeSmall(b []byte) bool {
	if len(b) > smallWrite || len(b) == 0 {
		return false
	}
	w := s.host.world
	now := w.Enter()
	if s.usable() != nil || !s.takesAtOnce(now, len(b)) {
		w.Unlock()
		return false
	}
	c := s.connection()
	c.SetMore(false)
	c.WriteWhole(b)
	s.update(now)
	s.readerFirst(len(b))
	s.leave()
	return true
}

// readerFirst lets others go on before a program that has written n bytes, where they had
// better: while much data is in the processor's cache, and where an answer
// is written, so that the next one may be there before the program waits for it.
func (s *Socket) readerFirst(n int) {
	if n > smallWrite || s.answers {
		s.host.world.Yield()
	}
	s.answers = false
}

// endRecord ends a record (MSG_EOR) if all of it is written.
func (s *Socket) endRecord(all bool) {
	if c := s.connection(); c != nil && all {
		c.EndRecord()
	}
}

// sayMore says whether more will follow what is written next (MSG_MORE).
func (s *Socket) sayMore(more bool) {
	if c := s.connection(); c != nil {
		c.SetMore(more)
	}
}

// tellTransfer publishes a call that moves data. It is on the data path: where
// nobody listens it costs a branch, and nothing is put into an interface.
func (s *Socket) tellTransfer(call string, moved, wanted int, err error) {
	if s.host.world.Stream.On() {
		s.tell(call, moved, "%d bytes", err, wanted)
	}
}

// tellWriting publishes that a write takes more than one step.
func (s *Socket) tellWriting(told bool, n int) {
	if !told && s.host.world.Stream.On() {
		s.announce("send", fmt.Sprintf("%d bytes", n))
	}
}

// update takes what a TCP connection has to send after a program has written to it
// or read from it. The call that did so is told before, as the cause of what is sent.
func (s *Socket) update(now clock.Time) {
	if s.tcp != nil {
		s.tcp.Push(now)
	}
}

// copyIn copies the beginning of b, if it is long, to where the stack will
// share it.
func copyIn(b []byte) pkt.View {
	if len(b) <= smallWrite {
		return pkt.View{}
	}
	return pkt.CopyView(b[:min(len(b), pkt.MaxView)])
}

// put hands over the beginning of rest, as much as there is room for: from
// ready, which holds a copy of it, or else by copying.
func (s *Socket) put(now clock.Time, rest []byte, ready *pkt.View) (int, error) {
	if s.other.unix != nil {
		return s.other.unix.put(rest)
	}
	c := s.tcp.Conn()
	if err := s.writeEnd(c); err != nil || c.Opening() {
		return 0, err // as on Linux, what is written waits for the end of the handshake
	}
	if ready.Len() == 0 {
		return c.WriteBytes(now, rest)
	}
	n := min(ready.Len(), c.WriteSpace())
	if n == 0 {
		return 0, nil
	}
	err := c.Write(now, ready.Slice(0, n).Retain())
	*ready = ready.Slice(n, ready.Len())
	return n, err
}

// writeEnd returns why a connection takes no more data, nil if it does.
func (s *Socket) writeEnd(c *tcp.Conn) error {
	switch {
	case c == nil:
		return syscall.EPIPE // as on Linux
	case c.Err() != nil:
		return s.report(c.Err(), syscall.EPIPE)
	case !c.CanWrite():
		return syscall.EPIPE
	}
	return nil
}

// refill makes the next write ready: it waits for room, or copies what comes
// next with the world unlocked.
func (s *Socket) refill(ready pkt.View, rest []byte, now *clock.Time, until clock.Time) (pkt.View, error) {
	w := s.host.world
	if s.roomFor() > 0 && ready.Len() == 0 && len(rest) > smallWrite {
		ready.Release()
		w.Leave(s.host.node)
		ready = copyIn(rest)
		*now = w.Enter()
		return ready, s.usable()
	}
	if s.roomFor() == 0 {
		s.crowded = true
		if err := s.wait(&s.writable, &s.writeDeadline, until); err != nil {
			return ready, err
		}
	}
	*now = w.Now()
	return ready, nil
}

// roomFor returns how many bytes could be written at once.
func (s *Socket) roomFor() int {
	if s.other.unix != nil {
		return s.other.unix.room()
	}
	if c := s.tcp.Conn(); c != nil && c.Err() == nil && c.CanWrite() {
		if c.Opening() {
			return 0
		}
		return c.WriteSpace()
	}
	return 1 // to find out why not
}

// beginWrite waits until no other write is under way: what one call writes
// stays together.
func (s *Socket) beginWrite(until clock.Time) error {
	for s.writing {
		if err := s.wait(&s.writable, &s.writeDeadline, until); err != nil {
			return err
		}
	}
	if s.writeDeadline.Due(s.host.world.Now()) {
		return errDeadline
	}
	s.writing = true
	return nil
}

func (s *Socket) endWrite() {
	s.writing = false
	if !s.writable.Empty() {
		s.writable.WakeAll()
	}
}

// Shutdown closes one direction of a connection, or both (shutdown(2)). After
// SHUT_WR the peer reads the end of the stream, and can go on sending.
func (s *Socket) Shutdown(how How) error {
	now, err := s.enter()
	if err != nil {
		return failed("shutdown", err)
	}
	defer s.leave()
	err = s.shutdown(now, how)
	s.tell("shutdown", 0, "%s", err, how)
	if s.tcp != nil {
		s.tcp.Update(now)
	}
	return failed("shutdown", err)
}
