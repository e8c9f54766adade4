package main

import "time"

// A watch finds out for how long the program was kept from running, by other
// work on the machine. What is measured in real time is worth nothing then.
type watch struct {
	quit    chan struct{}
	stalled chan time.Duration
}

// The watch looks at the time so often; who is later than tolerated has been
// kept from running.
const (
	glance    = 5 * time.Millisecond
	tolerated = 15 * time.Millisecond
)

// startWatch begins.
func startWatch() *watch {
	w := &watch{quit: make(chan struct{}), stalled: make(chan time.Duration)}
	go w.run()
	return w
}

func (w *watch) run() {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	var sum time.Duration
	last := time.Now()
	for {
		select {
		case <-ticker.C:
			now := time.Now()
			if late := now.Sub(last) - glance; late > tolerated {
				sum += late
			}
			last = now
		case <-w.quit:
			w.stalled <- sum
			return
		}
	}
}

// stop ends the watch and returns for how long the program did not run.
func (w *watch) stop() time.Duration {
	close(w.quit)
	return <-w.stalled
}
