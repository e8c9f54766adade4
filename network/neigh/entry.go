package neigh

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/internal/pkt"
	"hubbub/internal/timerq"
	"hubbub/wire"
)

// An entry is what is known of one neighbour.
type entry struct {
	addr      netip.Addr
	mac       wire.MAC
	state     State
	changed   clock.Time     // when it got into its state
	lastUsed  clock.Time     // when a packet was last sent to it
	confirmed clock.Time     // when it last proved that it can be reached
	fresh     clock.Duration // for how long such a proof counts
	timer     timerq.Timer
	cause     uint64 // the event that set the timer, or brought it into its state

	router   bool       // it says that it is one
	asked    int        // requests in this state
	lastAsk  clock.Time // when it was last asked for
	everSent bool       // lastAsk holds

	waiting      fifo.Queue[*pkt.Packet]
	waitingBytes int

	in           *list
	older, newer *entry
}

// A list holds entries by when they were used, the least recently used first.
type list struct{ ends entry }

func (l *list) init() { l.ends.older, l.ends.newer = &l.ends, &l.ends }

// oldest returns the least recently used entry, nil if there is none.
func (l *list) oldest() *entry {
	if l.ends.newer == &l.ends {
		return nil
	}
	return l.ends.newer
}

// put makes e the most recently used entry of l, from whatever list it was in.
func (l *list) put(e *entry) {
	if l.ends.older == e {
		return
	}
	e.unlink()
	e.in, e.older, e.newer = l, l.ends.older, &l.ends
	e.older.newer, e.newer.older = e, e
}

func (e *entry) unlink() {
	if e.in != nil {
		e.older.newer, e.newer.older = e.newer, e.older
		e.in = nil
	}
}

// unanswered is 1 for an entry that holds nothing but a question.
func (s State) unanswered() int {
	if s == Incomplete || s == Failed {
		return 1
	}
	return 0
}

// Crowded reports whether nobody should be asked for addr on account of a
// stranger's packet: it is not in the cache, and a quarter of that is taken up
// by neighbours that have not answered. Who sends to a machine on its link
// has asked for it, and so is known there.
func (c *Cache) Crowded(addr netip.Addr) bool {
	return c.unanswered >= c.cfg.Entries/4 && c.find(addr) == nil
}

// find returns the entry of a neighbour, nil if there is none.
func (c *Cache) find(addr netip.Addr) *entry {
	if e := c.recent; e != nil && e.addr == addr {
		return e
	}
	e := c.entries[addr]
	if e != nil {
		c.recent = e
	}
	return e
}

// add makes an entry in a list. It returns nil if the cache is full.
//
// An entry that no packet of ours has used gives way to any other. So a
// station that invents neighbours fills the cache, but pushes out none that
// we talk to.
func (c *Cache) add(now clock.Time, addr netip.Addr, in *list) *entry {
	if len(c.entries)-c.permanent >= c.cfg.Entries && !c.makeRoom(now, in) {
		return nil
	}
	e := &entry{addr: addr, cause: c.cause}
	c.entries[addr] = e
	in.put(e)
	return e
}

// makeRoom takes out the entry that was used least recently. One that was
// just asked for stays, or else it could be asked for again too soon.
func (c *Cache) makeRoom(now clock.Time, in *list) bool {
	victim := c.idle.oldest()
	if victim == nil && in == &c.used {
		victim = c.used.oldest()
	}
	if victim == nil || c.mayAsk(victim) > now {
		return false
	}
	c.remove(victim, CacheFull.String())
	return true
}

// remove takes an entry out. Packets that wait for it are unreachable.
func (c *Cache) remove(e *entry, why string) {
	c.giveUp(e)
	c.timers.Remove(&e.timer)
	e.unlink()
	delete(c.entries, e.addr)
	if c.recent == e {
		c.recent = nil
	}
	if e.state == Permanent {
		c.permanent--
	}
	c.unanswered -= e.state.unanswered()
	c.tell(Fact{Kind: Changed, Addr: e.addr, MAC: e.mac, From: e.state, To: None, Why: why})
}

