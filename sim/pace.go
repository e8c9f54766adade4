package sim

import (
	"errors"
	"math"
	"time"

	"hubbub/clock"
)

// A Pace says how a world's time follows the time outside.
type Pace struct {
	virtual bool
	speed   float64
}

var (
	// Real is the pace at which a second of the world lasts a second. In a
	// testing/synctest bubble, where seconds cost nothing, it is the right
	// one.
	Real = Pace{speed: 1}
	// Virtual is the pace of a world that waits for nothing: its clock stands
	// still while a program runs and jumps to the next timer when none can.
	Virtual = Pace{virtual: true}
	// Paused is the pace of a world whose clock stands still until somebody
	// steps, forwards or resumes it.
	Paused = Pace{}
)

// Scaled returns the pace at which the world's time passes speed times as
// fast as the time outside: 0.001 is slow motion. speed must not be negative;
// 0 is [Paused].
func Scaled(speed float64) Pace { return Pace{speed: speed} }

// IsVirtual reports whether the pace is [Virtual].
func (p Pace) IsVirtual() bool { return p.virtual }

// Speed returns how many seconds of the world pass in a second outside, zero
// for a world that is paused or virtual.
func (p Pace) Speed() float64 { return p.speed }

// ErrVirtualPace says that a virtual world can't be given another pace, nor
// another world a virtual one: their programs are run in different ways.
var ErrVirtualPace = errors.New("a world is virtual from its beginning or never; " +
	"create it with the pace that it is to have")

// pace follows the time outside. The world's lock guards it.
type pace struct {
	Pace
	base  clock.Time // the world's time when the clock outside showed since
	since time.Time

	armed clock.Time // when the pacer will wake next
	kick  chan struct{}
	quit  chan struct{}
	done  chan struct{}
}

func (p *pace) start(w *World, at Pace) {
	p.Pace = at
	if p.virtual {
		return
	}
	p.since = time.Now()
	p.kick = make(chan struct{}, 1)
	p.quit = make(chan struct{})
	p.done = make(chan struct{})
	go w.pacer()
}

// present returns what the world's clock shows now. It is the only place that
// reads the clock outside.
func (p *pace) present(now clock.Time) clock.Time {
	if p.virtual || p.speed == 0 {
		return now
	}
	elapsed := time.Since(p.since)
	if p.speed == 1 {
		return p.base.Add(elapsed)
	}
	return p.base.Add(clock.Duration(float64(elapsed) * p.speed))
}

// until returns how long the pacer sleeps before next.
func (p *pace) until(now, next clock.Time) time.Duration {
	const long = 1000 * time.Hour
	if next == clock.Never || p.speed == 0 {
		return long
	}
	d := math.Ceil(float64(next.Sub(now)) / p.speed)
	return time.Duration(min(d, float64(long)))
}

// remind tells the pacer about a timer that is due before it meant to wake.
func (p *pace) remind(next clock.Time) {
	if p.virtual || next == clock.Never || p.armed != clock.Never && next >= p.armed {
		return
	}
	p.armed = next
	p.prod()
}

func (p *pace) prod() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// end stops the pacer and waits until it has stopped.
func (p *pace) end() {
	if p.virtual {
		return
	}
	select {
	case <-p.quit:
	default:
		close(p.quit)
	}
	<-p.done
}

// pacer lets happen what is due, when it is due, in a world whose time
// follows the time outside.
func (w *World) pacer() {
	defer close(w.pace.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.Enter()
		sleep := w.pace.until(w.now, w.nextLook())
		w.Unlock()
		timer.Reset(sleep)
		select {
		case <-timer.C:
		case <-w.pace.kick:
		case <-w.pace.quit:
			return
		}
	}
}

// nextLook returns when the pacer is to wake. A time once set stays until it has come,
// even if nothing is due then any more: most timers are put off again and again, and
// one look too many costs less than to be told of each.
func (w *World) nextLook() clock.Time {
	p := &w.pace
	if p.armed.Due(w.now) || p.armed == clock.Never {
		p.armed = w.queue.Next()
	}
	return p.armed
}

// Pace returns the world's pace.
func (w *World) Pace() Pace {
	w.mu.Lock()
	defer w.Unlock()
	return w.pace.Pace
}

// IsVirtual reports whether the pace is Virtual. It needs no lock: a world is
// virtual from its beginning or never.
func (w *World) IsVirtual() bool { return w.pace.virtual }

// SetPace changes the pace, from this instant on.
func (w *World) SetPace(to Pace) error {
	w.Enter()
	defer w.Unlock()
	if to.virtual != w.pace.virtual {
		return ErrVirtualPace
	}
	if w.pace.virtual {
		return nil
	}
	w.rebase(w.now)
	w.pace.speed = to.speed
	w.pace.prod()
	return nil
}

// rebase makes the world's clock show t now and go on from there.
func (w *World) rebase(t clock.Time) {
	w.pace.base = t
	if !w.pace.virtual {
		w.pace.since = time.Now()
	}
}

// FastForward jumps to the next timer, at any pace, and lets it go off. It
// reports whether there was one.
func (w *World) FastForward() bool {
	w.Enter()
	defer w.Unlock()
	return w.jump()
}

// jump lets the earliest alarm go off now.
func (w *World) jump() bool {
	next := w.queue.Next()
	if next == clock.Never || w.err != nil {
		return false
	}
	w.rebase(max(w.now, next))
	w.happen(next)
	w.pace.prodIfReal()
	return true
}

func (p *pace) prodIfReal() {
	if !p.virtual {
		p.prod()
	}
}

// TimeOfDay returns what the clock outside shows: where a network that is not
// virtual begins to count.
func TimeOfDay() time.Time { return time.Now() }

// Until returns how long it is, by the clock outside, until t: what a program
// that computed a deadline from that clock has left.
func Until(t time.Time) time.Duration { return time.Until(t) }
