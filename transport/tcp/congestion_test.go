package tcp

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestInitialWindow(t *testing.T) {
	// Ten segments, 14600 octets where they are large, two at least
	// (RFC 6928, 2). "if the SYN or SYN/ACK is lost, the initial window used
	// by a sender after a correctly transmitted SYN MUST be one segment"
	// (RFC 5681, 3.1). (R5681-1, R5681-3)
	for _, c := range []struct {
		mss, want int
		lost      bool
	}{
		{500, 5000, false},
		{1460, 14600, false},
		{3000, 14600, false},
		{9000, 18000, false},
		{1460, 1460, true},
	} {
		e := newEnd(t)
		e.connect(Params{ISS: testISS, MSS: c.mss})
		e.want().segment("S 0", ReasonOpen)
		if c.lost {
			e.after(time.Second)
			e.want().segment("S 0", ReasonOpenRetry)
		}
		e.peer().sends(sprintf("SA 0 ack 1 mss %d", c.mss))
		e.want().segment("A 1 ack 1", ReasonOpenDone)
		if got := e.c.Info().Cwnd; got != c.want {
			t.Errorf("MSS %d, SYN lost %v: %d, want %d", c.mss, c.lost, got, c.want)
		}
	}
}

func TestSlowStartGrowsByWhatIsAcknowledged(t *testing.T) {
	// "During slow start, a TCP increments cwnd by at most SMSS bytes for each
	// ACK received that cumulatively acknowledges new data" (RFC 5681, 3.1);
	// here by all of them, as on Linux. (R5681-2)
	e := flightEnd(t)
	for _, c := range []struct{ acked, cwnd int }{{1000, 11000}, {3000, 13000}, {3500, 13500}, {10000, 20000}} {
		e.peer().sends(sprintf("A 1 ack %d", 1+c.acked))
		e.sent = nil
		if got := e.c.Info().Cwnd; got != c.cwnd {
			t.Errorf("after %d octets cwnd is %d, want %d", c.acked, got, c.cwnd)
		}
	}
}

func TestTimeoutLeavesOneSegment(t *testing.T) {
	// "upon a timeout ... cwnd MUST be set to no more than the loss window, LW,
	// which equals 1 full-sized segment". RFC 5681, 3.1. (R5681-4, R5681-5)
	e := flightEnd(t)
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	info := e.c.Info()
	if info.Cwnd != 1000 || info.Ssthresh != 5000 || info.Phase != PhaseLoss {
		t.Errorf("cwnd %d, ssthresh %d, %v", info.Cwnd, info.Ssthresh, info.Phase)
	}
	e.after(400 * ms) // a second one doesn't lower ssthresh again
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	if got := e.c.Info().Ssthresh; got != 5000 {
		t.Errorf("ssthresh %d", got)
	}
	// "after retransmitting the dropped segment the TCP sender uses the slow
	// start algorithm" (RFC 5681, 3.1).
	e.peer().sends("A 1 ack 3001")
	if got := e.c.Info().Cwnd; got != 4000 {
		t.Errorf("cwnd %d", got)
	}
	e.sent = nil
}

func TestUnusedWindowDoesNotGrow(t *testing.T) {
	e := establishedEnd(t)
	for i := range 50 {
		e.writes(100)
		e.want().segment(sprintf("PA %d:%d ack 1", 1+100*i, 101+100*i), ReasonData)
		e.peer().sends(sprintf("A 1 ack %d", 101+100*i))
	}
	if got := e.c.Info().Cwnd; got != 10000 {
		t.Errorf("cwnd grew to %d without being needed", got)
	}
}

func TestWindowThatIsFilledExactlyGrows(t *testing.T) {
	e := establishedEnd(t)
	e.writes(10_000)
	e.sent = nil
	e.peer().sends("A 1 ack 2001")
	if got := e.c.Info().Cwnd; got != 12_000 {
		t.Errorf("cwnd is %d", got)
	}
	e.peer().sends("A 1 ack 10001")
	e.writes(5000) // far less than the window
	e.sent = nil
	before := e.c.Info().Cwnd
	e.peer().sends("A 1 ack 15001")
	if got := e.c.Info().Cwnd; got != before {
		t.Errorf("cwnd went from %d to %d", before, got)
	}
}

func TestCongestionWindowHasAnEnd(t *testing.T) {
	e := establishedEnd(t)
	e.c.cc.Cwnd = maxWindow - 100
	e.c.growBy(e.now, 2000, &news{rtt: -1}, true)
	if e.c.cc.Cwnd != maxWindow {
		t.Errorf("cwnd is %d", e.c.cc.Cwnd)
	}
}

