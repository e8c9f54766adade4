package lab

import (
	"net/netip"
)

// A claim is a card that has an address, or wants one.
type claim struct {
	at     Position // of the address in the file; zero where it gives none
	who    string
	lan    string
	host   int // index, or -1 for a router's card
	router int
	port   int
}

func (r *reader) claim(c claim) { r.claims = append(r.claims, c) }

// address returns where the claim's address is kept.
func (r *reader) address(c *claim) *netip.Addr {
	if c.host >= 0 {
		return &r.config.Hosts[c.host].Address
	}
	return &r.config.Routers[c.router].Ports[c.port].Address
}

// assign checks the addresses that the file gives, and then gives one to
// every card that has none.
func (r *reader) assign() {
	used := make(map[netip.Addr]*claim)
	for i := range r.claims {
		r.checkAddress(&r.claims[i], used)
	}
	for _, routers := range [...]bool{true, false} {
		for i := range r.claims {
			if c := &r.claims[i]; c.at.Line == 0 && (c.host < 0) == routers {
				r.giveAddress(c, used)
			}
		}
	}
	for i := range r.config.Hosts {
		h := &r.config.Hosts[i]
		if !h.Gateway.IsValid() {
			h.Gateway = r.config.gateway(h.LAN)
		}
	}
}

// checkAddress checks an address that the file gives.
func (r *reader) checkAddress(c *claim, used map[netip.Addr]*claim) {
	addr, l := *r.address(c), r.config.lan(c.lan)
	if !addr.IsValid() || !l.Subnet.IsValid() {
		return
	}
	first, last := hostRange(l.Subnet)
	other := used[addr]
	switch {
	case !l.Subnet.Contains(addr):
		r.problem(c.at, "the address %v is not in %v, the subnet of LAN %s: take one from %v to %v",
			addr, l.Subnet, l.Name, first, last)
	case !isHostAddress(l.Subnet, addr):
		r.problem(c.at, "the address %v is %s, no single machine's: take one from %v to %v",
			addr, meaning(l.Subnet, addr), first, last)
	case other != nil:
		r.problem(c.at, "the address %v is %s's already (line %d): two machines can't share one", addr, other.who, other.at.Line)
	default:
		used[addr] = c
	}
}

func meaning(p netip.Prefix, addr netip.Addr) string {
	if addr == p.Addr() {
		return "the name of the subnet " + p.String()
	}
	return "the broadcast address of " + p.String()
}

// giveAddress gives a card the first address that is free. A router begins at
// the first of the subnet, a host at the second: the first is for the gateway
// that may come.
func (r *reader) giveAddress(c *claim, used map[netip.Addr]*claim) {
	l := r.config.lan(c.lan)
	if !l.Subnet.IsValid() {
		return
	}
	addr, last := hostRange(l.Subnet)
	if c.host >= 0 && addr != last {
		addr = addr.Next()
	}
	for ; used[addr] != nil; addr = addr.Next() {
		if addr == last {
			r.problem(l.At, "LAN %s has no free address left for %s: %v has room for no more machines", l.Name, c.who, l.Subnet)
			return
		}
	}
	used[addr] = c
	*r.address(c) = addr
}

// gateway returns the address of the first router in a LAN, the zero Addr if
// there is none.
func (c *Config) gateway(lan string) netip.Addr {
	for _, router := range c.Routers {
		for _, p := range router.Ports {
			if p.LAN == lan {
				return p.Address
			}
		}
	}
	return netip.Addr{}
}
