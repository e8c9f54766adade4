package autoconf

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// AdvertConfig is what a router tells on a link (RFC 4861, 6.2.1). Zero times
// get the values that their comments name.
type AdvertConfig struct {
	MaxInterval clock.Duration // between unsolicited advertisements, 4 s to 1800 s; 600 s
	MinInterval clock.Duration // 3 s to 3/4 of MaxInterval; a third of MaxInterval
	Lifetime    clock.Duration // as a default router; 3 times MaxInterval; negative: it is none
	Preference  int8           // 1 high, 0 medium, -1 low (RFC 4191, 2.1)
	Managed     bool           // addresses can be had by DHCPv6
	Other       bool           // other configuration can
	HopLimit    uint8          // 64
	Reachable   clock.Duration // 0: not told
	Retrans     clock.Duration // 0: not told
	MTU         int            // octets; 0: not told
	Prefixes    []wire.PrefixInfo
	Servers     []netip.Addr // of DNS (RFC 8106, 5.1)
	Domains     []string     // in which names are looked for (RFC 8106, 5.2)
}

// Complete returns the configuration with the default values in the place of
// zeros, and with what can't be put right.
func (cfg AdvertConfig) Complete() AdvertConfig {
	if cfg.MaxInterval == 0 {
		cfg.MaxInterval = 600 * time.Second
	}
	cfg.MaxInterval = min(max(cfg.MaxInterval, 4*time.Second), 1800*time.Second)
	if cfg.MinInterval == 0 {
		cfg.MinInterval = cfg.MaxInterval / 3
	}
	// "MUST be no less than 3 seconds and no greater than .75 *
	// MaxRtrAdvInterval." (RFC 4861, 6.2.1)
	cfg.MinInterval = max(min(cfg.MinInterval, cfg.MaxInterval*3/4), 3*time.Second)
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 3 * cfg.MaxInterval
	}
	cfg.Lifetime = min(max(cfg.Lifetime, 0), 9000*time.Second)
	if cfg.HopLimit == 0 {
		cfg.HopLimit = 64
	}
	return cfg
}

// The times of router advertisements (RFC 4861, 10).
const (
	maxInitialInterval = 16 * time.Second
	maxInitialAdverts  = 3
	maxFinalAdverts    = 3
	minDelayBetween    = 3 * time.Second
	maxAdvertDelay     = 500 * time.Millisecond
)

// An Advertiser advertises a router on one link (RFC 4861, 6.2).
//
// State: Config. Input: HandleSolicitation, HandleTimer. Commands: Start,
// SetConfig, Stop. Output: PollAdvert, NextTimer.
type Advertiser struct {
	cfg AdvertConfig
	mac wire.MAC
	rnd *rand.Rand

	due    clock.Time // of the next advertisement
	last   clock.Time // when the last one was sent
	sent   int        // since Start, as far as it matters
	final  int        // how many final ones are still to be sent
	wanted bool
}

// NewAdvertiser returns an advertiser that is silent until Start.
func NewAdvertiser(cfg AdvertConfig, mac wire.MAC, rnd *rand.Rand) *Advertiser {
	return &Advertiser{cfg: cfg.Complete(), mac: mac, rnd: rnd}
}

// Config returns what is advertised.
func (a *Advertiser) Config() AdvertConfig { return a.cfg }

// Start begins to advertise, once the router's link-local address is usable.
func (a *Advertiser) Start(now clock.Time) {
	a.sent, a.final = 0, 0
	a.wanted = true
	a.schedule(now)
}

// SetConfig changes what is advertised, and advertises it soon: "In such cases,
// the router MAY transmit up to MAX_INITIAL_RTR_ADVERTISEMENTS unsolicited
// advertisements, using the same rules as when an interface becomes an
// advertising interface." (RFC 4861, 6.2.4)
func (a *Advertiser) SetConfig(now clock.Time, cfg AdvertConfig) {
	a.cfg = cfg.Complete()
	if a.due != clock.Never {
		a.sent = 0
		a.soon(now, 0)
	}
}

// Stop says that the router is none any more: "the router SHOULD transmit one
// or more (but not more than MAX_FINAL_RTR_ADVERTISEMENTS) final multicast
// Router Advertisements on the interface with a Router Lifetime field of zero."
// (RFC 4861, 6.2.5)
func (a *Advertiser) Stop(now clock.Time) {
	if a.due == clock.Never {
		return
	}
	a.final = maxFinalAdverts
	a.soon(now, 0)
}

