package sim

import (
	"hubbub/clock"
	"hubbub/event"
	"hubbub/internal/pkt"
	"hubbub/internal/timerq"
	"hubbub/link"
)

// A Device is a pure machine with ports: a host's stack, a switch, a hub, a
// cable. The latter three are those of package link, and have facts to tell.
type Device interface {
	// HandleFrame takes a frame that has arrived at a port, and owns it.
	HandleFrame(now clock.Time, port int, p *pkt.Packet)
	// HandleTimer lets what is due happen.
	HandleTimer(now clock.Time)
	// PollFrame gives the next frame to be sent and the port it leaves from.
	// It is called until it has none.
	PollFrame(now clock.Time) (port int, p *pkt.Packet, ok bool)
	// NextTimer returns when HandleTimer is to be called, clock.Never if not.
	NextTimer() clock.Time
}

// A device that takes large packets as they are has this method, which reports
// whether it does at present. For any other they are cut into what they stand
// for.
type takesLarge interface{ TakesLarge() bool }

// A device that knows whether anybody is to be told of a change has this method. Any
// other is taken to have changed whenever it was driven.
type knowsReady interface{ HasReady() bool }

// A Node is a device at its place in a world.
type Node struct {
	Name    string
	world   *World
	device  Device
	facts   func() (link.Fact, bool) // of a cable, hub or switch
	watch   *bool                    // whether they are wanted
	telling bool                     // the device knows that they are
	ports   []port
	timer   timerq.Timer
	cable   *ends        // of a cable: what is plugged in
	line    *link.Cable  // of a cable: itself
	bridge  *link.Bridge // of a switch: itself
	large   takesLarge   // the device, if it is one that may
	ready   knowsReady   // the device, if it knows

	off       bool
	onSettle  func()
	unsettled bool
}

// A port is where a cable is plugged into a node.
type port struct {
	name     string
	loopback bool // what is sent comes back
	cable    *Node
	side     int
	way      way // of the last frame that left
}

// ends are a cable's two plugs.
type ends [2]struct {
	node *Node
	port int
}

// Add puts a device into the world, with a name that nothing else there has.
// settle, if not nil, is called under the lock after the device was driven and has
// changed, when the world has come to rest: to wake whoever waits for it. Add needs
// the lock.
func (w *World) Add(name string, d Device, settle func()) *Node {
	n := &Node{Name: name, world: w, device: d, onSettle: settle}
	n.bridge, _ = d.(*link.Bridge)
	n.large, _ = d.(takesLarge)
	n.ready, _ = d.(knowsReady)
	if f, ok := d.(link.Device); ok {
		n.facts, n.watch = f.PollEvent, watchOf(d)
	}
	w.nodes = append(w.nodes, n)
	return n
}

// AddPort gives the node's device its next port, the first being port 0, and
// returns its number. What is sent from a loopback port arrives at it.
func (n *Node) AddPort(name string, loopback bool) int {
	n.ports = append(n.ports, port{name: name, loopback: loopback})
	return len(n.ports) - 1
}

// Join plugs a cable into a port of a and a port of b. It needs the lock.
func (w *World) Join(name string, c *link.Cable, a *Node, aPort int, b *Node, bPort int) *Node {
	n := w.Add(name, c, nil)
	n.cable, n.line = &ends{{a, aPort}, {b, bPort}}, c
	for side, end := range n.cable {
		end.node.ports[end.port].cable, end.node.ports[end.port].side = n, side
	}
	return n
}

// SetPower turns the node off or on. A node that is off hears nothing, sends
// nothing, and its timers don't run. It needs the lock.
func (n *Node) SetPower(on bool) {
	n.off = !on
	if n.off {
		n.world.queue.Set(&n.timer, n, clock.Never)
	}
}

func (n *Node) fire(w *World) {
	n.device.HandleTimer(w.now)
	w.drain(n)
}

func (n *Node) settle() {
	if n.onSettle != nil {
		n.onSettle()
	}
}

// drain takes all output of a node's device: frames, facts, its next timer.
func (w *World) drain(n *Node) {
	for w.err == nil {
		out, p, ok := n.device.PollFrame(w.now)
		if !ok {
			break
		}
		switch {
		case n.off:
			w.drop(n, n.ports[out].name, p, "the machine is switched off")
		case n.cable != nil:
			w.arrive(n, out, p)
		default:
			w.send(n, out, p)
		}
	}
	if n.facts != nil {
		w.tellFacts(n)
	}
	if n.off {
		return
	}
	w.queue.Set(&n.timer, n, n.device.NextTimer())
	if n.onSettle != nil && !n.unsettled && (n.ready == nil || n.ready.HasReady()) {
		n.unsettled = true
		w.settled = append(w.settled, n)
	}
}

// send puts a frame on the cable that is plugged into a node's port. Cables
// without delay, and switches that know where it goes, let it pass at once.
func (w *World) send(n *Node, out int, p *pkt.Packet) {
	if w.Stream.On() {
		if p.Large() {
			w.sendCut(n, out, p)
			return
		}
		w.publishSent(n, n.ports[out].name, p)
	} else if n.ports[out].way.take(w, p) {
		return
	}
	w.sendOn(n, out, p)
}

