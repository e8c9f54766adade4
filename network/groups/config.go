package groups

import (
	"cmp"
	"time"

	"hubbub/clock"
)

// Config are the constants of a Member. Zero fields get the values that their
// comments name (RFC 3376, 8; RFC 3810, 9).
type Config struct {
	Robustness     int            // how often a change is reported, until a querier says otherwise; 2, at most 7
	Unsolicited    clock.Duration // a change is reported again after up to this time; 1 s
	UnsolicitedOld clock.Duration // the same with IGMPv1 and v2, and MLDv1; 10 s
	QueryInterval  clock.Duration // between queries, until a querier says it; 125 s

	MTU     int // octets of a packet, for the length of reports; 1280
	Groups  int // that sockets may listen to at one time; 256
	Sources int // in one filter; 64
}

func (cfg *Config) complete() Config {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	c.Robustness = min(cmp.Or(max(c.Robustness, 0), 2), 7)
	c.Unsolicited = cmp.Or(max(c.Unsolicited, 0), time.Second)
	c.UnsolicitedOld = cmp.Or(max(c.UnsolicitedOld, 0), 10*time.Second)
	c.QueryInterval = cmp.Or(max(c.QueryInterval, 0), 125*time.Second)
	c.MTU = max(cmp.Or(c.MTU, 1280), 128)
	c.Groups = cmp.Or(max(c.Groups, 0), 256)
	c.Sources = cmp.Or(max(c.Sources, 0), 64)
	return c
}
