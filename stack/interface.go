package stack

import (
	"fmt"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/network/groups"
	"hubbub/network/nat"
	"hubbub/network/neigh"
	"hubbub/network/route"
	"hubbub/wire"
)

// LoopbackMTU is the longest packet that the loopback interface takes, as on
// Linux.
const LoopbackMTU = 65536

// EthernetMTU is the longest packet that fits an Ethernet frame.
const EthernetMTU = wire.MaxPayload

// An Interface is where a stack meets a cable, or itself.
type Interface struct {
	Name      string
	Index     int // also the number of the port that its frames leave by
	MAC       wire.MAC
	MTU       int
	Loopback  bool
	addresses []netip.Prefix // of IPv4
	broadcast []netip.Addr   // of the subnets: all host bits set, or clear
	neighbors *neigh.Cache   // of IPv4; nil on loopback
	groups    *groups.Member // of IPv4; nil on loopback
	six       *ipv6          // nil where IPv6 isn't used
	conf6     conf6
	queriers  queriers
	last      seenBefore
	nat       *nat.Table // of what is hidden behind the address; nil: nothing
}

// AddInterface gives the machine its next interface. One without a MAC address
// is a loopback interface.
func (s *Stack) AddInterface(name string, mac wire.MAC, mtu int) *Interface {
	i := &Interface{Name: name, Index: len(s.interfaces), MAC: mac, MTU: mtu, conf6: s.conf6}
	s.interfaces = append(s.interfaces, i)
	i.restart(s)
	return i
}

// Interfaces returns the machine's interfaces, the loopback one first.
func (s *Stack) Interfaces() []*Interface { return s.interfaces }

// Addresses returns the interface's IPv4 addresses with their subnets.
func (i *Interface) Addresses() []netip.Prefix { return i.addresses }

// Neighbors returns the interface's cache of IPv4 neighbours, nil on loopback.
func (i *Interface) Neighbors() *neigh.Cache { return i.neighbors }

// restart empties the neighbour cache and claims the addresses anew.
func (i *Interface) restart(s *Stack) {
	if i.nat != nil {
		s.Masquerade(i)
	}
	if i.MAC.IsZero() {
		return
	}
	if i.neighbors != nil {
		i.neighbors.Close()
	}
	i.neighbors = neigh.New(&s.cfg.Neighbors, i.MAC, s.rnd)
	i.groups = groups.New(&groups.Config{MTU: i.MTU}, s.rnd)
	s.restartQueriers(i)
	for _, prefix := range i.addresses {
		i.neighbors.AddAddress(0, prefix.Addr(), false)
	}
	if len(i.addresses) > 0 {
		i.groups.SetSource(0, i.addresses[0].Addr())
	}
}

// AddAddress gives an interface an address in a subnet, and the machine the
// route to that subnet. With detect the address is used only after nobody on
// the link has objected (RFC 5227, 2.1; RFC 4862, 5.4), and then announced. With
// the first IPv6 address the interface begins to use IPv6, and gets a
// link-local address too.
func (s *Stack) AddAddress(now clock.Time, i *Interface, prefix netip.Prefix, detect bool) error {
	addr := prefix.Addr()
	if addr.Is6() {
		return s.addAddress6(now, i, prefix, detect)
	}
	if s.own.by(addr) != nil {
		return fmt.Errorf("%w: %s has %v already", ErrAddrInUse, s.cfg.Name, addr)
	}
	i.addresses = append(i.addresses, prefix)
	if !i.Loopback && prefix.Bits() < 31 {
		all := []netip.Addr{lastAddress(prefix), prefix.Masked().Addr()}
		i.broadcast = append(i.broadcast, all...)
		// The machine hears its own broadcasts.
		s.loopback.broadcast = append(s.loopback.broadcast, all...)
	}
	s.own.add(addr, i)
	if err := s.AddRoute(route.Route{
		Prefix: prefix.Masked(), Interface: i.Index, Source: addr, Origin: "connected",
	}); err != nil {
		return err
	}
	if i.neighbors != nil {
		s.with(i.neighbors).AddAddress(now, addr, detect)
		if !detect {
			i.neighbors.PollEvent() // that it may be used: it was given to us, nothing happened
		}
		s.drainNeighbors(now, i)
		s.refreshSources(now, i)
	}
	return nil
}

