package tcp

import (
	"testing"
	"time"

	"hubbub/internal/pkt"
	"hubbub/wire"
)

// synSentEnd has sent its SYN.
func synSentEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	e.connect(testParams())
	e.want().segment("S 0 mss 1000", ReasonOpen)
	return e
}

// synReceivedEnd has answered a SYN.
func synReceivedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	e.accept(testParams(), "S 0 win 64000 mss 1000")
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenReply)
	return e
}

// establishedEnd has connected to the peer. Its segments hold 1000 octets.
func establishedEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := synSentEnd(t, adjust...)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.want().state(StateEstablished)
	return e
}

func TestActiveOpen(t *testing.T) {
	e := establishedEnd(t)
	e.want().nothing()
	if e.c.NextTimer() != 0 {
		t.Error("an idle connection has a timer")
	}
}

func TestPassiveOpen(t *testing.T) {
	e := synReceivedEnd(t)
	e.peer().sends("A 1 ack 1")
	e.want().state(StateEstablished)
	e.want().nothing()
}

func TestCourseExamples(t *testing.T) {
	// A segment with sequence number 301 and 100 octets: the next is 401. One
	// with 501 and 200 octets is acknowledged with 701.
	e := establishedEnd(t)
	e.writes(300)
	e.want().segment("PA 1:301 ack 1", ReasonData)
	e.peer().sends("A 1 ack 301")
	e.writes(100)
	e.want().segment("PA 301:401 ack 1", ReasonData)
	e.peer().sends("A 1:501 ack 401")
	e.after(40 * ms)
	e.want().segment("A 401 ack 501", ReasonDelayedACK)
	e.peer().sends("A 501:701 ack 401")
	e.after(40 * ms)
	e.want().segment("A 401 ack 701", ReasonDelayedACK)
	e.reads(700)
}

// modern is a config with the options of RFC 7323.
func modern(c *Config) { c.WindowScaling, c.Timestamps = true, true }

// scaled is a config with window scaling alone.
func scaled(c *Config) { c.WindowScaling = true }

func TestSimultaneousOpen(t *testing.T) {
	// "A TCP implementation MUST support simultaneous open attempts
	// (MUST-10)." RFC 9293, 3.5.
	e := synSentEnd(t)
	e.peer().sends("S 0 mss 1000")
	e.want().state(StateSynReceived)
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().state(StateEstablished)
	e.want().nothing()
	if e.c.Passive() {
		t.Error("a simultaneous open counts as passive")
	}
}

func TestSimultaneousOpenWhenOneSynACKIsLost(t *testing.T) {
	// The peer is established and we are not: our SYN-ACK came through, its
	// own did not. Our retransmission is answered with a challenge ACK, which
	// acknowledges our SYN.
	e := synSentEnd(t)
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenReply)
	e.after(1000 * ms)
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	e.peer().sends("A 1 ack 1")
	e.want().state(StateEstablished)
}

func TestTwoEndsOpenAtOnce(t *testing.T) {
	p := newPair(t, 1, impairments{latency: 10 * ms})
	for i, party := range p.parties {
		party.c = Connect(party.env, p.now, Params{ISS: Seq(i) * 1000, MSS: 1460})
		party.toWrite = octets(0, 5000)
	}
	p.run(10 * time.Minute)
	for i, party := range p.parties {
		if len(party.got) != 5000 || party.c.State() != StateClosed || party.c.Err() != nil {
			t.Errorf("party %d: %d octets, %v, %v", i, len(party.got), party.c.State(), party.c.Err())
		}
	}
}

func TestSynReceivedRemembersWhereItCameFrom(t *testing.T) {
	// "Note that a TCP implementation MUST keep track of whether a connection
	// has reached SYN-RECEIVED state as the result of a passive OPEN or an
	// active OPEN (MUST-11)." RFC 9293, 3.5.
	passive := synReceivedEnd(t)
	passive.peer().sends("R 1")
	passive.want().state(StateClosed)
	if !passive.c.Passive() || passive.c.Err() != ErrReset {
		t.Errorf("passive %v, error %v", passive.c.Passive(), passive.c.Err())
	}
	active := synSentEnd(t)
	active.peer().sends("S 0 mss 1000")
	active.want().segment("SA 0 ack 1", ReasonOpenReply)
	active.peer().sends("R 1")
	active.want().state(StateClosed)
	if active.c.Passive() || active.c.Err() != ErrRefused {
		t.Errorf("passive %v, error %v", active.c.Passive(), active.c.Err())
	}
}

