package tcp

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"hubbub/internal/need"
	"hubbub/internal/pkt"
	"hubbub/transport/tcp/congestion"
	"hubbub/wire"
)

// ways are two pairs of ends to which the same happens: somebody watches the ends of the
// first, so that they go the general way; those of the second go the plain way where they can.
type ways [2]*pair

func newWays(t *testing.T, seed uint64, net impairments, adjust func(*Config)) *ways {
	var w ways
	for i := range w {
		w[i] = newPair(t, seed, net, adjust)
		w[i].trace = true
		for _, party := range w[i].parties {
			party.env.Watch = i == 0
			party.dontClose = true
		}
	}
	return &w
}

// both lets the same happen to both pairs.
func (w *ways) both(f func(p *pair)) {
	for _, p := range w {
		f(p)
	}
}

// differ returns where the two differ, in what was sent or in the state that they are in; "" if
// they don't.
func (w *ways) differ() string {
	general, plain := w[0], w[1]
	for i := range min(len(general.log), len(plain.log)) {
		if general.log[i] != plain.log[i] {
			return fmt.Sprintf("general: %s\nplain:   %s", general.log[i], plain.log[i])
		}
	}
	if len(general.log) != len(plain.log) {
		return fmt.Sprintf("%d segments, and %d", len(general.log), len(plain.log))
	}
	for i := range general.parties {
		a, b := stateOf(general.parties[i].c), stateOf(plain.parties[i].c)
		if at := slices.IndexFunc(a, func(s string) bool { return !slices.Contains(b, s) }); at >= 0 {
			return fmt.Sprintf("end %d, general: %s\nplain:   %s", i, a[at], b[at])
		}
	}
	w.both(func(p *pair) { p.log = p.log[:0] })
	return ""
}

// controlOf returns what a congestion control remembers, also behind pointers.
func controlOf(control congestion.Control) string {
	if control == nil {
		return "no control"
	}
	text, v := "control", reflect.ValueOf(control).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		text += fmt.Sprintf(" %+v", f)
	}
	return text
}

// stateOf returns all that a connection's machine remembers, part by part.
func stateOf(c *Conn) []string {
	if c == nil {
		return []string{"none"}
	}
	v := *c
	v.env, v.timers.causes = nil, nil
	if !v.burst.going {
		v.burst.left = 0 // the next one begins anew
	}
	queues := fmt.Sprint("queues ", v.snd.queue.Len(), v.rcv.queue.Len())
	v.snd.queue, v.rcv.queue = nil, nil
	board := "no scoreboard"
	if b := v.loss.board; b != nil {
		u := *b
		u.ring, u.head, u.repeats = nil, 0, nil
		board = fmt.Sprintf("scoreboard %+v", u)
		for i := range b.n {
			board += fmt.Sprintf("\n%+v", *b.at(i))
		}
	}
	history := fmt.Sprintf("history %+v", v.loss.history)
	v.loss.board, v.loss.history = nil, nil
	control := controlOf(v.control)
	rare := fmt.Sprintf("rare %+v", *v.rare)
	if v.rare.discards != nil || v.rare.pace != nil {
		rare = ""
	}
	v.control, v.rare, v.rcv.gaps = nil, nil, nil
	return []string{
		fmt.Sprintf("snd %+v", v.snd), fmt.Sprintf("rcv %+v", v.rcv), fmt.Sprintf("timers %+v", v.timers), fmt.Sprintf("cc %+v", v.cc),
		fmt.Sprintf("loss %+v", v.loss), fmt.Sprintf("rtt %+v", v.rtt), fmt.Sprintf("rest %+v", v), queues, board, history, control, rare,
	}
}

// What is expected, where nothing is amiss, is handled in one piece. It comes to the same as
// the general way, segment by segment and variable by variable.
func TestThePlainWayIsTheGeneralWay(t *testing.T) {
	for seed := range uint64(need.Cases(20)) {
		r := rand.New(rand.NewPCG(seed, 3))
		pick := func(d ...time.Duration) time.Duration { return d[r.IntN(len(d))] }
		net := impairments{
			latency: pick(0, time.Microsecond, ms, 30*ms), jitter: pick(0, 0, 0, ms),
			loss: []float64{0, 0, 0, 0.01}[r.IntN(4)], duplicate: []float64{0, 0, 0, 0.01}[r.IntN(4)],
		}
		stamps, offload, window := r.IntN(4) > 0, r.IntN(2)*65000, 1+r.IntN(10)
		w := newWays(t, seed, net, func(c *Config) {
			c.Timestamps, c.Offload, c.InitialWindow = stamps, offload, window
			c.RTORestart, c.LossProbe = seed%5 == 0, seed%7 > 0
			c.CongestionControl = congestion.Names()[seed%uint64(len(congestion.Names()))]
		})
		mss, noDelay := []int{200, 1460, 9000}[r.IntN(3)], r.IntN(2) == 0
		iss := [2]Seq{Seq(r.Uint32()), Seq(r.Uint32())}
		w.both(func(p *pair) {
			p.connect(Params{ISS: iss[0], MSS: mss, NoDelay: noDelay}, Params{ISS: iss[1], MSS: mss})
			p.run(100 * ms)
		})
		for step := range 40 {
			from, n, chunk := r.IntN(2), r.IntN(1<<r.IntN(17)), 1+r.IntN(20_000)
			limit := pick(0, time.Microsecond, ms, 10*ms, 40*ms, 300*ms, 2*time.Second)
			more := r.IntN(20) == 0
			w.both(func(p *pair) {
				party := p.parties[from]
				party.toWrite, party.chunk = append(party.toWrite, make([]byte, n)...), chunk
				if more && party.c != nil {
					party.c.SetMore(true)
				}
				p.run(limit)
			})
			if d := w.differ(); d != "" {
				t.Fatalf("seed %d, step %d: %s", seed, step, d)
			}
		}
	}
}

