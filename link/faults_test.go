package link

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hubbub/clock"
	"hubbub/internal/pkt"
	"hubbub/wire"
)

func TestCertainLossLosesAllAndNamesItsCause(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetLoss(1, 42))
	sends(c, 0, 0, 2, 60)
	c.HandleFrame(0, 1, frame(mac(1), mac(2), 60, 3))
	wantAll(t, "only the other direction delivers", drain(c, 0), arrival{0, 0, 3})
	wantAll(t, "facts", facts(c),
		Fact{Kind: Dropped, Reason: RandomLoss.String(), ID: 1, Cause: 42},
		Fact{Kind: Dropped, Reason: RandomLoss.String(), ID: 2, Cause: 42})
	must(t, c.Line(0).SetLoss(0, 0))
	want(t, "faulty", c.Line(0).faulty, false)
}

func TestLossHasItsProbability(t *testing.T) {
	c := NewCable(rnd(1), rnd(2))
	must(t, c.Line(0).SetLoss(0.1, 0))
	const n = 100_000
	for range n {
		sends(c, 0, 0, 1, 60)
		drain(c, 0)
	}
	lost := float64(c.Drops()[RandomLoss]) / n
	if math.Abs(lost-0.1) > 0.003 {
		t.Errorf("a loss of 0.1 lost %v of all frames", lost)
	}
}

// In the model's bad state, which it leaves with probability 1/4, all is lost:
// the mean length of a burst is 4 frames.
func TestBurstsHaveTheirMeanLength(t *testing.T) {
	c := NewCable(rnd(1), rnd(2))
	must(t, c.Line(0).SetBurst(Burst{ToBad: 0.01, ToGood: 0.25, LossBad: 1}, 0))
	const n = 200_000
	lost, bursts, before := 0, 0, false
	for range n {
		c.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 1))
		got := len(drain(c, 0)) == 1
		if !got {
			lost++
			if !before {
				bursts++
			}
		}
		before = !got
	}
	if mean := float64(lost) / float64(bursts); math.Abs(mean-4) > 0.2 {
		t.Errorf("bursts are %v frames long on average, want 4", mean)
	}
	// The share of the bad state is ToBad / (ToBad + ToGood).
	if share := float64(lost) / n; math.Abs(share-0.01/0.26) > 0.004 {
		t.Errorf("lost %v of all frames, want %v", share, 0.01/0.26)
	}
	want(t, "counted", c.Drops()[BurstLoss], uint64(lost))
}

func TestCorruptionIsSeenByTheFrameCheckSequence(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetCorruption(1, 5))
	for range 1000 {
		c.HandleFrame(0, 0, frame(mac(2), mac(1), 64, 1))
		_, p, _ := c.PollFrame(0)
		if p.FCSOK() {
			t.Fatal("an inverted bit went unnoticed")
		}
		p.Release()
		f := facts(c)[0]
		if f.Kind != Corrupted || f.Cause != 5 || f.Bit < 0 || f.Bit >= 68*8 {
			t.Fatalf("the fact is %+v", f)
		}
	}
	want(t, "counted", c.Line(0).Stats().Corrupted, 1000)
}

func TestACorruptedFrameLeavesItsOriginalAlone(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetCorruption(1, 0))
	p := frame(mac(2), mac(1), 200, 1)
	original := p.Clone()
	c.HandleFrame(0, 0, p)
	drain(c, 0)
	want(t, "the sender's copy is intact", original.FCSOK(), true)
	want(t, "in every byte", slices.Equal(original.AppendTo(nil), frame(mac(2), mac(1), 200, 1).AppendTo(nil)), true)
}

func TestADuplicateArrivesWithItsOriginal(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetDelay(time.Millisecond))
	must(t, c.Line(0).SetDuplication(1, 6))
	sends(c, 0, 0, 1, 60)
	wantAll(t, "arrivals", run(c, 0), arrival{1 * ms, 1, 1}, arrival{1 * ms, 1, 1})
	wantAll(t, "facts", facts(c), Fact{Kind: Duplicated, ID: 1, Cause: 6})
}

