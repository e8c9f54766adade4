package pkt

// A Queue is a stream of bytes held as views: what was written and is not yet
// acknowledged, or what has arrived and is not yet read. The zero Queue is
// empty and holds no storage. There is room for 2 GiB less one.
type Queue struct {
	views []View
	head  int32 // index of the first view in use
	size  int32 // bytes

	// Where the last At ended, so that reading on from there finds its view
	// at once: the index of that view and the bytes before it.
	curView, curOff int32

	// The chunk of a small write that nobody else refers to any more, for the next one.
	spare *chunk
}

// keepViews is how many empty slots an empty queue keeps at most for its next
// bytes: as many as a stream needs whose buffers are as large as they get.
const keepViews = 256

// Len returns the number of bytes in the queue. A nil Queue is empty, and can be
// asked and emptied like any other.
func (q *Queue) Len() int {
	if q == nil {
		return 0
	}
	return int(q.size)
}

// Append adds v at the end and takes over its reference. The Queue may be nil if v
// is empty.
func (q *Queue) Append(v View) {
	if v.Len() == 0 {
		v.Release()
		return
	}
	q.size += v.end - v.off
	if last := len(q.views) - 1; last >= int(q.head) && v.follows(q.views[last]) {
		q.views[last].end = v.end
		v.Release()
		return
	}
	q.views = append(q.views, v)
}

// AppendBytes copies b to the end, into what is free of the last chunk first.
// Only one queue may fill a chunk: the one that got it by AppendBytes or by
// Append of a view that NewView or CopyView made. The Queue may be nil if b is
// empty.
func (q *Queue) AppendBytes(b []byte) {
	if len(b) == 0 {
		return
	}
	b = b[q.fillLast(b):]
	for len(b) > 0 {
		n := min(len(b), MaxView)
		q.Append(q.copyView(b[:n]))
		b = b[n:]
	}
}

// copyView is CopyView, into the spare chunk if that is there and large enough.
func (q *Queue) copyView(b []byte) View {
	c := q.spare
	if c == nil || len(b) > len(c.data) {
		return CopyView(b)
	}
	q.spare = nil
	c.used = int32(copy(c.data, b))
	return View{c: c, end: c.used}
}

// fillLast copies as much of b as fits behind the last view and returns how
// much that was.
func (q *Queue) fillLast(b []byte) int {
	last := len(q.views) - 1
	if last < int(q.head) {
		return 0
	}
	v := &q.views[last]
	if v.end != v.c.used {
		return 0
	}
	n := copy(v.c.data[v.end:], b)
	v.end += int32(n)
	v.c.used = v.end
	q.size += int32(n)
	return n
}

// At returns the n bytes that begin at off, with a reference: shared where
// they lie in one view, copied where they straddle several. The range must
// lie within the queue, and n must not exceed MaxView.
func (q *Queue) At(off, n int) View {
	if n == 0 {
		return View{}
	}
	q.seek(off)
	v := q.views[q.curView]
	if from := off - int(q.curOff); from+n <= v.Len() {
		return v.Slice(from, from+n).Retain()
	}
	gathered := NewView(n)
	q.copyTo(gathered.Bytes(), off)
	return gathered
}

// Together returns how many bytes from off on lie in one piece, for which At
// copies nothing. There must be a byte at off.
func (q *Queue) Together(off int) int {
	q.seek(off)
	return int(q.curOff) + q.views[q.curView].Len() - off
}

// CopyAt copies bytes from off on into b and returns how many.
func (q *Queue) CopyAt(b []byte, off int) int {
	n := min(len(b), q.Len()-off)
	if n <= 0 {
		return 0
	}
	q.seek(off)
	q.copyTo(b[:n], off)
	return n
}

// seek moves the cursor to the view that holds the byte at off.
func (q *Queue) seek(off int) {
	if q.curView < q.head || off < int(q.curOff) {
		q.curView, q.curOff = q.head, 0
	}
	for off >= int(q.curOff)+q.views[q.curView].Len() {
		q.curOff += int32(q.views[q.curView].Len())
		q.curView++
	}
}

// copyTo fills b with the bytes from off on. The cursor must stand on off.
func (q *Queue) copyTo(b []byte, off int) {
	from := off - int(q.curOff)
	for i := q.curView; len(b) > 0; i++ {
		n := copy(b, q.views[i].Bytes()[from:])
		b, from = b[n:], 0
	}
}

// Discard drops the first n bytes.
func (q *Queue) Discard(n int) {
	if n <= 0 {
		return
	}
	q.size -= int32(n)
	q.curOff -= int32(n)
	for n > 0 {
		v := &q.views[q.head]
		if n < v.Len() {
			v.off += int32(n)
			break
		}
		n -= v.Len()
		q.drop()
	}
	if q.curView < q.head || q.curOff < 0 {
		q.curView, q.curOff = q.head, 0
	}
}

// drop releases the first view and takes it out. A small chunk is kept for the next write if
// it is free: a program that writes little at a time needs no other.
func (q *Queue) drop() {
	if c := q.views[q.head].c; q.spare == nil && len(c.data) == chunkSizes[0] && c.sole() && !c.lent {
		q.spare = c
	} else {
		c.release()
	}
	q.forget()
}

// forget takes the first view out; its reference is somebody else's now.
func (q *Queue) forget() {
	q.views[q.head] = View{}
	q.head++
	switch {
	case int(q.head) < len(q.views):
		q.compact()
	case cap(q.views) <= keepViews:
		q.views, q.head = q.views[:0], 0
	default:
		q.views, q.head = nil, 0
	}
}

// compact moves the views to the front once most of the slots are behind
// them, so that a stream that never runs dry doesn't grow its slice.
func (q *Queue) compact() {
	if q.head < 32 || int(q.head) < len(q.views)/2 {
		return
	}
	n := copy(q.views, q.views[q.head:])
	clear(q.views[n:])
	q.views = q.views[:n]
	q.curView = max(0, q.curView-q.head)
	q.head = 0
}

// Take detaches up to n bytes from the front as one view, with its reference:
// the reader copies them out and releases the view, with no lock held. It
// returns an empty View when the queue is empty or n is 0.
func (q *Queue) Take(n int) View {
	if q.Len() == 0 || n <= 0 {
		return View{}
	}
	v := q.views[q.head]
	if n < v.Len() {
		part := v.Slice(0, n).Retain()
		q.Discard(n)
		return part
	}
	q.size -= v.end - v.off
	q.forget()
	q.curView, q.curOff = q.head, 0
	return v
}

// Reset drops everything, and the storage.
func (q *Queue) Reset() {
	if q == nil {
		return
	}
	for _, v := range q.views[q.head:] {
		v.Release()
	}
	if q.spare != nil {
		q.spare.release()
	}
	*q = Queue{}
}

// Overhead is what a view counts for beside its bytes: what is free in its
// storage, on average, and what describes it.
const Overhead = 512

// Storage returns what the queue takes of memory, in bytes: an estimate that is
// on the safe side unless views share their storage with others.
func (q *Queue) Storage() int {
	if q == nil {
		return 0
	}
	return int(q.size) + (len(q.views)-int(q.head))*Overhead
}
