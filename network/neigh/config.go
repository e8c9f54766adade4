package neigh

import (
	"cmp"
	"time"

	"hubbub/clock"
)

// Config are the constants of a Cache. Zero fields get the values that their
// comments name, which are Linux's unless a source is given.
type Config struct {
	Reachable  clock.Duration // how long an answer counts, times a random 0.5 to 1.5 (RFC 4861, 10); 30 s
	Retransmit clock.Duration // between two requests, at least 1 s (RFC 1122, 2.3.2.1); 1 s
	// MaxRetransmit is the longest time between two solicitations of an IPv6
	// neighbour that doesn't answer (RFC 7048, 4); 60 s
	MaxRetransmit clock.Duration
	Delay         clock.Duration // how long a stale neighbour may prove itself before it is asked; 5 s
	Stale         clock.Duration // how long an entry that nobody uses is kept; 60 s
	Requests      int            // broadcast requests before an address is given up; 3
	Probes        int            // unicast requests before a neighbour is given up; 3

	Entries      int // entries in the cache, the permanent ones not counted; 1024
	PendingCount int // packets that wait for one neighbour; 32
	PendingBytes int // their bytes; 64 KiB
	PendingTotal int // bytes of all that wait for any; 1 MiB

	Detect Detection // of address conflicts
	// Transmits is how many solicitations find out whether an IPv6 address is
	// in use already (RFC 4862, 5.1, DupAddrDetectTransmits); 1
	Transmits int
}

// Detection are the constants of address conflict detection (RFC 5227, 1.1).
// Zero fields get the RFC's values, which their comments name.
type Detection struct {
	ProbeWait         clock.Duration // greatest initial delay; 1 s
	ProbeNum          int            // probes; 3
	ProbeMin          clock.Duration // shortest time from probe to probe; 1 s
	ProbeMax          clock.Duration // longest; 2 s
	AnnounceWait      clock.Duration // after the last probe; 2 s
	AnnounceNum       int            // announcements; 2
	AnnounceInterval  clock.Duration // between two; 2 s
	MaxConflicts      int            // conflicts before probing slows down; 10
	RateLimitInterval clock.Duration // then, between two attempts; 60 s
	DefendInterval    clock.Duration // between two defences; 10 s
}

// complete returns cfg with the default values in the place of zeros.
func (cfg *Config) complete() Config {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	orDuration(&c.Reachable, 30*time.Second)
	orDuration(&c.Retransmit, time.Second)
	orDuration(&c.MaxRetransmit, time.Minute)
	orDuration(&c.Delay, 5*time.Second)
	orDuration(&c.Stale, time.Minute)
	orInt(&c.Requests, 3)
	orInt(&c.Probes, 3)
	orInt(&c.Transmits, 1)
	orInt(&c.Entries, 1024)
	orInt(&c.PendingCount, 32)
	orInt(&c.PendingBytes, 64<<10)
	orInt(&c.PendingTotal, 1<<20)
	c.Detect.complete()
	// RFC 1122, 2.3.2.1: "The recommended maximum rate is 1 per second per
	// destination."
	c.Retransmit = max(c.Retransmit, time.Second)
	return c
}

func (d *Detection) complete() {
	orDuration(&d.ProbeWait, time.Second)
	orInt(&d.ProbeNum, 3)
	orDuration(&d.ProbeMin, time.Second)
	orDuration(&d.ProbeMax, 2*time.Second)
	orDuration(&d.AnnounceWait, 2*time.Second)
	orInt(&d.AnnounceNum, 2)
	orDuration(&d.AnnounceInterval, 2*time.Second)
	orInt(&d.MaxConflicts, 10)
	orDuration(&d.RateLimitInterval, time.Minute)
	orDuration(&d.DefendInterval, 10*time.Second)
	d.ProbeMax = max(d.ProbeMax, d.ProbeMin)
}

func orDuration(d *clock.Duration, otherwise clock.Duration) { *d = cmp.Or(max(*d, 0), otherwise) }

func orInt(n *int, otherwise int) { *n = cmp.Or(max(*n, 0), otherwise) }
