package tcp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"hubbub/wire"
)

// cut returns what segments stand for, one by one: FIN and PSH are of the last, CWR of the
// first.
func cut(all []sentSegment) (parts []string) {
	for _, s := range all {
		seq, text, flags := s.Seq, s.text, s.Flags
		for s.Size > 0 && len(text) > s.Size {
			parts = append(parts, fmt.Sprintf("%v %d+%d ack %d", flags&^(fin|psh), seq-testISS, s.Size, s.Ack-testIRS))
			seq, text, flags = seq.Add(s.Size), text[s.Size:], flags&^wire.CWR
		}
		parts = append(parts, fmt.Sprintf("%v %d+%d ack %d", flags, seq-testISS, len(text), s.Ack-testIRS))
	}
	return parts
}

// What goes together is, segment by segment and record by record, what would have gone
// without: whatever is written, held back, acknowledged and closed when.
func TestWhatGoesTogetherIsTheSame(t *testing.T) {
	large, ends := 0, 0 // segments that stand for several, and those whose last isn't full
	for seed := range uint64(300) {
		together, alone := sackEnd(t, 10*ms, func(c *Config) { c.Offload = 65_000 }), sackEnd(t, 10*ms)
		if seed%3 == 0 {
			together.does(func(c *Conn) { c.SetNoDelay(true) })
			alone.does(func(c *Conn) { c.SetNoDelay(true) })
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var story []string
		for range 20 {
			step, n := r.IntN(10), r.IntN(8000)+1
			story = append(story, fmt.Sprint(step, " ", n))
			for _, e := range []*end{together, alone} {
				e.plays(step, n)
			}
			if a, b := cut(together.sent), cut(alone.sent); fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("seed %d, %v: together\n%v\nalone\n%v", seed, story, a, b)
			}
			if a, b := records(together), records(alone); a != b {
				t.Fatalf("seed %d, %v: the records of what went together\n%s\nalone\n%s", seed, story, a, b)
			}
			for _, s := range together.sent {
				if s.Size > 0 {
					large++
					ends += min(1, len(s.text)%s.Size)
				}
			}
			together.sent, alone.sent = nil, nil
		}
	}
	if large < 500 || ends < 200 || ends == large {
		t.Errorf("%d segments stood for several, the last of %d wasn't full: the test shows too little", large, ends)
	}
}

// plays does one of several things that change what may be sent.
func (e *end) plays(step, n int) {
	flight := e.c.flight()
	switch {
	case step < 5 && e.c.CanWrite():
		e.writes(n)
	case step == 5:
		e.does(func(c *Conn) { c.SetMore(n%2 == 0) })
	case step == 6 && e.c.CanWrite():
		e.does(func(c *Conn) { c.EndRecord() })
	case step == 7 && n%20 == 0:
		e.does(func(c *Conn) { c.Close(e.now) })
	case flight > 0:
		e.after(10 * ms)
		e.peer().sends(fmt.Sprintf("A 1 ack %d win %d", int(e.c.snd.una-testISS)+min(n, flight), 1000+3*n))
	}
}

// records returns what the scoreboard has.
func records(e *end) (text string) {
	b := e.c.loss.board
	if b == nil {
		return ""
	}
	for i := range b.n {
		r := b.at(i)
		text += fmt.Sprintf("%d:%d %x in flight %d\n", r.seq-testISS, r.end-testISS, r.marks, r.inFlight)
	}
	return text
}
