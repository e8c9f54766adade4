package icmperr

import (
	"cmp"
	"net/netip"
	"time"

	"hubbub/clock"
)

// LimiterConfig are the rates of a Limiter. Zero fields get the values that
// their comments name, which are Linux's.
type LimiterConfig struct {
	Rate      int            // messages a second to all destinations together; 1000
	Burst     int            // as many at once; 50
	DestEvery clock.Duration // one message to each destination; 1 s
	DestBurst int            // as many at once; 6
	Dests     int            // destinations remembered; 1024
}

// DefaultLimiterConfig returns the defaults.
func DefaultLimiterConfig() LimiterConfig { return (*LimiterConfig)(nil).complete() }

func (cfg *LimiterConfig) complete() LimiterConfig {
	var c LimiterConfig
	if cfg != nil {
		c = *cfg
	}
	c.Rate = min(cmp.Or(max(c.Rate, 0), 1000), int(time.Second))
	c.Burst = cmp.Or(max(c.Burst, 0), 50)
	c.DestEvery = cmp.Or(max(c.DestEvery, 0), time.Second)
	c.DestBurst = cmp.Or(max(c.DestBurst, 0), 6)
	c.Dests = cmp.Or(max(c.Dests, 0), 1024)
	return c
}

// A bucket holds tokens: one comes in every so often, up to a number. They
// are counted as the time that it takes them to come in.
type bucket struct {
	credit, most clock.Duration
	at           clock.Time
}

func newBucket(now clock.Time, every clock.Duration, burst int) bucket {
	most := every * clock.Duration(burst)
	return bucket{most, most, now}
}

// has reports whether there is a token that takes so long to come in.
func (b *bucket) has(now clock.Time, every clock.Duration) bool {
	b.credit = min(b.credit+now.Sub(b.at), b.most)
	b.at = now
	return b.credit >= every
}

// A Limiter says how many error messages are sent: token buckets, one for all
// and one for each destination. It is a pure machine without timers.
//
// RFC 1812, 4.3.2.8 (R1812-10): "A router which sends ICMP Source Quench messages MUST be
// able to limit the rate at which the messages can be generated. A router
// SHOULD also be able to limit the rate at which it sends other sorts of ICMP
// error messages (Destination Unreachable, Redirect, Time Exceeded, Parameter
// Problem)."
type Limiter struct {
	cfg   LimiterConfig
	every clock.Duration // of the bucket for all
	all   bucket
	dests map[netip.Addr]*dest
	ends  dest // of the list by last use: its newer is the oldest
}

type dest struct {
	bucket
	addr         netip.Addr
	older, newer *dest
}

// NewLimiter returns a Limiter with full buckets. A nil LimiterConfig means
// all defaults.
func NewLimiter(cfg *LimiterConfig) *Limiter {
	l := &Limiter{cfg: cfg.complete(), dests: make(map[netip.Addr]*dest)}
	l.every = time.Second / clock.Duration(l.cfg.Rate)
	l.all = newBucket(0, l.every, l.cfg.Burst)
	l.ends.older, l.ends.newer = &l.ends, &l.ends
	return l
}

// Configure changes the rates, at once. Here a zero counts as it is: a Rate of
// 0 allows nothing, a DestEvery of 0 any number to the same destination.
func (l *Limiter) Configure(cfg LimiterConfig) {
	every, before := l.every, l.cfg
	cfg.Dests = before.Dests
	l.cfg, l.every = cfg, time.Second/clock.Duration(min(max(cfg.Rate, 1), int(time.Second)))
	burst := cfg.Burst
	if cfg.Rate == 0 {
		burst = 0
	}
	l.all.change(every, l.every, burst)
	for _, d := range l.dests {
		d.change(before.DestEvery, cfg.DestEvery, cfg.DestBurst)
	}
}

// change gives the bucket another rate. The tokens that are in it stay, as far
// as it holds them.
func (b *bucket) change(before, every clock.Duration, burst int) {
	tokens := clock.Duration(burst)
	if before > 0 && b.most > 0 {
		tokens = min(tokens, b.credit/before)
	}
	b.credit, b.most = tokens*every, every*clock.Duration(burst)
}

// Allow takes a token for an error message to dst, and reports whether there
// was one, and why not.
func (l *Limiter) Allow(now clock.Time, dst netip.Addr) (ok bool, why string) {
	if !l.all.has(now, l.every) {
		return false, "too many ICMP errors are being sent"
	}
	d := l.dest(now, dst)
	if !d.has(now, l.cfg.DestEvery) {
		return false, "too many ICMP errors are being sent to this host"
	}
	l.all.credit -= l.every
	d.credit -= l.cfg.DestEvery
	return true, ""
}

// dest returns a destination's bucket. The one that was used least recently
// gives way to a new one.
func (l *Limiter) dest(now clock.Time, addr netip.Addr) *dest {
	d := l.dests[addr]
	switch {
	case d != nil:
		d.unlink()
	case len(l.dests) >= l.cfg.Dests:
		d = l.ends.newer
		d.unlink()
		delete(l.dests, d.addr)
		fallthrough
	default:
		d = &dest{addr: addr, bucket: newBucket(now, l.cfg.DestEvery, l.cfg.DestBurst)}
		l.dests[addr] = d
	}
	d.older, d.newer = l.ends.older, &l.ends
	d.older.newer, d.newer.older = d, d
	return d
}

func (d *dest) unlink() { d.older.newer, d.newer.older = d.newer, d.older }