// giveUp hands out the packets that wait for an entry as unreachable.
func (c *Cache) giveUp(e *entry) {
	for p, ok := e.waiting.Pop(); ok; p, ok = e.waiting.Pop() {
		c.unreachable.Push(unreachable{p, e.addr})
	}
	c.waiting -= e.waitingBytes
	e.waitingBytes = 0
}

// passOn hands out the packets that wait for an entry, now that its link
// address is known.
func (c *Cache) passOn(now clock.Time, e *entry) {
	if e.waiting.Len() == 0 {
		return
	}
	for p, ok := e.waiting.Pop(); ok; p, ok = e.waiting.Pop() {
		c.resolved.Push(resolved{p, e.mac})
	}
	c.waiting -= e.waitingBytes
	e.waitingBytes = 0
	c.use(now, e)
}

// become brings an entry into a state, with all that belongs to that.
func (c *Cache) become(now clock.Time, e *entry, s State, why string) {
	c.tell(Fact{Kind: Changed, Addr: e.addr, MAC: e.mac, From: e.state, To: s, Why: why})
	c.unanswered += s.unanswered() - e.state.unanswered()
	e.state, e.changed, e.cause, e.asked = s, now, c.cause, 0
	switch s {
	case Incomplete, Probe, Unreachable:
		c.ask(now, e)
	case Reachable:
		e.confirmed, e.fresh = now, c.freshness()
		c.timers.Set(&e.timer, e, now.Add(e.fresh))
	case Stale:
		c.timers.Set(&e.timer, e, now.Add(c.cfg.Stale))
	case Delay:
		c.timers.Set(&e.timer, e, now.Add(c.cfg.Delay))
	case Failed:
		e.mac = wire.MAC{}
		c.giveUp(e)
		c.timers.Set(&e.timer, e, now.Add(c.cfg.Stale))
	case Permanent:
		c.timers.Remove(&e.timer)
	}
	if s.known() {
		c.passOn(now, e)
	}
}

// freshness returns for how long a neighbour counts as reachable after a
// proof of it.
//
// RFC 4861, 6.3.2: "This value should be a uniformly distributed random value
// between MIN_RANDOM_FACTOR and MAX_RANDOM_FACTOR times BaseReachableTime
// milliseconds."
func (c *Cache) freshness() clock.Duration {
	base := int64(c.cfg.Reachable)
	return clock.Duration(base/2 + c.rnd.Int64N(base+1))
}

// expire does what an entry's timer was set for (RFC 1122, 2.3.2.1, R1122-1:
// out-of-date entries go).
func (c *Cache) expire(now clock.Time, e *entry) {
	switch e.state {
	case Incomplete:
		c.askAgain(now, e, c.cfg.Requests)
	case Probe:
		c.askAgain(now, e, c.cfg.Probes)
	case Unreachable:
		c.askOrForget(now, e)
	case Reachable:
		if until := e.confirmed.Add(e.fresh); until > now {
			c.timers.Set(&e.timer, e, until)
			return
		}
		c.become(now, e, Stale, "it has not proved itself for a while")
	case Delay:
		c.become(now, e, Probe, "it has not proved itself: it is asked")
	case Stale, Failed:
		c.remove(e, "nobody needs it")
	}
}

func (c *Cache) askAgain(now clock.Time, e *entry, most int) {
	if e.asked < most {
		c.ask(now, e)
		return
	}
	if c.six && e.state == Probe {
		// RFC 7048, 3: the address that is known is still better than none.
		c.become(now, e, Unreachable, "it does not answer: everybody is asked, less and less often")
		return
	}
	c.become(now, e, Failed, "it does not answer")
}

// askOrForget: "If there is no IPv6 packet sent using the UNREACHABLE NCE, then
// it is RECOMMENDED to stop the retransmits of the multicast NS until either
// the NCE is garbage collected or there are IPv6 packets sent using the NCE."
// (RFC 7048, 3)
func (c *Cache) askOrForget(now clock.Time, e *entry) {
	if e.lastUsed < e.lastAsk {
		c.remove(e, "it does not answer, and nobody needs it")
		return
	}
	c.ask(now, e)
}
