package congestion

import (
	"math"
	"slices"
	"testing"
	"time"

	"hubbub/clock"
)

const (
	ms  = clock.Time(time.Millisecond)
	sec = clock.Time(time.Second)
	mss = 1000
)

// A sender drives a Control, a segment at a time, over a path on which nothing
// is lost.
type sender struct {
	t *testing.T
	Control
	w           Window
	now         clock.Time
	sent, acked uint64
	sample      Sample
}

func newSender(t *testing.T, name string, segments int) *sender {
	t.Helper()
	number, ok := Number(name)
	if !ok {
		t.Fatalf("there is no %q", name)
	}
	s := &sender{t: t, Control: New(number), w: Window{Cwnd: segments * mss, Ssthresh: Unlimited, MSS: mss}}
	if m, ok := s.Control.(Model); ok {
		m.Start(&s.w, 0, -1, 1)
	}
	return s
}

// acks acknowledges so many segments at once, which took rtt.
func (s *sender) acks(segments int, rtt time.Duration) {
	s.acked += uint64(segments * mss)
	s.sent = max(s.sent, s.acked+uint64(s.w.Cwnd))
	s.sample = Sample{
		Acked: segments * mss, Delivered: segments * mss, InFlight: s.w.Cwnd, RTT: rtt, Limited: true,
		Sent: s.sent, Acknowledged: s.acked,
	}
	s.Acked(&s.w, s.now, &s.sample)
}

// round lets a round trip pass in which a whole window is sent and
// acknowledged, every second segment.
func (s *sender) round(rtt time.Duration) {
	n := s.w.Cwnd / mss
	s.sent = s.acked + uint64(n*mss)
	for i := 0; i < n; i += 2 {
		s.now += clock.Time(rtt) * 2 / clock.Time(n+1)
		s.acks(min(2, n-i), rtt)
	}
}

func (s *sender) want(what string, segments float64) {
	s.t.Helper()
	if got := float64(s.w.Cwnd) / mss; math.Abs(got-segments) > 0.0015 {
		s.t.Errorf("%s: cwnd is %.3f segments, want %.3f", what, got, segments)
	}
}

func (s *sender) wantThreshold(what string, segments int) {
	s.t.Helper()
	if s.w.Ssthresh != segments*mss {
		s.t.Errorf("%s: ssthresh is %d, want %d", what, s.w.Ssthresh, segments*mss)
	}
}

func TestNames(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"cubic", "reno", "bbr"}) || got[0] != Default {
		t.Errorf("the algorithms are %v", got)
	}
	for _, name := range Names() {
		number, ok := Number(name)
		if !ok || Name(number) != name || New(number).Name() != name {
			t.Errorf("%q is number %d, which is %q", name, number, Name(number))
		}
	}
	if _, ok := Number("vegas"); ok {
		t.Error("there is a vegas")
	}
}

// RFC 5681, 3.1: "During slow start, a TCP increments cwnd [...] for each ACK
// received that cumulatively acknowledges new data."
func TestRenoSlowStart(t *testing.T) {
	s := newSender(t, "reno", 10)
	s.acks(1, 0)
	s.want("one segment", 11)
	s.acks(11, 0)
	s.want("a whole window at once", 22)
	s.w.Ssthresh = 25 * mss
	s.acks(4, 0)
	s.want("up to the threshold, and the rest counts for avoidance", 25)
	s.acks(24, 0)
	s.want("with which it grows by one", 26)
}

// RFC 5681, 3.1: "During congestion avoidance, cwnd is incremented by roughly 1
// full-sized segment per round-trip time (RTT)."
func TestRenoCongestionAvoidance(t *testing.T) {
	s := newSender(t, "reno", 10)
	s.w.Ssthresh = 10 * mss
	for i := range 9 {
		s.acks(1, 0)
		s.want("after "+string(rune('1'+i))+" segments", 10)
	}
	s.acks(1, 0)
	s.want("after a window", 11)
	s.acks(23, 0)
	s.want("after two windows at once", 13)
}

func TestRenoLoss(t *testing.T) {
	s := newSender(t, "reno", 10)
	s.Lost(&s.w, 0, 9*mss, false)
	if s.w.Ssthresh != 4500 {
		t.Errorf("ssthresh is %d, want half of what is in flight", s.w.Ssthresh)
	}
	s.TimedOut(&s.w, 0, 3*mss)
	s.wantThreshold("two segments at least", 2)
	s.want("recovery moves the window", 10)
	s.Undo(&s.w)
	s.Resumed(&s.w, 0, time.Second)
	s.want("the connection restores it", 10)
}

// RFC 9438, 5.8: a window that is not the limit must not grow; and loss
// recovery moves it while it lasts.
func TestAWindowThatIsNotTheLimitDoesNotGrow(t *testing.T) {
	for _, name := range []string{"cubic", "reno"} {
		for _, threshold := range []int{Unlimited, 10 * mss} {
			s := newSender(t, name, 10)
			s.w.Ssthresh = threshold
			s.Acked(&s.w, 0, &Sample{Acked: 10 * mss, RTT: -1})
			s.want(name, 10)
			s.w.Recovering = true
			s.acks(10, 0)
			s.want(name+" in recovery", 10)
		}
	}
}

func TestAnAckAllocatesNothing(t *testing.T) {
	for _, name := range Names() {
		s := newSender(t, name, 10)
		s.w.Ssthresh = 20 * mss
		s.acks(1, 0)
		if n := testing.AllocsPerRun(1000, func() { s.now += ms; s.acks(1, time.Millisecond) }); n != 0 {
			t.Errorf("%s allocates %v times for an ACK", name, n)
		}
	}
}

func BenchmarkAcked(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			number, _ := Number(name)
			c, w := New(number), Window{Cwnd: 100 * mss, Ssthresh: 100 * mss, MSS: mss}
			s := Sample{
				Acked: 2 * mss, Delivered: 2 * mss, RTT: time.Millisecond, Limited: true,
				Rate: Rate{Known: true, Delivered: 100 * mss, Interval: time.Millisecond},
			}
			if m, ok := c.(Model); ok {
				m.Start(&w, 0, time.Millisecond, 1)
			}
			now := clock.Time(0)
			for b.Loop() {
				now += ms
				s.Acknowledged += 2 * mss
				s.Total += 2 * mss
				s.Rate.Prior = s.Total - min(s.Total, 100*mss)
				c.Acked(&w, now, &s)
				w.Cwnd = min(w.Cwnd, 200*mss)
			}
		})
	}
}
