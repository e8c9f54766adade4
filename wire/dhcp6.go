package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The ports of DHCPv6, and the group of all its servers and relays on a link
// (RFC 8415, 7.1 and 7.2).
const (
	DHCP6ClientPort = 546
	DHCP6ServerPort = 547
)

// AllDHCP6Servers is where clients send to.
var AllDHCP6Servers = netip.MustParseAddr("ff02::1:2")

// A DHCP6Type says what a DHCPv6 message is (RFC 8415, 7.3).
type DHCP6Type uint8

// The types of messages between clients and servers.
const (
	DHCP6Solicit            DHCP6Type = 1
	DHCP6Advertise          DHCP6Type = 2
	DHCP6Request            DHCP6Type = 3
	DHCP6Confirm            DHCP6Type = 4
	DHCP6Renew              DHCP6Type = 5
	DHCP6Rebind             DHCP6Type = 6
	DHCP6Reply              DHCP6Type = 7
	DHCP6Release            DHCP6Type = 8
	DHCP6Decline            DHCP6Type = 9
	DHCP6InformationRequest DHCP6Type = 11
)

var dhcp6Types = map[DHCP6Type]string{
	DHCP6Solicit: "solicit", DHCP6Advertise: "advertise", DHCP6Request: "request", DHCP6Confirm: "confirm",
	DHCP6Renew: "renew", DHCP6Rebind: "rebind", DHCP6Reply: "reply", DHCP6Release: "release",
	DHCP6Decline: "decline", DHCP6InformationRequest: "information-request",
}

// String returns the type's name, or its number.
func (t DHCP6Type) String() string {
	if name, ok := dhcp6Types[t]; ok {
		return name
	}
	return fmt.Sprintf("DHCPv6 message %d", uint8(t))
}

// A DHCP6OptionCode says what an option is (RFC 8415, 21; RFC 3646).
type DHCP6OptionCode uint16

// The options that hubbub knows.
const (
	DHCP6ClientID      DHCP6OptionCode = 1
	DHCP6ServerID      DHCP6OptionCode = 2
	DHCP6IANA          DHCP6OptionCode = 3
	DHCP6IAAddress     DHCP6OptionCode = 5
	DHCP6OptionRequest DHCP6OptionCode = 6
	DHCP6Preference    DHCP6OptionCode = 7
	DHCP6ElapsedTime   DHCP6OptionCode = 8
	DHCP6StatusCode    DHCP6OptionCode = 13
	DHCP6RapidCommit   DHCP6OptionCode = 14
	DHCP6DNSServers    DHCP6OptionCode = 23 // RFC 3646, 3
	DHCP6SearchList    DHCP6OptionCode = 24 // RFC 3646, 4
	DHCP6RefreshTime   DHCP6OptionCode = 32
	DHCP6SolMaxRT      DHCP6OptionCode = 82
	DHCP6InfMaxRT      DHCP6OptionCode = 83
)

// A DHCP6Status is what became of a request (RFC 8415, 21.13).
type DHCP6Status uint16

// The status codes.
const (
	DHCP6Success       DHCP6Status = 0
	DHCP6UnspecFail    DHCP6Status = 1
	DHCP6NoAddrsAvail  DHCP6Status = 2
	DHCP6NoBinding     DHCP6Status = 3
	DHCP6NotOnLink     DHCP6Status = 4
	maxDHCP6StatusCode             = 6
)

// String returns the status as RFC 8415 names it, or its number.
func (s DHCP6Status) String() string {
	names := [maxDHCP6StatusCode + 1]string{"Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast", "NoPrefixAvail"}
	if s <= maxDHCP6StatusCode {
		return names[s]
	}
	return fmt.Sprintf("status %d", uint16(s))
}

var (
	errDHCP6Short  = &fault{"wire: the DHCPv6 message is cut off: it has 4 octets before its options", ErrShort}
	errDHCP6Option = &fault{"wire: an option of the DHCPv6 message is longer than what follows it", ErrShort}
)

// DHCP6 is a message between a client and a server (RFC 8415, 8).
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|    msg-type   |               transaction-id                  |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                            options                            |
type DHCP6 struct {
	Type        DHCP6Type
	Transaction uint32 // 24 bits
	Options     []byte // see NextDHCP6Option
}

// ParseDHCP6 reads a message whose options are well-formed, those inside of
// other options not looked at. The error is an [ErrShort].
func ParseDHCP6(b []byte) (DHCP6, error) {
	if len(b) < 4 {
		return DHCP6{}, errDHCP6Short
	}
	m := DHCP6{Type: DHCP6Type(b[0]), Transaction: binary.BigEndian.Uint32(b) & 0xffffff, Options: b[4:]}
	if !CheckDHCP6Options(m.Options) {
		return DHCP6{}, errDHCP6Option
	}
	return m, nil
}

