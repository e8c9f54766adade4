package tcp

import (
	"testing"
	"time"
)

// RFC 1337, 3 is a choice on Linux (tcp_rfc1337): without it, a reset at exactly RCV.NXT ends
// TIME-WAIT; one beside it doesn't.
func TestAResetMayEndTimeWait(t *testing.T) {
	unprotected := func(c *Config) { c.ProtectTimeWait = false }
	for spec, want := range map[string]Verdict{"R 2": Kill, "RA 2 ack 2": Kill, "R 1": Keep, "R 3": Keep, "A 2 ack 2": Keep, "FA 1 ack 2": Keep} {
		e, tw := waits(t, unprotected)
		reply, v := hands(e, &tw, spec)
		if v != want || (reply != "") != (spec == "FA 1 ack 2") {
			t.Errorf("%q: %v, answered by %q", spec, v, reply)
		}
		if n := e.env.Discards[DiscardTimeWaitReset]; n != uint64(oneIf(spec == "R 1" || spec == "R 3")) {
			t.Errorf("%q: %d resets discarded", spec, n)
		}
	}
	e := timeWaitEnd(t, unprotected)
	e.env.Watch = true
	e.peer().sends("R 2")
	e.want().state(StateClosed)
	e.want().facts("TIME-WAIT -> CLOSED: a reset ended TIME-WAIT", "lifetime timer stopped")
	if e.c.Err() != nil {
		t.Errorf("it ends with %v", e.c.Err())
	}
	e = timeWaitEnd(t, unprotected)
	e.peer().sends("R 1")
	e.want().state(StateTimeWait)
}

// What TIME-WAIT has no use for is counted by its reason, and answered by an ACK, but
// bare ACKs once in half a second.
func TestWhatTimeWaitDiscards(t *testing.T) {
	for _, c := range []struct {
		spec string
		why  Discard
	}{
		{"A 2:10 ack 2", DiscardTimeWait},
		{"A 0 ack 2", DiscardTimeWait},
		{"S 1 mss 1000", DiscardTimeWait}, // an old one
		{"- 2:10", DiscardNoACK},
		{"F 5", DiscardNoACK},
	} {
		e, tw := waits(t)
		reply, _ := hands(e, &tw, c.spec)
		if e.env.Discards[c.why] != 1 || (reply != "") != (c.why == DiscardTimeWait) {
			t.Errorf("%q: %d discarded because %q, answered by %q", c.spec, e.env.Discards[c.why], c.why, reply)
		}
	}
	// The Conn does the same, and no timer is touched.
	e := timeWaitEnd(t)
	e.env.Watch = true
	e.peer().sends("A 0 ack 2", "A 0 ack 2")
	e.want().segment("A 2 ack 2", ReasonTimeWait)
	e.want().facts("discards: the connection is in TIME-WAIT", "discards: answers to invalid segments are limited")
	e.after(499 * ms)
	e.peer().sends("A 0 ack 2")
	e.want().nothing()
	e.after(ms)
	e.peer().sends("A 0 ack 2")
	e.want().segment("A 2 ack 2", ReasonTimeWait)
}

// RFC 7323, 4.3: only a timestamp that is there, and was agreed on, is remembered.
func TestTimestampsInTimeWait(t *testing.T) {
	e, tw := waits(t, modern)
	tw.ts.recent = 0xffff_ff00 // after which comes 0
	seg, _ := e.parseSpec("FA 1 ack 2", testIRS, testISS)
	tw.HandleSegment(e.now, e.env, &seg)
	if value, at, ok := tw.LastTimestamp(); value != 0xffff_ff00 || at != began || !ok {
		t.Errorf("of a FIN without a timestamp %d is remembered, at %v, %v", value, at.Sub(began), ok)
	}
	e.now = e.now.Add(time.Second)
	hands(e, &tw, "FA 1 ack 2 ts 5 0")
	if value, at, ok := tw.LastTimestamp(); value != 5 || at != began.Add(time.Second) || !ok {
		t.Errorf("the last timestamp is %d, of %v, %v", value, at.Sub(began), ok)
	}
	e, tw = waits(t)
	hands(e, &tw, "FA 1 ack 2 ts 5 0")
	if value, _, ok := tw.LastTimestamp(); value != 0 || ok {
		t.Errorf("without an agreement: %d, %v", value, ok)
	}
}

// tcp_tw_reuse: "Enable reuse of TIME-WAIT sockets for new connections when it is safe from
// protocol viewpoint": the clock of the timestamps must have gone on by a second.
func TestWhenTimeWaitCanBeReused(t *testing.T) {
	e, tw := waits(t, modern)
	for after, want := range map[time.Duration]bool{0: false, time.Second: false, time.Second + 1: true, time.Minute: true} {
		if got := tw.Reusable(began.Add(after)); got != want {
			t.Errorf("%v after the last timestamp: %v", after, got)
		}
	}
	_, plain := waits(t)
	if plain.Reusable(began.Add(time.Hour)) {
		t.Error("without timestamps it is reusable")
	}
	tw.ExpireAt(e.now.Add(7 * time.Second))
	if tw.Expires() != began.Add(7*time.Second) || tw.Remaining(began.Add(5*time.Second)) != 2*time.Second {
		t.Errorf("it expires at %v", tw.Expires().Sub(began))
	}
}

// "Start the time-wait timer, turn off the other timers." (RFC 9293, 3.10.7.4)
func TestTimeWaitHasOneTimer(t *testing.T) {
	e := finWait2End(t)
	e.does(func(c *Conn) { c.SetKeepAlive(e.now, KeepAlive{On: true, Idle: time.Second}) })
	e.c.past() // what a recovery remembers
	e.peer().sends("FA 1 ack 2")
	e.want().segment("A 2 ack 2", ReasonFINACK)
	e.want().state(StateTimeWait)
	if at := e.c.NextTimer(); at != began.Add(time.Minute) {
		t.Errorf("the next timer is due %v later", at.Sub(began))
	}
	if e.c.loss.history != nil || e.c.loss.board != nil {
		t.Error("what was needed for sending is kept")
	}
}
