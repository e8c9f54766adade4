package tcp

import "testing"

// A pointer stays as long as its octet is not acknowledged, whatever follows it, and
// no longer: after 2^31 more octets its number would lie ahead again.
func TestAnUrgentPointerLastsUntilItIsAcknowledged(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { _, _ = c.WriteUrgent(e.now, octets(1, 3)) })
	e.want().segment("PUA 1:4 ack 1 urg 3", ReasonUrgent)
	e.c.SetNoDelay(true)
	e.writes(5)
	e.want().segment("PA 4:9 ack 1", ReasonData)
	e.after(e.c.Info().RTO)
	e.want().segment("PUA 1:9 ack 1 urg 3", ReasonTimeout) // both in one
	e.peer().sends("A 1 ack 9")
	e.sent = nil
	e.writes(5)
	e.want().segment("PA 9:14 ack 1", ReasonData)
	if e.c.urgentAt(testISS.Add(-1000)) {
		t.Error("a number that comes round again is before an urgent pointer of long ago")
	}
}

// Where nothing could be written, nothing is urgent.
func TestUrgentDataThatFindsNoRoom(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetSendBuffer(1000) })
	e.peer().sends("A 1 ack 1 win 0")
	e.writes(1000)
	if n, err := e.c.WriteUrgent(e.now, []byte("!")); n != 0 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	e.peer().sends("A 1 ack 1 win 64000")
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	// On a connection that is over there is an error, and nothing written.
	e = closedEnd(t)
	if n, err := e.c.WriteUrgent(e.now, []byte("!")); n != 0 || err != ErrWriteClosed {
		t.Errorf("wrote %d, %v", n, err)
	}
}

// "RCV.UP <- max(RCV.UP,SEG.UP)" (RFC 9293, 3.10.7.4): the pointer doesn't go back.
func TestTheUrgentPointerDoesNotGoBack(t *testing.T) {
	e := establishedEnd(t)
	e.env.Watch = true
	e.peer().sends("UA 1:11 ack 1 urg 20", "UA 11:16 ack 1 urg 3", "UA 16:18 ack 1 urg 5")
	if n := countEvents(e.env, EventUrgent); n != 1 || e.c.UrgentPending() != 20 {
		t.Errorf("told %d times, %d octets pend", n, e.c.UrgentPending())
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 18", ReasonDelayedACK)
}

// RFC 6093, 3.4: an urgent octet that nobody has taken when the next one is announced is
// lost if reading had come to it; in line it stays, and so does what was never urgent
// data's last octet.
func TestAnUrgentOctetAtTheMarkIsOvertaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		inLine bool
		first  string
		read   int // before the second pointer
		next   string
		want   int // the number of the octet that is read next
	}{
		{"at the mark", false, "UA 1:6 ack 1 urg 2", 1, "UA 6:9 ack 1 urg 3", 3},
		{"before the mark", false, "UA 1:6 ack 1 urg 3", 1, "UA 6:9 ack 1 urg 3", 2},
		{"in line", true, "UA 1:6 ack 1 urg 2", 1, "UA 6:9 ack 1 urg 3", 2},
		{"the octet hadn't come", false, "UA 1 ack 1 urg 1", 0, "UA 1:6 ack 1 urg 4", 1},
	} {
		e := establishedEnd(t)
		e.c.SetOOBInline(c.inLine)
		e.peer().sends(c.first)
		if c.read > 0 {
			e.reads(c.read)
		}
		e.peer().sends(c.next)
		e.sent = nil
		v := e.c.Read(e.now, 1)
		if v.Len() != 1 || v.Bytes()[0] != octets(c.want, 1)[0] {
			t.Errorf("%s: the next is not octet %d", c.name, c.want)
		}
		v.Release()
		e.drain()
		e.sent = nil
	}
}

