package neigh

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// An Address is one of our own.
type Address struct {
	Addr  netip.Addr
	State AddressState
}

// An address is one of our own at work.
type address struct {
	addr      netip.Addr
	state     AddressState
	insist    bool       // never given up (RFC 5227, 2.4 (c))
	probes    int        // sent so far
	announces int        // still to be sent
	timer     clock.Time // when to probe or announce next
	defended  clock.Time // when the last conflict was recorded
	disputed  bool       // defended holds
	cause     uint64
	nonce     [6]byte // of the last solicitation for it (RFC 7527, 4.1)
}

// Addresses returns our own addresses, in the order in which they were added.
func (c *Cache) Addresses() []Address {
	all := make([]Address, 0, len(c.addrs))
	for _, a := range c.addrs {
		all = append(all, Address{a.addr, a.state})
	}
	return all
}

// Usable reports whether addr is ours and may be used.
func (c *Cache) Usable(addr netip.Addr) bool { return c.state(addr) == Usable }

func (c *Cache) state(addr netip.Addr) AddressState {
	if a := c.own(addr); a != nil {
		return a.state
	}
	return 0
}

func (c *Cache) own(addr netip.Addr) *address {
	for i := range c.addrs {
		if c.addrs[i].addr == addr {
			return &c.addrs[i]
		}
	}
	return nil
}

// AddAddress makes addr one of ours: at once, or, with detect, if probes find
// nobody else who uses it (RFC 5227, 2.1; RFC 4862, 5.4). PollEvent tells the
// outcome. An address that is there already begins anew.
//
// An address that was added with detect is given up if somebody insists on it
// (RFC 5227, 2.4 (b)); one without is defended for ever (RFC 5227, 2.4 (c)).
func (c *Cache) AddAddress(now clock.Time, addr netip.Addr, detect bool) {
	c.cause = c.Cause
	a := c.own(addr)
	if a == nil {
		c.addrs = append(c.addrs, address{})
		a = &c.addrs[len(c.addrs)-1]
	}
	*a = address{addr: addr, state: Probing, insist: !detect, cause: c.cause}
	if !detect {
		c.makeUsable(a, "it was given to us")
		return
	}
	if c.six {
		a.timer = c.firstSolicitation(now)
		return
	}
	a.timer = c.firstProbe(now)
}

// firstProbe returns when to send the first probe for an address.
//
// RFC 5227, 2.1.1: "When ready to begin probing, the host should then wait for
// a random time interval selected uniformly in the range zero to PROBE_WAIT
// seconds".
//
// RFC 5227, 2.1.1: "if the host experiences MAX_CONFLICTS or more address
// conflicts on a given interface, then the host MUST limit the rate at which
// it probes for new addresses on this interface to no more than one attempted
// new address per RATE_LIMIT_INTERVAL."
func (c *Cache) firstProbe(now clock.Time) clock.Time {
	d := &c.cfg.Detect
	begin := now
	if c.disputes >= d.MaxConflicts {
		begin = max(now, c.lastTry.Add(d.RateLimitInterval))
	}
	c.lastTry = begin
	return begin.Add(clock.Duration(c.rnd.Int64N(int64(d.ProbeWait) + 1)))
}

func (c *Cache) makeUsable(a *address, why string) {
	a.state = Usable
	c.tellAlways(Fact{Kind: AddressUsable, Addr: a.addr, MAC: c.mac, Why: why})
}

// RemoveAddress makes addr no longer ours.
func (c *Cache) RemoveAddress(_ clock.Time, addr netip.Addr) {
	for i := range c.addrs {
		if c.addrs[i].addr == addr {
			c.addrs = append(c.addrs[:i], c.addrs[i+1:]...)
			return
		}
	}
}

// Announce tells everybody on the link that addr is ours (RFC 5227, 2.3;
// RFC 4861, 7.2.6), which brings their caches up to date. It does nothing if addr is not usable.
func (c *Cache) Announce(_ clock.Time, addr netip.Addr) {
	a := c.own(addr)
	switch {
	case a == nil || a.state != Usable:
		return
	case c.six:
		c.cause = c.Cause
		c.advertise(a)
	default:
		c.cause = c.Cause
		c.announce(a, "ARP announcement", "RFC 5227, 2.3")
	}
}

