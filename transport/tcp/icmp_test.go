package tcp

import (
	"errors"
	"syscall"
	"testing"
)

func TestSoftErrorNeverAborts(t *testing.T) {
	// "Since these Unreachable messages indicate soft error conditions, a TCP
	// implementation MUST NOT abort the connection (MUST-56), and it SHOULD
	// make the information available to the application (SHLD-25)."
	// RFC 9293, 3.9.2.2. "There MUST be a mechanism for reporting soft TCP error
	// conditions to the application (MUST-47)." RFC 9293, 3.9.1.8. (SHLD-20)
	unreachable := syscall.EHOSTUNREACH
	e := synSentEnd(t)
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, unreachable, false, testISS) })
	e.want().state(StateSynSent)
	if err := e.c.SoftErr(); err != unreachable {
		t.Errorf("the soft error is %v", err)
	}
	if err := e.c.SoftErr(); err != nil {
		t.Errorf("the soft error is still %v", err)
	}
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
}

func TestSoftErrorSaysWhyItTimedOut(t *testing.T) {
	e := synSentEnd(t)
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, syscall.EHOSTUNREACH, false, testISS) })
	for e.c.State() != StateClosed {
		e.pass(e.c.NextTimer())
		e.sent = nil
	}
	if !errors.Is(e.c.Err(), syscall.EHOSTUNREACH) {
		t.Errorf("the error is %v", e.c.Err())
	}
}

func TestHardErrorEndsTheHandshakeOnly(t *testing.T) {
	// "These are hard error conditions, so TCP implementations SHOULD abort the
	// connection (SHLD-26)." RFC 9293, 3.9.2.2; but not one that is open:
	// RFC 5927, 5.2.
	e := synSentEnd(t)
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, syscall.ECONNREFUSED, true, testISS) })
	e.want().state(StateClosed)
	if e.c.Err() != syscall.ECONNREFUSED {
		t.Errorf("the error is %v", e.c.Err())
	}
	e = flightEnd(t)
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, syscall.ECONNREFUSED, true, c.snd.una) })
	e.want().state(StateEstablished)
	if err := e.c.SoftErr(); err != syscall.ECONNREFUSED {
		t.Errorf("the soft error is %v", err)
	}
}

func TestICMPErrorAboutNothingInFlightIsForged(t *testing.T) {
	// RFC 5927, 4.1.
	e := synSentEnd(t)
	e.does(func(c *Conn) { c.HandleUnreachable(e.now, syscall.ECONNREFUSED, true, testISS.Add(1)) })
	e.want().state(StateSynSent)
	e.want().discarded(DiscardICMPForeign, 1)
	e = flightEnd(t)
	e.does(func(c *Conn) { c.HandlePathMTU(e.now, 500, testISS.Add(50_000)) })
	e.want().discarded(DiscardICMPForeign, 1)
	if e.c.SendMSS() != 1000 {
		t.Errorf("the MSS is %d", e.c.SendMSS())
	}
}

func TestSmallerPathMTUCutsAnew(t *testing.T) {
	// "a retransmission caused by a Datagram Too Big message should not change
	// the congestion window." RFC 1191, 6.4.
	e := flightEnd(t)
	before := e.c.Info()
	e.does(func(c *Conn) { c.HandlePathMTU(e.now, 400, c.snd.una.Add(2000)) })
	for i := range 24 {
		e.want().segment(sprintf("A %d:%d ack 1", 1+400*i, 401+400*i), ReasonPathMTU)
	}
	e.want().segment("PA 9601:10001 ack 1", ReasonPathMTU)
	e.want().nothing()
	if info := e.c.Info(); info.Cwnd != before.Cwnd || info.Ssthresh != before.Ssthresh || info.SendMSS != 400 {
		t.Errorf("cwnd %d, ssthresh %d, MSS %d", info.Cwnd, info.Ssthresh, info.SendMSS)
	}
	// Further messages about the same burst change nothing.
	e.does(func(c *Conn) { c.HandlePathMTU(e.now, 400, c.snd.una.Add(3000)) })
	e.want().nothing()
	e.peer().sends("A 1 ack 401", "A 1 ack 401", "A 1 ack 401", "A 1 ack 401")
	if info := e.c.Info(); info.Phase == PhaseRecovery || info.Cwnd < before.Cwnd {
		t.Errorf("the duplicates that follow start %v", info.Phase)
	}
	e.sent = nil
}

func TestSegmentsNeverExceedTheMSS(t *testing.T) {
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetMaxSegment(300) })
	e.writes(1000)
	e.want().segment("A 1:301 ack 1", ReasonData)
	e.want().segment("A 301:601 ack 1", ReasonData)
	e.want().segment("A 601:901 ack 1", ReasonData)
	e.want().segment("PA 901:1001 ack 1", ReasonData)
}

func TestMaxSegmentBeforeTheSYNIsTold(t *testing.T) {
	e := newEnd(t)
	e.c = Connect(e.env, e.now, testParams())
	e.c.SetMaxSegment(700)
	e.drain()
	e.want().segment("S 0 mss 700", ReasonOpen)
	e.c.SetMaxSegment(600) // told already
	e.after(1000 * ms)
	e.want().segment("S 0 mss 700", ReasonOpenRetry)
}
