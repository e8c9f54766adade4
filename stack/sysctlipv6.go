package stack

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// ipv6Sysctls are the settings of IPv6 that aren't of one interface alone, and
// those of all interfaces, and of interfaces that are still to be made.
func ipv6Sysctls() []sysctl {
	all := []sysctl{
		{
			"net.ipv6.bindv6only", toggle(func(s *Stack) *bool { return &s.cfg.BindV6Only }),
			"1: sockets of AF_INET6 are for IPv6 alone, unless they ask for the other (IPV6_V6ONLY). 0: bound to all addresses, they are so for both families. It counts for sockets that are made from now on.",
		},
		{
			"net.ipv6.auto_flowlabels", choice(1, 0, 3, func(n int) bool { return n == 1 || n == 3 }, func(s *Stack) (*int, *bool) { return &s.cfg.flowLabels, &s.cfg.FlowLabels }),
			"1 or 3: give the packets of a conversation a flow label (RFC 6437), which is the same for all of them. 0 or 2: none.",
		},
		{
			"net.ipv6.icmp.echo_ignore_all", toggle(func(s *Stack) *bool { return &s.cfg.IgnorePings6 }),
			"Answer no ping over IPv6.",
		},
		{
			"net.ipv6.icmp.echo_ignore_multicast", toggle(func(s *Stack) *bool { return &s.cfg.IgnoreGroupPings6 }),
			"Answer no ping over IPv6 that was for a group.",
		},
		{
			"net.ipv6.ip6frag_time", duration(time.Second, 1, unbounded/1000, func(s *Stack) *clock.Duration {
				return &s.cfg.Fragments6.Timeout
			}).then(boundFragments6),
			"How long the fragments of an IPv6 packet wait for those that are missing.",
		},
		{
			"net.ipv6.ip6frag_high_thresh", number(1, unbounded, func(s *Stack) *int { return &s.cfg.Fragments6.Bytes }).then(boundFragments6),
			"How much memory fragments of IPv6 take that wait for others, in octets; the packets that came first give way.",
		},
		{
			"net.ipv6.conf.all.forwarding", toggle(func(s *Stack) *bool { return &s.cfg.Forwarding6 }).then(becomeRouter6),
			"Forward IPv6 packets that are for other machines: 1 for a router, 0 for a host, which heeds routers' advertisements and redirects.",
		},
	}
	for i := range keys6 {
		k := &keys6[i]
		all = append(all,
			sysctl{prefix6 + "all." + k.name, k.forAll(), k.doc + " This sets it for all interfaces, and for those that are still to be made."},
			sysctl{prefix6 + "default." + k.name, k.knob(func(s *Stack) *conf6 { return &s.conf6 }, nil), k.doc + " This sets it for interfaces that are still to be made."})
	}
	return all
}

const prefix6 = "net.ipv6.conf."

func boundFragments6(s *Stack) { s.reassembly6.Configure(s.cfg.Fragments6) }

// becomeRouter6 makes the machine a router or a host: as which it speaks to its
// neighbours, and whether it heeds routers.
func becomeRouter6(s *Stack) {
	s.forgetRedirects()
	s.generation++
	for _, i := range s.interfaces {
		s.beginAnew(i)
	}
}

// A key6 is a setting that each interface has.
//
// To add one: a line in keys6, and a field of conf6 that something heeds.
type key6 struct {
	name        string
	least, most int
	at          func(c *conf6) *int
	then        func(s *Stack, i *Interface) // after it was set; nil: nothing
	doc         string
	get         func(c *conf6) string              // nil: the number
	parse       func(c *conf6, value string) error // nil: a number
	told        func(x *ipv6) int                  // what is in force by a router's word; 0: nothing is
}

