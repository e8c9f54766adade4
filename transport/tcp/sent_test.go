package tcp

import "testing"

// boardFault says what is wrong with the scoreboard of a connection: its
// records cover what is in flight without gaps, in order, and its sums are
// those of the records.
func boardFault(c *Conn) string {
	b := c.loss.board
	switch {
	case c.state == StateSynSent || c.state == StateSynReceived:
		return ""
	case b == nil && c.flight() > 0 && c.state != StateClosed && c.state != StateTimeWait:
		return "octets in flight without a record"
	case b == nil:
		return ""
	case b.n == 0 || b.n > len(b.ring):
		return "a scoreboard with nothing in it"
	case b.at(0).seq != c.snd.una || b.at(b.n-1).end != c.snd.nxt:
		return "the records don't cover what is in flight"
	}
	var sacked, lost, again tally
	waiting := 0
	for i := range b.n {
		r := b.at(i)
		if i > 0 && r.seq != b.at(i-1).end || r.size() <= 0 {
			return "the records aren't in order"
		}
		if r.has(isSacked) {
			sacked.add(r)
			if r.has(isLost | isAgain) {
				return "a record is both here and there"
			}
			if i == 0 || !b.at(i-1).has(isSacked) {
				k := int(r.run)
				if i+k > b.n || !b.at(i+k-1).has(isSacked) || b.at(i+k-1).run != r.run || i+k < b.n && b.at(i+k).has(isSacked) {
					return "a run of sacked records has a wrong length"
				}
			}
		}
		if r.is == 0 && r.seq.Less(b.fresh) {
			return "a record that was sent once is passed over"
		}
		if r.has(isRepeat) && !r.has(isSacked) && !r.waits() && !queued(b, r) {
			return "a record that was sent again isn't queued"
		}
		if r.has(isLost) {
			lost.add(r)
		}
		if r.has(isAgain) {
			again.add(r)
		}
		if r.waits() {
			waiting++
			if r.end.LessEq(b.hint) {
				return "a record that waits is passed over"
			}
		}
	}
	if c.sackOK && sacked != b.sacked || lost != b.lost || again != b.again || waiting != b.waiting {
		return "the sums are not those of the records"
	}
	return ""
}

// queued reports whether a record is in the queue of those that were sent again.
func queued(b *scoreboard, r *sent) bool {
	for _, e := range b.repeats[b.firstRepeat:] {
		if e.at == r.at && r.seq.LessEq(e.last) && e.last.Less(r.end) {
			return true
		}
	}
	return false
}

// A record that was sent again, was lost once more and isn't after all, since the
// reduction was for nothing (RFC 4015, 3.3), is among those that were sent again as before.
func TestARecordThatIsNotLostAfterAllStaysQueued(t *testing.T) {
	c := &Conn{env: NewEnv(DefaultConfig()), rare: &nothing}
	c.loss.board = c.env.takeBoard(0)
	b := c.loss.board
	b.push(0, 100, 10)
	b.lose(b.at(0))
	b.resent(b.at(0), 20)
	b.lose(b.at(0))
	b.repeats = b.repeats[:0] // as where it was found to be lost
	b.found(b.at(0))
	if r := b.at(0); !queued(b, r) || b.repeated(b.repeats[0]) != r {
		t.Errorf("%+v isn't queued: %+v", r, b.repeats)
	}
}

// A record that was sent again, and is joined with one that wasn't, stays among
// those that were sent again, also when an ACK has covered all that it had
// before: RACK finds it there when it is lost once more (RFC 8985, 6.2).
func TestAJoinedRecordStaysQueued(t *testing.T) {
	c := &Conn{env: NewEnv(DefaultConfig()), rare: &nothing}
	c.loss.board = c.env.takeBoard(0)
	b := c.loss.board
	b.push(0, 100, 10)
	b.push(100, 101, 10)
	b.lose(b.at(0))
	b.resent(b.at(0), 20)
	b.join(0)
	b.trim(100)
	if r := b.at(0); b.n != 1 || !queued(b, r) || b.repeated(b.repeats[len(b.repeats)-1]) != r {
		t.Errorf("%+v isn't queued: %+v", r, b.repeats)
	}
}
