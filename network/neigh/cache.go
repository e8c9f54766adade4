package neigh

import (
	"math/rand/v2"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// A State says what is known of a neighbour (RFC 4861, 7.3.2).
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
)

// String returns the state as Linux's ip command writes it, in small letters.
func (s State) String() string {
	return [...]string{"none", "incomplete", "reachable", "stale", "delay", "probe", "failed", "permanent"}[s]
}

// Config are the constants of a Cache. Zero fields get the values that their
// comments name, which are Linux's unless a source is given.
type Config struct {
	Reachable  clock.Duration // how long an answer counts, times a random 0.5 to 1.5 (RFC 4861, 10); 30 s
	Retransmit clock.Duration // between two requests, at least 1 s (RFC 1122, 2.3.2.1); 1 s
	Delay      clock.Duration // how long a stale neighbour may prove itself before it is asked; 5 s
	Stale      clock.Duration // how long an entry nobody uses is kept; 60 s
	Requests   int            // broadcast requests before an address is given up; 3
	Probes     int            // unicast requests before a neighbour is given up; 3

	Entries      int // entries in the cache, the permanent ones not counted; 1024
	PendingCount int // packets that wait for one neighbour; 32
	PendingBytes int // their bytes; 64 KiB
	PendingTotal int // bytes of all that wait for any; 1 MiB

	Detect Detection // of address conflicts
}

// Detection are the constants of address conflict detection (RFC 5227, 1.1).
// Zero fields get the RFC's values, which their comments name.
type Detection struct {
	ProbeWait         clock.Duration // greatest initial delay; 1 s
	ProbeNum          int            // probes; 3
	ProbeMin          clock.Duration // shortest time from probe to probe; 1 s
	ProbeMax          clock.Duration // longest; 2 s
	AnnounceWait      clock.Duration // after the last probe; 2 s
	AnnounceNum       int            // announcements; 2
	AnnounceInterval  clock.Duration // between two; 2 s
	MaxConflicts      int            // conflicts before probing slows down; 10
	RateLimitInterval clock.Duration // then, between two attempts; 60 s
	DefendInterval    clock.Duration // between two defences; 10 s
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

// An Address is one of our own.
type Address struct {
	Addr  netip.Addr
	State AddressState
}

// A Request is an ARP packet to be sent.
type Request struct {
	ARP    wire.ARP
	Dst    wire.MAC // the link address to send it to
	Reason string   // such as "ARP request: who has this address?"
	RFC    string
	Cause  uint64 // the event that brought it about
}

// A Kind says what a Fact tells.
type Kind uint8

// The kinds of facts.
const (
	Changed       Kind = iota + 1 // a neighbour's entry: From, To, MAC
	Discarded                     // an ARP packet: Why; or a packet that waited: Why, ID
	Conflict                      // somebody else (MAC) uses an address of ours; Why says what was done
	AddressUsable                 // an address of ours may be used from now on
	AddressLost                   // an address of ours must not be used any more
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

// A Cache is the neighbour cache of one interface, and what claims and
// defends our own addresses on it.
//
// State: Lookup, Entries, Addresses, Usable, Drops. Input: HandleARP,
// HandleTimer, Confirm. Commands: Resolve, AddAddress, RemoveAddress,
// Announce, SetPermanent, Delete, Flush, Close. Output: PollARP, PollPacket,
// PollUnreachable, PollEvent, NextTimer.
type Cache struct {
	// Cause is the event that is being handled. Whoever calls an input or a
	// command sets it; timers remember it.
	Cause uint64
	// Watch makes the cache record facts. Counters count regardless.
	Watch bool
}

// New returns the empty cache of an interface whose link address is mac. A nil
// Config means all defaults.
func New(cfg *Config, mac wire.MAC, rnd *rand.Rand) *Cache { return &Cache{} }

// Lookup returns what is known of a neighbour. It reports whether there is an
// entry, and changes nothing.
func (c *Cache) Lookup(addr netip.Addr) (wire.MAC, State, bool) { return wire.MAC{}, None, false }

// Entries returns the cache, ordered by address.
func (c *Cache) Entries() []Entry { return nil }

// Addresses returns our own addresses, in the order in which they were added.
func (c *Cache) Addresses() []Address { return nil }

// Usable reports whether addr is ours and may be used.
func (c *Cache) Usable(addr netip.Addr) bool { return false }

// Drops returns how many ARP packets and waiting packets were discarded, by
// reason.
func (c *Cache) Drops() map[string]uint64 { return nil }

// HandleARP takes an ARP packet that the interface received; broadcast says
// that it was not addressed to this interface alone.
func (c *Cache) HandleARP(now clock.Time, a wire.ARP, broadcast bool) {}

// HandleTimer does what is due at now.
func (c *Cache) HandleTimer(now clock.Time) {}

// Confirm says that packets sent to addr arrive there, as an acknowledgement
// of new data proves (RFC 4861, 7.3.1).
func (c *Cache) Confirm(now clock.Time, addr netip.Addr) {}

// Resolve returns the link address of a neighbour if it is known, and p stays
// the caller's. Otherwise it takes p, which waits for the neighbour's answer:
// PollPacket or PollUnreachable gives it back.
//
// addr must be a unicast address on the link. p may be nil: then the
// neighbour is asked for, and nothing waits.
func (c *Cache) Resolve(now clock.Time, addr netip.Addr, p *pkt.Packet) (wire.MAC, bool) {
	return wire.MAC{}, false
}

// AddAddress makes addr one of ours: at once, or, with detect, if probes find
// nobody else who uses it (RFC 5227, 2.1). PollEvent tells the outcome.
//
// An address that was added with detect is given up if somebody insists on it
// (RFC 5227, 2.4 (b)); one without is defended for ever (RFC 5227, 2.4 (c)).
func (c *Cache) AddAddress(now clock.Time, addr netip.Addr, detect bool) {}

// RemoveAddress makes addr no longer ours.
func (c *Cache) RemoveAddress(now clock.Time, addr netip.Addr) {}

// Announce tells everybody on the link that addr is ours (RFC 5227, 2.3).
func (c *Cache) Announce(now clock.Time, addr netip.Addr) {}

// SetPermanent makes an entry that is never asked for nor forgotten.
func (c *Cache) SetPermanent(now clock.Time, addr netip.Addr, mac wire.MAC) {}

// Delete removes an entry; packets that wait for it are unreachable.
func (c *Cache) Delete(now clock.Time, addr netip.Addr) {}

// Flush removes all entries but the permanent ones, as when the cable is
// pulled.
func (c *Cache) Flush(now clock.Time) {}

// Close releases every packet that the cache holds. It must not be used again.
func (c *Cache) Close() {}

// PollARP returns the next ARP packet to be sent.
func (c *Cache) PollARP(now clock.Time) (Request, bool) { return Request{}, false }

// PollPacket returns the next packet whose neighbour has become known, and
// the link address to send it to. The packet is the caller's.
func (c *Cache) PollPacket(now clock.Time) (*pkt.Packet, wire.MAC, bool) {
	return nil, wire.MAC{}, false
}

// PollUnreachable returns the next packet that was given up because addr did
// not answer: a matter for a host-unreachable message. It is the caller's.
func (c *Cache) PollUnreachable(now clock.Time) (p *pkt.Packet, addr netip.Addr, ok bool) {
	return nil, netip.Addr{}, false
}

// PollEvent returns the next fact.
func (c *Cache) PollEvent() (Fact, bool) { return Fact{}, false }

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (c *Cache) NextTimer() clock.Time { return clock.Never }
