package tcp

import (
	"testing"

	"hubbub/internal/pkt"
)

// offloading is a config with segments that stand for several.
func offloading(c *Config) { c.Offload = 8500 }

// sendsLarge expects a segment that stands for several of 1000 octets.
func (w wantOf) sendsLarge(spec string) {
	w.t.Helper()
	if s := w.segment(spec, ReasonData); s.Size != 1000 {
		w.t.Errorf("%s: pieces of %d octets, want 1000", spec, s.Size)
	}
}

// All segments that the windows allow are one to whoever carries them, up to a limit: full
// ones, and the last.
func TestFullSegmentsGoTogether(t *testing.T) {
	e := sackEnd(t, 100*ms, offloading)
	e.writes(3300)
	e.want().sendsLarge("PA 1:3301 ack 1")
	e.peer().sends("A 1 ack 3301")
	e.writes(10000)
	e.want().sendsLarge("A 3301:11301 ack 1")
	e.want().sendsLarge("PA 11301:13301 ack 1")
	e.want().nothing()
}

// To loss recovery they are what they stand for: each has a record, arrives by
// itself, and is sent again by itself. While something is amiss none go
// together.
func TestWhatGoesTogetherIsLostOneByOne(t *testing.T) {
	e := sackEnd(t, 100*ms, offloading)
	e.writes(8000)
	e.want().sendsLarge("PA 1:8001 ack 1")
	if i := e.c.Info(); i.DataSegmentsOut != 8 || i.Recovery.Segments != 8 || i.InFlight != 8000 {
		t.Errorf("%d segments were sent, and %d with %d octets are in flight, want 8 and 8000", i.DataSegmentsOut, i.Recovery.Segments, i.InFlight)
	}
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1001 sack 2001:5001")
	e.want().segment("A 1001:2001 ack 1", ReasonRACK)
	e.want().nothing()
	e.writes(5000)
	e.peer().sends("A 1 ack 1001 sack 2001:8001")
	for range 3 {
		if s := e.sent[0]; s.Size != 0 || len(s.text) != 1000 {
			t.Errorf("in recovery %d octets go as pieces of %d", len(s.text), s.Size)
		}
		e.sent = e.sent[1:]
	}
	e.sent = nil
}

// What is paced, or goes before the end of urgent data, isn't put together.
func TestWhatGoesOneByOne(t *testing.T) {
	for _, f := range []func(c *Conn){
		func(c *Conn) { c.SetMaxPacingRate(1 << 40) },
		func(c *Conn) { c.urgency().sendEnd = c.dataEnd() },
	} {
		e := sackEnd(t, 100*ms, offloading)
		e.does(f)
		e.writes(2000)
		e.want().segment("A 1:1001 ack 1", ReasonData)
		e.want().segment("PA 1001:2001 ack 1", ReasonData)
	}
}

// A segment that stands for several counts for as many where it arrives, and
// is acknowledged once.
func TestALargeSegmentArrives(t *testing.T) {
	e := sackEnd(t, 100*ms)
	e.after(1000 * ms) // no longer the beginning, when every segment is acknowledged
	text := e.gives(pkt.CopyView(octets(1, 2500)))
	e.c.HandleSegment(e.now, &Segment{Seq: testIRS + 1, Ack: testISS + 1, Flags: ack, Window: 64000, Payload: text, Size: 1000})
	e.drain()
	e.want().segment("A 1 ack 2501", ReasonSecondSegment)
	e.want().nothing()
	if i := e.c.Info(); i.DataSegmentsIn != 3 || i.SegmentsIn != 4 {
		t.Errorf("%d segments with data of %d, want 3 of 4", i.DataSegmentsIn, i.SegmentsIn)
	}
	e.reads(2500)
}

// The receive buffer's size follows what is read in a round trip, but at least
// in a tick of the timestamp clock: in a network in memory a round trip is too
// short to tell anything.
func TestTuningIsNoFasterThanTheTimestampClock(t *testing.T) {
	e := establishedEnd(t, linuxs)
	before := e.c.Info().ReceiveWindow
	for range 40 {
		e.does(func(c *Conn) {
			text := e.gives(pkt.CopyView(octets(int(c.rcv.nxt-testIRS), 1460)))
			c.HandleSegment(e.now, &Segment{Seq: c.rcv.nxt, Ack: testISS + 1, Flags: ack, Window: 64000, Payload: text})
		})
		e.reads(1460)
		e.sent = nil
		e.after(50_000)
	}
	if i := e.c.Info(); i.ReceiveWindow <= before {
		t.Errorf("the window is %d, as before, though 40 segments came in a tick", i.ReceiveWindow)
	}
}
