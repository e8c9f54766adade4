package tcp

import (
	"bytes"
	"testing"
	"time"
)

// flightEnd has ten segments of 1000 octets in flight, the initial window,
// and more to send.
func flightEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := establishedEnd(t, adjust...)
	e.writes(30000)
	for i := range 9 {
		e.want().segment(sprintf("A %d:%d ack 1", 1+1000*i, 1001+1000*i), ReasonData)
	}
	e.want().segment("PA 9001:10001 ack 1", ReasonData)
	e.want().nothing()
	return e
}

func TestFastRetransmit(t *testing.T) {
	// "The TCP sender SHOULD use the "fast retransmit" algorithm to detect and
	// repair loss, based on incoming duplicate ACKs." RFC 5681, 3.2. (R5681-8, R5681-9)
	e := flightEnd(t)
	// "On the first and second duplicate ACKs received at a sender, a TCP
	// SHOULD send a segment of previously unsent data per [RFC3042]".
	e.peer().sends("A 1 ack 1")
	e.want().segment("A 10001:11001 ack 1", ReasonLimitedTransmit)
	e.peer().sends("A 1 ack 1")
	e.want().segment("A 11001:12001 ack 1", ReasonLimitedTransmit)
	e.peer().sends("A 1 ack 1")
	if got := e.want().segment("A 1:1001 ack 1", ReasonFastRetransmit); !got.Retransmission {
		t.Error("not marked as a retransmission")
	}
	e.want().nothing()
	// ssthresh is half of what was in flight without limited transmit. Three
	// segments have arrived, one is lost, and one goes out again.
	if info := e.c.Info(); info.Ssthresh != 5000 || info.Cwnd != 9000 || info.Phase != PhaseRecovery {
		t.Errorf("ssthresh %d, cwnd %d, %v", info.Ssthresh, info.Cwnd, info.Phase)
	}
	// Proportional rate reduction lets out one segment for two that arrive, as
	// the window is to be halved (RFC 9937, 6.2). The retransmission is the
	// answer to the first two.
	e.peer().sends("A 1 ack 1", "A 1 ack 1")
	e.want().nothing()
	e.peer().sends("A 1 ack 1")
	e.want().segment("A 12001:13001 ack 1", ReasonData)
	// What is on its way comes down to the threshold, and stays there.
	e.peer().sends("A 1 ack 1", "A 1 ack 1")
	e.want().nothing()
	e.peer().sends("A 1 ack 1")
	e.want().segment("A 13001:14001 ack 1", ReasonData)
	// "cwnd = ssthresh" at the end (RFC 9937, 6.2): 2000 are in flight.
	e.peer().sends("A 1 ack 12001")
	if info := e.c.Info(); info.Cwnd != 5000 || info.Phase != PhaseOpen {
		t.Errorf("cwnd %d, %v", info.Cwnd, info.Phase)
	}
	for i := range 2 {
		e.want().segment(sprintf("A %d:%d ack 1", 14001+1000*i, 15001+1000*i), ReasonData)
	}
	e.want().segment("PA 16001:17001 ack 1", ReasonData)
}

func TestPartialACKRetransmitsTheNextHole(t *testing.T) {
	// "If this ACK does *not* acknowledge all of the data up to and including
	// recover, then this is a partial ACK. In this case, retransmit the first
	// unacknowledged segment." RFC 6582, 3.2.
	e := flightEnd(t)
	e.peer().sends("A 1 ack 1", "A 1 ack 1", "A 1 ack 1")
	e.want().segment("A 1:1001 ack 1", ReasonFastRetransmit)
	e.want().nothing()
	due := e.c.NextTimer()
	e.after(50 * ms)
	e.peer().sends("A 1 ack 4001")
	e.want().segment("A 4001:5001 ack 1", ReasonPartialACK)
	e.want().nothing() // the deflated window has room for no more
	if e.c.NextTimer() <= due {
		t.Error("the first partial ACK doesn't restart the timer")
	}
	due = e.c.NextTimer()
	e.after(50 * ms)
	e.peer().sends("A 1 ack 6001")
	e.want().segment("A 6001:7001 ack 1", ReasonPartialACK)
	if e.c.NextTimer() != due {
		t.Error("the second partial ACK restarts the timer")
	}
	e.sent = nil
	e.peer().sends("A 1 ack 10001")
	if info := e.c.Info(); info.Phase != PhaseOpen {
		t.Errorf("phase %v", info.Phase)
	}
	e.sent = nil
}

