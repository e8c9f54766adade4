package stack

import (
	"fmt"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/network/addrselect"
	"hubbub/network/autoconf"
	"hubbub/network/dhcp6"
	"hubbub/network/groups"
	"hubbub/network/neigh"
	"hubbub/network/route"
	"hubbub/wire"
)

// IPv6Config says how an interface gets its IPv6 addresses. It always has a
// link-local one (RFC 4862, 5.3, R4862-1).
type IPv6Config struct {
	Addresses []netip.Prefix // by hand, with the lengths of their subnets
	// LinkLocal is the link-local address; the zero Addr has one made, and so
	// has Autoconfigure.
	LinkLocal netip.Addr
	// Detect makes the interface ask whether anybody else has an address before
	// it is used (RFC 4862, 5.4, R4862-2). What is made from a prefix always is asked for.
	Detect bool
	// Autoconfigure makes a host ask for routers, and heed what they
	// advertise.
	Autoconfigure bool
	// Temporary makes addresses that last a day, besides the stable ones
	// (RFC 8981).
	Temporary bool
	// FromMAC makes addresses from the MAC address, so that anybody can tell
	// that (RFC 4291, appendix A), and not from a secret (RFC 7217).
	FromMAC bool
	// Advertise is what a router tells on the link, nil for nothing.
	Advertise *autoconf.AdvertConfig
	// DHCP is what a router gives out by DHCPv6, nil for nothing. Who it is, is
	// filled in.
	DHCP *dhcp6.ServerConfig
}

// ipv6 is what an interface that uses IPv6 has for it.
type ipv6 struct {
	cfg        IPv6Config
	neighbors  *neigh.Cache         // nil on loopback
	groups     *groups.Member       // nil on loopback
	host       *autoconf.Host       // nil where addresses are given by hand alone
	advertiser *autoconf.Advertiser // nil where nothing is advertised
	client     *dhcp6.Client        // nil where no router says that there is DHCPv6
	server     *dhcp6.Server        // nil where nothing is given out
	addresses  []address6
	sources    []addrselect.Source // those that may be used
	mtu        int                 // at most the link's
	hopLimit   uint8               // of what is sent; zero: the machine's
	up         bool                // the link-local address may be used
	anew       bool                // it is to begin anew, now
	changed    bool                // it is to configure itself otherwise, now
}

// An address6 is an IPv6 address of an interface, without a zone.
type address6 struct {
	addrselect.Source
	auto bool // made from a prefix that a router advertised, or given by DHCPv6
}

func (a *address6) addr() netip.Addr { return a.Prefix.Addr() }

// linkLocal is the prefix of the addresses that count on one link alone
// (RFC 4291, 2.5.6).
var linkLocal = netip.MustParsePrefix("fe80::/64")

// StartIPv6 makes an interface use IPv6. It must not use it yet, and have room
// for packets of 1280 octets (RFC 8200, 5, R8200-12).
func (s *Stack) StartIPv6(now clock.Time, i *Interface, cfg IPv6Config) error {
	switch {
	case i.six != nil:
		return fmt.Errorf("%w: %s of %s uses IPv6 already", ErrInvalid, i.Name, s.cfg.Name)
	case i.MTU < wire.MinIPv6MTU:
		return fmt.Errorf("%w: %s of %s has an MTU of %d octets, and IPv6 needs %d", ErrInvalid, i.Name, s.cfg.Name, i.MTU, wire.MinIPv6MTU)
	}
	for _, p := range cfg.Addresses {
		if s.own.by(p.Addr()) != nil {
			return fmt.Errorf("%w: %s has %v already", ErrAddrInUse, s.cfg.Name, p.Addr())
		}
	}
	if !i.Loopback && s.stable == [16]byte{} {
		s.stable = newSecret(s.rnd).key
	}
	i.six = &ipv6{cfg: cfg}
	i.conf6.adopt(&cfg)
	s.bringUp(now, i)
	return nil
}

