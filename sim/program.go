package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"hubbub/clock"
	"hubbub/event"
)

// ErrForeign is what a call that would wait returns in a virtual world when
// it doesn't come from one of the world's programs.
var ErrForeign = errors.New("in virtual time only programs started with Network.Go may wait: " +
	"start this one with it, or give the network the real pace (which a testing/synctest bubble makes virtual)")

// A Program is a goroutine that the world knows of.
type Program struct {
	name   string
	id     uint64  // of its goroutine
	stack  uintptr // where the stack of that was when it last waited
	resume chan struct{}

	// Last is the latest event that the program had part in: what its next
	// call is caused by. It needs the lock.
	Last event.ID
}

// Name returns what the program was called when it was started.
func (p *Program) Name() string { return p.name }

// baton is what the programs of a virtual world hand on: the one that has it
// runs, all others wait.
type baton struct {
	ready   []*Program // in the order in which they were woken
	running *Program
	alive   []*Program
	yielded chan struct{}
	driven  bool     // somebody is in Run
	ended   WaitList // for Run at any other pace
}

func (b *baton) init() { b.yielded = make(chan struct{}) }

// Go starts a program: a function that may call the world and wait in it. In
// a virtual world it begins to run when the world is driven by [World.Run] or
// its like. name is for messages.
func (w *World) Go(name string, f func()) {
	w.mu.Lock()
	p := &Program{name: name, resume: make(chan struct{}, 1)}
	b := &w.programs
	if b.running != nil {
		p.Last = b.running.Last
	}
	b.alive = append(b.alive, p)
	virtual := w.pace.virtual
	if virtual {
		p.ready(w)
	}
	w.Unlock()
	go w.runProgram(p, virtual, f)
}

func (w *World) runProgram(p *Program, virtual bool, f func()) {
	if virtual {
		<-p.resume
		p.id = goroutineID()
	}
	// Deferred, because a test's t.Fatal doesn't let f return.
	defer w.end(p)
	f()
}

// end takes a program that has ended from those that live, and hands its
// baton back.
func (w *World) end(p *Program) {
	w.mu.Lock()
	defer w.Unlock()
	b := &w.programs
	b.alive = slices.DeleteFunc(b.alive, func(q *Program) bool { return p == q })
	if b.running == p {
		b.running = nil
		b.yielded <- struct{}{}
	}
	if len(b.alive) == 0 {
		b.ended.WakeAll()
	}
}

// Running returns the program that has the baton, nil if there is none, as at
// any pace but Virtual. It needs the lock.
func (w *World) Running() *Program { return w.programs.running }

// last returns the latest event of the program that has the baton: what a call
// is caused by, for nobody else calls meanwhile.
func (b *baton) last() event.ID {
	if b.running == nil {
		return 0
	}
	return b.running.Last
}

// current returns the program that is calling.
func (b *baton) current(virtual bool) (*Program, error) {
	if !virtual {
		return nil, nil
	}
	if p := b.running; p != nil && p.isCalling() {
		return p, nil
	}
	return nil, ErrForeign
}

// isCalling reports whether the calling goroutine is the program's.
//
// To ask the runtime which goroutine this is takes longer than all else that a
// call does. But no two goroutines have a stack in the same place: who calls
// with the stack where the program's was when it was asked last is the program.
// A stack that has moved meanwhile is asked for again.
func (p *Program) isCalling() bool {
	var here byte
	at := uintptr(unsafe.Pointer(&here))
	if at == p.stack {
		return true
	}
	if p.id != goroutineID() {
		return false
	}
	p.stack = at
	return true
}

// ready puts p among those that can run. It needs the lock.
func (p *Program) ready(w *World) {
	if w.Closed() {
		p.release()
		return
	}
	w.programs.ready = append(w.programs.ready, p)
}

