package tcp

import (
	"math/rand/v2"
	"testing"

	"hubbub/clock"
)

// A modelRecord is what a scoreboard has to say about a segment in flight, said in the
// plainest way.
type modelRecord struct {
	seq, end                    Seq
	at                          clock.Time
	sacked, lost, again, repeat bool
}

func (r modelRecord) waits() bool { return r.lost && !r.again }

// boardModel does to a scoreboard and to plain records the same.
type boardModel struct {
	t    *testing.T
	c    *Conn
	b    *scoreboard
	all  []modelRecord
	rng  *rand.Rand
	next Seq
	now  clock.Time
}

func newBoardModel(t *testing.T, seed uint64) *boardModel {
	c := establishedEnd(t, sacked).c
	m := &boardModel{t: t, c: c, rng: rand.New(rand.NewPCG(seed, 5)), next: c.snd.una, now: began}
	c.loss.board = c.env.takeBoard(m.next)
	m.b = c.loss.board
	m.push()
	return m
}

func (m *boardModel) push() {
	m.now += clock.Time(1 + m.rng.IntN(3))
	end := m.next.Add(2 + m.rng.IntN(100))
	m.b.push(m.next, end, m.now)
	m.all = append(m.all, modelRecord{seq: m.next, end: end, at: m.now})
	m.next = end
	m.c.snd.nxt = end
}

// step does one thing that may be done to the i-th record.
func (m *boardModel) step() {
	i := m.rng.IntN(len(m.all))
	r := &m.all[i]
	switch m.rng.IntN(11) {
	case 0, 1, 2:
		m.push()
	case 3, 4:
		if !r.sacked && i > 0 {
			m.b.sack(i)
			r.sacked, r.lost, r.again = true, false, false
		}
	case 5:
		if !r.sacked {
			if again := m.b.lose(m.b.at(i)); again != (r.again && !r.waits()) {
				m.t.Fatalf("record %d: a retransmission was lost: %v", i, again)
			}
			r.lost, r.again = true, false
		}
	case 6:
		if i := m.firstWaiting(); i >= 0 {
			m.now++
			if got := m.b.nextWaiting(); got != i {
				m.t.Fatalf("record %d waits, not %d", i, got)
			}
			m.b.resent(m.b.at(i), m.now)
			m.all[i].again, m.all[i].repeat, m.all[i].at = true, true, m.now
		}
	case 7:
		if !r.sacked {
			m.b.found(m.b.at(i))
			r.lost = false
		}
	case 8:
		if len(m.all) > 1 {
			m.b.pop()
			m.all = m.all[1:]
			m.c.snd.una = m.all[0].seq
			m.b.hint, m.b.fresh = later(m.b.hint, m.c.snd.una), later(m.b.fresh, m.c.snd.una)
		}
	case 9:
		m.cuts(i)
	case 10:
		if i+1 < len(m.all) && !r.sacked && !m.all[i+1].sacked && r.lost == m.all[i+1].lost && r.again == m.all[i+1].again {
			m.joins(i)
		}
	}
}

func (m *boardModel) firstWaiting() int {
	for i, r := range m.all {
		if r.waits() {
			return i
		}
	}
	return -1
}

// cuts cuts a record in two; of the oldest it takes the first part off.
func (m *boardModel) cuts(i int) {
	r := &m.all[i]
	if r.sacked || r.end.Sub(r.seq) < 2 {
		return
	}
	at := r.seq.Add(1 + m.rng.IntN(r.end.Sub(r.seq)-1))
	if i == 0 && m.rng.IntN(2) == 0 {
		m.b.trim(at)
		r.seq, m.c.snd.una = at, at
		return
	}
	m.b.split(i, at)
	second := *r
	r.end, second.seq = at, at
	m.all = append(m.all[:i+1], append([]modelRecord{second}, m.all[i+1:]...)...)
}

func (m *boardModel) joins(i int) {
	m.b.join(i)
	first, second := m.all[i], &m.all[i+1]
	second.seq, second.repeat = first.seq, second.repeat || first.repeat
	m.all = append(m.all[:i], m.all[i+1:]...)
}

// compares fails where the scoreboard says something else than the records.
func (m *boardModel) compares() {
	b := m.b
	if b.n != len(m.all) {
		m.t.Fatalf("%d records, want %d", b.n, len(m.all))
	}
	next := 0
	for i, want := range m.all {
		r := b.at(i)
		got := modelRecord{r.seq, r.end, r.at, r.has(isSacked), r.has(isLost), r.has(isAgain), r.has(isRepeat)}
		if got != want || r.waits() != want.waits() {
			m.t.Fatalf("record %d of %d: %+v, want %+v", i, b.n, got, want)
		}
		if b.find(want.seq) != i || b.find(want.end.Add(-1)) != i {
			m.t.Fatalf("record %d isn't found", i)
		}
		if i == next { // the first of a run, or one by itself
			for next++; want.sacked && next < len(m.all) && m.all[next].sacked; next++ {
			}
			if b.next(i) != next || b.step(i) != next {
				m.t.Fatalf("after record %d comes %d, want %d", i, b.next(i), next)
			}
		} else if b.step(i) != i+1 && i+1 < next {
			m.t.Fatalf("inside a run, after record %d comes %d", i, b.step(i))
		}
	}
	if what := boardFault(m.c); what != "" {
		m.t.Fatalf("%s: %+v", what, b)
	}
}

