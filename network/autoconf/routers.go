package autoconf

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/wire"
)

// Routers returns the default routers, the most preferred first, and among
// equals the one that was heard first.
func (h *Host) Routers() []Router {
	all := make([]Router, 0, len(h.routers))
	for _, r := range h.routers {
		all = append(all, r.Router)
	}
	slices.SortStableFunc(all, func(a, b Router) int { return int(b.Preference) - int(a.Preference) })
	return all
}

// hearRouter keeps the default router list (RFC 4861, 6.3.4).
func (h *Host) hearRouter(now clock.Time, src netip.Addr, a *wire.RouterAdvert) {
	i := slices.IndexFunc(h.routers, func(r router) bool { return r.Addr == src })
	until := now.Add(clock.Duration(a.Lifetime) * second)
	switch {
	case a.Lifetime == 0 && i >= 0:
		h.removeRouter(i, "it advertises that it is no default router")
	case a.Lifetime == 0:
	case i >= 0 && h.routers[i].Preference == a.Preference:
		h.routers[i].until = until
	case i >= 0:
		h.routers[i].until, h.routers[i].Preference = until, a.Preference
		h.change(Change{Kind: AddRouter, Addr: src, Value: uint32(a.Preference), Why: "it advertises another preference"})
	case len(h.routers) < h.cfg.Routers:
		h.routers = append(h.routers, router{Router{src, a.Preference}, until})
		h.change(Change{Kind: AddRouter, Addr: src, Value: uint32(a.Preference), Why: "it advertises itself"})
	}
}

// HandleRouterGone takes a router off the list, of which a neighbour
// advertisement says that it is none any more (RFC 4861, 7.3.3).
func (h *Host) HandleRouterGone(addr netip.Addr) {
	if i := slices.IndexFunc(h.routers, func(r router) bool { return r.Addr == addr }); i >= 0 {
		h.removeRouter(i, "it says that it is no router any more")
	}
}

func (h *Host) removeRouter(i int, why string) {
	h.change(Change{Kind: RemoveRouter, Addr: h.routers[i].Addr, Why: why})
	h.routers = slices.Delete(h.routers, i, i+1)
}

// expireRouters: "Whenever the Lifetime of an entry in the Default Router List
// expires, that entry is discarded." (RFC 4861, 6.3.5)
func (h *Host) expireRouters(now clock.Time) {
	for i := 0; i < len(h.routers); {
		if h.routers[i].until.Due(now) {
			h.removeRouter(i, "it has not advertised itself for too long")
			continue
		}
		i++
	}
}

// A prefix is one of the prefix list (RFC 4861, 5.1).
type prefix struct {
	netip.Prefix
	until clock.Time
}

// Prefixes returns the prefixes that are on the link, the link-local one not
// among them.
func (h *Host) Prefixes() []netip.Prefix {
	all := make([]netip.Prefix, 0, len(h.prefixes))
	for _, p := range h.prefixes {
		all = append(all, p.Prefix)
	}
	return all
}

// hearPrefix takes a prefix: "If the prefix is the link-local prefix, silently
// ignore the Prefix Information option." (RFC 4861, 6.3.4; RFC 4862, 5.5.3)
func (h *Host) hearPrefix(now clock.Time, src netip.Addr, p *wire.PrefixInfo) {
	if p.Prefix == linkLocal || p.Prefix.Addr().IsMulticast() {
		return
	}
	if p.OnLink {
		h.hearOnLink(now, p)
	}
	if p.Autonomous && !h.cfg.NoAddresses {
		h.hearAutonomous(now, src, p)
	}
}

// hearOnLink keeps the prefix list. "a Prefix Information option with the
// on-link flag set to zero conveys no information concerning on-link
// determination" (RFC 4861, 6.3.4).
func (h *Host) hearOnLink(now clock.Time, p *wire.PrefixInfo) {
	i := slices.IndexFunc(h.prefixes, func(q prefix) bool { return q.Prefix == p.Prefix })
	switch {
	case p.Valid == 0 && i >= 0:
		h.removePrefix(i, "a router advertises that it is not on the link any more")
	case p.Valid == 0:
	case i >= 0:
		h.prefixes[i].until = lifetime(now, p.Valid)
	case len(h.prefixes) < h.cfg.Prefixes:
		h.prefixes = append(h.prefixes, prefix{p.Prefix, lifetime(now, p.Valid)})
		h.change(Change{Kind: AddPrefix, Prefix: p.Prefix, Why: "a router advertises that it is on the link"})
	}
}

func (h *Host) removePrefix(i int, why string) {
	h.change(Change{Kind: RemovePrefix, Prefix: h.prefixes[i].Prefix, Why: why})
	h.prefixes = slices.Delete(h.prefixes, i, i+1)
}

func (h *Host) expirePrefixes(now clock.Time) {
	for i := 0; i < len(h.prefixes); {
		if h.prefixes[i].until.Due(now) {
			h.removePrefix(i, "no router has advertised it for too long")
			continue
		}
		i++
	}
}
