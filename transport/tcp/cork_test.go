package tcp

import (
	"testing"
	"time"
)

// "If set, don't send out partial frames. All queued partial frames are sent
// when the option is cleared again. ... there is a 200 millisecond ceiling on
// the time for which output is corked by TCP_CORK." (tcp(7))
func TestCork(t *testing.T) {
	e := establishedEnd(t)
	peer, want := e.peer(), e.want()
	e.does(func(c *Conn) { c.SetCork(true) })
	e.writes(300)
	e.writes(300)
	want.nothing()
	e.writes(900)
	want.segment("A 1:1001 ack 1", ReasonData)
	want.nothing()
	peer.sends("A 1 ack 1001")
	want.nothing()
	e.does(func(c *Conn) { c.SetCork(false) })
	want.segment("PA 1001:1501 ack 1", ReasonData)
	peer.sends("A 1 ack 1501")

	e.does(func(c *Conn) { c.SetCork(true) })
	e.writes(10)
	e.after(e.c.rtt.rto - time.Nanosecond)
	want.nothing()
	e.after(time.Nanosecond)
	want.segment("PA 1501:1511 ack 1", ReasonWindowOverride)
	peer.sends("A 1 ack 1511")
}

// "setting this option forces an explicit flush of pending output, even if
// TCP_CORK is currently set." (tcp(7), TCP_NODELAY) What is written afterwards
// waits for the cork again.
func TestNoDelayFlushesACork(t *testing.T) {
	e := establishedEnd(t)
	peer, want := e.peer(), e.want()
	e.does(func(c *Conn) { c.SetCork(true) })
	e.writes(10)
	want.nothing()
	e.does(func(c *Conn) { c.SetNoDelay(true) })
	want.segment("PA 1:11 ack 1", ReasonData)
	e.c.SetMore(false) // as each write says
	e.writes(10)
	want.nothing()
	e.does(func(c *Conn) { c.SetCork(false) })
	want.segment("PA 11:21 ack 1", ReasonData)
	peer.sends("A 1 ack 21")
}

// "The caller has more data to send." (send(2), MSG_MORE): a partial segment
// waits for the next write; the FIN waits for nothing.
func TestMore(t *testing.T) {
	e := establishedEnd(t)
	peer, want := e.peer(), e.want()
	e.does(func(c *Conn) { c.SetMore(true) })
	e.writes(10)
	want.nothing()
	e.c.SetMore(false)
	e.writes(5)
	want.segment("PA 1:16 ack 1", ReasonData)
	peer.sends("A 1 ack 16")
	e.does(func(c *Conn) { c.SetMore(true) })
	e.writes(10)
	want.nothing()
	e.does(func(c *Conn) { c.CloseWrite(e.now) })
	want.segment("FPA 16:26 ack 1", ReasonData)
	peer.sends("A 1 ack 27")
}

// "Enable quickack mode if set or disable quickack mode if cleared. In quickack
// mode, acks are sent immediately, rather than delayed ... This flag is not
// permanent" (tcp(7), TCP_QUICKACK).
func TestQuickACKOption(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.QuickACKs = 2 })
	peer, want := e.peer(), e.want()
	e.does(func(c *Conn) { c.SetQuickACK(false) })
	peer.sends("A 1:11 ack 1")
	want.nothing()
	e.does(func(c *Conn) { c.SetQuickACK(true) })
	want.segment("A 1 ack 11", ReasonQuickACK)
	peer.sends("A 11:21 ack 1")
	want.segment("A 1 ack 21", ReasonQuickACK)
	e.writes(10) // a dialogue
	want.segment("PA 1:11 ack 21", ReasonData)
	if e.c.QuickACK() {
		t.Error("a dialogue has not ended quick ACKs")
	}
	peer.sends("A 21:31 ack 11")
	want.nothing()
	e.after(40 * ms)
	want.segment("A 11 ack 31", ReasonDelayedACK)
}

// "The lifetime of orphaned FIN_WAIT2 state sockets." (tcp(7), TCP_LINGER2)
func TestLinger2(t *testing.T) {
	for seconds, want := range map[int]time.Duration{0: 60 * time.Second, 5: 5 * time.Second, 500: 120 * time.Second} {
		e := establishedEnd(t)
		e.does(func(c *Conn) { c.SetFinWait2(seconds) })
		e.does(func(c *Conn) { c.Close(e.now) })
		e.want().segment("FA 1 ack 1", ReasonFIN)
		e.peer().sends("A 1 ack 2")
		e.want().state(StateFinWait2)
		e.after(want - time.Nanosecond)
		e.want().state(StateFinWait2)
		e.after(time.Nanosecond)
		e.want().state(StateClosed)
	}
	e := establishedEnd(t)
	e.does(func(c *Conn) { c.SetFinWait2(-1) })
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().segment("FA 1 ack 1", ReasonFIN)
	e.peer().sends("A 1 ack 2")
	e.want().segment("RA 2 ack 1", ReasonAbort)
	e.want().state(StateClosed)
}

// "If there is a full-stop timeout and there was not an ICMP message
// indicating a reason ... the RECOMMENDED first recovery action is to treat
// this as a detected ICMP black hole" (RFC 4821, 7.7): after R1 retransmissions
// segments are 400 octets long, then 200, 100, and not shorter than 90.
func TestABlackHole(t *testing.T) {
	e := establishedEnd(t, func(c *Config) {
		c.MTUProbing, c.BaseMSS, c.MTUProbeFloor = 1, 400, 90
	})
	want := e.want()
	e.writes(1000)
	want.segment("PA 1:1001 ack 1", ReasonData)
	for _, end := range []string{"1001", "1001", "1001", "401", "201", "101", "91", "91"} {
		e.pass(e.c.NextTimer())
		flags := "A"
		if end == "1001" {
			flags = "PA"
		}
		want.segment(flags+" 1:"+end+" ack 1", ReasonTimeout)
	}
	e.peer().sends("A 1 ack 91")
	want.segment("A 91:101 ack 1", ReasonTimeout)
	if e.c.SendMSS() != 90 {
		t.Errorf("the MSS is %d, want 90", e.c.SendMSS())
	}
	e.sent = nil
}

// Without tcp_mtu_probing nothing of the kind happens.
func TestNoLookForBlackHoles(t *testing.T) {
	e := establishedEnd(t)
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	for range 8 {
		e.pass(e.c.NextTimer())
		e.want().segment("PA 1:1001 ack 1", ReasonTimeout)
	}
}
