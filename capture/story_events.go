package capture

import (
	"fmt"

	"hubbub/event"
)

// state tells that a connection's state has changed.
func (s *Story) state(e *event.Event, b *event.TCPState) {
	if !s.o.Filter.MatchEvent(e) {
		return
	}
	change := b.From + " " + s.d.horizontal + "> " + b.To
	if p := s.pending; p != nil && p.heard != nil && e.Cause == p.event.ID {
		s.pending = nil
		s.say(p.event, 1, "hears "+s.it(p.origin)+": "+s.paint(bold, change), b.Why)
		return
	}
	s.settle()
	if b.Flow.Remote.IsValid() {
		change += " with " + s.socket(b.Flow.Remote)
	}
	if s.depthOf(e) == 0 {
		s.say(e, 0, s.paint(bold, change), b.Why)
		return
	}
	s.aside(e, 1, s.paint(bold, change), b.Why)
}

// depthOf returns how far what follows from hearing a frame is indented.
func (s *Story) depthOf(e *event.Event) int {
	if _, heard := s.origins.heard[e.Cause]; heard {
		return 1
	}
	return 0
}

// other tells of the rest: what a host decides, and on the deeper levels what
// goes on in it.
func (s *Story) other(e *event.Event) {
	if !s.tells(e) || !s.o.Filter.MatchEvent(e) {
		return
	}
	text := s.words(e)
	if text == "" {
		return
	}
	s.settle()
	if s.depthOf(e) == 1 {
		s.aside(e, 1, text)
		return
	}
	s.say(e, 0, text)
}

// tells reports whether an event is told at the story's level.
func (s *Story) tells(e *event.Event) bool {
	if s.o.Detail >= Depths {
		return true
	}
	switch b := e.Body.(type) {
	case event.TimerSet, event.TimerStopped, event.Congestion, event.SocketCall, event.Held:
		return false
	case event.TimerFired:
		return b.Timer != "delayed ACK"
	case event.Neighbor:
		return b.To == "reachable" && b.From != "delay" && b.From != "probe" && b.From != "stale" ||
			b.From == "none" && b.To == "stale" || b.To == "failed" || b.To == "usable"
	case event.Routed:
		r := route{e.Node, b.Destination}
		told := s.routes[r]
		if len(s.routes) < maxOrigins {
			s.routes[r] = true
		}
		return !told
	}
	return true
}

// words says an event in a sentence about its node.
func (s *Story) words(e *event.Event) string {
	switch b := e.Body.(type) {
	case event.Routed:
		return clean(b.Why)
	case event.Neighbor:
		return s.neighborWords(&b)
	case event.TimerFired:
		return fmt.Sprintf("the %s timer expires%s", clean(b.Timer), s.with(b.Flow))
	case event.TimerSet:
		return fmt.Sprintf("sets the %s timer to %v%s", clean(b.Timer), b.At, s.with(b.Flow))
	case event.TimerStopped:
		return fmt.Sprintf("stops the %s timer%s", clean(b.Timer), s.with(b.Flow))
	case event.Congestion:
		return fmt.Sprintf("%s%s: window %d, threshold %s: %s", clean(b.Phase), s.with(b.Flow), b.Cwnd, threshold(b.Ssthresh), clean(b.Why))
	case event.Advice:
		return clean(b.What) + s.with(b.Flow)
	case event.SocketCall:
		program := ""
		if b.Program != "" && b.Program != e.Node {
			program = clean(b.Program) + ": "
		}
		return program + s.paint(dim, clean(b.String()))
	case event.Held:
		return "keeps it for " + spanText(b.For) + " more: " + clean(b.Why)
	}
	return clean(e.Body.String())
}

// threshold writes a slow-start threshold; a connection begins with one that
// is no limit.
func threshold(n int) string {
	if n >= 1<<30 {
		return "none"
	}
	return fmt.Sprint(n)
}

func (s *Story) with(flow event.Flow) string {
	if !flow.Remote.IsValid() {
		return ""
	}
	return " (" + s.socket(flow.Remote) + ")"
}

func (s *Story) neighborWords(b *event.Neighbor) string {
	switch {
	case b.From == "probing":
		return fmt.Sprintf("may use %v: %s", b.Address, clean(b.Why))
	case b.MAC.IsZero():
		return fmt.Sprintf("doesn't know the MAC address of %v: %s", b.Address, clean(b.Why))
	}
	text := fmt.Sprintf("notes that %v is at %v: %s", b.Address, b.MAC, clean(b.Why))
	if s.o.Detail >= Depths {
		text += fmt.Sprintf(" (%s %s> %s)", b.From, s.d.horizontal, b.To)
	}
	return text
}
