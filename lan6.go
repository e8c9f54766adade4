package hubbub

import (
	"net/netip"

	"hubbub/network/autoconf"
	"hubbub/network/route"
	"hubbub/stack"
	"hubbub/wire"
)

// attach6 gives a host's interface what it has of IPv6. It needs the lock.
func (l *LAN) attach6(a *attachment, i *stack.Interface, o *hostOptions, router bool) {
	if !l.subnet6.IsValid() {
		if o.address6 != "" {
			l.address(l.subnet6, a.host.name, o.address6, router)
		}
		return
	}
	cfg := stack.IPv6Config{Detect: o.detect, FromMAC: !o.autoconfigure || o.fromMAC, Temporary: o.temporary}
	if o.autoconfigure && !router {
		cfg.Autoconfigure = true
		l.network.names.guests = append(l.network.names.guests, guest{a.host.name, i})
	}
	if !cfg.Autoconfigure || o.address6 != "" {
		a.addr6 = l.address(l.subnet6, a.host.name, o.address6, router)
	}
	if a.addr6.IsValid() {
		cfg.Addresses = []netip.Prefix{netip.PrefixFrom(a.addr6, l.subnet6.Bits())}
		l.network.names.add(a.host.name, a.addr6)
	}
	if router {
		cfg.Advertise, cfg.DHCP = l.advert(), l.dhcpServer()
	}
	if err := a.host.stack.StartIPv6(l.network.world.Now(), i, cfg); err != nil {
		l.network.fail("%s: %w", a.host.name, err)
		return
	}
	if l.router != nil {
		a.useRouter(l.router)
	}
}

// The lifetimes that routers advertise of a prefix, in seconds: 30 days and 7
// (RFC 4861, 6.2.1).
const (
	prefixValid     = 30 * 24 * 3600
	prefixPreferred = 7 * 24 * 3600
)

// advert is what a router tells on the LAN.
func (l *LAN) advert() *autoconf.AdvertConfig {
	return &autoconf.AdvertConfig{
		Prefixes: []wire.PrefixInfo{{
			Prefix: l.subnet6, OnLink: true, Autonomous: l.subnet6.Bits() == 64 && l.options.dhcp != addressesByDHCP,
			Valid: prefixValid, Preferred: prefixPreferred,
		}},
		Servers: l.servers6(), Domains: l.options.domains,
		Managed: l.options.dhcp == addressesByDHCP, Other: l.options.dhcp == settingsByDHCP,
	}
}

// useRouter gives the host its IPv6 default route, if it is a host with
// addresses that were given by hand: others hear of routers by themselves.
func (a *attachment) useRouter(router *attachment) {
	h, link := a.host, router.link()
	if h.Forwards() || !a.addr6.IsValid() || !link.IsValid() || h.gateway6.IsValid() {
		return
	}
	h.gateway6 = link
	err := h.stack.AddRoute(route.Route{
		Prefix: netip.PrefixFrom(netip.IPv6Unspecified(), 0), NextHop: link, Interface: a.index, Origin: "gateway",
	})
	if err != nil {
		h.network.fail("%s: the gateway %v: %w", h.name, link, err)
	}
}
