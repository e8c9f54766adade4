package neigh

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// RFC 826, Packet Generation: the address is asked for by broadcast, and the
// packet waits for the answer (RFC 1122, 2.3.2.2).
func TestAnUnknownNeighbourIsAskedFor(t *testing.T) {
	h := newHost(t)
	h.Cause = 7
	_, ok := h.sends(1*s, theirs, 100)
	h.want("known", ok, false)
	h.want("requests", h.requests, []Request{{
		ARP: wire.ARP{Op: wire.ARPRequest, SenderMAC: ourMAC, SenderIP: ours, TargetIP: theirs},
		Dst: wire.Broadcast, Reason: "ARP request", RFC: "RFC 826", Cause: 7,
	}})
	h.want("passed on", len(h.passed), 0)
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, From: None, To: Incomplete, Why: "a packet is to be sent to it", Cause: 7,
	})
	h.want("the entry", h.Entries(), []Entry{{Addr: theirs, State: Incomplete, Changed: 1 * s, Used: 1 * s, Waiting: 1}})

	h.Cause = 8
	h.hears(1*s+ms, reply(theirs, theirMAC, ours), false)
	h.want("passed on", h.passed, []uint64{100})
	h.want("to", h.passedTo, theirMAC)
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, MAC: theirMAC, From: Incomplete, To: Reachable, Why: "it has answered", Cause: 8,
	})
	mac, ok := h.sends(2*s, theirs, 101)
	h.want("known now", ok, true)
	h.want("as", mac, theirMAC)
	h.want("further requests", len(h.requests), 0)
}

func TestPacketsAreSentInTheOrderInWhichTheyCame(t *testing.T) {
	h := newHost(t)
	for id := range uint64(5) {
		h.sends(1*s, theirs, id)
	}
	h.hears(1*s, reply(theirs, theirMAC, ours), false)
	h.want("passed on", h.passed, []uint64{0, 1, 2, 3, 4})
}

func TestASilentNeighbourIsAskedThreeTimesASecondApart(t *testing.T) {
	h := newHost(t)
	h.Cause = 7
	h.sends(1*s, theirs, 100)
	h.Cause = 99 // what else goes on has nothing to do with it
	for i, at := range []clock.Time{2 * s, 3 * s} {
		h.until(at - 1)
		h.want("requests before", len(h.requests), i+1)
		h.until(at)
		h.want("requests", len(h.requests), i+2)
		h.want("the retry's cause", h.requests[i+1].Cause, 7)
		h.want("its reason", h.requests[i+1].Reason, "ARP request again: no answer")
	}
	h.until(4*s - 1)
	h.want("unreachable before", len(h.unreachable), 0)
	h.until(4 * s)
	h.want("unreachable", h.unreachable, []uint64{100})
	h.want("requests in all", len(h.requests), 3)
	h.facts = h.facts[1:]
	h.wantFacts(Fact{Kind: Changed, Addr: theirs, From: Incomplete, To: Failed, Why: "it does not answer", Cause: 7})
	h.until(64*s - 1)
	h.want("the state", h.state(theirs), Failed)
	h.until(64 * s)
	h.want("a minute later", h.state(theirs), None)
	h.want("the next timer", h.NextTimer(), clock.Never)
}

// RFC 1122, 2.3.2.1 (R1122-2): "A mechanism to prevent ARP flooding (repeatedly sending
// an ARP Request for the same IP address, at a high rate) MUST be included.
// The recommended maximum rate is 1 per second per destination."
func TestNoAddressIsAskedForMoreThanOnceASecond(t *testing.T) {
	h := newHost(t)
	var asked []clock.Time
	for now := 1 * s; now < 20*s; now += 50 * ms {
		h.sends(now, theirs, 1)
		for range h.requests {
			asked = append(asked, now)
		}
		h.forget()
	}
	for i := range len(asked) - 1 {
		if asked[i+1]-asked[i] < s {
			t.Errorf("asked at %v and again at %v", asked[i], asked[i+1])
		}
	}
	h.want("asked in 19 s", len(asked), 19)
}

