package congestion

import (
	"testing"
	"time"
)

const millisecond = time.Millisecond

// RFC 9406, 4.2: "cwnd = cwnd + min(N, L * SMSS)", with no limit L (R9438-9: slow
// start below ssthresh; MAY-18: an algorithm of its own).
func TestSlowStartOfCubic(t *testing.T) {
	s := newSender(t, "cubic", 10)
	s.acks(1, 0)
	s.want("one segment", 11)
	s.acks(11, 0)
	s.want("eleven at once", 22)
	s.w.Ssthresh = 23 * mss
	s.acks(2, 0)
	s.want("up to the threshold, and the rest counts for avoidance", 23+1./23*0.5+1./23*0.5)
}

// RFC 9406, 4.2: "if (currentRoundMinRTT >= (lastRoundMinRTT + RttThresh)) set
// cssBaselineMinRtt = currentRoundMinRTT; exit slow start and enter CSS", where
// RttThresh is an eighth of the last round's least RTT, 4 to 16 ms. Then the
// window grows by a quarter; after five rounds slow start is over.
func TestRoundTripsThatTakeLongerEndSlowStart(t *testing.T) {
	s := newSender(t, "cubic", 20)
	s.round(80 * millisecond)
	s.want("the first round", 40)
	s.round(89 * millisecond) // 9 ms more: less than an eighth of 80 ms
	s.want("the second", 80)
	s.round(100 * millisecond)
	if h := s.Control.(*cubic).hystart; h.phase != hystartSlow {
		t.Fatalf("11 ms more than 89: phase %v", h.phase)
	}
	s.want("the third", 160)
	s.round(113 * millisecond) // 13 ms more than 100: over an eighth
	if h := s.Control.(*cubic).hystart; h.phase != hystartCSS || h.baseline != 113*millisecond {
		t.Fatalf("phase %v, baseline %v", h.phase, h.baseline)
	}
	for i := range cssMaxRounds {
		before := s.w.Cwnd
		s.round(115 * millisecond)
		if i > 0 && s.w.Cwnd != before+before/mss/2*2*mss/4 && s.w.Cwnd-before > before/4+mss {
			t.Errorf("round %d of CSS: from %d to %d", i, before, s.w.Cwnd)
		}
	}
	s.round(115 * millisecond)
	if s.w.SlowStart() {
		t.Errorf("slow start goes on: cwnd %d, ssthresh %d", s.w.Cwnd, s.w.Ssthresh)
	}
}

// RFC 9406, 4.2: "if (currentRoundMinRTT < cssBaselineMinRtt) [...] resume slow
// start including HyStart++".
func TestAFalseAlarm(t *testing.T) {
	s := newSender(t, "cubic", 20)
	s.round(80 * millisecond)
	s.round(100 * millisecond)
	h := &s.Control.(*cubic).hystart
	if h.phase != hystartCSS {
		t.Fatalf("phase %v", h.phase)
	}
	s.round(81 * millisecond)
	if h.phase != hystartSlow {
		t.Errorf("phase %v after a shorter round trip", h.phase)
	}
	before := s.w.Cwnd
	s.round(81 * millisecond)
	if s.w.Cwnd != 2*before {
		t.Errorf("from %d to %d", before, s.w.Cwnd)
	}
}

// RFC 9406, 4.3: fewer than N_RTT_SAMPLE measurements in a round say nothing,
// and less than 4 ms is no queue.
func TestWhatIsNoAlarm(t *testing.T) {
	s := newSender(t, "cubic", 14) // seven ACKs in a round
	s.round(20 * millisecond)
	s.w.Cwnd = 14 * mss
	s.round(90 * millisecond)
	if h := s.Control.(*cubic).hystart; h.phase != hystartSlow {
		t.Errorf("seven measurements: phase %v", h.phase)
	}
	s = newSender(t, "cubic", 40)
	s.round(20 * time.Microsecond)
	s.round(4019 * time.Microsecond)
	if h := s.Control.(*cubic).hystart; h.phase != hystartSlow {
		t.Errorf("less than 4 ms: phase %v", h.phase)
	}
	s.round(8100 * time.Microsecond)
	if h := s.Control.(*cubic).hystart; h.phase != hystartCSS {
		t.Errorf("more than 4 ms: phase %v", h.phase)
	}
	s = newSender(t, "cubic", 40)
	s.round(400 * millisecond)
	s.round(417 * millisecond)
	if h := s.Control.(*cubic).hystart; h.phase != hystartCSS {
		t.Errorf("more than 16 ms: phase %v", h.phase)
	}
}

// "HyStart++ [...] is only used for the initial slow start" (RFC 9406, 4.3).
func TestHyStartIsForTheFirstSlowStartAlone(t *testing.T) {
	s := newSender(t, "cubic", 100)
	s.round(20 * millisecond)
	s.TimedOut(&s.w, s.now, s.w.Cwnd)
	s.w.Cwnd, s.w.Ssthresh = 20*mss, Unlimited
	for _, rtt := range []time.Duration{20, 50, 100, 200, 400} {
		before := s.w.Cwnd
		s.round(rtt * millisecond)
		if s.w.Cwnd != 2*before {
			t.Errorf("RTT %d ms: from %d to %d", rtt, before, s.w.Cwnd)
		}
	}
}

// RFC 9438, 4.9: a reduction that turns out to be a mistake is undone. What goes
// on then is the initial slow start, in which HyStart++ is used (RFC 9406, 4.3).
func TestHyStartGoesOnAfterAReductionForNothing(t *testing.T) {
	for _, mistake := range []func(*sender){
		func(s *sender) { s.Lost(&s.w, s.now, s.w.Cwnd, false) },
		func(s *sender) { s.TimedOut(&s.w, s.now, s.w.Cwnd) },
	} {
		s := newSender(t, "cubic", 20)
		s.round(80 * millisecond)
		before := s.w
		mistake(s)
		s.w = before
		s.Undo(&s.w)
		s.round(80 * millisecond)
		s.round(100 * millisecond)
		if h := s.Control.(*cubic).hystart; h.phase != hystartCSS {
			t.Errorf("a round trip that takes 20 ms longer: phase %v", h.phase)
		}
		mistake(s)
		s.Undo(&s.w)
		if h := s.Control.(*cubic).hystart; h.phase != hystartCSS {
			t.Errorf("after a mistake in CSS: phase %v", h.phase)
		}
		mistake(s)
		mistake(s)
		s.Undo(&s.w)
		if h := s.Control.(*cubic).hystart; h.phase != hystartDone {
			t.Errorf("after a loss, and a mistake: phase %v", h.phase)
		}
	}
}
