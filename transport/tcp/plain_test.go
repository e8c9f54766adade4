package tcp

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"hubbub/internal/need"
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

// pointers are what two connections can't have in common.
var pointers = regexp.MustCompile(`0x[0-9a-f]+`)

// stateOf returns all that a connection's machine remembers, part by part.
func stateOf(c *Conn) []string {
	if c == nil {
		return []string{"none"}
	}
	v := *c
	v.env, v.timers.causes = nil, nil
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
	control := pointers.ReplaceAllString(fmt.Sprintf("control %+v", v.control), "…")
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
