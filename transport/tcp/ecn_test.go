package tcp

import (
	"testing"
	"time"

	"hubbub/wire"
)

func asking(c *Config) { c.ECN = ECNAsk }

// ecnEnd is a connection that the peer has opened, with ECN.
func ecnEnd(t *testing.T, adjust ...func(*Config)) *end {
	t.Helper()
	e := newEnd(t, adjust...)
	e.accept(testParams(), "SEW 0 mss 1000")
	e.want().segment("SAE 0 ack 1", ReasonOpenReply)
	e.peer().sends("A 1 ack 1")
	return e
}

func TestECNIsAgreedOnInTheHandshake(t *testing.T) {
	// "If a host has received an ECN-setup SYN packet, then it MAY send an
	// ECN-setup SYN-ACK packet. Otherwise, it MUST NOT send an ECN-setup SYN-ACK
	// packet." (RFC 3168, 6.1.1; SHLD-8)
	for _, c := range []struct {
		mode        int
		syn, synACK string
	}{
		{ECNAccept, "SEW 0 mss 1000", "SAE 0 ack 1"},
		{ECNAsk, "SEW 0 mss 1000", "SAE 0 ack 1"},
		{ECNOff, "SEW 0 mss 1000", "SA 0 ack 1"},
		{ECNAccept, "SE 0 mss 1000", "SA 0 ack 1"},
		{ECNAccept, "SW 0 mss 1000", "SA 0 ack 1"},
		{ECNAccept, "S 0 mss 1000", "SA 0 ack 1"},
		{ECNAccept, "SEW 0 mss 1000 ecn 2", "SA 0 ack 1"},
	} {
		e := newEnd(t, func(config *Config) { config.ECN = c.mode })
		e.accept(testParams(), c.syn)
		e.want().segment(c.synACK+" ecn 0", ReasonOpenReply)
	}
}

func TestECNIsAskedFor(t *testing.T) {
	// "Host A sends an ECN-setup SYN packet, and Host B sends an ECN-setup
	// SYN-ACK packet" (RFC 3168, 6.1.1): ECE without CWR.
	for _, c := range []struct {
		synACK string
		ecn    int
	}{{"SAE 0 ack 1 mss 1000", 2}, {"SA 0 ack 1 mss 1000", 0}, {"SAEW 0 ack 1 mss 1000", 0}, {"SAW 0 ack 1 mss 1000", 0}} {
		e := newEnd(t, asking)
		e.connect(testParams())
		e.want().segment("SEW 0 ecn 0", ReasonOpen)
		e.peer().sends(c.synACK)
		e.want().segment("A 1 ack 1 ecn 0", ReasonOpenDone)
		if got := e.c.Info().ECN; got != (c.ecn != 0) {
			t.Errorf("%s: agreed on is %v", c.synACK, got)
		}
		e.writes(100)
		e.want().segment(sprintf("PA 1:101 ack 1 ecn %d", c.ecn), ReasonData)
	}
	e := newEnd(t)
	e.connect(testParams())
	e.want().segment("S 0 ecn 0", ReasonOpen)
	e.peer().sends("SAE 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1 ecn 0", ReasonData)
}

func TestASYNWithoutAnswerIsRepeatedWithoutECN(t *testing.T) {
	// "A host that receives no reply to an ECN-setup SYN within the normal SYN
	// retransmission timeout interval MAY resend the SYN and any subsequent SYN
	// retransmissions with CWR and ECE cleared." (RFC 3168, 6.1.1.1)
	e := newEnd(t, asking)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.after(time.Second)
	e.want().segment("S 0", ReasonOpenRetry)
	e.peer().sends("SAE 0 ack 1 mss 1000")
	e.want().segment("A 1 ack 1", ReasonOpenDone)
	e.writes(100)
	e.want().segment("PA 1:101 ack 1 ecn 0", ReasonData)

	e = newEnd(t, asking, func(c *Config) { c.ECNFallback = false })
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.after(time.Second)
	e.want().segment("SEW 0", ReasonOpenRetry)
}

func TestBothAskAtOnce(t *testing.T) {
	e := newEnd(t, asking)
	e.connect(testParams())
	e.want().segment("SEW 0", ReasonOpen)
	e.peer().sends("SEW 0 mss 1000")
	e.want().segment("SAE 0 ack 1", ReasonOpenReply)
}

func TestOnlyNewDataIsECNCapable(t *testing.T) {
	// "ECN-capable TCP implementations MUST NOT set either ECT codepoint (ECT(0)
	// or ECT(1)) in the IP header for retransmitted data packets" (RFC 3168,
	// 6.1.5), pure acknowledgments (6.1.4) and window probes (6.1.6).
	e := ecnEnd(t)
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1 ecn 2", ReasonData)
	e.peer().sends("PA 1:101 ack 1")
	e.after(40 * ms)
	e.want().segment("A 1001 ack 101 ecn 0", ReasonDelayedACK)
	e.after(time.Second)
	e.want().segment("PA 1:1001 ack 101 ecn 0", ReasonTimeout)
	e.peer().sends("A 101 ack 1001 win 0")
	e.writes(500)
	e.after(10 * time.Second)
	e.want().segment("A 1001:1002 ack 101 ecn 0", ReasonWindowProbe)
	e.sent = nil
	e.peer().sends("A 101 ack 1001")
	e.sent = nil
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.sent = nil
}

