package wire_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"hubbub/wire"
)

// An independent decoder reads what wire writes.
func TestDNSQueryIsReadByOthers(t *testing.T) {
	b, err := wire.AppendDNSQuery(nil, 0x1234, "feige.lab.test.", wire.DNSTypeAAAA)
	if err != nil {
		t.Fatal(err)
	}
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		t.Fatal(err)
	}
	if m.ID != 0x1234 || m.Response || !m.RecursionDesired || len(m.Questions) != 1 {
		t.Errorf("%+v", m)
	}
	q := m.Questions[0]
	if q.Name.String() != "feige.lab.test." || q.Type != dnsmessage.TypeAAAA || q.Class != dnsmessage.ClassINET {
		t.Errorf("the question is %v", q)
	}
	own, err := wire.ParseDNS(b)
	if err != nil || own.Name != "feige.lab.test" || own.Type != wire.DNSTypeAAAA || own.Answers(0x1234, "feige.lab.test", wire.DNSTypeAAAA) {
		t.Errorf("%+v, %v", own, err)
	}
}

// answered is an answer of another implementation, with names that are ends of
// others.
func answered(t testing.TB) []byte {
	t.Helper()
	www, feige := dnsmessage.MustNewName("www.lab.test."), dnsmessage.MustNewName("feige.lab.test.")
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true, Authoritative: true},
		Questions: []dnsmessage.Question{{Name: www, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{
			{Header: dnsmessage.ResourceHeader{Name: www, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: feige}},
			{Header: dnsmessage.ResourceHeader{Name: feige, Class: dnsmessage.ClassINET}, Body: &dnsmessage.TXTResource{TXT: []string{"x"}}},
			{Header: dnsmessage.ResourceHeader{Name: feige, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: [4]byte{172, 16, 10, 11}}},
			{Header: dnsmessage.ResourceHeader{Name: feige, Class: dnsmessage.ClassCHAOS}, Body: &dnsmessage.AResource{A: [4]byte{1, 2, 3, 4}}},
			{Header: dnsmessage.ResourceHeader{Name: feige, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 9}}},
		},
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDNSAnswerOfOthersIsRead(t *testing.T) {
	m, err := wire.ParseDNS(answered(t))
	if err != nil || !m.Answers(7, "WWW.lab.TEST.", wire.DNSTypeA) || m.Answers(8, "www.lab.test", wire.DNSTypeA) ||
		m.Answers(7, "www.lab.test", wire.DNSTypeAAAA) || m.Answers(7, "ww.lab.test", wire.DNSTypeA) {
		t.Errorf("%+v, %v", m, err)
	}
	var got []string
	for r, ok := m.NextAnswer(); ok; r, ok = m.NextAnswer() {
		got = append(got, fmt.Sprint(r.Name, r.Type, r.Addr.IsValid(), r.Alias))
	}
	want := "[www.lab.testCNAME falsefeige.lab.test feige.lab.testA true feige.lab.testAAAA true]"
	if fmt.Sprint(got) != want {
		t.Errorf("the records are %v, want %s", got, want)
	}
}

// RFC 1035, 4.1.4: a pointer is to "a prior occurance of the same name": one
// that leads on, or to itself, is none.
func TestDNSNamesThatCannotBe(t *testing.T) {
	for what, b := range map[string][]byte{
		"nothing":          {},
		"no end":           {3, 'w', 'w', 'w'},
		"cut off":          {5, 'w'},
		"half a pointer":   {0xc0},
		"to itself":        {0xc0, 0},
		"ahead":            {0xc0, 2, 0},
		"a label of 64":    append(append([]byte{64}, make([]byte, 64)...), 0),
		"a dot in a label": {3, 'a', '.', 'b', 0},
		"a zero":           {1, 0, 0},
	} {
		if name, _, err := wire.ParseDNSName(b, 0); err == nil {
			t.Errorf("%s: %q", what, name)
		}
	}
	for _, bad := range []string{"a..b", ".a", strings.Repeat("a", 64), strings.Repeat("a.", 128), "a b", `a\b`} {
		if b, err := wire.AppendDNSName([]byte("x"), bad); err == nil || string(b) != "x" {
			t.Errorf("%q is a name: %q", bad, b)
		}
	}
	long := strings.Repeat("abcdefg.", 31) + "abcde" // 255 octets in a message
	b, err := wire.AppendDNSName(nil, long)
	if err != nil || len(b) != 255 {
		t.Fatalf("%d octets, %v", len(b), err)
	}
	if name, next, err := wire.ParseDNSName(b, 0); name != long || next != 255 || err != nil {
		t.Errorf("%q, %d, %v", name, next, err)
	}
	if root, next, err := wire.ParseDNSName([]byte{0}, 0); root != "" || next != 1 || err != nil {
		t.Errorf("the root: %q, %d, %v", root, next, err)
	}
}

// RFC 8106, 5.2: the search list, with its zeros to a multiple of 8 octets.
func TestDNSSearchList(t *testing.T) {
	b := wire.AppendSearchList(nil, 600, "lab.test", "no..name", "room1.lab.test")
	if len(b)%8 != 0 || int(b[1])*8 != len(b) || !wire.CheckNDPOptions(b) {
		t.Fatalf("% x", b)
	}
	domains, lifetime, ok := wire.NDPOption(b).SearchList(8)
	if fmt.Sprint(domains) != "[lab.test room1.lab.test]" || lifetime != 600 || !ok {
		t.Errorf("%v for %d s, %v", domains, lifetime, ok)
	}
	if domains, _, _ = wire.NDPOption(b).SearchList(1); len(domains) != 1 {
		t.Errorf("%v, want one", domains)
	}
	if _, _, ok := wire.NDPOption(wire.AppendLinkMTU(nil, 1500)).SearchList(8); ok {
		t.Error("an MTU is a search list")
	}
	many := make([]string, 200)
	for i := range many {
		many[i] = "a.long.name.of.a.domain.test"
	}
	if b := wire.AppendSearchList(nil, 1, many...); len(b) > 255*8 || !wire.CheckNDPOptions(b) {
		t.Errorf("%d octets", len(b))
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(answered(f))
	f.Add([]byte{0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.ParseDNS(b)
		if err != nil {
			return
		}
		for r, ok := m.NextAnswer(); ok; r, ok = m.NextAnswer() {
			if r.Type == wire.DNSTypeA && r.Addr == (netip.Addr{}) {
				t.Error("an address is none")
			}
		}
		again, err := wire.AppendDNSQuery(nil, m.ID, m.Name, m.Type)
		if err != nil {
			t.Fatalf("%q can be read and not written: %v", m.Name, err)
		}
		if q, err := wire.ParseDNS(again); err != nil || q.Name != m.Name || q.Type != m.Type {
			t.Errorf("%+v, %v", q, err)
		}
	})
}
