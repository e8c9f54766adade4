package groups

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"hubbub/clock"
	"hubbub/wire"
)

// A router drives a Querier of one family.
type router struct {
	t *testing.T
	*Querier
	at   clock.Time
	sent []string // "at second: group, in how many seconds"
}

func bothQueriers(t *testing.T, test func(*router)) {
	t.Helper()
	for _, six := range []bool{false, true} {
		t.Run(map[bool]string{false: "IGMP", true: "MLD"}[six], func(t *testing.T) {
			r := &router{t: t, Querier: NewQuerier(nil, six), at: s}
			if r.NextTimer() != clock.Never || r.Querying() {
				t.Error("it begins without an address")
			}
			r.SetSource(r.at, r.numbered(5))
			test(r)
		})
	}
}

// numbered is a router's address, and in another prefix one that is lower.
func (r *router) numbered(n byte) netip.Addr {
	if r.six {
		return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: n})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, n})
}

func (r *router) group(n byte) netip.Addr {
	if r.six {
		return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x0e, 15: n})
	}
	return netip.AddrFrom4([4]byte{239, 1, 1, n})
}

func (r *router) until(end clock.Time) {
	r.t.Helper()
	r.poll()
	for next := r.NextTimer(); next.Due(end); next = r.NextTimer() {
		r.at = max(r.at, next)
		r.HandleTimer(r.at)
		r.poll()
	}
	r.at = end
}

func (r *router) poll() {
	r.t.Helper()
	for m, ok := r.PollMessage(); ok; m, ok = r.PollMessage() {
		var group netip.Addr
		var response clock.Duration
		if r.six {
			q, err := wire.ParseListenerQuery(&m.ICMPv6, m.Payload)
			if group, response = q.Group, q.MaxResponse; err != nil || q.Robustness != 2 || q.Interval.Seconds() != 125 {
				r.t.Errorf("%+v, %v", q, err)
			}
		} else {
			q, err := wire.ParseGroupQuery(&m.IGMP, m.Payload)
			if group, response = q.Group, q.MaxResponse; err != nil || q.Version != 3 || q.Robustness != 2 {
				r.t.Errorf("%+v, %v", q, err)
			}
		}
		to := r.group(group.AsSlice()[len(group.AsSlice())-1])
		if group.IsUnspecified() {
			to = map[bool]netip.Addr{false: wire.AllHostsIPv4, true: wire.AllNodes}[r.six]
		}
		if m.Dst != to || m.DstMAC != wire.MulticastMAC(to) || m.Src != r.source || m.Reason == "" || m.RFC == "" {
			r.t.Errorf("%+v", m)
		}
		r.sent = append(r.sent, fmt.Sprintf("%v: %d in %v", r.at.Seconds(), group.AsSlice()[len(group.AsSlice())-1], response))
	}
}

func (r *router) wantSent(want ...string) {
	r.t.Helper()
	if g, w := strings.Join(r.sent, "; "), strings.Join(want, "; "); g != w {
		r.t.Errorf("sent %s, want %s", g, w)
	}
	r.sent = nil
}

// hears lets the router hear a query of another, or a report of a host.
func (r *router) hearsQuery(n byte) {
	a := Arrival{Src: r.numbered(n), HopLimit: 1, RouterAlert: true}
	if r.six {
		q := wire.ListenerQuery{Group: netip.IPv6Unspecified()}
		m, payload := q.Message(nil)
		r.HandleMLD(r.at, a, &m, payload)
		return
	}
	q := wire.GroupQuery{Version: 3, Group: netip.IPv4Unspecified()}
	m, payload := q.Message(nil)
	r.HandleIGMP(r.at, a, m.AppendTo(nil, payload))
}

func (r *router) hearsRecord(kind wire.RecordType, group netip.Addr, sources ...byte) {
	a := Arrival{Src: r.numbered(77), HopLimit: 1, RouterAlert: true}
	record := wire.ListenerRecord{Type: kind, Group: group, Sources: sources}
	if r.six {
		m, payload := wire.ListenerReport(nil, record)
		r.HandleMLD(r.at, a, &m, payload)
	} else {
		m, payload := wire.GroupReport(nil, record)
		r.HandleIGMP(r.at, a, m.AppendTo(nil, payload))
	}
	r.poll()
}

// RFC 3376, 8.6 and 8.7: on startup as many queries as the robustness variable, a
// quarter of the interval apart; then one each 125 s.
func TestAQuerierAsksFromTimeToTime(t *testing.T) {
	bothQueriers(t, func(r *router) {
		r.until(300 * s)
		r.wantSent("1: 0 in 10s", "32.25: 0 in 10s", "157.25: 0 in 10s", "282.25: 0 in 10s")
	})
}

