package dhcp6

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/wire"
)

// RFC 8415, 18.2.1 and 18.2.2: Solicit, Advertise, Request, Reply.
func TestAClientGetsAnAddress(t *testing.T) {
	p := newPair(t, nil, pool())
	p.Start(p.at)
	p.Start(p.at)
	first := p.NextTimer()
	p.want("the first Solicit comes within a second", first > 1*s && first <= 2*s, true)
	p.until(first)
	p.wantSent("solicit") // "At the end of the first RT period" the best offer is taken
	p.want("state", p.State(), Soliciting)
	p.until(first + 900*ms)
	p.wantSent()
	p.until(first + 1200*ms)
	p.wantSent("request")
	p.want("state", p.State(), Bound)
	p.want("addresses", len(p.Addresses()), 1)
	a := p.Addresses()[0]
	p.want("it is of the pool", link.Contains(a.Addr), true)
	p.wantChanges("address added", "DNS servers", "search domains")
	p.want("servers", p.Servers(), []netip.Addr{dns})
	p.want("domains", p.Domains(), "[lab.test test]")
	leases := p.servers[0].Leases(p.at)
	p.want("leases", len(leases), 1)
	p.want("whose", string(leases[0].DUID) == string(clientID) && leases[0].IAID == 7, true)
}

// RFC 8415, 15: "RT for each subsequent message transmission is based on the
// previous value of RT: RT = 2*RTprev + RAND*RTprev", at most MRT, with RAND
// between -0.1 and 0.1; "the first RT MUST be selected to be strictly greater
// than IRT by choosing RAND to be strictly greater than 0" (18.2.1).
func TestSolicitationsBecomeRarer(t *testing.T) {
	p := newPair(t, nil)
	p.Start(p.at)
	p.until(20 * hour)
	last := clock.Duration(0)
	for i := 1; i < len(p.times); i++ {
		wait := p.times[i].Sub(p.times[i-1])
		switch {
		case i == 1 && (wait <= time.Second || wait > 1100*time.Millisecond+1):
			t.Errorf("the first wait is %v", wait)
		case i > 1 && last < 30*time.Minute && (wait < last*19/10 || wait > last*21/10) && wait < 54*time.Minute:
			t.Errorf("wait %d is %v after %v", i, wait, last)
		case wait > 66*time.Minute:
			t.Errorf("wait %d is %v", i, wait)
		}
		last = wait
	}
	p.want("the last wait is about an hour", last > 54*time.Minute, true)
	elapsed, _ := wire.FindDHCP6Option(p.last.Options, wire.DHCP6ElapsedTime)
	p.want("elapsed time, at most", elapsed, []byte{0xff, 0xff})
}

// RFC 8415, 18.2.9: "Those Advertise messages with the highest server preference
// value SHOULD be preferred". 18.2.1: with a preference of 255 "the client
// immediately begins" the Request.
func TestThePreferredServerIsTaken(t *testing.T) {
	other, best := pool(), pool()
	other.DUID, other.Preference = otherID, 3
	other.First = netip.MustParseAddr("2001:db8::2000")
	p := newPair(t, nil, best, other)
	p.Start(p.at)
	p.until(10 * s)
	p.want("from the other", p.Addresses()[0].Addr.As16()[14]>>4, 2)
	p.wantSent("solicit", "request")
	p.want("leases of the first", len(p.servers[0].Leases(p.at)), 0)

	other.Preference = 255
	p = newPair(t, nil, best, other)
	p.Start(p.at)
	p.until(p.NextTimer())
	p.wantSent("solicit", "request")
}

// RFC 8415, 18.2.1: after the first RT the first offer that comes is taken.
func TestALateOfferIsTakenAtOnce(t *testing.T) {
	p := newPair(t, nil)
	p.Start(p.at)
	p.until(10 * s)
	p.sent = nil
	p.HandleMessage(p.at, p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 10, 20, 5, 8)))
	p.deliver()
	p.wantSent("request")
}

