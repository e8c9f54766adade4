package link

// A Reason says why a frame went no further.
type Reason uint8

// The reasons.
const (
	CableCut Reason = iota + 1
	Runt
	Giant
	QueueFull
	CableFull
	RandomLoss
	BurstLoss
	RuleMatched
	NoSuchPort
	NoOtherPort
	BadFCS
	BadHeader
	BadSource
	Reserved
	SamePort
	WrongVLAN
	VLANNotAllowed
	NoNativeVLAN
	BadGroupMessage
	NoListener
	NoRouter
	RogueAdvert
	HiddenHeaders
	numReasons
)

var reasonTexts = [numReasons]string{
	CableCut:       "the cable is cut",
	Runt:           "shorter than 64 bytes",
	Giant:          "longer than the cable's MTU allows",
	QueueFull:      "the queue before the cable is full",
	CableFull:      "too many frames are on the cable",
	RandomLoss:     "lost on the cable",
	BurstLoss:      "lost on the cable in a burst of losses",
	RuleMatched:    "lost on the cable by a rule",
	NoSuchPort:     "the device has no such port",
	NoOtherPort:    "there is no other port to send it from",
	BadFCS:         "the frame check sequence is wrong",
	BadHeader:      "the Ethernet header is malformed",
	BadSource:      "the source address is not a station's",
	Reserved:       "a switch never forwards this destination address",
	SamePort:       "the destination is where the frame came from",
	WrongVLAN:      "tagged for another VLAN than the port's",
	VLANNotAllowed: "the trunk does not carry this VLAN",
	NoNativeVLAN:   "untagged on a trunk without a native VLAN",

	BadGroupMessage: "its IGMP or MLD message is malformed",
	NoListener:      "nobody behind another port listens to the group",
	NoRouter:        "it is for multicast routers, and none is behind another port",
	RogueAdvert:     "a router advertisement, from a port that only hosts are behind",
	HiddenHeaders:   "its IPv6 headers may hide a router advertisement",
}

// String returns the reason as a short sentence without a capital letter.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonTexts[r]
}

// Reasons returns all reasons, in a fixed order.
func Reasons() []Reason {
	all := make([]Reason, 0, numReasons-1)
	for r := Reason(1); r < numReasons; r++ {
		all = append(all, r)
	}
	return all
}

// Drops counts dropped frames by reason.
type Drops [numReasons]uint64

// Total returns the number of frames dropped for any reason.
func (d *Drops) Total() uint64 {
	var sum uint64
	for _, n := range d {
		sum += n
	}
	return sum
}
