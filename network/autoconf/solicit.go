package autoconf

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"hubbub/clock"
)

// The times of router solicitations (RFC 4861, 10; RFC 7559, 2).
const (
	maxSolicitationDelay = time.Second
	firstInterval        = 4 * time.Second    // RTR_SOLICITATION_INTERVAL, IRT
	maxInterval          = 3600 * time.Second // MRT
)

// A solicitor asks for routers until one has advertised itself.
//
// RFC 4861, 6.3.7 has it ask three times; then a machine whose first messages
// were lost would wait for the next advertisement. RFC 7559, 2 has it go on,
// less and less often.
type solicitor struct {
	from     netip.Addr
	due      clock.Time
	sent     int
	interval clock.Duration
	wanted   bool // a solicitation is to be sent now
}

// begin asks for the first time after a while: "Before a host sends an initial
// solicitation, it SHOULD delay the transmission for a random amount of time
// between 0 and MAX_RTR_SOLICITATION_DELAY." (RFC 4861, 6.3.7)
func (s *solicitor) begin(rnd *rand.Rand, now clock.Time, from netip.Addr) {
	*s = solicitor{from: from, due: now.Add(1 + clock.Duration(rnd.Int64N(int64(maxSolicitationDelay))))}
}

// handleTimer asks again: "RT = 2*RTprev + RAND*RTprev", where RAND is between
// -0.1 and 0.1, until MRT is reached (RFC 7559, 2; RFC 8415, 15).
func (s *solicitor) handleTimer(cfg *Config, rnd *rand.Rand, now clock.Time) {
	if !s.due.Due(now) {
		return
	}
	if cfg.Solicitations != 0 && s.sent >= cfg.Solicitations {
		s.due = clock.Never
		return
	}
	s.wanted, s.sent = true, s.sent+1
	jitter := 0.2*rnd.Float64() - 0.1
	switch {
	case s.interval == 0:
		s.interval = clock.Duration((1 + jitter) * float64(cfg.Interval))
	default:
		s.interval = clock.Duration((2 + jitter) * float64(s.interval))
	}
	if s.interval > cfg.MaxInterval {
		s.interval = clock.Duration((1 + jitter) * float64(cfg.MaxInterval))
	}
	s.due = now.Add(s.interval)
}

// heard ends the asking: "a host [...] MUST cease sending Router Solicitations"
// when a router advertises itself as a default router (RFC 4861, 6.3.7;
// RFC 7559, 2).
func (s *solicitor) heard(isDefault bool) {
	if isDefault {
		s.due, s.wanted = clock.Never, false
	}
}

// A Solicitation is a router solicitation to be sent to all routers, with our
// link address as an option.
type Solicitation struct {
	Src netip.Addr
}

// PollSolicitation returns the next router solicitation to be sent.
func (h *Host) PollSolicitation(clock.Time) (Solicitation, bool) {
	if !h.solicit.wanted {
		return Solicitation{}, false
	}
	h.solicit.wanted = false
	return Solicitation{h.solicit.from}, true
}