// plainEnd is an end that goes the plain way.
func plainEnd(t *testing.T) *end {
	e := sackEnd(t, 10*ms)
	e.env.Watch = false
	e.writes(1000)
	e.sent = nil
	e.after(10 * ms)
	e.peer().sends("A 1 ack 1001")
	if !e.c.plain() {
		t.Fatal("a connection where nothing is amiss isn't plain")
	}
	return e
}

// Whatever is amiss, or wished for, is for the general way.
func TestWhatIsNotPlain(t *testing.T) {
	for what, change := range map[string]func(c *Conn){
		"another state":        func(c *Conn) { c.state = StateCloseWait },
		"no program":           func(c *Conn) { c.orphan = true },
		"nobody reads":         func(c *Conn) { c.readShut = true },
		"a FIN":                func(c *Conn) { c.snd.finQueued = true },
		"a shut window":        func(c *Conn) { c.persist.active = true },
		"a window overridden":  func(c *Conn) { c.persist.force = true },
		"something rare":       func(c *Conn) { c.own() },
		"no SACK":              func(c *Conn) { c.sackOK = false },
		"ECN":                  func(c *Conn) { c.ecn = ecnOK },
		"a model of the path":  func(c *Conn) { c.algorithm, _ = congestion.Number("bbr") },
		"disorder":             func(c *Conn) { c.loss.phase = PhaseDisorder },
		"losses before":        func(c *Conn) { c.past() },
		"a gap":                func(c *Conn) { c.rcv.hold(c.env) },
		"a time-out":           func(c *Conn) { c.retries = 1 },
		"a watcher":            func(c *Conn) { c.env.Watch = true },
		"RFC 7661":             func(c *Conn) { c.env.ValidateWindow = true },
		"a host out of memory": func(c *Conn) { c.env.memory.used = c.env.MemoryPages[2] * pageSize },
	} {
		e := plainEnd(t)
		if change(e.c); e.c.plain() {
			t.Errorf("a connection is plain with %s", what)
		}
	}
}

// What is expected begins at RCV.NXT, fits the window, acknowledges what was sent, and
// has a timestamp if that was agreed on, which is no older than the last, and nothing else.
func TestWhatIsExpected(t *testing.T) {
	e := plainEnd(t)
	e.writes(500)
	e.sent = nil
	c := e.c
	c.stamped, c.ts.recent = true, 70
	next := Segment{Seq: c.rcv.nxt, Ack: c.snd.nxt, Flags: ack | psh, Payload: pkt.CopyView(make([]byte, 10))}
	next.Options.Timestamps, next.Options.TSVal = true, 70
	for what, k := range map[string]struct {
		change func(s *Segment)
		want   bool
	}{
		"itself":                   {func(*Segment) {}, true},
		"without PSH":              {func(s *Segment) { s.Flags = ack }, true},
		"no ACK":                   {func(s *Segment) { s.Flags = psh }, false},
		"a FIN":                    {func(s *Segment) { s.Flags |= fin }, false},
		"a mark":                   {func(s *Segment) { s.Flags |= wire.ECE }, false},
		"later":                    {func(s *Segment) { s.Seq++ }, false},
		"sooner":                   {func(s *Segment) { s.Seq-- }, false},
		"no news":                  {func(s *Segment) { s.Ack = c.snd.una }, true},
		"neither text nor news":    {func(s *Segment) { s.Ack, s.Payload = c.snd.una, pkt.View{} }, false},
		"an acknowledgment alone":  {func(s *Segment) { s.Payload = pkt.View{} }, true},
		"an old acknowledgment":    {func(s *Segment) { s.Ack = c.snd.una - 1 }, false},
		"of what was never sent":   {func(s *Segment) { s.Ack = c.snd.nxt + 1 }, false},
		"a later timestamp":        {func(s *Segment) { s.Options.TSVal = 71 }, true},
		"an older timestamp":       {func(s *Segment) { s.Options.TSVal = 69 }, false},
		"no timestamp":             {func(s *Segment) { s.Options.Timestamps = false }, false},
		"blocks":                   {func(s *Segment) { s.Options.NumSACK = 1 }, false},
		"as much as the window":    {func(s *Segment) { c.rcv.edge = c.rcv.nxt.Add(10) }, true},
		"more than the window":     {func(s *Segment) { c.rcv.edge = c.rcv.nxt.Add(9) }, false},
		"timestamps not agreed on": {func(s *Segment) { c.stamped = false }, false},
	} {
		before := *c
		s := next
		k.change(&s)
		if got := c.expected(&s); got != k.want {
			t.Errorf("%s: expected is %v", what, got)
		}
		*c = before
	}
}