// bringUp begins an interface's IPv6, as when the machine is switched on.
func (s *Stack) bringUp(now clock.Time, i *Interface) {
	x := i.six
	*x = ipv6{cfg: x.cfg, mtu: i.mtuOfSix(), hopLimit: uint8(i.conf6.hopLimit)}
	if !i.Loopback {
		x.neighbors = neigh.NewNDP(i.neighborConfig(s), i.MAC, s.rnd)
		x.neighbors.Router = s.cfg.Forwarding6
		x.groups = groups.NewMLD(&groups.Config{MTU: i.MTU}, s.rnd)
		if i.conf6.disable != 0 {
			return
		}
		if x.cfg.Advertise != nil && s.cfg.Forwarding6 {
			x.advertiser = autoconf.NewAdvertiser(*x.cfg.Advertise, i.MAC, s.rnd)
		}
		s.claimLinkLocal(now, i)
		if s.cfg.Forwarding6 {
			s.join(now, i, wire.AllRouters)
			s.serveDHCP(now, i)
			s.hearReports6(now, i)
		}
	}
	for _, p := range x.cfg.Addresses {
		s.claim(now, i, address6{Source: addrselect.Source{Prefix: p}}, x.cfg.Detect)
		s.connect(p, i, "connected")
	}
	s.drainIPv6(now, i)
}

// claimLinkLocal gives the interface its link-local address.
func (s *Stack) claimLinkLocal(now clock.Time, i *Interface) {
	x := i.six
	s.connect(linkLocal, i, "connected")
	if i.conf6.generation == noAddress {
		return
	}
	cfg := i.hostConfig(s)
	if i.heedsRouters(s) {
		x.host = autoconf.NewHost(cfg, s.rnd)
		x.host.Start(now)
		return
	}
	addr := x.cfg.LinkLocal
	if !addr.IsValid() {
		addr = cfg.Address(linkLocal, 0)
	}
	s.claim(now, i, address6{Source: addrselect.Source{Prefix: netip.PrefixFrom(addr, 64)}}, x.cfg.Detect)
}

// claim makes an address the interface's: at once, or with detect when nobody
// else has turned out to have it.
func (s *Stack) claim(now clock.Time, i *Interface, a address6, detect bool) {
	x, addr := i.six, a.addr()
	x.addresses = append(x.addresses, a)
	s.own.add(s.zoned(i, addr), i)
	s.generation++
	if i.Loopback {
		x.refresh(i)
		return
	}
	detect = detect && i.conf6.transmits > 0
	s.with(x.neighbors).AddAddress(now, addr, detect)
	if !detect && !x.up && isLocal(addr) {
		x.neighbors.PollEvent() // that it may be used: it was given to us, nothing happened
		s.usable(now, i, addr)
	} else if !detect {
		x.neighbors.PollEvent()
		x.refresh(i)
	}
	if !detect { // else before it is asked for, in sendNDP
		s.join(now, i, wire.SolicitedNode(addr))
	}
}

// disown takes an address away from the interface.
func (s *Stack) disown(now clock.Time, i *Interface, addr netip.Addr) {
	x := i.six
	x.addresses = slices.DeleteFunc(x.addresses, func(a address6) bool { return a.addr() == addr })
	s.own.remove(s.zoned(i, addr))
	x.neighbors.RemoveAddress(now, addr)
	s.leave(now, i, wire.SolicitedNode(addr))
	x.refresh(i)
	s.generation++
}

// refresh notes anew which addresses may be used.
func (x *ipv6) refresh(i *Interface) {
	x.sources = x.sources[:0]
	for _, a := range x.addresses {
		if i.Loopback || x.neighbors.Usable(a.addr()) {
			a.Interface = i.Index
			if x.host != nil {
				a.Routers = x.host.RoutersOf(a.addr())
			}
			x.sources = append(x.sources, a.Source)
		}
	}
}

// usable does what follows from an address's being ours alone: with the
// link-local one, routers are asked for, or told of.
func (s *Stack) usable(now clock.Time, i *Interface, addr netip.Addr) {
	x := i.six
	x.refresh(i)
	s.refreshSources(now, i)
	s.generation++
	if x.host != nil {
		x.host.HandleAddressUsable(now, addr)
	}
	if isLocal(addr) && !x.up {
		x.up = true
		if x.advertiser != nil {
			x.advertiser.Start(now)
		}
		if x.client != nil {
			x.client.Start(now)
		}
		s.driveQueriers(now, i)
	}
}

// connect adds the route to a subnet of the interface's link.
func (s *Stack) connect(p netip.Prefix, i *Interface, origin string) {
	if i.Loopback {
		return // what is for an address of the machine's own needs no route
	}
	if err := s.AddRoute(route.Route{Prefix: p.Masked(), Interface: i.Index, Origin: origin}); err != nil {
		panic(err) // the prefix is valid, and there is no next hop
	}
}

