package dns_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"hubbub/application/dns"
)

func server() *dns.Server {
	return &dns.Server{Zone: "lab.test", TTL: 60, Lookup: func(name string) (all []netip.Addr) {
		switch name {
		case "feige":
			return []netip.Addr{netip.MustParseAddr("172.16.10.11"), netip.MustParseAddr("2001:db8:10::11")}
		case "many":
			for n := range 100 {
				all = append(all, netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}))
			}
		}
		return all
	}}
}

// asked packs a query.
func asked(t testing.TB, change func(*dnsmessage.Message)) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("feige.lab.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	change(&m)
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What each question is answered with: the code, the flags, and the records.
func TestAnswers(t *testing.T) {
	name := func(s string) func(*dnsmessage.Message) {
		return func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName(s) }
	}
	for _, c := range []struct {
		what   string
		change func(*dnsmessage.Message)
		want   string
	}{
		{"an address", func(*dnsmessage.Message) {}, "RCodeSuccess AA TypeA"},
		{"of IPv6", func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeAAAA }, "RCodeSuccess AA TypeAAAA"},
		{"all", func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeALL }, "RCodeSuccess AA TypeA TypeAAAA"},
		{"another type", func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }, "RCodeSuccess AA TypeSOA"},
		{"another case", name("FEIGE.Lab.test."), "RCodeSuccess AA TypeA"},
		{"nobody", name("nobody.lab.test."), "RCodeNameError AA TypeSOA"},
		{"the zone", name("lab.test."), "RCodeSuccess AA TypeSOA"},
		{"another zone", name("feige.example."), "RCodeRefused"},
		{"an end of the zone", name("collab.test."), "RCodeRefused"},
		{"another class", func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }, "RCodeRefused"},
		{"an update", func(m *dnsmessage.Message) { m.OpCode = 5 }, "RCodeNotImplemented"},
		{"two questions", func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }, "RCodeFormatError"},
		{"too many addresses", name("many.lab.test."), "RCodeSuccess AA TC"},
	} {
		var m dnsmessage.Message
		if err := m.Unpack(server().Answer(asked(t, c.change), 512)); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		got := []string{m.RCode.String()}
		for flag, is := range map[string]bool{"AA": m.Authoritative, "TC": m.Truncated} {
			if is {
				got = append(got, flag)
			}
		}
		slices.Sort(got[1:])
		for _, r := range append(m.Answers, m.Authorities...) {
			got = append(got, r.Header.Type.String())
		}
		if g := strings.Join(got, " "); g != c.want || m.ID != 7 || !m.Response || !m.RecursionDesired || m.RecursionAvailable {
			t.Errorf("%s: %s, %+v; want %s", c.what, g, m.Header, c.want)
		}
	}
	for what, b := range map[string][]byte{
		"nothing": nil, "half a header": {0, 7, 1}, "an answer": asked(t, func(m *dnsmessage.Message) { m.Response = true }),
	} {
		if answer := server().Answer(b, 512); answer != nil {
			t.Errorf("%s is answered", what)
		}
	}
}

// Go's own resolver finds names by datagrams, and by TCP what is too long for
// one; over the loopback interface of this machine.
func TestGoResolvesNames(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	s := server()
	go func() { done <- s.Serve(pc) }()
	go func() { done <- s.ServeTCP(l) }()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, strings.TrimRight(network, "46"), pc.LocalAddr().String())
	}}
	addrs, err := r.LookupHost(t.Context(), "feige.lab.test.")
	slices.Sort(addrs)
	if fmt.Sprint(addrs) != "[172.16.10.11 2001:db8:10::11]" || err != nil {
		t.Errorf("feige is %v, %v", addrs, err)
	}
	if addrs, err = r.LookupHost(t.Context(), "many.lab.test."); len(addrs) != 100 || err != nil {
		t.Errorf("many are %d, %v", len(addrs), err)
	}
	if _, err = r.LookupHost(t.Context(), "nobody.lab.test."); err == nil || !err.(*net.DNSError).IsNotFound {
		t.Errorf("nobody is %v", err)
	}
	pc.Close()
	l.Close()
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("after the end: %v", err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(asked(f, func(*dnsmessage.Message) {}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if answer := server().Answer(b, 512); len(answer) > 512 {
			t.Errorf("%d octets", len(answer))
		}
	})
}
