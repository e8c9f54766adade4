package tcp

import (
	"testing"
	"time"
)

// writesRecord writes n octets that end a record.
func (e *end) writesRecord(n int) {
	e.t.Helper()
	e.does(func(c *Conn) {
		if got, err := c.WriteBytes(e.now, octets(int(c.snd.queue.Len()), n)); got != n || err != nil {
			e.t.Fatalf("wrote %d, %v", got, err)
		}
		c.EndRecord()
	})
}

// No segment has octets of two records (MSG_EOR): a short one goes as it is where
// more follows, and the last is subject to the Nagle algorithm.
func TestRecordsAreNotJoined(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) {
		for range 3 {
			if _, err := c.WriteBytes(e.now, make([]byte, 400)); err != nil {
				t.Fatal(err)
			}
			c.EndRecord()
		}
		if _, err := c.WriteBytes(e.now, make([]byte, 1100)); err != nil {
			t.Fatal(err)
		}
	})
	e.want().segment("PA 1:401 ack 1", ReasonData)
	e.want().segment("PA 401:801 ack 1", ReasonData)
	e.want().segment("PA 801:1201 ack 1", ReasonData)
	e.want().segment("A 1201:2201 ack 1", ReasonData)
	e.want().nothing()
	e.peer().sends("A 1 ack 2201")
	e.want().segment("PA 2201:2301 ack 1", ReasonData)
	if e.c.rare.records != nil {
		t.Errorf("%v are remembered", e.c.rare.records)
	}
	e.peer().sends("A 1 ack 2301")
}

// They aren't joined when they are sent again.
func TestRecordsAreSentAgainApart(t *testing.T) {
	e := establishedEnd(t)
	e.c.SetNoDelay(true)
	for i := range 2 {
		e.writesRecord(400)
		e.want().segment(sprintf("PA %d:%d ack 1", 1+400*i, 401+400*i), ReasonData)
	}
	for len(e.sent) == 0 {
		e.pass(e.c.NextTimer())
	}
	for len(e.sent) > 0 && e.sent[0].Reason != ReasonTimeout {
		e.sent = e.sent[1:]
		if len(e.sent) == 0 {
			e.pass(e.c.NextTimer())
		}
	}
	e.want().segment("PA 1:401 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 401")
	e.want().segment("PA 401:801 ack 1", ReasonTimeout)
	e.peer().sends("A 1 ack 801")
	e.after(time.Second)
}

// The ends that are remembered are bounded.
func TestRecordsAreBounded(t *testing.T) {
	e := establishedEnd(t)
	e.c.EndRecord()
	if e.c.rare.records != nil {
		t.Error("where nothing was written a record ends")
	}
	for range mostRecords + 5 {
		if _, err := e.c.WriteBytes(e.now, []byte("x")); err != nil {
			t.Fatal(err)
		}
		e.c.EndRecord()
	}
	if n := len(*e.c.rare.records); n != mostRecords {
		t.Errorf("%d ends are remembered", n)
	}
}
