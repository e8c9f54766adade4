package neigh

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/wire"
)

var (
	ours6   = netip.MustParseAddr("fe80::a")
	theirs6 = netip.MustParseAddr("fe80::b")
	other6  = netip.MustParseAddr("fe80::c")
	nobody6 = netip.IPv6Unspecified()
	group6  = netip.MustParseAddr("ff02::1:ff00:b")
)

// A host6 is a host whose cache speaks NDP.
type host6 struct {
	*host
	messages []Message
}

func newHost6(t *testing.T) *host6 { return host6With(t, nil) }

func host6With(t *testing.T, cfg *Config) *host6 {
	h := bare6(t, cfg)
	h.AddAddress(0, ours6, false)
	h.poll()
	h.forget()
	return h
}

// bare6 is a host without an address.
func bare6(t *testing.T, cfg *Config) *host6 {
	h := &host6{host: &host{t: t, Cache: NewNDP(cfg, ourMAC, rand.New(rand.NewPCG(1, 2)))}}
	h.Watch = true
	return h
}

func (h *host6) poll() {
	h.drain()
	for m, ok := h.PollMessage(h.at); ok; m, ok = h.PollMessage(h.at) {
		h.messages = append(h.messages, m)
	}
}

func (h *host6) forget() {
	h.host.forget()
	h.messages = nil
}

// until lets time pass.
func (h *host6) until(now clock.Time) {
	for next := h.NextTimer(); next.Due(now); next = h.NextTimer() {
		h.host.until(next)
		h.poll()
	}
	h.host.until(now)
}

func (h *host6) sends(now clock.Time, to netip.Addr, id uint64) (wire.MAC, bool) {
	h.until(now)
	mac, ok := h.host.sends(now, to, id)
	h.poll()
	return mac, ok
}

// solicited takes a solicitation from src, who tells mac if it isn't zero.
func (h *host6) solicited(now clock.Time, src netip.Addr, mac wire.MAC, target netip.Addr) {
	h.until(now)
	n := wire.NeighborMessage{Target: target}
	if !mac.IsZero() {
		n.Options = wire.AppendLinkAddress(nil, wire.SourceLinkAddress, mac)
	}
	h.HandleSolicitation(now, src, &n)
	h.poll()
}

// advertised takes an advertisement that tells mac if it isn't zero. flags are
// letters: R, S, O.
func (h *host6) advertised(now clock.Time, target netip.Addr, mac wire.MAC, flags string) {
	h.until(now)
	n := wire.NeighborMessage{Target: target}
	for _, f := range flags {
		switch f {
		case 'R':
			n.Router = true
		case 'S':
			n.Solicited = true
		case 'O':
			n.Override = true
		}
	}
	if !mac.IsZero() {
		n.Options = wire.AppendLinkAddress(nil, wire.TargetLinkAddress, mac)
	}
	h.HandleAdvertisement(now, &n)
	h.poll()
}

// wantMessages compares the messages since the last time.
func (h *host6) wantMessages(want ...Message) {
	h.t.Helper()
	if len(h.messages) != len(want) {
		h.t.Errorf("got %d messages, want %d: %+v", len(h.messages), len(want), h.messages)
	}
	for i := range min(len(want), len(h.messages)) {
		h.want("message", h.messages[i], want[i])
	}
	h.messages = nil
}

func (h *host6) wantState(addr netip.Addr, mac wire.MAC, state State) {
	h.t.Helper()
	gotMAC, got, _ := h.Lookup(addr)
	h.want("state of "+addr.String(), got, state)
	h.want("link address of "+addr.String(), gotMAC, mac)
}

// solicitation is what asks for theirs6.
func solicitation(reason, rfc string) Message {
	return Message{
		Type: wire.NeighborSolicitation, Src: ours6, Dst: group6, DstMAC: wire.MAC{0x33, 0x33, 0xff, 0, 0, 0x0b},
		Neighbor: wire.NeighborMessage{Target: theirs6}, Link: ourMAC, Reason: reason, RFC: rfc,
	}
}

// advertisement6 is what tells everybody of ours6.
func advertisement6(reason, rfc string) Message {
	return Message{
		Type: wire.NeighborAdvertisement, Src: ours6, Dst: wire.AllNodes, DstMAC: wire.MAC{0x33, 0x33, 0, 0, 0, 1},
		Neighbor: wire.NeighborMessage{Target: ours6, Override: true}, Link: ourMAC, Reason: reason, RFC: rfc,
	}
}