func TestMSSOptionIsSentAndObeyed(t *testing.T) {
	// "TCP endpoints MUST implement both sending and receiving the MSS Option
	// (MUST-14)." RFC 9293, 3.7.1. (SHLD-5, MAY-3)
	e := newEnd(t)
	e.connect(testParams())
	e.want().segment("S 0 mss 1000", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 300")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(700)
	e.want().segment("A 1:301 ack 1", ReasonData)
	e.want().segment("A 301:601 ack 1", ReasonData)
	e.want().segment("PA 601:701 ack 1", ReasonData)
}

func TestWithoutMSSOptionTheDefaultIsAssumed(t *testing.T) {
	// "If an MSS Option is not received at connection setup, TCP
	// implementations MUST assume a default send MSS of 536 (576 - 40) for
	// IPv4 or 1220 (1280 - 60) for IPv6 (MUST-15)." RFC 9293, 3.7.1.
	for _, c := range []struct{ preset, want int }{{0, 536}, {1220, 1220}} {
		e := newEnd(t)
		e.connect(Params{ISS: testISS, MSS: 1460, DefaultMSS: c.preset})
		e.want().segment("S 0 mss 1460", ReasonOpen)
		e.peer().sends("SA 0 ack 1")
		e.want().segment("A 1 ack 1", ReasonOpenDone)
		if got := e.c.SendMSS(); got != c.want {
			t.Errorf("the MSS is %d, want %d", got, c.want)
		}
	}
}

func TestEffectiveSendMSS(t *testing.T) {
	// "The maximum size of a segment that a TCP endpoint really sends, the
	// "effective send MSS", MUST be the smaller (MUST-16) of the send MSS ...
	// and the largest transmission size permitted by the IP layer". RFC 9293,
	// 3.7.1. Options come out of it.
	for _, c := range []struct {
		path   int
		ts     bool
		peer   string
		expect int
	}{
		{1460, false, "1000", 1000},
		{700, false, "1000", 700},
		{1460, true, "1000", 988},
		{700, true, "1000", 688},
		{1460, false, "1", 48},
	} {
		e := newEnd(t, func(config *Config) { config.Timestamps = c.ts })
		e.connect(Params{ISS: testISS, MSS: 1460, SendMSS: c.path})
		e.want().segment("S 0 mss 1460", ReasonOpen)
		e.peer().sends("SA 0 ack 1 mss " + c.peer)
		e.want().segment("A 1 ack 1", ReasonOpenDone)
		if got := e.c.SendMSS(); got != c.expect {
			t.Errorf("path %d, peer %s, timestamps %v: %d, want %d", c.path, c.peer, c.ts, got, c.expect)
		}
	}
}

func TestMSSOptionIsOnSYNOnly(t *testing.T) {
	// MUST-65: the MSS option is on segments with SYN only. RFC 9293, 3.2.
	e := establishedEnd(t, modern)
	e.writes(10)
	got := e.want().segment("PA 1:11 ack 1", ReasonData)
	if o := got.Options; o.MSS != 0 || o.HasWindowScale || !o.Timestamps {
		t.Errorf("options of a data segment: %+v", o)
	}
}

func TestSYNIsRepeatedWithBackOff(t *testing.T) {
	// "In particular, R2 for a SYN segment MUST be set large enough to provide
	// retransmission of the segment for at least 3 minutes (MUST-23)."
	// RFC 9293, 3.8.3. (R6298-1)
	e := synSentEnd(t)
	wait := time.Second
	for range e.env.SynRetries {
		e.after(wait - 1)
		e.want().nothing()
		e.after(1)
		if got := e.want().segment("S 0 mss 1000", ReasonOpenRetry); !got.Retransmission {
			t.Error("a repeated SYN is not marked as a retransmission")
		}
		wait *= 2
	}
	wait = min(wait, e.env.MaxRTO)
	e.after(wait - 1)
	e.want().state(StateSynSent)
	e.after(1)
	e.want().state(StateClosed)
	if e.c.Err() != ErrTimeout {
		t.Errorf("the error is %v", e.c.Err())
	}
	if lasted := e.now.Sub(began); lasted < 3*time.Minute {
		t.Errorf("gave up after %v", lasted)
	}
}

func TestSynACKIsRepeatedThenGivenUp(t *testing.T) {
	// "SYN retransmissions MUST be handled in the general way just described for
	// data retransmissions, including notification of the application layer."
	// MUST-22, RFC 9293, 3.8.3.
	e := synReceivedEnd(t)
	for i := range e.env.SynAckRetries {
		e.after(time.Second << i)
		e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenRetry)
	}
	e.after(time.Second << e.env.SynAckRetries)
	e.want().state(StateClosed)
}