// RFC 8415, 18.2.1 and 21.14: with Rapid Commit a Reply answers the Solicit.
func TestRapidCommit(t *testing.T) {
	cfg := pool()
	cfg.RapidCommit = true
	p := newPair(t, func(c *ClientConfig) { c.RapidCommit = true }, cfg)
	p.Start(p.at)
	p.until(p.NextTimer())
	p.wantSent("solicit")
	p.want("state", p.State(), Bound)
	p.want("leases", len(p.servers[0].Leases(p.at)), 1)

	p = newPair(t, nil, cfg) // a client that doesn't want it
	p.Start(p.at)
	p.until(p.NextTimer())
	p.want("state", p.State(), Soliciting)
	why := p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, gives("2001:db8::5", 10, 20, 5, 8)))
	p.want("a Reply without it", why, NotAsked)
}

// RFC 8415, 18.2.4: "At time T1, the client initiates a Renew/Reply message
// exchange to extend the lifetimes on any leases in the IA."
func TestALeaseIsRenewed(t *testing.T) {
	p := bound(t)
	a := p.Addresses()[0]
	start := a.Preferred - 1000*s
	p.until(start + 500*s - 1)
	p.wantSent()
	p.until(start + 500*s)
	p.wantSent("renew")
	p.wantChanges("address kept")
	p.want("preferred until", p.Addresses()[0].Preferred, start+1500*s)
	p.until(start + 100000*s)
	p.want("it is the same for ever", p.Addresses()[0].Addr, a.Addr)
}

// RFC 8415, 18.2.5: at T2 any server may extend the lifetimes; when they are
// over, the client begins anew (18.2.10.1).
func TestALeaseIsRebound(t *testing.T) {
	p := bound(t)
	start := p.Addresses()[0].Preferred - 1000*s
	p.deaf = true
	p.until(start + 800*s - 1)
	p.want("state", p.State(), Renewing)
	p.want("it renews again and again", len(p.sent) > 3, true)
	p.sent = nil
	p.until(start + 800*s)
	p.wantSent("rebind")
	p.until(start + 1000*s - 1)
	p.wantChanges()
	p.until(start + 2000*s - 1)
	p.wantChanges("address deprecated")
	p.want("addresses", len(p.Addresses()), 1)
	p.until(start + 2000*s)
	p.want("state", p.State(), Soliciting)
	p.wantChanges("address removed")
	p.deaf = false
	p.until(start + 2010*s)
	p.want("state", p.State(), Bound)

	p = bound(t)
	start = p.Addresses()[0].Preferred - 1000*s
	p.deaf = true
	p.until(start + 800*s)
	p.deaf = false
	p.until(start + 900*s)
	p.want("rebound", p.State(), Bound)
	p.wantChanges("address kept")
}

// RFC 8415, 18.2.10.1: "Sends a Request message to the server that responded if
// any of the IAs in the Reply message contain the NoBinding status code."
func TestAServerThatHasForgotten(t *testing.T) {
	p := bound(t)
	a := p.Addresses()[0]
	cfg := pool()
	p.servers[0] = NewServer(&cfg)
	p.until(a.Preferred - 500*s)
	p.wantSent("renew", "request")
	p.want("state", p.State(), Bound)
	p.want("the address", p.Addresses()[0].Addr, a.Addr)
}

// RFC 8415, 18.2.7: "The client MUST stop using all of the leases being released
// before the client begins the Release message exchange process."
func TestAnAddressIsGivenBack(t *testing.T) {
	p := bound(t)
	p.Release(p.at)
	p.deliver()
	p.wantSent("release")
	p.wantChanges("address removed")
	p.want("state", p.State(), Idle)
	p.want("leases", len(p.servers[0].Leases(p.at)), 0)
	p.want("timer", p.NextTimer(), clock.Never)

	p = bound(t)
	p.deaf = true
	p.Release(p.at)
	p.until(1 * hour)
	p.wantSent("release", "release", "release", "release") // REL_MAX_RC
	p.want("state", p.State(), Idle)
	p.Release(p.at)
	p.until(2 * hour)
	p.wantSent()
}