func TestALateAnswerIsStillNews(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 1)
	h.until(5 * s)
	h.want("the state", h.state(theirs), Failed)
	h.hears(6*s, reply(theirs, theirMAC, ours), false)
	h.want("the state", h.state(theirs), Stale)
}

func TestAFailedNeighbourIsAskedAgainForTheNextPacket(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 1)
	h.until(4 * s)
	h.forget()
	h.sends(5*s, theirs, 2)
	h.want("requests", len(h.requests), 1)
	h.hears(5*s+ms, reply(theirs, theirMAC, ours), false)
	h.want("passed on", h.passed, []uint64{2})
}

// RFC 1122, 2.3.2.2 (R1122-3): "The link layer SHOULD save (rather than discard) at
// least one (the latest) packet of each set of packets destined to the same
// unresolved IP address, and transmit the saved packet when the address has
// been resolved."
func TestTheOldestOfTooManyWaitingPacketsGivesWay(t *testing.T) {
	h := hostWith(t, &Config{PendingCount: 2})
	for id := range uint64(4) {
		h.sends(1*s, theirs, id)
	}
	h.facts = h.facts[1:]
	h.wantFacts(
		Fact{Kind: Discarded, Addr: theirs, Why: QueueFull.String(), ID: 0},
		Fact{Kind: Discarded, Addr: theirs, Why: QueueFull.String(), ID: 1})
	h.want("counted", h.Drops()[QueueFull], 2)
	h.hears(1*s, reply(theirs, theirMAC, ours), false)
	h.want("passed on", h.passed, []uint64{2, 3})
}

func TestWaitingPacketsAreBoundedInBytes(t *testing.T) {
	h := hostWith(t, &Config{PendingBytes: 250, PendingTotal: 450})
	for id := range uint64(3) { // of 100 bytes each
		h.sends(1*s, theirs, id)
	}
	h.want("dropped for this neighbour", h.Drops()[QueueFull], 1)
	for id := range uint64(3) {
		h.sends(1*s, other, 10+id)
	}
	h.want("and for the other", h.Drops()[QueueFull], 2)
	h.want("within both bounds", h.waiting, 400)
	h.sends(1*s, netip.MustParseAddr("172.16.10.13"), 20)
	h.want("one too many in all", h.Drops()[TotalFull], 1)
	h.want("within both bounds", h.waiting, 400)
	h.until(10 * s)
	h.want("all given back", h.waiting, 0)
	h.want("unreachable", h.unreachable, []uint64{1, 2, 11, 12})
}

func TestWithoutAnAddressThereIsNobodyToAskAs(t *testing.T) {
	h := newHost(t)
	h.RemoveAddress(0, ours)
	h.sends(1*s, theirs, 1)
	h.want("requests", len(h.requests), 0)
	h.want("unreachable", h.unreachable, []uint64{1})
	h.want("counted", h.Drops()[NoSource], 1)
}

func TestANeighbourCanBeAskedForWithoutAPacket(t *testing.T) {
	h := newHost(t)
	h.Resolve(1*s, theirs, nil)
	h.drain()
	h.want("requests", len(h.requests), 1)
	h.hears(1*s, reply(theirs, theirMAC, ours), false)
	h.want("passed on", len(h.passed), 0)
	h.want("the state", h.state(theirs), Reachable)
}

func TestTheSourceIsTheAddressNearestToTheNeighbour(t *testing.T) {
	h := newHost(t)
	second := netip.MustParseAddr("10.1.2.3")
	h.AddAddress(0, second, false)
	h.sends(1*s, netip.MustParseAddr("10.1.9.9"), 1)
	h.sends(1*s, theirs, 2)
	h.want("asked from", []netip.Addr{h.requests[0].ARP.SenderIP, h.requests[1].ARP.SenderIP},
		[]netip.Addr{second, ours})
}

// reachable returns a host that has resolved its neighbour at 1 s.
func reachable(t *testing.T) *host {
	h := newHost(t)
	h.sends(1*s, theirs, 1)
	h.hears(1*s, reply(theirs, theirMAC, ours), false)
	h.forget()
	return h
}

