package link

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// BridgeConfig is what a Bridge is built from. Zero fields get the values
// that their comments name.
type BridgeConfig struct {
	Ports  []PortConfig   // one for each port; the zero PortConfig is an access port of VLAN 1
	Size   int            // stations remembered in each VLAN; 1024
	Ageing clock.Duration // how long a station that is silent is remembered; 300 s (IEEE 802.1D, table 7-5)
}

// PortConfig says which VLANs a port belongs to.
type PortConfig struct {
	// Trunk makes it a port for tagged frames. Otherwise it is an access port:
	// frames go in and out untagged.
	Trunk bool
	// VLAN is that of an access port, 1 to 4094; 0 means 1. On a trunk it is
	// the native VLAN, whose frames are untagged; 0 means none.
	VLAN uint16
	// Allowed are the VLANs that a trunk carries beside its native VLAN; nil
	// means all.
	Allowed []uint16
}

// A Station is a line of a Bridge's address table.
type Station struct {
	VLAN uint16
	MAC  wire.MAC
	Port int
	Seen clock.Time // when it sent a frame last
}

// A Bridge is a learning switch with VLANs (IEEE 802.1D, IEEE 802.1Q): it
// remembers behind which port each station is, and sends a frame only there.
// It checks each frame before it sends it on (store and forward).
//
// A VLAN whose table is full learns no new station: those that are known stay
// known whatever a hostile station sends, and the frames for others are
// flooded.
//
// State: Table, Drops, Unlearned. Input: HandleFrame, HandleTimer. Commands:
// SetPort, FlushPort, Flush. Output: PollFrame, PollEvent, NextTimer.
type Bridge struct {
	outbox
}

// NewBridge returns a switch, or an error if a VLAN is not between 1 and 4094.
func NewBridge(cfg BridgeConfig) (*Bridge, error) { return &Bridge{}, nil }

// Table returns the address table, ordered by VLAN and address.
func (b *Bridge) Table() []Station { return nil }

// Unlearned returns how often a station was not learned because the table of
// its VLAN was full.
func (b *Bridge) Unlearned() uint64 { return 0 }

// HandleFrame takes a frame that enters at port.
func (b *Bridge) HandleFrame(now clock.Time, port int, p *pkt.Packet) {}

// HandleTimer forgets the stations that have been silent for too long.
func (b *Bridge) HandleTimer(now clock.Time) {}

// SetPort changes a port's VLANs and forgets the stations behind it.
func (b *Bridge) SetPort(port int, cfg PortConfig) error { return nil }

// FlushPort forgets the stations behind a port, as when its cable is pulled.
func (b *Bridge) FlushPort(port int) {}

// Flush forgets all stations.
func (b *Bridge) Flush() {}

// NextTimer returns when a station may have to be forgotten.
func (b *Bridge) NextTimer() clock.Time { return clock.Never }
