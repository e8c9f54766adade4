package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// IGMPHeaderLen is the length in octets of the header that all messages have.
const IGMPHeaderLen = 8

// An IGMPType says what an IGMP message is.
type IGMPType uint8

// The types of versions 1 to 3 (RFC 3376, 4).
const (
	MembershipQuery    IGMPType = 0x11
	MembershipReportV1 IGMPType = 0x12
	MembershipReportV2 IGMPType = 0x16
	LeaveGroup         IGMPType = 0x17
	MembershipReportV3 IGMPType = 0x22
)

// String returns the type's name, or its number.
func (t IGMPType) String() string {
	switch t {
	case MembershipQuery:
		return "membership query"
	case MembershipReportV1:
		return "membership report v1"
	case MembershipReportV2:
		return "membership report v2"
	case LeaveGroup:
		return "leave group"
	case MembershipReportV3:
		return "membership report v3"
	}
	return fmt.Sprintf("IGMP type %d", uint8(t))
}

var (
	errIGMPShort    = &fault{"wire: the IGMP message is cut off: it has 8 octets at least", ErrShort}
	errIGMPChecksum = &fault{"wire: the IGMP message's checksum is wrong", ErrChecksum}
	errIGMPQuery    = &fault{"wire: the IGMP query has neither 8 octets nor the sources that it says it has", ErrShort}
	errIGMPRecord   = &fault{"wire: a group record of the IGMP report is cut off", ErrShort}
)

// IGMP is the header of an IGMP message (RFC 2236, 2; RFC 3376, 4).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      | Max Resp Code |           Checksum            |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Group Address                         |
//	|            Reserved           |  Number of Group Records (M)  | report v3
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type IGMP struct {
	Type     IGMPType
	Code     uint8  // the longest time until an answer, in queries
	Checksum uint16 // as read; it is computed when the message is written
	Rest     [4]byte
}

// ParseIGMP reads a message that is in one piece, checks its checksum and
// returns what follows its header. The error is an [ErrShort] or
// [ErrChecksum].
func ParseIGMP(b []byte) (IGMP, []byte, error) {
	switch {
	case len(b) < IGMPHeaderLen:
		return IGMP{}, nil, errIGMPShort
	case Checksum(b) != 0:
		return IGMP{}, nil, errIGMPChecksum
	}
	return IGMP{
		Type: IGMPType(b[0]), Code: b[1], Checksum: binary.BigEndian.Uint16(b[2:]), Rest: [4]byte(b[4:8]),
	}, b[IGMPHeaderLen:], nil
}

// AppendTo appends the header, with the checksum of itself and of the payload,
// and then the payload.
func (m *IGMP) AppendTo(b, payload []byte) []byte {
	start := len(b)
	b = append(b, byte(m.Type), m.Code, 0, 0)
	b = append(append(b, m.Rest[:]...), payload...)
	binary.BigEndian.PutUint16(b[start+2:], Checksum(b[start:]))
	return b
}

// Group returns the group that a query, a report of version 1 or 2, or a leave
// message is about.
func (m *IGMP) Group() netip.Addr { return netip.AddrFrom4(m.Rest) }

// SetGroup sets the group.
func (m *IGMP) SetGroup(group netip.Addr) { m.Rest = as4(group) }

// Records returns how many records a report of version 3 says that it has.
func (m *IGMP) Records() int { return int(binary.BigEndian.Uint16(m.Rest[2:])) }

// A GroupQuery asks who is in which groups (RFC 3376, 4.1). Those of versions 1
// and 2 end behind the header.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                 Source Addresses (4 octets each)              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type GroupQuery struct {
	Version     uint8         // 1, 2 or 3
	MaxResponse time.Duration // the longest time until an answer; a multiple of 100 ms; 0 in version 1
	Group       netip.Addr    // unspecified: all groups
	Suppress    bool          // routers needn't keep the timers that they do by RFC 3376, 4.1.5
	Robustness  uint8         // how many losses are expected, 0 to 7
	Interval    time.Duration // between queries; whole seconds
	Sources     []byte        // 4 octets each, as in the message
}

