package edge

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

// A TAP is a network card of the kernel, seen from its cable's other end.
//
// A Read returns one Ethernet frame without frame check sequence, and blocks
// until the kernel sends one; b must have room for it (18 bytes and the card's
// MTU), what doesn't fit is lost. A Write hands the kernel one frame; it fails
// with EIO while the card is down. Reading and writing may go on at the same time, each
// by one goroutine at a time, in whichever way. Frames of the kernel have whole checksums
// and are at most as long as the card's MTU.
//
// [TAP.Offload] makes it a card that leaves checksums and the cutting of long segments
// to the other end, in both directions. An uplink of hubbub calls it.
type TAP struct {
	file    *os.File
	raw     syscall.RawConn
	name    string
	closed  atomic.Bool
	in, out way
}

// headerLen is how long the header is that goes before each frame: see
// [TAP.ReadParts].
const headerLen = 10

// Name returns the card's name.
func (t *TAP) Name() string { return t.name }

// Read reads one frame. After Close it returns an error that is
// [os.ErrClosed].
func (t *TAP) Read(b []byte) (int, error) {
	n, err := t.ReadParts(t.in.behindHeader(b))
	return max(0, n-headerLen), err
}

// Write writes one frame of at least 14 bytes.
func (t *TAP) Write(b []byte) (int, error) {
	n, err := t.WriteParts(t.out.behindHeader(b))
	return max(0, n-headerLen), err
}

// ReadParts is Read into several buffers, of which one after the other is filled. The
// first has 10 bytes, and gets what the kernel says about the frame: struct
// virtio_net_hdr of linux/virtio_net.h, in little-endian order. It counts.
func (t *TAP) ReadParts(b [][]byte) (int, error) { return t.in.wait("read", b) }

// WriteParts is Write from several buffers, the first of which is such a header.
func (t *TAP) WriteParts(b [][]byte) (int, error) { return t.out.wait("write", b) }

// TryReadParts is ReadParts for who must not wait: it returns zero if there is no frame.
func (t *TAP) TryReadParts(b [][]byte) (int, error) {
	n, _, err := t.in.once("read", b)
	return n, err
}

// TryWriteParts is WriteParts for who must not wait: it reports false, and has written
// nothing, if the kernel has no room at present.
func (t *TAP) TryWriteParts(b [][]byte) (bool, error) {
	_, done, err := t.out.once("write", b)
	return done, err
}

// Close gives the card up, and makes a Read that waits return. The kernel
// removes a card that [OpenTAP] has made.
func (t *TAP) Close() error {
	t.closed.Store(true)
	return t.file.Close()
}

// A way is how frames come from the kernel, or go to it.
type way struct {
	tap   *TAP
	ready func(func(fd uintptr) bool) error // waits until a frame can be moved, and calls what moves it
	move  func(fd uintptr) bool             // kept, so that no frame allocates
	try   func(fd uintptr) bool             // the same without waiting

	header [headerLen]byte
	two    [2][]byte
	parts  parts
	moved  int
	err    error
}

// behindHeader returns a header and b.
func (w *way) behindHeader(b []byte) [][]byte {
	w.two = [...][]byte{w.header[:], b}
	return w.two[:]
}

// open makes a way of the card.
func (w *way) open(t *TAP, ready func(func(fd uintptr) bool) error, call uintptr) {
	w.tap, w.ready = t, ready
	w.move = func(fd uintptr) bool {
		w.moved, w.err = w.parts.transfer(call, fd)
		return !errors.Is(w.err, syscall.EAGAIN)
	}
	w.try = func(fd uintptr) bool {
		w.move(fd)
		return true
	}
}

// wait moves a frame as soon as that can be done.
func (w *way) wait(what string, b [][]byte) (int, error) {
	w.begin(w.move, b)
	return w.moved, w.explain(what)
}

// once moves a frame if that can be done now, and reports whether it was.
func (w *way) once(what string, b [][]byte) (n int, done bool, err error) {
	w.begin(w.try, b)
	if w.err == syscall.EAGAIN {
		return 0, false, nil
	}
	return w.moved, true, w.explain(what)
}

// begin moves a frame.
func (w *way) begin(move func(fd uintptr) bool, b [][]byte) {
	w.moved, w.err = 0, w.parts.set(b)
	if w.err == nil {
		if err := w.ready(move); err != nil {
			w.err = err
		}
	}
}

// explain says what has failed.
func (w *way) explain(what string) error {
	switch {
	case w.err == nil:
		return nil
	case w.tap.closed.Load():
		w.err = os.ErrClosed
	}
	w.moved = 0
	return fmt.Errorf("%s TAP %q: %w", what, w.tap.name, w.err)
}
