package tcp

import (
	"math"
	"testing"
	"time"
)

func TestWhatIsCounted(t *testing.T) {
	e := synSentEnd(t)
	counts := func(segmentsOut, segmentsIn, bytesOut, bytesIn, retransmissions uint64) {
		t.Helper()
		i := e.c.Info()
		if i.SegmentsOut != segmentsOut || i.SegmentsIn != segmentsIn || i.BytesOut != bytesOut || i.BytesIn != bytesIn || i.Retransmissions != retransmissions {
			t.Errorf("segments %d out, %d in, octets %d out, %d in, %d retransmissions; want %d, %d, %d, %d, %d",
				i.SegmentsOut, i.SegmentsIn, i.BytesOut, i.BytesIn, i.Retransmissions, segmentsOut, segmentsIn, bytesOut, bytesIn, retransmissions)
		}
	}
	counts(1, 0, 0, 0, 0)
	e.after(time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	counts(2, 0, 0, 0, 1)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	counts(3, 1, 0, 0, 1)
	e.peer().sends("A 1:101 ack 1")
	counts(3, 2, 0, 100, 1)
	e.writes(50)
	e.want().segment("PA 1:51 ack 101", ReasonData)
	counts(4, 2, 50, 100, 1)
	e.after(3 * time.Second)
	e.want().segment("PA 1:51 ack 101", ReasonTimeout)
	counts(5, 2, 50, 100, 2)
	e.peer().sends("A 101 ack 51", "A 1:101 ack 51") // the second is old
	e.want().segment("A 51 ack 101", ReasonUnacceptable)
	counts(6, 4, 50, 100, 2)
	if i := e.c.Info(); i.ReceiveWindow != 65435 || i.SendWindow != 64000 || i.Unread != 100 {
		t.Errorf("windows %d and %d, unread %d", i.ReceiveWindow, i.SendWindow, i.Unread)
	}
}

func TestAPassiveOpenIsCounted(t *testing.T) {
	e := synReceivedEnd(t)
	if i := e.c.Info(); i.SegmentsIn != 1 || i.SegmentsOut != 1 {
		t.Errorf("%d segments in, %d out", i.SegmentsIn, i.SegmentsOut)
	}
}

func TestReadinessOfTheLastThings(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("UA 1:11 ack 1 urg 5")
	if got, want := e.c.Ready(), ReadyConnected|ReadyWrite|ReadyRead|ReadyUrgent; got != want {
		t.Errorf("with urgent data: %v, want %v", got, want)
	}
	e.peer().sends("R 11")
	if got, want := e.c.Ready(), ReadyConnected|ReadyWrite|ReadyRead|ReadyUrgent|ReadyPeerClosed|ReadyHungUp|ReadyError; got&^ReadyConnected != want&^ReadyConnected {
		t.Errorf("after a reset: %v, want %v", got, want)
	}
}

func TestAThirdOfTheBufferFreeIsWorthWaking(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.SendBuffer, c.MaxSendBuffer = 3000, 3000 })
	e.writes(2000)
	e.sent = nil
	if !e.c.roomToWrite() {
		t.Error("a third is free, and there is no room")
	}
	e.writes(1)
	e.sent = nil
	if e.c.roomToWrite() {
		t.Error("less than a third is free, and there is room")
	}
}

func TestDefaultsAreTheRFCsOrLinuxs(t *testing.T) {
	// Where the RFCs leave room: net.ipv4.tcp_synack_retries, tcp_retries1,
	// tcp_retries2, tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes,
	// tcp_fin_timeout, tcp_invalid_ratelimit, tcp_challenge_ack_limit.
	c := DefaultConfig()
	for _, x := range []struct {
		name      string
		got, want int64
	}{
		{"SYN-ACKs again", int64(c.SynAckRetries), 5},
		{"R1 (SHLD-10)", int64(c.Retries1), 3},
		{"R2 (SHLD-11)", int64(c.Retries2), 15},
		{"keep-alive: idle (MUST-28)", int64(c.KeepAliveIdle), int64(2 * time.Hour)},
		{"keep-alive: interval", int64(c.KeepAliveInterval), int64(75 * time.Second)},
		{"keep-alive: probes", int64(c.KeepAliveProbes), 9},
		{"FIN-WAIT-2", int64(c.FinWait2Timeout), int64(time.Minute)},
		{"TIME-WAIT", int64(2 * c.MSL), int64(time.Minute)},
		{"initial window (RFC 6928, 2)", int64(c.InitialWindow), 10},
		{"initial time-out (RFC 6298, 2)", int64(c.InitialRTO), int64(time.Second)},
		{"least time-out", int64(c.MinRTO), int64(200 * time.Millisecond)},
		{"greatest time-out", int64(c.MaxRTO), int64(2 * time.Minute)},
		{"answers to invalid segments", int64(c.InvalidACKInterval), int64(500 * time.Millisecond)},
		{"challenge ACKs a second", int64(c.ChallengeACKs), math.MaxInt32},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.got, x.want)
		}
	}
	if c.DelayedACK >= 500*time.Millisecond {
		t.Error("MUST-40: a delayed ACK waits for less than half a second")
	}
}
