package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"hubbub/event"
)

// quietFor is how long a command works before it shows its progress.
const quietFor = 2 * time.Second

// progress shows on a terminal how far a lab has come, once it takes longer.
type progress struct {
	w            io.Writer
	time, frames atomic.Int64
	quit, done   chan struct{}
}

// newProgress returns a progress that is shown if w is a terminal.
func newProgress(w io.Writer) *progress {
	p := &progress{w: w, quit: make(chan struct{}), done: make(chan struct{})}
	if !isTerminal(w) {
		close(p.done)
		return p
	}
	go p.show()
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// handle counts what happens.
func (p *progress) handle(e *event.Event) {
	p.time.Store(int64(e.Time))
	if _, ok := e.Body.(event.FrameSent); ok {
		p.frames.Add(1)
	}
}

func (p *progress) show() {
	defer close(p.done)
	timer := time.NewTimer(quietFor)
	defer timer.Stop()
	for shown := false; ; shown = true {
		select {
		case <-timer.C:
			fmt.Fprintf(p.w, "\r%v of the lab's time, %d frames \x1b[K",
				time.Duration(p.time.Load()).Round(time.Millisecond), p.frames.Load())
			timer.Reset(time.Second)
		case <-p.quit:
			if shown {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		}
	}
}

// stop takes the progress off the terminal.
func (p *progress) stop() {
	close(p.quit)
	<-p.done
}
