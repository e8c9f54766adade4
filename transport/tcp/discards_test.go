package tcp

import "testing"

func TestEveryDiscardIsCountedByItsReason(t *testing.T) {
	// "If an incoming segment is not acceptable, an acknowledgment should be sent
	// in reply (unless the RST bit is set, if so drop the segment and return)";
	// "if the ACK bit is off, drop the segment and return"; "If the RST bit is set
	// and the sequence number is outside the current receive window, silently drop
	// the segment." (RFC 9293, 3.10.7.4) Each is counted once, as what it is, and
	// the connection stays as it was.
	for spec, x := range map[string]struct {
		why    Discard
		answer Reason // ReasonNone: none
	}{
		"P 101:111":             {DiscardNoACK, ReasonNone},
		"A 101:111 ack 2":       {DiscardUnsentACK, ReasonUnsentACK},
		"R 100":                 {DiscardResetOutside, ReasonNone},
		"R 102":                 {DiscardResetBeside, ReasonChallengeReset},
		"R 900000":              {DiscardResetOutside, ReasonNone},
		"S 101":                 {DiscardSYN, ReasonChallengeSYN},
		"SA 900000 ack 1":       {DiscardSYN, ReasonChallengeSYN},
		"A 1:101 ack 1":         {DiscardDuplicate, ReasonUnacceptable},
		"A 900001:900011 ack 1": {DiscardBeyondWindow, ReasonUnacceptable},
	} {
		e := establishedEnd(t)
		e.peer().sends("A 1:101 ack 1")
		e.after(40 * ms)
		e.want().segment("A 1 ack 101", ReasonDelayedACK)
		e.peer().sends(spec)
		if x.answer != ReasonNone {
			e.want().segment("A 1 ack 101", x.answer)
		}
		e.want().nothing()
		e.want().state(StateEstablished)
		for why, n := range e.c.Info().Discards {
			if want := Discard(why) == x.why; (n == 1) != want || n > 1 {
				t.Errorf("%s: %d discarded because %q", spec, n, Discard(why))
			}
		}
		if n := e.c.Readable(); n != 100 {
			t.Errorf("%s: %d octets can be read", spec, n)
		}
	}
	// "If the segment acknowledgment is not acceptable, form a reset segment
	// <SEQ=SEG.ACK><CTL=RST> and send it." (RFC 9293, 3.10.7.4)
	for _, spec := range []string{"A 1 ack 2", "A 1 ack 0"} {
		e := synReceivedEnd(t)
		e.peer().sends(spec)
		if len(e.sent) != 1 || !e.sent[0].Flags.Has(rst) || e.sent[0].Reason != ReasonBadHandshakeACK {
			t.Errorf("%s: answered by %+v", spec, e.sent)
		}
		e.sent = nil
		e.want().state(StateSynReceived)
		e.want().discarded(DiscardHandshakeACK, 1)
	}
}
