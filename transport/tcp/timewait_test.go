package tcp

import (
	"testing"
	"time"
)

// waits returns the few words of a connection in TIME-WAIT.
func waits(t *testing.T, adjust ...func(*Config)) (*end, TimeWait) {
	t.Helper()
	e := timeWaitEnd(t, adjust...)
	return e, e.c.TimeWait()
}

// hands gives the TimeWait a segment, and returns the answer as text.
func hands(e *end, tw *TimeWait, spec string) (reply string, v Verdict) {
	e.t.Helper()
	seg := e.parse(spec)
	s, ok, v := tw.HandleSegment(e.now, e.env, &seg)
	seg.drop()
	if !ok {
		return "", v
	}
	if s.Reason != ReasonTimeWait {
		e.t.Errorf("the answer is sent because %q", s.Reason)
	}
	return e.show(sentSegment{Segment: s, at: e.now}), v
}

func TestRepeatedFINRestartsTimeWait(t *testing.T) {
	// "The only thing that can arrive in this state is a retransmission of the
	// remote FIN. Acknowledge it, and restart the 2 MSL timeout."
	// RFC 9293, 3.10.7.4.
	e, tw := waits(t)
	first := tw.Expires()
	e.now = e.now.Add(50 * time.Second)
	if reply, v := hands(e, &tw, "FA 1 ack 2"); reply == "" || v != Keep {
		t.Errorf("a repeated FIN: %q, %v", reply, v)
	}
	if tw.Expires() != first.Add(50*time.Second) || tw.Remaining(e.now) != 60*time.Second {
		t.Errorf("expires at %v, first at %v", tw.Expires(), first)
	}

	// The Conn does the same.
	e = timeWaitEnd(t)
	e.after(50 * time.Second)
	e.peer().sends("FA 1 ack 2")
	e.want().segment("A 2 ack 2", ReasonTimeWait)
	e.after(60*time.Second - 1)
	e.want().state(StateTimeWait)
	e.after(1)
	e.want().state(StateClosed)
}

func TestResetDoesNotEndTimeWait(t *testing.T) {
	// An old duplicate could otherwise assassinate it: RFC 1337, 3.
	e, tw := waits(t)
	before := tw
	for _, spec := range []string{"R 2", "RA 2 ack 2", "R 1"} {
		if reply, v := hands(e, &tw, spec); reply != "" || v != Keep || tw != before {
			t.Errorf("%q: %q, %v", spec, reply, v)
		}
	}
	if e.env.Discards[DiscardTimeWaitReset] != 3 {
		t.Error("the resets are not counted")
	}
}

func TestStraySegmentsInTimeWait(t *testing.T) {
	e, tw := waits(t)
	for _, c := range []struct {
		spec     string
		answered bool
	}{
		{"A 2 ack 2", false},     // nothing new
		{"A 2:10 ack 2", true},   // data after the FIN
		{"A 1:2 ack 1", true},    // an old duplicate
		{"A 0 ack 2", true},      // a keep-alive
		{"A 0 ack 2", false},     // too soon for another answer
		{"SA 0 ack 1", true},     // an old SYN-ACK
		{"- 2:10", false},        // no ACK
		{"A 90000 ack 2", false}, // answers are limited
	} {
		if reply, v := hands(e, &tw, c.spec); (reply != "") != c.answered || v != Keep {
			t.Errorf("%q: %q, %v", c.spec, reply, v)
		}
	}
}

func TestNewerSYNReopens(t *testing.T) {
	// RFC 6191, 2; MAY-2 of RFC 9293, 3.6.1. (R6191-2, R6191-3)
	e, tw := waits(t)
	for spec, want := range map[string]Verdict{
		"S 2 mss 1000":          Keep, // old: not beyond what was received
		"S 1 mss 1000":          Keep,
		"S 3 mss 1000":          Reopen,
		"S 1000000 mss 1000":    Reopen,
		"S -1000000 mss 1000":   Keep,
		"SA 1000000 ack 2":      Keep,
		"FA 1 ack 2":            Keep,
		"S 2000000000 mss 1000": Reopen,
	} {
		if _, v := hands(e, &tw, spec); v != want {
			t.Errorf("%q: %v, want %v", spec, v, want)
		}
	}
	if got := tw.NextISS(); !testISS.Add(2).Less(got) {
		t.Errorf("the next ISS is %v", got)
	}
}

func TestNewerTimestampReopens(t *testing.T) {
	// RFC 6191, 2; SHLD-4 of RFC 9293, 3.6.1. (R6191-1)
	e, tw := waits(t, modern)
	for spec, want := range map[string]Verdict{
		"S 5 mss 1000 ts 999 0":  Keep,   // older
		"S 5 mss 1000 ts 1000 0": Reopen, // time stood still, but the number is higher
		"S 0 mss 1000 ts 1000 0": Keep,
		"S 0 mss 1000 ts 1001 0": Reopen, // newer, whatever the number
	} {
		if _, v := hands(e, &tw, spec); v != want {
			t.Errorf("%q: %v, want %v", spec, v, want)
		}
	}
	if reply, _ := hands(e, &tw, "FA 1 ack 2 ts 1005 0"); reply == "" {
		t.Error("a FIN with timestamps is not answered")
	}
	if tw.ts.recent != 1005 {
		t.Errorf("TS.Recent is %d", tw.ts.recent)
	}
}
