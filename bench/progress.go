package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress says how far a run is, once it takes longer than two seconds.
type progress struct {
	w        io.Writer
	terminal bool // lines can be overwritten
	begin    time.Time
	told     time.Time
	done     int
	all      int
}

func newProgress(w io.Writer, all int) *progress {
	p := &progress{w: w, begin: time.Now(), all: all}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// next says what is measured now: at each step on a terminal, else every ten
// seconds.
func (p *progress) next(what string, t turn) {
	passed := time.Since(p.begin)
	p.done++
	pause := 10 * time.Second
	if p.terminal {
		pause = 0
	}
	if passed < 2*time.Second || time.Since(p.told) < pause {
		return
	}
	p.told = time.Now()
	left := passed * time.Duration(p.all-p.done+1) / time.Duration(max(1, p.done-1))
	text := fmt.Sprintf("%d of %d (%s): %s, %s; about %v to go",
		p.done, p.all, what, t.workload.Name, t.contestant.Name, left.Round(time.Second))
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.w, text)
}

// skip counts what isn't measured again.
func (p *progress) skip() { p.done++ }

func (p *progress) end() {
	if p.terminal && !p.told.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
