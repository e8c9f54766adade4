package wire

// An IPv6OptionType says what an option of a hop-by-hop or destination options
// header is. Its two highest bits say what a node does that doesn't know it
// (RFC 8200, 4.2).
type IPv6OptionType uint8

// The options that hubbub knows.
const (
	OptionPad1            IPv6OptionType = 0
	OptionPadN            IPv6OptionType = 1
	OptionRouterAlertIPv6 IPv6OptionType = 5 // RFC 2711, 2.1
)

// An UnknownAction is what a node does with a packet that has an option which
// it doesn't know (RFC 8200, 4.2).
type UnknownAction uint8

// The actions, by the highest two bits of the option's type.
const (
	SkipOption            UnknownAction = iota // skip over the option
	DiscardPacket                              // discard the packet
	DiscardAndTell                             // discard, and send a parameter problem
	DiscardAndTellUnicast                      // the same, but only if it wasn't sent to a group
)

// Action returns what is done with a packet by a node that doesn't know the
// option.
func (t IPv6OptionType) Action() UnknownAction { return UnknownAction(t >> 6) }

// known reports whether this package knows the option.
func (t IPv6OptionType) known() bool {
	return t == OptionPad1 || t == OptionPadN || t == OptionRouterAlertIPv6
}

// An IPv6OptionFault is what CheckIPv6Options finds.
type IPv6OptionFault struct {
	At        int           // the option's index in the options
	Malformed bool          // its length can't be; else it isn't known
	Action    UnknownAction // of one that isn't known
}

// CheckIPv6Options finds the first option that a node has to act on because it
// doesn't know it, or because its length can't be: [SkipOption] is never the
// action. It reports false if there is none.
func CheckIPv6Options(options []byte) (IPv6OptionFault, bool) {
	for at := 0; at < len(options); {
		t := IPv6OptionType(options[at])
		if t == OptionPad1 {
			at++
			continue
		}
		if at+2 > len(options) || at+2+int(options[at+1]) > len(options) {
			return IPv6OptionFault{At: at, Malformed: true}, true
		}
		if !t.known() && t.Action() != SkipOption {
			return IPv6OptionFault{At: at, Action: t.Action()}, true
		}
		at += 2 + int(options[at+1])
	}
	return IPv6OptionFault{}, false
}

// HasRouterAlert reports whether well-formed options ask every router on the
// way to look at the packet (RFC 2711, 2.1), as multicast listener reports do.
func HasRouterAlert(options []byte) bool {
	for at := 0; at+1 < len(options); {
		switch IPv6OptionType(options[at]) {
		case OptionPad1:
			at++
			continue
		case OptionRouterAlertIPv6:
			return true
		}
		at += 2 + int(options[at+1])
	}
	return false
}

// AppendRouterAlert appends a hop-by-hop header with the option router alert
// for multicast listener discovery (RFC 2711, 2.1; RFC 3810, 5), and the
// padding that it needs.
func AppendRouterAlert(b []byte, next Protocol) []byte {
	return append(b, byte(next), 0, byte(OptionRouterAlertIPv6), 2, 0, 0, byte(OptionPadN), 0)
}
