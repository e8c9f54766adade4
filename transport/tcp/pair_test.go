package tcp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hubbub/clock"
	"hubbub/internal/need"
	"hubbub/internal/pkt"
)

// A pair is two ends and the network between them, in virtual time: it jumps
// to the next arrival or timer until nothing is left to happen.
type pair struct {
	t       testing.TB
	now     clock.Time
	rng     *rand.Rand
	net     impairments
	parties [2]*party
	flying  []flying // in order of arrival
	serial  int
	log     []string
	trace   bool
}

// impairments are what the network does to segments.
type impairments struct {
	latency, jitter time.Duration
	loss, duplicate float64
	lose            func(from int, s *Segment) bool // besides
	rate            int                             // octets per second, 0: unlimited
	queue           int                             // segments that wait for their turn, with a rate
	busyUntil       [2]clock.Time
}

type flying struct {
	at     clock.Time
	serial int
	to     int
	seg    Segment
}

// party is one end with its program: it writes what it has, reads what it
// gets, and closes when it has written all.
type party struct {
	env       *Env
	c         *Conn
	toWrite   []byte
	got       []byte
	chunk     int           // octets per write
	pause     time.Duration // between reads; 0 reads at once
	nextRead  clock.Time
	dontClose bool
	accept    Params // of the connection that a SYN makes
}

func newPair(t testing.TB, seed uint64, net impairments, adjust ...func(*Config)) *pair {
	t.Helper()
	sharesNothing(t)
	p := &pair{t: t, now: began, net: net, rng: rand.New(rand.NewPCG(seed, 1))}
	for i := range p.parties {
		config := DefaultConfig()
		for _, f := range adjust {
			f(&config)
		}
		p.parties[i] = &party{env: NewEnv(config), chunk: 5000}
	}
	return p
}

// connect begins a connection from party 0 to party 1.
func (p *pair) connect(client, server Params) {
	p.parties[0].c = Connect(p.parties[0].env, p.now, client)
	p.parties[1].accept = server
}

// drain takes out what both ends have to send.
func (p *pair) drain() {
	for i, party := range p.parties {
		if party.c == nil {
			continue
		}
		for n := 0; ; n++ {
			var s Segment
			if !party.c.PollSegment(p.now, &s) {
				break
			}
			if n > 100000 {
				p.t.Fatal("PollSegment never ends")
			}
			p.check(party, &s)
			p.send(1-i, s)
		}
		checkInvariants(p.t, party.c)
	}
}

// check looks at every segment that is sent.
func (p *pair) check(from *party, s *Segment) {
	if s.Payload.Len() > int(from.c.snd.mss)*s.pieces() {
		p.t.Fatalf("a segment of %d octets, where the MSS is %d", s.Payload.Len(), from.c.snd.mss)
	}
	if s.Reason == ReasonNone {
		p.t.Fatalf("a segment without a reason")
	}
}

// send puts a segment on its way.
func (p *pair) send(to int, s Segment) {
	if p.trace {
		p.log = append(p.log, fmt.Sprintf("%v to %d: %v seq %d len %d ack %d win %d (%v)", p.now, to, s.Flags, s.Seq, s.Payload.Len(), s.Ack, s.Window, s.Reason))
	}
	copies := 1
	switch r := p.rng.Float64(); {
	case r < p.net.loss || p.net.lose != nil && p.net.lose(1-to, &s):
		copies = 0
	case r < p.net.loss+p.net.duplicate:
		copies = 2
	}
	for range copies {
		at := p.now.Add(p.net.latency)
		if p.net.jitter > 0 {
			at = at.Add(time.Duration(p.rng.Int64N(int64(p.net.jitter))))
		}
		if p.net.rate > 0 {
			at = p.queueFor(to, s.Payload.Len()+40)
			if at == 0 {
				continue
			}
		}
		clone := s
		clone.Payload.Retain()
		p.insert(flying{at: at, to: to, seg: clone})
	}
	s.drop()
}

// queueFor returns when n octets arrive over a cable with a rate, or 0 if its
// queue is full.
func (p *pair) queueFor(to, n int) clock.Time {
	start := max(p.now, p.net.busyUntil[to])
	if start.Sub(p.now) > time.Duration(p.net.queue*1500)*time.Second/time.Duration(p.net.rate) {
		return 0
	}
	p.net.busyUntil[to] = start.Add(time.Duration(n) * time.Second / time.Duration(p.net.rate))
	return p.net.busyUntil[to].Add(p.net.latency)
}

