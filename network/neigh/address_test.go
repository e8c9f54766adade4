package neigh

import (
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

var mine = other // the address that is claimed

// claims returns a host that began to claim an address at 1 s.
func claims(t *testing.T) *host {
	h := newHost(t)
	h.until(1 * s)
	h.Cause = 4
	h.AddAddress(1*s, mine, true)
	h.Cause = 0
	h.drain()
	h.forget()
	return h
}

func TestAnAddressThatIsGivenIsUsableAtOnce(t *testing.T) {
	h := newHost(t)
	h.Cause = 4
	h.AddAddress(1*s, mine, false)
	h.drain()
	h.want("usable", h.Usable(mine), true)
	h.want("announced", len(h.requests), 0)
	h.want("addresses", h.Addresses(), []Address{{ours, Usable}, {mine, Usable}})
	h.wantFacts(Fact{Kind: AddressUsable, Addr: mine, MAC: ourMAC, Why: "it was given to us", Cause: 4})
}

// RFC 5227, 2.1.1: "the host should then wait for a random time interval
// selected uniformly in the range zero to PROBE_WAIT seconds, and should then
// send PROBE_NUM probe packets, each of these probe packets spaced randomly
// and uniformly, PROBE_MIN to PROBE_MAX seconds apart."
//
// RFC 5227, 2.3: "Having probed to determine that a desired address may be
// used safely, a host implementing this specification MUST then announce that
// it is commencing to use this address by broadcasting ANNOUNCE_NUM ARP
// Announcements, spaced ANNOUNCE_INTERVAL seconds apart."
func TestAnAddressIsProbedThenAnnounced(t *testing.T) {
	h := claims(t)
	var at []clock.Time
	for next := h.NextTimer(); next != clock.Never; next = h.NextTimer() {
		before := len(h.requests)
		h.until(next)
		for range h.requests[before:] {
			at = append(at, next)
		}
		h.want("usable", h.Usable(mine), len(h.requests) > 3)
	}
	h.want("probes and announcements", len(at), 5)
	if at[0] < 1*s || at[0] > 2*s {
		t.Errorf("the first probe is sent at %v", at[0])
	}
	for i := range 2 {
		if gap := at[i+1] - at[i]; gap < 1*s || gap > 2*s {
			t.Errorf("%v between two probes", gap)
		}
	}
	h.want("from the last probe to the announcement", at[3]-at[2], 2*s)
	h.want("between the announcements", at[4]-at[3], 2*s)
	for i, r := range h.requests {
		from, reason := zero, "ARP probe: does anybody use this address?"
		rfc := "RFC 5227, 2.1.1"
		if i >= 3 {
			from, reason, rfc = mine, "ARP announcement", "RFC 5227, 2.3"
		}
		h.want("a packet", r, Request{
			ARP: wire.ARP{Op: wire.ARPRequest, SenderMAC: ourMAC, SenderIP: from, TargetIP: mine},
			Dst: wire.Broadcast, Reason: reason, RFC: rfc, Cause: 4,
		})
	}
	h.wantFacts(Fact{Kind: AddressUsable, Addr: mine, MAC: ourMAC, Why: "nobody else uses it", Cause: 4})
}

// RFC 5227, 2.1.1: "If during this period [...] the host receives any ARP
// packet (Request *or* Reply) on the interface where the probe is being
// performed, where the packet's 'sender IP address' is the address being
// probed for, then the host MUST treat this address as being in use by some
// other host".
func TestAnAddressInUseIsNotTaken(t *testing.T) {
	for _, a := range []wire.ARP{
		reply(mine, theirMAC, zero),
		request(mine, theirMAC, theirs),
		request(mine, theirMAC, mine),
		request(zero, theirMAC, mine), // it is being probed by both
	} {
		h := claims(t)
		h.until(4 * s)
		h.forget()
		h.Cause = 6
		h.hears(4*s, a, true)
		h.want("addresses", h.Addresses(), []Address{{ours, Usable}, {mine, Lost}})
		h.want("the next timer", h.NextTimer(), clock.Never)
		h.want("packets", len(h.requests), 0)
		const why = "it is in use already: not to be used by us"
		h.wantFacts(
			Fact{Kind: Conflict, Addr: mine, MAC: theirMAC, Why: why, Cause: 6},
			Fact{Kind: AddressLost, Addr: mine, MAC: theirMAC, Why: why, Cause: 6},
			Fact{Kind: Discarded, Addr: a.SenderIP, MAC: theirMAC, Why: Claimed.String(), Cause: 6})
	}
}

// RFC 5227, 2.1.1: "this precaution [...] is necessary to ensure that a host
// is not confused when it sees its own ARP packets echoed back."
func TestAnEchoOfOurProbeIsNoConflict(t *testing.T) {
	h := claims(t)
	h.until(4 * s)
	for _, r := range h.requests {
		h.hears(4*s, r.ARP, true)
	}
	h.want("addresses", h.Addresses(), []Address{{ours, Usable}, {mine, Probing}})
}

func TestWhileProbingNobodyIsAnswered(t *testing.T) {
	h := claims(t)
	h.forget()
	h.hears(1*s, request(theirs, theirMAC, mine), true)
	h.want("replies", len(h.requests), 0)
	h.wantFacts(Fact{Kind: Discarded, Addr: theirs, MAC: theirMAC, Why: StillProbing.String()})
	h.sends(1*s, theirs, 1)
	h.want("asked from the other address", h.requests[0].ARP.SenderIP, ours)
}

// owns returns a host that claimed an address which nobody else used, at a
// time when nothing is left to be done for it.
func owns(t *testing.T) *host {
	h := claims(t)
	h.until(20 * s)
	h.forget()
	return h
}

// RFC 5227, 2.4 (b): "if this is not the first conflicting ARP packet the host
// has seen, and the time recorded for the previous conflicting ARP packet is
// recent, within DEFEND_INTERVAL seconds, then the host MUST immediately
// cease using this address".
func TestAnAddressIsDefendedOnceThenGivenUp(t *testing.T) {
	h := owns(t)
	h.hears(20*s, request(mine, theirMAC, ours), true)
	h.want("the defence", h.requests, []Request{{
		ARP: wire.ARP{Op: wire.ARPRequest, SenderMAC: ourMAC, SenderIP: mine, TargetIP: mine},
		Dst: wire.Broadcast, Reason: "ARP announcement: the address is ours", RFC: "RFC 5227, 2.4",
	}})
	h.want("usable", h.Usable(mine), true)
	h.wantFacts(
		Fact{Kind: Conflict, Addr: mine, MAC: theirMAC, Why: "defended with an announcement"},
		Fact{Kind: Discarded, Addr: mine, MAC: theirMAC, Why: Claimed.String()})
	h.want("the liar is not entered", h.state(mine), None)

	h.hears(30*s-1, reply(mine, theirMAC, ours), false)
	h.want("usable", h.Usable(mine), false)
	h.want("packets", len(h.requests), 0)
	h.want("the outcome", h.facts[1].Kind, AddressLost)
	h.forget()

	h.hears(31*s, request(mine, theirMAC, ours), true)
	h.want("then the other is a neighbour like any", h.state(mine), Stale)
}

func TestConflictsFarApartAreEachDefended(t *testing.T) {
	h := owns(t)
	for i := range 5 {
		h.hears(clock.Time(20+10*i)*s, request(mine, theirMAC, theirs), true)
	}
	h.want("defences", len(h.requests), 5)
	h.want("usable", h.Usable(mine), true)
}

// RFC 5227, 2.4 (c): "if this is not the first conflicting ARP packet the host
// has seen, and the time recorded for the previous conflicting ARP packet is
// within DEFEND_INTERVAL seconds, then the host MUST NOT send another
// defensive ARP Announcement."
func TestAnAddressThatWasGivenIsDefendedForEver(t *testing.T) {
	h := newHost(t)
	for i := range 100 {
		h.hears(1*s+clock.Time(i)*s, request(ours, theirMAC, theirs), true)
	}
	h.want("defences in 100 s", len(h.requests), 10)
	h.want("usable", h.Usable(ours), true)
}

// RFC 5227, 2.1.1: "if the host experiences MAX_CONFLICTS or more address
// conflicts on a given interface, then the host MUST limit the rate at which
// it probes for new addresses on this interface to no more than one attempted
// new address per RATE_LIMIT_INTERVAL."
func TestAfterTenConflictsProbingIsSlow(t *testing.T) {
	h := newHost(t)
	now := 1 * s
	for range 10 {
		h.AddAddress(now, mine, true)
		h.hears(now, reply(mine, theirMAC, zero), true)
		now += 2 * s
	}
	// The tenth attempt began at 19 s.
	h.AddAddress(now, mine, true)
	if first := h.NextTimer(); first < 79*s || first > 80*s {
		t.Errorf("the first probe is sent at %v", first)
	}
}

func TestAnAnnouncementOnDemand(t *testing.T) {
	h := newHost(t)
	h.Cause = 3
	h.Announce(1*s, ours)
	h.Announce(1*s, mine) // not ours
	h.drain()
	h.want("announced", h.requests, []Request{{
		ARP: wire.ARP{Op: wire.ARPRequest, SenderMAC: ourMAC, SenderIP: ours, TargetIP: ours},
		Dst: wire.Broadcast, Reason: "ARP announcement", RFC: "RFC 5227, 2.3", Cause: 3,
	}})
}

func TestARemovedAddressIsNotOursAnyMore(t *testing.T) {
	h := claims(t)
	h.RemoveAddress(1*s, mine)
	h.RemoveAddress(1*s, theirs) // never was
	h.want("addresses", h.Addresses(), []Address{{ours, Usable}})
	h.want("the next timer", h.NextTimer(), clock.Never)
	h.RemoveAddress(1*s, ours)
	h.hears(1*s, request(theirs, theirMAC, ours), true)
	h.want("replies", len(h.requests), 0)
}

func TestTheConstantsOfDetectionCanBeSet(t *testing.T) {
	h := hostWith(t, &Config{Detect: Detection{
		ProbeWait: 1, ProbeNum: 1, ProbeMin: time.Second, ProbeMax: 1, AnnounceWait: time.Millisecond, AnnounceNum: 1,
	}})
	h.AddAddress(1*s, mine, true)
	h.until(2 * s)
	h.want("usable", h.Usable(mine), true)
	h.want("packets", len(h.requests), 2)
	h.want("the next timer", h.NextTimer(), clock.Never)
}

func TestARequestLessThanASecondApartCannotBeConfigured(t *testing.T) {
	cfg := (&Config{Retransmit: time.Millisecond, Delay: -1}).complete()
	if cfg.Retransmit != time.Second || cfg.Delay != 5*time.Second {
		t.Errorf("requests are %v apart, the delay is %v", cfg.Retransmit, cfg.Delay)
	}
}
