package groups

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

const (
	ms = clock.Time(time.Millisecond)
	s  = clock.Time(time.Second)
)

// A host drives a Member of one family, in which groups are called G, H, I and
// sources a to f. What it sends is told in RFC 3376's notation: "TO_EX G {a b}".
type host struct {
	t *testing.T
	*Member
	at    clock.Time
	sent  []string     // since it was last looked at
	times []clock.Time // of each
	facts []Fact
}

// bothFamilies runs a test for IGMP and for MLD.
func bothFamilies(t *testing.T, cfg Config, test func(*host)) {
	t.Helper()
	for _, six := range []bool{false, true} {
		t.Run(map[bool]string{false: "IGMP", true: "MLD"}[six], func(t *testing.T) { test(newHost(t, cfg, six)) })
	}
}

func newHost(t *testing.T, cfg Config, six bool) *host {
	rnd := rand.New(rand.NewPCG(3, 4))
	h := &host{t: t, Member: New(&cfg, rnd), at: s}
	own := "10.0.0.9"
	if six {
		h.Member, own = NewMLD(&cfg, rnd), "fe80::9"
	}
	h.Watch = true
	h.SetSource(h.at, netip.MustParseAddr(own))
	return h
}

// addr is what a letter stands for.
func (h *host) addr(letter string) netip.Addr {
	n := letter[0]
	switch {
	case len(letter) > 3:
		return netip.MustParseAddr(letter)
	case letter == "all":
		return map[bool]netip.Addr{false: netip.IPv4Unspecified(), true: netip.IPv6Unspecified()}[h.six]
	case n < 'a' && h.six:
		return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x0e, 15: n})
	case n < 'a':
		return netip.AddrFrom4([4]byte{239, 1, 1, n})
	case h.six:
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 15: n})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, n})
}

func (h *host) addrs(letters string) (all []netip.Addr) {
	for _, l := range strings.Fields(letters) {
		all = append(all, h.addr(l))
	}
	return all
}

func (h *host) name(a netip.Addr) string {
	b := a.AsSlice()
	if n := b[len(b)-1]; a == h.addr(string(rune(n|1<<6))) || n >= 'A' && a == h.addr(string(rune(n))) {
		return string(rune(n))
	}
	return a.String()
}

// include and exclude set what a socket hears.
func (h *host) include(socket uint64, group, sources string) {
	h.t.Helper()
	h.must(h.Listen(h.at, socket, h.addr(group), Filter{Sources: h.addrs(sources)}))
}

func (h *host) exclude(socket uint64, group, sources string) {
	h.t.Helper()
	h.must(h.Listen(h.at, socket, h.addr(group), Filter{Exclude: true, Sources: h.addrs(sources)}))
}

func (h *host) must(err error) {
	h.t.Helper()
	h.poll()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) poll() {
	for m, ok := h.PollMessage(h.at); ok; m, ok = h.PollMessage(h.at) {
		h.sent = append(h.sent, h.tellMessage(&m))
		h.times = append(h.times, h.at)
	}
	for f, ok := h.PollEvent(); ok; f, ok = h.PollEvent() {
		h.facts = append(h.facts, f)
	}
}

var recordNames = [...]string{"", "IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"}

// tellMessage writes a message that was sent, and checks what all have.
func (h *host) tellMessage(m *Message) string {
	h.t.Helper()
	if m.Src != h.source || m.DstMAC != wire.MulticastMAC(m.Dst) || m.Reason == "" || m.RFC == "" {
		h.t.Errorf("sent from %v to %v, %v: %q, %q", m.Src, m.Dst, m.DstMAC, m.Reason, m.RFC)
	}
	next, records := wire.NextGroupRecord, m.IGMP.Records()
	to := wire.AllIGMPv3Routers
	switch {
	case h.six && m.ICMPv6.Type != wire.MulticastListenerReportV2, !h.six && m.IGMP.Type != wire.MembershipReportV3:
		return h.tellOld(m)
	case h.six:
		next, records, to = wire.NextListenerRecord, m.ICMPv6.Records(), wire.AllMLDv2Routers
	}
	if m.Dst != to || len(m.Payload) > h.room() {
		h.t.Errorf("a report of %d octets to %v", len(m.Payload), m.Dst)
	}
	var all []string
	for rest := m.Payload; len(rest) > 0; {
		r, behind, err := next(rest)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s {%s}", recordNames[r.Type], h.name(r.Group), h.names(h.addresses(r.Sources))))
		rest = behind
	}
	if len(all) != records {
		h.t.Errorf("%d records, the header tells %d", len(all), records)
	}
	return strings.Join(all, ", ")
}

