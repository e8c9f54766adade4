package tcp

import (
	"testing"
	"time"
)

// The facts of a whole connection, from the first to the last: every change of state, every
// timer that is set, moved, stopped or due (RFC 9293, 3.10).
func TestTheStoryOfAConnection(t *testing.T) {
	e := newEnd(t, sacked)
	e.env.Watch = true
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.want().facts("CLOSED -> SYN-SENT: the program connects", "retransmission timer set to 1s")
	e.after(100 * ms)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.want().facts(
		"SYN-SENT -> ESTABLISHED: the SYN-ACK arrived", "retransmission timer stopped",
		"cwnd 10000, ssthresh 1073741824, open: the initial window",
	)
	e.writes(2000) // a loss probe comes before the time-out
	e.want().segment("A 1:1001 ack 1", ReasonData)
	e.want().segment("PA 1001:2001 ack 1", ReasonData)
	// Of one segment the ACK may be delayed by the peer, so that the time-out comes
	// first; of two it isn't: 2*SRTT, and 2 ms (RFC 8985, 7.2).
	e.want().facts(
		"retransmission timer set to 400ms", "retransmission timer stopped", "loss probe timer set to 400ms",
		"loss probe timer set to 302ms",
	)
	e.after(100 * ms)
	e.peer().sends("A 1 ack 1001")
	e.want().nothing()
	e.want().facts("loss probe timer set to 500ms")
	e.peer().sends("A 1 ack 2001")
	e.want().nothing()
	e.want().facts("loss probe timer stopped")
	e.peer().sends("A 1:101 ack 2001")
	e.want().facts("delayed ACK timer set to 240ms")
	e.after(40 * ms)
	e.want().segment("A 2001 ack 101", ReasonDelayedACK)
	e.want().facts("delayed ACK timer fired, of event 0")
	e.reads(100)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 2001 ack 101", ReasonFIN)
	e.want().facts(
		"ESTABLISHED -> FIN-WAIT-1: the program closed",
		"retransmission timer set to 540ms", "retransmission timer stopped", "loss probe timer set to 540ms",
	)
	e.peer().sends("A 101 ack 2002")
	e.want().facts("loss probe timer stopped", "FIN-WAIT-1 -> FIN-WAIT-2: our FIN is acknowledged")
	e.peer().sends("FA 101 ack 2002")
	e.want().segment("A 2002 ack 102", ReasonFINACK)
	e.want().facts("FIN-WAIT-2 -> TIME-WAIT: the peer's FIN arrived", "lifetime timer set to 1m0.24s")
	e.after(time.Minute)
	e.want().state(StateClosed)
	e.want().facts("lifetime timer fired, of event 0", "TIME-WAIT -> CLOSED: twice the maximum segment lifetime has passed")
}

// One timer stands for three, and is told by the name of what it stands for: "An
// implementation is expected to have one timer with an additional state variable
// indicating the type of the timer." (RFC 8985, 8)
func TestTheSharedTimerIsToldByItsName(t *testing.T) {
	env := NewEnv(DefaultConfig())
	env.Watch = true
	told := wantOf{&end{t: t, env: env}}
	var set timers
	at := began.Add(time.Second)
	set.stop(env, TimerRetransmit)
	set.stop(env, TimerKeepAlive)
	told.facts() // what isn't running isn't stopped
	set.set(env, TimerLossProbe, at)
	told.facts("loss probe timer set to 1s")
	set.set(env, TimerLossProbe, at)
	told.facts("loss probe timer set to 1s")
	set.set(env, TimerReordering, at)
	told.facts("loss probe timer stopped", "reordering timer set to 1s")
	set.set(env, TimerKeepAlive, at)
	set.stop(env, TimerKeepAlive)
	told.facts("keep-alive timer set to 1s", "keep-alive timer stopped")
	set.stop(env, TimerRetransmit)
	told.facts("reordering timer stopped")
	set.set(env, TimerRetransmit, at)
	set.set(env, TimerPacing, at)
	set.stopAll(env)
	told.facts("retransmission timer set to 1s", "pacing timer set to 1s", "retransmission timer stopped", "pacing timer stopped")
}

// RFC 9293, 3.10.5, ABORT: "All queued SENDs and RECEIVEs should be given "connection reset"
// notification; all segments queued for transmission ... should be flushed": nothing goes
// out but the reset, and nothing is owed.
func TestNothingIsDueAfterAnAbort(t *testing.T) {
	e := newEnd(t)
	e.c = Connect(e.env, e.now, testParams())
	e.c.Abort(e.now) // before the SYN is out
	e.drain()
	e.want().nothing()
	e = establishedEnd(t)
	seg := e.parse("A 101:201 ack 1")
	e.c.HandleSegment(e.now, &seg)
	if !e.c.OwesACK() {
		t.Fatal("no ACK is due")
	}
	e.c.Abort(e.now)
	if e.c.OwesACK() {
		t.Error("an ACK is due after the end")
	}
	e.drain()
	e.want().segment("RA 1 ack 1", ReasonAbort)
	e.want().nothing()
	// A listener that has no use for a connection says why.
	e = synReceivedEnd(t)
	e.does(func(c *Conn) { c.Refuse(e.now, ReasonOverflow) })
	e.want().segment("RA 1 ack 1", ReasonOverflow)
	e.want().state(StateClosed)
	if e.c.Err() != ErrAborted {
		t.Errorf("it ends with %v", e.c.Err())
	}
	// Recovery ends with the connection.
	e = flightEnd(t)
	e.peer().sends("A 1 ack 1", "A 1 ack 1", "A 1 ack 1", "R 1")
	e.sent = nil
	if i := e.c.Info(); i.Phase != PhaseOpen {
		t.Errorf("after the end it is in %v", i.Phase)
	}
}

// SHLD-3: "if such a host issues a CLOSE call while received data is still pending", be it an
// octet, "its TCP implementation SHOULD send a RST" (RFC 9293, 3.6.1); what was received is
// given back to the host.
func TestOneUnreadOctetResets(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 1:2 ack 1")
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("RA 1 ack 2", ReasonUnreadData)
	if used, _ := e.env.Memory(); used != 0 || e.c.Readable() != 0 {
		t.Errorf("%d octets are accounted for, %d can be read", used, e.c.Readable())
	}
}
