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
	six    bool // of IPv6
}

// claimBoth claims an address in each of the LAN's subnets. Where the file gives
// one of a family that the LAN hasn't, that is claimed too, to be refused.
func (r *reader) claimBoth(l *LAN, c claim, four, six netip.Addr, auto bool) {
	at := c.at
	if l.Subnet.IsValid() || four.IsValid() || !l.Subnet6.IsValid() {
		if !four.IsValid() {
			c.at = Position{}
		}
		r.claims = append(r.claims, c)
	}
	if (l.Subnet6.IsValid() || six.IsValid()) && (!auto || six.IsValid()) {
		c.six, c.at = true, at
		if !six.IsValid() {
			c.at = Position{}
		}
		r.claims = append(r.claims, c)
	}
}

// subnet returns the subnet that the claim's address is in.
func (c *claim) subnet(l *LAN) netip.Prefix {
	if c.six {
		return l.Subnet6
	}
	return l.Subnet
}

// address returns where the claim's address is kept.
func (r *reader) address(c *claim) *netip.Addr {
	switch {
	case c.host >= 0 && c.six:
		return &r.config.Hosts[c.host].Address6
	case c.host >= 0:
		return &r.config.Hosts[c.host].Address
	case c.six:
		return &r.config.Routers[c.router].Ports[c.port].Address6
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
	subnet := c.subnet(l)
	switch {
	case addr.IsValid() && !subnet.IsValid() && l.subnets() != "":
		r.problem(c.at, "the address %v is of another family than %s, the subnet of LAN %s", addr, l.subnets(), l.Name)
		return
	case !addr.IsValid() || !subnet.IsValid():
		return
	}
	first, last := hostRange(subnet)
	other := used[addr]
	switch {
	case !subnet.Contains(addr):
		r.problem(c.at, "the address %v is not in %v, the subnet of LAN %s: take one from %v to %v",
			addr, subnet, l.Name, first, last)
	case !isHostAddress(subnet, addr):
		r.problem(c.at, "the address %v is %s, no single machine's: take one from %v to %v",
			addr, meaning(subnet, addr), first, last)
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
	subnet := c.subnet(l)
	if !subnet.IsValid() {
		return
	}
	addr, last := hostRange(subnet)
	if c.host >= 0 && addr != last {
		addr = addr.Next()
	}
	for ; used[addr] != nil; addr = addr.Next() {
		if addr == last {
			r.problem(l.At, "LAN %s has no free address left for %s: %v has room for no more machines", l.Name, c.who, subnet)
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
			if p.LAN == lan && p.Address.IsValid() {
				return p.Address
			}
		}
	}
	return netip.Addr{}
}
