package tcp

import (
	"testing"
	"time"

	"hubbub/internal/pkt"
)

// linuxs is a config with Linux's buffers.
func linuxs(c *Config) {
	d := DefaultConfig()
	c.WindowScaling, c.AdvWinScale, c.ModerateReceive = true, d.AdvWinScale, d.ModerateReceive
	c.SendBuffer, c.ReceiveBuffer, c.MaxReceiveBuffer, c.MaxReceiveOption = d.SendBuffer, d.ReceiveBuffer, d.MaxReceiveBuffer, d.MaxReceiveOption
}

func TestTheFirstWindowIsInFullSegments(t *testing.T) {
	// tcp_adv_win_scale, 1: half of the buffer is for data; what a SYN
	// advertises of it is a multiple of the MSS, and 65535 at most. The scale
	// suits the largest buffer that may come, unless the program has set one.
	// The values are those of Linux 6.18.
	for _, x := range []struct {
		params Params
		window uint16
		scale  uint8
	}{
		{Params{MSS: 1460}, 64240, 10},
		{Params{MSS: 1460, RecvBuffer: 40000}, 18980, 0},
		{Params{MSS: 1460, RecvBuffer: 2_000_000}, 65535, 4},
		{Params{MSS: 1460, RecvBuffer: 2304}, 1152, 0},
		{Params{MSS: 1460, WindowClamp: 10000}, 8760, 0},
		{Params{MSS: 65483}, 65483, 10},
	} {
		e := newEnd(t, linuxs)
		e.connect(x.params)
		syn := e.sent[0]
		e.sent = nil
		if syn.Window != x.window || syn.Options.WindowScale != x.scale {
			t.Errorf("%+v: window %d, scale %d, want %d, %d", x.params, syn.Window, syn.Options.WindowScale, x.window, x.scale)
		}
	}
	e := newEnd(t, linuxs, func(c *Config) { c.Timestamps = true })
	e.accept(Params{MSS: 1460}, "S 0 win 64000 mss 1460 ws 7")
	reply := e.sent[0]
	e.sent = nil
	if reply.Window != 65160 {
		t.Errorf("the SYN-ACK's window is %d, want 45 segments of 1448 octets", reply.Window)
	}
}

func TestAdvWinScale(t *testing.T) {
	// "Count buffering overhead as bytes/2^tcp_adv_win_scale (if
	// tcp_adv_win_scale > 0) or bytes-bytes/2^(-tcp_adv_win_scale), if it is
	// <= 0."
	for scale, want := range map[int]int{1: 512, 2: 768, 10: 1023, 0: 1024, -1: 512, -2: 256} {
		c := Config{AdvWinScale: scale}
		if got := c.windowOf(1024); got != want {
			t.Errorf("scale %d: a window of %d, want %d", scale, got, want)
		}
		if got := c.windowOf(c.bufferFor(512)); got < 511 || got > 512 {
			t.Errorf("scale %d: a buffer for 512 octets has room for %d", scale, got)
		}
	}
}

// reachBDP moves octets through a path of 1 Gbit/s and 50 ms, whose
// bandwidth-delay product is 6.25 MB, and returns both ends.
func reachBDP(t *testing.T, adjust func(*Config), server Params) (sender, receiver *Conn, took time.Duration) {
	t.Helper()
	p := newPair(t, 1, impairments{latency: 25 * ms, rate: 125_000_000, queue: 10_000}, func(c *Config) {
		c.MaxSendBuffer = 32 << 20
	}, adjust)
	p.connect(Params{MSS: 8960}, server)
	const size = 50 << 20
	p.parties[0].toWrite, p.parties[0].chunk, p.parties[0].dontClose = make([]byte, size), pkt.MaxView, true
	p.parties[1].dontClose = true
	start := p.now
	for p.parties[1].c == nil || p.parties[1].c.Info().BytesIn < size {
		p.run(50 * ms)
		p.parties[1].got = nil
		if p.now.Sub(start) > time.Minute {
			break
		}
	}
	return p.parties[0].c, p.parties[1].c, p.now.Sub(start)
}

func TestBuffersGrowToTheBandwidthDelayProduct(t *testing.T) {
	// tcp_moderate_rcvbuf: "TCP performs receive buffer auto-tuning,
	// attempting to automatically size the buffer (no greater than
	// tcp_rmem[2]) to match the size required by the path for full
	// throughput." tcp_wmem likewise.
	const bdp = 6_250_000
	sender, receiver, took := reachBDP(t, func(*Config) {}, Params{MSS: 8960})
	if window := int(receiver.rcv.limit); window < bdp || receiver.ReceiveBuffer() > receiver.env.MaxReceiveBuffer {
		t.Errorf("the window is %d octets in a buffer of %d, want %d at least", window, receiver.ReceiveBuffer(), bdp)
	}
	if buffer := sender.SendBuffer(); buffer < bdp || buffer > sender.env.MaxSendBuffer {
		t.Errorf("the send buffer has %d octets, want %d at least", buffer, bdp)
	}
	t.Logf("50 MiB took %v; window %d, send buffer %d", took, receiver.rcv.limit, sender.SendBuffer())
	if took > 2*time.Second {
		t.Errorf("50 MiB took %v", took)
	}
}

