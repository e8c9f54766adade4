package tcp

import (
	"testing"
	"time"
)

// tcp(7), TCP_INFO: "tcpi_bytes_acked": RFC 4898's tcpEStatsAppHCThruOctetsAcked. As on
// Linux our SYN counts, if we asked first, and our FIN.
func TestHowMuchWasAcknowledged(t *testing.T) {
	passive := func(t *testing.T, adjust ...func(*Config)) *end {
		e := synReceivedEnd(t, adjust...)
		e.peer().sends("A 1 ack 1")
		return e
	}
	for _, c := range []struct {
		name  string
		build func(*testing.T, ...func(*Config)) *end
		want  uint64
	}{
		{"SYN sent", synSentEnd, 0},
		{"SYN-ACK sent", synReceivedEnd, 0},
		{"connected", establishedEnd, 1},
		{"accepted", passive, 0},
		{"FIN sent", finWait1End, 1},
		{"FIN acknowledged", finWait2End, 2},
	} {
		e := c.build(t)
		if got := e.c.Info().BytesAcked; got != c.want {
			t.Errorf("%s: %d octets", c.name, got)
		}
	}
	e := passive(t)
	e.writes(200)
	e.sent = nil
	e.peer().sends("A 1 ack 151")
	if i := e.c.Info(); i.BytesAcked != 150 || i.BytesOut != 200 || i.DataSegmentsOut != 1 || i.Unacked != 50 {
		t.Errorf("of 200 octets in %d segments %d are acknowledged, and %d aren't", i.DataSegmentsOut, i.BytesAcked, i.Unacked)
	}
}

// tcp(7), TCP_INFO: "tcpi_last_data_sent", "tcpi_min_rtt", "tcpi_backoff",
// "tcpi_bytes_retrans", "tcpi_segs_out": nothing before it is there.
func TestTheCountersOfASender(t *testing.T) {
	e := sackEnd(t, 0, noProbe)
	if i := e.c.Info(); i.LastDataSent != 0 || i.Recovery.MinRTT != 0 {
		t.Errorf("before text was sent: last at %v, least round trip %v", i.LastDataSent, i.Recovery.MinRTT)
	}
	if i := synSentEnd(t).c.Info(); i.Recovery.MinRTT != -1 || i.ReceiveWindow != 0 || i.SegmentsOut != 1 || i.RTO != time.Second {
		t.Errorf("before the SYN-ACK: least round trip %v, window %d, %d segments, time-out %v", i.Recovery.MinRTT, i.ReceiveWindow, i.SegmentsOut, i.RTO)
	}
	e.after(5 * ms)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1", ReasonData)
	if i := e.c.Info(); i.LastDataSent != began.Add(5*ms) || i.DataSegmentsOut != 1 {
		t.Errorf("text was last sent at %v, in %d segments", i.LastDataSent, i.DataSegmentsOut)
	}
	e.after(200 * ms)
	e.want().segment("PA 1:101 ack 1", ReasonTimeout)
	i := e.c.Info()
	if i.Backoff != 1 || i.RTO != 400*ms || i.Retries != 1 || i.Retransmissions != 1 || i.BytesRetransmitted != 100 || i.BytesOut != 100 {
		t.Errorf("after a time-out: doubled %d times, %v; %d, %d retransmissions of %d octets in %d", i.Backoff, i.RTO, i.Retries, i.Retransmissions, i.BytesRetransmitted, i.BytesOut)
	}
	if i.DataSegmentsOut != 2 || i.SegmentsOut != 4 {
		t.Errorf("%d segments, %d with text", i.SegmentsOut, i.DataSegmentsOut)
	}
	e.after(30 * ms)
	e.peer().sends("A 1 ack 101")
	// "RTT samples MUST NOT be made using segments that were retransmitted" (RFC 6298,
	// 3): so the time-out stays doubled.
	if i := e.c.Info(); i.Backoff != 1 || i.Recovery.MinRTT != 0 {
		t.Errorf("after the ACK: doubled %d times, least round trip %v", i.Backoff, i.Recovery.MinRTT)
	}
}

// A least round trip that is longer than nothing.
func TestTheLeastRoundTrip(t *testing.T) {
	e := sackEnd(t, 30*ms)
	if i := e.c.Info(); i.Recovery.MinRTT != 30*ms || i.SRTT != 30*ms {
		t.Errorf("least %v, smoothed %v", i.Recovery.MinRTT, i.SRTT)
	}
}

