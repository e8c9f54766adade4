package hubbub

import (
	"fmt"
	"time"

	"hubbub/event"
	"hubbub/link"
	"hubbub/sim"
)

// A Cable joins a host's card to its LAN's hub or switch. It can be made to
// do all the harm that cables do, in each direction by itself; setting one
// thing never resets another.
type Cable struct {
	network *Network
	name    string
	node    *sim.Node
	link    *link.Cable
}

// A Direction says which way frames go on a host's cable.
type Direction int

// The directions.
const (
	Both Direction = iota
	Out            // from the host
	In             // to the host
)

// String returns the direction in words.
func (d Direction) String() string {
	return [...]string{"in both directions", "on the way out", "on the way in"}[d]
}

// These are package link's: what a fault needs to know.
type (
	Match  = link.Match  // which frames
	Rule   = link.Rule   // what happens to the n-th frame that matches
	Burst  = link.Burst  // losses in bursts
	Action = link.Action // of a Rule
)

// Name returns what the cable is called in events: its host's port.
func (c *Cable) Name() string { return c.name }

// set changes the lines of a direction, says so, and makes that the cause of
// what the change does.
func (c *Cable) set(d Direction, what string, change func(l *link.Line, cause uint64) error) error {
	w := c.network.world
	w.Enter()
	defer w.Leave(c.node)
	id := w.Stream.Publish(w.Now(), c.name, event.Fault{What: what})
	for side := range 2 {
		if d == Out && side == 1 || d == In && side == 0 {
			continue
		}
		if err := change(c.link.Line(side), uint64(id)); err != nil {
			return fmt.Errorf("the cable of %s: %w", c.name, err)
		}
	}
	return nil
}

// apply sets what a new cable is like. It needs the lock.
func (c *Cable) apply(p Link) error {
	for side := range 2 {
		l := c.link.Line(side)
		if err := l.SetRate(p.Rate); err != nil {
			return err
		}
		if err := l.SetDelay(p.Delay); err != nil {
			return err
		}
		if p.Queue > 0 {
			if err := l.SetQueue(p.Queue, 0); err != nil {
				return err
			}
		}
		if p.MTU > 0 {
			if err := l.SetMTU(p.MTU); err != nil {
				return err
			}
		}
		if err := l.SetLoss(p.Loss, 0); err != nil {
			return err
		}
	}
	return nil
}

// SetRate sets how many bit/s the cable carries; 0 is no limit.
func (c *Cable) SetRate(d Direction, bitsPerSecond int64) error {
	return c.set(d, fmt.Sprintf("the rate is %d bit/s %v", bitsPerSecond, d),
		func(l *link.Line, _ uint64) error { return l.SetRate(bitsPerSecond) })
}

// SetDelay sets how long a bit takes from one end to the other.
func (c *Cable) SetDelay(d Direction, delay time.Duration) error {
	return c.set(d, fmt.Sprintf("the delay is %v %v", delay, d),
		func(l *link.Line, _ uint64) error { return l.SetDelay(delay) })
}

// SetQueue sets how many frames and bytes may wait while the cable is busy; 0
// is no bound.
func (c *Cable) SetQueue(d Direction, frames, bytes int) error {
	return c.set(d, fmt.Sprintf("at most %d frames and %d bytes may wait %v", frames, bytes, d),
		func(l *link.Line, _ uint64) error { return l.SetQueue(frames, bytes) })
}

// SetMarking lets packets that find so many frames waiting for the cable be
// marked "congestion experienced" instead of waiting until some are lost, if
// their sender heeds it (RFC 3168); 0 marks none.
func (c *Cable) SetMarking(d Direction, frames int) error {
	return c.set(d, fmt.Sprintf("packets that find %d frames waiting are marked %v", frames, d),
		func(l *link.Line, cause uint64) error { return l.SetMarking(frames, cause) })
}

