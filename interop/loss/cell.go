package main

import (
	"fmt"
	"time"

	"hubbub"
	"hubbub/link"
)

// A harm is what a cable does to the frames on the way to the receiver. ACKs
// come back unharmed.
type harm struct {
	name  string
	text  string // for the table's reader
	apply func(c *hubbub.Cable, d hubbub.Direction, p path) error
	fixed bool // chance has no part in it: one run tells all
	often bool // it meets so many frames that chance averages out at a high rate
	wild  bool // one run may get half as much again as another, or less
}

// harms are the rows of the table.
var harms = []harm{
	{name: "none", text: "no harm", apply: func(*hubbub.Cable, hubbub.Direction, path) error { return nil }, fixed: true},
	{name: "loss0.1", text: "0.1 % loss", apply: loss(0.001)},
	{name: "loss1", text: "1 % loss", apply: loss(0.01)},
	{name: "loss5", text: "5 % loss", apply: loss(0.05)},
	{name: "burst", text: "1 % loss in bursts of 5", apply: func(c *hubbub.Cable, d hubbub.Direction, _ path) error {
		return c.SetBurst(d, link.Burst{ToBad: 0.002, ToGood: 0.2, LossBad: 1})
	}, wild: true},
	{name: "reorder", text: "10 % overtaken", apply: func(c *hubbub.Cable, d hubbub.Direction, p path) error {
		return c.SetReordering(d, 0.1, p.hold())
	}, often: true, wild: true},
	{name: "jitter", text: "jitter, order kept", apply: jitter(false), often: true},
	{name: "shuffle", text: "jitter, order lost", apply: jitter(true), often: true, wild: true},
}

func loss(p float64) func(*hubbub.Cable, hubbub.Direction, path) error {
	return func(c *hubbub.Cable, d hubbub.Direction, _ path) error { return c.SetLoss(d, p) }
}

// jitter makes frames take up to half a round-trip time longer.
func jitter(reorder bool) func(*hubbub.Cable, hubbub.Direction, path) error {
	return func(c *hubbub.Cable, d hubbub.Direction, p path) error { return c.SetJitter(d, p.rtt/2, reorder) }
}

// A path is a cell of the table.
type path struct {
	rate int64         // bit/s, both ways
	rtt  time.Duration // without the time in the queue
	harm harm
}

// The columns' groups and the rows' groups.
var (
	rates      = []int64{10_000_000, 1_000_000_000}
	rtts       = []time.Duration{20 * time.Microsecond, time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond}
	algorithms = []string{"reno", "cubic", "bbr"}
)

// paths returns all cells, in the table's order.
func paths() (all []path) {
	for _, rate := range rates {
		for _, rtt := range rtts {
			for _, h := range harms {
				all = append(all, path{rate, rtt, h})
			}
		}
	}
	return all
}

// name is how results refer to the path.
func (p path) name() string {
	return fmt.Sprintf("%s/%v/%s", rateName(p.rate), p.rtt, p.harm.name)
}

func rateName(rate int64) string {
	if rate >= 1e9 {
		return fmt.Sprintf("%dG", rate/1e9)
	}
	return fmt.Sprintf("%dM", rate/1e6)
}

// frameBits is what a frame of full size takes on a cable: 1500 octets, the
// header, the frame check sequence, the preamble and the gap.
const frameBits = (1500 + 14 + 4 + 8 + 12) * 8

// frameTime is how long it takes.
func (p path) frameTime() time.Duration {
	return time.Duration(frameBits * int64(time.Second) / p.rate)
}

// queue is how many frames may wait before the cable: what fits into one
// round-trip time (the bandwidth-delay product), but 100 at least.
func (p path) queue() int {
	return max(100, int(p.rtt/p.frameTime()))
}

// hold is how long a frame is held so that others overtake it: an eighth of
// the round-trip time, and the time of four frames at least.
func (p path) hold() time.Duration {
	return max(p.rtt/8, 4*p.frameTime())
}

// lasts is how long the connection is watched, its opening included: long
// enough for dozens of round trips after slow start and, where a round trip is
// short, of retransmission time-outs.
func (p path) lasts() time.Duration {
	switch {
	case p.rate < 1e9:
		return 30 * time.Second
	case p.rtt <= time.Millisecond:
		return 5 * time.Second
	case p.rtt <= 50*time.Millisecond:
		return 20 * time.Second
	}
	return 30 * time.Second
}

// runs returns how many runs of the path are measured, if of most so many are.
func (p path) runs(algorithm string, most int) int {
	switch {
	case p.harm.fixed, p.rate >= 1e9 && (p.harm.often || algorithm == "bbr" && p.rtt > time.Millisecond):
		return 1
	case p.harm.wild && p.rate < 1e9:
		return 3 * most
	}
	return most
}

// canBeReal reports whether the harness can make the path in real time: its
// own delays are some tenths of a millisecond.
func (p path) canBeReal() bool {
	return p.rtt >= 50*time.Millisecond || p.rtt >= time.Millisecond && p.rate < 1e9
}

// apply makes a cable the path: one way, d, it does the harm; the other way it
// has the same rate and delay.
func (p path) apply(c *hubbub.Cable, d hubbub.Direction) error {
	for _, err := range []error{
		c.SetRate(hubbub.Both, p.rate),
		c.SetDelay(hubbub.Both, p.rtt/2),
		c.SetQueue(hubbub.Both, p.queue(), 0),
		p.harm.apply(c, d, p),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
