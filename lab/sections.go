package lab

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"unicode"

	"hubbub"
	"hubbub/wire"
)

// Load reads a lab file. Its errors are [Problems] where the file's content is
// wrong, and otherwise say why it can't be read.
func Load(file string) (*Config, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file", file)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory: name a lab file in it", file)
	case err == nil && info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes: a lab file has at most %d", file, info.Size(), maxFile)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("%s can't be read: %w", file, err)
	}
	return Parse(file, source)
}

// Parse reads the content of a lab file; file is its name for messages. The
// error is of type [Problems].
func Parse(file string, source []byte) (*Config, error) {
	source = []byte(strings.TrimPrefix(string(source), "\ufeff"))
	r := &reader{reporter: newReporter(file, source), taken: make(map[string]Position)}
	r.config = Config{File: file, Seed: 1, Limit: defaultLimit, source: r.reporter}
	if root := parseTree(r.reporter, source); root != nil {
		r.read(root)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return &r.config, nil
}

// read reads the sections in the order in which they refer to one another,
// whatever their order in the file.
func (r *reader) read(root *node) {
	sections := make(map[string]*node)
	keep := func(key, value *node) { sections[key.text] = value }
	r.fields(root, "a lab", []field{
		{"seed", into(r, &r.config.Seed, "a whole number", parseSeed)},
		{"limit", into(r, &r.config.Limit, "a time such as 24h", parseDuration)},
		{"lans", keep},
		{"hosts", keep},
		{"routers", keep},
		{"cables", keep},
		{"names", keep},
		{"scenario", keep},
	})
	if root.kind != mapping {
		return
	}
	if sections["lans"] == nil {
		at := root.at
		if len(root.entries) > 0 {
			at = root.entries[0].key.at
		}
		r.problem(at, "the lab has no lans: it needs at least one, such as lans: {room1: {subnet: 172.16.10.0/24}}")
		return
	}
	r.named(sections["lans"], "lans", "LAN", r.readLAN)
	r.named(sections["hosts"], "hosts", "host", r.readHost)
	r.named(sections["routers"], "routers", "router", r.readRouter)
	r.assign()
	r.entries(sections["names"], "names", r.readName)
	r.findNameServers()
	r.entries(sections["cables"], "cables", r.readCable)
	r.readScenario(sections["scenario"])
}

func parseSeed(s string) (uint64, error) {
	n, err := parseCount(s, 1, 1<<62)
	return uint64(n), err
}

// named reads a section whose keys are names of things of one kind.
func (r *reader) named(n *node, section, what string, read func(key, value *node)) {
	r.entries(n, section, func(key, value *node) {
		if r.name(key, what) {
			read(key, value)
		}
	})
}

// maxThings bounds what a section holds: more machines than a lab can have use
// for.
const maxThings = 4096

// entries reads a section's entries. A section that isn't there has none.
func (r *reader) entries(n *node, section string, read func(key, value *node)) {
	if n == nil || n.kind == nothing || !r.isMapping(n, section) {
		return
	}
	for i, e := range r.unique(n) {
		if i == maxThings {
			r.problem(e.key.at, "%s has more than %d entries: that is more than a lab can hold", section, maxThings)
			return
		}
		read(e.key, e.value)
	}
}

func (r *reader) readLAN(key, value *node) {
	l := LAN{At: key.at, Name: key.text}
	what := "LAN " + key.text
	before := len(r.problems)
	r.fields(value, what, append([]field{
		{"subnet", r.subnets(&l)},
		{"medium", into(r, &l.Hub, "hub or switch", parseMedium)},
	}, append(r.serviceFields(&l), r.cableFields(&l.Cables, false)...)...))
	if !l.Subnet.IsValid() && !l.Subnet6.IsValid() && len(r.problems) == before {
		r.problem(key.at, "%s has no subnet: give it one, such as subnet: 172.16.10.0/24", what)
	}
	r.checkServices(&l)
	r.config.LANs = append(r.config.LANs, l)
}

// subnets reads a LAN's subnet: of either family, or one of each with a comma
// between.
func (r *reader) subnets(l *LAN) func(key, value *node) {
	both := [2]netip.Prefix{}
	read := into(r, &both, "a subnet such as 172.16.10.0/24 or 2001:db8:10::/64", parseSubnets)
	return func(key, value *node) {
		read(key, value)
		l.Subnet, l.Subnet6 = both[0], both[1]
	}
}

func parseSubnets(s string) (both [2]netip.Prefix, err error) {
	for _, text := range strings.Split(s, ",") {
		p, err := parseSubnet(text)
		n := toInt(p.Addr().Is6())
		switch {
		case err != nil:
			return both, err
		case both[n].IsValid():
			return both, fmt.Errorf("%q has two subnets of one family: a LAN has one of IPv4, one of IPv6, or one of each", s)
		}
		both[n] = p
	}
	return both, nil
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func parseSubnet(s string) (netip.Prefix, error) {
	p, err := hubbub.ParseSubnet(strings.ReplaceAll(strings.Join(strings.Fields(s), " "), " ", "/"))
	if most := p.Addr().BitLen() - 2; err == nil && p.Bits() > most {
		return p, fmt.Errorf("%v has no room for a LAN: take a network part of at most %d bits", p, most)
	}
	return p, err
}

func parseMedium(s string) (hub bool, err error) {
	switch s {
	case "hub":
		return true, nil
	case "switch":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither hub nor switch", s)
}

func (r *reader) readHost(key, value *node) {
	h := Host{At: key.at, Name: key.text}
	var lanAt, addressAt, gatewayAt Position
	vlanAt := key.at
	note := func(at *Position, read func(key, value *node)) func(key, value *node) {
		return func(key, value *node) { *at = value.at; read(key, value) }
	}
	r.config.Hosts = append(r.config.Hosts, h)
	host := &r.config.Hosts[len(r.config.Hosts)-1]
	r.fields(value, "host "+h.Name, []field{
		{"lan", note(&lanAt, into(r, &host.LAN, "the name of a LAN", parseText))},
		{"address", note(&addressAt, r.addresses(host))},
		{"gateway", note(&gatewayAt, into(r, &host.Gateway, "an address such as 172.16.10.1", parseAddress4))},
		{"mac", into(r, &host.MAC, "a MAC address such as 02:00:00:00:00:0a", parseMAC)},
		{"vlan", note(&vlanAt, into(r, &host.VLAN, "a number of a VLAN", parseVLAN))},
		{"unprivileged", into(r, &host.Unprivileged, "true or false", parseBool)},
		{"detect", into(r, &host.Detect, "true or false", parseBool)},
		{"sysctl", r.settings(&host.Settings)},
	})
	if lanAt.Line == 0 {
		host.LAN = r.onlyLAN(key, "host "+h.Name)
	}
	l := r.findLAN(lanAt, host.LAN)
	if l == nil {
		return
	}
	if l.Hub && host.VLAN != 0 {
		r.problem(vlanAt, "host %s is on a hub, which knows no VLANs: make the medium of LAN %s a switch", h.Name, l.Name)
	}
	n := len(r.config.Hosts) - 1
	r.claimBoth(l, claim{at: addressAt, who: "host " + h.Name, lan: l.Name, host: n}, host.Address, host.Address6, host.Auto)
	if host.Auto && !l.Subnet6.IsValid() {
		r.problem(addressAt, "host %s can't find out its address by itself: LAN %s has no subnet of IPv6", h.Name, l.Name)
	}
	if host.Gateway.IsValid() && !l.Subnet.Contains(host.Gateway) {
		r.problem(gatewayAt, "the gateway %v is not in %v, the subnet of LAN %s: a host reaches its gateway directly",
			host.Gateway, l.Subnet, l.Name)
	}
}

// onlyLAN returns the name of the only LAN, for a machine that names none.
func (r *reader) onlyLAN(key *node, who string) string {
	if len(r.config.LANs) == 1 {
		return r.config.LANs[0].Name
	}
	if len(r.config.LANs) > 1 {
		r.problem(key.at, "%s is in no LAN: say which, such as lan: %s", who, r.config.LANs[0].Name)
	}
	return ""
}

// findLAN returns the LAN of that name, or tells that there is none.
func (r *reader) findLAN(at Position, name string) *LAN {
	l := r.config.lan(name)
	if l == nil && name != "" {
		r.problem(at, "there is no LAN %q: %s", name, didYouMean(name, r.config.lanNames()))
	}
	return l
}

func parseAddress(s string) (netip.Addr, error) {
	if address, _, ok := strings.Cut(s, "/"); ok {
		return netip.Addr{}, fmt.Errorf("%q has a network part, which the LAN's subnet gives: write %s", s, address)
	}
	addr, err := netip.ParseAddr(s)
	switch {
	case err != nil && strings.Contains(s, ":"):
		return netip.Addr{}, fmt.Errorf("%q is not an IPv6 address such as 2001:db8:10::10", s)
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is not an address: %s", s, addressFault(s))
	case addr.Is4In6() || addr.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%q is not an address that a machine has, such as 172.16.10.10 or 2001:db8:10::10", s)
	}
	return addr, nil
}

func parseAddress4(s string) (netip.Addr, error) {
	addr, err := parseAddress(s)
	if err == nil && !addr.Is4() {
		err = fmt.Errorf("%q is not an IPv4 address such as 172.16.10.10: the gateway of IPv6 is the LAN's router", s)
	}
	return addr, err
}

// given is what a machine's address says: one of each family, and of a host
// whether it finds out the other by itself.
type given struct {
	four, six     netip.Addr
	auto, fromMAC bool
}

// addresses reads a host's address.
func (r *reader) addresses(h *Host) func(key, value *node) {
	var g given
	read := into(r, &g, "an address such as 172.16.10.10 or 2001:db8:10::10, or auto", parseGiven)
	return func(key, value *node) {
		read(key, value)
		h.Address, h.Address6, h.Auto, h.FromMAC = g.four, g.six, g.auto, g.fromMAC
	}
}

func parseGiven(s string) (g given, err error) {
	for _, text := range strings.Split(s, ",") {
		text = strings.TrimSpace(text)
		if text == "auto" || text == "auto from mac" {
			g.auto, g.fromMAC = true, text != "auto"
			continue
		}
		addr, err := parseAddress(text)
		switch {
		case err != nil:
			return g, err
		case addr.Is4() && !g.four.IsValid():
			g.four = addr
		case addr.Is6() && !g.six.IsValid():
			g.six = addr
		default:
			return g, fmt.Errorf("%q has two addresses of one family: a machine has one of IPv4, one of IPv6, or one of each", s)
		}
	}
	return g, nil
}

// addressFault says what is wrong with a dotted quad.
func addressFault(s string) string {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return fmt.Sprintf("it has four numbers with dots between, such as 172.16.10.10, not %d", len(parts))
	}
	for _, p := range parts {
		if _, err := parseCount(p, 0, 255); err != nil {
			return fmt.Sprintf("%q must be a number from 0 to 255", p)
		}
	}
	return "its numbers have no zeros in front"
}

func parseMAC(s string) (wire.MAC, error) {
	m, err := wire.ParseMAC(s)
	switch {
	case err != nil:
		return wire.MAC{}, fmt.Errorf("%q is not a MAC address: it has twelve hex digits, such as 02:00:00:00:00:0a", s)
	case m.IsGroup() || m.IsZero():
		return wire.MAC{}, fmt.Errorf("%q is not the address of one card: the first byte must be even, such as 02:00:00:00:00:0a", s)
	}
	return m, nil
}

func parseVLAN(s string) (uint16, error) {
	n, err := parseCount(s, 1, 4094)
	return uint16(n), err
}

func printableLetter(c rune) bool { return unicode.IsLetter(c) }

func (r *reader) readRouter(key, value *node) {
	r.config.Routers = append(r.config.Routers, Router{At: key.at, Name: key.text})
	before := len(r.problems)
	router := &r.config.Routers[len(r.config.Routers)-1]
	var nat *node
	r.fields(value, "router "+key.text, []field{
		{"lans", r.readPorts}, {"sysctl", r.settings(&router.Settings)}, {"nat", func(_, value *node) { nat = value }},
	})
	if nat != nil {
		r.readNAT(router, nat)
	}
	if len(router.Ports) == 0 && len(r.problems) == before {
		r.problem(key.at, "router %s is in no LAN: say which, such as lans: [%s]", key.text, strings.Join(r.config.lanNames(), ", "))
	}
}

// readNAT reads the LAN on which a router hides the others behind its address there.
func (r *reader) readNAT(router *Router, value *node) {
	router.NAT = value.text
	var names []string
	for _, p := range router.Ports {
		if l := r.config.lan(p.LAN); l.Subnet.IsValid() {
			names = append(names, p.LAN)
		}
	}
	if value.kind != scalar || !slices.Contains(names, value.text) {
		r.problem(value.at, "nat must be one of the router's LANs that have IPv4 addresses, such as %s: there those of the others hide behind its own",
			cmp.Or(strings.Join(names, " or "), "room1"))
	}
}

// readPorts reads a router's LANs: a list of names, or a mapping of names to
// addresses.
func (r *reader) readPorts(key, value *node) {
	seen := make(map[string]bool)
	switch value.kind {
	case list:
		for _, item := range value.items {
			if item.kind != scalar {
				r.problem(item.at, "a router's lans are names of LANs, not %s", item.kind)
				continue
			}
			r.readPort(item, nil, seen)
		}
	case mapping:
		for _, e := range r.unique(value) {
			r.readPort(e.key, e.value, seen)
		}
	default:
		r.problem(value.at, "lans must be a list of LANs such as [room1, room2], or a mapping of LANs to addresses, not %s", describe(value))
	}
}

func (r *reader) readPort(name, address *node, seen map[string]bool) {
	router := &r.config.Routers[len(r.config.Routers)-1]
	l := r.findLAN(name.at, name.text)
	if l == nil {
		return
	}
	if seen[name.text] {
		r.problem(name.at, "router %s is in LAN %s twice: one card there is enough", router.Name, name.text)
		return
	}
	seen[name.text] = true
	p := Port{At: name.at, LAN: name.text}
	c := claim{who: "router " + router.Name, lan: l.Name, host: -1, router: len(r.config.Routers) - 1, port: len(router.Ports)}
	if address != nil && address.kind != nothing {
		var g given
		into(r, &g, "an address such as 172.16.10.1", parseGiven)(name, address)
		p.Address, p.Address6 = g.four, g.six
		if g.auto {
			r.problem(address.at, "router %s must have an address: only hosts find out theirs by themselves", router.Name)
		}
		c.at = address.at
	}
	router.Ports = append(router.Ports, p)
	r.claimBoth(l, c, p.Address, p.Address6, false)
}

// readName reads one more name for a machine or an address.
func (r *reader) readName(key, value *node) {
	text, ok := r.value(key, value, "a machine's name or an address")
	if !ok || !r.name(key, "machine") {
		return
	}
	n := Name{At: key.at, Name: key.text, Address: r.config.address(text)}
	if !n.Address.IsValid() {
		addr, err := parseAddress(text)
		if err != nil {
			r.problem(value.at, "%s: there is no machine %q: %s, or an address such as 172.16.10.10", key.text, text,
				didYouMean(text, r.config.nodes()))
			return
		}
		n.Address = addr
	}
	r.config.Names = append(r.config.Names, n)
}

// readCable reads what is different about one cable.
func (r *reader) readCable(key, value *node) {
	card, ok := r.card(key.at, key.text)
	if !ok {
		return
	}
	c := Cable{At: key.at, Card: card}
	r.fields(value, "cable "+key.text, r.cableFields(&c.Changes, false))
	r.config.Cables = append(r.config.Cables, c)
}

// card finds the card that a cable is in by its name.
func (r *reader) card(at Position, name string) (Card, bool) {
	node, lan, slash := strings.Cut(name, "/")
	if h := r.config.host(node); h != nil && (!slash || lan == h.LAN) {
		return Card{Node: node}, true
	}
	router := r.config.router(node)
	if router == nil {
		r.problem(at, "there is no cable %q: a cable is called by its host, or by router/LAN; %s",
			name, didYouMean(name, r.config.cards()))
		return Card{}, false
	}
	var own []string
	for _, p := range router.Ports {
		if p.LAN == lan {
			return Card{node, lan}, true
		}
		own = append(own, Card{node, p.LAN}.String())
	}
	r.problem(at, "router %s has a cable in each of its LANs: say which, %s", node, oneOf(own))
	return Card{}, false
}

func example(words []string, otherwise string) string {
	if len(words) == 0 {
		return otherwise
	}
	return words[0]
}
