package tcp

import (
	"testing"
	"time"
)

// tunedEnd is connected over a path of 100 ms, with a receive buffer that grows
// and of which half is for data.
func tunedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := synSentEnd(t, append([]func(*Config){func(c *Config) {
		c.AdvWinScale, c.ModerateReceive, c.WindowScaling = 1, true, true
		c.ReceiveBuffer, c.MaxReceiveBuffer = 60_000, 1<<20
	}}, adjust...)...)
	e.after(100 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	return e
}

// passes lets n octets come from the peer, and the program read them.
func (e *end) passes(n int) {
	e.t.Helper()
	at := int(e.c.rcv.nxt - testIRS)
	for end := at + n; at < end; at += min(1000, end-at) {
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+min(1000, end-at)))
	}
	e.reads(n)
	e.sent = nil
}

func TestTheReceiveBufferHoldsTwiceWhatIsReadInARoundTrip(t *testing.T) {
	// tcp_moderate_rcvbuf: "TCP performs receive buffer auto-tuning, attempting
	// to automatically size the buffer ... to match the size required by the path
	// for full throughput." As on Linux: a window of twice what was read in a round
	// trip and sixteen segments, and of twice the growth. At first ten
	// segments count as read.
	for _, x := range []struct{ first, second, buffer int }{
		{10_000, 0, 60_000}, // as much as before
		{10_001, 0, 72_016}, // 36,002, and twice 36,002/10,000
		{12_000, 0, 112_000},
		{12_000, 12_000, 112_000},
		{12_000, 15_000, 138_000}, // 46,000, and twice a quarter of that
		{15_000, 20_000, 186_664}, // 56,000, and twice a third of that
	} {
		e := tunedEnd(t)
		e.passes(x.first - 1)
		e.after(100*ms - 1)
		e.passes(1)
		if n := e.c.ReceiveBuffer(); n != 60_000 {
			t.Errorf("within the first round trip it has %d octets", n)
		}
		e.after(1)
		e.c.Read(e.now, 0).Release()
		e.sent = nil
		if x.second > 0 {
			e.passes(x.second)
			e.after(100 * ms)
			e.c.Read(e.now, 0).Release()
			e.sent = nil
		}
		if n, window := e.c.ReceiveBuffer(), int(e.c.rcv.limit); n != x.buffer || n > 60_000 && window != n/2 {
			t.Errorf("after %d, %d octets: %d, a window of %d, want %d", x.first, x.second, n, window, x.buffer)
		}
	}
}

func TestTheReceiveBufferGrowsToItsLimit(t *testing.T) {
	// tcp_rmem: "max: maximal size of receive buffer allowed for automatically
	// selected receive buffers for TCP socket." Not at all if the program has set it
	// ("this disables automatic tuning"), tcp_moderate_rcvbuf is 0, or memory
	// is short.
	for name, x := range map[string]struct {
		adjust func(*Config)
		buffer int
	}{
		"limit":     {func(c *Config) { c.MaxReceiveBuffer = 80_000 }, 80_000},
		"moderate":  {func(c *Config) { c.ModerateReceive = false }, 60_000},
		"pressure":  {func(c *Config) { c.MemoryPages = [3]int{0, 0, 1000} }, 60_000},
		"otherwise": {func(*Config) {}, 112_000},
	} {
		e := tunedEnd(t, x.adjust)
		if name == "pressure" {
			e.env.memory.pressure = true // by other connections
		}
		e.passes(12_000)
		e.after(100 * ms)
		e.c.Read(e.now, 0).Release()
		e.sent = nil
		if n := e.c.ReceiveBuffer(); n != x.buffer {
			t.Errorf("%s: %d octets, want %d", name, n, x.buffer)
		}
	}
}

func TestTheSendBufferIsTunedToTheCongestionWindow(t *testing.T) {
	// tcp_wmem: "max: Maximal amount of memory allowed for automatically tuned
	// send buffers". As on Linux: twice the congestion window, in segments of 2304
	// octets here (1000 and 640 in 2048, and 256), once three windows are more
	// than it has.
	e := establishedEnd(t, func(c *Config) { c.SendBuffer, c.MaxSendBuffer = 16_384, 80_000 })
	for _, x := range []struct{ segments, buffer int }{
		{10, 46_080}, {15, 46_080}, {16, 73_728}, {20, 73_728}, {24, 73_728}, {25, 80_000}, {30, 80_000}, {10, 80_000},
	} {
		e.c.cc.Cwnd = 1000 * x.segments
		e.c.tuneSendBuffer()
		if n := e.c.SendBuffer(); n != x.buffer {
			t.Errorf("with a window of %d segments it has %d octets, want %d", x.segments, n, x.buffer)
		}
	}
}

func TestTheSendBufferGrowsWhileThereIsMemory(t *testing.T) {
	// tcp_mem: "pressure: when amount of memory allocated by TCP exceeds this
	// number of pages, TCP moderates its memory consumption and enters memory
	// pressure mode"; and as on Linux it doesn't grow once the first limit is reached,
	// nor if the program has set it.
	for name, x := range map[string]struct {
		adjust func(*end)
		buffer int
	}{
		"set":      {func(e *end) { e.c.wish().send = true }, 46_080},
		"pressure": {func(e *end) { e.env.memory.pressure = true }, 46_080},
		"limit":    {func(e *end) { e.env.memory.used = e.env.calm() }, 46_080},
		"below":    {func(e *end) { e.env.memory.used = e.env.calm() - 1 }, 73_728},
	} {
		e := establishedEnd(t, func(c *Config) { c.SendBuffer = 16_384 })
		x.adjust(e)
		e.c.cc.Cwnd = 16_000
		e.c.tuneSendBuffer()
		if n := e.c.SendBuffer(); n != x.buffer {
			t.Errorf("%s: %d octets, want %d", name, n, x.buffer)
		}
	}
}

func TestTheRoundTripAsTheReceiverSeesIt(t *testing.T) {
	// As on Linux, the receiver measures by the timestamps that full segments echo,
	// each once, and smooths by an eighth; without, it takes what the sender in it
	// has measured.
	e := synSentEnd(t, modern)
	e.after(100 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if got := e.c.peerRTT(); got != 100*ms {
		t.Errorf("without data it is %v", got)
	}
	sent := e.c.ts.now(e.now)
	e.after(40 * ms)
	for _, x := range []struct {
		segment string
		after   time.Duration
		echo    uint32
		want    time.Duration
	}{
		{"A 1:989 ack 1 ts 1001 %d", 0, sent, 40 * ms},
		{"A 989:1977 ack 1 ts 1001 %d", 0, sent, 40 * ms},           // the same echo
		{"A 1977:2000 ack 1 ts 1001 %d", 8 * ms, sent + 1, 40 * ms}, // no full segment
		{"A 2000:2988 ack 1 ts 1001 %d", 8 * ms, sent + 8, 41 * ms}, // 48 ms
		{"A 2988:3976 ack 1 ts 1001 %d", 0, sent + 72, 41 * ms},     // from the future
		{"A 3976:4964 ack 1 ts 1001 %d", 0, 0, 41 * ms},             // no time
	} {
		e.after(x.after)
		e.peer().sends(sprintf(x.segment, x.echo))
		if got := e.c.peerRTT(); got != x.want {
			t.Errorf(x.segment+": %v, want %v", x.echo, got, x.want)
		}
		e.sent = nil
	}
}
