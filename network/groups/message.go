package groups

import (
	"net/netip"

	"hubbub/wire"
)

// A Message is a report or a leave message to be sent, with a TTL or hop limit
// of 1 and the option router alert.
type Message struct {
	Src, Dst netip.Addr
	DstMAC   wire.MAC
	IGMP     wire.IGMP   // the header, with IPv4
	ICMPv6   wire.ICMPv6 // the header, with IPv6
	Payload  []byte      // what follows the header
	Reason   string      // such as "report: the group is joined"
	RFC      string      // where that is laid down
	Cause    uint64      // the event that brought it about
}

// A record is what a report says of a group.
type record struct {
	kind    wire.RecordType
	group   netip.Addr
	sources []netip.Addr
}

// size is the length of an address in octets.
func (m *Member) size() int {
	if m.six {
		return 16
	}
	return 4
}

// room is how many octets of records a report has room for: what IP, its router
// alert and the report's header leave of the MTU.
func (m *Member) room() int {
	if m.six {
		return m.cfg.MTU - wire.IPv6HeaderLen - 8 - wire.ICMPv6HeaderLen
	}
	return m.cfg.MTU - wire.IPv4HeaderLen - len(wire.RouterAlertIPv4) - wire.IGMPHeaderLen
}

// report sends records, in as many reports as they take: "If the set of Group
// Records required in a Report does not fit within the size limit of a single
// Report message [...], the Group Records are sent in as many Report messages as
// needed to report the entire set." (RFC 3376, 4.2.16; RFC 3810, 5.2.15)
func (m *Member) report(records []record, reason, rfc string) {
	var batch []wire.ListenerRecord
	used := 0
	for _, r := range records {
		for _, part := range m.split(r) {
			n := 4 + m.size() + len(part.Sources)
			if used+n > m.room() {
				m.sendReport(batch, reason, rfc)
				batch, used = nil, 0
			}
			batch, used = append(batch, part), used+n
		}
	}
	if len(batch) > 0 {
		m.sendReport(batch, reason, rfc)
	}
}

// split cuts a record into ones that fit into a report: "if its Type is not
// MODE_IS_EXCLUDE or CHANGE_TO_EXCLUDE_MODE, it is split into multiple Group
// Records [...] If its Type is MODE_IS_EXCLUDE or CHANGE_TO_EXCLUDE_MODE, a
// single Group Record is sent, containing as many source addresses as can fit,
// and the remaining source addresses are not reported" (RFC 3376, 4.2.16).
func (m *Member) split(r record) []wire.ListenerRecord {
	most := (m.room() - 4 - m.size()) / m.size()
	var parts []wire.ListenerRecord
	for rest := r.sources; len(parts) == 0 || len(rest) > 0; {
		n := min(most, len(rest))
		part := wire.ListenerRecord{Type: r.kind, Group: r.group}
		for _, s := range rest[:n] {
			part.Sources = append(part.Sources, s.AsSlice()...)
		}
		parts, rest = append(parts, part), rest[n:]
		if r.kind == wire.ModeIsExclude || r.kind == wire.ChangeToExclude {
			break
		}
	}
	return parts
}

func (m *Member) sendReport(batch []wire.ListenerRecord, reason, rfc string) {
	msg := Message{Reason: m.protocol() + " " + reason, RFC: rfc}
	if m.six {
		msg.ICMPv6, msg.Payload = wire.ListenerReport(nil, batch...)
		m.address(&msg, wire.AllMLDv2Routers)
	} else {
		msg.IGMP, msg.Payload = wire.GroupReport(nil, batch...)
		m.address(&msg, wire.AllIGMPv3Routers)
	}
	m.messages.Push(msg)
}

// oldMessage makes a message of an older version about a group.
func (m *Member) oldMessage(group netip.Addr, four wire.IGMPType, six wire.ICMPv6Type) Message {
	var msg Message
	if m.six {
		msg.ICMPv6, msg.Payload = wire.ListenerReportV1(nil, six, group)
		return msg
	}
	msg.IGMP.Type = four
	msg.IGMP.SetGroup(group)
	return msg
}

func (m *Member) address(msg *Message, to netip.Addr) {
	msg.Src, msg.Dst, msg.DstMAC, msg.Cause = m.source, to, wire.MulticastMAC(to), m.cause
}

// rfc names a section of RFC 3376 or RFC 3810, whichever is spoken.
func (m *Member) rfc(igmp, mld string) string {
	if m.six {
		return "RFC 3810, " + mld
	}
	return "RFC 3376, " + igmp
}

// oldRFC is the same for the older versions.
func (m *Member) oldRFC(igmp, mld string) string {
	switch {
	case m.six:
		return "RFC 2710, " + mld
	case m.spoken == 1:
		return "RFC 1112, A"
	}
	return "RFC 2236, " + igmp
}
