package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hubbub"
	"hubbub/application/dns"
)

// A nameServer is one that a LAN names, before it is known who has which address.
type nameServer struct {
	lan  string
	text string
	at   Position
}

// serviceFields are what a LAN's switch and routers do beside forwarding.
func (r *reader) serviceFields(l *LAN) []field {
	return []field{
		{"snooping", into(r, &l.Snooping, "true or false", parseBool)},
		{"ra-guard", into(r, &l.Guard, "true or false", parseBool)},
		{"dns", r.eachOf("a machine or an address", func(text string, at Position) {
			r.asked = append(r.asked, nameServer{l.Name, text, at})
		})},
		{"domain", r.eachOf("a domain such as lab.test", func(text string, at Position) {
			if !goodDomain(text) {
				r.problem(at, "domain: %q is no domain: it is a name such as lab.test", text)
				return
			}
			l.Domains = append(l.Domains, text)
		})},
		{"dhcpv6", into(r, &l.DHCPv6, oneOf(dhcpKinds), oneWord(dhcpKinds))},
	}
}

// dhcpKinds are what a LAN's first router can give out.
var dhcpKinds = []string{"stateless", "stateful"}

// eachOf reads a value, or a list of them.
func (r *reader) eachOf(wanted string, take func(text string, at Position)) func(key, value *node) {
	return func(key, value *node) {
		items := []*node{value}
		if value.kind == list {
			items = value.items
		}
		for _, item := range items {
			if text, ok := r.value(key, item, wanted); ok {
				take(text, item.at)
			}
		}
	}
}

// goodDomain reports whether a text can be a domain: names with dots between.
func goodDomain(s string) bool {
	for _, label := range strings.Split(s, ".") {
		if !goodName(label) {
			return false
		}
	}
	return len(s) <= 253
}

// checkServices tells what can't be of what a LAN asks for.
func (r *reader) checkServices(l *LAN) {
	switch {
	case l.Hub && l.Snooping:
		r.problem(l.At, "LAN %s has a hub, which looks into nothing: for snooping make its medium a switch", l.Name)
	case l.Hub && l.Guard:
		r.problem(l.At, "LAN %s has a hub, which lets everything through: for ra-guard make its medium a switch", l.Name)
	case l.DHCPv6 != "" && !l.Subnet6.IsValid():
		r.problem(l.At, "LAN %s has no subnet of IPv6, and so nothing for DHCPv6 to give out", l.Name)
	case len(l.Domains) > 0 && !slices.ContainsFunc(r.asked, func(s nameServer) bool { return s.lan == l.Name }):
		r.problem(l.At, "LAN %s has a domain, but no server that knows names in it: name one, such as dns: gateway", l.Name)
	}
}

// findNameServers finds the addresses of the servers that the LANs name.
func (r *reader) findNameServers() {
	for _, s := range r.asked {
		l := r.config.lan(s.lan)
		if l == nil {
			continue // the LAN's name was refused
		}
		addrs, known := r.config.addressesOf(s.text, s.lan)
		if addr, err := netip.ParseAddr(s.text); err == nil {
			addrs, known = []netip.Addr{addr}, true
		}
		switch {
		case !known:
			r.problem(s.at, "dns: there is no machine %q: %s, or an address such as 172.16.10.1", s.text, didYouMean(s.text, r.config.nodes()))
		case len(addrs) == 0:
			r.problem(s.at, "dns: %s finds out its address by itself, so that nobody knows whom to ask: give it one", s.text)
		}
		l.NameServers = append(l.NameServers, addrs...)
	}
}

// addressesOf returns the addresses by which a machine is reached from a LAN, and
// whether there is such a machine.
func (c *Config) addressesOf(name, lan string) (all []netip.Addr, known bool) {
	keep := func(addrs ...netip.Addr) {
		for _, addr := range addrs {
			if addr.IsValid() {
				all = append(all, addr)
			}
		}
	}
	if h := c.host(name); h != nil {
		keep(h.Address6, h.Address)
		return all, true
	}
	r := c.router(name)
	if r == nil || len(r.Ports) == 0 {
		return nil, false
	}
	p := r.Ports[0]
	if i := slices.IndexFunc(r.Ports, func(p Port) bool { return p.LAN == lan }); i >= 0 {
		p = r.Ports[i]
	}
	keep(p.Address6, p.Address)
	return all, true
}

// services says what the LAN's switch and routers do beside forwarding, a line for
// each.
func (l *LAN) services() (lines []string) {
	if len(l.NameServers) > 0 {
		line := fmt.Sprint("names are asked of ", words(l.NameServers...))
		if len(l.Domains) > 0 {
			line += ", in " + strings.Join(l.Domains, " and ")
		}
		lines = append(lines, line)
	}
	for _, s := range []struct {
		is   bool
		line string
	}{
		{l.DHCPv6 == "stateless", "DHCPv6 tells settings"},
		{l.DHCPv6 == "stateful", "DHCPv6 gives out addresses, and tells settings"},
		{l.Snooping, "the switch looks into IGMP and MLD"},
		{l.Guard, "the switch drops router advertisements of hosts"},
	} {
		if s.is {
			lines = append(lines, s.line)
		}
	}
	return lines
}

// options are what makes the LAN so.
func (l *LAN) options() []hubbub.LANOption {
	options := []hubbub.LANOption{
		hubbub.Cables(linkOf(l.Cables)), hubbub.NameServers(l.NameServers...), hubbub.SearchDomains(l.Domains...),
	}
	for _, o := range []struct {
		is     bool
		option hubbub.LANOption
	}{
		{l.Hub, hubbub.Hub()},
		{l.Snooping, hubbub.Snooping()},
		{l.Guard, hubbub.GuardRouterAdverts()},
		{l.DHCPv6 == "stateless", hubbub.SettingsByDHCP()},
		{l.DHCPv6 == "stateful", hubbub.AddressesByDHCP()},
	} {
		if o.is {
			options = append(options, o.option)
		}
	}
	return options
}

// serveNames starts a server of the lab's names. It is the authority for the
// first domain of the machine's LANs; without one, for all names.
func (a *actor) serveNames(c *Call) error {
	n := a.player.network
	zone := &dns.Server{Zone: a.player.config.zoneOf(a.name), Lookup: n.Addresses}
	at := fmt.Sprintf(":%d", c.Port)
	datagrams, err := a.host().ListenPacket("udp", at)
	if err != nil {
		return err
	}
	connections, err := a.host().Listen("tcp", at)
	if err != nil {
		datagrams.Close()
		return err
	}
	n.Go(fmt.Sprintf("%s: serve names %s", a.name, at), func() { _ = zone.Serve(datagrams) })
	n.Go(fmt.Sprintf("%s: serve long names %s", a.name, at), func() { _ = zone.ServeTCP(connections) })
	return nil
}

// zoneOf returns the first domain of a machine's LANs.
func (c *Config) zoneOf(machine string) string {
	for i := range c.LANs {
		l := &c.LANs[i]
		if len(l.Domains) > 0 && c.isIn(machine, l.Name) {
			return l.Domains[0]
		}
	}
	return ""
}

// isIn reports whether a machine has a card in a LAN.
func (c *Config) isIn(machine, lan string) bool {
	if h := c.host(machine); h != nil {
		return h.LAN == lan
	}
	r := c.router(machine)
	return r != nil && slices.ContainsFunc(r.Ports, func(p Port) bool { return p.LAN == lan })
}
