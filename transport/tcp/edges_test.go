package tcp

import (
	"syscall"
	"testing"
	"time"
)

// What lies just inside of a rule, and just outside.

func TestTimestampOfAResetIsNotRemembered(t *testing.T) {
	// "information from the Timestamps option MUST NOT be used to update connection
	// state information". RFC 7323, 5.2. (R7323-14)
	e := establishedEnd(t, modern)
	e.peer().sends("R 5 ts 9999 0")
	e.want().segment("A 1 ack 1 ts 10000 1000", ReasonChallengeReset)
}

func TestWindowOfASYNInASimultaneousOpenIsNotScaled(t *testing.T) {
	// "The window field in a segment where the SYN bit is set (i.e., a <SYN> or
	// <SYN,ACK>) MUST NOT be scaled." RFC 7323, 2.2. (R7323-3)
	e := newEnd(t, scaled)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.peer().sends("S 0 mss 1000 ws 2")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.peer().sends("SA 0 ack 1 mss 1000 ws 2 win 5000")
	e.want().state(StateEstablished)
	if got := e.c.Info().SendWindow; got != 5000 {
		t.Errorf("the window is %d, want 5000", got)
	}
}

func TestOneNewOctetIsEnough(t *testing.T) {
	// "RCV.NXT =< SEG.SEQ+SEG.LEN-1 < RCV.NXT+RCV.WND". RFC 9293, 3.4.
	e := establishedEnd(t)
	e.peer().sends("A -8:2 ack 1")
	e.reads(1)
	e.peer().sends("A -7:2 ack 1")
	e.want().segment("A 1 ack 2", ReasonUnacceptable)
}

func TestUnacceptableTextIsAlwaysAnswered(t *testing.T) {
	// "If an incoming segment is not acceptable, an acknowledgment should be sent in
	// reply". RFC 9293, 3.10.7.4. Only what carries nothing must wait.
	e := establishedEnd(t)
	for range 5 {
		e.peer().sends("A 0:1 ack 1")
		e.want().segment("A 1 ack 1", ReasonUnacceptable)
	}
}

func TestOldSYNIsAChallenge(t *testing.T) {
	// RFC 5961, 4.2 (R5961-3), and its throttle (R5961-5), hold for a SYN that PAWS
	// turns away, too.
	e := establishedEnd(t, modern, func(c *Config) { c.ChallengeACKs = 1 })
	e.peer().sends("S 1 ts 1 0")
	e.want().segment("A 1 ack 1", ReasonOldDuplicate)
	e.peer().sends("S 1 ts 1 0")
	e.want().nothing()
	e.want().discarded(DiscardRateLimited, 1)
}

func TestADialogueIsQuick(t *testing.T) {
	// Who answers within the time of a delayed ACK needs no quick ones.
	for wait, quick := range map[time.Duration]bool{40*ms - 1: false, 40 * ms: true} {
		e := newEnd(t, func(c *Config) { c.QuickACKs = 5 })
		e.connect(testParams())
		e.want().segment("S 0", ReasonOpen)
		e.peer().sends("SA 0 ack 1 mss 1000")
		e.want().segment("A 1 ack 1", ReasonOpenDone)
		e.peer().sends("A 1:11 ack 1")
		e.want().segment("A 1 ack 11", ReasonQuickACK)
		e.after(wait)
		e.writes(5)
		e.want().segment("PA 1:6 ack 11", ReasonData)
		e.peer().sends("A 11:21 ack 6")
		if quick {
			e.want().segment("A 6 ack 21", ReasonQuickACK)
		}
		e.want().nothing()
	}
}

func TestICMPErrorsAfterTheEndAreForeign(t *testing.T) {
	e := establishedEnd(t)
	e.writes(10)
	e.want().segment("PA 1:11 ack 1", ReasonData)
	e.peer().sends("R 1")
	e.c.HandleUnreachable(e.now, syscall.EHOSTUNREACH, false, testISS.Add(1))
	e.want().discarded(DiscardICMPForeign, 1)
	if err := e.c.SoftErr(); err != nil {
		t.Errorf("the soft error is %v", err)
	}
	e = synSentEnd(t)
	e.c.HandleUnreachable(e.now, syscall.ECONNREFUSED, true, testISS)
	if err := e.c.SoftErr(); err != nil {
		t.Errorf("a hard error is soft as well: %v", err)
	}
}

func TestAnImpossiblePathMTUIsIgnored(t *testing.T) {
	e := establishedEnd(t)
	e.writes(2000)
	e.sent = nil
	for _, mss := range []int{0, -5, 1000, 2000} {
		e.does(func(c *Conn) { c.HandlePathMTU(e.now, mss, testISS.Add(1)) })
		if got := e.c.SendMSS(); got != 1000 {
			t.Errorf("a path that takes %d octets: the MSS is %d", mss, got)
		}
	}
	e.want().nothing()
}