func TestAHeldFrameIsOvertaken(t *testing.T) {
	c := newCable()
	l := c.Line(0)
	must(t, l.SetDelay(time.Millisecond))
	must(t, l.SetReordering(1, 5*time.Millisecond, 7))
	sends(c, 0, 0, 1, 60)
	must(t, l.SetReordering(0, 0, 0))
	c.HandleFrame(1*ms, 0, frame(mac(2), mac(1), 60, 2))
	c.HandleFrame(5*ms, 0, frame(mac(2), mac(1), 60, 3))
	c.HandleFrame(6*ms, 0, frame(mac(2), mac(1), 60, 4))
	wantAll(t, "arrivals; of two at one instant the first sent is first", run(c, 6*ms),
		arrival{6 * ms, 1, 2}, arrival{6 * ms, 1, 1}, arrival{6 * ms, 1, 3}, arrival{7 * ms, 1, 4})
	wantAll(t, "facts", facts(c),
		Fact{Kind: Held, ID: 1, For: 5 * time.Millisecond, Cause: 7, Text: "held so that others overtake it"})
}

func TestJitterKeepsTheOrderUnlessToldOtherwise(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		c := NewCable(rnd(3), rnd(4))
		must(t, c.Line(0).SetDelay(time.Millisecond))
		must(t, c.Line(0).SetJitter(time.Millisecond, reorder, 0))
		for id := range 1000 {
			c.HandleFrame(clock.Time(id)*10*us, 0, frame(mac(2), mac(1), 60, uint64(id)))
		}
		all := run(c, 0)
		want(t, "all arrive", len(all), 1000)
		want(t, fmt.Sprintf("with reorder %v, in order", reorder),
			slices.IsSortedFunc(all, func(a, b arrival) int { return int(a.id) - int(b.id) }), !reorder)
		for _, a := range all {
			took := a.at - clock.Time(a.id)*10*us
			if took < 1*ms || took > 2*ms {
				t.Fatalf("frame %d took %v", a.id, took)
			}
		}
	}
}

func TestTheNthFrameThatMatchesIsLost(t *testing.T) {
	c := newCable()
	_, err := c.Line(1).AddRule(Rule{
		Match: Match{FlagsSet: wire.SYN | wire.ACK}, Nth: 2, Name: "the second SYN-ACK",
	}, 11)
	must(t, err)
	var lost []int
	for i := range 6 {
		flags := wire.SYN | wire.ACK
		if i == 1 {
			flags = wire.ACK
		}
		c.HandleFrame(0, 1, segment(flags, 80, 5000, 0))
		if len(drain(c, 0)) == 0 {
			lost = append(lost, i)
		}
	}
	wantAll(t, "lost", lost, 2)
	wantAll(t, "facts", facts(c),
		Fact{Kind: Dropped, Reason: RuleMatched.String(), Port: 1, Cause: 11, Text: "the second SYN-ACK"})
}

func TestARuleHoldsForSomeFramesOrForAll(t *testing.T) {
	for _, x := range []struct {
		nth, count int
		lost       []int
	}{
		{0, 0, []int{0}},
		{1, 1, []int{0}},
		{2, 2, []int{1, 2}},
		{4, -1, []int{3, 4, 5}},
		{0, -1, []int{0, 1, 2, 3, 4, 5}},
	} {
		c := newCable()
		_, err := c.Line(0).AddRule(Rule{Nth: x.nth, Count: x.count}, 0)
		must(t, err)
		var lost []int
		for i := range 6 {
			sends(c, 0, 0, 1, 60)
			if len(drain(c, 0)) == 0 {
				lost = append(lost, i)
			}
		}
		wantAll(t, fmt.Sprintf("lost of nth %d, count %d", x.nth, x.count), lost, x.lost...)
	}
}

