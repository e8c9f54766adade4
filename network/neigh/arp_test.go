package neigh

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

// RFC 826, Packet Reception: "Swap hardware and protocol fields, putting the
// local hardware and protocol addresses in the sender fields. Set the ar$op
// field to ares_op$REPLY. Send the packet to the (new) target hardware
// address on the same hardware on which the request was received."
func TestARequestForOurAddressIsAnswered(t *testing.T) {
	h := newHost(t)
	h.Cause = 9
	h.hears(1*s, request(theirs, theirMAC, ours), true)
	h.want("replies", h.requests, []Request{{
		ARP: wire.ARP{
			Op: wire.ARPReply, SenderMAC: ourMAC, SenderIP: ours, TargetMAC: theirMAC, TargetIP: theirs,
		},
		Dst: theirMAC, Reason: "ARP reply: the address is ours", RFC: "RFC 826", Cause: 9,
	}})
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, MAC: theirMAC, From: None, To: Stale, Why: "it asks for us", Cause: 9,
	})
}

// RFC 826, Packet Reception: "?Am I the target protocol address? Yes: If
// Merge_flag is false, add the triplet [...] to the translation table." No:
// nothing is added.
func TestARequestForAnotherIsDiscarded(t *testing.T) {
	h := newHost(t)
	h.hears(1*s, request(theirs, theirMAC, other), true)
	h.want("replies", len(h.requests), 0)
	h.want("the entry", h.state(theirs), None)
	h.wantFacts(Fact{Kind: Discarded, Addr: theirs, MAC: theirMAC, Why: NotOurs.String()})
	h.want("counted", h.Drops()[NotOurs], 1)
}

// RFC 826, Packet Reception: "If the pair <protocol type, sender protocol
// address> is already in my translation table, update the sender hardware
// address field of the entry with the new information in the packet and set
// Merge_flag to true."
func TestWhatIsKnownOfTheSenderIsBroughtUpToDate(t *testing.T) {
	h := reachable(t)
	h.hears(2*s, request(theirs, otherMAC, other), true)
	h.want("replies", len(h.requests), 0)
	h.wantFacts(Fact{
		Kind: Changed, Addr: theirs, MAC: otherMAC, From: Reachable, To: Stale, Why: "its link address has changed",
	})
	mac, _ := h.sends(2*s, theirs, 1)
	h.want("used", mac, otherMAC)
}

func TestARequestFromAReachableNeighbourChangesNothing(t *testing.T) {
	h := reachable(t)
	h.hears(2*s, request(theirs, theirMAC, ours), true)
	h.want("replies", len(h.requests), 1)
	h.wantFacts()
	h.want("the state", h.state(theirs), Reachable)
}

// Two hosts that ask for one another at once need no further answer, but
// neither has proved that it hears the other.
func TestARequestFromWhomWeAskForServesAsAnswer(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 5)
	h.forget()
	h.hears(1*s, request(theirs, theirMAC, ours), true)
	h.want("passed on", h.passed, []uint64{5})
	h.want("replies", len(h.requests), 1)
	h.wantFacts(
		Fact{
			Kind: Changed, Addr: theirs, MAC: theirMAC, From: Incomplete, To: Stale,
			Why: "heard from it, though not as an answer",
		},
		Fact{
			Kind: Changed, Addr: theirs, MAC: theirMAC, From: Stale, To: Delay,
			Why: "used while stale: it has a while to prove itself",
		})
}

func TestAnAnswerToEverybodyProvesNothing(t *testing.T) {
	h := newHost(t)
	h.sends(1*s, theirs, 5)
	h.hears(1*s, reply(theirs, theirMAC, ours), true)
	h.want("passed on", h.passed, []uint64{5})
	h.want("the state", h.state(theirs), Delay)
}

