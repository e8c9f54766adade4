package groups

import (
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// An Arrival is how a message came.
type Arrival struct {
	Src, Dst    netip.Addr
	HopLimit    uint8 // or TTL
	RouterAlert bool  // it had the option
}

// A query is one of IGMP or MLD.
type query struct {
	version    int
	group      netip.Addr // unspecified: all
	longest    clock.Duration
	robustness uint8
	interval   clock.Duration
	sources    []byte // as in the message
}

// HandleIGMP takes an IGMP message. It returns why it was discarded, zero if it
// was not.
func (m *Member) HandleIGMP(now clock.Time, a Arrival, b []byte) Reason {
	m.cause = m.Cause
	header, payload, err := wire.ParseIGMP(b)
	switch {
	case err != nil:
		return m.drop(Malformed)
	case header.Type == wire.MembershipQuery:
		return m.handleGroupQuery(now, a, &header, payload)
	case header.Type == wire.MembershipReportV1, header.Type == wire.MembershipReportV2:
		m.hearReport(header.Group())
		return 0
	}
	return m.drop(ForRouters)
}

// handleGroupQuery checks an IGMP query: "Hosts SHOULD ignore v2 or v3 Queries
// without the Router-Alert option. Hosts SHOULD ignore v1, v2 or v3 General
// Queries sent to a multicast address other than 224.0.0.1" (RFC 3376, 9.1).
func (m *Member) handleGroupQuery(now clock.Time, a Arrival, header *wire.IGMP, payload []byte) Reason {
	q, err := wire.ParseGroupQuery(header, payload)
	switch {
	case err != nil:
		return m.drop(Malformed)
	case q.Version > 1 && !a.RouterAlert:
		return m.drop(NoRouterAlert)
	case q.Group.IsUnspecified() && a.Dst.IsMulticast() && a.Dst != wire.AllHostsIPv4:
		return m.drop(BadDestination)
	}
	return m.handleQuery(now, a, query{int(q.Version), q.Group, q.MaxResponse, q.Robustness, q.Interval, q.Sources})
}

// HandleMLD takes an MLD message, whose checksum is right: header and payload of
// an ICMPv6 message. "the node checks if the source address of the message is a
// valid link-local address, if the Hop Limit is set to 1, and if the Router
// Alert option is present in the Hop-By-Hop Options header of the IPv6 packet.
// If any of these checks fails, the packet is dropped." (RFC 3810, 6.2) It
// returns why it was discarded, zero if it was not.
func (m *Member) HandleMLD(now clock.Time, a Arrival, header *wire.ICMPv6, payload []byte) Reason {
	m.cause = m.Cause
	switch {
	case !a.Src.IsLinkLocalUnicast():
		return m.drop(NotFromLink)
	case a.HopLimit != 1:
		return m.drop(BadHopLimit)
	case !a.RouterAlert:
		return m.drop(NoRouterAlert)
	case header.Type == wire.MulticastListenerQuery:
		return m.handleListenerQuery(now, a, header, payload)
	case header.Type == wire.MulticastListenerReport:
		group, err := wire.ParseListenerV1(payload)
		if err != nil {
			return m.drop(Malformed)
		}
		m.hearReport(group)
		return 0
	}
	return m.drop(ForRouters)
}

func (m *Member) handleListenerQuery(now clock.Time, a Arrival, header *wire.ICMPv6, payload []byte) Reason {
	q, err := wire.ParseListenerQuery(header, payload)
	if err != nil {
		return m.drop(Malformed)
	}
	version := 2
	if q.V1 {
		version = 1
	}
	return m.handleQuery(now, a, query{version, q.Group, q.MaxResponse, q.Robustness, q.Interval, q.Sources})
}

// handleQuery schedules an answer: "When a system receives a Query, it does not
// respond immediately. Instead, it delays its response by a random amount of
// time" (RFC 3376, 5.2; RFC 3810, 6.2).
func (m *Member) handleQuery(now clock.Time, a Arrival, q query) Reason {
	general := q.group.IsUnspecified()
	if !general && !q.group.IsMulticast() {
		return m.drop(NoGroup)
	}
	if q.version < m.newest() && SourceSpecific(q.group) {
		// "A host SHOULD log an error if it receives an IGMPv1, IGMPv2, or MLDv1
		// query for an SSM address" (RFC 4604, 2.2.3).
		m.tell(Fact{Kind: Warned, Addr: a.Src, Group: q.group, Text: "a query of an old version for a group of source-specific multicast"})
	}
	if q.version == m.newest() {
		m.adopt(&q)
	}
	if !m.six && q.version == 1 {
		q.longest = 10 * time.Second // "This MUST be interpreted as a value of 100 (10 seconds)." (RFC 3376, 7.2.1)
	}
	m.hearQuerier(now, &q)
	switch {
	case m.old():
		m.scheduleOld(now, &q)
	case general && m.joined > 0:
		m.scheduleAll(m.after(now, q.longest))
	case !general:
		m.schedule(now, &q)
	}
	return 0
}

// adopt takes what the querier says of the network, where it does: "unless that
// most recently received QRV was zero" (RFC 3376, 4.1.6 and 4.1.7).
func (m *Member) adopt(q *query) {
	m.robustness, m.interval = m.cfg.Robustness, m.cfg.QueryInterval
	if q.robustness > 0 {
		m.robustness = int(q.robustness)
	}
	if q.interval > 0 {
		m.interval = q.interval
	}
}

// scheduleAll lets a general query be answered at a time. "1. If there is a
// pending response to a previous General Query scheduled sooner than the
// selected delay, no additional response needs to be scheduled. 2. [...] Any
// previously pending response to a General Query is canceled." (RFC 3376, 5.2)
func (m *Member) scheduleAll(at clock.Time) {
	if m.answerAt == clock.Never || m.answerAt > at {
		m.answerAt, m.answerCause = at, m.cause
	}
}

// schedule lets a query that names a group be answered, by the rules 1 and 3 to
// 5 (RFC 3376, 5.2).
func (m *Member) schedule(now clock.Time, q *query) {
	g := m.find(q.group)
	if g == nil || g.filter.Nobody() || g.silent() {
		return
	}
	at := m.after(now, q.longest)
	if m.answerAt != clock.Never && m.answerAt <= at {
		return
	}
	asked := m.addresses(q.sources)
	switch {
	case g.answerAt == clock.Never:
		g.asked = asked
	case asked == nil || g.asked == nil:
		g.asked = nil // the answer tells the whole filter
	default:
		g.asked = Filter{Sources: append(g.asked, asked...)}.sorted().Sources
		if len(g.asked) > m.cfg.Sources {
			g.asked = nil
		}
	}
	if g.answerAt == clock.Never || g.answerAt > at {
		g.answerAt, g.answerCause = at, m.cause
	}
}

// addresses reads a query's sources: nil for none, and for more than a filter
// may have, where it is shorter to tell the whole filter.
func (m *Member) addresses(b []byte) []netip.Addr {
	size := m.size()
	if len(b) == 0 || len(b)/size > m.cfg.Sources {
		return nil
	}
	all := make([]netip.Addr, 0, len(b)/size)
	for ; len(b) >= size; b = b[size:] {
		addr, _ := netip.AddrFromSlice(b[:size])
		all = append(all, addr)
	}
	return all
}

// answerAll answers a general query: "one Current-State Record is sent for each
// multicast address for which the specified interface has reception state"
// (RFC 3376, 5.2).
func (m *Member) answerAll() {
	var records []record
	for _, g := range m.groups {
		if !g.filter.Nobody() && !g.silent() {
			records = append(records, g.state())
		}
	}
	m.report(records, "report: the answer to a query for all groups", m.rfc("5.2", "6.3"))
}

// state is the record that tells a group's whole filter.
func (g *group) state() record {
	if g.filter.Exclude {
		return record{wire.ModeIsExclude, g.addr, g.filter.Sources}
	}
	return record{wire.ModeIsInclude, g.addr, g.filter.Sources}
}

// answer answers a query that named a group.
//
//	interface state   sources asked about   Current-State Record
//	INCLUDE (A)                B                   IS_IN (A*B)
//	EXCLUDE (A)                B                   IS_IN (B-A)
//
// "If the resulting Current-State Record has an empty set of source addresses,
// then no response is sent." (RFC 3376, 5.2; RFC 3810, 6.3)
func (m *Member) answer(g *group) {
	asked := g.asked
	g.asked = nil
	switch {
	case g.filter.Nobody():
	case m.old():
		m.sendOld(g, "report: the answer to a query")
	case asked == nil:
		m.report([]record{g.state()}, "report: the answer to a query for the group", m.rfc("5.2", "6.3"))
	default:
		heard := slices.DeleteFunc(asked, func(s netip.Addr) bool { return !g.filter.Passes(s) })
		if len(heard) > 0 {
			m.report([]record{{wire.ModeIsInclude, g.addr, heard}}, "report: the answer to a query for sources", m.rfc("5.2", "6.3"))
		}
	}
}
