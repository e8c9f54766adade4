package lab

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"hubbub"
	"hubbub/network/route"
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
	first, last := hostRange(p)
	fmt.Fprintf(b, "%s: %v on %s\n", l.Name(), p, medium)
	fmt.Fprintf(b, "  mask %v, machines %v to %v, broadcast %v\n", Mask(p), first, last, Broadcast(p))
	for _, h := range n.Hosts() {
		for _, i := range h.Interfaces() {
			if i.LAN == l.Name() {
				fmt.Fprintf(b, "  %-12s %-15v %v%s\n", h.Name(), i.Address.Addr(), i.MAC, roleOf(h))
			}
		}
	}
	b.WriteString("\n")
}

func roleOf(h *hubbub.Host) string {
	switch {
	case h.Forwards():
		return "  router"
	case h.Gateway().IsValid():
		return "  gateway " + h.Gateway().String()
	}
	return ""
}

// Between prints whether two machines of the lab are in the same subnet, and
// why, and where a packet from the first to the second goes. The error says
// which of them is unknown.
func (c *Config) Between(a, b string) (string, error) {
	from, err := c.prefix(a)
	if err != nil {
		return "", err
	}
	to, err := c.prefix(b)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s is %v, %s is %v.\n\n", a, from, b, to)
	s.WriteString(Compare(from, to.Addr()))
	if from.Masked() == to.Masked() {
		fmt.Fprintf(&s, "%s asks with ARP for the MAC address of %s itself.\n", a, b)
		return s.String(), nil
	}
	gateway := c.nextHop(a)
	if !gateway.IsValid() {
		fmt.Fprintf(&s, "%s has no gateway: it can't reach %s.\n", a, b)
		return s.String(), nil
	}
	fmt.Fprintf(&s, "%s hands the packet to its gateway %v: the frame has the gateway's MAC address, the packet in it %s's IP address.\n",
		a, gateway, b)
	return s.String(), nil
}

// prefix returns a machine's address with the length of its network part.
func (c *Config) prefix(name string) (netip.Prefix, error) {
	if h := c.host(name); h != nil {
		return netip.PrefixFrom(h.Address, c.lan(h.LAN).Subnet.Bits()), nil
	}
	if r := c.router(name); r != nil {
		p := r.Ports[0]
		return netip.PrefixFrom(p.Address, c.lan(p.LAN).Subnet.Bits()), nil
	}
	return netip.Prefix{}, fmt.Errorf("%s: there is no machine %q: %s", cmp.Or(c.File, "the lab"), name, didYouMean(name, c.nodes()))
}

func (c *Config) nextHop(name string) netip.Addr {
	if h := c.host(name); h != nil {
		return h.Gateway
	}
	return netip.Addr{}
}
