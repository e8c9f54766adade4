package autoconf

import (
	"cmp"
	"math/rand/v2"
	"net/netip"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/wire"
)

// Config is what a Host is built from. Zero numbers get the values that their
// comments name.
type Config struct {
	// Interface is a name that the interface always has, and no other one of
	// the machine (RFC 7217, 5, Net_Iface).
	Interface string
	// Secret is the machine's secret key (RFC 7217, 5).
	Secret [16]byte
	// MAC, if it isn't zero, is what the interface identifiers are made from,
	// as most machines did before RFC 7217 (RFC 4291, appendix A).
	MAC wire.MAC
	// Temporary makes addresses that last a day, besides the stable ones
	// (RFC 8981, 3.8, use_temp_addr).
	Temporary bool
	// TempValid and TempPreferred are their lifetimes; two days, and one
	// (RFC 8981, 3.8).
	TempValid, TempPreferred clock.Duration

	// What of advertisements isn't heeded.
	NoRouters   bool // who is a default router
	NoPrefixes  bool // prefixes
	NoAddresses bool // that prefixes are for making addresses
	NoMTU       bool // the link's MTU

	// How routers are asked for.
	Solicitations int            // how often; 0: again and again; negative: never
	Interval      clock.Duration // until the second time; 4 s
	MaxInterval   clock.Duration // the longest between two; 1 h (RFC 7559, 2)

	// What is kept of what routers tell, however much that is.
	Routers   int // default routers, at least two (RFC 4861, 6.3.4); 8
	Prefixes  int // on the link; 16
	Addresses int // made from prefixes; 16
	Servers   int // of DNS, and as many domains (RFC 8106, 5.3.1); 8
}

func (cfg Config) complete() Config {
	cfg.Routers = max(2, cmp.Or(max(cfg.Routers, 0), 8))
	cfg.Prefixes = cmp.Or(max(cfg.Prefixes, 0), 16)
	cfg.Addresses = cmp.Or(max(cfg.Addresses, 0), 16)
	cfg.Servers = cmp.Or(max(cfg.Servers, 0), 8)
	cfg.TempValid = cmp.Or(max(cfg.TempValid, 0), TempValid)
	cfg.TempPreferred = cmp.Or(max(cfg.TempPreferred, 0), TempPreferred)
	cfg.Interval = cmp.Or(max(cfg.Interval, 0), firstInterval)
	cfg.MaxInterval = cmp.Or(max(cfg.MaxInterval, 0), maxInterval)
	return cfg
}

// A Host configures one interface.
//
// State: Addresses, Routers, Prefixes, Servers, Domains. Input: HandleRouterAdvert,
// HandleRouterGone, HandleAddressUsable, HandleAddressLost, HandleTimer.
// Commands: Start, Configure. Output: PollSolicitation, PollChange, NextTimer.
type Host struct {
	cfg Config
	rnd *rand.Rand

	addresses []address
	routers   []router
	prefixes  []prefix
	servers   []server
	domains   []domain
	solicit   solicitor
	told      told
	changes   fifo.Queue[Change]
}

// told is what routers told last of the values that there is one of.
type told struct {
	mtu                uint32
	hopLimit           uint8
	reachable, retrans uint32 // milliseconds
	stateful           uint32 // what DHCPv6 can be asked for: see AskDHCP
}

// NewHost returns a host that has done nothing yet.
func NewHost(cfg Config, rnd *rand.Rand) *Host { return &Host{cfg: cfg.complete(), rnd: rnd} }

// Start makes the link-local address (RFC 4862, 5.3). When that has proved to
// be ours alone, HandleAddressUsable is to be called, and routers are asked
// for.
func (h *Host) Start(now clock.Time) {
	h.form(now, linkLocal, clock.End, clock.End)
}

// Configure changes how the host configures itself from now on. What it has made
// of what routers told stays as it is; temporary addresses are made at once.
func (h *Host) Configure(now clock.Time, cfg Config) {
	h.cfg = cfg.complete()
	for _, a := range h.Addresses() {
		if p := a.Prefix.Masked(); p != linkLocal && !a.Temporary {
			h.wantTemporary(now, p)
		}
	}
}

// linkLocal is the prefix of the addresses that count on one link alone
// (RFC 4291, 2.5.6).
var linkLocal = netip.MustParsePrefix("fe80::/64")

