package neigh

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// HandleARP takes an ARP packet that the interface received, in the order of
// RFC 826, "Packet Reception": first what is known of the sender is brought
// up to date, then, if we are the target, the sender is added, and only then
// the operation is looked at. broadcast says that the frame was not addressed
// to this interface alone.
func (c *Cache) HandleARP(now clock.Time, a wire.ARP, broadcast bool) {
	c.cause = c.Cause
	if why := c.refuses(&a); why != 0 {
		c.discard(&a, why)
		return
	}
	if c.conflicts(now, &a) {
		c.discard(&a, Claimed)
		return
	}
	why := c.merge(now, &a, broadcast)
	if a.SenderIP != a.TargetIP && c.Usable(a.TargetIP) {
		why = c.targeted(now, &a)
	}
	if why != 0 {
		c.discard(&a, why)
	}
}

func (c *Cache) discard(a *wire.ARP, why Reason) {
	c.drops[why]++
	c.tell(Fact{Kind: Discarded, Addr: a.SenderIP, MAC: a.SenderMAC, Why: why.String()})
}

// refuses returns why a packet is not looked at any further, zero if it is.
// The note in RFC 5227, 2.1.1 tells how our own packets come back to us.
func (c *Cache) refuses(a *wire.ARP) Reason {
	switch {
	case a.SenderMAC == c.mac:
		return OwnFrame
	case a.Op != wire.ARPRequest && a.Op != wire.ARPReply:
		return BadOperation
	case a.SenderMAC == wire.MAC{} || a.SenderMAC[0]&1 != 0 || !isStation(a):
		return BadSender
	}
	return 0
}

// isStation reports whether a packet's sender address can be a station's. An
// ARP probe has none (RFC 5227, 2.1.1).
func isStation(a *wire.ARP) bool {
	ip := a.SenderIP
	if !ip.Is4() || ip.IsMulticast() || ip.IsLoopback() || ip == broadcast4 {
		return false
	}
	return !ip.IsUnspecified() || a.Op == wire.ARPRequest
}

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// merge brings the sender's entry up to date, if there is one. Otherwise it
// returns for which reason the packet is discarded if we are not its target.
func (c *Cache) merge(now clock.Time, a *wire.ARP, broadcast bool) Reason {
	e := c.entries[a.SenderIP]
	switch {
	case e == nil && a.SenderIP == a.TargetIP:
		return NoEntry
	case e == nil && a.Op == wire.ARPReply:
		return NotForUs
	case e == nil && c.state(a.TargetIP) == Probing:
		return StillProbing
	case e == nil:
		return NotOurs
	case e.state == Permanent:
		return IsPermanent
	}
	answer := a.Op == wire.ARPReply && !broadcast && c.Usable(a.TargetIP)
	c.update(now, e, a.SenderMAC, answer)
	return 0
}

// update enters a neighbour's link address. Only an answer to what we asked
// proves that our packets reach the neighbour (RFC 4861, 7.2.5).
func (c *Cache) update(now clock.Time, e *entry, mac wire.MAC, answer bool) {
	same := e.mac == mac
	e.mac = mac
	switch {
	case answer && (e.state == Incomplete || e.state == Probe):
		c.become(now, e, Reachable, "it has answered")
	case !e.state.known():
		c.become(now, e, Stale, "heard from it, though not as an answer")
	case !same:
		c.become(now, e, Stale, "its link address has changed")
	}
}

// targeted handles a packet whose target is an address of ours. It returns
// why there was nothing to do, if so.
//
// RFC 826, Packet Reception: "If Merge_flag is false, add the triplet
// <protocol type, sender protocol address, sender hardware address> to the
// translation table."
func (c *Cache) targeted(now clock.Time, a *wire.ARP) Reason {
	why := c.addSender(now, a)
	if a.Op != wire.ARPRequest {
		return why
	}
	if why == CacheFull {
		c.drops[why]++ // and yet it gets its answer
	}
	c.reply(a)
	return 0
}

func (c *Cache) addSender(now clock.Time, a *wire.ARP) Reason {
	if a.SenderIP.IsUnspecified() {
		return 0
	}
	if e := c.entries[a.SenderIP]; e != nil {
		if e.state == Permanent {
			return IsPermanent
		}
		return 0
	}
	e := c.add(now, a.SenderIP, &c.idle)
	if e == nil {
		return CacheFull
	}
	e.mac = a.SenderMAC
	c.become(now, e, Stale, "it asks for us")
	return 0
}

// reply answers a request, to the sender alone.
func (c *Cache) reply(a *wire.ARP) {
	c.requests.Push(Request{
		ARP: wire.ARP{
			Op:        wire.ARPReply,
			SenderMAC: c.mac, SenderIP: a.TargetIP,
			TargetMAC: a.SenderMAC, TargetIP: a.SenderIP,
		},
		Dst:    a.SenderMAC,
		Reason: "ARP reply: the address is ours",
		RFC:    "RFC 826",
		Cause:  c.cause,
	})
}