// AddRoute adds a route, or says what is wrong with it.
func (s *Stack) AddRoute(r route.Route) error {
	s.generation++
	return s.routes.Add(r)
}

// RemoveRoute removes a route, and reports whether there was one.
func (s *Stack) RemoveRoute(r route.Route) bool {
	s.generation++
	return s.routes.Remove(r)
}

// Routes returns the machine's routing table.
func (s *Stack) Routes() *route.Table { return &s.routes }

// Announce tells everybody on the link which address is behind the
// interface's MAC address: a gratuitous ARP (RFC 5227, 2.3), or an unsolicited
// neighbour advertisement (RFC 4861, 7.2.6).
func (s *Stack) Announce(now clock.Time, i *Interface, addr netip.Addr) {
	switch {
	case addr.Is4() && i.neighbors != nil:
		s.with(i.neighbors).Announce(now, addr)
		s.drainNeighbors(now, i)
	case addr.Is6() && i.IPv6() != nil:
		s.with(i.six.neighbors).Announce(now, addr)
		s.drainIPv6(now, i)
	}
}

// subnetOf returns the interface's subnet that holds addr.
func (i *Interface) subnetOf(addr netip.Addr) (netip.Prefix, bool) {
	all := i.addresses
	if addr.Is6() {
		all = i.prefixes6()
	}
	for _, p := range all {
		if p.Contains(bare(addr)) {
			return p.Masked(), true
		}
	}
	return netip.Prefix{}, false
}

// with returns a neighbour cache, told the current cause.
func (s *Stack) with(c *neigh.Cache) *neigh.Cache {
	s.others.known, s.others.touched = false, true
	c.Cause = uint64(s.stream.Cause())
	c.Watch = s.stream.On()
	return c
}

func (i *Interface) handleTimer(s *Stack, now clock.Time) {
	s.driveQueriers(now, i)
	if i.neighbors == nil {
		return
	}
	if i.groups.NextTimer().Due(now) {
		s.membership(i, allHosts).HandleTimer(now)
		s.drainGroups(now, i, i.groups)
	}
	if i.neighbors.NextTimer().Due(now) {
		s.with(i.neighbors).HandleTimer(now)
		s.drainNeighbors(now, i)
	}
}

// isBroadcast reports whether addr reaches everybody on the interface's link:
// the limited broadcast, or the one of a subnet with all host bits set, or the
// obsolete one with all of them clear (R1122-36; RFC 1122, 3.3.6).
func (i *Interface) isBroadcast(addr netip.Addr) bool {
	return addr == limitedBroadcast || slices.Contains(i.broadcast, addr)
}

// isBroadcast reports whether addr reaches everybody on one of the links.
func (s *Stack) isBroadcast(addr netip.Addr) bool { return s.loopback.isBroadcast(addr) }

var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// ownAddresses finds which interface has one of the machine's addresses. Every
// packet asks, and most machines have two or three: those are compared one
// after the other, which is faster than a map.
type ownAddresses struct {
	few  []ownAddress
	many map[netip.Addr]*Interface
}

type ownAddress struct {
	addr netip.Addr
	at   *Interface
}

const fewAddresses = 8

func (o *ownAddresses) add(addr netip.Addr, i *Interface) {
	if o.many == nil {
		o.many = make(map[netip.Addr]*Interface)
	}
	o.many[addr] = i
	o.few = append(o.few, ownAddress{addr, i})
}

func (o *ownAddresses) remove(addr netip.Addr) {
	delete(o.many, addr)
	o.few = slices.DeleteFunc(o.few, func(a ownAddress) bool { return a.addr == addr })
}

// by returns the interface that has addr, nil if none has.
func (o *ownAddresses) by(addr netip.Addr) *Interface {
	if len(o.few) > fewAddresses {
		return o.many[addr]
	}
	for i := range o.few {
		if o.few[i].addr == addr {
			return o.few[i].at
		}
	}
	return nil
}

// lastAddress returns a subnet's address with all host bits set.
func lastAddress(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