// schedule sets when the next unsolicited advertisement is due: "the timer is
// reset to a uniformly distributed random value between the interface's
// configured MinRtrAdvInterval and MaxRtrAdvInterval [...] For the first few
// advertisements [...] if the randomly chosen interval is greater than
// MAX_INITIAL_RTR_ADVERT_INTERVAL, the timer SHOULD be set to
// MAX_INITIAL_RTR_ADVERT_INTERVAL instead." (RFC 4861, 6.2.4)
func (a *Advertiser) schedule(now clock.Time) {
	low, high := a.cfg.MinInterval, a.cfg.MaxInterval
	wait := low + clock.Duration(a.rnd.Int64N(int64(high-low)+1))
	if a.sent < maxInitialAdverts {
		wait = min(wait, maxInitialInterval)
	}
	a.due = now.Add(wait)
}

// HandleSolicitation answers a valid router solicitation with an advertisement
// to everybody: "Router Advertisements sent in response to a Router
// Solicitation MUST be delayed by a random time between 0 and MAX_RA_DELAY_TIME
// seconds. [...] consecutive Router Advertisements sent to the all-nodes
// multicast address MUST be rate limited to no more than one advertisement
// every MIN_DELAY_BETWEEN_RAS seconds." (RFC 4861, 6.2.6)
func (a *Advertiser) HandleSolicitation(now clock.Time) {
	if a.due != clock.Never && a.final == 0 {
		a.soon(now, clock.Duration(a.rnd.Int64N(int64(maxAdvertDelay)+1)))
	}
}

// soon advertises after delay, or as soon as the limit of the rate allows it,
// if that isn't later than it is due anyway.
func (a *Advertiser) soon(now clock.Time, delay clock.Duration) {
	at := now.Add(delay)
	if a.sent > 0 || a.last != 0 {
		if earliest := a.last.Add(minDelayBetween); now < earliest {
			at = earliest.Add(delay)
		}
	}
	a.due = min(a.due, max(at, 1))
}

// HandleTimer advertises if that is due.
func (a *Advertiser) HandleTimer(now clock.Time) {
	if a.due.Due(now) {
		a.wanted = true
		a.schedule(now)
	}
}

// NextTimer returns when HandleTimer has something to do, clock.Never if the
// advertiser is silent.
func (a *Advertiser) NextTimer() clock.Time { return a.due }

// PollAdvert returns the next advertisement, which goes to all nodes. Its
// options are appended to b, and alias it.
func (a *Advertiser) PollAdvert(now clock.Time, b []byte) (wire.RouterAdvert, bool) {
	if !a.wanted {
		return wire.RouterAdvert{}, false
	}
	a.wanted = false
	a.sent = min(a.sent+1, maxInitialAdverts)
	a.last = now
	advert := wire.RouterAdvert{
		HopLimit: a.cfg.HopLimit, Managed: a.cfg.Managed, Other: a.cfg.Other, Preference: a.cfg.Preference,
		Lifetime: uint16(a.cfg.Lifetime / time.Second), Options: a.options(b),
		Reachable: uint32(a.cfg.Reachable.Milliseconds()), Retrans: uint32(a.cfg.Retrans.Milliseconds()),
	}
	if a.final > 0 {
		advert.Lifetime = 0
		a.finish(now)
	}
	return advert, true
}

// finish ends the advertising after the last of the final advertisements.
func (a *Advertiser) finish(now clock.Time) {
	a.final--
	a.due = now.Add(minDelayBetween)
	if a.final == 0 {
		a.due = clock.Never
	}
}

// options appends what is advertised besides the fixed values.
func (a *Advertiser) options(b []byte) []byte {
	b = wire.AppendLinkAddress(b, wire.SourceLinkAddress, a.mac)
	if a.cfg.MTU > 0 {
		b = wire.AppendLinkMTU(b, uint32(a.cfg.MTU))
	}
	for i := range a.cfg.Prefixes {
		b = a.cfg.Prefixes[i].AppendTo(b)
	}
	// "The default value SHOULD be at least 3 * MaxRtrAdvInterval" (RFC 8106,
	// 5.1 and 5.2).
	lifetime := uint32(3 * a.cfg.MaxInterval / time.Second)
	if len(a.cfg.Servers) > 0 {
		b = wire.AppendDNSServers(b, lifetime, a.cfg.Servers...)
	}
	if len(a.cfg.Domains) > 0 {
		b = wire.AppendSearchList(b, lifetime, a.cfg.Domains...)
	}
	return b
}