func TestRulesCorruptDuplicateAndDelay(t *testing.T) {
	c := newCable()
	l := c.Line(0)
	for i, a := range []Action{Corrupt, Duplicate, Delay} {
		_, err := l.AddRule(Rule{Action: a, Nth: i + 1, For: time.Millisecond}, uint64(10+i))
		must(t, err)
	}
	sends(c, 0, 0, 4, 60)
	wantAll(t, "arrivals", run(c, 0),
		arrival{0, 1, 1}, arrival{0, 1, 2}, arrival{0, 1, 2}, arrival{0, 1, 4}, arrival{1 * ms, 1, 3})
	all := facts(c)
	want(t, "facts", len(all), 3)
	want(t, "the first is corrupted", all[0].Kind == Corrupted && all[0].Cause == 10, true)
	want(t, "the second is duplicated", all[1], Fact{Kind: Duplicated, ID: 2, Cause: 11})
	want(t, "the third is held", all[2], Fact{Kind: Held, ID: 3, Cause: 12, For: time.Millisecond, Text: "held by a rule"})
}

func TestARemovedRuleIsGone(t *testing.T) {
	c := newCable()
	l := c.Line(0)
	first, _ := l.AddRule(Rule{Count: -1}, 0)
	second, _ := l.AddRule(Rule{Count: -1}, 0)
	want(t, "removed", l.RemoveRule(first), true)
	want(t, "removed again", l.RemoveRule(first), false)
	want(t, "rules left", len(l.Settings().Rules), 1)
	l.RemoveRule(second)
	sends(c, 0, 0, 1, 60)
	want(t, "delivered", len(drain(c, 0)), 1)
}

func TestMatchSelects(t *testing.T) {
	from, to := prefix("10.0.0.0/24"), prefix("10.0.1.2/32")
	data := segment(wire.PSH|wire.ACK, 40000, 80, 100)
	for _, x := range []struct {
		name string
		m    Match
		want bool
	}{
		{"anything", Match{}, true},
		{"IPv4", Match{EtherType: wire.EtherTypeIPv4}, true},
		{"ARP", Match{EtherType: wire.EtherTypeARP}, false},
		{"TCP", Match{Protocol: wire.ProtocolTCP}, true},
		{"UDP", Match{Protocol: wire.ProtocolUDP}, false},
		{"the sender's MAC", Match{FromMAC: mac(1)}, true},
		{"another sender's MAC", Match{FromMAC: mac(2)}, false},
		{"the receiver's MAC", Match{ToMAC: mac(2)}, true},
		{"another receiver's MAC", Match{ToMAC: mac(1)}, false},
		{"the source's subnet", Match{From: from}, true},
		{"the source's subnet as destination", Match{To: from}, false},
		{"both addresses", Match{From: from, To: to}, true},
		{"the source port", Match{FromPort: 40000}, true},
		{"another source port", Match{FromPort: 80}, false},
		{"the destination port", Match{ToPort: 80}, true},
		{"another destination port", Match{ToPort: 40000}, false},
		{"ACK set", Match{FlagsSet: wire.ACK}, true},
		{"SYN set", Match{FlagsSet: wire.SYN}, false},
		{"ACK set, FIN clear", Match{FlagsSet: wire.ACK, FlagsClear: wire.FIN}, true},
		{"PSH clear", Match{FlagsClear: wire.PSH}, false},
		{"100 bytes of payload", Match{MinPayload: 100}, true},
		{"101 bytes of payload", Match{MinPayload: 101}, false},
		{"a condition that holds", Match{Func: func(p *pkt.Packet) bool { return p.Len() == 154 }}, true},
		{"a condition that doesn't", Match{Func: func(*pkt.Packet) bool { return false }}, false},
	} {
		want(t, x.name, x.m.Matches(data), x.want)
		// The same bytes, cut into head and body elsewhere.
		for _, head := range []int{14, 30, 40, 134} {
			p := pkt.FromBytes(data.AppendTo(nil), head)
			want(t, fmt.Sprintf("%s, with a head of %d", x.name, head), x.m.Matches(p), x.want)
			p.Release()
		}
	}
}

