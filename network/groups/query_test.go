package groups

import (
	"net/netip"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

// joined is a host that has reported all it had to: G from all but a, H from b
// and c alone.
func joined(h *host) {
	h.exclude(1, "G", "a")
	h.include(1, "H", "b c")
	h.until(100 * s)
	h.sent, h.facts = nil, nil
}

// RFC 3376, 5.2: "When a system receives a Query, it does not respond
// immediately. Instead, it delays its response by a random amount of time,
// bounded by the Max Resp Time value". "one Current-State Record is sent for each
// multicast address for which the specified interface has reception state".
func TestAGeneralQueryIsAnswered(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.hears("all", "")
		h.wantSent()
		at := h.NextTimer()
		h.want("the answer comes within 10 seconds", at > 100*s && at <= 110*s, true)
		h.until(200 * s)
		h.wantSent("IS_EX G {a}, IS_IN H {b c}")
	})
}

// RFC 3376, 5.2: "provided the system has state to report".
func TestWhoIsInNoGroupDoesNotAnswer(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.hears("all", "")
		h.hears("G", "")
		h.want("timer", h.NextTimer(), clock.Never)
	})
}

// RFC 3376, 5.2, 1 and 2: "If there is a pending response to a previous General
// Query scheduled sooner than the selected delay, no additional response needs
// to be scheduled. [...] Any previously pending response to a General Query is
// canceled."
func TestManyQueriesGetOneAnswer(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		for range 50 {
			before := h.NextTimer()
			h.hears("all", "")
			h.hears("G", "")
			if next := h.NextTimer(); before != clock.Never && next > before {
				t.Errorf("the answer has moved from %v to %v", before, next)
			}
		}
		h.until(200 * s)
		general := 0
		for _, m := range h.sent {
			if m == "IS_EX G {a}, IS_IN H {b c}" {
				general++
			}
		}
		h.want("answers for all groups", general, 1)
		h.want("answers, one for G at most", len(h.sent) <= 2, true)
	})
}

// RFC 3376, 5.2, 3 to 5, and the table of its answers: "INCLUDE (A): IS_IN
// (A*B); EXCLUDE (A): IS_IN (B-A). If the resulting Current-State Record has an
// empty set of source addresses, then no response is sent."
func TestAQueryForAGroupIsAnswered(t *testing.T) {
	for _, x := range []struct {
		group   string
		queries []string // sources of each
		want    string
	}{
		{"G", []string{""}, "IS_EX G {a}"},
		{"H", []string{""}, "IS_IN H {b c}"},
		{"H", []string{"a b"}, "IS_IN H {b}"},
		{"G", []string{"a b"}, "IS_IN G {b}"},
		{"G", []string{"a"}, ""},
		{"H", []string{"d"}, ""},
		{"H", []string{"b", "c d"}, "IS_IN H {b c}"}, // 5. "the group source list is augmented"
		{"H", []string{"b", ""}, "IS_IN H {b c}"},    // 4. "the group source-list is cleared"
		{"H", []string{"", "b"}, "IS_IN H {b c}"},    // 4.
		{"I", []string{"", "a"}, ""},
	} {
		bothFamilies(t, Config{}, func(h *host) {
			joined(h)
			for _, sources := range x.queries {
				h.hears(x.group, sources)
			}
			h.until(200 * s)
			if x.want == "" {
				h.wantSent()
			} else {
				h.wantSent(x.want)
			}
			h.hears(x.group, "")
			h.until(300 * s)
			h.want("what was asked about before is forgotten", len(h.sent) == 1, x.group != "I")
		})
	}
}

// A hostile querier can't make the list of sources that are asked about long:
// beyond what a filter may have the whole filter is told.
func TestSourcesAskedAboutAreBounded(t *testing.T) {
	bothFamilies(t, Config{Sources: 3}, func(h *host) {
		joined(h)
		h.hears("H", "b")
		h.hears("H", "c d")
		h.hears("H", "e f")
		h.until(200 * s)
		h.wantSent("IS_IN H {b c}")
		h.hears("H", "b d e f")
		h.until(300 * s)
		h.wantSent("IS_IN H {b c}")
	})
}

