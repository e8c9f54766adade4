package neigh

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/internal/timerq"
	"hubbub/wire"
)

// A Cache is the neighbour cache of one interface for one family of addresses,
// and what claims and defends our own addresses on it.
//
// State: Lookup, Entries, Addresses, Usable, Drops. Input: HandleARP, or
// HandleSolicitation, HandleAdvertisement and HandleLinkAddress; HandleTimer,
// Confirm. Commands: Resolve, AddAddress, RemoveAddress, Announce,
// SetPermanent, Delete, Flush, Close. Output: PollARP or PollMessage,
// PollPacket, PollUnreachable, PollEvent, NextTimer.
type Cache struct {
	// Cause is the event that is being handled. Whoever calls an input or a
	// command sets it; timers remember it.
	Cause uint64
	// Watch makes the cache record facts. Counters count regardless.
	Watch bool
	// Router says that we are a router, which our advertisements tell
	// (RFC 4861, 7.2.4).
	Router bool

	six bool // it speaks NDP
	cfg Config
	mac wire.MAC
	rnd *rand.Rand

	entries    map[netip.Addr]*entry
	recent     *entry // what was found last
	idle       list   // entries that no packet of ours has used
	used       list   // those that one has
	timers     timerq.Queue[*entry]
	permanent  int // entries in that state
	unanswered int // entries that hold nothing but a question
	waiting    int // bytes of all packets that wait

	addrs    []address
	disputes int        // conflicts so far
	lastTry  clock.Time // when probing last began

	cause       uint64 // of what is done now: Cause, or what a timer remembered
	requests    fifo.Queue[Request]
	messages    fifo.Queue[Message]
	resolved    fifo.Queue[resolved]
	unreachable fifo.Queue[unreachable]
	facts       fifo.Queue[Fact]
	drops       Drops
}

type resolved struct {
	p   *pkt.Packet
	mac wire.MAC
}

type unreachable struct {
	p    *pkt.Packet
	addr netip.Addr
}

// An Entry is a line of the cache.
type Entry struct {
	Addr    netip.Addr
	MAC     wire.MAC // zero while it is not known
	State   State
	Changed clock.Time // when it got into its state
	Used    clock.Time // when a packet was last sent to it
	Waiting int        // packets that wait for it
}

// A Request is an ARP packet to be sent.
type Request struct {
	ARP    wire.ARP
	Dst    wire.MAC // the link address to send it to
	Reason string   // such as "ARP request"
	RFC    string   // where that is laid down
	Cause  uint64   // the event that brought it about
}

// New returns the empty cache of an interface whose link address is mac, for
// IPv4. A nil Config means all defaults.
func New(cfg *Config, mac wire.MAC, rnd *rand.Rand) *Cache {
	c := &Cache{cfg: cfg.complete(), mac: mac, rnd: rnd, entries: make(map[netip.Addr]*entry)}
	c.idle.init()
	c.used.init()
	return c
}

// NewNDP is [New] for IPv6.
func NewNDP(cfg *Config, mac wire.MAC, rnd *rand.Rand) *Cache {
	c := New(cfg, mac, rnd)
	c.six = true
	return c
}

// Lookup returns what is known of a neighbour. It reports whether there is an
// entry, and changes nothing.
func (c *Cache) Lookup(addr netip.Addr) (wire.MAC, State, bool) {
	e := c.entries[addr]
	if e == nil {
		return wire.MAC{}, None, false
	}
	return e.mac, e.state, true
}

// Entries returns the cache, ordered by address.
func (c *Cache) Entries() []Entry {
	all := make([]Entry, 0, len(c.entries))
	for _, e := range c.entries {
		all = append(all, Entry{
			Addr: e.addr, MAC: e.mac, State: e.state,
			Changed: e.changed, Used: e.lastUsed, Waiting: e.waiting.Len(),
		})
	}
	slices.SortFunc(all, func(a, b Entry) int { return a.Addr.Compare(b.Addr) })
	return all
}

// Drops returns how many ARP packets and waiting packets were discarded, by
// reason.
func (c *Cache) Drops() Drops { return c.drops }

// HandleTimer does what is due at now.
func (c *Cache) HandleTimer(now clock.Time) {
	for i := range c.addrs {
		if a := &c.addrs[i]; a.timer.Due(now) {
			c.cause = a.cause
			c.advance(now, a)
		}
	}
	for e, ok := c.timers.Pop(now); ok; e, ok = c.timers.Pop(now) {
		c.cause = e.cause
		c.expire(now, e)
	}
}

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (c *Cache) NextTimer() clock.Time {
	next := c.timers.Next()
	for i := range c.addrs {
		next = clock.Earlier(next, c.addrs[i].timer)
	}
	return next
}

// Close releases every packet that the cache holds. It must not be used again.
func (c *Cache) Close() {
	for _, e := range c.entries {
		for p, ok := e.waiting.Pop(); ok; p, ok = e.waiting.Pop() {
			p.Release()
		}
	}
	for r, ok := c.resolved.Pop(); ok; r, ok = c.resolved.Pop() {
		r.p.Release()
	}
	for u, ok := c.unreachable.Pop(); ok; u, ok = c.unreachable.Pop() {
		u.p.Release()
	}
}

// PollARP returns the next ARP packet to be sent.
func (c *Cache) PollARP(clock.Time) (Request, bool) { return c.requests.Pop() }

// PollMessage returns the next neighbour discovery message to be sent.
func (c *Cache) PollMessage(clock.Time) (Message, bool) { return c.messages.Pop() }

// PollPacket returns the next packet whose neighbour has become known, and
// the link address to send it to. The packet is the caller's.
func (c *Cache) PollPacket(clock.Time) (*pkt.Packet, wire.MAC, bool) {
	r, ok := c.resolved.Pop()
	return r.p, r.mac, ok
}

// PollUnreachable returns the next packet that was given up because addr did
// not answer: a matter for a host-unreachable message. It is the caller's.
func (c *Cache) PollUnreachable(clock.Time) (p *pkt.Packet, addr netip.Addr, ok bool) {
	u, ok := c.unreachable.Pop()
	return u.p, u.addr, ok
}

// PollEvent returns the next fact.
func (c *Cache) PollEvent() (Fact, bool) { return c.facts.Pop() }
