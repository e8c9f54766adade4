package sim

import (
	"fmt"

	"hubbub/event"
	"hubbub/link"
)

// watchOf returns where a device is told whether anybody wants its facts, nil
// for one that has none.
func watchOf(d Device) *bool {
	switch d := d.(type) {
	case *link.Cable:
		return &d.Watch
	case *link.Hub:
		return &d.Watch
	case *link.Bridge:
		return &d.Watch
	}
	return nil
}

// tellFacts publishes what a cable, hub or switch has to tell.
func (w *World) tellFacts(n *Node) {
	if !n.telling {
		return
	}
	for {
		f, ok := n.facts()
		if !ok {
			return
		}
		cause := event.ID(f.Cause)
		if cause == 0 {
			cause = event.ID(f.ID)
		}
		w.Stream.PublishCaused(w.now, n.Name, cause, n.factEvent(&f))
	}
}

func (n *Node) factEvent(f *link.Fact) event.Body {
	at := n.portName(f.Port)
	switch f.Kind {
	case link.Learned, link.Forgot:
		return event.Learned{
			Address: whoIs(f), VLAN: f.VLAN, Port: at, Forgot: f.Kind == link.Forgot, Why: f.Text,
		}
	case link.Held:
		return event.Held{Frame: event.ID(f.ID), Why: f.Text, For: f.For}
	case link.Corrupted:
		return event.Harmed{Frame: event.ID(f.ID), What: fmt.Sprintf("bit %d was inverted on the way", f.Bit)}
	case link.Duplicated:
		return event.Harmed{Frame: event.ID(f.ID), What: "it was duplicated on the way"}
	case link.Marked:
		return event.Harmed{Frame: event.ID(f.ID), What: "it was marked on the way: congestion experienced"}
	}
	return event.FrameDropped{Port: at, Frame: event.ID(f.ID), Reason: f.Reason}
}

// whoIs says who a switch has found or forgotten.
func whoIs(f *link.Fact) string {
	switch {
	case f.Router:
		return "a multicast router"
	case f.Group.IsValid():
		return "a listener to " + f.Group.String()
	}
	return f.MAC.String()
}

// portName returns the name of a node's port; a cable's ports are named for
// what is plugged in there.
func (n *Node) portName(port int) string {
	if n.cable != nil {
		end := n.cable[port&1]
		return end.node.Name + "/" + end.node.ports[end.port].name
	}
	if port < 0 || port >= len(n.ports) {
		return ""
	}
	return n.ports[port].name
}
