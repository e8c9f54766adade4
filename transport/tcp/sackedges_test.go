package tcp

import (
	"testing"

	"hubbub/wire"
)

func TestWhatIsADSACK(t *testing.T) {
	// "If the SACK block is for a segment below the cumulative acknowledgement,
	// or is a subset of the second SACK block, then it is a D-SACK block"
	// (RFC 2883, 5).
	for _, x := range []struct {
		acked               Seq
		left, right         uint32 // of the first
		leftOver, rightOver uint32 // of the second
		want                bool
	}{
		{1001, 1, 1001, 0, 0, true},
		{1001, 1000, 2001, 0, 0, true},
		{1001, 1001, 2001, 0, 0, false},
		{1001, 2001, 3001, 1001, 4001, true},
		{1001, 2001, 3001, 2001, 3001, true},
		{1001, 2001, 3001, 2002, 4001, false},
		{1001, 2001, 3001, 1001, 3000, false},
	} {
		blocks := []wire.SACKBlock{{Left: x.left, Right: x.right}}
		if x.rightOver > 0 {
			blocks = append(blocks, wire.SACKBlock{Left: x.leftOver, Right: x.rightOver})
		}
		if got := isDSACK(blocks, x.acked); got != x.want {
			t.Errorf("%+v: %v", x, got)
		}
	}
}

func TestWhatADSACKCounts(t *testing.T) {
	// "the D-SACK block ... reports a duplicate contiguous sequence of data
	// received by the receiver" (RFC 2883, 4): so many segments came twice. What
	// was never sent can't have.
	for block, want := range map[string]struct{ duplicates, bad uint32 }{
		"1:2":       {1, 0},
		"1:1001":    {1, 0},
		"1:1002":    {2, 0},
		"1:10001":   {10, 0},
		"1:10002":   {0, 1},
		"5000:5000": {0, 1},
		"5000:4999": {0, 1},
	} {
		e := sackFlight(t, 10, 100*ms, noProbe)
		e.peer().sends("A 1 ack 5001 sack " + block)
		e.want().discarded(DiscardBadSACK, want.bad)
		if got := e.c.Info().Recovery.Duplicates; got != want.duplicates {
			t.Errorf("%s: %d segments came twice, want %d", block, got, want.duplicates)
		}
	}
}

func TestABlockOfWhatWasNotSentCountsForNothing(t *testing.T) {
	// A block ends where what was sent ends, at most, and begins before it ends
	// (RFC 2018, 3: "Left Edge of Block ... Right Edge of Block").
	for block, sacked := range map[string]int{
		"9001:10001": 1, "9001:10002": 0, "9001:9001": 0, "9001:8001": 0, "9001:10000": 0, "8001:10001": 2, "8002:10001": 1,
	} {
		e := sackFlight(t, 10, 100*ms, noProbe)
		e.peer().sends("A 1 ack 1 sack " + block)
		e.sent = nil
		if got := e.c.Info().Recovery.Sacked; int(got) != sacked {
			t.Errorf("%s: %d segments count as arrived, want %d", block, got, sacked)
		}
	}
}

func TestLossProbeHeedsTheWindow(t *testing.T) {
	// "the sender SHOULD transmit a previously unsent data segment, if one
	// exists and the receive window allows" (RFC 8985, 7.3): half a segment is none,
	// unless it is the last.
	for _, x := range []struct{ window, written, from, to int }{
		{10_500, 30_000, 9001, 10_001},
		{11_000, 30_000, 10_001, 11_001},
		{10_999, 30_000, 9001, 10_001},
		{10_500, 10_500, 10_001, 10_501},
	} {
		e := sackEnd(t, 100*ms)
		e.peer().sends(sprintf("A 1 ack 1 win %d", x.window))
		e.writes(x.written)
		e.sent = nil
		e.after(202 * ms)
		if len(e.sent) != 1 || e.sent[0].Reason != ReasonLossProbe || e.sent[0].Seq != testISS.Add(x.from) || len(e.sent[0].text) != x.to-x.from {
			t.Errorf("%+v: %+v", x, e.sent)
		}
		e.sent = nil
	}
}

func TestPacingAfterAPause(t *testing.T) {
	// What nobody waited for isn't made up for: after a pause a burst begins as at
	// first.
	e := establishedEnd(t)
	e.c.SetMaxPacingRate(100_000)
	e.writes(2000)
	e.sent = nil
	e.peer().sends("A 1 ack 2001")
	e.after(1000 * ms)
	e.writes(5000)
	e.want().segment("A 2001:3001 ack 1", ReasonData)
	e.want().segment("A 3001:4001 ack 1", ReasonData)
	e.after(20*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 4001:5001 ack 1", ReasonData)
	e.want().segment("A 5001:6001 ack 1", ReasonData)
	e.want().nothing()
	e.after(20 * ms)
	e.sent = nil
	for model, want := range map[uint64]uint64{0: 100_000, 50_000: 50_000, 100_000: 100_000, 150_000: 100_000} {
		e.c.cc.Pacing = model
		if got := e.c.PacingRate(); got != want {
			t.Errorf("the model wants %d octets per second: %d", model, got)
		}
	}
	e.c.cc.Pacing = 0
}
