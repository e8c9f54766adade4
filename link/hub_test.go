package link

import (
	"testing"

	"hubbub/clock"
	"hubbub/internal/need"
	"hubbub/internal/pkt"
)

func TestAHubRepeatsToEveryOtherPort(t *testing.T) {
	h := NewHub(4)
	h.Watch = true
	for in := range 4 {
		h.HandleFrame(1*s, in, frame(mac(2), mac(1), 60, 7))
		var want []arrival
		for out := range 4 {
			if out != in {
				want = append(want, arrival{1 * s, out, 7})
			}
		}
		wantAll(t, "repeated", drain(h, 1*s), want...)
	}
	want(t, "the next timer", h.NextTimer(), clock.Never)
	wantAll(t, "facts", facts(h))
}

// A hub is layer 1: it repeats bits, be they right or wrong.
func TestAHubRepeatsADamagedFrame(t *testing.T) {
	h := NewHub(3)
	p := frame(mac(2), mac(1), 60, 7)
	p.FlipBit(100)
	h.HandleFrame(0, 0, p)
	for range 2 {
		_, p, ok := h.PollFrame(0)
		if !ok || p.FCSOK() {
			t.Fatal("the frame was not repeated as it was")
		}
		p.Release()
	}
}

func TestAHubGivesEachPortAFrameOfItsOwn(t *testing.T) {
	h := NewHub(3)
	h.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 7))
	_, p, _ := h.PollFrame(0)
	_, q, _ := h.PollFrame(0)
	p.Head()[0] ^= 0xff
	want(t, "the other is intact", q.Head()[0], mac(2)[0])
	p.Release()
	q.Release()
}

func TestAHubOfOnePortHasNobodyToTell(t *testing.T) {
	h := NewHub(1)
	h.Watch = true
	h.HandleFrame(0, 0, frame(mac(2), mac(1), 60, 7))
	h.HandleFrame(0, 1, frame(mac(2), mac(1), 60, 8))
	wantAll(t, "frames", drain(h, 0))
	wantAll(t, "facts", facts(h),
		Fact{Kind: Dropped, Reason: NoOtherPort.String(), ID: 7},
		Fact{Kind: Dropped, Reason: NoSuchPort.String(), ID: 8, Port: 1})
	want(t, "counted", h.Drops()[NoOtherPort]+h.Drops()[NoSuchPort], 2)
}

func TestAHubCanGrow(t *testing.T) {
	h := NewHub(0)
	for i := range 3 {
		want(t, "the new port", h.AddPort(), i)
	}
	wantAll(t, "repeated", sent(h, 0, 1, frame(mac(2), mac(1), 60, 7)), 0, 2)
}

func TestAHubAllocatesNothing(t *testing.T) {
	need.NoRace(t)
	h := NewHub(8)
	p := frame(mac(2), mac(1), 1514, 1)
	allocs := testing.AllocsPerRun(1000, func() {
		h.HandleFrame(1*s, 0, p)
		var next *pkt.Packet
		for _, q, ok := h.PollFrame(0); ok; _, q, ok = h.PollFrame(0) {
			if next != nil {
				next.Release()
			}
			next = q
		}
		p = next
	})
	want(t, "allocations per frame", allocs, 0)
}

func TestReasonsHaveTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d has the text %q", r, r)
		}
		seen[r.String()] = true
	}
	want(t, "a reason that isn't", numReasons.String(), "unknown")
	want(t, "a kind", Learned.String(), "learned")
	d := Drops{CableCut: 3, Runt: 4}
	want(t, "in total", d.Total(), 7)
}