var keys6 = []key6{
	{
		name: "disable_ipv6", most: 1, at: func(c *conf6) *int { return &c.disable }, then: (*Stack).beginAnew,
		doc: "1: the interface doesn't use IPv6: it has no address of it, sends nothing, and drops what comes. 0: it begins anew.",
	},
	{
		name: "accept_ra", most: 2, at: func(c *conf6) *int { return &c.acceptRA }, then: (*Stack).beginAnew,
		doc: "Ask for routers, and heed what they advertise. 0: no. 1: if the machine is no router. 2: even then.",
	},
	{
		name: "accept_ra_defrtr", most: 1, at: func(c *conf6) *int { return &c.acceptRouters }, then: (*Stack).reconfigure,
		doc: "Take those who advertise it as default routers.",
	},
	{
		name: "accept_ra_pinfo", most: 1, at: func(c *conf6) *int { return &c.acceptPrefixes }, then: (*Stack).reconfigure,
		doc: "Heed the prefixes that routers advertise.",
	},
	{
		name: "accept_ra_mtu", most: 1, at: func(c *conf6) *int { return &c.acceptMTU }, then: (*Stack).reconfigure,
		doc: "Heed the MTU that routers advertise.",
	},
	{
		name: "accept_redirects", most: 1, at: func(c *conf6) *int { return &c.acceptRedirects },
		doc: "Heed redirects, if the machine is no router.",
	},
	{
		name: "autoconf", most: 1, at: func(c *conf6) *int { return &c.autoconf }, then: (*Stack).reconfigure,
		doc: "Make addresses from the prefixes that routers advertise for that.",
	},
	{
		name: "use_tempaddr", most: 2, at: func(c *conf6) *int { return &c.temporary }, then: (*Stack).resort,
		doc: "Temporary addresses (RFC 8981) besides the stable ones. 0: none. 1: for who asks for them. 2: they are preferred.",
	},
	{
		name: "temp_valid_lft", least: 1, most: unbounded, at: func(c *conf6) *int { return &c.tempValid }, then: (*Stack).reconfigure,
		doc: "How many seconds a temporary address may be used.",
	},
	{
		name: "temp_prefered_lft", least: 1, most: unbounded, at: func(c *conf6) *int { return &c.tempPreferred }, then: (*Stack).reconfigure,
		doc: "How many seconds a temporary address begins new conversations, less some by chance.",
	},
	{
		name: "dad_transmits", most: 100, at: func(c *conf6) *int { return &c.transmits }, then: (*Stack).detectsAnew,
		doc: "How often it is asked whether anybody has an address, before it is used (RFC 4862, 5.1). 0: never.",
	},
	{
		name: "router_solicitations", least: -1, most: unbounded, at: func(c *conf6) *int { return &c.solicitations }, then: (*Stack).reconfigure,
		doc: "How often routers are asked for, until one advertises itself. -1: again and again (RFC 7559).",
	},
	{
		name: "router_solicitation_interval", least: 1, most: unbounded / 1000, at: func(c *conf6) *int { return &c.interval }, then: (*Stack).reconfigure,
		doc: "How many seconds pass from the first time that routers are asked for to the second; then twice as many, and so on.",
	},
	{
		name: "router_solicitation_max_interval", least: 1, most: unbounded / 1000, at: func(c *conf6) *int { return &c.maxInterval }, then: (*Stack).reconfigure,
		doc: "How many seconds pass at most until routers are asked for again.",
	},
	{
		name: "max_addresses", most: unbounded, at: func(c *conf6) *int { return &c.maxAddresses }, then: (*Stack).reconfigure,
		doc: "How many addresses the interface makes itself. 0: any number, up to 1024.",
	},
	{
		name: "hop_limit", least: 1, most: 255, at: func(c *conf6) *int { return &c.hopLimit }, then: (*Stack).limitHops,
		doc:  "The hop limit of packets whose sender asks for none, until a router advertises another.",
		get:  func(c *conf6) string { return fmt.Sprint(c.hops()) },
		told: func(x *ipv6) int { return int(x.hopLimit) },
	},
	{
		name: "mtu", least: wire.MinIPv6MTU, most: 65536, at: func(c *conf6) *int { return &c.mtu }, then: (*Stack).limitMTU,
		doc:  "The longest packet, until a router advertises another; never more than the link's.",
		get:  func(c *conf6) string { return fmt.Sprint(max(c.mtu, wire.MinIPv6MTU)) },
		told: func(x *ipv6) int { return x.mtu },
	},
	{
		name: "addr_gen_mode", most: 3, at: func(c *conf6) *int { return &c.generation }, then: (*Stack).beginAnew,
		doc: "How addresses are made. 0: from the MAC address (RFC 4291, appendix A). 1: not at all. 2: from stable_secret (RFC 7217). 3: the same from a secret of the machine's own.",
	},
	{
		name: "stable_secret", then: (*Stack).beginAnew,
		doc:   "The secret that addresses are made from (RFC 7217), in the form of an IPv6 address. Setting it sets addr_gen_mode to 2.",
		get:   (*conf6).secretText,
		parse: (*conf6).setSecret,
	},
}

