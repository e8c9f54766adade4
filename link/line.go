package link

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Line is one direction of a [Cable]. Its setters change one thing each and
// leave all others as they are; the cause that the setters of faults take is
// the event that brought the fault about, and is told with every frame that
// falls victim to it.
type Line struct{}

// Settings are all that can be set on a Line.
type Settings struct {
	Rate        int64          // bit/s; 0: no limit
	Delay       clock.Duration // from the last bit sent to the last bit received, without serialisation
	QueueFrames int            // how many frames may wait for the line; 0: any number
	QueueBytes  int            // how many bytes may wait for the line; 0: any number
	MTU         int            // octets of payload, the Ethernet header and the VLAN tag not counted

	Loss          float64        // probability that a frame is lost
	Burst         Burst          // losses in bursts
	Corruption    float64        // probability that one bit of a frame is inverted
	Duplication   float64        // probability that a frame arrives twice
	Reordering    float64        // probability that a frame is held for ReorderDelay, and may be overtaken
	ReorderDelay  clock.Duration //
	Jitter        clock.Duration // a frame takes up to this much longer, all values equally probable
	JitterReorder bool           // frames may overtake one another because of jitter
	Rules         []Rule
	Cut           bool
}

// Burst is the Gilbert-Elliott model of losses in bursts: the line is in a
// good or a bad state, and goes from one to the other with the given
// probabilities at each frame.
type Burst struct {
	ToBad, ToGood     float64 // probability of a change of state
	LossGood, LossBad float64 // probability of loss in each state
}

// Stats count what a Line did, in frames unless they say otherwise.
type Stats struct {
	Sent, SentBytes           uint64 // what entered; bytes without the frame check sequence
	Delivered, DeliveredBytes uint64 // what left
	Corrupted                 uint64
	Duplicated                uint64 // copies that were made
	Reordered                 uint64 // frames held by SetReordering
	Drops                     Drops
}

// An Action is what a Rule does to the frames that match.
type Action uint8

// The actions of rules.
const (
	Drop Action = iota
	Corrupt
	Duplicate
	Delay // for Rule.For, without holding up the frames behind
)

// A Rule does something to certain frames: to the Nth that matches, and the
// Count-1 that match after it.
type Rule struct {
	Match  Match
	Action Action
	Nth    int            // which of the frames that match is the first; 1 for the first, and 0 means the same
	Count  int            // how many of them; 0 means 1, a negative number all
	For    clock.Duration // how long Delay holds a frame
	Name   string         // for people, such as "the second SYN-ACK"
}

// SetRate limits the line to that many bit/s; 0 is no limit.
func (l *Line) SetRate(bitsPerSecond int64) error { return nil }

// SetDelay sets how long a frame is under way.
func (l *Line) SetDelay(d clock.Duration) error { return nil }

// SetQueue bounds the frames and bytes that wait while the line is busy with
// others; 0 is no bound. It takes effect where a rate is set. A new line has
// 1000 frames and any number of bytes, as a Linux interface.
func (l *Line) SetQueue(frames, bytes int) error { return nil }

// SetMTU sets the greatest payload of a frame in octets (68 to 65,536).
// Longer frames are dropped as giants.
func (l *Line) SetMTU(octets int) error { return nil }

// SetLoss sets the probability (0 to 1) with which a frame is lost.
func (l *Line) SetLoss(p float64, cause uint64) error { return nil }

// SetBurst sets losses in bursts; the zero Burst unsets them.
func (l *Line) SetBurst(b Burst, cause uint64) error { return nil }

// SetCorruption sets the probability with which one bit of a frame is
// inverted: any one, those of the frame check sequence included.
func (l *Line) SetCorruption(p float64, cause uint64) error { return nil }

// SetDuplication sets the probability with which a frame arrives twice.
func (l *Line) SetDuplication(p float64, cause uint64) error { return nil }

// SetReordering sets the probability with which a frame is held for extra, so
// that those behind may overtake it.
func (l *Line) SetReordering(p float64, extra clock.Duration, cause uint64) error { return nil }

// SetJitter makes each frame take up to max longer. Frames overtake one
// another because of it only if reorder is set.
func (l *Line) SetJitter(max clock.Duration, reorder bool, cause uint64) error { return nil }

// AddRule adds a rule behind those that there are, and returns a number by
// which it can be removed.
func (l *Line) AddRule(r Rule, cause uint64) (id int, err error) { return 0, nil }

// RemoveRule removes a rule, and reports whether it was there.
func (l *Line) RemoveRule(id int) bool { return false }

// Cut drops what is on the line, and all that enters it until it is mended.
func (l *Line) Cut(now clock.Time, cause uint64) {}

// Mend ends a cut. It changes nothing else.
func (l *Line) Mend() {}

// Settings returns all that is set.
func (l *Line) Settings() Settings { return Settings{} }

// Stats returns the counters.
func (l *Line) Stats() Stats { return Stats{} }

// InFlight returns how many frames are on the line or wait for it.
func (l *Line) InFlight() int { return 0 }

// A Match selects frames. What is zero selects any; a frame that has no such
// field, because it is of another protocol or a later fragment, does not match
// a field that is set.
type Match struct {
	EtherType      uint16
	FromMAC, ToMAC wire.MAC
	Protocol       uint8 // of IP: 1 ICMP, 6 TCP, 17 UDP
	FlagsSet       uint8 // TCP flags that must be set
	FlagsClear     uint8 // TCP flags that must not be set
	From, To       netip.Prefix
	FromPort       uint16
	ToPort         uint16
	MinPayload     int                    // of TCP, UDP or what else IP carries, in bytes
	Func           func(*pkt.Packet) bool // further conditions; it must not change the frame
}