// advance does what an address's timer was set for: a probe, the end of
// probing, or an announcement.
func (c *Cache) advance(now clock.Time, a *address) {
	d := &c.cfg.Detect
	switch {
	case c.six:
		c.advanceNDP(now, a)
	case a.state == Probing && a.probes < d.ProbeNum:
		c.probe(now, a)
	case a.state == Probing:
		// RFC 5227, 2.3: "The host may begin legitimately using the IP address
		// immediately after sending the first of the two ARP Announcements".
		a.announces = d.AnnounceNum
		c.announceNext(now, a)
		c.makeUsable(a, "nobody else uses it")
	default:
		c.announceNext(now, a)
	}
}

// probe asks whether anybody uses an address.
//
// RFC 5227, 2.1.1: "The 'sender IP address' field MUST be set to all zeroes;
// this is to avoid polluting ARP caches in other hosts on the same link in
// the case where the address turns out to be already in use by another host."
func (c *Cache) probe(now clock.Time, a *address) {
	d := &c.cfg.Detect
	a.probes++
	if a.probes < d.ProbeNum {
		spread := int64(d.ProbeMax - d.ProbeMin)
		a.timer = now.Add(d.ProbeMin + clock.Duration(c.rnd.Int64N(spread+1)))
	} else {
		a.timer = now.Add(d.AnnounceWait)
	}
	c.requests.Push(Request{
		ARP: wire.ARP{
			Op: wire.ARPRequest, SenderMAC: c.mac,
			SenderIP: netip.IPv4Unspecified(), TargetIP: a.addr,
		},
		Dst:    wire.Broadcast,
		Reason: "ARP probe: does anybody use this address?",
		RFC:    "RFC 5227, 2.1.1",
		Cause:  c.cause,
	})
}

func (c *Cache) announceNext(now clock.Time, a *address) {
	a.timer = clock.Never
	a.announces--
	if a.announces > 0 {
		a.timer = now.Add(c.cfg.Detect.AnnounceInterval)
	}
	c.announce(a, "ARP announcement", "RFC 5227, 2.3")
}

// announce broadcasts that an address is ours: a request from it for itself.
func (c *Cache) announce(a *address, reason, rfc string) {
	c.requests.Push(Request{
		ARP: wire.ARP{
			Op: wire.ARPRequest, SenderMAC: c.mac,
			SenderIP: a.addr, TargetIP: a.addr,
		},
		Dst:    wire.Broadcast,
		Reason: reason,
		RFC:    rfc,
		Cause:  c.cause,
	})
}

// conflicts reports whether a packet claims an address of ours, and does what
// there is to do about it.
func (c *Cache) conflicts(now clock.Time, arp *wire.ARP) bool {
	if a := c.own(arp.SenderIP); a != nil && a.state != Lost {
		c.dispute(now, a, arp.SenderMAC)
		return true
	}
	// RFC 5227, 2.1.1: "In addition, if during this period the host receives
	// any ARP Probe where the packet's 'target IP address' is the address being
	// probed for [...] then the host SHOULD similarly treat this as an address
	// conflict".
	if a := c.own(arp.TargetIP); a != nil && a.state == Probing && arp.SenderIP.IsUnspecified() {
		c.dispute(now, a, arp.SenderMAC)
		return true
	}
	return false
}

// dispute handles a conflict over an address (RFC 5227, 2.1.1 and 2.4).
func (c *Cache) dispute(now clock.Time, a *address, mac wire.MAC) {
	c.disputes++
	recent := a.disputed && now < a.defended.Add(c.cfg.Detect.DefendInterval)
	switch {
	case a.state == Probing:
		c.lose(a, mac, "it is in use already: not to be used by us")
	case !recent:
		// "... recording the time that the conflicting ARP packet was received,
		// and then broadcasting one single ARP Announcement"
		a.defended, a.disputed = now, true
		c.tellAlways(Fact{Kind: Conflict, Addr: a.addr, MAC: mac, Why: "defended with an announcement"})
		c.announce(a, "ARP announcement: the address is ours", "RFC 5227, 2.4")
	case !a.insist:
		// "... within DEFEND_INTERVAL seconds, then the host MUST immediately
		// cease using this address"
		c.lose(a, mac, "given up: the other station insists on it")
	}
}

func (c *Cache) lose(a *address, mac wire.MAC, why string) {
	a.state, a.timer, a.announces = Lost, clock.Never, 0
	c.tellAlways(Fact{Kind: Conflict, Addr: a.addr, MAC: mac, Why: why})
	c.tellAlways(Fact{Kind: AddressLost, Addr: a.addr, MAC: mac, Why: why})
}
