package tcp

import (
	"fmt"
	"testing"
	"time"
)

var sprintf = fmt.Sprintf

func TestDelayedACK(t *testing.T) {
	// "A TCP endpoint SHOULD implement a delayed ACK (SHLD-18), but an ACK
	// should not be excessively delayed; in particular, the delay MUST be less
	// than 0.5 seconds (MUST-40)." RFC 9293, 3.8.6.3.
	e := establishedEnd(t)
	e.peer().sends("A 1:101 ack 1")
	e.after(40*ms - 1)
	e.want().nothing()
	e.after(1)
	e.want().segment("A 1 ack 101", ReasonDelayedACK)
	if d := DefaultConfig().DelayedACK; d >= 500*ms {
		t.Errorf("the delay is %v", d)
	}
}

func TestDelayedACKGoesWithData(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1:101 ack 1")
	e.writes(10)
	e.want().segment("PA 1:11 ack 101", ReasonData)
	e.peer().sends("A 101 ack 11")
	e.after(time.Minute)
	e.want().nothing()
}

func TestEverySecondFullSegmentIsAcknowledged(t *testing.T) {
	// "An ACK SHOULD be generated for at least every second full-sized segment
	// or 2*RMSS bytes of new data ... (SHLD-19)." RFC 9293, 3.8.6.3.
	e := establishedEnd(t)
	for i := range 5 {
		at := 1 + 2000*i
		e.peer().sends(sprintf("A %d:%d ack 1", at, at+1000))
		e.want().nothing()
		e.peer().sends(sprintf("A %d:%d ack 1", at+1000, at+2000))
		e.want().segment(sprintf("A 1 ack %d", at+2000), ReasonSecondSegment)
	}
	e.reads(10000)
}

func TestSegmentsThatArriveTogetherGetOneACK(t *testing.T) {
	// "In general, the processing of received segments MUST be implemented to
	// aggregate ACK segments whenever possible (MUST-58). For example, if the
	// TCP endpoint is processing a series of queued segments, it MUST process
	// them all before sending any ACK segments (MUST-59)." RFC 9293, 3.10.7.4. (R5681-11)
	e := establishedEnd(t)
	e.peer().sends("A 1:1001 ack 1", "A 1001:2001 ack 1", "A 2001:3001 ack 1", "A 3001:4001 ack 1")
	e.want().segment("A 1 ack 4001", ReasonSecondSegment)
	e.want().nothing()
}

func TestFirstSegmentsAreAcknowledgedAtOnce(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 3 })
	for i := range 3 {
		e.peer().sends(sprintf("A %d:%d ack 1", 1+10*i, 11+10*i))
		e.want().segment(sprintf("A 1 ack %d", 11+10*i), ReasonQuickACK)
	}
	e.peer().sends("A 31:41 ack 1")
	e.want().nothing()
	e.after(40 * ms)
	e.want().segment("A 1 ack 41", ReasonDelayedACK)
}

func TestDialogueNeedsNoQuickACKs(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 16 })
	e.peer().sends("PA 1:11 ack 1")
	e.want().segment("A 1 ack 11", ReasonQuickACK)
	e.writes(10)
	e.want().segment("PA 1:11 ack 11", ReasonData)
	e.peer().sends("PA 11:21 ack 11")
	e.want().nothing()
	e.writes(10)
	e.want().segment("PA 11:21 ack 21", ReasonData)
}

func TestOutOfOrderSegmentGetsADuplicateACKAtOnce(t *testing.T) {
	// "A TCP receiver SHOULD send an immediate duplicate ACK when an
	// out-of-order segment arrives." "In addition, a TCP receiver SHOULD send
	// an immediate ACK when the incoming segment fills in all or part of a gap
	// in the sequence space." RFC 5681, 3.2. (R5681-6, R5681-7, MAY-13)
	e := establishedEnd(t)
	e.peer().sends("A 101:201 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 301:401 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 1:101 ack 1") // part of the gap
	e.want().segment("A 1 ack 201", ReasonGapFilled)
	e.peer().sends("A 201:301 ack 1")
	e.want().segment("A 1 ack 401", ReasonGapFilled)
	e.reads(400)
}