// RFC 8415, 18.2.8: "If a client detects that one or more addresses assigned to
// it by a server are already in use by another node, the client sends a Decline
// message to the server to inform it that the address is suspect."
func TestAnAddressOfSomebodyElseIsDeclined(t *testing.T) {
	p := bound(t)
	bad := p.Addresses()[0].Addr
	p.HandleAddressLost(p.at, netip.MustParseAddr("2001:db8::99"))
	p.until(p.at)
	p.wantSent()
	p.HandleAddressLost(p.at, bad)
	p.until(p.at + 10*s)
	p.wantSent("decline", "solicit", "request")
	p.want("another", p.Addresses()[0].Addr == bad, false)
	p.wantChanges("address removed", "address added")

	p = bound(t)
	p.deaf = true
	p.HandleAddressLost(p.at, p.Addresses()[0].Addr)
	p.until(p.at + 60*s)
	p.want("four declines, then from the beginning", p.sent[:5], []string{"decline", "decline", "decline", "decline", "solicit"})
}

// A client with two addresses that declines one keeps the other.
func TestTheOtherAddressIsKept(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		p := bound(t)
		p.deaf = true
		p.until(600 * s)
		two := wire.DHCP6Address{Addr: netip.MustParseAddr("2001:db8::6"), Preferred: 9000, Valid: 9000}
		one := wire.DHCP6Address{Addr: p.Addresses()[0].Addr, Preferred: 9000, Valid: 9000}
		ia := wire.DHCP6IA{ID: 7, T1: 4000, T2: 8000, Options: two.AppendTo(one.AppendTo(nil))}
		p.want("taken", p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, ia.AppendTo(nil))), Reason(0))
		p.want("addresses", len(p.Addresses()), 2)
		p.deaf = deaf
		p.HandleAddressLost(p.at, one.Addr)
		p.until(700 * s)
		p.want("state", p.State(), Bound)
		p.want("addresses", len(p.Addresses()), 1)
	}
}

// RFC 8415, 18.2.6 and 18.2.12: stateless clients ask for settings, and again
// after the refresh time.
func TestSettingsAlone(t *testing.T) {
	p := newPair(t, func(c *ClientConfig) { c.Stateless = true }, pool())
	p.Start(p.at)
	p.until(3 * s)
	p.wantSent("information-request")
	p.want("state", p.State(), Informed)
	p.want("servers", p.Servers(), []netip.Addr{dns})
	p.want("domains", p.Domains(), "[lab.test test]")
	p.wantChanges("DNS servers", "search domains")
	p.until(20 * hour)
	p.wantSent()
	p.servers[0].cfg.DNS = nil
	p.until(25 * hour)
	p.wantSent("information-request")
	p.want("what isn't told any more isn't used", len(p.Servers()), 0)
	p.deaf = true
	p.until(50 * hour)
	p.want("it goes on asking", p.State(), Asking)
	refresh := wire.AppendDHCP6Option(nil, wire.DHCP6RefreshTime, []byte{0, 0, 0, 1})
	max := wire.AppendDHCP6Option(nil, wire.DHCP6InfMaxRT, []byte{0, 0, 0, 60})
	p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, refresh, max))
	p.want("the refresh time is 600 s at least", p.NextTimer(), p.at+600*s)
	p.want("INF_MAX_RT", p.askMax, time.Minute)
}

// RFC 8415, 18.2.2: a Request is given up after ten times.
func TestAServerThatFallsSilent(t *testing.T) {
	p := newPair(t, nil, pool())
	p.Start(p.at)
	p.until(p.NextTimer())
	p.deaf = true
	p.sent = nil
	p.until(1 * hour)
	requests := 0
	for _, kind := range p.sent {
		if kind == "request" {
			requests++
		}
	}
	p.want("requests", requests, 10)
	p.want("state", p.State(), Soliciting)
}