// "tcpi_probes": of a window that is closed, or of a peer that is silent. Both at once:
// the window's.
func TestUnansweredProbesAreCounted(t *testing.T) {
	e := aliveEnd(t, KeepAlive{On: true, Idle: time.Second, Interval: time.Second, Probes: 5})
	e.sent = nil
	e.after(time.Second)
	e.sent = nil
	if n := e.c.Info().Probes; n != 1 {
		t.Errorf("%d probes of a silent peer", n)
	}
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(1000)
	e.want().nothing()
	if n := e.c.Info().Probes; n != 0 {
		t.Errorf("%d probes of the window, and none was sent", n)
	}
	e.c.rare.keep.unanswered = 3 // of before
	e.after(200 * ms)
	e.want().segment("A 1:2 ack 1", ReasonWindowProbe)
	if i := e.c.Info(); i.Probes != 1 || i.Backoff != 1 {
		t.Errorf("%d probes of the window, doubled %d times", i.Probes, i.Backoff)
	}
}

// A connection that was reset is ready for everything: no call blocks (tcp(7); poll(2)).
func TestWhatIsOverIsReady(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("R 1")
	const all = ReadyRead | ReadyWrite | ReadyPeerClosed | ReadyHungUp | ReadyError
	if got := e.c.Ready(); got != all {
		t.Errorf("ready for %q", got)
	}
	e = establishedEnd(t)
	e.peer().sends("A 1:2 ack 1")
	if got := e.c.Ready(); got != ReadyConnected|ReadyWrite|ReadyRead {
		t.Errorf("with an octet to read it is ready for %q", got)
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 2", ReasonDelayedACK)
}

// tcp(7), SIOCOUTQ: "Returns the amount of unsent data in the socket send queue"; as on
// Linux that is what isn't acknowledged, with the FIN. SIOCOUTQNSD leaves out what was sent.
func TestWhatIsInTheSendQueue(t *testing.T) {
	e := blockedEnd(t)
	expect := func(when string, unconfirmed, unmentioned int) {
		t.Helper()
		if a, b := e.c.Unconfirmed(), e.c.Unmentioned(); a != unconfirmed || b != unmentioned {
			t.Errorf("%s: %d and %d octets, want %d and %d", when, a, b, unconfirmed, unmentioned)
		}
	}
	n := e.c.Unacked()
	expect("the window is closed", n, n)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	expect("a FIN waits", n+1, n+1)
	e.peer().sends("A 1 ack 1001 win 64000")
	e.sent = nil
	expect("all is sent", n+1, 0)
	e.peer().sends("A 1 ack 1501")
	expect("all but the FIN is acknowledged", 1, 0)
	e.peer().sends("A 1 ack 1502")
	expect("all is acknowledged", 0, 0)
	e = blockedEnd(t)
	expect("nothing is closed", n, n)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.peer().sends("R 1")
	expect("it was reset", 0, 1)
}

// FIONREAD counts octets; what was ever received has the FIN.
func TestWhatEverArrived(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1:11 ack 1")
	if n := e.c.Arrived(); n != 10 {
		t.Errorf("%d arrived", n)
	}
	e.reads(4)
	e.peer().sends("FA 11 ack 1")
	if n := e.c.Arrived(); n != 11 || !e.c.OwesACK() && e.c.Readable() != 6 {
		t.Errorf("%d arrived, %d to be read", n, e.c.Readable())
	}
	e.after(ms)
	e.want().segment("A 1 ack 12", ReasonDelayedACK)
}

// Reading may bring about a window update, which is then owed until it is taken out.
func TestAWindowUpdateIsOwed(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 1000 })
	e.peer().sends("A 1:1001 ack 1")
	e.sent = nil
	if e.c.OwesACK() {
		t.Error("an ACK is owed after it was sent")
	}
	e.c.Read(e.now, 1000).Release()
	if !e.c.OwesACK() {
		t.Error("no window update is owed")
	}
	e.drain()
	e.want().segment("A 1 ack 1001 win 1000", ReasonWindowUpdate)
	if e.c.OwesACK() {
		t.Error("it is owed twice")
	}
}
