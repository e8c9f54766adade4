// Package icmperr holds the rules for sending ICMP error messages: about
// which packets none may be sent, how much of the packet is quoted, and how
// many are sent.
//
// To add a rule: a Refusal with its text and a line in [MayAnswer].
package icmperr

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// A Packet is what the rules need to know of the packet that an error message
// would be about.
type Packet struct {
	Header        *wire.IPv4
	ICMPType      uint8 // where the packet is ICMP and not a later fragment: its type
	LinkBroadcast bool  // it came as a broadcast or multicast of the link
	DstBroadcast  bool  // the destination is a broadcast address of one of our subnets
	SrcBroadcast  bool  // the source is one
}

// MayAnswer reports whether an ICMP error message may be sent about a packet,
// and why not (RFC 1122, 3.2.2).
func MayAnswer(p Packet) (ok bool, why string) { return false, "" }

// QuoteLen returns how many bytes of a packet's payload, of which there are
// payload, an error message quotes behind its header of header bytes: as many
// as fit in 576 bytes (RFC 1812, 4.3.2.3). options is the length of the IP
// options of the message itself.
func QuoteLen(header, payload, options int) int { return 0 }

// LimiterConfig are the rates of a Limiter. Zero fields get the values that
// their comments name, which are Linux's.
type LimiterConfig struct {
	Rate      int            // messages a second to all destinations together; 1000
	Burst     int            // as many at once; 50
	DestEvery clock.Duration // one message to each destination; 1 s
	DestBurst int            // as many at once; 6
	Dests     int            // destinations remembered; 1024
}

// A Limiter says how many error messages are sent (RFC 1812, 4.3.2.8): token
// buckets, one for all and one for each destination. It is a pure machine
// without timers.
type Limiter struct{}

// NewLimiter returns a Limiter with full buckets. A nil LimiterConfig means
// all defaults.
func NewLimiter(cfg *LimiterConfig) *Limiter { return &Limiter{} }

// Allow takes a token for an error message to dst, and reports whether there
// was one, and why not.
func (l *Limiter) Allow(now clock.Time, dst netip.Addr) (ok bool, why string) { return false, "" }
