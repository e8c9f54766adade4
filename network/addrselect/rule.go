package addrselect

// A Rule says why one address was preferred to another. Source and destination
// selection number theirs differently; the constants are in an order that is
// right for both.
type Rule uint8

// The rules, with their numbers in RFC 6724, 5 and 6.
const (
	OnlyChoice       Rule = iota // there was nothing to decide
	SameAddress                  // source 1
	Unusable                     // destination 1
	Scope                        // source 2, destination 2
	Deprecated                   // source 3, destination 3
	HomeAddress                  // source 4, destination 4
	OutgoingAddress              // source 5
	NextHopPrefix                // source 5.5
	MatchingLabel                // source 6, destination 5
	HigherPrecedence             // destination 6
	NativeTransport              // destination 7
	SmallerScope                 // destination 8
	TemporaryAddress             // source 7
	LongestPrefix                // source 8, destination 9
	ListedFirst                  // destination 10, and what source selection does at last
	numRules
)

var ruleTexts = [numRules]string{
	OnlyChoice:       "there is no other",
	SameAddress:      "it is the destination itself",
	Unusable:         "the other can't be reached",
	Scope:            "its scope is appropriate",
	Deprecated:       "the other is deprecated",
	HomeAddress:      "it is a home address",
	OutgoingAddress:  "it belongs to the outgoing interface",
	NextHopPrefix:    "the next hop advertises its prefix",
	MatchingLabel:    "source and destination have the same label",
	HigherPrecedence: "its precedence is higher",
	NativeTransport:  "it is reached without a tunnel",
	SmallerScope:     "its scope is smaller",
	TemporaryAddress: "temporary addresses are preferred or avoided",
	LongestPrefix:    "source and destination have more leading bits in common",
	ListedFirst:      "it is listed first",
}

// String returns a few words such as "its scope is appropriate".
func (r Rule) String() string {
	if r >= numRules {
		return "unknown"
	}
	return ruleTexts[r]
}
