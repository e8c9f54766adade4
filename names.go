package hubbub

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"hubbub/stack"
)

// hostsTable is the network's file of names and addresses, as /etc/hosts is.
// The world's lock guards it.
type hostsTable struct {
	entries []hostsEntry
	guests  []guest
}

// A guest is an interface that finds out its addresses by itself.
type guest struct {
	name string
	at   *stack.Interface
}

type hostsEntry struct {
	name string
	addr netip.Addr
}

func (t *hostsTable) add(name string, addr netip.Addr) {
	t.entries = append(t.entries, hostsEntry{name, addr})
}

// LookupHost returns the addresses of a name, in the order in which they were
// added.
func (t *hostsTable) LookupHost(name string) (addrs []netip.Addr, ok bool) {
	for _, e := range t.entries {
		if e.name == name {
			addrs = append(addrs, e.addr)
		}
	}
	for _, g := range t.guests {
		if g.name == name {
			addrs = append(addrs, g.addresses()...)
		}
	}
	return addrs, len(addrs) > 0
}

// addresses returns those by which a guest can be reached from everywhere.
func (g *guest) addresses() (all []netip.Addr) {
	for _, a := range g.at.IPv6Addresses() {
		if !a.Prefix.Addr().IsLinkLocalUnicast() && a.Advertised && a.State != "tentative" && a.State != "duplicate" {
			all = append(all, a.Prefix.Addr())
		}
	}
	return all
}

func (t *hostsTable) byAddress() map[netip.Addr]string {
	names := make(map[netip.Addr]string)
	for _, g := range slices.Backward(t.guests) {
		for _, addr := range g.addresses() {
			names[addr] = g.name
		}
	}
	for _, e := range slices.Backward(t.entries) {
		names[e.addr] = e.name
	}
	return names
}

// Addresses returns the addresses of a name, of a host or another one, that the
// network knows: what a server of names may tell.
func (n *Network) Addresses(name string) []netip.Addr {
	n.world.Enter()
	defer n.world.Unlock()
	addrs, _ := n.names.LookupHost(name)
	return addrs
}

// NameServers returns the servers that the host asks for names, those first that
// it has heard of by DHCPv6, then by router advertisements.
func (h *Host) NameServers() []netip.Addr {
	h.network.world.Enter()
	defer h.network.world.Unlock()
	return h.sockets.NameServersLocked()
}

// A Resolver finds addresses and names, with the methods that programs use of
// [net.Resolver].
type Resolver struct {
	host *Host
}

// LookupHost returns the addresses of a name as text.
func (r *Resolver) LookupHost(ctx context.Context, name string) ([]string, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return texts, nil
}

// LookupNetIP returns the addresses of a name.
func (r *Resolver) LookupNetIP(ctx context.Context, _, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	return r.host.sockets.LookupHost(ctx, name)
}

// LookupAddr returns the names of an address.
func (r *Resolver) LookupAddr(_ context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "not an address", Name: addr}
	}
	n := r.host.network
	n.world.Enter()
	defer n.world.Unlock()
	var names []string
	for _, e := range n.names.entries {
		if e.addr == ip {
			names = append(names, e.name)
		}
	}
	if names == nil {
		return nil, &net.DNSError{Err: "no such address", Name: addr, IsNotFound: true}
	}
	return names, nil
}
