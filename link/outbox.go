package link

import (
	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
)

// An outbox holds what a device has to say until it is polled: the part that
// all devices have in common.
type outbox struct {
	// Watch makes the device record facts. Counters count regardless.
	Watch bool

	frames fifo.Queue[outgoing]
	facts  fifo.Queue[Fact]
	drops  Drops
}

type outgoing struct {
	port int
	p    *pkt.Packet
}

// Drops returns how many frames the device dropped, by reason.
func (o *outbox) Drops() Drops { return o.drops }

// PollFrame returns the next frame that leaves, and the port it leaves from.
func (o *outbox) PollFrame(clock.Time) (port int, p *pkt.Packet, ok bool) {
	out, ok := o.frames.Pop()
	return out.port, out.p, ok
}

// PollEvent returns the next fact.
func (o *outbox) PollEvent() (Fact, bool) { return o.facts.Pop() }

func (o *outbox) send(port int, p *pkt.Packet) { o.frames.Push(outgoing{port, p}) }

// drop ends a frame's journey.
func (o *outbox) drop(why Reason, port int, p *pkt.Packet) {
	o.drops[why]++
	if o.Watch {
		o.facts.Push(Fact{Kind: Dropped, Reason: why.String(), Port: port, ID: p.ID})
	}
	p.Release()
}
