package tcp

import "testing"

// What stands for several is as long as whoever carries it takes, in whole segments: one
// alone is none.
func TestHowMuchGoesTogether(t *testing.T) {
	for offload, first := range map[int]int{0: 1000, 1999: 1000, 2000: 2000, 2999: 2000, 3000: 3000, 3001: 3000, 65_000: 5000} {
		e := sackEnd(t, 100*ms, func(c *Config) { c.Offload = offload })
		e.writes(5000)
		s := e.sent[0]
		e.sent = nil
		if len(s.text) != first || (s.Size != 0) != (first > 1000) {
			t.Errorf("where %d octets are carried, %d go as pieces of %d", offload, len(s.text), s.Size)
		}
	}
}

// The windows count what is in flight already.
func TestWhatGoesTogetherFitsTheWindows(t *testing.T) {
	for _, c := range []struct {
		window string
		n      int
		size   int
	}{
		{"win 5000", 4000, 1000},
		{"win 2000", 1000, 0}, // room for one
		{"win 64000", 9000, 1000},
	} {
		e := sackEnd(t, 100*ms, func(c *Config) { c.Offload = 65_000 })
		e.peer().sends("A 1 ack 1 " + c.window)
		e.writes(1000)
		e.want().segment("PA 1:1001 ack 1", ReasonData)
		e.writes(20_000)
		if s := e.want().sentSegmentIs(1001, c.n, ReasonData); s.Size != c.size {
			t.Errorf("%s: pieces of %d octets", c.window, s.Size)
		}
		e.sent = nil
	}
}

// A connection that has agreed on ECN, be it asked or asking, has segments that go together
// until it must tell that its window was reduced: CWR is for the first new segment alone
// (RFC 3168, 6.1.2).
func TestWhatGoesTogetherWithECN(t *testing.T) {
	e := newEnd(t, sacked, asking, offloading)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.peer().sends("SAE 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(3000)
	e.want().sendsLarge("PA 1:3001 ack 1 ecn 2")
	e.c.ecn |= ecnReduced
	e.writes(3000)
	e.want().segment("AW 3001:4001 ack 1 ecn 2", ReasonData)
	e.want().sendsLarge("PA 4001:6001 ack 1 ecn 2")
}
