package tcp

import "testing"

func TestUrgentPointerNamesTheOctetAfterUrgentData(t *testing.T) {
	// "The urgent pointer MUST point to the sequence number of the octet
	// following the urgent data (MUST-62)." RFC 9293, 3.8.5.
	e := establishedEnd(t)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.peer().sends("A 1 ack 11")
	e.does(func(c *Conn) {
		if n, err := c.WriteUrgent(e.now, octets(11, 3)); n != 3 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
	e.want().segment("PUA 11:14 ack 1 urg 3", ReasonUrgent)
	e.after(e.c.Info().RTO)
	e.want().segment("PUA 11:14 ack 1 urg 3", ReasonTimeout)
	e.peer().sends("A 1 ack 14")
	e.writes(5)
	e.want().segment("PA 14:19 ack 1", ReasonData)
}

func TestUrgentDataOfAnyLength(t *testing.T) {
	// "A TCP implementation MUST support a sequence of urgent data of any
	// length (MUST-31)." RFC 9293, 3.8.5. The pointer is told as far as it
	// reaches.
	e := establishedEnd(t)
	e.does(func(c *Conn) { _, _ = c.WriteUrgent(e.now, octets(1, 100_000)) })
	got := 0
	for i := 0; got < 100_000; i++ {
		for _, s := range e.sent {
			left := 100_000 - s.Seq.Sub(testISS.Add(1))
			if !s.Flags.Has(urg) || int(s.Urgent) != min(left, 0xffff) {
				t.Fatalf("with %d octets left: %v", left, e.show(s))
			}
			got = s.Seq.Sub(testISS.Add(1)) + len(s.text)
		}
		e.sent = nil
		e.peer().sends(sprintf("A 1 ack %d", got+1))
	}
	e.sent = nil
}

func TestUrgentPointerIsSentEvenIfTheWindowIsClosed(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 win 0")
	e.does(func(c *Conn) { _, _ = c.WriteUrgent(e.now, []byte{octets(1, 1)[0]}) })
	e.want().nothing()
	e.after(200 * ms)
	e.want().segment("PUA 1:2 ack 1 urg 1", ReasonWindowProbe)
}

func TestUrgentOctetOutOfLine(t *testing.T) {
	// "However, TCP implementations MUST still include support for the urgent
	// mechanism (MUST-30)." RFC 9293, 3.8.5. The default of Linux and BSD: the last octet is taken out of the stream,
	// and reading stops once where it was. RFC 6093, 3.1.
	e := establishedEnd(t)
	e.env.Watch = true
	e.peer().sends("PUA 1:11 ack 1 urg 6")
	// "A TCP implementation MUST (MUST-32) inform the application layer
	// asynchronously whenever it receives an urgent pointer and there was
	// previously no pending urgent data, or whenever the urgent pointer
	// advances in the data stream." RFC 9293, 3.8.5.
	if n := countEvents(e.env, EventUrgent); n != 1 || e.c.Ready()&ReadyUrgent == 0 {
		t.Errorf("told %d times, ready %v", n, e.c.Ready())
	}
	// "...provide a way for the application to learn how much urgent data
	// remains to be read from the connection" (MUST-33).
	if e.c.UrgentPending() != 6 || e.c.Readable() != 5 || e.c.AtMark() {
		t.Errorf("%d pending, %d readable, at the mark: %v", e.c.UrgentPending(), e.c.Readable(), e.c.AtMark())
	}
	if b, ok := e.c.ReadUrgent(); !ok || b != octets(6, 1)[0] {
		t.Errorf("the urgent octet is %d, %v", b, ok)
	}
	if _, ok := e.c.ReadUrgent(); ok {
		t.Error("the urgent octet can be read twice")
	}
	e.reads(5)
	if !e.c.AtMark() || e.c.Readable() != 4 {
		t.Errorf("at the mark: %v, %d readable", e.c.AtMark(), e.c.Readable())
	}
	var peeked [10]byte
	if n := e.c.Peek(peeked[:], 0); n != 4 || string(peeked[:n]) != string(octets(7, 4)) {
		t.Errorf("peeked at %d octets", n)
	}
	v := e.c.Read(e.now, 10)
	if string(v.Bytes()) != string(octets(7, 4)) {
		t.Errorf("read %d octets after the mark, or wrong ones", v.Len())
	}
	v.Release()
	if e.c.AtMark() || e.c.UrgentPending() != 0 {
		t.Error("still urgent")
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 11", ReasonDelayedACK)
}

func TestUrgentOctetInLine(t *testing.T) {
	// What programs are advised to ask for, with SO_OOBINLINE: RFC 6093, 6.
	e := establishedEnd(t)
	e.c.SetOOBInline(true)
	e.peer().sends("PUA 1:11 ack 1 urg 6")
	if _, ok := e.c.ReadUrgent(); ok {
		t.Error("an octet in line can be read out of line")
	}
	if e.c.Readable() != 5 {
		t.Errorf("%d readable before the mark", e.c.Readable())
	}
	e.reads(5)
	if !e.c.AtMark() || e.c.Readable() != 5 {
		t.Errorf("at the mark: %v, %d readable", e.c.AtMark(), e.c.Readable())
	}
	e.reads(5)
	e.after(40 * ms)
	e.want().segment("A 1 ack 11", ReasonDelayedACK)
}

func TestUrgentPointerAheadOfItsOctet(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("UA 1:11 ack 1 urg 16")
	if e.c.UrgentPending() != 16 || e.c.Readable() != 10 {
		t.Errorf("%d pending, %d readable", e.c.UrgentPending(), e.c.Readable())
	}
	if _, ok := e.c.ReadUrgent(); ok {
		t.Error("the octet is read before it is here")
	}
	e.reads(10)
	e.peer().sends("PA 11:21 ack 1")
	if b, ok := e.c.ReadUrgent(); !ok || b != octets(16, 1)[0] {
		t.Errorf("the urgent octet is %d, %v", b, ok)
	}
	e.reads(5)
	if !e.c.AtMark() {
		t.Error("not at the mark")
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 21", ReasonDelayedACK)
}

func TestUrgentPointerAdvances(t *testing.T) {
	e := establishedEnd(t)
	e.env.Watch = true
	e.peer().sends("UA 1:11 ack 1 urg 5", "UA 11:21 ack 1 urg 5", "UA 11:21 ack 1 urg 1")
	if n := countEvents(e.env, EventUrgent); n != 2 {
		t.Errorf("told %d times, want 2", n)
	}
	if e.c.UrgentPending() != 15 || e.c.Readable() != 14 {
		t.Errorf("%d pending, %d readable", e.c.UrgentPending(), e.c.Readable())
	}
	e.reads(14) // the first one's octet has become an ordinary one
	e.sent = nil
	e.after(0)
	e.sent = nil
}

func TestUrgentPointerAfterTheFINIsIgnored(t *testing.T) {
	// "This should not occur since a FIN has been received from the remote
	// side. Ignore the URG." RFC 9293, 3.10.7.4.
	e := closeWaitEnd(t)
	e.peer().sends("UA 2 ack 1 urg 9")
	if e.c.UrgentPending() != 0 {
		t.Error("urgent data after the FIN")
	}
	e.want().discarded(DiscardUrgentIgnored, 1)
}

func TestUrgentFieldAndBitBelongTogether(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1 ack 1 urg 5", "UA 1 ack 1 urg 0")
	if e.c.UrgentPending() != 0 {
		t.Errorf("%d octets of urgent data", e.c.UrgentPending())
	}
}
