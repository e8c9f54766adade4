package pkt

import "sync"

// loans are chunks without storage of their own.
var loans = sync.Pool{New: func() any { return new(chunk) }}

// Lend returns a View of b itself, of at most MaxView bytes, which nobody has copied.
// It is for a lock's holder that finds out, before anybody else can, whether those who
// were to see b have had enough of it: [View.Reclaim] must be called before b may
// change and before the lock is given up.
func Lend(b []byte) View {
	c := loans.Get().(*chunk)
	c.refs, c.used, c.lent, c.data = 1, -1, true, b
	return View{c: c, end: int32(len(b))}
}

// Reclaim ends what Lend began, and gives up the reference. Whoever still holds
// part of v gets storage of his own, a copy of what begins at from: the caller knows
// that nobody holds anything before. It reports whether nobody held any.
func (v View) Reclaim(from int) bool {
	free := v.c.sole()
	if !free {
		v.c.own(from)
	}
	v.c.release()
	return free
}

// own gives a chunk that was lent storage of its own.
func (c *chunk) own(from int) {
	if !c.lent {
		return
	}
	storage, n := newChunk(len(c.data)), len(c.data)
	copy(storage.data[from:n], c.data[from:])
	c.data, c.used, c.lent = storage.data, int32(n), false
	storage.data = nil
	loans.Put(storage)
}
