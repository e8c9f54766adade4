package wire

import (
	"encoding/binary"
	"net/netip"
	"time"
)

var (
	errMLDShort  = &fault{"wire: the multicast listener message is cut off", ErrShort}
	errMLDLength = &fault{"wire: the multicast listener message has fewer sources or records than it says", ErrShort}
)

// A ListenerQuery asks who listens to which groups (RFC 3810, 5.1). That of
// version 1 (RFC 2710, 3) ends behind the group.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|    Maximum Response Code      |           Reserved            | ICMPv6.Rest
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                  Multicast Address (16 octets)                |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                Source Addresses (16 octets each)              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type ListenerQuery struct {
	MaxResponse time.Duration // the longest time until an answer; a multiple of 1 ms
	Group       netip.Addr    // unspecified: all groups
	V1          bool
	Suppress    bool          // routers needn't keep the timers that they do by RFC 3810, 5.1.7
	Robustness  uint8         // how many losses are expected, 0 to 7
	Interval    time.Duration // between queries; whole seconds
	Sources     []byte        // 16 octets each, as in the message
}

// ParseListenerQuery reads the message whose header m is and whose payload
// follows it. "Query messages that do not match any of the above conditions
// (e.g., a Query of length 26 octets) MUST be silently ignored." (RFC 3810, 8.1)
// The error is an [ErrShort].
func ParseListenerQuery(m *ICMPv6, payload []byte) (ListenerQuery, error) {
	if len(payload) < 20 && len(payload) != 16 {
		return ListenerQuery{}, errMLDShort
	}
	code := binary.BigEndian.Uint16(m.Rest[:])
	q := ListenerQuery{Group: netip.AddrFrom16([16]byte(payload))}
	if len(payload) == 16 {
		// RFC 3810, 8.1: a query of 24 octets is of version 1.
		q.V1, q.MaxResponse = true, time.Duration(code)*time.Millisecond
		return q, nil
	}
	n := 16 * int(binary.BigEndian.Uint16(payload[18:]))
	if len(payload) < 20+n {
		return ListenerQuery{}, errMLDLength
	}
	q.MaxResponse = time.Duration(exponential(uint32(code), 12)) * time.Millisecond
	q.Suppress, q.Robustness = payload[16]&8 != 0, payload[16]&7
	q.Interval = time.Duration(exponential(uint32(payload[17]), 4)) * time.Second
	q.Sources = payload[20 : 20+n : 20+n]
	return q, nil
}

// exponential reads a code whose highest bit says that it is a floating-point
// number with a mantissa of so many bits and an exponent of three
// (RFC 3810, 5.1.3 and 5.1.9).
func exponential(code uint32, mantissa int) uint32 {
	if code>>(mantissa+3) == 0 {
		return code
	}
	exponent := code >> mantissa & 7
	return (code&(1<<mantissa-1) | 1<<mantissa) << (exponent + 3)
}

// toExponential returns the code for a value, or for the greatest that is
// less and has a code.
func toExponential(value uint32, mantissa int) uint32 {
	if value < 1<<(mantissa+3) {
		return value
	}
	for exponent := uint32(0); exponent < 8; exponent++ {
		if shifted := value >> (exponent + 3); shifted < 2<<mantissa {
			return 1<<(mantissa+3) | exponent<<mantissa | shifted&(1<<mantissa-1)
		}
	}
	return 1<<(mantissa+4) - 1
}

// Message appends the payload to b and returns it with the header. What a code
// can't express exactly is rounded down.
func (q *ListenerQuery) Message(b []byte) (ICMPv6, []byte) {
	m := ICMPv6{Type: MulticastListenerQuery}
	group := q.Group.As16()
	b = append(b, group[:]...)
	delay := uint32(min(q.MaxResponse.Milliseconds(), 1<<30))
	if q.V1 {
		binary.BigEndian.PutUint16(m.Rest[:], uint16(min(delay, 0xffff)))
		return m, b
	}
	binary.BigEndian.PutUint16(m.Rest[:], uint16(toExponential(delay, 12)))
	tail := GroupQuery{Suppress: q.Suppress, Robustness: q.Robustness, Interval: q.Interval, Sources: q.Sources}
	return m, tail.appendTail(b, 16)
}

// A RecordType says what a report's record tells of a group (RFC 3810, 5.2.12;
// RFC 3376, 4.2.12).
type RecordType uint8

// The types of records.
const (
	ModeIsInclude   RecordType = 1
	ModeIsExclude   RecordType = 2
	ChangeToInclude RecordType = 3 // without sources: the group was left
	ChangeToExclude RecordType = 4 // without sources: the group was joined
	AllowSources    RecordType = 5
	BlockSources    RecordType = 6
)

// A ListenerRecord is what a report of MLDv2 or IGMPv3 says of one group
// (RFC 3810, 5.2; RFC 3376, 4.2). The addresses of IGMP have 4 octets.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Record Type  |  Aux Data Len |     Number of Sources (N)     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                  Multicast Address (16 octets)                |
//	|                Source Addresses (16 octets each)              |
//	|                        Auxiliary Data                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
type ListenerRecord struct {
	Type    RecordType
	Group   netip.Addr
	Sources []byte // 16 octets each, or 4, as in the message
}

// NextListenerRecord reads the first record of a report of version 2 and
// returns those behind it: what follows the report's header are its records,
// as many as the header's last two octets say. The error is an [ErrShort].
func NextListenerRecord(records []byte) (ListenerRecord, []byte, error) {
	if len(records) < 20 {
		return ListenerRecord{}, nil, errMLDShort
	}
	n := 16 * int(binary.BigEndian.Uint16(records[2:]))
	whole := 20 + n + 4*int(records[1])
	if len(records) < whole {
		return ListenerRecord{}, nil, errMLDLength
	}
	return ListenerRecord{
		Type: RecordType(records[0]), Group: netip.AddrFrom16([16]byte(records[4:])), Sources: records[20 : 20+n : 20+n],
	}, records[whole:], nil
}

// Records returns how many records a report of version 2 says that it has.
func (m *ICMPv6) Records() int { return int(binary.BigEndian.Uint16(m.Rest[2:])) }

// ListenerReport appends the records to b and returns them with the header of
// a report of version 2.
func ListenerReport(b []byte, records ...ListenerRecord) (ICMPv6, []byte) {
	m := ICMPv6{Type: MulticastListenerReportV2}
	binary.BigEndian.PutUint16(m.Rest[2:], uint16(len(records)))
	for _, r := range records {
		group := r.Group.As16()
		b = append(b, byte(r.Type), 0)
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.Sources)/16))
		b = append(append(b, group[:]...), r.Sources...)
	}
	return m, b
}

// ListenerReportV1 appends the payload of a report of version 1, or of a done
// message, about one group to b (RFC 2710, 3), and returns it with the header.
func ListenerReportV1(b []byte, t ICMPv6Type, group netip.Addr) (ICMPv6, []byte) {
	addr := group.As16()
	return ICMPv6{Type: t}, append(b, addr[:]...)
}

// ParseListenerV1 reads the group of a report of version 1, or of a done
// message, from what follows its header. The error is an [ErrShort].
func ParseListenerV1(payload []byte) (group netip.Addr, err error) {
	if len(payload) < 16 {
		return netip.Addr{}, errMLDShort
	}
	return netip.AddrFrom16([16]byte(payload)), nil
}
