package neigh

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// probing returns a host that is about to find out whether ours6 is free, and
// when it has sent its solicitation.
func probing(t *testing.T, cfg *Config) (*host6, clock.Time) {
	h := bare6(t, cfg)
	h.AddAddress(0, ours6, true)
	first := h.NextTimer()
	if first < 0 || first >= 1*s {
		t.Errorf("the first solicitation is due at %v: want it within a second", first)
	}
	h.until(first)
	return h, first
}

// RFC 4862, 5.4.2: "The solicitation's Target Address is set to the address
// being checked, the IP source is set to the unspecified address, and the IP
// destination is set to the solicited-node multicast address of the target
// address."
func TestAnAddressIsAskedForBeforeItIsUsed(t *testing.T) {
	h, first := probing(t, nil)
	if len(h.messages) != 1 {
		t.Fatalf("%d messages, want 1", len(h.messages))
	}
	m := h.messages[0]
	h.want("a nonce", m.Nonce != [6]byte{}, true)
	_, payload := m.Payload(nil)
	h.want("is told", string(wire.FindNDPOption(payload[16:], wire.Nonce).Nonce()), string(m.Nonce[:]))
	m.Nonce = [6]byte{}
	h.messages[0] = m
	h.wantMessages(Message{
		Type: wire.NeighborSolicitation, Src: nobody6, Dst: netip.MustParseAddr("ff02::1:ff00:a"),
		DstMAC: wire.MAC{0x33, 0x33, 0xff, 0, 0, 0x0a}, Neighbor: wire.NeighborMessage{Target: ours6},
		Reason: "duplicate address detection: does anybody use this address?", RFC: "RFC 4862, 5.4.2",
	})
	h.want("usable", h.Usable(ours6), false)
	h.until(first + 999*ms)
	h.want("usable", h.Usable(ours6), false)
	h.until(first + 1*s)
	h.want("usable", h.Usable(ours6), true)
	h.wantFacts(Fact{Kind: AddressUsable, Addr: ours6, MAC: ourMAC, Why: "nobody else uses it"})
	h.want("nothing follows", h.NextTimer(), clock.Never)
	h.wantMessages()
}

// RFC 4862, 5.4.2: "a node sends DupAddrDetectTransmits Neighbor Solicitations,
// each separated by RetransTimer milliseconds."
func TestAnAddressMayBeAskedForMoreThanOnce(t *testing.T) {
	h, first := probing(t, &Config{Transmits: 3, Retransmit: 2 * time.Second})
	h.until(first + 4*s)
	h.want("solicitations", len(h.messages), 3)
	if h.messages[0].Nonce == h.messages[1].Nonce {
		t.Error("two solicitations have one nonce")
	}
	h.want("usable", h.Usable(ours6), false)
	h.until(first + 6*s)
	h.want("usable", h.Usable(ours6), true)
}

// RFC 4862, 5.4.4: "If the target address is tentative, the tentative address
// is not unique."
func TestAnAddressThatIsAdvertisedIsLost(t *testing.T) {
	h, first := probing(t, nil)
	h.forget()
	h.advertised(first+500*ms, ours6, theirMAC, "O")
	const why = "it is in use already: not to be used by us"
	h.wantFacts(Fact{Kind: Conflict, Addr: ours6, MAC: theirMAC, Why: why},
		Fact{Kind: AddressLost, Addr: ours6, MAC: theirMAC, Why: why})
	h.until(10 * s)
	h.want("usable", h.Usable(ours6), false)
	h.want("the address", h.Addresses(), []Address{{ours6, Lost}})
	h.solicited(11*s, theirs6, theirMAC, ours6)
	h.wantMessages()
}

// RFC 4862, 5.4.3: "If the solicitation is from another node, the tentative
// address is a duplicate and should not be used (by either node)."
func TestAnAddressThatTwoWantIsLost(t *testing.T) {
	h, first := probing(t, nil)
	h.solicited(first+500*ms, nobody6, wire.MAC{}, ours6)
	h.want("the address", h.Addresses(), []Address{{ours6, Lost}})

	// "If a Neighbor Solicitation for a tentative address is received before
	// one is sent, the tentative address is a duplicate."
	h = bare6(t, nil)
	h.AddAddress(0, ours6, true)
	h.solicited(0, nobody6, wire.MAC{}, ours6)
	h.want("the address", h.Addresses(), []Address{{ours6, Lost}})
}

// RFC 4862, 5.4.3: "If the solicitation is from the node itself (because the
// node loops back multicast packets), the solicitation does not indicate the
// presence of a duplicate address." The nonce tells (RFC 7527, 4.1).
func TestOurOwnSolicitationIsNoRival(t *testing.T) {
	h, first := probing(t, nil)
	_, payload := h.messages[0].Payload(nil)
	h.HandleSolicitation(first, nobody6, &wire.NeighborMessage{Target: ours6, Options: payload[16:]})
	h.poll()
	h.want("ours", h.Drops()[OwnFrame], 1)
	h.until(first + 1*s)
	h.want("usable", h.Usable(ours6), true)
	h.advertised(first+2*s, ours6, ourMAC, "O")
	h.want("ours", h.Drops()[OwnFrame], 2)
}

