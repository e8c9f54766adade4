package dhcp6

// A Reason says why a message was discarded.
type Reason uint8

// The reasons.
const (
	Malformed Reason = iota + 1
	NotForUs
	NotAsked
	NoServerID
	OtherServer
	NoAddress
	Refused
	NoClientID
	HasServerID
	HasAssociation
	NoAssociation
	numReasons
)

var reasonTexts = [numReasons]string{
	Malformed:      "the message is malformed",
	NotForUs:       "it is for another client, or of a type that isn't for this side",
	NotAsked:       "it answers nothing that was asked",
	NoServerID:     "it doesn't say which server it is from or for",
	OtherServer:    "it is from or for another server",
	NoAddress:      "it offers no address",
	Refused:        "the server has failed for a reason of its own",
	NoClientID:     "it doesn't say which client it is from",
	HasServerID:    "it names a server, where it is to ask any",
	HasAssociation: "it asks for addresses, where it is to ask for settings alone",
	NoAssociation:  "it names no identity association",
}

// String returns the reason as a short sentence without a capital letter.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonTexts[r]
}

// Drops counts discarded messages by reason.
type Drops [numReasons]uint64