func TestAnAnswerThatNobodyAskedForIsStale(t *testing.T) {
	h := newHost(t)
	h.hears(1*s, reply(theirs, theirMAC, ours), false)
	h.want("the state", h.state(theirs), Stale)
	h.hears(1*s, reply(other, otherMAC, theirs), false)
	h.want("one for somebody else", h.state(other), None)
	h.want("counted", h.Drops()[NotForUs], 1)
}

func TestAnAnnouncementUpdatesButDoesNotCreate(t *testing.T) {
	for _, op := range []wire.ARPOp{wire.ARPRequest, wire.ARPReply} {
		h := newHost(t)
		a := wire.ARP{Op: op, SenderMAC: theirMAC, SenderIP: theirs, TargetIP: theirs}
		h.hears(1*s, a, true)
		h.wantFacts(Fact{Kind: Discarded, Addr: theirs, MAC: theirMAC, Why: NoEntry.String()})
		h = reachable(t)
		a.SenderMAC = otherMAC
		h.hears(2*s, a, true)
		mac, _, _ := h.Lookup(theirs)
		h.want("its address", mac, otherMAC)
		h.want("the state", h.state(theirs), Stale)
	}
}

func TestSendersThatAreNoStationsAreRefused(t *testing.T) {
	for _, x := range []struct {
		a   wire.ARP
		why Reason
	}{
		{request(theirs, ourMAC, ours), OwnFrame},
		{request(theirs, wire.MAC{}, ours), BadSender},
		{request(theirs, wire.Broadcast, ours), BadSender},
		{request(netip.MustParseAddr("224.0.0.1"), theirMAC, ours), BadSender},
		{request(netip.MustParseAddr("255.255.255.255"), theirMAC, ours), BadSender},
		{request(netip.MustParseAddr("127.0.0.1"), theirMAC, ours), BadSender},
		{request(netip.MustParseAddr("fe80::1"), theirMAC, ours), BadSender},
		{request(netip.Addr{}, theirMAC, ours), BadSender},
		{reply(zero, theirMAC, ours), BadSender},
		{wire.ARP{Op: 3, SenderMAC: theirMAC, SenderIP: theirs, TargetIP: ours}, BadOperation},
	} {
		h := newHost(t)
		h.hears(1*s, x.a, true)
		h.want("replies", len(h.requests), 0)
		h.want("entries", len(h.Entries()), 0)
		h.wantFacts(Fact{Kind: Discarded, Addr: x.a.SenderIP, MAC: x.a.SenderMAC, Why: x.why.String()})
		h.want("counted", h.Drops()[x.why], 1)
	}
}

// RFC 5227, 2.5: "This applies equally for both standard ARP Requests with
// non-zero sender IP addresses and Probe Requests with all-zero sender IP
// addresses."
func TestAProbeForOurAddressIsAnsweredAndNotEntered(t *testing.T) {
	h := newHost(t)
	h.hears(1*s, request(zero, theirMAC, ours), true)
	h.want("replies", len(h.requests), 1)
	h.want("to", h.requests[0].ARP.TargetIP, zero)
	h.want("entries", len(h.Entries()), 0)
	h.wantFacts()
}

// station returns the n-th of many stations.
func station(n int) (netip.Addr, wire.MAC) {
	return netip.AddrFrom4([4]byte{172, 16, byte(100 + n>>8), byte(n)}), wire.MAC{2, 1, 0, 0, byte(n >> 8), byte(n)}
}