// What servers say no with, and what it leads to.
func TestRefusals(t *testing.T) {
	asked := func() *pair {
		p := newPair(t, nil, pool())
		p.Start(p.at)
		p.until(p.NextTimer())
		p.deaf = true
		p.until(p.NextTimer())
		p.want("state", p.State(), Requesting)
		return p
	}
	p := asked()
	why := p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, refuses(wire.DHCP6UnspecFail)))
	p.want("UnspecFail", why, Refused)
	p.want("state", p.State(), Requesting)
	for _, status := range []wire.DHCP6Status{wire.DHCP6NoAddrsAvail, wire.DHCP6NotOnLink, wire.DHCP6NoBinding} {
		p = asked()
		p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, refuses(status)))
		p.want(status.String(), p.State(), Soliciting)
	}
	p = asked()
	p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, wire.AppendDHCP6Status(nil, wire.DHCP6NotOnLink, "no")))
	p.want("a status of the whole message", p.State(), Soliciting)
	p = asked()
	p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, gives("2001:db8::5", 0, 0, 0, 0)))
	p.want("an address for no time", p.State(), Soliciting)
	p = asked()
	p.want("no association", p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID)), NoAddress)
	p.want("another server", p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, otherID, gives("2001:db8::5", 1, 2, 0, 0))), OtherServer)
	p.want("an Advertise now", p.HandleMessage(p.at, p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 1, 2, 0, 0))), NotAsked)
	// RFC 8415, 18.2.9: "The client MUST ignore any Advertise message that
	// contains no addresses", but "MUST process an included SOL_MAX_RT option".
	p = newPair(t, nil)
	p.Start(p.at)
	p.until(p.NextTimer())
	max := wire.AppendDHCP6Option(nil, wire.DHCP6SolMaxRT, []byte{0, 0, 0, 60})
	p.want("nothing offered", p.HandleMessage(p.at, p.reply(wire.DHCP6Advertise, serverID, refuses(wire.DHCP6NoAddrsAvail), max)), NoAddress)
	p.want("SOL_MAX_RT", p.solicitMax, time.Minute)
	short := wire.AppendDHCP6Option(nil, wire.DHCP6SolMaxRT, []byte{0, 0, 0, 59})
	p.HandleMessage(p.at, p.reply(wire.DHCP6Advertise, serverID, short))
	p.want("too short a SOL_MAX_RT", p.solicitMax, time.Minute)
}

// A server may take an address back: "Discard any leases from the IA [...] that
// have a valid lifetime of 0" (RFC 8415, 18.2.10.1).
func TestAServerTakesAnAddressBack(t *testing.T) {
	p := bound(t)
	old := p.Addresses()[0].Addr.String()
	p.deaf = true
	p.until(600 * s)
	back := wire.DHCP6Address{Addr: netip.MustParseAddr(old)}
	fresh := wire.DHCP6Address{Addr: netip.MustParseAddr("2001:db8::77"), Preferred: 100, Valid: 200}
	ia := wire.DHCP6IA{ID: 7, Options: back.AppendTo(fresh.AppendTo(nil))}
	p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, ia.AppendTo(nil)))
	p.deliver()
	p.wantChanges("address added", "address removed", "DNS servers", "search domains")
	p.want("address", p.Addresses()[0].Addr, fresh.Addr)
	// RFC 8415, 14.2 and 21.4: T1 and T2 of 0 are left to the client: 0.5 and 0.8
	// times the shortest preferred lifetime.
	p.want("T1", p.t1, 650*s)
	p.want("T2", p.t2, 680*s+1)
}

func TestAnAddressForEver(t *testing.T) {
	cfg := pool()
	cfg.Preferred, cfg.Valid = wire.Forever, wire.Forever
	p := newPair(t, nil, cfg)
	p.Start(p.at)
	p.until(10 * s)
	p.want("state", p.State(), Bound)
	p.want("nothing is due", p.NextTimer(), clock.Never)
	p.want("valid until", p.Addresses()[0].Valid, clock.End)
}

