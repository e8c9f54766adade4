package tcp

import (
	"math"
	"testing"
	"time"
)

// socket(7), SO_SNDBUF: what a program sets isn't tuned, be it an octet.
func TestAnOctetOfBufferIsABufferThatWasSet(t *testing.T) {
	for _, p := range []Params{{MSS: 1000, SendBuffer: 1}, {MSS: 1000, RecvBuffer: 1}, {MSS: 1000, WindowClamp: 1}} {
		e := newEnd(t)
		e.connect(p)
		e.sent = nil
		e.peer().sends("SA 0 ack 1 mss 1000")
		e.sent = nil
		if w := e.c.wants(); w.send != (p.SendBuffer > 0) || w.receive != (p.RecvBuffer > 0) {
			t.Errorf("%+v: %+v", p, w)
		}
		if n := e.c.SendBuffer(); p.SendBuffer > 0 && n != 1 {
			t.Errorf("a send buffer of one octet has %d", n)
		}
		if p.WindowClamp > 0 && e.c.rcv.limit != 1 {
			t.Errorf("a window of one octet has %d", e.c.rcv.limit)
		}
	}
	// The same of an open connection.
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetSendBuffer(5000); c.SetReceiveBuffer(e.now, 5000) })
	e.c.cc.Cwnd = 100_000
	e.c.tuneSendBuffer()
	if n := e.c.SendBuffer(); n != 5000 || !e.c.wants().receive {
		t.Errorf("a send buffer of 5000 octets became %d; the other is set: %v", n, e.c.wants().receive)
	}
}

// What can't be counted is the most that can.
func TestSizesAreBounded(t *testing.T) {
	const huge = 1 << 40
	e := newEnd(t)
	e.c = newConn(e.env, Params{MSS: 70_000, RecvBuffer: huge, WindowClamp: 0})
	if n, mss := e.c.ReceiveBuffer(), e.c.Info().AdvertisedMSS; n != math.MaxInt32 || mss != 65535 {
		t.Errorf("a receive buffer of %d octets, an MSS of %d", n, mss)
	}
	if e.c.rcv.limit != 65535<<14 {
		t.Errorf("a window of %d octets", e.c.rcv.limit)
	}
	if n := e.c.Info().ReceiveMSS; n != 536 {
		t.Errorf("before anything came full segments hold %d octets", n) // MUST-15
	}
	for _, c := range []struct{ asked, buffer int }{{huge, math.MaxInt32}, {-1, 0}, {0, 0}, {7, 7}} {
		e.c.SetReceiveBuffer(e.now, c.asked)
		if n := e.c.ReceiveBuffer(); n != c.buffer {
			t.Errorf("SO_RCVBUF of %d is %d", c.asked, n)
		}
	}
	for _, c := range []struct{ asked, lowat int }{{huge, math.MaxInt32}, {-1, math.MaxUint32}, {0, math.MaxUint32}, {7, 7}} {
		e.c.SetNotSentLowat(c.asked)
		if n := e.c.notSentLowat(); n != c.lowat {
			t.Errorf("TCP_NOTSENT_LOWAT of %d is %d", c.asked, n)
		}
	}
	for asked, retries := range map[int]uint8{-1: 1, 0: 1, 1: 1, 7: 7, 255: 255, 300: 255} {
		if e.c.SetSynRetries(asked); e.c.synRetries != retries {
			t.Errorf("TCP_SYNCNT of %d is %d", asked, e.c.synRetries)
		}
	}
	// TCP_MAXSEG, before the SYN is out: of both directions.
	for _, c := range []struct{ asked, told, sent int }{{70_000, 1460, 536}, {65536, 1460, 536}, {1000, 1000, 536}, {500, 500, 500}, {1, 48, 48}} {
		e := newEnd(t)
		e.c = Connect(e.env, e.now, Params{MSS: 1460})
		e.c.SetMaxSegment(c.asked)
		if got := e.c.Info(); got.AdvertisedMSS != c.told || got.SendMSS != c.sent {
			t.Errorf("TCP_MAXSEG of %d: told %d, sent %d", c.asked, got.AdvertisedMSS, got.SendMSS)
		}
	}
}

