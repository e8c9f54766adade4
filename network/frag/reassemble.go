package frag

import (
	"cmp"
	"time"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// Config are the bounds of a Reassembler. Zero fields get the values that
// their comments name.
type Config struct {
	Timeout   clock.Duration // from the first fragment to arrive; 60 s (RFC 1122, 3.3.2)
	Bytes     int            // payload held in all; 4 MiB
	Datagrams int            // incomplete packets; 1024
	Fragments int            // fragments of one packet; 1024
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return (*Config)(nil).complete() }

func (cfg *Config) complete() Config {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	c.Timeout = cmp.Or(max(c.Timeout, 0), time.Minute)
	c.Bytes = cmp.Or(max(c.Bytes, 0), 4<<20)
	c.Datagrams = cmp.Or(max(c.Datagrams, 0), 1024)
	c.Fragments = cmp.Or(max(c.Fragments, 0), 1024)
	return c
}

// A Reassembler puts fragments together, to packets of up to 65,535 bytes
// (RFC 1122, 3.3.2, R1122-31). H is what the headers of a fragment say:
// [wire.IPv4] or [Head6].
//
// State: Len, Bytes, Drops. Input: HandleFragment, HandleTimer. Commands:
// Close. Output: HandleFragment's results, PollExpired, PollEvent, NextTimer.
type Reassembler[H any] struct {
	// Cause is the event that is being handled. Whoever calls an input sets
	// it; timers remember it.
	Cause uint64
	// Watch makes the machine record facts. Counters count regardless.
	Watch bool

	cfg     Config
	family  family[H]
	refused Reason // the last fragment
	held    map[key]*datagram[H]
	ends    datagram[H] // of the list by arrival: its newer is the oldest
	bytes   int
	expired fifo.Queue[Expired[H]]
	facts   fifo.Queue[Fact[H]]
	drops   Drops
}

// NewReassembler returns an empty Reassembler for IPv4. A nil Config means all
// defaults.
func NewReassembler(cfg *Config) *Reassembler[wire.IPv4] { return newReassembler(cfg, ipv4) }

// NewReassembler6 is [NewReassembler] for IPv6.
func NewReassembler6(cfg *Config) *Reassembler[Head6] { return newReassembler(cfg, ipv6) }

func newReassembler[H any](cfg *Config, f family[H]) *Reassembler[H] {
	r := &Reassembler[H]{cfg: cfg.complete(), family: f, held: make(map[key]*datagram[H])}
	r.ends.older, r.ends.newer = &r.ends, &r.ends
	return r
}

// Configure changes the bounds: of memory at once, of time for the packets
// whose first fragment comes after.
func (r *Reassembler[H]) Configure(cfg Config) { r.cfg = cfg.complete() }

// Len returns the number of incomplete packets held, those that were refused
// and whose further fragments are still refused included.
func (r *Reassembler[H]) Len() int { return len(r.held) }

// Bytes returns what the fragments held count for, in bytes.
func (r *Reassembler[H]) Bytes() int { return r.bytes }

// Drops returns how many fragments and packets were refused or given up, by
// reason.
func (r *Reassembler[H]) Drops() Drops { return r.drops }

// HandleFragment takes a fragment: h is its header, of which a copy is kept,
// payload what follows, whose reference is taken over. When the packet is
// whole, done is set, and the header and the payload of the whole are
// returned, the latter with a reference. Refused tells why it isn't, if the
// fragment itself was at fault.
func (r *Reassembler[H]) HandleFragment(now clock.Time, h *H, payload pkt.View) (whole H, body pkt.View, done bool) {
	r.refused = 0
	key := r.family.key(*h)
	d := r.held[key]
	if why := r.check(h, payload.Len()); why != 0 {
		payload.Release()
		r.refuse(d, h, why)
		return whole, pkt.View{}, false
	}
	if d == nil {
		d = r.add(now, key)
	}
	if !r.take(d, h, payload) || d.got != d.total {
		return whole, pkt.View{}, false
	}
	if r.family.overhead(d.header)+d.total > maxLen { // its first header may be longer than the others
		r.refuse(d, h, TooLong)
		return whole, pkt.View{}, false
	}
	// RFC 3168, 5.3: "Reassembly of a fragmented packet MUST NOT lose
	// indications of congestion. In other words, if any fragment of an IP packet
	// to be reassembled has the CE codepoint set, then one of two actions MUST
	// be taken: Set the CE codepoint on the reassembled packet. However, this
	// MUST NOT occur if any of the other fragments contributing to this
	// reassembly carries the Not-ECT codepoint. [or] The packet is dropped,
	// instead of being reassembled".
	if d.ecn&(1<<ce) != 0 {
		if d.ecn&(1<<notECT) != 0 {
			r.refuse(d, h, MixedECN)
			return whole, pkt.View{}, false
		}
		r.family.mark(&d.header)
	}
	body = d.assemble()
	whole, size := r.family.whole(d.header, d.total)
	r.tell(Fact[H]{Kind: Reassembled, Header: whole, Pieces: d.count, Size: size, Cause: r.Cause})
	r.remove(d)
	return whole, body, true
}

// Refused returns why the last fragment that was handed in was refused, zero
// if it wasn't.
func (r *Reassembler[H]) Refused() Reason { return r.refused }

// maxLen is the greatest number that the length field of a header tells.
const maxLen = 65535

// take adds a fragment to its packet, and reports whether it did.
func (r *Reassembler[H]) take(d *datagram[H], h *H, payload pkt.View) bool {
	from, more := r.family.place(*h)
	p := piece{from: from, to: from + payload.Len(), last: !more, v: payload}
	at, why := d.fits(&p, r.cfg.Fragments)
	if why == 0 && !r.makeRoom(d, p.cost()) {
		why = NoMemory
	}
	if why != 0 {
		payload.Release()
		r.refuse(d, h, why)
		return false
	}
	d.insert(at, p)
	d.ecn |= 1 << r.family.ecn(*h)
	if from == 0 || d.count == 1 {
		d.header = r.family.keep(*h, &d.store)
	}
	d.cost += p.cost()
	r.bytes += p.cost()
	return true
}

// refuse discards a fragment, and with it, where the reason is hostile, all of
// its packet, those fragments included that have not come yet.
//
// RFC 5722, 4 (R8200-5): "When reassembling an IPv6 datagram, if one or more its
// constituent fragments is determined to be an overlapping fragment, the
// entire datagram (and any constituent fragments, including those not yet
// received) MUST be silently discarded." The same is done for IPv4.
func (r *Reassembler[H]) refuse(d *datagram[H], h *H, why Reason) {
	r.drops[why]++
	r.refused = why
	f := Fact[H]{Kind: Refused, Header: r.family.keep(*h, nil), Why: why.String(), Cause: r.Cause}
	if d != nil && why.condemns() {
		f.Pieces = d.count
		r.bytes -= d.cost
		d.condemn()
	}
	r.tell(f)
}

// makeRoom reports whether there is memory for a further fragment of d. The
// packets that came first give way.
func (r *Reassembler[H]) makeRoom(d *datagram[H], cost int) bool {
	for oldest := r.ends.newer; r.bytes+cost > r.cfg.Bytes && oldest != &r.ends; {
		next := oldest.newer
		if oldest != d && oldest.cost > 0 {
			r.evict(oldest)
		}
		oldest = next
	}
	return r.bytes+cost <= r.cfg.Bytes
}

func (r *Reassembler[H]) evict(d *datagram[H]) {
	if !d.condemned {
		r.drops[NoMemory]++
		r.tell(Fact[H]{Kind: GivenUp, Header: d.header, Pieces: d.count, Why: NoMemory.String(), Cause: r.Cause})
	}
	r.remove(d)
}

func (r *Reassembler[H]) add(now clock.Time, k key) *datagram[H] {
	if len(r.held) >= r.cfg.Datagrams {
		r.evict(r.ends.newer)
	}
	d := &datagram[H]{key: k, total: unknown, expires: now.Add(r.cfg.Timeout), cause: r.Cause}
	d.older, d.newer = r.ends.older, &r.ends
	d.older.newer, d.newer.older = d, d
	r.held[d.key] = d
	return d
}

// remove takes a packet out and releases what is held of it.
func (r *Reassembler[H]) remove(d *datagram[H]) {
	r.bytes -= d.cost
	d.release()
	d.older.newer, d.newer.older = d.newer, d.older
	delete(r.held, d.key)
}

// HandleTimer gives up the packets whose time is over.
//
// RFC 1122, 3.3.2 (R1122-32): "There MUST be a reassembly timeout. The reassembly timeout
// value SHOULD be a fixed value, not set from the remaining TTL."
func (r *Reassembler[H]) HandleTimer(now clock.Time) {
	for d := r.ends.newer; d != &r.ends && d.expires.Due(now); d = r.ends.newer {
		if !d.condemned {
			r.expire(d)
		}
		r.remove(d)
	}
}

// expire gives up a packet for its age.
func (r *Reassembler[H]) expire(d *datagram[H]) {
	r.drops[TimedOut]++
	x := Expired[H]{Header: d.header, Pieces: d.count, Cause: d.cause}
	if len(d.pieces) > 0 && d.pieces[0].from == 0 {
		x.First, x.Payload = true, d.pieces[0].v.Retain()
	}
	r.expired.Push(x)
	r.tell(Fact[H]{Kind: GivenUp, Header: d.header, Pieces: d.count, Why: TimedOut.String(), Cause: d.cause})
}

// Close releases all that is held.
func (r *Reassembler[H]) Close() {
	for d := r.ends.newer; d != &r.ends; d = r.ends.newer {
		r.remove(d)
	}
	for x, ok := r.expired.Pop(); ok; x, ok = r.expired.Pop() {
		x.Payload.Release()
	}
}

// An Expired is a packet that was given up because its time was over.
//
// RFC 1122, 3.3.2: "If this timeout expires, the partially-reassembled
// datagram MUST be discarded and an ICMP Time Exceeded message sent to the
// source host (if fragment zero has been received)."
type Expired[H any] struct {
	Header  H        // of the fragment with offset 0, or of any if that did not come
	First   bool     // the fragment with offset 0 did come: a time-exceeded message is due
	Payload pkt.View // of that fragment, with a reference; empty if it did not come
	Pieces  int      // fragments that came
	Cause   uint64   // the event of the fragment that came first
}

// PollExpired returns the next packet that was given up for its age.
func (r *Reassembler[H]) PollExpired(clock.Time) (Expired[H], bool) { return r.expired.Pop() }

// PollEvent returns the next fact.
func (r *Reassembler[H]) PollEvent() (Fact[H], bool) { return r.facts.Pop() }

// NextTimer returns when the next packet has to be given up, clock.Never if
// none is incomplete.
func (r *Reassembler[H]) NextTimer() clock.Time {
	if r.ends.newer == &r.ends {
		return clock.Never
	}
	return r.ends.newer.expires
}

func (r *Reassembler[H]) tell(f Fact[H]) {
	if r.Watch {
		r.facts.Push(f)
	}
}