func TestTheLeastKeepAliveIsKept(t *testing.T) {
	// "This interval MUST be configurable (MUST-27)". RFC 9293, 3.8.4.
	env := NewEnv(DefaultConfig())
	least := KeepAlive{On: true, Idle: 1, Interval: 1, Probes: 1}
	if got := least.withDefaults(env); got != least {
		t.Errorf("%+v becomes %+v", least, got)
	}
	want := KeepAlive{On: true, Idle: env.KeepAliveIdle, Interval: env.KeepAliveInterval, Probes: env.KeepAliveProbes}
	if got := (KeepAlive{On: true}).withDefaults(env); got != want {
		t.Errorf("without any numbers: %+v, want %+v", got, want)
	}
}

func TestWindowThatDoublesIsTold(t *testing.T) {
	// RFC 9293, 3.8.6.2.2 (MUST-39): little is not told, much is.
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 10000 })
	e.peer().sends("A 1:1001 ack 1", "A 1001:2001 ack 1", "A 2001:3001 ack 1", "A 3001:4001 ack 1", "A 4001:5001 ack 1", "A 5001:6001 ack 1")
	e.want().segment("A 1 ack 6001 win 4000", ReasonSecondSegment)
	e.reads(3999)
	e.want().nothing()
	e.reads(1)
	e.want().segment("A 1 ack 6001 win 8000", ReasonWindowUpdate)
	e.reads(2000)
	e.want().nothing()
}

func TestNobodyIsToldOfRoomAfterTheEnd(t *testing.T) {
	e := establishedEnd(t, func(c *Config) { c.ReceiveBuffer = 2000 })
	e.peer().sends("A 1:1001 ack 1", "A 1001:2001 ack 1")
	e.want().segment("A 1 ack 2001 win 0", ReasonSecondSegment)
	e.peer().sends("FA 2001 ack 1")
	e.sent = nil
	e.after(50 * ms)
	e.sent = nil
	e.reads(2000)
	e.want().nothing()
}

func TestUserTimeoutEndsDataExactly(t *testing.T) {
	// "An application MUST (MUST-21) be able to set the value for R2".
	// RFC 9293, 3.8.3.
	e := establishedEnd(t)
	e.after(time.Hour)
	e.c.SetUserTimeout(3 * time.Second)
	e.writes(10)
	e.sent = nil
	start := e.now
	for e.c.State() != StateClosed {
		e.pass(e.c.NextTimer())
		e.sent = nil
	}
	if lasted := e.now.Sub(start); lasted != 3*time.Second {
		t.Errorf("it lasted %v", lasted)
	}
}

func TestCloseInTimeWaitLetsGo(t *testing.T) {
	e := finWait2End(t)
	e.peer().sends("FA 1:11 ack 2")
	e.want().segment("A 2 ack 12", ReasonFINACK)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().nothing()
	e.want().state(StateTimeWait)
	if e.c.Err() != nil || e.c.Readable() != 0 {
		t.Errorf("error %v, %d octets to read", e.c.Err(), e.c.Readable())
	}
}

func TestResetThatBeginsBeforeTheWindowIsOutside(t *testing.T) {
	// "If the RST bit is set and the sequence number is outside the current receive
	// window, silently drop the segment." RFC 5961, 3.2. (R5961-2) Its data doesn't
	// bring it in (SHLD-2).
	e := establishedEnd(t)
	e.peer().sends("A 1:11 ack 1")
	e.peer().sends("R 6:16")
	e.want().nothing()
	e.want().state(StateEstablished)
	e.want().discarded(DiscardResetOutside, 1)
	e.after(e.env.DelayedACK)
	e.want().segment("A 1 ack 11", ReasonDelayedACK)
}

func TestSilenceAloneIsNoFailure(t *testing.T) {
	// "it MUST NOT interpret failure to respond to any specific probe as a dead
	// connection (MUST-29)", and still less that there was nothing to respond to.
	e := aliveEnd(t, KeepAlive{Idle: time.Minute, Interval: 10 * time.Second, Probes: 9})
	e.c.SetUserTimeout(30 * time.Second)
	e.after(time.Minute)
	e.want().segment("A 0 ack 1", ReasonKeepAlive)
	e.want().state(StateEstablished)
}

func TestOneOctetIsSomethingToRead(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("UA 1:2 ack 1 urg 1") // it is out of line
	if got, want := e.c.Ready(), ReadyConnected|ReadyWrite|ReadyUrgent; got != want {
		t.Errorf("with the urgent octet: %v, want %v", got, want)
	}
	e.peer().sends("A 2:3 ack 1")
	e.c.ReadUrgent()
	if got := e.c.Ready(); got&ReadyRead == 0 {
		t.Errorf("with one octet more: %v", got)
	}
	e.sent = nil
}

func TestWhatIsHeldAlreadyIsADuplicate(t *testing.T) {
	e := establishedEnd(t)
	e.peer().sends("A 11:21 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.peer().sends("A 11:21 ack 1")
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.want().discarded(DiscardDuplicate, 1)
	e.peer().sends("A 15:25 ack 1") // four octets are new
	e.want().segment("A 1 ack 1", ReasonDuplicateACK)
	e.want().discarded(DiscardDuplicate, 1)
}