func TestRepeatedSYNGetsTheSynACKAgain(t *testing.T) {
	e := synReceivedEnd(t)
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenRetry)
	e.peer().sends("S 0 mss 1000") // too soon
	e.want().nothing()
	e.want().discarded(DiscardRateLimited, 1)
	e.after(600 * ms)
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1 mss 1000", ReasonOpenRetry)
	e.peer().sends("A 1 ack 1")
	e.want().state(StateEstablished)
}

func TestOldSynACKIsTurnedAway(t *testing.T) {
	// "...TCP Peer A detects that the ACK field is incorrect and returns a RST
	// (reset) with its SEQ field selected to make the segment believable."
	// RFC 9293, 3.5.1. The connection goes on.
	e := synSentEnd(t)
	e.peer().sends("SA 90 ack 91")
	e.want().segment("R 91", ReasonBadHandshakeACK)
	e.want().state(StateSynSent)
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.want().state(StateEstablished)
}

func TestPeerThatLostTheConnectionIsAnswered(t *testing.T) {
	// "Half-Open Connection Discovery": the peer restarted and connects anew
	// from the same port. The challenge ACK makes it send a reset, which makes
	// room for its next SYN. RFC 9293, 3.5.1; RFC 5961, 4.2.
	e := establishedEnd(t)
	e.peer().sends("S 7000 mss 1000")
	e.want().segment("A 1 ack 1", ReasonChallengeSYN)
	e.want().state(StateEstablished)
	e.peer().sends("R 1")
	e.want().state(StateClosed)
	if e.c.Err() != ErrReset {
		t.Errorf("the error is %v", e.c.Err())
	}
}

func TestRefused(t *testing.T) {
	e := synSentEnd(t)
	e.peer().sends("RA 0 ack 1")
	e.want().state(StateClosed)
	if e.c.Err() != ErrRefused {
		t.Errorf("the error is %v", e.c.Err())
	}
	if ready := e.c.Ready(); ready&ReadyError == 0 || ready&ReadyConnected != 0 {
		t.Errorf("ready: %v", ready)
	}
}

// RFC 7413, 4.2.2: a listener that has no proof of who sends it acknowledges
// the SYN alone; the peer sends again what came with it. So do Linux and
// FreeBSD.
func TestDataOnASYNFromAnybodyIsNotKept(t *testing.T) {
	for _, flags := range []wire.TCPFlags{syn, syn | fin, syn | psh | urg} {
		e := newEnd(t)
		seg := e.parse("S 0 mss 1000")
		seg.Flags = flags
		seg.Payload = pkt.CopyView(octets(1, 5))
		e.c = Accept(e.env, e.now, testParams(), &seg)
		e.drain()
		e.want().segment("SA 0 ack 1", ReasonOpenReply)
		e.peer().sends("A 1:9 ack 1")
		e.want().state(StateEstablished)
		e.reads(8)
		e.after(40 * ms)
		e.want().segment("A 1 ack 9", ReasonDelayedACK)
	}
}

