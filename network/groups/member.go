package groups

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/wire"
)

// A Member is an interface's membership in groups, for one family.
//
// State: Accepts, Delivers, Filter, Groups, Version, Drops. Input: HandleIGMP or
// HandleMLD, HandleTimer. Commands: Listen, Join, Leave, ChangeSource, LeaveAll,
// Hold, Release, SetSource, Report. Output: PollMessage, PollEvent, NextTimer.
type Member struct {
	// Cause is the event that is being handled. Whoever calls an input or a
	// command sets it; timers remember it.
	Cause uint64
	// Watch makes the member record facts. Counters count regardless.
	Watch bool

	six    bool // it speaks MLD
	cfg    Config
	rnd    *rand.Rand
	source netip.Addr // of what is sent

	groups []*group // in the order of their addresses; those that were left too, until that is reported
	joined int      // of them, those that are heard

	// present is until when queriers of version 1, and 2 of IGMP, are taken to
	// be there (RFC 3376, 7.2.1; RFC 3810, 8.2.1).
	present    [3]clock.Time
	spoken     int            // the version: 1 to 3, or with MLD 1 and 2
	robustness int            // what the last querier said
	interval   clock.Duration // between queries, what the last querier said

	answerAt    clock.Time // when to answer a general query
	answerCause uint64

	cause    uint64 // of what is done now: Cause, or what a timer remembered
	messages fifo.Queue[Message]
	facts    fifo.Queue[Fact]
	drops    Drops
}

// A group is one that the interface hears, or has to tell that it doesn't hear
// any more.
type group struct {
	addr    netip.Addr
	sockets []membership
	holds   int    // of the machine itself
	filter  Filter // of the interface

	// What has changed and is still to be reported (RFC 3810, 6.1).
	modeLeft    int       // reports that tell the whole filter
	changed     []changed // sources that reports are to tell of
	oldLeft     int       // reports of an older version
	changeAt    clock.Time
	changeCause uint64

	// The answer to a query that named the group (RFC 3376, 5.2).
	answerAt    clock.Time
	answerCause uint64
	asked       []netip.Addr // about these sources; nil: about all

	reporter bool // we reported it last, by an older version
}

// A membership is what one socket wants to hear of a group.
type membership struct {
	socket uint64
	filter Filter
}

type changed struct {
	source netip.Addr
	left   int
}

// A Group is a line of the list of groups.
type Group struct {
	Addr    netip.Addr
	Filter  Filter // of the interface
	Sockets int    // that listen to it
	Held    bool   // the machine itself does
}

// New returns a member that speaks IGMP. A nil Config means all defaults.
func New(cfg *Config, rnd *rand.Rand) *Member {
	m := &Member{cfg: cfg.complete(), rnd: rnd, spoken: 3, source: netip.IPv4Unspecified()}
	m.robustness, m.interval = m.cfg.Robustness, m.cfg.QueryInterval
	return m
}

// NewMLD is [New] for MLD.
func NewMLD(cfg *Config, rnd *rand.Rand) *Member {
	m := New(cfg, rnd)
	m.six, m.spoken, m.source = true, 2, netip.IPv6Unspecified()
	return m
}

// newest is the version that is spoken where no older querier is present.
func (m *Member) newest() int {
	if m.six {
		return 2
	}
	return 3
}

// old reports whether an older version is spoken.
func (m *Member) old() bool { return m.spoken < m.newest() }

// Version returns the version that is spoken: of IGMP 1 to 3, of MLD 1 or 2.
func (m *Member) Version() int { return m.spoken }

// Accepts reports whether any socket, or the machine itself, wants to hear a
// source in a group. "reception of packets destined to the all-systems multicast
// address, from all sources, is permanently enabled" (RFC 3376, 5; RFC 3810, 6).
func (m *Member) Accepts(addr, source netip.Addr) bool {
	if addr == wire.AllHostsIPv4 || addr == wire.AllNodes {
		return true
	}
	g := m.find(addr)
	return g != nil && g.filter.Passes(source)
}

// Delivers reports whether a socket that is bound accordingly hears a source in
// a group. One that has not joined it hears what anybody hears if all is set, as
// with Linux's IP_MULTICAST_ALL; otherwise nothing.
func (m *Member) Delivers(socket uint64, addr, source netip.Addr, all bool) bool {
	if f, ok := m.Filter(socket, addr); ok {
		return f.Passes(source)
	}
	return all && m.Accepts(addr, source)
}

// Filter returns a socket's filter of a group, and whether it listens to it.
func (m *Member) Filter(socket uint64, addr netip.Addr) (Filter, bool) {
	if g := m.find(addr); g != nil {
		if i := g.member(socket); i >= 0 {
			return g.sockets[i].filter, true
		}
	}
	return Filter{}, false
}

// Groups returns the groups that the interface hears, in the order of their
// addresses.
func (m *Member) Groups() []Group {
	all := make([]Group, 0, len(m.groups))
	for _, g := range m.groups {
		if !g.filter.Nobody() {
			all = append(all, Group{Addr: g.addr, Filter: g.filter, Sockets: len(g.sockets), Held: g.holds > 0})
		}
	}
	return all
}

// Hears reports whether one of the groups that the interface hears has that MAC
// address: what a card's filter lets through.
func (m *Member) Hears(mac wire.MAC) bool {
	for _, g := range m.groups {
		if wire.MulticastMAC(g.addr) == mac && !g.filter.Nobody() {
			return true
		}
	}
	return false
}

// Drops returns how many messages were discarded, by reason.
func (m *Member) Drops() Drops { return m.drops }

func (m *Member) search(addr netip.Addr) (int, bool) {
	return slices.BinarySearchFunc(m.groups, addr, func(g *group, a netip.Addr) int { return g.addr.Compare(a) })
}

func (m *Member) find(addr netip.Addr) *group {
	if i, ok := m.search(addr); ok {
		return m.groups[i]
	}
	return nil
}

func (g *group) member(socket uint64) int {
	return slices.IndexFunc(g.sockets, func(x membership) bool { return x.socket == socket })
}

// HandleTimer does what is due at now.
func (m *Member) HandleTimer(now clock.Time) {
	m.cause = m.Cause
	m.ageQueriers(now)
	if m.answerAt.Due(now) {
		m.answerAt, m.cause = clock.Never, m.answerCause
		m.answerAll()
	}
	for _, g := range m.groups {
		if g.answerAt.Due(now) {
			g.answerAt, m.cause = clock.Never, g.answerCause
			m.answer(g)
		}
	}
	m.repeatChanges(now)
}

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (m *Member) NextTimer() clock.Time {
	next := m.answerAt
	for _, until := range m.present {
		next = clock.Earlier(next, until)
	}
	for _, g := range m.groups {
		next = clock.Earlier(next, clock.Earlier(g.answerAt, g.changeAt))
	}
	return next
}

// PollMessage returns the next message to be sent.
func (m *Member) PollMessage(clock.Time) (Message, bool) { return m.messages.Pop() }

// PollEvent returns the next fact.
func (m *Member) PollEvent() (Fact, bool) { return m.facts.Pop() }

// after returns a time up to d from now: "at intervals chosen at random from the
// range (0, [Unsolicited Report Interval])" (RFC 3376, 5.1).
func (m *Member) after(now clock.Time, d clock.Duration) clock.Time {
	return now.Add(1 + clock.Duration(m.rnd.Int64N(max(int64(d), 1))))
}
