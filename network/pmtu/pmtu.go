// Package pmtu remembers the path MTU to each destination, as routers report
// it in "fragmentation needed" messages (RFC 1191).
//
// A [Cache] is a pure machine. It only ever lowers a path MTU on the word of
// the network, never below a floor, and forgets it after ten minutes, so that
// the greater one is tried again (RFC 1191, 6.3).
//
// To add another source of knowledge (such as RFC 4821's probes): a handler
// beside HandleTooBig that calls set.
package pmtu

import (
	"net/netip"

	"hubbub/clock"
)

// Config are the constants of a Cache. Zero fields get the values that their
// comments name.
type Config struct {
	Floor   int            // the least path MTU that is believed; 552, as Linux's min_pmtu
	Age     clock.Duration // how long one is believed; 10 minutes (RFC 1191, 6.3)
	Entries int            // destinations remembered; 1024
}

// An Entry is what is known of a path.
type Entry struct {
	Dst     netip.Addr
	MTU     int
	Expires clock.Time
}

// A Fact is a change of a path MTU. Facts are recorded only while Watch is set.
type Fact struct {
	Dst      netip.Addr
	From, To int // zero: not known, so that the interface's MTU holds
	Why      string
	Cause    uint64 // the event that brought it about
}

// A Cache holds path MTUs.
//
// State: Get, Entries. Input: HandleTooBig, HandleTimer. Commands: Flush.
// Output: HandleTooBig's result, PollEvent, NextTimer.
type Cache struct {
	// Cause is the event that is being handled. Whoever calls an input sets
	// it; timers remember it.
	Cause uint64
	// Watch makes the cache record facts.
	Watch bool
}

// New returns an empty Cache. A nil Config means all defaults.
func New(cfg *Config) *Cache { return &Cache{} }

// Get returns the path MTU to dst, in bytes with the IP header; 0 if none is
// known.
func (c *Cache) Get(now clock.Time, dst netip.Addr) int { return 0 }

// Entries returns what is known, ordered by destination.
func (c *Cache) Entries() []Entry { return nil }

// HandleTooBig takes a router's word that a packet of quotedLen bytes to dst
// was too big for the next link, whose MTU is mtu; an old router leaves that
// 0, and the MTU is guessed (RFC 1191, 5). known is the path MTU believed so
// far where the cache has none: that of the interface. It returns the path
// MTU that is believed from now on, and whether it became less.
func (c *Cache) HandleTooBig(now clock.Time, dst netip.Addr, mtu, quotedLen, known int) (int, bool) {
	return 0, false
}

// HandleTimer forgets what is too old.
func (c *Cache) HandleTimer(now clock.Time) {}

// Flush forgets everything.
func (c *Cache) Flush() {}

// PollEvent returns the next fact.
func (c *Cache) PollEvent() (Fact, bool) { return Fact{}, false }

// NextTimer returns when the next path MTU has to be forgotten, clock.Never
// if none is known.
func (c *Cache) NextTimer() clock.Time { return clock.Never }
