package groups

import "net/netip"

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Joined  Kind = iota + 1 // the interface hears Group now
	Left                    // it hears it no longer
	Version                 // the version that is spoken has changed: Text
	Warned                  // something is wrong on the link with Group: Text; Addr has shown it
)

// String returns the kind as a word.
func (k Kind) String() string {
	return [...]string{"nothing", "joined", "left", "version", "warned"}[k]
}

// A Fact is something that happened. Fields that its kind doesn't name are zero.
type Fact struct {
	Kind  Kind
	Group netip.Addr
	Addr  netip.Addr
	Text  string
	Cause uint64
}

// A Reason says why a message was discarded.
type Reason uint8

// The reasons.
const (
	Malformed Reason = iota + 1
	NotFromLink
	BadHopLimit
	NoRouterAlert
	BadDestination
	NoGroup
	ForRouters
	numReasons
)

var reasonTexts = [numReasons]string{
	Malformed:      "the message is malformed",
	NotFromLink:    "its source is not a link-local address",
	BadHopLimit:    "its hop limit is not 1",
	NoRouterAlert:  "it has no router alert option",
	BadDestination: "a general query goes to all hosts",
	NoGroup:        "the address that it is about is not a group's",
	ForRouters:     "such messages are for routers",
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

// Drops counts discarded messages by reason.
type Drops [numReasons]uint64

func (m *Member) drop(why Reason) Reason {
	m.drops[why]++
	return why
}

func (m *Member) tell(f Fact) {
	if m.Watch {
		f.Cause = m.cause
		m.facts.Push(f)
	}
}