func TestMatchLooksBehindAVLANTag(t *testing.T) {
	p := segment(wire.SYN, 40000, 80, 0)
	p = addTag(p)
	m := Match{FlagsSet: wire.SYN, ToPort: 80}
	want(t, "a tagged SYN", m.Matches(p), true)
}

func TestMatchOfALaterFragmentKnowsNoPorts(t *testing.T) {
	p := segment(wire.SYN, 40000, 80, 0)
	p.Head()[wire.EthernetHeaderLen+7] = 5 // the fragment's offset
	for _, m := range []Match{{ToPort: 80}, {FlagsSet: wire.SYN}, {FlagsClear: wire.ACK}} {
		want(t, fmt.Sprintf("%+v", m), m.Matches(p), false)
	}
	m := Match{Protocol: wire.ProtocolTCP}
	want(t, "its protocol", m.Matches(p), true)
}

func TestUDPHasPortsButNoFlags(t *testing.T) {
	p := segment(0, 53, 5353, 100)
	p.Head()[wire.EthernetHeaderLen+9] = byte(wire.ProtocolUDP)
	// 112 bytes behind a header of 8.
	for _, x := range []struct {
		m    Match
		want bool
	}{
		{Match{FromPort: 53, ToPort: 5353, MinPayload: 112}, true},
		{Match{MinPayload: 113}, false},
		{Match{FromPort: 54}, false},
		{Match{FlagsClear: wire.SYN}, false},
	} {
		want(t, fmt.Sprintf("%+v", x.m), x.m.Matches(p), x.want)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(segment(wire.SYN, 1, 2, 10).AppendTo(nil), 54)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, b []byte, head int) {
		if len(b) > 2000 || head < 0 {
			return
		}
		p := pkt.FromBytes(b, head)
		defer p.Release()
		all := []Match{
			{}, {FlagsSet: wire.SYN}, {MinPayload: 1}, {ToPort: 1}, {From: prefix("0.0.0.0/0")},
		}
		for _, m := range all {
			if m.Matches(p) && len(b) < wire.EthernetHeaderLen {
				t.Errorf("%+v selects %d bytes", m, len(b))
			}
		}
	})
}

func TestSettingOneThingResetsNoOther(t *testing.T) {
	c := newCable()
	l := c.Line(0)
	full := Settings{
		Rate: 1000, Delay: 2, QueueFrames: 3, QueueBytes: 4, MTU: 500,
		Loss: 0.1, Burst: Burst{0.1, 0.2, 0.3, 0.4}, Corruption: 0.2, Duplication: 0.3,
		Reordering: 0.4, ReorderDelay: 5, Jitter: 6, JitterReorder: true, Cut: true,
	}
	set := []func() error{
		func() error { return l.SetRate(1000) },
		func() error { return l.SetDelay(2) },
		func() error { return l.SetQueue(3, 4) },
		func() error { return l.SetMTU(500) },
		func() error { return l.SetLoss(0.1, 0) },
		func() error { return l.SetBurst(full.Burst, 0) },
		func() error { return l.SetCorruption(0.2, 0) },
		func() error { return l.SetDuplication(0.3, 0) },
		func() error { return l.SetReordering(0.4, 5, 0) },
		func() error { return l.SetJitter(6, true, 0) },
		func() error { l.Cut(0, 0); return nil },
	}
	for range 20 {
		for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(set)) {
			must(t, set[i]())
		}
		want(t, "all settings", fmt.Sprint(l.Settings()), fmt.Sprint(full))
	}
	want(t, "the other direction", fmt.Sprint(c.Line(1).Settings()),
		fmt.Sprint(Settings{QueueFrames: 1000, MTU: 1500}))
	must(t, l.SetJitter(0, false, 0))
	full.Jitter, full.JitterReorder = 0, false
	want(t, "unset jitter alone", fmt.Sprint(l.Settings()), fmt.Sprint(full))
}