// Two octets from the mark one can be read, be the last in line or out of it.
func TestReadingStopsAtTheMark(t *testing.T) {
	for _, inLine := range []bool{false, true} {
		e := establishedEnd(t)
		e.c.SetOOBInline(inLine)
		e.peer().sends("UA 1:11 ack 1 urg 2")
		if n := e.c.Readable(); n != 1 {
			t.Errorf("in line is %v: %d readable", inLine, n)
		}
		e.reads(1)
		if n := e.c.Readable(); n != 8+oneIf(inLine) || !e.c.AtMark() {
			t.Errorf("in line is %v: at the mark %d readable", inLine, n)
		}
		// MSG_TRUNC's way: thrown away instead of read, over the mark.
		if n := e.c.Discard(e.now, 100); n != 8+oneIf(inLine) || e.c.AtMark() {
			t.Errorf("in line is %v: %d thrown away", inLine, n)
		}
		e.drain()
		e.after(40 * ms)
		e.want().segment("A 1 ack 11", ReasonDelayedACK)
	}
	// The octet at the mark is all there is: reading passes it once there is more.
	e := establishedEnd(t)
	e.peer().sends("UA 1:2 ack 1 urg 1")
	v := e.c.Read(e.now, 10)
	if v.Len() != 0 || e.c.UrgentPending() != 0 {
		t.Errorf("%d octets read, %d pend", v.Len(), e.c.UrgentPending())
	}
	v.Release()
	e.drain()
	e.after(40 * ms)
	e.want().segment("A 1 ack 2", ReasonDelayedACK)
}

// recv(2), MSG_OOB | MSG_PEEK: the octet, whether it is here, whether there is one to wait
// for. EINVAL "if ... there is no out-of-band data", or it was read, or is in line.
func TestLookingAtTheUrgentOctet(t *testing.T) {
	octet := octets(5, 1)[0]
	e := establishedEnd(t)
	expect := func(when string, octet byte, here, ok bool) {
		t.Helper()
		if a, b, c := e.c.Urgent(); a != octet || b != here || c != ok {
			t.Errorf("%s: %d, %v, %v; want %d, %v, %v", when, a, b, c, octet, here, ok)
		}
		if b, got := e.c.ReadUrgent(); !ok || !here {
			if b != 0 || got {
				t.Errorf("%s: it is read", when)
			}
		} else if b != octet || !got {
			t.Errorf("%s: it isn't read", when)
		} else {
			e.c.rare.urgent.taken = false // as if it hadn't been
		}
	}
	expect("none was announced", 0, false, false)
	e.peer().sends("UA 1 ack 1 urg 5")
	expect("it is announced", 0, false, true)
	e.peer().sends("A 1:11 ack 1")
	expect("it is here", octet, true, true)
	e.c.SetOOBInline(true)
	expect("in line", 0, false, false)
	e.c.SetOOBInline(false)
	e.reads(4)
	e.c.Read(e.now, 100).Release() // beyond the mark
	expect("what follows was read", octet, true, true)
	_, _ = e.c.ReadUrgent()
	expect("it was read", 0, false, false)
	e.drain()
	e.after(40 * ms)
	e.want().segment("A 1 ack 11", ReasonDelayedACK)
}

// After the end nothing is urgent any more, though nobody has read it.
func TestNothingIsUrgentAfterTheEnd(t *testing.T) {
	for name, ends := range map[string]func(e *end){
		"abort": func(e *end) { e.c.Abort(e.now) },
		"close": func(e *end) { e.c.Close(e.now) },
	} {
		e := establishedEnd(t)
		e.peer().sends("UA 1:11 ack 1 urg 5")
		ends(e)
		e.drain()
		e.sent = nil
		if _, _, ok := e.c.Urgent(); ok || e.c.UrgentPending() != 0 || e.c.Readable() != 0 || e.c.Ready()&ReadyUrgent != 0 {
			t.Errorf("%s: %d octets pend, %d readable", name, e.c.UrgentPending(), e.c.Readable())
		}
		if used, _ := e.env.Memory(); used != 0 {
			t.Errorf("%s: %d octets of memory are still accounted for", name, used)
		}
	}
}