func TestDuplicatesAfterATimeoutDoNotStartRecovery(t *testing.T) {
	// "If not, the TCP does not enter fast retransmit and does not reset
	// ssthresh." RFC 6582, 3.2.
	e := flightEnd(t)
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 1001")
	e.sent = nil
	ssthresh := e.c.Info().Ssthresh
	e.peer().sends("A 1 ack 1001", "A 1 ack 1001", "A 1 ack 1001", "A 1 ack 1001")
	for _, s := range e.sent {
		if s.Reason == ReasonFastRetransmit {
			t.Error("fast retransmit in slow start after a time-out")
		}
	}
	e.sent = nil
	if got := e.c.Info().Ssthresh; got != ssthresh {
		t.Errorf("ssthresh went from %d to %d", ssthresh, got)
	}
}

func TestWhatIsNotADuplicateACK(t *testing.T) {
	// RFC 5681, 2: nothing outstanding, data, or another window.
	e := flightEnd(t)
	e.peer().sends("A 1:2 ack 1", "A 2:3 ack 1", "A 3:4 ack 1", "A 4:5 ack 1")
	e.peer().sends("A 5 ack 1 win 64001", "A 5 ack 1 win 64002", "A 5 ack 1 win 64003")
	if info := e.c.Info(); info.Phase != PhaseOpen || info.Retransmissions != 0 {
		t.Errorf("phase %v", info.Phase)
	}
	e.after(40 * ms)
	e.want().segment("A 10001 ack 5", ReasonDelayedACK)

	e = establishedEnd(t)
	e.peer().sends("A 1 ack 1", "A 1 ack 1", "A 1 ack 1", "A 1 ack 1")
	e.want().nothing()
}

func TestForgedDuplicatesDoNotInflateTheWindow(t *testing.T) {
	// "TCPs now MAY limit the number of duplicate ACKs that artificially
	// inflate cwnd during loss recovery to the number of segments outstanding
	// to avoid the duplicate ACK spoofing attack". RFC 5681, 7.
	e := flightEnd(t)
	for range 1000 {
		e.peer().sends("A 1 ack 1")
	}
	e.sent = nil
	if info := e.c.Info(); info.Cwnd > info.Ssthresh+info.InFlight {
		t.Errorf("cwnd %d with %d in flight", info.Cwnd, info.InFlight)
	}
}

func TestLossOfTheVeryFirstSegmentIsRecovered(t *testing.T) {
	e := establishedEnd(t)
	e.writes(5000)
	e.sent = nil
	e.peer().sends("A 1 ack 1", "A 1 ack 1", "A 1 ack 1")
	e.want().segment("A 1:1001 ack 1", ReasonFastRetransmit)
}

func TestLossesCostNoTimeout(t *testing.T) {
	// One loss in a large window is repaired within about a round trip.
	n := 0
	p := newPair(t, 1, impairments{latency: 20 * ms, lose: func(from int, s *Segment) bool {
		if from == 0 && s.Payload.Len() > 0 {
			n++
		}
		return n == 40 && from == 0
	}})
	p.connect(Params{MSS: 1460}, Params{MSS: 1460})
	want := p.randomBytes(400_000)
	p.parties[0].toWrite = want
	start := p.now
	for p.run(ms); len(p.parties[1].got) < len(want) && p.now < start.Add(time.Minute); p.run(ms) {
	}
	if !bytes.Equal(p.parties[1].got, want) || p.now.Sub(start) > 600*ms {
		t.Errorf("%d octets in %v", len(p.parties[1].got), p.now.Sub(start))
	}
}
