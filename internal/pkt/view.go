package pkt

import (
	"sync"
	"sync/atomic"
)

// chunk is pooled storage with a count of the views that refer to it. Any goroutine
// may give up its reference; whoever has the only one has the chunk to itself, and
// needs no atomic operation.
type chunk struct {
	refs int32
	used int32 // bytes handed out; the rest may still be filled
	lent bool  // data is somebody else's: see Lend
	data []byte
}

// The sizes that chunks come in. One holds a small write, one any standard
// frame, the largest a large write or a datagram of the greatest length.
var (
	chunkSizes = [...]int{512, 2 << 10, 16 << 10, 64 << 10}
	chunkPools [len(chunkSizes)]sync.Pool
)

// MaxView is the length of the longest View, in bytes.
const MaxView = 64 << 10

func sizeClass(n int) int {
	for i, size := range chunkSizes {
		if n <= size {
			return i
		}
	}
	return -1
}

// newChunk returns storage for at least n bytes, not cleared.
func newChunk(n int) *chunk {
	class := sizeClass(n)
	if class < 0 {
		panic("pkt: a view is longer than MaxView")
	}
	c, _ := chunkPools[class].Get().(*chunk)
	if c == nil {
		c = &chunk{data: make([]byte, chunkSizes[class])}
	}
	c.refs = 1
	c.used = 0
	return c
}

// A View is a run of bytes in shared storage. The zero View is empty.
//
// A View holds one reference. Methods say when they take or give one; a View
// whose reference was released must not be used again.
type View struct {
	c        *chunk
	off, end int32
}

// NewView returns a View of n bytes, at most MaxView, whose contents are
// undefined. The caller fills it before anybody else sees it.
func NewView(n int) View {
	if n == 0 {
		return View{}
	}
	c := newChunk(n)
	c.used = int32(n)
	return View{c: c, end: int32(n)}
}

// CopyView returns a View that holds a copy of b, at most MaxView bytes.
func CopyView(b []byte) View {
	v := NewView(len(b))
	copy(v.Bytes(), b)
	return v
}

// Len returns the number of bytes.
func (v View) Len() int { return int(v.end - v.off) }

// Bytes returns the bytes, to be read only.
func (v View) Bytes() []byte {
	if v.c == nil {
		return nil
	}
	return v.c.data[v.off:v.end:v.end]
}

// Slice returns the bytes from i up to j without a reference of its own.
func (v View) Slice(i, j int) View {
	return View{c: v.c, off: v.off + int32(i), end: v.off + int32(j)}
}

// Retain returns v with one more reference.
func (v View) Retain() View {
	if v.c != nil {
		atomic.AddInt32(&v.c.refs, 1)
	}
	return v
}

// Release gives up the reference. The storage goes back to its pool with the
// last one.
func (v View) Release() {
	if v.c != nil {
		v.c.release()
	}
}

func (c *chunk) release() {
	if !c.sole() {
		left := atomic.AddInt32(&c.refs, -1)
		if left < 0 {
			panic("pkt: a view was released twice")
		}
		if left > 0 {
			return
		}
	}
	c.refs = 0
	if c.lent {
		c.data, c.lent = nil, false
		loans.Put(c)
		return
	}
	chunkPools[sizeClass(len(c.data))].Put(c)
}

// sole reports whether there is one reference only, for who has it.
func (c *chunk) sole() bool { return atomic.LoadInt32(&c.refs) == 1 }

// References returns how many references its storage has, for tests that look for
// lost ones.
func (v View) References() int {
	if v.c == nil {
		return 0
	}
	return int(atomic.LoadInt32(&v.c.refs))
}

// follows reports whether v begins where u ends, in the same storage.
func (v View) follows(u View) bool { return v.c == u.c && v.c != nil && v.off == u.end }