// RFC 4861, 6.3.2: "a uniformly distributed random value between
// MIN_RANDOM_FACTOR and MAX_RANDOM_FACTOR times BaseReachableTime": 15 s to
// 45 s.
func TestAnAnswerCountsForARandomTime(t *testing.T) {
	h := newHost(t)
	shortest, longest, sum := time.Hour, time.Duration(0), time.Duration(0)
	for range 1000 {
		d := h.freshness()
		shortest, longest, sum = min(shortest, d), max(longest, d), sum+d
	}
	if shortest < 15*time.Second || shortest > 16*time.Second || longest > 45*time.Second || longest < 44*time.Second {
		t.Errorf("from %v to %v", shortest, longest)
	}
	if mean := sum / 1000; mean < 29*time.Second || mean > 31*time.Second {
		t.Errorf("%v on average", mean)
	}
}

// RFC 4861, 7.3.3: reachable -> stale -> delay -> probe -> gone.
func TestANeighbourThatIsGoneIsNoticed(t *testing.T) {
	h := reachable(t)
	becameStale := h.NextTimer()
	h.until(becameStale)
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, MAC: theirMAC, From: Reachable, To: Stale, Why: "it has not proved itself for a while",
	})
	used := becameStale + 3*s
	h.Cause = 5
	mac, ok := h.sends(used, theirs, 2)
	h.want("a stale neighbour is used", ok, true)
	h.want("at its address", mac, theirMAC)
	h.want("requests", len(h.requests), 0)
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, MAC: theirMAC, From: Stale, To: Delay,
		Why: "used while stale: it has a while to prove itself", Cause: 5,
	})
	h.Cause = 0
	h.until(used + 5*s - 1)
	h.want("requests", len(h.requests), 0)
	h.until(used + 5*s)
	h.want("probed at its own address", h.requests, []Request{{
		ARP:    wire.ARP{Op: wire.ARPRequest, SenderMAC: ourMAC, SenderIP: ours, TargetIP: theirs},
		Dst:    theirMAC,
		Reason: "ARP request: is the neighbour still there?", RFC: "RFC 1122, 2.3.2.1", Cause: 5,
	}})
	h.until(used + 7*s)
	h.want("probes", len(h.requests), 3)
	mac, ok = h.sends(used+7*s, theirs, 3)
	h.want("it is used meanwhile", ok && mac == theirMAC, true)
	h.until(used + 8*s)
	h.want("the state", h.state(theirs), Failed)
	_, ok = h.sends(used+9*s, theirs, 4)
	h.want("not used any more", ok, false)
	h.want("asked for by broadcast", h.requests[len(h.requests)-1].Dst, wire.Broadcast)
}

func TestAProbeThatIsAnsweredMakesItReachable(t *testing.T) {
	h := reachable(t)
	h.until(h.NextTimer())
	h.sends(h.at, theirs, 2)
	h.until(h.at + 5*s)
	h.want("the state", h.state(theirs), Probe)
	h.hears(h.at+ms, reply(theirs, theirMAC, ours), false)
	h.want("the state", h.state(theirs), Reachable)
}

// RFC 4861, 7.3.1: "a neighbor is considered reachable if the node has
// recently received a confirmation that packets sent recently to the neighbor
// were received by its IP layer."
func TestProgressOfALayerAboveKeepsANeighbourReachable(t *testing.T) {
	h := reachable(t)
	for now := 1 * s; now < 600*s; now += s {
		h.until(now)
		h.Confirm(now, theirs)
		h.sends(now, theirs, 2)
	}
	h.want("requests in ten minutes", len(h.requests), 0)
	h.want("the state", h.state(theirs), Reachable)
	h.wantFacts()
	h.until(h.at + 45*s)
	h.want("the state when nothing is heard", h.state(theirs), Stale)
}

func TestProgressEndsTheDelayAndTheProbe(t *testing.T) {
	for _, wait := range []clock.Time{1 * s, 6 * s} {
		h := reachable(t)
		h.until(h.NextTimer())
		h.sends(h.at, theirs, 2)
		h.until(h.at + wait)
		h.Cause = 3
		h.Confirm(h.at, theirs)
		h.drain()
		h.want("the state", h.state(theirs), Reachable)
		h.want("the fact", h.facts[len(h.facts)-1].Why, "a layer above has heard from it")
		h.want("its cause", h.facts[len(h.facts)-1].Cause, 3)
	}
	h := newHost(t)
	h.Confirm(1*s, theirs)
	h.want("of nobody we know", h.state(theirs), None)
	h.sends(1*s, theirs, 1)
	h.Confirm(1*s, theirs)
	h.want("of nobody whose MAC address we know", h.state(theirs), Incomplete)
}