// RFC 3376, 4.1.6: "adopt the QRV value from the most recently received Query
// as their own [Robustness Variable] value, unless that most recently received
// QRV was zero".
func TestRobustnessIsTheQueriers(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		h.hearsQuery(h.newest(), "all", nil, time.Second, 4)
		h.exclude(1, "G", "")
		h.until(100 * s)
		h.wantSent("TO_EX G {}", "TO_EX G {}", "TO_EX G {}", "TO_EX G {}")
		h.hearsQuery(h.newest(), "all", nil, time.Second, 0)
		h.until(200 * s)
		h.wantSent("IS_EX G {}")
		h.include(1, "G", "")
		h.until(300 * s)
		h.wantSent("TO_IN G {}", "TO_IN G {}")
	})
}

func TestAQueryWithoutDelayIsAnsweredAtOnce(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.hearsQuery(h.newest(), "G", nil, 0, 2)
		h.want("due", h.NextTimer() <= h.at+1, true)
	})
}

// RFC 3810, 6.2: "the node checks if the source address of the message is a
// valid link-local address, if the Hop Limit is set to 1, and if the Router Alert
// option is present [...] If any of these checks fails, the packet is dropped."
func TestMLDIsChecked(t *testing.T) {
	link, far := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("2001::1")
	q := wire.ListenerQuery{Group: netip.IPv6Unspecified(), MaxResponse: time.Second}
	m, payload := q.Message(nil)
	done, group := wire.ListenerReportV1(nil, wire.MulticastListenerDone, netip.MustParseAddr("ff0e::47"))
	report, _ := wire.ListenerReportV1(nil, wire.MulticastListenerReport, link)
	notGroup := wire.ListenerQuery{Group: far}
	m2, payload2 := notGroup.Message(nil)
	for _, x := range []struct {
		a       Arrival
		m       wire.ICMPv6
		payload []byte
		why     Reason
	}{
		{Arrival{Src: far, Dst: wire.AllNodes, HopLimit: 1, RouterAlert: true}, m, payload, NotFromLink},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 2, RouterAlert: true}, m, payload, BadHopLimit},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 1}, m, payload, NoRouterAlert},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 1, RouterAlert: true}, m, payload[:18], Malformed},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 1, RouterAlert: true}, m2, payload2, NoGroup},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 1, RouterAlert: true}, done, group, ForRouters},
		{Arrival{Src: link, Dst: wire.AllNodes, HopLimit: 1, RouterAlert: true}, report, group[:8], Malformed},
	} {
		h := newHost(t, Config{}, true)
		joined(h)
		h.want("the reason", h.HandleMLD(h.at, x.a, &x.m, x.payload), x.why)
		var want Drops
		want[x.why] = 1
		h.want("drops", h.Drops(), want)
		h.want("timer", h.NextTimer(), clock.Never)
	}
}

