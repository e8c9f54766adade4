package neigh

import (
	"encoding/binary"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// maxSolicitationDelay is the longest time before an address is first asked
// for, so that machines that come up together don't all speak at once
// (RFC 4861, 10, MAX_RTR_SOLICITATION_DELAY).
const maxSolicitationDelay = time.Second

// firstSolicitation returns when to ask for the first time whether anybody has
// an address.
//
// RFC 4862, 5.4.2: "the node SHOULD delay joining the solicited-node multicast
// address by a random delay between 0 and MAX_RTR_SOLICITATION_DELAY".
func (c *Cache) firstSolicitation(now clock.Time) clock.Time {
	return now.Add(clock.Duration(c.rnd.Int64N(int64(maxSolicitationDelay))))
}

// advanceNDP asks whether anybody has an address, or ends the waiting for an
// answer.
//
// RFC 4862, 5.4: "An address is considered unique if none of the tests indicate
// the presence of a duplicate address within RetransTimer milliseconds after
// having sent DupAddrDetectTransmits Neighbor Solicitations."
func (c *Cache) advanceNDP(now clock.Time, a *address) {
	if a.probes >= c.cfg.Transmits {
		a.timer = clock.Never
		c.makeUsable(a, "nobody else uses it")
		return
	}
	a.probes++
	a.timer = now.Add(c.cfg.Retransmit)
	c.askWhoHas(a)
}

// askWhoHas solicits an address that may become ours.
//
// RFC 4862, 5.4.2: "The solicitation's Target Address is set to the address
// being checked, the IP source is set to the unspecified address, and the IP
// destination is set to the solicited-node multicast address of the target
// address." The nonce tells ours from another's who wants the same address,
// should the link give us back what we send (RFC 7527, 4.1).
func (c *Cache) askWhoHas(a *address) {
	var random [8]byte
	binary.BigEndian.PutUint64(random[:], c.rnd.Uint64()|1<<16) // never zero
	a.nonce = [6]byte(random[:6])
	group := wire.SolicitedNode(a.addr)
	c.messages.Push(Message{
		Type: wire.NeighborSolicitation, Src: netip.IPv6Unspecified(), Dst: group, DstMAC: wire.MulticastMAC(group),
		Neighbor: wire.NeighborMessage{Target: a.addr}, Nonce: a.nonce,
		Reason: "duplicate address detection: does anybody use this address?", RFC: "RFC 4862, 5.4.2", Cause: c.cause,
	})
}

// solicitedWhileProbing handles a solicitation for an address that isn't ours
// yet: "If the source address of the Neighbor Solicitation is the unspecified
// address, the solicitation is from a node performing Duplicate Address
// Detection. If the solicitation is from another node, the tentative address
// is a duplicate and should not be used (by either node)." Otherwise it is
// "silently ignored" (RFC 4862, 5.4.3).
func (c *Cache) solicitedWhileProbing(now clock.Time, a *address, src netip.Addr, n *wire.NeighborMessage) {
	nonce := wire.FindNDPOption(n.Options, wire.Nonce)
	switch {
	case !src.IsUnspecified():
		c.discardNDP(src, wire.MAC{}, StillProbing)
	case len(nonce) > 0 && a.probes > 0 && string(nonce.Nonce()) == string(a.nonce[:]):
		c.discardNDP(n.Target, c.mac, OwnFrame)
	default:
		c.dispute(now, a, wire.MAC{})
	}
}

// advertisedByAnother handles an advertisement of an address of ours: "If the
// target address is tentative, the tentative address is not unique. [If it is]
// assigned to the receiving interface, it would possibly indicate that the
// address is a duplicate [...]. How to handle such a case is beyond the scope
// of this document." (RFC 4862, 5.4.4) It is told; nothing else is done, as
// on Linux.
func (c *Cache) advertisedByAnother(a *address, mac wire.MAC) {
	switch {
	case mac == c.mac:
		c.discardNDP(a.addr, mac, OwnFrame)
	case a.state == Probing:
		c.lose(a, mac, "it is in use already: not to be used by us")
	default:
		c.disputes++
		c.tellAlways(Fact{Kind: Conflict, Addr: a.addr, MAC: mac, Why: "somebody else advertises it too"})
	}
}

// SetReachable changes how long an answer counts, which routers advertise
// (RFC 4861, 6.3.4).
func (c *Cache) SetReachable(d clock.Duration) { c.cfg.Reachable = max(d, time.Millisecond) }

// SetTransmits changes how often an address is asked for before it is ours.
func (c *Cache) SetTransmits(n int) { c.cfg.Transmits = max(n, 1) }

// SetRetransmit changes the time between two solicitations, which routers
// advertise (RFC 4861, 6.3.4).
func (c *Cache) SetRetransmit(d clock.Duration) { c.cfg.Retransmit = max(d, time.Millisecond) }