// RFC 8415, 16.3, 16.10 and 21.4: what is no answer of a server's to this client.
func TestMessagesThatAreNotHeeded(t *testing.T) {
	p := newPair(t, nil)
	good := func() []byte { return p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 10, 20, 5, 8)) }
	p.want("before anything was asked", p.HandleMessage(p.at, good()), NotAsked)
	p.Start(p.at)
	p.want("still", p.HandleMessage(p.at, good()), NotAsked)
	p.until(p.NextTimer())
	named := wire.AppendDHCP6Option(nil, wire.DHCP6ServerID, serverID)
	stranger := wire.AppendDHCP6Option(named, wire.DHCP6ClientID, otherID)
	message := func(kind wire.DHCP6Type, options []byte) []byte {
		m := wire.DHCP6{Type: kind, Transaction: p.last.Transaction, Options: options}
		return m.AppendTo(nil)
	}
	late := good()
	late[3]++
	for what, x := range map[string]struct {
		b   []byte
		why Reason
	}{
		"cut off":                 {good()[:9], Malformed},
		"of another transaction":  {late, NotAsked},
		"of a client":             {p.reply(wire.DHCP6Request, serverID), NotForUs},
		"of nobody":               {p.reply(wire.DHCP6Advertise, nil), NoServerID},
		"of somebody too long":    {p.reply(wire.DHCP6Advertise, make([]byte, 131)), NoServerID},
		"for somebody else":       {message(wire.DHCP6Advertise, stranger), NotForUs},
		"for nobody":              {message(wire.DHCP6Advertise, named), NotForUs},
		"T1 after T2":             {p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 10, 20, 9, 8)), NoAddress},
		"preferred beyond valid":  {p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 30, 20, 5, 8)), NoAddress},
		"a multicast address":     {p.reply(wire.DHCP6Advertise, serverID, gives("ff02::5", 10, 20, 5, 8)), NoAddress},
		"a link-local address":    {p.reply(wire.DHCP6Advertise, serverID, gives("fe80::5", 10, 20, 5, 8)), NoAddress},
		"a failure of the server": {p.reply(wire.DHCP6Advertise, serverID, gives("2001:db8::5", 10, 20, 5, 8), wire.AppendDHCP6Status(nil, wire.DHCP6UnspecFail, "")), NoAddress},
	} {
		before := p.Drops()[x.why]
		p.want(what, p.HandleMessage(p.at, x.b), x.why)
		p.want("counted", p.Drops()[x.why], before+1)
	}
	p.want("one that is", p.HandleMessage(p.at, good()), Reason(0))
}

func TestNames(t *testing.T) {
	for st := Idle; st <= Informed; st++ {
		if st.String() == "" {
			t.Errorf("state %d has no name", st)
		}
	}
	for r := Malformed; r < numReasons; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no text", r)
		}
	}
	if numReasons.String() != "unknown" {
		t.Error("there is no such reason")
	}
}

// However many messages get lost, the client has an address in the end, and the
// server knows of it.
func TestLossesAreSurvived(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPair(t, nil, pool())
		p.rnd = rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		p.Start(p.at)
		for range 20 {
			p.deaf = rapid.Bool().Draw(rt, "deaf")
			p.until(p.at + clock.Time(rapid.Int64Range(1, int64(900*s)).Draw(rt, "wait")))
			for _, a := range p.Addresses() {
				if a.Valid <= p.at {
					rt.Fatalf("at %v it has an address until %v", p.at, a.Valid)
				}
			}
		}
		p.deaf = false
		p.until(p.at + 2*hour)
		leases := p.servers[0].Leases(p.at)
		if p.State() != Bound || len(leases) != 1 || leases[0].Addr != p.Addresses()[0].Addr {
			rt.Fatalf("%v with %v, the server has %v", p.State(), p.Addresses(), leases)
		}
	})
}

func FuzzClient(f *testing.F) {
	f.Add(append([]byte{2, 0, 0, 0}, gives("2001:db8::5", 10, 20, 5, 8)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := bound(t)
		p.deaf = true
		for range 5 {
			p.until(p.at + 400*s)
			if len(b) > 4 {
				p.HandleMessage(p.at, p.reply(wire.DHCP6Reply, serverID, b[4:]))
				p.HandleMessage(p.at, p.reply(wire.DHCP6Advertise, serverID, b[4:]))
			}
			p.HandleMessage(p.at, b)
			p.deliver()
		}
		if len(p.Addresses()) > maxAddresses || len(p.Servers()) > maxServers {
			t.Errorf("%d addresses, %d servers", len(p.Addresses()), len(p.Servers()))
		}
	})
}