const (
	asks      = "neighbor solicitation"
	asksAgain = "neighbor solicitation again: no answer"
	answers   = "neighbor advertisement: the address is ours"
)

// RFC 4861, 7.2.2: "When a node has a unicast packet to send to a neighbor, but
// does not know the neighbor's link-layer address, it performs address
// resolution. [...] it transmits a Neighbor Solicitation message targeted at
// the neighbor. The solicitation is sent to the solicited-node multicast
// address corresponding to the target address."
func TestASolicitationGoesToTheGroupOfItsTarget(t *testing.T) {
	h := newHost6(t)
	_, ok := h.sends(1*s, theirs6, 7)
	h.want("known", ok, false)
	h.wantMessages(solicitation(asks, "RFC 4861, 7.2.2"))
	h.advertised(1*s, theirs6, theirMAC, "SO")
	h.want("passed on", h.passed, []uint64{7})
	h.wantState(theirs6, theirMAC, Reachable)
	m, b := solicitation(asks, "").withOptions()
	h.want("its header", m, wire.ICMPv6{Type: wire.NeighborSolicitation})
	h.want("tells our link address", b[16:], []byte{1, 1, 2, 0, 0, 0, 0, 10})
}

func (m Message) withOptions() (wire.ICMPv6, []byte) { return m.Payload(nil) }

// RFC 4861, 7.2.2: "If no Neighbor Advertisement is received after
// MAX_MULTICAST_SOLICIT solicitations, address resolution has failed. The
// sender MUST return ICMP destination unreachable indications with code 3
// (Address Unreachable) for each packet queued awaiting address resolution."
func TestANeighborThatDoesNotAnswerIsUnreachable(t *testing.T) {
	h := newHost6(t)
	h.sends(1*s, theirs6, 7)
	h.until(3*s + 999*ms)
	h.wantMessages(solicitation(asks, "RFC 4861, 7.2.2"),
		solicitation(asksAgain, "RFC 4861, 7.2.2"), solicitation(asksAgain, "RFC 4861, 7.2.2"))
	h.want("given up", len(h.unreachable), 0)
	h.until(4 * s)
	h.wantMessages()
	h.want("given up", h.unreachable, []uint64{7})
}

// RFC 4861, 7.3.3: "Upon entering the PROBE state, a node sends a unicast
// Neighbor Solicitation message to the neighbor using the cached link-layer
// address." RFC 7048, 3: "In the places where [RFC4861] says to discard/delete
// the NCE after N probes [...] this document instead specifies a transition to
// the UNREACHABLE state."
func TestANeighborThatFallsSilent(t *testing.T) {
	h := newHost6(t)
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	h.until(50 * s)
	h.wantState(theirs6, theirMAC, Stale)
	h.forget()
	h.sends(50*s, theirs6, 2)
	h.wantState(theirs6, theirMAC, Delay)
	h.until(54*s + 999*ms)
	h.wantMessages()
	probe := solicitation("neighbor solicitation: is the neighbour still there?", "RFC 4861, 7.3.3")
	probe.Dst, probe.DstMAC = theirs6, theirMAC
	h.until(57 * s)
	h.wantMessages(probe, probe, probe)
	h.wantState(theirs6, theirMAC, Probe)
	mac, ok := h.sends(57*s+500*ms, theirs6, 3)
	h.want("still sent", ok, true)
	h.want("to where it was", mac, theirMAC)

	// "the NUD Neighbor Solicitations are multicast (to the solicited-node
	// multicast address), using a timeout that follows an exponential backoff."
	everybody := solicitation("neighbor solicitation: has the neighbour another link address?", "RFC 7048, 3")
	h.until(58 * s)
	h.wantState(theirs6, theirMAC, Unreachable)
	h.wantMessages(everybody)
	_, ok = h.sends(59*s, theirs6, 4)
	h.want("still sent", ok, true)
	h.until(60*s + 999*ms)
	h.wantMessages()
	h.until(61 * s) // 3 s after the first
	h.wantMessages(everybody)
	h.advertised(62*s, theirs6, otherMAC, "SO")
	h.wantState(theirs6, otherMAC, Reachable)
}

