package event

import (
	"fmt"
	"time"
)

// FrameSent is a frame that left a port: of a host, a router, a switch or a
// hub.
type FrameSent struct {
	Port   string // such as "eth0"; with the node's name it is unique
	Data   []byte // the frame from the destination address on, without FCS
	FCS    uint32
	Reason string // why it was sent, such as "delayed ACK"; empty on a hub or switch that passes it on
	RFC    string // where that is laid down, such as "RFC 9293, 3.8.6.3"
}

// FrameHeard is a frame that arrived at a port.
type FrameHeard struct {
	Port  string
	Frame ID // the FrameSent that put it on the cable
	Data  []byte
	FCS   uint32 // as received: a frame that was corrupted on the way doesn't match it
}

// FrameDropped is a frame that went no further. Of a packet that never became
// a frame, Data holds what there was, from the network header on.
type FrameDropped struct {
	Port   string
	Frame  ID // the FrameSent, or zero for a packet that never became a frame
	Data   []byte
	Reason string // such as "not addressed to this host", "lost on the cable"
}

// Fault is a change that somebody made to a cable or a device: cut, mended,
// loss set, powered off.
type Fault struct {
	What string
}

// Learned is a switch that learned or forgot behind which port an address is.
type Learned struct {
	Address string
	VLAN    uint16
	Port    string
	Forgot  bool
	Why     string
}

// Held is a frame that a cable keeps for longer than its delay: why, and for
// how much longer.
type Held struct {
	Frame ID
	Why   string
	For   time.Duration
}

// Harmed is a frame that a cable changed or doubled.
type Harmed struct {
	Frame ID
	What  string
}

func (FrameSent) isBody()    {}
func (FrameHeard) isBody()   {}
func (FrameDropped) isBody() {}
func (Fault) isBody()        {}
func (Learned) isBody()      {}
func (Held) isBody()         {}
func (Harmed) isBody()       {}

func (e FrameSent) String() string {
	if e.Reason == "" {
		return fmt.Sprintf("sent a frame of %d bytes from %s", len(e.Data), e.Port)
	}
	return fmt.Sprintf("sent a frame of %d bytes from %s: %s", len(e.Data), e.Port, e.Reason)
}

func (e FrameHeard) String() string {
	return fmt.Sprintf("heard a frame of %d bytes at %s", len(e.Data), e.Port)
}

func (e FrameDropped) String() string {
	return fmt.Sprintf("dropped a frame at %s: %s", e.Port, e.Reason)
}

func (e Fault) String() string { return e.What }

func (e Learned) String() string {
	if e.Forgot {
		return fmt.Sprintf("forgot that %s is behind %s: %s", e.Address, e.Port, e.Why)
	}
	return fmt.Sprintf("learned that %s is behind %s", e.Address, e.Port)
}

func (e Harmed) String() string { return "a frame: " + e.What }

func (e Held) String() string { return fmt.Sprintf("held a frame for %v more: %s", e.For, e.Why) }
