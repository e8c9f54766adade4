package hubbub

import (
	"cmp"
	"net/netip"
	"strings"
	"time"

	"hubbub/link"
	"hubbub/network/route"
	"hubbub/sim"
	"hubbub/stack"
)

// A LAN is a broadcast domain: a hub or a switch, and the cables of those who
// are plugged into it.
type LAN struct {
	network *Network
	name    string
	subnet  netip.Prefix // of IPv4; zero if there is none
	subnet6 netip.Prefix // of IPv6; zero if there is none
	node    *sim.Node
	hub     *link.Hub
	bridge  *link.Bridge
	options lanOptions
	used    map[netip.Addr]string // who has which address
	hosts   []*attachment
	gateway netip.Addr  // the first router's IPv4 address, zero if there is none
	router  *attachment // the first router, nil if there is none
}

// attachment is a host's interface on a LAN.
type attachment struct {
	host    *Host
	lan     *LAN
	index   int        // of the interface
	address netip.Addr // of IPv4; zero if there is none
	addr6   netip.Addr // of IPv6, by hand; zero if there is none
	cable   *Cable
	vlan    uint16
}

// link returns the attachment's link-local address, by which IPv6 names a
// router; the zero Addr if there is none.
func (a *attachment) link() netip.Addr {
	for _, p := range a.host.stack.Interfaces()[a.index].IPv6Addresses() {
		if p.Prefix.Addr().IsLinkLocalUnicast() {
			return p.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// Link is what a cable is like in both directions. A zero Link is perfect: no
// limit, no delay, the usual queue, frames of up to 1500 bytes of payload.
type Link struct {
	Rate  int64         // bit/s; 0 for no limit
	Delay time.Duration // of a bit from one end to the other
	Queue int           // frames that may wait; 0 for 1000
	MTU   int           // bytes of payload in a frame; 0 for 1500
	Loss  float64       // probability, 0 to 1
}

type lanOptions struct {
	hub     bool
	link    Link
	servers []netip.Addr // of names
	domains []string
	dhcp    dhcpMode
	snoops  bool
	guards  bool
}

// A LANOption says what a LAN is like.
type LANOption func(*lanOptions)

// Hub makes the LAN's middle a hub, which repeats every bit to everybody.
func Hub() LANOption { return func(o *lanOptions) { o.hub = true } }

// Switch makes the LAN's middle a learning switch. It is the default.
func Switch() LANOption { return func(o *lanOptions) { o.hub = false } }

// Snooping makes the LAN's switch look into IGMP and MLD messages, so that packets
// for a group go only where somebody listens to it (RFC 4541), and its routers
// ask for groups, without which nobody would report any.
func Snooping() LANOption { return func(o *lanOptions) { o.snoops = true } }

// GuardRouterAdverts makes the LAN's switch drop IPv6 router advertisements that
// come from hosts (RA-Guard, RFC 6105).
func GuardRouterAdverts() LANOption { return func(o *lanOptions) { o.guards = true } }

// Cables says what the LAN's cables are like, if they aren't given their own.
func Cables(l Link) LANOption { return func(o *lanOptions) { o.link = l } }

// LAN makes a LAN whose machines have addresses in subnet, such as
// "172.16.10.0/24", "172.16.10.0/255.255.255.0" or "2001:db8:10::/64"; or in two
// subnets, one of each family: "172.16.10.0/24, 2001:db8:10::/64".
func (n *Network) LAN(name, subnet string, options ...LANOption) *LAN {
	l := &LAN{network: n, name: name, used: make(map[netip.Addr]string)}
	for _, option := range options {
		option(&l.options)
	}
	n.world.Enter()
	defer n.world.Unlock()
	n.claim("LAN", name)
	var err error
	if l.subnet, l.subnet6, err = ParseSubnets(subnet); err != nil {
		n.fail("LAN %q: %w", name, err)
	}
	l.addMedium()
	n.lans = append(n.lans, l)
	return l
}

func (l *LAN) addMedium() {
	w := l.network.world
	if l.options.hub {
		if l.options.snoops || l.options.guards {
			l.network.fail("LAN %q: a hub looks into nothing: for snooping and guarding it needs a switch", l.name)
		}
		l.hub = link.NewHub(0)
		l.node = w.Add(l.mediumName(), l.hub, nil)
		return
	}
	bridge, err := link.NewBridge(link.BridgeConfig{Snooping: l.options.snoops})
	if err != nil {
		l.network.fail("LAN %q: %w", l.name, err)
		return
	}
	l.bridge = bridge
	l.node = w.Add(l.mediumName(), bridge, nil)
}

// mediumName is what the hub or switch is called in the story.
func (l *LAN) mediumName() string {
	if l.options.hub {
		return "hub-" + l.name
	}
	return "switch-" + l.name
}

// Network returns the network that the LAN is in.
func (l *LAN) Network() *Network { return l.network }

// Name returns the LAN's name.
func (l *LAN) Name() string { return l.name }

// Subnet returns the LAN's subnet: that of IPv4 if it has two.
func (l *LAN) Subnet() netip.Prefix {
	if !l.subnet.IsValid() {
		return l.subnet6
	}
	return l.subnet
}

// Subnet6 returns the LAN's subnet of IPv6, the zero Prefix if it has none.
func (l *LAN) Subnet6() netip.Prefix { return l.subnet6 }

// Medium returns the name of the hub or switch in the LAN's middle, as events
// have it, and whether it is a hub.
func (l *LAN) Medium() (name string, hub bool) { return l.mediumName(), l.options.hub }

// Stations returns the address table of the LAN's switch, nil for a hub.
func (l *LAN) Stations() []link.Station {
	l.network.world.Enter()
	defer l.network.world.Unlock()
	if l.bridge == nil {
		return nil
	}
	return l.bridge.Table()
}

// Groups returns the groups that somebody on the LAN listens to, as the LAN's switch
// knows them; nil if it doesn't look (see [Snooping]).
func (l *LAN) Groups() []link.ListenedGroup {
	l.network.world.Enter()
	defer l.network.world.Unlock()
	if l.bridge == nil {
		return nil
	}
	return l.bridge.Groups()
}

// addPort gives the hub or switch one more port, behind which there may be a host
// alone.
func (l *LAN) addPort(vlan uint16, host bool) int {
	var number int
	var err error
	if l.hub != nil {
		number = l.hub.AddPort()
	} else if number, err = l.bridge.AddPort(link.PortConfig{VLAN: vlan, Hosts: host && l.options.guards}); err != nil {
		l.network.fail("LAN %q: %w", l.name, err)
	}
	l.node.AddPort(portName(number), false)
	return number
}

// address chooses or checks an address in a subnet for a machine. It needs the
// lock.
func (l *LAN) address(subnet netip.Prefix, who, wanted string, router bool) netip.Addr {
	if wanted == "" {
		return l.freeAddress(subnet, who, router)
	}
	addr, err := netip.ParseAddr(wanted)
	switch {
	case err != nil:
		l.network.fail("%s: %q is not an IP address: write one such as %v", who, wanted, l.freeAddress(subnet, who, false))
		return netip.Addr{}
	case !subnet.IsValid():
		l.network.fail("%s: the address %v is of another family than %v, the subnet of LAN %q", who, addr, l.Subnet(), l.name)
		return netip.Addr{}
	case !subnet.Contains(addr):
		l.network.fail("%s: the address %v is not in %v, the subnet of LAN %q", who, addr, subnet, l.name)
		return netip.Addr{}
	case !isHostAddress(subnet, addr):
		l.network.fail("%s: the address %v means all of %v, no single machine", who, addr, subnet)
		return netip.Addr{}
	case l.used[addr] != "":
		l.network.fail("%s: the address %v is %s's already", who, addr, l.used[addr])
		return netip.Addr{}
	}
	l.used[addr] = who
	return addr
}

// freeAddress returns the first address that nobody has; the very first is
// kept for a router.
func (l *LAN) freeAddress(subnet netip.Prefix, who string, router bool) netip.Addr {
	if !subnet.IsValid() {
		return netip.Addr{}
	}
	addr, host := subnet.Addr(), subnet.Addr().BitLen()-subnet.Bits()
	if host > 1 {
		addr = addr.Next()
	}
	if !router && host > 2 {
		addr = addr.Next()
	}
	for ; subnet.Contains(addr); addr = addr.Next() {
		if l.used[addr] == "" && isHostAddress(subnet, addr) {
			l.used[addr] = who
			return addr
		}
	}
	l.network.fail("%s: LAN %q has no free address left in %v", who, l.name, subnet)
	return netip.Addr{}
}

// attach plugs a host into the LAN. It needs the lock.
func (l *LAN) attach(h *Host, o *hostOptions, router bool) *attachment {
	a := &attachment{host: h, lan: l, vlan: o.vlan}
	if l.subnet.IsValid() || !l.subnet6.IsValid() || o.address != "" {
		a.address = l.address(l.subnet, h.name, o.address, router)
	}
	mac := l.network.nextMAC()
	if !o.mac.IsZero() {
		mac = o.mac
	}
	cable := l.options.link
	if o.link != nil {
		cable = *o.link
	}
	i := h.stack.AddInterface(portName(len(h.attachments)), mac, cmp.Or(cable.MTU, stack.EthernetMTU))
	a.index = i.Index
	h.node.AddPort(i.Name, false)
	h.attachments = append(h.attachments, a)
	l.hosts = append(l.hosts, a)
	if a.address.IsValid() {
		prefix := netip.PrefixFrom(a.address, l.subnet.Bits())
		if err := h.stack.AddAddress(l.network.world.Now(), i, prefix, o.detect); err != nil {
			l.network.fail("%s: %w", h.name, err)
		}
		l.network.names.add(h.name, a.address)
	}
	l.attach6(a, i, o, router)
	if router && l.options.snoops {
		h.stack.StartQuerier(l.network.world.Now(), i)
	}
	l.attachNames(a, o, router)
	a.cable = l.plug(i.Name, h.node, a.index, l.addPort(a.vlan, !router), cable)
	return a
}

// plug joins a port of a host or uplink to one of the hub or switch.
func (l *LAN) plug(port string, node *sim.Node, index, there int, properties Link) *Cable {
	w := l.network.world
	name := node.Name + "/" + port
	c := &Cable{
		network: l.network, name: name,
		link: link.NewCable(w.Random(name+" out"), w.Random(name+" in")),
	}
	c.node = w.Join(name, c.link, node, index, l.node, there)
	if err := c.apply(properties); err != nil {
		l.network.fail("the cable of %s: %w", node.Name, err)
	}
	return c
}

// setGateway makes the LAN's hosts send what is for elsewhere to a router.
func (l *LAN) setGateway(router *attachment) {
	if l.router == nil {
		l.router = router
		for _, a := range l.hosts {
			a.useRouter(router)
		}
	}
	addr := router.address
	if l.gateway.IsValid() || !addr.IsValid() {
		return
	}
	l.gateway = addr
	for _, a := range l.hosts {
		a.useGateway(addr)
	}
}

// useGateway gives the host its default route, if it is a host and has none.
func (a *attachment) useGateway(addr netip.Addr) {
	h := a.host
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	switch {
	case h.Forwards() || !addr.IsValid():
		return
	case addr.Is6():
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	case h.gateway.IsValid():
		return
	default:
		h.gateway = addr
	}
	err := h.stack.AddRoute(route.Route{
		Prefix: all, NextHop: addr, Interface: a.index, Origin: "gateway",
	})
	if err != nil {
		h.network.fail("%s: the gateway %v: %w", h.name, addr, err)
	}
}

func portName(number int) string {
	const digits = "0123456789"
	if number < 10 {
		return "eth" + digits[number:number+1]
	}
	var b strings.Builder
	b.WriteString(portName(number / 10))
	b.WriteByte(digits[number%10])
	return b.String()
}
