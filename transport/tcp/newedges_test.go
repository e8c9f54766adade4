package tcp

import (
	"testing"

	"hubbub/wire"
)

func TestABlackHoleIsTold(t *testing.T) {
	// What the connection believes of its path is a fact, once for each shorter
	// segment (RFC 4821, 7.7), and none where the floor is reached.
	e := establishedEnd(t, func(c *Config) { c.MTUProbing, c.BaseMSS, c.MTUProbeFloor = 1, 400, 200 })
	e.env.Watch = true
	e.writes(1000)
	for range 8 {
		e.sent = nil
		e.pass(e.c.NextTimer())
	}
	e.sent = nil
	told := 0
	for _, f := range facts(e.env) {
		if f.Kind == EventCongestion && f.Why == "long segments seem to vanish: shorter ones are sent" {
			told++
		}
	}
	if told != 2 || e.c.SendMSS() != 200 { // 400, 200
		t.Errorf("told %d times, want 2; segments of %d octets, want 200", told, e.c.SendMSS())
	}
}

func TestTheLeastWindowIsOneUnit(t *testing.T) {
	// "The window field (SEG.WND) of every outgoing segment, with the exception of
	// <SYN> segments, MUST be right-shifted by Rcv.Wind.Shift bits" (RFC 7323, 2.3):
	// a buffer that is smaller than the unit would never open a window.
	e := newEnd(t, func(c *Config) {
		c.WindowScaling, c.AdvWinScale, c.ReceiveBuffer, c.MaxReceiveBuffer = true, 1, 100, 100<<20
	})
	e.connect(testParams())
	e.want().segment("S 0 win 2000 ws 11", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000 ws 0")
	e.want().segment("A 1 ack 1 win 1", ReasonOpenDone)
	e.does(func(c *Conn) { c.resizeWindow(e.now) })
	if e.c.rcv.limit != 2048 {
		t.Errorf("the window is %d octets", e.c.rcv.limit)
	}
}

func TestCWRGoesOutOnce(t *testing.T) {
	// "When the TCP data sender is ready to set the CWR bit after reducing the
	// congestion window, it SHOULD set the CWR bit only on the first new data packet
	// that it transmits" (RFC 3168, 6.1.2).
	e := ecnEnd(t)
	e.writes(30_000)
	e.sent = nil
	var marked []int
	for i := 1; i <= 10; i++ {
		e.peer().sends(sprintf("AE 1 ack %d", 1000*i+1))
		for _, s := range e.sent {
			if s.Flags.Has(wire.CWR) {
				marked = append(marked, s.Seq.Sub(testISS))
			}
		}
		e.sent = nil
	}
	if len(marked) != 1 || marked[0] != 10_001 {
		t.Errorf("CWR is on %d, want on the first new one, 10001", marked)
	}
	if info := e.c.Info(); info.Ssthresh != 5000 || info.Phase != PhaseCWR {
		t.Errorf("%v, ssthresh %d", info.Phase, info.Ssthresh)
	}
	// "more than once every window": all that was in flight at the time must be
	// acknowledged, and the first octet sent with CWR.
	e.peer().sends("A 1 ack 10002")
	e.sent = nil
	if info := e.c.Info(); info.Phase != PhaseOpen || info.Cwnd != 5000 {
		t.Errorf("%v, cwnd %d", info.Phase, info.Cwnd)
	}
}

func TestAMarkIsAcknowledgedQuickly(t *testing.T) {
	// As on Linux the segment after a marked one is acknowledged at once as well,
	// and no other.
	e := ecnEnd(t)
	e.peer().sends("A 1:101 ack 1 ecn 3")
	e.want().segment("AE 1 ack 101", ReasonMarked)
	e.peer().sends("A 101:201 ack 1 ecn 2")
	e.want().segment("AE 1 ack 201", ReasonQuickACK)
	e.peer().sends("A 201:301 ack 1 ecn 2")
	e.want().nothing()
	e.after(40 * ms)
	e.want().segment("AE 1 ack 301", ReasonDelayedACK)
}
