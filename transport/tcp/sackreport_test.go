package tcp

import (
	"math/rand/v2"
	"testing"
)

func TestEveryDuplicateACKTellsWhatHasArrived(t *testing.T) {
	// "If sent at all, SACK options SHOULD be included in all ACKs which do not
	// ACK the highest sequence number in the data receiver's queue." RFC 2018,
	// 4 (R2018-3).
	//
	// "The first SACK block ... MUST specify the contiguous block of data
	// containing the segment which triggered this ACK" (R2018-4).
	//
	// "The data receiver SHOULD include as many distinct SACK blocks as possible
	// in the SACK option." (R2018-5)
	e := establishedEnd(t, sacked)
	for _, c := range []struct{ arrives, says string }{
		{"A 101:201 ack 1", "A 1 ack 1 sack 101:201"},
		{"A 201:301 ack 1", "A 1 ack 1 sack 101:301"},
		{"A 501:601 ack 1", "A 1 ack 1 sack 501:601,101:301"},
		{"A 701:801 ack 1", "A 1 ack 1 sack 701:801,501:601,101:301"},
		{"A 901:1001 ack 1", "A 1 ack 1 sack 901:1001,701:801,501:601,101:301"},
		{"A 1101:1201 ack 1", "A 1 ack 1 sack 1101:1201,901:1001,701:801,501:601"},
		{"A 301:401 ack 1", "A 1 ack 1 sack 101:401,1101:1201,901:1001,701:801"},
		{"A 601:701 ack 1", "A 1 ack 1 sack 501:801,101:401,1101:1201,901:1001"},
	} {
		e.peer().sends(c.arrives)
		e.want().segment(c.says, ReasonDuplicateACK)
	}
	e.peer().sends("A 1:101 ack 1")
	e.want().segment("A 1 ack 401 sack 501:801,1101:1201,901:1001", ReasonGapFilled)
	// Data tells it as well.
	e.writes(100)
	e.want().segment("PA 1:101 ack 401 sack 501:801,1101:1201,901:1001", ReasonData)
	e.peer().sends("A 401:501 ack 101", "A 801:901 ack 101", "A 1001:1101 ack 101")
	e.want().segment("A 101 ack 1201", ReasonGapFilled)
	e.reads(1200)
	if e.c.rcv.gaps != nil {
		t.Error("what told of gaps is kept without any")
	}
}

func TestBlocksFitBesideTimestampsAndData(t *testing.T) {
	// RFC 2018, 3: "thus a maximum of 3 SACK blocks will be allowed in this
	// case", with timestamps. A segment of data holds so much less, that it is
	// no larger than the path takes.
	e := establishedEnd(t, sacked, modern)
	for _, at := range []int{101, 301, 501, 701} {
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+100))
	}
	e.sent = nil
	e.writes(2000)
	sent := e.want().segment("A 1:961 ack 1 sack 701:801,501:601,301:401", ReasonData)
	if n := len(sent.text) + sent.Options.Len(); n != 1000 {
		t.Errorf("%d octets of payload and options, where the MSS is 1000", n)
	}
	e.sent = nil
}

func TestNoBlocksWithoutPermission(t *testing.T) {
	// "If the data receiver has not received a SACK-Permitted option for a given
	// connection, it MUST NOT send SACK options on that connection." RFC 2018,
	// 4 (R2018-2).
	e := newEnd(t, sacked)
	e.connect(testParams())
	if s := e.want().segment("S 0", ReasonOpen); !s.Options.SACKPermitted {
		t.Error("SACK is not offered")
	}
	seg, _ := e.parseSpec("SA 0 ack 1 mss 1000 win 5000", testIRS, testISS)
	e.c.HandleSegment(e.now, &seg)
	e.drain()
	// SACK-permitted "MUST NOT be sent on non-SYN segments." RFC 2018, 2
	// (R2018-1).
	if s := e.want().segment("A 1 ack 1", ReasonOpenDone); s.Options.SACKPermitted {
		t.Error("SACK is offered outside a SYN")
	}
	e.peer().sends("A 101:201 ack 1", "A 101:201 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 1:101 ack 1", "A 1:101 ack 1")
	e.want().segment("A 1 ack 201", ReasonGapFilled)
}

func TestPassiveEndAgreesToSACK(t *testing.T) {
	for _, offered := range []bool{true, false} {
		e := newEnd(t, func(c *Config) { c.SACK = offered })
		e.accept(testParams(), "S 0 mss 1000")
		if s := e.want().segment("SA 0 ack 1", ReasonOpenReply); s.Options.SACKPermitted != offered {
			t.Errorf("offered %v, agreed %v", offered, s.Options.SACKPermitted)
		}
	}
}

