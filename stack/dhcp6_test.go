package stack

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/network/autoconf"
	"hubbub/network/dhcp6"
	"hubbub/wire"
)

// A dhcpLink is a router and a host on a link without any delay.
type dhcpLink struct {
	t            *testing.T
	router, host *machine
	now          clock.Time
	told         []string // what configured the host
}

// newDHCPLink returns a link whose router advertises with a flag, and gives out
// addresses and settings.
func newDHCPLink(t *testing.T, change func(*autoconf.AdvertConfig)) *dhcpLink {
	advert := autoconf.AdvertConfig{Prefixes: []wire.PrefixInfo{{Prefix: prefix("2001:db8:10::/64"), OnLink: true, Valid: 86400, Preferred: 14400}}}
	change(&advert)
	l := &dhcpLink{t: t, now: 1e9}
	l.router = newMachine(t, func(c *Config) { c.Name, c.Forwarding = "router", true })
	i := l.router.AddInterface("eth0", cardOf(1), EthernetMTU)
	l.router.ok("IPv6", l.router.StartIPv6(l.now, i, IPv6Config{
		Addresses: []netip.Prefix{prefix("2001:db8:10::1/64")}, FromMAC: true, Advertise: &advert,
		DHCP: &dhcp6.ServerConfig{
			First: ip("2001:db8:10::1000"), Count: 100, Link: prefix("2001:db8:10::/64"), Preferred: 1000, Valid: 2000,
			DNS: []netip.Addr{ip("2001:db8:10::53")}, Domains: []string{"lab.test"},
		},
	}))
	l.host = newMachine(t, func(c *Config) { c.Name, c.Random = "host", rand.New(rand.NewPCG(3, 4)) })
	l.host.stream.Listen(func(e *event.Event) {
		if c, ok := e.Body.(event.Configured); ok && c.Port == "eth0" {
			l.told = append(l.told, fmt.Sprintf("%s: %s", c.What, c.Of))
		}
	})
	i = l.host.AddInterface("eth0", cardOf(2), EthernetMTU)
	l.host.ok("IPv6", l.host.StartIPv6(l.now, i, IPv6Config{Autoconfigure: true, FromMAC: true}))
	return l
}

// until lets time pass, and the two hear each other.
func (l *dhcpLink) until(end clock.Time) {
	l.t.Helper()
	for range 100000 {
		l.pump(l.router, l.host)
		l.pump(l.host, l.router)
		next := clock.Earlier(l.router.NextTimer(), l.host.NextTimer())
		if next == clock.Never || next > end {
			l.now = end
			return
		}
		l.now = max(l.now, next)
		l.router.HandleTimer(l.now)
		l.host.HandleTimer(l.now)
	}
	l.t.Fatalf("at %v it never ends", l.now)
}

func (l *dhcpLink) pump(from, to *machine) {
	for {
		port, p, ok := from.PollFrame(l.now)
		if !ok {
			return
		}
		switch b := p.AppendTo(nil); {
		case from.Interfaces()[port].Loopback:
			from.HandleFrame(l.now, port, p)
			continue
		case to.Interfaces()[1].MAC == wire.MAC(b[:6]) || b[0]&1 != 0:
			to.HandleFrame(l.now, 1, p)
			continue
		}
		p.Release()
	}
}

// addresses returns the host's addresses but the link-local one.
func (l *dhcpLink) addresses() string {
	var all []string
	for _, a := range l.host.Interfaces()[1].IPv6Addresses()[1:] {
		all = append(all, fmt.Sprint(a.Prefix.Bits(), " ", a.State, " ", prefix("2001:db8:10::1000/118").Contains(a.Prefix.Addr())))
	}
	return strings.Join(all, ", ")
}

func (l *dhcpLink) want(what string, got, want any) {
	l.t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		l.t.Errorf("at %v: %s: %s, want %s", l.now, what, g, w)
	}
}

const second = clock.Time(1e9)

// RFC 4861, 4.2: with the flag O a host asks for settings alone, and with M for
// an address too, which has no prefix (RFC 8415, 18.2.10.1). Without either it
// asks for nothing.
func TestTheRoutersFlagsSayWhatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		managed, other   bool
		addresses, names string
	}{
		{false, false, "", "[] []"},
		{false, true, "", "[2001:db8:10::53] [lab.test]"},
		{true, false, "128 preferred true", "[2001:db8:10::53] [lab.test]"},
	} {
		l := newDHCPLink(t, func(a *autoconf.AdvertConfig) { a.Managed, a.Other = c.managed, c.other })
		l.until(30 * second)
		l.want("addresses", l.addresses(), c.addresses)
		l.want("names", fmt.Sprint(l.host.NameServers(), l.host.SearchDomains()), c.names)
		l.want("leases", len(l.router.Interfaces()[1].Leases(l.now)), strings.Count(c.addresses, "128"))
	}
}

