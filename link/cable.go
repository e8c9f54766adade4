package link

import (
	"math/rand/v2"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
)

// A Cable joins two ports, its sides 0 and 1. What enters at one side leaves
// at the other. Each direction is a [Line] with its own rate, delay, queue and
// faults.
//
// A new cable has no delay, no limit to its rate, an MTU of 1500 octets and no
// faults: a frame that is handed in can be polled at once.
//
// State: Line, Drops. Input: HandleFrame, HandleTimer. Commands: Cut, Mend,
// and the setters of Line. Output: PollFrame, PollEvent, NextTimer.
type Cable struct {
	// Watch makes the cable record facts. Counters count regardless.
	Watch bool

	lines [2]Line
	facts fifo.Queue[Fact]
	seq   uint64
}

// NewCable returns a cable. Each direction draws from its own source of
// randomness, so that faults in one don't disturb the other: rnd0 serves the
// frames that enter at side 0.
func NewCable(rnd0, rnd1 *rand.Rand) *Cable {
	c := new(Cable)
	c.lines[0].init(c, 0, rnd0)
	c.lines[1].init(c, 1, rnd1)
	return c
}

// Line returns the direction of the frames that enter at side (0 or 1).
func (c *Cable) Line(side int) *Line { return &c.lines[side&1] }

// Drops returns how many frames the cable dropped in both directions.
func (c *Cable) Drops() Drops {
	sum := c.lines[0].stats.Drops
	for why, n := range c.lines[1].stats.Drops {
		sum[why] += n
	}
	return sum
}

// HandleFrame takes a frame that enters at side (0 or 1).
func (c *Cable) HandleFrame(now clock.Time, side int, p *pkt.Packet) {
	c.lines[side&1].handle(now, p)
}

// Pass takes a packet that enters at side across a line that is free, see [Line.Free],
// and reports whether it did: then the packet is at the other
// side already, and still the caller's. Otherwise nothing has happened. It is
// HandleFrame and PollFrame in one step, for a network in memory.
func (c *Cable) Pass(side int, p *pkt.Packet) bool {
	l := &c.lines[side&1]
	frames, octets, longest := p.Frames()
	if !l.Free(longest) {
		return false
	}
	l.Count(frames, octets)
	return true
}

// HandleTimer does nothing: what is due, PollFrame returns.
func (c *Cable) HandleTimer(clock.Time) {}

// Cut cuts both directions, as [Line.Cut] does.
func (c *Cable) Cut(now clock.Time, cause uint64) {
	c.lines[0].Cut(now, cause)
	c.lines[1].Cut(now, cause)
}

// Mend mends both directions.
func (c *Cable) Mend() {
	c.lines[0].Mend()
	c.lines[1].Mend()
}

// PollFrame returns the next frame that has arrived by now, and the side it
// arrived at.
func (c *Cable) PollFrame(now clock.Time) (side int, p *pkt.Packet, ok bool) {
	from, next := c.next()
	if next == nil || next.at > now {
		return 0, nil, false
	}
	l := &c.lines[from]
	p = l.flight.pop()
	l.stats.Delivered++
	l.stats.DeliveredBytes += uint64(p.Len())
	return 1 - from, p, true
}

// next returns the frame that arrives next, and the side it entered at.
func (c *Cable) next() (side int, next *traveller) {
	a, b := c.lines[0].flight.first(), c.lines[1].flight.first()
	if a == nil || b != nil && (b.at < a.at || b.at == a.at && b.seq < a.seq) {
		return 1, b
	}
	return 0, a
}

// PollEvent returns the next fact.
func (c *Cable) PollEvent() (Fact, bool) { return c.facts.Pop() }

// NextTimer returns when the next frame arrives, clock.Never if none is on
// its way.
func (c *Cable) NextTimer() clock.Time {
	if _, next := c.next(); next != nil {
		return next.at
	}
	return clock.Never
}