func TestDuplicatesAreTold(t *testing.T) {
	// "the first block of the SACK option should specify the sequence numbers of
	// the segment that triggered the acknowledgement." RFC 2883, 4 (R2883-1).
	e := establishedEnd(t, sacked)
	e.peer().sends("A 1:501 ack 1")
	e.after(e.env.DelayedACK)
	e.want().segment("A 1 ack 501", ReasonDelayedACK)
	// "Reporting a duplicate segment" (RFC 2883, 4.1.1).
	e.peer().sends("A 1:501 ack 1")
	e.want().segment("A 1 ack 501 sack 1:501", ReasonUnacceptable)
	if e.c.rcv.gaps != nil {
		t.Error("a duplicate is remembered after it was told")
	}
	// "Reporting an out-of-order segment and a duplicate segment" (4.1.2).
	e.peer().sends("A 1001:1501 ack 1")
	e.want().segment("A 1 ack 501 sack 1001:1501", ReasonDuplicateACK)
	e.peer().sends("A 1:501 ack 1")
	e.want().segment("A 1 ack 501 sack 1:501,1001:1501", ReasonUnacceptable)
	// "Reporting a duplicate of an out-of-order segment" (4.1.3): the block that
	// it is part of follows.
	e.peer().sends("A 1501:2001 ack 1")
	e.want().segment("A 1 ack 501 sack 1001:2001", ReasonDuplicateACK)
	e.peer().sends("A 1001:1501 ack 1")
	e.want().segment("A 1 ack 501 sack 1001:1501,1001:2001", ReasonDuplicateACK)
	// "Reporting partial duplicate segments" (4.2).
	e.peer().sends("A 301:1001 ack 1")
	e.want().segment("A 1 ack 2001 sack 301:501", ReasonGapFilled)
	// One that isn't old is told, of those that touch a block (4.2.1, 4.2.2).
	e.peer().sends("A 2501:3001 ack 1")
	e.want().segment("A 1 ack 2001 sack 2501:3001", ReasonDuplicateACK)
	e.peer().sends("A 2301:2701 ack 1")
	e.want().segment("A 1 ack 2001 sack 2501:2701,2301:3001", ReasonDuplicateACK)
	e.peer().sends("A 2901:3101 ack 1")
	e.want().segment("A 1 ack 2001 sack 2901:3001,2301:3101", ReasonDuplicateACK)
}

func TestWhatWasHeldAndComesAgainIsTold(t *testing.T) {
	// "A D-SACK block is only used to report a duplicate contiguous sequence of
	// data received by the receiver in the most recent packet." RFC 2883, 4: of
	// several, the first.
	e := establishedEnd(t, sacked)
	e.peer().sends("A 101:201 ack 1", "A 201:301 ack 1", "A 401:501 ack 1", "A 701:801 ack 1")
	e.sent = nil
	e.peer().sends("A 1:601 ack 1")
	e.want().segment("A 1 ack 601 sack 101:301,701:801", ReasonGapFilled)
	e.peer().sends("A 601:751 ack 1")
	e.want().segment("A 1 ack 801 sack 701:751", ReasonGapFilled)
	e.peer().sends("A 801:901 ack 1")
	e.after(40 * ms)
	e.want().segment("A 1 ack 901", ReasonDelayedACK)
}

func TestDuplicatesAreToldOnlyIfWanted(t *testing.T) {
	e := establishedEnd(t, sacked, func(c *Config) { c.DSACK = false })
	e.peer().sends("A 1:501 ack 1", "A 1:501 ack 1")
	e.want().segment("A 1 ack 501", ReasonUnacceptable)
}

func TestFINAfterAGapIsTold(t *testing.T) {
	e := establishedEnd(t, sacked)
	e.peer().sends("FA 101:201 ack 1")
	e.want().segment("A 1 ack 1 sack 101:202", ReasonDuplicateACK)
	e.peer().sends("A 1:101 ack 1")
	e.want().segment("A 1 ack 202", ReasonGapFilled)
	e.want().state(StateCloseWait)
}

func TestRunsAreKeptInAnyOrder(t *testing.T) {
	// Random pieces, and now and then the first gap is filled: what is told is
	// what has arrived, in runs that don't touch, the newest first.
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 3))
		base := Seq(0xffff_ff00)
		var p report
		have := make([]bool, 1100)
		next := 0
		for range 60 {
			from := min(next+1+rng.IntN(200), 1050)
			if from <= next {
				break
			}
			n := 1 + rng.IntN(30)
			before, known := p.arrived(run{base.Add(from), base.Add(from + n)})
			for i := from; i < from+n; i++ {
				if have[i] && !known || known && before.holds(base.Add(i)) && !have[i] {
					t.Fatalf("seed %d: %d was there: %v, told %v %v", seed, i, have[i], before, known)
				}
				have[i] = true
			}
			if r := p.runs[p.runFrom(p.recent[0])]; !r.holds(base.Add(from)) {
				t.Fatalf("seed %d: the newest is not first: %v", seed, p)
			}
			if rng.IntN(6) == 0 {
				next = p.runs[0].to.Sub(base)
				p.delivered(base.Add(next))
			}
			checkRuns(t, &p, have[next:], base.Add(next))
		}
	}
}

// checkRuns compares the runs with a list of what has arrived.
func checkRuns(t *testing.T, p *report, have []bool, base Seq) {
	t.Helper()
	told := make([]bool, len(have))
	for i, r := range p.runs {
		if i > 0 && !p.runs[i-1].to.Less(r.from) {
			t.Fatalf("runs touch: %v", p.runs)
		}
		for s := r.from; s != r.to; s = s.Add(1) {
			told[s.Sub(base)] = true
		}
	}
	for i := range have {
		if have[i] != told[i] {
			t.Fatalf("%d: arrived %v, told %v", i, have[i], told[i])
		}
	}
	seen := map[int]bool{}
	for _, s := range p.recent[:p.told] {
		i := p.runFrom(s)
		if seen[i] || !p.runs[i].holds(s) {
			t.Fatalf("%d is told twice, or isn't there: %+v", s, p)
		}
		seen[i] = true
	}
}
