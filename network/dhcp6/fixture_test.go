package dhcp6

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

const (
	ms   = clock.Time(time.Millisecond)
	s    = clock.Time(time.Second)
	hour = 3600 * s
)

var (
	clientID = LinkLayerDUID(wire.MAC{2, 0, 0, 0, 0, 1})
	otherID  = LinkLayerDUID(wire.MAC{2, 0, 0, 0, 0, 2})
	serverID = LinkLayerDUID(wire.MAC{2, 0, 0, 0, 0, 9})
	link     = netip.MustParsePrefix("2001:db8::/64")
	dns      = netip.MustParseAddr("2001:db8::53")
)

// A pair is a client and the servers of its link, without any delay between
// them.
type pair struct {
	t *testing.T
	*Client
	servers []*Server
	deaf    bool // no server hears anything
	at      clock.Time
	sent    []string // what the client sent, with the times
	times   []clock.Time
	last    wire.DHCP6
	changes []string
}

func pool() ServerConfig {
	return ServerConfig{
		DUID: serverID, First: netip.MustParseAddr("2001:db8::1000"), Count: 16, Link: link, Preferred: 1000, Valid: 2000,
		DNS: []netip.Addr{dns}, Domains: []string{"lab.test", "test"},
	}
}

func newPair(t *testing.T, change func(*ClientConfig), servers ...ServerConfig) *pair {
	cfg := ClientConfig{DUID: clientID, IAID: 7}
	if change != nil {
		change(&cfg)
	}
	p := &pair{t: t, Client: NewClient(&cfg, rand.New(rand.NewPCG(5, 6))), at: s}
	for _, c := range servers {
		p.servers = append(p.servers, NewServer(&c))
	}
	return p
}

// bound is a pair whose client has an address, for 1000 and 2000 seconds.
func bound(t *testing.T) *pair {
	p := newPair(t, nil, pool())
	p.Start(p.at)
	p.until(10 * s)
	p.want("state", p.State(), Bound)
	p.sent, p.times, p.changes = nil, nil, nil
	return p
}

// deliver takes what the client sends to the servers, and back.
func (p *pair) deliver() {
	for m, ok := p.PollMessage(p.at); ok; m, ok = p.PollMessage(p.at) {
		p.last, _ = wire.ParseDHCP6(m.Payload)
		p.sent, p.times = append(p.sent, p.last.Type.String()), append(p.times, p.at)
		if m.Reason == "" || m.RFC == "" {
			p.t.Errorf("%v has the reason %q, %q", p.last.Type, m.Reason, m.RFC)
		}
		if p.deaf {
			continue
		}
		var answers [][]byte
		for _, server := range p.servers {
			if answer, _ := server.HandleMessage(p.at, m.Payload); answer != nil {
				answers = append(answers, answer)
			}
		}
		for _, answer := range answers {
			p.HandleMessage(p.at, answer)
		}
	}
	for c, ok := p.PollChange(); ok; c, ok = p.PollChange() {
		text := c.Kind.String()
		if c.Addr.IsValid() {
			text += fmt.Sprintf(" %v until %v, %v", c.Addr, c.Preferred.Seconds(), c.Valid.Seconds())
		}
		p.changes = append(p.changes, c.Kind.String())
		if c.Why == "" {
			p.t.Errorf("%s: why?", text)
		}
	}
}

// until lets time pass.
func (p *pair) until(now clock.Time) {
	p.deliver()
	for n, next := 0, p.NextTimer(); next.Due(now); n, next = n+1, p.NextTimer() {
		if n > 100000 {
			p.t.Fatalf("the timer at %v never ends", next)
		}
		p.at = max(p.at, next)
		p.HandleTimer(p.at)
		p.deliver()
	}
	p.at = now
}

func (p *pair) want(what string, got, want any) {
	p.t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		p.t.Errorf("at %v: %s is %s, want %s", p.at, what, g, w)
	}
}

func (p *pair) wantSent(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.sent, want) {
		p.t.Errorf("at %v: sent %q, want %q", p.at, p.sent, want)
	}
	p.sent, p.times = nil, nil
}

func (p *pair) wantChanges(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.changes, want) {
		p.t.Errorf("at %v: changes %q, want %q", p.at, p.changes, want)
	}
	p.changes = nil
}

// reply is a server's answer to the client's last message, as the test has it.
func (p *pair) reply(kind wire.DHCP6Type, server []byte, options ...[]byte) []byte {
	b := wire.AppendDHCP6Option(nil, wire.DHCP6ServerID, server)
	b = wire.AppendDHCP6Option(b, wire.DHCP6ClientID, clientID)
	for _, o := range options {
		b = append(b, o...)
	}
	m := wire.DHCP6{Type: kind, Transaction: p.last.Transaction, Options: b}
	return m.AppendTo(nil)
}

// gives is an identity association with an address.
func gives(addr string, preferred, valid, t1, t2 uint32) []byte {
	a := wire.DHCP6Address{Addr: netip.MustParseAddr(addr), Preferred: preferred, Valid: valid}
	ia := wire.DHCP6IA{ID: 7, T1: t1, T2: t2, Options: a.AppendTo(nil)}
	return ia.AppendTo(nil)
}

func refuses(why wire.DHCP6Status) []byte {
	ia := wire.DHCP6IA{ID: 7, Options: wire.AppendDHCP6Status(nil, why, "no")}
	return ia.AppendTo(nil)
}
