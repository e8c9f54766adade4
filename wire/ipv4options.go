package wire

// An IPv4OptionType names an option; its highest bit says that fragments have
// it too (RFC 791, 3.1).
type IPv4OptionType uint8

// The options that hubbub knows by name.
const (
	OptionEnd         IPv4OptionType = 0
	OptionNop         IPv4OptionType = 1
	OptionRecordRoute IPv4OptionType = 7
	OptionTimestamp   IPv4OptionType = 68
	OptionLooseRoute  IPv4OptionType = 131
	OptionStrictRoute IPv4OptionType = 137
	OptionRouterAlert IPv4OptionType = 148
)

// Copied reports whether every fragment of a packet has the option.
func (t IPv4OptionType) Copied() bool { return t&0x80 != 0 }

// String returns the option's name.
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
	case OptionLooseRoute:
		return "loose source route"
	case OptionStrictRoute:
		return "strict source route"
	case OptionRouterAlert:
		return "router alert"
	}
	return "unknown option"
}

// NextIPv4Option returns the first of a header's options, with its type and
// length octets, and those behind it. It returns ok false at the end, and at
// an option whose length is wrong.
func NextIPv4Option(options []byte) (option, rest []byte, ok bool) {
	if len(options) == 0 || IPv4OptionType(options[0]) == OptionEnd {
		return nil, nil, false
	}
	if IPv4OptionType(options[0]) == OptionNop {
		return options[:1], options[1:], true
	}
	if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
		return nil, nil, false
	}
	n := options[1]
	return options[:n:n], options[n:], true
}

// CopiedOptions appends to dst those options that every fragment has, padded
// to a multiple of 4 octets (RFC 791, 3.2).
func CopiedOptions(options, dst []byte) []byte {
	start := len(dst)
	for {
		option, rest, ok := NextIPv4Option(options)
		if !ok {
			break
		}
		if IPv4OptionType(option[0]).Copied() {
			dst = append(dst, option...)
		}
		options = rest
	}
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, byte(OptionEnd))
	}
	return dst
}
