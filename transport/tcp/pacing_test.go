package tcp

import (
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/transport/tcp/congestion"
)

// A transfer of n octets from one end to the other; it returns the rate at
// which they arrived, in octets per second, and the sender.
func transfer(t *testing.T, net impairments, n int, adjust ...func(*Config)) (rate float64, sender *Conn) {
	t.Helper()
	adjust = append(adjust, func(c *Config) { c.SendBuffer, c.ReceiveBuffer = 4<<20, 4<<20 })
	p := newPair(t, 1, net, adjust...)
	p.connect(Params{ISS: 1, MSS: 1460}, Params{ISS: 2, MSS: 1460})
	a := p.parties[0]
	a.toWrite, a.chunk, a.dontClose = make([]byte, n), 1<<20, true
	began := p.now
	for end := began.Add(10 * time.Minute); len(p.parties[1].got) < n; {
		p.programs()
		p.drain()
		next := p.next()
		if next == clock.Never || next > end {
			t.Fatalf("at %v %d octets have arrived", p.now, len(p.parties[1].got))
		}
		p.now = max(p.now, next)
		p.happen()
	}
	return float64(n) / max(p.now.Sub(began), 1).Seconds(), a.c
}

func bbr(c *Config) { c.CongestionControl = "bbr" }

func TestEveryAlgorithmFillsThePath(t *testing.T) {
	// 10 Mbit/s and 50 ms, where 43 segments fit in flight, with buffers of
	// half, one and ten times that.
	for _, name := range congestion.Names() {
		for _, queue := range []int{21, 43, 430} {
			net := impairments{latency: 25 * ms, rate: 1_250_000, queue: queue}
			rate, c := transfer(t, net, 12_500_000, func(c *Config) { c.CongestionControl = name })
			if rate < 0.8*1_250_000 || rate > 1_250_000 {
				t.Errorf("%s, a queue of %d: %.0f octets per second", name, queue, rate)
			}
			if got := c.Info().DeliveryRate; got < 1_000_000 || got > 1_300_000 {
				t.Errorf("%s, a queue of %d: the delivery rate is %d", name, queue, got)
			}
		}
	}
}

func TestBBRBearsRandomLoss(t *testing.T) {
	// "BBR ... does not treat packet loss as ... congestion" as such: 1 % of all
	// segments lost at random leaves most of the path's rate, at any round trip.
	for latency, share := range map[time.Duration]float64{0: 0.8, 10 * time.Microsecond: 0.8, 25 * ms: 0.8, 300 * ms: 0.5} {
		net := impairments{latency: latency, rate: 1_250_000, queue: 1000, loss: 0.01}
		rate, _ := transfer(t, net, 12_500_000, bbr)
		if least := share * 1_250_000; rate < least {
			t.Errorf("latency %v: %.0f octets per second, want %.0f", latency, rate, least)
		}
	}
}

func TestBBROnANetworkInMemory(t *testing.T) {
	// A way that takes no time must not need time: no timer of a nanosecond.
	net := impairments{}
	if rate, c := transfer(t, net, 20_000_000, bbr); rate < 100_000_000 {
		t.Errorf("%.0f octets per second, cwnd %d, paced at %d", rate, c.cc.Cwnd, c.PacingRate())
	}
}

func TestABBRConnectionThatSentNothingHasNoModel(t *testing.T) {
	e := establishedEnd(t, bbr)
	if e.c.control != nil || e.c.rare.pace != nil || e.c.cc.Modelled {
		t.Error("it has")
	}
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	if e.c.control == nil || !e.c.cc.Modelled {
		t.Error("it has none when it sends")
	}
	if i, ok := e.c.PathInfo(); !ok || i.PacingGain != 2.77 || i.CwndGain != 2 {
		t.Errorf("it believes %+v", i)
	}
	if err := e.c.SetCongestionControl("cubic"); err != nil || e.c.cc.Modelled || e.c.PacingRate() != 0 {
		t.Error("another algorithm is paced")
	}
	e.peer().sends("A 1 ack 101")
}

func TestPacingSendsBurstsInTime(t *testing.T) {
	// 100,000 octets per second: two segments of 1000 octets at least, then
	// 20 ms until the next two; "C.next_send_time = C.next_send_time +
	// pacing_delay".
	e := establishedEnd(t)
	e.c.SetMaxPacingRate(100_000)
	e.writes(5000)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("A 1001:2001 ack 1", ReasonData)
	e.want().nothing()
	e.after(19 * ms)
	e.want().nothing()
	e.after(1 * ms)
	e.want().segment("A 2001:3001 ack 1", ReasonData)
	e.want().segment("A 3001:4001 ack 1", ReasonData)
	e.want().nothing()
	e.after(20 * ms)
	e.want().segment("PA 4001:5001 ack 1", ReasonData)
	e.peer().sends("A 1 ack 5001")
	if got := e.c.Info().PacingRate; got != 100_000 {
		t.Errorf("the rate is %d", got)
	}
	e.c.SetMaxPacingRate(0)
	e.writes(5000)
	if len(e.sent) != 5 {
		t.Errorf("without a limit %d segments leave", len(e.sent))
	}
	e.sent = nil
}