func TestInventedNeighboursPushOutNobodyWeTalkTo(t *testing.T) {
	h := hostWith(t, &Config{Entries: 16})
	for n := range 8 {
		addr, mac := station(n)
		h.sends(1*s, addr, 1)
		h.hears(1*s, reply(addr, mac, ours), false)
	}
	for n := range 5000 {
		addr, mac := station(100 + n)
		h.hears(2*s, request(addr, mac, ours), true)
	}
	h.want("entries", len(h.Entries()), 16)
	h.want("replies", len(h.requests), 8+5000)
	for n := range 8 {
		addr, _ := station(n)
		h.want("one we talk to", h.state(addr), Reachable)
	}
	// With the cache full of those we talk to, there is no room for others.
	for n := range 8 {
		addr, mac := station(10 + n)
		h.sends(2*s, addr, 1)
		h.hears(2*s, reply(addr, mac, ours), false)
	}
	h.forget()
	addr, mac := station(200)
	h.hears(2*s, request(addr, mac, ours), true)
	h.want("it gets its answer", len(h.requests), 1)
	h.want("and no entry", h.state(addr), None)
	h.want("counted", h.Drops()[CacheFull], 1)
	h.hears(2*s, reply(addr, mac, ours), false)
	h.want("nor for an answer", h.state(addr), None)
	h.want("counted", h.Drops()[CacheFull], 2)
	// Whom we want to talk to takes the place of who was used least recently,
	// but not of one that was asked for less than a second ago.
	h.sends(2*s-1, addr, 8)
	h.want("too soon", h.state(addr), None)
	h.want("given up", h.unreachable, []uint64{8})
	h.sends(3*s, addr, 9)
	first, _ := station(0)
	h.want("the first", h.state(first), None)
	h.want("the new one", h.state(addr), Incomplete)
	h.want("entries", len(h.Entries()), 16)
}

func TestScanningALargeSubnetIsBounded(t *testing.T) {
	h := newHost(t)
	for n := range 3000 {
		addr, _ := station(n)
		h.sends(1*s, addr, uint64(n))
	}
	h.want("entries", len(h.Entries()), 1024)
	h.want("given up at once", len(h.unreachable), 3000-1024)
	h.until(10 * s)
	h.want("given up in the end", len(h.unreachable), 3000)
}

func TestEntriesAreInOrder(t *testing.T) {
	h := newHost(t)
	for _, n := range []int{5, 1, 9, 3} {
		addr, mac := station(n)
		h.hears(1*s, request(addr, mac, ours), true)
	}
	all := h.Entries()
	for i := range len(all) - 1 {
		if !all[i].Addr.Less(all[i+1].Addr) {
			t.Errorf("%v comes before %v", all[i].Addr, all[i+1].Addr)
		}
	}
}

func TestTextsOfReasonsAndStates(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d has the text %q", r, r)
		}
		seen[r.String()] = true
	}
	if got := fmt.Sprint(numReasons, Permanent, Lost); got != "unknown permanent lost" {
		t.Errorf("got %q", got)
	}
}

// check tells what can't be, whatever happened to a cache.
func check(t interface{ Fatalf(string, ...any) }, c *Cache, now clock.Time) {
	waiting := 0
	for _, e := range c.entries {
		n := 0
		if e.state.known() != (e.mac != wire.MAC{}) {
			t.Fatalf("%v is %v with the MAC address %v", e.addr, e.state, e.mac)
		}
		if e.waiting.Len() > 0 && e.state != Incomplete {
			t.Fatalf("packets wait for %v, which is %v", e.addr, e.state)
		}
		if at := e.timer.At(); (at == clock.Never) != (e.state == Permanent) || at != clock.Never && at <= now {
			t.Fatalf("%v is %v, and its timer is set to %v at %v", e.addr, e.state, at, now)
		}
		n += e.waitingBytes
		waiting += n
	}
	if waiting != c.waiting || waiting > c.cfg.PendingTotal {
		t.Fatalf("%d bytes wait, and %d are counted", waiting, c.waiting)
	}
	if len(c.entries)-c.permanent > c.cfg.Entries {
		t.Fatalf("there are %d entries", len(c.entries))
	}
}