// SetMTU sets how many bytes of payload a frame may have. The cards at the
// ends don't learn it: longer frames are lost.
func (c *Cable) SetMTU(d Direction, bytes int) error {
	return c.set(d, fmt.Sprintf("frames of more than %d bytes of payload are lost %v", bytes, d),
		func(l *link.Line, _ uint64) error { return l.SetMTU(bytes) })
}

// SetLoss sets the probability, 0 to 1, with which a frame is lost.
func (c *Cable) SetLoss(d Direction, p float64) error {
	return c.set(d, fmt.Sprintf("%g%% of all frames are lost %v", 100*p, d),
		func(l *link.Line, cause uint64) error { return l.SetLoss(p, cause) })
}

// SetBurst makes frames be lost in bursts; the zero Burst ends that.
func (c *Cable) SetBurst(d Direction, b Burst) error {
	return c.set(d, fmt.Sprintf("frames are lost in bursts %v", d),
		func(l *link.Line, cause uint64) error { return l.SetBurst(b, cause) })
}

// SetCorruption sets the probability with which a bit of a frame is inverted.
func (c *Cable) SetCorruption(d Direction, p float64) error {
	return c.set(d, fmt.Sprintf("%g%% of all frames are damaged %v", 100*p, d),
		func(l *link.Line, cause uint64) error { return l.SetCorruption(p, cause) })
}

// SetDuplication sets the probability with which a frame arrives twice.
func (c *Cable) SetDuplication(d Direction, p float64) error {
	return c.set(d, fmt.Sprintf("%g%% of all frames are doubled %v", 100*p, d),
		func(l *link.Line, cause uint64) error { return l.SetDuplication(p, cause) })
}

// SetReordering sets the probability with which a frame is held for extra, so
// that others overtake it.
func (c *Cable) SetReordering(d Direction, p float64, extra time.Duration) error {
	return c.set(d, fmt.Sprintf("%g%% of all frames are held for %v %v", 100*p, extra, d),
		func(l *link.Line, cause uint64) error { return l.SetReordering(p, extra, cause) })
}

// SetJitter makes each frame take up to most longer; with reorder, frames may
// overtake one another because of it.
func (c *Cable) SetJitter(d Direction, most time.Duration, reorder bool) error {
	return c.set(d, fmt.Sprintf("frames take up to %v longer %v", most, d),
		func(l *link.Line, cause uint64) error { return l.SetJitter(most, reorder, cause) })
}

// AddRule makes something happen to certain frames, such as the loss of the
// second SYN-ACK.
func (c *Cable) AddRule(d Direction, r Rule) error {
	what := r.Name
	if what == "" {
		what = "certain frames"
	}
	return c.set(d, fmt.Sprintf("a trap is set for %s %v", what, d),
		func(l *link.Line, cause uint64) error {
			_, err := l.AddRule(r, cause)
			return err
		})
}

// Cut cuts the cable: what is on it is lost, and all that is sent, until it is
// mended.
func (c *Cable) Cut() { c.cut(Both) }

// CutDirection cuts one direction.
func (c *Cable) CutDirection(d Direction) { c.cut(d) }

func (c *Cable) cut(d Direction) {
	now := c.network.world
	_ = c.set(d, "the cable is cut "+d.String(), func(l *link.Line, cause uint64) error {
		l.Cut(now.Now(), cause)
		return nil
	})
}

// Mend makes the cable whole again, in both directions. It changes nothing
// else.
func (c *Cable) Mend() {
	_ = c.set(Both, "the cable is mended", func(l *link.Line, _ uint64) error {
		l.Mend()
		return nil
	})
}

// Settings returns what is set in one direction, Out or In.
func (c *Cable) Settings(d Direction) link.Settings {
	c.network.world.Enter()
	defer c.network.world.Unlock()
	return c.line(d).Settings()
}

// Stats returns what has happened in one direction, Out or In.
func (c *Cable) Stats(d Direction) link.Stats {
	c.network.world.Enter()
	defer c.network.world.Unlock()
	return c.line(d).Stats()
}

func (c *Cable) line(d Direction) *link.Line {
	if d == In {
		return c.link.Line(1)
	}
	return c.link.Line(0)
}
