package autoconf

import (
	"net/netip"
	"slices"
	"strings"

	"hubbub/clock"
	"hubbub/wire"
)

// A server is a DNS server that a router advertises.
type server struct {
	addr  netip.Addr
	until clock.Time
}

// Servers returns the recursive DNS servers that routers advertise.
func (h *Host) Servers() []netip.Addr {
	all := make([]netip.Addr, 0, len(h.servers))
	for _, s := range h.servers {
		all = append(all, s.addr)
	}
	return all
}

// hearServers keeps the list of DNS servers: "A value of zero means that the
// RDNSS addresses MUST no longer be used." (RFC 8106, 5.1) "the addresses should
// be unicast addresses": an option with others is discarded (RFC 8106, 5.3.1).
func (h *Host) hearServers(now clock.Time, o wire.NDPOption) {
	var room [8]netip.Addr
	servers, seconds, _ := o.DNSServers(room[:0])
	if slices.ContainsFunc(servers, func(a netip.Addr) bool { return a.IsMulticast() || a.IsUnspecified() }) {
		return
	}
	before := len(h.servers)
	for _, addr := range servers {
		i := slices.IndexFunc(h.servers, func(s server) bool { return s.addr == addr })
		switch {
		case i >= 0 && seconds == 0:
			h.servers = slices.Delete(h.servers, i, i+1)
		case i >= 0:
			h.servers[i].until = lifetime(now, seconds)
		case seconds > 0 && len(h.servers) < h.cfg.Servers:
			h.servers = append(h.servers, server{addr, lifetime(now, seconds)})
		}
	}
	if len(h.servers) != before {
		h.change(Change{Kind: SetServers, Why: "a router advertises them"})
	}
}

func (h *Host) expireServers(now clock.Time) {
	before := len(h.servers)
	h.servers = slices.DeleteFunc(h.servers, func(s server) bool { return s.until.Due(now) })
	if len(h.servers) != before {
		h.change(Change{Kind: SetServers, Why: "no router has advertised one for too long"})
	}
}

// A domain is one in which names are looked for.
type domain struct {
	name  string
	until clock.Time
}

// Domains returns the domains in which routers advertise that names are to be
// looked for.
func (h *Host) Domains() []string {
	all := make([]string, 0, len(h.domains))
	for _, d := range h.domains {
		all = append(all, d.name)
	}
	return all
}

// hearDomains keeps the list of domains: "A value of zero means that the DNSSL
// domain name MUST no longer be used." (RFC 8106, 5.2)
func (h *Host) hearDomains(now clock.Time, o wire.NDPOption) {
	domains, seconds, _ := o.SearchList(h.cfg.Servers)
	before := len(h.domains)
	for _, name := range domains {
		i := slices.IndexFunc(h.domains, func(d domain) bool { return strings.EqualFold(d.name, name) })
		switch {
		case i >= 0 && seconds == 0:
			h.domains = slices.Delete(h.domains, i, i+1)
		case i >= 0:
			h.domains[i].until = lifetime(now, seconds)
		case seconds > 0 && len(h.domains) < h.cfg.Servers:
			h.domains = append(h.domains, domain{name, lifetime(now, seconds)})
		}
	}
	if len(h.domains) != before {
		h.change(Change{Kind: SetDomains, Why: "a router advertises them"})
	}
}

func (h *Host) expireDomains(now clock.Time) {
	before := len(h.domains)
	h.domains = slices.DeleteFunc(h.domains, func(d domain) bool { return d.until.Due(now) })
	if len(h.domains) != before {
		h.change(Change{Kind: SetDomains, Why: "no router has advertised one for too long"})
	}
}
