package tcp

import (
	"math/rand/v2"
	"testing"
	"time"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// FuzzSegments takes a connection in any state and lets a hostile peer and an
// odd program do whatever the input says. The control block stays in order,
// queues stay bounded, nothing panics, and there is always an end to what is
// sent.
func FuzzSegments(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(hostileBytes(seed, 200))
	}
	f.Fuzz(func(t *testing.T, input []byte) { newAttack(t, input).run() })
}

func TestNoSegmentBreaksAConnection(t *testing.T) {
	for seed := range 10 * cases {
		newAttack(t, hostileBytes(seed, 400)).run()
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func hostileBytes(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// attack reads its steps from bytes.
type attack struct {
	*end
	input    []byte
	segments int
}

func newAttack(t *testing.T, input []byte) *attack {
	a := &attack{input: input}
	how := a.next()
	build := fixtures[int(how)%len(fixtures)].build
	a.end = build(t, func(c *Config) {
		c.Timestamps = how&0x40 != 0
		c.SACK = how&0x20 != 0
		c.RACK = how&0x10 != 0
		c.WindowScaling = how&0x80 != 0
		c.ReceiveBuffer, c.SendBuffer = 1000+int(a.next())*50, 5000
	})
	a.env.Watch = how&0x08 != 0 // without a watcher some goes the plain way
	return a
}

func (a *attack) next() byte {
	if len(a.input) == 0 {
		return 0
	}
	b := a.input[0]
	a.input = a.input[1:]
	return b
}

func (a *attack) run() {
	for len(a.input) > 0 && !a.t.Failed() {
		a.step()
		a.drain()
		a.sent = nil
		for {
			if _, more := a.env.PollEvent(); !more {
				break
			}
		}
		a.checkBounds()
		checkAll(a.t, a.c)
	}
	a.c.Abort(a.now)
	a.drain()
	a.sent = nil
}

func (a *attack) step() {
	switch op := a.next(); op % 16 {
	case 0:
		a.now = a.now.Add(time.Duration(a.next()) * time.Millisecond)
	case 1:
		if at := a.c.NextTimer(); at != 0 {
			a.now = max(a.now, at)
			a.c.HandleTimer(a.now)
		}
	case 2:
		_, _ = a.c.WriteBytes(a.now, octets(0, int(a.next())*8))
	case 3:
		v := a.c.Read(a.now, int(a.next())*8)
		v.Release()
	case 4:
		a.oddCommand()
	default:
		seg := a.likelySegment()
		if a.env.Watch || a.next()%8 == 0 {
			seg.drop()
			seg = a.hostileSegment()
		}
		a.segments++
		a.c.HandleSegment(a.now, &seg)
	}
}

func (a *attack) oddCommand() {
	switch op := a.next(); op % 12 {
	case 0:
		_ = a.c.CloseWrite(a.now)
	case 1:
		_ = a.c.Peek(make([]byte, 100), int(op))
	case 2:
		if op > 200 {
			a.c.Close(a.now)
		}
	case 3:
		a.c.SetReceiveBuffer(a.now, int(a.next())*40)
	case 4:
		a.c.HandlePathMTU(a.now, int(a.next())*4, a.c.snd.una)
	case 5:
		_, _ = a.c.WriteUrgent(a.now, octets(0, int(a.next())))
	case 6:
		a.c.ReadUrgent()
	case 7:
		a.c.SetOOBInline(a.next()&1 == 0)
	case 8:
		a.c.SetKeepAlive(a.now, KeepAlive{On: a.next()&1 == 0, Idle: time.Second, Interval: time.Second})
	case 9:
		a.c.SetNoDelay(a.next()&1 == 0)
	case 10:
		a.c.HandleUnreachable(a.now, ErrRefused, false, a.c.snd.una)
	case 11:
		a.c.Discard(a.now, int(a.next()))
		var b [10]byte
		a.c.Peek(b[:], int(a.next()))
	}
}

// likelySegment makes a segment as a peer without malice sends them: it is for the plain way.
func (a *attack) likelySegment() Segment {
	c := a.c
	s := Segment{
		Seq: c.rcv.nxt, Ack: c.snd.una.Add(min(int(a.next())*8, c.flight())), Flags: ack, Window: uint16(a.next()) << 8,
		Payload: pkt.CopyView(octets(0, min(int(a.next())*4, max(0, c.rcv.window())))),
	}
	if c.stamped {
		s.Options.Timestamps, s.Options.TSVal, s.Options.TSEcr = true, c.ts.recent+uint32(a.next()>>7), c.ts.now(a.now)
	}
	return s
}

// hostileSegment makes a segment whose numbers are near the edges that matter.
func (a *attack) hostileSegment() Segment {
	c := a.c
	seqs := [...]Seq{c.rcv.nxt, c.rcv.nxt, c.rcv.nxt, c.rcv.edge, c.rcv.irs, c.rcv.nxt.Add(500), c.rcv.acked, Seq(a.next()) << 24}
	acks := [...]Seq{c.snd.una, c.snd.nxt, c.snd.nxt, c.snd.iss, c.snd.una.Add(1), c.snd.una.Add(-70000), c.dataEnd(), Seq(a.next()) << 24}
	flags := [...]wire.TCPFlags{ack, ack, ack, ack | psh, ack | fin, ack | urg, syn, syn | ack, rst, rst | ack, fin, 0, ack | fin | urg, 0x1ff, ack, ack}
	s := Segment{
		Seq:    seqs[a.next()%8].Add(int(int8(a.next())) / 16),
		Ack:    acks[a.next()%8].Add(int(int8(a.next())) / 32),
		Flags:  flags[a.next()%16],
		Window: [...]uint16{0, 1, 10, 500, 2000, 65535, 65535, 65535}[a.next()%8],
	}
	if s.Flags.Has(rst) && a.next() > 20 {
		s.Flags &^= rst
	}
	if s.Flags.Has(urg) {
		s.Urgent = uint16(a.next()) * 3
	}
	if n := a.next(); n > 80 {
		s.Payload = pkt.CopyView(octets(0, int(n)*6))
	}
	if c.stamped && a.next() > 10 {
		s.Options.Timestamps = true
		s.Options.TSVal, s.Options.TSEcr = c.ts.recent+uint32(a.next()>>6), c.ts.now(a.now)-uint32(a.next())
	}
	if n := a.next(); c.sackOK && n > 100 {
		for range n & 3 {
			edges := [...]Seq{c.snd.una, c.snd.nxt, c.snd.una.Add(300), c.snd.una.Add(1000), c.snd.una.Add(-500)}
			s.Options.AddSACK(uint32(edges[a.next()%5].Add(int(int8(a.next())))), uint32(edges[a.next()%5].Add(int(int8(a.next())))))
		}
	}
	if s.Flags.Has(syn) {
		s.Options.MSS = uint16(a.next()) << 3
	}
	return s
}

// checkBounds checks what a hostile peer could make grow.
func (a *attack) checkBounds() {
	c := a.c
	switch {
	case c.rcv.gaps != nil && len(c.rcv.gaps.blocks) > max(minBlocks, 300):
		a.t.Fatalf("%d blocks held", len(c.rcv.gaps.blocks))
	case c.rcv.gaps.size() > 1<<17:
		a.t.Fatalf("%d octets held", c.rcv.gaps.size())
	case c.rcv.queue.Len() > 1<<17:
		a.t.Fatalf("%d octets to read", c.rcv.queue.Len())
	case c.Readable() < 0 || c.UrgentPending() < 0 || c.Unsent() < 0:
		a.t.Fatalf("readable %d, urgent %d, unsent %d", c.Readable(), c.UrgentPending(), c.Unsent())
	}
	if g := c.rcv.gaps; g != nil {
		for i := 1; i < len(g.blocks); i++ {
			if g.blocks[i].seq.Less(g.blocks[i-1].end()) {
				a.t.Fatalf("blocks overlap: %v", g.blocks)
			}
		}
	}
}
