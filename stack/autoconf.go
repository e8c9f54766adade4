package stack

import (
	"fmt"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/event"
	"hubbub/network/addrselect"
	"hubbub/network/autoconf"
	"hubbub/network/neigh"
	"hubbub/network/route"
	"hubbub/wire"
)

// originAdvertised marks the routes that routers advertise.
const originAdvertised = "advertised"

// The metrics of default routers, by their preference (RFC 4191, 2.1).
const (
	metricHigh   = 512
	metricMedium = 1024
	metricLow    = 2048
)

// drainIPv6 takes all output of an interface's IPv6 machines: what one has
// found out may set the next in motion.
func (s *Stack) drainIPv6(now clock.Time, i *Interface) {
	x := i.six
	if x.neighbors == nil {
		return
	}
	s.tellNeighbors(now, i, x.neighbors)
	if x.host != nil {
		s.drainHost(now, i)
	}
	if x.client != nil {
		s.drainDHCP(now, i)
	}
	s.drainGroups(now, i, x.groups)
	if x.advertiser != nil && x.up {
		var room [256]byte
		for a, ok := x.advertiser.PollAdvert(now, room[:0]); ok; a, ok = x.advertiser.PollAdvert(now, room[:0]) {
			s.sendRouterAdvert(i, &a)
		}
	}
	for m, ok := x.neighbors.PollMessage(now); ok; m, ok = x.neighbors.PollMessage(now) {
		s.sendNDP(now, i, &m)
	}
	s.passOn(now, i, x.neighbors, wire.EtherTypeIPv6)
}

// drainHost does what autoconfiguration asks for.
func (s *Stack) drainHost(now clock.Time, i *Interface) {
	for {
		c, ok := i.six.host.PollChange()
		if !ok {
			break
		}
		s.apply(now, i, &c)
	}
	for r, ok := i.six.host.PollSolicitation(now); ok; r, ok = i.six.host.PollSolicitation(now) {
		s.sendRouterSolicitation(i, r.Src)
	}
}

// apply does what a change asks for, and tells of it.
func (s *Stack) apply(now clock.Time, i *Interface, c *autoconf.Change) {
	x, of := i.six, ""
	switch c.Kind {
	case autoconf.AddAddress:
		of = c.Prefix.String()
		s.claim(now, i, address6{
			Source: addrselect.Source{Prefix: c.Prefix, Temporary: c.Temporary}, auto: !isLocal(c.Prefix.Addr()),
		}, true)
	case autoconf.RemoveAddress:
		of = c.Prefix.String()
		s.disown(now, i, c.Prefix.Addr())
	case autoconf.Deprecate, autoconf.Prefer:
		of = c.Addr.String()
		s.deprecate(i, c.Addr, c.Kind == autoconf.Deprecate)
	case autoconf.AddRouter, autoconf.RemoveRouter:
		of = c.Addr.String()
		s.setRouter(i, c.Addr, int8(c.Value), c.Kind == autoconf.AddRouter)
	case autoconf.AddPrefix:
		of = c.Prefix.String()
		s.connect(c.Prefix, i, originAdvertised)
	case autoconf.RemovePrefix:
		of = c.Prefix.String()
		s.RemoveRoute(route.Route{Prefix: c.Prefix, Interface: i.Index})
	case autoconf.SetMTU:
		of = fmt.Sprint(c.Value, " octets")
		x.mtu = min(int(min(c.Value, 1<<20)), i.MTU)
		s.generation++
	case autoconf.SetHopLimit:
		of, x.hopLimit = fmt.Sprint(c.Value), uint8(c.Value)
	case autoconf.SetReachable:
		of = fmt.Sprint(c.Value, " ms")
		x.neighbors.SetReachable(clock.Duration(c.Value) * time.Millisecond)
	case autoconf.SetRetrans:
		of = fmt.Sprint(c.Value, " ms")
		x.neighbors.SetRetransmit(clock.Duration(c.Value) * time.Millisecond)
	case autoconf.SetServers:
		of = fmt.Sprint(x.host.Servers())
	case autoconf.SetDomains:
		of = fmt.Sprint(x.host.Domains())
	case autoconf.AskDHCP:
		of = map[uint32]string{autoconf.DHCPSettings: "settings", autoconf.DHCPAddresses: "addresses and settings"}[c.Value]
		s.askDHCP(now, i, c.Value)
	case autoconf.GiveUp:
		of = c.Prefix.String()
	}
	s.stream.Publish(now, s.cfg.Name, event.Configured{Port: i.Name, What: c.Kind.String(), Of: of, Why: c.Why})
}

