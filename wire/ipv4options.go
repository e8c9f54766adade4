package wire

import "fmt"

// An IPv4OptionType says what an option is; its highest bit says that every
// fragment has it (RFC 791, 3.1).
type IPv4OptionType uint8

// The options that hubbub knows by name.
const (
	OptionEnd         IPv4OptionType = 0
	OptionNop         IPv4OptionType = 1
	OptionRecordRoute IPv4OptionType = 7
	OptionTimestamp   IPv4OptionType = 68
	OptionSecurity    IPv4OptionType = 130
	OptionLooseRoute  IPv4OptionType = 131
	OptionStreamID    IPv4OptionType = 136
	OptionStrictRoute IPv4OptionType = 137
	OptionRouterAlert IPv4OptionType = 148
)

// Copied reports whether every fragment of a packet has the option.
func (t IPv4OptionType) Copied() bool { return t&0x80 != 0 }

// String returns the option's name, or its number.
func (t IPv4OptionType) String() string {
	switch t {
	case OptionEnd:
		return "end of options"
	case OptionNop:
		return "no operation"
	case OptionRecordRoute:
		return "record route"
	case OptionTimestamp:
		return "timestamp"
	case OptionSecurity:
		return "security"
	case OptionLooseRoute:
		return "loose source route"
	case OptionStreamID:
		return "stream identifier"
	case OptionStrictRoute:
		return "strict source route"
	case OptionRouterAlert:
		return "router alert"
	}
	return fmt.Sprintf("option %d", uint8(t))
}

// An IPv4Option is one option as it is in the header, and aliases that. End
// and Nop are a single octet; the others begin with type and length, and the
// length counts both.
//
//	+--------+--------+---------//--------+
//	|  type  | length |       data        |
//	+--------+--------+---------//--------+
type IPv4Option []byte

// Type returns the option's type.
func (o IPv4Option) Type() IPv4OptionType { return IPv4OptionType(o[0]) }

// NextIPv4Option returns the first of a header's options and those behind it.
// It returns ok false at the end of the list, and at an option whose length
// can't be, which [CheckIPv4Options] tells apart.
func NextIPv4Option(options []byte) (option IPv4Option, rest []byte, ok bool) {
	if len(options) == 0 || IPv4OptionType(options[0]) == OptionEnd {
		return nil, nil, false
	}
	if IPv4OptionType(options[0]) == OptionNop {
		return options[:1:1], options[1:], true
	}
	if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
		return nil, nil, false
	}
	n := options[1]
	return options[:n:n], options[n:], true
}

// FindIPv4Option returns the first option of a type, nil if there is none.
func FindIPv4Option(options []byte, t IPv4OptionType) IPv4Option {
	for {
		option, rest, ok := NextIPv4Option(options)
		if !ok || option.Type() == t {
			return option
		}
		options = rest
	}
}

// CheckIPv4Options reports whether a header's options are well-formed. Where
// they are not, pointer is the octet of the header that is wrong, counted from
// zero, for an ICMP parameter problem. Options of unknown types are well-formed
// if their length is (RFC 1122, 3.2.1.8: "silently ignore the others").
func CheckIPv4Options(options []byte) (pointer int, ok bool) {
	var seen seenOptions
	at := IPv4HeaderLen
	for len(options) > 0 && IPv4OptionType(options[0]) != OptionEnd {
		option, rest, whole := NextIPv4Option(options)
		if !whole {
			return at + min(1, len(options)-1), false
		}
		if seen.again(option.Type()) {
			return at, false
		}
		if wrong := option.fault(); wrong != 0 {
			return at + wrong, false
		}
		at += len(option)
		options = rest
	}
	return 0, true
}

// seenOptions are those options of a header, met so far, of which RFC 791, 3.1
// says: "Appears at most once in a datagram."
type seenOptions struct{ record, timestamp, route bool }

// again reports whether an option of type t was met before. A header has one
// source route, be it loose or strict (RFC 1122, 3.2.1.8).
func (s *seenOptions) again(t IPv4OptionType) (met bool) {
	switch t {
	case OptionRecordRoute:
		met, s.record = s.record, true
	case OptionTimestamp:
		met, s.timestamp = s.timestamp, true
	case OptionLooseRoute, OptionStrictRoute:
		met, s.route = s.route, true
	}
	return met
}

// fault returns the index of the octet that is wrong, 0 if none is.
func (o IPv4Option) fault() int {
	switch o.Type() {
	case OptionRecordRoute, OptionLooseRoute, OptionStrictRoute:
		return o.slotFault(routeData, routeSlot)
	case OptionTimestamp:
		if len(o) < timestampData {
			return 1
		}
		slot := o.timestampSlot()
		if slot == 0 {
			return 3
		}
		return o.slotFault(timestampData, slot)
	case OptionRouterAlert:
		if len(o) != 4 { // RFC 2113, 2.1
			return 1
		}
	}
	return 0
}

// slotFault checks the pointer of an option whose slots begin at index data
// and have slot octets each. It points at the beginning of a slot, which is
// whole, or else behind them all.
func (o IPv4Option) slotFault(data, slot int) int {
	if len(o) < data {
		return 1
	}
	next := int(o[2]) - 1
	switch {
	case next < data, next < len(o) && (next+slot > len(o) || (next-data)%slot != 0):
		return 2
	}
	return 0
}

// CopiedOptions appends to dst those options that every fragment has, padded
// with zeros to a multiple of 4 octets (RFC 791, 3.1). The first fragment has
// all of them instead.
func CopiedOptions(options, dst []byte) []byte {
	start := len(dst)
	for {
		option, rest, ok := NextIPv4Option(options)
		if !ok {
			break
		}
		if option.Type().Copied() {
			dst = append(dst, option...)
		}
		options = rest
	}
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, byte(OptionEnd))
	}
	return dst
}