func (p *pair) insert(f flying) {
	p.serial++
	f.serial = p.serial
	i := len(p.flying)
	for i > 0 && p.flying[i-1].at > f.at {
		i--
	}
	p.flying = append(p.flying, flying{})
	copy(p.flying[i+1:], p.flying[i:])
	p.flying[i] = f
}

// run lets everything happen until nothing is left, or until the deadline.
func (p *pair) run(limit time.Duration) {
	p.t.Helper()
	deadline := p.now.Add(limit)
	for steps := 0; ; steps++ {
		if steps > 5_000_000 {
			p.t.Fatal("no end: the two answer each other for ever")
		}
		p.programs()
		p.drain()
		next := p.next()
		if next == clock.Never {
			return
		}
		if next > deadline {
			p.now = deadline
			return
		}
		p.now = max(p.now, next)
		p.happen()
	}
}

// next returns when something happens next.
func (p *pair) next() clock.Time {
	next := clock.Never
	if len(p.flying) > 0 {
		next = p.flying[0].at
	}
	for _, party := range p.parties {
		if party.c == nil {
			continue
		}
		next = clock.Earlier(next, party.c.NextTimer())
		if party.c.Readable() > 0 {
			next = clock.Earlier(next, party.nextRead)
		}
	}
	return next
}

// happen lets one thing happen that is due.
func (p *pair) happen() {
	if len(p.flying) > 0 && p.flying[0].at <= p.now {
		f := p.flying[0]
		p.flying = p.flying[1:]
		p.arrive(p.parties[f.to], f)
		return
	}
	for _, party := range p.parties {
		if party.c != nil && party.c.NextTimer().Due(p.now) {
			party.c.HandleTimer(p.now)
		}
	}
}

// arrive hands a segment to its end, as a host would.
func (p *pair) arrive(to *party, f flying) {
	switch {
	case to.c == nil && f.seg.Flags.Has(syn):
		to.c = Accept(to.env, p.now, to.accept, &f.seg)
	case to.c == nil:
		f.seg.drop()
	case to.c.State() == StateClosed:
		if reply, ok := ResetFor(&f.seg); ok {
			p.send(1-f.to, reply)
		}
		f.seg.drop()
	default:
		to.c.HandleSegment(p.now, &f.seg)
	}
}

// programs lets both programs do what they can.
func (p *pair) programs() {
	for _, party := range p.parties {
		if party.c == nil {
			continue
		}
		party.write(p)
		party.read(p)
	}
}

func (a *party) write(p *pair) {
	for len(a.toWrite) > 0 && a.c.WriteSpace() > 0 && a.c.State() >= StateEstablished {
		n := min(len(a.toWrite), a.chunk, a.c.WriteSpace(), pkt.MaxView)
		if err := a.c.Write(p.now, pkt.CopyView(a.toWrite[:n])); err != nil {
			p.t.Fatal(err)
		}
		a.toWrite = a.toWrite[n:]
	}
	if len(a.toWrite) == 0 && !a.dontClose && a.c.CanWrite() && a.c.State() >= StateEstablished {
		if err := a.c.CloseWrite(p.now); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (a *party) read(p *pair) {
	if a.pause > 0 && p.now < a.nextRead {
		return
	}
	for a.c.Readable() > 0 {
		v := a.c.Read(p.now, a.c.Readable())
		a.got = append(a.got, v.Bytes()...)
		v.Release()
		if a.pause > 0 {
			a.nextRead = p.now.Add(a.pause)
			return
		}
	}
}

// randomBytes returns n octets of the pair's randomness.
func (p *pair) randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.rng.Uint32())
	}
	return b
}

// cases is how many random cases the property tests try: 10000 in a nightly
// run.
var cases = uint64(need.Cases(300))

func TestStreamsArriveExactThroughAnyNetwork(t *testing.T) {
	for seed := range cases {
		streamsArrive(t, seed)
		if t.Failed() {
			return
		}
	}
}

