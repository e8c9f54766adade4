package tcp

import (
	"testing"

	"hubbub/internal/pkt"
)

// text makes a segment with n octets that begins at seq.
func text(seq, ack Seq, n int) Segment {
	return Segment{Seq: seq, Ack: ack, Flags: 1 << 4, Window: 65535, Payload: pkt.CopyView(make([]byte, n))}
}

// drop takes out and forgets what a connection has to send.
func drop(c *Conn, at *end) {
	var s Segment
	for c.PollSegment(at.now, &s) {
		s.drop()
	}
}

// stalled returns connections of one host whose programs neither read nor
// close, and whose peers don't acknowledge anything.
func stalled(e *end, count int) []*Conn {
	all := make([]*Conn, count)
	for i := range all {
		syn := Segment{Seq: 1000, Flags: 2, Window: 65535}
		all[i] = Accept(e.env, e.now, Params{ISS: 5000, MSS: 1000}, &syn)
		drop(all[i], e)
		ack := text(1001, 5001, 0)
		all[i].HandleSegment(e.now, &ack)
	}
	return all
}

func TestTheHostsMemoryIsBounded(t *testing.T) {
	// tcp_mem: "low: below this number of pages TCP is not bothered about its
	// memory appetite. pressure: when amount of memory allocated by TCP exceeds
	// this number of pages, TCP moderates its memory consumption ... high:
	// number of pages allowed for queueing by all TCP sockets." Beyond it
	// every connection has the least of tcp_rmem and tcp_wmem.
	e := newEnd(t, func(c *Config) { c.MemoryPages = [3]int{32, 48, 64} })
	const count = 200
	conns := stalled(e, count)
	most := 0
	for round := range 20 {
		for _, c := range conns {
			next := text(c.rcv.nxt, 5001, 1000)
			beyond := text(c.rcv.nxt.Add(3000+2000*round), 5001, 1000)
			c.HandleSegment(e.now, &beyond)
			c.HandleSegment(e.now, &next)
			for n := min(c.WriteSpace(), 20_000); n > 0; n = 0 {
				if _, err := c.WriteBytes(e.now, make([]byte, n)); err != nil {
					t.Fatal(err)
				}
			}
			drop(c, e)
		}
		used, _ := e.env.Memory()
		most = max(most, used)
	}
	segment := 1000 + pkt.Overhead
	bound := 64*pageSize + count*(e.env.MinReceiveBuffer+segment+e.env.MinSendBuffer+2*segment)
	used, pressure := e.env.Memory()
	t.Logf("%d connections take %d octets, the most was %d; the bound is %d", count, used, most, bound)
	if most > bound || !pressure {
		t.Errorf("%d connections took up to %d octets, want at most %d; short of memory: %v", count, most, bound, pressure)
	}
	if e.env.Discards[DiscardMemory] == 0 || e.env.Discards[DiscardPruned] == 0 {
		t.Errorf("refused %d, given up %d", e.env.Discards[DiscardMemory], e.env.Discards[DiscardPruned])
	}
	for _, c := range conns {
		c.Abort(e.now)
	}
	if used, pressure := e.env.Memory(); used != 0 || pressure {
		t.Errorf("after all have gone %d octets are taken, short of memory: %v", used, pressure)
	}
}

func TestMemoryIsAccountedFor(t *testing.T) {
	// What the queues hold is what the host's account has, whatever happens.
	p := newPair(t, 3, impairments{latency: 5 * ms, jitter: 5 * ms, loss: 0.05, duplicate: 0.05})
	p.connect(Params{MSS: 1460}, Params{MSS: 1460})
	for _, party := range p.parties {
		party.toWrite = p.randomBytes(300_000)
	}
	for range 200 {
		p.run(5 * ms)
		for _, party := range p.parties {
			if party.c == nil {
				continue
			}
			want := party.c.snd.queue.Storage() + party.c.rcv.queue.Storage()
			if g := party.c.rcv.gaps; g != nil {
				for _, b := range g.blocks {
					want += b.view.Len() + pkt.Overhead
				}
			}
			if used, _ := party.env.Memory(); used != want {
				t.Fatalf("at %v the account has %d octets, the queues %d", p.now, used, want)
			}
		}
	}
}

func TestShortOfMemoryWindowsStayShut(t *testing.T) {
	// Under pressure a window is four segments, as Linux's rcv_ssthresh; what
	// was promised before is not taken back.
	e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{1, 2, 1000} })
	e.peer().sends("A 1:9001 ack 1")
	e.sent = nil
	if _, pressure := e.env.Memory(); !pressure {
		t.Fatal("9000 octets are no pressure on two pages")
	}
	e.peer().sends("A 9001:65536 ack 1")
	e.want().segment("A 1 ack 65536 win 0", ReasonSecondSegment)
	e.reads(60_000)
	e.want().nothing()
	e.reads(5_000)
	e.want().segment("A 1 ack 65536 win 65000", ReasonWindowUpdate) // the shortage is over
}

func TestOutOfOrderDataIsGivenUpUnderPressure(t *testing.T) {
	// "The data receiver is permitted to discard data in its queue that has
	// not been acknowledged to the data sender" (RFC 2018, 8).
	e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{1, 2, 1000} })
	e.peer().sends("A 1001:4001 ack 1", "A 5001:9001 ack 1", "A 11001:12001 ack 1")
	e.sent = nil
	e.want().discarded(DiscardPruned, 0)
	e.peer().sends("A 13001:14001 ack 1")
	e.sent = nil
	e.want().discarded(DiscardPruned, 1)
	if n := e.c.Info().OutOfOrder; n != 1000 {
		t.Errorf("%d octets are held, want the last thousand", n)
	}
	if _, pressure := e.env.Memory(); pressure {
		t.Error("there is still pressure")
	}
}

func TestBeyondTheLimitNothingIsTakenIn(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{1, 2, 2} })
	e.peer().sends("A 1:9001 ack 1")
	e.sent = nil
	e.peer().sends("A 9001:10001 ack 1")
	e.want().segment("A 1 ack 9001", ReasonWindowFull)
	e.want().discarded(DiscardMemory, 1)
	if n := e.c.WriteSpace(); n != e.env.MinSendBuffer {
		t.Errorf("there is room for %d octets, want the least buffer", n)
	}
	e.reads(9000)
	e.sent = nil
	e.peer().sends("A 9001:10001 ack 1")
	e.sent = nil
	if n := e.c.Readable(); n != 1000 {
		t.Errorf("%d octets have arrived since there is room, want 1000", n)
	}
}

func TestAnOrphanIsResetForWantOfMemory(t *testing.T) {
	// tcp_max_orphans and tcp_mem: connections that no program has open are
	// "reset immediately" when memory has run out.
	e := establishedEnd(t, func(c *Config) { c.MemoryPages = [3]int{1, 2, 2} })
	e.writes(9000)
	e.sent = nil
	e.does(func(c *Conn) { c.Close(e.now) })
	reset := e.sent[len(e.sent)-1]
	e.sent = nil
	if !reset.Flags.Has(1<<2) || reset.Reason != ReasonNoMemory {
		t.Errorf("%v", e.show(reset))
	}
	e.want().state(StateClosed)
	if used, _ := e.env.Memory(); used != 0 {
		t.Errorf("%d octets are taken", used)
	}
}