// RFC 6675, 3 and RFC 8985, 5.2: the scoreboard is what plain records would be, whatever is sent,
// cut, joined, lost, found, sent again and acknowledged in whatever order.
func TestTheScoreboardIsItsRecords(t *testing.T) {
	for seed := range uint64(12) {
		m := newBoardModel(t, seed)
		for i := range 160 {
			if i == 80 { // the receiver has thrown away what had arrived (RFC 2018, 8)
				m.b.unsack()
				for i := range m.all {
					m.all[i].sacked = false
				}
			}
			m.step()
			m.compares()
		}
		m.c.releaseSending()
		m.c.snd.nxt = m.c.snd.una
	}
}

// boardOf makes a scoreboard of records of 100 octets, sent 10 ns after each other: o sent
// once, s arrived, l lost, a sent again.
func boardOf(t *testing.T, spec string) *scoreboard {
	t.Helper()
	b := NewEnv(DefaultConfig()).takeBoard(0)
	for i := range spec {
		b.push(Seq(100*i), Seq(100*i+100), clock.Time(10*i+10))
	}
	for i, letter := range spec {
		switch letter {
		case 's':
			b.sack(i)
		case 'l', 'a':
			b.lose(b.at(i))
		}
		if letter == 'a' {
			b.resent(b.at(i), b.at(i).at)
		}
	}
	return b
}

// RFC 8985, 6.2: RACK's timer waits for the last segment that may be late: of those before the
// newest that has arrived, the last that was sent once and of which nothing is known. Where it
// would take long to find it is no later than the newest.
func TestTheLastSegmentThatMayBeLate(t *testing.T) {
	for _, c := range []struct {
		records    string
		from, edge int // the edge is that record's end
		newest     clock.Time
		want       clock.Time
	}{
		{"oos", 0, 2, 30, 20},
		{"oos", 1, 2, 30, 20},
		{"oss", 0, 2, 30, 10},
		{"osls", 0, 3, 40, 10},
		{"oosls", 0, 4, 50, 20},
		{"oas", 0, 2, 30, 10},
		{"olllss", 0, 5, 60, 10},
		{"oslo", 0, 1, 20, 10},
		{"os", 0, 1, 20, 10},
		{"osos", 2, 3, 40, 30},
		{"osooso", 0, 4, 50, 40},
		{"osso", 0, 1, 20, 20}, // in the midst of what has arrived
		{"oos", 0, 2, 55, 55},  // what has arrived was a retransmission
		{"ooo", 0, 1, 20, 20},  // it was acknowledged otherwise
		{"oos", 1, 0, 10, 10},  // before all that may be late
		{"oos", 0, 0, 10, 10},
		{"oos", 0, 9, 99, 99}, // not in flight
	} {
		b := boardOf(t, c.records)
		b.edge, b.newest = Seq(100*c.edge+100), c.newest
		if got := b.lastLate(c.from); got != c.want {
			t.Errorf("%+v: sent at %d", c, got)
		}
	}
}