// HandleRouterAdvert takes what a valid router advertisement from src says
// (RFC 4861, 6.3.4; RFC 4862, 5.5.3; RFC 8106, 5.3.1).
func (h *Host) HandleRouterAdvert(now clock.Time, src netip.Addr, a *wire.RouterAdvert) {
	h.solicit.heard(a.Lifetime != 0)
	if !h.cfg.NoRouters {
		h.hearRouter(now, src, a)
	}
	h.hearFlags(a)
	h.hearValues(a)
	for o, rest, ok := wire.NextNDPOption(a.Options); ok; o, rest, ok = wire.NextNDPOption(rest) {
		switch o.Type() {
		case wire.PrefixInformation:
			if p, ok := o.PrefixInfo(); ok && !h.cfg.NoPrefixes {
				h.hearPrefix(now, src, &p)
			}
		case wire.LinkMTU:
			h.hearMTU(o.MTU())
		case wire.RecursiveDNS:
			h.hearServers(now, o)
		case wire.DNSSearchList:
			h.hearDomains(now, o)
		}
	}
}

// hearFlags: with the flag M, "addresses are available via Dynamic Host
// Configuration Protocol [...]. If the M flag is set, the O flag is redundant and
// can be ignored"; with O, "other configuration information is available"
// (RFC 4861, 4.2). What was begun goes on when a flag is gone.
func (h *Host) hearFlags(a *wire.RouterAdvert) {
	what := uint32(0)
	switch {
	case a.Managed:
		what = DHCPAddresses
	case a.Other:
		what = DHCPSettings
	}
	if what > h.told.stateful {
		h.told.stateful = what
		h.change(Change{Kind: AskDHCP, Value: what, Why: "a router advertises that there is DHCPv6"})
	}
}

// hearValues takes the values of which zero says that they aren't told: "a host
// MUST NOT interpret the unspecified value as meaning change back to the
// default value" (RFC 4861, 6.3.4).
func (h *Host) hearValues(a *wire.RouterAdvert) {
	if a.HopLimit != 0 && a.HopLimit != h.told.hopLimit {
		h.told.hopLimit = a.HopLimit
		h.change(Change{Kind: SetHopLimit, Value: uint32(a.HopLimit), Why: "a router advertises it"})
	}
	if a.Reachable != 0 && a.Reachable != h.told.reachable {
		h.told.reachable = a.Reachable
		h.change(Change{Kind: SetReachable, Value: a.Reachable, Why: "a router advertises it"})
	}
	if a.Retrans != 0 && a.Retrans != h.told.retrans {
		h.told.retrans = a.Retrans
		h.change(Change{Kind: SetRetrans, Value: a.Retrans, Why: "a router advertises it"})
	}
}

// hearMTU: "hosts SHOULD copy the option's value into LinkMTU so long as the
// value is greater than or equal to the minimum link MTU" (RFC 4861, 6.3.4).
// That it isn't greater than the link's own, its owner sees to.
func (h *Host) hearMTU(mtu uint32) {
	if mtu >= wire.MinIPv6MTU && mtu != h.told.mtu && !h.cfg.NoMTU {
		h.told.mtu = mtu
		h.change(Change{Kind: SetMTU, Value: mtu, Why: "a router advertises it"})
	}
}

// HandleTimer does what is due at now.
func (h *Host) HandleTimer(now clock.Time) {
	h.solicit.handleTimer(&h.cfg, h.rnd, now)
	h.expireRouters(now)
	h.expirePrefixes(now)
	h.expireServers(now)
	h.expireDomains(now)
	h.ageAddresses(now)
}

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (h *Host) NextTimer() clock.Time {
	next := h.solicit.due
	for i := range h.routers {
		next = clock.Earlier(next, h.routers[i].until)
	}
	for i := range h.prefixes {
		next = earlierEnd(next, h.prefixes[i].until)
	}
	for i := range h.servers {
		next = earlierEnd(next, h.servers[i].until)
	}
	for i := range h.domains {
		next = earlierEnd(next, h.domains[i].until)
	}
	for i := range h.addresses {
		next = clock.Earlier(next, h.addresses[i].next())
	}
	return next
}

// earlierEnd is clock.Earlier where the end of time is never.
func earlierEnd(t, u clock.Time) clock.Time {
	if u == clock.End {
		return t
	}
	return clock.Earlier(t, u)
}

// lifetime returns when so many seconds from now are over: the end of time for
// [wire.Forever].
func lifetime(now clock.Time, seconds uint32) clock.Time {
	if seconds == wire.Forever {
		return clock.End
	}
	return now.Add(clock.Duration(seconds) * second)
}
