package tcp

import (
	"testing"
	"unsafe"

	"hubbub/clock"
	"hubbub/internal/need"
	"hubbub/internal/pkt"
)

// wire joins two ends without anything between them: what one sends, the
// other gets at the same instant. It is the network in memory, where time may
// stand still between a segment and its ACK.
type direct struct {
	now  clock.Time
	ends [2]*Conn
}

// newDirect returns two connected ends.
func newDirect(tb testing.TB, adjust ...func(*Config)) *direct {
	tb.Helper()
	sharesNothing(tb)
	config := DefaultConfig()
	for _, f := range adjust {
		f(&config)
	}
	p := Params{ISS: 1, MSS: 1460}
	d := &direct{now: began}
	d.ends[0] = Connect(NewEnv(config), d.now, p)
	var s Segment
	d.ends[0].PollSegment(d.now, &s)
	d.ends[1] = Accept(NewEnv(config), d.now, p, &s)
	d.exchange()
	if d.ends[1].State() != StateEstablished {
		tb.Fatalf("the handshake ended in %v", d.ends[1].State())
	}
	return d
}

// exchange carries segments until nobody has any.
func (d *direct) exchange() {
	var s Segment
	for moved := true; moved; {
		moved = false
		for i, c := range d.ends {
			for c.PollSegment(d.now, &s) {
				d.ends[1-i].HandleSegment(d.now, &s)
				moved = true
			}
		}
	}
}

// send writes n octets at one end, carries them over, and reads them at the
// other.
func (d *direct) send(from, n int) int {
	_ = d.ends[from].Write(d.now, pkt.NewView(n))
	d.exchange()
	return d.receive(1 - from)
}

func (d *direct) receive(at int) (n int) {
	c := d.ends[at]
	for c.Readable() > 0 {
		v := c.Read(d.now, c.Readable())
		n += v.Len()
		v.Release()
	}
	d.exchange()
	return n
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	need.NoRace(t)
	for _, size := range []int{1, 1000, 16 << 10, 64 << 10} {
		d := newDirect(t)
		for range 100 {
			d.send(0, size)
			d.send(1, size)
		}
		got := 0
		allocs := testing.AllocsPerRun(200, func() {
			d.now += 1000
			got += d.send(0, size) + d.send(1, size)
		})
		if want := 201 * 2 * size; got != want {
			t.Fatalf("%d octets arrived of %d", got, want)
		}
		if allocs > 0 {
			t.Errorf("%v allocations for writes of %d octets both ways", allocs, size)
		}
	}
}

func TestIdleConnectionIsSmall(t *testing.T) {
	// An idle connection holds no buffers, no queues and no records, so that this
	// is all it takes. Go's allocator has a size class of 480 octets.
	d := newDirect(t)
	d.send(0, 1000)
	d.send(1, 1000)
	for _, c := range d.ends {
		if c.snd.queue != nil || c.rcv.queue != nil || c.rcv.gaps != nil || c.loss.board != nil || c.loss.history != nil ||
			c.rare != &nothing || c.timers.causes != nil {
			t.Error("an idle connection holds what it doesn't use")
		}
	}
	if size := unsafe.Sizeof(Conn{}); size > 480 {
		t.Errorf("a Conn takes %d octets, want at most 480", size)
	}
	if size := unsafe.Sizeof(TimeWait{}); size > 48 {
		t.Errorf("a TimeWait takes %d octets, want at most 48", size)
	}
}

// sharesNothing fails, at the end of the test, if a connection has changed what all
// connections share that need nothing rare.
func sharesNothing(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		if nothing != (rare{}) {
			tb.Errorf("a connection has changed what all connections share: %+v", nothing)
			nothing = rare{}
		}
	})
}

func TestQueuesAreUsedAgain(t *testing.T) {
	env := NewEnv(DefaultConfig())
	q := env.takeQueue()
	if env.keep(q) != nil || env.takeQueue() != q {
		t.Error("an empty queue isn't used again")
	}
	for range 2 * keepQueues {
		env.keep(new(pkt.Queue))
	}
	if n := len(env.queues); n != keepQueues {
		t.Errorf("%d queues are kept, want %d", n, keepQueues)
	}
}

// BenchmarkBulk sends data one way, in writes of 64 KiB.
func BenchmarkBulk(b *testing.B) {
	d := newDirect(b)
	b.SetBytes(64 << 10)
	b.ReportAllocs()
	for b.Loop() {
		d.now += 10_000
		if n := d.send(0, 64<<10); n != 64<<10 {
			b.Fatalf("%d octets arrived\n%+v\n%+v", n, d.ends[0].Info(), d.ends[1].Info())
		}
	}
}

// BenchmarkRoundTrip sends one octet there and one back.
func BenchmarkRoundTrip(b *testing.B) {
	d := newDirect(b)
	b.ReportAllocs()
	for b.Loop() {
		d.now += 1000
		if d.send(0, 1)+d.send(1, 1) != 2 {
			b.Fatal("an octet is missing")
		}
	}
}

// BenchmarkOpenClose opens and closes connections.
func BenchmarkOpenClose(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d := newDirect(b)
		_ = d.ends[0].CloseWrite(d.now)
		d.exchange()
		_ = d.ends[1].CloseWrite(d.now)
		d.exchange()
		if d.ends[0].State() != StateTimeWait || d.ends[1].State() != StateClosed {
			b.Fatal(d.ends[0].State(), d.ends[1].State())
		}
	}
}