// RFC 4862, 5.4.3: "If the target address is tentative, and the source address
// is a unicast address, the solicitation's sender is performing address
// resolution on the target; the solicitation should be silently ignored. [...]
// In all cases, a node MUST NOT respond to a Neighbor Solicitation for a
// tentative address."
func TestATentativeAddressIsNotAnsweredFor(t *testing.T) {
	h, first := probing(t, nil)
	h.forget()
	h.solicited(first, theirs6, theirMAC, ours6)
	h.wantMessages()
	h.want("discarded", h.Drops()[StillProbing], 1)
	h.until(first + 1*s)
	h.want("usable", h.Usable(ours6), true)
}

// RFC 4862, 5.4.4: how to handle an advertisement of an address that is
// assigned "is beyond the scope of this document": it is told, and no more.
func TestAnAddressInUseIsNotGivenUp(t *testing.T) {
	h := newHost6(t)
	h.advertised(1*s, ours6, theirMAC, "O")
	h.wantFacts(Fact{Kind: Conflict, Addr: ours6, MAC: theirMAC, Why: "somebody else advertises it too"})
	h.want("usable", h.Usable(ours6), true)
	h.wantMessages()
}

// What RFC 4861, 7.1.1 and 7.1.2, RFC 4861, 6.1.1 and 6.1.2, and RFC 6980, 5 ask
// of a message, one sentence after the other.
func TestMessagesThatAreNotValid(t *testing.T) {
	link := wire.AppendLinkAddress(nil, wire.SourceLinkAddress, theirMAC)
	good := Envelope{Src: theirs6, Dst: group6, HopLimit: 255}
	with := func(change func(*Envelope)) *Envelope {
		e := good
		change(&e)
		return &e
	}
	nobody := with(func(e *Envelope) { e.Src = nobody6 })
	n := &wire.NeighborMessage{Target: theirs6}
	for _, c := range []struct {
		what      string
		got, want Invalid
	}{
		{"a solicitation", good.CheckSolicitation(&wire.NeighborMessage{Target: theirs6, Options: link}), Valid},
		{"forwarded", with(func(e *Envelope) { e.HopLimit = 254 }).CheckSolicitation(n), Forwarded},
		{"a code", with(func(e *Envelope) { e.Code = 1 }).CheckSolicitation(n), HasCode},
		{"fragments", with(func(e *Envelope) { e.Fragmented = true }).CheckSolicitation(n), WasFragmented},
		{"an option", good.CheckSolicitation(&wire.NeighborMessage{Target: theirs6, Options: make([]byte, 8)}), BadOptions},
		{"a target", good.CheckSolicitation(&wire.NeighborMessage{Target: group6}), BadTarget},
		{"who wants an address", nobody.CheckSolicitation(n), Valid},
		{"to everybody", with(func(e *Envelope) { e.Src, e.Dst = nobody6, wire.AllNodes }).CheckSolicitation(n), NotSolicitedNode},
		{"of nobody", nobody.CheckSolicitation(&wire.NeighborMessage{Target: theirs6, Options: link}), LinkAddressOfNobody},
		{"an advertisement", good.CheckAdvertisement(n), Valid},
		{"an answer to a group", good.CheckAdvertisement(&wire.NeighborMessage{Target: theirs6, Solicited: true}), SolicitedGroup},
		{"a target", good.CheckAdvertisement(&wire.NeighborMessage{Target: group6}), BadTarget},
		{"forwarded", with(func(e *Envelope) { e.HopLimit = 64 }).CheckAdvertisement(n), Forwarded},
		{"a router solicitation", good.CheckRouterSolicitation(link), Valid},
		{"of nobody", nobody.CheckRouterSolicitation(link), LinkAddressOfNobody},
		{"of nobody", nobody.CheckRouterSolicitation(nil), Valid},
		{"forwarded", with(func(e *Envelope) { e.HopLimit = 0 }).CheckRouterSolicitation(nil), Forwarded},
		{"a router advertisement", good.CheckRouterAdvert(link), Valid},
		{"not of this link", with(func(e *Envelope) { e.Src = netip.MustParseAddr("2001:db8::1") }).CheckRouterAdvert(nil), NotLinkLocal},
		{"fragments", with(func(e *Envelope) { e.Fragmented = true }).CheckRouterAdvert(nil), WasFragmented},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
		if c.want != Valid && c.got.String() == "" {
			t.Errorf("%s: the reason has no text", c.what)
		}
	}
}
