package wire

import "strings"

// The lengths of names (RFC 1035, 2.3.4): of a name as it is in a message, with
// the octet that ends it, and of a label.
const (
	maxDNSName  = 255
	maxDNSLabel = 63
)

var (
	errDNSName  = &fault{"wire: a name of the DNS message can't be: it is cut off, too long, or turns in a circle", ErrLength}
	errDNSLabel = &fault{"wire: a label of a DNS name has 1 to 63 letters, digits and dashes between its dots", ErrLength}
)

// AppendDNSName appends a name such as "feige.lab.test", with or without the dot
// at its end; the empty name is the root. The error says that it is no name.
//
// RFC 1035, 3.1: "Domain names in messages are expressed in terms of a sequence
// of labels. Each label is represented as a one octet length field followed by
// that number of octets."
func AppendDNSName(b []byte, name string) ([]byte, error) {
	start := len(b)
	for label, rest := "", strings.TrimSuffix(name, "."); rest != ""; {
		label, rest, _ = strings.Cut(rest, ".")
		if len(label) == 0 || len(label) > maxDNSLabel || !plainLabel(label) {
			return b[:start], errDNSLabel
		}
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	if len(b)-start > maxDNSName {
		return b[:start], errDNSName
	}
	return b, nil
}

// plainLabel reports whether a label can be shown and read back: no dot, no
// backslash, nothing that can't be seen.
func plainLabel[T string | []byte](label T) bool {
	for i := range len(label) {
		if c := label[i]; c <= ' ' || c == '.' || c == '\\' || c == 0x7f {
			return false
		}
	}
	return true
}

// ParseDNSName reads the name at a place of a message, and returns where what
// follows it begins. Of a name that is the end of another (RFC 1035, 4.1.4) the
// other one must come before it, so that no name turns in a circle.
func ParseDNSName(message []byte, at int) (name string, next int, err error) {
	var room [maxDNSName]byte
	text, limit := room[:0], at
	for {
		if at >= len(message) {
			return "", 0, errDNSName
		}
		n := int(message[at])
		switch {
		case n == 0:
			return string(text), max(next, at+1), nil
		case n&0xc0 == 0xc0 && at+1 < len(message):
			next = max(next, at+2)
			at = n&0x3f<<8 | int(message[at+1])
			if at >= limit {
				return "", 0, errDNSName
			}
			limit = at
			continue
		case n > maxDNSLabel, at+1+n > len(message), len(text)+1+n >= maxDNSName-1:
			return "", 0, errDNSName
		}
		if len(text) > 0 {
			text = append(text, '.')
		}
		label := message[at+1 : at+1+n]
		if !plainLabel(label) {
			return "", 0, errDNSLabel
		}
		text = append(text, label...)
		at += 1 + n
	}
}

// AppendDNSNames appends names one behind the other, as search lists have them.
// Those that are no names are left out.
func AppendDNSNames(b []byte, names ...string) []byte {
	for _, name := range names {
		b, _ = AppendDNSName(b, name)
	}
	return b
}

// ParseDNSNames reads names that stand one behind the other, up to the zeros
// that may follow them, and at most so many. "a domain name [...] MUST NOT be
// stored in compressed form" (RFC 8415, 10): of those that are, and of what
// follows them, it returns nothing.
func ParseDNSNames(b []byte, most int) (names []string) {
	for len(b) > 0 && len(names) < most {
		name, next, err := ParseDNSName(b, 0)
		if err != nil || name == "" {
			break
		}
		names = append(names, name)
		b = b[next:]
	}
	return names
}
