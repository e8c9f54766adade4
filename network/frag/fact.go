package frag

// A Reason says why a fragment or a packet in fragments was given up.
type Reason uint8

// The reasons.
const (
	Empty Reason = iota + 1
	Unaligned
	TooLong
	Overlap
	EndMoved
	TooMany
	Duplicate
	Condemned
	NoMemory
	TimedOut
	MixedECN
	numReasons
)

var reasonTexts = [numReasons]string{
	Empty:     "a fragment without payload",
	Unaligned: "a fragment whose length is not a multiple of 8 bytes",
	TooLong:   "the whole packet would exceed 65,535 bytes",
	Overlap:   "a fragment overlaps another",
	EndMoved:  "the fragments disagree about where the packet ends",
	TooMany:   "the packet is in too many fragments",
	Duplicate: "a fragment came twice",
	Condemned: "its packet was refused before",
	NoMemory:  "the memory for incomplete packets is full",
	MixedECN:  "congestion is marked on one fragment, and another says that nobody heeds marks",
	TimedOut:  "fragments were missing when the time was over",
}

// String returns the reason as a short sentence without a capital letter.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonTexts[r]
}

// condemns reports whether the whole packet is refused for this reason.
func (r Reason) condemns() bool {
	switch r {
	case TooLong, Overlap, EndMoved, TooMany, NoMemory, MixedECN:
		return true
	}
	return false
}

// Reasons returns all reasons, in a fixed order.
func Reasons() []Reason {
	all := make([]Reason, 0, numReasons-1)
	for r := Reason(1); r < numReasons; r++ {
		all = append(all, r)
	}
	return all
}

// Drops counts what was given up, by reason.
type Drops [numReasons]uint64

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Reassembled Kind = iota + 1 // a packet is whole: Pieces, Size
	Refused                     // a fragment; Pieces that had come are refused with it: Why
	GivenUp                     // an incomplete packet: Pieces, Why
)

// A Fact is something that happened to a packet in pieces. Facts are recorded
// only while Watch is set.
type Fact[H any] struct {
	Kind   Kind
	Header H   // of a fragment of it
	Pieces int // fragments that had come
	Size   int // bytes of the whole packet, with its header
	Why    string
	Cause  uint64 // the event that brought it about; for a time-out, that of the first fragment to come
}