// RFC 3376, 6.6.2 and 8.5: whose address is lowest asks; when he has been silent
// for 255 s the next one does.
func TestTheLowestAddressIsTheQuerier(t *testing.T) {
	bothQueriers(t, func(r *router) {
		r.until(10 * s)
		r.wantSent("1: 0 in 10s")
		r.hearsQuery(9)
		if !r.Querying() {
			t.Error("it gives way to a higher address")
		}
		r.hearsQuery(3)
		if r.Querying() {
			t.Error("it doesn't give way to a lower address")
		}
		r.until(100 * s)
		r.hearsQuery(3)
		r.hearsRecord(wire.ChangeToInclude, r.group(7))
		r.until(355*s - 1)
		r.wantSent()
		r.until(500 * s)
		r.wantSent("355: 0 in 10s", "480: 0 in 10s")
		if !r.Querying() {
			t.Error("it isn't the querier again")
		}
	})
}

// RFC 3376, 6.6.3.1: when somebody has left a group, others in it are asked for at
// once and a second later.
func TestWhoElseIsInAGroupThatSomebodyLeft(t *testing.T) {
	bothQueriers(t, func(r *router) {
		r.until(10 * s)
		r.sent = nil
		for _, kind := range []wire.RecordType{wire.ModeIsInclude, wire.ModeIsExclude, wire.ChangeToExclude} {
			r.hearsRecord(kind, r.group(7))
		}
		source := r.numbered(1)
		r.hearsRecord(wire.ChangeToInclude, r.group(7), source.AsSlice()...)
		r.wantSent()
		r.hearsRecord(wire.ChangeToInclude, r.group(7))
		r.hearsRecord(wire.ChangeToInclude, r.group(7)) // again, as hosts do
		r.until(20 * s)
		r.wantSent("10: 7 in 1s", "11: 7 in 1s")
		old := wire.IGMP{Type: wire.LeaveGroup}
		if r.six {
			m, payload := wire.ListenerReportV1(nil, wire.MulticastListenerDone, r.group(8))
			r.HandleMLD(r.at, Arrival{Src: r.numbered(77), HopLimit: 1, RouterAlert: true}, &m, payload)
			r.HandleMLD(r.at, Arrival{Src: r.numbered(77), HopLimit: 64, RouterAlert: true}, &m, payload)
		} else {
			old.SetGroup(r.group(8))
			r.HandleIGMP(r.at, Arrival{Src: r.numbered(77)}, old.AppendTo(nil, nil))
		}
		r.until(30 * s)
		r.wantSent("20: 8 in 1s", "21: 8 in 1s")
		for n := range byte(200) {
			r.hearsRecord(wire.ChangeToInclude, r.group(n))
		}
		if len(r.sent) != maxLast {
			t.Errorf("%d groups are asked for at once, want %d", len(r.sent), maxLast)
		}
	})
}

// Whatever arrives, a querier doesn't fall over, and remembers no more than it may.
func FuzzQuerier(f *testing.F) {
	report, payload := wire.GroupReport(nil, wire.ListenerRecord{Type: wire.ChangeToInclude, Group: netip.MustParseAddr("239.1.1.1")})
	f.Add(report.AppendTo(nil, payload), false)
	six, payload := wire.ListenerReport(nil, wire.ListenerRecord{Type: wire.ChangeToInclude, Group: netip.MustParseAddr("ff0e::1")})
	f.Add(append([]byte{byte(six.Type), 0, 0, 1}, payload...), true)
	f.Fuzz(func(t *testing.T, b []byte, six bool) {
		q := NewQuerier(nil, six)
		q.SetSource(s, netip.MustParseAddr(map[bool]string{false: "10.0.0.9", true: "fe80::9"}[six]))
		a := Arrival{Src: netip.MustParseAddr("fe80::1"), HopLimit: 1, RouterAlert: true}
		for n := range 3 {
			if !six {
				a.Src = netip.MustParseAddr("10.0.0.1")
				q.HandleIGMP(s, a, b)
			} else if len(b) >= 4 {
				m := wire.ICMPv6{Type: wire.ICMPv6Type(b[0]), Rest: [4]byte(b[:4])}
				q.HandleMLD(s, a, &m, b[4:])
			}
			if len(q.last) > maxLast {
				t.Errorf("%d groups are asked for", len(q.last))
			}
			q.HandleTimer(clock.Time(n+1) * 200 * s)
		}
	})
}
