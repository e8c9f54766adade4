package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// DNSPort is where servers of names listen (RFC 1035, 4.2).
const DNSPort = 53

// A DNSType says what a record tells (RFC 1035, 3.2.2; RFC 3596, 2.1).
type DNSType uint16

// The types of records that hubbub asks for and heeds.
const (
	DNSTypeA     DNSType = 1
	DNSTypeCNAME DNSType = 5
	DNSTypeAAAA  DNSType = 28
)

// String returns the type's name, or its number.
func (t DNSType) String() string {
	switch t {
	case DNSTypeA:
		return "A"
	case DNSTypeCNAME:
		return "CNAME"
	case DNSTypeAAAA:
		return "AAAA"
	}
	return fmt.Sprintf("TYPE%d", uint16(t)) // RFC 3597, 5
}

const dnsClassInternet = 1

// A DNSCode is what became of a query (RFC 1035, 4.1.1).
type DNSCode uint8

// The codes of answers.
const (
	DNSSuccess   DNSCode = 0
	DNSNameError DNSCode = 3 // there is no such name
)

var dnsCodes = [...]string{
	"no error", "the query can't be understood", "the server has failed", "no such name", "the server can't do that", "the server refuses",
}

// String returns the code in words.
func (c DNSCode) String() string {
	if int(c) < len(dnsCodes) {
		return dnsCodes[c]
	}
	return fmt.Sprintf("response code %d", uint8(c))
}

const dnsHeaderLen = 12

var (
	errDNSShort    = &fault{"wire: the DNS message is cut off", ErrShort}
	errDNSQuestion = &fault{"wire: a DNS message that hubbub heeds has one question", ErrLength}
)

// DNS is a message about one question (RFC 1035, 4.1).
//
//	                                1  1  1  1  1  1
//	  0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                      ID                       |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|QR|   Opcode  |AA|TC|RD|RA|   Z    |   RCODE   |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                    QDCOUNT                    |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                    ANCOUNT                    |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                    NSCOUNT                    |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
//	|                    ARCOUNT                    |
//	+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
type DNS struct {
	ID        uint16
	Response  bool
	Truncated bool // there is more than fits: it is to be asked by TCP
	Code      DNSCode
	Name      string
	Type      DNSType

	message []byte
	answers int // records that are left
	at      int // where the next one begins
}

// AppendDNSQuery appends a query for records of a name, which asks the server to
// ask others for what it doesn't know. The error says that name is none.
func AppendDNSQuery(b []byte, id uint16, name string, t DNSType) ([]byte, error) {
	const recursionDesired = 0x0100
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, recursionDesired)
	b = append(b, 0, 1, 0, 0, 0, 0, 0, 0)
	b, err := AppendDNSName(b, name)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	return binary.BigEndian.AppendUint16(b, dnsClassInternet), err
}

// ParseDNS reads a message up to its answers, which [DNS.NextAnswer] reads.
func ParseDNS(b []byte) (DNS, error) {
	if len(b) < dnsHeaderLen {
		return DNS{}, errDNSShort
	}
	flags := binary.BigEndian.Uint16(b[2:])
	m := DNS{
		ID: binary.BigEndian.Uint16(b), Response: flags&0x8000 != 0, Truncated: flags&0x0200 != 0, Code: DNSCode(flags & 15),
		message: b, answers: int(binary.BigEndian.Uint16(b[6:])),
	}
	if binary.BigEndian.Uint16(b[4:]) != 1 {
		return m, errDNSQuestion
	}
	name, next, err := ParseDNSName(b, dnsHeaderLen)
	switch {
	case err != nil:
		return m, err
	case next+4 > len(b):
		return m, errDNSShort
	}
	m.Name, m.Type, m.at = name, DNSType(binary.BigEndian.Uint16(b[next:])), next+4
	return m, nil
}

// Answers reports whether the message answers a query: it has the query's
// number, and is about the same question, however the letters are written
// (RFC 5452, 9.1; RFC 4343).
func (m *DNS) Answers(id uint16, name string, t DNSType) bool {
	return m.Response && m.ID == id && m.Type == t && strings.EqualFold(m.Name, strings.TrimSuffix(name, "."))
}

// A DNSRecord is one of an answer.
type DNSRecord struct {
	Name  string
	Type  DNSType
	Addr  netip.Addr // of DNSTypeA and DNSTypeAAAA
	Alias string     // of DNSTypeCNAME: the name that Name stands for
}

// NextAnswer returns the next record of the answer, of types that hubbub knows.
// It returns false at the end, and at a record that can't be read.
func (m *DNS) NextAnswer() (r DNSRecord, ok bool) {
	for m.answers > 0 {
		name, at, err := ParseDNSName(m.message, m.at)
		if err != nil || at+10 > len(m.message) {
			break
		}
		const typ, class, length, data = 0, 2, 8, 10
		fixed := m.message[at:]
		n := int(binary.BigEndian.Uint16(fixed[length:]))
		if at+data+n > len(m.message) {
			break
		}
		m.answers--
		m.at = at + data + n
		r = DNSRecord{Name: name, Type: DNSType(binary.BigEndian.Uint16(fixed[typ:]))}
		if binary.BigEndian.Uint16(fixed[class:]) == dnsClassInternet && r.read(m.message[:m.at], at+data) {
			return r, true
		}
	}
	m.answers = 0
	return DNSRecord{}, false
}

// read reads a record's data, which end with b.
func (r *DNSRecord) read(b []byte, at int) bool {
	switch {
	case r.Type == DNSTypeA && len(b)-at == 4:
		r.Addr = netip.AddrFrom4([4]byte(b[at:]))
	case r.Type == DNSTypeAAAA && len(b)-at == 16:
		r.Addr = netip.AddrFrom16([16]byte(b[at:]))
	case r.Type == DNSTypeCNAME:
		alias, next, err := ParseDNSName(b, at)
		r.Alias = alias
		return err == nil && next == len(b)
	default:
		return false
	}
	return true
}
