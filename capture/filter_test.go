package capture

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"hubbub/event"
	"hubbub/wire"
)

func TestFilterChoosesPackets(t *testing.T) {
	synFrame := Decode(segment("nick", "feige", syn, 0, 0, "", 65535))
	reply := Decode(segment("feige", "nick", psh|ack, 1, 1, "HELLO", 512))
	question := Decode(arpFrame(wire.ARPRequest, "lily", "feige"))
	for _, c := range []struct {
		expression            string
		syn, reply, broadcast bool
	}{
		{"", true, true, true},
		{"tcp", true, true, false},
		{"arp", false, false, true},
		{"udp or icmp", false, false, false},
		{"ip", true, true, false},
		{"host nick", true, true, false},
		{"host feige", true, true, true},
		{"src host nick", true, false, false},
		{"dst host nick", false, true, false},
		{"host 172.16.10.12", false, false, true},
		{"net 172.16.10.0/28", true, true, true},
		{"src net 172.16.10.12/32", false, false, true},
		{"port 8080", true, true, false},
		{"src port 8080", false, true, false},
		{"tcp port 8080", true, true, false},
		{"udp port 8080", false, false, false},
		{"syn", true, false, false},
		{"psh and ack", false, true, false},
		{"not syn", false, true, true},
		{"!syn", false, true, true},
		{"broadcast", false, false, true},
		{"ether 02:00:00:00:00:03", false, false, true},
		{"dst ether 02:00:00:00:00:01", false, true, false},
		{"fragment", false, false, false},
		{"not (tcp or udp)", false, false, true},
		{"arp or tcp and syn", true, false, true},
		{"(arp or tcp) and syn", true, false, false},
		{"host nick and tcp port 8080", true, true, false},
		{"tcp && !syn || arp", false, true, true},
	} {
		f, err := ParseFilter(c.expression, names)
		if err != nil {
			t.Errorf("%q: %v", c.expression, err)
			continue
		}
		for _, p := range []struct {
			packet *Packet
			want   bool
		}{{&synFrame, c.syn}, {&reply, c.reply}, {&question, c.broadcast}} {
			if got := f.Match(p.packet); got != p.want {
				t.Errorf("%q chooses %s: %v, want %v", c.expression, p.packet.Summary(), got, p.want)
			}
		}
	}
}

func TestFilterChoosesEvents(t *testing.T) {
	state := event.TCPState{Flow: flowOfHost("nick", "feige")}
	for _, c := range []struct {
		expression string
		body       event.Body
		want       bool
	}{
		{"host nick", state, true},
		{"host feige", state, true},
		{"host lily", state, false},
		{"tcp port 8080", state, true},
		{"udp", state, false},
		{"host nick", event.SocketCall{Call: "socket"}, true},
		{"host feige", event.SocketCall{Call: "socket"}, false},
		{"port 8080", event.Overflow{Local: netip.MustParseAddrPort("0.0.0.0:8080")}, true},
		{"arp", event.Neighbor{Address: addrs["feige"]}, true},
		{"host feige", event.Neighbor{Address: addrs["feige"]}, true},
	} {
		f, err := ParseFilter(c.expression, names)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.MatchEvent(&event.Event{Node: "nick", Body: c.body}); got != c.want {
			t.Errorf("%q chooses %T: %v, want %v", c.expression, c.body, got, c.want)
		}
	}
}

func TestFilterErrorsNameTheColumn(t *testing.T) {
	for _, c := range []struct {
		expression string
		column     int
		problem    string
	}{
		{"host", 5, "after \"host\" something is missing"},
		{"host nobody", 6, `no host is called "nobody"; there are feige, lily, nick`},
		{"tcp prot 80", 5, `"prot" is no condition`},
		{"port 70000", 6, "numbers from 1 to 65535"},
		{"port 0", 6, "numbers from 1 to 65535"},
		{"net 172.16.10.0", 5, "is not a subnet"},
		{"(tcp", 5, "a closing parenthesis is missing"},
		{"tcp)", 4, "one too many"},
		{"tcp and", 8, "something is missing at the end"},
		{"src tcp", 5, "after src and dst"},
		{"ether 1", 7, "twelve hexadecimal digits"},
		{"or", 1, "is no condition"},
		{strings.Repeat("(", 200) + "tcp", 102, "nested more than 100 deep"},
	} {
		_, err := ParseFilter(c.expression, names)
		var problem *FilterError
		if !errors.As(err, &problem) {
			t.Errorf("%q: %v, want a FilterError", c.expression, err)
			continue
		}
		if problem.Column != c.column || !strings.Contains(problem.Problem, c.problem) {
			t.Errorf("%q: %v; want column %d: %s", c.expression, err, c.column, c.problem)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"host nick and tcp port 8080", "not (arp or !syn)", "src net 10.0.0.0/8", "((", ")", "and"} {
		f.Add(s)
	}
	p := Decode(segment("nick", "feige", syn, 0, 0, "", 65535))
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := ParseFilter(s, names)
		var problem *FilterError
		if err != nil && (!errors.As(err, &problem) || problem.Column < 1 || problem.Column > len(s)+1) {
			t.Errorf("%q: %v has no column inside the expression", s, err)
		}
		if err == nil && filter.Match(&p) == (&Filter{root: negated(filter.rootOrAll())}).Match(&p) {
			t.Errorf("%q and its opposite choose the same", s)
		}
	})
}

// rootOrAll returns the filter's condition; that of the nil Filter holds.
func (f *Filter) rootOrAll() condition {
	if f == nil {
		return func(*subject) bool { return true }
	}
	return f.root
}