// RFC 7048, 3: "If there is no IPv6 packet sent using the UNREACHABLE NCE, then
// it is RECOMMENDED to stop the retransmits".
func TestASilentNeighborThatNobodyNeedsIsForgotten(t *testing.T) {
	h := newHost6(t)
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	h.sends(50*s, theirs6, 2)
	h.until(58 * s)
	h.wantState(theirs6, theirMAC, Unreachable)
	h.until(61 * s)
	h.wantState(theirs6, wire.MAC{}, None)
}

// RFC 7048, 3: "The exponential backoff SHOULD be clamped at some reasonable
// maximum retransmit timeout, such as 60 seconds".
func TestTheBackoffHasAnEnd(t *testing.T) {
	h := newHost6(t)
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	h.sends(50*s, theirs6, 2)
	h.until(58 * s)
	h.messages = nil
	var at []clock.Time
	for now := 58 * s; now < 300*s; now += 500 * ms {
		h.sends(now, theirs6, 3)
		for range h.messages {
			at = append(at, now)
		}
		h.messages = nil
	}
	h.want("asked at", at, []clock.Time{61 * s, 70 * s, 97 * s, 157 * s, 217 * s, 277 * s})
}

func TestProofFromAboveEndsTheSilence(t *testing.T) {
	h := newHost6(t)
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	h.sends(50*s, theirs6, 2)
	h.until(58 * s)
	h.Confirm(58*s, theirs6)
	h.wantState(theirs6, theirMAC, Reachable)
}

// RFC 4861, 7.2.4: "the node MUST set the Solicited flag to one and unicast the
// advertisement to the Source Address of the solicitation." RFC 4861, 7.2.3:
// "If an entry does not already exist, the node SHOULD create a new one and
// set its reachability state to STALE".
func TestASolicitationIsAnswered(t *testing.T) {
	h := newHost6(t)
	h.solicited(1*s, theirs6, theirMAC, ours6)
	answer := advertisement6(answers, "RFC 4861, 7.2.4")
	answer.Dst, answer.DstMAC, answer.Neighbor.Solicited = theirs6, theirMAC, true
	h.wantMessages(answer)
	h.wantState(theirs6, theirMAC, Stale)

	h.Router = true
	h.solicited(2*s, other6, wire.MAC{}, ours6)
	answer.Dst, answer.DstMAC, answer.Neighbor.Router = other6, wire.MAC{}, true
	h.wantMessages(answer)
	h.wantState(other6, wire.MAC{}, None)
}

// RFC 4861, 7.2.3: "If the Source Address is the unspecified address, the node
// MUST NOT create or update the Neighbor Cache entry." RFC 4861, 7.2.4: "the
// node MUST set the Solicited flag to zero and multicast the advertisement to
// the all-nodes address."
func TestWhoeverWantsOurAddressIsTold(t *testing.T) {
	h := newHost6(t)
	h.solicited(1*s, nobody6, wire.MAC{}, ours6)
	h.wantMessages(advertisement6(answers, "RFC 4861, 7.2.4"))
	h.want("entries", len(h.Entries()), 0)
}

func TestASolicitationForAnotherIsDiscarded(t *testing.T) {
	h := newHost6(t)
	h.solicited(1*s, theirs6, theirMAC, other6)
	h.solicited(1*s, theirs6, ourMAC, ours6)
	h.wantMessages()
	h.want("not ours", h.Drops()[NotOurs], 1)
	h.want("our own", h.Drops()[OwnFrame], 1)
	h.want("entries", len(h.Entries()), 0)
}

