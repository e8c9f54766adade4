package tcp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubbub/clock"
)

// facts drains what was recorded.
func facts(env *Env) (all []Event) {
	for {
		ev, ok := env.PollEvent()
		if !ok {
			return all
		}
		all = append(all, ev)
	}
}

// facts expects that these facts were recorded since it was last asked, and no
// others.
func (w wantOf) facts(want ...string) {
	w.t.Helper()
	var got []string
	for _, f := range facts(w.env) {
		got = append(got, inWords(f))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// inWords tells a fact; times are since the test began.
func inWords(f Event) string {
	switch f.Kind {
	case EventState:
		return fmt.Sprintf("%v -> %v: %s", f.From, f.To, f.Why)
	case EventTimerSet:
		return fmt.Sprintf("%v timer set to %v", f.Timer, f.At.Sub(began))
	case EventTimerStopped:
		return fmt.Sprintf("%v timer stopped", f.Timer)
	case EventTimerFired:
		return fmt.Sprintf("%v timer fired, of event %d", f.Timer, f.Cause)
	case EventCongestion:
		return fmt.Sprintf("cwnd %d, ssthresh %d, %v: %s", f.Cwnd, f.Ssthresh, f.Phase, f.Why)
	case EventDiscard:
		return fmt.Sprintf("discards: %v", f.Discard)
	}
	return map[EventKind]string{EventAdvice: "advice", EventUrgent: "urgent"}[f.Kind]
}

func TestFactsTellTheStory(t *testing.T) {
	e := newEnd(t)
	e.env.Watch, e.env.Cause = true, 41
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	due := e.now.Add(e.env.InitialRTO)
	want := []Event{
		{Kind: EventState, From: StateClosed, To: StateSynSent, Why: "the program connects"},
		{Kind: EventTimerSet, Timer: TimerRetransmit, At: due},
	}
	if got := facts(e.env); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	e.env.Cause = 42
	e.pass(due)
	e.want().segment("S 0", ReasonOpenRetry)
	got := facts(e.env)
	fired := Event{Kind: EventTimerFired, Timer: TimerRetransmit, At: due, Cause: 41}
	if len(got) != 2 || got[0] != fired || got[1].Kind != EventTimerSet {
		t.Errorf("got %+v", got)
	}
	e.env.Watch = false
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	if got := facts(e.env); len(got) != 0 {
		t.Errorf("nobody watches, and %+v was recorded", got)
	}
}

func TestFactsNobodyFetchesAreBounded(t *testing.T) {
	e := establishedEnd(t)
	e.env.Watch = true
	for range 10_000 {
		e.peer().sends("R 0")
	}
	if n := len(e.env.facts); n != maxFacts {
		t.Errorf("%d facts are kept", n)
	}
}

func TestEverythingHasAName(t *testing.T) {
	for r := Reason(0); r < numReasons; r++ {
		if r.String() == "" || r > ReasonNone && !strings.HasPrefix(r.RFC(), "RFC ") {
			t.Errorf("reason %d: %q, %q", r, r.String(), r.RFC())
		}
	}
	for d := DiscardNone + 1; d < numDiscards; d++ {
		if d.String() == "" {
			t.Errorf("discard %d has no name", d)
		}
	}
	for s := State(0); s < numStates; s++ {
		if s.String() == "" {
			t.Errorf("state %d has no name", s)
		}
	}
	for timer := Timer(0); timer < numTimers; timer++ {
		if timer.String() == "" {
			t.Errorf("timer %d has no name", timer)
		}
	}
	for a := Admission(0); a < numAdmissions; a++ {
		if a.String() == "" {
			t.Errorf("admission %d has no name", a)
		}
	}
}

func TestNextTimerIsTheFirst(t *testing.T) {
	var set timers
	env := NewEnv(DefaultConfig())
	if set.next() != clock.Never {
		t.Error("no timer is set, and one is next")
	}
	set.set(env, TimerKeepAlive, 900)
	set.set(env, TimerRetransmit, 500)
	set.set(env, TimerDelayedACK, 700)
	if got := set.next(); got != 500 {
		t.Errorf("the next is %v", got)
	}
	set.stop(env, TimerRetransmit)
	if got := set.next(); got != 700 {
		t.Errorf("the next is %v", got)
	}
	if set.fire(env, TimerDelayedACK, 699) || !set.fire(env, TimerDelayedACK, 700) || set.fire(env, TimerDelayedACK, 701) {
		t.Error("a timer is due once, at its time")
	}
}

func TestSequenceNumbersWrapAround(t *testing.T) {
	for _, c := range []struct {
		s, t Seq
		less bool
		sub  int
	}{
		{1, 2, true, -1},
		{2, 1, false, 1},
		{5, 5, false, 0},
		{0xffff_ffff, 0, true, -1},
		{0xffff_ff00, 0x100, true, -0x200},
		{0x100, 0xffff_ff00, false, 0x200},
		{0, 0x7fff_ffff, true, -0x7fff_ffff},
	} {
		if c.s.Less(c.t) != c.less || c.s.Sub(c.t) != c.sub || c.t.Add(c.sub) != c.s || c.s.LessEq(c.t) != (c.less || c.sub == 0) {
			t.Errorf("%d and %d", c.s, c.t)
		}
	}
	if !Seq(3).Between(0xffff_fff0, 10) || Seq(10).Between(0xffff_fff0, 10) || Seq(5).Between(5, 5) {
		t.Error("between")
	}
}

func TestResetForAStranger(t *testing.T) {
	// RFC 9293, 3.10.7.1.
	e := newEnd(t)
	for spec, want := range map[string]Segment{
		"S 5":        {Ack: testIRS.Add(6), Flags: rst | ack, Reason: ReasonClosedPort},
		"- 5:15":     {Ack: testIRS.Add(15), Flags: rst | ack, Reason: ReasonClosedPort},
		"F 5:15":     {Ack: testIRS.Add(16), Flags: rst | ack, Reason: ReasonClosedPort},
		"A 5 ack 9":  {Seq: testISS.Add(9), Flags: rst, Reason: ReasonClosedPort},
		"SA 5 ack 9": {Seq: testISS.Add(9), Flags: rst, Reason: ReasonClosedPort},
	} {
		seg, _ := e.parseSpec(spec, testIRS, testISS)
		if got, ok := ResetFor(&seg); !ok || got != want {
			t.Errorf("%q: %+v, want %+v", spec, got, want)
		}
		seg.drop()
	}
	seg, _ := e.parseSpec("RA 5 ack 9", testIRS, testISS)
	if _, ok := ResetFor(&seg); ok {
		t.Error("a reset is answered")
	}
}

func TestFactsTellHowTheWindowMoves(t *testing.T) {
	e := flightEnd(t)
	e.env.Watch = true
	e.peer().sends("A 1 ack 2001")                                 // slow start
	e.peer().sends("A 1 ack 2001", "A 1 ack 2001", "A 1 ack 2001") // recovery
	e.peer().sends("A 1 ack 4001")                                 // a partial ACK
	e.peer().sends("A 1 ack 14001")                                // the end of it
	e.peer().sends("A 1 ack 15001")
	e.sent = nil
	var got []string
	for _, f := range facts(e.env) {
		if f.Kind == EventCongestion {
			got = append(got, sprintf("%v: %s, cwnd %d, ssthresh %d", f.Phase, f.Why, f.Cwnd, f.Ssthresh))
		}
	}
	want := []string{
		"open: slow start, cwnd 12000, ssthresh 1073741824",
		"disorder: something has arrived after a gap, cwnd 12000, ssthresh 1073741824",
		"recovery: fast retransmit: three duplicate ACKs, cwnd 12000, ssthresh 6000",
		"recovery: proportional rate reduction, cwnd 9000, ssthresh 6000",
		"recovery: a partial ACK, cwnd 9000, ssthresh 6000",
		"recovery: proportional rate reduction, cwnd 8000, ssthresh 6000",
		"open: recovery is complete, cwnd 6000, ssthresh 6000",
	}
	if len(got) < len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestGrowthHasAName(t *testing.T) {
	for _, c := range []struct {
		cwnd int
		want string
	}{{9000, "slow start"}, {10000, "slow start"}, {11000, "congestion avoidance"}} {
		e := establishedEnd(t)
		e.c.cc.Cwnd, e.c.cc.Ssthresh = c.cwnd, 10000
		if got := e.c.growth(); got != c.want {
			t.Errorf("cwnd %d: %q", c.cwnd, got)
		}
	}
}
