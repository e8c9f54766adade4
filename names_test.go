package hubbub_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub"
	"hubbub/application/dns"
	"hubbub/event"
	"hubbub/wire"
)

// A namedRoom is a LAN with a server of names at the host "dns", and a router.
type namedRoom struct {
	*testing.T
	n      *hubbub.Network
	server *hubbub.Host
	lan    *hubbub.LAN
	asked  []string // the questions that were sent, and from where
}

// inNamedRoom runs a program in a room with name servers.
func inNamedRoom(t *testing.T, subnet, server string, options []hubbub.LANOption, body func(r *namedRoom)) {
	t.Helper()
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	options = append(options, hubbub.NameServers(netip.MustParseAddr(server)), hubbub.SearchDomains("lab.test"))
	r := &namedRoom{T: t, n: n, lan: n.LAN("room", subnet, options...)}
	n.Router("gateway", r.lan)
	r.server = r.lan.Host("dns", hubbub.Address(server))
	n.AddName("shop", netip.MustParseAddr("172.16.10.99"))
	for i := range 60 {
		n.AddName("many", netip.AddrFrom4([4]byte{172, 16, 11, byte(i)}))
	}
	n.Watch(func(e *event.Event) {
		if f, ok := e.Body.(event.FrameSent); ok && e.Node != "dns" && !strings.HasPrefix(e.Node, "switch") {
			r.notes(f.Data)
		}
	})
	zone := &dns.Server{Zone: "lab.test", Lookup: n.Addresses}
	pc, err := r.server.ListenPacket("udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	l, err := r.server.Listen("tcp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	n.Go("names", func() { _ = zone.Serve(pc) })
	n.Go("long names", func() { _ = zone.ServeTCP(l) })
	n.Go("test", func() {
		defer l.Close()
		defer pc.Close()
		_ = n.Sleep(10 * time.Second) // who autoconfigures himself is done
		body(r)
	})
	if err := n.Run(); err != nil {
		t.Error(err)
	}
}

// notes keeps a question in a frame, if that is one.
func (r *namedRoom) notes(frame []byte) {
	b := frame[wire.EthernetHeaderLen:]
	if h, rest, err := wire.ParseIPv4(b); err == nil && h.Protocol == wire.ProtocolUDP {
		b = rest
	} else if h, rest, err := wire.ParseIPv6(b); err == nil && h.NextHeader == wire.ProtocolUDP {
		b = rest[:h.PayloadLen]
	} else {
		return
	}
	u, data, err := wire.ParseUDP(b)
	if err != nil || u.DstPort != wire.DNSPort {
		return
	}
	if m, err := wire.ParseDNS(data); err == nil {
		r.asked = append(r.asked, fmt.Sprintf("%s type %d", m.Name, m.Type))
	}
}

// finds checks what a host finds for a name, and what it asks.
func (r *namedRoom) finds(h *hubbub.Host, name, want string, questions ...string) {
	r.Helper()
	r.asked = nil
	addrs, err := h.Resolver().LookupHost(context.Background(), name)
	got := strings.Join(addrs, " ")
	if err != nil {
		got = err.Error()
	}
	if got != want {
		r.Errorf("%s: %s, want %s", name, got, want)
	}
	if questions != nil && fmt.Sprint(r.asked) != fmt.Sprint(questions) {
		r.Errorf("%s: asked %q, want %q", name, r.asked, questions)
	}
}

const bothFamilies = "172.16.10.0/24, 2001:db8:10::/64"

// RFC 8106, 5: a host that configures itself learns by the routers'
// advertisements whom to ask for names, and where it looks for those without a
// dot.
func TestNamesByRouterAdvertisements(t *testing.T) {
	inNamedRoom(t, "2001:db8:10::/64", "2001:db8:10::53", nil, func(r *namedRoom) {
		guest := r.lan.Host("guest", hubbub.Autoconfigure())
		r.finds(guest, "dns", "lookup dns: the host has heard of no name server")
		_ = r.n.Sleep(10 * time.Second)
		r.finds(guest, "dns", "2001:db8:10::53", "dns.lab.test type 28", "dns.lab.test type 1")
		r.finds(guest, "dns.lab.test", "2001:db8:10::53", "dns.lab.test type 28", "dns.lab.test type 1")
		r.finds(guest, "localhost", "::1 127.0.0.1")
		r.finds(guest, "2001:db8::1", "2001:db8::1")
		if got := fmt.Sprint(guest.NameServers()); got != "[2001:db8:10::53]" {
			t.Errorf("it asks %s", got)
		}
	})
}

// Hosts with an address by hand know the servers by hand. A name that there isn't
// is looked for in the domains and as it is; what is too long for a datagram is
// asked by TCP (RFC 7766, 5).
func TestNamesByHand(t *testing.T) {
	inNamedRoom(t, bothFamilies, "172.16.10.53", nil, func(r *namedRoom) {
		nick := r.lan.Host("nick")
		r.finds(nick, "dns", "2001:db8:10::2 172.16.10.53")
		r.finds(nick, "shop", "172.16.10.99", "shop.lab.test type 28", "shop.lab.test type 1")
		r.finds(nick, "nobody", "lookup nobody on 172.16.10.53: no such host")
		r.finds(nick, "shop.lab.test.", "172.16.10.99", "shop.lab.test type 28", "shop.lab.test type 1")
		r.finds(nick, "bad..name", "lookup bad..name on 172.16.10.53: no such host", []string{}...)
		addrs, err := nick.Resolver().LookupHost(context.Background(), "many")
		if len(addrs) != 16 || err != nil {
			t.Errorf("many: %d, %v; want 16 of them, by TCP", len(addrs), err)
		}
		if _, err := nick.Dial("tcp", "dns:53"); err != nil {
			t.Error(err)
		}
	})
}

// DHCPv6 tells settings, or addresses too, where the routers say so; all the rest
// is as ever.
func TestNamesAndAddressesByDHCP(t *testing.T) {
	pool := netip.MustParsePrefix("2001:db8:10::1000/116")
	for name, option := range map[string]hubbub.LANOption{"stateless": hubbub.SettingsByDHCP(), "stateful": hubbub.AddressesByDHCP()} {
		inNamedRoom(t, bothFamilies, "2001:db8:10::53", []hubbub.LANOption{option}, func(r *namedRoom) {
			guest := r.lan.Host("guest", hubbub.Autoconfigure())
			_ = r.n.Sleep(15 * time.Second)
			addrs := guest.Addresses()
			if len(addrs) != 2 || pool.Contains(addrs[1].Prefix.Addr()) != (name == "stateful") {
				t.Errorf("%s: its addresses are %v", name, addrs)
			}
			r.finds(guest, "dns", "2001:db8:10::53 172.16.10.2", "dns.lab.test type 28", "dns.lab.test type 1")
			if got := r.n.Addresses("guest"); len(got) != 2 {
				t.Errorf("%s: the network knows it as %v", name, got)
			}
			if _, err := guest.Ping(context.Background(), "dns"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A server that doesn't answer has 5 s, twice; a context ends that.
func TestNameServersThatAreSilent(t *testing.T) {
	inNamedRoom(t, "172.16.10.0/24", "172.16.10.53", nil, func(r *namedRoom) {
		nick := r.lan.Host("nick")
		err := r.server.Cable().AddRule(hubbub.In, hubbub.Rule{Match: hubbub.Match{Protocol: 17}, Count: -1})
		if err != nil {
			t.Fatal(err)
		}
		start := r.n.Elapsed()
		_, err = nick.Resolver().LookupHost(context.Background(), "shop.lab.test.")
		var failed *net.DNSError
		if !errors.As(err, &failed) || !failed.IsTimeout || !failed.IsTemporary {
			t.Errorf("%v, want a time-out", err)
		}
		if took := r.n.Elapsed() - start; took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
		if len(r.asked) != 4 {
			t.Errorf("asked %q", r.asked)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err = nick.Resolver().LookupHost(ctx, "shop"); !errors.As(err, &failed) || !failed.IsTimeout {
			t.Errorf("%v, want that it was cancelled", err)
		}
	})
}

// RFC 5452, 9.1 and 9.2: who can't see the question can't answer it, for its
// number and its port are by chance; an answer from elsewhere, to another question
// or with another number is none.
func TestForgedAnswersAreNoAnswers(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	lan := n.LAN("room", "172.16.10.0/24", hubbub.NameServers(netip.MustParseAddr("172.16.10.53")))
	server, mallory, nick := lan.Host("dns", hubbub.Address("172.16.10.53")), lan.Host("mallory"), lan.Host("nick")
	ports, ids := make(map[string]bool), make(map[uint16]bool)
	const questions = 20
	n.Go("dns", func() {
		pc, _ := server.ListenPacket("udp", ":53")
		other, _ := mallory.ListenPacket("udp", ":53")
		defer pc.Close()
		real := &dns.Server{Lookup: func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("172.16.10.3")} }}
		forger := &dns.Server{Lookup: func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("6.6.6.6")} }}
		b := make([]byte, 512)
		for range 2 * questions {
			k, from, err := pc.ReadFrom(b)
			if err != nil {
				t.Error(err)
				return
			}
			q, _ := wire.ParseDNS(b[:k])
			ports[from.String()], ids[q.ID] = true, true
			forged := forger.Answer(b[:k], 512)
			other.WriteTo(forged, from) // from elsewhere
			forged[1] ^= 1
			pc.WriteTo(forged, from) // another number
			another, _ := wire.AppendDNSQuery(nil, q.ID, "other.test", q.Type)
			pc.WriteTo(forger.Answer(another, 512), from) // another question
			pc.WriteTo([]byte("garbage"), from)
			pc.WriteTo(real.Answer(b[:k], 512), from)
		}
	})
	n.Go("nick", func() {
		for i := range questions {
			addrs, err := nick.Resolver().LookupHost(context.Background(), fmt.Sprintf("host%d.test.", i))
			if fmt.Sprint(addrs) != "[172.16.10.3]" {
				t.Errorf("%v, %v", addrs, err)
			}
		}
	})
	if err := n.Run(); err != nil {
		t.Error(err)
	}
	if len(ports) != questions || len(ids) < 2*questions-1 {
		t.Errorf("%d questions had %d ports and %d numbers", questions, len(ports), len(ids))
	}
}

// A server that knows nothing of one family still tells what it knows of the
// other.
func TestNamesOfOneFamilyAreEnough(t *testing.T) {
	n := hubbub.New(hubbub.Virtual())
	defer n.Close()
	lan := n.LAN("room", "172.16.10.0/24", hubbub.NameServers(netip.MustParseAddr("172.16.10.53")))
	server, nick := lan.Host("dns", hubbub.Address("172.16.10.53")), lan.Host("nick")
	knows := &dns.Server{Lookup: func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("172.16.10.3")} }}
	refuses := &dns.Server{Zone: "elsewhere"}
	n.Go("dns", func() {
		pc, err := server.ListenPacket("udp", ":53")
		if err != nil {
			t.Error(err)
			return
		}
		defer pc.Close()
		b := make([]byte, 512)
		for range 2 {
			k, from, err := pc.ReadFrom(b)
			if err != nil {
				t.Error(err)
				return
			}
			answers := knows
			if q, _ := wire.ParseDNS(b[:k]); q.Type == wire.DNSTypeAAAA {
				answers = refuses
			}
			pc.WriteTo(answers.Answer(b[:k], 512), from)
		}
	})
	n.Go("nick", func() {
		addrs, err := nick.Resolver().LookupHost(context.Background(), "shop.test.")
		if fmt.Sprint(addrs) != "[172.16.10.3]" || err != nil {
			t.Errorf("%v, %v", addrs, err)
		}
	})
	if err := n.Run(); err != nil {
		t.Error(err)
	}
}
