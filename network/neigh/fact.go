package neigh

import (
	"net/netip"

	"hubbub/wire"
)

// A State says what is known of a neighbour (R4861-6; RFC 4861, 7.3.2).
type State uint8

// The states.
const (
	None       State = iota // there is no entry
	Incomplete              // asked for; packets wait for the answer
	Reachable               // answered not long ago
	Stale                   // its address is known, but not whether it is still there
	Delay                   // used while stale: it gets time to prove itself
	Probe                   // asked again, at its own address
	Failed                  // it did not answer
	Permanent               // set by hand; never asked, never forgotten

	// Unreachable is a neighbour that doesn't answer any more, and yet packets
	// go to where it was, while everybody is asked for it (RFC 7048, 3). ARP
	// has no such state.
	Unreachable
)

// String returns the state as Linux's ip command writes it, in small letters.
func (s State) String() string {
	return [...]string{"none", "incomplete", "reachable", "stale", "delay", "probe", "failed", "permanent", "unreachable"}[s]
}

// known reports whether the neighbour's link address is known.
func (s State) known() bool { return s != None && s != Incomplete && s != Failed }

// AddressState says how far an address of ours is.
type AddressState uint8

// The states of our own addresses.
const (
	Probing AddressState = iota + 1 // not to be used yet: somebody else might have it
	Usable                          // ours
	Lost                            // somebody else has it
)

// String returns the state as a word.
func (s AddressState) String() string { return [...]string{"none", "probing", "usable", "lost"}[s] }

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Changed       Kind = iota + 1 // a neighbour's entry: From, To, MAC
	Discarded                     // an ARP packet from Addr and MAC; or a packet to Addr that waited: ID
	Conflict                      // somebody else (MAC) uses an address of ours; Why says what was done
	AddressUsable                 // an address of ours may be used from now on
	AddressLost                   // an address of ours must not be used any more
	NoRouter                      // a neighbour that was a router says that it is none
)

// A Fact is something that happened. Those of the kinds Conflict,
// AddressUsable and AddressLost are always recorded; the others only while
// Watch is set.
type Fact struct {
	Kind     Kind
	Addr     netip.Addr
	MAC      wire.MAC
	From, To State
	Why      string
	ID       uint64 // pkt.Packet.ID of the packet that was discarded
	Cause    uint64 // the event that brought it about
}

// A Reason says why an ARP packet or a waiting packet was discarded.
type Reason uint8

// The reasons.
const (
	OwnFrame Reason = iota + 1
	BadSender
	BadOperation
	NotOurs
	NotForUs
	NoEntry
	IsPermanent
	CacheFull
	Claimed
	StillProbing
	QueueFull
	TotalFull
	NoSource
	NoLinkAddress
	NotOverridden
	numReasons
)

var reasonTexts = [numReasons]string{
	OwnFrame:     "we sent it ourselves",
	BadSender:    "the sender's address is not a station's",
	BadOperation: "neither a request nor a reply",
	NotOurs:      "asks for an address that is not ours",
	NotForUs:     "answers another station",
	NoEntry:      "announces an address that we don't look for",
	IsPermanent:  "the entry was set by hand",
	CacheFull:    "the neighbour cache is full",
	Claimed:      "the sender claims an address of ours",
	StillProbing: "asks for an address that we don't use yet",
	QueueFull:    "too many packets wait for this neighbour",
	TotalFull:    "too many packets wait for neighbours",
	NoSource:     "there is no address of ours to ask from",

	NoLinkAddress: "it doesn't tell the link address that we ask for",
	NotOverridden: "it tells another link address, and doesn't ask us to believe it",
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

// Drops counts what was discarded, by reason.
type Drops [numReasons]uint64

// tell records a fact if somebody watches.
func (c *Cache) tell(f Fact) {
	if c.Watch {
		c.tellAlways(f)
	}
}

func (c *Cache) tellAlways(f Fact) {
	f.Cause = c.cause
	c.facts.Push(f)
}