func TestABufferThatIsSetIsNotTuned(t *testing.T) {
	_, receiver, took := reachBDP(t, func(*Config) {}, Params{MSS: 8960, RecvBuffer: 4 << 20})
	if receiver.ReceiveBuffer() != 4<<20 || receiver.rcv.limit > 2<<20 {
		t.Errorf("a buffer of 4 MiB that the program set became %d, with a window of %d", receiver.ReceiveBuffer(), receiver.rcv.limit)
	}
	if took < 1200*ms { // 2 MiB each 50 ms
		t.Errorf("50 MiB took %v", took)
	}
}

func TestAReaderWhoIsSlowGetsNoLargerBuffer(t *testing.T) {
	p := newPair(t, 1, impairments{latency: 5 * ms})
	p.connect(Params{MSS: 1460}, Params{MSS: 1460})
	p.parties[0].toWrite, p.parties[1].pause = make([]byte, 2<<20), time.Second
	p.run(30 * time.Second)
	before := p.parties[1].c.ReceiveBuffer()
	if before > 1<<20 {
		t.Errorf("a program that reads once a second has a buffer of %d octets", before)
	}
}

func TestTheSendBufferGrowsWithTheCongestionWindow(t *testing.T) {
	// tcp_wmem: the default is what a socket begins with; on Linux the
	// buffer of an open connection then holds twice the initial window: 87040
	// at an MSS of 1460, and of 2626560 at lo's.
	for mss, want := range map[int]int{1460: 87040, 65483: 2626560} {
		e := newEnd(t, linuxs)
		e.connect(Params{ISS: testISS, MSS: mss})
		e.sent = nil
		if n := e.c.SendBuffer(); n != 16384 {
			t.Errorf("before the handshake: %d, want 16384", n)
		}
		e.peer().sends("SA 0 ack 1 mss " + map[int]string{1460: "1460", 65483: "65483"}[mss])
		e.sent = nil
		if n := e.c.SendBuffer(); n != want {
			t.Errorf("MSS %d: %d, want %d", mss, n, want)
		}
	}
}

func TestNotSentLowat(t *testing.T) {
	// tcp_notsent_lowat: "A TCP socket can control the amount of unsent bytes
	// in its write queue": it isn't writable while there are as many, and
	// becomes so when there is less than half. As on Linux a piece that was begun is
	// filled: here half of the largest window, in whole segments.
	e := establishedEnd(t, func(c *Config) { c.NotSentLowat = 4000 })
	piece := 32000 // of 65535
	if n := e.c.WriteSpace(); n != piece {
		t.Errorf("there is room for %d octets, want %d", n, piece)
	}
	e.writes(10_000)
	for n := 1; n <= 10_000; n += 1000 {
		e.sent = nil
	}
	e.does(func(c *Conn) { c.SetNotSentLowat(2000) })
	e.writes(3000)
	if e.c.Unsent() != 3000 || e.c.WriteSpace() != piece-3000 || e.c.Ready()&ReadyWrite != 0 {
		t.Errorf("%d octets are not sent, room for %d, %v", e.c.Unsent(), e.c.WriteSpace(), e.c.Ready())
	}
	e.peer().sends("A 1 ack 2001") // two more are sent, and two for slow start
	e.sent = nil
	if e.c.Unsent() != 0 || e.c.WriteSpace() != piece || e.c.Ready()&ReadyWrite == 0 {
		t.Errorf("%d octets are not sent, room for %d, %v", e.c.Unsent(), e.c.WriteSpace(), e.c.Ready())
	}
	e.does(func(c *Conn) { c.SetNotSentLowat(1) })
	e.writes(1000 + piece) // of which the window takes a segment
	e.sent = nil
	if e.c.Unsent() != piece || e.c.WriteSpace() != 0 {
		t.Errorf("%d octets are not sent, room for %d, want %d and none", e.c.Unsent(), e.c.WriteSpace(), piece)
	}
}

func TestWindowClamp(t *testing.T) {
	// TCP_WINDOW_CLAMP: "Bound the size of the advertised window to this
	// value."
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetWindowClamp(e.now, 5000) })
	e.peer().sends("A 1:60001 ack 1")
	e.sent = nil
	e.reads(60000)
	e.want().nothing() // more than that was promised before, and stands
	e.peer().sends("A 60001:65536 ack 1")
	e.want().segment("A 1 ack 65536 win 0", ReasonSecondSegment)
	e.reads(5535)
	e.want().segment("A 1 ack 65536 win 5000", ReasonWindowUpdate)
}