// deprecate notes whether an address should begin nothing new (R4862-8).
func (s *Stack) deprecate(i *Interface, addr netip.Addr, yes bool) {
	for n := range i.six.addresses {
		if a := &i.six.addresses[n]; a.addr() == addr {
			a.Deprecated = yes
		}
	}
	i.six.refresh(i)
	s.generation++
}

// setRouter adds a default router, or removes it.
func (s *Stack) setRouter(i *Interface, addr netip.Addr, preference int8, is bool) {
	r := route.Route{
		Prefix: netip.PrefixFrom(netip.IPv6Unspecified(), 0), NextHop: addr, Interface: i.Index,
		Metric: metricMedium, Origin: originAdvertised,
	}
	switch {
	case preference > 0:
		r.Metric = metricHigh
	case preference < 0:
		r.Metric = metricLow
	}
	if !is {
		s.RemoveRoute(r)
		return
	}
	if err := s.AddRoute(r); err != nil {
		panic(err) // both are of IPv6
	}
}

// learnRouters notes which default routers answer: "Routers that are reachable
// or probably reachable [...] SHOULD be preferred over routers whose
// reachability is unknown or suspect" (R4861-8; RFC 4861, 6.3.6).
func (s *Stack) learnRouters(i *Interface) {
	if i.six.host == nil {
		return
	}
	for _, r := range i.six.host.Routers() {
		if _, state, ok := i.six.neighbors.Lookup(r.Addr); ok {
			s.gatewayIs(r.Addr, state != neigh.Failed && state != neigh.Unreachable)
		}
	}
}

// handleTimer6 does what is due of an interface's IPv6.
func (s *Stack) handleTimer6(now clock.Time, i *Interface) {
	x := i.six
	if x == nil || x.neighbors == nil {
		return
	}
	if x.anew {
		s.forgetIPv6(i)
		s.bringUp(now, i)
		s.generation++
		return
	}
	if x.changed {
		x.changed = false
		if x.host != nil {
			x.host.Configure(now, i.hostConfig(s))
		}
		s.drainIPv6(now, i)
	}
	cache := x.neighbors.NextTimer().Due(now)
	if !x.nextTimer().Due(now) {
		return
	}
	s.with(x.neighbors).HandleTimer(now)
	if x.host != nil {
		x.host.HandleTimer(now)
	}
	if x.advertiser != nil {
		x.advertiser.HandleTimer(now)
	}
	if x.client != nil {
		x.client.HandleTimer(now)
	}
	s.membership(i, wire.AllNodes).HandleTimer(now)
	s.drainIPv6(now, i)
	if cache {
		s.learnRouters(i)
	}
}

// nextTimer returns when something is due of an interface's IPv6.
func (x *ipv6) nextTimer() clock.Time {
	if x.neighbors == nil {
		return clock.Never
	}
	if x.anew || x.changed {
		return 1 // long ago
	}
	next := clock.Earlier(x.neighbors.NextTimer(), x.groups.NextTimer())
	if x.host != nil {
		next = clock.Earlier(next, x.host.NextTimer())
	}
	if x.advertiser != nil {
		next = clock.Earlier(next, x.advertiser.NextTimer())
	}
	if x.client != nil {
		next = clock.Earlier(next, x.client.NextTimer())
	}
	return next
}

// heardAddress does what follows from what the neighbour cache says of an
// address of ours.
func (s *Stack) heardAddress(now clock.Time, i *Interface, f *neigh.Fact) {
	x := i.six
	switch {
	case f.Kind == neigh.AddressUsable:
		s.usable(now, i, f.Addr)
	case f.Kind == neigh.AddressLost:
		x.refresh(i)
		s.generation++
		if x.host != nil {
			x.host.HandleAddressLost(now, f.Addr)
		}
		if x.client != nil {
			x.client.HandleAddressLost(now, f.Addr)
		}
	case f.Kind == neigh.NoRouter && x.host != nil:
		x.host.HandleRouterGone(f.Addr)
	}
}
