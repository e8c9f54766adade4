package tcp

import "testing"

// told expects that a fact with these words came once.
func (w wantOf) told(why string) {
	w.t.Helper()
	n := 0
	var all []string
	for _, f := range facts(w.env) {
		if f.Kind == EventCongestion {
			all = append(all, f.Why)
		}
		if f.Kind == EventCongestion && f.Why == why {
			n++
		}
	}
	if n != 1 {
		w.t.Errorf("%q was told %d times, want once: %q", why, n, all)
	}
}

func TestWhyTheWindowWasReducedOrNot(t *testing.T) {
	// "If the TLP sender does not receive such an indication, then it MUST assume
	// that the original data segment, the TLP retransmission, or a corresponding ACK
	// was lost for congestion control purposes." (RFC 8985, 7.4.2; R8985-6)
	e := sackFlight(t, 1, 100*ms)
	e.env.Watch = true
	e.after(200 * ms)
	e.want().segment("PA 1:1001 ack 1", ReasonLossProbe)
	e.peer().sends("A 1 ack 1001")
	e.writes(4000)
	e.sent = nil
	e.peer().sends("A 1 ack 2001")
	e.sent = nil
	e.want().told("a loss that the probe has mended")

	// "acknowledges data that was not retransmitted": RFC 5682, 3.1.
	e = sackFlight(t, 5, 100*ms, noProbe)
	e.env.Watch = true
	e.after(200 * ms)
	e.want().segment("A 1:1001 ack 1", ReasonTimeout)
	e.after(50 * ms)
	e.peer().sends("A 1 ack 2001")
	e.want().told("what was never sent again has arrived: the time-out was for nothing (F-RTO)")

	// All that was sent again has come twice: RFC 3708, 3.
	e = sackFlight(t, 10, 100*ms, noProbe)
	e.env.Watch = true
	e.peer().sends("A 1 ack 1 sack 1001:4001")
	e.sent = nil
	e.after(ms)
	e.peer().sends("A 1 ack 10001")
	e.peer().sends("A 1 ack 10001 sack 1:1001")
	e.want().told("all retransmissions came twice: the reduction is undone")

	// "The indication of congestion should be treated just as a congestion loss":
	// RFC 3168, 6.1.2.
	e = ecnEnd(t)
	e.env.Watch = true
	e.writes(20_000)
	e.sent = nil
	e.peer().sends("AE 1 ack 2001", "AE 1 ack 3001")
	e.sent = nil
	e.want().told("the network has marked a packet (ECN)")
}
