package hubbub

import (
	"context"
	"net"
	"net/http"
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
	off         bool
}

type hostOptions struct {
	address      string
	gateway      string
	mac          wire.MAC
	link         *Link
	vlan         uint16
	detect       bool
	unprivileged bool
}

// A HostOption says what a host is like.
type HostOption func(*hostOptions)

// Address gives the host an address in its LAN's subnet. Without it, it has
// the first that is free.
func Address(addr string) HostOption { return func(o *hostOptions) { o.address = addr } }

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
	a := l.attach(h, &o, false)
	gateway := l.gateway
	if o.gateway != "" {
		addr, err := netip.ParseAddr(o.gateway)
		if err != nil {
			n.fail("%s: the gateway %q is not an IP address", name, o.gateway)
		}
		gateway = addr
	}
	a.useGateway(gateway)
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

// Addr returns the host's address; a router's first.
func (h *Host) Addr() netip.Addr {
	if len(h.attachments) == 0 {
		return netip.Addr{}
	}
	return h.attachments[0].address
}

// MAC returns the address of the host's card; a router's first.
func (h *Host) MAC() wire.MAC {
	if len(h.attachments) == 0 {
		return wire.MAC{}
	}
	return h.stack.Interfaces()[h.attachments[0].index].MAC
}

// Gateway returns where the host sends what is for elsewhere, the zero Addr if
// nowhere.
func (h *Host) Gateway() netip.Addr { return h.gateway }

// An Interface is a host's card, and its place in a LAN.
type Interface struct {
	Name    string
	MAC     wire.MAC
	MTU     int
	LAN     string
	Address netip.Prefix
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
			Address: netip.PrefixFrom(a.address, a.lan.subnet.Bits()),
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

// DialContext is [Host.Dial] with a context.
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

// Transport returns an [http.Transport] that dials from the host. The network
// must not be virtual: package http starts goroutines of its own.
func (h *Host) Transport() *http.Transport {
	return &http.Transport{DialContext: h.DialContext}
}

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
	if !on {
		h.sockets.Abandon(w.Now())
	}
	w.Stream.Because(before)
}

// Neighbors returns the host's ARP caches, ordered by address.
func (h *Host) Neighbors() []neigh.Entry {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	var all []neigh.Entry
	for _, i := range h.stack.Interfaces() {
		if i.Neighbors() != nil {
			all = append(all, i.Neighbors().Entries()...)
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
// must be in the subnet of one of its cards.
func (h *Host) AddRoute(prefix netip.Prefix, nextHop netip.Addr) error {
	n := h.network
	n.world.Enter()
	defer n.world.Unlock()
	for _, a := range h.attachments {
		if a.lan.subnet.Contains(nextHop) {
			return h.stack.AddRoute(route.Route{
				Prefix: prefix.Masked(), NextHop: nextHop, Interface: a.index, Origin: "static",
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
