package hubbub

import (
	"sync"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/sim"
)

// A Trunk joins LANs of two networks to one. Each network has a lock and a clock
// of its own, and so a processor: what is one world's business doesn't wait for
// the other's. Frames cross as they are, without being copied.
//
// It has a port of each LAN's hub or switch, and a cable at each end that can be
// harmed like any other. The two networks need different MAC addresses, see
// [CardNumbers].
type Trunk struct {
	name   string
	ends   [2]trunkEnd
	quit   chan struct{}
	ending sync.Once
	done   sync.WaitGroup
}

// trunkQueue is how many frames may wait at an end for the other network.
const trunkQueue = 4096

// trunkEnd is one end: a device of one port in its network.
type trunkEnd struct {
	trunk   *Trunk
	network *Network
	node    *sim.Node
	cable   *Cable
	other   *trunkEnd
	arrived fifo.Queue[*pkt.Packet] // from the other network; the world's lock guards it
	dropped uint64                  // likewise

	mu      sync.Mutex // guards what follows; nothing is locked while it is held
	leaving []*pkt.Packet
	kick    chan struct{} // somebody is leaving
}

// Trunk joins the LAN to one of another network. The name must be new in both.
// Frames that find [Trunk.Dropped] others waiting for the other network are
// dropped; there is room for 4096.
//
// Virtual networks can't be joined, because neither waits for the other's time:
// that is a mistake which [Network.Err] of both tells.
func (l *LAN) Trunk(name string, other *LAN, options ...UplinkOption) *Trunk {
	t := &Trunk{name: name, quit: make(chan struct{})}
	var o uplinkOptions
	for _, option := range options {
		option(&o)
	}
	ok := true
	for i, lan := range [...]*LAN{l, other} {
		e := &t.ends[i]
		e.trunk, e.network, e.other, e.kick = t, lan.network, &t.ends[1-i], make(chan struct{}, 1)
	}
	for i, lan := range [...]*LAN{l, other} {
		ok = t.ends[i].join(lan, &o) && ok
	}
	if !ok {
		t.Close()
		return t
	}
	for i := range t.ends {
		t.done.Go(t.ends[i].carry)
	}
	return t
}

// join plugs the end in, and reports whether it may.
func (e *trunkEnd) join(l *LAN, o *uplinkOptions) bool {
	n, w := e.network, e.network.world
	w.Enter()
	defer w.Leave(nil)
	if w.IsVirtual() || e.other.network == n {
		n.fail("trunk %q: it joins two networks, neither of them virtual, whose time is its own", e.trunk.name)
		return false
	}
	n.claim("trunk", e.trunk.name)
	e.node = w.Add(e.trunk.name, e, nil)
	port := portName(e.node.AddPort(portName(0), false))
	link := l.options.link
	if o.link != nil {
		link = *o.link
	}
	e.cable = l.plug(port, e.node, 0, l.addPort(o.vlan, false), link)
	n.trunks = append(n.trunks, e.trunk)
	return !w.Closed()
}

// Cables returns the trunk's cables, that of the LAN whose method made it first.
// Of each, [Out] is the way into the LAN.
func (t *Trunk) Cables() (own, others *Cable) { return t.ends[0].cable, t.ends[1].cable }

// Dropped returns how many frames were dropped because too many waited for the
// other network, or because that was closed.
func (t *Trunk) Dropped() (n uint64) {
	for i := range t.ends {
		e := &t.ends[i]
		e.network.world.Enter()
		n += e.dropped
		e.network.world.Unlock()
	}
	return n
}

// Close takes the trunk away. When it returns no frame crosses any more. It never
// fails, and may be called again.
func (t *Trunk) Close() error {
	t.ending.Do(func() { close(t.quit) })
	t.done.Wait()
	return nil
}

// HandleFrame takes a frame for the other network.
func (e *trunkEnd) HandleFrame(now clock.Time, _ int, p *pkt.Packet) {
	p.Emigrate()
	e.mu.Lock()
	full := len(e.leaving) >= trunkQueue
	if !full {
		e.leaving = append(e.leaving, p)
	}
	e.mu.Unlock()
	if full {
		e.drop(now, p)
		return
	}
	select {
	case e.kick <- struct{}{}:
	default: // it is on its way already
	}
}

// drop ends the journey of a frame that the other network has no room for. It needs
// the lock.
func (e *trunkEnd) drop(now clock.Time, p *pkt.Packet) {
	e.dropped++
	if s := &e.network.world.Stream; s.On() {
		s.PublishCaused(now, e.trunk.name, event.ID(p.ID), event.FrameDropped{
			Port: portName(0), Frame: event.ID(p.ID), Data: p.AppendTo(nil), Reason: "too many frames wait for the other network",
		})
	}
	p.Release()
}

// carry brings frames into the other network until the trunk is taken away.
func (e *trunkEnd) carry() {
	var frames []*pkt.Packet
	for {
		select {
		case <-e.kick:
		case <-e.trunk.quit:
			return
		}
		e.mu.Lock()
		frames, e.leaving = e.leaving, frames[:0]
		e.mu.Unlock()
		e.other.take(frames)
		clear(frames)
	}
}

// take gives the LAN frames from the other network.
func (e *trunkEnd) take(frames []*pkt.Packet) {
	w := e.network.world
	now := w.Enter()
	for _, p := range frames {
		// What caused it is the other network's affair.
		p.ID, p.Cause, p.Reason, p.RFC = 0, 0, "it came from the other network", ""
		if w.Err() != nil {
			e.drop(now, p)
			continue
		}
		e.arrived.Push(p)
	}
	w.Leave(e.node)
}

// PollFrame returns the next frame that has arrived from the other network.
func (e *trunkEnd) PollFrame(clock.Time) (port int, p *pkt.Packet, ok bool) {
	p, ok = e.arrived.Pop()
	return 0, p, ok
}

// TakesLarge reports that what crosses needn't be cut.
func (e *trunkEnd) TakesLarge() bool { return true }

// HandleTimer does nothing: a trunk has no timers.
func (e *trunkEnd) HandleTimer(clock.Time) {}

// NextTimer returns clock.Never: a trunk has no timers.
func (e *trunkEnd) NextTimer() clock.Time { return clock.Never }
