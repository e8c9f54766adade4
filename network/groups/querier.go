package groups

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"hubbub/clock"
	"hubbub/internal/fifo"
	"hubbub/wire"
)

// The times of a querier (RFC 3376, 8; RFC 3810, 9).
const (
	queryResponse = 10 * time.Second // in which hosts answer a general query
	lastInterval  = time.Second      // between two queries for a group that somebody has left
	maxLast       = 64               // groups that are asked for at one time
)

// A Querier asks, as multicast routers do, who is in which groups, so that hosts
// tell of them: without one, switches that look into that know nothing. It speaks
// IGMPv3 or MLDv2, and keeps no table of groups, for it forwards nothing.
//
// State: Querying. Input: HandleIGMP, HandleMLD, HandleTimer. Commands: SetSource.
// Output: PollMessage, NextTimer.
type Querier struct {
	cfg     Config
	six     bool
	source  netip.Addr
	due     clock.Time // of the next general query
	startup int        // how many are still sent at the shorter interval
	other   clock.Time // until when another one is the querier
	last    []lastQuery
	sent    fifo.Queue[Message]
}

// A lastQuery asks whether there are others in a group that somebody has left.
type lastQuery struct {
	group netip.Addr
	left  int
	due   clock.Time
}

// NewQuerier returns a querier, for MLD or for IGMP, that is silent until it has
// an address to ask from.
func NewQuerier(cfg *Config, six bool) *Querier { return &Querier{cfg: cfg.complete(), six: six} }

// Querying reports whether it is the one on its link that asks.
func (q *Querier) Querying() bool { return q.source.IsValid() && q.other == clock.Never }

// SetSource sets the address that it asks from; with the first it begins: "When a
// router starts operating on a subnet, by default it considers itself as being the
// Querier. Thus, it sends several General Queries separated by a small time
// interval" (RFC 3810, 7.6.2; RFC 3376, 8.6 and 8.7).
func (q *Querier) SetSource(now clock.Time, addr netip.Addr) {
	if !q.source.IsValid() && addr.IsValid() {
		q.due, q.startup = max(now, 1), q.cfg.Robustness
	}
	q.source = addr
}

// HandleIGMP takes an IGMP message that is none for hosts alone.
func (q *Querier) HandleIGMP(now clock.Time, a Arrival, b []byte) {
	m, rest, err := wire.ParseIGMP(b)
	if err != nil {
		return
	}
	switch m.Type {
	case wire.MembershipQuery:
		q.hearQuery(now, a.Src)
	case wire.LeaveGroup:
		q.ask(now, m.Group())
	case wire.MembershipReportV3:
		q.hearRecords(now, rest, m.Records(), wire.NextGroupRecord)
	}
}

// HandleMLD takes an MLD message.
func (q *Querier) HandleMLD(now clock.Time, a Arrival, m *wire.ICMPv6, payload []byte) {
	if a.HopLimit != 1 || !a.Src.IsLinkLocalUnicast() || !a.RouterAlert {
		return
	}
	switch m.Type {
	case wire.MulticastListenerQuery:
		q.hearQuery(now, a.Src)
	case wire.MulticastListenerDone:
		if group, err := wire.ParseListenerV1(payload); err == nil {
			q.ask(now, group)
		}
	case wire.MulticastListenerReportV2:
		q.hearRecords(now, payload, m.Records(), wire.NextListenerRecord)
	}
}

// hearRecords looks for groups that somebody has left.
func (q *Querier) hearRecords(now clock.Time, records []byte, n int, next func([]byte) (wire.ListenerRecord, []byte, error)) {
	for range n {
		r, rest, err := next(records)
		if err != nil {
			return
		}
		if r.Type == wire.ChangeToInclude && len(r.Sources) == 0 {
			q.ask(now, r.Group)
		}
		records = rest
	}
}

// hearQuery: "When a router receives a query with a lower IP address, it sets the
// Other-Querier-Present timer to Other Querier Present Interval and ceases to send
// queries on the network if it was the previously elected querier." (RFC 3376,
// 6.6.2) The interval is "((the Robustness Variable) times (the Query Interval))
// plus (one half of one Query Response Interval)" (RFC 3376, 8.5; RFC 3810, 9.5).
func (q *Querier) hearQuery(now clock.Time, src netip.Addr) {
	if !q.source.IsValid() || !q.lower(src) {
		return
	}
	q.other = now.Add(clock.Duration(q.cfg.Robustness)*q.cfg.QueryInterval + queryResponse/2)
	q.due, q.last = clock.Never, nil
}

