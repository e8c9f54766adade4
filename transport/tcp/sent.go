package tcp

import (
	"time"

	"hubbub/clock"
)

// A sent is the record of a segment in flight (R8985-7; RFC 8985, 5.2).
type sent struct {
	seq, end Seq        // the numbers that it takes
	at       clock.Time // when it was sent last
	run      uint32     // at the first and at the last of sacked neighbours: how many they are
	is       sentFlags
	marks    sentMarks
	stamp
}

// sentMarks say how a segment was sent.
type sentMarks uint8

const (
	isPushed  sentMarks = 1 << iota // the program's last octet so far, with PSH
	endsBurst                       // the next one didn't leave together with it
)

// sentFlags say what is known of a segment in flight.
type sentFlags uint8

const (
	isSacked sentFlags = 1 << iota // has arrived after a gap
	isLost                         // counts as lost
	isAgain                        // a retransmission is on its way
	isRepeat                       // was sent more than once
)

func (r *sent) has(f sentFlags) bool { return r.is&f != 0 }

// waits reports whether the segment is lost and not sent again.
func (r *sent) waits() bool { return r.is&(isLost|isAgain) == isLost }

// size returns how much of the sequence space the segment takes.
func (r *sent) size() int { return r.end.Sub(r.seq) }

// A tally counts segments and what they take of the sequence space.
type tally struct{ octets, segments int32 }

func (t *tally) add(r *sent) { t.octets, t.segments = t.octets+int32(r.size()), t.segments+1 }

func (t *tally) drop(r *sent) { t.octets, t.segments = t.octets-int32(r.size()), t.segments-1 }

// A scoreboard has the records of all segments in flight, in the order of
// their sequence numbers and without gaps (RFC 6675, 3; RFC 8985, 5.2). A
// connection has one while something is in flight.
//
// The records are in a ring: a segment that is sent is one append, and one
// that is acknowledged one step of the head.
type scoreboard struct {
	ring []sent // its length is a power of two
	head uint32
	n    int

	sacked, lost, again tally // by flag; without SACK the first is a guess
	waiting             int   // records that are lost and not sent again
	hint                Seq   // before it none waits
	fack                Seq   // the end of the last that is sacked

	// The segment sent last of those that have arrived (RFC 8985, 5.3:
	// RACK.xmit_ts, RACK.end_seq, RACK.rtt), and whether that is news.
	newest clock.Time
	edge   Seq
	rtt    time.Duration
	news   bool

	meter meter // of the rate at which data arrives

	disturbed bool // something was sent again, or has arrived after a gap

	// Before fresh no record was sent once and is neither lost nor sacked. What
	// was sent again is in repeats from firstRepeat on, in the order of time.
	fresh       Seq
	repeats     []repeat
	firstRepeat int
}

// A repeat says that a record was sent again; once more since then, if its time
// is another.
type repeat struct {
	last Seq // the last number of the record
	at   clock.Time
}

// minRing is how many records a scoreboard holds at first.
const minRing = 16

// at returns the i-th record from the oldest.
func (b *scoreboard) at(i int) *sent {
	return &b.ring[(b.head+uint32(i))&uint32(len(b.ring)-1)]
}

// push appends the record of a segment that is sent for the first time, and
// returns it for its stamp to be filled in.
func (b *scoreboard) push(seq, end Seq, now clock.Time) *sent {
	if b.n == len(b.ring) {
		b.grow()
	}
	b.n++
	r := b.at(b.n - 1)
	r.seq, r.end, r.at, r.run, r.is, r.marks = seq, end, now, 0, 0, 0
	return r
}

// repeatLast appends records of n segments that leave together with the last one: each takes size
// numbers, but for the last, which ends at end. Only how much is in flight is different.
func (b *scoreboard) repeatLast(size, n int, end Seq) {
	for b.n+n > len(b.ring) {
		b.grow()
	}
	r, mask := *b.at(b.n - 1), uint32(len(b.ring)-1)
	for i := b.head + uint32(b.n); n > 0; i, n, b.n = i+1, n-1, b.n+1 {
		r.seq, r.end = r.end, r.end.Add(size)
		if n == 1 {
			r.end = end // with the FIN
		}
		r.inFlight += int32(r.size())
		b.ring[i&mask] = r
	}
}

// grow makes room for twice as many records.
func (b *scoreboard) grow() {
	ring := make([]sent, max(minRing, 2*len(b.ring)))
	for i := range b.n {
		ring[i] = *b.at(i)
	}
	b.ring, b.head = ring, 0
}

// pop takes the oldest record off.
func (b *scoreboard) pop() {
	r := b.at(0)
	b.forget(r)
	if k := int(r.run); r.has(isSacked) && k > 1 {
		b.at(1).run, b.at(k-1).run = uint32(k-1), uint32(k-1)
	}
	b.head++
	b.n--
}

