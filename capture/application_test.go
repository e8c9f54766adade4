package capture

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"hubbub/wire"
)

// talk is what a datagram between two ports is said to be.
func talk(from, to uint16, data []byte) string {
	h := wire.UDP{SrcPort: from, DstPort: to, Length: wire.UDPHeaderLen + len(data)}
	p := Decode(packet("nick", "feige", wire.ProtocolUDP, append(h.AppendTo(nil), data...)))
	return p.application()
}

func TestNamesAreTold(t *testing.T) {
	query, err := wire.AppendDNSQuery(nil, 7, "shop.lab.test", wire.DNSTypeAAAA)
	if err != nil {
		t.Fatal(err)
	}
	name := dnsmessage.MustNewName("shop.lab.test.")
	answer := func(change func(*dnsmessage.Message)) []byte {
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7, Response: true},
			Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		change(&m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{query, "DNS: shop.lab.test AAAA?"},
		{answer(func(m *dnsmessage.Message) {}), "DNS: shop.lab.test A: there is none"},
		{answer(func(m *dnsmessage.Message) { m.RCode = dnsmessage.RCodeNameError }), "DNS: shop.lab.test A: no such name"},
		{answer(func(m *dnsmessage.Message) { m.Truncated = true }), "DNS: shop.lab.test A: more than fits"},
		{answer(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }), "DNS: shop.lab.test TYPE15: there is none"},
		{answer(func(m *dnsmessage.Message) {
			m.Answers = []dnsmessage.Resource{
				{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("baker.lab.test.")}},
				{Header: h, Body: &dnsmessage.AResource{A: [4]byte{172, 16, 10, 11}}},
			}
		}), "DNS: shop.lab.test A: see baker.lab.test, 172.16.10.11"},
		{[]byte("hello"), ""},
	} {
		for _, ports := range [][2]uint16{{40000, 53}, {53, 40000}} {
			if got := talk(ports[0], ports[1], c.data); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		}
	}
	if got := talk(40000, 5300, query); got != "" {
		t.Errorf("at another port: %q", got)
	}
}

func TestAddressesThatAreGivenOutAreTold(t *testing.T) {
	a := wire.DHCP6Address{Addr: netip.MustParseAddr("2001:db8::7")}
	ia := wire.DHCP6IA{Options: a.AppendTo(nil)}
	for _, c := range []struct {
		m    wire.DHCP6
		want string
	}{
		{wire.DHCP6{Type: wire.DHCP6Solicit, Options: (&wire.DHCP6IA{}).AppendTo(nil)}, "DHCPv6 solicit"},
		{wire.DHCP6{Type: wire.DHCP6Reply, Options: ia.AppendTo(nil)}, "DHCPv6 reply 2001:db8::7"},
		{wire.DHCP6{Type: wire.DHCP6InformationRequest}, "DHCPv6 information-request"},
	} {
		if got := talk(546, 547, c.m.AppendTo(nil)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := talk(547, 546, []byte{7}); got != "" {
		t.Errorf("of a message that is cut off: %q", got)
	}
	h := wire.UDP{SrcPort: 546, DstPort: 547, Length: wire.UDPHeaderLen + 4}
	p := Decode(packet("nick", "feige", wire.ProtocolUDP, append(h.AppendTo(nil), 11, 0, 0, 1)))
	if !strings.HasSuffix(p.Summary(), "UDP 546 -> 547 LEN=4, DHCPv6 information-request (the UDP checksum is wrong)") &&
		!strings.HasSuffix(p.Summary(), "UDP 546 -> 547 LEN=4, DHCPv6 information-request") {
		t.Errorf("the summary is %q", p.Summary())
	}
}
