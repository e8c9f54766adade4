package tcp

import (
	"testing"

	"hubbub/wire"
)

// gapsEnd has n gaps of 100 octets, with 100 between, the last first told.
func gapsEnd(t *testing.T, n int, adjust ...func(*Config)) *end {
	t.Helper()
	e := establishedEnd(t, append([]func(*Config){sacked}, adjust...)...)
	for i := range n {
		e.peer().sends(sprintf("A %d:%d ack 1", 101+200*i, 201+200*i))
	}
	e.sent = nil
	return e
}

// RFC 2018, 3: "A SACK option that specifies n blocks will have a length of 8*n+2
// bytes, so the 40 bytes available for TCP options can specify a maximum of 4
// blocks. ... a maximum of 3 SACK blocks will be allowed in this case", with
// timestamps. In a segment with data they take of what the data leaves free.
func TestHowManyBlocksThereIsRoomFor(t *testing.T) {
	for _, c := range []struct {
		mss, payload int
		timestamps   bool
		blocks       int
	}{
		{1000, 0, false, 4},
		{1000, 0, true, 3},
		{1000, 964, false, 4},
		{1000, 965, false, 3},
		{1000, 988, false, 1},
		{1000, 989, false, 0},
		{1000, 1000, false, 0},
		{988, 960, true, 3},
		{988, 961, true, 2},
		{30, 1, false, 3}, // absurd, and obeyed
		{30, 0, false, 4},
	} {
		e := gapsEnd(t, 5)
		e.c.stamped, e.c.snd.mss = c.timestamps, int32(c.mss)
		o := wire.TCPOptions{Timestamps: c.timestamps}
		e.c.sackBlocks(&o, c.payload)
		if int(o.NumSACK) != c.blocks {
			t.Errorf("%+v: %d blocks", c, o.NumSACK)
		}
	}
}

// RFC 2883, 4: the duplicate is told first, even where there is room for one block
// alone; and not at all where there is none.
func TestTheDuplicateTakesTheFirstPlace(t *testing.T) {
	for _, c := range []struct {
		payload int
		sack    []wire.SACKBlock
	}{
		{988, []wire.SACKBlock{{Left: 5, Right: 9}}},
		{989, nil},
	} {
		e := gapsEnd(t, 2)
		e.c.dsack(5, 9)
		var o wire.TCPOptions
		e.c.sackBlocks(&o, c.payload)
		if int(o.NumSACK) != len(c.sack) || len(c.sack) == 1 && o.SACK[0] != c.sack[0] {
			t.Errorf("beside %d octets: %d blocks, %+v", c.payload, o.NumSACK, o.SACK)
		}
	}
}

// A full segment holds so much less as the blocks that it tells take, and what was
// cut before there was anything to tell goes out again as it was, without.
func TestWhatBlocksTakeOfASegment(t *testing.T) {
	for _, c := range []struct {
		gaps              int
		twice, timestamps bool
		takes             int
	}{
		{0, false, false, 0},
		{1, false, false, 12},
		{1, true, false, 20},
		{2, false, false, 20},
		{3, false, true, 28},
		{3, true, true, 28},
		{4, true, false, 36},
		{9, false, false, 36},
		{9, false, true, 28},
	} {
		e := gapsEnd(t, c.gaps)
		e.c.stamped = c.timestamps
		if c.twice {
			e.c.dsack(5, 9)
		}
		if got := e.c.sackLen(); got != c.takes {
			t.Errorf("%+v: %d", c, got)
		}
	}
	e := gapsEnd(t, 0, noProbe)
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	e.peer().sends("A 101:201 ack 1")
	e.want().segment("A 1001 ack 1 sack 101:201", ReasonDuplicateACK)
	e.after(e.env.MinRTO)
	e.want().segment("PA 1:1001 ack 1", ReasonTimeout)
}

// RFC 2018, 4: "The data receiver SHOULD include as many distinct SACK blocks as
// possible in the SACK option" (R2018-5): what was crowded out by newer blocks is told
// again when those are delivered.
func TestWhatWasCrowdedOutIsToldAgain(t *testing.T) {
	e := establishedEnd(t, sacked)
	for _, from := range []int{1101, 901, 101, 301, 501, 701} {
		e.peer().sends(sprintf("A %d:%d ack 1", from, from+100))
	}
	e.sent = nil
	for _, c := range []struct{ arrives, says string }{
		{"A 1:101 ack 1", "A 1 ack 201 sack 701:801,501:601,301:401,901:1001"},
		{"A 201:301 ack 1", "A 1 ack 401 sack 701:801,501:601,901:1001,1101:1201"},
		{"A 401:501 ack 1", "A 1 ack 601 sack 701:801,901:1001,1101:1201"},
		{"A 601:701 ack 1", "A 1 ack 801 sack 901:1001,1101:1201"},
		{"A 801:901 ack 1", "A 1 ack 1001 sack 1101:1201"},
	} {
		e.peer().sends(c.arrives)
		e.want().segment(c.says, ReasonGapFilled)
	}
}

// "A D-SACK block is only used to report a duplicate contiguous sequence of data
// received by the receiver in the most recent packet." (RFC 2883, 4) Of two pieces the
// first is told: here 151:201, not 301:351.
func TestOfSeveralDuplicatesTheFirstIsTold(t *testing.T) {
	e := gapsEnd(t, 2)
	e.peer().sends("A 151:351 ack 1")
	e.want().segment("A 1 ack 1 sack 151:201,101:401", ReasonDuplicateACK)
}

// What one connection was to tell is nothing to the next that uses its memory.
func TestGapsAreForgottenWithTheConnection(t *testing.T) {
	e := gapsEnd(t, 3)
	first := e.c
	e.c.Abort(e.now)
	e.drain()
	e.sent = nil
	if e.env.spare == nil {
		t.Fatal("the memory isn't kept")
	}
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.peer().sends("A 5001:5101 ack 1")
	e.want().segment("A 1 ack 1 sack 5001:5101", ReasonDuplicateACK)
	e.peer().sends("A 5201:5301 ack 1")
	e.want().segment("A 1 ack 1 sack 5201:5301,5001:5101", ReasonDuplicateACK)
	if e.env.spare != nil || e.c == first {
		t.Error("the memory isn't used")
	}
}
