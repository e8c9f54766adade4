package stack

import (
	"net/netip"
	"time"

	"hubbub/network/autoconf"
	"hubbub/network/neigh"
	"hubbub/wire"
)

// conf6 are an interface's settings of IPv6, under the names that they have on
// Linux below net.ipv6.conf. Like addresses they outlive the power.
type conf6 struct {
	disable         int // disable_ipv6
	acceptRA        int // accept_ra: 0 never, 1 if it isn't a router, 2 always
	acceptRouters   int // accept_ra_defrtr
	acceptPrefixes  int // accept_ra_pinfo
	acceptMTU       int // accept_ra_mtu
	acceptRedirects int
	autoconf        int
	temporary       int // use_tempaddr: 0 none, 1 but public ones are preferred, 2 preferred
	tempValid       int // seconds
	tempPreferred   int
	transmits       int // dad_transmits
	solicitations   int // router_solicitations; -1: any number
	interval        int // router_solicitation_interval, seconds
	maxInterval     int // router_solicitation_max_interval
	maxAddresses    int // 0: any number
	hopLimit        int // of what is sent
	mtu             int // 0: the link's
	generation      int // addr_gen_mode
	secret          netip.Addr
}

// The values of addr_gen_mode.
const (
	fromMAC      = 0
	noAddress    = 1
	stableSecret = 2
	randomSecret = 3 // stable, from a secret that the machine makes itself
)

func defaultConf6() conf6 {
	return conf6{
		acceptRouters: 1, acceptPrefixes: 1, acceptMTU: 1, acceptRedirects: 1, autoconf: 1,
		tempValid: int(autoconf.TempValid / time.Second), tempPreferred: int(autoconf.TempPreferred / time.Second),
		transmits: 1, solicitations: -1, interval: 4, maxInterval: 3600, maxAddresses: 16,
		generation: randomSecret,
	}
}

// adopt takes what whoever starts IPv6 on the interface asks for.
func (c *conf6) adopt(cfg *IPv6Config) {
	if cfg.Autoconfigure {
		c.acceptRA = 1
	}
	if cfg.Temporary {
		c.temporary = 2
	}
	if cfg.FromMAC {
		c.generation = fromMAC
	}
}

// heedsRouters reports whether the interface configures itself by what routers
// advertise.
func (i *Interface) heedsRouters(s *Stack) bool {
	return i.conf6.acceptRA == 2 || i.conf6.acceptRA == 1 && !s.cfg.Forwarding6
}

// hostConfig is how the interface configures itself.
func (i *Interface) hostConfig(s *Stack) autoconf.Config {
	c := &i.conf6
	cfg := autoconf.Config{
		Interface: i.Name, Secret: s.stable, Temporary: c.temporary > 0,
		TempValid: time.Duration(c.tempValid) * time.Second, TempPreferred: time.Duration(c.tempPreferred) * time.Second,
		Addresses: c.maxAddresses, NoAddresses: c.autoconf == 0,
		NoRouters: c.acceptRouters == 0, NoPrefixes: c.acceptPrefixes == 0, NoMTU: c.acceptMTU == 0,
		Solicitations: max(c.solicitations, 0), Interval: time.Duration(c.interval) * time.Second,
		MaxInterval: time.Duration(c.maxInterval) * time.Second,
	}
	if c.solicitations == 0 {
		cfg.Solicitations = -1 // never
	}
	switch {
	case c.generation == fromMAC:
		cfg.MAC = i.MAC
	case c.secret.IsValid():
		cfg.Secret = c.secret.As16()
	}
	if c.maxAddresses == 0 {
		cfg.Addresses = unlimitedAddresses
	}
	return cfg
}

// unlimitedAddresses bounds those that a link's routers can make a host have that
// sets no bound.
const unlimitedAddresses = 1024

// neighborConfig is how the interface asks for IPv6 neighbours.
func (i *Interface) neighborConfig(s *Stack) *neigh.Config {
	cfg := s.cfg.Neighbors
	cfg.Transmits = max(1, i.conf6.transmits)
	return &cfg
}

// The settings that are heeded as soon as they change: what runs already is told.

// reconfigure tells the interface's autoconfiguration, when the next timer is due,
// which is now.
func (s *Stack) reconfigure(i *Interface) {
	if i.six != nil {
		i.six.changed, s.others.known = true, false
	}
}

// beginAnew makes the interface find its addresses anew, as if its cable had been
// plugged in.
func (s *Stack) beginAnew(i *Interface) {
	if i.six != nil && !i.Loopback {
		i.six.anew, s.others.known = true, false
	}
}

// detectsAnew: how often an address is asked for is known to all that are asked
// for from now on; who has none yet begins anew.
func (s *Stack) detectsAnew(i *Interface) {
	switch x := i.six; {
	case x == nil || i.Loopback:
	case x.up:
		x.neighbors.SetTransmits(max(1, i.conf6.transmits))
	default:
		s.beginAnew(i)
	}
}

// limitMTU sets the longest packet of IPv6 that leaves by the interface.
func (s *Stack) limitMTU(i *Interface) {
	if i.six != nil {
		i.six.mtu = i.mtuOfSix()
		s.generation++
	}
}

// mtuOfSix is the link's, or less if that is set.
func (i *Interface) mtuOfSix() int {
	if i.conf6.mtu >= wire.MinIPv6MTU {
		return min(i.conf6.mtu, i.MTU)
	}
	return i.MTU
}

// limitHops sets the hop limit of what leaves by the interface.
func (s *Stack) limitHops(i *Interface) {
	if i.six != nil {
		i.six.hopLimit = uint8(i.conf6.hopLimit)
	}
}

// resort lets source addresses be chosen anew.
func (s *Stack) resort(i *Interface) {
	s.reconfigure(i)
	s.generation++
}