// forget takes a record out of the sums.
func (b *scoreboard) forget(r *sent) {
	if r.is == 0 {
		return
	}
	if r.waits() {
		b.waiting--
	}
	for _, c := range [...]struct {
		flag sentFlags
		sum  *tally
	}{{isSacked, &b.sacked}, {isLost, &b.lost}, {isAgain, &b.again}} {
		if r.has(c.flag) {
			c.sum.drop(r)
		}
	}
}

// trim cuts what lies before the sequence number off the oldest record.
func (b *scoreboard) trim(to Seq) {
	r := b.at(0)
	n := int32(to.Sub(r.seq))
	if r.has(isSacked) {
		b.sacked.octets -= n
	}
	if r.has(isLost) {
		b.lost.octets -= n
	}
	if r.has(isAgain) {
		b.again.octets -= n
	}
	r.seq = to
}

// find returns the index of the first record that ends after the number.
func (b *scoreboard) find(s Seq) int {
	low, high := 0, b.n
	for low < high {
		if mid := (low + high) / 2; b.at(mid).end.LessEq(s) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// sack marks a record as arrived after a gap. Neighbours that are marked so
// are skipped as one.
func (b *scoreboard) sack(i int) {
	r := b.at(i)
	b.forget(r)
	r.is = r.is&isRepeat | isSacked
	b.disturbed = true
	b.sacked.add(r)
	if b.fack.Less(r.end) {
		b.fack = r.end
	}
	left, right := 0, 0
	if i > 0 && b.at(i-1).has(isSacked) {
		left = int(b.at(i - 1).run)
	}
	if i+1 < b.n && b.at(i+1).has(isSacked) {
		right = int(b.at(i + 1).run)
	}
	k := uint32(left + 1 + right)
	b.at(i-left).run, b.at(i+right).run = k, k
}

// next returns the index of the record after i, of those that are sacked the
// first after all of them. i must not be inside such a run.
func (b *scoreboard) next(i int) int {
	if r := b.at(i); r.has(isSacked) {
		return i + int(r.run)
	}
	return i + 1
}

// step returns the index of the record after i, of those that are sacked the
// first after all of them if i is where they begin.
func (b *scoreboard) step(i int) int {
	if i > 0 && b.at(i).has(isSacked) && b.at(i-1).has(isSacked) {
		return i + 1
	}
	return b.next(i)
}

// lastLate returns when the last record was sent that may be late, of those
// from the i-th on: none is later than the newest that has arrived.
func (b *scoreboard) lastLate(i int) clock.Time {
	j := b.find(b.edge.Add(-1))
	if j >= b.n || j <= i || b.at(j).at != b.newest || !b.at(j).has(isSacked) || j+1 < b.n && b.at(j+1).has(isSacked) {
		return b.newest
	}
	for j > i {
		if r := b.at(j); r.has(isSacked) {
			j -= int(r.run)
		} else if r.is != 0 {
			j--
		} else {
			break
		}
	}
	return b.at(max(i, j)).at
}

// noteRepeat queues a record that was sent again.
func (b *scoreboard) noteRepeat(r *sent) {
	if b.firstRepeat > minRing && b.firstRepeat > len(b.repeats)/2 {
		n := copy(b.repeats, b.repeats[b.firstRepeat:])
		b.repeats, b.firstRepeat = b.repeats[:n], 0
	}
	b.repeats = append(b.repeats, repeat{r.end.Add(-1), r.at})
	b.disturbed = true
}

// repeated returns the record that was queued, or nil if that says nothing any
// more.
func (b *scoreboard) repeated(e repeat) *sent {
	i := b.find(e.last)
	if i >= b.n {
		return nil
	}
	if r := b.at(i); r.at == e.at && r.seq.LessEq(e.last) && r.has(isRepeat) && !r.has(isSacked) && !r.waits() {
		return r
	}
	return nil
}

// lose marks a record as lost: what was sent of it last, if it was sent again.
// It reports whether a retransmission was lost.
func (b *scoreboard) lose(r *sent) (again bool) {
	if r.waits() {
		return false
	}
	again = r.has(isAgain)
	if again {
		r.is &^= isAgain
		b.again.drop(r)
	}
	if !r.has(isLost) {
		r.is |= isLost
		b.lost.add(r)
	}
	b.waiting++
	if r.seq.Less(b.hint) || b.waiting == 1 {
		b.hint = r.seq
	}
	return again
}

// found takes back that a record counts as lost.
func (b *scoreboard) found(r *sent) {
	if r.has(isLost) {
		if r.waits() {
			b.waiting--
		}
		r.is &^= isLost
		b.lost.drop(r)
		if r.has(isRepeat) {
			b.noteRepeat(r) // it was taken out when it was lost once more
		}
	}
}

// resent notes that a record was sent again.
func (b *scoreboard) resent(r *sent, now clock.Time) {
	if r.waits() {
		b.waiting--
	}
	if !r.has(isAgain) {
		b.again.add(r)
	}
	r.is |= isAgain | isRepeat
	r.at = now
	b.noteRepeat(r)
}

// nextWaiting returns the index of the first record that is lost and not sent
// again. There must be one.
func (b *scoreboard) nextWaiting() int {
	i := b.find(b.hint)
	for ; i < b.n && !b.at(i).waits(); i++ {
	}
	if i < b.n {
		b.hint = b.at(i).seq
	}
	return i
}

// unsack forgets all that was selectively acknowledged.
func (b *scoreboard) unsack() {
	for i := range b.n {
		b.at(i).is &^= isSacked
	}
	b.sacked, b.fresh = tally{}, b.at(0).seq
}

// split cuts a record that isn't sacked in two, at a number inside it.
func (b *scoreboard) split(i int, at Seq) {
	b.push(at, at, 0)
	for j := b.n - 1; j > i+1; j-- {
		*b.at(j) = *b.at(j - 1)
	}
	r := b.at(i)
	b.forget(r)
	second := *r
	r.end, second.seq = at, at
	r.marks = 0
	*b.at(i + 1) = second
	b.remember(r)
	b.remember(&second)
	if r.has(isRepeat) {
		b.noteRepeat(r)
	}
}

// join makes one record of two neighbours that aren't sacked.
func (b *scoreboard) join(i int) {
	first, second := b.at(i), b.at(i+1)
	b.forget(first)
	b.forget(second)
	second.seq = first.seq
	second.is |= first.is & isRepeat
	second.marks |= first.marks & isPushed
	b.remember(second)
	if second.has(isRepeat) {
		b.noteRepeat(second) // what is queued for the first ends before this does
	}
	for j := i; j > 0; j-- {
		*b.at(j) = *b.at(j - 1)
	}
	b.head++
	b.n--
}

// remember puts a record into the sums.
func (b *scoreboard) remember(r *sent) {
	if r.waits() {
		b.waiting++
	}
	if r.has(isLost) {
		b.lost.add(r)
	}
	if r.has(isAgain) {
		b.again.add(r)
	}
}

// extend lets a record end later.
func (b *scoreboard) extend(r *sent, end Seq) {
	b.forget(r)
	r.end = end
	b.remember(r)
}

// reset forgets everything.
func (b *scoreboard) reset() { *b = scoreboard{ring: b.ring, repeats: b.repeats[:0]} }

// takeBoard returns an empty scoreboard for numbers from una on.
func (e *Env) takeBoard(una Seq) *scoreboard {
	var b *scoreboard
	if last := len(e.boards) - 1; last >= 0 {
		b, e.boards = e.boards[last], e.boards[:last]
	} else {
		b = new(scoreboard)
	}
	b.fack, b.hint, b.fresh = una, una, una
	return b
}

// Of the scoreboards that connections give back, so many are kept, unless they
// are larger than most connections need.
const (
	keepBoards = 64
	keepRing   = 1024
)

// returnBoard takes a scoreboard back.
func (e *Env) returnBoard(b *scoreboard) {
	if len(e.boards) < keepBoards && len(b.ring) <= keepRing {
		b.reset()
		e.boards = append(e.boards, b)
	}
}

// record keeps account of a segment that was sent for the first time.
//
// Where there are very many, small ones share a record: a program that writes
// single octets can't make the records take many times what it wrote.
func (c *Conn) record(now clock.Time, seq, end Seq) {
	b := c.loss.board
	if b == nil {
		b = c.env.takeBoard(seq)
		b.rtt = c.rtt.srtt // until one of these has arrived
		c.loss.board = b
		b.meter.appLimited = max(c.arrived(), 1) // nothing was in flight, until the program wrote
	}
	if b.n >= manyRecords {
		if last := b.at(b.n - 1); last.is == 0 && end.Sub(last.seq) <= int(c.snd.mss) {
			last.end, last.at, last.marks = end, now, 0
			return
		}
	}
	c.stampSent(now, b.push(seq, end, now), c.pipe()+max(0, end.Sub(c.snd.nxt)))
}

// manyRecords is from how many records on small segments share one.
const manyRecords = 256

// releaseBoard lets go of the scoreboard when nothing is in flight.
func (c *Conn) releaseBoard() {
	if b := c.loss.board; b != nil {
		c.loss.board = nil
		c.env.returnBoard(b)
	}
}