// A SYN's window is in full segments, less the timestamps that each will have: a SYN
// can't know yet, a SYN-ACK does.
func TestTheFirstWindowCountsTimestamps(t *testing.T) {
	for _, c := range []struct {
		passive, timestamps bool
		mss                 int
		window              uint16
	}{
		{false, true, 1460, 64240},
		{true, false, 1460, 64240},
		{true, true, 1460, 65160},
		{false, false, 1460, 64240},
		{true, true, 12, 65535},
		{true, true, 13, 65535},
		{true, true, 5, 65535},
	} {
		e := newEnd(t, linuxs, func(o *Config) { o.Timestamps = c.timestamps })
		if c.passive {
			e.accept(Params{MSS: c.mss}, "S 0 mss 1460 ws 7")
		} else {
			e.connect(Params{MSS: c.mss})
		}
		if got := e.sent[0].Window; got != c.window {
			t.Errorf("%+v: %d", c, got)
		}
		e.sent = nil
	}
}

// Linux's skb->truesize: data and headers in a piece of memory whose size is a power of
// two, and 256 octets that describe it.
func TestWhatASegmentTakes(t *testing.T) {
	for mss, want := range map[int]int{1: 1024 + 256, 384: 1024 + 256, 385: 2048 + 256, 1408: 2048 + 256, 1409: 4096 + 256, 1460: 4096 + 256} {
		if got := segmentMemory(mss); got != want {
			t.Errorf("a segment of %d octets takes %d, want %d", mss, got, want)
		}
	}
}

// The send buffer is looked after when the congestion window is more than a third of it.
func TestWhenTheSendBufferGrows(t *testing.T) {
	for cwnd, want := range map[int]int{10_000: 30_000, 10_001: 2 * 10 * (2048 + 256)} {
		e := establishedEnd(t)
		e.c.snd.limit, e.c.cc.Cwnd = 30_000, cwnd
		e.c.tuneSendBuffer()
		if e.c.SendBuffer() != want {
			t.Errorf("with a window of %d it has %d octets, want %d", cwnd, e.c.SendBuffer(), want)
		}
	}
}

// Reading is measured over a round trip, a tick of the timestamp clock at least.
func TestWhenReadingIsMeasured(t *testing.T) {
	for _, c := range []struct{ rtt, after, measured time.Duration }{
		{0, ms - 1, 0}, {0, ms, ms}, {5 * ms, 5*ms - 1, 0}, {5 * ms, 5 * ms, 5 * ms},
	} {
		e := establishedEnd(t)
		e.c.rtt.srtt = c.rtt
		e.now = e.now.Add(c.after)
		e.c.tuneReceiveBuffer(e.now)
		if got := e.c.rcv.readAt.Sub(began); got != c.measured {
			t.Errorf("%+v: a round trip begins at %v", c, got)
		}
	}
	// What the peer's data says counts more than what ours did, be it nothing.
	e := establishedEnd(t)
	e.c.rtt.srtt = 50 * ms
	for rtt, want := range map[uint32]time.Duration{0: 50 * ms, 1: 0, 2: time.Microsecond, 1001: ms} {
		if e.c.rcv.rtt = rtt; e.c.peerRTT() != want {
			t.Errorf("of %d the round trip is %v", rtt, e.c.peerRTT())
		}
	}
}

// A buffer that grows stays in what can be counted, and its window in what its scale can
// express.
func TestAGrownBufferIsBounded(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.WindowScaling, c.MaxReceiveBuffer = true, 1<<40 })
	e.c.rcv.shift = 7
	e.c.growReceiveBuffer(1 << 31)
	if n := e.c.ReceiveBuffer(); n != math.MaxInt32 || e.c.rcv.limit != 0xffff<<7 {
		t.Errorf("it has %d octets, and a window of %d", n, e.c.rcv.limit)
	}
}

