package groups

import (
	"fmt"
	"net/netip"

	"hubbub/clock"
	"hubbub/wire"
)

// hearQuerier notes that a querier of an older version is there: "IGMPv1 Querier
// Present is set to Older Version Querier Present Timeout seconds whenever an
// IGMPv1 Membership Query is received. IGMPv2 Querier Present is set to Older
// Version Querier Present Timeout seconds whenever an IGMPv2 General Query is
// received." (RFC 3376, 7.2.1; RFC 3810, 8.2.1)
func (m *Member) hearQuerier(now clock.Time, q *query) {
	if q.version >= m.newest() || q.version == 2 && !q.group.IsUnspecified() {
		return
	}
	// "This value MUST be ((the Robustness Variable) times (the Query Interval
	// in the last Query received)) plus (one Query Response Interval)."
	// (RFC 3376, 8.12; RFC 3810, 9.12)
	m.present[q.version] = now.Add(clock.Duration(m.robustness)*m.interval + q.longest)
	m.setVersion()
}

// setVersion finds the version to speak: the oldest of the queriers present.
// "Whenever a host changes its compatibility mode, it cancels all its pending
// response and retransmission timers." (RFC 3376, 7.2.1)
func (m *Member) setVersion() {
	version := m.newest()
	for v := version - 1; v > 0; v-- {
		if m.present[v] != clock.Never {
			version = v
		}
	}
	if version == m.spoken {
		return
	}
	m.spoken, m.answerAt = version, clock.Never
	m.tell(Fact{Kind: Version, Text: fmt.Sprintf("%s version %d", m.protocol(), version)})
	kept := m.groups[:0]
	for _, g := range m.groups {
		g.answerAt, g.asked, g.changeAt = clock.Never, nil, clock.Never
		g.modeLeft, g.changed, g.oldLeft, g.reporter = 0, nil, 0, true
		if !g.filter.Nobody() {
			kept = append(kept, g)
		}
	}
	clear(m.groups[len(kept):])
	m.groups = kept
}

// ageQueriers forgets the older queriers that have not asked for too long.
func (m *Member) ageQueriers(now clock.Time) {
	for v := range m.present {
		if m.present[v].Due(now) {
			m.present[v] = clock.Never
		}
	}
	m.setVersion()
}

func (m *Member) protocol() string {
	if m.six {
		return "MLD"
	}
	return "IGMP"
}

// reportOld tells a change to a querier of an older version, which knows of
// groups but not of sources: "When a host joins a multicast group, it should
// immediately transmit an unsolicited Version 2 Membership Report for that
// group [...] To cover the possibility of the initial Membership Report being
// lost or damaged, it is recommended that it be repeated once or twice after
// short delays" (RFC 2236, 3; RFC 2710, 4).
func (m *Member) reportOld(now clock.Time, g *group, before Filter) {
	switch {
	case g.filter.Nobody():
		m.leaveOld(g)
		m.forget(g)
	case before.Nobody():
		g.oldLeft = m.robustness
		m.repeatOld(now, g)
	}
}

func (m *Member) repeatOld(now clock.Time, g *group) {
	m.sendOld(g, "report: the group is joined")
	g.changeAt, g.changeCause = clock.Never, m.cause
	if g.oldLeft = max(g.oldLeft-1, 0); g.oldLeft > 0 {
		g.changeAt = m.after(now, m.cfg.UnsolicitedOld)
	}
}

// leaveOld: "When a host leaves a multicast group, if it was the last host to
// reply to a Query with a Membership Report for that group, it SHOULD send a
// Leave Group message" (RFC 2236, 3); MLDv1's is called done (RFC 2710, 4).
// Version 1 of IGMP has none.
func (m *Member) leaveOld(g *group) {
	g.changeAt, g.answerAt = clock.Never, clock.Never
	if !g.reporter || !m.six && m.spoken == 1 {
		return
	}
	msg := m.oldMessage(g.addr, wire.LeaveGroup, wire.MulticastListenerDone)
	msg.Reason, msg.RFC = "the group is left", m.oldRFC("3", "4")
	m.address(&msg, m.routers())
	m.messages.Push(msg)
}

func (m *Member) routers() netip.Addr {
	if m.six {
		return wire.AllRouters
	}
	return wire.AllRoutersIPv4
}

// sendOld reports a group, to the group itself.
func (m *Member) sendOld(g *group, reason string) {
	kind := wire.MembershipReportV2
	if m.spoken == 1 {
		kind = wire.MembershipReportV1
	}
	msg := m.oldMessage(g.addr, kind, wire.MulticastListenerReport)
	msg.Reason, msg.RFC = reason, m.oldRFC("3", "4")
	m.address(&msg, g.addr)
	m.messages.Push(msg)
	g.reporter = true
}

// scheduleOld lets each group that a query is about be reported: "If a timer for
// the group is already running, it is reset to the random value only if the
// requested Max Response Time is less than the remaining value of the running
// timer." (RFC 2236, 3; RFC 2710, 4)
func (m *Member) scheduleOld(now clock.Time, q *query) {
	for _, g := range m.groups {
		if g.filter.Nobody() || g.silent() || !q.group.IsUnspecified() && q.group != g.addr {
			continue
		}
		if g.answerAt == clock.Never || now.Add(q.longest) < g.answerAt {
			g.answerAt, g.answerCause = m.after(now, q.longest), m.cause
		}
	}
}

// hearReport takes another host's report of an older version, which is as good
// as ours: "If the host receives another host's Report (version 1 or 2) while it
// has a timer running, it stops its timer for the specified group and does not
// send a Report" (RFC 2236, 3; RFC 2710, 4). The newest version doesn't know
// that, and "An SSM-aware host, however, MUST NOT allow its report to be
// suppressed" (RFC 4604, 2.2.1).
func (m *Member) hearReport(addr netip.Addr) {
	g := m.find(addr)
	if g == nil || !m.old() || SourceSpecific(addr) {
		return
	}
	g.answerAt, g.changeAt, g.oldLeft, g.reporter = clock.Never, clock.Never, 0, false
}