// The last text goes at once where the windows have room for all of it, and where the rules
// against small segments don't hold it back.
func TestWhatGoesAtOnce(t *testing.T) {
	e := plainEnd(t)
	c := e.c
	mss := int(c.snd.mss)
	for what, k := range map[string]struct {
		n, flight int
		change    func()
		want      bool
	}{
		"a full segment":        {mss, 0, func() {}, true},
		"a short one":           {mss - 1, 0, func() {}, true},
		"more than one":         {mss + 1, 0, func() {}, false},
		"the peer's window":     {10, 90, func() { c.snd.wnd = 100 }, true},
		"beyond it":             {11, 90, func() { c.snd.wnd = 100 }, false},
		"the congestion window": {10, 90, func() { c.cc.Cwnd = 101 }, true},
		"all of it":             {10, 90, func() { c.cc.Cwnd = 100 }, false},
		"Nagle":                 {mss - 1, 0, func() { c.snd.small = c.snd.una + 1 }, false},
		"Nagle, a full segment": {mss, 0, func() { c.snd.small = c.snd.una + 1 }, true},
		"Nagle, not wanted":     {mss - 1, 0, func() { c.snd.small, c.noDelay = c.snd.una+1, true }, true},
		"Nagle, acknowledged":   {mss - 1, 0, func() { c.snd.small = c.snd.una }, true},
		"a cork":                {mss, 0, func() { c.holding.corked = true }, false},
		"a pace":                {mss, 0, func() { c.cc.Pacing = 1 }, false},
		"a probe":               {mss, 0, func() { c.probeDue = true }, false},
		"a shorter path":        {mss, 0, func() { c.snd.shortened = 500 }, false},
		"order":                 {mss, 0, func() { c.loss.board = &scoreboard{} }, true},
		"disorder":              {mss, 0, func() { c.loss.board = &scoreboard{disturbed: true} }, false},
		"a loss":                {mss, 0, func() { c.loss.board = &scoreboard{lost: tally{segments: 1}} }, false},
	} {
		before := *c
		k.change()
		if got := c.goesAtOnce(k.n, k.flight); got != k.want {
			t.Errorf("%s: at once is %v", what, got)
		}
		*c = before
	}
	c.rtt.rto, c.snd.lastAt = 200*ms, e.now.Add(-200*ms)
	if c.idledLong(e.now) || !c.idledLong(e.now+1) {
		t.Error("a connection has idled for long after its time-out, not before")
	}
	if c.count.bytesOut = 0; c.idledLong(e.now + 1) {
		t.Error("a connection that has never sent anything has idled")
	}
}

// So it is with a peer that acknowledges parts of segments, and whose window moves, and in
// congestion avoidance.
func TestThePlainWayWithAnyPeer(t *testing.T) {
	for seed := range uint64(need.Cases(25)) {
		r := rand.New(rand.NewPCG(seed, 4))
		stamps, avoids, noDelay, rtt := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0, []time.Duration{0, ms, 20 * ms}[r.IntN(3)]
		general, plain := sackEnd(t, rtt), sackEnd(t, rtt)
		general.env.Watch, plain.env.Watch = true, false
		ends := []*end{general, plain}
		for _, e := range ends {
			e.c.SetNoDelay(noDelay)
			e.c.stamped, e.tsOn, e.tsVal = stamps, stamps, 5
			if avoids {
				e.c.cc.Cwnd, e.c.cc.Ssthresh = 3000, 3000
			}
		}
		at := 1
		for step := range 60 {
			kind, n, wait := r.IntN(6), r.IntN(2500), []time.Duration{0, 0, 1, ms, 30 * ms, time.Second}[r.IntN(6)]
			text := r.IntN(2) * r.IntN(200)
			for _, e := range ends {
				switch {
				case kind < 3:
					e.writes(n)
				case kind < 5:
					acked := int(e.c.snd.una-testISS) + min(n, e.c.flight())
					e.peer().sends(fmt.Sprintf("A %d:%d ack %d win %d", at, at+text, acked, 3000+n))
					e.reads(e.c.Readable())
				default:
					e.pass(e.now.Add(wait))
				}
			}
			if kind == 3 || kind == 4 {
				at += text
			}
			if a, b := cut(general.sent), cut(plain.sent); fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("seed %d, step %d: general\n%v\nplain\n%v", seed, step, a, b)
			}
			for i, s := range stateOf(general.c) {
				if now := stateOf(plain.c)[i]; now != s {
					t.Fatalf("seed %d, step %d: general\n%s\nplain\n%s", seed, step, s, now)
				}
			}
			general.sent, plain.sent = nil, nil
		}
	}
}
