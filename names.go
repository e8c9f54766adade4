package hubbub

import (
	"context"
	"net"
	"net/netip"
	"slices"
)

// hostsTable is the network's file of names and addresses, as /etc/hosts is.
// The world's lock guards it.
type hostsTable struct {
	entries []hostsEntry
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
	return addrs, len(addrs) > 0
}

func (t *hostsTable) byAddress() map[netip.Addr]string {
	names := make(map[netip.Addr]string)
	for _, e := range slices.Backward(t.entries) {
		names[e.addr] = e.name
	}
	return names
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