// RFC 8415, 18.2.4: at T1 the client renews its lease with the server that it has
// it from. When nobody answers, the address is deprecated, and then lost.
func TestALeaseIsKeptAndLost(t *testing.T) {
	l := newDHCPLink(t, func(a *autoconf.AdvertConfig) { a.Managed = true })
	l.until(5000 * second)
	l.want("after five preferred lifetimes", l.addresses(), "128 preferred true")
	l.router.Interfaces()[1].six.server = nil
	l.until(6500 * second)
	l.want("without a server", l.addresses(), "128 deprecated true")
	l.until(8000 * second)
	l.want("after the valid lifetime", l.addresses(), "")
	l.router.serveDHCP(l.now, l.router.Interfaces()[1])
	l.until(8000*second + 7200*second)
	l.want("with a new server", l.addresses(), "128 preferred true")
}

// RFC 8415, 18.2.8: "If a client detects that one or more addresses assigned to
// it by a server are already in use by another node, the client sends a Decline
// message": it gets another one.
func TestAnAddressThatIsInUseIsDeclined(t *testing.T) {
	l := newDHCPLink(t, func(a *autoconf.AdvertConfig) { a.Managed = true })
	for range 20 { // until the address is tentative
		if l.addresses() != "" {
			break
		}
		l.until(l.now + second/2)
	}
	l.want("the address", l.addresses(), "128 tentative true")
	first := l.host.Interfaces()[1].IPv6Addresses()[1].Prefix.Addr()
	l.host.now = l.now
	n := wire.NeighborMessage{Target: first, Override: true}
	l.host.hears6(advertises(first.String(), "ff02::1", n, 9))
	l.until(l.now + 60*second)
	l.want("another address", l.addresses(), "128 preferred true")
	if second := l.host.Interfaces()[1].IPv6Addresses()[1].Prefix.Addr(); second == first {
		t.Errorf("the address is %v again", second)
	}
}

// Power takes a host's lease with it; switched on again, it asks for the same
// address, and gets it.
func TestALeaseSurvivesTheHostsPower(t *testing.T) {
	l := newDHCPLink(t, func(a *autoconf.AdvertConfig) { a.Managed = true })
	l.until(30 * second)
	before := l.host.Interfaces()[1].IPv6Addresses()[1].Prefix
	l.host.Restart(l.now)
	l.want("names while it is off", len(l.host.NameServers()), 0)
	l.until(40 * second)
	l.host.Boot(l.now)
	l.until(100 * second)
	l.want("its address", l.host.Interfaces()[1].IPv6Addresses()[1].Prefix, before)
}

// What comes to the ports of DHCPv6 where nobody asks or answers is a program's;
// where somebody does, what isn't for it is discarded and counted.
func TestDHCPMessagesThatNobodyWants(t *testing.T) {
	m := newHost6(t)
	e := m.listensUDP("[::]:546")
	m.hears6(datagram6("[fe80::11]:547", "["+link6+"]:546", "hello"))
	e.gets(t, "[fe80::11%eth0]:547: hello")

	l := newDHCPLink(t, func(a *autoconf.AdvertConfig) { a.Other = true })
	l.until(30 * second)
	l.router.forget()
	l.host.forget()
	l.host.now, l.router.now = l.now, l.now
	l.host.hears6(datagram6("[fe80::11]:547", "["+bare(l.host.Interfaces()[1].six.linkLocal()).String()+"]:546", "x"))
	l.router.hears6(datagram6("[2001:db8:10::77]:546", "[ff02::1:2]:547", "hello"))
	l.router.hears6(datagram6("[fe80::11]:546", "[2001:db8:10::1]:547", "hello"))
	l.router.hears6(datagram6("[fe80::11]:546", "[ff02::1:2]:547", "x"))
	l.want("the host's discards", l.host.Stack.discards[discardDHCP+Discard(dhcp6.Malformed)], 1)
	l.want("the router's", l.router.Stack.discards[discardDHCP+Discard(dhcp6.NotForUs)], 2)
	l.want("the router's", l.router.Stack.discards[discardDHCP+Discard(dhcp6.Malformed)], 1)
}

// A router may advertise itself before the host's first address has turned out to
// be its own: until then there is nowhere to ask from.
func TestDHCPWaitsForALinkLocalAddress(t *testing.T) {
	m := newMachine(t, nil)
	m.card6(IPv6Config{Autoconfigure: true, FromMAC: true})
	m.forget()
	m.hears6(routerSays(wire.RouterAdvert{Lifetime: 1800, Other: true}))
	from := ""
	for range 40 {
		m.passes(seconds(0.1))
		for _, s := range m.sent {
			if strings.Contains(s.text, "]:547") && from == "" {
				from, _, _ = strings.Cut(s.text, "]")
			}
		}
		m.sent = nil
	}
	if from != "[fe80::ff:fe00:10" {
		t.Errorf("the first message comes from %s", from)
	}
}