func TestCongestionControlCanBeChosen(t *testing.T) {
	e := establishedEnd(t)
	if got := e.c.CongestionControl(); got != "reno" {
		t.Errorf("the fixture's is %q", got)
	}
	if err := e.c.SetCongestionControl("vegas"); err != ErrNoAlgorithm {
		t.Errorf("an unknown one: %v", err)
	}
	if err := e.c.SetCongestionControl("cubic"); err != nil {
		t.Error(err)
	}
	e.writes(10_000)
	e.sent = nil
	e.after(200 * ms)
	e.sent = nil
	// RFC 9438, 4.6: beta_cubic is 0.7.
	if info := e.c.Info(); info.Congestion != "cubic" || info.Ssthresh != 7000 {
		t.Errorf("%s has ssthresh %d", info.Congestion, info.Ssthresh)
	}
	p := Params{ISS: testISS, MSS: 1000, CongestionControl: "cubic"}
	if got := newConn(e.env, p).CongestionControl(); got != "cubic" {
		t.Errorf("by its parameters: %q", got)
	}
}

func TestRestartAfterIdle(t *testing.T) {
	// "a TCP SHOULD set cwnd to no more than RW before beginning transmission
	// if the TCP has not sent data in an interval exceeding the retransmission
	// timeout." RFC 5681, 4.1. (R5681-10)
	e := flightEnd(t)
	for i := range 30 {
		e.peer().sends(sprintf("A 1 ack %d", 1001+1000*i))
		e.sent = nil
	}
	grown := e.c.Info().Cwnd
	if grown <= 10000 {
		t.Fatalf("cwnd is %d", grown)
	}
	e.after(100 * ms)
	e.writes(1000)
	e.sent = nil
	if got := e.c.Info().Cwnd; got != grown {
		t.Errorf("after a short pause cwnd is %d, was %d", got, grown)
	}
	e.peer().sends("A 1 ack 31001")
	e.after(time.Second)
	e.env.Watch = true
	e.writes(1000)
	e.sent = nil
	if f := facts(e.env); len(f) == 0 || f[0].Why != "restart after idle" || f[0].Cwnd != 10000 {
		t.Errorf("facts: %+v", f)
	}
	if got := e.c.Info().Cwnd; got != 10000 {
		t.Errorf("after a long pause cwnd is %d", got)
	}
}

// TestThroughput is a table to compare by: octets per second through a cable
// of 100 Mbit/s and 20 ms, with buffers and losses as given, always the same.
func TestThroughput(t *testing.T) {
	const size = 4 << 20
	var table strings.Builder
	for _, buffer := range []int{16 << 10, 256 << 10, 1 << 20} {
		for _, loss := range []float64{0, 0.001, 0.01, 0.05} {
			p := newPair(t, 7, impairments{latency: 10 * ms, rate: 12_500_000, queue: 100, loss: loss})
			p.connect(Params{MSS: 1460, SendBuffer: buffer}, Params{MSS: 1460, RecvBuffer: 2 * buffer})
			p.parties[0].toWrite, p.parties[0].chunk = make([]byte, size), 16<<10
			start := p.now
			for len(p.parties[1].got) < size && p.now < start.Add(time.Hour) {
				p.run(10 * ms)
			}
			took := p.now.Sub(start)
			fmt.Fprintf(&table, "buffer %7d, loss %5.1f%%: %6.2f Mbit/s\n", buffer, loss*100, float64(size)*8/took.Seconds()/1e6)
			if len(p.parties[1].got) != size {
				t.Errorf("buffer %d, loss %v: %d octets in an hour", buffer, loss, len(p.parties[1].got))
			}
		}
	}
	if got := table.String(); got != throughput {
		t.Errorf("the table has changed:\n%swas:\n%s", got, throughput)
	}
}

const throughput = `buffer   16384, loss   0.0%:   6.43 Mbit/s
buffer   16384, loss   0.1%:   6.43 Mbit/s
buffer   16384, loss   1.0%:   4.83 Mbit/s
buffer   16384, loss   5.0%:   2.48 Mbit/s
buffer  262144, loss   0.0%:  74.57 Mbit/s
buffer  262144, loss   0.1%:  62.14 Mbit/s
buffer  262144, loss   1.0%:   8.49 Mbit/s
buffer  262144, loss   5.0%:   2.81 Mbit/s
buffer 1048576, loss   0.0%:  74.57 Mbit/s
buffer 1048576, loss   0.1%:  72.94 Mbit/s
buffer 1048576, loss   1.0%:   9.07 Mbit/s
buffer 1048576, loss   5.0%:   2.81 Mbit/s
`