// What was sent again is found by the time when it was, as long as nothing more is known of it.
func TestWhichRetransmissionsAreLookedAt(t *testing.T) {
	b := boardOf(t, "aoaoa")
	for i := 0; i < 5; i += 2 {
		if r := b.repeated(b.repeats[i/2]); r != b.at(i) {
			t.Errorf("the one of record %d isn't found", i)
		}
	}
	for name, c := range map[string]struct {
		change func()
		entry  repeat
	}{
		"it has arrived":          {func() { b.sack(2) }, b.repeats[1]},
		"it is lost":              {func() { b.lose(b.at(4)) }, b.repeats[2]},
		"it was sent once more":   {func() { b.lose(b.at(0)); b.resent(b.at(0), 77) }, b.repeats[0]},
		"it was never sent again": {func() {}, repeat{199, 20}},
		"it is another's time":    {func() {}, repeat{99, 30}},
		"it isn't in flight":      {func() {}, repeat{500, 50}},
	} {
		c.change()
		if r := b.repeated(c.entry); r != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// The queue is moved to its front when more than half of it, and more than 16, are past.
	b = boardOf(t, "aoooo")
	for i := range 40 {
		b.firstRepeat = len(b.repeats) - 1
		b.lose(b.at(0))
		b.resent(b.at(0), clock.Time(100+i))
		if last := b.repeats[len(b.repeats)-1]; b.repeated(last) != b.at(0) || len(b.repeats) > 20 {
			t.Fatalf("after %d retransmissions %d are queued", i, len(b.repeats))
		}
	}
}

// What was written last is marked with PSH, also when it becomes one segment with others.
func TestAJoinedRecordIsPushed(t *testing.T) {
	for _, pushed := range []int{0, 1, 2} {
		b := boardOf(t, "ooo")
		b.at(pushed).marks = isPushed | endsBurst
		b.join(0)
		if got := b.at(0).marks; got&isPushed != 0 != (pushed < 2) || got&endsBurst != 0 != (pushed == 1) {
			t.Errorf("mark at %d: %v", pushed, got)
		}
	}
}

// Something unusual has happened since nothing was in flight: a connection that is not
// disturbed has less to look at.
func TestWhatDisturbsAScoreboard(t *testing.T) {
	for spec, want := range map[string]bool{"ooo": false, "oos": true, "aoo": true, "loo": false} {
		if got := boardOf(t, spec).disturbed; got != want {
			t.Errorf("%s: %v", spec, got)
		}
	}
}

// A host keeps up to 64 scoreboards that are not too large, empty, for its next connections.
func TestScoreboardsAreUsedAgain(t *testing.T) {
	env := NewEnv(DefaultConfig())
	b := env.takeBoard(5)
	b.push(5, 105, 10)
	b.lose(b.at(0))
	b.resent(b.at(0), 20)
	b.sack(0)
	env.returnBoard(b)
	again := env.takeBoard(7)
	if again != b || again.n != 0 || again.sacked != (tally{}) || len(again.repeats) != 0 || again.disturbed || again.hint != 7 || again.fack != 7 || again.fresh != 7 {
		t.Errorf("a scoreboard that is used again has %+v", again)
	}
	if len(env.boards) != 0 || env.takeBoard(7) == b {
		t.Error("it is used twice")
	}
	for size, want := range map[int]int{keepRing: 1, 2 * keepRing: 0} {
		env.boards = nil
		env.returnBoard(&scoreboard{ring: make([]sent, size)})
		if len(env.boards) != want {
			t.Errorf("of %d records: %d are kept", size, len(env.boards))
		}
	}
	env.boards = nil
	for range 100 {
		env.returnBoard(new(scoreboard))
	}
	if len(env.boards) != keepBoards {
		t.Errorf("%d are kept", len(env.boards))
	}
	// A connection gives its own back.
	e := establishedEnd(t)
	e.writes(100)
	e.sent = nil
	own := e.c.loss.board
	e.peer().sends("A 1 ack 101")
	if len(e.env.boards) != 1 || e.env.boards[0] != own {
		t.Error("a connection at rest keeps its scoreboard")
	}
}

// From 256 records on small segments share one, up to a full segment: what a program writes octet
// by octet costs no more than what it writes at once.
func TestSmallSegmentsShareRecords(t *testing.T) {
	e := establishedEnd(t, sacked)
	e.c.cc.Cwnd = 1 << 20
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	for i := range 255 {
		e.writes(400)
		if got := e.c.Info().Recovery.Segments; i < 159 && got != i+1 {
			t.Fatalf("%d segments have %d records", i+1, got)
		}
		e.sent = nil
		e.c.snd.wnd = 1 << 20
	}
	for _, c := range []struct{ n, records int }{{400, 256}, {400, 256}, {200, 256}, {1, 257}, {1000, 258}, {1, 259}, {999, 259}, {1, 260}} {
		e.now++
		e.writes(c.n)
		e.sent = nil
		b := e.c.loss.board
		if got := b.n; got != c.records || b.at(b.n-1).at != e.now {
			t.Errorf("after %d octets %d records, want %d", c.n, got, c.records)
		}
	}
	// One that is known to be lost is left as it is.
	b := e.c.loss.board
	b.lose(b.at(b.n - 1))
	n := b.n
	e.c.record(e.now, e.c.snd.nxt, e.c.snd.nxt.Add(1))
	if b.n != n+1 {
		t.Errorf("%d records, want %d", b.n, n+1)
	}
	b.n--
}

// An acknowledgment may end in the midst of what has arrived: of the rest the sums tell.
func TestAnACKInTheMidstOfWhatHasArrived(t *testing.T) {
	e := sackFlight(t, 5, 100*ms, noProbe)
	e.peer().sends("A 1 ack 1 sack 1001:2001", "A 1 ack 1501")
	e.sent = nil
	if i := e.c.Info(); i.SendUnacked != testISS.Add(1501) || i.Recovery.Segments != 4 || i.Recovery.Lost != 0 {
		t.Errorf("%+v", i.Recovery)
	}
}
