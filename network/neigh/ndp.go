package neigh

import (
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// A Message is a neighbour solicitation or advertisement to be sent, with a
// hop limit of 255.
type Message struct {
	Type     wire.ICMPv6Type
	Src, Dst netip.Addr
	DstMAC   wire.MAC // zero if it isn't known: Resolve finds it
	Neighbor wire.NeighborMessage
	Link     wire.MAC // ours, told in an option; zero: there is none
	Nonce    [6]byte  // told in an option; zero: there is none (RFC 7527, 4.1)
	Reason   string   // such as "neighbor solicitation"
	RFC      string   // where that is laid down
	Cause    uint64   // the event that brought it about
}

// Payload appends the message's payload, options included, to b and returns it
// with the header.
func (m *Message) Payload(b []byte) (wire.ICMPv6, []byte) {
	header, b := m.Neighbor.Message(m.Type, b)
	if !m.Link.IsZero() {
		kind := wire.SourceLinkAddress
		if m.Type == wire.NeighborAdvertisement {
			kind = wire.TargetLinkAddress
		}
		b = wire.AppendLinkAddress(b, kind, m.Link)
	}
	if m.Nonce != [6]byte{} {
		b = wire.AppendNonce(b, m.Nonce)
	}
	return header, b
}

// solicit makes an entry's neighbour solicitation: to the neighbour alone
// whose address is to be confirmed, else to its solicited-node group.
//
// RFC 4861, 7.2.2 (R4861-3): "If the solicitation is being sent to a solicited-node
// multicast address, the sender MUST include its link-layer address (if it has
// one) as a Source Link-Layer Address option. Otherwise, the sender SHOULD".
func (c *Cache) solicit(e *entry) {
	from, _ := c.source(e.addr)
	group := wire.SolicitedNode(e.addr)
	m := Message{
		Type: wire.NeighborSolicitation, Src: from, Dst: group, DstMAC: wire.MulticastMAC(group),
		Neighbor: wire.NeighborMessage{Target: e.addr}, Link: c.mac,
		Reason: "neighbor solicitation", RFC: "RFC 4861, 7.2.2", Cause: c.cause,
	}
	switch {
	case e.state == Probe:
		m.Dst, m.DstMAC = e.addr, e.mac
		m.Reason, m.RFC = "neighbor solicitation: is the neighbour still there?", "RFC 4861, 7.3.3"
	case e.state == Unreachable:
		m.Reason, m.RFC = "neighbor solicitation: has the neighbour another link address?", "RFC 7048, 3"
	case e.asked > 1:
		m.Reason = "neighbor solicitation again: no answer"
	}
	c.messages.Push(m)
}

// HandleSolicitation takes a valid neighbour solicitation, from src
// (RFC 4861, 7.2.3; RFC 4862, 5.4.3).
func (c *Cache) HandleSolicitation(now clock.Time, src netip.Addr, n *wire.NeighborMessage) {
	c.cause = c.Cause
	mac, told := wire.FindNDPOption(n.Options, wire.SourceLinkAddress).LinkAddress()
	switch a := c.own(n.Target); {
	case told && mac == c.mac:
		c.discardNDP(src, mac, OwnFrame)
	case a == nil || a.state == Lost:
		c.discardNDP(src, mac, NotOurs)
	case a.state == Probing:
		c.solicitedWhileProbing(now, a, src, n)
	default:
		if told && !src.IsUnspecified() {
			c.learn(now, src, mac, "it asks for us")
		}
		c.answer(n.Target, src)
	}
}

func (c *Cache) discardNDP(addr netip.Addr, mac wire.MAC, why Reason) {
	c.drops[why]++
	c.tell(Fact{Kind: Discarded, Addr: addr, MAC: mac, Why: why.String()})
}

// learn enters what a neighbour tells of itself, which doesn't prove that our
// packets reach it: "If an entry already exists with a different cached link-
// layer address, the cached link-layer address MUST be replaced by the received
// address, and the entry's reachability state MUST be set to STALE."
// (RFC 4861, 7.2.3)
func (c *Cache) learn(now clock.Time, addr netip.Addr, mac wire.MAC, why string) *entry {
	e := c.entries[addr]
	switch {
	case e == nil:
		if e = c.add(now, addr, &c.idle); e == nil {
			c.discardNDP(addr, mac, CacheFull)
			return nil
		}
	case e.state == Permanent:
		c.discardNDP(addr, mac, IsPermanent)
		return e
	case e.state.known() && e.mac == mac:
		return e
	case e.state.known():
		why = "its link address has changed"
	}
	e.mac = mac
	c.become(now, e, Stale, why)
	return e
}

// answer advertises an address of ours to whoever asked for it.
//
// RFC 4861, 7.2.4: "If the source of the solicitation is the unspecified
// address, the node MUST set the Solicited flag to zero and multicast the
// advertisement to the all-nodes address. Otherwise, the node MUST set the
// Solicited flag to one and unicast the advertisement to the Source Address of
// the solicitation."
func (c *Cache) answer(target, asker netip.Addr) {
	m := c.advertisement(target, "neighbor advertisement: the address is ours", "RFC 4861, 7.2.4")
	if !asker.IsUnspecified() {
		m.Dst, m.DstMAC, m.Neighbor.Solicited = asker, wire.MAC{}, true
		if e := c.entries[asker]; e != nil && e.state.known() {
			m.DstMAC = e.mac
		}
	}
	c.messages.Push(m)
}

// advertisement returns one to everybody on the link. "if the node is a
// router, it MUST set the Router flag to one; otherwise, it MUST set the flag
// to zero." (RFC 4861, 7.2.4)
func (c *Cache) advertisement(target netip.Addr, reason, rfc string) Message {
	return Message{
		Type: wire.NeighborAdvertisement, Src: target, Dst: wire.AllNodes, DstMAC: wire.MulticastMAC(wire.AllNodes),
		Neighbor: wire.NeighborMessage{Target: target, Router: c.Router, Override: true},
		Link:     c.mac, Reason: reason, RFC: rfc, Cause: c.cause,
	}
}

// advertise tells everybody that an address is ours, unasked
// (RFC 4861, 7.2.6).
func (c *Cache) advertise(a *address) {
	c.messages.Push(c.advertisement(a.addr, "neighbor advertisement", "RFC 4861, 7.2.6"))
}

// HandleAdvertisement takes a valid neighbour advertisement
// (RFC 4861, 7.2.5; RFC 4862, 5.4.4).
func (c *Cache) HandleAdvertisement(now clock.Time, n *wire.NeighborMessage) {
	c.cause = c.Cause
	mac, told := wire.FindNDPOption(n.Options, wire.TargetLinkAddress).LinkAddress()
	if a := c.own(n.Target); a != nil && a.state != Lost {
		c.advertisedByAnother(a, mac)
		return
	}
	e := c.entries[n.Target]
	switch {
	case e == nil:
		// "If no entry exists, the advertisement SHOULD be silently discarded."
		c.discardNDP(n.Target, mac, NoEntry)
	case e.state == Permanent:
		c.discardNDP(n.Target, mac, IsPermanent)
	case !e.state.known() && !told:
		c.discardNDP(n.Target, mac, NoLinkAddress)
	case e.state.known() && told && mac != e.mac && !n.Override:
		c.doubt(now, e, mac)
	default:
		c.believe(now, e, n, mac, told)
	}
}

// doubt: "If the Override flag is clear and the supplied link-layer address
// differs from that in the cache, then [...] a. If the state of the entry is
// REACHABLE, set it to STALE, but do not update the entry in any other way. b.
// Otherwise, the received advertisement should be ignored" (RFC 4861, 7.2.5).
func (c *Cache) doubt(now clock.Time, e *entry, mac wire.MAC) {
	if e.state == Reachable {
		c.become(now, e, Stale, "somebody tells another link address for it")
		return
	}
	c.discardNDP(e.addr, mac, NotOverridden)
}

// believe brings an entry up to date. "If the Solicited flag is set, the state
// of the entry MUST be set to REACHABLE. If the Solicited flag is zero and the
// link-layer address was updated with a different address, the state MUST be
// set to STALE. Otherwise, the entry's state remains unchanged."
// (R4861-5; RFC 4861, 7.2.5)
func (c *Cache) believe(now clock.Time, e *entry, n *wire.NeighborMessage, mac wire.MAC, told bool) {
	news := told && (mac != e.mac || !e.state.known())
	if told {
		e.mac = mac
	}
	c.setRouter(e, n.Router)
	switch {
	case n.Solicited && e.state == Reachable:
		e.confirmed = now
	case n.Solicited:
		c.become(now, e, Reachable, "it has answered")
	case news:
		c.become(now, e, Stale, "it tells its link address, unasked")
	}
}

// setRouter notes whether a neighbour is a router. "In those cases where the
// IsRouter flag changes from TRUE to FALSE as a result of this update, the
// node MUST remove that router from the Default Router List" (RFC 4861, 7.2.5).
func (c *Cache) setRouter(e *entry, is bool) {
	if e.router && !is {
		c.tellAlways(Fact{Kind: NoRouter, Addr: e.addr, MAC: e.mac, Why: "it says that it is no router any more"})
	}
	e.router = is
}

// A Role says what a message tells of whether its sender is a router.
type Role uint8

// The roles.
const (
	AnyRole    Role = iota // nothing
	HostRole               // it is none: it solicits routers
	RouterRole             // it is one: it advertises itself, or somebody redirects to it
)

// HandleLinkAddress takes the link address of a neighbour that a router
// solicitation, a router advertisement or a redirect tells
// (RFC 4861, 6.2.6, 6.3.4 and 8.3).
func (c *Cache) HandleLinkAddress(now clock.Time, addr netip.Addr, mac wire.MAC, role Role) {
	c.cause = c.Cause
	e := c.learn(now, addr, mac, "it tells its link address, unasked")
	if e != nil && role != AnyRole {
		c.setRouter(e, role == RouterRole)
	}
}

// IsRouter reports whether a neighbour says that it is a router.
func (c *Cache) IsRouter(addr netip.Addr) bool {
	e := c.entries[addr]
	return e != nil && e.router
}
