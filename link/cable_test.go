package link

import (
	"testing"
	"time"

	"hubbub/clock"
)

func newCable() *Cable {
	c := NewCable(rnd(1), rnd(2))
	c.Watch = true
	return c
}

// sends puts frames 1 to n, of that size, on the cable at one instant.
func sends(c *Cable, at clock.Time, side, n, size int) {
	for id := 1; id <= n; id++ {
		c.HandleFrame(at, side, frame(mac(2), mac(1), size, uint64(id)))
	}
}

func TestAPerfectCableDeliversAtOnce(t *testing.T) {
	c := newCable()
	c.HandleFrame(5*s, 0, frame(mac(2), mac(1), 100, 7))
	c.HandleFrame(5*s, 1, frame(mac(1), mac(2), 100, 8))
	c.HandleFrame(5*s, 0, frame(mac(2), mac(1), 100, 9))
	wantAll(t, "in the order of sending", drain(c, 5*s),
		arrival{5 * s, 1, 7}, arrival{5 * s, 0, 8}, arrival{5 * s, 1, 9})
	want(t, "the next timer", c.NextTimer(), clock.Never)
	wantAll(t, "facts", facts(c))
}

func TestACableWorksFromTheBeginningOfTheWorld(t *testing.T) {
	c := newCable()
	sends(c, 0, 0, 1, 60)
	wantAll(t, "delivered", drain(c, 0), arrival{0, 1, 1})
}

func TestDelayIsExact(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetDelay(3*time.Millisecond))
	sends(c, 1*s, 0, 1, 100)
	want(t, "the next timer", c.NextTimer(), 1*s+3*ms)
	wantAll(t, "a nanosecond before", drain(c, 1*s+3*ms-ns))
	wantAll(t, "on time", drain(c, 1*s+3*ms), arrival{1*s + 3*ms, 1, 1})
	c.HandleFrame(2*s, 1, frame(mac(1), mac(2), 100, 2))
	wantAll(t, "the other direction has none", drain(c, 2*s), arrival{2 * s, 0, 2})
}

// IEEE 802.3: at 10 Mbit/s a frame of 64 octets with preamble (8) and gap (12)
// takes 84 octet times: 67.2 us.
func TestSerialisationCountsPreambleCheckSequenceAndGap(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetRate(10_000_000))
	sends(c, 0, 0, 3, 60)
	wantAll(t, "arrivals", run(c, 0),
		arrival{67_200 * ns, 1, 1}, arrival{134_400 * ns, 1, 2}, arrival{201_600 * ns, 1, 3})
	held := facts(c)
	want(t, "frames that waited", len(held), 2)
	want(t, "the second waited", held[0], Fact{Kind: Held, ID: 2, For: 67_200, Text: "waits until the line is free"})
	want(t, "the third waited", held[1].For, 134_400*time.Nanosecond)
}

func TestABusyLineHasItsExactRate(t *testing.T) {
	c := newCable()
	c.Watch = false
	must(t, c.Line(0).SetRate(3_000_000_000)) // a frame of 60 takes 224 ns
	must(t, c.Line(0).SetQueue(0, 0))
	sends(c, 1*s, 0, 30_000, 61) // 61 + 24 octets: 226 2/3 ns
	all := run(c, 1*s)
	want(t, "the last arrives", all[len(all)-1].at, 1*s+30_000*680/3*ns)
}

func TestTheQueueBeforeTheLineIsBounded(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetRate(10_000_000))
	must(t, c.Line(0).SetQueue(2, 0))
	sends(c, 0, 0, 4, 60) // one on the line, two wait, one is too many
	all := facts(c)
	want(t, "the last fact", all[len(all)-1], Fact{Kind: Dropped, Reason: QueueFull.String(), ID: 4})
	want(t, "counted", c.Drops()[QueueFull], 1)
	// After the first has left there is room for one more.
	c.HandleFrame(67_200*ns, 0, frame(mac(2), mac(1), 60, 5))
	want(t, "still one drop", c.Drops()[QueueFull], 1)
	want(t, "arrivals", len(run(c, 0)), 4)
}

func TestTheQueueMayBeBoundedInBytes(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetRate(1_000_000))
	must(t, c.Line(0).SetQueue(0, 2500))
	sends(c, 0, 0, 4, 1000) // one on the line, two wait: 2000 bytes
	want(t, "dropped", c.Drops()[QueueFull], 1)
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 500, 5))
	want(t, "500 more fit exactly", c.Drops()[QueueFull], 1)
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 6))
	want(t, "and nothing else", c.Drops()[QueueFull], 2)
}

func TestTheFramesOnACableAreBounded(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetDelay(time.Hour))
	sends(c, 0, 0, maxInFlight+1, 60)
	want(t, "in flight", c.Line(0).InFlight(), maxInFlight)
	wantAll(t, "facts", facts(c), Fact{Kind: Dropped, Reason: CableFull.String(), ID: maxInFlight + 1})
}