// RFC 4861, 7.2.5, the whole of it, from each state: what an advertisement
// does.
func TestWhatAnAdvertisementDoes(t *testing.T) {
	silent := wire.MAC{}
	for _, c := range []struct {
		from  State
		mac   wire.MAC
		flags string
		to    State
		known wire.MAC
	}{
		// "If no exists, the advertisement SHOULD be silently discarded."
		{None, theirMAC, "SO", None, silent},
		// "If the link layer has addresses and no Target Link-Layer Address
		// option is included, the receiving node SHOULD silently discard".
		{Incomplete, silent, "SO", Incomplete, silent},
		{Incomplete, theirMAC, "S", Reachable, theirMAC},
		{Incomplete, theirMAC, "SO", Reachable, theirMAC},
		// Stale; and the packet that waited is sent, which makes it delay.
		{Incomplete, theirMAC, "", Delay, theirMAC},
		{Incomplete, theirMAC, "O", Delay, theirMAC},
		// I.a
		{Reachable, otherMAC, "S", Stale, theirMAC},
		{Reachable, otherMAC, "", Stale, theirMAC},
		// I.b
		{Stale, otherMAC, "S", Stale, theirMAC},
		{Delay, otherMAC, "S", Delay, theirMAC},
		{Probe, otherMAC, "S", Probe, theirMAC},
		{Unreachable, otherMAC, "S", Unreachable, theirMAC},
		// II
		{Reachable, otherMAC, "SO", Reachable, otherMAC},
		{Stale, otherMAC, "SO", Reachable, otherMAC},
		{Delay, theirMAC, "S", Reachable, theirMAC},
		{Probe, silent, "S", Reachable, theirMAC},
		{Unreachable, theirMAC, "S", Reachable, theirMAC},
		{Reachable, otherMAC, "O", Stale, otherMAC},
		{Probe, otherMAC, "O", Stale, otherMAC},
		{Reachable, theirMAC, "O", Reachable, theirMAC},
		{Stale, theirMAC, "", Stale, theirMAC},
		{Delay, silent, "O", Delay, theirMAC},
		{Permanent, otherMAC, "SO", Permanent, theirMAC},
	} {
		h := newHost6(t)
		now := h.bring(theirs6, c.from)
		h.advertised(now, theirs6, c.mac, c.flags)
		gotMAC, got, _ := h.Lookup(theirs6)
		if got != c.to || gotMAC != c.known {
			t.Errorf("from %v, %v %q: %v %v, want %v %v", c.from, c.mac, c.flags, got, gotMAC, c.to, c.known)
		}
	}
}

// bring brings the entry of a neighbour, at theirMAC, into a state, and
// returns when.
func (h *host6) bring(addr netip.Addr, to State) clock.Time {
	switch to {
	case None:
		return 0
	case Permanent:
		h.SetPermanent(0, addr, theirMAC)
		return 0
	}
	h.sends(0, addr, 1)
	if to == Incomplete {
		return 0
	}
	h.advertised(0, addr, theirMAC, "SO")
	if to == Reachable {
		return 0
	}
	h.until(50 * s)
	if to == Stale {
		return 50 * s
	}
	h.sends(50*s, addr, 2)
	at := map[State]clock.Time{Delay: 50 * s, Probe: 55 * s, Unreachable: 58 * s}[to]
	h.until(at)
	h.want("brought", h.state(addr), to)
	return at
}

// RFC 4861, 7.3.3: "When a node detects that a neighbor has changed from being
// a router to being a host, the node MUST remove that router from the Default
// Router List".
func TestARouterThatBecomesAHostIsTold(t *testing.T) {
	h := newHost6(t)
	h.HandleLinkAddress(1*s, theirs6, theirMAC, RouterRole)
	h.poll()
	h.want("router", h.IsRouter(theirs6), true)
	h.wantState(theirs6, theirMAC, Stale)
	h.forget()
	h.advertised(2*s, theirs6, theirMAC, "RO")
	h.wantFacts()
	h.advertised(3*s, theirs6, theirMAC, "O")
	h.wantFacts(Fact{Kind: NoRouter, Addr: theirs6, MAC: theirMAC, Why: "it says that it is no router any more"})
	h.want("router", h.IsRouter(theirs6), false)
	// RFC 4861, 7.2.3: "If a Neighbor Cache entry already exists, its IsRouter
	// flag MUST NOT be modified" by a solicitation.
	h.HandleLinkAddress(4*s, theirs6, theirMAC, RouterRole)
	h.solicited(5*s, theirs6, theirMAC, ours6)
	h.want("router", h.IsRouter(theirs6), true)
	h.HandleLinkAddress(6*s, theirs6, theirMAC, HostRole)
	h.want("who solicits routers is none", h.IsRouter(theirs6), false)
	h.HandleLinkAddress(7*s, other6, otherMAC, AnyRole)
	h.wantState(other6, otherMAC, Stale)
}

