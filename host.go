package hubbub

import (
	"context"
	"net"
	"net/netip"
	"time"

	"hubbub/event"
	"hubbub/network/neigh"
	"hubbub/network/route"
	"hubbub/sim"
	"hubbub/socket"
	"hubbub/stack"
	"hubbub/wire"
)

// A Host is a machine of the network: a computer, or a [Router].
type Host struct {
	network     *Network
	name        string
	stack       *stack.Stack
	sockets     *socket.Host
	node        *sim.Node
	attachments []*attachment
	gateway     netip.Addr
	gateway6    netip.Addr
	off         bool
}

type hostOptions struct {
	address                           string
	address6                          string
	autoconfigure, fromMAC, temporary bool
	gateway                           string
	mac                               wire.MAC
	link                              *Link
	vlan                              uint16
	detect                            bool
	unprivileged                      bool
}

// A HostOption says what a host is like.
type HostOption func(*hostOptions)

// Address gives the host an address in its LAN's subnet. Without it, it has
// the first that is free. On a LAN with two subnets it may be used twice, once
// for each family.
func Address(addr string) HostOption {
	return func(o *hostOptions) {
		if ip, err := netip.ParseAddr(addr); err == nil && ip.Is6() {
			o.address6 = addr
			return
		}
		o.address = addr
	}
}

// Autoconfigure makes the host find out its IPv6 addresses by itself: a
// link-local one, and one for each prefix that a router advertises (RFC 4862),
// which takes some seconds. What they are can't be foreseen, and stays the same
// (RFC 7217). Without it, it has the first address of the subnet that is free.
func Autoconfigure() HostOption { return func(o *hostOptions) { o.autoconfigure = true } }

// FromMAC makes the host's autoconfigured addresses from its MAC address, as
// machines did before RFC 7217, so that everybody can tell that they are its own
// (RFC 4291, appendix A).
func FromMAC() HostOption { return func(o *hostOptions) { o.fromMAC = true } }

// TemporaryAddresses makes a host that autoconfigures itself use addresses that
// last a day, besides the stable ones (RFC 8981).
func TemporaryAddresses() HostOption { return func(o *hostOptions) { o.temporary = true } }

// Gateway makes the host send what is for elsewhere to that address, instead
// of to the LAN's first router.
func Gateway(addr string) HostOption { return func(o *hostOptions) { o.gateway = addr } }

// HardwareAddress gives the host's card a MAC address of its own.
func HardwareAddress(mac wire.MAC) HostOption { return func(o *hostOptions) { o.mac = mac } }

// WithCable says what the host's cable is like, instead of the LAN's others.
func WithCable(l Link) HostOption { return func(o *hostOptions) { o.link = &l } }

// VLAN makes the host's port of the switch an access port of that VLAN.
func VLAN(id uint16) HostOption { return func(o *hostOptions) { o.vlan = id } }

// DetectConflicts makes the host ask whether anybody else has its address
// before it uses it (RFC 5227), which takes some seconds.
func DetectConflicts() HostOption { return func(o *hostOptions) { o.detect = true } }

// Unprivileged keeps the host's programs from ports below 1024 and from raw
// sockets.
func Unprivileged() HostOption { return func(o *hostOptions) { o.unprivileged = true } }

// Host plugs a new host into the LAN.
func (l *LAN) Host(name string, options ...HostOption) *Host {
	var o hostOptions
	for _, option := range options {
		option(&o)
	}
	n := l.network
	n.world.Enter()
	defer n.world.Leave(nil)
	h := n.newHost("host", name, false)
	h.sockets.SetPrivilegedLocked(!o.unprivileged)
	gateway := l.gateway
	if o.gateway != "" {
		addr, err := netip.ParseAddr(o.gateway)
		switch {
		case err != nil:
			n.fail("%s: the gateway %q is not an IP address", name, o.gateway)
		case addr.Is6():
			h.gateway6 = addr.WithZone("")
		default:
			gateway = addr
		}
	}
	a := l.attach(h, &o, false)
	a.useGateway(gateway)
	if o.gateway != "" && h.gateway6.IsValid() {
		a.useGateway(h.gateway6)
	}
	n.world.Changed(h.node)
	return h
}

