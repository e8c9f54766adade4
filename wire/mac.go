package wire

import (
	"errors"
	"fmt"
	"strings"
)

// A MAC is the address of a network card: 48 bits, of which the first three
// octets name the maker (the OUI) and the last three are the maker's serial
// number (IEEE 802, 8.2). MACs can be compared; the zero MAC is nobody's.
type MAC [6]byte

// Broadcast is the address that everybody on a link listens to.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IsBroadcast reports whether m is the broadcast address.
func (m MAC) IsBroadcast() bool { return m == Broadcast }

// IsGroup reports whether m is for several stations: its first octet's least
// significant bit, the first on the cable, is set.
func (m MAC) IsGroup() bool { return m[0]&1 != 0 }

// IsLocal reports whether m was made up by whoever runs the network, instead
// of coming from a maker.
func (m MAC) IsLocal() bool { return m[0]&2 != 0 }

// IsZero reports whether m is the zero MAC.
func (m MAC) IsZero() bool { return m == MAC{} }

// OUI returns the octets that name the maker.
func (m MAC) OUI() [3]byte { return [3]byte(m[:3]) }

// Serial returns the octets that are the maker's serial number.
func (m MAC) Serial() [3]byte { return [3]byte(m[3:]) }

// AppendText implements [encoding.TextAppender]: it appends what String
// returns. The error is always nil.
func (m MAC) AppendText(b []byte) ([]byte, error) {
	const hex = "0123456789abcdef"
	for i, octet := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hex[octet>>4], hex[octet&15])
	}
	return b, nil
}

// String returns m as text such as "02:00:00:00:00:01".
func (m MAC) String() string {
	b, _ := m.AppendText(make([]byte, 0, 17))
	return string(b)
}

// MarshalText implements [encoding.TextMarshaler].
func (m MAC) MarshalText() ([]byte, error) { return m.AppendText(nil) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *MAC) UnmarshalText(b []byte) error {
	parsed, err := ParseMAC(string(b))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

var errMAC = errors.New("a MAC address has twelve hexadecimal digits, such as 02:00:00:00:00:01")

// ParseMAC reads a MAC from text: six groups of two digits with colons or
// hyphens between, three groups of four with dots, or twelve digits.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	digits, ok := macDigits(s)
	if !ok {
		return m, fmt.Errorf("%q: %w", s, errMAC)
	}
	for i := range digits {
		d := strings.IndexByte("0123456789abcdef", lower(digits[i]))
		if d < 0 {
			return MAC{}, fmt.Errorf("%q: %w", s, errMAC)
		}
		m[i/2] = m[i/2]<<4 | byte(d)
	}
	return m, nil
}

// lower returns the small letter of a digit.
func lower(c byte) byte {
	if 'A' <= c && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}

// macDigits returns the twelve digits of an address, if its separators are
// where they belong.
func macDigits(s string) (string, bool) {
	group, sep := 0, byte(0)
	switch {
	case len(s) == 12:
		return s, true
	case len(s) == 17 && (s[2] == ':' || s[2] == '-'):
		group, sep = 2, s[2]
	case len(s) == 14 && s[4] == '.':
		group, sep = 4, '.'
	default:
		return "", false
	}
	digits := make([]byte, 0, 12)
	for i := range len(s) {
		if i%(group+1) != group {
			digits = append(digits, s[i])
		} else if s[i] != sep {
			return "", false
		}
	}
	return string(digits), true
}

// MustParseMAC is ParseMAC for text that is known to be right. It panics
// otherwise.
func MustParseMAC(s string) MAC {
	m, err := ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}
