package link

import (
	"math/rand/v2"

	"hubbub/clock"
	"hubbub/internal/pkt"
)

// A Cable joins two ports, its sides 0 and 1. What enters at one side leaves
// at the other. Each direction is a [Line] with its own rate, delay, queue and
// faults.
//
// A new cable has no delay, no limit to its rate, an MTU of 1500 octets and no
// faults: a frame that is handed in can be polled at once.
//
// State: Line, Drops, IsCut. Input: HandleFrame, HandleTimer. Commands: Cut,
// Mend, and the setters of Line. Output: PollFrame, PollEvent, NextTimer.
type Cable struct {
	// Watch makes the cable record facts. Counters count regardless.
	Watch bool
	lines [2]Line
}

// NewCable returns a cable. Each direction draws from its own source of
// randomness, so that faults in one don't disturb the other: rnd0 serves the
// frames that enter at side 0.
func NewCable(rnd0, rnd1 *rand.Rand) *Cable {
	return &Cable{}
}

// Line returns the direction of the frames that enter at side (0 or 1).
func (c *Cable) Line(side int) *Line { return &c.lines[side&1] }

// Drops returns how many frames the cable dropped in both directions.
func (c *Cable) Drops() Drops { return Drops{} }

// HandleFrame takes a frame that enters at side.
func (c *Cable) HandleFrame(now clock.Time, side int, p *pkt.Packet) {}

// HandleTimer does nothing: what is due, PollFrame returns.
func (c *Cable) HandleTimer(clock.Time) {}

// Cut cuts both directions, as [Line.Cut] does.
func (c *Cable) Cut(now clock.Time, cause uint64) {}

// Mend mends both directions.
func (c *Cable) Mend() {}

// PollFrame returns the next frame that has arrived by now, and the side it
// arrived at.
func (c *Cable) PollFrame(now clock.Time) (side int, p *pkt.Packet, ok bool) { return 0, nil, false }

// PollEvent returns the next fact.
func (c *Cable) PollEvent() (Fact, bool) { return Fact{}, false }

// NextTimer returns when the next frame arrives, clock.Never if none is on
// its way.
func (c *Cable) NextTimer() clock.Time { return clock.Never }