// addAddress6 is [Stack.AddAddress] for IPv6.
func (s *Stack) addAddress6(now clock.Time, i *Interface, p netip.Prefix, detect bool) error {
	if i.six == nil {
		return s.StartIPv6(now, i, IPv6Config{Addresses: []netip.Prefix{p}, Detect: detect})
	}
	if s.own.by(s.zoned(i, p.Addr())) != nil {
		return fmt.Errorf("%w: %s has %v already", ErrAddrInUse, s.cfg.Name, p.Addr())
	}
	i.six.cfg.Addresses = append(i.six.cfg.Addresses, p)
	s.claim(now, i, address6{Source: addrselect.Source{Prefix: p}}, detect)
	s.connect(p, i, "connected")
	s.drainIPv6(now, i)
	return nil
}

// Boot begins what a machine does of itself when it is switched on: its
// interfaces make themselves IPv6 addresses, and ask for routers.
func (s *Stack) Boot(now clock.Time) {
	for _, i := range s.interfaces {
		if i.six != nil && !i.Loopback {
			s.bringUp(now, i)
		}
		s.hearReports4(now, i)
		s.driveQueriers(now, i)
	}
}

// forgetIPv6 forgets what is lost with the power.
func (s *Stack) forgetIPv6(i *Interface) {
	x := i.six
	if x == nil || i.Loopback {
		return
	}
	x.neighbors.Close()
	for _, a := range x.addresses {
		s.own.remove(s.zoned(i, a.addr()))
	}
	for _, r := range s.routes.Routes() {
		if r.Interface == i.Index && (r.Origin == originAdvertised || r.Origin == "connected" && r.Prefix.Addr().Is6()) {
			s.routes.Remove(r)
		}
	}
	// Until it is switched on again, nothing begins and nothing is due.
	*x = ipv6{cfg: x.cfg, mtu: i.mtuOfSix()}
	x.neighbors = neigh.NewNDP(i.neighborConfig(s), i.MAC, s.rnd)
	x.groups = groups.NewMLD(&groups.Config{MTU: i.MTU}, s.rnd)
}

// An IPv6Address is an address of an interface, and what it is like.
type IPv6Address struct {
	Prefix     netip.Prefix // without a zone
	State      string       // "tentative", "preferred", "deprecated" or "duplicate"
	Temporary  bool
	Advertised bool // made from a prefix that a router advertised, or given by DHCPv6
}

// IPv6Addresses returns the interface's IPv6 addresses, the link-local one
// first.
func (i *Interface) IPv6Addresses() []IPv6Address {
	if i.six == nil {
		return nil
	}
	var all []IPv6Address
	for _, a := range i.six.addresses {
		all = append(all, IPv6Address{a.Prefix, i.six.state(i, &a), a.Temporary, a.auto})
	}
	return all
}

func (x *ipv6) state(i *Interface, a *address6) string {
	if !i.Loopback {
		for _, own := range x.neighbors.Addresses() {
			switch {
			case own.Addr != a.addr():
			case own.State == neigh.Probing:
				return "tentative"
			case own.State == neigh.Lost:
				return "duplicate"
			}
		}
	}
	if a.Deprecated {
		return "deprecated"
	}
	return "preferred"
}

// UsesIPv6 reports whether one of the machine's links has IPv6.
func (s *Stack) UsesIPv6() bool {
	for _, i := range s.interfaces {
		if i.six != nil && !i.Loopback && i.conf6.disable == 0 {
			return true
		}
	}
	return false
}

// IPv6 returns the interface's cache of IPv6 neighbours, nil on loopback and
// where it doesn't use IPv6.
func (i *Interface) IPv6() *neigh.Cache {
	if i.six == nil {
		return nil
	}
	return i.six.neighbors
}

// mtu6 returns the longest IPv6 packet that the link takes.
func (i *Interface) mtu6() int {
	if i.six == nil {
		return i.MTU
	}
	return i.six.mtu
}

// prefixes6 returns the IPv6 addresses with the lengths of their prefixes,
// those that count everywhere first.
func (i *Interface) prefixes6() []netip.Prefix {
	if i.six == nil {
		return nil
	}
	var all, local []netip.Prefix
	for _, a := range i.six.addresses {
		if isLocal(a.addr()) {
			local = append(local, a.Prefix)
		} else {
			all = append(all, a.Prefix)
		}
	}
	return append(all, local...)
}
