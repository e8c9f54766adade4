package membership

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

const (
	// robustness is how often a change is told (RFC 3810, 9.1; RFC 3376, 8.1).
	robustness = 2
	// interval is the longest time between two reports of a change (RFC 3810,
	// 9.11; RFC 3376, 8.11).
	interval = time.Second
)

// MaxGroups is how many groups an interface may be in.
const MaxGroups = 256

// A Listener tells of one interface's groups.
//
// State: Joined, Groups. Input: HandleQuery, HandleTimer. Commands: Join,
// Leave. Output: PollReport, NextTimer.
type Listener struct {
	rnd    *rand.Rand
	groups []group
	due    clock.Time // of the next report of changes
	answer clock.Time // of the answer to a query for all groups
	now    []Record   // to be polled
}

// A group is one that is joined, or was until lately.
type group struct {
	addr   netip.Addr
	users  int        // how often it was joined; zero: it was left
	quiet  bool       // it is never told of
	repeat int        // how often the change is still to be told
	answer clock.Time // of the answer to a query for this group
}

// A Record says of a group what a report tells.
type Record struct {
	Type  wire.RecordType
	Group netip.Addr
}

// NewListener returns a listener that is in no group.
func NewListener(rnd *rand.Rand) *Listener { return &Listener{rnd: rnd} }

// Joined reports whether the machine listens to a group.
func (l *Listener) Joined(addr netip.Addr) bool {
	g := l.find(addr)
	return g != nil && g.users > 0
}

// Groups returns the groups that are joined, in the order in which they were.
func (l *Listener) Groups() []netip.Addr {
	var all []netip.Addr
	for i := range l.groups {
		if l.groups[i].users > 0 {
			all = append(all, l.groups[i].addr)
		}
	}
	return all
}

func (l *Listener) find(addr netip.Addr) *group {
	for i := range l.groups {
		if l.groups[i].addr == addr {
			return &l.groups[i]
		}
	}
	return nil
}

// Join joins a group, which is told at once and once more. What is joined
// several times must be left as often. It reports false if there are too many
// groups.
//
// quiet joins a group that is never told of: "Reports are never sent for" the
// one of all nodes, nor for those that don't leave the machine (RFC 3810, 6).
func (l *Listener) Join(_ clock.Time, addr netip.Addr, quiet bool) bool {
	g := l.find(addr)
	if g == nil {
		if len(l.groups) >= MaxGroups {
			return false
		}
		l.groups = append(l.groups, group{addr: addr, quiet: quiet})
		g = &l.groups[len(l.groups)-1]
	}
	if g.users++; g.users == 1 {
		l.changed(g)
	}
	return true
}

// Leave takes one Join back.
func (l *Listener) Leave(_ clock.Time, addr netip.Addr) {
	g := l.find(addr)
	if g == nil || g.users == 0 {
		return
	}
	if g.users--; g.users == 0 {
		l.changed(g)
	}
}

// changed tells of a change as soon as reports are polled: "a State Change
// Report is immediately transmitted from that interface. [...] To cover the
// possibility of the State Change Report being missed by one or more multicast
// routers, [Robustness Variable] - 1 retransmissions are scheduled, through a
// Retransmission Timer, at intervals chosen at random from the range (0,
// [Unsolicited Report Interval])" (RFC 3810, 6.1).
func (l *Listener) changed(g *group) {
	if g.quiet {
		return
	}
	g.repeat = robustness
	l.now = append(l.now, g.change())
}

func (g *group) change() Record {
	if g.users > 0 {
		return Record{wire.ChangeToExclude, g.addr}
	}
	return Record{wire.ChangeToInclude, g.addr}
}

// HandleQuery takes a router's question who listens to a group, or, if that is
// the unspecified address, to any: "When a node receives a Query, it does not
// respond immediately. Instead, it delays its response by a random amount of
// time, bounded by the Max Resp Time" (RFC 3810, 6.2).
func (l *Listener) HandleQuery(now clock.Time, addr netip.Addr, within clock.Duration) {
	at := now.Add(l.delay(within))
	if addr.IsUnspecified() {
		l.answer = clock.Earlier(l.answer, at)
		return
	}
	if g := l.find(addr); g != nil && g.users > 0 && !g.quiet {
		g.answer = clock.Earlier(g.answer, at)
	}
}

func (l *Listener) delay(within clock.Duration) clock.Duration {
	return 1 + clock.Duration(l.rnd.Int64N(int64(max(within, 1))))
}

// HandleTimer does what is due at now.
func (l *Listener) HandleTimer(now clock.Time) {
	all := l.answer.Due(now)
	again := l.due.Due(now)
	for i := range l.groups {
		g := &l.groups[i]
		if g.users > 0 && !g.quiet && (all || g.answer.Due(now)) {
			g.answer = clock.Never
			l.now = append(l.now, Record{wire.ModeIsExclude, g.addr})
		}
		if again && g.repeat > 0 {
			l.now = append(l.now, g.change())
		}
	}
	if all {
		l.answer = clock.Never
	}
	if again {
		l.due = clock.Never
	}
}

// MaxRecords is how many records PollReport returns at most: with as many, a
// report of IPv6 has 1240 octets at most, less than every link's MTU.
const MaxRecords = 60

// PollReport returns the records of the next report to be sent, appended to b.
func (l *Listener) PollReport(now clock.Time, b []Record) ([]Record, bool) {
	if len(l.now) == 0 {
		return b, false
	}
	n := min(len(l.now), MaxRecords)
	b = append(b, l.now[:n]...)
	for _, r := range l.now[:n] {
		l.told(now, r)
	}
	l.now = append(l.now[:0], l.now[n:]...)
	return b, true
}

// told notes that a record is sent.
func (l *Listener) told(now clock.Time, r Record) {
	g := l.find(r.Group)
	if g == nil || r.Type == wire.ModeIsExclude {
		return
	}
	switch g.repeat--; {
	case g.repeat > 0:
		l.due = clock.Earlier(l.due, now.Add(l.delay(interval)))
	case g.users == 0:
		l.groups = slices.DeleteFunc(l.groups, func(x group) bool { return x.addr == r.Group })
	}
}

// NextTimer returns when HandleTimer has something to do, clock.Never if
// nothing waits for time to pass.
func (l *Listener) NextTimer() clock.Time {
	next := clock.Earlier(l.due, l.answer)
	for i := range l.groups {
		next = clock.Earlier(next, l.groups[i].answer)
	}
	return next
}