// ParseGroupQuery reads the message whose header m is and whose payload follows
// it. "Query messages that do not match any of the above conditions (e.g., a
// Query of length 10 octets) MUST be silently ignored." (RFC 3376, 7.1) The
// error is an [ErrShort].
func ParseGroupQuery(m *IGMP, payload []byte) (GroupQuery, error) {
	const tick = 100 * time.Millisecond
	q := GroupQuery{Version: 2, Group: m.Group(), MaxResponse: time.Duration(m.Code) * tick}
	switch {
	case len(payload) == 0 && m.Code == 0:
		q.Version = 1
		return q, nil
	case len(payload) == 0:
		return q, nil
	case len(payload) < 4:
		return GroupQuery{}, errIGMPQuery
	}
	n := 4 * int(binary.BigEndian.Uint16(payload[2:]))
	if len(payload) < 4+n {
		return GroupQuery{}, errIGMPQuery
	}
	q.Version, q.MaxResponse = 3, time.Duration(exponential(uint32(m.Code), 4))*tick
	q.Suppress, q.Robustness = payload[0]&8 != 0, payload[0]&7
	q.Interval = time.Duration(exponential(uint32(payload[1]), 4)) * time.Second
	q.Sources = payload[4 : 4+n : 4+n]
	return q, nil
}

// Message appends the payload to b and returns it with the header. What a code
// can't express exactly is rounded down.
func (q *GroupQuery) Message(b []byte) (IGMP, []byte) {
	m := IGMP{Type: MembershipQuery}
	m.SetGroup(q.Group)
	ticks := uint32(min(q.MaxResponse.Milliseconds()/100, 1<<20))
	switch q.Version {
	case 1:
		return m, b
	case 2:
		m.Code = uint8(min(ticks, 255))
		return m, b
	}
	m.Code = uint8(toExponential(ticks, 4))
	return m, q.appendTail(b, 4)
}

// appendTail appends what a query of IGMPv3 or MLDv2 has behind the group:
// sources of so many octets each.
func (q *GroupQuery) appendTail(b []byte, size int) []byte {
	flags := q.Robustness & 7
	if q.Suppress {
		flags |= 8
	}
	b = append(b, flags, byte(toExponential(uint32(min(q.Interval/time.Second, 1<<20)), 4)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(q.Sources)/size))
	return append(b, q.Sources...)
}

// NextGroupRecord is [NextListenerRecord] for a report of IGMPv3, whose
// addresses have 4 octets (RFC 3376, 4.2).
func NextGroupRecord(records []byte) (ListenerRecord, []byte, error) {
	if len(records) < 8 {
		return ListenerRecord{}, nil, errIGMPRecord
	}
	n := 4 * int(binary.BigEndian.Uint16(records[2:]))
	whole := 8 + n + 4*int(records[1])
	if len(records) < whole {
		return ListenerRecord{}, nil, errIGMPRecord
	}
	return ListenerRecord{
		Type: RecordType(records[0]), Group: netip.AddrFrom4([4]byte(records[4:])), Sources: records[8 : 8+n : 8+n],
	}, records[whole:], nil
}

// GroupReport is [ListenerReport] for IGMPv3.
func GroupReport(b []byte, records ...ListenerRecord) (IGMP, []byte) {
	m := IGMP{Type: MembershipReportV3}
	binary.BigEndian.PutUint16(m.Rest[2:], uint16(len(records)))
	for _, r := range records {
		group := as4(r.Group)
		b = append(b, byte(r.Type), 0)
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.Sources)/4))
		b = append(append(b, group[:]...), r.Sources...)
	}
	return m, b
}

// RouterAlertIPv4 is the option that asks every router on the way to look at a
// packet (RFC 2113, 2.1): all IGMP messages of versions 2 and 3 have it.
var RouterAlertIPv4 = []byte{byte(OptionRouterAlert), 4, 0, 0}
