package pmtu

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/internal/fifo"
)

// Config are the constants of a Cache. Zero fields get the values that their
// comments name.
type Config struct {
	Floor   int            // the least path MTU that is believed; 552, as Linux's min_pmtu
	Age     clock.Duration // how long one is believed; 10 minutes (RFC 1191, 6.3)
	Entries int            // destinations remembered; 1024
}

// minMTU is the least MTU of any link.
//
// RFC 1191, 3: "A host MUST never reduce its estimate of the Path MTU below 68
// octets."
const minMTU = 68

func (cfg *Config) complete() Config {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	c.Floor = max(cmp.Or(max(c.Floor, 0), 552), minMTU)
	c.Age = cmp.Or(max(c.Age, 0), 10*time.Minute)
	c.Entries = cmp.Or(max(c.Entries, 0), 1024)
	return c
}

// An Entry is what is known of a path.
type Entry struct {
	Dst     netip.Addr
	MTU     int // bytes, with the IP header
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

	cfg   Config
	known map[netip.Addr]*entry
	ends  entry // of the list by age: its newer is the oldest
	facts fifo.Queue[Fact]
}

type entry struct {
	Entry
	cause        uint64 // of its last decrease
	older, newer *entry
}

// New returns an empty Cache. A nil Config means all defaults.
func New(cfg *Config) *Cache {
	c := &Cache{cfg: cfg.complete(), known: make(map[netip.Addr]*entry)}
	c.ends.older, c.ends.newer = &c.ends, &c.ends
	return c
}

// Get returns the path MTU to dst, in bytes with the IP header; 0 if none is
// known.
func (c *Cache) Get(now clock.Time, dst netip.Addr) int {
	if len(c.known) == 0 {
		return 0
	}
	e := c.known[dst]
	if e == nil || e.Expires <= now {
		return 0
	}
	return e.MTU
}

// Entries returns what is known, ordered by destination.
func (c *Cache) Entries() []Entry {
	all := make([]Entry, 0, len(c.known))
	for e := c.ends.newer; e != &c.ends; e = e.newer {
		all = append(all, e.Entry)
	}
	slices.SortFunc(all, func(a, b Entry) int { return a.Dst.Compare(b.Dst) })
	return all
}

// HandleTooBig takes a router's word that a packet of quotedLen bytes to dst
// was too big for the next link, whose MTU is mtu; an old router leaves that
// 0, and the MTU is guessed (RFC 1191, 5). known is what the path MTU is
// thought to be where the cache has none: that of the interface. It returns
// the path MTU from now on, and whether it has become less.
//
// RFC 1191, 3: "A host MUST not increase its estimate of the Path MTU in
// response to the contents of a Datagram Too Big message."
func (c *Cache) HandleTooBig(now clock.Time, dst netip.Addr, mtu, quotedLen, known int) (int, bool) {
	why := "a router's next link has this MTU"
	before := cmp.Or(c.Get(now, dst), known)
	if mtu == 0 {
		mtu, why = guess(quotedLen, before), "guessed: the router did not tell"
	}
	if mtu < c.cfg.Floor {
		mtu, why = c.cfg.Floor, "the least that is believed"
	}
	if mtu >= before {
		return before, false
	}
	c.set(now, dst, mtu, why)
	return mtu, true
}

// plateaus are the MTUs that are likely (RFC 1191, 7).
var plateaus = [...]int{65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, minMTU}

// guess returns the path MTU after a packet of quotedLen bytes was too big.
//
// RFC 1191, 5: "use as the next PMTU estimate the greatest plateau value that
// is less than the returned Total Length field (corrected, if necessary,
// according to the Note above)." The note: routers that derive from 4.2BSD
// have added the header's length to it.
func guess(quotedLen, before int) int {
	const header = 20
	if quotedLen >= before {
		quotedLen -= header
	}
	for _, p := range plateaus {
		if p < quotedLen && p < before {
			return p
		}
	}
	return minMTU
}

func (c *Cache) set(now clock.Time, dst netip.Addr, mtu int, why string) {
	e := c.known[dst]
	if e == nil {
		if len(c.known) >= c.cfg.Entries {
			c.forget(c.ends.newer, "too many paths are known", c.Cause)
		}
		e = &entry{Entry: Entry{Dst: dst}}
		c.known[dst] = e
	} else {
		e.unlink()
	}
	c.tell(Fact{Dst: dst, From: e.MTU, To: mtu, Why: why, Cause: c.Cause})
	e.MTU, e.Expires, e.cause = mtu, now.Add(c.cfg.Age), c.Cause
	e.older, e.newer = c.ends.older, &c.ends
	e.older.newer, e.newer.older = e, e
}

func (e *entry) unlink() { e.older.newer, e.newer.older = e.newer, e.older }

func (c *Cache) forget(e *entry, why string, cause uint64) {
	e.unlink()
	delete(c.known, e.Dst)
	c.tell(Fact{Dst: e.Dst, From: e.MTU, Why: why, Cause: cause})
}

func (c *Cache) tell(f Fact) {
	if c.Watch {
		c.facts.Push(f)
	}
}

// HandleTimer forgets what is too old.
//
// RFC 1191, 6.3: "When a PMTU value has not been decreased for a while (on the
// order of 10 minutes), the PMTU estimate should be set to the first-hop
// data-link MTU". So has RFC 8201, 5.3 it (R8201-4).
func (c *Cache) HandleTimer(now clock.Time) {
	for e := c.ends.newer; e != &c.ends && e.Expires.Due(now); e = c.ends.newer {
		c.forget(e, "it has not been decreased for a while: the path may have changed", e.cause)
	}
}

// Flush forgets everything.
func (c *Cache) Flush() {
	for e := c.ends.newer; e != &c.ends; e = c.ends.newer {
		c.forget(e, "the cache was flushed", c.Cause)
	}
}

// PollEvent returns the next fact.
func (c *Cache) PollEvent() (Fact, bool) { return c.facts.Pop() }

// NextTimer returns when the next path MTU has to be forgotten, clock.Never
// if none is known.
func (c *Cache) NextTimer() clock.Time { return c.ends.newer.Expires }