// yield hands the baton back until r was woken and it is its program's turn.
// It needs the lock, and holds it again when it returns.
func (b *baton) yield(w *World, r *Waiter) {
	held := b.running == r.program
	if held {
		b.running = nil
	}
	w.Unlock()
	if held {
		b.yielded <- struct{}{}
	}
	<-r.program.resume
	w.mu.Lock()
	if r.cause != 0 {
		r.program.Last = r.cause
	}
}

// release lets all programs that could run go on, to their end: the world is
// closed, and order matters no more.
func (b *baton) release() {
	for _, p := range b.ready {
		p.release()
	}
	b.ready = nil
}

func (p *Program) release() {
	select {
	case p.resume <- struct{}{}:
	default:
	}
}

// step lets the first program that can run do so until it waits or ends. It
// reports whether there was one. It needs the lock.
func (b *baton) step(w *World) bool {
	if len(b.ready) == 0 {
		return false
	}
	p := b.ready[0]
	b.ready = slices.Delete(b.ready, 0, 1)
	b.running = p
	w.Unlock()
	p.resume <- struct{}{}
	<-b.yielded
	w.mu.Lock()
	return true
}

// A DeadlockError says that programs wait for what can't happen any more.
type DeadlockError struct {
	Programs []string
}

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("nothing can happen any more, but %s still waits", strings.Join(e.Programs, ", "))
}

// Run drives a virtual world until all its programs have ended. At any other
// pace it waits until they have. It returns an error if programs wait and
// nothing can wake them, if the world has stopped, or if it is being driven
// already.
func (w *World) Run() error { return w.drive(clock.End, true) }

// RunFor drives a virtual world, its programs and its timers, until d has
// passed. At any other pace it waits until d has passed in the world.
func (w *World) RunFor(d clock.Duration) error {
	w.mu.Lock()
	until := w.pace.present(w.now).Add(d)
	w.Unlock()
	return w.drive(until, false)
}

func (w *World) drive(until clock.Time, toEnd bool) error {
	w.mu.Lock()
	defer w.Unlock()
	if !w.pace.virtual {
		return w.attend(until, toEnd)
	}
	if w.programs.driven {
		return errors.New("the world is being run already")
	}
	w.programs.driven = true
	defer func() { w.programs.driven = false }()
	for w.err == nil {
		if w.programs.step(w) {
			continue
		}
		next := w.queue.Next()
		switch {
		case toEnd && len(w.programs.alive) == 0:
			return nil
		case next == clock.Never && toEnd:
			return &DeadlockError{Programs: w.programs.names()}
		case next == clock.Never || next > until:
			w.now = max(w.now, until)
			return nil
		}
		w.advance(next)
	}
	return w.err
}

// attend waits, in a world that moves by itself.
func (w *World) attend(until clock.Time, toEnd bool) error {
	l, deadline := &w.programs.ended, clock.Never
	if !toEnd {
		l, deadline = new(WaitList), until
	}
	for !toEnd || len(w.programs.alive) > 0 {
		if _, err := w.Wait(context.Background(), nil, l, deadline); err != nil {
			if !toEnd && errors.Is(err, ErrDeadline) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (b *baton) names() []string {
	names := make([]string, len(b.alive))
	for i, p := range b.alive {
		names[i] = p.name
	}
	return names
}

// Sleep waits until d has passed in the world. In a virtual world only a
// program may sleep.
func (w *World) Sleep(d clock.Duration) error {
	w.Enter()
	defer w.Unlock()
	if d <= 0 {
		return w.err
	}
	var nobody WaitList
	_, err := w.Wait(context.Background(), nil, &nobody, w.now.Add(d))
	if errors.Is(err, ErrDeadline) {
		return nil
	}
	return err
}

// goroutineID returns the number of the calling goroutine, which the runtime
// tells in the first line of a stack trace only. It is asked for when a call
// is about to wait in a virtual world, so that a goroutine which isn't the
// running program gets an error instead of disturbing the order.
func goroutineID() uint64 {
	var buf [64]byte
	trace := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(trace, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}
