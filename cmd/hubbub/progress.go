package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"hubbub/event"
)

// quietFor is how long a command works before it shows its progress.
const quietFor = 2 * time.Second

// progress shows on a terminal how far a lab has come, once it takes longer:
// in a line that gives way to all else that is written.
type progress struct {
	w     io.Writer
	began time.Time
	speed float64 // of the lab's time, 0 for virtual
	quit  chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	shown  bool
	time   time.Duration
	frames int
}

// newProgress returns a progress that is shown if w is a terminal.
func newProgress(w io.Writer, speed float64) *progress {
	p := &progress{w: w, speed: speed, began: time.Now(), quit: make(chan struct{}), done: make(chan struct{})}
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
	p.mu.Lock()
	defer p.mu.Unlock()
	p.time = time.Duration(e.Time)
	if _, ok := e.Body.(event.FrameSent); ok {
		p.frames++
	}
}

func (p *progress) show() {
	defer close(p.done)
	timer := time.NewTimer(quietFor)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			p.draw()
			timer.Reset(time.Second)
		case <-p.quit:
			return
		}
	}
}

// draw writes the line.
func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.time
	if p.speed > 0 {
		now = max(now, time.Duration(float64(time.Since(p.began))*p.speed))
	}
	fmt.Fprintf(p.w, "\r%v of the lab's time, %d frames\x1b[K", now.Round(time.Millisecond), p.frames)
	p.shown = true
}

// erase takes the line off the terminal.
func (p *progress) erase() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// stop ends the progress.
func (p *progress) stop() {
	close(p.quit)
	<-p.done
	p.erase()
}

// before returns a writer to w for which the progress gives way.
func (p *progress) before(w io.Writer) io.Writer { return &givenWay{p, w} }

type givenWay struct {
	progress *progress
	w        io.Writer
}

// Write writes b in the place of the progress.
func (g *givenWay) Write(b []byte) (int, error) {
	g.progress.erase()
	return g.w.Write(b)
}