// RFC 1122, 2.3.2.1 (R1122-1): "An implementation of the Address Resolution Protocol
// (ARP) MUST provide a mechanism to flush out-of-date cache entries."
func TestAnEntryNobodyUsesIsForgotten(t *testing.T) {
	h := reachable(t)
	stale := h.NextTimer()
	h.until(stale + 60*s - 1)
	h.want("the state", h.state(theirs), Stale)
	h.until(stale + 60*s)
	h.want("the state", h.state(theirs), None)
	h.want("the fact", h.facts[len(h.facts)-1].Why, "nobody needs it")
	h.want("the next timer", h.NextTimer(), clock.Never)
}

func TestAPermanentEntryStays(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 1)
	h.SetPermanent(1*s, theirs, otherMAC)
	h.drain()
	h.want("what waited is passed on", h.passed, []uint64{1})
	h.want("to", h.passedTo, otherMAC)
	h.forget()
	h.hears(2*s, reply(theirs, theirMAC, ours), false)
	h.wantFacts(Fact{Kind: Discarded, Addr: theirs, MAC: theirMAC, Why: IsPermanent.String()})
	h.hears(2*s, request(theirs, theirMAC, ours), true)
	h.want("a request is answered nevertheless", len(h.requests), 1)
	h.until(10_000 * s)
	h.Flush(10_000 * s)
	mac, ok := h.sends(10_000*s, theirs, 2)
	h.want("known", ok, true)
	h.want("as", mac, otherMAC)
	h.want("the next timer", h.NextTimer(), clock.Never)
	h.Delete(10_000*s, theirs)
	h.want("the state", h.state(theirs), None)
	h.SetPermanent(10_000*s, theirs, otherMAC)
	h.want("made out of nothing", h.state(theirs), Permanent)
}

func TestDeletingAnEntryGivesUpWhatWaits(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 1)
	h.sends(1*s, other, 2)
	h.Delete(1*s, theirs)
	h.drain()
	h.want("unreachable", h.unreachable, []uint64{1})
	h.Flush(1 * s)
	h.drain()
	h.want("unreachable", h.unreachable, []uint64{1, 2})
	h.want("entries", len(h.Entries()), 0)
	h.want("the next timer", h.NextTimer(), clock.Never)
}

func TestCloseReleasesEveryPacket(t *testing.T) {
	h := newHost(t)
	h.Resolve(1*s, theirs, packet(1, 100))
	h.Resolve(1*s, other, packet(2, 100))
	h.Resolve(1*s, netip.MustParseAddr("172.16.10.13"), packet(3, 100))
	h.HandleARP(1*s, reply(theirs, theirMAC, ours), false)
	h.Delete(1*s, other)
	h.Close()
	h.drain()
	h.want("packets left", len(h.passed)+len(h.unreachable), 0)
}

func TestLookingUpAReachableNeighbourAllocatesNothing(t *testing.T) {
	h := reachable(t)
	h.Watch = false
	p := packet(1, 100)
	allocs := testing.AllocsPerRun(1000, func() {
		h.Resolve(2*s, theirs, p)
		h.Confirm(2*s, theirs)
		h.NextTimer()
	})
	h.want("allocations", allocs, 0)
}

func BenchmarkResolve(b *testing.B) {
	c := New(nil, ourMAC, nil)
	c.SetPermanent(0, other, otherMAC)
	c.SetPermanent(0, theirs, theirMAC)
	b.Run("the same neighbour", func(b *testing.B) {
		for b.Loop() {
			c.Resolve(1*s, theirs, nil)
		}
	})
	b.Run("two in turn", func(b *testing.B) {
		for b.Loop() {
			c.Resolve(1*s, theirs, nil)
			c.Resolve(1*s, other, nil)
		}
	})
}
