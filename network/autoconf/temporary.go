package autoconf

import (
	"encoding/binary"
	"net/netip"
	"time"

	"hubbub/clock"
)

// The lifetimes of temporary addresses, where nothing else is asked for
// (RFC 8981, 3.8).
const (
	TempValid     = 48 * time.Hour
	TempPreferred = 24 * time.Hour
)

const (
	// regenAdvance is how long before the preferred lifetime of one ends the
	// next is made: "2 + (TEMP_IDGEN_RETRIES * DupAddrDetectTransmits *
	// RetransTimer / 1000)" seconds (RFC 8981, 3.8).
	regenAdvance = 5 * time.Second
)

// formTemporary makes a temporary address: "the preferred lifetime is the
// lower of [...] TEMP_PREFERRED_LIFETIME - DESYNC_FACTOR" and what the router
// advertises. "A temporary address is created only if this calculated
// preferred lifetime is greater than REGEN_ADVANCE time units." (RFC 8981, 3.4)
func (h *Host) formTemporary(now clock.Time, p netip.Prefix, preferred, valid clock.Time) {
	desync := clock.Duration(h.rnd.Int64N(int64(0.4 * float64(h.cfg.TempPreferred)))) // "MAX_DESYNC_FACTOR"
	preferred = min(preferred, now.Add(h.cfg.TempPreferred-desync))
	if preferred <= now.Add(regenAdvance) || len(h.addresses) >= h.cfg.Addresses {
		return
	}
	h.addresses = append(h.addresses, address{Address: Address{
		Prefix: p, Temporary: true, Preferred: preferred, Valid: min(valid, now.Add(h.cfg.TempValid)),
	}})
	h.choose(&h.addresses[len(h.addresses)-1])
}

// randomAddress makes an address behind a prefix that nobody can foresee
// (RFC 8981, 3.3.1).
func (h *Host) randomAddress(p netip.Prefix) netip.Addr {
	for {
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], h.rnd.Uint64())
		if addr := join(p, id[:]); !reserved(addr) && h.find(addr) == nil {
			return addr
		}
	}
}

// renewal returns when the successor of a temporary address is to be made.
func (a *address) renewal() clock.Time { return max(1, a.Preferred.Add(-regenAdvance)) }

// renewTemporary makes a successor for every temporary address that is about to
// be deprecated (RFC 8981, 3.6).
func (h *Host) renewTemporary(now clock.Time) {
	for i := range len(h.addresses) {
		if a := &h.addresses[i]; a.Temporary && !a.renewed && a.renewal().Due(now) {
			a.renewed = true
			h.wantTemporary(now, a.Prefix.Masked())
		}
	}
}

// wantTemporary makes a temporary address behind a prefix, unless there is one
// that will be preferred for a while, or the stable one is about to go too.
func (h *Host) wantTemporary(now clock.Time, p netip.Prefix) {
	if !h.cfg.Temporary {
		return
	}
	var stable *address
	for i := range h.addresses {
		switch a := &h.addresses[i]; {
		case a.Prefix.Masked() != p:
		case !a.Temporary:
			stable = a
		case a.Preferred > now.Add(regenAdvance):
			return
		}
	}
	if stable != nil {
		h.formTemporary(now, p, stable.Preferred, stable.Valid)
	}
}