// RFC 3376, 9.1: "Hosts SHOULD ignore v2 or v3 Queries without the Router-Alert
// option. Hosts SHOULD ignore v1, v2 or v3 General Queries sent to a multicast
// address other than 224.0.0.1, the all-systems address."
func TestIGMPIsChecked(t *testing.T) {
	src, group := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("239.1.1.71")
	message := func(q wire.GroupQuery) []byte {
		m, payload := q.Message(nil)
		return m.AppendTo(nil, payload)
	}
	general := message(wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified(), MaxResponse: time.Second})
	leave := wire.IGMP{Type: wire.LeaveGroup}
	for _, x := range []struct {
		a   Arrival
		b   []byte
		why Reason
	}{
		{Arrival{Src: src, Dst: wire.AllHostsIPv4, RouterAlert: true}, general[:7], Malformed},
		{Arrival{Src: src, Dst: wire.AllHostsIPv4, RouterAlert: true}, general[:10], Malformed},
		{Arrival{Src: src, Dst: wire.AllHostsIPv4}, general, NoRouterAlert},
		{Arrival{Src: src, Dst: group, RouterAlert: true}, general, BadDestination},
		{Arrival{Src: src, Dst: wire.AllHostsIPv4, RouterAlert: true}, message(wire.GroupQuery{Version: 3, Group: src}), NoGroup},
		{Arrival{Src: src, Dst: wire.AllRoutersIPv4, RouterAlert: true}, leave.AppendTo(nil, nil), ForRouters},
	} {
		h := newHost(t, Config{}, false)
		joined(h)
		h.want("the reason", h.HandleIGMP(h.at, x.a, x.b), x.why)
		var want Drops
		want[x.why] = 1
		h.want("drops", h.Drops(), want)
		h.want("timer", h.NextTimer(), clock.Never)
	}
	// One with a query that is cut off behind a right checksum.
	h := newHost(t, Config{}, false)
	cut := wire.IGMP{Type: wire.MembershipQuery}
	h.HandleIGMP(h.at, Arrival{Src: src, Dst: wire.AllHostsIPv4, RouterAlert: true}, cut.AppendTo(nil, []byte{0, 0}))
	h.want("malformed", h.Drops()[Malformed], 1)
}

func TestReasonsAndKindsHaveTexts(t *testing.T) {
	for _, r := range Reasons() {
		if r.String() == "" {
			t.Errorf("reason %d has no text", r)
		}
	}
	if numReasons.String() != "unknown" {
		t.Error("there is no such reason")
	}
	for k := Joined; k <= Warned; k++ {
		if k.String() == "" {
			t.Errorf("kind %d has no text", k)
		}
	}
}

// What a timer sends has the cause of what set the timer.
func TestTimersRememberTheirCause(t *testing.T) {
	bothFamilies(t, Config{}, func(h *host) {
		joined(h)
		h.Cause = 7
		h.hears("all", "")
		h.Cause = 8
		h.hears("G", "")
		h.Cause = 9
		h.must(h.Join(h.at, 1, h.addr("I")))
		h.Cause = 99
		causes := map[uint64]int{}
		for next := h.NextTimer(); next != clock.Never; next = h.NextTimer() {
			h.HandleTimer(next)
			for m, ok := h.PollMessage(next); ok; m, ok = h.PollMessage(next) {
				causes[m.Cause]++
			}
		}
		h.want("an answer to all", causes[7], 1)
		h.want("the join, again", causes[9], 1)
		h.want("by no timer's own", causes[99], 0)
	})
}

// Whatever a hostile neighbour sends, what is kept is bounded, what is sent is
// well-formed, and no timer stays in the past.
func FuzzMember(f *testing.F) {
	q := wire.GroupQuery{Version: 3, Group: netip.MustParseAddr("239.1.1.71"), MaxResponse: time.Second, Sources: make([]byte, 8)}
	m, payload := q.Message(nil)
	f.Add(m.AppendTo(nil, payload), false)
	f.Add(append([]byte{130, 0, 0, 0, 0, 9, 0, 0}, make([]byte, 40)...), true)
	f.Fuzz(func(t *testing.T, b []byte, six bool) {
		h := newHost(t, Config{Sources: 4}, six)
		joined(h)
		for range 20 {
			if six {
				if header, rest, err := wire.ParseICMPv6Header(b); err == nil {
					h.HandleMLD(h.at, Arrival{Src: netip.MustParseAddr("fe80::1"), HopLimit: 1, RouterAlert: true}, &header, rest)
				}
			} else {
				h.HandleIGMP(h.at, Arrival{Src: netip.MustParseAddr("10.0.0.1"), RouterAlert: true}, b)
			}
			h.until(h.at + 50*ms)
		}
		for _, g := range h.Member.groups {
			if len(g.asked) > 4 {
				t.Errorf("%d sources are asked about", len(g.asked))
			}
		}
		if next := h.NextTimer(); next.Due(h.at) {
			t.Errorf("at %v the timer is at %v", h.at, next)
		}
	})
}
