package tcp

import "testing"

func TestWhenTheHostIsShortOfMemory(t *testing.T) {
	// tcp_mem: "pressure: when amount of memory allocated by TCP exceeds this
	// number of pages, TCP moderates its memory consumption and enters memory
	// pressure mode, which is exited when memory consumption falls under "low"."
	scrap := establishedEnd(t)
	scrap.writes(1000)
	scrap.sent = nil
	storage, _ := scrap.env.Memory()
	for _, x := range []struct {
		used         int
		before, then bool
	}{
		{8192, false, false}, {8193, false, true}, {8192, true, true}, {4096, true, true}, {4095, true, false}, {4095, false, false},
	} {
		e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{1, 2, 1000} })
		e.env.memory = memory{used: x.used - storage, pressure: x.before}
		e.writes(1000)
		e.sent = nil
		if used, pressure := e.env.Memory(); used != x.used || pressure != x.then {
			t.Errorf("%d octets, short of memory: %v, want %d, %v", used, pressure, x.used, x.then)
		}
	}
}

func TestTheLeastSendBufferIsAlwaysThere(t *testing.T) {
	// tcp_wmem: "min: Amount of memory reserved for send buffers for TCP
	// sockets. Each TCP socket has rights to use it due to fact of its birth."
	// A buffer that was tuned shrinks to half of what it holds; what the program
	// has set stays.
	for _, x := range []struct {
		written, space, limit int
		set                   bool
	}{
		{0, 4096, 4096, false},
		{1000, 3096, 4096, false},
		{4096, 0, 4096, false},
		{9000, 0, 4500, false},
		{20_000, 0, 10_000, false},
		{1000, 3096, 256 << 10, true},
	} {
		e := establishedEnd(t, func(c *Config) { c.MinSendBuffer = 4096 })
		e.c.wish().send = x.set
		e.writes(x.written)
		e.sent = nil
		e.env.memory.used = e.env.MemoryPages[2]*pageSize - 1
		if n := e.c.WriteSpace(); n != 256<<10-x.written {
			t.Errorf("below the limit there is room for %d octets", n)
		}
		e.env.memory.used++
		if n := e.c.WriteSpace(); n != x.space || e.c.SendBuffer() != x.limit {
			t.Errorf("%d octets written: room for %d in a buffer of %d, want %d, %d", x.written, n, e.c.SendBuffer(), x.space, x.limit)
		}
	}
}

func TestTheLeastReceiveBufferIsAlwaysThere(t *testing.T) {
	// tcp_rmem: "min: Minimal size of receive buffer used by TCP sockets. It is
	// guaranteed to each TCP socket, even under moderate memory pressure."
	e := establishedEnd(t)
	for range 20 {
		e.env.memory.used = e.env.MemoryPages[2] * pageSize // by other connections
		refused := e.c.Info().Discards[DiscardMemory]
		room := e.c.rcv.queue.Storage() < e.env.MinReceiveBuffer
		at := int(e.c.rcv.nxt - testIRS)
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+500))
		e.sent = nil
		if taken := e.c.Info().Discards[DiscardMemory] == refused; taken != room {
			t.Errorf("with %d octets taken text is taken in: %v, want %v", e.c.rcv.queue.Storage(), taken, room)
		}
	}
	if n := e.c.Readable(); n == 0 || n > e.env.MinReceiveBuffer {
		t.Errorf("%d octets were taken in", n)
	}
}

func TestOnlyACostlyOrphanIsReset(t *testing.T) {
	// As on Linux an orphan is reset where memory has run out, if it takes more
	// than the least send buffer.
	for _, x := range []struct {
		written, missing int
		reset            bool
	}{{100, 0, false}, {9000, 0, true}, {9000, 1, false}} {
		e := establishedEnd(t, func(c *Config) { c.MinSendBuffer = 4096 })
		e.writes(x.written)
		e.sent = nil
		e.env.memory.used = e.env.MemoryPages[2]*pageSize - x.missing
		e.does(func(c *Conn) { c.Close(e.now) })
		e.sent = nil
		if reset := e.c.State() == StateClosed; reset != x.reset {
			t.Errorf("%+v: %v", x, e.c.State())
		}
	}
}