func TestAFINIsNotECNCapable(t *testing.T) {
	e := ecnEnd(t)
	e.does(func(c *Conn) { _ = c.CloseWrite(e.now) })
	e.want().segment("FA 1 ack 1 ecn 0", ReasonFIN)
}

func TestAMarkIsEchoedUntilThePeerHasReduced(t *testing.T) {
	// "the TCP data receiver sets the ECN-Echo flag in the TCP header of the
	// subsequent ACK packet"; "After the receipt of the CWR packet,
	// acknowledgments for subsequent non-CE data packets will not have the
	// ECN-Echo flag set." (RFC 3168, 6.1.3)
	e := ecnEnd(t)
	e.peer().sends("A 1:101 ack 1 ecn 3")
	e.want().segment("AE 1 ack 101", ReasonMarked)
	e.peer().sends("A 101:201 ack 1 ecn 2")
	e.want().segment("AE 1 ack 201", ReasonQuickACK)
	e.writes(10)
	e.want().segment("PAE 1:11 ack 201 ecn 2", ReasonData)
	e.peer().sends("AW 201:301 ack 11 ecn 2")
	e.want().segment("A 11 ack 301", ReasonReduced)
	e.peer().sends("AW 301:401 ack 11 ecn 3") // a new mark at the same time
	e.want().segment("AE 11 ack 401", ReasonReduced)
	if got := e.c.Info().Marked; got != 2 {
		t.Errorf("%d arrived marked", got)
	}
}

func TestMarksCountOnTextThatIsTaken(t *testing.T) {
	// "the receiver ... SHOULD ignore the ECN field on arriving data packets
	// that are outside of the receiver's current window" (RFC 3168, 6.1.5).
	e := ecnEnd(t)
	e.peer().sends("A 1 ack 1 ecn 3", "A 900001:900101 ack 1 ecn 3")
	e.want().segment("A 1 ack 1", ReasonUnacceptable)
	// Without agreement nothing is echoed.
	e = establishedEnd(t)
	e.peer().sends("A 1:101 ack 1 ecn 3")
	e.after(40 * ms)
	e.want().segment("A 1 ack 101", ReasonDelayedACK)
}

func TestAnEchoReducesTheWindowOncePerWindow(t *testing.T) {
	// "TCP does not react to congestion indications more than once every window
	// of data"; "the TCP sender sets the CWR flag in the TCP header of the first
	// new data packet sent after the window reduction." (RFC 3168, 6.1.2)
	e := ecnEnd(t, func(c *Config) { c.CongestionControl = "reno" })
	e.writes(20_000)
	e.sent = nil
	e.peer().sends("AE 1 ack 2001")
	info := e.c.Info()
	if info.Phase != PhaseCWR || info.Ssthresh != 5000 {
		t.Fatalf("%v, ssthresh %d", info.Phase, info.Ssthresh)
	}
	e.sent = nil
	for i := 3; i <= 10; i++ {
		e.peer().sends(sprintf("AE 1 ack %d", i*1000+1))
	}
	cwr, ect := 0, 0
	for _, s := range e.sent {
		if s.Flags.Has(wire.CWR) {
			cwr++
		}
		if s.ECN == ECNCapable {
			ect++
		}
	}
	if cwr > 1 || ect != len(e.sent) {
		t.Errorf("%d of %d have CWR, %d are capable", cwr, len(e.sent), ect)
	}
	e.sent = nil
	info = e.c.Info()
	if info.Ssthresh != 5000 || info.Cwnd > 6000 {
		t.Errorf("a second reduction, or none: ssthresh %d, cwnd %d", info.Ssthresh, info.Cwnd)
	}
	e.peer().sends("A 1 ack 12001")
	e.sent = nil
	if info := e.c.Info(); info.Phase != PhaseOpen || info.Retransmissions != 0 {
		t.Errorf("%v, %d retransmissions", info.Phase, info.Retransmissions)
	}
}

func TestALossTellsOfItselfToo(t *testing.T) {
	// "When an ECN-Capable TCP sender reduces its congestion window for any
	// reason ..., the TCP sender sets the CWR flag"; "the CWR bit in the TCP
	// header SHOULD NOT be set on retransmitted packets." (RFC 3168, 6.1.2)
	e := ecnEnd(t)
	e.writes(1000)
	e.want().segment("PA 1:1001 ack 1", ReasonData)
	e.after(2 * time.Second)
	e.want().segment("PA 1:1001 ack 1 ecn 0", ReasonTimeout)
	e.sent = nil
	e.peer().sends("A 1 ack 1001")
	e.writes(1000)
	e.want().segment("PAW 1001:2001 ack 1 ecn 2", ReasonData)
	e.peer().sends("A 1 ack 2001")
	e.writes(1000)
	e.want().segment("PA 2001:3001 ack 1 ecn 2", ReasonData)
}

func TestAnEchoWithoutAgreementMeansNothing(t *testing.T) {
	e := flightEnd(t)
	e.peer().sends("AE 1 ack 1001")
	e.sent = nil
	if e.c.Info().Phase != PhaseOpen {
		t.Error("it reduces its window")
	}
}
