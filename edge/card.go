package edge

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

// A card is what a TAP and a TUN have in common: a network card of the kernel's, and the two
// ways in and out of it.
type card struct {
	kind    string // "TAP" or "TUN"
	file    *os.File
	raw     syscall.RawConn
	name    string
	closed  atomic.Bool
	in, out way
}

// Name returns the card's name.
func (c *card) Name() string { return c.name }

// Close gives the card up, and makes a Read that waits return. The kernel
// removes a card that was made by opening it.
func (c *card) Close() error {
	c.closed.Store(true)
	return c.file.Close()
}

// A way is how frames come from the kernel, or go to it.
type way struct {
	card  *card
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
func (w *way) open(c *card, ready func(func(fd uintptr) bool) error, call uintptr) {
	w.card, w.ready = c, ready
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
	case w.card.closed.Load():
		w.err = os.ErrClosed
	}
	w.moved = 0
	return fmt.Errorf("%s %s %q: %w", what, w.card.kind, w.card.name, w.err)
}