// The receiver's round trip: from full segments, by each echo once, up to an hour (a
// timestamp that is older says nothing).
func TestTheReceiversRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name       string
		timestamps bool
		echoAge    []int // ms, of full segments that come one after the other
		want       uint32
	}{
		{"one", true, []int{30}, 30_001},
		{"two", true, []int{30, 46}, 32_001},
		{"the same echo again", true, []int{30, 30}, 30_001},
		{"an hour", true, []int{3_600_000}, 3_600_000_001},
		{"more than an hour", true, []int{3_600_001}, 0},
		{"without timestamps", false, []int{30}, 0},
	} {
		e := establishedEnd(t)
		e.c.stamped = c.timestamps
		e.now = e.now.Add(2 * time.Hour)
		for i, age := range c.echoAge {
			seg := text(e.c.rcv.nxt, e.c.snd.nxt, 1000)
			seg.Options.Timestamps, seg.Options.TSVal = true, uint32(i)
			seg.Options.TSEcr = e.c.ts.now(e.now) - uint32(age)
			e.c.measurePeer(e.now.Add(time.Duration(0)), &seg)
			seg.drop()
		}
		if got := e.c.rcv.rtt; got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
	// What echoes the same stays one measurement, however late it comes.
	e := establishedEnd(t)
	e.c.stamped = true
	echo := e.c.ts.now(e.now)
	for range 3 {
		e.now = e.now.Add(10 * ms)
		seg := text(e.c.rcv.nxt, e.c.snd.nxt, 1000)
		seg.Options.Timestamps, seg.Options.TSEcr = true, echo
		e.c.measurePeer(e.now, &seg)
		seg.drop()
	}
	if got := e.c.rcv.rtt; got != 10_001 {
		t.Errorf("three segments with one echo: %d", got)
	}
}

// tcp_mem: at the least receive buffer's size a connection takes nothing more, while the
// host has no memory; and one of nobody's costs too much beyond the least send buffer.
func TestTheLeastBuffersAreExact(t *testing.T) {
	for delta, want := range map[int]bool{0: false, 1: true} {
		e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{} })
		e.c.rcv.queue = e.env.takeQueue()
		e.c.rcv.queue.Append(view(octets(1, 100)))
		e.env.MinReceiveBuffer = e.c.rcv.queue.Storage() + delta
		if got := e.c.hasMemory(); got != want {
			t.Errorf("with room for %d more: memory for more %v", delta, got)
		}
	}
	for delta, want := range map[int]bool{0: false, 1: true} {
		e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{} })
		e.c.snd.queue = e.env.takeQueue()
		e.c.snd.queue.Append(view(octets(1, 100)))
		e.env.MinSendBuffer = e.c.snd.queue.Storage() - delta
		if got := e.c.costly(); got != want {
			t.Errorf("with %d more than the least: costly %v", delta, got)
		}
	}
	// What the program has set doesn't shrink, and has no room all the same.
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetSendBuffer(100_000) })
	e.writes(5000)
	e.sent = nil
	e.env.memory.used = e.env.MemoryPages[2] * pageSize
	if n := e.c.WriteSpace(); n != 0 {
		t.Errorf("room for %d octets", n)
	}
}

// Each half-open connection is one of its own.
func TestFoldedConnectionsAreUsedOnce(t *testing.T) {
	e := newEnd(t)
	e.request(testParams(), "S 0 mss 1000")
	seg := e.parse("S 0 mss 1000")
	a, b := Accept(e.env, e.now, testParams(), &seg), Accept(e.env, e.now, testParams(), &seg)
	if a == b {
		t.Error("two connections are one")
	}
}

// tcp(7), TCP_LINGER2: "The lifetime of orphaned FIN_WAIT2 state sockets", also as inherited
// from a listener.
func TestTheLifetimeInFinWait2IsInherited(t *testing.T) {
	e := newEnd(t)
	p := testParams()
	p.FinWait2 = 5
	e.accept(p, "S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.peer().sends("A 1 ack 1")
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.peer().sends("A 1 ack 2")
	e.after(5*time.Second - 1)
	e.want().state(StateFinWait2)
	e.after(1)
	e.want().state(StateClosed)
}