func TestALinkAddressThatChangesIsVerified(t *testing.T) {
	h := newHost6(t)
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	h.HandleLinkAddress(1*s, theirs6, theirMAC, AnyRole)
	h.wantState(theirs6, theirMAC, Reachable)
	h.HandleLinkAddress(1*s, theirs6, otherMAC, AnyRole)
	h.wantState(theirs6, otherMAC, Stale)
	h.SetPermanent(2*s, theirs6, theirMAC)
	h.HandleLinkAddress(3*s, theirs6, otherMAC, AnyRole)
	h.wantState(theirs6, theirMAC, Permanent)
}

func TestANeighborThatFindsNoRoomIsNotEntered(t *testing.T) {
	h := host6With(t, &Config{Entries: 1})
	h.sends(0, theirs6, 1)
	h.HandleLinkAddress(500*ms, other6, otherMAC, RouterRole)
	h.wantState(other6, wire.MAC{}, None)
	h.want("counted", h.Drops()[CacheFull], 1)
	_, payload := (&Message{Type: wire.NeighborAdvertisement, Neighbor: wire.NeighborMessage{Target: ours6}, Link: ourMAC}).Payload(nil)
	h.want("an advertisement tells its target's", payload[16], byte(wire.TargetLinkAddress))
}

// RFC 6583, 3: what fills the cache with entries that nobody answers for must
// not push out those that are in use.
func TestInventedNeighborsDoNotFillTheCache(t *testing.T) {
	h := host6With(t, &Config{Entries: 16})
	h.sends(0, theirs6, 1)
	h.advertised(0, theirs6, theirMAC, "SO")
	for i := range 200 {
		b := other6.As16()
		b[13] = byte(i)
		h.solicited(clock.Time(i)*ms, netip.AddrFrom16(b), otherMAC, ours6)
	}
	h.want("entries", len(h.Entries()), 16)
	h.wantState(theirs6, theirMAC, Reachable)
}

func TestAnnouncingAnAddress(t *testing.T) {
	h := newHost6(t)
	h.Announce(1*s, ours6)
	h.Announce(1*s, theirs6)
	h.poll()
	h.wantMessages(advertisement6("neighbor advertisement", "RFC 4861, 7.2.6"))
}

func FuzzHandleNDP(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7}, uint8(0))
	f.Fuzz(func(t *testing.T, options []byte, steps uint8) {
		h := host6With(t, &Config{Entries: 4, PendingCount: 2})
		h.AddAddress(0, other6, true)
		addrs := []netip.Addr{ours6, theirs6, other6, nobody6, netip.MustParseAddr("2001:db8::1")}
		for i := range int(steps) {
			now := clock.Time(i) * 700 * ms
			h.until(now)
			n := wire.NeighborMessage{Target: addrs[i%5], Router: i%3 == 0, Solicited: i%2 == 0, Override: i%7 == 0, Options: options}
			switch i % 4 {
			case 0:
				h.HandleSolicitation(now, addrs[i%3+1], &n)
			case 1:
				h.HandleAdvertisement(now, &n)
			case 2:
				h.HandleLinkAddress(now, addrs[i%5], theirMAC, Role(i%3))
			default:
				h.sends(now, theirs6, uint64(i))
			}
			h.poll()
			h.messages = nil
			if len(h.Entries()) > 4 {
				t.Fatalf("%d entries", len(h.Entries()))
			}
		}
		h.Close()
	})
}

// Whatever comes, an entry is in a state in which its link address is known,
// or it has none.
func TestAnEntryIsConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHost6(t)
		now := clock.Time(0)
		for range 60 {
			now += clock.Time(rapid.Int64Range(0, int64(20*time.Second)).Draw(rt, "wait"))
			mac := rapid.SampledFrom([]wire.MAC{{}, theirMAC, otherMAC}).Draw(rt, "mac")
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				h.advertised(now, theirs6, mac, rapid.SampledFrom([]string{"", "S", "O", "SO", "RSO"}).Draw(rt, "flags"))
			case 1:
				h.solicited(now, theirs6, mac, ours6)
			case 2:
				h.sends(now, theirs6, 1)
			default:
				h.until(now)
			}
			gotMAC, state, _ := h.Lookup(theirs6)
			if state.known() == gotMAC.IsZero() {
				rt.Fatalf("%v with link address %v", state, gotMAC)
			}
		}
		h.Close()
	})
}