func TestBadSettingsAreRefusedInASentence(t *testing.T) {
	l := newCable().Line(0)
	before := fmt.Sprint(l.Settings())
	for _, x := range []struct {
		err  error
		want string
	}{
		{l.SetLoss(1.5, 0), "a probability of loss of 1.5: it must be between 0 and 1"},
		{l.SetLoss(math.NaN(), 0), "a probability of loss of NaN: it must be between 0 and 1"},
		{l.SetBurst(Burst{ToBad: -1}, 0), "a probability of burst loss of -1: it must be between 0 and 1"},
		{l.SetCorruption(2, 0), "a probability of corruption of 2: it must be between 0 and 1"},
		{l.SetDuplication(2, 0), "a probability of duplication of 2: it must be between 0 and 1"},
		{l.SetReordering(2, 0, 0), "a probability of reordering of 2: it must be between 0 and 1"},
		{l.SetReordering(1, -1, 0), "an extra delay of -1ns: it must be between 0 and 1h0m0s"},
		{l.SetDelay(-1), "a delay of -1ns: it must be between 0 and 1h0m0s"},
		{l.SetJitter(2*time.Hour, true, 0), "a jitter of 2h0m0s: it must be between 0 and 1h0m0s"},
		{l.SetRate(-1), "a rate of -1 bit/s: it must be positive, or 0 for no limit"},
		{l.SetQueue(-1, 0), "a queue of -1 frames and 0 bytes: they must be positive, or 0 for no bound"},
		{l.SetMTU(67), "an MTU of 67 octets: it must be between 68 and 65536"},
	} {
		if x.err == nil || x.err.Error() != x.want {
			t.Errorf("got %v, want %s", x.err, x.want)
		}
	}
	for _, r := range []Rule{{Action: 9}, {Nth: -1}, {Count: -2}, {For: -1}} {
		if _, err := l.AddRule(r, 0); err == nil {
			t.Errorf("the rule %+v was accepted", r)
		}
	}
	want(t, "nothing has changed", fmt.Sprint(l.Settings()), before)
	for range maxRules {
		l.AddRule(Rule{}, 0)
	}
	if _, err := l.AddRule(Rule{}, 0); err == nil {
		t.Error("there is no end of rules")
	}
}

// faultyCable draws the settings of a cable.
func faultyCable(t *rapid.T, c *Cable, reordering bool) {
	probability := rapid.Float64Range(0, 0.5)
	for side := range 2 {
		l := c.Line(side)
		l.SetRate(rapid.Int64Range(0, 100_000_000).Draw(t, "rate"))
		l.SetDelay(time.Duration(rapid.IntRange(0, 5_000_000).Draw(t, "delay")))
		l.SetQueue(rapid.IntRange(0, 20).Draw(t, "frames"), rapid.IntRange(0, 10_000).Draw(t, "bytes"))
		l.SetLoss(probability.Draw(t, "loss"), 0)
		l.SetBurst(Burst{probability.Draw(t, "to bad"), 0.5, 0, 0.5}, 0)
		l.SetCorruption(probability.Draw(t, "corruption"), 0)
		l.SetDuplication(probability.Draw(t, "duplication"), 0)
		l.SetJitter(time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "jitter")), reordering, 0)
		if reordering {
			l.SetReordering(probability.Draw(t, "reordering"), time.Millisecond, 0)
		}
	}
}

