package lab

import (
	"fmt"
	"net/netip"
	"strings"

	"hubbub"
	"hubbub/network/route"
	"hubbub/wire"
)

func routeLine(r route.Route) string {
	if !r.NextHop.IsValid() {
		return fmt.Sprintf("%-18v on the link", r.Prefix)
	}
	return fmt.Sprintf("%-18v by way of %v (%s)", r.Prefix, r.NextHop, r.Origin)
}

// Show prints a lab that isn't running: its LANs, who is in them with which
// addresses, and everybody's routes.
func (c *Config) Show() (string, error) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	if err := c.Build(n); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, l := range n.LANs() {
		c.showLAN(&b, n, l)
	}
	b.WriteString("routes\n")
	for _, h := range n.Hosts() {
		name := h.Name()
		for _, r := range h.Routes() {
			if r.Prefix.Addr().IsLoopback() {
				continue
			}
			fmt.Fprintf(&b, "  %-12s %s\n", name, routeLine(r))
			name = ""
		}
	}
	return b.String(), nil
}

func (c *Config) showLAN(b *strings.Builder, n *hubbub.Network, l *hubbub.LAN) {
	medium := "a switch"
	if _, hub := l.Medium(); hub {
		medium = "a hub"
	}
	p := l.Subnet()
	fmt.Fprintf(b, "%s: %s on %s\n", l.Name(), c.lan(l.Name()).subnets(), medium)
	if p.Addr().Is4() {
		first, last := hostRange(p)
		fmt.Fprintf(b, "  mask %v, machines %v to %v, broadcast %v\n", Mask(p), first, last, Broadcast(p))
	}
	if six := l.Subnet6(); six.IsValid() {
		first, last := hostRange(six)
		fmt.Fprintf(b, "  prefix %v, machines %v to %v\n", six, first, last)
	}
	for _, line := range c.lan(l.Name()).services() {
		fmt.Fprintf(b, "  %s\n", line)
	}
	for _, h := range n.Hosts() {
		for _, i := range h.Interfaces() {
			if i.LAN == l.Name() {
				c.showCard(b, h, &i)
			}
		}
	}
	b.WriteString("\n")
}

func (c *Config) showCard(b *strings.Builder, h *hubbub.Host, i *hubbub.Interface) {
	rest := fmt.Sprintf("%v%s", i.MAC, c.roleOf(h))
	name := h.Name()
	line := func(addr string) {
		fmt.Fprintf(b, "  %-12s %-15s %s\n", name, addr, rest)
		name, rest = "", ""
	}
	if i.Address.IsValid() {
		line(i.Address.Addr().String())
	}
	if own := c.host(h.Name()); own != nil && own.Auto {
		line("by itself")
	}
	for _, a := range i.IPv6 {
		if !a.Prefix.Addr().IsLinkLocalUnicast() || a.State != "tentative" {
			line(a.Prefix.Addr().String())
		}
	}
}

// roleOf says what is special about a machine.
func (c *Config) roleOf(h *hubbub.Host) string {
	role := ""
	switch {
	case h.Forwards():
		role = "  router"
	case h.Gateway().IsValid():
		role = "  gateway " + h.Gateway().String()
	}
	if own := c.host(h.Name()); own != nil && own.VLAN != 0 {
		role += fmt.Sprintf("  VLAN %d", own.VLAN)
	}
	return role
}

// Between prints whether two machines of the lab are in the same subnet, and
// why, and where a packet from the first to the second goes. The error says
// which of them is unknown.
func (c *Config) Between(a, b string) (string, error) {
	for _, name := range [...]string{a, b} {
		if c.host(name) == nil && c.router(name) == nil {
			return "", fmt.Errorf("%s: there is no machine %q: %s", c.File, name, didYouMean(name, c.nodes()))
		}
	}
	to := c.prefix(b, netip.Addr{})
	from := c.prefix(a, to.Addr())
	to = c.prefix(b, from.Addr())
	for name, p := range map[string]netip.Prefix{a: from, b: to} {
		if !p.IsValid() {
			return "", fmt.Errorf("%s: %s finds out its address by itself: nothing is known of it before the lab runs", c.File, name)
		}
	}
	if from.Addr().Is4() != to.Addr().Is4() {
		return "", fmt.Errorf("%s: %s has %v, and %s %v: no family is common to both", c.File, a, from.Addr(), b, to.Addr())
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s is %v, %s is %v.\n\n%s%s\n", a, from, b, to, Compare(from, to.Addr()), c.delivery(a, b, from, to))
	return s.String(), nil
}

// prefix returns a machine's address with the length of its network part; a
// router's in the subnet that other is in, if it has one there.
func (c *Config) prefix(name string, other netip.Addr) netip.Prefix {
	if h := c.host(name); h != nil {
		return prefixOf(c.lan(h.LAN), h.Address, h.Address6)
	}
	ports := c.router(name).Ports
	p := ports[0]
	for _, candidate := range ports {
		l := c.lan(candidate.LAN)
		if other.IsValid() && (l.Subnet.Contains(other) || l.Subnet6.Contains(other)) {
			p = candidate
		}
	}
	return prefixOf(c.lan(p.LAN), p.Address, p.Address6)
}

func prefixOf(l *LAN, four, six netip.Addr) netip.Prefix {
	if four.IsValid() {
		return netip.PrefixFrom(four, l.Subnet.Bits())
	}
	return netip.PrefixFrom(six, l.Subnet6.Bits())
}

// delivery says what a does with a packet for b.
func (c *Config) delivery(a, b string, from, to netip.Prefix) string {
	h, other := c.host(a), c.host(b)
	switch {
	case from.Masked() == to.Masked() && h != nil && other != nil && vlan(h) != vlan(other):
		return fmt.Sprintf("But the switch keeps them apart: %s is in VLAN %d, %s in VLAN %d.", a, vlan(h), b, vlan(other))
	case from.Addr().Is6() && from.Masked() == to.Masked():
		group := wire.SolicitedNode(to.Addr())
		return fmt.Sprintf("%s asks in the group %v, which hardly anybody else is in, for the MAC address of %s itself.", a, group, b)
	case from.Addr().Is6():
		return fmt.Sprintf("%s hands the packet to a router: the frame has the router's MAC address, the packet in it %s's IP address.", a, b)
	case from.Masked() == to.Masked():
		return fmt.Sprintf("%s asks with ARP for the MAC address of %s itself.", a, b)
	case h == nil:
		return fmt.Sprintf("%s is a router: it looks up in its routes who is next on the way to %s.", a, b)
	case !h.Gateway.IsValid():
		return fmt.Sprintf("%s has no gateway: it can't reach %s.", a, b)
	}
	return fmt.Sprintf("%s hands the packet to its gateway %v: the frame has the gateway's MAC address, the packet in it %s's IP address.",
		a, h.Gateway, b)
}

// vlan returns the VLAN of a host's port: 1 where the file says nothing.
func vlan(h *Host) uint16 { return max(1, h.VLAN) }
