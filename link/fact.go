package link

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Dropped    Kind = iota + 1 // a frame went no further: Reason
	Held                       // a cable keeps a frame for longer than its delay: For, Text
	Corrupted                  // a cable inverted a bit of a frame: Bit
	Duplicated                 // a cable delivers a frame twice
	Marked                     // a cable marked a packet "congestion experienced"
	Learned                    // a switch learned who is behind Port; Text if a station was elsewhere before
	Forgot                     // a switch forgot who is behind Port: Text
)

// String returns the kind as a word.
func (k Kind) String() string {
	return [...]string{"nothing", "dropped", "held", "corrupted", "duplicated", "marked", "learned", "forgot"}[k]
}

// A Fact is something that happened inside a device. Fields that its kind
// does not name are zero.
type Fact struct {
	Kind   Kind
	Reason string         // Dropped: why, the text of a Reason
	Port   int            // where the frame entered; for Learned and Forgot, where the station is
	ID     uint64         // pkt.Packet.ID of the frame concerned
	Cause  uint64         // the event that set the fault at work; zero if none did
	Text   string         // more, for people
	MAC    wire.MAC       // Learned, Forgot: of a station
	Group  netip.Addr     // Learned, Forgot: that somebody behind Port listens to
	Router bool           // Learned, Forgot: a multicast router
	VLAN   uint16         // Learned, Forgot
	Bit    int            // Corrupted: the bit's place on the cable, counted from 0
	For    clock.Duration // Held: how much longer
}
