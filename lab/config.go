package lab

import (
	"cmp"
	"net/netip"
	"strings"
	"time"

	"hubbub/wire"
)

// A Config is what a lab file says. It is plain data; [Parse] has checked it:
// every name in it is known, every address is in its subnet and is one
// machine's.
type Config struct {
	File     string
	Seed     uint64        // 1 where the file gives none
	Limit    time.Duration // of the lab's time, after which the scenario has failed
	LANs     []LAN
	Hosts    []Host
	Routers  []Router
	Cables   []Cable
	Names    []Name
	Scenario []Step

	source *reporter // the file's lines, for excerpts
}

// A LAN is a hub or a switch, and the cables to it.
type LAN struct {
	At          Position
	Name        string
	Subnet      netip.Prefix // of IPv4; zero if it has none
	Subnet6     netip.Prefix // of IPv6; zero if it has none
	Hub         bool         // otherwise a switch
	Snooping    bool         // the switch looks into what is for groups (RFC 4541)
	Guard       bool         // the switch drops router advertisements from hosts (RFC 6105)
	NameServers []netip.Addr // that the hosts ask for names; none: they know the lab's
	Domains     []string     // in which they look for names without a dot
	DHCPv6      string       // what the first router gives out: "", "stateless" or "stateful"
	Cables      []Change     // what all its cables are like
}

// A Host is a computer with one card.
type Host struct {
	At           Position
	Name         string
	LAN          string
	Address      netip.Addr // the LAN's next free one where the file gives none; zero without IPv4
	Address6     netip.Addr // the same of IPv6; zero if it is Auto
	Auto         bool       // it finds out its IPv6 address by itself
	FromMAC      bool       // and makes it from its MAC address
	Gateway      netip.Addr // the LAN's first router where the file gives none; zero if there is none
	MAC          wire.MAC   // zero where the file gives none
	VLAN         uint16     // 0 where the file gives none
	Unprivileged bool       // its programs may not use ports below 1024
	Detect       bool       // it asks whether its address is free before it uses it (RFC 5227)
	Settings     []Setting
}

// A Router is a machine with a card in each of several LANs.
type Router struct {
	At       Position
	Name     string
	Ports    []Port
	NAT      string // the LAN on which it hides the others; empty for none
	Settings []Setting
}

// A Setting is one of a machine's, as in sysctl.conf.
type Setting struct {
	At    Position
	Name  string // such as net.ipv4.tcp_fin_timeout
	Value string
}

// A Port is a router's card.
type Port struct {
	At       Position
	LAN      string
	Address  netip.Addr // of IPv4; zero without
	Address6 netip.Addr // of IPv6; zero without
}

// A Cable is what is different about one machine's cable.
type Cable struct {
	At      Position
	Card    Card
	Changes []Change
}

// A Card names a machine's card, and so the cable in it. LAN is empty for a
// host, which has but one.
type Card struct {
	Node, LAN string
}

// String returns the card as it is written in a lab file.
func (c Card) String() string {
	if c.LAN == "" {
		return c.Node
	}
	return c.Node + "/" + c.LAN
}

// A Name is one more name for an address, as in /etc/hosts.
type Name struct {
	At      Position
	Name    string
	Address netip.Addr
}

// The cables of a lab, where its file says nothing else: a classroom's, of a
// few metres, at the rate of Fast Ethernet.
const (
	DefaultRate  = 100_000_000
	DefaultDelay = 10 * time.Microsecond
)

// defaultLimit is a day and a night: longer than two hours of silence, ten
// probes, and all else that the course waits for.
const defaultLimit = 24 * time.Hour

// lan returns the LAN of that name, nil if there is none.
func (c *Config) lan(name string) *LAN {
	for i := range c.LANs {
		if c.LANs[i].Name == name {
			return &c.LANs[i]
		}
	}
	return nil
}

func (c *Config) host(name string) *Host {
	for i := range c.Hosts {
		if c.Hosts[i].Name == name {
			return &c.Hosts[i]
		}
	}
	return nil
}

func (c *Config) router(name string) *Router {
	for i := range c.Routers {
		if c.Routers[i].Name == name {
			return &c.Routers[i]
		}
	}
	return nil
}

// nodes returns the names of the hosts and routers, in the file's order.
func (c *Config) nodes() []string {
	var all []string
	for _, h := range c.Hosts {
		all = append(all, h.Name)
	}
	for _, r := range c.Routers {
		all = append(all, r.Name)
	}
	return all
}

func (c *Config) lanNames() []string {
	all := make([]string, len(c.LANs))
	for i, l := range c.LANs {
		all[i] = l.Name
	}
	return all
}

// subnets returns the LAN's subnets as [hubbub.Network.LAN] takes them.
func (l *LAN) subnets() string {
	return words(l.Subnet, l.Subnet6)
}

// words writes those of two prefixes or addresses that are there, with a space
// between.
func words[T interface {
	IsValid() bool
	String() string
}](all ...T) string {
	var texts []string
	for _, x := range all {
		if x.IsValid() {
			texts = append(texts, x.String())
		}
	}
	return strings.Join(texts, " ")
}

// cards returns the names of all cables, as a lab file writes them.
func (c *Config) cards() []string {
	var all []string
	for _, h := range c.Hosts {
		all = append(all, h.Name)
	}
	for _, r := range c.Routers {
		for _, p := range r.Ports {
			all = append(all, Card{r.Name, p.LAN}.String())
		}
	}
	return all
}

// address returns the first address of a machine, or that of a name; the zero
// Addr if there is neither.
func (c *Config) address(name string) netip.Addr {
	if h := c.host(name); h != nil {
		return cmp.Or(h.Address, h.Address6)
	}
	if r := c.router(name); r != nil && len(r.Ports) > 0 {
		return cmp.Or(r.Ports[0].Address, r.Ports[0].Address6)
	}
	for _, n := range c.Names {
		if n.Name == name {
			return n.Address
		}
	}
	return netip.Addr{}
}