// defaultHopLimit is that of a host that no router has told another (RFC 4861,
// 6.3.2; IANA's value).
const defaultHopLimit = 64

func (c *conf6) hops() int {
	if c.hopLimit == 0 {
		return defaultHopLimit
	}
	return c.hopLimit
}

func (c *conf6) secretText() string {
	if !c.secret.IsValid() {
		return ""
	}
	return c.secret.String()
}

func (c *conf6) setSecret(value string) error {
	if value == "" {
		c.secret = netip.Addr{}
		return nil
	}
	addr, err := netip.ParseAddr(value)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return fmt.Errorf("%q: it must be an IPv6 address such as 2001:db8::1, whose 128 bits are the secret", value)
	}
	c.secret, c.generation = addr, stableSecret
	return nil
}

// knob reads and sets the key in the settings that of finds; then, if it isn't
// nil, is done afterwards.
func (k *key6) knob(of func(s *Stack) *conf6, then func(s *Stack)) knob {
	var made knob
	if k.parse != nil {
		made = knob{form: "an IPv6 address, or nothing", set: func(s *Stack, value string) error { return k.parse(of(s), value) }}
	} else {
		made = quantity("number", k.least, k.most,
			func(s *Stack) int { return *k.at(of(s)) },
			func(s *Stack, n int) { *k.at(of(s)) = n })
	}
	if k.get != nil {
		made.get = func(s *Stack) string { return k.get(of(s)) }
	}
	if then != nil {
		made = made.then(then)
	}
	return made
}

// forAll sets the key for all interfaces.
func (k *key6) forAll() knob {
	first := k.knob(func(s *Stack) *conf6 { return &s.conf6 }, nil)
	set := first.set
	first.set = func(s *Stack, value string) error {
		if err := set(s, value); err != nil {
			return err
		}
		for _, i := range s.interfaces {
			if err := k.on(i).set(s, value); err != nil {
				return err
			}
		}
		return nil
	}
	return first
}

// on is the key of one interface.
func (k *key6) on(i *Interface) knob {
	made := k.knob(func(*Stack) *conf6 { return &i.conf6 }, func(s *Stack) {
		if k.then != nil {
			k.then(s, i)
		}
	})
	if k.told != nil && i.six != nil && k.told(i.six) != 0 {
		made.get = func(*Stack) string { return fmt.Sprint(k.told(i.six)) }
	}
	return made
}

// sysctl6 finds a setting of one of the machine's interfaces, such as
// net.ipv6.conf.eth0.mtu. A machine that nobody uses has any.
func (s *Stack) sysctl6(name string) (sysctl, bool) {
	port, key, ok := strings.Cut(strings.TrimPrefix(name, prefix6), ".")
	n := slices.IndexFunc(keys6, func(k key6) bool { return k.name == key })
	if !ok || !strings.HasPrefix(name, prefix6) || n < 0 {
		return sysctl{}, false
	}
	i := s.interfaceNamed(port)
	if i == nil && s.scratch && strings.HasPrefix(port, "eth") {
		i = &Interface{Name: port, MTU: EthernetMTU, conf6: s.conf6}
	}
	if i == nil {
		return sysctl{}, false
	}
	return sysctl{name, keys6[n].on(i), keys6[n].doc}, true
}

// interfaceSysctls are the settings of the machine's interfaces that use IPv6.
func (s *Stack) interfaceSysctls() (all []sysctl) {
	for _, i := range s.interfaces {
		for k := range keys6 {
			if i.six != nil && !i.Loopback {
				all = append(all, sysctl{prefix6 + i.Name + "." + keys6[k].name, keys6[k].on(i), keys6[k].doc})
			}
		}
	}
	return all
}
