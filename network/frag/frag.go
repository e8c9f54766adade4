// Package frag cuts IPv4 packets that exceed an MTU and puts the pieces
// together again (RFC 791, 3.2).
//
// [Split] gives the fragments one by one; nothing is copied. A [Reassembler]
// is a pure machine that holds what has arrived of incomplete packets. It
// trusts nothing: memory, packets and fragments are bounded, and a packet
// whose fragments overlap is refused as a whole.
//
// To add a reason for refusing: a Reason with its text, and the check in
// Reassembler.HandleFragment's list of checks.
package frag

import (
	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A Splitter gives the fragments of one packet.
type Splitter struct{}

// Split prepares to cut a packet into fragments of at most mtu bytes, headers
// included. h is the header of the whole (or of a fragment that has to be cut
// further), payload what follows it: the caller keeps it until the last
// fragment was polled. It returns an error if the packet must not be
// fragmented (h.DF), or if mtu leaves no room for 8 bytes of payload.
func Split(h wire.IPv4, payload pkt.View, mtu int) (Splitter, error) { return Splitter{}, nil }

// Next returns the next fragment: its header, and its payload with a
// reference of its own.
func (s *Splitter) Next() (h wire.IPv4, payload pkt.View, ok bool) {
	return wire.IPv4{}, pkt.View{}, false
}

// Pieces returns how many fragments there are in all.
func (s *Splitter) Pieces() int { return 0 }

// Config are the bounds of a Reassembler. Zero fields get the values that
// their comments name.
type Config struct {
	Timeout   clock.Duration // from the first fragment to arrive; 60 s (RFC 1122, 3.3.2)
	Bytes     int            // payload held in all; 4 MiB
	Datagrams int            // incomplete packets; 1024
	Fragments int            // fragments of one packet; 1024
}

// An Expired is a packet that was given up because its time was over.
type Expired struct {
	Header  wire.IPv4 // of the fragment with offset 0, or of any if that did not come
	First   bool      // the fragment with offset 0 did come: a time-exceeded message is due (RFC 1122, 3.3.2)
	Payload pkt.View  // of that fragment, with a reference; empty if it did not come
	Pieces  int       // fragments that came
	Cause   uint64    // the event of the fragment that came first
}

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Reassembled Kind = iota + 1 // a packet is whole: Pieces, Size
	Refused                     // a fragment, and with it maybe its packet: Why
	GivenUp                     // an incomplete packet: Pieces, Why
)

// A Fact is something that happened to a packet in pieces. Facts are recorded
// only while Watch is set.
type Fact struct {
	Kind   Kind
	Header wire.IPv4 // of a fragment of it
	Pieces int       // fragments that came
	Size   int       // bytes of the whole packet, with its header
	Why    string
	Cause  uint64 // the event that brought it about; for a time-out, that of the fragment that came first
}

// A Reassembler puts fragments together.
//
// State: Len, Bytes, Drops. Input: HandleFragment, HandleTimer. Commands:
// Close. Output: HandleFragment's results, PollExpired, PollEvent, NextTimer.
type Reassembler struct {
	// Cause is the event that is being handled. Whoever calls an input sets
	// it; timers remember it.
	Cause uint64
	// Watch makes the machine record facts. Counters count regardless.
	Watch bool
}

// NewReassembler returns an empty Reassembler. A nil Config means all
// defaults.
func NewReassembler(cfg *Config) *Reassembler { return &Reassembler{} }

// Len returns the number of incomplete packets held.
func (r *Reassembler) Len() int { return 0 }

// Bytes returns what the fragments held count for, in bytes.
func (r *Reassembler) Bytes() int { return 0 }

// Drops returns how many fragments and packets were refused or given up, by
// reason.
func (r *Reassembler) Drops() map[string]uint64 { return nil }

// HandleFragment takes a fragment: h is its header, of which a copy is kept,
// payload what follows, whose reference is taken over. When the packet is
// whole, done is set, and the header and the payload of the whole are
// returned, the latter with a reference.
func (r *Reassembler) HandleFragment(now clock.Time, h *wire.IPv4, payload pkt.View) (whole wire.IPv4, body pkt.View, done bool) {
	return wire.IPv4{}, pkt.View{}, false
}

// HandleTimer gives up the packets whose time is over.
func (r *Reassembler) HandleTimer(now clock.Time) {}

// Close releases all that is held.
func (r *Reassembler) Close() {}

// PollExpired returns the next packet that was given up for its age.
func (r *Reassembler) PollExpired(now clock.Time) (Expired, bool) { return Expired{}, false }

// PollEvent returns the next fact.
func (r *Reassembler) PollEvent() (Fact, bool) { return Fact{}, false }

// NextTimer returns when the next packet has to be given up, clock.Never if
// none is incomplete.
func (r *Reassembler) NextTimer() clock.Time { return clock.Never }
