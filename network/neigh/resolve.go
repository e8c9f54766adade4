package neigh

import (
	"math/bits"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// Confirm says that packets sent to addr arrive there, as an acknowledgement
// of new data proves (RFC 4861, 7.3.1).
func (c *Cache) Confirm(now clock.Time, addr netip.Addr) {
	e := c.find(addr)
	if e == nil {
		return
	}
	switch e.state {
	case Reachable:
		e.confirmed = now
	case Stale, Delay, Probe, Unreachable:
		c.cause = c.Cause
		c.become(now, e, Reachable, "a layer above has heard from it")
	}
}

// StillThere is Confirm for a neighbour that is known to be there: nothing
// follows. Where it reports false, Confirm decides.
func (c *Cache) StillThere(now clock.Time, addr netip.Addr) bool {
	e := c.find(addr)
	if e == nil || e.state != Reachable {
		return false
	}
	e.confirmed = now
	return true
}

// Resolve returns the link address of a neighbour if it is known, and p stays
// the caller's. Otherwise it takes p, which waits for the neighbour's answer:
// PollPacket or PollUnreachable gives it back. (The latter at once, if the
// cache is full of neighbours that were asked for within the last second.)
//
// addr must be a unicast address on the link that is not ours. p may be nil:
// then the neighbour is asked for, and nothing waits.
func (c *Cache) Resolve(now clock.Time, addr netip.Addr, p *pkt.Packet) (wire.MAC, bool) {
	e := c.find(addr)
	if e != nil && e.state.known() {
		c.cause = c.Cause
		c.use(now, e)
		return e.mac, true
	}
	c.cause = c.Cause
	if e == nil {
		e = c.add(now, addr, &c.used)
	}
	if e == nil {
		c.turnAway(addr, p)
		return wire.MAC{}, false
	}
	e.lastUsed = now
	c.wait(e, p)
	if e.state == Incomplete {
		return wire.MAC{}, false
	}
	if _, ok := c.source(addr); !ok {
		c.drops[NoSource]++
		c.become(now, e, Failed, NoSource.String())
		return wire.MAC{}, false
	}
	c.become(now, e, Incomplete, "a packet is to be sent to it")
	return wire.MAC{}, false
}

// Fresh returns the link address of a neighbour that is known to be there, and
// notes that a packet is sent to it, as Resolve does: nothing else follows. Where
// it reports false, Resolve decides.
func (c *Cache) Fresh(now clock.Time, addr netip.Addr) (wire.MAC, bool) {
	e := c.find(addr)
	if e == nil || e.state != Reachable {
		return wire.MAC{}, false
	}
	e.lastUsed = now
	c.used.put(e)
	return e.mac, true
}

// turnAway gives up a packet at once: the cache is full of neighbours that
// were asked for just now.
func (c *Cache) turnAway(addr netip.Addr, p *pkt.Packet) {
	c.drops[CacheFull]++
	if p != nil {
		c.unreachable.Push(unreachable{p, addr})
	}
}

// use notes that a packet is sent to a neighbour whose link address is known.
func (c *Cache) use(now clock.Time, e *entry) {
	e.lastUsed = now
	if e.state == Permanent {
		return
	}
	c.used.put(e)
	if e.state == Stale {
		c.become(now, e, Delay, "used while stale: it has a while to prove itself")
	}
}

// wait puts a packet behind those that wait for an entry.
//
// RFC 1122, 2.3.2.2 (R1122-3): "The link layer SHOULD save (rather than discard) at
// least one (the latest) packet of each set of packets destined to the same
// unresolved IP address". So the oldest give way.
func (c *Cache) wait(e *entry, p *pkt.Packet) {
	if p == nil {
		return
	}
	size := p.Len()
	for e.waiting.Len() > 0 && (e.waiting.Len() >= c.cfg.PendingCount || e.waitingBytes+size > c.cfg.PendingBytes) {
		oldest, _ := e.waiting.Pop()
		c.discardWaiting(e, oldest, QueueFull)
	}
	e.waiting.Push(p)
	e.waitingBytes += size
	c.waiting += size
	if c.waiting > c.cfg.PendingTotal {
		oldest, _ := e.waiting.Pop()
		c.discardWaiting(e, oldest, TotalFull)
	}
}

func (c *Cache) discardWaiting(e *entry, p *pkt.Packet, why Reason) {
	e.waitingBytes -= p.Len()
	c.waiting -= p.Len()
	c.drops[why]++
	c.tell(Fact{Kind: Discarded, Addr: e.addr, Why: why.String(), ID: p.ID})
	p.Release()
}

// ask sends a request for an entry, unless the last one was sent less than
// the retransmission time ago: then it is sent when that is over.
//
// RFC 1122, 2.3.2.1 (R1122-2): "A mechanism to prevent ARP flooding (repeatedly sending
// an ARP Request for the same IP address, at a high rate) MUST be included."
func (c *Cache) ask(now clock.Time, e *entry) {
	if earliest := c.mayAsk(e); earliest > now {
		c.timers.Set(&e.timer, e, earliest)
		return
	}
	e.asked++
	e.lastAsk, e.everSent = now, true
	c.timers.Set(&e.timer, e, now.Add(c.patience(e)))
	if c.six {
		c.solicit(e)
		return
	}
	c.request(e)
}

// patience returns how long an answer is waited for. In the state Unreachable
// each request waits three times as long as the one before, up to a minute
// (RFC 7048, 3 and 4).
func (c *Cache) patience(e *entry) clock.Duration {
	wait := c.cfg.Retransmit
	if e.state != Unreachable {
		return wait
	}
	for range e.asked {
		wait = min(3*wait, c.cfg.MaxRetransmit)
	}
	return wait
}

// mayAsk returns the earliest time at which an entry may be asked for.
func (c *Cache) mayAsk(e *entry) clock.Time {
	if !e.everSent {
		return 0
	}
	return e.lastAsk.Add(c.cfg.Retransmit)
}

// request makes an entry's ARP request: to everybody, or to the neighbour
// alone whose address is to be confirmed (RFC 1122, 2.3.2.1 (2)).
func (c *Cache) request(e *entry) {
	from, _ := c.source(e.addr)
	r := Request{
		ARP:    wire.ARP{Op: wire.ARPRequest, SenderMAC: c.mac, SenderIP: from, TargetIP: e.addr},
		Dst:    wire.Broadcast,
		Reason: "ARP request",
		RFC:    "RFC 826",
		Cause:  c.cause,
	}
	switch {
	case e.state == Probe:
		r.Dst, r.Reason, r.RFC = e.mac, "ARP request: is the neighbour still there?", "RFC 1122, 2.3.2.1"
	case e.asked > 1:
		r.Reason, r.RFC = "ARP request again: no answer", "RFC 1122, 2.3.2.1"
	}
	c.requests.Push(r)
}

// source returns the address of ours to ask for addr from: of those that may
// be used, the one that has the longest prefix in common with it.
func (c *Cache) source(addr netip.Addr) (best netip.Addr, ok bool) {
	longest := -1
	for i := range c.addrs {
		a := &c.addrs[i]
		if a.state != Usable || a.addr.Is4() != addr.Is4() {
			continue
		}
		if n := commonBits(a.addr, addr); n > longest {
			longest, best = n, a.addr
		}
	}
	return best, longest >= 0
}

// commonBits returns how many of their first bits two addresses share.
func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 128
}

// SetPermanent makes an entry that is never asked for nor forgotten.
func (c *Cache) SetPermanent(now clock.Time, addr netip.Addr, mac wire.MAC) {
	c.cause = c.Cause
	e := c.find(addr)
	if e == nil {
		e = &entry{addr: addr}
		c.entries[addr] = e
	}
	if e.state != Permanent {
		c.permanent++
	}
	e.unlink()
	e.mac = mac
	c.become(now, e, Permanent, "set by hand")
}

// Delete removes an entry; packets that wait for it are unreachable.
func (c *Cache) Delete(_ clock.Time, addr netip.Addr) {
	if e := c.find(addr); e != nil {
		c.cause = c.Cause
		c.remove(e, "deleted by hand")
	}
}

// Flush removes all entries but the permanent ones, as when the cable is
// pulled.
func (c *Cache) Flush(clock.Time) {
	c.cause = c.Cause
	for _, l := range [...]*list{&c.idle, &c.used} {
		for e := l.oldest(); e != nil; e = l.oldest() {
			c.remove(e, "the cache was flushed")
		}
	}
}
