package membership

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/wire"
)

var (
	nodes = wire.AllNodes
	news  = netip.MustParseAddr("ff02::77")
	music = netip.MustParseAddr("ff02::88")
)

// A station is a listener, and what it has told.
type station struct {
	*Listener
	t   *testing.T
	now clock.Time
}

func newStation(t *testing.T) *station {
	return &station{NewListener(rand.New(rand.NewPCG(1, 2))), t, clock.Time(time.Second)}
}

// passes lets time pass, and returns the reports that were sent.
func (s *station) passes(d clock.Duration) string {
	var all []string
	end := s.now.Add(d)
	for {
		for records, ok := s.PollReport(s.now, nil); ok; records, ok = s.PollReport(s.now, nil) {
			text := ""
			for _, r := range records {
				text += fmt.Sprintf(" %d:%v", r.Type, r.Group)
			}
			all = append(all, strings.TrimSpace(text))
		}
		next := s.NextTimer()
		if next == clock.Never || next > end {
			break
		}
		s.now = next
		s.HandleTimer(s.now)
	}
	s.now = end
	return strings.Join(all, ", ")
}

func (s *station) tells(d clock.Duration, want string) {
	s.t.Helper()
	if got := s.passes(d); got != want {
		s.t.Errorf("in %v it tells %q, want %q", d, got, want)
	}
}

// RFC 3810, 6.1: a change is told at once, and once more within a second.
func TestAChangeIsToldTwice(t *testing.T) {
	s := newStation(t)
	s.Join(s.now, nodes, true)
	s.Join(s.now, news, false)
	s.tells(0, "4:ff02::77")
	s.tells(time.Second, "4:ff02::77")
	s.Join(s.now, news, false) // by a second program
	s.Leave(s.now, news)
	s.Leave(s.now, music) // was never joined
	s.tells(time.Hour, "")
	if !s.Joined(news) || s.Joined(music) || fmt.Sprint(s.Groups()) != "[ff02::1 ff02::77]" {
		t.Errorf("it is in %v", s.Groups())
	}
	s.Leave(s.now, news)
	s.tells(0, "3:ff02::77")
	if s.Joined(news) {
		t.Error("it is in a group that it left")
	}
	s.tells(time.Second, "3:ff02::77")
	s.tells(time.Hour, "")
	if got := fmt.Sprint(s.Groups()); got != "[ff02::1]" {
		t.Errorf("it is in %s", got)
	}
}

// A group that is left before its joining was told twice is told as left.
func TestTheLastChangeCounts(t *testing.T) {
	s := newStation(t)
	s.Join(s.now, news, false)
	s.tells(0, "4:ff02::77")
	s.Leave(s.now, news)
	s.tells(0, "3:ff02::77")
	s.tells(time.Second, "3:ff02::77")
}

// RFC 3810, 6.2: "it delays its response by a random amount of time, bounded by
// the Max Resp Time".
func TestAQueryIsAnsweredAfterAWhile(t *testing.T) {
	s := newStation(t)
	for _, g := range []netip.Addr{news, music} {
		s.Join(s.now, g, false)
	}
	s.Join(s.now, nodes, true)
	s.passes(time.Minute)
	s.HandleQuery(s.now, netip.IPv6Unspecified(), 10*time.Second)
	s.tells(0, "")
	s.tells(10*time.Second, "2:ff02::77 2:ff02::88")
	s.HandleQuery(s.now, music, 10*time.Second)
	s.HandleQuery(s.now, nodes, 10*time.Second)
	s.HandleQuery(s.now, netip.MustParseAddr("ff02::99"), 10*time.Second)
	s.tells(10*time.Second, "2:ff02::88")
	s.tells(time.Hour, "")
}

func TestGroupsAreBounded(t *testing.T) {
	s := newStation(t)
	b := news.As16()
	for i := range MaxGroups {
		b[14], b[15] = byte(i>>8), byte(i)
		if !s.Join(s.now, netip.AddrFrom16(b), false) {
			t.Fatalf("the group %d is refused", i)
		}
	}
	if s.Join(s.now, netip.MustParseAddr("ff02::1:77"), false) {
		t.Error("one group too many is taken")
	}
	longest := 0
	for records, ok := s.PollReport(s.now, nil); ok; records, ok = s.PollReport(s.now, nil) {
		longest = max(longest, len(records))
	}
	if longest != MaxRecords {
		t.Errorf("a report has %d records, want %d", longest, MaxRecords)
	}
}