// Whatever happens, in whatever order: each packet comes out at most once, the
// cache stays within its bounds, and no request for an address follows another
// within a second.
func TestAnyOrderOfEventsLeavesTheCacheSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New(&Config{Entries: 4, PendingCount: 3, PendingTotal: 900}, ourMAC, rand.New(rand.NewPCG(1, 1)))
		c.Watch = true
		c.AddAddress(0, ours, rapid.Bool().Draw(t, "detect"))
		now, in, out := 1*s, uint64(0), uint64(0)
		asked := map[netip.Addr]clock.Time{}
		addr := func() netip.Addr {
			return netip.AddrFrom4([4]byte{172, 16, 10, 10 + byte(rapid.IntRange(0, 7).Draw(t, "host"))})
		}
		mac := func() wire.MAC { return wire.MAC{2, 0, 0, 0, 0, 10 + byte(rapid.IntRange(0, 7).Draw(t, "mac"))} }
		poll := func() {
			for r, ok := c.PollARP(now); ok; r, ok = c.PollARP(now) {
				to := r.ARP.TargetIP
				if r.ARP.Op == wire.ARPReply || r.ARP.SenderIP == to || r.ARP.SenderIP.IsUnspecified() {
					continue
				}
				if last, ok := asked[to]; ok && now < last+s {
					t.Fatalf("asked for %v at %v and again at %v", to, last, now)
				}
				asked[to] = now
			}
			for p, _, ok := c.PollPacket(now); ok; p, _, ok = c.PollPacket(now) {
				out++
				p.Release()
			}
			for p, _, ok := c.PollUnreachable(now); ok; p, _, ok = c.PollUnreachable(now) {
				out++
				p.Release()
			}
			for _, ok := c.PollEvent(); ok; _, ok = c.PollEvent() {
			}
			check(t, c, now)
		}
		for range 200 {
			end := now + clock.Time(rapid.IntRange(0, int(3*s)).Draw(t, "gap"))
			for next := c.NextTimer(); next.Due(end); next = c.NextTimer() {
				now = max(now, next)
				c.HandleTimer(now)
				poll()
			}
			now = end
			switch rapid.IntRange(0, 10).Draw(t, "step") {
			case 0, 1, 2:
				if to := addr(); to != ours {
					p := packet(1, 200)
					in++
					if _, ok := c.Resolve(now, to, p); ok {
						p.Release()
						out++
					}
				}
			case 3:
				c.Confirm(now, addr())
			case 4:
				if a := addr(); rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					c.SetPermanent(now, a, mac())
				}
			case 5:
				c.AddAddress(now, ours, rapid.Bool().Draw(t, "detect again"))
			default:
				op := wire.ARPOp(rapid.IntRange(1, 2).Draw(t, "op"))
				c.HandleARP(now, wire.ARP{Op: op, SenderMAC: mac(), SenderIP: addr(), TargetIP: addr()},
					rapid.Bool().Draw(t, "broadcast"))
			}
			poll()
		}
		held := uint64(0)
		for _, e := range c.entries {
			held += uint64(e.waiting.Len())
		}
		if dropped := c.drops[QueueFull] + c.drops[TotalFull]; in != out+held+dropped {
			t.Fatalf("%d packets in, %d out, %d held, %d dropped", in, out, held, dropped)
		}
	})
}

func FuzzHandleARP(f *testing.F) {
	for _, a := range []wire.ARP{request(theirs, theirMAC, ours), reply(theirs, theirMAC, ours), request(zero, theirMAC, ours)} {
		f.Add(a.AppendTo(nil), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, broadcast bool) {
		c := New(nil, ourMAC, rand.New(rand.NewPCG(1, 1)))
		c.AddAddress(0, ours, false)
		c.Resolve(1*s, theirs, pkt.New())
		for len(b) >= wire.ARPLen {
			a, rest, err := wire.ParseARP(b)
			if err != nil {
				return
			}
			c.HandleARP(1*s, a, broadcast)
			check(t, c, 1*s)
			b = rest
		}
		c.HandleTimer(3 * s)
		c.Close()
	})
}