func (h *host) names(addrs []netip.Addr) string {
	var all []string
	for _, a := range addrs {
		all = append(all, h.name(a))
	}
	return strings.Join(all, " ")
}

func (h *host) tellOld(m *Message) string {
	kind, group := m.IGMP.Type.String(), m.IGMP.Group()
	if h.six {
		kind, group = m.ICMPv6.Type.String(), netip.AddrFrom16([16]byte(m.Payload))
	}
	to := group
	if kind == "leave group" || m.ICMPv6.Type == wire.MulticastListenerDone {
		kind, to = "leave", h.routers()
	}
	if m.Dst != to {
		h.t.Errorf("%s goes to %v", kind, m.Dst)
	}
	kind = strings.Replace(strings.Replace(kind, "membership report v", "report", 1), "multicast listener report", "report1", 1)
	return kind + " " + h.name(group)
}

// until lets time pass.
func (h *host) until(now clock.Time) {
	for next := h.NextTimer(); next.Due(now); next = h.NextTimer() {
		h.at = max(h.at, next)
		h.HandleTimer(h.at)
		h.poll()
	}
	h.at = now
}

func (h *host) wantSent(want ...string) {
	h.t.Helper()
	if !slices.Equal(h.sent, want) {
		h.t.Errorf("at %v: sent %q, want %q", h.at, h.sent, want)
	}
	h.sent, h.times = nil, nil
}

func (h *host) want(what string, got, want any) {
	h.t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		h.t.Errorf("at %v: %s is %s, want %s", h.at, what, g, w)
	}
}

// is returns the filter of the interface, as "EX {a b}".
func (h *host) is(group string) string {
	g := h.find(h.addr(group))
	if g == nil {
		return "none"
	}
	mode := "IN"
	if g.filter.Exclude {
		mode = "EX"
	}
	return fmt.Sprintf("%s {%s}", mode, h.names(g.filter.Sources))
}

// hears takes a query of the newest version, for a group and sources, that is
// to be answered within 10 seconds.
func (h *host) hears(group, sources string) {
	var b []byte
	for _, a := range h.addrs(sources) {
		b = append(b, a.AsSlice()...)
	}
	h.hearsQuery(h.newest(), group, b, 10*time.Second, 2)
}

func (h *host) hearsQuery(version int, group string, sources []byte, longest time.Duration, robustness uint8) {
	a := Arrival{HopLimit: 1, RouterAlert: true, Src: netip.MustParseAddr("10.0.0.1"), Dst: h.addr(group)}
	if group == "all" {
		a.Dst = wire.AllHostsIPv4
	}
	if h.six {
		a.Src = netip.MustParseAddr("fe80::1")
		if group == "all" {
			a.Dst = wire.AllNodes
		}
		q := wire.ListenerQuery{
			MaxResponse: longest, Group: h.addr(group), V1: version == 1, Robustness: robustness,
			Interval: 125 * time.Second, Sources: sources,
		}
		m, payload := q.Message(nil)
		h.HandleMLD(h.at, a, &m, payload)
	} else {
		q := wire.GroupQuery{
			Version: uint8(version), MaxResponse: longest, Group: h.addr(group), Robustness: robustness,
			Interval: 125 * time.Second, Sources: sources,
		}
		m, payload := q.Message(nil)
		h.HandleIGMP(h.at, a, m.AppendTo(nil, payload))
	}
	h.poll()
}

// hearsReport takes another host's report of version 1, or of IGMP 2.
func (h *host) hearsReport(group string) {
	if h.six {
		m, payload := wire.ListenerReportV1(nil, wire.MulticastListenerReport, h.addr(group))
		h.HandleMLD(h.at, Arrival{Src: netip.MustParseAddr("fe80::7"), Dst: h.addr(group), HopLimit: 1, RouterAlert: true}, &m, payload)
		return
	}
	m := wire.IGMP{Type: wire.MembershipReportV2}
	m.SetGroup(h.addr(group))
	h.HandleIGMP(h.at, Arrival{Src: netip.MustParseAddr("10.0.0.7"), Dst: h.addr(group)}, m.AppendTo(nil, nil))
}