func TestRuntsAndGiantsAreDropped(t *testing.T) {
	c := newCable()
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 59, 1))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 2))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 1514, 3))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 1515, 4))
	c.HandleFrame(0, 0, taggedFrame(mac(2), mac(1), 5, 1518, 5))
	c.HandleFrame(0, 0, taggedFrame(mac(2), mac(1), 5, 1519, 6))
	wantAll(t, "delivered", drain(c, 0), arrival{0, 1, 2}, arrival{0, 1, 3}, arrival{0, 1, 5})
	wantAll(t, "facts", facts(c),
		Fact{Kind: Dropped, Reason: Runt.String(), ID: 1},
		Fact{Kind: Dropped, Reason: Giant.String(), ID: 4},
		Fact{Kind: Dropped, Reason: Giant.String(), ID: 6})
	must(t, c.Line(0).SetMTU(9000))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 9014, 7))
	wantAll(t, "a jumbo frame", drain(c, 0), arrival{0, 1, 7})
}

func TestACutDropsWhatIsOnTheCableAndWhatEntersIt(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetDelay(10*time.Millisecond))
	must(t, c.Line(1).SetDelay(10*time.Millisecond))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 1))
	c.HandleFrame(5*ms, 1, frame(mac(1), mac(2), 60, 2))
	c.Cut(6*ms, 99)
	c.HandleFrame(7*ms, 0, frame(mac(2), mac(1), 60, 3))
	want(t, "the next timer", c.NextTimer(), clock.Never)
	wantAll(t, "facts", facts(c),
		Fact{Kind: Dropped, Reason: CableCut.String(), ID: 1, Cause: 99, Text: "was on the cable when it was cut"},
		Fact{Kind: Dropped, Reason: CableCut.String(), Port: 1, ID: 2, Cause: 99, Text: "was on the cable when it was cut"},
		Fact{Kind: Dropped, Reason: CableCut.String(), ID: 3, Cause: 99})
	c.Mend()
	c.HandleFrame(8*ms, 0, frame(mac(2), mac(1), 60, 4))
	wantAll(t, "mended, its delay is the same", run(c, 8*ms), arrival{18 * ms, 1, 4})
	wantAll(t, "no more facts", facts(c))
}

func TestOneDirectionCanBeCut(t *testing.T) {
	c := newCable()
	c.Line(0).Cut(0, 1)
	sends(c, 0, 0, 1, 60)
	c.HandleFrame(0, 1, frame(mac(1), mac(2), 60, 2))
	wantAll(t, "delivered", drain(c, 0), arrival{0, 0, 2})
}

func TestAShorterDelayLetsNoFrameOvertake(t *testing.T) {
	c := newCable()
	must(t, c.Line(0).SetDelay(10*time.Millisecond))
	c.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 1))
	must(t, c.Line(0).SetDelay(0))
	c.HandleFrame(1*ms, 0, frame(mac(2), mac(1), 60, 2))
	wantAll(t, "arrivals", run(c, 1*ms), arrival{10 * ms, 1, 1}, arrival{10 * ms, 1, 2})
}

func TestAPerfectCableAllocatesNothing(t *testing.T) {
	c := NewCable(rnd(1), rnd(2))
	p := frame(mac(2), mac(1), 1514, 1)
	allocs := testing.AllocsPerRun(1000, func() {
		c.HandleFrame(1*s, 0, p)
		_, p, _ = c.PollFrame(1 * s)
	})
	want(t, "allocations per frame", allocs, 0)
	c.Line(0).SetRate(1_000_000_000)
	c.Line(0).SetDelay(time.Millisecond)
	c.Line(0).SetLoss(1e-9, 0)
	c.Line(0).SetJitter(time.Millisecond, true, 0)
	allocs = testing.AllocsPerRun(1000, func() {
		c.HandleFrame(1*s, 0, p)
		_, p, _ = c.PollFrame(3 * s)
	})
	want(t, "allocations per frame with faults", allocs, 0)
}

func BenchmarkPerfectCable(b *testing.B) {
	c := NewCable(rnd(1), rnd(2))
	p := frame(mac(2), mac(1), 1514, 1)
	b.ReportAllocs()
	for b.Loop() {
		c.HandleFrame(1*s, 0, p)
		_, p, _ = c.PollFrame(1 * s)
		c.PollFrame(1 * s)
	}
}

func BenchmarkCableWithRateAndDelay(b *testing.B) {
	c := NewCable(rnd(1), rnd(2))
	c.Line(0).SetRate(1_000_000_000)
	c.Line(0).SetDelay(time.Millisecond)
	p := frame(mac(2), mac(1), 1514, 1)
	now := clock.Time(0)
	b.ReportAllocs()
	for b.Loop() {
		now += 13 * us
		c.HandleFrame(now, 0, p.Clone())
		if _, q, ok := c.PollFrame(now); ok {
			q.Release()
		}
	}
}