// lower reports whether another's address comes before the own one. Of IPv6 the
// interface identifiers count: "an IPv6 address A is considered to be lower than
// an IPv6 address B if the interface ID represented by the last 64 bits of address
// A, in big-endian bit order, is lower" (RFC 3810, 7.6.2).
func (q *Querier) lower(src netip.Addr) bool {
	if !q.six {
		return src.Less(q.source)
	}
	a, b := src.As16(), q.source.As16()
	return bytes.Compare(a[8:], b[8:]) < 0
}

// ask asks whether somebody is in a group: "The router must then immediately send
// a group specific query as well as schedule [Last Member Query Count - 1] query
// retransmissions to be sent every [Last Member Query Interval]" (RFC 3376,
// 6.6.3.1; RFC 3810, 7.6.3.1).
func (q *Querier) ask(now clock.Time, group netip.Addr) {
	known := slices.ContainsFunc(q.last, func(l lastQuery) bool { return l.group == group })
	if !q.Querying() || !group.IsMulticast() || known || len(q.last) == maxLast {
		return
	}
	q.last = append(q.last, lastQuery{group, q.cfg.Robustness, max(now, 1)})
	q.HandleTimer(now)
}

// HandleTimer asks what is due at now.
func (q *Querier) HandleTimer(now clock.Time) {
	if q.other.Due(now) {
		q.other, q.due = clock.Never, now // "it should begin sending General Queries"
	}
	if q.due.Due(now) {
		q.send(q.everybody(), q.unspecified(), queryResponse, "general query: who is in which groups?", "6.6", "7.1")
		wait := q.cfg.QueryInterval
		if q.startup > 1 {
			wait /= 4
		}
		q.startup = max(q.startup-1, 0)
		q.due = now.Add(wait)
	}
	for i := range q.last {
		l := &q.last[i]
		if l.due.Due(now) {
			q.send(l.group, l.group, lastInterval, "query: is anybody still in the group?", "6.6.3.1", "7.6.3.1")
			l.left--
			l.due = now.Add(lastInterval)
		}
	}
	q.last = slices.DeleteFunc(q.last, func(l lastQuery) bool { return l.left == 0 })
}

// everybody is who hears a general query, and unspecified the group that one is
// about.
func (q *Querier) everybody() netip.Addr {
	if q.six {
		return wire.AllNodes
	}
	return wire.AllHostsIPv4
}

func (q *Querier) unspecified() netip.Addr {
	if q.six {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func (q *Querier) send(to, group netip.Addr, response clock.Duration, reason, igmp, mld string) {
	msg := Message{Src: q.source, Dst: to, DstMAC: wire.MulticastMAC(to)}
	robustness := uint8(q.cfg.Robustness)
	if q.six {
		query := wire.ListenerQuery{Group: group, MaxResponse: response, Robustness: robustness, Interval: q.cfg.QueryInterval}
		msg.ICMPv6, msg.Payload = query.Message(nil)
		msg.Reason, msg.RFC = "MLD "+reason, "RFC 3810, "+mld
	} else {
		query := wire.GroupQuery{Version: 3, Group: group, MaxResponse: response, Robustness: robustness, Interval: q.cfg.QueryInterval}
		msg.IGMP, msg.Payload = query.Message(nil)
		msg.Reason, msg.RFC = "IGMP "+reason, "RFC 3376, "+igmp
	}
	q.sent.Push(msg)
}

// NextTimer returns when HandleTimer has something to do, clock.Never if nothing
// waits for time to pass.
func (q *Querier) NextTimer() clock.Time {
	next := clock.Earlier(q.due, q.other)
	for i := range q.last {
		next = clock.Earlier(next, q.last[i].due)
	}
	return next
}

// PollMessage returns the next query to be sent.
func (q *Querier) PollMessage() (Message, bool) { return q.sent.Pop() }