// Whatever the faults, each frame that entered, and each copy, was delivered,
// or dropped for a reason, or is on its way; without reordering they arrive in
// the order of sending; and no frame arrives before its time.
func TestNoFrameIsUnaccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reordering := rapid.Bool().Draw(t, "reorder")
		c := NewCable(rnd(rapid.Uint64().Draw(t, "seed")), rnd(1))
		c.Watch = rapid.Bool().Draw(t, "watch")
		faultyCable(t, c, reordering)
		now, last := clock.Time(0), [2]uint64{}
		check := func() {
			for port, p, ok := c.PollFrame(now); ok; port, p, ok = c.PollFrame(now) {
				if p.ID < last[port] && !reordering {
					t.Fatalf("frame %d came after frame %d", p.ID, last[port])
				}
				last[port] = p.ID
				p.Release()
			}
			if next := c.NextTimer(); next != clock.Never && next <= now {
				t.Fatalf("at %v something is still due at %v", now, next)
			}
			for side := range 2 {
				l := c.Line(side)
				st := l.Stats()
				if st.Sent+st.Duplicated != st.Delivered+st.Drops.Total()+uint64(l.InFlight()) {
					t.Fatalf("%+v and %d in flight don't add up", st, l.InFlight())
				}
			}
			facts(c)
		}
		for id := uint64(1); id <= 100; id++ {
			now += clock.Time(rapid.IntRange(0, 300_000).Draw(t, "gap"))
			switch rapid.IntRange(0, 50).Draw(t, "step") {
			case 0:
				c.Cut(now, 1)
			case 1:
				c.Mend()
			default:
				side := rapid.IntRange(0, 1).Draw(t, "side")
				size := rapid.IntRange(50, 1530).Draw(t, "size")
				c.HandleFrame(now, side, frame(mac(2), mac(1), size, id))
			}
			check()
		}
		for c.NextTimer() != clock.Never {
			now = c.NextTimer()
			check()
		}
	})
}

// story tells all that happens on a faulty cable with that seed.
func story(seed uint64, other bool) string {
	c := NewCable(rnd(seed), rnd(seed+1))
	c.Watch = true
	l := c.Line(0)
	l.SetRate(10_000_000)
	l.SetLoss(0.1, 0)
	l.SetDuplication(0.1, 0)
	l.SetCorruption(0.1, 0)
	l.SetJitter(time.Millisecond, true, 0)
	c.Line(1).SetLoss(0.5, 0)
	for id := range 200 {
		c.HandleFrame(clock.Time(id)*50*us, 0, frame(mac(2), mac(1), 60, uint64(id)))
		if other {
			c.HandleFrame(clock.Time(id)*50*us, 1, frame(mac(1), mac(2), 60, 1000))
		}
	}
	told := ""
	for _, a := range run(c, 0) {
		if a.port == 1 {
			told += fmt.Sprintln(a)
		}
	}
	for _, f := range facts(c) {
		if f.Port == 0 {
			told += fmt.Sprintln(f)
		}
	}
	return told
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	first := story(1, false)
	want(t, "again", story(1, false) == first, true)
	want(t, "with another seed", story(2, false) == first, false)
	want(t, "whatever the other direction does", story(1, true) == first, true)
}

func TestTheFlightIsSortedAndStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f flight
		var model []traveller
		for seq := range uint64(200) {
			if rapid.IntRange(0, 2).Draw(t, "step") == 0 && f.n > 0 {
				f.pop()
				model = model[1:]
			} else {
				x := traveller{at: clock.Time(rapid.IntRange(0, 20).Draw(t, "at")), seq: seq}
				f.insert(x)
				model = append(model, x)
				slices.SortStableFunc(model, func(a, b traveller) int { return int(a.at - b.at) })
			}
			if f.n != len(model) || len(model) > 0 && *f.first() != model[0] {
				t.Fatalf("%d frames, the first is %v; want %d, %v", f.n, f.first(), len(model), model)
			}
		}
		for _, x := range model {
			if *f.first() != x {
				t.Fatalf("the first is %v, want %v", f.first(), x)
			}
			f.pop()
		}
	})
}