func TestDataOnTheSynACKIsTaken(t *testing.T) {
	// "Note that it is legal to send and receive application data on SYN
	// segments" RFC 9293, 3.10.7.3.
	e := synSentEnd(t)
	seg := e.parse("SA 0 ack 1 mss 1000")
	seg.Payload = pkt.CopyView(octets(1, 5))
	e.c.HandleSegment(e.now, &seg)
	e.drain()
	e.want().segment("A 1 ack 6", ReasonOpenDone)
	e.reads(5)
}

func TestDataAndFINOnTheLastHandshakeACK(t *testing.T) {
	e := synReceivedEnd(t)
	e.peer().sends("FPA 1:11 ack 1")
	e.want().state(StateCloseWait)
	e.reads(10)
	if !e.c.EOF() {
		t.Error("the FIN went unnoticed")
	}
	e.after(40 * ms)
	e.want().segment("A 1 ack 12", ReasonDelayedACK)
}

func TestSYNWithCongestionBitsIsASYN(t *testing.T) {
	e := newEnd(t)
	l := NewListener(e.env, 1)
	seg := e.parse("S 0 mss 1000")
	seg.Flags |= wire.ECE | wire.CWR
	if got := l.HandleSYN(&seg); got != Admit {
		t.Errorf("a SYN that offers ECN: %v", got)
	}
}

func TestWindowScaleIsAgreedOnlyIfBothOffer(t *testing.T) {
	// "the Window Scale option will be sent in a <SYN,ACK> segment only if the
	// corresponding option was received in the initial <SYN> segment."
	// RFC 7323, 1.3. (R7323-2)
	e := newEnd(t, scaled)
	e.accept(testParams(), "S 0 mss 1000 ws 3")
	e.want().segment("SA 0 ack 1 ws 7", ReasonOpenReply)
	if info := e.c.Info(); !info.WindowScaling || info.SendScale != 3 || info.ReceiveScale != 7 {
		t.Errorf("scaling: %+v", info)
	}

	e = newEnd(t, scaled)
	seg := e.parse("S 0 mss 1000")
	seg.Options.HasWindowScale = false
	e.c = Accept(e.env, e.now, testParams(), &seg)
	e.drain()
	if got := e.want().segment("SA 0 ack 1", ReasonOpenReply); got.Options.HasWindowScale {
		t.Error("the SYN-ACK has a window scale that the SYN had not")
	}
	if info := e.c.Info(); info.WindowScaling || info.SendScale != 0 || info.ReceiveScale != 0 {
		t.Errorf("scaling: %+v", info)
	}
}

func TestWindowScaleAbove14CountsAs14(t *testing.T) {
	// "If a Window Scale option is received with a shift.cnt value larger than
	// 14, the TCP SHOULD log the error but MUST use 14 instead of the specified
	// value." RFC 7323, 2.3. (R7323-4)
	e := newEnd(t, scaled)
	e.accept(testParams(), "S 0 mss 1000 ws 15")
	e.want().segment("SA 0 ack 1 ws 7", ReasonOpenReply)
	if got := e.c.Info().SendScale; got != 14 {
		t.Errorf("the scale is %d", got)
	}
}

func TestWindowOfASYNIsNotScaled(t *testing.T) {
	// "The window field in a segment where the SYN bit is set (i.e., a <SYN>
	// or <SYN,ACK>) MUST NOT be scaled." RFC 7323, 2.2.
	// (R7323-3; windows are kept in 32 bits, REC-1)
	e := newEnd(t, scaled)
	e.connect(testParams())
	e.want().segment("S 0 win 65535 ws 7", ReasonOpen)
	e.peer().sends("SA 0 ack 1 win 500 ws 4 mss 1000")
	e.want().segment("A 1 ack 1 win 2048", ReasonOpenDone) // 256 KiB >> 7
	if got := e.c.Info().SendWindow; got != 500 {
		t.Errorf("the window of the SYN-ACK counts as %d", got)
	}
	e.peer().sends("A 1 ack 1 win 500")
	if got := e.c.Info().SendWindow; got != 500<<4 {
		t.Errorf("the window of the ACK counts as %d", got)
	}
}

