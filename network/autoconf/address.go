package autoconf

import (
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// An Address is one that the host has made for itself.
type Address struct {
	Prefix     netip.Prefix // the address, and how long its prefix is
	State      State
	Temporary  bool
	Preferred  clock.Time // until when it begins new conversations; clock.End: for ever
	Valid      clock.Time // until when it is the host's
	Duplicates int        // how many before it were somebody else's already
}

// A State says how far an address is.
type State uint8

// The states (RFC 4862, 2).
const (
	Tentative  State = iota // it may be somebody else's
	Preferred               // it may be used without restriction
	Deprecated              // it is still valid, but should begin nothing new
)

// String returns the state as a word.
func (s State) String() string { return [...]string{"tentative", "preferred", "deprecated"}[s] }

// An address is an Address at work.
type address struct {
	Address
	again   clock.Time // when to try the next one, after this one was lost
	lost    bool
	renewed bool         // of a temporary one: its successor was made
	routers []netip.Addr // that have advertised the prefix
}

// idgenRetries is how many addresses in a row may be somebody else's
// (RFC 7217, 6, IDGEN_RETRIES), and idgenDelay the time between two of them.
const (
	idgenRetries = 3
	idgenDelay   = time.Second
)

// twoHours: see hearValid.
const twoHours = 2 * time.Hour

// Addresses returns the host's addresses, the link-local one first.
func (h *Host) Addresses() []Address {
	all := make([]Address, 0, len(h.addresses))
	for _, a := range h.addresses {
		all = append(all, a.Address)
	}
	return all
}

// form makes an address from a prefix.
func (h *Host) form(now clock.Time, p netip.Prefix, preferred, valid clock.Time) {
	if len(h.addresses) >= h.cfg.Addresses {
		return
	}
	h.addresses = append(h.addresses, address{Address: Address{Prefix: p, Preferred: preferred, Valid: valid}})
	h.choose(&h.addresses[len(h.addresses)-1])
	if h.cfg.Temporary && p != linkLocal {
		h.formTemporary(now, p, preferred, valid)
	}
}

// choose gives an address its interface identifier, and asks for it to be
// tried.
func (h *Host) choose(a *address) {
	p := a.Prefix.Masked()
	a.State, a.lost, a.again = Tentative, false, clock.Never
	if a.Temporary {
		a.Prefix = netip.PrefixFrom(h.randomAddress(p), p.Bits())
	} else {
		a.Prefix = netip.PrefixFrom(h.stableAddress(p, a.Duplicates), p.Bits())
	}
	h.change(Change{Kind: AddAddress, Prefix: a.Prefix, Temporary: a.Temporary, Why: "made from the prefix " + p.String()})
}

// RoutersOf returns the routers that have advertised the prefix of an address: by
// them packets from there are to go (RFC 6724, 5, rule 5.5).
func (h *Host) RoutersOf(addr netip.Addr) []netip.Addr {
	if a := h.find(addr); a != nil {
		return a.routers
	}
	return nil
}

func (h *Host) find(addr netip.Addr) *address {
	for i := range h.addresses {
		if h.addresses[i].Prefix.Addr() == addr {
			return &h.addresses[i]
		}
	}
	return nil
}

// HandleAddressUsable learns that nobody else uses an address. With the
// link-local one, routers are asked for.
func (h *Host) HandleAddressUsable(now clock.Time, addr netip.Addr) {
	a := h.find(addr)
	if a == nil || a.State != Tentative {
		return
	}
	a.State = Preferred
	if a.Prefix.Masked() == linkLocal {
		h.solicit.begin(h.rnd, now, addr)
	}
}

// HandleAddressLost learns that somebody else uses an address. Another is made
// after a while: "the address generation should be retried [...] DAD_Counter
// is incremented by 1" (RFC 7217, 6).
func (h *Host) HandleAddressLost(now clock.Time, addr netip.Addr) {
	a := h.find(addr)
	if a == nil || a.lost {
		return
	}
	h.change(Change{Kind: RemoveAddress, Prefix: a.Prefix, Why: "somebody else uses it"})
	a.lost, a.Duplicates = true, a.Duplicates+1
	// RFC 4862, 5.4.5 (R4862-5): of an address that is made from the MAC address there is
	// no other.
	if a.Duplicates > idgenRetries || !h.cfg.MAC.IsZero() {
		a.again = clock.Never
		h.change(Change{Kind: GiveUp, Prefix: a.Prefix.Masked(), Why: "too many addresses in a row were somebody else's"})
		return
	}
	a.again = now.Add(idgenDelay)
}

// hearAutonomous makes an address from a prefix, or brings the lifetimes of
// those up to date that were made from it (R4862-6; RFC 4862, 5.5.3).
func (h *Host) hearAutonomous(now clock.Time, src netip.Addr, p *wire.PrefixInfo) {
	if p.Preferred > p.Valid {
		return // c) "silently ignore the Prefix Information option"
	}
	known := false
	for i := range h.addresses {
		if a := &h.addresses[i]; a.Prefix.Masked() == p.Prefix {
			known = true
			h.prolong(now, a, p)
		}
	}
	// d) "If the sum of the prefix length and interface identifier length does
	// not equal 128 bits, the Prefix Information option MUST be ignored."
	switch {
	case known:
		h.wantTemporary(now, p.Prefix)
	case p.Valid != 0 && p.Prefix.Bits() == 64:
		h.form(now, p.Prefix, lifetime(now, p.Preferred), lifetime(now, p.Valid))
	}
	for i := range h.addresses {
		a := &h.addresses[i]
		if a.Prefix.Masked() == p.Prefix && len(a.routers) < h.cfg.Routers && !slices.Contains(a.routers, src) {
			a.routers = append(a.routers, src)
		}
	}
}

// prolong sets an address's lifetimes (RFC 4862, 5.5.3 e). Those of a temporary
// one never grow beyond what it was made for (RFC 8981, 3.4).
func (h *Host) prolong(now clock.Time, a *address, p *wire.PrefixInfo) {
	preferred, valid := lifetime(now, p.Preferred), h.validUntil(now, a, p)
	if a.Temporary {
		preferred, valid = min(preferred, a.Preferred), min(valid, a.Valid)
	}
	a.Preferred, a.Valid = preferred, valid
	if a.State == Deprecated && preferred > now {
		a.State = Preferred
		h.change(Change{Kind: Prefer, Addr: a.Prefix.Addr(), Why: "a router advertises its prefix"})
	}
	h.ageAddresses(now)
}

// validUntil: "1. If the received Valid Lifetime is greater than 2 hours or
// greater than RemainingLifetime, set the valid lifetime of the corresponding
// address to the advertised Valid Lifetime. 2. If RemainingLifetime is less
// than or equal to 2 hours, ignore the Prefix Information option with regards
// to the valid lifetime [...] 3. Otherwise, reset the valid lifetime of the
// corresponding address to 2 hours." (R4862-7; RFC 4862, 5.5.3 e) So a forged
// advertisement can't take all addresses away at once.
func (h *Host) validUntil(now clock.Time, a *address, p *wire.PrefixInfo) clock.Time {
	told := lifetime(now, p.Valid)
	switch {
	case told > now.Add(twoHours) || told > a.Valid:
		return told
	case a.Valid <= now.Add(twoHours):
		return a.Valid
	}
	return now.Add(twoHours)
}

// next returns when there is something to do for an address.
func (a *address) next() clock.Time {
	switch {
	case a.lost:
		return earlierEnd(a.again, a.Valid)
	case a.Temporary && !a.renewed:
		return clock.Earlier(a.renewal(), a.Valid)
	case a.State == Preferred:
		return earlierEnd(earlierEnd(clock.Never, a.Valid), a.Preferred)
	}
	return earlierEnd(clock.Never, a.Valid)
}

// ageAddresses: "A preferred address becomes deprecated when its preferred
// lifetime expires." (RFC 4862, 5.5.4) When its valid lifetime does, it goes.
func (h *Host) ageAddresses(now clock.Time) {
	for i := range h.addresses {
		a := &h.addresses[i]
		switch {
		case a.Valid.Due(now):
			if !a.lost {
				h.change(Change{Kind: RemoveAddress, Prefix: a.Prefix, Temporary: a.Temporary, Why: "its lifetime is over"})
			}
		case a.lost && a.again.Due(now):
			h.choose(a)
		case a.State == Preferred && !a.lost && a.Preferred <= now:
			a.State = Deprecated
			h.change(Change{Kind: Deprecate, Addr: a.Prefix.Addr(), Temporary: a.Temporary, Why: "its preferred lifetime is over"})
		}
	}
	h.addresses = slices.DeleteFunc(h.addresses, func(a address) bool { return a.Valid.Due(now) })
	h.renewTemporary(now)
}