// streamsArrive sends random streams both ways through a random network: they
// arrive exact, and both ends come to rest.
func streamsArrive(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 99))
	pick := func(d ...time.Duration) time.Duration { return d[rng.IntN(len(d))] }
	net := impairments{
		latency:   pick(0, time.Microsecond, ms, 20*ms, 150*ms),
		jitter:    pick(0, 0, ms, 30*ms, 300*ms),
		loss:      []float64{0, 0.01, 0.05, 0.2}[rng.IntN(4)],
		duplicate: []float64{0, 0, 0.02, 0.2}[rng.IntN(4)],
	}
	p := newPair(t, seed, net, func(c *Config) {
		c.Timestamps = rng.IntN(2) == 0
		c.WindowScaling = rng.IntN(2) == 0
		c.SACK, c.DSACK = rng.IntN(4) > 0, rng.IntN(4) > 0
		c.RACK, c.LossProbe = rng.IntN(4) > 0, rng.IntN(4) > 0
		c.FRTO, c.RTORestart = rng.IntN(4) > 0, rng.IntN(4) == 0
		c.StaticReorderWindow, c.NoDupThresh = rng.IntN(4) == 0, rng.IntN(4) == 0
		c.SynRetries, c.SynAckRetries = 12, 12
		c.MSL = time.Hour // so that TIME-WAIT outlasts however many losses of a FIN
	})
	params := func() Params {
		return Params{
			ISS: Seq(rng.Uint32()), MSS: []int{200, 536, 1460, 9000}[rng.IntN(4)],
			SendBuffer: 1 << (8 + rng.IntN(12)), RecvBuffer: 1 << (8 + rng.IntN(12)), NoDelay: rng.IntN(2) == 0,
		}
	}
	p.connect(params(), params())
	var want [2][]byte
	for i, party := range p.parties {
		party.toWrite = p.randomBytes(rng.IntN(1 << (6 + rng.IntN(13))))
		party.chunk = 1 + rng.IntN(1<<(2+rng.IntN(14)))
		party.pause = pick(0, 0, 0, ms, 100*ms)
		want[1-i] = party.toWrite
	}
	p.run(24 * time.Hour)
	for i, party := range p.parties {
		if !bytes.Equal(party.got, want[i]) {
			t.Errorf("seed %d: party %d got %d octets of %d, or wrong ones\n%+v", seed, i, len(party.got), len(want[i]), party.c.Info())
		}
		if party.c.State() != StateClosed || party.c.Err() != nil {
			t.Errorf("seed %d: party %d came to rest in %v with %v\n%+v", seed, i, party.c.State(), party.c.Err(), party.c.Info())
		}
	}
}

func TestWhateverProgramsDoBothEndsComeToRest(t *testing.T) {
	for seed := range cases {
		endsComeToRest(t, seed)
		if t.Failed() {
			return
		}
	}
}

// endsComeToRest lets both programs close, half close, abort and stop reading
// at random. What arrives is a prefix of what was sent, and in the end nothing
// is left.
func endsComeToRest(t *testing.T, seed uint64) {
	t.Helper()
	p := newPair(t, seed, impairments{latency: 5 * ms, jitter: 10 * ms, loss: 0.05, duplicate: 0.05})
	rng := rand.New(rand.NewPCG(seed, 5))
	p.connect(Params{ISS: Seq(rng.Uint32()), MSS: 536}, Params{ISS: Seq(rng.Uint32()), MSS: 1460, RecvBuffer: 4000})
	var sent [2][]byte
	for i, party := range p.parties {
		party.toWrite = p.randomBytes(rng.IntN(100_000))
		party.dontClose = true
		sent[1-i] = party.toWrite
	}
	for range 20 {
		p.run(time.Duration(rng.IntN(100)) * ms)
		party := p.parties[rng.IntN(2)]
		if party.c == nil {
			continue
		}
		switch rng.IntN(12) {
		case 0:
			party.toWrite = nil
			_ = party.c.CloseWrite(p.now)
		case 2:
			party.toWrite = nil
			party.c.Close(p.now)
		case 3:
			if rng.IntN(4) == 0 {
				party.toWrite = nil
				party.c.Abort(p.now)
			}
		case 4:
			party.c.SetReceiveBuffer(p.now, rng.IntN(10_000))
		case 5:
			party.c.SetMaxSegment(100 + rng.IntN(1000))
		case 6:
			if party.c.CanWrite() && party.c.Unsent() == 0 {
				party.c.SetNoDelay(rng.IntN(2) == 0)
			}
		}
	}
	p.run(time.Minute)
	for _, party := range p.parties {
		if party.c != nil {
			party.toWrite = nil
			party.c.Close(p.now)
		}
	}
	p.run(2 * time.Hour)
	for i, party := range p.parties {
		if party.c == nil {
			continue
		}
		if !bytes.HasPrefix(sent[i], party.got) {
			t.Errorf("seed %d: party %d got something else than was sent", seed, i)
		}
		if party.c.State() != StateClosed || party.c.NextTimer() != 0 || len(p.flying) > 0 {
			t.Errorf("seed %d: party %d is left in %v\n%+v", seed, i, party.c.State(), party.c.Info())
		}
	}
}