// newHost makes a machine that isn't plugged in anywhere. It needs the lock.
func (n *Network) newHost(kind, name string, forwards bool) *Host {
	n.claim(kind, name)
	config := n.config
	config.Name, config.Stream, config.Random = name, &n.world.Stream, n.world.Random(name)
	config.Forwarding = forwards
	h := &Host{network: n, name: name, stack: stack.New(config)}
	h.sockets = socket.NewHost(n.world, h.stack, &n.names, n.epoch)
	h.node = h.sockets.Node()
	n.hosts = append(n.hosts, h)
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Network returns the network that the host is part of.
func (h *Host) Network() *Network { return h.network }

// Forwards reports whether the host is a router.
func (h *Host) Forwards() bool { return h.stack.Forwarding() }

// Addr returns the host's address; a router's first. Where the LAN has two
// subnets it is that of IPv4. Of a host that autoconfigures itself it is the
// zero Addr until it has one.
func (h *Host) Addr() netip.Addr {
	if len(h.attachments) == 0 {
		return netip.Addr{}
	}
	a := h.attachments[0]
	switch {
	case a.address.IsValid():
		return a.address
	case a.addr6.IsValid():
		return a.addr6
	}
	for _, p := range h.Addresses() {
		if p.State == "preferred" && !p.Prefix.Addr().IsLinkLocalUnicast() {
			return p.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// Addresses returns the IPv6 addresses of all the host's cards, as they are
// now.
func (h *Host) Addresses() []stack.IPv6Address {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	var all []stack.IPv6Address
	for _, a := range h.attachments {
		all = append(all, h.stack.Interfaces()[a.index].IPv6Addresses()...)
	}
	return all
}

// MAC returns the address of the host's card; a router's first.
func (h *Host) MAC() wire.MAC {
	if len(h.attachments) == 0 {
		return wire.MAC{}
	}
	return h.stack.Interfaces()[h.attachments[0].index].MAC
}

// Gateway returns where the host sends what is for elsewhere, the zero Addr if
// nowhere; Gateway6 what is of IPv6, if that was given by hand.
func (h *Host) Gateway() netip.Addr  { return h.gateway }
func (h *Host) Gateway6() netip.Addr { return h.gateway6 }

// An Interface is a host's card, and its place in a LAN.
type Interface struct {
	Name    string
	MAC     wire.MAC
	MTU     int
	LAN     string
	Address netip.Prefix        // of IPv4; zero if there is none
	IPv6    []stack.IPv6Address // as they are now, the link-local one first
	Cable   *Cable
}

// Interfaces returns the host's cards; the loopback interface isn't one.
func (h *Host) Interfaces() []Interface {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	all := make([]Interface, len(h.attachments))
	for n, a := range h.attachments {
		i := h.stack.Interfaces()[a.index]
		all[n] = Interface{
			Name: i.Name, MAC: i.MAC, MTU: i.MTU, LAN: a.lan.name, Cable: a.cable,
			Address: netip.PrefixFrom(a.address, a.lan.subnet.Bits()), IPv6: i.IPv6Addresses(),
		}
	}
	return all
}

// Cable returns the cable of the host's card; a router's first.
func (h *Host) Cable() *Cable {
	if len(h.attachments) == 0 {
		return nil
	}
	return h.attachments[0].cable
}

// Dial opens a connection, or a datagram socket: see [socket.Host.Dial]. The
// address may have a host's name instead of its address.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext is [Host.Dial] with a context. It is what other packages take to
// dial with, as in http.Transport{DialContext: host.DialContext}; package http
// starts goroutines of its own, which a virtual network doesn't know.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := h.network.Err(); err != nil {
		return nil, err
	}
	return h.sockets.DialContext(ctx, network, address)
}

// Listen listens for connections: see [socket.Host.Listen].
func (h *Host) Listen(network, address string) (net.Listener, error) {
	if err := h.network.Err(); err != nil {
		return nil, err
	}
	return h.sockets.Listen(network, address)
}

// ListenPacket binds a datagram socket: see [socket.Host.ListenPacket].
func (h *Host) ListenPacket(network, address string) (net.PacketConn, error) {
	if err := h.network.Err(); err != nil {
		return nil, err
	}
	return h.sockets.ListenPacket(network, address)
}

// Socket creates a socket with the functions of the BSD interface.
func (h *Host) Socket(family socket.Family, kind socket.Type) (*socket.Socket, error) {
	return h.SocketOf(family, kind, 0)
}

// SocketOf creates a socket of a certain protocol: see [socket.Host.SocketOf].
func (h *Host) SocketOf(family socket.Family, kind socket.Type, protocol int) (*socket.Socket, error) {
	if err := h.network.Err(); err != nil {
		return nil, err
	}
	return h.sockets.SocketOf(family, kind, protocol)
}

// Poll waits for several of the host's sockets: see [socket.Host.Poll].
func (h *Host) Poll(fds []socket.PollFD, timeout time.Duration) (int, error) {
	return h.sockets.Poll(fds, timeout)
}

// NewEpoll returns an empty set of sockets to be waited for: epoll(7).
func (h *Host) NewEpoll() *socket.Epoll { return h.sockets.NewEpoll() }

// Resolver returns what finds addresses by the host's names.
func (h *Host) Resolver() *Resolver { return &Resolver{h} }

// Go starts a program on the host: see [Network.Go].
func (h *Host) Go(f func()) { h.network.Go(h.name, f) }

// PowerOff switches the host off. Nothing is sent: no FIN, no reset; it is
// just gone, with everything that it knew. Its programs' calls return errors
// that are [net.ErrClosed].
func (h *Host) PowerOff() { h.setPower(false) }

// PowerOn switches the host on again. It has its addresses and routes, and
// knows of nothing that was before.
func (h *Host) PowerOn() { h.setPower(true) }

func (h *Host) setPower(on bool) {
	w := h.network.world
	w.Enter()
	defer w.Leave(h.node)
	if h.off == !on {
		return
	}
	h.off = !on
	what := "switched off: everything it knew is lost, and nobody is told"
	if on {
		what = "switched on"
	}
	id := w.Stream.Publish(w.Now(), h.name, event.Fault{What: what})
	before := w.Stream.Because(id)
	h.node.SetPower(on)
	if on {
		h.stack.Boot(w.Now())
	} else {
		h.sockets.Abandon(w.Now())
	}
	w.Stream.Because(before)
}

// Neighbors returns the host's neighbour caches, ARP's before IPv6's, each
// ordered by address.
func (h *Host) Neighbors() []neigh.Entry {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	var all []neigh.Entry
	for _, i := range h.stack.Interfaces() {
		if i.Neighbors() != nil {
			all = append(all, i.Neighbors().Entries()...)
		}
	}
	for _, i := range h.stack.Interfaces() {
		if i.IPv6() != nil {
			all = append(all, i.IPv6().Entries()...)
		}
	}
	return all
}

// Routes returns the host's routing table, in the order in which it is
// searched.
func (h *Host) Routes() []route.Route {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	return h.stack.Routes().Routes()
}

// AddRoute makes the host send what is for prefix to the router nextHop, which
// must be in the subnet of one of its cards, or be a link-local address with the
// card as its zone, such as fe80::1%eth0.
func (h *Host) AddRoute(prefix netip.Prefix, nextHop netip.Addr) error {
	n := h.network
	n.world.Enter()
	defer n.world.Unlock()
	for _, a := range h.attachments {
		local := nextHop.Is6() && nextHop.IsLinkLocalUnicast() && nextHop.Zone() == h.stack.Interfaces()[a.index].Name
		if a.lan.subnet.Contains(nextHop) || a.lan.subnet6.Contains(nextHop) || local {
			return h.stack.AddRoute(route.Route{
				Prefix: prefix.Masked(), NextHop: nextHop.WithZone(""), Interface: a.index, Origin: "static",
			})
		}
	}
	return n.fail("%s: the next hop %v of the route to %v is in none of its subnets", h.name, nextHop, prefix)
}

// Discards returns how many packets the host has thrown away, by reason.
func (h *Host) Discards() map[string]uint64 {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	return h.stack.Discards()
}

// Netstat returns the host's sockets and connections, as netstat -an shows
// them.
func (h *Host) Netstat() []stack.SocketState {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	return h.stack.Netstat()
}
