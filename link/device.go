package link

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
)

// A Device is what frames travel through. Cable, Hub and Bridge are devices;
// their ports count from 0.
type Device interface {
	// HandleFrame takes a frame that enters at port, and owns it from then on.
	HandleFrame(now clock.Time, port int, p *pkt.Packet)
	// HandleTimer does what is due at now.
	HandleTimer(now clock.Time)
	// PollFrame returns the next frame that leaves at now, and the port it
	// leaves from. The frame is the caller's.
	PollFrame(now clock.Time) (port int, p *pkt.Packet, ok bool)
	// PollEvent returns the next fact, in the order in which they happened.
	PollEvent() (Fact, bool)
	// NextTimer returns when HandleTimer or PollFrame has something to do
	// next, clock.Never if nothing is waiting for time to pass.
	NextTimer() clock.Time
}

var (
	_ Device = (*Cable)(nil)
	_ Device = (*Hub)(nil)
	_ Device = (*Bridge)(nil)
)
