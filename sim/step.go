package sim

import (
	"hubbub/clock"
	"hubbub/event"
)

// A Stop says after what a step ends.
type Stop uint8

const (
	AtEvent  Stop = iota // the next timer or frame that is due
	AtFrame              // the next frame that somebody sends or hears
	AtChange             // the next change of a TCP connection's state
)

// stepper notices what a step waits for.
type stepper struct {
	listening bool
	frame     bool
	change    bool
}

func (s *stepper) handle(e *event.Event) {
	switch e.Body.(type) {
	case event.FrameSent, event.FrameHeard:
		s.frame = true
	case event.TCPState:
		s.change = true
	}
}

func (s *stepper) reached(stop Stop) bool {
	return stop == AtEvent || stop == AtFrame && s.frame || stop == AtChange && s.change
}

// Step moves a world that is paused or virtual on to the next event of the
// wanted kind: it lets programs that can run do so, and otherwise jumps to the
// next timer. It reports false if nothing more can happen.
func (w *World) Step(stop Stop) bool {
	w.Enter()
	defer w.Unlock()
	if !w.stepping.listening {
		w.stepping.listening = true
		w.Stream.Listen(w.stepping.handle)
	}
	w.stepping.frame, w.stepping.change = false, false
	for w.err == nil {
		if !w.programs.step(w) && !w.jump() {
			return false
		}
		if w.stepping.reached(stop) {
			return true
		}
	}
	return false
}

// NextEvent returns when something is due next, clock.Never if nothing is.
func (w *World) NextEvent() clock.Time {
	w.Enter()
	defer w.Unlock()
	return w.queue.Next()
}
