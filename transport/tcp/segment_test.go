package tcp

import (
	"testing"
)

func TestOnlyTheNewPartOfASegmentCounts(t *testing.T) {
	// "If a segment's contents straddle the boundary between old and new, only the
	// new parts are processed." RFC 9293, 3.10.7.4. The urgent pointer stays on its
	// octet.
	for _, c := range []struct {
		segment    string
		from       int
		want       string
		wantUrgent int
	}{
		{"A 10:20 ack 1", 5, "A 10:20 ack 1", 0},
		{"A 10:20 ack 1", 10, "A 10:20 ack 1", 0},
		{"A 10:20 ack 1", 11, "A 11:20 ack 1", 0},
		{"A 10:20 ack 1", 20, "A 20 ack 1", 0},
		{"FA 10:20 ack 1", 15, "FA 15:20 ack 1", 0},
		{"FA 10:20 ack 1", 20, "FA 20 ack 1", 0},
		{"UA 10:20 ack 1 urg 10", 15, "UA 15:20 ack 1", 5},
		{"UA 10:20 ack 1 urg 6", 15, "UA 15:20 ack 1", 1},
		{"UA 10:20 ack 1 urg 5", 15, "A 15:20 ack 1", 0},
		{"UA 10:20 ack 1 urg 3", 15, "A 15:20 ack 1", 0},
		{"UA 10:20 ack 1 urg 65535", 15, "UA 15:20 ack 1", 65530},
	} {
		e := newEnd(t)
		seg, _ := e.parseSpec(c.segment, testISS, testIRS)
		seg.trimFront(testISS.Add(c.from))
		e.isSegment(c.segment, seg, c.want)
		if int(seg.Urgent) != c.wantUrgent {
			t.Errorf("%q from %d: the urgent pointer is %d, want %d", c.segment, c.from, seg.Urgent, c.wantUrgent)
		}
		seg.drop()
	}
}

func TestASYNIsTheFirstOfItsSegment(t *testing.T) {
	// "For sequence number purposes, the SYN is considered to occur before the first
	// actual data octet of the segment in which it occurs, while the FIN is considered
	// to occur after the last actual data octet in a segment in which it occurs."
	// (RFC 9293, 3.4) Ten octets follow it here.
	for from, left := range map[int]int{10: 10, 11: 10, 12: 9, 13: 8, 21: 0} {
		e := newEnd(t)
		seg, _ := e.parseSpec("SA 10:20 ack 1", testISS, testIRS)
		seg.trimFront(testISS.Add(from))
		if seg.Payload.Len() != left || seg.Flags.Has(syn) != (from == 10) || !seg.Flags.Has(ack) || seg.Seq != testISS.Add(from) {
			t.Errorf("from %d: %v, %d octets", from, seg.Flags, seg.Payload.Len())
		}
		seg.drop()
	}
}

func TestWhatIsBeyondTheWindowIsCutOff(t *testing.T) {
	// "One could tailor actual segments to fit this assumption by trimming off any
	// portions that lie outside the window (including SYN and FIN)"
	// (RFC 9293, 3.10.7.4). The FIN is the first to go.
	for _, c := range []struct {
		segment string
		edge    int
		want    string
	}{
		{"A 10:20 ack 1", 30, "A 10:20 ack 1"},
		{"A 10:20 ack 1", 20, "A 10:20 ack 1"},
		{"A 10:20 ack 1", 19, "A 10:19 ack 1"},
		{"A 10:20 ack 1", 10, "A 10 ack 1"},
		{"FA 10:20 ack 1", 21, "FA 10:20 ack 1"},
		{"FA 10:20 ack 1", 20, "A 10:20 ack 1"},
		{"FA 10:20 ack 1", 15, "A 10:15 ack 1"},
		{"FA 10 ack 1", 10, "A 10 ack 1"},
	} {
		e := newEnd(t)
		seg, _ := e.parseSpec(c.segment, testISS, testIRS)
		seg.trimBack(testISS.Add(c.edge))
		e.isSegment(c.segment, seg, c.want)
		seg.drop()
	}
}

// isSegment expects a segment to be as described, with its own octets.
func (e *end) isSegment(name string, got Segment, spec string) {
	e.t.Helper()
	want, given := e.parseSpec(spec, testISS, testIRS)
	defer want.drop()
	if diff := differs(got, want, given); diff != "" || string(got.Payload.Bytes()) != string(want.Payload.Bytes()) {
		e.t.Errorf("%q becomes %s %s, want %q", name, e.show(sentSegment{Segment: got, text: string(got.Payload.Bytes())}), diff, spec)
	}
}

func TestUrgentSegmentThatStraddlesOldAndNew(t *testing.T) {
	// "RCV.UP <- max(RCV.UP,SEG.UP)": RFC 9293, 3.10.7.4.
	e := establishedEnd(t)
	e.peer().sends("A 1:11 ack 1")
	e.peer().sends("UA 6:16 ack 1 urg 8") // up to and without 14
	if got := e.c.UrgentPending(); got != 13 {
		t.Errorf("%d octets are left to the end of urgent data, want 13", got)
	}
	e.reads(12)
	if octet, ok := e.c.ReadUrgent(); !ok || octet != octets(13, 1)[0] {
		t.Errorf("the urgent octet is %d, %v", octet, ok)
	}
	e.sent = nil
}