// sendOn lets a frame go from hop to hop, and notes its way.
func (w *World) sendOn(n *Node, out int, p *pkt.Packet) {
	v := &n.ports[out].way
	v.forget()
	for {
		at := &n.ports[out]
		if at.cable == nil || !at.cable.line.Pass(at.side, p) {
			w.enter(n, out, p)
			return
		}
		end := &at.cable.cable[1-at.side]
		n = end.node
		ok := n.bridge != nil && !n.off
		if ok {
			out, ok = n.bridge.Pass(w.now, end.port, p)
		}
		if !ok {
			v.ends(at.cable.line.Line(at.side), n, end.port)
			w.arrived(delivery{n, end.port, p})
			return
		}
		v.passes(at.cable.line.Line(at.side), n, end.port)
		if !w.passed(n, end.port, out, p) {
			return
		}
	}
}

// passed lets those who watch know of a frame that a switch lets pass. It reports false if
// the frame goes no further: it was one of a storm.
func (w *World) passed(n *Node, in, out int, p *pkt.Packet) bool {
	d := delivery{n, in, p}
	if !w.tolerates(d) {
		return false
	}
	if w.Stream.On() {
		w.hear(d)
		w.publishSent(n, n.ports[out].name, p)
	}
	return true
}

// enter puts a frame on a cable that doesn't let it pass at once.
func (w *World) enter(n *Node, out int, p *pkt.Packet) {
	at := &n.ports[out]
	switch {
	case at.loopback:
		w.inbox.push(delivery{n, out, p})
	case at.cable == nil:
		w.drop(n, at.name, p, "no cable is plugged in")
	case p.Large():
		w.sendCut(n, out, p)
	default:
		at.cable.listen(w)
		at.cable.device.HandleFrame(w.now, at.side, p)
		w.drain(at.cable)
	}
}

// sendCut sends what a large packet stands for: somebody watches, or the cable
// does something to frames.
func (w *World) sendCut(n *Node, out int, p *pkt.Packet) {
	for part := range p.Parts() {
		w.send(n, out, part)
	}
}

// arrived puts a frame where deliver finds it; or what a large packet stands
// for, if that has to be.
func (w *World) arrived(d delivery) {
	if !d.packet.Large() || d.node.large != nil && d.node.large.TakesLarge() {
		w.inbox.push(d)
		return
	}
	for part := range d.packet.Parts() {
		w.inbox.push(delivery{d.node, d.port, part})
	}
}

// tolerates counts a frame that has arrived, and stops the world if it is one
// of a storm.
func (w *World) tolerates(d delivery) bool {
	if w.storm.frames++; w.storm.frames <= stormLimit-stormNames {
		return true
	}
	return w.toleratesMore(d)
}

func (w *World) toleratesMore(d delivery) bool {
	err := w.storm.note(d)
	if err != nil {
		d.packet.Release()
		w.stop(err)
	}
	return err == nil
}

// hear publishes that a frame has arrived. What a hub or switch then sends, it
// sends because of that, for no reason of its own.
func (w *World) hear(d delivery) event.ID {
	heard := w.publishHeard(d.node, d.node.ports[d.port].name, d.packet)
	if d.node.facts != nil {
		d.packet.Cause, d.packet.Reason, d.packet.RFC = uint64(heard), "", ""
	}
	return heard
}

// listen tells a cable, hub or switch whether its facts are wanted.
func (n *Node) listen(w *World) {
	if on := w.Stream.On(); n.facts != nil && on != n.telling {
		n.telling, *n.watch = on, on
	}
}

// arrive puts a frame that came out of a cable's side where deliver finds it.
func (w *World) arrive(cable *Node, side int, p *pkt.Packet) {
	end := &cable.cable[side]
	w.inbox.push(delivery{end.node, end.port, p})
}

// deliver hands a frame to the device it has arrived at. Of several that have
// arrived at one device, what follows is taken after the last.
func (w *World) deliver(d delivery) {
	n := d.node
	if !w.tolerates(d) {
		return
	}
	if n.off {
		w.drop(n, n.ports[d.port].name, d.packet, "the machine is switched off")
		return
	}
	heard := event.ID(0)
	if w.Stream.On() {
		heard = w.hear(d)
	}
	before := w.Stream.Because(heard)
	n.listen(w)
	n.device.HandleFrame(w.now, d.port, d.packet)
	w.Stream.Because(before)
	if !w.inbox.nextIsFor(n) {
		w.drain(n)
	}
}

func (w *World) publishSent(n *Node, at string, p *pkt.Packet) {
	p.ID = uint64(w.Stream.PublishCaused(w.now, n.Name, event.ID(p.Cause), event.FrameSent{
		Port: at, Data: p.AppendTo(nil), FCS: p.FCS(), Reason: p.Reason, RFC: p.RFC,
	}))
}

func (w *World) publishHeard(n *Node, at string, p *pkt.Packet) event.ID {
	return w.Stream.PublishCaused(w.now, n.Name, event.ID(p.ID), event.FrameHeard{
		Port: at, Frame: event.ID(p.ID), Data: p.AppendTo(nil), FCS: p.FCS(),
	})
}

// drop releases a frame that goes no further.
func (w *World) drop(n *Node, at string, p *pkt.Packet, reason string) {
	if w.Stream.On() {
		w.Stream.PublishCaused(w.now, n.Name, event.ID(p.ID), event.FrameDropped{
			Port: at, Frame: event.ID(p.ID), Data: p.AppendTo(nil), Reason: reason,
		})
	}
	p.Release()
}