// AppendTo appends the message.
func (m *DHCP6) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(m.Type)<<24|m.Transaction&0xffffff)
	return append(b, m.Options...)
}

// NextDHCP6Option returns the first option's code and data, and the options
// behind it. It returns ok false at the end, and at an option that is cut off,
// which [CheckDHCP6Options] tells apart.
func NextDHCP6Option(options []byte) (code DHCP6OptionCode, data, rest []byte, ok bool) {
	if len(options) < 4 {
		return 0, nil, nil, false
	}
	n := 4 + int(binary.BigEndian.Uint16(options[2:]))
	if n > len(options) {
		return 0, nil, nil, false
	}
	return DHCP6OptionCode(binary.BigEndian.Uint16(options)), options[4:n:n], options[n:], true
}

// CheckDHCP6Options reports whether no option is cut off.
func CheckDHCP6Options(options []byte) bool {
	for len(options) > 0 {
		_, _, rest, ok := NextDHCP6Option(options)
		if !ok {
			return false
		}
		options = rest
	}
	return true
}

// FindDHCP6Option returns the data of the first option with a code.
func FindDHCP6Option(options []byte, code DHCP6OptionCode) (data []byte, ok bool) {
	for c, data, rest, ok := NextDHCP6Option(options); ok; c, data, rest, ok = NextDHCP6Option(rest) {
		if c == code {
			return data, true
		}
	}
	return nil, false
}

// AppendDHCP6Option appends an option, whose data is cut to 65,535 octets.
func AppendDHCP6Option(b []byte, code DHCP6OptionCode, data []byte) []byte {
	data = data[:min(len(data), 0xffff)]
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// A DHCP6IA is an identity association for addresses (RFC 8415, 21.4).
type DHCP6IA struct {
	ID      uint32
	T1, T2  uint32 // seconds until Renew and Rebind; zero: as the client likes
	Options []byte // DHCP6IAAddress, DHCP6StatusCode
}

// ParseDHCP6IA reads the data of an option DHCP6IANA. It reports false if that
// is cut off.
func ParseDHCP6IA(data []byte) (ia DHCP6IA, ok bool) {
	if len(data) < 12 || !CheckDHCP6Options(data[12:]) {
		return DHCP6IA{}, false
	}
	return DHCP6IA{
		ID: binary.BigEndian.Uint32(data), T1: binary.BigEndian.Uint32(data[4:]), T2: binary.BigEndian.Uint32(data[8:]),
		Options: data[12:],
	}, true
}

// AppendTo appends the association as an option.
func (ia *DHCP6IA) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(DHCP6IANA))
	b = binary.BigEndian.AppendUint16(b, uint16(12+len(ia.Options)))
	b = binary.BigEndian.AppendUint32(b, ia.ID)
	b = binary.BigEndian.AppendUint32(b, ia.T1)
	b = binary.BigEndian.AppendUint32(b, ia.T2)
	return append(b, ia.Options...)
}

// A DHCP6Address is an address of an association (RFC 8415, 21.6).
type DHCP6Address struct {
	Addr             netip.Addr
	Preferred, Valid uint32 // seconds, or Forever
	Options          []byte // DHCP6StatusCode
}

// ParseDHCP6Address reads the data of an option DHCP6IAAddress. It reports false
// if that is cut off.
func ParseDHCP6Address(data []byte) (a DHCP6Address, ok bool) {
	if len(data) < 24 || !CheckDHCP6Options(data[24:]) {
		return DHCP6Address{}, false
	}
	return DHCP6Address{
		Addr: netip.AddrFrom16([16]byte(data)), Preferred: binary.BigEndian.Uint32(data[16:]),
		Valid: binary.BigEndian.Uint32(data[20:]), Options: data[24:],
	}, true
}

// AppendTo appends the address as an option.
func (a *DHCP6Address) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(DHCP6IAAddress))
	b = binary.BigEndian.AppendUint16(b, uint16(24+len(a.Options)))
	addr := a.Addr.As16()
	b = append(b, addr[:]...)
	b = binary.BigEndian.AppendUint32(b, a.Preferred)
	b = binary.BigEndian.AppendUint32(b, a.Valid)
	return append(b, a.Options...)
}

// DHCP6StatusOf returns the status that options tell: success where there is
// none (RFC 8415, 21.13).
func DHCP6StatusOf(options []byte) DHCP6Status {
	if data, ok := FindDHCP6Option(options, DHCP6StatusCode); ok && len(data) >= 2 {
		return DHCP6Status(binary.BigEndian.Uint16(data))
	}
	return DHCP6Success
}

// AppendDHCP6Status appends a status code, with a text for people.
func AppendDHCP6Status(b []byte, s DHCP6Status, text string) []byte {
	return AppendDHCP6Option(b, DHCP6StatusCode, append([]byte{byte(s >> 8), byte(s)}, text...))
}