func TestWindowScaleOutsideASYNIsIgnored(t *testing.T) {
	// "A Window Scale option in a segment without a SYN bit MUST be ignored."
	// RFC 7323, 2.2. (R7323-1)
	e := establishedEnd(t, scaled)
	seg := e.parse("A 1 ack 1 win 100 ws 9")
	e.c.HandleSegment(e.now, &seg)
	e.drain()
	if got := e.c.Info().SendWindow; got != 100<<2 {
		t.Errorf("the window counts as %d", got)
	}
}

func TestTimestampsAreAgreedOnlyIfBothOffer(t *testing.T) {
	// "Once TSopt has been successfully negotiated ... the TSopt MUST be sent
	// in every non-<RST> segment for the duration of the connection".
	// RFC 7323, 3.2. (R7323-6, R7323-7, R7323-9)
	e := newEnd(t, modern)
	e.connect(Params{ISS: testISS, MSS: 1000, TSOffset: 77})
	e.want().segment("S 0 ts 10077 0", ReasonOpen) // ten seconds after the beginning
	e.peer().sends("SA 0 ack 1 mss 1000 ts 500 10077")
	e.want().segment("A 1 ack 1 ts 10077 500", ReasonOpenDone)

	e = newEnd(t, func(c *Config) { c.Timestamps = true })
	e.tsOn = false
	e.connect(testParams())
	e.want().segment("S 0 ts 10000 0", ReasonOpen)
	e.peer().sends("SA 0 ack 1 mss 1000")
	if got := e.want().segment("A 1 ack 1", ReasonOpenDone); got.Options.Timestamps {
		t.Error("timestamps that the peer didn't offer")
	}
}

func TestCloseDuringTheHandshake(t *testing.T) {
	e := synSentEnd(t)
	e.does(func(c *Conn) { c.Close(e.now) })
	e.want().state(StateClosed)
	e.want().nothing()

	// A close in SYN-RECEIVED waits for ESTABLISHED (RFC 9293, 3.10.4), as
	// does what was written.
	e = synReceivedEnd(t)
	e.writes(10)
	e.want().nothing()
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().nothing()
	e.peer().sends("A 1 ack 1")
	e.want().segment("FPA 1:11 ack 1", ReasonData)
	e.want().state(StateFinWait1)
}

func TestWriteDuringTheHandshakeIsSentAfterIt(t *testing.T) {
	e := newEnd(t)
	e.connect(testParams())
	e.want().segment("S 0", ReasonOpen)
	e.writes(10)
	e.want().nothing()
	e.peer().sends("SA 0 ack 1 mss 1000")
	e.want().segment("PA 1:11 ack 1", ReasonData)
}

func TestSynACKEchoesTheTimestamp(t *testing.T) {
	e := newEnd(t, modern)
	e.accept(testParams(), "S 0 mss 1000 ts 4711 0")
	e.want().segment("SA 0 ack 1 ts 10000 4711", ReasonOpenReply)
}

func TestSimultaneousOpenCountsItsRetriesAnew(t *testing.T) {
	e := synSentEnd(t, func(c *Config) { c.SynRetries, c.SynAckRetries = 2, 3 })
	e.after(time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	e.after(2 * time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	e.peer().sends("S 0 mss 1000")
	e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	for range 3 {
		e.pass(e.c.NextTimer())
		e.want().segment("SA 0 ack 1", ReasonOpenRetry)
	}
	e.pass(e.c.NextTimer())
	e.want().state(StateClosed)
}

// A SYN-ACK that echoes a timestamp which no SYN had answers another connection:
// it is turned away like one whose acknowledgment is wrong (RFC 9293, 3.10.7.3),
// and the right one still counts.
func TestASYNACKEchoesATimestamp(t *testing.T) {
	for _, echo := range []string{"9999", "10051"} {
		e := newEnd(t, modern)
		e.connect(testParams())
		e.want().segment("S 0 mss 1000", ReasonOpen)
		e.after(50 * ms)
		e.peer().sends("SA 0 ack 1 mss 1000 ts 7 " + echo)
		e.want().segment("R 1", ReasonBadHandshakeACK)
		e.want().state(StateSynSent)
		e.peer().sends("SA 0 ack 1 mss 1000 ts 7 10050")
		e.want().segment("A 1 ack 1", ReasonOpenDone)
	}
}
