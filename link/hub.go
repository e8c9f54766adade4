package link

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// A Hub repeats what it hears at one port to every other: layer 1. It looks
// at no address and checks no frame check sequence.
//
// State: Drops. Input: HandleFrame. Commands: AddPort. Output: PollFrame,
// PollEvent, NextTimer.
type Hub struct {
	outbox
	ports int
}

// NewHub returns a hub with that many ports.
func NewHub(ports int) *Hub { return &Hub{ports: ports} }

// AddPort gives the hub one more port and returns its number.
func (h *Hub) AddPort() int {
	h.ports++
	return h.ports - 1
}

// HandleFrame repeats a frame to every port but the one it entered at.
func (h *Hub) HandleFrame(_ clock.Time, port int, p *pkt.Packet) {
	if uint(port) >= uint(h.ports) {
		h.drop(NoSuchPort, port, p)
		return
	}
	if h.ports < 2 {
		h.drop(NoOtherPort, port, p)
		return
	}
	last := h.ports - 1
	if port == last {
		last--
	}
	for out := range last {
		if out != port {
			h.send(out, p.Clone())
		}
	}
	h.send(last, p)
}

// HandleTimer does nothing: a hub has no timers.
func (h *Hub) HandleTimer(clock.Time) {}

// NextTimer returns clock.Never: a hub has no timers.
func (h *Hub) NextTimer() clock.Time { return clock.Never }