func TestPacingRates(t *testing.T) {
	// From a kilobit to a hundred gigabits and more per second; bursts take 4 us
	// at least.
	for _, c := range []struct {
		rate          uint64
		burst, octets int
		takes         time.Duration
	}{
		{125, 2000, 1000, 8 * time.Second},
		{125_000, 2000, 1000, 8 * ms},
		{12_500_000_000, 65536, 65536, 5242 * time.Nanosecond},
		{1 << 60, 1 << 30, 1000, 0},
		{1, 2000, 1 << 20, time.Hour},
	} {
		e := establishedEnd(t)
		if got := e.c.quantum(c.rate); got != c.burst {
			t.Errorf("at %d octets per second bursts have %d octets, want %d", c.rate, got, c.burst)
		}
		if got := timeOf(c.octets, c.rate); got != c.takes {
			t.Errorf("at %d octets per second %d take %v, want %v", c.rate, c.octets, got, c.takes)
		}
	}
}

func TestALateTimerDoesNotLowerTheRate(t *testing.T) {
	e := establishedEnd(t)
	e.c.SetMaxPacingRate(100_000)
	e.writes(9000)
	e.sent = nil
	e.now = e.now.Add(25 * ms) // 5 ms late
	e.c.HandleTimer(e.now)
	e.drain()
	e.sent = nil
	if wait := e.c.rare.pace.next.Sub(e.now); wait != 15*ms {
		t.Errorf("the next burst is %v away", wait)
	}
}

func TestTheDeliveryRate(t *testing.T) {
	// draft-ietf-ccwg-bbr, 4.1: ten segments that were sent at once arrive 10 ms
	// apart from 100 ms on. The first flight begins when the program writes: it
	// is application-limited, the second isn't.
	e := establishedEnd(t)
	e.writes(30_000)
	e.sent = nil
	e.now = e.now.Add(100 * ms)
	for i := range 10 {
		e.peer().sends(sprintf("A 1 ack %d", 1001+1000*i))
		e.now = e.now.Add(10 * ms)
	}
	e.sent = nil
	// The last one: 10,000 octets in 190 ms.
	if got := e.c.Info().DeliveryRate; got != 52_631 {
		t.Errorf("after the first flight it is %d", got)
	}
	for i := range 10 {
		e.peer().sends(sprintf("A 1 ack %d", 11_001+1000*i))
		e.now = e.now.Add(10 * ms)
	}
	e.sent = nil
	// Sent 100 ms after, when one had arrived; 10,000 to 11,000 in 100 ms.
	if got := e.c.Info().DeliveryRate; got < 90_000 || got > 110_000 {
		t.Errorf("after the second it is %d", got)
	}
}

// pacedTimeout has a segment of 1000 octets in flight whose retransmission
// time-out comes before its retransmission may leave.
func pacedTimeout(t *testing.T) *end {
	e := establishedEnd(t)
	e.c.SetMaxPacingRate(500) // a segment takes two seconds
	e.writes(2000)
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("PA 1001:2001 ack 1", ReasonData)
	for e.c.Info().Retries == 0 {
		e.pass(e.c.NextTimer())
	}
	e.want().nothing()
	return e
}

// "(5.6) Start the retransmission timer, such that it expires after RTO seconds"
// (R6298-7; RFC 6298, 5), even where pacing holds the retransmission back: if the
// peer shuts its window meanwhile, that timer is all that is left, and has the
// window probed.
func TestATimeoutWhoseRetransmissionIsPaced(t *testing.T) {
	e := pacedTimeout(t)
	if !e.c.timers.running(TimerRetransmit) {
		t.Error("the retransmission timer doesn't run")
	}
	e.peer().sends("A 1 ack 1 win 0")
	e.want().nothing()
	for range 20 {
		if at := e.c.NextTimer(); len(e.sent) == 0 && at != clock.Never {
			e.pass(at)
		}
	}
	if len(e.sent) == 0 {
		t.Fatal("nothing is sent any more")
	}
	e.want().segment("A 1:2 ack 1", ReasonWindowProbe)
}

// A higher limit counts at once for what waits.
func TestAHigherPacingRateCountsAtOnce(t *testing.T) {
	for _, rate := range []uint64{0, 1 << 20} {
		e := pacedTimeout(t)
		e.c.SetMaxPacingRate(rate)
		e.drain()
		e.want().segment("A 1:1001 ack 1", ReasonTimeout)
		e.peer().sends("A 1 ack 2001")
		e.sent = nil
	}
}
