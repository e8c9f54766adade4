package groups

import (
	"net/netip"
	"slices"

	"hubbub/clock"
	"hubbub/wire"
)

// reportChange tells that a group's filter is not what it was before: "A change
// of interface state causes the system to immediately transmit a State-Change
// Report from that interface." (RFC 3376, 5.1; RFC 3810, 6.1)
func (m *Member) reportChange(now clock.Time, g *group, before Filter) {
	switch {
	case g.silent():
		m.forget(g)
	case m.old():
		m.reportOld(now, g, before)
	default:
		m.note(g, before)
		m.sendChange(now, g)
	}
}

// note remembers what has changed, for as many reports as losses are expected.
//
//	Old State         New State         State-Change Record Sent
//	INCLUDE (A)       INCLUDE (B)       ALLOW (B-A), BLOCK (A-B)
//	EXCLUDE (A)       EXCLUDE (B)       ALLOW (A-B), BLOCK (B-A)
//	INCLUDE (A)       EXCLUDE (B)       TO_EX (B)
//	EXCLUDE (A)       INCLUDE (B)       TO_IN (B)
//
// A record of the last two tells the whole filter, so that no source need be
// told besides.
func (m *Member) note(g *group, before Filter) {
	if before.Exclude != g.filter.Exclude {
		g.modeLeft, g.changed = m.robustness, nil
		return
	}
	for _, s := range append(minus(g.filter.Sources, before.Sources), minus(before.Sources, g.filter.Sources)...) {
		i := slices.IndexFunc(g.changed, func(c changed) bool { return c.source == s })
		if i < 0 {
			g.changed = append(g.changed, changed{source: s})
			i = len(g.changed) - 1
		}
		g.changed[i].left = m.robustness
	}
	if len(g.changed) > 4*m.cfg.Sources {
		g.modeLeft, g.changed = m.robustness, nil // the whole filter is shorter
	}
}

// sendChange reports what has changed of a group, and sees to it that this is
// repeated.
func (m *Member) sendChange(now clock.Time, g *group) {
	reason := m.changeReason(g)
	var again clock.Time
	m.report(m.takeChange(now, g, &again), reason, m.rfc("5.1", "6.1"))
}

// takeChange returns what a report has to tell of a group now; if there is more
// to be told, that is due at again, which is chosen if it is not yet.
func (m *Member) takeChange(now clock.Time, g *group, again *clock.Time) []record {
	records := g.changeRecords()
	g.count()
	g.changeAt, g.changeCause = clock.Never, m.cause
	if g.modeLeft > 0 || len(g.changed) > 0 {
		if *again == clock.Never {
			*again = m.after(now, m.cfg.Unsolicited)
		}
		g.changeAt = *again
	}
	m.forget(g)
	return records
}

// repeatChanges reports the changes again that are due: those that were told in
// one report are told in one again.
func (m *Member) repeatChanges(now clock.Time) {
	var again clock.Time
	var records []record
	for _, g := range slices.Clone(m.groups) {
		switch {
		case !g.changeAt.Due(now):
		case m.old():
			m.cause = g.changeCause
			m.repeatOld(now, g)
		default:
			m.cause = g.changeCause
			records = append(records, m.takeChange(now, g, &again)...)
		}
	}
	m.report(records, "report: what has changed, again", m.rfc("5.1", "6.3"))
}

func (m *Member) changeReason(g *group) string {
	switch {
	case g.modeLeft > 0 && g.filter.Nobody():
		return "report: the group is left"
	case g.modeLeft > 0 && g.filter.Exclude:
		return "report: the group is joined"
	}
	return "report: the sources that are heard have changed"
}

// changeRecords are what a report of a change says: "If the report should
// contain a Filter-Mode-Change record, then if the current filter-mode of the
// interface is INCLUDE, a TO_IN record is included in the report, otherwise a
// TO_EX record is included. If instead the report should contain Source-List-
// Change records, an ALLOW and a BLOCK record are included. [...] If the computed
// source list for either an ALLOW or a BLOCK record is empty, that record is
// omitted" (RFC 3376, 5.1).
func (g *group) changeRecords() []record {
	if g.modeLeft > 0 {
		r := record{wire.ChangeToInclude, g.addr, g.filter.Sources}
		if g.filter.Exclude {
			r.kind = wire.ChangeToExclude
		}
		return []record{r}
	}
	allow, block := record{kind: wire.AllowSources, group: g.addr}, record{kind: wire.BlockSources, group: g.addr}
	for _, c := range g.changed {
		if g.filter.Passes(c.source) {
			allow.sources = append(allow.sources, c.source)
		} else {
			block.sources = append(block.sources, c.source)
		}
	}
	return slices.DeleteFunc([]record{allow, block}, func(r record) bool { return len(r.sources) == 0 })
}

// count notes that a report was sent: "Each time a State Change Report is sent
// the counter is decreased by one unit. When the counter reaches zero, the
// source is deleted" (RFC 3810, 6.1).
func (g *group) count() {
	g.modeLeft = max(g.modeLeft-1, 0)
	for i := range g.changed {
		g.changed[i].left--
	}
	g.changed = slices.DeleteFunc(g.changed, func(c changed) bool { return c.left <= 0 })
}

// SetSource sets the address that messages come from; the unspecified one if
// there is none. "Once a valid link-local address is available, a node SHOULD
// generate new MLDv2 Report messages for all multicast addresses joined on the
// interface." (RFC 3810, 5.2.13)
func (m *Member) SetSource(now clock.Time, source netip.Addr) {
	first := m.source.IsUnspecified() && !source.IsUnspecified()
	if m.source = source; first {
		m.Report(now)
	}
}

// Report tells of all groups, as if they had just been joined: for when the
// cable is plugged in, or the first address is there.
func (m *Member) Report(now clock.Time) {
	m.cause = m.Cause
	var again clock.Time
	var records []record
	for _, g := range slices.Clone(m.groups) {
		switch {
		case g.filter.Nobody() || g.silent():
		case m.old():
			m.reportOld(now, g, Filter{})
		default:
			g.tellAll(m.robustness)
			records = append(records, m.takeChange(now, g, &again)...)
		}
	}
	m.report(records, "report: all groups", m.rfc("5.1", "5.2.13"))
}

// tellAll lets so many reports tell the whole filter, as if the group had just
// been joined.
func (g *group) tellAll(times int) {
	g.modeLeft, g.changed = 0, nil
	if g.filter.Exclude {
		g.modeLeft = times
		return
	}
	for _, s := range g.filter.Sources {
		g.changed = append(g.changed, changed{s, times})
	}
}
