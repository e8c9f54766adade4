package hubbub

import (
	"net/netip"
	"strings"

	"hubbub/network/route"
)

// A Router is a host that forwards packets between its LANs: the gateway of
// the hosts there.
type Router struct {
	*Host
}

// Router makes a router with a card in each of the LANs. There it has the
// first address of the subnet if nobody else has it. The routers of a network
// know the ways to all its LANs.
func (n *Network) Router(name string, lans ...*LAN) *Router {
	ports := make([]RouterPort, len(lans))
	for i, l := range lans {
		ports[i] = RouterPort{LAN: l}
	}
	return n.RouterAt(name, ports...)
}

// Masquerade hides the router's other LANs behind the address that it has on this
// one: NAT (RFC 3022, 4). Machines there see one machine with many ports; they can
// answer those inside, and not begin. IPv6 is forwarded as it is.
func (r *Router) Masquerade(l *LAN) {
	w := r.network.world
	w.Enter()
	defer w.Leave(r.node)
	for _, a := range r.attachments {
		if a.lan == l {
			r.stack.Masquerade(r.stack.Interfaces()[a.index])
			return
		}
	}
	r.network.fail("%s can't masquerade on %s: it is not plugged in there", r.name, l.name)
}

// A RouterPort is where a router is plugged in, and with what address: the
// empty one is the first that is free; on a LAN with two subnets there may be
// two with a space between.
type RouterPort struct {
	LAN     *LAN
	Address string
	Cable   *Link
}

// RouterAt makes a router with a card for each port.
func (n *Network) RouterAt(name string, ports ...RouterPort) *Router {
	n.world.Enter()
	defer n.world.Leave(nil)
	r := &Router{n.newHost("router", name, true)}
	for _, p := range ports {
		o := hostOptions{link: p.Cable}
		for _, addr := range strings.Fields(p.Address) {
			Address(addr)(&o)
		}
		a := p.LAN.attach(r.Host, &o, true)
		p.LAN.setGateway(a)
	}
	n.planRoutes()
	n.world.Changed(r.node)
	return r
}

// planRoutes gives every router the shortest way to every LAN that it isn't
// plugged into. It needs the lock.
func (n *Network) planRoutes() {
	for _, h := range n.hosts {
		if !h.Forwards() {
			continue
		}
		for _, r := range h.stack.Routes().Routes() {
			if r.Origin == "planned" {
				h.stack.RemoveRoute(r)
			}
		}
		h.planRoutes()
	}
}

// planRoutes searches the network, nearest LANs first, for the LANs beyond
// the router's own.
func (h *Host) planRoutes() {
	known := make(map[*LAN]bool)
	type step struct {
		lan   *LAN
		first *attachment // how the router gets into that direction
		hop   *attachment // the next router there, nil for its own LANs
	}
	var todo []step
	for _, a := range h.attachments {
		known[a.lan] = true
		todo = append(todo, step{lan: a.lan, first: a})
	}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for _, other := range at.lan.hosts {
			if !other.host.Forwards() || other.host == h {
				continue
			}
			hop := at.hop
			if hop == nil {
				hop = other
			}
			for _, beyond := range other.host.attachments {
				if known[beyond.lan] {
					continue
				}
				known[beyond.lan] = true
				todo = append(todo, step{beyond.lan, at.first, hop})
				h.addPlanned(beyond.lan.subnet, hop.address, at.first.index)
				h.addPlanned(beyond.lan.subnet6, hop.link(), at.first.index)
			}
		}
	}
}

func (h *Host) addPlanned(to netip.Prefix, hop netip.Addr, index int) {
	if !to.IsValid() || !hop.IsValid() {
		return // the mistake is noted already
	}
	err := h.stack.AddRoute(route.Route{Prefix: to, NextHop: hop, Interface: index, Origin: "planned"})
	if err != nil {
		h.network.fail("%s: the route to %v: %w", h.name, to, err)
	}
}

// LANs returns the names of the LANs that the host is plugged into.
func (h *Host) LANs() string {
	names := make([]string, len(h.attachments))
	for i, a := range h.attachments {
		names[i] = a.lan.name
	}
	return strings.Join(names, ", ")
}
